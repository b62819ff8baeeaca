"""A running server gives the schema and the rows that its own dump gives, and fails in one line without a password."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ddbmig.analyzers.ddl import read_ddl, read_ddl_text
from ddbmig.analyzers.dump import DumpReader
from ddbmig.analyzers.live import ServerAddress, collect, parse_url
from ddbmig.analyzers.statistics import collect_statistics, declared_groups
from ddbmig.model.errors import UsageError
from ddbmig.model.schema import Schema
from servers import Server

SETUP = [
    "CREATE DATABASE `live shop` CHARACTER SET utf8mb4",
    "USE `live shop`",
    "CREATE TABLE parent (a int, b varchar(10), PRIMARY KEY (a, b))",
    """CREATE TABLE `child``s` (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, a int, b varchar(10),
       price decimal(10,2), ratio float, big double, doc text, raw blob, flags bit(10), at datetime(3), d date,
       t time(1), y year, e enum('x','y'), s set('p','q'), stamp timestamp NULL, KEY (price),
       CONSTRAINT `of` FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE CASCADE)""",
    "CREATE VIEW v AS SELECT a FROM parent",
    "CREATE PROCEDURE pr() BEGIN SELECT 1; SELECT ';;'; END",
    "CREATE FUNCTION fu() RETURNS int DETERMINISTIC RETURN 1",
    "CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW SET NEW.a = NEW.a",
    "CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "INSERT INTO parent VALUES (2, 'é'), (1, 'b'), (1, 'a')",
    r"""INSERT INTO `child``s` VALUES
        (NULL, 1, 'a', 1.50, 0.1, 1e100, 'it''s \\ "x"\n', 0x00ff27, b'1000000001', '2026-11-22 13:41:19.5',
         '2026-01-01', '-12:00:00.5', 2026, 'x', 'p,q', '2026-11-22 13:41:19'),
        (NULL, 1, 'a', NULL, -3, 0, '', '', b'0', '0001-01-01', NULL, '00:00:00', 1999, 'y', '', NULL),
        (NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
]


@pytest.fixture(scope="module", params=["mariadb", "mysql57"])
def shop(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with the schema above."""
    server: Server = request.getfixturevalue(request.param)
    server.run(SETUP)
    yield server
    server.run(["DROP DATABASE `live shop`"])


@pytest.mark.server
def test_a_server_gives_what_its_dump_gives(shop: Server, tmp_path: Path) -> None:
    dump = shutil.which("mariadb-dump") or shutil.which("mysqldump")
    if not dump:
        pytest.skip("mariadb-dump is not installed")
    command = [dump, "--no-defaults", "-h", shop.host, "-P", str(shop.port), "-u", shop.user, "--order-by-primary"]
    out = subprocess.run([*command, "live shop"], capture_output=True, check=True)
    (tmp_path / "dump.sql").write_bytes(out.stdout)
    files = [(tmp_path / "dump.sql", "dump.sql")]
    dumped, reader = read_ddl(files), None
    with collect(f"{shop.url}live%20shop", password="") as live:
        schema = read_ddl_text(live.ddl(), "live")
        rows = list(live.rows(schema))
    assert _without_places(schema) == _without_places(dumped)
    assert (schema.problems, [table.schema_name for table in schema.tables]) == ((), ["live shop"] * 2)
    reader = DumpReader(files, dumped)
    assert sorted(rows, key=repr) == sorted(reader.rows(), key=repr)
    assert reader.problems == ()
    assert [row for table, row in rows if table == "parent"] == [(1, "a"), (1, "b"), (2, "é")]
    statistics = collect_statistics(rows, schema, *declared_groups(schema))
    group = statistics["child`s"].group(("a", "b"))
    assert group
    assert (group.groups, group.max, group.orphans) == (1, 2, 0)


def _without_places(schema: Schema) -> list[dict[str, Any]]:
    dumped = [table.model_dump(exclude={"file", "line", "at_column", "schema_name"}) for table in schema.tables]
    for table in dumped:
        for key in (*table["indexes"], *table["foreign_keys"]):
            del key["at"]
    return dumped


@pytest.mark.server
def test_objects_settings_and_version(shop: Server) -> None:
    with collect(f"{shop.url}live%20shop", password="") as live:
        schema = read_ddl_text(live.ddl(), "live")
        assert live.connection.server_version == shop.version
        assert live.connection.settings["character_set_server"]
        assert set(live.connection.settings) >= {"sql_mode", "time_zone", "long_query_time", "log_output"}
        levels = {value for name, value in live.connection.settings.items() if name.endswith("_isolation")}
        assert levels == {"REPEATABLE-READ"}  # under one name or, on MySQL 5.7, two
    assert [(each.kind, each.name) for each in schema.objects] == [
        ("event", "ev"), ("function", "fu"), ("procedure", "pr"), ("trigger", "tr"), ("view", "v"),
    ]  # fmt: skip


@pytest.mark.server
def test_nothing_can_be_written(shop: Server) -> None:
    with collect(f"{shop.url}live%20shop", password="") as live:
        with pytest.raises(UsageError, match="error 1792"):
            live.query("DELETE FROM `live shop`.parent")
        assert len(live.query("SELECT 1 FROM `live shop`.parent")) == 3


@pytest.mark.server
def test_all_databases_without_one_in_the_url(shop: Server) -> None:
    shop.run(["CREATE DATABASE other", "CREATE TABLE other.parent (id int PRIMARY KEY)"])
    with collect(shop.url, password="") as live:
        schema = read_ddl_text(live.ddl(), "live")
    shop.run(["DROP DATABASE other"])
    assert {"live shop.parent", "other.parent"} <= {table.id for table in schema.tables}


@pytest.mark.server
def test_statement_digests_of_performance_schema(mysql57: Server) -> None:
    mysql57.run(["CREATE DATABASE counted", "CREATE TABLE counted.t (id int)"])
    mysql57.run(["SELECT id FROM t WHERE id = 41", "SELECT id FROM t WHERE id = 42"], database="counted")
    with collect(f"{mysql57.url}counted", password="") as live:
        digests = [each for each in live.statement_digests() if "`id` = ?" in each.text]
        assert live.statements_lost() == 0
    mysql57.run(["DROP DATABASE counted"])
    (digest,) = digests
    assert (digest.schema_name, digest.calls, digest.rows_sent) == ("counted", 2, 0)
    assert digest.first_us <= digest.last_us
    assert digest.first_us > 1_700_000_000_000_000


@pytest.mark.server
def test_a_refused_password_is_not_shown(mariadb: Server) -> None:
    mariadb.run(
        ["CREATE USER closed@localhost IDENTIFIED BY 'right'", "CREATE USER closed@'127.0.0.1' IDENTIFIED BY 'right'"]
    )
    with pytest.raises(UsageError) as caught:
        collect(f"mysql://closed@{mariadb.host}:{mariadb.port}/x", password="wrong-secret")
    assert "the user or the password is refused" in str(caught.value)
    assert "wrong-secret" not in str(caught.value)
    with pytest.raises(UsageError, match="no database of this name"):
        collect(f"{mariadb.url}nowhere", password="")


def test_an_unreachable_server_is_one_line_with_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:1 cannot be read: nothing answers there.*MYSQL_PWD"):
        collect("mysql://me@127.0.0.1:1/db", password="secret")


def test_urls() -> None:
    assert parse_url("mysql://me@db.example:3307/shop") == ServerAddress("db.example", 3307, "me", "shop")
    assert parse_url("mysql://a%40b@[::1]/my%20db?tls=required&ca=x.pem") == ServerAddress(
        "::1", 3306, "a@b", "my db", "required", "x.pem"
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://me:secret@h/db", "password in the URL is refused"),
        ("postgres://me@h/db", "not the URL"),
        ("mysql://h/db", "not the URL"),
        ("mysql://me@h:99999/db", "not the URL"),
        ("mysql://me@h/db?tls=maybe", "unknown option"),
        ("shop", "not the URL"),
    ],
)
def test_urls_that_are_refused(url: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)
