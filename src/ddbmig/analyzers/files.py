"""Opening inputs: plain or compressed, hashed as stored while they are read, and every way to fail in one line."""

import bz2
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from ddbmig.analyzers.zstd import ZstandardStream
from ddbmig.model.errors import DdbmigError, InputError, UsageError

_MAGIC: Final = {
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"\x50\x2a\x4d\x18": "zst",  # the skippable frame that pzstd begins with
}
_BLOCK: Final = 1 << 20
_LONGEST_LINE: Final = 128 << 20
"""No statement is longer than max_allowed_packet; a binary file may have no line end at all."""


class StoredFile(io.RawIOBase):
    """The bytes of a file as stored; `sha256` and `size` cover what has been read of them."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._hash = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview[int]") -> int:  # type: ignore[override]  # typeshed: Buffer
        """Read into `buffer` and hash what was read."""
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def drain(self) -> None:
        """Read what a decompressor left, so that the hash covers the whole file."""
        while self.read(_BLOCK):
            pass

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the bytes read so far."""
        return self._hash.hexdigest()


class OpenedInput:
    """A text input being read: `lines()` once, then `sha256` and `size` of the stored bytes."""

    def __init__(self, path: Path, stored: StoredFile, content: IO[bytes]) -> None:
        self._path = path
        self._stored = stored
        self._content = content

    @property
    def stored_size(self) -> int:
        """Bytes of the file as stored, before it is read."""
        return self._path.stat().st_size

    def lines(self) -> Iterator[bytes]:
        """The lines with their ends; `\\r\\n` as `\\n` in a file whose first line ends so.

        Raises InputError where the compressed data are damaged.
        """
        windows: bool | None = None
        with self._whole():
            while line := self._content.readline(_LONGEST_LINE):
                windows = line.endswith(b"\r\n") if windows is None else windows
                yield line[:-2] + b"\n" if windows and line.endswith(b"\r\n") else line
            self._stored.drain()

    def chunks(self, size: int = 1 << 20) -> Iterator[bytes]:
        """The content in pieces; `\\r\\n` as `\\n` in a file whose first line ends so. Raises InputError as `lines`."""
        windows: bool | None = None
        rest = b""
        with self._whole():
            while data := self._content.read(size):
                data = rest + data
                if windows is None and b"\n" in data:
                    windows = data[: data.index(b"\n")].endswith(b"\r")
                if windows and data.endswith(b"\r"):
                    data, rest = data[:-1], b"\r"
                else:
                    rest = b""
                yield data.replace(b"\r\n", b"\n") if windows else data
            if rest:
                yield rest
            self._stored.drain()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise InputError(
                "the compressed file is damaged or cut off",
                file=str(self._path),
                hint="copy it again, or unpack what can be unpacked and give that",
            ) from error

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the file as stored; whole once `lines()` is exhausted."""
        return self._stored.sha256

    @property
    def size(self) -> int:
        """Bytes as stored; whole once `lines()` is exhausted."""
        return self._stored.size


@contextmanager
def open_input(path: Path) -> Iterator[OpenedInput]:
    """Open a plain, .gz, .bz2, .xz or .zst file, recognised by content.

    Raises UsageError for a file that is missing, a folder or unreadable, and InputError for an empty one.
    """
    with _open_raw(path) as raw:
        kind = _compression(raw, path)
        stored = StoredFile(raw)
        buffered = io.BufferedReader(stored, _BLOCK)
        with _unpacked(kind, buffered) as content:
            yield OpenedInput(path, stored, content)


def _unpacked(kind: str, stored: "io.BufferedReader[StoredFile]") -> IO[bytes]:
    if kind == "gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=stored), _BLOCK)
    if kind == "bz2":
        return io.BufferedReader(bz2.BZ2File(stored), _BLOCK)
    if kind == "xz":
        return io.BufferedReader(lzma.LZMAFile(stored), _BLOCK)
    if kind == "zst":
        return io.BufferedReader(ZstandardStream(stored), _BLOCK)
    return stored


def _open_raw(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise UsageError("is a folder", file=str(path), expected="a file", hint="name the file itself")
        return path.open("rb")
    except FileNotFoundError as error:
        raise UsageError("no such file", file=str(path), hint="check the path") from error
    except OSError as error:
        raise UsageError("cannot be opened", file=str(path), hint="check its permissions") from error


def _compression(raw: IO[bytes], path: Path) -> str:
    head = raw.read(6)
    raw.seek(0)
    if not head:
        raise InputError("the file is empty", file=str(path), hint="give a file that holds something, or leave it out")
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def not_a_log(path: Path, kind: str, seen: bytes) -> DdbmigError:
    """The error for a file in which nothing was recognised; `seen` is its beginning."""
    what = "is a binary file" if b"\0" in seen else "holds no recognisable event"
    return InputError(
        what, file=str(path), expected=f"a MySQL or MariaDB {kind} log", hint="check which file was given"
    )
