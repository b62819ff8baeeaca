"""How many rows and bytes there are on average: from statistics where measured, from column types where not."""

from collections.abc import Iterable, Mapping

from ddbmig.model.contract import ContractAttribute
from ddbmig.model.encodings import INTEGER_BITS, template_columns
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.model.statistics import ColumnStatistics, TableStatistics

ASSUMED_ROWS_PER_VALUE = 10.0
"""Rows per distinct value of a column that nobody counted: assumed."""


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

    def attribute_bytes(self, name: str, attribute: ContractAttribute) -> float:
        """Average bytes that one attribute adds to an item, its name included, rows without it averaged in."""
        if attribute.value is not None:
            return len(name.encode()) + len(attribute.value.encode())
        if attribute.template is not None:
            columns = template_columns(attribute.template)
            value = sum(key_part_bytes(self._tables[attribute.source_table].column(c)) for c in columns)
            return len(name.encode()) + value + max(0, len(columns) - 1)
        if attribute.encoding == "row_digest":
            return len(name.encode()) + 64.0
        share = self.present_share(attribute.source_table, attribute.source_column)
        return share * (len(name.encode()) + self.column_bytes(attribute.source_table, attribute.source_column))

    def item_bytes(self, attributes: Mapping[str, ContractAttribute]) -> float:
        """Average bytes of an item with these attributes (A4)."""
        return sum(self.attribute_bytes(name, attribute) for name, attribute in attributes.items())


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


def key_part_bytes(column: Column) -> float:
    """Bytes of a column's text inside a composed key (encodings.render_key_part)."""
    if column.type in INTEGER_BITS:
        return float(len(str((1 << INTEGER_BITS[column.type]) - 1)))
    if column.type == "decimal":
        return float((column.precision or 10) + 1)
    if column.type in ("float", "double"):
        return 16.0
    return assumed_bytes(column)
