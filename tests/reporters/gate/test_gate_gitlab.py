"""GitLab's Code Quality report: the fields that GitLab reads, for pending findings only."""

import json
from typing import Any

from drawn_reports import reports
from gate_reports import FAILED
from hypothesis import given

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.gitlab import gitlab_report
from ddbmig.reporters.gate.wording import pending


def entries(report: GateReport) -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(gitlab_report(report))
    return parsed


@given(reports())
def test_each_pending_finding_is_one_entry_with_a_fingerprint_of_its_own(report: GateReport) -> None:
    found = entries(report)
    assert [one["fingerprint"] for one in found] == [one.fingerprint for one in pending(report)]
    assert len({one["fingerprint"] for one in found}) == len(found)
    for entry in found:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["location"]["path"] is not None
        assert entry["location"]["lines"]["begin"] >= 1


def test_severity_and_place() -> None:
    places = [(one["severity"], one["location"]["path"], one["location"]["lines"]["begin"]) for one in entries(FAILED)]
    assert places == [
        ("blocker", "schema.sql", 1),
        ("blocker", "sql/my tables: ä,ö & 100%.sql", 7),
        ("critical", "queries/top.sql", 3),
        ("major", "schema.sql", 1),
        ("major", "schema.sql", 1),
        ("info", "schema.sql", 1),
    ]


def test_where_no_finding_has_a_place_it_is_the_project_file() -> None:
    lost = FAILED.model_copy(update={"violations": FAILED.violations[5:7]})
    assert {one["location"]["path"] for one in entries(lost)} == {"ddbmig.yaml"}
