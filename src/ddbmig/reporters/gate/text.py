"""The gate's report for a terminal: what is to be looked at in full, what is accepted in short, and a summary."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from ddbmig.model.assessment import Severity
from ddbmig.model.gate import GateReport, Standing, Violation
from ddbmig.reporters.gate.wording import (
    SEVERITIES,
    accepted,
    counted,
    details,
    excuse,
    headline,
    looked_at,
    pending,
    place,
    remark,
    verdict,
)
from ddbmig.reporters.markdown import visible

WIDTH = 80
STANDINGS: tuple[Standing, ...] = get_args(Standing)
_RED, _GREEN, _YELLOW, _CYAN = "1;31", "1;32", "1;33", "1;36"
_COLOURS: Mapping[Severity, str] = {"error": _RED, "warning": _YELLOW, "info": _CYAN}
_COMMAND = re.compile(r"^ *(?=::)|(?<=#)(?=#\w*\[)", re.MULTILINE)
"""Where a backslash keeps a line of the log from being a command to the runner: `::error::` and `##[error]` of GitHub,
`##vso[…]` of Azure, `##teamcity[…]`."""


def text_report(report: GateReport, colour: bool = False) -> str:
    """The report as lines of 80 columns; names, and the line that starts a finding, are never broken."""
    blocks = [
        *(_in_full(violation, colour) for violation in pending(report)),
        _accepted(accepted(report)),
        _findings(report),
        _rules(report),
        _list("Not evaluated:", report.not_evaluated),
        _list("Notes:", report.notes),
        _painted(verdict(report), _GREEN if report.passed else _RED, colour),
    ]
    return "\n\n".join(_COMMAND.sub(r"\g<0>\\", block) for block in blocks if block) + "\n"


def _painted(text: str, code: str, colour: bool) -> str:
    """`text` in a colour of the terminal (ECMA-48, select graphic rendition)."""
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _in_full(violation: Violation, colour: bool) -> str:
    lines = [visible(violation.finding.message), *details(violation), *remark(violation)]
    return "\n".join([_first_line(violation, colour), *(_wrapped(line, "  ", "    ") for line in lines)])


def _first_line(violation: Violation, colour: bool = False) -> str:
    where = f"{place(violation.location)}: " if violation.location else ""
    severity = violation.finding.severity
    return f"{where}{_painted(severity, _COLOURS[severity], colour)} {headline(violation)}"


def _wrapped(line: str, first: str = "", others: str = "  ") -> str:
    return textwrap.fill(
        line,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _accepted(violations: Sequence[Violation]) -> str:
    if not violations:
        return ""
    lines = [_wrapped(f"{_first_line(one)} ({excuse(one)})", "  ", "    ") for one in violations]
    return "\n".join(["Accepted:", *lines])


def _findings(report: GateReport) -> str:
    """How many findings there are, by severity and standing."""
    if not report.violations:
        return "Findings: none"
    counts = Counter((violation.finding.severity, violation.standing) for violation in report.violations)
    lines = [f"{'Findings:':<11}" + "".join(f"{standing:>8}" for standing in STANDINGS)]
    for severity in SEVERITIES:
        numbers = "".join(f"{counts[severity, standing]:>8,}" for standing in STANDINGS)
        lines.append(f"  {severity:<9}{numbers}")
    return "\n".join(lines)


def _rules(report: GateReport) -> str:
    """What was in force, what it looked at, and what was switched off."""
    packs = Counter(rule.pack for rule in report.rules)
    scoring = sum(rule.severity is None for rule in report.rules)
    shares = ", ".join(f"{pack} {packs[pack]:,}" for pack in sorted(packs))
    in_force = f"{len(report.rules):,} ({shares})" if packs else "none"
    for_scores = f"; for scores only: {scoring:,}" if scoring else ""
    off = [f"{rule.rule} {rule.title}, by {rule.by}" for rule in report.switched_off]
    blocks = [
        _wrapped(visible(f"Rules in force: {in_force}{for_scores}")),
        _wrapped(f"Looked at: {looked_at(report)}"),
        _list(f"Switched off: {counted(len(off), 'rule')}", off) if off else "Switched off: none",
    ]
    return "\n".join(blocks)


def _list(title: str, items: Iterable[str]) -> str:
    lines = [_wrapped(visible(item), "  - ", "    ") for item in items]
    return "\n".join([title, *lines]) if lines else ""
