"""Borders of events under hostile text: whatever is in a log, nothing is lost silently and nothing breaks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_notation import HEADER, balanced, general, read_general, read_slow, slow

from ddbmig.analyzers.events import QuoteState
from ddbmig.model.digest import Digest
from ddbmig.model.errors import InputError

PIECES = [
    "# Time: 2026-11-22T10:00:00Z\n", "# User@Host: a[a] @ b []  Id: 1\n", "# Query_time: 1.0  Lock_time: 0\n", "#\n",
    "SET timestamp=1;\n", "use x;\n", "SELECT 1;\n", "'", '"', "`", "/*", "*/", "-- ", "\\", "\n", ";\n", "\t", "\x00",
    "# administrator command: Quit;\n", "2026-11-22T10:00:00Z\t 1 Query\t", "\t\t 2 Connect\ta@b on c\n", HEADER,
    slow(1, 1, "SELECT 'x'"), slow(2, 2, "BEGIN"), general(1, 1, "Query", "SELECT `x"), general(2, 1, "Quit"),
]  # fmt: skip


@pytest.mark.parametrize("read", [read_slow, read_general])
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_any_text_is_read_or_refused(tmp_path: Path, read: Callable[[Path, str], Digest], pieces: list[str]) -> None:
    try:
        digest = read(tmp_path, "".join(pieces))
    except InputError:
        return
    assert balanced(digest)
    digest.to_bytes()


LITERAL = st.text(st.sampled_from("ab1 \n\\'\"`#-/*;é"), max_size=30)


@given(st.lists(LITERAL, min_size=1, max_size=8), st.integers(0, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_value_breaks_an_event(tmp_path: Path, values: list[str], fake: int) -> None:
    values = [value + "\n" + PIECES[0] + PIECES[1] if at == fake else value for at, value in enumerate(values)]
    quoted = ["'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" for value in values]
    statements = [f"SELECT a FROM t WHERE b = {value}" for value in quoted]
    seen = read_slow(tmp_path, "".join(slow(n, 1, sql) for n, sql in enumerate(statements)))
    heard = read_general(tmp_path, "".join(general(n, 1, "Query", sql) for n, sql in enumerate(statements)))
    for digest in (seen, heard):
        assert [(template.sql, template.calls) for template in digest.templates] == [
            ("SELECT a FROM t WHERE b = ?", len(values))
        ]
        assert digest.templates[0].values["0"].total == len(values)
        assert len(digest.templates[0].values["0"].top) == len(set(values))


@given(st.lists(LITERAL, max_size=6))
def test_the_state_does_not_depend_on_how_text_is_fed(lines: list[str]) -> None:
    parts = [line.encode() + b"\n" for line in lines]
    at_once, by_line = QuoteState(), QuoteState()
    at_once.feed(b"".join(parts))
    for part in parts:
        by_line.feed(part)
    assert at_once.open == by_line.open


def test_many_fake_headers_in_one_value_are_read_in_linear_time(tmp_path: Path) -> None:
    fake = slow(0, 9, "SELECT 2")
    digest = read_slow(tmp_path, slow(1, 1, "INSERT INTO t VALUES ('" + "\n" + fake * 5_000 + "')"))
    assert [template.calls for template in digest.templates] == [1]


def test_a_log_with_windows_line_ends_inside_values_only_keeps_them(tmp_path: Path) -> None:
    first = read_slow(tmp_path, slow(1, 1, "SELECT a FROM t WHERE b = 'x\r\ny'"))
    second = read_slow(tmp_path, slow(1, 1, "SELECT a FROM t WHERE b = 'x\ny'"))
    assert first.templates[0].values != second.templates[0].values
