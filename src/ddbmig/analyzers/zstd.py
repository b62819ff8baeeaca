"""Zstandard streams: frame after frame, in bounded memory, and never taken for whole where they are cut off."""

import io
import sys
from typing import IO, Final, Protocol

_PIECE: Final = 2 << 10
"""Stored bytes unpacked at once. A block of 128 KB can be stored in 4 bytes, so that no piece is more than 64 MB."""


class _Frame(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class ZstandardStream(io.RawIOBase):
    """The content of a .zst file: one frame or several, as of files joined or packed by several threads.

    Reading raises EOFError where the last frame is cut off, and OSError where the data are no Zstandard. The readers
    that libraries ship end silently at a cut, which would make half a log look like all of it.
    """

    def __init__(self, stored: IO[bytes]) -> None:
        self._stored = stored
        self._frame: _Frame | None = None
        self._packed = b""
        self._content = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview[int]") -> int:  # type: ignore[override]  # typeshed: Buffer
        """Unpack into `buffer`; 0 at the end of the last frame."""
        while not self._content:
            if not self._unpack():
                return 0
        size = min(len(buffer), len(self._content))
        buffer[:size] = self._content[:size]
        self._content = self._content[size:]
        return size

    def _unpack(self) -> bool:
        """Unpack the next piece; False where nothing is left."""
        packed = self._packed or self._stored.read(_PIECE)
        if not packed:
            if self._frame is not None:
                raise EOFError("the last frame is cut off")
            return False
        frame = self._frame or _new_frame()
        self._content = memoryview(_decompress(frame, packed))
        self._frame, self._packed = (None, frame.unused_data) if frame.eof else (frame, b"")
        return True


# Python has the format from 3.14 on; before that a package reads it. Both are loaded only where such a file is read.
if sys.version_info >= (3, 14):

    def _new_frame() -> _Frame:
        from compression.zstd import ZstdDecompressor

        return ZstdDecompressor()

    def _decompress(frame: _Frame, packed: bytes) -> bytes:
        from compression.zstd import ZstdError

        try:
            return frame.decompress(packed)
        except ZstdError as error:
            raise OSError("not Zstandard") from error

else:

    def _new_frame() -> _Frame:
        from zstandard import ZstdDecompressor

        return ZstdDecompressor().decompressobj()

    def _decompress(frame: _Frame, packed: bytes) -> bytes:
        from zstandard import ZstdError

        try:
            return frame.decompress(packed)
        except ZstdError as error:
            raise OSError("not Zstandard") from error
