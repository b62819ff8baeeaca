"""Logs of both kinds together, saved digests, and reading by several processes."""

from pathlib import Path

import pytest
from log_notation import KEY, by_sql, general, slow

from ddbmig.analyzers import log_reader
from ddbmig.analyzers.blocks import blocks
from ddbmig.analyzers.digest import combine
from ddbmig.analyzers.files import OpenedInput
from ddbmig.analyzers.general_log import GeneralLog, read_general_log
from ddbmig.analyzers.logs import is_saved, kind_of, merge_saved, read_logs
from ddbmig.analyzers.slow_log import SlowLog, read_slow_log
from ddbmig.model.errors import InputError, UsageError

SLOW = "".join(slow(n / 10, n % 3, f"SELECT a FROM t WHERE b = '{n}\n# Time: 1'", use="s" * (n % 50 == 0))
               for n in range(900))  # fmt: skip
GENERAL = general(0, 1, "Connect", "app@h on shop using TCP/IP") + "".join(
    general(n / 10, 1 + n % 2, "Query", f"SELECT a FROM t WHERE b = {n}") for n in range(900)
)


@pytest.fixture
def logs(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "slow.log").write_text(SLOW)
    (tmp_path / "general.log").write_text(GENERAL)
    return tmp_path / "slow.log", tmp_path / "general.log"


def test_kinds_are_told_apart_and_laid_over_each_other(logs: tuple[Path, Path]) -> None:
    assert [kind_of(path) for path in logs] == [SlowLog, GeneralLog]
    both = combine(read_general_log(logs[1], key=KEY), read_slow_log(logs[0], key=KEY))
    assert read_logs(logs, key=KEY) == both
    assert read_logs([logs[0].parent], key=KEY) == both


def test_what_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello\n")
    with pytest.raises(InputError, match="slow or general"):
        read_logs([tmp_path / "x"], key=KEY)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no log given"):
        read_logs([tmp_path / "empty"], key=KEY)


def test_saved_digests_merge(logs: tuple[Path, Path], tmp_path: Path) -> None:
    found = read_slow_log(logs[0], key=KEY)
    saved = tmp_path / "d.json"
    saved.write_bytes(found.to_bytes())
    assert is_saved(saved)
    assert not is_saved(logs[0])
    merged = merge_saved([saved, saved])
    assert {key: calls // 2 for key, calls in by_sql(merged).items()} == by_sql(found)


def test_two_processes_say_what_one_says(logs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [read_slow_log(logs[0], key=KEY), read_general_log(logs[1], key=KEY)]
    monkeypatch.setattr(log_reader, "BLOCK", 10_000)
    monkeypatch.setattr(log_reader, "blocks", lambda chunks, last, first: blocks(chunks, last, first, size=10_000))
    monkeypatch.setattr(OpenedInput, "chunks", _small_chunks)
    assert [read_slow_log(logs[0], key=KEY, jobs=2), read_general_log(logs[1], key=KEY, jobs=2)] == alone


def _small_chunks(self: OpenedInput) -> object:
    return (line for line in self.lines())


def test_an_endless_event_is_cut(tmp_path: Path) -> None:
    text = slow(1, 1, "SELECT a FROM t") + slow(2, 1, "SELECT '" + "x" * 50_000) + slow(3, 1, "SELECT b FROM t")
    chunks = (text.encode()[at : at + 1000] for at in range(0, len(text), 1000))
    cut = list(blocks(chunks, SlowLog.last_border, SlowLog.first_border, size=4_000, longest=8_000))
    assert max(len(block.data) for block in cut) <= 10_000
    assert sum(len(block.data) + block.left_out for block in cut) == len(text) + sum(b.left_out > 0 for b in cut)
    assert cut[-1].data.endswith(b"SELECT b FROM t;\n")
