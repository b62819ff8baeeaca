"""Where one event of a log ends and the next begins, although a literal may hold text that looks like a header.

A newline inside a string is logged as it is, so a line that looks like the start of an event counts only outside
quotes. A failed statement may have a quote that never closes; then the first line that looked right is taken after all:
when the file or too much of it passes without the quote closing, or when it closes in a way no SQL has.
"""

import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Final

_OUTSIDE = re.compile(
    rb"(?:[^'\"`/#-]++|'(?:[^'\\]++|\\.|'')*+'|\"(?:[^\"\\]++|\\.|\"\")*+\"|`[^`]*+`"
    rb"|/\*(?:(?!\*/).)*+\*/|/(?!\*)|\#[^\n]*+|--(?=\s|\Z)[^\n]*+|-)*+",
    re.DOTALL,
)
_CLOSE = {
    b"'": re.compile(rb"(?:[^'\\]++|\\.|'')*+'", re.DOTALL),
    b'"': re.compile(rb"(?:[^\"\\]++|\\.|\"\")*+\"", re.DOTALL),
    b"`": re.compile(rb"[^`]*+`", re.DOTALL),
    b"/": re.compile(rb"(?:(?!\*/).)*+\*/", re.DOTALL),
}
_AFTER_LITERAL = re.compile(rb"[\w\x80-\xff]")
_MAX_PASSED_BORDERS: Final = 20_000
_MAX_PASSED_BYTES: Final = 16 * 1024 * 1024


class QuoteState:
    """Whether SQL text, fed line by line, stands inside a string, a quoted name or a comment."""

    def __init__(self) -> None:
        self.open = b""
        self.odd_close = False
        """A literal was closed and a word follows at once, as in `'a'b`: SQL has no such thing."""

    def feed(self, text: bytes) -> None:
        """Go on with more text, which ends at the end of a line."""
        position = 0
        while position < len(text):
            if self.open:
                closed = _CLOSE[self.open].match(text, position)
                if closed is None:
                    return
                position = closed.end()
                self.odd_close |= self.open != b"/" and _AFTER_LITERAL.match(text, position) is not None
                self.open = b""
            else:
                position = _OUTSIDE.match(text, position).end()  # type: ignore[union-attr]  # matches the empty text
                self.open = text[position : position + 1]
                position += 2 if self.open == b"/" else 1


@dataclass(slots=True)
class Record:
    """The lines of one event. `body` is the first line of its SQL and `column` where the SQL begins in it."""

    offset: int
    lines: list[bytes]
    body: int = -1
    column: int = 0
    unterminated: bool = False
    _fed: int = 0
    _passed: list[int] = field(default_factory=list)
    _state: QuoteState = field(default_factory=QuoteState)

    def sql(self) -> bytes:
        """The text from the body on."""
        return b"".join(self.lines[self.body :])[self.column :] if self.body >= 0 else b""

    def in_quotes(self) -> bool:
        """Whether the SQL read so far ends inside a literal or comment."""
        if self.body < 0:
            return False
        start = max(self._fed, self.body)
        text = b"".join(self.lines[start:])
        self._state.feed(text[self.column :] if start == self.body else text)
        self._fed = len(self.lines)
        return bool(self._state.open)

    def pass_border(self) -> None:
        """Remember that the next line looked like the start of an event."""
        if not self._passed:
            self._state.odd_close = False
        self._passed.append(len(self.lines))

    def border_after_all(self, size: int) -> int | None:
        """The first line passed over that must have been a border; None while all is well."""
        if not self._passed:
            return None
        gone_too_far = len(self._passed) > _MAX_PASSED_BORDERS or size > _MAX_PASSED_BYTES
        return self._passed[0] if gone_too_far or self._state.odd_close else None

    def first_passed(self) -> int | None:
        """The first line passed over, if any."""
        return self._passed[0] if self._passed else None


Starter = Callable[[bytes, int, "Record | None"], "Record | None"]
"""(line, offset, current record) -> a new record if the line starts one outside quotes, else None."""


class OpenEnd(Exception):
    """The text ends inside a quote or comment, and is not the last of the log: its last border was none."""


class Records:
    """Cuts lines into records. `start` recognises first lines; `body` finds where the SQL of a record begins.

    The lines begin at byte `offset` of the log. Iterating raises OpenEnd where lines that are not the `final` ones end
    inside a quote.
    """

    def __init__(
        self, lines: Iterator[bytes], start: Starter, body: Callable[[bytes, Record], None], *, offset: int = 0,
        final: bool = True,
    ) -> None:  # fmt: skip
        self._lines = lines
        self._final = final
        self._again: deque[bytes] = deque()
        self._start = start
        self._body = body
        self._offset = offset
        self.foreign_lines = 0
        """Lines before the first record that belong to none."""

    def __iter__(self) -> Iterator[Record]:
        while True:
            record = yield from self._until_end()
            if record is None:
                return
            if not self._final and record.in_quotes():
                raise OpenEnd
            open_end = record.in_quotes()
            size = sum(map(len, record.lines))
            self._give_back(record, record.first_passed() if open_end else record.border_after_all(size))
            yield record

    def _until_end(self) -> Generator[Record, None, Record | None]:
        """Yield every record but the last, which is returned."""
        record: Record | None = None
        size = 0
        while line := self._next():
            fresh = self._start(line, self._offset, record)
            if fresh is not None and record is not None and record.in_quotes():
                record.pass_border()
                fresh = None
            cut = record.border_after_all(size) if record is not None else None
            if record is not None and cut is not None:
                self._again.appendleft(line)
                self._give_back(record, cut)
                yield record
                record = None
                continue
            if fresh is not None:
                if record is not None:
                    yield record
                record, size = fresh, 0
            self._append(record, line, fresh is not None)
            size += len(line)
        return record

    def _next(self) -> bytes:
        return self._again.popleft() if self._again else next(self._lines, b"")

    def _append(self, record: Record | None, line: bytes, first: bool) -> None:
        self._offset += len(line)
        if record is None:
            self.foreign_lines += 1
            return
        if not first:
            record.lines.append(line)
        if record.body < 0:
            self._body(line, record)

    def _give_back(self, record: Record, at: int | None) -> None:
        """End `record` before line `at`, if given; the lines from there on are read again."""
        if at is None:
            return
        rest = record.lines[at:]
        del record.lines[at:]
        record.unterminated = True
        self._again.extendleft(reversed(rest))
        self._offset -= sum(map(len, rest))
