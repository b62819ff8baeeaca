"""Digests: sums, the laws of `merge` and of blocks, and general and slow log laid over each other."""

from collections.abc import Hashable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_notation import HEADER, KEY, by_sql, general, read_general, read_slow, slow

from ddbmig.analyzers import fold
from ddbmig.analyzers.blocks import Block, BlockDigest
from ddbmig.analyzers.digest import NOTE_RUNS, by_time, combine, merge, template_id
from ddbmig.analyzers.events import OpenEnd
from ddbmig.analyzers.fold import Fold, latency_buckets
from ddbmig.analyzers.general_log import GeneralLog
from ddbmig.analyzers.log_reader import LogReader, digest_block
from ddbmig.analyzers.shapes import Shapes
from ddbmig.analyzers.slow_log import SlowLog
from ddbmig.analyzers.trace import Trace, join
from ddbmig.model.digest import Digest

Events = list[tuple[int, int, int, int, int]]

STATEMENTS = [
    "SELECT a FROM a WHERE x = {n}", "SELECT b FROM b WHERE y IN ({n}, 2)", "UPDATE c SET z = {n} LIMIT {n}", "BEGIN",
    "COMMIT", "ROLLBACK", "SET autocommit=0", "SET autocommit=1", "CREATE TABLE d (x int)", "SHOW TABLES",
    "SELECT '# Time: 2026-11-22T10:00:00Z\n# User@Host: a[a] @ b [] Id: 1\n2026-11-22T10:00:00Z\t 1 Quit\t' FROM a",
    "SET sql_mode='ANSI_QUOTES'", 'SELECT "e" FROM e WHERE 1=1 AND f = 1', "SELECT 'open", "USE other",
]  # fmt: skip
EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, len(STATEMENTS) - 1), st.integers(0, 300), st.integers(0, 4),
              st.integers(0, 1500)),
    max_size=40,
)  # fmt: skip


def _events(kind: type[LogReader], events: Events) -> list[bytes]:
    """The text of each event, of (connection, statement, argument, rows, milliseconds since the last)."""
    found = [HEADER] if kind is SlowLog else [HEADER, general(0, 1, "Connect", "app@h on shop using TCP/IP")]
    time = 0.0
    for connection, which, n, rows, gap in events:
        time += gap / 1000
        sql = STATEMENTS[which].format(n=n)
        use = "shop" if n % 7 == 0 else ""
        found.append(slow(time, connection, sql, rows=rows, use=use) if kind is SlowLog else
                     general(time, connection, "Query", sql))  # fmt: skip
    return [text.encode() for text in found]


def _trace(kind: type[LogReader], pieces: list[bytes]) -> list[Trace]:
    """The traces of blocks that are cut as `pieces` says; a block with an open end goes to the next one."""
    state: dict[Hashable, Any] = {}
    traces = []
    held: Block | None = None
    offset = 0
    for number, piece in enumerate(pieces):
        block = Block(piece, offset, final=number == len(pieces) - 1)
        offset += len(piece)
        block = held.followed_by(block) if held else block
        held = None
        try:
            part = digest_block(kind, block, state, "part.log", KEY, Shapes())
        except OpenEnd:
            held = block
            continue
        assert part.holds_after(state)
        part.apply(state)
        traces.append(part.trace)
    return traces


def _digest(kind: type[LogReader], traces: list[Trace]) -> bytes:
    whole = Fold("part.log")
    for trace in traces:
        whole.absorb(trace)
    return whole.finish(kind.kind, "0" * 64, 1).to_bytes()


@pytest.mark.parametrize("kind", [SlowLog, GeneralLog])
@given(EVENTS, st.lists(st.integers(1, 41), max_size=5), st.integers(0, 5), st.integers(0, 5))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)
def test_blocks_in_any_cut_and_grouping_give_the_whole(
    kind: type[LogReader], events: Events, cuts: list[int], start: int, length: int
) -> None:
    texts = _events(kind, events)
    borders = sorted({0, *(min(cut, len(texts)) for cut in cuts), len(texts)})
    pieces = [b"".join(texts[a:b]) for a, b in pairwise(borders)]
    parts = _trace(kind, pieces)
    whole = _digest(kind, _trace(kind, [b"".join(texts)]))
    assert _digest(kind, parts) == whole
    assert _digest(kind, [*parts[:start], join(parts[start : start + length]), *parts[start + length :]]) == whole
    assert _digest(kind, [join([join(parts[:start]), join(parts[start:])])]) == whole


def test_pages_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "PAGE", 7)
    texts = _events(SlowLog, [(n % 3, n % 13, n, n % 4, 200) for n in range(100)])
    whole = _digest(SlowLog, _trace(SlowLog, [b"".join(texts)]))
    assert _digest(SlowLog, _trace(SlowLog, texts)) == whole
    assert _digest(SlowLog, [join(_trace(SlowLog, texts))]) == whole


@given(EVENTS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_ordinary_events_read_at_once_say_what_their_lines_say(events: Events) -> None:
    for kind in (SlowLog, GeneralLog):
        data = b"".join(_events(kind, events))
        lines = _by_lines(kind, data)
        assert _digest(kind, _trace(kind, [data])) == _digest(kind, [lines.trace])


def _by_lines(kind: type[LogReader], data: bytes) -> BlockDigest:
    from ddbmig.analyzers.blocks import State

    reader = kind(Block(data, 0, final=True), State({}), "part.log", KEY, Shapes())
    reader.read_lines()
    return BlockDigest(reader.writer.finish())


def _log(tmp_path: Path, events: Events) -> Digest:
    return read_slow(tmp_path, b"".join(_events(SlowLog, events)))


@given(st.lists(EVENTS, min_size=3, max_size=3))
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None)
def test_merge_is_associative(tmp_path: Path, logs: list[Events]) -> None:
    a, b, c = (_log(tmp_path, events) for events in logs)
    whole = merge([a, b, c]).to_bytes()
    assert merge([merge([a, b]), c]).to_bytes() == whole
    assert merge([a, merge([b, c])]).to_bytes() == whole
    assert merge([merge([]), merge([a]), b, c]).to_bytes() == whole


@pytest.mark.parametrize(("us", "bucket"), [(0, 0), (1, 0), (2, 36), (100, 233), (1000, 349), (10**6, 698)])
def test_latency_buckets(us: int, bucket: int) -> None:
    assert latency_buckets(np.array([us])).tolist() == [bucket]
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
