"""JUnit XML: counts that agree with the elements, and an outcome for each rule and each finding."""

from xml.etree import ElementTree

from drawn_reports import reports
from gate_reports import FAILED, IMAGE, LINES, PASSED
from hypothesis import given

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.junit import junit_report
from ddbmig.reporters.markdown import visible


def parsed(report: GateReport) -> ElementTree.Element:
    return ElementTree.XML(junit_report(report))


def outcome(case: ElementTree.Element) -> str:
    """`passed`, `failure`, or the reason why it was skipped."""
    below = list(case)
    assert len(below) <= 1
    if not below:
        return "passed"
    return below[0].tag if below[0].tag == "failure" else below[0].get("message", "")


@given(reports())
def test_the_counts_are_those_of_the_elements(report: GateReport) -> None:
    root = parsed(report)
    for element in (root, *root):
        counted = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
        for attribute, tag in counted.items():
            assert element.get(attribute) == str(len(element.findall(f".//{tag}")))
    assert len(root.findall(".//failure")) == sum(one.fails for one in report.violations)


@given(reports())
def test_each_finding_is_a_case_of_the_suite_of_its_phase(report: GateReport) -> None:
    for suite in parsed(report):
        found = [one for one in report.violations if one.applies_to == suite.get("name")]
        rules = {one.id for one in report.rules if one.applies_to == suite.get("name") and one.severity}
        rules -= {one.finding.rule for one in found if one.standing == "open" or one.fails}
        assert len(suite) == len(found) + len(rules)


def test_the_outcomes() -> None:
    outcomes = {case.get("name"): outcome(case) for case in parsed(FAILED).iter("testcase")}
    assert outcomes["AC001 table-has-owner"] == "passed"
    assert outcomes["AP001 row-over-item-limit"] == "passed"
    assert outcomes["PR018 results-differ"] == "nothing to look at: 0 validations"
    assert outcomes[f"PR012 rows-without-identity: {visible(LINES)}"] == "failure"
    assert outcomes[f"PR012 rows-without-identity: {IMAGE}"] == "failure"
    assert outcomes["AP001 row-over-item-limit: documents"].startswith("waived by A. Owner until 2027-03-31")
    assert outcomes["PW003 entity-boundary-violation: orders.book_id->books.id"] == "in the baseline"
    assert outcomes["AP009 generic-index-name: orders/gsi1"] == "the gate does not fail on severity info"
    assert "the rule is in preview" in outcomes.values()
    assert not [name for name in outcomes if name in ("PR012 rows-without-identity", "DM003 high-read-correlation")]


def test_nothing_tells_when_or_where_it_ran() -> None:
    attributes = {name for element in parsed(FAILED).iter() for name in element.attrib}
    counts = {"tests", "failures", "errors", "skipped"}
    assert attributes == {"name", "classname", "file", "line", "message", "type"} | counts


def test_a_rule_that_holds_is_a_passed_case() -> None:
    assert [outcome(case) for case in parsed(PASSED).iter("testcase")] == ["passed"]
