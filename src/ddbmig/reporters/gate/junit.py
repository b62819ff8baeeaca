"""The gate's report as JUnit XML: a suite for each phase, a case for each rule that holds and for each finding.

There is no standard; the elements are those that GitLab and Jenkins read. A rule that scores cannot be violated, so it
is no case.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ddbmig.model.assessment import Phase
from ddbmig.model.gate import GateReport, RuleSummary, Violation
from ddbmig.reporters.gate.wording import PHASES, details, excuse, headline, objects, pending, place
from ddbmig.reporters.markdown import visible


def junit_report(report: GateReport) -> str:
    """A finding that fails the gate is a failure, another is skipped with the reason. A rule without a pending finding
    is passed, but skipped where there was no object that it could look at."""
    root = Element("testsuites", name="ddbmig check")
    root.extend(suite for phase in PHASES if len(suite := _suite(report, phase)))
    _count(root)
    indent(root)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{tostring(root, encoding='unicode')}\n"


def _suite(report: GateReport, phase: Phase) -> Element:
    """The cases of one phase, by rule, a rule before its findings."""
    suite = Element("testsuite", name=phase)
    cases = [*_rules(report, phase), *_findings(report, phase)]
    suite.extend(case for _, case in sorted(cases, key=lambda keyed: keyed[0]))
    _count(suite)
    return suite


def _rules(report: GateReport, phase: Phase) -> Iterator[tuple[tuple[str, str], Element]]:
    broken = {violation.finding.rule for violation in pending(report)}
    for rule in report.rules:
        if rule.applies_to == phase and rule.severity is not None and rule.id not in broken:
            yield (rule.id, ""), _rule(rule, report.evaluated.get(phase, 0))


def _rule(rule: RuleSummary, looked_at: int) -> Element:
    case = _case(rule.applies_to, visible(f"{rule.id} {rule.title}"))
    if not looked_at:
        SubElement(case, "skipped", message=f"nothing to look at: {objects(rule.applies_to, 0)}")
    return case


def _findings(report: GateReport, phase: Phase) -> Iterator[tuple[tuple[str, str], Element]]:
    for violation in report.violations:
        if violation.applies_to == phase:
            yield (violation.finding.rule, violation.finding.subject), _finding(violation)


def _finding(violation: Violation) -> Element:
    finding, location = violation.finding, violation.location
    case = _case(violation.applies_to, headline(violation))
    if location:
        case.set("file", visible(location.file))
        case.set("line", str(location.line))
    if violation.fails:
        outcome = SubElement(case, "failure", type=finding.severity, message=visible(finding.message))
    else:
        outcome = SubElement(case, "skipped", message=excuse(violation))
    where = [place(location)] if location else []
    outcome.text = "\n".join([*where, visible(finding.message), *details(violation)])
    return case


def _case(phase: Phase, name: str) -> Element:
    return Element("testcase", classname=f"ddbmig.{phase}", name=name)


def _count(element: Element) -> None:
    """The numbers that readers compare with the elements below."""
    outcomes = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for attribute, tag in outcomes.items():
        element.set(attribute, str(len(list(element.iter(tag)))))
