"""migrationContract.modernizer.json: the contract in the dialect that the public workshop tooling reads.

Source: aws-samples/aws-dynamodb-examples, `workshops/modernizer/contracts`: the generation guide, its patterns, and the
view generator that they name. The generator joins by `target_table`, so each join has an alias of its own. It writes
names as they stand, so those of MySQL stand back-quoted. It casts S to CHAR and N to DECIMAL(38,10), and reads no
filter, so where rows are chosen they come from a helper view (`views.py`). Keys are texts, and a part of a GSI's key is
one attribute. What is lost by all this stands beside the tables, under `losses`; the tooling reads `tables` only.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ddbmig.model.contract import ContractAttribute, ContractEntry, JoinColumns
from ddbmig.model.encodings import FLOAT_TYPES, encoding_for, template_parts
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.sql_expressions import quoted
from ddbmig.reporters.exports.structures import Table as Structure
from ddbmig.reporters.exports.views import View, sql_name, views_of

WHOLE_DIGITS, DECIMALS = 28, 10
"""Digits of a number before and after its point that DECIMAL(38,10) holds."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_AS_WRITTEN = frozenset({"date", "year"})
"""Types whose text inside of a key is the one that MySQL itself writes."""
_DIFFERENT: Mapping[str, str] = {
    "iso8601_datetime": "a blank between day and time, not ISO 8601; a TIMESTAMP in the time zone of the session",
    "collated": "as it is written, not as its collation compares it: equal texts may be two keys",
    "base64": "the bytes as text, not Base64",
    "bool": "0 and 1 stand for false and true",
}
"""By encoding, what the generator's casts make of it."""

Losses = list[dict[str, str]]


def modernizer(material: Material) -> str:
    """The contract in the dialect, with the losses listed."""
    losses: Losses = []
    views: dict[str, list[View]] = {}
    for view in views_of(material):
        views.setdefault(view.entry.table, []).append(view)
    tables = [
        _Table(structure, material.snapshot.tables, losses).data(views[structure.name]) for structure in material.tables
    ]
    data = {"tables": [table for table in tables if table], "losses": losses, "origin": material.origin.data()}
    return json.dumps(data, indent=2) + "\n"


class _Table:
    """One table of the dialect; what it cannot say is appended to `losses`."""

    def __init__(self, structure: Structure, schema: Schema, losses: Losses) -> None:
        self.structure, self.schema, self.losses = structure, schema, losses

    def data(self, views: list[View]) -> dict[str, Any] | None:
        """None where a part of the key cannot be said."""
        whole = self.structure
        entities = [self._entity(view) for view in views]
        names = {attribute["name"] for entity in entities for attribute in entity["attributes"]}
        if missing := [key for key in whole.keys if key not in names]:
            self._lose(missing[0], "the whole table is left out with this part of its key")
            return None
        if not _PLAIN.fullmatch(whole.name):
            self._lose("", "the generator names its view after the table without quoting, which MySQL refuses")
        entries = [view.entry for view in views]
        found: dict[str, Any] = {"table": whole.name, "pk": whole.pk, "sk": whole.sk, "gsis": list(self._gsis())}
        if len(entries) == 1 and entries[0].entity is None and not any(a.fields for a in _attributes(entries)):
            found |= {"type": "single-entity", **entities[0]}
        else:
            named = zip(entries, entities, strict=True)
            kinds = [{"entity_type": entry.entity or entry.source_table, **one} for entry, one in named]
            found |= {"type": "multi-entity", "entities": kinds}
        satisfies = dict.fromkeys(text for entry in entries for text in entry.satisfies)
        size = max(entry.estimated_item_size_bytes for entry in entries)
        return {**found, "satisfies": list(satisfies), "estimated_item_size_bytes": size}

    def _gsis(self) -> Iterator[dict[str, Any]]:
        for gsi in self.structure.gsis:
            if len(gsi.partition) > 1 or len(gsi.sort) > 1:
                self._lose(gsi.name, "a GSI with a key of several attributes is left out")
                continue
            found = {"index_name": gsi.name, "pk": gsi.partition[0], "sk": gsi.sort[0] if gsi.sort else None}
            yield {**found, "projection": gsi.projection, "projected_attributes": list(gsi.projected)}

    def _entity(self, view: View) -> dict[str, Any]:
        """Where the rows of an entry come from, and its attributes."""
        entry, table = view.entry, self.schema.table(view.entry.source_table)
        source = quoted(view.name) if entry.filter else sql_name(table)
        if entry.enforces:
            self._lose("", f"that it enforces the unique key {entry.enforces.unique_key} is not said")
        attributes = []
        joins: dict[tuple[str, JoinColumns], str] = {}
        for (name, attribute), shown in zip(entry.attributes.items(), view.columns, strict=True):
            how = self._shown(shown, attribute) if entry.filter else self._how(attribute, table, source, joins)
            if how is None:
                self._lose(name, "left out: the dialect has no such value")
                continue
            for loss in self._changed(name, attribute, viewed=entry.filter is not None):
                self._lose(name, loss)
            kind = "S" if name in self.structure.types else attribute.type
            attributes.append({"name": name, "type": kind, "source_table": source, **how})
        return {"source_table": source, "attributes": attributes}

    def _shown(self, column: str, attribute: ContractAttribute) -> dict[str, Any] | None:
        """A column of the helper view, which has the attribute as it will be."""
        return None if attribute.encoding == "row_digest" or attribute.fields else {"source_column": quoted(column)}

    def _how(
        self, attribute: ContractAttribute, table: Table, source: str, joins: dict[tuple[str, JoinColumns], str]
    ) -> dict[str, Any] | None:  # fmt: skip
        """What makes an attribute of a row; None where the dialect cannot say it."""
        column = {"source_column": quoted(attribute.source_column)}
        if attribute.value is not None:
            return {**column, "transformation": {"type": "static", "value": attribute.value}}
        if attribute.encoding == "row_digest":
            return None
        if attribute.template is not None:
            parts = (
                text + (f"{{{quoted(name)}}}" if name else "") for text, name in template_parts(attribute.template)
            )
            return {**column, "transformation": {"type": "string-format", "format": "".join(parts)}}
        if not attribute.denormalized and not attribute.fields:
            return column
        if not isinstance(attribute.join, JoinColumns):
            return None
        return self._joined(attribute, attribute.join, source, joins)

    def _joined(
        self, attribute: ContractAttribute, join: JoinColumns, source: str, joins: dict[tuple[str, JoinColumns], str]
    ) -> dict[str, Any]:  # fmt: skip
        other = self.schema.table(attribute.source_table)
        alias = joins.setdefault((other.id, join), f"joined_{len(joins) + 1}")
        pairs = zip(join.local_columns, join.source_columns, strict=True)
        on = " AND ".join(f"{alias}.{quoted(there)} = {source}.{quoted(here)}" for here, there in pairs)
        found: dict[str, Any] = {"target_table": f"{sql_name(other)} {alias}", "join_condition": on}
        if attribute.fields:
            columns = {name: f"{alias}.{quoted(column)}" for name, column in attribute.fields.items()}
            found |= {"type": "json-construction", "construction": {"type": "array", "select_columns": columns}}
        else:
            found |= {"type": "foreign-key", "select_column": f"{alias}.{quoted(attribute.source_column)}"}
        return {"source_column": quoted(join.local_columns[0]), "join": found}

    # --- what is lost ---

    def _lose(self, subject: str, loss: str) -> None:
        self.losses.append({"table": self.structure.name, "name": subject, "loss": loss})

    def _changed(self, name: str, attribute: ContractAttribute, *, viewed: bool) -> Iterator[str]:
        if not _PLAIN.fullmatch(name) or name.lower() in _reserved():
            yield "the generator writes this name without quoting it, which MySQL refuses"
        if name in self.structure.types and attribute.type != "S":
            yield f"a key of type {attribute.type} in the design, a text here: it sorts as text"
        if attribute.fields:
            yield "no child gives a list of one empty child, and children stand in no order"
        table = self.schema.table(attribute.source_table)
        if attribute.template is not None and not viewed:
            yield from _template_changed(attribute.template, table)
        elif attribute.value is not None:
            if set(attribute.value) & set("'\\"):
                yield "the generator writes this text without escaping it"
        elif attribute.template is None and not attribute.fields:
            yield from _column_changed(attribute, table.column(attribute.source_column), viewed)


@cache
def _reserved() -> frozenset[str]:
    """The words that MySQL takes as a name in backquotes only, in lower case."""
    from sqlglot.generators.mysql import MySQLGenerator  # heavy

    return frozenset(MySQLGenerator.RESERVED_KEYWORDS)


def _attributes(entries: list[ContractEntry]) -> Iterator[ContractAttribute]:
    return (attribute for entry in entries for attribute in entry.attributes.values())


def _template_changed(template: str, table: Table) -> Iterator[str]:
    parts = template_parts(template)
    if any(set(text) & set("'\\{}") for text, _ in parts):
        yield "the generator writes the text of this key without escaping it"
    columns = [table.column(name) for _, name in parts if name is not None]
    if odd := [column.name for column in columns if "}" in column.name]:
        yield f"the generator ends {odd[0]} at its brace"
    if others := [column.name for column in columns if column.type not in _AS_WRITTEN]:
        yield f"{', '.join(others)} as MySQL writes it: numbers are not padded, texts neither folded nor escaped"


def _column_changed(attribute: ContractAttribute, column: Column, viewed: bool) -> Iterator[str]:
    encoding = attribute.encoding or encoding_for(column)
    if attribute.type == "N":
        whole = (column.precision or 10) - (column.scale or 0)
        if column.type in FLOAT_TYPES or (
            column.type == "decimal" and (whole > WHOLE_DIGITS or (column.scale or 0) > DECIMALS)
        ):
            yield f"a number has {WHOLE_DIGITS} digits and {DECIMALS} decimals at most"
    if encoding in _DIFFERENT and (not viewed or encoding == "bool"):
        yield _DIFFERENT[encoding]
