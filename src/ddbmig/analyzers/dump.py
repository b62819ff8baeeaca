"""The rows of a mysqldump, streamed: INSERT and REPLACE statements -> (table id, cells in the order of its columns).

Cells are None, int, Decimal, float, str (dates as written) and bytes, typed by the column. One regular expression per
table takes a row apart. What cannot be read is counted, with the place where it first occurred.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from pathlib import Path

from ddbmig.analyzers.files import open_input
from ddbmig.analyzers.sqlscript import Statement, statements
from ddbmig.model.encodings import BINARY_TYPES, FLOAT_TYPES, INTEGER_BITS, SPATIAL_TYPES, Cell
from ddbmig.model.schema import Column, InputProblem, Schema, Table

Row = tuple[Cell, ...]

_SPACE = rb"(?:\s|/\*M?!\d*+|\*/)*+"
_NAME = rb"(?:`(?:[^`]|``)++`|\"[^\"]++\"|[\w$\x80-\xff]++)"
_WANTED = re.compile(_SPACE + rb"(?:INSERT|REPLACE|USE|SET\s+NAMES)\b", re.IGNORECASE)
_HEAD = re.compile(
    _SPACE + rb"(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE)\s+)*(?:INTO\s+)?"
    rb"(?:(?P<schema>" + _NAME + rb")\s*\.\s*)?(?P<table>" + _NAME + rb")\s*"
    rb"(?:PARTITION\s*\([^)]*\)\s*)?(?:\((?P<columns>[^)]*)\)\s*)?(?P<values>VALUES?\b\s*)?",
    re.IGNORECASE,
)
_SESSION = re.compile(_SPACE + rb"(?:USE\s+(?P<use>" + _NAME + rb")|SET\s+NAMES\s+'?(?P<names>\w+))", re.IGNORECASE)
_DATABASE_LINE = re.compile(rb"--.*?\bDatabase:\s*`?([^`\s]+)")
_STRING = rb"(?:'(?:[^'\\]++|\\.|'')*+'|\"(?:[^\"\\]++|\\.|\"\")*+\")"
_VALUE = rb"\s*+((?:_\w++\s*+|[bBxXnN])?" + _STRING + rb"|_binary\s++0x\w++|[^\s'\",()]++)\s*+"
_INSIDE = rb"[^()'\"]++|" + _STRING
_ANY_ROW = re.compile(rb"\((?:" + _INSIDE + rb"|\((?:" + _INSIDE + rb")*+\))*+\)\s*,?\s*", re.DOTALL)
_TAIL = re.compile(rb"\s*(?:\*/\s*)?(?:(?:AS\s|ON\s+DUPLICATE\s).*)?\Z", re.IGNORECASE | re.DOTALL)
_ESCAPE = {quote: re.compile(rb"\\(.)|" + quote * 2, re.DOTALL) for quote in (b"'", b'"')}
_INTRODUCER = re.compile(rb"_\w++\s*+")
_NUMBER_START = tuple(bytes([byte]) for byte in b"0123456789+-.")
_ESCAPED = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a", b"%": b"\\%", b"_": b"\\_"}
_CODECS = {"utf8": "utf-8", "utf8mb3": "utf-8", "utf8mb4": "utf-8", "binary": "utf-8", "latin1": "cp1252"}


class DumpReader:
    """Reads the rows of data dumps. `files` are paths with the names that messages show.

    After `rows()` is exhausted, `problems` says what was not read: per table, kind of problem and file one entry with
    the number of rows and the first line; `lost` counts those rows by the table's name in the dump.
    """

    def __init__(self, files: Sequence[tuple[Path, str]], schema: Schema) -> None:
        self._files = files
        self._tables = _Tables(schema)
        self._counts: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._file = ""
        self._codec = "utf-8"

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Every row as (table id, cells), in the order of the files. Raises InputError for a damaged file."""
        for path, name in self._files:
            self._file, self._codec = name, "utf-8"
            current, inserts = "", 0
            with open_input(path) as opened:
                for statement in statements(opened.lines(), lambda head: bool(_WANTED.match(head))):
                    if head := _HEAD.match(statement.text):
                        inserts += 1
                        yield from self._insert(statement, head, current)
                    else:
                        current = self._session(statement, current)
            if not inserts:
                self._count(1, "", "the file holds no INSERT statement", 0)

    @property
    def problems(self) -> tuple[InputProblem, ...]:
        """What was not read, in the order of its first occurrence."""
        return tuple(
            InputProblem(file=file, line=line, subject=table, message=_counted(message, count))
            for (file, table, message), (count, line) in self._counts.items()
        )

    @property
    def lost(self) -> Mapping[str, int]:
        """Rows that were not read, by the table's name in the dump, sorted."""
        lost: dict[str, int] = {}
        for (_, table, _), (count, _) in self._counts.items():
            if table and count:
                lost[table] = lost.get(table, 0) + count
        return dict(sorted(lost.items()))

    def _count(self, line: int, table: str, message: str, rows: int = 1) -> None:
        known, first = self._counts.get((self._file, table, message), (0, line))
        self._counts[self._file, table, message] = (known + rows, first)

    def _session(self, statement: Statement, current: str) -> str:
        """Follow USE, the dump's `Database:` line and SET NAMES; the database in use from here on."""
        if match := _DATABASE_LINE.match(statement.text):
            return match[1].decode("utf-8", "replace")
        if not (match := _SESSION.match(statement.text)):
            if not statement.text.startswith(b"--"):
                self._count(statement.line, "", "statements that are not understood")
            return current
        if match["names"]:
            self._codec = _codec(match["names"].decode().lower())
            return current
        return _identifier(match["use"])

    def _insert(self, statement: Statement, head: re.Match[bytes], current: str) -> Iterator[tuple[str, Row]]:
        name = _identifier(head["table"])
        if not head["values"]:
            self._count(statement.line, name, "statements without VALUES; what they insert is not known")
            return
        schema = _identifier(head["schema"]) if head["schema"] else current
        table = self._tables.find(schema, name)
        if table is None:
            rows = sum(1 for _ in _ANY_ROW.finditer(statement.text, head.end()))
            self._count(statement.line, name, "rows of a table that the schema does not have", rows)
            return
        yield from self._table_rows(statement, head, table)

    def _table_rows(self, statement: Statement, head: re.Match[bytes], table: Table) -> Iterator[tuple[str, Row]]:
        text, at = statement.text, head.end()
        layout = self._layout(statement, head, table)
        while True:
            # The common case stays in this loop: one match and one conversion per value.
            while layout and (match := layout.pattern.match(text, at)):
                at = match.end()
                try:
                    row = layout.row(match.groups())
                except (ValueError, InvalidOperation):
                    self._count(_line(statement, match.start()), table.name, "rows with a value that does not fit")
                    continue
                yield table.id, row
            if not (other := _ANY_ROW.match(text, at)):
                break
            message = "rows with another number of values than columns, or with an expression"
            self._count(_line(statement, at), table.name, message)
            at = other.end()
        read = text[head.end() : at].rstrip()
        if not read or read.endswith(b",") or not _TAIL.match(text, at) or not statement.complete:
            self._count(_line(statement, at), table.name, "statements that end in something not understood", 0)

    def _layout(self, statement: Statement, head: re.Match[bytes], table: Table) -> "_Layout | None":
        """How rows of this statement are laid out; None where a column is unknown."""
        if head["columns"] is None:
            stored = tuple(column.name for column in table.columns if column.generated is None)
            layouts = [self._tables.layout(table, names, self._codec) for names in (_names(table), stored)]
            return next((each for each in layouts if each.pattern.match(statement.text, head.end())), layouts[0])
        names = tuple(_identifier(name) for name in re.findall(_NAME, head["columns"]))
        if unknown := [name for name in names if not table.has_column(name)]:
            self._count(statement.line, table.name, f"statements that name column {unknown[0]}, which is unknown", 0)
            return None
        layout = self._tables.layout(table, names, self._codec)
        for column in layout.unknown_defaults:
            message = f"column {column} is left out and its default is an expression; it is read as NULL"
            self._count(statement.line, table.name, message, 0)
        return layout


def _counted(message: str, count: int) -> str:
    return f"{message}: {count}" if count else message


def _line(statement: Statement, at: int) -> int:
    return statement.line + statement.text.count(b"\n", 0, at)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _identifier(token: bytes) -> str:
    text = token.decode("utf-8", "replace")
    return text[1:-1].replace("``", "`") if text[:1] in '`"' else text


def _codec(charset: str) -> str:
    """Python's codec for a MySQL character set; UTF-8 where Python has none of that name."""
    name = _CODECS.get(charset, charset)
    try:
        "".encode(name)
    except LookupError:
        return "utf-8"
    return name


# --- where cells go ---


@dataclass
class _Numbering:
    """AUTO_INCREMENT of one table: the highest number so far, for rows that leave it to the server."""

    position: int
    highest: int = 0

    def number(self, row: Row) -> Row:
        value = row[self.position]
        if value is None:
            self.highest += 1
            return (*row[: self.position], self.highest, *row[self.position + 1 :])
        if isinstance(value, int) and value > self.highest:
            self.highest = value
        return row


@dataclass(frozen=True)
class _Layout:
    """How the values of one kind of INSERT become the cells of a row."""

    pattern: re.Pattern[bytes]
    converters: tuple[Callable[[bytes], Cell], ...]
    positions: tuple[int, ...] | None
    """Where each value goes; None where values are all columns in their order."""
    defaults: Row
    numbering: _Numbering | None
    unknown_defaults: tuple[str, ...] = ()

    def row(self, values: tuple[bytes, ...]) -> Row:
        """Raises ValueError or InvalidOperation for a value that does not fit its column."""
        cells = [
            None if len(value) == 4 and value.upper() == b"NULL" else convert(value)
            for convert, value in zip(self.converters, values, strict=True)
        ]
        if self.positions is not None:
            placed = list(self.defaults)
            for position, cell in zip(self.positions, cells, strict=True):
                placed[position] = cell
            cells = placed
        return self.numbering.number(tuple(cells)) if self.numbering else tuple(cells)


class _Tables:
    """The tables by name, and the layouts made for them so far."""

    def __init__(self, schema: Schema) -> None:
        self._by_name: dict[str, list[Table]] = {}
        for table in schema.tables:
            self._by_name.setdefault(table.name.lower(), []).append(table)
        self._layouts: dict[tuple[str, tuple[str, ...], str], _Layout] = {}
        self._numberings: dict[str, _Numbering] = {}

    def find(self, schema: str, name: str) -> Table | None:
        """The table called so: in this schema, else the only one of that name (dumps move between schemas)."""
        alike = self._by_name.get(name.lower(), [])
        exact = [table for table in alike if table.name == name] or alike
        here = [table for table in exact if table.schema_name.lower() == schema.lower()]
        found = here or exact
        return found[0] if len(found) == 1 else None

    def layout(self, table: Table, names: tuple[str, ...], codec: str) -> _Layout:
        """The layout for values of these columns."""
        key = (table.id, names, codec)
        if key not in self._layouts:
            self._layouts[key] = self._new_layout(table, names, codec)
        return self._layouts[key]

    def _new_layout(self, table: Table, names: tuple[str, ...], codec: str) -> _Layout:
        spelled = [column.name.lower() for column in table.columns]
        positions = tuple(spelled.index(name.lower()) for name in names)
        defaults = [_default(column, codec) for column in table.columns]
        return _Layout(
            pattern=_row_pattern(len(names)),
            converters=tuple(converter(table.columns[position], codec) for position in positions),
            positions=None if positions == tuple(range(len(spelled))) else positions,
            defaults=tuple(default for default, _ in defaults),
            numbering=self._numbering(table),
            unknown_defaults=tuple(
                column.name
                for position, (column, (_, known)) in enumerate(zip(table.columns, defaults, strict=True))
                if not known and position not in positions
            ),
        )

    def _numbering(self, table: Table) -> _Numbering | None:
        positions = [position for position, column in enumerate(table.columns) if column.auto_increment]
        return self._numberings.setdefault(table.id, _Numbering(positions[0])) if positions else None


@lru_cache
def _row_pattern(values: int) -> re.Pattern[bytes]:
    return re.compile(rb"\(" + rb",".join([_VALUE] * values) + rb"\)\s*+,?\s*+", re.DOTALL)


def _default(column: Column, codec: str) -> tuple[Cell, bool]:
    """The cell of a column that an INSERT leaves out, and whether it is known."""
    if column.default is None or column.generated is not None:
        return None, True
    try:
        return converter(column, codec)(column.default.encode(codec)), True
    except (ValueError, InvalidOperation):
        return None, False


# --- values ---


def converter(column: Column, codec: str) -> Callable[[bytes], Cell]:
    """From a literal as the dump writes it to the cell of this column. The function raises ValueError or
    InvalidOperation for a literal that does not fit."""
    kind = column.type
    if kind in INTEGER_BITS or kind == "year":
        return _integer
    if kind == "decimal":
        return _decimal
    if kind in FLOAT_TYPES:
        return _float
    if kind == "bit":
        return partial(_bits, ((column.length or 1) + 7) // 8)
    if kind in BINARY_TYPES or kind in SPATIAL_TYPES:
        return _literal
    if kind in ("date", "datetime", "timestamp"):
        return _moment
    return lambda token: _literal(token).decode(codec)


def _integer(token: bytes) -> int:
    try:
        return int(token)
    except ValueError:
        return int(_bare(token))


def _decimal(token: bytes) -> Decimal:
    number = Decimal(_bare(token))
    if not number.is_finite():
        raise ValueError("not a number")
    return number


def _float(token: bytes) -> float:
    number = float(_bare(token))
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _bare(token: bytes) -> str:
    return _literal(token).decode("ascii")


def _moment(token: bytes) -> str:
    text = _bare(token)
    if not text[:1].isdigit():
        raise ValueError("not a date")
    return text


def _literal(token: bytes) -> bytes:
    """The bytes of a literal: a quoted string, 0x…, x'…', b'…', with or without an introducer, a number, TRUE or FALSE.
    Raises ValueError for anything else (DEFAULT, a variable, the name of a function)."""
    if token[:1] in (b"'", b'"'):
        return _unescaped(token)
    if token.startswith(b"_"):
        return _literal(_INTRODUCER.sub(b"", token))
    lead = token[:2].lower()
    if lead in (b"n'", b'n"'):
        return _unescaped(token[1:])
    if lead == b"0x":
        return bytes.fromhex(token[2:].decode("ascii"))
    if lead in (b"x'", b'x"'):
        return bytes.fromhex(token[2:-1].decode("ascii"))
    if lead == b"b'":
        digits = token[2:-1].decode("ascii")
        return int(digits or "0", 2).to_bytes((len(digits) + 7) // 8, "big")
    if token[:1] in _NUMBER_START:
        return token
    return {b"TRUE": b"1", b"FALSE": b"0"}.get(token.upper()) or _not_a_literal()


def _not_a_literal() -> bytes:
    raise ValueError("not a literal")


def _bits(size: int, token: bytes) -> bytes:
    """A BIT value of `size` bytes: a number, or a literal of bytes."""
    number = int(token) if token.isdigit() else int.from_bytes(_literal(token), "big")
    if number.bit_length() > size * 8:
        raise ValueError("too many bits")
    return number.to_bytes(size, "big")


def _unescaped(token: bytes) -> bytes:
    """The content of a quoted string."""
    quote, body = token[:1], token[1:-1]
    if b"\\" not in body and quote not in body:
        return body
    return _ESCAPE[quote].sub(_escape, body)


def _escape(match: re.Match[bytes]) -> bytes:
    """One escape of a string literal; MySQL drops the backslash before any character that has no meaning with it."""
    character: bytes | None = match[1]
    return match[0][:1] if character is None else _ESCAPED.get(character, character)
