"""Rows to items by the contract: the one transformation that loader, validators and exports share."""

from collections.abc import Callable, Mapping
from typing import Any

from ddbmig.model.contract import ContractAttribute, ContractEntry, JoinColumns, required_columns
from ddbmig.model.encodings import Cell, encode, encoding_for, render_key, row_digest, template_columns
from ddbmig.model.errors import InputError
from ddbmig.model.schema import Column, Schema, Table

Row = Mapping[str, Cell]
FindParent = Callable[[str, tuple[str, ...], tuple[Cell, ...]], Row | None]
"""(table id, columns, values) -> the row of that table with these values, or None."""


class ItemBuilder:
    """Builds the items of one contract entry of type Table."""

    def __init__(self, entry: ContractEntry, schema: Schema) -> None:
        self.entry = entry
        self.table: Table = schema.table(entry.source_table)
        self._schema = schema
        self._columns: dict[str, Column] = {c.name: c for c in self.table.columns}
        self._required = required_columns(entry.filter)

    def applies(self, row: Row) -> bool:
        """Whether by the entry's filter the row has an item in this table."""
        return all(row.get(column) is not None for column in self._required)

    def item(self, row: Row, find_parent: FindParent | None = None, duplicate: int = 0) -> dict[str, Any]:
        """The item of a row, in boto3's Python types. NULL columns are absent attributes.

        `find_parent` gives the rows that denormalized attributes are copied from. `duplicate` counts earlier rows
        that are equal in a table without a key. Raises InputError for a key attribute that is missing or empty, and
        for a value that cannot be encoded.
        """
        item: dict[str, Any] = {}
        for name, attribute in self.entry.attributes.items():
            value = self.value(attribute, row, find_parent, duplicate)
            if value is not None:
                item[name] = value
        for key in (self.entry.pk, self.entry.sk):
            if key is not None and item.get(key) in (None, "", b""):
                raise missing_key(self.entry, key)
        return item

    def value(
        self, attribute: ContractAttribute, row: Row, find_parent: FindParent | None = None, duplicate: int = 0
    ) -> Any:
        """One attribute's value for a row, or None where it is absent."""
        if attribute.value is not None:
            return attribute.value
        if attribute.denormalized:
            return self._copied(attribute, row, find_parent)
        if attribute.encoding == "row_digest":
            digest = row_digest([row.get(column) for column in self._columns])
            return f"{digest}#{duplicate}" if duplicate else digest
        if attribute.template is not None:
            if any(row.get(column) is None for column in template_columns(attribute.template)):
                return None
            return render_key(attribute.template, row, self._columns)
        column = self._columns[attribute.source_column]
        return encode(row.get(column.name), attribute.encoding or encoding_for(column), column)

    def _copied(self, attribute: ContractAttribute, row: Row, find_parent: FindParent | None) -> Any:
        join = attribute.join
        if find_parent is None or not isinstance(join, JoinColumns):
            return None
        local, source = join.local_columns, join.source_columns
        values = tuple(row.get(column) for column in local)
        if any(value is None for value in values):
            return None
        parent = find_parent(attribute.source_table, source, values)
        if parent is None:
            return None
        column = self._schema.table(attribute.source_table).column(attribute.source_column)
        return encode(parent.get(column.name), attribute.encoding or encoding_for(column), column)

    def parents(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The (table id, columns) by which denormalized attributes look up their source rows, sorted."""
        found = {
            (a.source_table, a.join.source_columns)
            for a in self.entry.attributes.values()
            if a.denormalized and isinstance(a.join, JoinColumns)
        }
        return tuple(sorted(found))


def missing_key(entry: ContractEntry, key: str) -> InputError:
    """What is wrong with a row that has no value for its key."""
    hint = "the key column is NULL or empty"
    return InputError("a row has no value for its key", subject=f"{entry.table}.{key}", hint=hint)
