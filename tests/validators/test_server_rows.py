"""The SQL side on a real server: the same answers as the embedded one, in scratch schemas that are gone afterwards."""

from collections.abc import Iterator

import pytest
from shop import shop, shop_rows

from ddbmig.analyzers.live import open_connection
from ddbmig.model.errors import UsageError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.validators.agreement import disagreement
from ddbmig.validators.outputs import order_outputs, outputs_of
from ddbmig.validators.sampling import Sampler
from ddbmig.validators.server_rows import PREFIX, ServerRows
from ddbmig.validators.source import SourceRows
from ddbmig.workflow import Engines
from servers import Server

SHOP = shop()


@pytest.fixture(scope="module")
def both(mariadb: Server) -> Iterator[tuple[SourceRows, ServerRows]]:
    sqlite, server = SourceRows(SHOP.tables), ServerRows(SHOP.tables, lambda: open_connection(mariadb.url, ""))
    try:
        for side in (sqlite, server):
            side.load(shop_rows(), 1_000)
        yield sqlite, server
    finally:
        server.close()
        sqlite.close()


@pytest.mark.parametrize("pattern", SHOP.patterns, ids=lambda pattern: pattern.sql)
def test_both_sides_answer_alike(pattern: AccessPattern, both: tuple[SourceRows, ServerRows]) -> None:
    sqlite, _ = both
    params = Sampler(pattern, SHOP.tables, sqlite, 7, {}).sample()
    for side in both:
        side.begin()
    try:
        here, there = (side.answer(pattern, params) for side in both)
        tables = {ref.table for ref in pattern.refs}
        left = [{t: sorted(map(repr, side.rows(t))) for t in tables} for side in both]
    finally:
        for side in both:
            side.undo()
    if pattern.kind == "select":
        outputs, order = outputs_of(pattern, SHOP.tables), order_outputs(pattern, SHOP.tables)
        assert disagreement(there, here.rows, outputs, order) is None
    else:
        assert min(here.count, 1) == min(there.count, 1)
        assert {t: len(rows) for t, rows in left[0].items()} == {t: len(rows) for t, rows in left[1].items()}


def test_rows_look_ups_and_edges_are_the_same_on_both(both: tuple[SourceRows, ServerRows]) -> None:
    sqlite, server = both
    for table in SHOP.tables.tables:
        assert server.count(table.id) == sqlite.count(table.id)
    assert list(server.rows("books")) == list(sqlite.rows("books"))
    assert server.nth("books", 4) == sqlite.nth("books", 4)
    assert server.match("authors", {"id": 3}) == sqlite.match("authors", {"id": 3})
    assert server.largest("loans", "id") == sqlite.largest("loans", "id") == 69
    assert server.present("books", "stock", 3) == sqlite.present("books", "stock", 3) == [0, 1, 2, 8]


def test_an_unknown_collation_is_substituted_and_said(mariadb: Server) -> None:
    column = Column(name="name", type="varchar", length=20, charset="utf8mb4", collation="utf8mb4_made_up_ci")
    schema = Schema(tables=(Table(id="t", schema_name="", name="t", columns=(column,)),))
    server = ServerRows(schema, lambda: open_connection(mariadb.url, ""))
    try:
        assert "utf8mb4_made_up_ci is not known there" in server.known_differences[0]
    finally:
        server.close()


def test_scratch_schemas_are_gone_after_a_failure_too(mariadb: Server) -> None:
    broken = Schema(tables=(Table(id="t", schema_name="", name="t", columns=(Column(name="a", type="no_type"),)),))
    with pytest.raises(UsageError, match="refuses a scratch schema"):
        ServerRows(broken, lambda: open_connection(mariadb.url, ""))
    with mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE %s", (PREFIX.replace("_", "\\_") + "%",))
        mine = {name for (name,) in cursor.fetchall()}
    assert mine <= {f"{PREFIX}0"}  # of the fixture that the other tests share


def test_a_server_elsewhere_must_be_confirmed() -> None:
    Engines(sql_server="mysql://me@127.0.0.1:3306/").check()
    with pytest.raises(UsageError, match="not on this machine"):
        Engines(sql_server="mysql://me@db.example:3306/").check()
    Engines(sql_server="mysql://me@db.example:3306/", allow_remote=True).check()


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(UsageError, match="password in the URL is refused"):
        Engines(sql_server="mysql://me:secret@127.0.0.1:3306/").check()
