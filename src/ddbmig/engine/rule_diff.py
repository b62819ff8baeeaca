"""Two rulebooks compared: what became of each rule, and what that alters on an application analysed before."""

from collections.abc import Iterator, Mapping

from ddbmig.engine.explain import facts_by_subject
from ddbmig.engine.rule import Rule, on_one_line, written
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import assess, find
from ddbmig.engine.wording import show
from ddbmig.model.assessment import Assessment, Fact, Phase, RelationshipAssessment
from ddbmig.model.explanation import Effect, RuleChange, RuleDiff

PHASES: tuple[Phase, ...] = ("relationship", "table", "pattern")
"""Those whose facts an assessment holds."""


def compare(before: Rulebook, after: Rulebook, assessment: Assessment | None) -> RuleDiff:
    """The changes by rule id; where there is an assessment, what they alter on its objects."""
    old, new = before.by_id, after.by_id
    off = {rule.id: str(by) for rule, by in after.off}
    changes = [
        change
        for key in sorted(old.keys() | new.keys())
        for change in _change(old.get(key), new.get(key), off.get(key, ""))
    ]
    effects = tuple(_effects(before, after, assessment)) if assessment else None
    return RuleDiff(changes=tuple(changes), effects=effects)


def _change(old: Rule | None, new: Rule | None, off: str) -> Iterator[RuleChange]:
    if new is None:
        if old is not None:
            details = (f"switched off by {off}",) if off else tuple[str, ...]()
            yield RuleChange(rule=old.id, title=old.title, change="removed", details=details)
        return
    if old is None:
        yield RuleChange(rule=new.id, title=new.title, change="added")
        return
    was, now = _told(old), _told(new)
    details = tuple(
        f"{key}: {was.get(key, 'nothing')} -> {now.get(key, 'nothing')}"
        for key in sorted(was.keys() | now.keys())
        if was.get(key) != now.get(key)
    )
    if details:
        yield RuleChange(rule=new.id, title=new.title, change="changed", details=details)


def _told(rule: Rule) -> dict[str, str]:
    """What a rule says, key by key."""
    plain = {
        "title": rule.title, "applies_to": rule.applies_to, "status": rule.status,
        "when": on_one_line(written(rule.when)), "because": rule.because.text, "why": rule.why,
        "instead": rule.instead, "source": rule.source,
        "severity": rule.severity or "", "forbids": ", ".join(rule.forbids), "warning": rule.warning,
        "mandatory": show(rule.mandatory),
    }  # fmt: skip
    params = {f"params.{name}": show(value) for name, value in rule.params.items()}
    scores = {f"score.{option}": f"{points:+d}" for option, points in rule.score.items()}
    return {key: " ".join(text.split()) for key, text in {**plain, **params, **scores}.items() if text}


def _effects(before: Rulebook, after: Rulebook, assessment: Assessment) -> Iterator[Effect]:
    for found in assessment.relationships:
        was = assess(before, found.relationship, found.facts)
        now = assess(after, found.relationship, found.facts)
        if was.verdict != now.verdict:
            yield Effect(subject=found.relationship.id, before=_verdict(was), after=_verdict(now))
    for phase in PHASES:
        for subject, facts in sorted(facts_by_subject(assessment, phase).items()):
            yield from _finding_effects(before, after, phase, subject, facts)


def _verdict(assessed: RelationshipAssessment) -> str:
    return f"{assessed.verdict} (margin {assessed.margin})"


def _finding_effects(
    before: Rulebook, after: Rulebook, phase: Phase, subject: str, facts: Mapping[str, Fact]
) -> Iterator[Effect]:
    was = {f.rule: f.severity for f in find(before, phase, subject, facts)}
    now = {f.rule: f.severity for f in find(after, phase, subject, facts)}
    for rule in sorted(was.keys() | now.keys()):
        if was.get(rule) != now.get(rule):
            yield Effect(subject=subject, before=f"{rule}: {was.get(rule, 'silent')}",
                         after=f"{rule}: {now.get(rule, 'silent')}")  # fmt: skip
