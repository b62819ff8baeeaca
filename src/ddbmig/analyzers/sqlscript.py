"""Splits an SQL script (a dump, a hand-written schema) into statements while it streams.

Knows what the mysql client knows: quotes, comments, versioned comments and DELIMITER. Only statements that are asked
for are held in memory, so a dump's gigabytes of INSERTs pass by in chunks. No statement can be longer than the server's
max_allowed_packet.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from ddbmig.model.location import Location

CHUNK = 1 << 20
MAX_TOKEN = 256 << 20
"""A quote that is still open after so many bytes was never closed: stop, rather than read a whole dump into memory."""
_HEAD = 256
"""Bytes of a statement that `wanted` gets to see."""

_SPACE_OR_COMMENT = re.compile(
    rb"(?:\s|\xef\xbb\xbf)++|--(?=\s)[^\n]*+\n|#[^\n]*+\n|/\*(?!M?!)(?s:.*?)\*/|/\*M!999999\\-(?s:.*?)\*/"
)
_NEEDS_MORE = re.compile(rb"(?:--|#)[^\n]*\Z|-\Z|/\Z|/\*(?s:.*)\Z")
_DELIMITER = re.compile(rb"delimiter[ \t]+(\S+)[^\n]*\n", re.IGNORECASE)
_DELIMITER_START = re.compile(rb"[dD][a-zA-Z]{0,8}(?:[ \t][^\n]*)?\Z")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKEN_STARTS = b"'\"`/#-"
_CONTINUATION = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""

_MARKS = re.compile(
    r"'(?:[^'\\]++|\\.)*+'|\"(?:[^\"\\]++|\\.)*+\"|`[^`]*+`"
    r"|(?P<mark>/\*M?!\d*|\*/|/\*(?!M?!).*?\*/|--(?=\s)[^\n]*|#[^\n]*)",
    re.DOTALL,
)


class Statement(NamedTuple):
    """One statement without its delimiter, or a `-- ` comment between statements. `line` and `column` (characters)
    count from 1."""

    line: int
    column: int
    text: bytes
    complete: bool = True
    """False where the input ended inside a quote or a comment."""


def statements(chunks: Iterable[bytes], wanted: Callable[[bytes], bool]) -> Iterator[Statement]:
    """The statements for whose head (the first bytes, versioned comment marks included) `wanted` is true, and every
    `-- ` comment between statements. `chunks` are the script's bytes, cut anywhere."""
    return _Splitter(chunks, wanted).run()


def place_in(text: str, at: int, start: Location) -> Location:
    """The place of the character `text[at]`, where `text` begins at `start`."""
    lines = text.count("\n", 0, at)
    column = at - text.rfind("\n", 0, at) if lines else start.column + at
    return Location(file=start.file, line=start.line + lines, column=column)


def without_comments(text: str) -> str:
    """`text` with comments and the marks of versioned comments (`/*!50100 … */`) blanked; every offset stays."""
    return _MARKS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]) if match["mark"] else match[0], text)


class _Splitter:
    """The buffer, the place in it, and the delimiter in force."""

    def __init__(self, chunks: Iterable[bytes], wanted: Callable[[bytes], bool]) -> None:
        self._chunks = iter(chunks)
        self._wanted = wanted
        self._buffer = b""
        self._at = 0
        self._line = self._column = 1
        self._ended = False
        self._delimiter = b";"

    def run(self) -> Iterator[Statement]:
        while True:
            yield from self._between()
            if self._at >= len(self._buffer) and not self._more():
                return
            line, column = self._line, self._column
            text, complete = self._statement()
            if text:
                yield Statement(line, column, text, complete)

    def _more(self) -> bool:
        """Read on, doubling when a token does not fit, so that a long token is not scanned again and again."""
        if self._ended or len(self._buffer) - self._at > MAX_TOKEN:
            return False
        rest = self._buffer[self._at :]
        parts = [rest]
        missing = max(CHUNK, len(rest))
        for chunk in self._chunks:
            parts.append(chunk)
            missing -= len(chunk)
            if missing <= 0:
                break
        else:
            self._ended = True
            parts.append(b"\n")  # closes a last comment that has no line feed
        self._buffer, self._at = b"".join(parts), 0
        return True

    def _take(self, end: int) -> bytes:
        taken = self._buffer[self._at : end]
        if lines := taken.count(b"\n"):
            self._line += lines
            self._column = 1
        self._column += _characters(taken[taken.rfind(b"\n") + 1 :])
        self._at = end
        return taken

    def _between(self) -> Iterator[Statement]:
        """Skip white space and comments, obey DELIMITER, up to the first byte of a statement."""
        while True:
            if match := _SPACE_OR_COMMENT.match(self._buffer, self._at):
                line, column, text = self._line, self._column, self._take(match.end())
                if text.startswith(b"--"):
                    yield Statement(line, column, text)
            elif match := _DELIMITER.match(self._buffer, self._at):
                self._delimiter = match[1]
                self._take(match.end())
            elif not self._may_be_cut() or not self._more():
                return

    def _may_be_cut(self) -> bool:
        rest = self._buffer[self._at : self._at + _HEAD]
        cut = not rest or _NEEDS_MORE.match(rest) or _DELIMITER_START.match(rest)
        return bool(cut) and not self._is_versioned()

    def _is_versioned(self) -> bool:
        return bool(re.match(rb"/\*M?!(?!999999)\d*\s", self._buffer[self._at : self._at + 12]))

    def _statement(self) -> tuple[bytes, bool]:
        """The text up to the delimiter (empty if not wanted), and whether it ended outside of quotes."""
        while len(self._buffer) - self._at < _HEAD and self._more():
            pass
        wanted = self._wanted(self._buffer[self._at : self._at + _HEAD])
        body = _body(self._delimiter)
        parts: list[bytes] = []
        while True:
            match = body.match(self._buffer, self._at)
            text = self._take(match.end() if match else self._at)
            if wanted:
                parts.append(text)
            if self._buffer.startswith(self._delimiter, self._at):
                self._take(self._at + len(self._delimiter))
                return b"".join(parts), True
            if not self._more():
                rest = self._take(len(self._buffer))
                return (b"".join(parts) + rest if wanted else b""), not rest


def _characters(text: bytes) -> int:
    """How many characters begin in a piece of UTF-8, which may be cut anywhere; a byte order mark is none."""
    return len(text.translate(None, _CONTINUATION)) - text.count(_BYTE_ORDER_MARK)


@lru_cache
def _body(delimiter: bytes) -> re.Pattern[bytes]:
    """Whole tokens up to `delimiter` or up to a token that the end of the buffer cuts."""
    first = re.escape(delimiter[:1])
    tokens = (
        rb"'(?:[^'\\]++|\\(?s:.))*+'|\"(?:[^\"\\]++|\\(?s:.))*+\"|`[^`]*+`"
        rb"|--(?=\s)[^\n]*+\n|-(?=-\S|[^-])|#[^\n]*+\n"
        rb"|/\*(?=M?!)|/\*(?!M?!|M?\Z)(?s:.*?)\*/|/(?=[^*])"
    )
    if delimiter[:1] not in _TOKEN_STARTS:
        tokens += rb"|(?=(?s:.){%d})" % len(delimiter) + first
    return re.compile(
        rb"(?:[^" + first + _TOKEN_STARTS + rb"]++|(?!" + re.escape(delimiter) + rb")(?:" + tokens + rb"))*+"
    )
