"""A log in blocks of a constant size that end where an event seems to, and what one block hands to the next.

Whether a border is one cannot be seen from outside: it may stand in a literal. A block whose last statement has an open
quote says so (`events.OpenEnd`), and is read again together with the block after it.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ddbmig.analyzers.trace import Trace

BLOCK: Final = 8 << 20
MAX_EVENT: Final = 32 << 20
"""Of an event longer than this only the beginning is read; MySQL takes statements of up to 1 GiB."""

LastBorder = Callable[[bytes], int]
"""Where the last event seems to begin in a buffer; 0 where none does but the first."""
FirstBorder = Callable[[bytes], int]
"""Where the first event seems to begin after the buffer's first line; -1 where none does."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole events of a log. `offset` is where they begin in the unpacked file; the `final` block ends with it."""

    data: bytes
    offset: int
    final: bool = False
    left_out: int = 0
    """Bytes of the last event that were too many to read."""

    def followed_by(self, after: "Block") -> "Block":
        """This block and the next one as one."""
        return Block(self.data + after.data, self.offset, after.final, after.left_out)


class State:
    """What events inherit from those before: the time, the database, and per connection its user and database.

    Remembers what was read of the state at the block's begin, and what has changed.
    """

    def __init__(self, entry: Mapping[Hashable, Any]) -> None:
        self._entry = entry
        self.reads: dict[Hashable, Any] = {}
        self.changes: dict[Hashable, Any] = {}
        self.cleared = False

    def get(self, key: Hashable) -> Any:
        """The value now; None where there is none."""
        if key in self.changes:
            return self.changes[key]
        if self.cleared:
            return None
        self.reads[key] = self._entry.get(key)
        return self.reads[key]

    def set(self, key: Hashable, value: Any) -> None:
        """Change a value; None forgets it."""
        self.changes[key] = value

    def clear(self) -> None:
        """Forget everything: the server has started anew."""
        self.cleared = True
        self.changes.clear()


@dataclass(frozen=True, slots=True)
class BlockDigest:
    """What one block says, given what it read of the state at its begin."""

    trace: Trace
    reads: Mapping[Hashable, Any] = field(default_factory=dict)
    changes: Mapping[Hashable, Any] = field(default_factory=dict)
    cleared: bool = False

    def holds_after(self, state: Mapping[Hashable, Any]) -> bool:
        """Whether this is what the block says after `state`."""
        return all(state.get(key) == value for key, value in self.reads.items())

    def apply(self, state: dict[Hashable, Any]) -> None:
        """Turn the state at the block's begin into that at its end."""
        if self.cleared:
            state.clear()
        for key, value in self.changes.items():
            if value is None:
                state.pop(key, None)
            else:
                state[key] = value


def blocks(chunks: Iterator[bytes], last_border: LastBorder, first_border: FirstBorder, size: int = BLOCK,
           longest: int = MAX_EVENT) -> Iterator[Block]:  # fmt: skip
    """Cut chunks of a log into blocks of about `size` bytes."""
    waiting: list[bytes] = []
    length = offset = 0
    for chunk in chunks:
        waiting.append(chunk)
        length += len(chunk)
        if length < size:
            continue
        buffer = b"".join(waiting)
        at = last_border(buffer)
        if at:
            yield Block(buffer[:at], offset)
            offset, buffer = offset + at, buffer[at:]
        elif length > longest:
            rest, left_out = _skip(buffer[longest:], chunks, first_border)
            yield Block(buffer[:longest] + b"\n", offset, final=not rest, left_out=left_out)
            offset, buffer = offset + longest + left_out, rest
        waiting, length = [buffer], len(buffer)
    if length:
        yield Block(b"".join(waiting), offset, final=True)


def _skip(buffer: bytes, chunks: Iterator[bytes], first_border: FirstBorder) -> tuple[bytes, int]:
    """Leave out what comes before the next event; what is left of the buffer, and the bytes left out."""
    left_out = 0
    while (at := first_border(buffer)) < 0:
        end = buffer.rfind(b"\n") + 1 or max(0, len(buffer) - 1)
        left_out += end
        chunk = next(chunks, b"")
        if not chunk:
            return b"", left_out + len(buffer) - end
        buffer = buffer[end:] + chunk
    return buffer[at:], left_out + at
