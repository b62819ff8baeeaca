"""A design's tables in memory, and clients that run a plan on them call by call.

A plan is a function of the answers to its calls. So a client is moved on by one call by running its plan anew, with the
answers that it had, to the first call that is new: no thread, no chance.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.design import TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan, ReadCall
from ddbmig.model.schema import Schema
from ddbmig.validators.evaluate import Params
from ddbmig.validators.execute import AUTO_KEYS, run_plan
from ddbmig.validators.operations import ConditionFailed, ItemWrite, Operations

Item = Mapping[str, Any]
Items = dict[str, dict[tuple[Any, ...], Item]]
"""By table, by key."""
T = TypeVar("T")


class _Paused(Exception):
    """The client has made the one call that it may make."""


class MemoryOperations(Operations):
    """The operations of a plan on items in memory: conditions and transactions as on DynamoDB, GSIs without delay."""

    def __init__(
        self, items: Items, tables: Iterable[TableDesign], builders: Mapping[str, ItemBuilder], schema: Schema
    ) -> None:  # fmt: skip
        super().__init__(cast(Any, None), tables, builders, schema)
        self.items = items

    def get(self, table: TableDesign, key: Item, consistent: bool) -> dict[str, Any] | None:
        found = self.items[table.name].get(_key(table, key))
        return None if found is None else dict(found)

    def batch_get(self, table: TableDesign, keys: list[dict[str, Any]], consistent: bool) -> list[dict[str, Any]]:
        return [item for key in keys if (item := self.get(table, key, consistent)) is not None]

    def pages(
        self, call: ReadCall, condition: str, names: Mapping[str, str], values: Mapping[str, Any], limit: int | None
    ) -> list[dict[str, Any]]:
        table = self.table(call.table)
        keys = table.index(call.index).keys if call.index else table.keys
        found = [item for item in self.items[table.name].values() if all(name in item for name in keys)]
        for number, one in enumerate(call.key):
            found = [i for i in found if _holds(i.get(one.attribute), one.op, values[f":v{number}"],
                                                values.get(f":w{number}"))]  # fmt: skip
        ordered = sorted(found, key=lambda item: [str(item[name]) for name in keys], reverse=not call.forward)
        return [dict(item) for item in ordered[:limit]]

    def peek(self, table: TableDesign, key: Item) -> dict[str, Any] | None:
        return self.get(table, key, True)

    def scan(self, table: TableDesign) -> Iterator[dict[str, Any]]:
        return (dict(item) for item in self.items[table.name].values())

    def write(self, writes: list[ItemWrite]) -> None:
        refused = [number for number, write in enumerate(writes) if not self._allowed(write)]
        if refused:
            raise ConditionFailed(refused)
        for write in writes:
            self._apply(write)

    def _allowed(self, write: ItemWrite) -> bool:
        there = self.items[write.table.name].get(_key(write.table, write.key))
        if write.condition is None:
            return True
        if there is None or write.condition != "exists":
            return (there is not None) == (write.condition == "exists")
        return all(there.get(name) == value for name, value in (write.unchanged or {}).items())

    def _apply(self, write: ItemWrite) -> None:
        """A delete, a put, or an update of the attributes that the client changes."""
        items, key = self.items[write.table.name], _key(write.table, write.key)
        if write.after is None:
            items.pop(key, None)
        elif write.before is None or write.condition != "exists":
            items[key] = dict(write.after)
        else:
            before = write.before
            changed = {name for name in {*before, *write.after} if before.get(name) != write.after.get(name)}
            kept = {name: value for name, value in items.get(key, write.key).items() if name not in changed}
            items[key] = kept | {name: value for name, value in write.after.items() if name in changed}


class Client(MemoryOperations):
    """One client that runs a plan on shared items, a call at a time."""

    def __init__(
        self, name: str, pattern: AccessPattern, plan: Plan, params: Params, next_keys: AUTO_KEYS, items: Items,
        tables: Iterable[TableDesign], builders: Mapping[str, ItemBuilder], schema: Schema,
    ) -> None:  # fmt: skip
        super().__init__(items, tables, builders, schema)
        self.name, self.finished, self.affected = name, False, 0
        self.trace: list[str] = []
        self._pattern, self._plan, self._params, self._next_keys = pattern, plan, params, next_keys
        self._answers: list[Any] = []
        self._position, self._called = 0, False

    def advance(self) -> str | None:
        """Make one more call; gives its name, or None where the plan has come to its end without one."""
        self._position, self._called = 0, False
        before = len(self.trace)
        try:
            self.affected = run_plan(self, self._pattern, self._plan, self._params, dict(self._next_keys)).rows
            self.finished = True
        except _Paused:
            pass
        return self.trace[-1] if len(self.trace) > before else None

    def _answer(self, name: str | None, perform: Callable[[], T]) -> T:
        """The answer that the call had, or a new one; a look without a name belongs to the call after it."""
        if self._position < len(self._answers):
            answer = self._answers[self._position]
        elif self._called:
            raise _Paused
        else:
            answer = _tried(perform)
            self._answers.append(answer)
            if name is not None:
                self._called = True
                self.trace.append(f"{self.name}: {name}")
        self._position += 1
        if isinstance(answer, ConditionFailed):
            raise answer
        return cast(T, answer)

    def get(self, table: TableDesign, key: Item, consistent: bool) -> dict[str, Any] | None:
        look = super().get
        return self._answer(f"GetItem {table.name}", lambda: look(table, key, consistent))

    def batch_get(self, table: TableDesign, keys: list[dict[str, Any]], consistent: bool) -> list[dict[str, Any]]:
        items = self.items[table.name]
        return self._answer(f"BatchGetItem {table.name}", lambda: [dict(items[k]) for key in keys
                                                                   if (k := _key(table, key)) in items])  # fmt: skip

    def pages(
        self, call: ReadCall, condition: str, names: Mapping[str, str], values: Mapping[str, Any], limit: int | None
    ) -> list[dict[str, Any]]:
        look, place = super().pages, call.table + (f"/{call.index}" if call.index else "")
        return self._answer(f"{call.op} {place}", lambda: look(call, condition, names, values, limit))

    def peek(self, table: TableDesign, key: Item) -> dict[str, Any] | None:
        look = super().get
        return self._answer(None, lambda: look(table, key, True))

    def write(self, writes: list[ItemWrite]) -> None:
        make = super().write
        self._answer(_written(writes), lambda: make(writes))


def _tried(perform: Callable[[], Any]) -> Any:
    try:
        return perform()
    except ConditionFailed as failed:
        return failed


def _written(writes: list[ItemWrite]) -> str:
    """What a write is called: its actions and tables."""
    words = []
    for one in writes:
        update = one.before is not None and one.condition == "exists"
        words.append(f"{'DeleteItem' if one.after is None else 'UpdateItem' if update else 'PutItem'} {one.table.name}")
    return words[0] if len(words) == 1 else f"TransactWriteItems ({', '.join(words)})"


def _key(table: TableDesign, item: Item) -> tuple[Any, ...]:
    return tuple(item[name] for name in table.keys)


def _holds(value: Any, op: str, first: Any, second: Any) -> bool:
    """One key condition."""
    if value is None:
        return False
    if op == "begins_with":
        return bool(value.startswith(first))
    if op == "between":
        return bool(first <= value <= second)
    compare: Mapping[str, Callable[[], bool]] = {
        "=": lambda: value == first, "<": lambda: value < first, "<=": lambda: value <= first,
        ">": lambda: value > first, ">=": lambda: value >= first,
    }  # fmt: skip
    return bool(compare[op]())
