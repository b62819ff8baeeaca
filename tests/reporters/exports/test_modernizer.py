"""The modernizer dialect, read by its generator's rules on a real MariaDB: what is not listed as lost is equal."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from export_material import MATERIAL
from jsonschema import Draft202012Validator
from modernizer_views import select

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.analyzers.live import collect
from ddbmig.loaders.items import ItemBuilder, Row
from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry, ContractGsi, JoinColumns
from ddbmig.model.encodings import Cell
from ddbmig.model.schema import Schema
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.modernizer import modernizer
from ddbmig.reporters.exports.views import drop_views, views
from servers import Server

DDL = """
CREATE TABLE people (id int PRIMARY KEY, boss int, tax_id varchar(20) COLLATE utf8mb4_bin, `first name` varchar(20));
CREATE TABLE `order` (
  id int PRIMARY KEY, buyer int, seller int, day date, at datetime, price decimal(10,2), weight double, paid tinyint(1),
  far decimal(38,20), code varchar(9) COLLATE utf8mb4_general_ci, data blob, `line count` int
);
"""
ROWS = """
INSERT INTO people VALUES (1, NULL, 'T1', 'Ann'), (2, 1, NULL, 'Bob');
INSERT INTO `order` VALUES (1, 1, 2, '2024-02-29', '2024-02-29 01:02:03', -0.5, 0.1, 1, 0.5, 'aB', 0x00ff, 3);
INSERT INTO `order` VALUES (20, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""
SHAPE = {
    "type": "object",
    "required": ["tables"],
    "properties": {"tables": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/table"}}},
    "$defs": {
        "table": {
            "type": "object",
            "required": ["table", "type", "pk", "sk", "satisfies", "estimated_item_size_bytes"],
            "oneOf": [
                {"properties": {"type": {"const": "single-entity"}}, "required": ["source_table", "attributes"]},
                {"properties": {"type": {"const": "multi-entity"}}, "required": ["entities"]},
            ],
            "properties": {
                "attributes": {"type": "array", "items": {"$ref": "#/$defs/attribute"}},
                "entities": {"type": "array", "items": {"required": ["entity_type", "source_table", "attributes"]}},
                "gsis": {"type": "array", "items": {"required": ["index_name", "pk", "sk", "projection"]}},
                "satisfies": {"type": "array", "items": {"type": "string"}},
                "estimated_item_size_bytes": {"type": "number"},
            },
        },
        "attribute": {
            "required": ["name", "type", "source_table", "source_column"],
            "properties": {
                "type": {"enum": ["S", "N", "B", "BOOL", "L"]},
                "join": {
                    "required": ["type", "target_table", "join_condition"],
                    "properties": {"type": {"enum": ["foreign-key", "json-construction"]}},
                },
                "transformation": {"properties": {"type": {"enum": ["static", "string-format"]}}},
            },
        },
    },
}
"""What the public guide and its patterns say of the format."""


def attribute(source: str, column: str, kind: str = "S", **rest: Any) -> ContractAttribute:
    return ContractAttribute(type=kind, source_table=source, source_column=column, **rest)  # type: ignore[arg-type]


def copied(column: str, local: str) -> ContractAttribute:
    join = JoinColumns(local_column=local, source_column="id")
    return attribute("people", column, denormalized=True, justification="read together", join=join)


ORDER = {
    "id": attribute("order", "id", "N"),
    "kind": attribute("order", "id", value="#META"),
    "day": attribute("order", "day", encoding="iso8601_date"),
    "at": attribute("order", "at", encoding="iso8601_datetime"),
    "price": attribute("order", "price", "N"),
    "weight": attribute("order", "weight", "N"),
    "paid": attribute("order", "paid", "BOOL", encoding="bool"),
    "far": attribute("order", "far", "N"),
    "code": attribute("order", "code", encoding="collated"),
    "data": attribute("order", "data", "B"),
    "line_count": attribute("order", "line count", "N"),
    "by_day": attribute("order", "day", template="DAY#{day}"),
    "by_price": attribute("order", "price", template="{price}#{id}"),
    "buyer_name": copied("first name", "buyer"),
    "seller_name": copied("first name", "seller"),
    "digest": attribute("order", "id", encoding="row_digest"),
}
CONTRACT = Contract(
    (
        ContractEntry(
            table="orders", type="Table", source_table="order", pk="id", attributes=ORDER, satisfies=("see an order",),
            estimated_item_size_bytes=100, gsis=(
                ContractGsi(name="orders_by_day", pk="by_day"),
                ContractGsi(name="orders_by_both", pk="day", pk_attributes=("day", "code")),
            ),
        ),
        ContractEntry(
            table="people_tax_id_unique", type="Table", source_table="people", pk="tax_id",
            filter="`tax_id` IS NOT NULL",
            attributes={"tax_id": attribute("people", "tax_id"), "id": attribute("people", "id", "N")},
            estimated_item_size_bytes=20,
        ),
        ContractEntry(
            table="both", type="Table", source_table="people", entity="PERSON", pk="pk", estimated_item_size_bytes=30,
            attributes={"pk": attribute("people", "id", template="P#{id}"), "name": attribute("people", "first name")},
        ),
        ContractEntry(
            table="both", type="Table", source_table="order", entity="ORDER", pk="pk", estimated_item_size_bytes=40,
            attributes={"pk": attribute("order", "id", template="O#{id}"), "price": attribute("order", "price", "N")},
        ),
        ContractEntry(
            table="nothing", type="Table", source_table="people", pk="digest", estimated_item_size_bytes=40,
            attributes={"digest": attribute("people", "id", encoding="row_digest"),
                        "boss": attribute("people", "boss", "N")},
        ),
    )
)  # fmt: skip


def material(schema: Schema) -> Material:
    return replace(MATERIAL, snapshot=MATERIAL.snapshot.model_copy(update={"tables": schema}), contract=CONTRACT)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(modernizer(material(read_ddl_text(DDL, "x.sql"))))
    return found


def losses(made: dict[str, Any], table: str) -> dict[str, str]:
    return {one["name"]: one["loss"] for one in made["losses"] if one["table"] == table}


def test_it_has_the_shape_of_the_public_guide(made: dict[str, Any]) -> None:
    Draft202012Validator(SHAPE).validate(made)
    Draft202012Validator(SHAPE).validate(json.loads(modernizer(MATERIAL)))


def test_what_it_cannot_say_is_listed(made: dict[str, Any]) -> None:
    found = losses(made, "orders")
    assert found.keys() == {
        "id", "at", "weight", "paid", "far", "code", "by_price", "digest", "orders_by_both"
    }  # fmt: skip
    assert found["id"] == "a key of type N in the design, a text here: it sorts as text"
    assert "38" not in found["far"]
    assert "28 digits and 10 decimals" in found["far"]
    assert losses(made, "nothing") == {"digest": "the whole table is left out with this part of its key"}
    assert [table["table"] for table in made["tables"]] == ["orders", "people_tax_id_unique", "both"]


def test_every_key_is_a_text_and_each_join_has_its_alias(made: dict[str, Any]) -> None:
    orders = made["tables"][0]
    types = {one["name"]: one["type"] for one in orders["attributes"]}
    assert (types["id"], types["by_day"], types["line_count"]) == ("S", "S", "N")
    assert [gsi["index_name"] for gsi in orders["gsis"]] == ["orders_by_day"]
    joins = [one["join"]["target_table"] for one in orders["attributes"] if "join" in one]
    assert joins == ["`people` joined_1", "`people` joined_2"]


@pytest.mark.parametrize("name", ["order", "LINES", "line count", "x`y"])
def test_a_name_that_the_generator_should_have_quoted_is_told(name: str) -> None:
    attributes = {"id": attribute("people", "id"), name: attribute("people", "tax_id")}
    entry = ContractEntry(table="people", type="Table", source_table="people", pk="id", attributes=attributes,
                          estimated_item_size_bytes=1)  # fmt: skip
    given = replace(material(read_ddl_text(DDL, "x.sql")), contract=Contract((entry,)))
    assert "without quoting" in losses(json.loads(modernizer(given)), "people")[name]


def test_children_are_a_construction_of_a_table_of_entities() -> None:
    lines = attribute("order", "buyer", "L", fields={"total": "price"},
                      join=JoinColumns(local_column="id", source_column="buyer"))  # fmt: skip
    entry = ContractEntry(table="people", type="Table", source_table="people", pk="id", estimated_item_size_bytes=1,
                          attributes={"id": attribute("people", "id", "N"), "orders": lines})  # fmt: skip
    given = replace(material(read_ddl_text(DDL, "x.sql")), contract=Contract((entry,)))
    made = json.loads(modernizer(given))
    Draft202012Validator(SHAPE).validate(made)
    (table,) = made["tables"]
    assert table["type"] == "multi-entity"
    join = table["entities"][0]["attributes"][1]["join"]
    assert join["construction"] == {"type": "array", "select_columns": {"total": "joined_1.`price`"}}
    assert losses(made, "people")["orders"].startswith("no child gives a list of one empty child")


@pytest.fixture
def loaded(mariadb: Server) -> Iterator[Server]:
    given = material(read_ddl_text(DDL, "x.sql"))
    made = ["DROP DATABASE IF EXISTS modern", "CREATE DATABASE modern CHARACTER SET utf8mb4", "USE modern"]
    script = "\n".join(line for line in views(given).splitlines() if not line.startswith("--"))
    with mariadb.connect() as connection, connection.cursor() as cursor:
        for statement in [*made, *(text for text in (DDL + ROWS + script).split(";") if text.strip())]:
            cursor.execute(statement)
    yield mariadb
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP DATABASE modern")
    assert drop_views(given)


def test_its_views_give_the_items_that_the_loader_makes_but_for_the_losses(loaded: Server) -> None:
    with collect(f"{loaded.url}modern", password="") as live:
        schema = read_ddl_text(live.ddl(), "live.sql")
        given = material(schema)
        made = json.loads(modernizer(given))
        source = {
            table.id: [dict(zip((c.name for c in table.columns), row, strict=True)) for row in live.table_rows(table)]
            for table in schema.tables
        }
        live.query("USE modern")
        found = {table["table"]: rows(live.query(select(table)), table) for table in made["tables"]}

    def parent(table_id: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Row | None:
        wanted = dict(zip(columns, values, strict=True))
        return next((row for row in source[table_id] if row | wanted == row), None)

    compared = 0
    for name in ("orders", "people_tax_id_unique"):
        entry = next(one for one in CONTRACT.root if one.table == name)
        builder = ItemBuilder(entry, schema)
        items = [builder.item(row, parent) for row in source[entry.source_table] if builder.applies(row)]
        lost = losses(made, name)
        assert len(found[name]) == len(items)
        for row, item in zip(found[name], items, strict=True):
            for attribute_name in row.keys() - lost.keys():
                kind = entry.attributes[attribute_name].type
                value = row[attribute_name]
                assert (Decimal(value) if kind == "N" and value is not None else value) == item.get(attribute_name)
                compared += 1
    assert compared == 2 * 8 + 2
    assert [row["pk"] for row in found["both"]] == ["P#1", "P#2", "O#1", "O#20"]


def rows(found: Any, table: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows by attribute, in the order of the first."""
    entities = table.get("entities", [table])
    names = list(dict.fromkeys(one["name"] for entity in entities for one in entity["attributes"]))
    return [dict(zip(names, row, strict=True)) for row in found]
