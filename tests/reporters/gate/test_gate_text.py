"""The report on a terminal: nothing of a name moves the cursor, breaks a line or commands the runner of a pipeline."""

import re
import unicodedata

import pytest
from drawn_reports import reports
from gate_reports import FAILED, PASSED, WARNING
from hypothesis import given

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.text import WIDTH, text_report
from ddbmig.reporters.gate.wording import pending

SGR = re.compile(r"\x1b\[[0-9;]*m")
START = re.compile(r"(?:(?:\S.*)?:\d+:\d+: )?(?:error|warning|info) [A-Z]{2}\d{3} ")


@given(reports())
def test_no_control_character_reaches_the_terminal(report: GateReport) -> None:
    controls = {character for character in text_report(report) if unicodedata.category(character) == "Cc"}
    assert controls <= {"\n"}


@given(reports())
def test_no_line_is_a_command_to_a_runner(report: GateReport) -> None:
    shown = text_report(report)
    assert not [line for line in shown.split("\n") if line.lstrip().startswith("::")]
    assert not re.search(r"##\w*\[", shown)


@given(reports())
def test_each_pending_finding_begins_one_line_and_the_verdict_is_the_last(report: GateReport) -> None:
    lines = text_report(report).rstrip("\n").split("\n")
    assert sum(bool(START.match(line)) for line in lines) >= len(pending(report))
    assert lines[-1].startswith("Gate passed: " if report.passed else "Gate failed: ")


def test_lines_keep_to_the_width_but_for_the_one_that_begins_a_finding() -> None:
    shown = text_report(FAILED).split("\n")
    assert max(len(line) for line in shown if not START.match(line)) <= WIDTH
    assert sum(bool(START.match(line)) for line in shown) == len(pending(FAILED))


def test_a_finding_says_where_what_why_and_what_to_do() -> None:
    blocks = text_report(FAILED).split("\n\n")
    assert blocks[0].split("\n") == [
        "schema.sql:1:1: error PR012 rows-without-identity: books ::error::I am a command | not | a | row |",
        "  two rows of the table can be the same",
        "  because table.has_primary_key is false",
        "  because table.rows is 1,200 (>= 1)",
        "  instead: Add a primary key, or say which columns make a row unique. Without",
        "    one no item can be addressed, and a second load writes every row again.",
    ]
    assert WARNING in " ".join(text_report(FAILED).split())


def test_what_is_accepted_is_said_in_short_and_after_what_is_open() -> None:
    shown = text_report(FAILED)
    accepted = shown[shown.index("Accepted:") :]
    for violation in (*FAILED.of("known"), *FAILED.of("waived")):
        assert violation.finding.rule in accepted
        assert violation.finding.rule not in shown[: shown.index("Accepted:")]
    assert "item.bytes_max" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "  error           3       0       1",
        "  warning         2       2       0",
        "Rules in force: 11 (acme-rules 1, ddbmig:recommended 10); for scores only: 1",
        "Looked at: 24 relationships, 18 tables, 1,075 access patterns, 13 GSIs, 1 waiver",
        "  - PR008 too-many-gsis, by ddbmig.yaml:12",
    ],
)
def test_the_summary_tells_what_was_in_force_and_what_was_found(line: str) -> None:
    assert line in text_report(FAILED).split("\n")


@pytest.mark.parametrize("report", [FAILED, PASSED])
def test_colours_add_nothing_but_colours(report: GateReport) -> None:
    coloured = text_report(report, colour=True)
    assert SGR.sub("", coloured) == text_report(report)
    assert len(SGR.findall(coloured)) == 2 * (1 + len(pending(report)))
