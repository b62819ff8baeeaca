"""Where a report goes: any set of formats at once, each to a file or to the standard output."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ddbmig.engine.wording import closest
from ddbmig.model.errors import UsageError
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

    Raises UsageError for an unknown format, two formats for one place, and a place that cannot be written.
    """
    found = [_output(text) for text in (*given, *(["json=-"] if as_json else []))] or [Output("text", None)]
    for output in found:
        if sum(output.path == other.path for other in found) > 1:
            place = str(output.path) if output.path else "the standard output"
            raise UsageError("two outputs go to one place", subject=place, hint="name a file: --output FORMAT=FILE")
        if output.path is not None:
            check_writable(output.path.parent)
    return tuple(found)


def _output(text: str) -> Output:
    name, sign, path = text.partition("=")
    if name not in FORMATS:
        hint = closest(name, FORMATS)
        raise UsageError("unknown output format", subject=name, expected=", ".join(FORMATS), hint=hint)
    if sign and not path:
        raise UsageError("an output without a file", subject=text, expected="FORMAT=FILE, or FORMAT=-")
    return Output(name, None if path in ("", STDOUT) else Path(path))


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
