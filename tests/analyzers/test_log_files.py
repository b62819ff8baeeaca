"""Opening inputs: compression, hashes, and one clear line for everything that goes wrong."""

import bz2
import gzip
import hashlib
import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from log_notation import KEY, by_sql, slow

from ddbmig.analyzers.slow_log import read_slow_log
from ddbmig.model.errors import InputError, UsageError

TEXT = "".join(slow(n, 1, f"SELECT a FROM t WHERE b = '{n}'") for n in range(2000)).encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
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


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
@pytest.mark.parametrize("keep", [20, -20])
def test_a_damaged_archive(tmp_path: Path, pack: Callable[[bytes], bytes], keep: int) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(pack(TEXT)[:keep])
    with pytest.raises(InputError, match=r"x\.log: the compressed file is damaged or cut off; copy it again"):
        read_slow_log(path, key=KEY)


def test_several_zstandard_frames(tmp_path: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"any"
    frame = zstandard.compress(TEXT)
    path = tmp_path / "x.zst"
    path.write_bytes(skippable + frame + zstandard.compress(b"") + skippable + frame)
    digest = read_slow_log(path, key=KEY)
    assert sum(by_sql(digest).values()) == 4000
    assert digest.sources[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("cut", [1, 3, 4, 40])
def test_zstandard_cut_in_a_later_frame(tmp_path: Path, cut: int) -> None:
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT)
    path = tmp_path / "x.zst"
    path.write_bytes(frame + frame[:-cut])
    with pytest.raises(InputError, match=r"x\.zst: the compressed file is damaged or cut off"):
        read_slow_log(path, key=KEY)


def test_zstandard_with_something_behind(tmp_path: Path) -> None:
    path = tmp_path / "x.zst"
    path.write_bytes(zstandard.compress(TEXT) + b"no frame at all")
    with pytest.raises(InputError, match=r"x\.zst: the compressed file is damaged or cut off"):
        read_slow_log(path, key=KEY)


def test_zstandard_is_unpacked_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.zst"
    packer = zstandard.ZstdCompressor().compressobj()
    with path.open("wb") as file:
        for _ in range(300):
            file.write(packer.compress(bytes(1 << 20)))
        file.write(packer.flush())
    assert path.stat().st_size < 100_000
    code = """
import re, sys
from pathlib import Path
from ddbmig.analyzers.files import open_input
with open_input(Path(sys.argv[1])) as opened:
    size = sum(len(chunk) for chunk in opened.chunks())
print(size, re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])  # of us, not of who began us
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    size, kilobytes = map(int, done.stdout.split())
    assert size == 300 << 20
    assert kilobytes < 250_000


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
