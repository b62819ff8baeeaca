"""Candidate structures: how the rows of each MySQL table become the items of a DynamoDB table, its keys and indexes.

A `Draft` is a design in the making: one `Entity` per kept MySQL table; `freeze` turns it into the `TableDesign`s.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from ddbmig.engine.sizes import Sizes
from ddbmig.model.base import sha256
from ddbmig.model.contract import ContractAttribute, Enforces, JoinColumns
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.encodings import attribute_type, encoding_for, is_collated, template_field
from ddbmig.model.schema import Column, Index, Table

MAX_INDEXES = 20
"""GSIs per table, the default quota (A3)."""
INCLUDE_LIMIT = 100
"""Attributes in INCLUDE projections over all indexes of a table (A3)."""

SORTABLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "date",
                      "datetime", "timestamp", "year"})  # fmt: skip
"""Types whose DynamoDB order is MySQL's order; strings sort by code point there, by collation in MySQL."""


@dataclass(frozen=True)
class IndexDraft:
    """A GSI that may be built, by source columns.

    Each column is a key attribute of its own, at most `MAX_KEY_ATTRIBUTES` in each part. An empty `pk` is the constant
    partition: all rows in one order, for ranges and listings over the whole table.
    """

    pk: tuple[str, ...]
    sk: tuple[str, ...] = ()
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] = "KEYS_ONLY"
    projected: tuple[str, ...] = ()
    """The non-key attributes of an INCLUDE projection, sorted."""

    @cached_property
    def id(self) -> str:
        """What tells the GSIs of one table apart."""
        projection = f"INCLUDE({','.join(self.projected)})" if self.projected else self.projection
        return f"{','.join(self.pk) or '#ALL'}+{','.join(self.sk)} {projection}"


@dataclass(frozen=True)
class Copy:
    """Columns of a parent kept on the child's item (a short-circuited join). `columns` maps column -> attribute."""

    relationship: str
    parent: str
    parent_columns: tuple[str, ...]
    local_columns: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    because: str


@dataclass(frozen=True)
class Entity:
    """One form that the rows of a MySQL table may have as items: base key, look-up tables, copies and indexes."""

    table: Table
    name: str
    pk: tuple[str, ...]
    sk: tuple[str, ...] = ()
    digest_key: str | None = None
    """Name of the key attribute of a table without any key: the digest of the row."""
    lookups: tuple[Index, ...] = ()
    lookup_names: Mapping[str, str] = field(default_factory=dict)
    indexes: tuple[IndexDraft, ...] = ()
    copies: tuple[Copy, ...] = ()
    extras: tuple[tuple[str, ...], ...] = ()
    """What the GSIs need besides plain columns: the columns whose key attribute is another, () for the constant one."""
    because: tuple[str, ...] = ()

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Source columns of the base key; empty where the key is the row's digest."""
        return self.pk + self.sk

    @cached_property
    def form(self) -> str:
        """What tells the forms of one table apart, GSIs aside."""
        return self.bare_form + "".join(f" with({','.join(part)})" for part in self.extras)

    @cached_property
    def bare_form(self) -> str:
        """The form without what its GSIs need besides."""
        key = f"{','.join(self.pk) or self.digest_key}+{','.join(self.sk)}"
        return f"{self.table.id} {key}" + "".join(f" copy({copy.relationship})" for copy in self.copies)

    def lookup_name(self, unique: Index) -> str:
        """Name of the look-up table of a unique key."""
        return self.lookup_names[unique.name]

    def index_name(self, index: IndexDraft) -> str:
        """Name of a GSI by its access pattern: `<entity>_by_<partition columns>_then_<sort columns>`.

        Of several that would have one name, as those do that differ in what they project, the second and later ones are
        numbered.
        """
        return self._index_names.get(index.id) or table_name(self._pattern_name(index))

    @cached_property
    def _index_names(self) -> Mapping[str, str]:
        """By id, the names of the entity's own GSIs."""
        found: dict[str, str] = {}
        alike: dict[str, int] = {}
        for index in sorted(self.indexes, key=lambda one: one.id):
            named = self._pattern_name(index)
            number = alike[table_name(named)] = alike.get(table_name(named), 0) + 1
            found[index.id] = table_name(f"{named}_{number}" if number > 1 else named)
        return found

    def _pattern_name(self, index: IndexDraft) -> str:
        parts = ["_and_".join(part) for part in (index.pk or ("all",), index.sk) if part]
        return f"{self.table.name}_by_{'_then_'.join(parts)}"


def table_name(text: str) -> str:
    """`text` as a legal table or index name: 3 to 255 of [a-zA-Z0-9_.-] (A3); a longer one ends in its digest."""
    legal = re.sub(r"[^a-zA-Z0-9_.-]", "_", text)
    if len(legal) > 255:
        return f"{legal[:246]}_{sha256(text.encode())[:8]}"
    return legal if len(legal) >= 3 else f"{legal}_table"


def new_entities(tables: Iterable[Table]) -> dict[str, Entity]:
    """The faithful entity of every table, by table id; all names are legal and unique over entities and look-ups."""
    ordered = sorted(tables, key=lambda table: table.id)
    taken: set[str] = set()
    named = {table.id: _new_entity(table, _unique_name(table.id, taken)) for table in ordered}
    return {key: replace(entity, lookup_names=_lookup_names(entity, taken)) for key, entity in named.items()}


def _lookup_names(entity: Entity, taken: set[str]) -> dict[str, str]:
    return {
        unique.name: _unique_name(f"{entity.name}_{'_'.join(unique.columns)}_unique", taken)
        for unique in entity.lookups
    }


def _unique_name(wanted: str, taken: set[str]) -> str:
    base = name = table_name(wanted)
    number = 2
    while name in taken:
        name, number = f"{base[:250]}_{number}", number + 1
    taken.add(name)
    return name


def _new_entity(table: Table, name: str) -> Entity:
    """The faithful entity: keyed by the primary key, else by a NOT NULL unique key, else by the row's digest."""
    key, because = table.primary_key, "primary key"
    if not key:
        for unique in table.unique_keys():
            if all(not table.column(c).nullable for c in unique.columns):
                key, because = unique.columns, f"unique key {unique.name} (no primary key)"
                break
    if key:
        uniques = tuple(u for u in table.unique_keys() if set(u.columns) != set(key) and _plain(table, u))
        return Entity(table=table, name=name, pk=key, lookups=uniques, because=(because,))
    digest = _free_name("row_digest", {c.name for c in table.columns})
    uniques = tuple(u for u in table.unique_keys() if _plain(table, u))
    why = "no primary or unique key: the digest of the row is its key"
    return Entity(table=table, name=name, pk=(), digest_key=digest, lookups=uniques, because=(why,))


def _plain(table: Table, unique: Index) -> bool:
    """A unique key over plain columns; one over an expression has no column to look up."""
    return all(table.has_column(column) for column in unique.columns)


def _free_name(wanted: str, taken: set[str]) -> str:
    name = wanted
    while name in taken:
        name += "_"
    return name


class Draft:
    """A design in the making: of every table the form that its rows take.

    The sizes of forms and index entries are kept, since many plans ask for them.
    """

    def __init__(
        self, entities: Mapping[str, Entity], sizes: Sizes, *, staying: frozenset[str] = frozenset()
    ) -> None:  # fmt: skip
        self.entities = dict(entities)
        self.sizes = sizes
        self.staying = staying
        """Tables that stay on MySQL."""
        self.asked: dict[tuple[str, IndexDraft], list[str]] = {}
        """By table and GSI, the patterns that read through it."""
        self._attributes: dict[str, dict[str, ContractAttribute]] = {}
        self._designs: dict[tuple[str, IndexDraft], IndexDesign] = {}
        self._item_bytes: dict[str, float] = {}
        self._key_attributes: dict[tuple[str, tuple[str, ...]], tuple[str, ContractAttribute]] = {}
        self._in_entry: dict[tuple[str, IndexDraft], frozenset[str]] = {}

    @property
    def tables(self) -> Collection[str]:
        """Ids of the tables that are migrated."""
        return self.entities.keys()

    def ask(self, entity: Entity, index: IndexDraft, pattern: str) -> None:
        """Note that a pattern reads through a GSI."""
        patterns = self.asked.setdefault((entity.table.id, index), [])
        if pattern not in patterns:
            patterns.append(pattern)

    def freeze(self) -> tuple[TableDesign, ...]:
        """The finished tables, look-up tables behind their entity, in table-id order."""
        tables: list[TableDesign] = []
        for table_id in sorted(self.entities):
            entity = self.entities[table_id]
            tables.append(self.entity_design(entity))
            tables.extend(self.lookup_design(entity, unique) for unique in entity.lookups)
        return tuple(tables)

    def key_attribute(self, entity: Entity, columns: tuple[str, ...]) -> tuple[str, ContractAttribute]:
        """Name and definition of the key attribute over `columns`: the column itself, or a composed one.

        A text is no key as it is: it is written as its collation compares it. So is a binary value that may be empty.
        Both get the prefix `_`, since DynamoDB refuses empty keys.
        """
        found = self._key_attributes.get((entity.table.id, columns))
        if found is None:
            found = self._key_attributes[entity.table.id, columns] = self._key_attribute(entity.table, columns)
        return found

    def _key_attribute(self, table: Table, columns: tuple[str, ...]) -> tuple[str, ContractAttribute]:
        if not columns:
            name = _free_name(f"{table.name}__all", {c.name for c in table.columns})
            first = (table.primary_key or (table.columns[0].name,))[0]
            return name, ContractAttribute(type="S", source_table=table.id, source_column=first, value="#ALL")
        collated = any(is_collated(table.column(c)) for c in columns)
        if len(columns) == 1 and not (collated or self._may_be_empty(table, columns[0])):
            return columns[0], plain_attribute(table, columns[0])
        taken = {c.name for c in table.columns}
        if len(columns) == 1:
            name, template = _free_name(f"{columns[0]}__key", taken), "_" + template_field(columns[0])
        else:
            name, template = _free_name("__".join(columns), taken), "#".join(template_field(c) for c in columns)
        return name, ContractAttribute(
            type="S", source_table=table.id, source_column=columns[0], template=template,
            encoding="collated" if collated else "string",
        )  # fmt: skip

    def _may_be_empty(self, table: Table, name: str) -> bool:
        column = table.column(name)
        if attribute_type(encoding_for(column)) not in ("S", "B") or column.type in SORTABLE:
            return False
        counted = self.sizes.column_statistics(table.id, name)
        if counted is not None:
            return counted.has_empty
        keys = [table.primary_key, *(u.columns for u in table.unique_keys())]
        return not any(name in key for key in keys)

    def base_keys(self, entity: Entity) -> dict[str, ContractAttribute]:
        """The base key attributes, partition key first."""
        if entity.digest_key:
            first = entity.table.columns[0].name
            return {
                entity.digest_key: ContractAttribute(
                    type="S", source_table=entity.table.id, source_column=first, encoding="row_digest"
                )
            }
        keys = [self.key_attribute(entity, entity.pk)]
        if entity.sk:
            keys.append(self.key_attribute(entity, entity.sk))
        return dict(keys)

    def attributes(self, entity: Entity) -> Mapping[str, ContractAttribute]:
        """Every attribute of the entity's items: keys, all columns, what its GSIs need besides, and copies."""
        found = self._attributes.get(entity.form)
        if found is None:
            found = dict(self.base_keys(entity))
            found.update({c.name: plain_attribute(entity.table, c.name) for c in entity.table.columns})
            found.update(self.key_attribute(entity, columns) for columns in entity.extras)
            for copy in entity.copies:
                found.update(self._copied(copy))
            self._attributes[entity.form] = found
        return found

    def item_bytes(self, entity: Entity) -> float:
        """Average bytes of the base item."""
        found = self._item_bytes.get(entity.form)
        if found is None:
            found = self._item_bytes[entity.form] = self.sizes.item_bytes(self.attributes(entity))
        return found

    def extras_of(self, entity: Entity, index: IndexDraft) -> frozenset[tuple[str, ...]]:
        """What a GSI needs besides plain columns, as in `Entity.extras`."""
        parts = [(), *((c,) for c in index.sk)] if not index.pk else [(c,) for c in (*index.pk, *index.sk)]
        plain = {column.name for column in entity.table.columns}
        return frozenset(part for part in parts if self.key_attribute(entity, part)[0] not in plain)

    def index_keys(self, entity: Entity, index: IndexDraft) -> list[tuple[str, ContractAttribute]]:
        """The key attributes of a GSI, one per column, those of the partition key first."""
        columns = (*index.pk, *index.sk)
        constant = [] if index.pk else [self.key_attribute(entity, ())]
        return [*constant, *(self.key_attribute(entity, (column,)) for column in columns)]

    def _copied(self, copy: Copy) -> dict[str, ContractAttribute]:
        parent = self.sizes.table(copy.parent)
        single = len(copy.local_columns) == 1
        join = JoinColumns(
            local_column=copy.local_columns[0] if single else copy.local_columns,
            source_column=copy.parent_columns[0] if single else copy.parent_columns,
        )
        return {
            attribute: plain_attribute(parent, column).model_copy(
                update={"denormalized": True, "justification": copy.because, "join": join}
            )
            for column, attribute in copy.columns
        }

    def entity_design(self, entity: Entity) -> TableDesign:
        """The entity's table."""
        keys = list(self.base_keys(entity))
        return TableDesign(
            name=entity.name,
            source_table=entity.table.id,
            role="entity",
            pk=keys[0],
            sk=keys[1] if len(keys) > 1 else None,
            attributes=self.attributes(entity),
            indexes=tuple(self.index_design(entity, index) for index in sorted(entity.indexes, key=entity.index_name)),
            because=entity.because,
            items=self.sizes.rows(entity.table.id),
            item_bytes=self.item_bytes(entity),
        )

    def index_design(self, entity: Entity, index: IndexDraft) -> IndexDesign:
        """One GSI of the entity's table."""
        found = self._designs.get((entity.form, index))
        if found is None:
            found = self._designs[entity.form, index] = self._index_design(entity, index)
        because = tuple(self.asked.get((entity.table.id, index), ()))
        return found.model_copy(update={"because": because, "name": entity.index_name(index)}) if because else found

    def entry_bytes(self, entity: Entity, index: IndexDraft) -> float:
        """Average bytes of a GSI's entries."""
        return self.index_design(entity, index).entry_bytes

    def in_entry(self, entity: Entity, index: IndexDraft) -> frozenset[str]:
        """The attributes that a GSI's entry holds."""
        found = self._in_entry.get((entity.form, index))
        if found is None:
            found = self._in_entry[entity.form, index] = self._attributes_in_entry(entity, index)
        return found

    def _attributes_in_entry(self, entity: Entity, index: IndexDraft) -> frozenset[str]:
        if index.projection == "ALL":
            return frozenset(self.attributes(entity))
        keys = (name for name, _ in self.index_keys(entity, index))
        return frozenset((*self.base_keys(entity), *keys, *index.projected))

    def _index_design(self, entity: Entity, index: IndexDraft) -> IndexDesign:
        names = tuple(name for name, _ in self.index_keys(entity, index))
        cut = max(1, len(index.pk))
        attributes, there = self.attributes(entity), self.in_entry(entity, index)
        kept = {name: attribute for name, attribute in attributes.items() if name in there}
        present = 1.0
        for column in (*index.pk, *index.sk):
            present = min(present, self.sizes.present_share(entity.table.id, column))
        return IndexDesign(
            name=entity.index_name(index),
            partition=names[:cut],
            sort=names[cut:],
            projection=index.projection,
            projected=index.projected,
            entries=self.sizes.rows(entity.table.id) * present,
            entry_bytes=self.sizes.item_bytes(kept, {*index.pk, *index.sk}),
        )

    def lookup_design(self, entity: Entity, unique: Index) -> TableDesign:
        """The look-up table of a unique key."""
        name, key = self.lookup_key(entity, unique)
        back = {c: plain_attribute(entity.table, c) for c in entity.key_columns}
        attributes = {**back, name: key} if back else {**self.base_keys(entity), name: key}
        nullable = [c for c in unique.columns if entity.table.column(c).nullable]
        present = 1.0
        for column in nullable:
            present = min(present, self.sizes.present_share(entity.table.id, column))
        return TableDesign(
            name=entity.lookup_name(unique),
            source_table=entity.table.id,
            role="lookup",
            pk=name,
            attributes=attributes,
            filter=" AND ".join(f"`{c}` IS NOT NULL" for c in nullable) or None,
            enforces=Enforces(table=entity.table.id, unique_key=unique.name),
            because=(f"unique key {unique.name}",),
            items=self.sizes.rows(entity.table.id) * present,
            item_bytes=self.sizes.item_bytes(attributes, unique.columns),
        )

    def lookup_key(self, entity: Entity, unique: Index) -> tuple[str, ContractAttribute]:
        """Name and definition of the partition key of a look-up table."""
        return self.key_attribute(entity, unique.columns)


def plain_attribute(table: Table, name: str) -> ContractAttribute:
    """The attribute that holds one column as it is."""
    column: Column = table.column(name)
    encoding = encoding_for(column)
    return ContractAttribute(
        type=attribute_type(encoding), source_table=table.id, source_column=column.name, encoding=encoding
    )
