"""Rows recovered from their items, value by value: by the way back of each encoding, not by what made the items."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ddbmig.loaders.encoder import Copy, Row
from ddbmig.model.contract import ContractAttribute, ContractEntry, JoinColumns
from ddbmig.model.encodings import (
    Cell,
    collated,
    decode,
    encoding_for,
    render_key,
    row_digest,
    template_columns,
)
from ddbmig.model.schema import Column, Schema


class Recovery:
    """Compares the items of one entry with rows that have these copies."""

    def __init__(self, entry: ContractEntry, schema: Schema, copies: Sequence[Copy]) -> None:
        from boto3.dynamodb.types import TypeDeserializer  # heavy

        self._entry, self._schema, self._copies = entry, schema, copies
        self._table = schema.table(entry.source_table)
        self._columns = {column.name: column for column in self._table.columns}
        self._value = TypeDeserializer().deserialize

    def differing(self, item: Mapping[str, Any], row: Row) -> tuple[str, ...]:
        """The attributes of an item that are not what the row says, and those that no row has; sorted."""
        attributes = self._entry.attributes
        unknown = item.keys() - attributes.keys()
        wrong = {
            name for name, attribute in attributes.items()
            if not self._agrees(attribute, self._value(item[name]) if name in item else None, row)
        }  # fmt: skip
        return tuple(sorted(unknown | wrong))

    def _agrees(self, attribute: ContractAttribute, value: Any, row: Row) -> bool:
        cells: dict[str, Cell] = dict(zip(self._columns, row, strict=False))
        if attribute.value is not None:
            return bool(value == attribute.value)
        if attribute.denormalized:
            column = self._schema.table(attribute.source_table).column(attribute.source_column)
            return _same(attribute, value, self._copied(attribute, row), column)
        if attribute.encoding == "row_digest":
            return str(value).partition("#")[0] == row_digest(list(cells.values()))
        if attribute.template is not None:
            if any(cells[column] is None for column in template_columns(attribute.template)):
                return value is None
            return bool(value == render_key(attribute.template, cells, self._columns))
        column = self._table.column(attribute.source_column)
        return _same(attribute, value, cells[column.name], column)

    def _copied(self, attribute: ContractAttribute, row: Row) -> Cell:
        place = len(self._columns)
        for copy in self._copies:
            join = attribute.join
            wanted = isinstance(join, JoinColumns) and (attribute.source_table, join.source_columns, join.local_columns)
            if wanted == copy[:3]:
                return row[place + 1 + copy.taken.index(attribute.source_column)]
            place += 1 + len(copy.taken)
        return None


def _same(attribute: ContractAttribute, value: Any, cell: Cell, column: Column) -> bool:
    """Whether a value of an item means what a cell does."""
    if value is None or cell is None:
        return value is cell
    encoding = attribute.encoding or encoding_for(column)
    if encoding == "collated":
        return bool(value == collated(cell, column))
    found = decode(value, encoding, column)
    if isinstance(found, int | float | Decimal) and isinstance(cell, int | float | Decimal):
        return found == cell
    if column.type == "binary" and isinstance(found, bytes) and isinstance(cell, bytes):
        return found.rstrip(b"\0") == cell.rstrip(b"\0")
    return found == cell
