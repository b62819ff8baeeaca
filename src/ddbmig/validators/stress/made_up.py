"""Made-up rows of an application as items, and clients that run its access patterns on them.

One row of each table, its values all the first of their type, so that every join and condition finds it. The clients
write other values to it, or add rows that share a unique value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from ddbmig.engine.contract import contract_of
from ddbmig.loaders.items import ItemBuilder, Row
from ddbmig.model.condition import ColumnRef, Param
from ddbmig.model.design import Alternative
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import InputError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan, ReadCall, Transaction, WriteCall
from ddbmig.model.schema import Column, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.evaluate import NotEvaluated
from ddbmig.validators.stress.memory import Items, Lag, MemoryOperations
from ddbmig.validators.stress.stepping import Stepping

UNSUITED = (NotEvaluated, InputError, ArithmeticError, KeyError, TypeError, ValueError)
"""What a plan raises on made-up values that do not suit its expressions."""
STORED = 1
"""Which value of a type is in the rows; the clients write others."""


class Client(Stepping, MemoryOperations):
    """A client on items in memory."""


@dataclass(frozen=True)
class Access:
    """An access pattern and its plan."""

    pattern: AccessPattern
    plan: Plan

    @cached_property
    def written(self) -> frozenset[str]:
        """The tables that its calls write."""
        return frozenset(call.table for call in self._writes())

    @cached_property
    def touched(self) -> frozenset[str]:
        """The tables that its calls read or write."""
        return self.written | {call.table for call in self.reads()}

    @property
    def one_call(self) -> bool:
        """Whether it is one call, or one transaction, and has nothing to be interleaved."""
        steps = [s for s in self.plan.steps if isinstance(s, ReadCall | WriteCall | Transaction)]
        return len(steps) == 1 and not (isinstance(steps[0], WriteCall) and steps[0].per_row)

    def reads(self) -> list[ReadCall]:
        """Its reading calls."""
        return [step for step in self.plan.steps if isinstance(step, ReadCall)]

    def _writes(self) -> list[WriteCall]:
        groups = [step.writes if isinstance(step, Transaction) else (step,) for step in self.plan.steps
                  if isinstance(step, Transaction | WriteCall)]  # fmt: skip
        return [call for group in groups for call in group]


class World:
    """The rows as items of a design."""

    def __init__(self, snapshot: Snapshot, alternative: Alternative) -> None:
        self.schema, self.alternative = snapshot.tables, alternative
        entries = {entry.table: entry for entry in contract_of(alternative, {}).root if entry.type == "Table"}
        self.builders = {name: ItemBuilder(entry, snapshot.tables) for name, entry in entries.items()}

    @cached_property
    def rows(self) -> Mapping[str, Row]:
        """By table id."""
        return {table.id: {c.name: value_of(c, STORED) for c in table.columns} for table in self.schema.tables}

    def items(self) -> Items:
        """The items of the rows, to be written to."""
        return {table: dict(kept) for table, kept in self._made.items()}

    @cached_property
    def _made(self) -> Items:
        found: Items = {}
        for table in self.alternative.tables:
            builder, row = self.builders[table.name], self.rows[table.source_table]
            item = builder.item(row, lambda table_id, *_: self.rows[table_id]) if builder.applies(row) else None
            found[table.name] = {tuple(item[k] for k in table.keys): item} if item else {}
        return found

    def client(
        self, name: str, access: Access, number: int, items: Items, lagging: Items | None = None, lag: Lag = "indexes"
    ) -> Client:  # fmt: skip
        """A client that runs an access pattern on shared items and writes the `number`-th value of each type."""
        client = Client(items, self.alternative.tables, self.builders, self.schema, lagging, lag)
        self.begin(client, name, access, number)
        return client

    def begin(self, client: Stepping, name: str, access: Access, number: int) -> None:
        """Give a client its plan and values."""
        table = self.schema.table(access.pattern.refs[0].table)
        next_keys = {(table.id, c.name): number - 1 for c in table.columns if c.auto_increment}
        params = {n: self._param(access.pattern, n, column, table, number)
                  for n, column in enumerate(access.pattern.params)}  # fmt: skip
        client.begin(name, access.pattern, access.plan, params, next_keys)

    def _param(
        self, pattern: AccessPattern, index: int, column: ColumnRef | None, table: Table, number: int
    ) -> Cell | tuple[Cell, ...]:
        """What a client gives for a placeholder: the stored value to find the row by, else a value of its own."""
        if column is None:
            return number
        definition = self.schema.table(pattern.refs[column.ref].table).column(column.column)
        written = {a.value.index for a in (*pattern.assignments, *pattern.on_duplicate) if isinstance(a.value, Param)}
        return value_of(definition, _which(pattern, definition, table, number) if index in written else STORED)


def _which(pattern: AccessPattern, column: Column, table: Table, number: int) -> int:
    """Which value a client writes: new rows share what is unique beside their key and refer to stored rows."""
    if pattern.kind != "insert":
        return number
    if any(column.name in key.columns for key in table.foreign_keys):
        return STORED
    if column.name in table.primary_key:
        return STORED if pattern.insert_mode in ("upsert", "replace") else number
    return STORED + 1 if any(column.name in key.columns for key in table.unique_keys()) else number


def value_of(column: Column, number: int) -> Cell:
    """The n-th value of a column's type."""
    if column.type in ("tinyint", "smallint", "mediumint", "int", "bigint", "bit", "year"):
        return number + (2020 if column.type == "year" else 0)
    if column.type == "decimal":
        return Decimal(number)
    if column.type in ("float", "double"):
        return float(number)
    if column.type == "enum" and column.values:
        return column.values[(number - 1) % len(column.values)]
    dates = {"date": f"2026-01-0{number}", "time": f"0{number}:00:00", "json": str(number)}
    if column.type in ("datetime", "timestamp"):
        return f"2026-01-0{number} 00:00:00"
    binary = column.type in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
    return str(number).encode() if binary else dates.get(column.type, str(number))
