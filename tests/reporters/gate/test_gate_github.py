"""Workflow commands: one line for each pending finding, which the runner reads back as it was meant."""

import re

from drawn_reports import reports
from gate_reports import ENCODED, FAILED, FILE, IMAGE, TICKS
from hypothesis import given

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.github import github_report
from ddbmig.reporters.gate.wording import pending, verdict
from ddbmig.reporters.markdown import visible

COMMAND = re.compile(r"::(error|warning|notice) (.*?)::(.*)")
DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
Command = tuple[str, dict[str, str], str]


def unescaped(value: str, escapes: tuple[tuple[str, str], ...]) -> str:
    """In the order of the runner: what stands for a percent sign comes last."""
    for escape, character in escapes:
        value = value.replace(escape, character)
    return value


def read(line: str) -> Command:
    """Command, properties and data, as the runner splits them."""
    found = COMMAND.fullmatch(line)
    assert found, line
    pairs = [pair.split("=", 1) for pair in found[2].split(",")]
    return found[1], {name: unescaped(value, PROPERTY) for name, value in pairs}, unescaped(found[3], DATA)


@given(reports())
def test_one_line_for_each_pending_finding_and_the_verdict(report: GateReport) -> None:
    lines = github_report(report).splitlines()
    assert len(lines) == len(pending(report)) + 1
    assert lines[-1] == verdict(report)
    for line, violation in zip(lines, pending(report), strict=False):
        finding, at = violation.finding, violation.location
        _, properties, message = read(line)
        assert properties.pop("title") == f"{finding.rule} {finding.title}"
        assert properties == ({"file": visible(at.file), "line": f"{at.line}", "col": f"{at.column}"} if at else {})
        assert message.split("\n")[0] == visible(f"{violation.object}: {finding.message}")


def test_a_line_holds_all_that_a_reader_of_the_diff_needs() -> None:
    commands = [read(line) for line in github_report(FAILED).splitlines()[:-1]]
    assert [command for command, _, _ in commands] == ["error", "error", "error", "warning", "warning", "notice"]
    first, second, third, fourth = commands[:4]
    assert first[1] == {"file": "schema.sql", "line": "1", "col": "1", "title": "PR012 rows-without-identity"}
    assert first[2].split("\n")[1:3] == ["because table.has_primary_key is false", "because table.rows is 1,200 (>= 1)"]
    assert second[1]["file"] == FILE
    assert third[2].endswith("\ndoes not fail the gate: the rule is in preview")
    assert fourth[2].startswith(f"{ENCODED} (select books by {TICKS} | {IMAGE}): 80 % of ")
