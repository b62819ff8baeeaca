"""Opening inputs: compression, hashes, and one clear line for everything that goes wrong."""

import bz2
import gzip
import hashlib
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from log_notation import KEY, by_sql, slow

from ddbmig.analyzers.slow_log import read_slow_log
from ddbmig.model.errors import InputError, UsageError

TEXT = "".join(slow(n, 1, f"SELECT a FROM t WHERE b = '{n}'") for n in range(2000)).encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_compressed_or_not(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    stored = pack(TEXT)
    path = tmp_path / "a log"
    path.write_bytes(stored)
    digest = read_slow_log(path, "name", key=KEY)
    assert by_sql(digest) == {("", "SELECT a FROM t WHERE b = ?"): 2000}
    (source,) = digest.sources
    assert (source.name, source.bytes, source.sha256) == ("name", len(stored), hashlib.sha256(stored).hexdigest())


def test_two_gzip_members(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(TEXT))
    assert sum(by_sql(read_slow_log(path, key=KEY)).values()) == 4000


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("keep", [20, -20])
def test_a_damaged_archive(tmp_path: Path, pack: Callable[[bytes], bytes], keep: int) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(pack(TEXT)[:keep])
    with pytest.raises(InputError, match=r"x\.log: the compressed file is damaged or cut off; copy it again"):
        read_slow_log(path, key=KEY)


def test_zstandard_says_how(tmp_path: Path) -> None:
    path = tmp_path / "x.log.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 100)
    with pytest.raises(UsageError, match=r"zstd -d x\.log\.zst"):
        read_slow_log(path, key=KEY)


def test_missing_folder_and_empty(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_slow_log(tmp_path / "missing.log", key=KEY)
    with pytest.raises(UsageError, match="is a folder"):
        read_slow_log(tmp_path, key=KEY)
    (tmp_path / "empty.log").write_bytes(b"")
    with pytest.raises(InputError, match="the file is empty"):
        read_slow_log(tmp_path / "empty.log", key=KEY)
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match=r"empty\.gz"):
        read_slow_log(tmp_path / "empty.gz", key=KEY)
