"""The data round trip: every source row recovered from the items, value for value.

The entity table of a MySQL table holds an item for each of its rows; decoding it by the contract must give the row.
Rows are compared as their encodings, so that 1.50 and 1.5 in a DECIMAL(8,2) are one value, as they are to MySQL.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ddbmig.model.design import TableDesign
from ddbmig.model.encodings import Cell
from ddbmig.model.schema import Schema, Table
from ddbmig.model.validation import RoundTrip
from ddbmig.validators.evaluate import folded
from ddbmig.validators.operations import Operations
from ddbmig.validators.outputs import Output, canonical
from ddbmig.validators.sql_side import Row, SqlSide

Canonical = tuple[Cell, ...]


def round_trip(
    tables: Iterable[TableDesign], operations: Operations, source: SqlSide, schema: Schema
) -> tuple[RoundTrip, ...]:
    """Recover every row of every entity table, before anything is written."""
    return tuple(_table(table, operations, source, schema) for table in tables if table.role == "entity")


def _table(design: TableDesign, operations: Operations, source: SqlSide, schema: Schema) -> RoundTrip:
    table = schema.table(design.source_table)
    outputs = [Output(column.name, column) for column in table.columns]
    due = Counter(_canonical(row, outputs) for row in source.rows(table.id))
    found = Counter(_canonical(operations.row(design, item), outputs) for item in operations.scan(design))
    lost, extra = due - found, found - due
    differing, columns = _matched(table, lost, extra)
    return RoundTrip(
        table=design.name,
        source_table=table.id,
        rows=due.total(),
        recovered=(due & found).total(),
        missing=lost.total() - differing,
        differing=differing,
        columns=columns,
        unexpected=extra.total() - differing,
        orphans=sum(_orphans(table, key.columns, key.parent, key.parent_columns, source) for key in table.foreign_keys),
        null_keys=sum(_null_keys(u.columns, source, table) for u in table.unique_keys()),
    )


def _canonical(row: Mapping[str, Cell], outputs: Sequence[Output]) -> Canonical:
    return tuple(canonical(row.get(output.name), output) for output in outputs)


def _matched(table: Table, lost: Counter[Canonical], extra: Counter[Canonical]) -> tuple[int, tuple[str, ...]]:
    """How many lost rows came back under their key with other values, and the columns that differ."""
    names = [column.name for column in table.columns]
    places = [names.index(table.column(name).name) for name in table.primary_key]
    by_key = {tuple(row[n] for n in places): row for row in extra}
    differing, columns = 0, set[str]()
    for row in lost if places else ():
        other = by_key.get(tuple(row[n] for n in places))
        if other is not None:
            differing += 1
            columns |= {name for name, a, b in zip(names, row, other, strict=True) if a != b}
    return differing, tuple(sorted(columns))


def _orphans(
    table: Table, columns: Sequence[str], parent: str, parent_columns: Sequence[str], source: SqlSide
) -> int:  # fmt: skip
    """Rows whose foreign key is whole and finds no parent."""
    parents = {_key(row, parent_columns) for row in source.rows(parent)}
    keys = [_key(row, columns) for row in source.rows(table.id)]
    return sum(None not in key and key not in parents for key in keys)


def _key(row: Row, columns: Sequence[str]) -> tuple[Cell, ...]:
    values = {name.lower(): value for name, value in row.items()}
    found = [values.get(column.lower()) for column in columns]
    return tuple(folded(value) if isinstance(value, str) else value for value in found)


def _null_keys(columns: Sequence[str], source: SqlSide, table: Table) -> int:
    return sum(None in _key(row, columns) for row in source.rows(table.id))
