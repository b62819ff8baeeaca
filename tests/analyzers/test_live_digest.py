"""What performance_schema counted becomes templates like those of a log."""

from dataclasses import replace
from pathlib import Path

import pytest

from ddbmig.analyzers.live import StatementDigest, collect
from ddbmig.analyzers.live_digest import NOT_KEPT, digest_of_statements
from ddbmig.analyzers.live_sources import live_sources
from ddbmig.analyzers.live_statistics import LiveStatistics
from ddbmig.analyzers.snapshot import Sources, build_snapshot
from ddbmig.model.context import ProjectConfig
from ddbmig.model.location import Location
from ddbmig.model.schema import Table
from ddbmig.model.snapshot import Connection
from servers import Server


def row(text: str, calls: int = 1, schema: str = "shop") -> StatementDigest:
    return StatementDigest(schema, text, calls, 10 * calls, calls, 2 * calls, 0, 1_000, 2_000)


TEXTS = [
    ("SELECT `a` FROM `t` WHERE `id` IN (...)", "SELECT `a` FROM `t` WHERE `id` IN (?)"),
    ("INSERT INTO `t` ( `a` , `b` ) VALUES (...)", "INSERT INTO `t` (`a`, `b`) VALUES (?, ?)"),
    ("INSERT INTO `t` ( `a` , `b` ) VALUES (...) /* , ... */", "INSERT INTO `t` (`a`, `b`) VALUES (?, ?)"),
]


@pytest.mark.parametrize(("text", "sql"), TEXTS)
def test_folded_lists_become_placeholders(text: str, sql: str) -> None:
    (template,) = digest_of_statements([row(text, 3)], 0, "MySQL").templates
    assert (template.sql, template.calls, template.rows_sent, template.timed_calls) == (sql, 3, 3, 3)


def test_every_call_is_in_a_template_or_skipped() -> None:
    rows = [row("INSERT INTO `t` ( `a` ) VALUES (...)", 2), row("INSERT INTO `t` ( `a` ) VALUES (...) /* , ... */", 3),
            row("COMMIT", 7), row("SHOW TABLES", 1)]  # fmt: skip
    digest = digest_of_statements(rows, 5, "MySQL")
    source = digest.sources[0]
    assert [template.calls for template in digest.templates if template.verb == "insert"] == [5]
    assert source.skipped[NOT_KEPT] == 5
    assert source.statements == 18 == sum(each.calls for each in digest.templates) + sum(source.skipped.values())
    assert digest == digest_of_statements(reversed(rows), 5, "MySQL")


def test_no_statements_at_all() -> None:
    assert digest_of_statements([], 0, "MariaDB").templates == ()


def _places(table: Table) -> list[Location | None]:
    return [table.at, *(index.at for index in table.indexes), *(key.at for key in table.foreign_keys)]


@pytest.mark.server
def test_what_a_server_counted(mysql57: Server) -> None:
    mysql57.run(["CREATE DATABASE digested", "CREATE TABLE digested.t (id int PRIMARY KEY, n int)"])
    mysql57.run(
        ["INSERT INTO t (id, n) VALUES (1, 2), (2, 3)", "SELECT n FROM t WHERE id IN (1, 2, 3)"], database="digested"
    )
    with collect(f"{mysql57.url}digested", password="") as live:
        digest = digest_of_statements(live.statement_digests(), 0, live.connection.server_version)
    mysql57.run(["DROP DATABASE digested"])
    found = {template.sql: (template.calls, template.rows_sent) for template in digest.templates}
    assert found["SELECT `n` FROM `t` WHERE `id` IN (?)"] == (1, 2)
    assert "INSERT INTO `t` (`id`, `n`) VALUES (?, ?)" in found


def test_the_tables_of_a_server_stand_in_no_file(tmp_path: Path) -> None:
    path = tmp_path / "schema.live.sql"
    path.write_text("CREATE TABLE p (id int PRIMARY KEY);\n"
                    "CREATE TABLE t (id int, UNIQUE (id), lone, FOREIGN KEY (id) REFERENCES p (id));\n")  # fmt: skip
    of_files = Sources(schema_files=[(path, path.name)])
    of_server = replace(of_files, connection=Connection(server_version="8.4.2"))
    schemas = [build_snapshot(sources, ProjectConfig()).tables for sources in (of_files, of_server)]
    known, unknown = ([at for table in schema.tables for at in _places(table)] for schema in schemas)
    assert [at.column for at in known if at] == [1, 1, 25, 44]
    assert unknown == [None] * 4
    assert schemas[0].problems == schemas[1].problems != ()


@pytest.mark.server
def test_a_server_alone_is_enough_for_a_snapshot(mysql57: Server, tmp_path: Path) -> None:
    mysql57.run(["CREATE DATABASE alone", "CREATE TABLE alone.t (id int PRIMARY KEY, n int)"])
    mysql57.run(["INSERT INTO t (id, n) VALUES (1, 2), (2, 3)", "SELECT n FROM t WHERE id = 1"], database="alone")
    live = collect(f"{mysql57.url}alone", password="")
    sources = live_sources(live, LiveStatistics(live), tmp_path / "out", {}, b"key")
    snapshot = build_snapshot(sources, ProjectConfig())
    mysql57.run(["DROP DATABASE alone"])
    assert [table.id for table in snapshot.tables.tables] == ["t"]
    assert snapshot.statistics["t"].rows.value == 2
    assert snapshot.connection is not None
    assert snapshot.connection.not_told == tuple(live.gaps)
    assert {pattern.kind for pattern in snapshot.patterns} == {"insert", "select"}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["schema.live.sql"]
