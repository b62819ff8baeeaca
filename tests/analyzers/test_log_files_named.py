"""Folders of rotated logs and globs."""

import gzip
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner
from log_notation import KEY, by_sql, slow

from ddbmig.analyzers.log_files import log_files
from ddbmig.analyzers.logs import read_logs
from ddbmig.cli import cli
from ddbmig.model.digest import Digest


def part(number: int) -> bytes:
    return "".join(slow(number * 100 + n, 1, f"SELECT a FROM t WHERE b = {n}") for n in range(10)).encode()


@pytest.fixture
def rotated(tmp_path: Path) -> Path:
    (tmp_path / "slow.log").write_bytes(part(3))
    (tmp_path / "slow.log.1").write_bytes(part(2))
    (tmp_path / "slow.log.2.gz").write_bytes(gzip.compress(part(1)))
    (tmp_path / "slow.log.10.zst").write_bytes(zstandard.compress(part(0)))
    (tmp_path / ".hidden").write_bytes(b"no log")
    return tmp_path


OLDEST_FIRST = ["slow.log.10.zst", "slow.log.2.gz", "slow.log.1", "slow.log"]


@pytest.mark.parametrize("named", [["."], ["slow.log*"], ["slow*", "slow.log.1", "."]])
def test_rotated_logs_are_read_once_and_from_the_oldest(rotated: Path, named: list[str]) -> None:
    paths = [rotated / name for name in named]
    assert [path.name for path in log_files(paths)] == OLDEST_FIRST
    digest = read_logs(paths, key=KEY)
    assert [source.name for source in digest.sources] == OLDEST_FIRST
    assert sum(by_sql(digest).values()) == 40


def test_dates_grow(tmp_path: Path) -> None:
    names = [
        "app.log-20261124.gz",
        "app.log-20261125.gz",
        "app.log",
        "slow.log.2026-11-25.09",
        "slow.log.2026-11-25.10",
    ]
    for name in reversed(names):
        (tmp_path / name).touch()
    assert [path.name for path in log_files([tmp_path])] == names


def test_what_stands_for_nothing_is_kept(tmp_path: Path) -> None:
    paths = [tmp_path, tmp_path / "x*", tmp_path / "missing.log"]
    assert log_files(paths) == paths


def test_a_name_with_signs_of_a_glob_is_a_name(tmp_path: Path) -> None:
    for name in ("log[1]", "log1"):
        (tmp_path / name).touch()
    assert log_files([tmp_path / "log[1]"]) == [tmp_path / "log[1]"]


def test_the_command_takes_a_glob(rotated: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    output = tmp_path_factory.mktemp("out") / "d.json"
    done = CliRunner().invoke(cli, ["digest", str(rotated / "slow.log*"), "-o", str(output)])
    assert done.exit_code == 0, done.output
    assert sum(template.calls for template in Digest.from_file(output).templates) == 40
