"""The gate's report as GitLab's Code Quality report (https://docs.gitlab.com/ci/testing/code_quality/).

Only pending findings are in it. GitLab compares the reports of two branches by fingerprint and has no word for a
finding that somebody has accepted: a waived one would be counted against the merge request that brings its waiver.

GitLab needs a file and a line for each finding; one without a place of its own stands at `wording.home`.
"""

from collections.abc import Mapping
from typing import Any

from ddbmig.model.assessment import Severity
from ddbmig.model.gate import GateReport, Violation
from ddbmig.model.location import Location
from ddbmig.reporters.gate.wording import headline, home, json_text, pending
from ddbmig.reporters.markdown import visible

_SEVERITIES: Mapping[Severity, str] = {"error": "critical", "warning": "major", "info": "info"}
_FAILS = "blocker"


def gitlab_report(report: GateReport) -> str:
    """A JSON array with one object for each pending finding; what fails the gate is a blocker."""
    fallback = home(report)
    return json_text([_entry(violation, violation.location or fallback) for violation in pending(report)])


def _entry(violation: Violation, location: Location) -> dict[str, Any]:
    finding = violation.finding
    return {
        "description": f"{headline(violation)}: {visible(finding.message)}",
        "check_name": visible(finding.rule),
        "fingerprint": violation.fingerprint,
        "severity": _FAILS if violation.fails else _SEVERITIES[finding.severity],
        "location": {"path": visible(location.file), "lines": {"begin": location.line}},
    }
