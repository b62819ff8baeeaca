"""What stands behind a row: the score ledger of a relationship with what would flip it, and the calls of a plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ddbmig.model.explanation import Explanation
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Estimate, KeyCondition, Plan, ReadCall, Transaction, WriteCall
from ddbmig.reporters.html.grids import pattern_anchors, relationship_anchors
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.numbers import Figure, count, dollars
from ddbmig.reporters.html.proof import status_of
from ddbmig.reporters.markdown import number, visible
from ddbmig.reporters.plan_calls import compact_json, query_plan
from ddbmig.reporters.terms import Namer, namer


@dataclass(frozen=True)
class Score:
    """One option of a relationship: its points, what it costs, and the rule that forbids it."""

    option: str
    points: int
    width: float
    """Of the bar, in percent of the widest."""
    forbidden: str
    cost: Figure | None


@dataclass(frozen=True)
class Ledger:
    """Why a relationship has its verdict."""

    anchor: str
    relationship: str
    verdict: str
    margin: int
    outcome: str
    scores: tuple[Score, ...]
    why: Explanation | None
    decision: tuple[tuple[str, str], ...]
    """What the design says of it, as pairs of a heading and a sentence."""


def ledgers(material: Material) -> Iterator[Ledger]:
    """The ledgers of all relationships, those read together most first."""
    anchors = relationship_anchors(material)
    costs = {one.relationship: one.costs for one in material.design.relationship_costs} if material.design else {}
    for one in material.relationships:
        key = one.relationship.id
        most = max((abs(points) for points in one.points.values()), default=0) or 1
        decision = material.decisions.get(key)
        priced = costs.get(key, {})
        about = f"more a month than the cheapest with what is fixed; {material.rates_source}"
        scores = tuple(
            Score(option, points, round(abs(points) / most * 100, 1), one.forbidden.get(option, ""),
                  dollars(priced[option], about, material.assumed_rates) if option in priced else None)
            for option, points in one.points.items()
        )  # fmt: skip
        said = (("Built as", f"{decision.outcome}: {decision.because}"), ("Trade-off", decision.trade_off),
                ("Way back", decision.rollback), ("Watch", decision.monitoring)) if decision else ()  # fmt: skip
        yield Ledger(
            anchors[key], visible(key), one.verdict, one.margin, decision.outcome if decision else "", scores,
            (material.explanations or {}).get(key), tuple((title, visible(text)) for title, text in said),
        )  # fmt: skip


# --- plans ---


@dataclass(frozen=True)
class Call:
    """One box of a plan's picture: the call, where it goes, by which keys, and its units."""

    operation: str
    kind: str
    """`read`, `write` or `client`."""
    structure: str
    keys: tuple[str, ...]
    units: str
    note: str
    together: bool = False
    """One transaction with the box before it."""


@dataclass(frozen=True)
class PlanPicture:
    """One access pattern: its statement, its calls, and what was proved."""

    anchor: str
    name: str
    id: str
    sql: str
    calls: tuple[Call, ...]
    routed: str
    detail: str
    status: tuple[str, str]
    why: str
    figures: tuple[tuple[str, Figure], ...]
    json: str


def plan_pictures(material: Material) -> Iterator[PlanPicture]:
    """The plans of all access patterns, the heaviest first."""
    plans = {plan.pattern: plan for plan in material.chosen.plans} if material.chosen else {}
    results = {one.pattern: one for one in material.validation.patterns} if material.validation else {}
    for key, anchor in pattern_anchors(material).items():
        pattern, plan, result = material.weights.patterns[key], plans.get(key), results.get(key)
        yield PlanPicture(
            anchor, visible(pattern.name), key, visible(pattern.sql), tuple(_calls(pattern, plan)) if plan else (),
            ", ".join(plan.routed) if plan else "", visible(plan.detail) if plan else "", status_of(result),
            visible(result.why) if result else "", tuple(_figures(material, key, plan)),
            _json(material, pattern, plan),
        )  # fmt: skip


def _json(material: Material, pattern: AccessPattern, plan: Plan | None) -> str:
    chosen = material.chosen
    if chosen is None or plan is None or plan.routed:
        return ""
    return compact_json(query_plan(pattern, plan, chosen.tables, material.snapshot.tables).calls)


def _figures(material: Material, key: str, plan: Plan | None) -> Iterator[tuple[str, Figure]]:
    yield "logged calls", count(material.weights.calls[key], "measured in the logs")
    if plan is not None and not plan.routed:
        yield "round trips", count(plan.round_trips, "sequential calls")
        yield "RRU", count(plan.read_units, "read request units of one call; estimated from average sizes")
        yield "WRU", count(plan.write_units, "write request units of one call; estimated from average sizes")


def _calls(pattern: AccessPattern, plan: Plan) -> Iterator[Call]:
    words = namer(pattern, plan)
    for step in plan.steps:
        if isinstance(step, ReadCall):
            yield _read(step, words)
        elif isinstance(step, WriteCall):
            yield _write(step, words)
        elif isinstance(step, Transaction):
            for place, write in enumerate(step.writes):
                yield _write(write, words, transaction=True, together=place > 0)
        else:
            yield Call(_CLIENT[step.kind], "client", "", (), "", "")


_CLIENT: Mapping[str, str] = {
    "filter": "filter", "exists": "keep by match", "sort": "sort", "slice": "limit", "distinct": "distinct",
    "reduce": "aggregate",
}  # fmt: skip
"""What the client does between the calls."""


def _read(step: ReadCall, words: Namer) -> Call:
    structure = f"{step.table}/{step.index}" if step.index else step.table
    notes = ["strongly consistent" if step.consistent else "", "once for each row so far" if step.per_row else ""]
    note = ", ".join(note for note in notes if note)
    return Call(step.op, "read", visible(structure), _keys(step.key, words), _units(step.estimate), note)


def _write(step: WriteCall, words: Namer, *, transaction: bool = False, together: bool = False) -> Call:
    operation = f"{step.op} in a transaction" if transaction else step.op
    notes = [visible(step.purpose), f"if it {step.condition}" if step.condition else ""]
    note = ", ".join(note for note in notes if note)
    return Call(operation, "write", visible(step.table), _keys(step.key, words), _units(step.estimate), note, together)


def _keys(conditions: tuple[KeyCondition, ...], words: Namer) -> tuple[str, ...]:
    return tuple(
        f"{visible(one.attribute)} {one.op} {', '.join(visible(words.term(term)) for _, term in one.terms)}"
        for one in conditions
    )


def _units(estimate: Estimate) -> str:
    read, write = estimate.read_units, estimate.write_units
    return " + ".join(f"{number(units)} {unit}" for units, unit in ((read, "RRU"), (write, "WRU")) if units)
