"""Two clients run the same write at once: every order of their calls, held against one after the other.

The rows are made up: one of each table, its values all the first of their type, so that every join and condition finds
it. Two clients write other values to it, or add rows that share a unique value. An interleaving is an anomaly where no
order of the whole plans leaves the same items, or where a client that stops between two calls leaves part of its work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

from ddbmig.engine.contract import contract_of
from ddbmig.loaders.items import ItemBuilder, Row
from ddbmig.model.condition import Param
from ddbmig.model.consistency import Anomaly, Consistency
from ddbmig.model.design import Alternative
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import InputError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.schema import Column, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check
from ddbmig.validators.evaluate import NotEvaluated
from ddbmig.validators.execute import MOST_ATTEMPTS
from ddbmig.validators.stress.memory import Client, Item, Items

NAME = "Consistency edge case testing"
"""The guide's line."""
STORED, FIRST, SECOND = 1, 2, 3
"""Which value of a type: the one in the rows, and those that the two clients write."""
MOST_CALLS = 8
"""Calls of one client between which the other is let in."""


def search(snapshot: Snapshot, alternative: Alternative) -> Consistency:
    """Try every write plan of more than one call."""
    world, patterns = _World(snapshot, alternative), {one.id: one for one in snapshot.patterns}
    tried = schedules = 0
    anomalies, not_run = list[Anomaly](), list[str]()
    for plan in sorted(alternative.plans, key=lambda one: one.pattern):
        pattern = patterns[plan.pattern]
        if plan.routed or pattern.kind == "select":
            continue
        try:
            trial = _Trial(world, pattern, plan)
            found = trial.anomalies()
        except (NotEvaluated, InputError, ArithmeticError, KeyError, TypeError, ValueError):
            not_run.append(plan.pattern)  # made-up values need not suit every expression; it is said
            continue
        tried, schedules = tried + 1, schedules + len(trial.seen)
        anomalies += found
    return Consistency(patterns=tried, schedules=schedules, anomalies=tuple(anomalies), not_run=tuple(not_run))


def check(found: Consistency) -> Check:
    """The verdict: data that no order of the writers leaves fails; what both were told does not."""
    if not found.patterns:
        return Check(name=NAME, verdict="not analysed", evidence="no write of the logs could be run on made-up rows")
    broken = [one for one in found.anomalies if one.kind != "answer"]
    told = len(found.anomalies) - len(broken)
    first = f"; first: {' → '.join(broken[0].schedule)}" if broken else ""
    evidence = (f"{found.schedules} interleavings and crashes of {found.patterns} writes: "
                f"{len(broken)} leave data that no order of the writers leaves, in {told} both are told that they "
                f"changed the row{first}")  # fmt: skip
    return Check(name=NAME, verdict="failed" if broken else "passed", evidence=evidence)


class _World:
    """Made-up rows as items."""

    def __init__(self, snapshot: Snapshot, alternative: Alternative) -> None:
        self.schema, self.alternative = snapshot.tables, alternative
        entries = {entry.table: entry for entry in contract_of(alternative, {}).root if entry.type == "Table"}
        self.builders = {name: ItemBuilder(entry, snapshot.tables) for name, entry in entries.items()}

    @cached_property
    def rows(self) -> Mapping[str, Row]:
        """By table id."""
        return {table.id: {c.name: value_of(c, STORED) for c in table.columns} for table in self.schema.tables}

    def items(self) -> Items:
        """The items of the rows."""
        found: Items = {}
        for table in self.alternative.tables:
            builder, row = self.builders[table.name], self.rows[table.source_table]
            item = builder.item(row, lambda table_id, *_: self.rows[table_id]) if builder.applies(row) else None
            found[table.name] = {tuple(item[k] for k in table.keys): item} if item else {}
        return found


@dataclass(frozen=True)
class _End:
    """How a schedule ended."""

    items: Mapping[str, frozenset[str]]
    affected: tuple[int, ...]


class _Trial:
    """Two clients of one access pattern."""

    def __init__(self, world: _World, pattern: AccessPattern, plan: Plan) -> None:
        self.world, self.pattern, self.plan = world, pattern, plan
        self.seen: set[tuple[str, ...]] = set()

    def anomalies(self) -> list[Anomaly]:
        """Of each kind of anomaly the shortest one: with fewest switches between the clients, then fewest calls."""
        alone = self._run("A" * MOST_CALLS)
        calls = len(alone[0])
        serial = [self._run(order)[1] for order in ("A" * MOST_CALLS + "B" * MOST_CALLS,
                                                    "B" * MOST_CALLS + "A" * MOST_CALLS)]  # fmt: skip
        found: dict[str, Anomaly] = {}
        for trace, end in sorted(map(self._run, _orders(min(calls, MOST_CALLS))), key=lambda ran: _length(ran[0])):
            if end not in serial:
                kind = "answer" if end.items in [one.items for one in serial] else "data"
                nearest = min((_differing(one, end) for one in serial), key=len)
                found.setdefault(kind, self._anomaly(kind, trace, nearest))
        before, after = self._run("")[1], alone[1]
        for stop in range(1, calls):
            trace, end = self._run("A" * stop)
            if end.items not in (before.items, after.items):
                found.setdefault("crash", self._anomaly("crash", (*trace, "A: stops"), _differing(after, end)))
        return [found[kind] for kind in sorted(found)]

    def _anomaly(self, kind: Any, trace: tuple[str, ...], tables: tuple[str, ...]) -> Anomaly:
        return Anomaly(kind=kind, pattern=self.pattern.id, schedule=trace, tables=tables)

    def _run(self, order: str) -> tuple[tuple[str, ...], _End]:
        """Let the clients make calls in an order, one that has finished no more; gives the calls and the end."""
        items = self.world.items()
        clients = {"A": self._client("A", FIRST, items), "B": self._client("B", SECOND, items)}
        trace = []
        for name in order:
            if not clients[name].finished and (call := clients[name].advance()):
                trace.append(call)
        self.seen.add(tuple(trace))
        state = {table: frozenset(_text(item) for item in kept.values()) for table, kept in items.items()}
        return tuple(trace), _End(state, tuple(client.affected for client in clients.values()))

    def _client(self, name: str, number: int, items: Items) -> Client:
        table = self.world.schema.table(self.pattern.refs[0].table)
        next_keys = {(table.id, c.name): number - 1 for c in table.columns if c.auto_increment}
        params = {n: self._param(n, column, table, number) for n, column in enumerate(self.pattern.params)}
        return Client(name, self.pattern, self.plan, params, next_keys, items, self.world.alternative.tables,
                      self.world.builders, self.world.schema)  # fmt: skip

    def _param(self, index: int, column: Any, table: Table, number: int) -> Cell | tuple[Cell, ...]:
        """What a client gives for a placeholder: the stored value to find the row by, else a value of its own."""
        if column is None:
            return number
        definition = self.world.schema.table(self.pattern.refs[column.ref].table).column(column.column)
        stored = {a.value.index: a.column for a in (*self.pattern.assignments, *self.pattern.on_duplicate)
                  if isinstance(a.value, Param)}  # fmt: skip
        return value_of(definition, self._which(definition, table, number) if index in stored else STORED)

    def _which(self, column: Column, table: Table, number: int) -> int:
        """Which value a client writes: new rows share what is unique beside their key and refer to stored rows."""
        if self.pattern.kind != "insert":
            return number
        if any(column.name in key.columns for key in table.foreign_keys):
            return STORED
        if column.name in table.primary_key:
            return STORED if self.pattern.insert_mode in ("upsert", "replace") else number
        return FIRST if any(column.name in key.columns for key in table.unique_keys()) else number


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


def _orders(calls: int) -> Iterator[str]:
    """Orders of the calls of A and B with one, two and three switches."""
    rest = MOST_CALLS * MOST_ATTEMPTS  # a refused write is made anew
    for first in range(1, calls + 1):
        for second in range(1, calls + 1):
            for a, b in (("A", "B"), ("B", "A")):
                yield a * first + b * second + a * rest + b * rest


def _length(trace: tuple[str, ...]) -> tuple[int, int, tuple[str, ...]]:
    """Switches between the clients, and calls; then the calls themselves, so that the order is one."""
    return sum(one[0] != other[0] for one, other in pairwise(trace)), len(trace), trace


def _differing(one: _End, other: _End) -> tuple[str, ...]:
    return tuple(sorted(table for table in one.items if one.items[table] != other.items[table]))


def _text(item: Item) -> str:
    return repr(sorted((name, str(value)) for name, value in item.items()))
