"""A design's tables in memory, with DynamoDB's conditions and transactions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeVar, cast

from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.design import TableDesign
from ddbmig.model.plan import ReadCall
from ddbmig.model.schema import Schema
from ddbmig.validators.operations import ConditionFailed, ItemWrite, Operations

Item = Mapping[str, Any]
Items = dict[str, dict[tuple[Any, ...], Item]]
"""By table, by key."""
Lag = Literal["indexes", "all"]
T = TypeVar("T")


class MemoryOperations(Operations):
    """The operations of a plan on items in memory: conditions and transactions as on DynamoDB.

    GSIs follow without delay unless a read is to see `lagging` items: then every read through a GSI does, and where
    `lag` is "all", so does every other read that is not strongly consistent.
    """

    def __init__(
        self, items: Items, tables: Iterable[TableDesign], builders: Mapping[str, ItemBuilder], schema: Schema,
        lagging: Items | None = None, lag: Lag = "indexes",
    ) -> None:  # fmt: skip
        super().__init__(cast(Any, None), tables, builders, schema)
        self.items = items
        self._lagging, self._lag = lagging, lag

    def _seen(self, table: TableDesign, consistent: bool, index: str | None = None) -> Mapping[tuple[Any, ...], Item]:
        """The items of a table as a read sees them."""
        lags = self._lagging is not None and (index is not None or (self._lag == "all" and not consistent))
        return (self._lagging or {} if lags else self.items)[table.name]

    def get(self, table: TableDesign, key: Item, consistent: bool) -> dict[str, Any] | None:
        found = self._seen(table, consistent).get(_key(table, key))
        return None if found is None else dict(found)

    def batch_get(self, table: TableDesign, keys: list[dict[str, Any]], consistent: bool) -> list[dict[str, Any]]:
        seen = self._seen(table, consistent)
        return [dict(seen[k]) for key in keys if (k := _key(table, key)) in seen]

    def pages(
        self, call: ReadCall, condition: str, names: Mapping[str, str], values: Mapping[str, Any], limit: int | None
    ) -> list[dict[str, Any]]:
        table = self.table(call.table)
        keys = table.index(call.index).keys if call.index else table.keys
        seen = self._seen(table, call.consistent, call.index)
        found = [item for item in seen.values() if all(name in item for name in keys)]
        for number, one in enumerate(call.key):
            found = [i for i in found if _holds(i.get(one.attribute), one.op, values[f":v{number}"],
                                                values.get(f":w{number}"))]  # fmt: skip
        ordered = sorted(found, key=lambda item: [str(item[name]) for name in keys], reverse=not call.forward)
        return [dict(item) for item in ordered[:limit]]

    def peek(self, table: TableDesign, key: Item) -> dict[str, Any] | None:
        found = self.items[table.name].get(_key(table, key))
        return None if found is None else dict(found)

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
        elif write.condition != "exists":
            items[key] = dict(write.after)
        else:
            before = write.before or {}
            changed = {name for name in {*before, *write.after} if before.get(name) != write.after.get(name)}
            kept = {name: value for name, value in items.get(key, write.key).items() if name not in changed}
            items[key] = kept | {name: value for name, value in write.after.items() if name in changed}


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
