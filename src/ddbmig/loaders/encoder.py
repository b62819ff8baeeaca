"""Rows to items as DynamoDB JSON: the items of `ItemBuilder`, by functions that are put together once per entry.

A row is a tuple: the cells of the source table in the order of its columns, then for each `Copy` whether a row of the
other table was found, and the cells that are copied from it.
"""

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from typing import NamedTuple

from ddbmig.loaders.dynamodb_json import value_text
from ddbmig.loaders.items import ItemBuilder, missing_key
from ddbmig.model.contract import ContractAttribute, ContractEntry, JoinColumns, required_columns
from ddbmig.model.encodings import (
    FLOAT_TYPES,
    INTEGER_BITS,
    MAX_DIGITS,
    TEXT_TYPES,
    Cell,
    encode,
    encoding_for,
    item_size,
    row_digest,
    template_columns,
)
from ddbmig.model.errors import InputError
from ddbmig.model.schema import Column, Schema, Table

Row = Sequence[Cell]
Part = Callable[[Row], str | None]
"""From a row to `"name":{"S":"…"}`, or None where the attribute is absent."""
MAX_ITEM = 409_600
"""Bytes of an item (A4)."""
MAX_PARTITION_KEY, MAX_SORT_KEY = 2048, 1024
"""Bytes of a key attribute (A3)."""


class Copy(NamedTuple):
    """What denormalized attributes take from one row of another table: where `columns` = `local` of ours, `taken`."""

    table: str
    columns: tuple[str, ...]
    local: tuple[str, ...]
    taken: tuple[str, ...]


class EncodedItem(NamedTuple):
    """An item and its key as DynamoDB JSON, in UTF-8."""

    key: bytes
    text: bytes


def copies_of(entries: Sequence[ContractEntry]) -> tuple[Copy, ...]:
    """The copies that entries with one source table need, sorted: each join once."""
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for entry in entries:
        for attribute in entry.attributes.values():
            if (join := _join(attribute)) is not None:
                taken = found.setdefault((attribute.source_table, join.source_columns, join.local_columns), set())
                taken.add(attribute.source_column)
    return tuple(Copy(*key, tuple(sorted(taken))) for key, taken in sorted(found.items()))


def _join(attribute: ContractAttribute) -> JoinColumns | None:
    join = attribute.join
    return join if attribute.denormalized and isinstance(join, JoinColumns) else None


class Encoder:
    """Makes the items of one contract entry of type Table from rows with these copies."""

    def __init__(self, entry: ContractEntry, schema: Schema, copies: Sequence[Copy]) -> None:
        self.entry = entry
        self.table: Table = schema.table(entry.source_table)
        self._schema = schema
        self._builder = ItemBuilder(entry, schema)
        self._width = len(self.table.columns)
        self._places = {column.name.lower(): n for n, column in enumerate(self.table.columns)}
        self._required = [self._places[name.lower()] for name in required_columns(entry.filter)]
        self._at: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[int, dict[str, int]]] = {}
        place = self._width
        for copy in copies:
            self._at[copy[:3]] = place, {name: place + 1 + n for n, name in enumerate(copy.taken)}
            place += 1 + len(copy.taken)
        self._keys = [key for key in (entry.pk, entry.sk) if key is not None]
        self._parts = {name: self._part(name) for name in sorted(entry.attributes)}
        used = {(a.source_table, j.source_columns, j.local_columns)
                for a in entry.attributes.values() if (j := _join(a)) is not None}  # fmt: skip
        self._joins = [
            (table, self._at[table, theirs, ours][0], [self._places[name.lower()] for name in ours])
            for table, theirs, ours in sorted(used)
        ]
        self._numbered = {name for name in self._keys if entry.attributes[name].encoding == "row_digest"}

    @property
    def numbers_equal_rows(self) -> bool:
        """Whether rows that are equal get items of their own, numbered: the table has no key."""
        return bool(self._numbered)

    def applies(self, row: Row) -> bool:
        """Whether by the entry's filter the row has an item in this table."""
        return all(row[place] is not None for place in self._required)

    def orphaned(self, row: Row) -> tuple[str, ...]:
        """The tables of which the row names a row that is not there: what is copied from it is absent."""
        return tuple(
            table for table, found, local in self._joins
            if not row[found] and all(row[place] is not None for place in local)
        )  # fmt: skip

    def item(self, row: Row, duplicate: int = 0) -> EncodedItem:
        """The item of a row; `duplicate` counts earlier rows that are equal in a table without a key.

        Raises InputError, without any value in it, for a row that cannot be an item of DynamoDB.
        """
        parts = {**self._parts, **self._numbered_parts(row, duplicate)} if duplicate else self._parts
        keys = []
        for name in self._keys:
            key = parts[name](row)
            if key is None:
                raise missing_key(self.entry, name)
            keys.append(key)
        text = "{" + ",".join([text for part in parts.values() if (text := part(row)) is not None]) + "}"
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise InputError("a text that is no Unicode", subject=self.entry.table) from error
        if len(data) > MAX_ITEM and item_size(self._builder.item(*self._named(row), duplicate)) > MAX_ITEM:
            raise InputError("the item is over 400 KB", subject=self.entry.table)
        return EncodedItem(",".join(keys).encode(), data)

    def _numbered_parts(self, row: Row, duplicate: int) -> dict[str, Part]:
        """The digest with the number of a row that is equal to others."""
        text = value_text(f"{row_digest(row[: self._width])}#{duplicate}")
        return {name: _fixed(_head(name) + text) for name in self._numbered}

    def _named(self, row: Row) -> "tuple[dict[str, Cell], Callable[..., dict[str, Cell] | None]]":
        """The arguments of `ItemBuilder.item` for a row."""
        cells = {column.name: cell for column, cell in zip(self.table.columns, row, strict=False)}

        def find(table: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> dict[str, Cell] | None:
            for (name, theirs, ours), (found, taken) in self._at.items():
                if (name, theirs) == (table, columns) and tuple(cells.get(column) for column in ours) == values:
                    return {column: row[place] for column, place in taken.items()} if row[found] else None
            return None

        return cells, find

    # --- attributes ---

    def _part(self, name: str) -> Part:
        attribute = self.entry.attributes[name]
        part = self._plain_part(name, attribute)
        limit = self._limits().get(name)
        return part if limit is None or attribute.type == "N" else _limited(part, name, self.entry, limit)

    def _plain_part(self, name: str, attribute: ContractAttribute) -> Part:
        head = _head(name)
        if attribute.value is not None:
            return _fixed(head + value_text(attribute.value))
        if (join := _join(attribute)) is not None:
            _, taken = self._at[attribute.source_table, join.source_columns, join.local_columns]
            column = self._schema.table(attribute.source_table).column(attribute.source_column)
            return _column_part(head, taken[attribute.source_column], attribute, column)
        if attribute.encoding == "row_digest":
            width = self._width
            return lambda row: head + value_text(row_digest(row[:width]))
        if attribute.template is not None:
            return self._composed(head, attribute)
        column = self.table.column(attribute.source_column)
        return _column_part(head, self._places[column.name.lower()], attribute, column)

    def _composed(self, head: str, attribute: ContractAttribute) -> Part:
        named = [(name, self._places[name.lower()]) for name in template_columns(attribute.template or "")]

        def part(row: Row) -> str | None:
            value = self._builder.value(attribute, {name: row[place] for name, place in named})
            return None if value is None else head + value_text(value)

        return part

    def _limits(self) -> dict[str, int]:
        """The most bytes of each attribute that is a key of the table or of a GSI."""
        found: dict[str, int] = {}
        for gsi in self.entry.gsis or ():
            found |= dict.fromkeys(gsi.sk_attributes or (gsi.sk,) if gsi.sk else (), MAX_SORT_KEY)
            found |= dict.fromkeys(gsi.pk_attributes or (gsi.pk,), MAX_PARTITION_KEY)
        found |= {self.entry.sk: MAX_SORT_KEY} if self.entry.sk else {}
        return found | {self.entry.pk: MAX_PARTITION_KEY}


def _head(name: str) -> str:
    return encode_basestring(name) + ":"


def _fixed(text: str) -> Part:
    return lambda row: text


def _limited(part: Part, name: str, entry: ContractEntry, limit: int) -> Part:
    """`part` for a key, which is neither empty nor longer than `limit` bytes."""
    base = name in (entry.pk, entry.sk)
    opening = len(_head(name)) + len('{"S":"')

    def checked(row: Row) -> str | None:
        text = part(row)
        if text is None:
            return None
        content = text[opening:-2]
        if not content:
            if base:
                raise missing_key(entry, name)
            raise InputError("a key of an index would be empty", subject=f"{entry.table}.{name}")
        if len(content) * 4 > limit and _key_bytes(text, opening) > limit:
            raise InputError(f"a key is longer than {limit} bytes", subject=f"{entry.table}.{name}")
        return text

    return checked


def _key_bytes(text: str, opening: int) -> int:
    """Bytes of a key out of its JSON."""
    import base64
    import json

    content = json.loads(text[opening - 1 : -1])
    return len(base64.b64decode(content)) if '{"B":' in text[:opening] else len(content.encode("utf-8", "replace"))


# --- one column ---


def _column_part(head: str, place: int, attribute: ContractAttribute, column: Column) -> Part:
    """A column by its encoding: quickly where cells are what they mostly are, else by `encode`."""
    encoding = attribute.encoding or encoding_for(column)

    def general(cell: Cell) -> str:
        return head + value_text(encode(cell, encoding, column))

    number, text = head + '{"N":"', head + '{"S":'
    if encoding == "integer" and column.type in INTEGER_BITS:

        def integer(row: Row) -> str | None:
            cell = row[place]
            if type(cell) is int:
                return f'{number}{cell}"}}'
            return None if cell is None else general(cell)

        return integer
    if encoding in ("string", "json", "set", "enum") and column.type in (*TEXT_TYPES, "json"):

        def string(row: Row) -> str | None:
            cell = row[place]
            if type(cell) is str:
                return f"{text}{encode_basestring(cell)}}}"
            return None if cell is None else general(cell)

        return string
    if encoding == "iso8601_datetime" and not column.precision:

        def moment(row: Row) -> str | None:
            cell = row[place]
            if type(cell) is str and len(cell) == 19:
                return f'{text}"{cell[:10]}T{cell[11:]}"}}'
            return None if cell is None else general(cell)

        return moment
    if encoding == "decimal" and column.type == "decimal" and (column.precision or 10) <= MAX_DIGITS:

        def decimal(row: Row) -> str | None:
            cell = row[place]
            if cell is None:
                return None
            digits = str(cell)
            if "E" in digits or not cell:
                return general(cell)
            return f'{number}{digits.rstrip("0").rstrip(".") if "." in digits else digits}"}}'

        return decimal

    def other(row: Row) -> str | None:
        cell = row[place]
        return None if cell is None else general(cell)

    return other


# --- keys ---


def keys_are_distinct(entry: ContractEntry, table: Table) -> bool:
    """Whether no two rows of the source table can have one key, so that nobody need compare.

    So it is where the key holds the primary key or a unique key of columns that are never NULL, each in a form that
    keeps different values apart. Collated text does not; a FLOAT is shown with fewer digits than it has.
    """
    held: set[str] = set()
    for name in (entry.pk, entry.sk):
        attribute = entry.attributes.get(name) if name is not None else None
        if attribute is None or attribute.value is not None or attribute.denormalized:
            continue
        columns = template_columns(attribute.template) if attribute.template else (attribute.source_column,)
        folds = attribute.template is not None or attribute.encoding == "collated"
        if attribute.encoding == "row_digest":
            continue
        held |= {
            name.lower() for name in columns
            if (column := table.column(name)).type not in FLOAT_TYPES and not (folds and column.type in TEXT_TYPES)
        }  # fmt: skip
    there = {name.lower() for name in required_columns(entry.filter)}
    keys = [table.primary_key, *(unique.columns for unique in table.unique_keys())]
    return any(
        key and all(name.lower() in held and (not table.column(name).nullable or name.lower() in there
                                              or key is table.primary_key) for name in key)
        for key in keys if all(table.has_column(name) for name in key)
    )  # fmt: skip
