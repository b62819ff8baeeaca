"""How much data there is: one pass over the rows with bounded memory, or estimates where there are no rows.

Sizes are those of the encoded values in DynamoDB. Values are compared as they are stored, so `A` and `a` differ even
under a case-insensitive collation. Groups are exact up to 200,000 distinct values; beyond that, a fixed share of the
values (by hash) stands for all, and `max` is a lower bound.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b

from ddbmig.analyzers.growth import MonthCount
from ddbmig.model.encodings import (
    BINARY_TYPES,
    FLOAT_TYPES,
    INTEGER_BITS,
    SPATIAL_TYPES,
    Cell,
    encode,
    encoding_for,
    number_size,
    size_of,
)
from ddbmig.model.measure import Measure
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.model.statistics import ColumnStatistics, GroupStatistics, TableStatistics

DISTINCT_LIMIT = 100_000
"""Values per column that are counted exactly."""
GROUP_LIMIT = 200_000
"""Groups per column list that are counted exactly."""
KEPT_BETWEEN_TABLES = 10_000
"""A column's counts beyond this are freed when another table's rows begin (a dump has a table's rows together)."""
ASSUMED_ROWS = 1_000
ZERO_DATE = "0000-00-00"
_KEPT_AS_IT_IS = 24
"""Values of more bytes are counted by their hash."""

Columns = tuple[str, ...]
GroupOf = tuple[str, Columns]
"""Table id and columns."""


def declared_groups(schema: Schema) -> tuple[dict[str, set[Columns]], dict[GroupOf, GroupOf]]:
    """The groups and parents of the declared foreign keys, in the form `collect_statistics` takes."""
    groups: dict[str, set[Columns]] = {}
    parents: dict[GroupOf, GroupOf] = {}
    for table in schema.tables:
        for key in table.foreign_keys:
            groups.setdefault(table.id, set()).add(key.columns)
            parents[table.id, key.columns] = (key.parent, key.parent_columns)
    return groups, parents


def collect_statistics(
    rows: Iterable[tuple[str, tuple[Cell, ...]]],
    schema: Schema,
    groups_wanted: Mapping[str, Collection[Columns]],
    parents: Mapping[GroupOf, GroupOf],
    origin: str = "data dump, every row counted",
) -> dict[str, TableStatistics]:
    """Statistics of every table of the schema from its rows (cells in the order of the columns).

    `groups_wanted` are column lists by table id: rows per distinct value are counted for each. `parents` maps such a
    group to the columns that hold its parents' keys: rows without a parent are then counted as orphans. A table without
    a row is measured as empty, and its item size is the estimate of `statistics_without_data`.
    """
    counts = {table.id: _TableCount(table, groups_wanted.get(table.id, ())) for table in schema.tables}
    keys: dict[GroupOf, _Groups] = {}
    for table_id, columns in sorted(set(parents.values())):
        keys[table_id, columns] = _Groups(columns, counts[table_id].positions(columns))
        counts[table_id].parent_keys.append(keys[table_id, columns])
    _count_rows(rows, counts)
    return {
        table_id: count.statistics(
            origin,
            {
                group.columns: group.orphans(keys[parents[table_id, group.columns]])
                for group in count.groups
                if (table_id, group.columns) in parents
            },
        )
        for table_id, count in sorted(counts.items())
    }


def _count_rows(rows: Iterable[tuple[str, tuple[Cell, ...]]], counts: Mapping[str, "_TableCount"]) -> None:
    last = None
    for table_id, row in rows:
        count = counts[table_id]
        if count is not last:
            if last is not None:
                last.pause()
            count.resume()
            last = count
        count.add(row)


def statistics_without_data(schema: Schema, rows_seen: Mapping[str, int]) -> dict[str, TableStatistics]:
    """Row counts from AUTO_INCREMENT, else from the rows that the logs show (`rows_seen`, by table id), else 1,000;
    item sizes from the column types."""
    return {
        table.id: TableStatistics(
            rows=_rows_without_data(table, rows_seen.get(table.id, 0)), item_bytes=_estimate(table)
        )
        for table in sorted(schema.tables, key=lambda table: table.id)
    }


def _rows_without_data(table: Table, seen: int) -> Measure:
    if table.auto_increment is not None:
        value, origin = max(table.auto_increment - 1, seen), "AUTO_INCREMENT - 1, an upper bound"
        return Measure(value=value, unit="rows", source="measured", origin=origin)
    if seen:
        return Measure(value=seen, unit="rows", source="measured", origin="rows seen in the logs, a lower bound")
    return Measure(value=ASSUMED_ROWS, unit="rows", source="assumed", origin="nothing tells the number of rows")


# --- counting ---


class _Values:
    """The values of one column: sizes, NULLs, and how often each value occurs."""

    def __init__(self, column: Column, unique: bool) -> None:
        self.size = sizer(column)
        self.is_date = column.type in ("date", "datetime", "timestamp")
        self.zero_dates = 0
        self.unique = unique
        """Every value occurs once: nothing to count."""
        self.present = 0
        self.bytes = 0
        self.largest = 0
        self.smallest = 1 << 30
        self.has_empty = False
        self.counts: dict[Cell, int] | None = None if unique else {}
        self.exact = True
        self.closed: tuple[int | None, int | None] | None = None
        """Distinct values and the highest count, once `counts` is freed."""

    def add(self, cell: Cell) -> int:
        """Count one value that is not NULL; its size."""
        size = self.size(cell)
        self.present += 1
        self.bytes += size
        self.largest = max(self.largest, size)
        self.smallest = min(self.smallest, size)
        if self.is_date and isinstance(cell, str) and cell.startswith(ZERO_DATE):
            self.zero_dates += 1
        self.has_empty = self.has_empty or not size
        counts = self.counts
        if counts is not None:
            key = cell if size <= _KEPT_AS_IT_IS else _hash(cell)
            counts[key] = counts.get(key, 0) + 1
            if len(counts) > DISTINCT_LIMIT:
                self._prune(counts)
        return size

    def _prune(self, counts: dict[Cell, int]) -> None:
        """Forget the rarer half; a value that is frequent enough to matter stays (lossy counting)."""
        self.exact = False
        threshold = sorted(counts.values())[len(counts) // 2]
        self.counts = {key: count for key, count in counts.items() if count > threshold}

    def pause(self) -> None:
        """Rows of another table begin: free what is large."""
        if self.counts is not None and len(self.counts) > KEPT_BETWEEN_TABLES:
            self.closed = self._counted()
            self.counts = None

    def resume(self) -> None:
        """Rows of this table come again: what was freed cannot be counted on."""
        self.closed = None

    def _counted(self) -> tuple[int | None, int | None]:
        if self.unique:
            return self.present, min(self.present, 1)
        if self.counts is None:
            return self.closed or (None, None)
        return len(self.counts) if self.exact else None, max(self.counts.values(), default=0)

    def statistics(self, rows: int) -> ColumnStatistics:
        """What was counted, over `rows` rows of the table."""
        distinct, top = self._counted()
        return ColumnStatistics(
            average_bytes=self.bytes / self.present if self.present else 0.0,
            max_bytes=self.largest,
            min_bytes=self.smallest if self.present else 0,
            zero_dates=self.zero_dates,
            null_share=1 - self.present / rows,
            distinct=distinct,
            top_share=None if top is None else top / rows,
            has_empty=self.has_empty,
        )


class _Groups:
    """Rows per distinct value of some columns, in bounded memory.

    Values are kept as hashes. When there are too many, only those whose hash ends in `level` zero bits stay; the choice
    depends on the value alone, so a child and its parent keep the same values.
    """

    def __init__(self, columns: Columns, positions: tuple[int, ...]) -> None:
        self.columns = columns
        self.positions = positions
        self.rows = 0
        self.counts: dict[int, int] = {}
        self.level = 0
        self.largest = 0

    def add(self, row: tuple[Cell, ...]) -> None:
        """Count one row; NULL in any column belongs to no group."""
        values = tuple(row[position] for position in self.positions)
        if None in values:
            return
        self.rows += 1
        key = _hash(values)
        if key & ((1 << self.level) - 1):
            return
        self.counts[key] = self.counts.get(key, 0) + 1
        if len(self.counts) > GROUP_LIMIT:
            self._halve()

    def _halve(self) -> None:
        self.largest = max(self.largest, *self.counts.values())
        self.level += 1
        self.counts = self._sampled(self.level)

    def _sampled(self, level: int) -> dict[int, int]:
        mask = (1 << level) - 1
        return {key: count for key, count in self.counts.items() if not key & mask}

    def orphans(self, parents: "_Groups") -> int:
        """Rows whose value is none of the parents' values."""
        level = max(self.level, parents.level)
        return sum(count for key, count in self._sampled(level).items() if key not in parents.counts) << level

    def statistics(self, orphans: int | None) -> GroupStatistics:
        """Rows per group; the percentile is the nearest rank."""
        counts = sorted(self.counts.values())
        groups = len(counts) << self.level
        return GroupStatistics(
            columns=self.columns,
            groups=groups,
            average=self.rows / groups if groups else 0.0,
            p99=counts[(len(counts) * 99 + 99) // 100 - 1] if counts else 0,
            max=max(self.largest, counts[-1] if counts else 0),
            orphans=orphans,
        )


class _TableCount:
    """All that is counted of one table."""

    def __init__(self, table: Table, groups_wanted: Collection[Columns]) -> None:
        self.table = table
        self.values = [_Values(column, _is_unique(table, column)) for column in table.columns]
        self.name_bytes = [size_of(column.name) for column in table.columns]
        self.groups = [_Groups(columns, self.positions(columns)) for columns in sorted(groups_wanted)]
        self.parent_keys: list[_Groups] = []
        self.rows = 0
        self.bytes = 0
        self.largest = 0
        self.sizes: Counter[int] = Counter()
        """Rows by bucket of 2 %."""
        self.months = MonthCount.of(table)

    def positions(self, columns: Columns) -> tuple[int, ...]:
        """Where these columns are in a row. Raises KeyError for a column that the table lacks."""
        return tuple(self.table.columns.index(self.table.column(name)) for name in columns)

    def add(self, row: tuple[Cell, ...]) -> None:
        """Count one row."""
        size = 0
        for cell, values, name_bytes in zip(row, self.values, self.name_bytes, strict=True):
            if cell is not None:
                size += values.add(cell) + name_bytes
        self.rows += 1
        self.bytes += size
        self.largest = max(self.largest, size)
        self.sizes[_bucket(size)] += 1
        if self.months is not None:
            self.months.add(row)
        for group in self.groups:
            group.add(row)
        for group in self.parent_keys:
            group.add(row)

    def pause(self) -> None:
        for values in self.values:
            values.pause()

    def resume(self) -> None:
        for values in self.values:
            values.resume()

    def statistics(self, origin: str, orphans: Mapping[Columns, int]) -> TableStatistics:
        """The numbers of the table; `orphans` by group where parents were checked."""
        rows = Measure(value=self.rows, unit="rows", source="measured", origin=origin)
        groups = tuple(group.statistics(orphans.get(group.columns)) for group in self.groups)
        if not self.rows:
            return TableStatistics(rows=rows, item_bytes=_estimate(self.table), groups=groups)
        columns = zip(self.table.columns, self.values, strict=True)
        return TableStatistics(
            rows=rows,
            item_bytes=Measure(value=self.bytes / self.rows, unit="bytes", source="measured", origin=origin),
            max_item_bytes=self.largest,
            p99_item_bytes=min(self.largest, _size_at(self.sizes, self.rows, 99)),
            growth=self.months.growth() if self.months is not None else None,
            columns={column.name: values.statistics(self.rows) for column, values in columns},
            groups=groups,
        )


@lru_cache(maxsize=1 << 16)
def _bucket(size: int) -> int:
    """n with 1.02^(n-1) < size <= 1.02^n."""
    return math.ceil(math.log(size) / math.log(1.02)) if size > 1 else 0


def _size_at(sizes: Mapping[int, int], rows: int, percent: int) -> int:
    """The upper end of the bucket that holds this percentile (nearest rank)."""
    passed = 0
    for bucket in sorted(sizes):
        passed += sizes[bucket]
        if passed * 100 >= rows * percent:
            return math.floor(1.02**bucket)
    return 0


def _is_unique(table: Table, column: Column) -> bool:
    keys = [table.primary_key, *(index.columns for index in table.unique_keys())]
    return (column.name,) in keys


def _hash(value: object) -> int:
    """64 bits of a value, the same in every run."""
    return int.from_bytes(blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


# --- sizes ---


def sizer(column: Column) -> Callable[[Cell], int]:
    """The DynamoDB size (A4) of a cell of this column that is not NULL, without building the encoded value."""
    kind = column.type
    if kind in INTEGER_BITS or kind == "year":
        return _integer_size
    if kind in FLOAT_TYPES:
        return _float_size
    if encoding_for(column) == "decimal":
        return _decimal_size
    if kind in BINARY_TYPES or kind in SPATIAL_TYPES or kind == "bit":
        return size_of
    return lambda cell: size_of(cell if isinstance(cell, str) else encode(cell, encoding_for(column), column))


def _integer_size(number: Cell) -> int:
    """`number_size` of a whole number from its digits; integers are most of what is counted."""
    if not number:
        return 1
    digits = str(number).lstrip("-")
    zeros = len(digits) - len(digits.rstrip("0"))
    return 2 + (len(digits) - 1) // 2 - zeros // 2 + (str(number)[0] == "-")


@lru_cache(maxsize=1 << 16)
def _decimal_size(number: Cell) -> int:
    return number_size(Decimal(str(number)))


@lru_cache(maxsize=1 << 16)
def _float_size(number: Cell) -> int:
    return number_size(Decimal(repr(number)))


_TYPICAL_BYTES = {
    "tinyint": 2, "smallint": 3, "mediumint": 4, "int": 4, "bigint": 6, "float": 5, "double": 9, "year": 3, "date": 10,
    "datetime": 19, "timestamp": 19, "time": 8, "tinytext": 32, "tinyblob": 32, "text": 256, "blob": 256, "json": 256,
    "mediumtext": 1024, "mediumblob": 1024, "longtext": 1024, "longblob": 1024, "uuid": 36,
}  # fmt: skip
"""Assumed sizes where no data tell: integers of middling magnitude, texts of everyday length."""


def _estimate(table: Table) -> Measure:
    """A row's size as a flat item, every column present."""
    total = sum(size_of(column.name) + _typical_bytes(column) for column in table.columns)
    return Measure(value=total, unit="bytes", source="assumed", origin="estimated from the column types")


def _typical_bytes(column: Column) -> int:
    """Half the declared length, at most 32, for strings; half the digits for DECIMAL; the mean member of an ENUM."""
    if column.type in ("enum", "set") and column.values:
        return math.ceil(sum(size_of(value) for value in column.values) / len(column.values))
    if column.type == "decimal":
        return 1 + math.ceil((column.precision or 10) / 4)
    if column.type in ("binary", "bit"):
        return max(1, (column.length or 1) // (8 if column.type == "bit" else 1))
    if column.type in _TYPICAL_BYTES:
        return _TYPICAL_BYTES[column.type] + (column.precision or 0 if column.type in _TIMES else 0)
    return min(32, math.ceil((column.length or 64) / 2))


_TIMES = frozenset({"datetime", "timestamp", "time"})
