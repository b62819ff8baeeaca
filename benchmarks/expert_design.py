"""A published design as stores and operations of the neutral evaluator, so that it is priced as ours is.

An item holds the columns of its row, besides them its key attributes where these are not columns, and what a counter or
an embedded child adds. Sizes are those that our engine assumes of the columns' types. A TransactWriteItems that writes
one item for the statement is priced as a plain write: what it adds is to be atomic with other statements, which neither
side is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ddbmig.engine.operations import EntryWrites, Operation, Store
from ddbmig.engine.sizes import Sizes
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.snapshot import Snapshot
from published_designs import (
    FIELD,
    SOURCE,
    Case,
    ExpertEntity,
    ExpertIndex,
    ExpertTable,
    Items,
    ItemWrite,
    Question,
    Remarks,
    fixed_columns,
    pattern_id,
    plain,
    remarks,
)

COUNTER_BYTES = 16
"""A name and a number of some digits: assumed."""
MEMBER_BYTES = 1
"""Of each member of a list or map, beyond its name and value (A4)."""
DOCUMENT_BYTES = 3
"""Of each list or map (A4)."""


class Catalogue:
    """The columns of the source tables, as keys and items name them, and their bytes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.sizes = Sizes(snapshot.tables, snapshot.statistics)
        self._tables = {column.name: table.id for table in snapshot.tables.tables for column in table.columns}
        """A table that has a column of this name."""

    def column(self, table: str, attribute: str) -> str | None:
        """The column of a table that an attribute is, however it is written."""
        names = (column.name for column in self.sizes.table(table).columns)
        return next((name for name in names if plain(name) == plain(attribute)), None)

    def in_a_key(self, table: str, names: Sequence[str]) -> float:
        """Bytes of columns as they are in composed keys of ours, of the table or else of another.

        A name may be cut short. Raises ValueError where there is no such column.
        """
        return sum(self.sizes.key_part_bytes(*self._place(table, name)) for name in names)

    def _place(self, table: str, name: str) -> tuple[str, str]:
        if self.sizes.table(table).has_column(name):
            return table, name
        found = name if name in self._tables else next((n for n in self._tables if n.startswith(name)), None)
        if found is None:
            raise ValueError(f"no column {name}, which a key of {table} names")
        return self._tables[found], found

    def embedded(self, parent: str, child: str | None) -> float:
        """Bytes of the child rows inside of their parent's item."""
        if child is None:
            return 0.0
        link = {c for key in self.sizes.table(child).foreign_keys if key.parent == parent for c in key.columns}
        names = [column.name for column in self.sizes.table(child).columns if column.name not in link]
        one = sum(len(name) + self.sizes.column_bytes(child, name) + MEMBER_BYTES for name in names)
        rows = self.sizes.rows(child) / self.sizes.rows(parent)
        return len(child) + DOCUMENT_BYTES + rows * (one + DOCUMENT_BYTES + MEMBER_BYTES)


@dataclass(frozen=True)
class Entry:
    """What an index holds of an item."""

    item_bytes: float
    keys: frozenset[str]
    """Columns whose change moves it."""
    columns: frozenset[str] | None
    """Columns that it carries besides; None for all of them."""

    def writes(self, changed: Iterable[str]) -> int:
        """Entry writes when columns of the item change."""
        changed = frozenset(changed)
        if changed & self.keys:
            return 2
        return int(bool(changed) and (self.columns is None or bool(changed & self.columns)))


class ItemKind:
    """One kind of item of a table: how many there are, how large they are, and their entries by index.

    Raises ValueError where nothing tells what the items hold.
    """

    def __init__(self, table: ExpertTable, entity: ExpertEntity, told: Remarks, catalogue: Catalogue) -> None:
        self.table, self.entity, self.told, self.catalogue = table, entity, told, catalogue
        found, match = told.entities.get(entity.entity), SOURCE.fullmatch(entity.source)
        if found is None and match is None:
            raise ValueError(f"nothing tells what the items of {entity.entity} hold")
        self.held = found or Items(table=match[1] if match else "")
        self.child = match[2] if match and not found else None
        self.items = self.held.share * catalogue.sizes.rows(self.held.table)

    @property
    def name(self) -> str:
        """The name in the file."""
        return self.entity.entity

    @cached_property
    def keys(self) -> dict[str, float]:
        """Bytes of the table's key attributes that are not columns, by attribute."""
        return {
            attribute: len(attribute) + self._rendered(template)
            for attribute, template in self._templates.items()
            if self._column(attribute) is None
        }

    @property
    def _templates(self) -> dict[str, str]:
        """The table's key attributes, each with its template."""
        found, entity = {self.table.pk: self.entity.pk}, self.entity
        if self.table.sk is not None and entity.sk is not None:
            found[self.table.sk] = entity.pk if entity.sk == "same" else entity.sk
        return found

    def _rendered(self, template: str) -> float:
        """Bytes of a key: its fixed text, and its columns."""
        fixed = len(FIELD.sub("", template).strip("'"))
        return fixed + self.catalogue.in_a_key(self.held.table, FIELD.findall(template))

    def _column(self, attribute: str) -> str | None:
        """The column that an attribute of the item is, if it is one."""
        return None if self.held.bare else self.catalogue.column(self.held.table, attribute)

    def made(self, index: ExpertIndex) -> dict[str, float] | None:
        """Bytes of the key attributes made for an index; None where the item has no entry in it."""
        if index.name not in self.told.entries:
            return {} if all(name in self.keys or self._column(name) for name in index.keys) else None
        told = self.told.entries[index.name].get(self.name)
        return told and {
            attribute: len(attribute) + self.catalogue.in_a_key(self.held.table, columns) + len(columns) - 1
            for attribute, columns in zip(index.keys, told, strict=True)
            if columns
        }

    def sized(self, indexes: Sequence[ExpertIndex]) -> tuple[float, dict[str, Entry]]:
        """Bytes of an item, and its entries in these indexes."""
        made = {index.name: keys for index in indexes if (keys := self.made(index)) is not None}
        size = 0.0 if self.held.bare else self.catalogue.sizes.row_bytes(self.held.table)
        size += COUNTER_BYTES * self.held.counters + self.catalogue.embedded(self.held.table, self.child)
        size += sum(self.keys.values()) + sum(sum(keys.values()) for keys in made.values())
        return size, {one.name: self._entry(one, size, made[one.name]) for one in indexes if one.name in made}

    def _entry(self, index: ExpertIndex, item_bytes: float, made: Mapping[str, float]) -> Entry:
        moving = frozenset(self._key_columns(index))
        if index.projection == "ALL":
            return Entry(item_bytes, moving, None)
        names = (*index.keys, *index.include, *self._templates)
        carried = frozenset(column for name in names if (column := self._column(name)))
        columns = sum(len(c) + self.catalogue.sizes.column_bytes(self.held.table, c) for c in sorted(carried))
        return Entry(columns + sum(self.keys.values()) + sum(made.values()), moving, carried)

    def _key_columns(self, index: ExpertIndex) -> Iterator[str]:
        """The columns that the key of an index is made of."""
        for columns in self.told.entries.get(index.name, {}).get(self.name, ()):
            yield from columns
        for attribute in index.keys:
            column = self._column(attribute)
            yield from (column,) if column else FIELD.findall(self._templates.get(attribute, ""))


class ExpertDesign:
    """The expert's tables for the access patterns of a case that are compared."""

    def __init__(self, case: Case, snapshot: Snapshot) -> None:
        self.case, self.told = case, remarks().designs.get(case.id, Remarks())
        self.catalogue = Catalogue(snapshot)
        self.patterns = {pattern.id: pattern for pattern in snapshot.patterns}
        read = {(question.expert_op.table, question.expert_op.index) for question in case.access_patterns}
        self.indexes = {
            table.name: [index for index in table.gsis if (table.name, index.name) in read]
            for table in case.expert.tables
        }
        self.kinds = {
            entity.entity: ItemKind(table, entity, self.told, self.catalogue)
            for table in case.expert.tables
            for entity in table.entities
            if self._is_kept(entity.entity)
        }
        self.sizes = {name: kind.sized(self.indexes[kind.table.name]) for name, kind in self.kinds.items()}

    def _is_kept(self, entity: str) -> bool:
        """Whether a compared pattern reads it, if it is a copy or a count."""
        held = self.told.entities.get(entity)
        compared = {question.id for question in self.case.access_patterns}
        return held is None or not held.serves or bool(compared & set(held.serves))

    def stores(self) -> list[Store]:
        """Every table, and every index that a compared pattern reads."""
        found = []
        for table, indexes in self.indexes.items():
            for index in (None, *(index.name for index in indexes)):
                kinds = [kind for kind in self.kinds.values() if kind.table.name == table]
                there = [kind for kind in kinds if index is None or index in self.sizes[kind.name][1]]
                items = sum(kind.items for kind in there)
                size = sum(kind.items * self._size(kind.name, index) for kind in there) / items
                found.append(Store(table, index, items, size))
        return found

    def _size(self, kind: str, index: str | None) -> float:
        item_bytes, entries = self.sizes[kind]
        return item_bytes if index is None else entries[index].item_bytes

    # --- what is called ---

    def operations(self) -> list[Operation]:
        """The calls of every pattern."""
        return [operation for question in self.case.access_patterns for operation in self._calls(question)]

    def _calls(self, question: Question) -> Iterator[Operation]:
        if question.kind == "read":
            yield self._read(question)
            return
        told = self.told.writes.get(question.id) or (self._plain_write(question),)
        writes = [write for write in told if write.kind in self.kinds]
        together = question.expert_op.op == "TransactWrite" and len(writes) > 1
        for write in writes:
            yield self._write(question, write, together)

    def _read(self, question: Question) -> Operation:
        call = question.expert_op
        kinds: Mapping[str, Literal["get", "query", "scan"]] = {"GetItem": "get", "Query": "query", "Scan": "scan"}
        read = self.told.reads.get(question.id) or self._plain_read(question)
        items = sum(read.values())
        return Operation(
            pattern=question.id, table=call.table or "", index=call.index, kind=kinds[call.op], times=1.0, items=items,
            item_bytes=sum(count * self._size(name, call.index) for name, count in read.items()) / items,
        )  # fmt: skip

    def _plain_read(self, question: Question) -> dict[str, float]:
        """The items of the SQL's table: those expected, else all rows that share the values the statement gives."""
        pattern = self._pattern(question)
        kind, table = self._kind_of(question, pattern), pattern.refs[0].table
        if question.expert_op.op == "Scan":
            return {one.name: one.items for one in self.kinds.values() if one.table is kind.table}
        found = self.catalogue.sizes.rows_per_value(table, fixed_columns(pattern))
        return {kind.name: question.expected_rows or found}

    def _plain_write(self, question: Question) -> ItemWrite:
        pattern = self._pattern(question)
        kind = self._kind_of(question, pattern)
        if pattern.kind == "update":
            return ItemWrite(update=kind.name, sets=tuple(a.column for a in pattern.assignments))
        return ItemWrite(delete=kind.name) if pattern.kind == "delete" else ItemWrite(put=kind.name)

    def _write(self, question: Question, write: ItemWrite, together: bool) -> Operation:
        kind = self.kinds[write.kind]
        op: Literal["put", "update", "delete"] = "put" if write.put else "update" if write.update else "delete"
        item_bytes, entries = self.sizes[write.kind]
        touched = {name: entry.writes(write.sets) if op == "update" else 1 for name, entry in entries.items()}
        return Operation(
            pattern=question.id, table=kind.table.name, index=None, kind=op, times=1.0, items=1.0,
            item_bytes=item_bytes, transactional=together,
            entries=tuple(EntryWrites(name, n, entries[name].item_bytes) for name, n in touched.items() if n),
        )  # fmt: skip

    def _pattern(self, question: Question) -> AccessPattern:
        return self.patterns[pattern_id(question)]

    def _kind_of(self, question: Question, pattern: AccessPattern) -> ItemKind:
        """The one kind of item that a call is about. Raises ValueError where the file does not tell which."""
        call = question.expert_op
        found = [k for k in self.kinds.values() if k.held.table == pattern.refs[0].table and k.table.name == call.table]
        if len(found) > 1 and call.pk is not None and call.index is None:
            found = [kind for kind in found if FIELD.sub("{}", kind.entity.pk) == FIELD.sub("{}", call.pk)]
        if len(found) != 1:
            raise ValueError(f"{self.case.id}: pattern {question.id} may be about {[kind.name for kind in found]}")
        return found[0]
