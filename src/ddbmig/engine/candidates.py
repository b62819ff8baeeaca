"""Candidate structures: how the rows of each MySQL table become the items of a DynamoDB table, its keys and indexes.

A `Draft` is a design in the making: one `Entity` per kept MySQL table. Plans ask it for indexes; `freeze` turns it into
the frozen `TableDesign`s.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ddbmig.engine.sizes import Sizes
from ddbmig.model.base import sha256
from ddbmig.model.contract import ContractAttribute, Enforces, JoinColumns
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.encodings import attribute_type, encoding_for, template_field
from ddbmig.model.schema import Column, Index, Table

MAX_INDEXES = 20
"""GSIs per table, the default quota (A3)."""
INCLUDE_LIMIT = 100
"""Attributes in INCLUDE projections over all indexes of a table (A3)."""
INCLUDE_SHARE = 0.6
"""An index that would hold more than this share of the item's bytes projects ALL: simpler, and hardly dearer."""

SORTABLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "date",
                      "datetime", "timestamp", "year"})  # fmt: skip
"""Types whose DynamoDB order is MySQL's order; strings sort by code point there, by collation in MySQL."""


@dataclass
class IndexDraft:
    """A GSI in the making, by source columns; `needed` are attributes that plans read through it.

    Each column is a key attribute of its own, at most `MAX_KEY_ATTRIBUTES` in each part. An empty `pk` is the constant
    partition: all rows in one order, for ranges and listings over the whole table.
    """

    pk: tuple[str, ...]
    sk: tuple[str, ...] = ()
    needed: set[str] = field(default_factory=set)
    because: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Copy:
    """Columns of a parent kept on the child's item (a short-circuited join). `columns` maps column -> attribute."""

    relationship: str
    parent: str
    parent_columns: tuple[str, ...]
    local_columns: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    because: str


@dataclass
class Entity:
    """The rows of one MySQL table as items: base key, look-up tables, indexes and copies."""

    table: Table
    name: str
    pk: tuple[str, ...]
    sk: tuple[str, ...] = ()
    digest_key: str | None = None
    """Name of the key attribute of a table without any key: the digest of the row."""
    lookups: list[Index] = field(default_factory=list)
    lookup_names: dict[str, str] = field(default_factory=dict)
    indexes: list[IndexDraft] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    because: list[str] = field(default_factory=list)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Source columns of the base key; empty where the key is the row's digest."""
        return self.pk + self.sk

    def lookup_name(self, unique: Index) -> str:
        """Name of the look-up table of a unique key."""
        return self.lookup_names[unique.name]

    def index_name(self, index: IndexDraft) -> str:
        """Name of a GSI by its access pattern: `<entity>_by_<partition columns>_then_<sort columns>`."""
        parts = ["_and_".join(part) for part in (index.pk or ("all",), index.sk) if part]
        return table_name(f"{self.table.name}_by_{'_then_'.join(parts)}")


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
    entities = {table.id: _new_entity(table, _unique_name(table.id, taken)) for table in ordered}
    for entity in entities.values():
        for unique in entity.lookups:
            name = f"{entity.name}_{'_'.join(unique.columns)}_unique"
            entity.lookup_names[unique.name] = _unique_name(name, taken)
    return entities


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
    uniques = [u for u in table.unique_keys() if set(u.columns) != set(key) and _plain(table, u)]
    entity = Entity(table=table, name=name, pk=key, lookups=uniques, because=[because])
    if not key:
        entity.digest_key = _free_name("row_digest", {c.name for c in table.columns})
        entity.because = ["no primary or unique key: the digest of the row is its key"]
    return entity


def _plain(table: Table, unique: Index) -> bool:
    """A unique key over plain columns; one over an expression has no column to look up."""
    return all(table.has_column(column) for column in unique.columns)


def _free_name(wanted: str, taken: set[str]) -> str:
    name = wanted
    while name in taken:
        name += "_"
    return name


class Draft:
    """All entities of a design in the making."""

    def __init__(
        self,
        entities: Mapping[str, Entity],
        sizes: Sizes,
        *,
        allow_indexes: bool = True,
        full_projections: bool = False,
        staying: frozenset[str] = frozenset(),
    ) -> None:
        self.entities = dict(entities)
        self.sizes = sizes
        self.allow_indexes = allow_indexes
        """Whether plans may ask for GSIs."""
        self.full_projections = full_projections
        """Whether every GSI carries the whole item."""
        self.staying = staying
        """Tables that stay on MySQL."""

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

        A text or binary column that may hold the empty value is prefixed with `_`, since DynamoDB refuses empty keys.
        """
        table = entity.table
        if not columns:
            name = _free_name(f"{table.name}__all", {c.name for c in table.columns})
            first = (table.primary_key or (table.columns[0].name,))[0]
            return name, ContractAttribute(type="S", source_table=table.id, source_column=first, value="#ALL")
        if len(columns) == 1 and not self._may_be_empty(table, columns[0]):
            return columns[0], plain_attribute(table, columns[0])
        taken = {c.name for c in table.columns}
        if len(columns) == 1:
            name, template = _free_name(f"{columns[0]}__key", taken), "_" + template_field(columns[0])
        else:
            name, template = _free_name("__".join(columns), taken), "#".join(template_field(c) for c in columns)
        return name, ContractAttribute(
            type="S", source_table=table.id, source_column=columns[0], template=template, encoding="string"
        )

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

    def attributes(self, entity: Entity) -> dict[str, ContractAttribute]:
        """Every attribute of the entity's items: keys, all columns, index keys and copies."""
        found = dict(self.base_keys(entity))
        found.update({c.name: plain_attribute(entity.table, c.name) for c in entity.table.columns})
        for index in entity.indexes:
            found.update(dict(self.index_keys(entity, index)))
        for copy in entity.copies:
            found.update(self._copied(copy))
        return found

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
        attributes, keys = self.attributes(entity), list(self.base_keys(entity))
        rows, item_bytes = self.sizes.rows(entity.table.id), self.sizes.item_bytes(attributes)
        budget = INCLUDE_LIMIT
        indexes = []
        for draft in sorted(entity.indexes, key=entity.index_name):
            index = self._index_design(entity, draft, attributes, keys, budget)
            budget -= len(index.projected)
            indexes.append(index)
        return TableDesign(
            name=entity.name,
            source_table=entity.table.id,
            role="entity",
            pk=keys[0],
            sk=keys[1] if len(keys) > 1 else None,
            attributes=attributes,
            indexes=tuple(indexes),
            because=tuple(entity.because),
            items=rows,
            item_bytes=item_bytes,
        )

    def entry_bytes(self, entity: Entity, index: IndexDraft, also: Collection[str]) -> float:
        """Average bytes of the entries of an index, existing or not, through which plans read `also` besides."""
        widened = replace(index, needed=index.needed | set(also))
        others = [other for other in entity.indexes if other is not index]
        design = self.entity_design(replace(entity, indexes=[*others, widened]))
        return design.index(entity.index_name(index)).entry_bytes

    def _index_design(
        self,
        entity: Entity,
        draft: IndexDraft,
        attributes: Mapping[str, ContractAttribute],
        table_keys: list[str],
        budget: int,
    ) -> IndexDesign:
        names = tuple(name for name, _ in self.index_keys(entity, draft))
        cut = max(1, len(draft.pk))
        always = {*names, *table_keys}
        extra = sorted(draft.needed - always)
        kept = {name: attributes[name] for name in sorted(always | set(extra))}
        full, share = (self.sizes.item_bytes(some, {*draft.pk, *draft.sk}) for some in (attributes, kept))
        everything = (
            self.full_projections or len(extra) > min(budget, INCLUDE_LIMIT // 2) or share > INCLUDE_SHARE * full
        )
        wanted = bool(extra) or self.full_projections
        present = 1.0
        for column in (*draft.pk, *draft.sk):
            present = min(present, self.sizes.present_share(entity.table.id, column))
        return IndexDesign(
            name=entity.index_name(draft),
            partition=names[:cut],
            sort=names[cut:],
            projection="ALL" if everything and wanted else "INCLUDE" if extra else "KEYS_ONLY",
            projected=() if everything or not extra else tuple(extra),
            because=tuple(dict.fromkeys(draft.because)),
            entries=self.sizes.rows(entity.table.id) * present,
            entry_bytes=full if everything and wanted else share,
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
