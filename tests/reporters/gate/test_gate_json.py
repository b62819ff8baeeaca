"""The report as JSON: its schema, and that it reads back as the value it was."""

import json
import re
from copy import deepcopy
from typing import Any

import jsonschema
import pytest
from drawn_reports import reports
from gate_reports import FAILED, REPORTS
from hypothesis import given

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.json_report import json_report, json_schema

HALVES = re.compile(r"[\ud800-\udfff]")
"""Of surrogate pairs: no text for a file holds them."""
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@given(reports())
def test_it_keeps_to_the_schema_and_reads_back(report: GateReport) -> None:
    data = json.loads(json_report(report))
    VALIDATOR.validate(data)
    assert [entry.pop("fingerprint") for entry in data["violations"]] == [v.fingerprint for v in report.violations]
    read = GateReport.model_validate_json(json.dumps(data))
    assert read.to_bytes().decode() == HALVES.sub("\ufffd", report.to_bytes().decode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("made", REPORTS)
def test_but_for_the_fingerprints_it_is_the_canonical_json_of_the_value(made: str) -> None:
    lines = json_report(REPORTS[made]).split("\n")
    rest = "\n".join(line for line in lines if not line.startswith('   "fingerprint": '))
    assert rest.encode() == REPORTS[made].to_bytes()


def broken() -> dict[str, dict[str, Any]]:
    """What no report may be."""
    data: dict[str, Any] = json.loads(json_report(FAILED))
    cases = {name: deepcopy(data) for name in ("another version", "a field too many", "no fingerprint", "no standing")}
    cases["another version"]["schema_version"] = 2
    cases["a field too many"]["violations"][0]["finding"]["colour"] = "red"
    del cases["no fingerprint"]["violations"][0]["fingerprint"]
    cases["no standing"]["violations"][0]["standing"] = "forgotten"
    return cases


@pytest.mark.parametrize("case", broken())
def test_the_schema_refuses_what_is_no_report(case: str) -> None:
    assert not VALIDATOR.is_valid(broken()[case])
