"""The general query log of MySQL and MariaDB -> digest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ddbmig.analyzers.digest import NOTE_RUNS, Collector, Statement
from ddbmig.analyzers.events import Record, Records
from ddbmig.analyzers.files import not_a_log, open_input
from ddbmig.analyzers.times import Clock
from ddbmig.model.digest import Digest

_COMMANDS = (
    rb"Sleep|Quit|Init DB|Query|Field List|Create DB|Drop DB|Refresh|Shutdown|Statistics|Processlist|Connect|"
    rb"Connect Out|Kill|Debug|Ping|Time|Delayed insert|Change user|Binlog Dump(?: GTID)?|Table Dump|Register Slave|"
    rb"Register Replica|Prepare|Execute|Long Data|Close stmt|Reset stmt|Reset Connection|Set option|Fetch|Daemon|"
    rb"Error|Clone|Subscribe Group Replication Stream|Bulk_execute|Bulk execute|Slave_IO|Slave_SQL|Unimpl get tid"
)
_EVENT = re.compile(
    rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*|\d{6} +\d{1,2}:\d\d:\d\d(?:\.\d+)?)?\t{1,2} *(\d+) ("
    + _COMMANDS
    + rb")(?:\t|\n|$)"
)
_SERVER_LINE = re.compile(rb"(\S+), Version: (\S+) \((.*)\)\. (?:embedded library|started with:)\s*$")
_CONNECT = re.compile(rb"(.*?)@(\S*)(?: as \S*)? on (\S*?)(?: using \S+)?\s*$")
_USE = re.compile(rb"\s*USE\s+(?:`((?:[^`]|``)+)`|([^\s;`]+))\s*;?\s*$", re.IGNORECASE)
_STATEMENTS: Final = (b"Query", b"Execute")

NOTE_GENERAL: Final = (
    "The general log knows no execution times, row counts or errors; failed statements count as calls."
)
_NOTE_DATABASE: Final = (
    "Some connections began before the general log did; the database of their statements is unknown until they name it."
)


def read_general_log(path: Path, name: str | None = None, *, key: bytes) -> Digest:
    """The digest of one general log, plain or compressed. `name` stands for the file in the value, else its base name.

    Only Query and Execute events are statements (Prepare repeats what Execute says with its values). `key` keys the
    hashes of values. Raises UsageError or InputError where the file cannot be read or is no general log.
    """
    with open_input(path) as opened:
        collector = Collector("general", name or path.name, key)
        for sentence in (NOTE_GENERAL, NOTE_RUNS):
            collector.note(sentence)
        reader = _GeneralLog(collector)
        records = Records(opened.lines(), reader.start, reader.find_body)
        reader.read(records)
        if not collector.events and not reader.server_seen:
            raise not_a_log(path, "general", records.seen)
        if records.foreign_lines:
            collector.problem(0, f"{records.foreign_lines} lines before the first event belong to none")
        return collector.finish(opened.sha256, opened.size)


class _GeneralLog:
    """What the events of a general log inherit: the time, and per connection its user and database."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._clock = Clock()
        self._time: int | None = None
        self._users: dict[int, str] = {}
        self._databases: dict[int, str] = {}
        self.server_seen = False

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

    def read(self, records: Iterator[Record] | Records) -> None:
        """Take every record."""
        record: Record | None = None
        for record in records:
            event = _EVENT.match(record.lines[0])
            if event is None:
                self._server(record)
            else:
                self._take(record, event)
        if record is not None and not record.lines[-1].endswith(b"\n"):
            self._collector.problem(record.offset, "the file ends inside this event")

    def _server(self, record: Record) -> None:
        match = _SERVER_LINE.match(record.lines[0])
        if match is not None:
            self._collector.server(match.group(2), match.group(3))
        self._users.clear()
        self._databases.clear()
        self.server_seen = True

    def _take(self, record: Record, event: re.Match[bytes]) -> None:
        if event.group(1):
            parsed = self._clock.parse(event.group(1))
            if parsed is not None:
                self._time, zoned = parsed
                if not zoned:
                    self._collector.note("Times without a zone are read as UTC.")
        connection, command = int(event.group(2)), event.group(3)
        self._collector.event()
        if command in _STATEMENTS:
            self._statement(record, connection)
        elif command in (b"Connect", b"Change user"):
            self._connect(connection, record.sql(), command)
        elif command == b"Init DB":
            self._databases[connection] = _text(record.sql().strip())
        elif command == b"Quit":
            self._collector.disconnect(connection, self._time)
            self._users.pop(connection, None)
            self._databases.pop(connection, None)

    def _statement(self, record: Record, connection: int) -> None:
        if record.unterminated:
            self._collector.problem(record.offset, "a quote or comment of this statement is never closed")
        sql = record.sql().rstrip(b"\n")
        kept = self._collector.statement(
            Statement(
                time_us=self._time,
                connection=connection,
                user=self._users.get(connection, ""),
                schema_name=self._databases.get(connection, ""),
                sql=sql,
                offset=record.offset,
            )
        )
        if kept and connection not in self._databases:
            self._collector.note(_NOTE_DATABASE)
        if sql[:16].lstrip()[:3].upper() == b"USE":
            use = _USE.match(sql)
            if use is not None:
                self._databases[connection] = _text((use.group(1) or use.group(2)).replace(b"``", b"`"))

    def _connect(self, connection: int, argument: bytes, command: bytes) -> None:
        """`user@host on db using TCP/IP`; the database may be empty, and a refused connection says why instead."""
        self._collector.disconnect(connection, self._time)
        match = _CONNECT.match(argument)
        self._users[connection] = _text(match.group(1)) if match else ""
        self._databases[connection] = _text(match.group(3)) if match else ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
