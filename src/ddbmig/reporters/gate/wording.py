"""Words, counts and places that several formats of the gate's report share.

Every text that comes out of here is one visible line (see `visible`), whatever a name or a message holds.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from ddbmig.model.assessment import Phase, Severity
from ddbmig.model.base import canonical_json
from ddbmig.model.gate import FailOn, GateReport, Violation
from ddbmig.model.location import Location
from ddbmig.reporters.markdown import visible

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
PHASES: tuple[Phase, ...] = get_args(Phase)
_OBJECTS: Mapping[Phase, str] = {"pattern": "access pattern", "index": "GSI"}
"""What a phase looks at, where its name does not say it."""
_FAILS_ON: Mapping[FailOn, str] = {"error": "errors", "warning": "errors and warnings"}
_NO_FILE = "ddbmig.yaml"
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def verdict(report: GateReport) -> str:
    """Whether the gate is passed, and why: one sentence."""
    state = "passed" if report.passed else "failed"
    limit = f"{_FAILS_ON[report.fail_on]}{' that are not in the baseline' if report.new_only else ''}"
    return f"Gate {state}: {_why(report)} (it fails on {limit})."


def _why(report: GateReport) -> str:
    failing = [violation for violation in report.violations if violation.fails]
    if failing:
        return by_severity(failing)
    if not report.violations:
        return "nothing was found"
    found = len(report.violations)
    return "the one finding does not fail it" if found == 1 else f"none of {found:,} findings fails it"


def pending(report: GateReport) -> list[Violation]:
    """The violations that somebody must look at: what nobody has accepted, and what fails the gate although it is
    known, since without `--new-only` the baseline excuses nothing."""
    return [violation for violation in report.violations if violation.standing == "open" or violation.fails]


def accepted(report: GateReport) -> list[Violation]:
    """The other violations: known or waived, and the gate does not fail for them."""
    return [violation for violation in report.violations if violation.standing != "open" and not violation.fails]


def by_severity(violations: Iterable[Violation]) -> str:
    """`2 errors and 1 warning`."""
    found = [violation.finding.severity for violation in violations]
    counts = [counted(found.count(severity), severity) for severity in SEVERITIES if severity in found]
    return " and ".join(counts)


def counted(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def objects(phase: Phase, count: int) -> str:
    """`2 access patterns`: what a phase looked at."""
    return counted(count, _OBJECTS.get(phase, phase))


def looked_at(report: GateReport) -> str:
    """`24 relationships, 18 tables`: what the rules of each phase were put to."""
    counts = [objects(phase, report.evaluated[phase]) for phase in PHASES if phase in report.evaluated]
    return ", ".join(counts) or "nothing"


def headline(violation: Violation) -> str:
    """Rule and object."""
    finding = violation.finding
    return visible(f"{finding.rule} {finding.title}: {violation.object}")


def details(violation: Violation) -> list[str]:
    """What stands below the message, one line each: the lines that held, the guide's warning verbatim, what to do."""
    finding = violation.finding
    lines = [f"because {line}" for line in finding.because]
    lines += [finding.warning] if finding.warning else []
    lines += [f"instead: {finding.instead}"] if finding.instead else []
    return [visible(line) for line in lines]


def remark(violation: Violation) -> list[str]:
    """The line that says what excuses it, or would (the baseline, with `--new-only`); none where nothing does."""
    excused = "" if violation.fails else "does not fail the gate: "
    return [visible(f"{excused}{violation.note}")] if violation.note else []


def place(location: Location) -> str:
    """`schema.sql:12:3`, as editors and terminals make a link of it."""
    return f"{visible(location.file)}:{location.line}:{location.column}"


def excuse(violation: Violation) -> str:
    """Why a violation does not fail the gate."""
    standing = {
        "open": f"the gate does not fail on severity {violation.finding.severity}",
        "known": "in the baseline",
        "waived": "waived",
    }
    return visible(violation.note) or standing[violation.standing]


def home(report: GateReport) -> Location:
    """Where a format that needs a file shows what has no place of its own: line 1 of the file that most violations
    stand in, else of ddbmig.yaml. Line 1, since every other line belongs to an object."""
    files = Counter(violation.location.file for violation in report.violations if violation.location)
    return Location(file=min(files, key=lambda file: (-files[file], file), default=_NO_FILE), line=1)


def json_text(data: Any) -> str:
    """Canonical JSON that every reader takes: half of a surrogate pair, which no UTF-8 can hold, becomes �."""
    return _SURROGATE.sub("\ufffd", canonical_json(data).decode("utf-8", "surrogatepass"))
