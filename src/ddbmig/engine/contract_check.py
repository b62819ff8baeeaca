"""A contract held against the snapshot: what a person's edit broke, found before anything is loaded by it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ddbmig.engine.candidates import MAX_INDEXES
from ddbmig.engine.contract_reader import ContractFile, Path
from ddbmig.engine.relationship_facts import ITEM_LIMIT
from ddbmig.engine.sizes import Sizes
from ddbmig.engine.wording import closest, visible
from ddbmig.model.contract import ContractAttribute, ContractEntry, Encoding, JoinColumns, required_columns
from ddbmig.model.encodings import attribute_type, encoding_for, template_columns
from ddbmig.model.errors import InputError, UsageError
from ddbmig.model.schema import Schema, Table
from ddbmig.model.statistics import TableStatistics

KEY_TYPES = ("S", "N", "B")

_FAMILY: Mapping[Encoding, str] = {
    "integer": "number", "decimal": "number", "float": "number", "year": "number", "iso8601_date": "date",
    "iso8601_datetime": "date", "time": "time", "binary": "bytes", "base64": "bytes", "bit": "bytes",
}  # fmt: skip
"""Encodings whose values can be equal across two columns; all others are text."""


def contract_mistakes(
    file: ContractFile, schema: Schema, statistics: Mapping[str, TableStatistics]
) -> tuple[UsageError, ...]:
    """All that is wrong with a contract for this schema, in file order."""
    return tuple(_Checker(file, schema, Sizes(schema, statistics)).mistakes())


def lost_columns(file: ContractFile, schema: Schema) -> tuple[str, ...]:
    """`table.column` of what no entry of the contract keeps: values that the migration would leave behind."""
    kept: set[tuple[str, str]] = set()
    for entry in file.contract.root:
        for attribute in entry.attributes.values():
            if entry.type == "Table" and not attribute.denormalized:
                kept |= {(attribute.source_table, column.lower()) for column in _columns(attribute)}
    moved = {entry.source_table for entry in file.contract.root}
    return tuple(
        visible(f"{table.id}.{column.name}")
        for table in schema.tables if table.id in moved
        for column in table.columns if (table.id, column.name.lower()) not in kept
    )  # fmt: skip


@dataclass(frozen=True)
class _Checker:
    file: ContractFile
    schema: Schema
    sizes: Sizes

    def mistakes(self) -> Iterator[UsageError]:
        tables = {entry.table: entry for entry in reversed(self.file.contract.root) if entry.type == "Table"}
        seen: set[tuple[str | None, str, str | None]] = set()
        for number, entry in enumerate(self.file.contract.root):
            at: Path = (number,)
            name = (entry.base_table, entry.table, entry.entity)
            if name in seen:
                yield self.file.mistake((*at, "table"), "there is an entry of this name already")
            seen.add(name)
            source = self._table(entry.source_table)
            if source is None:
                yield self._no_table((*at, "source_table"), entry.source_table)
                continue
            broken = False
            for mistake in self._attributes(at, entry):
                broken = True
                yield mistake
            yield from self._keys(at, entry)
            if not broken and entry.type == "Table":
                yield from self._items(at, entry, source)
            if entry.type == "Table":
                yield from self._indexes(at, entry)
            else:
                yield from self._index_entry(at, entry, tables)

    # --- names ---

    def _table(self, table_id: str) -> Table | None:
        return next((table for table in self.schema.tables if table.id == table_id), None)

    def _no_table(self, path: Path, table_id: str) -> UsageError:
        hint = closest(table_id, [table.id for table in self.schema.tables])
        return self.file.mistake(path, f"there is no table {visible(table_id)}", hint=hint)

    def _no_column(self, path: Path, table: Table, column: str) -> UsageError:
        hint = closest(column, [c.name for c in table.columns])
        return self.file.mistake(path, f"{visible(table.id)} has no column {visible(column)}", hint=hint)

    # --- attributes ---

    def _attributes(self, at: Path, entry: ContractEntry) -> Iterator[UsageError]:
        for name, attribute in entry.attributes.items():
            path = (*at, "attributes", name)
            source = self._table(attribute.source_table)
            if source is None:
                yield self._no_table((*path, "source_table"), attribute.source_table)
            elif not attribute.denormalized and attribute.source_table != entry.source_table:
                yield self.file.mistake(
                    (*path, "source_table"), "an attribute of another table needs denormalized, justification and join"
                )
            else:
                yield from self._columns_and_type(path, attribute, source)
                yield from self._copy(path, entry, attribute, source)

    def _columns_and_type(self, path: Path, attribute: ContractAttribute, source: Table) -> Iterator[UsageError]:
        if attribute.value is not None or attribute.encoding == "row_digest":
            return
        missing = [column for column in _columns(attribute) if not source.has_column(column)]
        where = "template" if attribute.template is not None else "source_column"
        yield from (self._no_column((*path, where), source, column) for column in missing)
        if missing or attribute.type in ("L", "M"):
            return
        encoding = attribute.encoding or encoding_for(source.column(attribute.source_column))
        due = "S" if attribute.template is not None else attribute_type(encoding)
        if attribute.type != due:
            yield self.file.mistake(
                (*path, "type"), f"the type is {attribute.type}, but the values are encoded as {encoding}", expected=due
            )

    def _copy(
        self, path: Path, entry: ContractEntry, attribute: ContractAttribute, parent: Table
    ) -> Iterator[UsageError]:
        if not attribute.denormalized:
            return
        if not (attribute.justification or "").strip():
            yield self.file.mistake(path, "a denormalized attribute needs a justification",
                                    hint="say why the copy is worth its upkeep")  # fmt: skip
        if attribute.join is None:
            yield self.file.mistake(path, "a denormalized attribute needs a join",
                                    expected="join: {local_column, source_column}")  # fmt: skip
        elif isinstance(attribute.join, JoinColumns):
            yield from self._join((*path, "join"), entry, attribute.join, parent)

    def _join(self, path: Path, entry: ContractEntry, join: JoinColumns, parent: Table) -> Iterator[UsageError]:
        own = self._table(entry.source_table)
        local, source = join.local_columns, join.source_columns
        if own is None:
            return
        if len(local) != len(source):
            yield self.file.mistake(path, "local_column and source_column name different numbers of columns")
            return
        missing = False
        for table, columns, where in ((own, local, "local_column"), (parent, source, "source_column")):
            for column in columns:
                if not table.has_column(column):
                    missing = True
                    yield self._no_column((*path, where), table, column)
        if missing:
            return
        for mine, theirs in zip(local, source, strict=True):
            kinds = [_family(own, mine), _family(parent, theirs)]
            if kinds[0] != kinds[1]:
                yield self.file.mistake(path, f"{visible(mine)} is {kinds[0]} and {visible(theirs)} is {kinds[1]}: "
                                        "their values are never equal")  # fmt: skip
        if not self.sizes.are_unique(parent.id, [parent.column(column).name for column in source]):
            shared = f"several rows of {visible(parent.id)} can have one {visible(', '.join(source))}"
            yield self.file.mistake(path, shared, hint="join on a unique key: else chance says which row is copied")

    # --- keys ---

    def _keys(self, at: Path, entry: ContractEntry) -> Iterator[UsageError]:
        for name, path in self._key_names(at, entry):
            attribute = entry.attributes.get(name)
            if attribute is None:
                yield self.file.mistake(path, f"the key {visible(name)} is not among the attributes",
                                        hint=closest(name, entry.attributes))  # fmt: skip
            elif attribute.type not in KEY_TYPES:
                yield self.file.mistake(path, f"the key {visible(name)} is of type {attribute.type}",
                                        expected="S, N or B")  # fmt: skip

    def _key_names(self, at: Path, entry: ContractEntry) -> Iterator[tuple[str, Path]]:
        yield entry.pk, (*at, "pk")
        if entry.sk is not None:
            yield entry.sk, (*at, "sk")
        for field, names in (("pk_attributes", entry.pk_attributes), ("sk_attributes", entry.sk_attributes)):
            yield from ((name, (*at, field, number)) for number, name in enumerate(names or ()))
        for number, gsi in enumerate(entry.gsis or ()):
            for name in dict.fromkeys((gsi.pk, gsi.sk, *(gsi.pk_attributes or ()), *(gsi.sk_attributes or ()))):
                if name is not None:
                    yield name, (*at, "gsis", number)

    # --- items of a table ---

    def _items(self, at: Path, entry: ContractEntry, source: Table) -> Iterator[UsageError]:
        try:
            required = {column.lower() for column in required_columns(entry.filter)}
        except InputError as error:
            yield self.file.mistake((*at, "filter"), error.message, expected=error.expected)
            return
        keys = [entry.attributes[name] for name in (entry.pk, entry.sk or "") if name in entry.attributes]
        for column in sorted(required):
            if not source.has_column(column):
                yield self._no_column((*at, "filter"), source, column)
        for field, name in (("pk", entry.pk), ("sk", entry.sk)):
            yield from self._key_values((*at, field), entry, source, name, required)
        yield from self._one_row_per_key(at, entry, source, keys)
        longest = self.sizes.longest_item(entry.source_table, entry.attributes)
        if longest is not None and longest > ITEM_LIMIT:
            yield self.file.mistake(at, f"the largest item takes up to {longest:,.0f} bytes",
                                    expected=f"at most {ITEM_LIMIT:,}")  # fmt: skip

    def _key_values(
        self, path: Path, entry: ContractEntry, source: Table, name: str | None, required: set[str]
    ) -> Iterator[UsageError]:
        attribute = entry.attributes.get(name) if name is not None else None
        if attribute is None or attribute.value is not None or attribute.encoding == "row_digest":
            return
        if attribute.denormalized:
            yield self.file.mistake(path, "a copied attribute cannot be a key: a row without its parent has no item")
            return
        for column in _columns(attribute):
            if source.column(column).nullable and column.lower() not in required:
                yield self.file.mistake(
                    path, f"{visible(column)} can be NULL, and a key cannot",
                    hint="choose another key, or leave such rows out by a filter: `column` IS NOT NULL",
                )  # fmt: skip

    def _one_row_per_key(
        self, at: Path, entry: ContractEntry, source: Table, keys: list[ContractAttribute]
    ) -> Iterator[UsageError]:
        if any(key.encoding == "row_digest" for key in keys):
            return
        own = [key for key in keys if key.value is None and not key.denormalized]
        columns = [source.column(column).name for key in own for column in _columns(key)]
        if not self.sizes.are_unique(source.id, columns):
            yield self.file.mistake(
                (*at, "sk" if entry.sk is not None else "pk"), "two rows can have one key, and one would be lost",
                hint="let the key hold the primary key or a unique key",
            )  # fmt: skip

    # --- indexes ---

    def _indexes(self, at: Path, entry: ContractEntry) -> Iterator[UsageError]:
        gsis = entry.gsis or ()
        if len(gsis) > MAX_INDEXES:
            yield self.file.mistake((*at, "gsis"), f"{len(gsis)} GSIs", expected=f"at most {MAX_INDEXES}")
        names = [gsi.name for gsi in gsis]
        for number, name in enumerate(names):
            if name in names[:number]:
                yield self.file.mistake((*at, "gsis", number), f"the table has a GSI {visible(name)} already")

    def _index_entry(self, at: Path, entry: ContractEntry, tables: Mapping[str, ContractEntry]) -> Iterator[UsageError]:
        base = tables.get(entry.base_table or "")
        if base is None:
            yield self.file.mistake((*at, "base_table"), "an entry of type GSI names the entry of its table",
                                    hint=closest(entry.base_table or "", tables))  # fmt: skip
        elif entry.table not in [gsi.name for gsi in base.gsis or ()]:
            yield self.file.mistake((*at, "table"), f"{visible(base.table)} lists no GSI {visible(entry.table)}")


def _columns(attribute: ContractAttribute) -> tuple[str, ...]:
    """The columns that an attribute's value comes from."""
    if attribute.template is not None:
        return template_columns(attribute.template)
    return (attribute.source_column,)


def _family(table: Table, column: str) -> str:
    return _FAMILY.get(encoding_for(table.column(column)), "text")
