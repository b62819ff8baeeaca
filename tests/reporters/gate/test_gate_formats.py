"""Every format of the gate's report: golden files, and what holds of all of them.

`make golden` (pytest tests/reporters --golden) writes the golden files anew; read what it changes.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from drawn_reports import reports
from gate_reports import FAILED, PASSED, REPORTS
from hypothesis import given

from ddbmig.model.gate import GateReport
from ddbmig.model.location import Location
from ddbmig.reporters.gate import FORMATS
from ddbmig.reporters.gate.wording import home, verdict

GOLDEN = Path(__file__).resolve().parent / "golden"
ENDINGS = {"text": "txt", "json": "json", "sarif": "sarif", "junit": "xml", "github": "github.txt",
           "gitlab": "gitlab.json", "markdown": "md"}  # fmt: skip


def test_the_formats_are_those_that_are_promised() -> None:
    assert set(FORMATS) == set(ENDINGS)


@pytest.mark.parametrize("made", REPORTS)
@pytest.mark.parametrize("name", ENDINGS)
def test_each_format_is_its_golden_file(name: str, made: str, golden: Callable[[Path, str], str]) -> None:
    shown = FORMATS[name](REPORTS[made])
    assert shown == golden(GOLDEN / f"{made}.{ENDINGS[name]}", shown)


@given(reports())
def test_each_format_is_text_for_utf_8_that_ends_with_one_newline(report: GateReport) -> None:
    for write in FORMATS.values():
        shown = write(report)
        assert shown.encode("utf-8").endswith(b"\n")
        assert not shown.endswith("\n\n")


VERDICTS = {
    "Gate failed: 2 errors (it fails on errors that are not in the baseline).": FAILED,
    "Gate passed: nothing was found (it fails on errors and warnings).": PASSED,
    "Gate passed: none of 7 findings fails it (it fails on errors).": FAILED.model_copy(
        update={"passed": True, "new_only": False, "violations": tuple(v for v in FAILED.violations if not v.fails)}
    ),
    "Gate passed: the one finding does not fail it (it fails on errors and warnings).": PASSED.model_copy(
        update={"violations": FAILED.of("waived")}
    ),
    "Gate failed: 1 error and 2 warnings (it fails on errors and warnings).": PASSED.model_copy(
        update={
            "passed": False,
            "violations": tuple(FAILED.violations[n].model_copy(update={"fails": True}) for n in (1, 5, 6)),
        }
    ),
}


@pytest.mark.parametrize("sentence", VERDICTS)
def test_the_verdict_says_what_decided(sentence: str) -> None:
    assert verdict(VERDICTS[sentence]) == sentence


def test_what_has_no_place_stands_in_the_file_of_most_findings_or_in_the_project_file() -> None:
    assert home(FAILED) == Location(file="schema.sql", line=1)
    assert home(PASSED) == Location(file="ddbmig.yaml", line=1)


def test_what_is_known_and_fails_the_gate_nevertheless_is_shown_in_full() -> None:
    known = tuple(one.model_copy(update={"fails": True}) for one in FAILED.of("known")[:1])
    report = PASSED.model_copy(update={"passed": False, "rules": FAILED.rules, "violations": known})
    assert FORMATS["text"](report).startswith("schema.sql:40:5: warning AP002 row-over-item-target: ")
    assert FORMATS["github"](report).startswith("::warning file=schema.sql,line=40,col=5,")
    assert '"severity": "blocker"' in FORMATS["gitlab"](report)
    assert 'failures="1"' in FORMATS["junit"](report)
    assert "### Fails the gate" in FORMATS["markdown"](report)
    for write in FORMATS.values():
        assert "does not fail the gate" not in write(report)
