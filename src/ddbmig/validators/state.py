"""What the tables must hold after each write: the items that the SQL side's rows make, kept in step row by row.

After a write only what it touched is looked at: the rows that SQL changed tell which items are due, and these and every
item that the plan wrote are read back. So a template that writes too much or too little is named at once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ddbmig.loaders.items import FindParent, ItemBuilder
from ddbmig.model.base import sha256
from ddbmig.model.contract import JoinColumns
from ddbmig.model.design import TableDesign
from ddbmig.model.errors import InputError
from ddbmig.model.schema import Schema
from ddbmig.validators.operations import ItemWrite, Operations
from ddbmig.validators.source import acts
from ddbmig.validators.sql_side import RawRow, Row, SqlSide

Key = tuple[Any, ...]
Due = dict[Key, Counter[str]]
"""Fingerprints of the items under each key; equal rows of a table without a key share one."""


@dataclass
class Strays:
    """Items of one table that are not as they should be."""

    table: str
    missing: int = 0
    unexpected: int = 0

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected)

    def described(self) -> str:
        """In words, without values."""
        differing = min(self.missing, self.unexpected)
        parts = [
            f"{differing} differ" if differing else "",
            f"{self.missing - differing} missing" if self.missing > differing else "",
            f"{self.unexpected - differing} left behind" if self.unexpected > differing else "",
        ]
        return f"items of {self.table}: {', '.join(filter(None, parts))}"


def fingerprint(item: Mapping[str, Any]) -> str:
    """An item's content as a hash; equal rows of a table without a key may be numbered in another order."""
    plain = sorted((name, value.split("#")[0] if name.startswith("row_digest") else str(value))
                   for name, value in item.items())  # fmt: skip
    return sha256(repr(plain).encode("utf-8", "surrogatepass"))


class State:
    """What is due in every table of a design."""

    def __init__(
        self, tables: Iterable[TableDesign], builders: Mapping[str, ItemBuilder], source: SqlSide, schema: Schema,
        operations: Operations,
    ) -> None:  # fmt: skip
        self._tables, self._builders, self._source = tuple(tables), builders, source
        self._operations = operations
        self._children = _acting(schema)
        self._due: dict[str, Due] = {table.name: {} for table in self._tables}
        self._before: dict[str, Counter[RawRow]] = {}
        self._after: dict[str, Counter[RawRow]] = {}
        self._replaced: list[tuple[str, Key, Counter[str] | None]] = []

    def loaded(self, table: TableDesign, item: Mapping[str, Any]) -> None:
        """Note an item that was loaded."""
        self._due[table.name].setdefault(_key(table, item), Counter())[fingerprint(item)] += 1

    def items(self, table: TableDesign) -> int:
        """How many items are due in a table."""
        return sum(found.total() for found in self._due[table.name].values())

    def watch(self, table_id: str) -> None:
        """Remember the rows of a table that is about to be written, and of those its foreign keys change."""
        self._replaced = []
        for changed in self._reached(table_id):
            if changed not in self._before:
                self._before[changed] = Counter(self._source.raw(changed))

    def compare(self, table_id: str, written: Iterable[ItemWrite]) -> list[Strays]:
        """After a write on both sides: the tables whose items are not what SQL's rows now make."""
        dirty: dict[str, set[Key]] = {}
        for changed in self._reached(table_id):
            now = self._after[changed] = Counter(self._source.raw(changed))
            gone, new = _more(self._before[changed], now), _more(now, self._before[changed])
            for table in self._tables:
                if table.source_table == changed:
                    self._own(table, gone, new, dirty)
            for table in self._tables:
                self._copies(table, changed, (*gone, *new), dirty)
        for write in written:
            dirty.setdefault(write.table.name, set()).add(_key(write.table, write.key))
        found = [self._strays(t, dirty[t.name]) for t in self._tables if t.name in dirty]
        return [strays for strays in found if strays]

    def keep(self, table_id: str) -> None:
        """The write stays."""
        for changed in self._reached(table_id):
            self._before[changed] = self._after[changed]

    def undo(self) -> None:
        """The write was undone on both sides."""
        for name, key, old in reversed(self._replaced):
            if old is None:
                self._due[name].pop(key, None)
            else:
                self._due[name][key] = old

    def whole(self, table: TableDesign) -> Strays:
        """Every item of a table beside the items due."""
        due, found = Counter[str](), Counter[str]()
        for prints in self._due[table.name].values():
            due.update(prints)
        for item in self._operations.scan(table):
            found[fingerprint(item)] += 1
        return Strays(table.name, (due - found).total(), (found - due).total())

    # --- what is due ---

    def _reached(self, table_id: str) -> list[str]:
        """The table and those that acting foreign keys reach from it."""
        found = [table_id]
        for table in found:
            found += [child for child in self._children.get(table, ()) if child not in found]
        return found

    def _own(self, table: TableDesign, gone: Counter[RawRow], new: Counter[RawRow], dirty: dict[str, set[Key]]) -> None:
        for rows, sign in ((gone, -1), (new, 1)):
            for raw, times in rows.items():
                item = self._item(table, self._source.row(table.source_table, raw))
                if item is not None:
                    self._change(table, item, sign * times, dirty)

    def _copies(
        self, table: TableDesign, parent_table: str, changed: Iterable[RawRow], dirty: dict[str, set[Key]]
    ) -> None:
        """The items that hold copies of changed rows, made anew."""
        builder = self._builders[table.name]
        for local, source in sorted(_joins(builder, parent_table)):
            values = {tuple(self._source.row(parent_table, raw)[c] for c in source) for raw in changed}
            for found in sorted(values, key=repr):
                for row in self._source.where(table.source_table, dict(zip(local, found, strict=True))):
                    item = self._item(table, row)
                    if item is not None:
                        key = _key(table, item)
                        self._set(table.name, key, Counter([fingerprint(item)]))
                        dirty.setdefault(table.name, set()).add(key)

    def _change(self, table: TableDesign, item: Mapping[str, Any], times: int, dirty: dict[str, set[Key]]) -> None:
        key = _key(table, item)
        prints = Counter(self._due[table.name].get(key, Counter()))
        if times > 0 or table.attributes[table.pk].encoding == "row_digest":
            prints[fingerprint(item)] += times
        else:
            prints.clear()  # copies of a parent that changed with it may have changed the fingerprint
        self._set(table.name, key, +prints)
        dirty.setdefault(table.name, set()).add(key)

    def _set(self, name: str, key: Key, prints: Counter[str]) -> None:
        self._replaced.append((name, key, self._due[name].get(key)))
        self._due[name][key] = prints

    def _item(self, table: TableDesign, row: Row) -> dict[str, Any] | None:
        """The item of a row as it is now; None where by the contract, or by its key, it has none."""
        builder = self._builders[table.name]
        if not builder.applies(row):
            return None
        try:
            return builder.item(row, self._find)
        except InputError:
            return None

    @property
    def _find(self) -> FindParent:
        return lambda table_id, columns, values: self._source.match(table_id, dict(zip(columns, values, strict=True)))

    # --- what is there ---

    def _strays(self, table: TableDesign, keys: Iterable[Key]) -> Strays:
        strays = Strays(table.name)
        for key in sorted(keys, key=repr):
            due, found = self._due[table.name].get(key, Counter()), Counter[str]()
            for item in self._items(table, key, due.total()):
                found[fingerprint(item)] += 1
            strays.missing += (due - found).total()
            strays.unexpected += (found - due).total()
        return strays

    def _items(self, table: TableDesign, key: Key, due: int) -> Iterator[dict[str, Any]]:
        """The items under a key; of a table without one those of all numbers that equal rows may have."""
        plain = dict(zip(table.keys, key, strict=True))
        numbers = range(due + 2) if table.attributes[table.pk].encoding == "row_digest" else range(1)
        for number in numbers:
            numbered = {table.pk: f"{plain[table.pk]}#{number}"} if number else {}
            item = self._operations.peek(table, {**plain, **numbered})
            if item is not None:
                yield item


def _more(these: Counter[RawRow], others: Counter[RawRow]) -> Counter[RawRow]:
    """`these - others`, quick where nearly all rows are the same."""
    differing = these.items() - others.items()
    return +Counter({row: times - others[row] for row, times in differing})


def _key(table: TableDesign, item: Mapping[str, Any]) -> Key:
    """The key of an item, without the number of an equal row."""
    digest = table.attributes[table.pk].encoding == "row_digest"
    return tuple(item[k].split("#")[0] if digest and k == table.pk else item[k] for k in table.keys)


def _joins(builder: ItemBuilder, parent_table: str) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    """By which columns a table's items hold copies of another table's rows: own columns, the other's columns."""
    found: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for attribute in builder.entry.attributes.values():
        join = attribute.join
        if attribute.denormalized and attribute.source_table == parent_table and isinstance(join, JoinColumns):
            found.add((join.local_columns, join.source_columns))
    return found


def _acting(schema: Schema) -> dict[str, list[str]]:
    """Per table the children that its foreign keys change with it."""
    found: dict[str, list[str]] = {}
    for table in schema.tables:
        for key in table.foreign_keys:
            if acts(key):
                found.setdefault(key.parent, []).append(table.id)
    return found


def undo_writes(operations: Operations, written: Iterable[ItemWrite]) -> None:
    """Put back what items were before some writes, the last first."""
    for write in reversed(list(written)):
        operations.restore(write)
