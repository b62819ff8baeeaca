"""Transactions, N+1 runs and neighbours, from small logs."""

from pathlib import Path

import pytest
from log_notation import general, read_general, read_slow, slow

from ddbmig.model.digest import Digest


def _ids(digest: Digest) -> dict[str, str]:
    return {template.id: template.sql for template in digest.templates}


def _units(digest: Digest) -> list[tuple[str, str, dict[str, int], int]]:
    names = _ids(digest)
    return [(u.kind, u.outcome, {names[key]: n for key, n in u.calls.items()}, u.count) for u in digest.units]


def _script(*statements: str, connection: int = 1, start: float = 0.0) -> str:
    return "".join(general(start + n / 1000, connection, "Query", sql) for n, sql in enumerate(statements))


A, B = "SELECT a FROM a WHERE x = 1", "UPDATE b SET y = 2"
SA, SB = "SELECT a FROM a WHERE x = ?", "UPDATE b SET y = ?"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(["BEGIN", A, B, A, "COMMIT"], [("commit", {SA: 2, SB: 1})], id="begin"),
        pytest.param(["begin", A, "rollback"], [("rollback", {SA: 1})], id="rollback"),
        pytest.param(
            ["START TRANSACTION", A, "SAVEPOINT s", B, "ROLLBACK TO s", "RELEASE SAVEPOINT s", "COMMIT"],
            [("commit", {SA: 1, SB: 1})],
            id="savepoints",
        ),
        pytest.param(["BEGIN", A, "BEGIN", B, "COMMIT"], [("commit", {SA: 1}), ("commit", {SB: 1})], id="nested begin"),
        pytest.param(["BEGIN", A, "CREATE TABLE c (x int)", B], [("commit", {SA: 1})], id="ddl commits"),
        pytest.param(["SET autocommit=0", A, "COMMIT", B, "SET autocommit = 1", A],
                     [("commit", {SA: 1}), ("commit", {SB: 1})], id="autocommit"),
        pytest.param(["SET @@session.autocommit = OFF", A], [("open", {SA: 1})], id="open at the end"),
        pytest.param(["BEGIN", A, "COMMIT AND CHAIN", B, "ROLLBACK"],
                     [("commit", {SA: 1}), ("rollback", {SB: 1})], id="chain"),
        pytest.param(["BEGIN", "COMMIT", A, B], [], id="outside"),
        pytest.param(["XA START 'x'", A, "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'", B],
                     [("commit", {SA: 1})], id="xa"),
        pytest.param(["/* app */ BEGIN", A, "SET NAMES utf8", "SHOW TABLES", B, "COMMIT WORK"],
                     [("commit", {SA: 1, SB: 1})], id="other statements between"),
    ],
)  # fmt: skip
def test_transactions(tmp_path: Path, statements: list[str], expected: list[tuple[str, dict[str, int]]]) -> None:
    found = [(outcome, calls) for _, outcome, calls, _ in _units(read_general(tmp_path, _script(*statements)))]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_a_lost_connection_rolls_back(tmp_path: Path) -> None:
    text = _script("BEGIN", A) + general(1, 1, "Quit") + _script(B, start=2)
    assert _units(read_general(tmp_path, text)) == [("transaction", "rollback", {SA: 1}, 1)]


def test_equal_sets_of_templates_are_one_unit(tmp_path: Path) -> None:
    text = _script("BEGIN", A, B, "COMMIT", "BEGIN", B, A, A, "COMMIT")
    assert _units(read_general(tmp_path, text)) == [("transaction", "commit", {SA: 3, SB: 2}, 2)]


def test_connections_do_not_mix(tmp_path: Path) -> None:
    text = general(0, 1, "Query", "BEGIN") + general(0.1, 2, "Query", B) + general(0.2, 1, "Query", A)
    text += general(0.3, 1, "Query", "COMMIT")
    assert _units(read_general(tmp_path, text)) == [("transaction", "commit", {SA: 1}, 1)]


def _slow_script(*events: tuple[str, int]) -> str:
    return "".join(slow(n / 1000, 1, sql, rows=rows) for n, (sql, rows) in enumerate(events))


OUTER = ("SELECT id FROM orders WHERE customer = 5", 3)
LINES = [(f"SELECT * FROM lines WHERE order_id = {n}", 9) for n in range(10)]
NAMES = [(f"SELECT * FROM names WHERE order_id = {n}", 1) for n in range(10)]


@pytest.mark.parametrize(
    ("events", "runs"),
    [
        pytest.param([OUTER, *LINES[:3]], [("lines", 1, 3, 1)], id="one query per row"),
        pytest.param([OUTER, *LINES[:2]], [], id="fewer than rows"),
        pytest.param([OUTER, *LINES[:4]], [], id="more than rows"),
        pytest.param([OUTER, LINES[0], LINES[1], LINES[1]], [], id="a value twice"),
        pytest.param([OUTER, LINES[0], NAMES[0], LINES[1], NAMES[1], LINES[2], NAMES[2]],
                     [("lines", 1, 3, 1), ("names", 1, 3, 1)], id="two queries per row"),
        pytest.param([OUTER, *LINES[:3], OUTER, *LINES[3:6]], [("lines", 2, 6, 2)], id="twice"),
        pytest.param([(OUTER[0], 1), LINES[0]], [], id="one row is no run"),
        pytest.param([("UPDATE orders SET x = 1", 3), *LINES[:3]], [], id="only a read leads"),
        pytest.param([("SET NAMES utf8", 0), OUTER, LINES[0], ("SHOW TABLES", 3), *LINES[1:3]],
                     [("lines", 1, 3, 1)], id="settings between"),
    ],
)  # fmt: skip
def test_n_plus_1_in_a_slow_log(
    tmp_path: Path, events: list[tuple[str, int]], runs: list[tuple[str, int, int, int]]
) -> None:
    digest = read_slow(tmp_path, _slow_script(*events))
    names = _ids(digest)
    found = [(names[run.inner].split()[3], run.times, run.executions, run.rows_matched) for run in digest.runs]
    assert sorted(found) == runs
    assert sum(unit.count for unit in digest.units) == max((times for _, times, _, _ in runs), default=0)
    assert all(unit.kind == "n_plus_1" for unit in digest.units)


def test_a_run_inside_a_transaction_is_part_of_it(tmp_path: Path) -> None:
    digest = read_slow(tmp_path, _slow_script(("BEGIN", 0), OUTER, *LINES[:3], ("COMMIT", 0)))
    assert [(run.times, run.executions) for run in digest.runs] == [(1, 3)]
    assert [unit.kind for unit in digest.units] == ["transaction"]


@pytest.mark.parametrize(("count", "times"), [(2, 0), (3, 1), (9, 1)])
def test_n_plus_1_in_a_general_log_needs_three(tmp_path: Path, count: int, times: int) -> None:
    digest = read_general(tmp_path, _script(OUTER[0], *(sql for sql, _ in LINES[:count])))
    assert sum(run.times for run in digest.runs) == times
    assert all(run.rows_matched == 0 for run in digest.runs)
    assert any("without row counts" in note for note in digest.notes)


def test_a_long_silence_ends_a_run(tmp_path: Path) -> None:
    text = _slow_script(OUTER, *LINES[:2]) + slow(60, 1, LINES[2][0])
    assert read_slow(tmp_path, text).runs == ()


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        pytest.param(_script(A, B), 2, id="one each"),
        pytest.param(_script(A, B, B), 3, id="both after"),
        pytest.param(general(0, 1, "Query", A) + general(1.5, 1, "Query", B), 0, id="too late"),
        pytest.param(general(0, 1, "Query", A) + general(0.5, 2, "Query", B), 0, id="another connection"),
        pytest.param(_script("BEGIN", A, B, "COMMIT"), 0, id="one unit"),
        pytest.param(_script("BEGIN", A, "COMMIT", "BEGIN", B, "COMMIT"), 2, id="two units"),
    ],
)
def test_neighbours(tmp_path: Path, text: str, calls: int) -> None:
    assert sum(pair.calls for pair in read_general(tmp_path, text).neighbours) == calls
    assert all(pair.first < pair.second for pair in read_general(tmp_path, text).neighbours)


@pytest.mark.parametrize(("templates", "pairs"), [(100, 100 * 99 // 2), (400, 400 * 399 // 2)])
def test_neighbours_of_a_wild_second(tmp_path: Path, templates: int, pairs: int) -> None:
    text = _script(*(f"SELECT c{n} FROM t" for n in range(templates)))
    assert len(read_general(tmp_path, text).neighbours) == pairs


def test_ansi_quotes_follow_sql_mode(tmp_path: Path) -> None:
    digest = read_general(tmp_path, _script("SET SESSION sql_mode='ANSI_QUOTES,X'", 'SELECT "a" FROM t WHERE b = 1'))
    assert [template.sql for template in digest.templates] == ["SELECT `a` FROM t WHERE b = ?"]
