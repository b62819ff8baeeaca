"""Stage2_AccessPatterns.md: what is asked, how often, what goes together, and what the rules say of it."""

from collections.abc import Iterator, Mapping

from ddbmig.model.assessment import Assessment, CoAccess, Fact, FactValue, RelationshipAssessment, TransactionMap
from ddbmig.model.digest import NPlusOne
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.markdown import (
    Markup,
    bullets,
    code,
    code_block,
    heading,
    mermaid_er,
    number,
    percent,
    table,
)
from ddbmig.reporters.pages import (
    LongTable,
    all_tables,
    fact,
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
from ddbmig.reporters.relations import by_weight, choice_table, joint_reads
from ddbmig.reporters.weights import Weights, weights_of

MATRIX = 12
"""Tables in the correlation matrix."""
DIAGRAMS = 4
"""Neighbourhoods drawn: those of the heaviest tables, none inside another."""
STATEMENTS = 5
"""Statements shown in full."""


def stage2(snapshot: Snapshot, assessment: Assessment) -> str:
    """The page of stage 2."""
    weights = weights_of(snapshot)
    patterns, pairs = _pattern_table(assessment, weights), _pair_table(assessment)
    related, writes = _relationship_table(assessment, weights), _write_table(assessment, weights)
    hot, consistent = _hot_table(assessment, weights), _transaction_table(assessment, weights)
    complex_, outside = _complexity_table(assessment, weights), _outside_table(weights)
    found, many = finding_table("Findings", assessment.findings, weights.label), _many_to_many(assessment)
    per_row = _n_plus_one(snapshot, weights)
    choices = choice_table(assessment.choices, by_weight(assessment, weights))
    return page(
        heading(1, "Stage 2: access patterns"),
        warnings(assessment.findings, weights.label),
        section("Summary", _summary(snapshot, assessment, weights)),
        section("What needs a decision", *_decisions(assessment, choices)),
        section("Access patterns", _rates(assessment), patterns.head(), *_statements(weights)),
        section("Access pattern correlation matrix", *_matrix(assessment, weights), pairs.head(), _apart(assessment)),
        section("Relationships", related.head(), many.head(Markup(""))),
        section("Diagrams", *_diagrams(snapshot, assessment, weights)),
        section("N+1 reads", per_row.head()),
        section("Write amplification calculations", _WRITES, writes.head()),
        section("Hot partition risk assessment", _HOT, hot.head()),
        section("Consistency requirement mapping", *_consistency(snapshot), consistent.head()),
        section("Query complexity scoring", _COMPLEXITY, complex_.head()),
        section("Outside the normal form", *_outside(weights), outside.head()),
        section("Findings", found.head()),
        unsaid(assessment.not_analysed),
        all_tables(choices, patterns, pairs, related, many, per_row, writes, hot, consistent, complex_, outside, found),
        next_step("ddbmig approve 2"),
    )


# --- summary, decisions, patterns ---


def _summary(snapshot: Snapshot, assessment: Assessment, weights: Weights) -> Markup:
    writes = [p.id for p in snapshot.patterns if p.kind != "select"]
    outside = [p.id for p in snapshot.patterns if p.unplanned]
    severities = {
        level: sum(f.severity == level for f in assessment.findings) for level in ("error", "warning", "info")
    }
    verdicts: dict[str, int] = {}
    for one in assessment.relationships:
        verdicts[one.verdict] = verdicts.get(one.verdict, 0) + 1
    heaviest = weights.tables_by_calls(key for key, calls in weights.table_calls.items() if calls)
    lines = [
        say("{} in {}; {} of the calls write.", plural(len(weights.patterns), "access pattern"),
            plural(weights.total, "logged call"), percent(weights.share(writes))),
        say("Heaviest tables: {}.", names(heaviest, 5)),
        say("{} outside the normal form, with {} of the calls.", plural(len(outside), "pattern"),
            percent(weights.share(outside))),
        say("{}: {}.", plural(len(assessment.relationships), "relationship"),
            ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items())) or "no verdict"),
        say("{}: {}.", plural(len(assessment.findings), "finding"),
            ", ".join(f"{count} {level}" for level, count in severities.items())),
    ]  # fmt: skip
    return bullets(lines)


def _decisions(assessment: Assessment, choices: LongTable) -> Iterator[Markup]:
    if assessment.choices:
        yield paragraph(
            "Relationships that the rules leave open. Stage 3 tells what each option costs; then {} decides one.",
            code("ddbmig choose CHOICE OPTION"),
        )
        yield choices.head()
    if assessment.assumptions:
        rows = [(code(one.name), one.assumed, one.moves) for one in assessment.assumptions]
        yield paragraph("Assumed, because nobody told us; those that move most come first.")
        yield table(("what", "assumed", "what it moves"), rows)


def _rates(assessment: Assessment) -> Markup:
    rates = assessment.rates
    source = Markup("" if "assumed" in rates.represents else f" ({rates.source})")
    return paragraph(
        "A month's calls are the logged calls × {}: the log of {} s stands for {}{}.",
        marked(number(rates.factor), rates.source), number(rates.span_seconds), rates.represents, source,
    )  # fmt: skip


def _monthly(assessment: Assessment) -> str:
    return "calls a month" + (" (assumed)" if assessment.rates.source == "assumed" else "")


def _pattern_table(assessment: Assessment, weights: Weights) -> LongTable:
    rates = {rate.pattern: rate for rate in assessment.patterns}
    rows = []
    for key in weights.by_calls(weights.patterns):
        rate = rates.get(key)
        month, peak = (number(rate.calls_per_month), number(rate.peak_per_second)) if rate else ("–", "–")
        rows.append((key, code(weights.patterns[key].name), number(weights.calls[key]), percent(weights.share([key])),
                     month, peak))  # fmt: skip
    headers = ("id", "access pattern", "calls", "share", _monthly(assessment), "busiest second")
    return LongTable("Access patterns", headers, rows, (2, 3, 4, 5))


def _statements(weights: Weights) -> Iterator[Markup]:
    """The heaviest statements as they are."""
    for key in weights.by_calls(weights.patterns)[:STATEMENTS]:
        yield paragraph("{}:", weights.label(key))
        yield code_block(weights.patterns[key].sql, "sql")


# --- what goes together ---


def _matrix(assessment: Assessment, weights: Weights) -> Iterator[Markup]:
    yield paragraph(
        "Joint share: calls that read both tables ÷ calls that read either; both means in one statement, one "
        "transaction or one N+1 run."
    )
    reading = {name for pair in assessment.co_access for name in (pair.a, pair.b)}
    shown = weights.tables_by_calls(reading)[:MATRIX]
    if len(shown) < 2:
        yield paragraph("No two tables are read together.")
        return
    shares = {frozenset((pair.a, pair.b)): pair.joint_share for pair in assessment.co_access}
    rows = [
        (say("{} {}", number(row), code(a)), *(_joint(shares, a, b) for b in shown))
        for row, a in enumerate(shown, 1)
    ]  # fmt: skip
    yield table(("table", *(str(column) for column in range(1, len(shown) + 1))), rows, tuple(range(1, len(shown) + 1)))


def _joint(shares: Mapping[frozenset[str], float], a: str, b: str) -> Markup:
    if a == b:
        return Markup("–")
    share = shares.get(frozenset((a, b)), 0.0)
    return percent(share, 0) if share else Markup("·")


def _pair_table(assessment: Assessment) -> LongTable:
    joint = [pair for pair in assessment.co_access if pair.joint_calls]
    ordered = sorted(joint, key=lambda pair: (-pair.joint_calls, -pair.within_one_second, pair.a, pair.b))
    headers = ("table a", "table b", "joint", "one statement", "transaction", "N+1 run", "either", "joint share",
               "of a's reads", "of b's reads", "within 1 s")  # fmt: skip
    rows = [_pair(pair) for pair in ordered]
    return LongTable("Pairs of tables", headers, rows, tuple(range(2, len(headers))), "joint calls")


def _apart(assessment: Assessment) -> Markup:
    """Pairs that are never read together, only one after the other."""
    apart = [pair for pair in assessment.co_access if not pair.joint_calls]
    return paragraph(
        "“Within 1 s” counts calls of both on one connection within a second, in different units. {} only so.",
        plural(len(apart), "more pair meets", "more pairs meet"),
    )


def _pair(pair: CoAccess) -> tuple[str, ...]:
    return (
        code(pair.a), code(pair.b), number(pair.joint_calls), number(pair.one_statement), number(pair.same_transaction),
        number(pair.per_row), number(pair.either_calls), percent(pair.joint_share),
        percent(pair.share_of_a), percent(pair.share_of_b), number(pair.within_one_second),
    )  # fmt: skip


def _relationship_table(assessment: Assessment, weights: Weights) -> LongTable:
    headers = ("relationship", "kind", "evidence", "children per parent", "joint share", "verdict", "margin in points")
    rows = [_relationship_row(one) for one in by_weight(assessment, weights)]
    return LongTable("Relationships", headers, rows, (3, 4, 6), "joint reads")


def _relationship_row(one: RelationshipAssessment) -> tuple[str, ...]:
    evidence = ", ".join(
        f"{source.kind} ({number(source.calls)} calls)" if source.calls else source.kind
        for source in one.relationship.evidence
    )
    children, joint = one.facts.get("children.average"), one.facts.get("reads.joint_share")
    return (
        code(one.relationship.id), one.relationship.cardinality, evidence or "–", fact(children, unit=False),
        fact(joint), one.verdict, number(one.margin),
    )  # fmt: skip


def _many_to_many(assessment: Assessment) -> LongTable:
    rows = [
        (code(one.join_table), code(one.left), code(one.right), "keys only" if one.pure else "has data of its own")
        for one in assessment.many_to_many
    ]
    return LongTable("Many-to-many", ("join table", "one side", "other side", "holds"), rows, by="name")


def _diagrams(snapshot: Snapshot, assessment: Assessment, weights: Weights) -> Iterator[Markup]:
    """The neighbourhoods of the heaviest tables; a table that an earlier diagram showed gets none of its own."""
    relationships = [one.relationship for one in assessment.relationships]
    near: dict[str, set[str]] = {}
    for one in relationships:
        near.setdefault(one.child, set()).add(one.parent)
        near.setdefault(one.parent, set()).add(one.child)
    known = {one.id for one in snapshot.tables.tables}
    drawn, shown = set[str](), 0
    for focus in weights.tables_by_calls(near.keys() & known):
        if focus in drawn or shown == DIAGRAMS:
            continue
        drawn |= {focus, *near[focus]}
        shown += 1
        yield heading(3, f"Around {focus}")
        yield mermaid_er(snapshot.tables.tables, relationships, focus)


def _n_plus_one(snapshot: Snapshot, weights: Weights) -> LongTable:
    by_template = {pattern.template: pattern.id for pattern in snapshot.patterns}

    def label(template: str) -> Markup:
        return weights.label(by_template[template]) if template in by_template else code(template)

    def row(run: NPlusOne) -> tuple[str, ...]:
        return (label(run.outer), label(run.inner), number(run.times), number(run.executions), number(run.rows_matched))

    ordered = sorted(snapshot.digest.runs, key=lambda run: (-run.executions, run.outer, run.inner))
    headers = ("for each row of", "this ran once", "runs", "executions", "runs as long as the result")
    return LongTable("N+1 reads", headers, [row(run) for run in ordered], (2, 3, 4), "executions")


# --- the guide's headings ---

_WRITES = paragraph(
    "Writes with copies ÷ writes without, if the parent's columns that joint reads take were copied onto the child; "
    "per relationship with such reads. Stage 3 shows what the chosen design does."
)
_HOT = paragraph("Share of the calls that ask for one value, and the calls per second that it gets at the peak.")
_COMPLEXITY = paragraph("1 is one look-up by key; each thing that makes a statement harder adds its points.")


def _write_table(assessment: Assessment, weights: Weights) -> LongTable:
    wanted = ("writes.amplification", "writes.copied_columns_per_day", "writes.fan_out_per_day",
              "writes.reads_per_parent_write", "copies.names")  # fmt: skip
    rows = [
        (code(one.relationship.id), *(fact(one.facts.get(name), unit=False) for name in wanted))
        for one in by_weight(assessment, weights) if joint_reads(one) > 0
    ]  # fmt: skip
    headers = ("relationship", "writes with copies ÷ without", "changes of copied columns a day",
               "items rewritten a day", "joint reads per change", "columns")  # fmt: skip
    return LongTable("Write amplification", headers, rows, (1, 2, 3, 4), "joint reads")


def _number(value: Fact | None) -> float:
    shown: FactValue | None = value.value if value else None
    return float(shown) if isinstance(shown, int | float) and not isinstance(shown, bool) else 0.0


def _hot_table(assessment: Assessment, weights: Weights) -> LongTable:
    """Patterns by the calls per second that their most wanted value gets; those whose values are unknown come last."""
    findings: dict[str, list[str]] = {}
    for one in assessment.findings:
        findings.setdefault(one.subject, []).append(one.rule)
    rates = sorted(
        assessment.patterns,
        key=lambda rate: (-_number(rate.facts.get("pattern.hot_key_per_second")), -rate.calls, rate.pattern),
    )
    wanted = ("keys.top_share", "pattern.hot_key_per_second", "pattern.peak_per_second", "time.minute_ratio")
    rows = [
        (weights.label(rate.pattern), *(fact(rate.facts.get(name), unit=False) for name in wanted),
         ", ".join(findings.get(rate.pattern, ())) or "–")
        for rate in rates
    ]  # fmt: skip
    headers = ("access pattern", "share of one value", "its calls/s at the peak", "all calls/s at the peak",
               "busiest ÷ mean minute", "findings")  # fmt: skip
    return LongTable("Hot partition risk", headers, rows, (1, 2, 3, 4), "calls for one value")


def _consistency(snapshot: Snapshot) -> Iterator[Markup]:
    declared = snapshot.context.strong_consistency
    answer = names(sorted(declared), 20) if declared else Markup("not answered; assumed: none")
    yield paragraph("Declared to change together or to be read strongly: {}.", answer)
    locking = sorted(p.id for p in snapshot.patterns if p.locking)
    if locking:
        yield paragraph("Locking reads (FOR UPDATE, FOR SHARE): {}.", names(locking))
    yield paragraph("Transactions seen, each a set of access patterns:")


def _transaction_table(assessment: Assessment, weights: Weights) -> LongTable:
    def row(one: TransactionMap) -> tuple[str, ...]:
        patterns = weights.by_calls(one.patterns)
        return (one.id, number(one.count), number(one.rolled_back), names(one.tables_written), names(one.tables_read),
                "yes" if one.locking else "no", names(patterns, 6))  # fmt: skip

    headers = ("transaction", "seen", "rolled back", "writes", "reads", "locks", "patterns")
    return LongTable("Transactions", headers, [row(one) for one in assessment.transactions], (1, 2), "times seen")


def _complexity_table(assessment: Assessment, weights: Weights) -> LongTable:
    ordered = sorted(assessment.patterns, key=lambda rate: (-rate.complexity, -rate.calls, rate.pattern))
    rows = [
        (weights.label(rate.pattern), number(rate.complexity), ", ".join(rate.complexity_parts) or "–",
         number(rate.calls))
        for rate in ordered if rate.complexity > 1
    ]  # fmt: skip
    return LongTable("Query complexity", ("access pattern", "score", "made of", "calls"), rows, (1, 3), "score")


def _outside(weights: Weights) -> Iterator[Markup]:
    outside = [key for key, pattern in weights.patterns.items() if pattern.unplanned]
    yield paragraph(
        "{} with {} of the calls: what DynamoDB cannot answer as it stands, by reason.",
        plural(len(outside), "access pattern"), percent(weights.share(outside)),
    )  # fmt: skip


def _outside_table(weights: Weights) -> LongTable:
    outside = [key for key, pattern in weights.patterns.items() if pattern.unplanned]
    rows = [
        (weights.label(key), ", ".join(weights.patterns[key].unplanned), number(weights.calls[key]),
         percent(weights.share([key])))
        for key in weights.by_calls(outside)
    ]  # fmt: skip
    return LongTable("Outside the normal form", ("access pattern", "reasons", "calls", "share"), rows, (2, 3))
