"""The gate's report as annotations of a GitHub Actions run: one workflow command for each pending finding.

The commands: https://docs.github.com/actions/reference/workflow-commands; what its runner unescapes in their data and
properties: https://github.com/actions/runner (ActionCommand.cs). GitHub shows the first ten annotations of a kind for
each step; since a report begins with the heaviest findings, those are shown.
"""

from collections.abc import Mapping

from ddbmig.model.assessment import Severity
from ddbmig.model.gate import GateReport, Violation
from ddbmig.reporters.gate.wording import details, pending, remark, verdict
from ddbmig.reporters.markdown import visible

_COMMANDS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def github_report(report: GateReport) -> str:
    """A line for each pending finding, and the verdict. What is accepted asks for nobody's attention."""
    return "".join(f"{line}\n" for line in (*(_command(one) for one in pending(report)), verdict(report)))


def _command(violation: Violation) -> str:
    finding = violation.finding
    properties = {"title": visible(f"{finding.rule} {finding.title}")}
    if violation.location:
        at = violation.location
        properties = {"file": visible(at.file), "line": str(at.line), "col": str(at.column), **properties}
    listed = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_escaped(_message(violation), _DATA)}"


def _message(violation: Violation) -> str:
    finding = violation.finding
    return "\n".join([visible(f"{violation.object}: {finding.message}"), *details(violation), *remark(violation)])


def _escaped(value: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in value)
