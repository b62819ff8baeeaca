"""Text for a terminal of 80 columns."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap

WIDTH = 80
_CELL_END = re.compile(r"(?<!\\)\|")


def fitted(lines: Iterable[str]) -> str:
    """Lines of at most 80 columns: a longer one goes on below, further in. A name is never broken."""
    return "".join(f"{part}\n" for line in lines for part in _parts(line))


def laid_out(markdown: str) -> str:
    """A page for a terminal: of a table that is too wide, each row is a block with a line for each further cell."""
    groups = groupby(markdown.splitlines(), key=lambda line: line.startswith("| "))
    return fitted(line for tabular, lines in groups for line in (_table(list(lines)) if tabular else lines))


def _parts(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    indent = line[: len(line) - len(line.lstrip(" "))]
    return wrap(line.lstrip(" "), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ",
                break_long_words=False, break_on_hyphens=False)  # fmt: skip


def _table(lines: list[str]) -> Iterator[str]:
    if max(map(len, lines)) <= WIDTH:
        yield from lines
        return
    head, _, *rows = ([cell.strip() for cell in _CELL_END.split(line)[1:-1]] for line in lines)
    for first, *others in rows:
        yield first
        yield from (f"  {name}: {cell}" for name, cell in zip(head[1:], others, strict=True))
