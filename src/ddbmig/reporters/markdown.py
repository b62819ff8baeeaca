"""Building blocks of Markdown whose content nobody trusts: names and texts from a database stay text.

A plain `str` is always text and is escaped where it enters Markdown; a `Markup` is Markdown already and is kept (put
parts together with `joined`: an f-string of them is a plain `str` again). Every function is pure. What they write is
GitHub's flavour of CommonMark 0.31 (tables; https://github.github.com/gfm/).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import count

from ddbmig.model.assessment import Relationship
from ddbmig.model.schema import Table

UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
"""Binary, as DynamoDB counts: 1 KB = 1,024 B."""

_SPACE = re.compile(r"[\s\u2028\u2029]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
"""Control characters, and those that hide or reorder text."""
_SPECIAL = re.compile(r"[\\`*\[\]<|~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|#(?=#*$)")
"""What CommonMark or GitHub may read as markup in the middle of a line; an underscore inside a word is none."""
_LINE_START = re.compile(r"^(?:[-+>#=]|(\d+)(?=[.)]))")
_LINK = re.compile(r"(?i)(?:https?|ftp|mailto|xmpp)(?=:)|www(?=\.)|(?=@)")
"""Where a backslash keeps GitHub from making a link of an address."""
_ENOUGH = Context(prec=1000, rounding=ROUND_HALF_EVEN)
"""Holds every float to the last place."""


class Markup(str):
    """Text that is Markdown already: it enters tables and paragraphs as it is."""

    __slots__ = ()


def visible(value: str) -> str:
    """`value` on one line: white space folded, control, invisible and reordering characters shown as �."""
    return _CONTROL.sub("\ufffd", _SPACE.sub(" ", value)).strip(" ")


def text(value: str) -> Markup:
    """A text in running Markdown, on one line, that renders as itself and as nothing else: no HTML, no link."""
    if isinstance(value, Markup):
        return value
    escaped = _SPECIAL.sub(_escape, visible(value))
    escaped = _LINE_START.sub(lambda found: f"{found[1]}\\" if found[1] else f"\\{found[0]}", escaped)
    return Markup(_LINK.sub(r"\g<0>\\", escaped))


def _escape(found: re.Match[str]) -> str:
    return {"<": "&lt;", "&": "&amp;"}.get(found[0], f"\\{found[0]}")


def code(value: str) -> Markup:
    """A name or a piece of SQL as a code span, on one line; backticks inside it stay backticks."""
    content = visible(value) or " "
    if "\\|" in content:  # no code span can say this inside a table, where renderers differ on it
        return Markup(f"<code>{text(content)}</code>")
    fence = "`" * (_longest_run(content, "`") + 1)
    pad = " " if content.startswith("`") or content.endswith("`") else ""
    return Markup(f"{fence}{pad}{content}{pad}{fence}")


def code_block(value: str, language: str = "") -> Markup:
    """Several lines of code; a fence inside it does not end it."""
    lines = (_CONTROL.sub("\ufffd", line.expandtabs(4)) for line in value.splitlines())
    body = "\n".join(lines)
    fence = "`" * max(3, _longest_run(body, "`") + 1)
    return Markup(f"{fence}{language}\n{body}\n{fence}\n")


def _longest_run(value: str, character: str) -> int:
    return max(map(len, re.findall(f"{re.escape(character)}+", value)), default=0)


def heading(level: int, value: str) -> Markup:
    """A heading of level 1 to 6."""
    if not 1 <= level <= 6:
        raise ValueError(f"a heading has a level of 1 to 6, not {level}")
    return Markup(f"{'#' * level} {text(value) or '�'}\n")


def joined(*parts: str, separator: str = "") -> Markup:
    """Texts and pieces of Markdown as one piece; `separator` is Markdown."""
    return Markup(separator.join(_part(part) for part in parts))


def _part(value: str) -> str:
    """`text` that keeps the spaces at its ends, since it stands between others."""
    if isinstance(value, Markup):
        return value
    if not value.strip():
        return _SPACE.sub(" ", value)
    before, after = value[:1].isspace() * " ", value[-1:].isspace() * " "
    return f"{before}{text(value)}{after}"


def bullets(items: Iterable[str]) -> Markup:
    """A list, one line for each item."""
    return Markup("".join(f"- {text(item)}\n" for item in items))


def cell(value: str) -> Markup:
    """One cell of a table: on one line, its pipes escaped (in a table that holds for code spans too)."""
    line = _SPACE.sub(" ", text(value)).strip(" ")
    return Markup(re.sub(r"(?<!\\)((?:\\\\)*)\|", r"\1\\|", line))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> Markup:
    """A table; the columns whose numbers are in `right` are aligned to the right.

    Raises ValueError for a row of another width: a report never loses a cell silently.
    """
    marks = ["---:" if number in right else "---" for number in range(len(headers))]
    lines = [_row(headers), _row([Markup(mark) for mark in marks])]
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"a row of {len(row)} cells in a table of {len(headers)} columns")
        lines.append(_row(row))
    return Markup("".join(lines))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell(value) for value in cells)} |\n"


def number(value: float | Decimal, digits: int | None = None) -> Markup:
    """A number with thousands separators.

    `digits` fixes the decimal places; without it a whole number has none and another keeps three significant digits
    (all of those before the point). Rounds half to even on the number's shortest decimal form.
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        raise ValueError("a report shows finite numbers only")
    places = digits if digits is not None else _places(exact)
    rounded = _ENOUGH.quantize(exact, Decimal(1).scaleb(-places))
    shown = f"{rounded:,f}"
    if digits is None and "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return Markup("0" if shown == "-0" else shown)


def _places(exact: Decimal) -> int:
    """Decimal places that keep three significant digits; none for whole numbers and from 100 on."""
    if exact == exact.to_integral_value():
        return 0
    return max(0, 2 - exact.adjusted())


def percent(share: float, digits: int = 1) -> Markup:
    """A share of 1 as percent; what would round to nothing shows as less than the smallest step."""
    step = Decimal(1).scaleb(-digits)
    value = Decimal(repr(share)) * 100
    if 0 < value < step / 2:
        return Markup(f"under {step:f} %")
    return Markup(f"{number(value, digits)} %")


def money(amount: Decimal) -> Markup:
    """An amount of US dollars: cents, or below one cent two significant digits.

    Raises TypeError for a float: money is Decimal.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"money is Decimal, not {type(amount).__name__}")
    size = abs(amount)
    places = 2 if size == 0 or size >= Decimal("0.01") else 1 - size.adjusted()
    return Markup(f"{'-' if amount < 0 else ''}${number(size, places)}")


def bytes_(count: float) -> Markup:
    """A size in bytes, in the unit that keeps it under 1,024; 1 KB = 1,024 B."""
    size, unit = Decimal(repr(count)), 0
    while abs(size) >= 1024 and unit < len(UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return Markup(f"{number(size)} {UNITS[unit]}")


MERMAID_NEIGHBOURS = 12
"""More boxes than this round one table cannot be read in a page's width."""
_NOT_IN_MERMAID_NAME = re.compile(r"[^\w .-]")
_NOT_IN_MERMAID_WORD = re.compile(r"[^A-Za-z0-9_]")
_MERMAID_KEYS = frozenset({"PK", "FK", "UK"})


def mermaid_er(
    tables: Iterable[Table], relationships: Iterable[Relationship], focus: str, neighbours: int = MERMAID_NEIGHBOURS
) -> Markup:
    """An entity-relationship diagram of the table with id `focus` and the tables it is directly related to.

    Boxes show key columns only. A declared relationship is a line, an inferred one a dashed line; one that may be
    absent (a nullable child column) has a circle at the parent. Of more than `neighbours` tables those with the first
    ids are drawn, and a line below says how many were left out. Relationships to a table that is not in `tables` are
    left out.
    Syntax: https://mermaid.js.org/syntax/entityRelationshipDiagram.html. Raises KeyError when `focus` is no table.
    """
    known = {table.id: table for table in tables}
    touching = [one for one in _by_id(relationships) if focus in (one.child, one.parent)]
    touching = [one for one in touching if one.child in known and one.parent in known]
    near = sorted({end for one in touching for end in (one.child, one.parent)} - {focus})
    shown = [known[focus], *(known[name] for name in near[:neighbours])]
    names = _unique_names([table.id for table in shown])
    drawn = [one for one in touching if one.child in names and one.parent in names]
    lines = ["erDiagram"]
    for table in shown:
        lines += _mermaid_entity(table, names[table.id], drawn)
    lines += [_mermaid_line(one, known[one.child], names) for one in drawn]
    left_out = len(near) - len(shown) + 1
    note = (
        f"\nNot drawn: {number(left_out)} more related {'table' if left_out == 1 else 'tables'}.\n" if left_out else ""
    )
    return Markup(code_block("\n".join(lines), "mermaid") + note)


def _by_id(relationships: Iterable[Relationship]) -> list[Relationship]:
    return sorted(relationships, key=lambda one: one.id)


def _unique_names(ids: Sequence[str]) -> dict[str, str]:
    """Per id a name that Mermaid takes between double quotes; two ids never share one."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for one in ids:
        name = _NOT_IN_MERMAID_NAME.sub("_", visible(one)) or "_"
        candidates = (name if again == 1 else f"{name} {again}" for again in count(1))
        names[one] = next(candidate for candidate in candidates if candidate not in taken)
        taken.add(names[one])
    return names


def _mermaid_entity(table: Table, name: str, drawn: Iterable[Relationship]) -> list[str]:
    foreign = {column.lower() for one in drawn if one.child == table.id for column in one.child_columns}
    primary = {column.lower() for column in table.primary_key}
    unique = {index.columns[0].lower() for index in table.unique_keys() if len(index.columns) == 1}
    lines = []
    for column in table.columns:
        marks = (("PK", primary), ("FK", foreign), ("UK", unique))
        keys = ", ".join(mark for mark, columns in marks if column.name.lower() in columns)
        if keys:
            lines.append(f"        {_mermaid_word(column.type)} {_mermaid_word(column.name)} {keys}")
    return [f'    "{name}" {{', *lines, "    }"] if lines else [f'    "{name}"']


def _mermaid_word(value: str) -> str:
    """An attribute's type or name: ASCII letters, digits and underscores, and none of Mermaid's own words."""
    word = _NOT_IN_MERMAID_WORD.sub("_", value)
    return f"_{word}" if not word or word[0].isdigit() or word in _MERMAID_KEYS else word


def _mermaid_line(one: Relationship, child: Table, names: Mapping[str, str]) -> str:
    optional = any(child.has_column(name) and child.column(name).nullable for name in one.child_columns)
    declared = any(source.kind == "declared" for source in one.evidence)
    line = f"{'|o' if optional else '||'}{'--' if declared else '..'}{'o|' if one.cardinality == '1:1' else 'o{'}"
    label = _NOT_IN_MERMAID_NAME.sub("_", visible(" ".join(one.child_columns)))
    return f'    "{names[one.parent]}" {line} "{names[one.child]}" : "{label}"'
