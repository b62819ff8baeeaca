"""The general query log of MySQL and MariaDB -> digest."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final, NamedTuple

from ddbmig.analyzers.blocks import Block, State
from ddbmig.analyzers.digest import NOTE_RUNS
from ddbmig.analyzers.events import Record, Records
from ddbmig.analyzers.log_reader import NOTE_ZONE, Doubtful, LogReader, Progress, read_log, sets_ansi_quotes
from ddbmig.analyzers.normalize import Template
from ddbmig.analyzers.shapes import Shapes
from ddbmig.analyzers.times import Clock
from ddbmig.analyzers.trace import Control
from ddbmig.model.digest import Digest

_COMMANDS = (
    rb"Sleep|Quit|Init DB|Query|Field List|Create DB|Drop DB|Refresh|Shutdown|Statistics|Processlist|Connect|"
    rb"Connect Out|Kill|Debug|Ping|Time|Delayed insert|Change user|Binlog Dump(?: GTID)?|Table Dump|Register Slave|"
    rb"Register Replica|Prepare|Execute|Long Data|Close stmt|Reset stmt|Reset Connection|Set option|Fetch|Daemon|"
    rb"Error|Clone|Subscribe Group Replication Stream|Bulk_execute|Bulk execute|Slave_IO|Slave_SQL|Unimpl get tid"
)
_TIME = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s]*+|\d{6} ++\d{1,2}:\d\d:\d\d(?:\.\d++)?"
_START = rb"(" + _TIME + rb")?\t{1,2} *(\d{1,15}) (" + _COMMANDS + rb")"
_EVENT = re.compile(_START + rb"(?:\t|\n|$)")
_ORDINARY = re.compile(
    _START + rb"\t([^\n]*+(?:\n(?!(?:" + _TIME + rb")?\t{1,2} *\d{1,15} (?:" + _COMMANDS +
    rb")(?:\t|\n|\Z)|\S+, Version: |\Z)[^\n]*+)*+)\n"
)  # fmt: skip
"""An event up to the next line that looks like a border."""
_SESSION = re.compile(rb"\t *(\d{1,15}) (Connect|Quit|Init DB)\t([^\n]*)")
_FIELDS: Final = 5
"""The groups of _ORDINARY and what lies before it, as `split` gives them."""
_SERVER_LINE = re.compile(rb"(\S+), Version: (\S+) \((.*)\)\. (?:embedded library|started with:)\s*$")
_CONNECT = re.compile(rb"(.*?)@(\S*)(?: as \S*)? on (\S*?)(?: using \S+)?\s*$")
_USE = re.compile(rb"\s*USE\s+(?:`((?:[^`]|``)+)`|([^\s;`]+))\s*;?\s*$", re.IGNORECASE)
_STATEMENTS: Final = (b"Query", b"Execute")
_LENGTH, _POINT, _Z = len("2026-11-22T10:00:00.000000Z"), ord("."), ord("Z")

NOTE_GENERAL: Final = (
    "The general log knows no execution times, row counts or errors; failed statements count as calls."
)
_NOTE_DATABASE: Final = (
    "Some connections began before the general log did; the database of their statements is unknown until they name it."
)


class _Session(NamedTuple):
    """What is known of a connection. The database is None until somebody names it."""

    user: str = ""
    database: str | None = None
    ansi_quotes: bool = False


_UNKNOWN: Final = _Session()


def read_general_log(
    path: Path, name: str | None = None, *, key: bytes, jobs: int = 1, progress: Progress = lambda _: None
) -> Digest:
    """The digest of one general log, as `log_reader.read_log` makes it; `name` defaults to the file's base name."""
    return read_log(GeneralLog, path, name or path.name, key, jobs=jobs, progress=progress)


class GeneralLog(LogReader):
    """Reads blocks of a general log. Only Query and Execute events are statements (Prepare repeats what Execute says
    with its values)."""

    kind = "general"
    notes = (NOTE_GENERAL, NOTE_RUNS)

    def __init__(self, block: Block, state: State, name: str, key: bytes, shapes: Shapes) -> None:
        super().__init__(block, state, name, key, shapes)
        self._clock = Clock()
        self._sessions: dict[int, _Session] = {}
        self._last_stamp, self._second_us = b"", 0

    @staticmethod
    def last_border(buffer: bytes) -> int:
        """An event begins with a time (or tabs in its place), a connection id and a command."""
        at = len(buffer)
        while (at := buffer.rfind(b"\n", 0, at)) >= 0:
            if _EVENT.match(buffer, at + 1):
                return at + 1
        return 0

    @staticmethod
    def first_border(buffer: bytes) -> int:
        """The first of such lines."""
        at = -1
        while (at := buffer.find(b"\n", at + 1)) >= 0:
            if _EVENT.match(buffer, at + 1):
                return at + 1
        return -1

    @staticmethod
    def foresee(data: bytes, state: dict[Hashable, Any]) -> None:
        """Sessions come and go by the commands that look like it, and the time is that of the last line."""
        for event in _SESSION.finditer(data):
            connection, command, argument = int(event.group(1)), event.group(2), event.group(3)
            if command == b"Quit":
                state.pop(connection, None)
            elif command == b"Connect":
                match = _CONNECT.match(argument)
                state[connection] = _Session(_text(match.group(1)), _text(match.group(3))) if match else _Session()
            else:
                state[connection] = state.get(connection, _UNKNOWN)._replace(database=_text(argument.strip()))

    def read_ordinary(self) -> None:
        """Read all events; Doubtful where a look at every line is needed."""
        if self.block.final and not self.block.data.endswith(b"\n"):
            raise Doubtful
        self._last_stamp = b""
        parts = _ORDINARY.split(self.block.data)
        time_us: int | None = None
        known = False
        for gap, stamp, thread, command, argument in zip(*(parts[at::_FIELDS] for at in range(_FIELDS)), strict=False):
            if gap:
                self._keep_time(time_us if known else None)
                self._read_gap(gap)
                known = False
            if stamp:
                if stamp[:19] == self._last_stamp and len(stamp) == _LENGTH and stamp[19] == _POINT and stamp[26] == _Z:
                    time_us = self._second_us + int(stamp[20:26])
                else:
                    time_us = self._take_time(stamp)
                known = True
            elif not known:
                time_us, known = self._inherited_time(), True
            self._take(int(thread), command, argument, time_us, exact=False)
        self.writer.trace.events += len(parts) // _FIELDS
        self._keep_time(time_us if known else None)
        if parts[-1]:
            self._read_gap(parts[-1])

    def _keep_time(self, time_us: int | None) -> None:
        """Put what the loop knows where events read line by line, and the next block, find it."""
        if time_us is not None:
            self.state.set("time", time_us)

    def _inherited_time(self) -> int | None:
        found: int | None = self.state.get("time")
        return found

    def _take_time(self, stamp: bytes) -> int | None:
        parsed = self._clock.parse(stamp)
        if parsed is None:
            return self._inherited_time()
        if not parsed[1]:
            self.writer.trace.notes.add(NOTE_ZONE)
        self._last_stamp, self._second_us = stamp[:19], parsed[0] // 1_000_000 * 1_000_000
        self.state.set("time", parsed[0])
        return parsed[0]

    def start(self, line: bytes, offset: int, record: Record | None) -> Record | None:
        """A record begins with a time (or tabs in its place), a connection id and a command."""
        if line[:1] in b"\t0123456789" and _EVENT.match(line):
            return Record(offset, [line])
        if line.endswith((b"started with:\n", b"started with:")) and _SERVER_LINE.match(line):
            return Record(offset, [line])
        return None

    def find_body(self, line: bytes, record: Record) -> None:
        """The argument follows the command on the same line."""
        event = _EVENT.match(record.lines[0])
        if event is not None:
            record.body = 0
            record.column = event.end()

    def read_records(self, records: Records) -> None:
        """Take every record."""
        record: Record | None = None
        for record in records:
            event = _EVENT.match(record.lines[0])
            if event is None:
                self._server(record)
                continue
            if record.unterminated and event.group(3) in _STATEMENTS:
                self.writer.problem(record.offset, "a quote or comment of this statement is never closed")
            time_us = self._take_time(event.group(1)) if event.group(1) else self._inherited_time()
            self.writer.trace.events += 1
            self._take(int(event.group(2)), event.group(3), record.sql(), time_us, exact=True)
        if record is not None and self.block.final and not record.lines[-1].endswith(b"\n"):
            self.writer.problem(record.offset, "the file ends inside this event")

    def _server(self, record: Record) -> None:
        match = _SERVER_LINE.match(record.lines[0])
        if match is not None:
            self.restart(match.group(2), match.group(3))
        self._sessions.clear()

    def _take(self, connection: int, command: bytes, argument: bytes, time_us: int | None, *, exact: bool) -> None:
        session = self._sessions.get(connection)
        if session is None:
            session = self._sessions[connection] = self.state.get(connection) or _UNKNOWN
        if command in _STATEMENTS:
            sql = argument.rstrip(b"\n")
            template = self.writer.statement(
                time_us, connection, session.user, session.database or "", sql, ends=False,
                ansi_quotes=session.ansi_quotes, exact=exact,
            )  # fmt: skip
            if template.reason:
                self._setting(connection, session, template, sql)
            elif session.database is None:
                self.writer.trace.notes.add(_NOTE_DATABASE)
        elif command in (b"Connect", b"Change user"):
            self._connect(connection, argument)
        elif command == b"Init DB":
            self._know(connection, session._replace(database=_text(argument.strip())))
        elif command == b"Quit":
            self.writer.control(Control.DISCONNECT, connection)
            self._know(connection, _UNKNOWN)

    def _setting(self, connection: int, session: _Session, template: Template, sql: bytes) -> None:
        """What a USE or SET statement says of its connection."""
        if template.reason == "session setting":
            said = sets_ansi_quotes(sql)
            if said is not None:
                self._know(connection, session._replace(ansi_quotes=said))
        elif sql[:16].lstrip()[:3].upper() == b"USE":
            use = _USE.match(sql)
            if use is not None:
                self._know(
                    connection, session._replace(database=_text((use.group(1) or use.group(2)).replace(b"``", b"`")))
                )

    def _know(self, connection: int, session: _Session) -> None:
        self._sessions[connection] = session
        self.state.set(connection, session if session != _UNKNOWN else None)

    def _connect(self, connection: int, argument: bytes) -> None:
        """`user@host on db using TCP/IP`; the database may be empty, and a refused connection says why instead."""
        self.writer.control(Control.DISCONNECT, connection)
        match = _CONNECT.match(argument)
        user, database = (_text(match.group(1)), _text(match.group(3))) if match else ("", "")
        self._know(connection, _Session(user, database))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
