"""The numbers of a running server's tables: exact where a table is small enough to be read whole, else from a sample.

A table is read whole where its rows are at most `Limits.rows`. Of a larger one the rows are counted by the server,
sizes and shares come from a sample whose error is told, and rows per value are counted by the server over an index, all
of them or, where that takes too long, none. What a missing privilege or a time limit costs is noted in the server's
`gaps`.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, stdev

from ddbmig.analyzers.live import LiveCollection, columns_of, full_name, quoted
from ddbmig.analyzers.statistics import (
    Columns,
    GroupOf,
    collect_statistics,
    sizer,
    statistics_without_data,
)
from ddbmig.model.encodings import INTEGER_BITS, Cell, size_of
from ddbmig.model.measure import Measure
from ddbmig.model.schema import Schema, Table
from ddbmig.model.statistics import GroupStatistics, TableStatistics

WHOLE = "live server, every row counted"
ESTIMATE = "live server, its own estimate"
BLOCKS = 100
"""Pieces of a sample: how much they differ tells its error."""
SEED = 1
"""Of RAND(), where a sample cannot be taken along the primary key."""
_RARE = 100
"""A column of a sample has as many distinct values as were seen where each stands for so many rows."""
Keep = Callable[[Table, tuple[Cell, ...]], None]


@dataclass(frozen=True)
class Limits:
    """Tables of at most `rows` rows are read whole, of others `sample` rows."""

    rows: int = 1_000_000
    sample: int = 100_000


@dataclass
class LiveStatistics:
    """Measures the tables of one server; `keep` sees every row that is read."""

    live: LiveCollection
    limits: Limits = field(default_factory=Limits)
    keep: Keep = lambda _, __: None
    progress: Callable[[str], None] = lambda _: None

    def measure(
        self, schema: Schema, groups: Mapping[str, Collection[Columns]], parents: Mapping[GroupOf, GroupOf]
    ) -> dict[str, TableStatistics]:
        """Statistics of every table; arguments as for `collect_statistics`."""
        estimates = self._estimates(schema)
        readable = [table for table in schema.tables if self._readable(table)]
        large = {table.id: count for table in readable if (count := self._if_large(table, estimates[table.id]))}
        whole = [table for table in readable if table.id not in large]
        found = self._unread(schema, estimates)
        measured, over = self._whole(schema.model_copy(update={"tables": tuple(whole)}), groups, parents)
        found |= measured
        large |= {table.id: self._count(table, self.limits.rows + 1) for table in whole if table.id in over}
        for table in readable:
            if table.id in large:
                found[table.id] = self._sampled(table, large[table.id], groups.get(table.id, ()))
        return {name: self._with_orphans(schema, found[name], name, parents, large) for name in sorted(found)}

    # --- how large ---

    def _estimates(self, schema: Schema) -> dict[str, int]:
        """What the server guesses without looking, by table id."""
        sql = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA IN %s"
        rows = self.live.query(sql, self.live.databases())
        known = {(str(database), str(name)): int(count or 0) for database, name, count in rows}
        return {table.id: known.get((table.schema_name, table.name), 0) for table in schema.tables}

    def _readable(self, table: Table) -> bool:
        with self.live.tolerating(f"rows, sizes and columns of {table.id}"):
            self.live.query(f"SELECT {columns_of(table)} FROM {full_name(table)} LIMIT 0")
            return True
        return False

    def _if_large(self, table: Table, guess: int) -> Measure | None:
        """The number of rows where it is over the limit. InnoDB's guess may be wrong by half: near the limit the rows
        are counted. (Where it is worse, reading stops at the limit.)"""
        if guess * 2 <= self.limits.rows:
            return None
        count = self._count(table, guess)
        return count if count.value > self.limits.rows else None

    def _count(self, table: Table, guess: int) -> Measure:
        count, origin = guess, ESTIMATE
        self.live.wait_for_calm()
        with self.live.tolerating(f"the exact number of rows of {table.id}"):
            count, origin = int(self.live.query(f"SELECT COUNT(*) FROM {full_name(table)}")[0][0]), WHOLE
        return Measure(value=count, unit="rows", source="measured", origin=origin)

    def _unread(self, schema: Schema, estimates: Mapping[str, int]) -> dict[str, TableStatistics]:
        """What is known of tables that cannot be read: the server's guess, and sizes by the column types."""
        found = statistics_without_data(schema, {})
        for name, count in estimates.items():
            rows = Measure(value=count, unit="rows", source="measured", origin=ESTIMATE)
            found[name] = found[name].model_copy(update={"rows": rows})
        return found

    # --- read whole ---

    def _whole(
        self, schema: Schema, groups: Mapping[str, Collection[Columns]], parents: Mapping[GroupOf, GroupOf]
    ) -> tuple[dict[str, TableStatistics], set[str]]:
        """What was measured, and which tables have more rows than the limit after all."""
        names = {table.id for table in schema.tables}
        inside = {child: parent for child, parent in parents.items() if child[0] in names and parent[0] in names}
        failed, over = set[str](), set[str]()
        with self.live.snapshot():
            found = collect_statistics(self._rows(schema, failed, over), schema, groups, inside, WHOLE)
        cut_off = {child for child, parent in inside.items() if parent[0] in failed}
        measured = {}
        for name, one in found.items():
            if name not in failed:
                groups_told = tuple(_unsure(group, (name, group.columns) in cut_off) for group in one.groups)
                measured[name] = one.model_copy(update={"groups": groups_told})
        return measured, over

    def _rows(self, schema: Schema, failed: set[str], over: set[str]) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """The rows of all tables, at most the limit of each; those that are not read to the end are noted."""
        most = self.limits.rows
        for table in schema.tables:
            done = False
            with self.live.tolerating(f"rows, sizes and columns of {table.id}"):
                for number, row in enumerate(self.live.table_rows(table, most + 1)):
                    if number == most:
                        over.add(table.id)
                        break
                    self.keep(table, row)
                    yield table.id, row
                done = table.id not in over
            if not done:
                failed.add(table.id)

    # --- sampled ---

    def _sampled(self, table: Table, rows: Measure, groups: Collection[Columns]) -> TableStatistics:
        self.progress(f"sampling {table.id}")
        taken = _Sample(table)
        alone = Schema(tables=(table,))
        with self.live.tolerating(f"sizes and columns of {table.id}"):
            read = ((table.id, row) for row in taken.rows_of(self._drawn(table, rows), self.keep))
            one = collect_statistics(read, alone, {}, {})[table.id]
            if taken.rows:
                return _scaled(one, table, rows, taken).model_copy(update={"groups": self._groups(table, groups)})
        bare = statistics_without_data(alone, {})[table.id]
        return bare.model_copy(update={"rows": rows, "groups": self._groups(table, groups)})

    def _drawn(self, table: Table, rows: Measure) -> Iterator[tuple[int, tuple[Cell, ...]]]:
        """Rows with the number of their block. Along a primary key of one integer: runs of rows from evenly spaced
        keys. Otherwise rows by chance, for which the server reads the table once."""
        key = table.primary_key
        if len(key) == 1 and table.column(key[0]).type in INTEGER_BITS:
            yield from self._runs(table, key[0])
            return
        share = min(1.0, self.limits.sample / max(1.0, rows.value))
        sql = f"SELECT {columns_of(table)} FROM {full_name(table)} WHERE RAND({SEED}) < {share:.9f}"
        for number, row in enumerate(self.live.stream(sql)):
            yield number % BLOCKS, row

    def _runs(self, table: Table, key: str) -> Iterator[tuple[int, tuple[Cell, ...]]]:
        name, column = full_name(table), quoted(key)
        low, high = self.live.query(f"SELECT MIN({column}), MAX({column}) FROM {name}")[0]
        starts = [low + (high + 1 - low) * number // BLOCKS for number in range(BLOCKS + 1)]
        for number, (start, end) in enumerate(pairwise(starts)):
            where = f"{column} >= {start} AND {column} < {end} ORDER BY {column}"
            limit = max(1, self.limits.sample // BLOCKS)
            for row in self.live.stream(f"SELECT {columns_of(table)} FROM {name} WHERE {where} LIMIT {limit}"):
                yield number, row

    def _groups(self, table: Table, wanted: Collection[Columns]) -> tuple[GroupStatistics, ...]:
        found = []
        for columns in sorted(wanted):
            if not _indexed(table, columns):
                self.live.gaps.append(f"rows per {', '.join(columns)} of {table.id}: no index begins with it")
                continue
            self.live.wait_for_calm()
            with self.live.tolerating(f"rows per {', '.join(columns)} of {table.id}"):
                found.append(_group(columns, self.live.query(_group_sql(table, columns))))
        return tuple(found)

    # --- orphans ---

    def _with_orphans(
        self, schema: Schema, one: TableStatistics, name: str, parents: Mapping[GroupOf, GroupOf],
        large: Mapping[str, Measure],
    ) -> TableStatistics:  # fmt: skip
        """Children without a parent where either of the tables was too large to be read whole."""
        groups = []
        for group in one.groups:
            parent = parents.get((name, group.columns))
            if group.orphans is None and parent is not None and (name in large or parent[0] in large):
                with self.live.tolerating(f"orphans of {name} by {', '.join(group.columns)}"):
                    sql = _orphan_sql(schema.table(name), group.columns, schema.table(parent[0]), parent[1])
                    self.live.wait_for_calm()
                    count = int(self.live.query(sql)[0][0])
                    group = group.model_copy(update={"orphans": count})  # noqa: PLW2901  # the same, known better
            groups.append(group)
        return one.model_copy(update={"groups": tuple(groups)})


class _Sample:
    """How large the rows of a sample are, by block."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._sizers = [(size_of(column.name), sizer(column)) for column in table.columns]
        self._counts = [0] * BLOCKS
        self._bytes = [0] * BLOCKS

    @property
    def rows(self) -> int:
        """How many were drawn."""
        return sum(self._counts)

    def rows_of(self, drawn: Iterator[tuple[int, tuple[Cell, ...]]], keep: Keep) -> Iterator[tuple[Cell, ...]]:
        """The rows, each shown to `keep` and counted in its block."""
        for block, row in drawn:
            keep(self._table, row)
            self._counts[block] += 1
            self._bytes[block] += self._size(row)
            yield row

    def _size(self, row: tuple[Cell, ...]) -> int:
        sizes = zip(row, self._sizers, strict=True)
        return sum(name + size(cell) for cell, (name, size) in sizes if cell is not None)

    @property
    def error_percent(self) -> float | None:
        """Half the 95 % interval of the mean row size, in percent of it, by how the blocks' means differ; None where
        there are too few of them."""
        means = [size / count for size, count in zip(self._bytes, self._counts, strict=True) if count]
        if len(means) < 2:
            return None
        return 1.96 * stdev(means) / math.sqrt(len(means)) / fmean(means) * 100


def _scaled(one: TableStatistics, table: Table, rows: Measure, taken: _Sample) -> TableStatistics:
    """What a sample says of the whole table. The number of distinct values is not known from it, but for columns whose
    values are all different and for those with few."""
    error = taken.error_percent
    sure = "error not known" if error is None else f"± {error:.1f} % (95 %)"
    origin = f"live server, sample of {taken.rows} rows, {sure}"
    unique = {keys[0] for keys in (table.primary_key, *(k.columns for k in table.unique_keys())) if len(keys) == 1}
    columns = {}
    for name, column in one.columns.items():
        distinct = column.distinct
        if name in unique:
            present = round(rows.value * (1 - column.null_share))
            column = column.model_copy(update={"distinct": present, "top_share": 1 / rows.value})  # noqa: PLW2901
        elif distinct is not None and distinct * _RARE > taken.rows:
            column = column.model_copy(update={"distinct": None})  # noqa: PLW2901  # the same, less sure
        columns[name] = column
    size = one.item_bytes.model_copy(update={"origin": origin})
    growth = one.growth and one.growth.model_copy(update={"origin": f"{one.growth.origin}, in a sample"})
    told = {"rows": rows, "item_bytes": size, "columns": columns, "sample_rows": taken.rows, "growth": growth}
    return one.model_copy(update=told)


def _indexed(table: Table, columns: Columns) -> bool:
    keys = [table.primary_key, *(index.columns for index in table.indexes if index.kind in ("unique", "index"))]
    return any(set(key[: len(columns)]) == set(columns) for key in keys)


def _group_sql(table: Table, columns: Columns) -> str:
    """How many groups have how many rows."""
    names = ", ".join(quoted(column) for column in columns)
    given = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    inner = f"SELECT COUNT(*) AS n FROM {full_name(table)} WHERE {given} GROUP BY {names}"
    return f"SELECT n, COUNT(*) FROM ({inner}) AS g GROUP BY n ORDER BY n"


def _group(columns: Columns, histogram: Sequence[Sequence[int]]) -> GroupStatistics:
    """Of (rows, groups with so many), ascending; the percentile is the nearest rank."""
    groups = sum(int(count) for _, count in histogram)
    rows = sum(int(size) * int(count) for size, count in histogram)
    passed, p99 = 0, 0
    for size, count in histogram:
        passed += int(count)
        if passed * 100 >= groups * 99:
            p99 = int(size)
            break
    return GroupStatistics(
        columns=columns,
        groups=groups,
        average=rows / groups if groups else 0.0,
        p99=p99,
        max=int(histogram[-1][0]) if histogram else 0,
    )


def _orphan_sql(child: Table, columns: Columns, parent: Table, keys: Columns) -> str:
    on = " AND ".join(f"c.{quoted(own)} = p.{quoted(key)}" for own, key in zip(columns, keys, strict=True))
    given = " AND ".join(f"c.{quoted(own)} IS NOT NULL" for own in columns)
    tables = f"{full_name(child)} AS c LEFT JOIN {full_name(parent)} AS p ON {on}"
    return f"SELECT COUNT(*) FROM {tables} WHERE {given} AND p.{quoted(keys[0])} IS NULL"


def _unsure(group: GroupStatistics, cut_off: bool) -> GroupStatistics:
    return group.model_copy(update={"orphans": None}) if cut_off else group
