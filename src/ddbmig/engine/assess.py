"""Stage 2: the snapshot judged by the rules that need no design."""

from ddbmig.engine.coaccess import co_access, pattern_rates, rates, transactions
from ddbmig.engine.evidence import Evidence
from ddbmig.engine.pattern_facts import pattern_facts
from ddbmig.engine.relationships import find_relationships
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import assess_relationships, find
from ddbmig.engine.table_facts import table_facts
from ddbmig.model.assessment import Assessment, Assumption, Choice, Finding, RelationshipAssessment
from ddbmig.model.snapshot import Snapshot

NOT_ANALYSED = (
    "Whether the statements of a transaction must change together is what only the application's owner knows: the "
    "transactions seen are listed, none is assumed to be needed.",
    "ON UPDATE actions, triggers and stored procedures are listed in stage 1; what they do is not traced.",
)


def assess_workload(snapshot: Snapshot, rulebook: Rulebook) -> Assessment:
    """The assessment of every relationship, table and access pattern in scope."""
    calls = {t.id: t.calls for t in snapshot.digest.templates}
    relationships, many_to_many = find_relationships(
        snapshot.tables, snapshot.patterns, {p.id: calls[p.template] for p in snapshot.patterns}
    )
    how_often = rates(snapshot)
    patterns = pattern_rates(snapshot, how_often)
    pairs, together = co_access(snapshot), transactions(snapshot)
    assessed = assess_relationships(
        snapshot, relationships, many_to_many, pairs, together, patterns, how_often, rulebook
    )
    evidence = Evidence(
        snapshot=snapshot, rates=how_often, pattern_rates=patterns, relationships=relationships,
        many_to_many=many_to_many, co_access=pairs, transactions=together,
    )  # fmt: skip
    out = {entry.table for entry in snapshot.scoped_out}
    of_tables = {t.id: table_facts(evidence, t.id) for t in snapshot.tables.tables if t.id not in out}
    of_patterns = {p.id: pattern_facts(evidence, p) for p in snapshot.patterns}
    findings = [f for a in assessed for f in find(rulebook, "relationship", a.relationship.id, a.facts)]
    for table in snapshot.tables.tables:
        found = find(rulebook, "table", table.id, of_tables[table.id]) if table.id in of_tables else ()
        findings += [f.model_copy(update={"file": table.file, "line": table.line}) for f in found]
    for pattern in snapshot.patterns:
        findings += find(rulebook, "pattern", pattern.id, of_patterns[pattern.id])
    return Assessment(
        rates=how_often,
        patterns=tuple(p.model_copy(update={"facts": of_patterns[p.pattern]}) for p in patterns),
        relationships=assessed,
        many_to_many=many_to_many,
        transactions=together,
        co_access=pairs,
        table_facts=of_tables,
        findings=tuple(sorted(findings, key=_weight)),
        choices=tuple(_choice(a) for a in assessed if a.verdict == "undecided"),
        assumptions=_assumptions(snapshot, how_often.source == "assumed"),
        not_analysed=NOT_ANALYSED,
    )


def _weight(finding: Finding) -> tuple[int, str, str]:
    return ("error", "warning", "info").index(finding.severity), finding.rule, finding.subject


def _choice(assessed: RelationshipAssessment) -> Choice:
    options = tuple(o for o in ("separate", "denormalize", "embed", "collocate") if o not in assessed.forbidden)
    return Choice(
        id=assessed.relationship.id,
        question=f"How should {assessed.relationship.id} live on DynamoDB?",
        options=options,
        default="separate",
        why=f"the best two options are {assessed.margin} points apart (15 decide)",
    )


def _assumptions(snapshot: Snapshot, rates_assumed: bool) -> tuple[Assumption, ...]:
    """What nobody told us, the most influential first."""
    context, found = snapshot.context, []
    if rates_assumed:
        found.append(Assumption(name="workload.represents", assumed="average: the logs show an average span",
                                moves="every rate, and with it the request cost, in proportion"))  # fmt: skip
    unmeasured = [t for t, s in snapshot.statistics.items() if s.rows.source == "assumed"]
    if unmeasured:
        found.append(Assumption(name="row counts", assumed=f"1,000 rows in each of {len(unmeasured)} tables",
                                moves="storage, Query sizes, which small tables may be scanned"))  # fmt: skip
    for name, value, assumed, moves in (
        ("context.growth_percent_per_month", context.growth_percent_per_month, "no growth in the verdicts",
         "item sizes and cost in 12 and 36 months"),
        ("context.lifecycle", context.lifecycle, "unknown: no rule on it fires", "the verdicts on unsettled schemas"),
        ("context.team_expertise", context.team_expertise, "unknown: no rule on it fires", "the verdicts"),
        ("context.owners", context.owners or None, "unknown: boundaries between teams are not checked",
         "copies across services"),
    ):  # fmt: skip
        if value is None:
            found.append(Assumption(name=name, assumed=assumed, moves=moves))
    return tuple(found)
