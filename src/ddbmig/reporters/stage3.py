"""Stage3_DataModel.md: the designs side by side, the chosen one in full, and how to live with it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from ddbmig.model.assessment import Assessment, LedgerLine, RelationshipAssessment
from ddbmig.model.comparison import PARTITION_READS, PARTITION_WRITES, Comparison, RoundTrips
from ddbmig.model.design import Alternative, Decision, Design, IndexDesign, RelationshipCost, TableDesign
from ddbmig.model.plan import Plan, ReadCall, Transaction
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.markdown import (
    Markup,
    bullets,
    bytes_,
    code,
    code_block,
    heading,
    money,
    number,
    percent,
    table,
    text,
)
from ddbmig.reporters.monitoring import NAMESPACE, WATCHED
from ddbmig.reporters.pages import (
    LongTable,
    all_tables,
    finding_table,
    marked,
    names,
    next_step,
    page,
    paragraph,
    plural,
    say,
    section,
    unsaid,
    warnings,
)
from ddbmig.reporters.plan_calls import compact_json, query_plan
from ddbmig.reporters.relations import by_weight, choice_table
from ddbmig.reporters.weights import Weights, weights_of

PLANS = 8
"""Plans shown call by call; all of them are in plans.json."""
CENT = Decimal("0.01")
RELATIONSHIPS = 10
"""Relationships shown with their whole ledger."""


def stage3(snapshot: Snapshot, assessment: Assessment, design: Design) -> str:
    """The page of stage 3."""
    chosen, weights = design.alternative(design.chosen), weights_of(snapshot)
    tables, indexes = _table_table(snapshot, chosen, weights), _index_table(chosen, weights)
    verdicts = _verdict_table(assessment, chosen, weights)
    plans, routed = _plan_table(chosen, weights), _routed_table(chosen, weights)
    scanned = _scan_table(chosen, weights)
    lookups, rollback = _lookup_table(chosen), _rollback_table(chosen)
    watched, found = _monitoring_table(chosen), finding_table("Findings", chosen.findings)
    choices = choice_table(design.choices, by_weight(assessment, weights))
    priced = _cost_table(design)
    return page(
        heading(1, "Stage 3: data model"),
        warnings(chosen.findings),
        section("Summary", chosen_line(design, chosen), summary_lines(chosen, assessment)),
        section("What needs a decision", *_decisions(design, choices)),
        section("Design alternatives comparison table", *_comparison(design, assessment), *_figures(design, weights)),
        section("Tables", tables.head(), indexes.head()),
        section("Relationships", verdicts.head(), *_ledgers(assessment, weights)),
        section("What the verdicts cost", *_verdict_costs(design, chosen), priced.head()),
        section("Unique constraints", lookups.head(), *_unique_example(snapshot, chosen, weights)),
        section("Plans", _LEGEND, plans.head(), *_plans(snapshot, chosen, weights)),
        section("Whole tables read", *_scans(chosen, weights), scanned.head()),
        section("Routed access patterns", *_routed(chosen, weights), routed.head()),
        section("Risk assessment for each option", *_risks(design), found.head()),
        section("Rollback strategy documentation", _ROLLBACK, rollback.head()),
        section("Monitoring and alerting recommendations", *_monitoring(), watched.head()),
        unsaid(design.not_analysed),
        all_tables(
            choices, tables, indexes, verdicts, priced, lookups, plans, scanned, routed, rollback, watched, found
        ),
        next_step("ddbmig approve 3"),
    )


# --- the choice ---


def chosen_line(design: Design, chosen: Alternative) -> Markup:
    by = "a person" if design.chosen_by == "user" else "the engine"
    return paragraph("**{}** ({}), chosen by {}: {}. {}", chosen.title, code(chosen.id), by, design.chosen_because,
                     chosen.idea)  # fmt: skip


def summary_lines(chosen: Alternative, assessment: Assessment) -> Markup:
    counts = _counts(chosen)
    return bullets((
        say("{} a month{}.", money(chosen.cost.total_usd), _assumed(assessment)),
        say("{}, {}, {}, {}.", plural(counts["tables"], "table"), plural(counts["look-ups"], "look-up table"),
            plural(counts["GSIs"], "GSI"), plural(counts["copies"], "copied attribute")),
        say("{} of the calls are routed to another system, {} scan a small table.",
            percent(chosen.routed_calls_share), percent(chosen.scan_calls_share)),
        say("{} round trips per call on average; write amplification {} ×.", number(chosen.round_trips_average),
            number(chosen.write_amplification)),
    ))  # fmt: skip


def _assumed(assessment: Assessment) -> Markup:
    """What every figure bears that rests on the rates."""
    return Markup(" (assumed rates)" if assessment.rates.source == "assumed" else "")


def _counts(one: Alternative) -> Mapping[str, int]:
    return {
        "tables": sum(found.role == "entity" for found in one.tables),
        "look-ups": sum(found.role == "lookup" for found in one.tables),
        "GSIs": sum(len(found.indexes) for found in one.tables),
        "copies": sum(bool(a.denormalized) for found in one.tables for a in found.attributes.values()),
    }


def _decisions(design: Design, choices: LongTable) -> Iterator[Markup]:
    yield paragraph("Another design: {}, with ALT one of {}.", code("ddbmig choose design ALT"),
                    names((one.id for one in design.alternatives), 20))  # fmt: skip
    yield bullets(design.thin_margins)
    if design.choices:
        yield paragraph("Open choices: {} decides one and reopens stage 3.", code("ddbmig choose CHOICE OPTION"))
        yield choices.head()


def _comparison(design: Design, assessment: Assessment) -> Iterator[Markup]:
    terms = design.prices.terms
    yield paragraph(
        "US dollars a month{}, {}, table class {}, in {}; prices: {}; free tier and taxes apart.",
        _assumed(assessment), terms.mode, terms.table_class, terms.region,
        "; ".join(entry.quoted for entry in design.prices.used()),
    )  # fmt: skip
    money_rows = [(_name(design, one), *(money(amount) for amount in _split(one))) for one in design.alternatives]
    headers = ("design", "total", "reads", "writes", "index writes", "transactions", "storage", "index storage")
    yield table(headers, money_rows, range(1, 8))
    yield paragraph("Request units a month{} and what the design is made of:", _assumed(assessment))
    yield table(
        ("design", "RRU", "WRU", "tables", "look-ups", "GSIs", "copies"),
        [(_name(design, one), *_made_of(one)) for one in design.alternatives], range(1, 7),
    )  # fmt: skip
    yield table(
        ("design", "round trips", "write amplification", "routed", "scans", "findings", "rules violated"),
        [(_name(design, one), *_behaviour(one)) for one in design.alternatives], range(1, 7),
    )  # fmt: skip
    yield bullets(say("{}: {}", code(one.id), one.idea) for one in design.alternatives)
    yield paragraph(
        "What was searched: the forms of tables and the GSIs that might be built, and the ways to take each step of a "
        "plan. Proved optimal means that no choice among these is better."
    )
    yield table(
        ("design", "structures", "ways", "proved", "may cost more than the cheapest"),
        [(_name(design, one), *_search(one)) for one in design.alternatives], (1, 2, 4),
    )  # fmt: skip


_PARTS = {"routed": "routed calls", "money": "money", "trips": "round trips", "structures": "tables and GSIs",
          "stored": "bytes stored"}  # fmt: skip
"""The parts of the objective, as a person names them."""


def _search(one: Alternative) -> tuple[Markup, ...]:
    """How much was searched for a design, and for each part of the objective how much better one might yet be."""
    proof = one.proof
    gaps = [say("{} up to {} too high", _PARTS[part], percent(gap)) for part, gap in proof.gaps.items()]
    allowed = percent(proof.epsilon) if proof.epsilon else Markup("–")
    return number(proof.structures), number(proof.options), Markup(", ".join(gaps) or "optimal"), allowed


_Rows = list[tuple[Markup, Comparison]]


def _figures(design: Design, weights: Weights) -> Iterator[Markup]:
    """What alternatives are compared by beyond their bill."""
    of = design.comparisons.of
    rows = [(_name(design, one), of[one.id]) for one in design.alternatives if one.id in of]
    if rows:
        yield from _item_figures(design, rows)
        yield paragraph("Access patterns by their sequential round trips:")
        yield table(("design", "1", "2", "3 and more", "worst", "worst access pattern"),
                    [(name, *_trips(one.round_trips, weights)) for name, one in rows], range(1, 5))  # fmt: skip
        yield from _partition_figures(rows)
        yield paragraph(
            "Operational score: points for what there is to look after, the fewer the better. They are estimates of "
            "ours, all in one place (engine/effort.py), for an organisation to set otherwise."
        )
        scores = [(name, number(one.operational.points), one.operational.formula) for name, one in rows]
        yield table(("design", "points", "formula"), scores, (1,))


def _item_figures(design: Design, rows: _Rows) -> Iterator[Markup]:
    found = design.comparisons
    growth = marked(say("{} %", number(found.growth_percent_per_month)), found.growth_source)
    yield paragraph(
        "Items and item sizes of base tables (look-up tables apart), growing {} a month. An item holds one row, so "
        "growth adds items and makes none longer: average and p99 stay what they are. No percentile is measured: p99 "
        "is at most the largest row measured with what the design adds to it.", growth,
    )  # fmt: skip
    months = [f"in {at.months} months" if at.months else "now" for at in rows[0][1].items]
    headers = ("design", *months, "average item", "p99 at most")
    yield table(headers, [(name, *_items(one)) for name, one in rows], range(1, len(months) + 2))


def _partition_figures(rows: _Rows) -> Iterator[Markup]:
    yield paragraph(
        "Hot-partition exposure: the table or GSI whose most frequent partition value comes nearest to what one "
        "partition can do, {} read units or {} write units a second or a combination of both, at the expected peak "
        "(each access pattern in its own busiest second, at its average where the logs tell no seconds).",
        number(PARTITION_READS), number(PARTITION_WRITES),
    )  # fmt: skip
    headers = ("design", "table or GSI", "one value's share", "RRU a second", "WRU a second", "of the limit",
               "skew not measured")  # fmt: skip
    yield table(headers, [(name, *_hottest(one)) for name, one in rows], range(2, 7))


def _items(one: Comparison) -> tuple[Markup, ...]:
    sizes = one.sizes
    counts = [marked(say("{}, {}", number(round(at.items)), bytes_(at.bytes)), sizes.source) for at in one.items]
    average = marked(bytes_(sizes.average), sizes.source) if sizes.average is not None else Markup("–")
    if sizes.p99_at_most is None or sizes.largest_in is None:
        return (*counts, average, Markup("not measured"))
    missing = say("; not measured: {}", plural(sizes.not_measured, "table")) if sizes.not_measured else Markup("")
    return (*counts, average, say("{} ({}){}", bytes_(sizes.p99_at_most), code(sizes.largest_in), missing))


def _trips(trips: RoundTrips, weights: Weights) -> tuple[Markup, ...]:
    worst = weights.label(trips.worst_pattern) if trips.worst_pattern is not None else Markup("–")
    return (*map(number, (trips.one, trips.two, trips.more, trips.worst)), worst)


def _hottest(one: Comparison) -> tuple[Markup, ...]:
    missing = plural(one.shares_not_measured, "structure")
    if one.hottest is None:
        return (Markup("not measured"), *[Markup("–")] * 4, missing)
    hot = one.hottest
    return (code(hot.structure), say("{} of {}", percent(hot.share), hot.of), number(hot.peak_reads),
            number(hot.peak_writes), percent(hot.load), missing)  # fmt: skip


def _name(design: Design, one: Alternative) -> Markup:
    return say("**{}** (chosen)", code(one.id)) if one.id == design.chosen else code(one.id)


def _split(one: Alternative) -> tuple[Decimal, ...]:
    cost = one.cost
    return (cost.total_usd, cost.reads_usd, cost.writes_usd, cost.index_writes_usd, cost.transactions_usd,
            cost.storage_usd, cost.index_storage_usd)  # fmt: skip


def _made_of(one: Alternative) -> tuple[Markup, ...]:
    units = (number(one.cost.read_request_units, 0), number(one.cost.write_request_units, 0))
    return (*units, *(number(count) for count in _counts(one).values()))


def _behaviour(one: Alternative) -> tuple[Markup, ...]:
    return (
        number(one.round_trips_average), say("{} ×", number(one.write_amplification)),
        percent(one.routed_calls_share), percent(one.scan_calls_share), number(len(one.findings)),
        number(len(one.violates)),
    )  # fmt: skip


# --- tables ---


def _key(one: TableDesign, partition: tuple[str, ...], sort: tuple[str, ...]) -> Markup:
    return say("{} + {}", _part(one, partition), _part(one, sort)) if sort else _part(one, partition)


def _part(one: TableDesign, key: tuple[str, ...]) -> Markup:
    """The attributes of a partition or sort key; several stand in brackets."""
    shown = Markup(", ".join(_attribute(one, name) for name in key))
    return say("({})", shown) if len(key) > 1 else shown


def _attribute(one: TableDesign, name: str) -> Markup:
    found = one.attributes.get(name)
    if found is None or (found.template is None and found.value is None):
        return code(name)
    return say("{} = {}", code(name), code(found.template if found.template is not None else found.value or ""))


def _table_table(snapshot: Snapshot, chosen: Alternative, weights: Weights) -> LongTable:
    order = _by_source(chosen, weights)
    rows = [
        (code(one.name), code(one.source_table), _key(one, one.keys[:1], one.keys[1:]), number(len(one.attributes)),
         number(len(one.indexes)), *_size(snapshot, one),
         number(weights.table_calls.get(one.source_table, 0)))
        for one in order if one.role == "entity"
    ]  # fmt: skip
    headers = ("table", "from", "key", "attributes", "GSIs", "items", "item", "calls")
    return LongTable("Tables", headers, rows, (3, 4, 5, 6, 7))


def _size(snapshot: Snapshot, one: TableDesign) -> tuple[Markup, Markup]:
    """Items and their average size, as sure as what is known of the source table."""
    found = snapshot.statistics.get(one.source_table)
    sources = (found.rows.source, found.item_bytes.source) if found else ("assumed", "assumed")
    return marked(number(one.items), sources[0]), marked(bytes_(one.item_bytes), sources[1])


def _by_source(chosen: Alternative, weights: Weights) -> list[TableDesign]:
    return sorted(chosen.tables, key=lambda one: (-weights.table_calls.get(one.source_table, 0), one.name))


def _index_table(chosen: Alternative, weights: Weights) -> LongTable:
    rows = [_index_row(one, index, weights) for one in _by_source(chosen, weights) for index in one.indexes]
    headers = ("GSI", "of table", "key", "projection", "entries", "entry", "asked for by")
    return LongTable("GSIs", headers, rows, (4, 5), "calls of the table")


def _index_row(one: TableDesign, index: IndexDesign, weights: Weights) -> tuple[str, ...]:
    projection = say("{}: {}", index.projection, names(index.projected)) if index.projected else text(index.projection)
    asked = weights.by_calls(index.because)
    shown = [weights.label(key) if key in weights.patterns else text(key) for key in asked[:3]]
    more = say("and {} more", number(len(asked) - 3)) if len(asked) > 3 else Markup("")
    return (code(index.name), code(one.name), _key(one, index.partition, index.sort), projection, number(index.entries),
            bytes_(index.entry_bytes), Markup(", ".join([*shown, *([more] if more else [])]) or "–"))  # fmt: skip


# --- relationships ---


def _verdict_table(assessment: Assessment, chosen: Alternative, weights: Weights) -> LongTable:
    decided = {one.relationship: one for one in chosen.decisions}
    rows = [_verdict_row(one, decided.get(one.relationship.id)) for one in by_weight(assessment, weights)]
    headers = ("relationship", "verdict", "points", "margin", "outcome", "because", "trade-off")
    return LongTable("Relationships", headers, rows, (3,), "joint reads")


def _verdict_row(one: RelationshipAssessment, decision: Decision | None) -> tuple[str, ...]:
    points = ", ".join(f"{option} {number(points)}" for option, points in _ranked(one.points))
    outcome = (decision.outcome, decision.because, decision.trade_off) if decision else ("–", "out of scope", "–")
    return (code(one.relationship.id), one.verdict, points, number(one.margin), *outcome)


def _ranked(points: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(points.items(), key=lambda item: (-item[1], item[0]))


def _ledgers(assessment: Assessment, weights: Weights) -> Iterator[Markup]:
    """Ledgers rule by rule: of those that are undecided, then of copies and the like, then of the heaviest."""
    rank = {"undecided": 0, "separate": 2}
    ordered = sorted(by_weight(assessment, weights), key=lambda one: rank.get(one.verdict, 1))
    if len(ordered) > RELATIONSHIPS:
        yield paragraph("What added up, for {} of them; undecided ones first. assessment.json has every ledger.",
                        number(RELATIONSHIPS))  # fmt: skip
    for one in ordered[:RELATIONSHIPS]:
        if one.ledger or one.forbidden:
            yield section(one.relationship.id, _ledger(one), _forbidden(one), level=3)


def _ledger(one: RelationshipAssessment) -> Markup:
    rows = [
        (say("{} {}", line.rule, line.title), line.option, _signed(line), "; ".join(line.because))
        for line in one.ledger
    ]  # fmt: skip
    return table(("rule", "option", "points", "because"), rows, (2,)) if rows else Markup("")


def _signed(line: LedgerLine) -> Markup:
    return Markup(f"+{line.points}") if line.points > 0 else number(line.points)


def _forbidden(one: RelationshipAssessment) -> Markup:
    return bullets(say("{} is forbidden by {}", option, rule) for option, rule in sorted(one.forbidden.items()))


def _verdict_costs(design: Design, chosen: Alternative) -> Iterator[Markup]:
    """The verdicts and choices that make the design dearer than it could be, and how to change each."""
    dear = [(cost, one, option) for one in design.relationship_costs for option, cost in _cheaper(one)]
    if not dear:
        yield paragraph("No verdict makes the design dearer: among the candidates no other option would cost less.")
    yield paragraph("embed and collocate are built as a child table keyed by its parent; each option is solved with "
                    "everything else free that is not fixed.")  # fmt: skip
    total = chosen.cost.total_usd
    yield bullets(
        say("{} is kept {} by {}: {} would cost {} a month less ({} of the chosen design). {}", code(one.relationship),
            one.outcome or "", one.decided_by, option, money(-cost), percent(float(-cost / total) if total else 0.0),
            _way_to(one, option))
        for cost, one, option in sorted(dear, key=lambda item: (item[0], item[1].relationship, item[2]))
    )  # fmt: skip


def _cheaper(one: RelationshipCost) -> Iterator[tuple[str, Decimal]]:
    """Of what is fixed, the cheapest option that would cost less; of those that a rule forbids, and of the others."""
    less = [(cost, option) for option, cost in one.costs.items() if cost < 0 and one.outcome is not None]
    for forbidden in (False, True):
        if mine := [pair for pair in less if (pair[1] in one.forbidden) == forbidden]:
            cost, option = min(mine)
            yield option, cost


def _way_to(one: RelationshipCost, option: str) -> Markup:
    """How to have an option that is not the one that is fixed."""
    if option in one.forbidden:
        return say("Rule {} forbids it: there is no choice but to change the rule.", one.forbidden[option])
    return say("Override: {}", code(f"ddbmig choose '{one.relationship}' {option}"))


def _cost_table(design: Design) -> LongTable:
    """Every option that costs something else than what is carried on with, the largest difference first."""
    sized = [(max(map(abs, one.costs.values())), one) for one in design.relationship_costs if one.costs]
    ordered = sorted((pair for pair in sized if pair[0] >= CENT / 2), key=lambda p: (-p[0], p[1].relationship))
    rows = [
        (code(one.relationship), one.outcome or "–", one.decided_by, ", ".join(
            f"{option} {_more(cost)}" for option, cost in one.costs.items()))
        for _, one in ordered
    ]  # fmt: skip
    headers = ("relationship", "fixed to", "decided by", "each option, USD a month")
    return LongTable("Cost of each option", headers, rows, by="difference")


def _more(cost: Decimal) -> str:
    """`+0.59`, `-1.02` or `±0`, in cents."""
    return f"{cost:+.2f}" if abs(cost) >= CENT / 2 else "±0"


# --- unique constraints, plans ---


def _lookup_table(chosen: Alternative) -> LongTable:
    rows = [
        (code(one.enforces.table), code(one.enforces.unique_key), code(one.name), _key(one, one.keys[:1], one.keys[1:]),
         code(one.filter) if one.filter else "every row")
        for one in sorted(chosen.tables, key=lambda one: one.name) if one.enforces is not None
    ]  # fmt: skip
    headers = ("MySQL table", "unique key", "look-up table", "key", "rows that have an item")
    return LongTable("Unique constraints", headers, rows, by="name")


def _unique_example(snapshot: Snapshot, chosen: Alternative, weights: Weights) -> Iterator[Markup]:
    """The heaviest insert that a look-up table keeps unique."""
    for plan in _by_weight(chosen, weights):
        pattern = weights.patterns[plan.pattern]
        if pattern.kind == "insert" and any(isinstance(step, Transaction) for step in plan.steps):
            yield paragraph(
                "Each look-up item is written in the same TransactWriteItems as its row, on condition that it is not "
                "there; {}:", weights.label(plan.pattern),
            )  # fmt: skip
            yield _calls(snapshot, chosen, plan, weights)
            return


def _by_weight(chosen: Alternative, weights: Weights) -> list[Plan]:
    plans = {plan.pattern: plan for plan in chosen.plans if plan.pattern in weights.patterns}
    return [plans[key] for key in weights.by_calls(plans)]


def _calls(snapshot: Snapshot, chosen: Alternative, plan: Plan, weights: Weights) -> Markup:
    calls = query_plan(weights.patterns[plan.pattern], plan, chosen.tables, snapshot.tables).calls
    return code_block(compact_json({"ddb_query_plan": calls}), "json")


_LEGEND = paragraph(
    "Units are request units of one execution, estimated. In the calls `$name` is a parameter of the statement, "
    "`$name.column` a value of a row that an earlier call found (`As` names it), `PerRow` means once for each distinct "
    "key found, and `If` when a write is made at all. Every plan is in plans.json, with what stands behind each name."
)


def _plan_table(chosen: Alternative, weights: Weights) -> LongTable:
    rows = [
        (weights.label(plan.pattern), number(weights.calls[plan.pattern]), _operations(plan), names(plan.uses, 4),
         number(plan.round_trips), number(plan.read_units), number(plan.write_units))
        for plan in _by_weight(chosen, weights) if not plan.routed
    ]  # fmt: skip
    headers = ("access pattern", "calls", "DynamoDB calls", "uses", "round trips", "RRU", "WRU")
    return LongTable("Plans", headers, rows, (1, 4, 5, 6))


def _operations(plan: Plan) -> Markup:
    """The API calls in their order; a scan is said."""
    found = []
    for step in plan.steps:
        if isinstance(step, Transaction):
            found.append(f"TransactWriteItems of {len(step.writes)}")
        elif step.kind in ("read", "write"):
            found.append(step.op)
    return Markup(", ".join(f"**{name}**" if name == "Scan" else name for name in found))


def _plans(snapshot: Snapshot, chosen: Alternative, weights: Weights) -> Iterator[Markup]:
    for plan in [one for one in _by_weight(chosen, weights) if not one.routed][:PLANS]:
        yield heading(3, weights.patterns[plan.pattern].name)
        yield code_block(weights.patterns[plan.pattern].sql, "sql")
        yield _calls(snapshot, chosen, plan, weights)
        if plan.detail:
            yield paragraph("{}", plan.detail)


def _scans(chosen: Alternative, weights: Weights) -> Iterator[Markup]:
    scanning = [plan.pattern for plan in chosen.plans if plan.scans]
    if scanning:
        yield paragraph(
            "A Scan of one page answers {} with {} of the calls: its cost grows with the table.",
            plural(len(scanning), "access pattern"), percent(weights.share(scanning)),
        )  # fmt: skip


def _scan_table(chosen: Alternative, weights: Weights) -> LongTable:
    rows = [
        (weights.label(plan.pattern), names(_scanned(plan)), number(weights.calls[plan.pattern]),
         number(plan.read_units), plan.detail or "–")
        for plan in _by_weight(chosen, weights) if plan.scans
    ]  # fmt: skip
    return LongTable("Whole tables read", ("access pattern", "table", "calls", "RRU", "detail"), rows, (2, 3))


def _scanned(plan: Plan) -> list[str]:
    return sorted({step.table for step in plan.steps if isinstance(step, ReadCall) and step.op == "Scan"})


def _routed(chosen: Alternative, weights: Weights) -> Iterator[Markup]:
    routed = [plan.pattern for plan in chosen.plans if plan.routed]
    if routed:
        yield paragraph("No bounded plan, so another system must answer: {} with {} of the calls.",
                        plural(len(routed), "access pattern"), percent(chosen.routed_calls_share))  # fmt: skip


def _routed_table(chosen: Alternative, weights: Weights) -> LongTable:
    rows = [
        (weights.label(plan.pattern), ", ".join(plan.routed), plan.detail or "–", number(weights.calls[plan.pattern]),
         percent(weights.share([plan.pattern])))
        for plan in _by_weight(chosen, weights) if plan.routed
    ]  # fmt: skip
    return LongTable("Routed access patterns", ("access pattern", "reason", "detail", "calls", "share"), rows, (3, 4))


# --- risk, rollback, monitoring ---


def _risks(design: Design) -> Iterator[Markup]:
    rules = sorted({(found.rule, found.title) for one in design.alternatives for found in one.findings})
    if rules:
        rows = [
            (say("{} {}", rule, title), *(number(sum(found.rule == rule for found in one.findings))
             for one in design.alternatives))
            for rule, title in rules
        ]  # fmt: skip
        yield paragraph("How often each rule fired, per design:")
        yield table(("rule", *(_name(design, one) for one in design.alternatives)), rows,
                    range(1, len(design.alternatives) + 1))  # fmt: skip
    unfollowed: dict[str, list[str]] = {}
    for one in design.alternatives:
        for violated in one.violates:
            unfollowed.setdefault(violated, []).append(one.id)
    if unfollowed:
        yield paragraph("Verdicts and choices that a design does not follow:")
        yield table(("verdict or choice", "designs"), [(what, names(ids)) for what, ids in sorted(unfollowed.items())])
    yield paragraph("Findings on the chosen design:")


_ROLLBACK = paragraph("The way back from each decision of the chosen design; relationships with one way share a row.")


def _rollback_table(chosen: Alternative) -> LongTable:
    return _shared(chosen, "Rollback", "way back", {one.relationship: one.rollback for one in chosen.decisions})


def _monitoring_table(chosen: Alternative) -> LongTable:
    return _shared(chosen, "Monitoring", "watch", {one.relationship: one.monitoring for one in chosen.decisions})


def _shared(chosen: Alternative, title: str, header: str, said: Mapping[str, str]) -> LongTable:
    """Decisions by what is said of them: copies first, then what most relationships share."""
    outcomes = {one.relationship: one.outcome for one in chosen.decisions}
    groups: dict[tuple[str, str], list[str]] = {}
    for relationship, sentence in sorted(said.items()):
        groups.setdefault((outcomes[relationship], sentence), []).append(relationship)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0] == "separate", -len(item[1]), item[0]))
    rows = [(outcome, sentence, names(found, 4)) for (outcome, sentence), found in ordered]
    return LongTable(title, ("outcome", header, "relationships"), rows, by="relationships")


def _monitoring() -> Iterator[Markup]:
    yield paragraph("CloudWatch metrics of namespace {}:", code(NAMESPACE))
    rows = [(Markup(", ".join(one.metrics)), Markup(one.on), Markup(one.when)) for one in WATCHED]
    yield table(("metric", "on", "alarm when"), rows)
    yield paragraph("And for the relationships of this design:")
