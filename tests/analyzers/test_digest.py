"""Digests: sums, the laws of `merge`, and general and slow log laid over each other."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_notation import KEY, by_sql, general, read_general, read_slow, slow

from ddbmig.analyzers.digest import (
    NOTE_RUNS,
    Collector,
    Statement,
    by_time,
    combine,
    latency_bucket,
    merge,
    template_id,
)
from ddbmig.model.digest import Digest

Events = list[tuple[int, int, int, int, int]]

STATEMENTS = [
    "SELECT a FROM a WHERE x = {n}", "SELECT b FROM b WHERE y IN ({n}, 2)", "UPDATE c SET z = {n} LIMIT {n}", "BEGIN",
    "COMMIT", "ROLLBACK", "SET autocommit=0", "SET autocommit=1", "CREATE TABLE d (x int)", "SHOW TABLES",
]  # fmt: skip


def _digest(events: Events, start: int = 0, *, closed: bool = False) -> tuple[Digest, int]:
    """A digest of (connection, statement, argument, rows, milliseconds since the last) events."""
    collector = Collector("slow", "part.log", KEY)
    time = start
    for connection, which, n, rows, gap in events:
        time += gap * 1000
        collector.event()
        sql = STATEMENTS[which].format(n=n).encode()
        collector.statement(Statement(time, connection, "app", "s", sql, 0, n * 10, rows, rows, None))
    if closed:
        for connection in range(3):
            collector.disconnect(connection, time)
    return collector.finish("0" * 64, 1), time


EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, len(STATEMENTS) - 1), st.integers(0, 300), st.integers(0, 4),
              st.integers(0, 1500)),
    max_size=40,
)  # fmt: skip


@given(EVENTS, EVENTS, EVENTS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_merge_is_associative(one: Events, two: Events, three: Events) -> None:
    a, time = _digest(one)
    b, time = _digest(two, time)
    c, _ = _digest(three, time)
    whole = merge([a, b, c]).to_bytes()
    assert merge([merge([a, b]), c]).to_bytes() == whole
    assert merge([a, merge([b, c])]).to_bytes() == whole
    assert merge([merge([]), merge([a]), b, c]).to_bytes() == whole


@given(st.lists(EVENTS, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_parts_cut_where_all_is_quiet_give_the_whole(parts: list[Events]) -> None:
    digests: list[Digest] = []
    time = 0
    whole = Collector("slow", "part.log", KEY)
    for part in parts:
        digest, end = _digest(part, time, closed=True)
        digests.append(digest)
        _replay(whole, part, time)
        time = end + 11_000_000
    joined, undivided = merge(digests), whole.finish("0" * 64, 1)
    assert joined.model_copy(update={"sources": ()}) == undivided.model_copy(update={"sources": ()})
    assert sum(source.statements for source in joined.sources) == undivided.sources[0].statements


def _replay(collector: Collector, events: Events, start: int) -> None:
    time = start
    for connection, which, n, rows, gap in events:
        time += gap * 1000
        collector.event()
        sql = STATEMENTS[which].format(n=n).encode()
        collector.statement(Statement(time, connection, "app", "s", sql, 0, n * 10, rows, rows, None))
    for connection in range(3):
        collector.disconnect(connection, time)


@pytest.mark.parametrize(("us", "bucket"), [(0, 0), (1, 0), (2, 36), (100, 233), (1000, 349), (10**6, 698)])
def test_latency_buckets(us: int, bucket: int) -> None:
    assert latency_bucket(us) == bucket
    assert us <= 1.02**bucket
    assert bucket == 0 or us > 1.02 ** (bucket - 1)


def test_ids_are_stable() -> None:
    assert template_id("shop", "SELECT ?") == "2e666adae48d"


def test_peak_second_minutes_lists_and_limits(tmp_path: Path) -> None:
    text = "".join(slow(t, 1, f"SELECT a FROM t WHERE b IN (1{', 2' * n}) LIMIT {n}, {10 + n}")
                   for n, t in enumerate([0.1, 59.1, 59.5, 59.9, 60.1, 61]))  # fmt: skip
    (template,) = read_slow(tmp_path, text).templates
    assert template.peak_second_calls == 3
    first = 1795341600 // 60
    assert template.minutes == {str(first): 4, str(first + 1): 2}
    assert (template.list_length_sum, template.list_length_max) == (21, 6)
    assert (template.limit_max, template.offset_calls) == (15, 5)
    assert template.values["0"].total == 21
    assert max(template.values["0"].top.values()) == 15


def test_no_literal_is_kept(tmp_path: Path) -> None:
    text = slow(0, 1, "SELECT a FROM t WHERE b = 'S3CR3T' AND c = 987654321")
    text += slow(1, 1, "CREATE USER x IDENTIFIED BY 'S3CR3T'") + slow(2, 1, "SELECT 'S3CR3T")
    content = combine(None, read_slow(tmp_path, text)).to_bytes()
    assert b"S3CR3T" not in content
    assert b"987654321" not in content


def test_combine_takes_calls_from_the_general_and_times_from_the_slow_log(tmp_path: Path) -> None:
    text = general(0, 1, "Connect", "app@localhost on  using Socket") + general(
        0, 1, "Query", "SELECT a FROM t WHERE b = 1"
    )
    text += (
        general(0, 1, "Init DB", "shop")
        + general(1, 1, "Query", "SELECT b FROM t")
        + general(1, 1, "Query", "SELECT b FROM t")
    )
    first = read_general(tmp_path, text)
    second = read_slow(
        tmp_path,
        slow(0, 1, "SELECT a FROM t WHERE b = 1", use="other", rows=4) + slow(1, 1, "SELECT c FROM u", use="shop"),
    )
    both = combine(first, second)
    assert by_sql(both) == {
        ("", "SELECT a FROM t WHERE b = ?"): 1,
        ("shop", "SELECT b FROM t"): 2,
        ("shop", "SELECT c FROM u"): 1,
    }
    timed = {t.sql: (t.timed_calls, t.rows_sent, t.query_us) for t in both.templates}
    assert timed == {
        "SELECT a FROM t WHERE b = ?": (1, 4, 100), "SELECT b FROM t": (0, None, None), "SELECT c FROM u": (1, 1, 100),
    }  # fmt: skip
    assert [source.kind for source in both.sources] == ["general", "slow"]
    assert any("they share 1 s of 1 s" in note for note in both.notes)


def test_combine_believes_the_slow_log_on_n_plus_1(tmp_path: Path) -> None:
    outer = "SELECT id FROM o WHERE c = 1"
    inner = [f"SELECT * FROM l WHERE o = {n}" for n in range(3)]
    heard = "".join(general(n / 100, 1, "Query", sql) for n, sql in enumerate([outer, *inner]))
    seen = "".join(slow(n / 100, 1, sql, rows=2) for n, sql in enumerate([outer, *inner]))
    first, second = read_general(tmp_path, heard), read_slow(tmp_path, seen)
    assert len(first.runs) == 1
    assert combine(first, second).runs == ()
    assert combine(first, second).units == ()
    matching = read_slow(tmp_path, seen.replace("Rows_sent: 2", "Rows_sent: 3", 1))
    assert [run.rows_matched for run in combine(first, matching).runs] == [1]
    assert combine(first, None).runs == first.runs
    assert NOTE_RUNS in combine(first, None).notes
    assert NOTE_RUNS not in combine(first, second).notes


def test_a_biased_slow_log_is_told(tmp_path: Path) -> None:
    digest = combine(None, read_slow(tmp_path, slow(0, 1, "SELECT a FROM t", took="1.200000")))
    assert any("too few" in note for note in digest.notes)


def test_nothing_combined_is_nothing() -> None:
    assert combine(None, None) == Digest()


def test_rotated_files_are_put_in_order(tmp_path: Path) -> None:
    late, early = read_slow(tmp_path, slow(9, 1, "SELECT 1 FROM t")), read_slow(tmp_path, slow(1, 1, "SELECT 1 FROM t"))
    assert by_time([late, early]) == [early, late]
