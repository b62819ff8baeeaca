"""What the CI gate found: every finding with its place and its standing, and whether the gate is passed."""

import hashlib
from collections.abc import Mapping
from typing import ClassVar, Literal

from ddbmig.model.assessment import FactValue, Finding, Option, Phase, Severity
from ddbmig.model.base import Document, Value
from ddbmig.model.location import Location

FailOn = Literal["error", "warning"]
Standing = Literal["open", "known", "waived"]
"""open: nobody has accepted it; known: in the baseline; waived: accepted by a named person until a date."""


class RuleSummary(Value):
    """What a reader of the report needs to know of a rule that was in force."""

    id: str
    title: str
    applies_to: Phase
    status: Literal["preview", "stable", "deprecated"]
    severity: Severity | None
    """None: the rule scores."""
    score: Mapping[Option, int] = {}
    """Points for each option where it fires."""
    why: str
    instead: str
    source: str
    pack: str
    """Where the rule comes from, e.g. `ddbmig:recommended`."""


class SwitchedOff(Value):
    """A rule that is not in force, and who said so (`ddbmig.yaml:12`)."""

    rule: str
    title: str
    by: str


class RuleList(Value):
    """The rules of a project."""

    rules: tuple[RuleSummary, ...]
    """In force, by id."""
    switched_off: tuple[SwitchedOff, ...] = ()


class Violation(Value):
    """One finding, where it stands in the repository, and whether it fails the gate."""

    finding: Finding
    applies_to: Phase
    standing: Standing
    fails: bool
    note: str = ""
    """Why it does not fail the gate although its severity would: waiver, baseline, preview."""
    label: str = ""
    """What people call the object, where its id says nothing: the readable name of an access pattern."""
    location: Location | None = None
    """Relative to the source root."""

    @property
    def object(self) -> str:
        """The object's id, and what people call it."""
        return f"{self.finding.subject} ({self.label})" if self.label else self.finding.subject

    @property
    def fingerprint(self) -> str:
        """16 hex digits of rule and object: the same finding in every run, wherever it has moved to."""
        named = f"{self.finding.rule}\n{self.finding.subject}"
        return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class GateReport(Document):
    """The outcome of `ddbmig check`: violations by severity, rule and object."""

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = 1
    version: str
    """Of ddbmig."""
    passed: bool
    fail_on: FailOn
    """The lightest severity that fails the gate."""
    new_only: bool = False
    rules: tuple[RuleSummary, ...] = ()
    """In force, by id."""
    switched_off: tuple[SwitchedOff, ...] = ()
    evaluated: Mapping[str, int] = {}
    """Phase -> objects that its rules looked at."""
    not_evaluated: tuple[str, ...] = ()
    """Sentences: which rules had nothing to look at, and what to do."""
    notes: tuple[str, ...] = ()
    """Sentences on what was read."""
    violations: tuple[Violation, ...] = ()

    def of(self, standing: Standing) -> tuple[Violation, ...]:
        """The violations of one standing."""
        return tuple(violation for violation in self.violations if violation.standing == standing)


class BaselineEntry(Value):
    """A finding that was there when the baseline was written."""

    rule: str
    object: str
    severity: Severity


class Baseline(Document):
    """Findings that are known: with `--new-only` they do not fail the gate."""

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = 1
    entries: tuple[BaselineEntry, ...] = ()


class Waiver(Value):
    """One finding that a person has accepted, with the evidence that they saw, until a date."""

    rule: str
    object: str
    reason: str
    owner: str
    expires: str
    """The last day, `2027-03-31`."""
    accepted: Mapping[str, FactValue]
    """The facts as they were: the waiver lapses when one of them gets worse."""
    tolerance_percent: float = 0.0
    """How much worse a number may get before the waiver lapses."""


class Waivers(Value):
    """waivers.yaml."""

    waivers: tuple[Waiver, ...] = ()
