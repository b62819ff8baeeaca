"""Why: what made a verdict and which single fact would flip it; where a rule fires, and where one line is missing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ddbmig.engine.facts import BY_PHASE, FactDefinition
from ddbmig.engine.gate import summary
from ddbmig.engine.rule import Group, Rule, When, evidence, holds, written
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import evaluate, forbidden_by, points_of, verdict
from ddbmig.engine.trends import tipping_points
from ddbmig.engine.wording import Facts, show
from ddbmig.model.assessment import (
    Assessment,
    Fact,
    FactValue,
    Finding,
    LedgerLine,
    Phase,
    RelationshipAssessment,
    Verdict,
)
from ddbmig.model.errors import UsageError
from ddbmig.model.explanation import Explanation, Fired, Flip, KnownFact, RuleExplanation

NEARBY = 1e-9
"""Just above or below a threshold, as a share of it."""

Outcome = tuple[Verdict, int, frozenset[str]]
"""Verdict, margin, and the rules that fired."""


def explain_relationship(rulebook: Rulebook, assessed: RelationshipAssessment) -> Explanation:
    """The verdict on one relationship by the rules in force, from the facts of its assessment."""
    subject, values = assessed.relationship.id, _values(assessed.facts)
    ledger, findings = evaluate(rulebook, "relationship", subject, values)
    points, forbidden = points_of(ledger), forbidden_by(rulebook, findings)
    result, margin = verdict(points, forbidden)
    return Explanation(
        relationship=subject, verdict=result, margin=margin, points=points, forbidden=forbidden, ledger=ledger,
        findings=findings, facts=tuple(_rested_on(rulebook, assessed.facts, ledger, findings)),
        flips=tuple(_flips(rulebook, values)),
    )  # fmt: skip


def _rested_on(
    rulebook: Rulebook, facts: Mapping[str, Fact], ledger: Sequence[LedgerLine], findings: Sequence[Finding]
) -> Iterator[KnownFact]:
    fired = {line.rule for line in ledger} | {finding.rule for finding in findings}
    names = {name for rule in fired for name in rulebook.rule(rule).facts}
    for name in sorted(names):
        fact = facts.get(name)
        if fact is not None and fact.value is not None:
            yield KnownFact(name=name, shown=show(fact.value, fact.unit), source=fact.source, origin=fact.origin,
                            confidence=fact.confidence)  # fmt: skip


def _values(facts: Mapping[str, Fact]) -> dict[str, FactValue | None]:
    return {name: fact.value for name, fact in facts.items()}


def _flips(rulebook: Rulebook, values: Facts) -> Iterator[Flip]:
    """Per fact and direction the nearest value that alone gives another verdict; of a fact that is not known one value
    for each other verdict."""
    now = _outcome(rulebook, values)
    looked_at = {name for rule in rulebook.of("relationship") for name in rule.facts}
    for name, fact in BY_PHASE["relationship"].items():
        told = {now[0]}
        for direction in _other_values(rulebook, fact, values) if name in looked_at else ():
            for change, other in direction:
                then = _outcome(rulebook, {**values, name: other})
                if then[0] not in told:
                    yield Flip(fact=name, now=show(values.get(name), fact.unit), change=change, value=other,
                               verdict=then[0], margin=then[1], rules=tuple(sorted(now[2] ^ then[2])))  # fmt: skip
                    told |= {then[0]} if values.get(name) is None else set()
                    break


def _outcome(rulebook: Rulebook, values: Facts) -> Outcome:
    ledger, findings = evaluate(rulebook, "relationship", "", values)
    result, margin = verdict(points_of(ledger), forbidden_by(rulebook, findings))
    return result, margin, frozenset([*(line.rule for line in ledger), *(finding.rule for finding in findings)])


def _other_values(
    rulebook: Rulebook, fact: FactDefinition, values: Facts
) -> Iterator[Sequence[tuple[str, FactValue]]]:  # fmt: skip
    """What a fact could be instead, in words and as a value: a list for each direction of a number, the nearest first,
    and for each other word or truth value."""
    now = values.get(fact.name)
    if fact.kind == "bool":
        yield from ([(f"were {show(other)}", other)] for other in (True, False) if other is not now)
    elif fact.kind == "text":
        yield from ([(f"were {other}", other)] for other in fact.values if other != now)
    elif fact.kind == "number":
        around = [one for tip in _thresholds(rulebook, fact, values) for one in _around(tip, fact)]
        if isinstance(now, int | float):
            yield [(f"rose {words}", other) for words, other, side in around if other > now and side >= 0]
            yield [(f"fell {words}", other) for words, other, side in reversed(around) if other < now and side <= 0]
        else:
            yield from ([(f"were known and {words.replace('to ', 'at ', 1)}", other)] for words, other, _ in around)


def _around(threshold: float, fact: FactDefinition) -> Iterator[tuple[str, float, int]]:
    """A threshold, and the values just below and above it: in words, as a value, and on which side it is. Shares are no
    more than 1, and nothing is less than none."""
    highest = 1.0 if fact.unit == "share" else float("inf")
    for side, word in ((-1, "below"), (0, "to"), (1, "above")):
        other = threshold + side * max(abs(threshold), 1.0) * NEARBY
        if 0 <= other <= highest:
            yield f"{word} {show(threshold, fact.unit)}", other, side


def _thresholds(rulebook: Rulebook, fact: FactDefinition, values: Facts) -> list[float]:
    """The values at which some rule tips, in order."""
    found = {
        round(tip, 12) + 0.0  # no minus before a zero
        for rule in rulebook.of("relationship")
        if fact.name in rule.facts
        for tip in tipping_points(rule.when, rule.with_params(values), fact.name)
    }
    return sorted(found)


# --- a rule ----------------------------------------------------------------------------------------------------------


def explain_rule(rulebook: Rulebook, rule: Rule, assessment: Assessment | None) -> RuleExplanation:
    """Where a rule of the first three phases fires on an assessment, and where one line of its `all` is missing."""
    objects = facts_by_subject(assessment, rule.applies_to) if assessment else {}
    fires, nearly = [], []
    for subject, facts in sorted(objects.items()):
        values = rule.with_params(_values(facts))
        because = rule.fires(_values(facts))
        missing = _only_missing(rule.when, values) if because is None else None
        if because is not None:
            fires.append(Fired(subject=subject, because=because))
        elif missing is not None:
            nearly.append(Fired(subject=subject, because=tuple(evidence(missing, values, held=False))))
    return RuleExplanation(
        rule=summary(rule), conditions=tuple(_lines(written(rule.when))), objects=len(objects), fires=tuple(fires),
        nearly=tuple(nearly),
    )  # fmt: skip


def facts_by_subject(assessment: Assessment, phase: Phase) -> Mapping[str, Mapping[str, Fact]]:
    """The facts of every object of a phase, by the object's id; nothing for phases that stage 2 does not know."""
    if phase == "relationship":
        return {found.relationship.id: found.facts for found in assessment.relationships}
    if phase == "table":
        return assessment.table_facts
    return {rate.pattern: rate.facts for rate in assessment.patterns} if phase == "pattern" else {}


def _only_missing(when: When, values: Facts) -> When | None:
    """The one item of an `all` that does not hold, where all others do; None where a fact is not known."""
    if not isinstance(when, Group) or when.kind != "all":
        return None
    failing = [item for item in when.items if not _holds(item, values)]
    return failing[0] if len(failing) == 1 else None


def _holds(when: When, values: Facts) -> bool:
    try:
        return holds(when, values)
    except UsageError:  # its guard is another item, which fails
        return False


def _lines(conditions: Any, depth: int = 0) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(conditions, str):
        yield f"{indent}{conditions}"
        return
    for kind, items in conditions.items():
        yield f"{indent}{kind} of" if kind != "not" else f"{indent}not"
        for item in items:
            yield from _lines(item, depth + 1)
