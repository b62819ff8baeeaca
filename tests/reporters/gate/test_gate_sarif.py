"""SARIF: valid by Microsoft's validator, which knows the schema and what GitHub refuses, and telling the same facts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from drawn_reports import reports
from gate_reports import FAILED, FILE, LINKED, PASSED, REPORTS, RULES, WARNING
from hypothesis import given
from sarif_multitool import fetched_validator, remarks

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.sarif import DESCRIPTION_LENGTH, sarif_report

EXPECTED = "warning SARIF2005: runs[0].tool.driver: The tool 'ddbmig' does not provide 'informationUri'."
"""There is no public page of the project to name. That the remark comes shows that the validator has read the file."""


@pytest.fixture(scope="session")
def validator() -> Path:
    """Microsoft's validator; skips where it cannot be had."""
    return fetched_validator()


def run_of(report: GateReport) -> dict[str, Any]:
    log = json.loads(sarif_report(report))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("made", REPORTS)
def test_the_validator_finds_nothing(made: str, validator: Path, tmp_path: Path) -> None:
    file = tmp_path / "made.sarif"
    file.write_text(sarif_report(REPORTS[made]), "utf-8")
    [remark] = remarks(validator, file)
    assert remark.startswith(EXPECTED)


def lose_version(log: dict[str, Any]) -> None:
    del log["version"]


def misname_level(log: dict[str, Any]) -> None:
    log["runs"][0]["results"][0]["level"] = "fatal"


def point_beyond_the_rules(log: dict[str, Any]) -> None:
    log["runs"][0]["results"][0]["ruleIndex"] = 99


def lose_location(log: dict[str, Any]) -> None:
    log["runs"][0]["results"][0]["locations"] = []


def start_on_line_zero(log: dict[str, Any]) -> None:
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0


def leave_space_in_uri(log: dict[str, Any]) -> None:
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "my file%.sql"


SPOILERS = (lose_version, misname_level, point_beyond_the_rules, lose_location, start_on_line_zero, leave_space_in_uri)


@pytest.mark.parametrize("spoil", SPOILERS)
def test_the_validator_finds_what_is_broken(
    spoil: Callable[[dict[str, Any]], None], validator: Path, tmp_path: Path
) -> None:
    log = json.loads(sarif_report(FAILED))
    spoil(log)
    file = tmp_path / "broken.sarif"
    file.write_text(json.dumps(log), "utf-8")
    assert [line for line in remarks(validator, file) if line.startswith("error ")]


@given(reports())
def test_each_violation_is_one_result_at_its_place(report: GateReport) -> None:
    run = run_of(report)
    rules = run["tool"]["driver"]["rules"]
    for result, violation in zip(run["results"], report.violations, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == violation.finding.rule
        assert not [character for character in result["message"]["text"] if character < " " and character != "\n"]
        [location] = result["locations"]
        physical = location["physicalLocation"]
        assert ("message" in location) == (violation.location is None)
        if at := violation.location:
            assert unquote(physical["artifactLocation"]["uri"], errors="surrogatepass") == at.file
            assert physical["region"] == {"startLine": at.line, "startColumn": at.column}


@given(reports())
def test_github_keeps_the_alerts_of_two_violations_apart(report: GateReport) -> None:
    results = run_of(report)["results"]
    alerts = {(one["ruleId"], one["partialFingerprints"]["primaryLocationLineHash"]) for one in results}
    assert len(alerts) == len(report.violations)


@given(reports())
def test_no_name_is_a_link_or_a_placeholder(report: GateReport) -> None:
    for result in run_of(report)["results"]:
        text = result["message"]["text"]
        assert "](" not in text
        assert "{" not in text.replace("{{", "")
        assert "}" not in text.replace("}}", "")


def result_of(rule: str) -> dict[str, Any]:
    [found] = [one for one in run_of(FAILED)["results"] if one["ruleId"] == rule]
    assert isinstance(found, dict)
    return found


def test_a_result_tells_level_facts_and_standing() -> None:
    waived, known, note = result_of("AP001"), result_of("PW003"), result_of("AP009")
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "waived by A. Owner until 2027-03-31: the archive | moves to S3",
        }
    ]
    assert waived["properties"] == {"standing": "waived", "fails": False, "facts": {"item.bytes_max": 512000.0}}
    assert (waived["level"], known["level"], note["level"]) == ("error", "warning", "note")
    assert (known["baselineState"], note["baselineState"]) == ("unchanged", "new")
    assert not {"suppressions"} & (set(known) | set(note))
    assert WARNING in result_of("PW001")["message"]["text"].split("\n")
    assert LINKED.split("{")[0].replace("](", "] (") in known["message"]["text"]


def test_there_is_no_baseline_where_all_findings_count() -> None:
    run = run_of(FAILED.model_copy(update={"new_only": False}))
    assert not [result for result in run["results"] if "baselineState" in result]


def test_paths_are_percent_encoded_below_the_root_of_the_sources() -> None:
    artifacts = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in run_of(FAILED)["results"]]
    assert {"uri": "sql/my%20tables%3A%20%C3%A4%2C%C3%B6%20%26%20100%25.sql", "uriBaseId": "%SRCROOT%"} in artifacts
    assert FILE not in {one["uri"] for one in artifacts}


def test_the_rules_are_those_that_make_findings() -> None:
    described = run_of(FAILED)["tool"]["driver"]["rules"]
    assert [one["id"] for one in described] == [one.id for one in RULES if one.severity is not None]
    [preview] = [one for one in described if one["id"] == "PR030"]
    assert preview["name"] == "OrderNotKept"
    assert preview["defaultConfiguration"] == {"level": "error"}
    assert preview["properties"]["tags"] == ["pattern", "ddbmig:recommended", "preview"]
    assert preview["properties"]["precision"] == "medium"


def test_a_description_keeps_to_the_length_that_github_takes() -> None:
    wordy = RULES[0].model_copy(update={"why": "word " * 1000})
    [described] = run_of(PASSED.model_copy(update={"rules": (wordy,)}))["tool"]["driver"]["rules"]
    assert len(described["fullDescription"]["text"]) == DESCRIPTION_LENGTH
    assert described["help"]["text"].count("word") == 1000


def test_what_was_not_looked_at_is_said() -> None:
    [invocation] = run_of(FAILED)["invocations"]
    kinds = ("toolConfigurationNotifications", "toolExecutionNotifications")
    said = [one["message"]["text"] for kind in kinds for one in invocation[kind]]
    assert said[0] == "Rule PR008 too-many-gsis is switched off by ddbmig.yaml:12."
    assert said[2].startswith("1 rule on the validation had nothing to look at")
    assert len(said) == 4
