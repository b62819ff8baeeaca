"""The gate of `ddbmig check`: which findings somebody has accepted, and whether the rest lets a change pass."""

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ddbmig.engine.rule import SEVERITIES, Rule
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import find
from ddbmig.engine.trends import worse
from ddbmig.engine.waivers import PlacedWaiver
from ddbmig.model.assessment import FactValue, Finding, Phase, Severity
from ddbmig.model.gate import Baseline, BaselineEntry, FailOn, RuleSummary, Standing, SwitchedOff, Violation, Waiver
from ddbmig.model.location import Location

Locate = Callable[[Phase, Finding], Location | None]
"""Where a finding stands in the repository."""


@dataclass(frozen=True)
class Accepted:
    """What people have accepted, and the day it is."""

    today: datetime.date
    waivers: Sequence[PlacedWaiver] = ()
    waivers_file: str = ""
    """Relative to the source root."""
    baseline: Baseline | None = None
    new_only: bool = False
    unseen: Collection[Phase] = ()
    """Phases whose rules had nothing to look at: that such a rule finds nothing says nothing."""
    _known: Mapping[tuple[str, str], Severity] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        entries = self.baseline.entries if self.baseline else ()
        object.__setattr__(self, "_known", {(entry.rule, entry.object): entry.severity for entry in entries})

    def is_known(self, finding: Finding) -> bool:
        """Whether the baseline has the finding, with the severity that it has now or a heavier one."""
        severity = self._known.get((finding.rule, finding.subject))
        return severity is not None and rank(severity) >= rank(finding.severity)

    def may_be_there(self, rulebook: Rulebook, rule_id: str) -> bool:
        """Whether a rule could find something that this run did not look at."""
        rule = rulebook.by_id.get(rule_id)
        return rule is not None and rule.applies_to in self.unseen

    def waivers_of(self, finding: Finding) -> list[PlacedWaiver]:
        """The waivers that name the finding, in force or not."""
        return [w for w in self.waivers if (w.waiver.rule, w.waiver.object) == (finding.rule, finding.subject)]


def rank(severity: Severity) -> int:
    """0 for the lightest."""
    return SEVERITIES.index(severity)


def judge(
    rulebook: Rulebook, findings: Sequence[Finding], accepted: Accepted, fail_on: FailOn, locate: Locate
) -> tuple[Violation, ...]:
    """Every finding, and those about the waivers themselves, with its standing: by severity, rule and object."""
    violations = [_violation(rulebook, finding, accepted, fail_on, locate) for finding in findings]
    violations += _on_waivers(rulebook, findings, accepted, fail_on)
    return tuple(sorted(violations, key=lambda v: (-rank(v.finding.severity), v.finding.rule, v.finding.subject)))


def _violation(rulebook: Rulebook, finding: Finding, accepted: Accepted, fail_on: FailOn, locate: Locate) -> Violation:
    rule = rulebook.rule(finding.rule)
    standing, note = _standing(rulebook, finding, accepted)
    heavy = rank(finding.severity) >= rank(fail_on)
    fails = heavy and (standing == "open" or (standing == "known" and not accepted.new_only))
    if fails and rule.status == "preview":
        fails, note = False, "the rule is in preview"
    location = locate(rule.applies_to, finding)
    return Violation(
        finding=finding, applies_to=rule.applies_to, standing=standing, fails=fails, note=note, location=location
    )


def _standing(rulebook: Rulebook, finding: Finding, accepted: Accepted) -> tuple[Standing, str]:
    for placed in accepted.waivers_of(finding):
        if placed.days_left(accepted.today) >= 0 and not _got_worse(rulebook, placed.waiver, finding):
            waiver = placed.waiver
            return "waived", f"waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"
    return ("known", "in the baseline") if accepted.is_known(finding) else ("open", "")


def _got_worse(rulebook: Rulebook, waiver: Waiver, finding: Finding) -> tuple[str, ...]:
    return worse(rulebook.rule(finding.rule), waiver.accepted, finding.facts, waiver.tolerance_percent)


def _on_waivers(
    rulebook: Rulebook, findings: Sequence[Finding], accepted: Accepted, fail_on: FailOn
) -> Iterable[Violation]:
    """What the rules of the phase `waiver` find: expired, unused, lapsed and misdirected waivers."""
    for placed in accepted.waivers:
        waiver = placed.waiver
        matching = [f for f in findings if (f.rule, f.subject) == (waiver.rule, waiver.object)]
        changes = tuple(line for finding in matching for line in _got_worse(rulebook, waiver, finding))
        facts: dict[str, FactValue | None] = {
            "waiver.days_left": placed.days_left(accepted.today),
            "waiver.findings": None if accepted.may_be_there(rulebook, waiver.rule) else len(matching),
            "waiver.evidence_worse": bool(changes),
            "waiver.rule_known": waiver.rule in rulebook.by_id,
        }
        location = Location(file=accepted.waivers_file, line=placed.line, column=placed.column)
        for finding in find(rulebook, "waiver", f"{waiver.rule} {waiver.object}", facts):
            told = finding.model_copy(update={"because": (*finding.because, *changes)})
            yield _violation(rulebook, told, accepted, fail_on, lambda *_, at=location: at)


def baseline_of(rulebook: Rulebook, violations: Iterable[Violation], accepted: Accepted) -> Baseline:
    """The baseline that makes all these findings known, and keeps what this run did not look at.

    What is waived, or about a waiver, is left to its waiver.
    """
    entries = {
        (entry.rule, entry.object): entry.severity
        for entry in (accepted.baseline.entries if accepted.baseline else ())
        if accepted.may_be_there(rulebook, entry.rule)
    }
    for violation in violations:
        if violation.standing != "waived" and violation.applies_to != "waiver":
            entries[violation.finding.rule, violation.finding.subject] = violation.finding.severity
    return Baseline(
        entries=tuple(BaselineEntry(rule=rule, object=of, severity=entries[rule, of]) for rule, of in sorted(entries))
    )


def gone(rulebook: Rulebook, violations: Iterable[Violation], accepted: Accepted) -> int:
    """How many entries of the baseline are about findings that are no longer there."""
    there = {(v.finding.rule, v.finding.subject) for v in violations}
    entries = accepted.baseline.entries if accepted.baseline else ()
    return sum(
        (entry.rule, entry.object) not in there and not accepted.may_be_there(rulebook, entry.rule) for entry in entries
    )


def summary(rule: Rule) -> RuleSummary:
    """What a reader is told of a rule."""
    return RuleSummary(
        id=rule.id, title=rule.title, applies_to=rule.applies_to, status=rule.status, severity=rule.severity,
        score=rule.score, why=rule.why, instead=rule.instead, source=rule.source, pack=rule.pack,
    )  # fmt: skip


def switched_off(rulebook: Rulebook) -> tuple[SwitchedOff, ...]:
    """The rules that are not in force, and who said so."""
    return tuple(SwitchedOff(rule=rule.id, title=rule.title, by=str(origin)) for rule, origin in rulebook.off)
