"""What one block of a log says, in columns: a row per statement, in the order of the log.

Traces join by putting them behind each other, which is associative; what is counted is counted from the joined rows
(`fold`), so it cannot matter how a log was cut into blocks or who read them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ddbmig.analyzers.normalize import Template, literal_value
from ddbmig.analyzers.sample import Hasher
from ddbmig.analyzers.shapes import Shapes
from ddbmig.model.digest import Verb
from ddbmig.model.schema import InputProblem

Ints = npt.NDArray[np.int64]
Picks = tuple[tuple[int, bool], ...]
Fixed = tuple[tuple[int, bytes], ...]
NONE: Final = -(1 << 62)
"""In a column: unknown."""
_MAX_PROBLEMS: Final = 20
_MAX_LIMIT: Final = (1 << 63) - 1
_AUTOCOMMIT = re.compile(rb"autocommit\s*:?=\s*(?:'|\")?(0|1|on|off|true|false)\b", re.IGNORECASE)


class Column(IntEnum):
    """The rows of `Trace.rows`, which has a column per statement."""

    WHAT = 0
    """The template's number, or a `Control` below 0."""
    CONNECTION = 1
    TIME = 2
    QUERY_US = 3
    SENT = 4
    EXAMINED = 5
    AFFECTED = 6
    ENDS = 7
    """1 where the time is that of the end of the statement (slow logs), 0 where it is that of its begin."""
    LENGTH = 8
    LIMIT = 9
    OFFSET = 10
    USER = 11
    LITERALS = 12
    """CRC-32 of all literals: two calls of a template with one CRC asked for the same values."""
    VALUES = 13
    """How many of `Trace.hashes` belong to this row."""


class Control(IntEnum):
    """What is no call of a template but decides which calls belong together."""

    BEGIN = -1
    COMMIT = -2
    COMMIT_CHAIN = -3
    ROLLBACK = -4
    ROLLBACK_CHAIN = -5
    AUTOCOMMIT_ON = -6
    AUTOCOMMIT_OFF = -7
    IMPLICIT_COMMIT = -8
    DISCONNECT = -9
    RESTART = -10
    """The server started anew: all connections are gone."""


@dataclass(frozen=True, slots=True)
class TemplateName:
    """A template as blocks name it to each other."""

    schema_name: str
    sql: str
    verb: Verb


@dataclass(slots=True)
class Trace:
    """The statements of a stretch of a log. `rows` numbers into `templates` and `users`."""

    templates: list[TemplateName] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    rows: Ints = field(default_factory=lambda: np.empty((len(Column), 0), np.int64))
    placeholders: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    hashes: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    skipped: Counter[str] = field(default_factory=Counter)
    problems: list[InputProblem] = field(default_factory=list)
    more_problems: int = 0
    notes: set[str] = field(default_factory=set)
    flavour: str = ""
    events: int = 0
    statements: int = 0
    first_us: int | None = None
    last_us: int | None = None

    def problem(self, problem: InputProblem) -> None:
        """A piece of the log that was not understood; the first ones are kept, the others counted."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1

    def absorb(self, other: "Trace") -> None:
        """Add everything but the rows of the trace that follows."""
        self.skipped.update(other.skipped)
        for problem in other.problems:
            self.problem(problem)
        self.more_problems += other.more_problems
        self.notes |= other.notes
        self.flavour = self.flavour or other.flavour
        self.events += other.events
        self.statements += other.statements
        self.first_us = min((t for t in (self.first_us, other.first_us) if t is not None), default=None)
        self.last_us = max((t for t in (self.last_us, other.last_us) if t is not None), default=None)


def join(parts: Sequence[Trace]) -> Trace:
    """The trace of stretches that follow each other. Associative."""
    whole = Trace()
    templates: dict[TemplateName, int] = {}
    users: dict[str, int] = {}
    rows = []
    for part in parts:
        rows.append(renumbered(part, templates, users))
        whole.absorb(part)
    whole.templates, whole.users = list(templates), list(users)
    if parts:
        whole.rows = np.concatenate(rows, axis=1)
        whole.placeholders = np.concatenate([part.placeholders for part in parts])
        whole.hashes = np.concatenate([part.hashes for part in parts])
    return whole


def renumbered(part: Trace, templates: dict[TemplateName, int], users: dict[str, int]) -> Ints:
    """The rows under the numbers of `templates` and `users`, which grow by what is new."""
    rows = part.rows.copy()
    _renumber(rows[Column.WHAT], [templates.setdefault(name, len(templates)) for name in part.templates])
    _renumber(rows[Column.USER], [users.setdefault(name, len(users)) for name in part.users])
    return rows


def _renumber(column: Ints, numbers: Sequence[int]) -> None:
    named = column >= 0
    if numbers:
        column[named] = np.array(numbers, np.int64)[column[named]]


class _Hashes(dict[bytes, int]):
    """Literal -> keyed hash of its value; made once per block and literal."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher

    def __missing__(self, literal: bytes) -> int:
        found = self[literal] = self._hasher(literal_value(literal))
        return found


class TraceWriter:
    """Takes the statements of one block in order."""

    def __init__(self, name: str, key: bytes, shapes: Shapes) -> None:
        self.trace = Trace()
        self._name = name
        self._shapes = shapes
        self._hashes = _Hashes(Hasher(key))
        self._numbers: dict[tuple[str, str], int] = {}
        self._names: dict[TemplateName, int] = {}
        self._users: dict[str, int] = {"": 0}
        self._rows: list[tuple[int, ...]] = []
        self._literals: list[bytes] = []
        self._placeholders: list[int] = []
        self._skipped_times: list[int] = []

    def problem(self, offset: int, message: str) -> None:
        """A piece of the log that was not understood."""
        self.trace.problem(InputProblem(file=self._name, offset=offset, message=message))

    def control(self, what: Control, connection: int | None) -> None:
        """Something that decides which calls of a connection belong together."""
        if connection is not None:
            self._rows.append((what, connection, *_NO_NUMBERS))

    def statement(
        self,
        time_us: int | None,
        connection: int | None,
        user: str,
        schema_name: str,
        sql: bytes,
        numbers: tuple[int, int, int, int] = (NONE, NONE, NONE, NONE),
        *,
        ends: bool = True,
        ansi_quotes: bool = False,
        exact: bool = False,
    ) -> Template:
        """Take one statement. `numbers` are microseconds, rows sent, examined and affected, NONE where unknown.

        Raises OpenQuote unless `exact`, where quotes and borders were looked into already.
        """
        cut = 0
        if exact:
            shape, literals, cut = self._shapes.exact(sql, ansi_quotes)
        elif ansi_quotes:
            shape, literals = self._shapes.tokenised(sql, ansi_quotes=True)
        else:
            shape, literals = self._shapes.find(sql)
        template = shape.template
        trace = self.trace
        trace.statements += 1
        if template.reason:
            trace.skipped[template.reason] += 1
            self._skip(time_us, connection, template, sql)
            return template
        number = self._numbers.get((schema_name, template.sql))
        if number is None:
            number = self._number(schema_name, template)
        if shape.picks is None:
            self._literals += literals
        else:
            self._literals += _picked(shape.picks, template.fixed, literals)
        self._placeholders += shape.placeholders
        limit = shape.limit
        self._rows.append((
            number, NONE if connection is None else connection, NONE if time_us is None else time_us, *numbers, ends,
            cut if cut > template.list_length else template.list_length,
            NONE if limit < 0 else _count(literals[limit]),
            shape.offset >= 0 and bool(literals[shape.offset].strip(b"0")),
            self._users.get(user) or self._user(user), crc32(b"\0".join(literals)), len(shape.placeholders),
        ))  # fmt: skip
        return template

    def _skip(self, time_us: int | None, connection: int | None, template: Template, sql: bytes) -> None:
        """What a statement that is no access pattern does to the transaction of its connection."""
        if time_us is not None:
            self._skipped_times.append(time_us)
        if template.control:
            what = _control(template.control)
        elif template.reason == "session setting":
            what = _autocommit(sql)
        elif template.reason in ("schema change", "administration"):
            what = Control.IMPLICIT_COMMIT
        else:
            return
        if what is not None:
            self.control(what, connection)

    def _number(self, schema_name: str, template: Template) -> int:
        name = TemplateName(schema_name, template.sql, template.verb)
        number = self._names.setdefault(name, len(self._names))
        self._numbers[schema_name, template.sql] = number
        return number

    def _user(self, user: str) -> int:
        return self._users.setdefault(user, len(self._users))

    def finish(self) -> Trace:
        """What was taken."""
        trace = self.trace
        trace.templates, trace.users = list(self._names), list(self._users)
        if self._rows:
            trace.rows = np.array(list(zip(*self._rows, strict=True)), np.int64)
        trace.placeholders = np.array(self._placeholders, np.int64)
        trace.hashes = np.array(list(map(self._hashes.__getitem__, self._literals)), np.uint64)
        times = trace.rows[Column.TIME]
        known = np.concatenate([times[times != NONE], np.array(self._skipped_times, np.int64)])
        if known.size:
            trace.first_us, trace.last_us = int(known.min()), int(known.max())
        return trace


_NO_NUMBERS: Final = (*[NONE] * (Column.LENGTH - Column.TIME), *[0] * (Column.VALUES - Column.LENGTH + 1))


def _count(literal: bytes) -> int:
    """The number of a LIMIT; the largest that MySQL knows, which means all rows, is cut down to what a column holds."""
    return min(int(literal[:20]), _MAX_LIMIT) if literal.isdigit() else NONE


def _control(words: str) -> Control | None:
    """What transaction control does, by its first words in upper case."""
    first, _, rest = words.partition(" ")
    chain = "CHAIN" in rest and "NO" not in rest
    if first == "BEGIN" or words.startswith(("START TRANSACTION", "XA START", "XA BEGIN")):
        return Control.BEGIN
    if words.startswith("XA COMMIT"):
        return Control.COMMIT
    if first == "COMMIT":
        return Control.COMMIT_CHAIN if chain else Control.COMMIT
    if words.startswith("XA ROLLBACK") or (first == "ROLLBACK" and words != "ROLLBACK TO"):
        return Control.ROLLBACK_CHAIN if chain else Control.ROLLBACK
    return None


def _autocommit(sql: bytes) -> Control | None:
    """Whether a SET statement says how statements are committed."""
    lower = sql.lower()
    said = _AUTOCOMMIT.search(lower) if b"autocommit" in lower else None
    if said is None:
        return None
    return Control.AUTOCOMMIT_ON if said.group(1) in (b"1", b"on", b"true") else Control.AUTOCOMMIT_OFF


def _picked(picks: Picks, fixed: Fixed, literals: Sequence[bytes]) -> list[bytes]:
    """The values of the slots in their order, then those that the shape itself holds."""
    found = [b"-" + literals[at] if negative and literals[at][:1] not in b"'\"" else literals[at]
             for at, negative in picks]  # fmt: skip
    found.extend(value for _, value in fixed)
    return found
