"""Slow logs as MySQL, MariaDB and Percona Server write them, and as nobody should."""

from pathlib import Path

import pytest
from log_notation import HEADER, balanced, by_sql, read_slow, slow

from ddbmig.model.errors import InputError

DATA = Path(__file__).parent / "data"


def test_one_event(tmp_path: Path) -> None:
    digest = read_slow(tmp_path, HEADER + slow(1.5, 7, "SELECT a FROM t WHERE id = 5", rows=3, use="shop"))
    (template,) = digest.templates
    assert (template.schema_name, template.sql) == ("shop", "SELECT a FROM t WHERE id = ?")
    assert (template.calls, template.query_us, template.rows_sent, template.timed_calls) == (1, 100, 3, 1)
    assert template.first_us == 1795341601_500000
    assert template.users == ("app",)
    (source,) = digest.sources
    assert (source.flavour, source.events, source.statements, source.skipped) == ("MySQL 8.0.36", 1, 1, {})


def test_mysql_56_writes_the_time_only_when_the_second_changes(tmp_path: Path) -> None:
    digest = read_slow(tmp_path, (DATA / "slow_mysql56.log").read_bytes())
    assert by_sql(digest) == {("shop", "SELECT a FROM t WHERE id = ?"): 2, ("shop", "SELECT b FROM t"): 1}
    assert [t.first_us for t in digest.templates if t.calls == 1] == [1795341127_000000]
    assert balanced(digest)


def test_mariadb(tmp_path: Path) -> None:
    digest = read_slow(tmp_path, (DATA / "slow_mariadb.log").read_bytes())
    assert by_sql(digest) == {("shop", "SELECT a FROM t WHERE id = ?"): 1, ("", "UPDATE shop.t SET a = ?"): 1}
    updated = next(t for t in digest.templates if t.verb == "update")
    assert updated.rows_affected == 4
    assert digest.sources[0].flavour == "MariaDB 10.11.6"
    assert not any("file order" in note for note in digest.notes)


def test_percona_with_extra_fields(tmp_path: Path) -> None:
    digest = read_slow(tmp_path, (DATA / "slow_percona.log").read_bytes())
    assert by_sql(digest) == {("shop", "SELECT a FROM t WHERE id = ?"): 1, ("shop", "SELECT b FROM t"): 1}
    assert any("one of every 100" in note for note in digest.notes)


def test_log_slow_extra_and_offset_times(tmp_path: Path) -> None:
    digest = read_slow(tmp_path, (DATA / "slow_extra.log").read_bytes())
    (template,) = digest.templates
    assert (template.query_us, template.rows_sent, template.rows_examined) == (1_500_000, 2, 9)
    assert template.first_us == 1795341600_123456


def test_a_header_inside_a_string_is_no_event(tmp_path: Path) -> None:
    fake = slow(0, 9, "SELECT stolen FROM nowhere").replace("'", "")
    text = slow(1, 1, f"INSERT INTO notes VALUES (1, 'text\n{fake}')", use="shop") + slow(2, 1, "SELECT 1 FROM t")
    digest = read_slow(tmp_path, text)
    assert by_sql(digest) == {("shop", "INSERT INTO notes VALUES (?, ?)"): 1, ("shop", "SELECT ? FROM t"): 1}
    assert not digest.problems


def test_a_header_inside_a_comment_is_no_event(tmp_path: Path) -> None:
    text = slow(1, 1, f"SELECT 1 /* it's\n{slow(0, 9, 'SELECT 2')} */ FROM t") + slow(2, 1, "SELECT a FROM t")
    assert set(by_sql(read_slow(tmp_path, text))) == {("", "SELECT ? FROM t"), ("", "SELECT a FROM t")}


def test_a_quote_that_never_closes_loses_no_other_event(tmp_path: Path) -> None:
    broken = slow(1, 1, "SELECT 'it")
    others = "".join(slow(2 + n, 1, f"SELECT a FROM t WHERE b = 'x{n}'") for n in range(50))
    digest = read_slow(tmp_path, broken + others)
    assert by_sql(digest) == {("", "SELECT ?"): 1, ("", "SELECT a FROM t WHERE b = ?"): 50}
    assert [problem.offset for problem in digest.problems] == [0]


def test_a_quote_that_never_closes_before_statements_without_quotes(tmp_path: Path) -> None:
    text = slow(1, 1, "SELECT `it") + "".join(slow(2 + n, 1, "SELECT a FROM t WHERE b = 1") for n in range(3000))
    digest = read_slow(tmp_path, text)
    assert by_sql(digest)["", "SELECT a FROM t WHERE b = ?"] == 3000
    assert len(digest.problems) == 1
    assert "it" not in str(by_sql(digest))


def test_administrator_commands_are_events_but_no_statements(tmp_path: Path) -> None:
    text = slow(1, 1, "# administrator command: Prepare") + slow(1, 1, "# administrator command: Quit")
    digest = read_slow(tmp_path, text + slow(2, 1, "SELECT 1 FROM t"))
    assert (digest.sources[0].events, digest.sources[0].statements) == (3, 1)


def test_the_header_again_after_a_restart(tmp_path: Path) -> None:
    text = (
        HEADER + slow(1, 1, "BEGIN", use="a") + slow(2, 1, "SELECT 1 FROM t") + HEADER + slow(9, 1, "SELECT 2 FROM t")
    )
    digest = read_slow(tmp_path, text)
    assert by_sql(digest) == {("a", "SELECT ? FROM t"): 1, ("", "SELECT ? FROM t"): 1}
    assert [unit.outcome for unit in digest.units] == ["rollback"]


def test_windows_line_ends(tmp_path: Path) -> None:
    text = (HEADER + slow(1, 1, "SELECT a\nFROM t", use="s")).replace("\n", "\r\n")
    assert by_sql(read_slow(tmp_path, text)) == {("s", "SELECT a FROM t"): 1}


def test_a_set_timestamp_of_the_user_is_a_statement(tmp_path: Path) -> None:
    digest = read_slow(tmp_path, slow(1, 1, "SET timestamp=5"))
    assert digest.sources[0].skipped == {"session setting": 1}


def test_insert_ids_are_no_part_of_the_statement(tmp_path: Path) -> None:
    text = slow(1, 1, "INSERT INTO t VALUES (1)").replace("SET timestamp", "SET last_insert_id=7,insert_id=8,timestamp")
    assert by_sql(read_slow(tmp_path, text)) == {("", "INSERT INTO t VALUES (?)"): 1}


def test_a_truncated_end_is_kept_and_told(tmp_path: Path) -> None:
    whole = slow(1, 1, "SELECT a FROM t") + slow(2, 1, "SELECT b FROM t WHERE c = 'long value'")
    digest = read_slow(tmp_path, whole[:-10])
    assert by_sql(digest) == {("", "SELECT a FROM t"): 1, ("", "SELECT b FROM t WHERE c = ?"): 1}
    (problem,) = digest.problems
    assert problem.offset == len(slow(1, 1, "SELECT a FROM t"))


def test_a_log_cut_inside_an_event_starts_at_the_next(tmp_path: Path) -> None:
    text = "half a statement;\nmore of it\n" + slow(1, 1, "SELECT a FROM t")
    digest = read_slow(tmp_path, text)
    assert by_sql(digest) == {("", "SELECT a FROM t"): 1}
    assert "2 lines" in digest.problems[0].message


@pytest.mark.parametrize("content", [b"hello\nworld\n", b"\x7fELF\x00\x01" * 1000, b"CREATE TABLE t (id int);\n"])
def test_what_is_no_slow_log(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"slow\.log: .*slow log"):
        read_slow(tmp_path, content)


def test_invalid_utf8_gives_valid_json(tmp_path: Path) -> None:
    text = slow(1, 1, "SELECT n\udcffme FROM t WHERE a = '\udcfe'").encode("utf-8", "surrogateescape")
    digest = read_slow(tmp_path, text)
    assert b"n\\\\xffme" in digest.to_bytes()
    digest.to_bytes().decode("utf-8")
