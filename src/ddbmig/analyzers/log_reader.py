"""One log, block after block -> digest. What is common to slow and general logs.

Ordinary events of a block are read by one regular expression. Whatever is not, or ends inside a quote, is read line by
line, which knows every format and where borders are that stand in a literal.
"""

import io
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from ddbmig.analyzers.blocks import BLOCK, Block, BlockDigest, State, blocks
from ddbmig.analyzers.events import OpenEnd, Record, Records
from ddbmig.analyzers.files import not_a_log, open_input
from ddbmig.analyzers.fold import Fold
from ddbmig.analyzers.shapes import OpenQuote, Shapes
from ddbmig.analyzers.trace import Control, Trace, TraceWriter
from ddbmig.model.digest import Digest

NOTE_ZONE: Final = "Times without a zone are read as UTC."
Progress = Callable[[int], None]
"""Hears how many bytes of the stored file have been read."""
_VERSION = re.compile(rb"\d+(?:\.\d+)+")
_FOREIGN_BYTES: Final = 16 << 20
"""A file without an event up to here is no log."""


class Doubtful(Exception):
    """The block has to be read line by line."""


class _Names(dict[bytes, str]):
    """Names as text, each decoded once."""

    def __missing__(self, raw: bytes) -> str:
        found = self[raw] = raw.decode("utf-8", "backslashreplace")
        return found


class LogReader(ABC):
    """Reads one block of a log. A kind of log says how its events look."""

    kind: ClassVar[Literal["slow", "general"]]
    notes: ClassVar[tuple[str, ...]]
    """What logs of this kind cannot know."""

    def __init__(self, block: Block, state: State, name: str, key: bytes, shapes: Shapes) -> None:
        self.block = block
        self.state = state
        self.writer = TraceWriter(name, key, shapes)
        self._names = _Names()

    @staticmethod
    @abstractmethod
    def last_border(buffer: bytes) -> int:
        """Where the last event seems to begin; 0 where none does but the first."""

    @staticmethod
    @abstractmethod
    def first_border(buffer: bytes) -> int:
        """Where the first event after the first line seems to begin; -1 where none does."""

    @staticmethod
    @abstractmethod
    def foresee(data: bytes, state: dict[Hashable, Any]) -> None:
        """Change the state at a block's begin into what it will likely be at its end, without reading it."""

    @abstractmethod
    def read_ordinary(self) -> None:
        """Read the block, with its ordinary events at once. Raises Doubtful or OpenQuote where that cannot be sure."""

    @abstractmethod
    def read_records(self, records: Records) -> None:
        """Take every record of the block, or of a gap between its ordinary events."""

    @abstractmethod
    def start(self, line: bytes, offset: int, record: Record | None) -> Record | None:
        """A new record where the line begins one."""

    @abstractmethod
    def find_body(self, line: bytes, record: Record) -> None:
        """Note in the record where its SQL begins."""

    def read_lines(self) -> None:
        """Read the block line by line. Raises OpenEnd where it ends inside a quote and is not the last."""
        block = self.block
        complete = block.final or block.left_out > 0
        records = Records(io.BytesIO(block.data), self.start, self.find_body, offset=block.offset, final=complete)
        self.read_records(records)
        if records.foreign_lines:
            self.writer.problem(block.offset, f"{records.foreign_lines} lines before the first event belong to none")
        if block.left_out:
            self.writer.problem(block.offset, f"an event is so long that its last {block.left_out} bytes were left out")

    def _read_gap(self, gap: bytes) -> None:
        """Read events that are not ordinary ones. Raises Doubtful where they are odd: that is told line by line."""
        records = Records(io.BytesIO(gap), self.start, self.find_body, final=False)
        try:
            self.read_records(records)
        except OpenEnd as error:
            raise Doubtful from error
        if records.foreign_lines or self.writer.trace.problems:
            raise Doubtful

    def restart(self, version: bytes, comment: bytes) -> None:
        """The header that a server writes when it opens the log: all connections before it are gone."""
        self.writer.control(Control.RESTART, 0)
        self.state.clear()
        self.state.set("server", True)
        trace = self.writer.trace
        if not trace.flavour:
            product = "MariaDB" if b"MariaDB" in version else "Percona Server" if b"Percona" in comment else "MySQL"
            number = _VERSION.search(version)
            trace.flavour = f"{product} {number.group(0).decode()}" if number else product


def sets_ansi_quotes(sql: bytes) -> bool | None:
    """Whether double quotes are identifiers from here on, None where a SET statement does not say."""
    lower = sql.lower()
    return b"ansi" in lower.partition(b"sql_mode")[2] if b"sql_mode" in lower else None


def digest_block(
    reader: type[LogReader], block: Block, entry: dict[Hashable, Any], name: str, key: bytes, shapes: Shapes
) -> BlockDigest:
    """What one block of a log says after `entry`, the state that the blocks before it left.

    `shapes` only makes it faster. Raises OpenEnd where the block's last border was none.
    """
    try:
        read = reader(block, State(entry), name, key, shapes)
        if block.left_out:
            raise Doubtful
        read.read_ordinary()
    except (Doubtful, OpenQuote):
        read = reader(block, State(entry), name, key, shapes)
        read.read_lines()
    state = read.state
    return BlockDigest(read.writer.finish(), state.reads, state.changes, state.cleared)


def read_log(
    reader: type[LogReader], path: Path, name: str, key: bytes, *, jobs: int = 1, progress: Progress = lambda _: None
) -> Digest:
    """The digest of one log, plain or compressed. `name` stands for the file in the value; `key` keys the hashes of
    values; `jobs` processes read it, and how many do never changes the digest. `progress` hears of bytes read.

    Raises UsageError or InputError where the file cannot be read or is no log of this kind; what is not understood
    inside it is counted and told in `problems`.
    """
    fold, state = Fold(name), _LogState(reader, name, key)
    for sentence in reader.notes:
        fold.note(sentence)
    seen = b""
    with open_input(path) as opened:
        cut = blocks(opened.chunks(), reader.last_border, reader.first_border)
        several = jobs > 1 and opened.stored_size > 2 * BLOCK
        for block, part in _in_parallel(state, cut, jobs) if several else state.one_by_one(cut):
            seen = seen or block.data[:4096]
            trace = state.take(block, part)
            if trace is not None:
                fold.absorb(trace)
            progress(opened.size)
            if not fold.events and "server" not in state.values and block.offset > _FOREIGN_BYTES:
                break
        if not fold.events and "server" not in state.values:
            raise not_a_log(path, reader.kind, seen)
        return fold.finish(reader.kind, opened.sha256, opened.size)


class _LogState:
    """Where the reading of one log stands: what the blocks so far left, and a block whose end is still open."""

    def __init__(self, reader: type[LogReader], name: str, key: bytes) -> None:
        self.reader, self.name, self.key = reader, name, key
        self.values: dict[Hashable, Any] = {}
        self._shapes = Shapes()
        self._held: Block | None = None

    def one_by_one(self, cut: Iterable[Block]) -> Iterator[tuple[Block, BlockDigest | None]]:
        """The blocks alone: `take` reads them."""
        return ((block, None) for block in cut)

    def take(self, block: Block, part: BlockDigest | None) -> Trace | None:
        """The trace of the next block; None where it has to wait for the one after it.

        `part` is what somebody read ahead, and counts only where it rests on the state that was really left.
        """
        if self._held is not None:
            block, part = self._held.followed_by(block), None
        if part is None or not part.holds_after(self.values):
            try:
                part = digest_block(self.reader, block, self.values, self.name, self.key, self._shapes)
            except OpenEnd:
                self._held = block
                return None
        self._held = None
        part.apply(self.values)
        return part.trace


def _in_parallel(state: _LogState, cut: Iterable[Block], jobs: int) -> Iterator[tuple[Block, BlockDigest | None]]:
    """Blocks in their order, each read ahead by one of `jobs` processes after the state that is likely then."""
    import multiprocessing
    from concurrent.futures import Future, ProcessPoolExecutor

    ahead: deque[tuple[Block, Future[BlockDigest | None]]] = deque()
    guess: dict[Hashable, Any] = {}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        try:
            for block in cut:
                ahead.append((block, pool.submit(_read_ahead, state.reader, block, dict(guess), state.name, state.key)))
                state.reader.foresee(block.data, guess)
                if len(ahead) > jobs:
                    first, read = ahead.popleft()
                    yield first, read.result()
            for first, read in ahead:
                yield first, read.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_KNOWN: Final = Shapes()
"""The shapes that this process has seen; they make it quicker and change nothing."""


def _read_ahead(
    reader: type[LogReader], block: Block, entry: dict[Hashable, Any], name: str, key: bytes
) -> BlockDigest | None:
    try:
        return digest_block(reader, block, entry, name, key, _KNOWN)
    except OpenEnd:
        return None
