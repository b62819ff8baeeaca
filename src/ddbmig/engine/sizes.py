"""How many rows and bytes there are on average: from statistics where measured, from column types where not."""

from collections.abc import Collection, Iterable, Mapping

from ddbmig.model.contract import ContractAttribute
from ddbmig.model.encodings import INTEGER_BITS, attribute_type, encoding_for, render_template, template_columns
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.model.statistics import ColumnStatistics, TableStatistics

ASSUMED_ROWS_PER_VALUE = 10.0
"""Rows per distinct value of a column that nobody counted: assumed."""

ESCAPED = 3.0
"""Bytes that one byte of a text, or of binary in hex, takes at the most inside a composed key."""


class Sizes:
    """Look-ups of averages over one schema and its statistics. Every method is a pure function of the two."""

    def __init__(self, schema: Schema, statistics: Mapping[str, TableStatistics]) -> None:
        self._tables = {table.id: table for table in schema.tables}
        self._statistics = statistics

    def table(self, table_id: str) -> Table:
        """The table with this id."""
        return self._tables[table_id]

    def rows(self, table_id: str) -> float:
        """Rows of a table."""
        found = self._statistics.get(table_id)
        return found.rows.value if found else 0.0

    def are_measured(self, table_id: str) -> bool:
        """Whether the rows of a table were counted and their sizes seen."""
        found = self._statistics.get(table_id)
        return found is not None and "assumed" not in (found.rows.source, found.item_bytes.source)

    def row_bytes(self, table_id: str) -> float:
        """Average bytes of one row as a flat item."""
        found = self._statistics.get(table_id)
        return found.item_bytes.value if found else 0.0

    def column_statistics(self, table_id: str, column: str) -> ColumnStatistics | None:
        """What was counted of a column, if anything."""
        found = self._statistics.get(table_id)
        return found.columns.get(column) if found else None

    def column_bytes(self, table_id: str, column: str) -> float:
        """Average bytes of the column's encoded non-NULL values."""
        found = self._statistics.get(table_id)
        if found and column in found.columns:
            return found.columns[column].average_bytes
        return assumed_bytes(self._tables[table_id].column(column))

    def present_share(self, table_id: str, column: str) -> float:
        """Share of rows where the column is not NULL."""
        found = self._statistics.get(table_id)
        return 1.0 - found.columns[column].null_share if found and column in found.columns else 1.0

    def distinct(self, table_id: str, columns: Iterable[str]) -> float:
        """Distinct values of a set of columns: counted, or bounded by the product of the columns' own counts."""
        names = tuple(columns)
        if not names:
            return 1.0
        table, rows = self._tables[table_id], max(1.0, self.rows(table_id))
        if _covers_unique(table, names):
            return rows
        found = self._statistics.get(table_id)
        for group in found.groups if found else ():
            if set(group.columns) == set(names):
                return max(1.0, float(group.groups))
        product = 1.0
        for name in names:
            counted = found.columns[name].distinct if found and name in found.columns else None
            product *= counted if counted else max(1.0, rows / ASSUMED_ROWS_PER_VALUE)
        return max(1.0, min(rows, product))

    def rows_per_value(self, table_id: str, columns: Iterable[str]) -> float:
        """Average rows that share one value of the columns; at least one."""
        return max(1.0, self.rows(table_id) / self.distinct(table_id, columns))

    def attribute_bytes(self, name: str, attribute: ContractAttribute, held: Collection[str] = ()) -> float:
        """Average bytes that one attribute adds to an item, its name included, rows without it averaged in.

        `held` are columns that no row in question lacks: those of an index's keys, for its entries.
        """
        named, table = float(len(name.encode())), attribute.source_table
        if attribute.value is not None:
            return named + len(attribute.value.encode())
        if attribute.encoding == "row_digest":
            return named + 64.0
        if attribute.template is None:
            columns: tuple[str, ...] = (attribute.source_column,)
            value = self.column_bytes(table, attribute.source_column)
        else:
            columns = template_columns(attribute.template)
            separators = render_template(attribute.template, dict.fromkeys(columns, ""))
            value = len(separators.encode()) + sum(self.key_part_bytes(table, column) for column in columns)
        if not attribute.denormalized:
            columns = tuple(column for column in columns if column not in held)
        return min((self.present_share(table, column) for column in columns), default=1.0) * (named + value)

    def item_bytes(self, attributes: Mapping[str, ContractAttribute], held: Collection[str] = ()) -> float:
        """Average bytes of an item with these attributes (A4), of rows that have the columns `held`."""
        return sum(self.attribute_bytes(name, attribute, held) for name, attribute in attributes.items())

    def key_part_bytes(self, table_id: str, name: str) -> float:
        """Average bytes of a column's text inside a composed key (encodings.render_key_part)."""
        column = self._tables[table_id].column(name)
        if (width := _padded_width(column)) is not None:
            return float(width)
        hexadecimal = attribute_type(encoding_for(column)) == "B"
        return self.column_bytes(table_id, name) * (2 if hexadecimal else 1)

    def are_unique(self, table_id: str, columns: Iterable[str]) -> bool:
        """Whether no two rows have the same values of these columns, by one of the table's keys."""
        return _covers_unique(self._tables[table_id], tuple(columns))

    def longest_item(self, table_id: str, attributes: Mapping[str, ContractAttribute]) -> float | None:
        """Bytes that no item of a table exceeds: its largest row, and what the design adds at its longest.

        None where the largest row, or a column that is added once more, was not measured.
        """
        found = self._statistics.get(table_id)
        added = [
            self._longest(name, attribute)
            for name, attribute in attributes.items()
            if attribute.denormalized or attribute.template or attribute.value or attribute.encoding == "row_digest"
        ]
        known = [size for size in added if size is not None]
        if found is None or found.max_item_bytes is None or len(known) < len(added):
            return None
        return found.max_item_bytes + sum(known)

    def _longest(self, name: str, attribute: ContractAttribute) -> float | None:
        """Bytes of an attribute's name and of its longest value, where that was measured."""
        named, table = float(len(name.encode())), attribute.source_table
        if attribute.value is not None or attribute.encoding == "row_digest":
            return self.attribute_bytes(name, attribute)
        if attribute.template is None:
            counted = self.column_statistics(table, attribute.source_column)
            return named + counted.max_bytes if counted else None
        columns = template_columns(attribute.template)
        parts = [self._longest_key_part(table, column) for column in columns]
        known = [size for size in parts if size is not None]
        if len(known) < len(parts):
            return None
        return named + len(render_template(attribute.template, dict.fromkeys(columns, "")).encode()) + sum(known)

    def _longest_key_part(self, table_id: str, name: str) -> float | None:
        """Bytes of a column's longest text inside a composed key, as if each were one that must be escaped."""
        if (width := _padded_width(self._tables[table_id].column(name))) is not None:
            return float(width)
        counted = self.column_statistics(table_id, name)
        return counted.max_bytes * ESCAPED if counted else None


def _covers_unique(table: Table, columns: tuple[str, ...]) -> bool:
    keys = [table.primary_key, *(index.columns for index in table.unique_keys())]
    return any(key and set(key) <= set(columns) for key in keys)


def assumed_bytes(column: Column) -> float:
    """Bytes of a value when no data was seen: half the declared length of texts, at most 256; by type otherwise."""
    if column.type in INTEGER_BITS:
        return 1.0 + INTEGER_BITS[column.type] / 16
    if column.type in ("decimal", "float", "double"):
        return 6.0
    if column.type in ("date", "datetime", "timestamp", "time", "year"):
        return {"date": 10.0, "time": 8.0, "year": 3.0}.get(column.type, 19.0)
    if column.type in ("text", "mediumtext", "longtext", "json", "blob", "mediumblob", "longblob"):
        return 256.0
    return float(min(256, max(1, (column.length or 32) // 2)))


def _padded_width(column: Column) -> int | None:
    """Characters of a column's type inside a composed key, where they are always as many."""
    if column.type in INTEGER_BITS:
        return len(str((1 << INTEGER_BITS[column.type]) - 1))
    if column.type == "decimal":
        return (column.precision or 10) + (0 if column.unsigned else 1)
    return {"float": 16, "double": 16, "year": 4, "time": 13}.get(column.type)
