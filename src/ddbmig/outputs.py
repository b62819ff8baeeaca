"""Where a report goes: any set of formats at once, each to a file or to the standard output."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ddbmig.engine.wording import closest
from ddbmig.model.errors import RuleError, UsageError
from ddbmig.model.gate import GateReport
from ddbmig.project import check_writable, write_file
from ddbmig.reporters.gate import FORMATS
from ddbmig.reporters.gate.text import text_report

STDOUT = "-"


@dataclass(frozen=True)
class Output:
    """One format, and the file it goes to; None: the standard output."""

    format: str
    path: Path | None


def outputs_of(given: Sequence[str], as_json: bool) -> tuple[Output, ...]:
    """What `--output FORMAT[=FILE]` and `--json` ask for; text, where they ask for nothing.

    Raises RuleError with every unknown format, two formats for one place, and each place that cannot be written.
    """
    found, mistakes = list[Output](), list[UsageError]()
    for text in (*given, *(["json=-"] if as_json else [])) or ["text"]:
        try:
            output = _output(text)
            if output.path in (other.path for other in found):
                place = str(output.path) if output.path else "the standard output"
                raise UsageError("two outputs go to one place", subject=place, hint="name a file: --output FORMAT=FILE")
            found.append(output)
        except UsageError as error:
            mistakes.append(error)
    if mistakes:
        raise RuleError(tuple(mistakes))
    return tuple(found)


def _output(text: str) -> Output:
    name, sign, path = text.partition("=")
    if name not in FORMATS:
        hint = closest(name, FORMATS)
        raise UsageError("unknown output format", subject=name, expected=", ".join(FORMATS), hint=hint)
    if sign and not path:
        raise UsageError("an output without a file", subject=text, expected="FORMAT=FILE, or FORMAT=-")
    output = Output(name, None if path in ("", STDOUT) else Path(path))
    if output.path is not None:
        check_writable(output.path.parent)
    return output


def write_outputs(report: GateReport, outputs: Sequence[Output], *, colour: bool) -> str:
    """Write the outputs that go to files; returns what goes to the standard output."""
    printed = ""
    for output in outputs:
        if output.path is not None:
            write_file(output.path, FORMATS[output.format](report).encode("utf-8", "surrogatepass"))
        elif output.format == "text":
            printed = text_report(report, colour=colour)
        else:
            printed = FORMATS[output.format](report)
    return printed


def may_be_coloured(stream: TextIO) -> bool:
    """On a terminal only, and not where NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")
