"""General logs as MySQL and MariaDB write them, and as nobody should."""

from pathlib import Path

import pytest
from log_notation import HEADER, balanced, by_sql, general, read_general

from ddbmig.model.errors import InputError

DATA = Path(__file__).parent / "data"


def test_only_query_and_execute_are_statements(tmp_path: Path) -> None:
    text = HEADER + general(0, 5, "Connect", "app@localhost on shop using Socket")
    text += general(1, 5, "Prepare", "SELECT a FROM t WHERE id=?")
    text += general(2, 5, "Execute", "SELECT a FROM t WHERE id=7")
    text += general(3, 5, "Query", "execute s using @a") + general(3, 5, "Execute", "SELECT a FROM t WHERE id=8")
    text += general(4, 5, "Close stmt") + general(5, 5, "Quit")
    digest = read_general(tmp_path, text)
    assert by_sql(digest) == {("shop", "SELECT a FROM t WHERE id = ?"): 2}
    assert digest.templates[0].users == ("app",)
    assert digest.templates[0].query_us is None
    (source,) = digest.sources
    assert (source.events, source.statements, source.skipped) == (7, 3, {"prepared statement control": 1})


def test_the_database_comes_from_connect_init_db_use_and_change_user(tmp_path: Path) -> None:
    text = general(0, 1, "Connect", "app@localhost on  using TCP/IP") + general(1, 1, "Query", "SELECT 1 FROM a.t")
    text += general(2, 1, "Init DB", "b") + general(2, 1, "Query", "SELECT 1 FROM t")
    text += general(3, 1, "Query", "use `c`;") + general(3, 1, "Query", "SELECT 1 FROM t")
    text += general(4, 1, "Change user", "x@localhost on d") + general(4, 1, "Query", "SELECT 1 FROM t")
    text += general(4, 2, "Query", "SELECT 1 FROM u")
    digest = read_general(tmp_path, text)
    assert by_sql(digest) == {
        ("", "SELECT ? FROM a.t"): 1,
        ("b", "SELECT ? FROM t"): 1,
        ("c", "SELECT ? FROM t"): 1,
        ("d", "SELECT ? FROM t"): 1,
        ("", "SELECT ? FROM u"): 1,
    }
    assert any("began before" in note for note in digest.notes)


def test_mariadb_writes_the_time_only_when_it_changes(tmp_path: Path) -> None:
    digest = read_general(tmp_path, (DATA / "general_mariadb.log").read_bytes())
    assert by_sql(digest) == {("shop", "SELECT a FROM t WHERE id = ?"): 3}
    (template,) = digest.templates
    assert (template.last_us or 0) - (template.first_us or 0) == 3_000_000
    assert balanced(digest)


def test_an_event_inside_a_string_is_no_event(tmp_path: Path) -> None:
    fake = general(0, 9, "Query", "SELECT stolen FROM nowhere")
    text = general(1, 1, "Query", f"INSERT INTO notes VALUES ('x\n{fake}', 2)") + general(
        2, 1, "Query", "SELECT a FROM t"
    )
    assert by_sql(read_general(tmp_path, text)) == {
        ("", "INSERT INTO notes VALUES (?, ?)"): 1,
        ("", "SELECT a FROM t"): 1,
    }


def test_a_quote_that_never_closes_loses_no_other_event(tmp_path: Path) -> None:
    text = general(1, 1, "Query", "SELECT 'it")
    text += "".join(general(2 + n, 1, "Query", f"SELECT a FROM t WHERE b = 'x{n}'") for n in range(20))
    digest = read_general(tmp_path, text)
    assert by_sql(digest)["", "SELECT a FROM t WHERE b = ?"] == 20
    assert len(digest.problems) == 1


def test_statements_of_several_lines(tmp_path: Path) -> None:
    text = general(1, 1, "Query", "SELECT a\n\t\tFROM t\n\nWHERE b = 1\n") + general(2, 1, "Quit")
    assert by_sql(read_general(tmp_path, text)) == {("", "SELECT a FROM t WHERE b = ?"): 1}


def test_a_truncated_end_is_told(tmp_path: Path) -> None:
    text = general(1, 1, "Query", "SELECT a FROM t") + general(2, 1, "Query", "SELECT b FROM t WHERE c = 'se")[:-1]
    digest = read_general(tmp_path, text)
    assert by_sql(digest) == {("", "SELECT a FROM t"): 1, ("", "SELECT b FROM t WHERE c = ?"): 1}
    assert digest.problems[0].offset == len(general(1, 1, "Query", "SELECT a FROM t"))


def test_an_empty_statement_is_counted(tmp_path: Path) -> None:
    digest = read_general(tmp_path, general(1, 1, "Query", "") + general(1, 1, "Query", "-- hello"))
    assert digest.sources[0].skipped == {"comment only": 2}


@pytest.mark.parametrize("content", [b"hello\n", bytes(range(256)) * 100])
def test_what_is_no_general_log(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"general\.log: .*general log"):
        read_general(tmp_path, content)


def test_a_header_alone_is_a_log_without_statements(tmp_path: Path) -> None:
    assert read_general(tmp_path, HEADER).sources[0].statements == 0
