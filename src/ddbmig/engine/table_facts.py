"""What the evidence says of one table: the facts of the catalogue's section `table`, computed."""

from ddbmig.engine.evidence import Evidence, Facts, Sheet, said_of
from ddbmig.engine.skew import put_minute_ratio, put_top_share, top_share
from ddbmig.model.assessment import FactValue
from ddbmig.model.schema import Table
from ddbmig.model.statistics import TableStatistics

_TRANSFORMED = {"json", "set", "enum", "bit", "geometry", "point", "linestring", "polygon", "multipoint",
                "multilinestring", "multipolygon", "geometrycollection"}  # fmt: skip


def table_facts(evidence: Evidence, table_id: str) -> Facts:
    """Every fact of the catalogue about one table, by name. Raises KeyError for an unknown table."""
    sheet, table = Sheet("table", evidence), evidence.tables[table_id]
    _schema(sheet, table)
    _data(sheet, table, evidence.statistics(table_id))
    _traffic(sheet, evidence, table)
    context, changes = evidence.snapshot.context, evidence.schema_changes
    sheet.put("evolution.schema_changes", changes, "query logs", estimated=bool(changes))
    sheet.declared("table.growth_percent_per_month", context.growth_percent_per_month)
    sheet.declared("table.owner", said_of(context.owners, table.id))
    sheet.declared("table.security_context", said_of(context.security_contexts, table.id))
    return sheet.done()


def _schema(sheet: Sheet, table: Table) -> None:
    transformed = sorted(c.name for c in table.columns if c.type in _TRANSFORMED or c.generated is not None)
    schema: dict[str, FactValue | None] = {
        "name": table.name, "engine": table.engine, "charset": table.charset,
        "has_primary_key": bool(table.primary_key), "primary_key_columns": len(table.primary_key),
        "columns": len(table.columns), "column_names": tuple(column.name for column in table.columns),
        "column_types": tuple(sorted({column.type for column in table.columns})),
        "unique_keys": len(table.unique_keys()), "columns_to_transform": tuple(transformed),
    }  # fmt: skip
    for name, value in schema.items():
        sheet.put(f"table.{name}", value, "schema")


def _data(sheet: Sheet, table: Table, statistics: TableStatistics | None) -> None:
    counted = bool(statistics and statistics.rows.source == "measured")
    sheet.measure("table.rows", statistics.rows if statistics else None)
    sheet.measure("table.item_bytes_average", statistics.item_bytes if statistics else None)
    sheet.put("table.rows_measured", counted, "data or statistics")
    sheet.put("table.item_bytes_max", statistics.max_item_bytes if statistics else None, "data")
    distinct = {name.lower(): column.distinct for name, column in statistics.columns.items()} if statistics else {}
    if statistics and counted and len(table.primary_key) == 1:
        distinct[table.primary_key[0].lower()] = int(statistics.rows.value)
    first = table.primary_key[0].lower() if table.primary_key else ""
    leading = [distinct.get(index.columns[0].lower()) for index in table.indexes if index.columns]
    sheet.put("keys.cardinality", distinct.get(first), "data")
    sheet.put("keys.least_index_cardinality", min((n for n in leading if n is not None), default=None), "data")


def _traffic(sheet: Sheet, evidence: Evidence, table: Table) -> None:
    writing, using, key = evidence.writing(table.id), evidence.using(table.id), ((table.id, table.primary_key),)
    sheet.rate("writes.per_day", evidence.per_day(evidence.calls(writing)))
    sheet.rate("reads.per_day", evidence.per_day(evidence.calls(evidence.reading(table.id))))
    peak = sum(evidence.rate_of[p.id].peak_per_second for p in writing if p.id in evidence.rate_of)
    vague = not all(evidence.knows_peak(pattern) for pattern in writing)
    sheet.put("writes.peak_per_second", peak, "query logs", estimated=vague)
    put_top_share(sheet, "keys.top_share", top_share(evidence, using, key))
    put_top_share(sheet, "writes.hot_key_per_second", top_share(evidence, writing, key), peak, estimated=vague)
    put_minute_ratio(sheet, evidence, using)
