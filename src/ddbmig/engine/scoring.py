"""Rules on objects: who fires, what adds up, and the verdict that follows (architecture.md, "The user decides")."""

from collections.abc import Iterable, Mapping

from ddbmig.engine.evidence import Evidence
from ddbmig.engine.facts import BY_PHASE
from ddbmig.engine.relationship_facts import relationship_facts
from ddbmig.engine.rule import OPTIONS, Rule
from ddbmig.engine.rule_reader import fits
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.wording import closest
from ddbmig.model.assessment import (
    CoAccess,
    Fact,
    FactValue,
    Finding,
    LedgerLine,
    ManyToMany,
    PatternRate,
    Phase,
    Rates,
    Relationship,
    RelationshipAssessment,
    TransactionMap,
    Verdict,
)
from ddbmig.model.errors import UsageError
from ddbmig.model.snapshot import Snapshot

MARGIN = 15
"""A margin under this many points is undecided."""

GivenFacts = Mapping[str, Fact] | Mapping[str, FactValue | None] | Mapping[str, Fact | FactValue | None]


def evaluate(
    rulebook: Rulebook, phase: Phase, subject: str, facts: GivenFacts
) -> tuple[tuple[LedgerLine, ...], tuple[Finding, ...]]:
    """Every rule of `phase` on one object: the ledger of the scoring rules, and the findings, both by rule id.

    `facts` are values or Facts by catalogue name; one that is left out or None is missing. A rule that forbids an
    option makes a finding of severity info: the design keeps to it, so there is nothing left to fail.
    Raises UsageError for a name outside the catalogue or a value of another type.
    """
    values = dict(_values(phase, subject, facts))
    ledger: list[LedgerLine] = []
    findings: list[Finding] = []
    for rule in rulebook.of(phase):
        values.update(rule.bound)  # a rule looks at its own params only, and all of those are set here
        because = rule.fires_on(values)
        if because is None:
            continue
        ledger += [LedgerLine(rule=rule.id, title=rule.title, option=option, points=rule.score[option], because=because)
                   for option in OPTIONS if option in rule.score]  # fmt: skip
        if rule.severity:
            findings.append(_finding(rule, subject, values, because))
    return tuple(ledger), tuple(findings)


def find(rulebook: Rulebook, applies_to: Phase, subject: str, facts: GivenFacts) -> tuple[Finding, ...]:
    """The findings on one object, by rule id; see `evaluate`."""
    return evaluate(rulebook, applies_to, subject, facts)[1]


def assess_relationships(
    snapshot: Snapshot, relationships: Iterable[Relationship], many_to_many: Iterable[ManyToMany],
    co_access: Iterable[CoAccess], transactions: Iterable[TransactionMap], pattern_rates: Iterable[PatternRate],
    rates: Rates, rulebook: Rulebook,
) -> tuple[RelationshipAssessment, ...]:  # fmt: skip
    """The facts, ledger, points and verdict of every relationship, by its id. Findings: `find` on its `facts`."""
    evidence = Evidence(
        snapshot=snapshot, rates=rates, pattern_rates=tuple(pattern_rates), relationships=tuple(relationships),
        many_to_many=tuple(many_to_many), co_access=tuple(co_access), transactions=tuple(transactions),
    )  # fmt: skip
    ordered = sorted(evidence.relationships, key=lambda relationship: relationship.id)
    return tuple(assess(rulebook, one, relationship_facts(evidence, one)) for one in ordered)


def assess(rulebook: Rulebook, relationship: Relationship, facts: Mapping[str, Fact]) -> RelationshipAssessment:
    """One relationship from its facts: what fired, the points per option, and the verdict."""
    ledger, findings = evaluate(rulebook, "relationship", relationship.id, facts)
    points, forbidden = points_of(ledger), forbidden_by(rulebook, findings)
    result, margin = verdict(points, forbidden)
    return RelationshipAssessment(
        relationship=relationship, facts=facts, ledger=ledger, points=points, forbidden=forbidden, verdict=result,
        margin=margin,
    )  # fmt: skip


def points_of(ledger: Iterable[LedgerLine]) -> dict[str, int]:
    """The points of every option, summed."""
    lines = list(ledger)
    return {option: sum(line.points for line in lines if line.option == option) for option in OPTIONS}


def forbidden_by(rulebook: Rulebook, findings: Iterable[Finding]) -> dict[str, str]:
    """Option -> the first rule that forbids it."""
    found: dict[str, str] = {}
    for finding in findings:
        for option in rulebook.rule(finding.rule).forbids:
            found.setdefault(option, finding.rule)
    return found


def verdict(points: Mapping[str, int], forbidden: Iterable[str]) -> tuple[Verdict, int]:
    """The allowed option with most points, and its margin over the second; a margin under 15 is undecided.

    Where rules forbid all others, the only one left is the verdict (margin: its points over none, 0 at least).
    """
    out = set(forbidden)
    ranked = sorted((option for option in OPTIONS if option not in out), key=lambda option: -points[option])
    if not ranked:
        return "undecided", 0
    if len(ranked) == 1:
        return ranked[0], max(0, points[ranked[0]])
    margin = points[ranked[0]] - points[ranked[1]]
    return (ranked[0] if margin >= MARGIN else "undecided"), margin


def _finding(rule: Rule, subject: str, values: Mapping[str, FactValue | None], because: tuple[str, ...]) -> Finding:
    message = rule.because.render(values)
    looked_at = {name: value for name in sorted(rule.facts) if (value := values.get(name)) is not None}
    if rule.forbids:
        message = f"{message}; forbids: {', '.join(rule.forbids)}"
    return Finding(
        rule=rule.id, title=rule.title, severity="info" if rule.forbids else rule.severity or "info", subject=subject,
        message=message, because=because, facts=looked_at, instead=rule.instead, warning=rule.warning,
    )  # fmt: skip


def _values(phase: Phase, subject: str, facts: GivenFacts) -> Mapping[str, FactValue | None]:
    catalogue = BY_PHASE[phase]
    values: dict[str, FactValue | None] = {}
    for name, given in facts.items():
        value = given.value if isinstance(given, Fact) else given
        if name not in catalogue:
            raise UsageError(f"{name} is no fact of a {phase}", subject=subject, hint=closest(name, catalogue))
        if value is not None and not fits(value, catalogue[name]):
            raise UsageError(f"{name} has a value of another type", subject=subject, expected=catalogue[name].kind)
        values[name] = value
    return values
