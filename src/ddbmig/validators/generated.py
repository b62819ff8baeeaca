"""Rows for tables that hold none: made from schema and statistics, so that their patterns can be proved all the same.

Seeded: the same schema gives the same rows. Keys are distinct, references find a parent (some parents far oftener than
others), NULL stands where it may; the first rows hold the edges of each type, and texts hold more than ASCII.
"""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from ddbmig.model.encodings import INTEGER_BITS, Cell
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.model.statistics import ColumnStatistics, TableStatistics
from ddbmig.validators.boundaries import TEXT_TYPES, extremes
from ddbmig.validators.evaluate import folded
from ddbmig.validators.sampling import References
from ddbmig.validators.sql_side import SqlSide

ROWS = 40
"""Rows that are made of one table, unless its statistics know of fewer."""
NULLS = 0.15
"""Share of NULL where the statistics do not tell."""
VALUES = 8
"""Distinct values of a column that is no key where the statistics do not tell: so that look-ups find several rows."""
SHORT = 24
"""Characters of a text at most, the longest of its type apart."""
_START = datetime(2026, 1, 1)  # MySQL's DATETIME has no zone
_WORDS = ("Ärger", "naïve", "O'Brien", "東京", "plain", "100%", "a#b", "emoji 🙂", "Straße", "under_score")
_MOMENTS = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M:%S", "timestamp": "%Y-%m-%d %H:%M:%S", "time": "%H:%M:%S"}
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"})

Parents = Mapping[str, Sequence[Cell]]
"""Per column of one table the values of the parent column that it refers to."""


def references_of(schema: Schema, patterns: Sequence[AccessPattern]) -> dict[tuple[str, str], tuple[str, str]]:
    """Which column refers to which: by declared foreign keys, else by joins to the only column of a primary key."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for pattern in patterns:
        for own, other in (pair for join in pattern.joins for on in join.on for pair in (on, on[::-1])):
            child, parent = (schema.table(pattern.refs[c.ref].table) for c in (own, other))
            if parent.primary_key == (other.column,) and child.primary_key != (own.column,):
                found.setdefault((child.id, own.column), (parent.id, other.column))
    for table in schema.tables:
        for key in table.foreign_keys:
            for own_name, parent_name in zip(key.columns, key.parent_columns, strict=True):
                found[(table.id, table.column(own_name).name)] = (key.parent, parent_name)
    return found


def load_generated(
    schema: Schema, statistics: Mapping[str, TableStatistics], references: References, source: SqlSide, seed: int
) -> tuple[str, ...]:
    """Fill every table that holds no rows, parents first; returns the ids of those filled, sorted."""
    empty = {table.id for table in schema.tables if not source.count(table.id)}
    for table_id in _parents_first(empty, references):
        table = schema.table(table_id)
        parents = {
            column.name: source.present(*references[(table_id, column.name)], ROWS)
            for column in table.columns
            if (table_id, column.name) in references and references[(table_id, column.name)][0] != table_id
        }
        rows = _Rows(table, statistics.get(table_id), parents, seed).make()
        source.load(((table_id, row) for row in rows), ROWS)
    return tuple(sorted(table_id for table_id in empty if source.count(table_id)))


def _parents_first(tables: Collection[str], references: References) -> list[str]:
    """The tables in an order in which parents stand before their children, as far as there is one."""
    waits = {t: {p for (c, _), (p, _) in references.items() if c == t and p in tables and p != t} for t in tables}
    found: list[str] = []
    while waits:
        ready = sorted(t for t, parents in waits.items() if not parents & waits.keys()) or sorted(waits)[:1]
        found += ready
        waits = {t: parents for t, parents in waits.items() if t not in ready}
    return found


class _Rows:
    """The rows of one table."""

    def __init__(self, table: Table, statistics: TableStatistics | None, parents: Parents, seed: int) -> None:
        self._table, self._parents = table, parents
        self._known = statistics.columns if statistics else {}
        counted = int(statistics.rows.value) if statistics and statistics.rows.value else ROWS
        self._count = min(ROWS, max(counted, 1))
        self._random = random.Random(f"{seed}:{table.id}")  # noqa: S311  # reproducible rows, not a secret
        self._keys = [tuple(table.column(c).name for c in key) for key in _keys(table)]
        self._indexed = {c.lower() for index in table.indexes for c in index.columns}

    def make(self) -> Iterator[tuple[Cell, ...]]:
        """Distinct rows; one that no attempt makes distinct is left out."""
        taken: list[set[tuple[Cell, ...]]] = [set() for _ in self._keys]
        for number in range(self._count):
            for _ in range(SHORT):
                row = {column.name: self._cell(column, number) for column in self._table.columns}
                keys = [tuple(_compared(row[c]) for c in key) for key in self._keys]
                if all(None in key or key not in seen for key, seen in zip(keys, taken, strict=True)):
                    for key, seen in zip(keys, taken, strict=True):
                        seen.add(key)
                    yield tuple(row.values())
                    break

    def _cell(self, column: Column, number: int) -> Cell:
        known = self._known.get(column.name)
        if column.generated or (self._may_be_null(column) and self._random.random() < _null_share(known)):
            return None
        if column.name in self._parents:
            values = self._parents[column.name]
            if values:
                return values[int(len(values) * self._random.random() ** 2)]
            return None if column.nullable else value_of(column, 0)
        if any(key == (column.name,) for key in self._keys):
            return value_of(column, number)
        edges = [] if self._is_key(column) else [edge for _, edge in extremes(column)]
        if number < len(edges):
            return edges[number]
        distinct = (known.distinct if known else None) or VALUES
        return value_of(column, self._random.randrange(min(max(distinct, 1), ROWS)))

    def _may_be_null(self, column: Column) -> bool:
        return column.nullable and not any(column.name in key for key in self._keys[:1])

    def _is_key(self, column: Column) -> bool:
        """Whether a value may become a key, which has at most 1,024 bytes and is never empty."""
        return column.name.lower() in self._indexed or any(column.name in key for key in self._keys)


def _keys(table: Table) -> list[tuple[str, ...]]:
    found = [table.primary_key] if table.primary_key else []
    return found + [u.columns for u in table.unique_keys() if all(table.has_column(c) for c in u.columns)]


def _null_share(known: ColumnStatistics | None) -> float:
    return NULLS if known is None else known.null_share


def _compared(value: Cell) -> Cell:
    return folded(value) if isinstance(value, str) else value


def value_of(column: Column, number: int) -> Cell:
    """The value with this number of a column's type; distinct numbers give distinct values where the type has them."""
    if column.type in INTEGER_BITS:
        return number % 2 if column.type == "tinyint" and column.length == 1 else number + 1
    if column.type == "decimal":
        digits = (column.precision or 10) - (column.scale or 0)
        return Decimal(number % 10**digits) + Decimal(number % 10).scaleb(-(column.scale or 0))
    if column.type in ("float", "double"):
        return number + 0.5
    if column.type == "year":
        return 2000 + number
    if column.type in ("enum", "set"):
        return column.values[number % len(column.values)] if column.values else ""
    if column.type in _MOMENTS:
        return (_START + timedelta(days=number, seconds=61 * number)).strftime(_MOMENTS[column.type])
    if column.type == "json":
        return f'{{"n": {number}}}'
    if column.type in _BYTES:
        width = (column.length + 7) // 8 if column.type == "bit" and column.length else column.length or SHORT
        raw = (number + 1).to_bytes(4, "big")[-width:]
        return raw.rjust(width, b"\0") if column.type in ("binary", "bit") else raw
    return _text(column, number) if column.type in TEXT_TYPES else None


def _text(column: Column, number: int) -> str:
    """A number first, so that what is cut to a short column stays distinct; of one number always the same text."""
    wide = column.charset in (None, "utf8mb4")
    word = _WORDS[number % len(_WORDS)] if wide else "text"
    length = min(column.length or SHORT, SHORT)
    return f"{number} {word}"[:length].rstrip() or "0"
