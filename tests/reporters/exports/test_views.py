"""The views are made on a real MariaDB, and give what the loader makes of the same rows."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from export_material import MATERIAL

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.analyzers.live import LiveCollection, collect
from ddbmig.loaders.items import ItemBuilder, Row
from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry, JoinColumns
from ddbmig.model.encodings import Cell, attribute_type, encoding_for, template_field
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.sql_expressions import BEYOND_ASCII, attribute_sql, sql_text
from ddbmig.reporters.exports.views import drop_views, views, views_of
from servers import Server

TYPES = {
    "tiny": ("tinyint", "-128", "127"),
    "flag": ("tinyint(1)", "0", "1"),
    "small": ("smallint unsigned", "0", "65535"),
    "medium": ("mediumint", "-8388608", "8388607"),
    "whole": ("int", "-2147483648", "2147483647"),
    "big": ("bigint", "-9223372036854775808", "9223372036854775807"),
    "huge": ("bigint unsigned", "0", "18446744073709551615"),
    "money": ("decimal(10,2)", "-99999999.99", "0.50"),
    "exact": ("decimal(38,10)", "-1234567890123456789012345678.0123456789", "0.0000000001"),
    "no_sign": ("decimal(5,0) unsigned", "0", "99999"),
    "wide": ("decimal(60,0)", "-" + "9" * 60, "1"),
    "single": ("float", "-0.1", "1.5"),
    "twice": ("double", "-0.1", "12345.678"),
    "since": ("year", "1901", "2155"),
    "day": ("date", "'0000-00-00'", "'2024-02-29'"),
    "at": ("datetime", "'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'"),
    "at_micro": ("datetime(6)", "'2024-02-29 01:02:03.000004'", "'2024-02-29 23:00:00.5'"),
    "stamp": ("timestamp NULL", "'0000-00-00 00:00:00'", "'2024-07-01 12:34:56'"),
    "stamp_milli": ("timestamp(3) NULL", "'0000-00-00 00:00:00'", "'2024-12-31 23:59:59.999'"),
    "span": ("time", "'-838:59:59'", "'00:00:01'"),
    "span_micro": ("time(6)", "'-00:00:00.5'", "'838:59:58.999999'"),
    "code": ("char(5) COLLATE utf8mb4_general_ci", "'aB#%c'", "''"),
    "exactly": ("varchar(20) COLLATE utf8mb4_bin", "'aB #%  '", "'\u00c9\u00e9'"),
    "latin": ("varchar(20) CHARACTER SET latin1 COLLATE latin1_general_cs", "'caf\u00e9'", "'x'"),
    "words": ("text COLLATE utf8mb4_unicode_ci", "'it''s \\\\ `quoted` \"so\"'", "'PLAIN  '"),
    "one_of": ("enum('New','old')", "'New'", "'old'"),
    "some_of": ("set('a','B')", "'a,B'", "''"),
    "bits": ("bit(12)", "b'000000000001'", "b'111111111111'"),
    "padded": ("binary(4)", "0x00ff", "0x01020304"),
    "bytes": ("varbinary(8)", "0x00ff00", "''"),
    "blob data": ("blob", "0xfffe", "'text'"),
    "doc": ("json", "'{\"a\": [1, null]}'", "'1'"),
    "place": ("point", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(-1 0.5)')"),
    "ba`d; DROP TABLE x -- \u00e9": ("int", "1", "2"),
}  # fmt: skip
"""Column -> its type and two values as SQL, the least and the largest where there are such."""
NAME = "all `types`"


@pytest.fixture(scope="module", params=["mariadb", pytest.param("mysql57", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def ddl() -> list[str]:
    columns = ", ".join(f"{quoted(name)} {kind}" for name, (kind, _, _) in TYPES.items())
    least, largest = (", ".join(values[number] for values in TYPES.values()) for number in (1, 2))
    nothing = ", ".join("NULL" for _ in TYPES)
    return [
        "DROP DATABASE IF EXISTS `vie ws`", "CREATE DATABASE `vie ws` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "USE `vie ws`", "SET sql_mode = '', time_zone = '+00:00'",
        "CREATE TABLE parents (id int PRIMARY KEY, name varchar(20), born date)",
        f"CREATE TABLE {quoted(NAME)} (id int PRIMARY KEY, parent int, {columns})",
        "INSERT INTO parents VALUES (1, 'One', '2020-01-02'), (2, NULL, NULL)",
        f"INSERT INTO {quoted(NAME)} VALUES (1, 1, {least}), (2, 2, {largest}), (3, NULL, {nothing})",
        f"INSERT INTO {quoted(NAME)} VALUES (4, 99, {nothing})",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def schema(server: Server) -> Schema:
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in ddl():
            cursor.execute(statement)
    with collect(f"{server.url}vie%20ws", password="") as live:
        return read_ddl_text(live.ddl(), "live.sql")


def plain(table: Table, column: Column) -> ContractAttribute:
    encoding = encoding_for(column)
    return ContractAttribute(
        type=attribute_type(encoding), source_table=table.id, source_column=column.name, encoding=encoding
    )


def composed(table: Table, template: str, source: str) -> ContractAttribute:
    return ContractAttribute(type="S", source_table=table.id, source_column=source, template=template)


def contract(schema: Schema) -> Contract:
    """Every column by itself and inside of a key, a constant, copies, a filter."""
    parents = next(one for one in schema.tables if one.name == "parents")
    table = next(one for one in schema.tables if one.name == NAME)
    join = JoinColumns(local_column="parent", source_column="id")
    attributes = {column.name: plain(table, column) for column in table.columns}
    attributes |= {
        f"{column.name}__key": composed(table, f"_{template_field(column.name)}#x", column.name)
        for column in table.columns
    }
    attributes |= {
        "constant": ContractAttribute(type="S", source_table=table.id, source_column="id", value="it's #ALL"),
        "several": composed(table, "{latin}#{whole}#{code}#{at}", "latin"),
        "based": plain(table, table.column("bytes")).model_copy(update={"type": "S", "encoding": "base64"}),
        "flagged": plain(table, table.column("flag")).model_copy(update={"type": "BOOL", "encoding": "bool"}),
        "digest": composed(table, "", "id").model_copy(update={"template": None, "encoding": "row_digest"}),
        "parent_name": plain(parents, parents.column("name")).model_copy(update={"denormalized": True, "join": join}),
        "parent_born": plain(parents, parents.column("born")).model_copy(update={"denormalized": True, "join": join}),
    }
    whole = ContractEntry(table="types", type="Table", source_table=table.id, pk="id", attributes=attributes,
                          estimated_item_size_bytes=1)  # fmt: skip
    lookup = ContractEntry(
        table="types_latin_unique", type="Table", source_table=table.id, pk="latin", filter="`latin` IS NOT NULL",
        attributes={name: attributes[name] for name in ("latin", "id")}, estimated_item_size_bytes=1,
    )  # fmt: skip
    return Contract((whole, lookup))


def material(schema: Schema) -> Material:
    snapshot = MATERIAL.snapshot.model_copy(update={"tables": schema})
    return replace(MATERIAL, snapshot=snapshot, contract=contract(schema))


def client(server: Server, sql: str, database: str = "vie ws") -> subprocess.CompletedProcess[str]:
    """The command-line client reads a script, as a person would have it do."""
    command = ["mariadb", "--no-defaults", f"--socket={server.socket}", f"--user={server.user}",
               "--default-character-set=utf8mb4", database]  # fmt: skip
    return subprocess.run(command, input=sql, capture_output=True, text=True, check=False)


@pytest.fixture
def made(server: Server, schema: Schema) -> Iterator[Material]:
    given = material(schema)
    done = client(server, views(given))
    assert (done.returncode, done.stderr) == (0, "")
    yield given
    assert client(server, drop_views(given)).stderr == ""


def rows(live: LiveCollection, view: str) -> list[dict[str, Any]]:
    """What a view gives, by name and in the order of `id`."""
    names = live.query(f"SHOW COLUMNS FROM `vie ws`.{quoted(view)}")
    found = live.query(f"SELECT * FROM `vie ws`.{quoted(view)} ORDER BY `id`")
    return [dict(zip((name[0] for name in names), row, strict=True)) for row in found]


def as_attribute(value: Any, kind: str) -> Any:
    """What a view gives, as the type of the attribute has it."""
    if value is None:
        return None
    if kind == "N":
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return bool(value) if kind == "BOOL" else value


LOST = {"digest", "single__key", "twice__key"}
"""Attributes that no view has."""


def test_a_view_gives_what_the_loader_makes(server: Server, schema: Schema, made: Material) -> None:
    with collect(f"{server.url}vie%20ws", password="") as live:
        source = {
            table.id: [dict(zip((c.name for c in table.columns), row, strict=True)) for row in live.table_rows(table)]
            for table in schema.tables
        }
        found = {view.name: rows(live, view.name) for view in views_of(made)}

    def parent(table_id: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Row | None:
        wanted = dict(zip(columns, values, strict=True))
        return next((row for row in source[table_id] if row | wanted == row), None)

    for view in views_of(made):
        builder = ItemBuilder(view.entry, schema)
        items = [builder.item(row, parent) for row in source[view.entry.source_table] if builder.applies(row)]
        assert len(found[view.name]) == len(items) == (4 if view.name == "ddb_types" else 2)
        for row, item in zip(found[view.name], items, strict=True):
            assert row.keys() == view.entry.attributes.keys() - LOST
            for name in row:
                assert as_attribute(row[name], view.entry.attributes[name].type) == item.get(name), name


def test_a_timestamp_is_utc_whatever_the_session_says(server: Server, made: Material) -> None:
    with collect(f"{server.url}vie%20ws", password="") as live:
        live.query("SET SESSION time_zone = '+09:00'")
        found = rows(live, "ddb_types")[1]
    shown = {name: found[name] for name in ("stamp", "stamp_milli", "stamp__key")}
    assert shown == {"stamp": "2024-07-01T12:34:56", "stamp_milli": "2024-12-31T23:59:59.999",
                     "stamp__key": "_2024-07-01T12:34:56#x"}  # fmt: skip


def test_what_is_lost_is_listed(made: Material) -> None:
    text = views(made)
    assert "\n-- left out: digest: SHA-256 of the whole row, and a number where rows are equal\n" in text
    assert "\n-- left out: single__key: the bits of single, a floating-point number\n" in text
    assert f"\n-- not always equal: code__key: {BEYOND_ASCII}\n" in text
    assert "\n-- not always equal: flagged: 0 and 1 stand for false and true\n" in text
    assert "exactly__key:" not in text
    assert "one_of__key:" not in text
    assert "latin__key:" not in text


def test_letters_beyond_ascii_are_the_loss_that_is_told(server: Server, made: Material) -> None:
    with server.connect("vie ws") as connection, connection.cursor() as cursor:
        cursor.execute(f"UPDATE {quoted(NAME)} SET code = '\u00c9#' WHERE id = 1")
        cursor.execute("SELECT code__key FROM ddb_types WHERE id = 1")
        found = cursor.fetchone()
        cursor.execute(f"UPDATE {quoted(NAME)} SET code = 'aB#%c' WHERE id = 1")
    assert found == ("_\u00e9%23#x",)


def test_a_view_that_is_there_is_not_replaced(server: Server, made: Material) -> None:
    done = client(server, views(made))
    assert done.returncode == 1
    assert "already exists" in done.stderr


def test_the_drop_script_leaves_nothing_and_may_run_again(server: Server, schema: Schema) -> None:
    given = material(schema)
    assert client(server, views(given)).returncode == 0
    for _ in range(2):
        assert client(server, drop_views(given)).returncode == 0
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'vie ws'")
        assert cursor.fetchone() == (0,)


def entry(table: str, source: str, names: list[str], entity: str | None = None) -> ContractEntry:
    kept = {name: ContractAttribute(type="N", source_table=source, source_column="id") for name in names}
    return ContractEntry(table=table, type="Table", source_table=source, pk=names[0], attributes=kept, entity=entity,
                         estimated_item_size_bytes=1)  # fmt: skip


def test_names_are_such_that_mysql_takes_them(server: Server) -> None:
    long, column = "t" * 200, Column(name="id", type="int", nullable=False)
    tables = tuple(Table(id=name, schema_name="", name=name, columns=(column,)) for name in ("ddb_taken", "source"))
    entries = (
        entry("taken", "source", ["id", "ID", "blank ", "a" * 70, "a" * 71]), entry("TAKEN", "source", ["id"]),
        entry(long, "source", ["id"]), entry(f"{long}2", "source", ["id"]),
        entry("shop", "source", ["id"], "ORDER"), entry("shop", "source", ["id"], "LINE"),
    )  # fmt: skip
    snapshot = MATERIAL.snapshot.model_copy(update={"tables": Schema(tables=tables)})
    given = replace(MATERIAL, snapshot=snapshot, contract=Contract(entries))
    names = [view.name for view in views_of(given)]
    assert names[:2] == ["ddb_taken_2", "ddb_TAKEN_3"]
    assert names[4:] == ["ddb_shop_ORDER", "ddb_shop_LINE"]
    assert "\n-- called otherwise: ID_2 for ID\n" in views(given)
    server.run(["DROP DATABASE IF EXISTS view_names", "CREATE DATABASE view_names", "USE view_names",
                 "CREATE TABLE source (id int)", "CREATE TABLE ddb_taken (id int)"])  # fmt: skip
    done = client(server, views(given), "view_names")
    assert (done.returncode, done.stderr) == (0, "")
    assert client(server, drop_views(given), "view_names").returncode == 0


def test_an_entry_of_which_sql_can_say_nothing_has_no_view() -> None:
    column = Column(name="id", type="int", nullable=False)
    snapshot = MATERIAL.snapshot.model_copy(
        update={"tables": Schema(tables=(Table(id="s", schema_name="", name="s", columns=(column,)),))}
    )
    digest = ContractAttribute(type="S", source_table="s", source_column="id", encoding="row_digest")
    bare = entry("s", "s", ["d"]).model_copy(update={"attributes": {"d": digest}})
    sql = views(replace(MATERIAL, snapshot=snapshot, contract=Contract((bare,))))
    assert "CREATE" not in sql
    assert sql.endswith("-- no view ddb_s: SQL can say none of its attributes\n")
    assert "-- left out: d: " in sql


@pytest.mark.parametrize("value", ["", "#ALL", "it's", "back\\slash", "\u00e9\n\x00", "%_"])
def test_a_text_is_that_text_under_every_sql_mode(server: Server, value: str) -> None:
    for mode in ("", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES"):
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SET NAMES utf8mb4, sql_mode = '{mode}'")
            cursor.execute(f"SELECT {sql_text(value)}")
            assert cursor.fetchone() == (value,)


def test_a_decimal_beyond_what_mysql_can_shift_is_left_out() -> None:
    table = Table(id="t", schema_name="", name="t", columns=(Column(name="n", type="decimal", precision=65, scale=2),))
    assert attribute_sql(composed(table, "x{n}", "n"), table, "r").sql is None
