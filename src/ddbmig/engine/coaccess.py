"""What is read together, in which transactions, and how often: joint shares, transactions, rates, complexity."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from ddbmig.model.assessment import CoAccess, PatternRate, Rates, TransactionMap
from ddbmig.model.condition import All, AnyOf, Condition, Not, OpaqueCondition
from ddbmig.model.digest import DigestSource
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.snapshot import Snapshot

PEAK_TO_AVERAGE = 3
"""How many times the average the peak is assumed to be, when the logs are declared to be the peak."""


def tables_queried(pattern: AccessPattern) -> frozenset[str]:
    """The tables whose rows the application asks for: all of a SELECT, those beside the written one of a write."""
    refs = pattern.refs if pattern.kind == "select" else pattern.refs[1:]
    return frozenset(ref.table for ref in refs)


def table_written(pattern: AccessPattern) -> str | None:
    """The table that the pattern writes; None for a SELECT."""
    return None if pattern.kind == "select" or not pattern.refs else pattern.refs[0].table


@dataclass(frozen=True)
class ReadUnit:
    """What counts as one call: a transaction, an N+1 run, or a statement outside of both; it occurred `count` times."""

    kind: Literal["statement", "transaction", "n_plus_1"]
    templates: frozenset[str]
    reads: tuple[frozenset[str], ...]
    """The tables that each of its statements reads."""
    count: int

    @property
    def tables(self) -> frozenset[str]:
        """The tables that it reads."""
        return frozenset[str]().union(*self.reads)


def read_units(snapshot: Snapshot) -> Iterator[ReadUnit]:
    """Every call of the logs in the sense of the joint share. Statements in no unit are units of their own."""
    queried = {pattern.template: tables_queried(pattern) for pattern in snapshot.patterns}
    inside: Counter[str] = Counter()
    for unit in snapshot.digest.units:
        inside.update(unit.calls)
        reads = tuple(queried[template] for template in unit.calls if template in queried)
        yield ReadUnit(unit.kind, frozenset(unit.calls), reads, unit.count)
    for template in snapshot.digest.templates:
        alone = template.calls - inside[template.id]
        if alone > 0 and template.id in queried:
            yield ReadUnit("statement", frozenset({template.id}), (queried[template.id],), alone)


def co_access(snapshot: Snapshot) -> tuple[CoAccess, ...]:
    """The joint share of every two tables that are read together, or within one second, ordered by their ids.

    One call is one unit: a transaction, an N+1 run, or a statement outside of both. Joint share = units that read both
    tables / units that read either; the directional shares divide by the units that read one (architecture.md,
    "Definitions that decide results").
    """
    reading: Counter[str] = Counter()
    joint: dict[tuple[str, str], Counter[str]] = {}
    for unit in read_units(snapshot):
        reading.update(dict.fromkeys(unit.tables, unit.count))
        for pair in combinations(sorted(unit.tables), 2):
            joint.setdefault(pair, Counter())[_joint_kind(unit, pair)] += unit.count
    near = _near(snapshot)
    pairs = sorted(joint.keys() | {pair for pair, count in near.items() if count})
    return tuple(_pair(a, b, joint.get((a, b), Counter()), reading[a], reading[b], near[a, b]) for a, b in pairs)


def _joint_kind(unit: ReadUnit, pair: tuple[str, str]) -> str:
    """How a unit reads both tables; one statement goes before the unit that it stands in."""
    if any(pair[0] in tables and pair[1] in tables for tables in unit.reads):
        return "one_statement"
    return "same_transaction" if unit.kind == "transaction" else "per_row"


def _pair(a: str, b: str, kinds: Counter[str], of_a: int, of_b: int, near: int) -> CoAccess:
    joint = kinds.total()
    either = of_a + of_b - joint

    def share(whole: int) -> float:
        return joint / whole if whole else 0.0

    return CoAccess(
        a=a, b=b, joint_calls=joint, one_statement=kinds["one_statement"], same_transaction=kinds["same_transaction"],
        per_row=kinds["per_row"], either_calls=either, joint_share=share(either), share_of_a=share(of_a),
        share_of_b=share(of_b), within_one_second=near,
    )  # fmt: skip


def _near(snapshot: Snapshot) -> Counter[tuple[str, str]]:
    """Calls of two templates on one connection within a second but in different units, by the tables they read."""
    queried = {pattern.template: tables_queried(pattern) for pattern in snapshot.patterns}
    near: Counter[tuple[str, str]] = Counter()
    for found in snapshot.digest.neighbours:
        first, second = queried.get(found.first, frozenset()), queried.get(found.second, frozenset())
        pairs = {(min(a, b), max(a, b)) for a in first for b in second if a != b}
        near.update(dict.fromkeys(sorted(pairs), found.calls))
    return near


def transactions(snapshot: Snapshot) -> tuple[TransactionMap, ...]:
    """The kinds of transaction seen, each a set of access patterns: the most frequent first, then by pattern ids."""
    by_template = {pattern.template: pattern for pattern in snapshot.patterns}
    count: Counter[tuple[str, ...]] = Counter()
    rolled_back: Counter[tuple[str, ...]] = Counter()
    for unit in snapshot.digest.units:
        ids = tuple(sorted(by_template[template].id for template in unit.calls if template in by_template))
        if unit.kind == "transaction" and ids:
            count[ids] += unit.count
            rolled_back[ids] += unit.count if unit.outcome == "rollback" else 0
    by_id = {pattern.id: pattern for pattern in snapshot.patterns}
    ordered = sorted(count, key=lambda ids: (-count[ids], ids))
    return tuple(
        _transaction(f"T{number}", [by_id[key] for key in ids], count[ids], rolled_back[ids])
        for number, ids in enumerate(ordered, 1)
    )


def _transaction(name: str, patterns: list[AccessPattern], count: int, rolled_back: int) -> TransactionMap:
    written = {table for pattern in patterns if (table := table_written(pattern)) is not None}
    return TransactionMap(
        id=name,
        patterns=tuple(pattern.id for pattern in patterns),
        tables_written=tuple(sorted(written)),
        tables_read=tuple(sorted({table for pattern in patterns for table in tables_queried(pattern)})),
        locking=any(pattern.locking for pattern in patterns),
        count=count,
        rolled_back=rolled_back,
    )


def rates(snapshot: Snapshot) -> Rates:
    """How logged calls become monthly calls, by `workload.represents` (assumed to be `average` where nothing is said).

    average: calls x a month (`pricing.month_hours`, 730 h) / span of the logs. peak: the logs are the peak hour, and
    the average is assumed to be a third of it. A number: so many calls a month in all. Logs without times give no span:
    their calls count once.
    """
    declared = snapshot.workload.represents
    span = _span_seconds(snapshot.digest.sources)
    source, origin = ("assumed", "average (assumed)") if declared is None else ("declared", str(declared))
    factor = snapshot.pricing.seconds_per_month / span if span else 1.0
    if isinstance(declared, int):
        logged = sum(template.calls for template in snapshot.digest.templates)
        return Rates(span_seconds=span, represents=f"{declared} calls a month", source="declared",
                     factor=declared / logged if logged else 0.0)  # fmt: skip
    if not span:
        return Rates(
            span_seconds=0.0, represents="a month: the logs hold no times (assumed)", source="assumed", factor=1.0
        )
    if declared == "peak":
        factor, origin = factor / PEAK_TO_AVERAGE, f"peak, the average assumed to be 1/{PEAK_TO_AVERAGE} of it"
    return Rates.model_validate({"span_seconds": span, "represents": origin, "source": source, "factor": factor})


def _span_seconds(sources: Iterable[DigestSource]) -> float:
    """From the first to the last event of the logs that calls are counted from: the general log, where there is one."""
    all_sources = list(sources)
    counted = [source for source in all_sources if source.kind == "general"] or all_sources
    starts = [source.first_us for source in counted if source.first_us is not None]
    ends = [source.last_us for source in counted if source.last_us is not None]
    return max(0, max(ends) - min(starts)) / 1_000_000 if starts and ends else 0.0


def pattern_rates(snapshot: Snapshot, rates: Rates) -> tuple[PatternRate, ...]:
    """The rate and the complexity of every access pattern, ordered by pattern id.

    The peak is the busiest second of the logs, scaled only where the user has said how many calls a month there are.
    Where the source tells no seconds it is the average.
    """
    templates = {template.id: template for template in snapshot.digest.templates}
    scaled = isinstance(snapshot.workload.represents, int) and rates.span_seconds > 0
    month = snapshot.pricing.seconds_per_month
    scale = rates.factor * rates.span_seconds / month if scaled else 1.0
    found = []
    for pattern in sorted(snapshot.patterns, key=lambda pattern: pattern.id):
        template = templates.get(pattern.template)
        calls, peak = (template.calls, template.peak_second_calls) if template else (0, 0)
        monthly = calls * rates.factor
        parts = complexity_parts(pattern)
        found.append(
            PatternRate(
                pattern=pattern.id,
                calls=calls,
                calls_per_month=monthly,
                peak_per_second=peak * scale if peak else monthly / month,
                complexity=1 + sum(parts.values()),
                complexity_parts=tuple(f"{name} +{points}" for name, points in parts.items()),
            )
        )
    return tuple(found)


def complexity_parts(pattern: AccessPattern) -> Mapping[str, int]:
    """What makes a pattern harder than a key look-up, in points: its complexity is 1 + their sum.

    2 per join, 3 per existence test, 1 per OR, 3 per condition that only the server can decide, 2 per aggregate, 1 for
    each of GROUP BY, DISTINCT, ORDER BY and a locking read, 2 for an OFFSET, 3 for each reason to have no bounded plan.
    """
    tests = {join.group for join in pattern.joins if join.group is not None}
    conditions = [pattern.where, *(join.extra for join in pattern.joins)]
    ors, opaque = (sum(_count(condition, kind) for condition in conditions) for kind in (AnyOf, OpaqueCondition))
    points = {
        "joins": 2 * sum(join.group is None or join.group != join.ref for join in pattern.joins),
        "existence tests": 3 * len(tests),
        "alternatives (OR)": ors,
        "conditions of the server": 3 * opaque,
        "aggregates": 2 * len(pattern.aggregates),
        "GROUP BY": int(bool(pattern.group_by)),
        "DISTINCT": int(pattern.distinct),
        "ORDER BY": int(bool(pattern.order)),
        "locking": int(pattern.locking),
        "OFFSET": 2 * int(pattern.limit is not None and pattern.limit.offset_param is not None),
        "no bounded plan": 3 * len(pattern.unplanned),
    }
    return {name: value for name, value in points.items() if value}


def _count(condition: Condition, kind: type[AnyOf] | type[OpaqueCondition]) -> int:
    """How many conditions of a kind a condition holds; FALSE, the empty OR, is none."""
    own = int(isinstance(condition, kind) and condition != AnyOf())
    if isinstance(condition, All | AnyOf):
        return own + sum(_count(item, kind) for item in condition.items)
    return own + (_count(condition.item, kind) if isinstance(condition, Not) else 0)
