"""The gate's report as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), fit for GitHub code scanning.

GitHub (https://docs.github.com/code-security/reference/code-scanning/sarif-files/sarif-support):

- refuses a file in which one result has no file: what has no place of its own stands at `wording.home`, and says so;
- knows a result again by `primaryLocationLineHash` alone, within rule and file. Its upload action would hash the line,
  and two objects that stand on one line could become one alert. So that is our fingerprint too; the action then warns
  in its log that it would have computed another;
- ignores suppressions and the baseline: there a waived finding is an alert whose message says who waived it;
- takes the category of an upload from `automationDetails` where there is one. There is none, so that `category:` of the
  action is heard.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ddbmig.model.assessment import Severity
from ddbmig.model.gate import GateReport, RuleSummary, Violation
from ddbmig.model.location import Location
from ddbmig.reporters.gate.wording import details, excuse, home, json_text, remark
from ddbmig.reporters.markdown import visible
from ddbmig.reporters.pages import say

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
DESCRIPTION_LENGTH = 1024
"""Characters of a description that GitHub takes."""
_ROOT = "%SRCROOT%"
_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEMS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "recommendation"}
_PRECISIONS = {"stable": "high", "preview": "medium", "deprecated": "high"}
_ESCAPES = (("{", "{{"), ("}", "}}"), ("](", "] ("))
"""A message's placeholders (SARIF 3.11.5) and links (3.11.6), which a name must not become."""


def sarif_report(report: GateReport) -> str:
    """One run: the rules that make findings, a result for each violation, and what was not looked at as notes."""
    run = {
        "tool": {"driver": _driver(report)},
        "originalUriBaseIds": {_ROOT: {"description": _message("The root of the source tree.")}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": _results(report),
        "properties": {
            "passed": report.passed,
            "failOn": report.fail_on,
            "newOnly": report.new_only,
            "evaluated": dict(report.evaluated),
        },
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _message(text: str) -> dict[str, str]:
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return {"text": text}


def _driver(report: GateReport) -> dict[str, Any]:
    rules = [_rule(rule, rule.severity) for rule in report.rules if rule.severity is not None]
    return {"name": "ddbmig", "version": report.version, "rules": rules}


def _rule(rule: RuleSummary, severity: Severity) -> dict[str, Any]:
    help_lines = {"Why": rule.why, "Instead": rule.instead, "Source": rule.source}
    markdown = [say("**{}:** {}", title, line) for title, line in help_lines.items()]
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.title.split("-")),
        "shortDescription": _message(f"{visible(rule.title.replace('-', ' ')).capitalize()}."),
        "fullDescription": _message(_cut(visible(rule.why))),
        "help": {
            **_message("\n".join(visible(f"{title}: {line}") for title, line in help_lines.items())),
            "markdown": _message("\n\n".join(markdown))["text"],
        },
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "source": rule.source,
            "pack": rule.pack,
            "status": rule.status,
            "applies_to": rule.applies_to,
            "tags": [rule.applies_to, rule.pack, rule.status],
            "precision": _PRECISIONS[rule.status],
            "problem.severity": _PROBLEMS[severity],
        },
    }


def _cut(text: str) -> str:
    return text if len(text) <= DESCRIPTION_LENGTH else f"{text[: DESCRIPTION_LENGTH - 1]}…"


def _invocation(report: GateReport) -> dict[str, Any]:
    off = [f"Rule {one.rule} {one.title} is switched off by {one.by}." for one in report.switched_off]
    return {
        "executionSuccessful": True,
        "toolConfigurationNotifications": [_notification(text) for text in off],
        "toolExecutionNotifications": [_notification(text) for text in (*report.not_evaluated, *report.notes)],
    }


def _notification(text: str) -> dict[str, Any]:
    return {"level": "note", "message": _message(visible(text))}


def _results(report: GateReport) -> list[dict[str, Any]]:
    scoring_apart = (rule.id for rule in report.rules if rule.severity is not None)
    index = {rule: number for number, rule in enumerate(scoring_apart)}
    fallback = home(report)
    return [
        {
            **_result(violation, violation.location or fallback),
            "ruleIndex": index[violation.finding.rule],
            **_state(violation, report.new_only),
        }
        for violation in report.violations
    ]


def _result(violation: Violation, location: Location) -> dict[str, Any]:
    finding = violation.finding
    summary = f"'{visible(violation.object)}': {visible(finding.message).removesuffix('.')}."
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": _message("\n".join([summary, *details(violation), *remark(violation)])),
        "locations": [_location(violation, location)],
        "partialFingerprints": {
            "ddbmig/v1": violation.fingerprint,
            "primaryLocationLineHash": violation.fingerprint,
        },
        "properties": {"standing": violation.standing, "fails": violation.fails, "facts": dict(finding.facts)},
    }


def _location(violation: Violation, at: Location) -> dict[str, Any]:
    subject = visible(violation.finding.subject)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(at.file, errors="surrogatepass"), "uriBaseId": _ROOT},
            "region": {"startLine": at.line, "startColumn": at.column},
        },
        "logicalLocations": [{"name": subject, "fullyQualifiedName": subject, "kind": violation.applies_to}],
    }
    if violation.location is None:
        location["message"] = _message("No line is known for this object.")
    return location


def _state(violation: Violation, new_only: bool) -> dict[str, Any]:
    """How the result stands to the baseline, and who has accepted it."""
    state: dict[str, Any] = {}
    if new_only:
        state["baselineState"] = "unchanged" if violation.standing == "known" else "new"
    if violation.standing == "waived":
        state["suppressions"] = [{"kind": "external", "status": "accepted", "justification": excuse(violation)}]
    return state
