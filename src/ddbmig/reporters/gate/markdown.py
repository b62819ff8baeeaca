"""The gate's report for a pull request's comment or a job's summary: GitHub's Markdown, names stay text."""

from collections.abc import Sequence

from ddbmig.model.gate import GateReport, Violation
from ddbmig.reporters.gate.wording import accepted, counted, excuse, looked_at, pending, remark, verdict
from ddbmig.reporters.markdown import Markup, bullets, code, heading, joined, number, table
from ddbmig.reporters.pages import page, paragraph, plural, say, section

MOST = 30
"""Rows of one table, so that a comment can be read and keeps, as a rule, within GitHub's 65,536 characters."""


def markdown_report(report: GateReport) -> str:
    """The verdict, what fails the gate, what else is open, and collapsed what is accepted or was not looked at."""
    failing = [one for one in report.violations if one.fails]
    others = [one for one in pending(report) if not one.fails]
    return page(
        heading(2, f"ddbmig check: {'passed' if report.passed else 'failed'}"),
        paragraph("{}", verdict(report)),
        section("Fails the gate", *_findings(failing), level=3) if failing else "",
        section("Does not fail the gate", *_findings(others), level=3) if others else "",
        _accepted(accepted(report)),
        _scope(report),
    )


def _findings(violations: Sequence[Violation]) -> tuple[str, str]:
    rows = [
        (one.finding.severity, _rule(one), code(one.object), _where(one), _what(one), _instead(one))
        for one in violations[:MOST]
    ]
    return table(("severity", "rule", "object", "where", "what", "instead"), rows), _more(violations)


def _more(violations: Sequence[Violation]) -> Markup:
    more = len(violations) - MOST
    return paragraph("{} more: the formats text and json have them.", number(more)) if more > 0 else Markup("")


def _rule(violation: Violation) -> Markup:
    return say("{} {}", violation.finding.rule, violation.finding.title)


def _what(violation: Violation) -> Markup:
    finding = violation.finding
    because = [say("because {}", line) for line in finding.because]
    warning = [say("**{}**", finding.warning)] if finding.warning else []
    return joined(finding.message, *because, *warning, *remark(violation), separator="<br>")


def _where(violation: Violation) -> Markup:
    at = violation.location
    return code(f"{at.file}:{at.line}") if at else Markup("–")


def _instead(violation: Violation) -> str:
    return violation.finding.instead or Markup("–")


def _accepted(violations: Sequence[Violation]) -> Markup:
    if not violations:
        return Markup("")
    rows = [
        (one.standing, one.finding.severity, _rule(one), code(one.object), _where(one), excuse(one))
        for one in violations[:MOST]
    ]
    shown = table(("standing", "severity", "rule", "object", "where", "why"), rows)
    return _collapsed(f"Accepted: {counted(len(violations), 'finding')}", shown, _more(violations))


def _scope(report: GateReport) -> Markup:
    off = [say("{} {} is switched off by {}", one.rule, one.title, code(one.by)) for one in report.switched_off]
    unsaid = [*off, *report.not_evaluated, *report.notes]
    in_force = paragraph("{} in force; looked at: {}.", plural(len(report.rules), "rule"), looked_at(report))
    return _collapsed("Scope", in_force, bullets(unsaid))


def _collapsed(title: str, *blocks: str) -> Markup:
    """A part that a reader opens."""
    opening = Markup(f"<details>\n<summary>{title}</summary>\n")
    return Markup(page(opening, *blocks, Markup("</details>\n")))
