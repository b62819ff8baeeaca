"""The slow log of MySQL 5.6 and later, MariaDB and Percona Server -> digest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ddbmig.analyzers.digest import Collector, Statement
from ddbmig.analyzers.events import Record, Records
from ddbmig.analyzers.files import not_a_log, open_input
from ddbmig.analyzers.times import Clock, microseconds
from ddbmig.model.digest import Digest

_USER = re.compile(rb"^# User@Host: ([^\n]*?)\[[^\n]*\] @ ", re.MULTILINE)
_USER_LINE = re.compile(rb"# User@Host: .*\[.*\] @ ")
_TIME_LINE = re.compile(rb"# Time: \d")
_SERVER_LINE = re.compile(rb"(\S+), Version: (\S+) \((.*)\)\. (?:embedded library|started with:)\s*$")
_QUERY_TIME = re.compile(
    rb"# Query_time: +(\d+)(?:\.(\d+))? +Lock_time: +[\d.]+ +Rows_sent: +(\d+) +Rows_examined: +(\d+)"
)
_CONNECTION = re.compile(rb"(?:\bId:|Thread_id:) *(\d+)")
_SCHEMA = re.compile(rb"# (?:.*\s)?Schema: (\S*)")
_AFFECTED = re.compile(rb"\bRows_affected: *(\d+)")
_RATE_LIMIT = re.compile(rb"\bLog_slow_rate_limit: *(\d+)")
_USE = re.compile(rb"use (.*?);\n", re.DOTALL)
_SETTINGS = re.compile(rb"SET (?:(?:last_insert_id|insert_id|timestamp)=[\d.]+,?)+;\n")
_TIMESTAMP = re.compile(rb"timestamp=(\d+)(?:\.(\d+))?")
_ADMINISTRATOR = re.compile(rb"# administrator command: ([^;\n]*);?\s*$")

NOTE_DATABASE: Final = (
    "The slow log names a statement's database only when it changes from one event to the next; the databases of "
    "statements that do not name one themselves are inferred from file order."
)
NOTE_SLOW: Final = (
    "A slow log holds statements that took at least long_query_time; whether faster ones are missing it does not say."
)
NOTE_CALLS: Final = "Statements that run inside stored functions and procedures may be missing from the slow log."
_NOTE_RATE: Final = (
    "The server logged one of every {limit} sessions or statements (Log_slow_rate_limit); calls are as logged, not "
    "multiplied."
)


def read_slow_log(path: Path, name: str | None = None, *, key: bytes) -> Digest:
    """The digest of one slow log, plain or compressed. `name` stands for the file in the value, else its base name.

    `key` keys the hashes of values. Raises UsageError or InputError where the file cannot be read or is no slow log;
    what is not understood inside it is counted and told in `problems`.
    """
    with open_input(path) as opened:
        collector = Collector("slow", name or path.name, key)
        for sentence in (NOTE_SLOW, NOTE_CALLS):
            collector.note(sentence)
        reader = _SlowLog(collector)
        records = Records(opened.lines(), reader.start, reader.find_body)
        reader.read(records)
        if not collector.events and not reader.server_seen:
            raise not_a_log(path, "slow", records.seen)
        if records.foreign_lines:
            collector.problem(0, f"{records.foreign_lines} lines before the first event belong to none")
        return collector.finish(opened.sha256, opened.size)


class _SlowLog:
    """What the events of a slow log inherit from those before: time, database, and who the server is."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._clock = Clock()
        self._time: int | None = None
        self._local_time = False
        self._database = ""
        self.server_seen = False

    def start(self, line: bytes, offset: int, record: Record | None) -> Record | None:
        """A record begins with its Time line, or its User@Host line where the second has not changed."""
        if line.startswith(b"# Time: "):
            return Record(offset, [line]) if _TIME_LINE.match(line) else None
        if line.startswith(b"# User@Host: "):
            if record is not None and record.body < 0 and record.lines[-1].startswith(b"# Time: "):
                return None
            return Record(offset, [line]) if _USER_LINE.match(line) else None
        if line.endswith((b"started with:\n", b"started with:")) and _SERVER_LINE.match(line):
            return Record(offset, [line])
        return None

    def find_body(self, line: bytes, record: Record) -> None:
        """SQL begins at the first line that is no header; a bare `#` line is one of the headers."""
        is_event = record.lines[0].startswith(b"#")
        if is_event and (not line.startswith(b"#") or line.startswith(b"# administrator command:")):
            record.body = len(record.lines) - 1

    def read(self, records: Iterator[Record] | Records) -> None:
        """Take every record."""
        record: Record | None = None
        for record in records:
            self._take(record)
        if record is not None:
            self._check_end(record)

    def _take(self, record: Record) -> None:
        if not record.lines[0].startswith(b"#"):
            self._server(record)
            return
        if record.unterminated:
            self._collector.problem(record.offset, "a quote or comment of this statement is never closed")
        header = record.lines[: record.body] if record.body >= 0 else record.lines
        if header and header[0].startswith(b"# Time: "):
            self._take_time(header[0])
        self._collector.event()
        if record.body < 0:
            self._collector.problem(record.offset, "an event without a statement")
            return
        self._statement(record, b"".join(header))

    def _server(self, record: Record) -> None:
        match = _SERVER_LINE.match(record.lines[0])
        if match is not None:
            self._collector.server(match.group(2), match.group(3))
        self._database = ""
        self.server_seen = True

    def _take_time(self, line: bytes) -> None:
        parsed = self._clock.parse(line[8:].strip())
        if parsed is None:
            return
        self._time, zoned = parsed
        self._local_time = not zoned

    def _statement(self, record: Record, header: bytes) -> None:
        user = _USER.search(header)
        timing = _QUERY_TIME.search(header)
        connection = _CONNECTION.search(header)
        thread = int(connection.group(1)) if connection else None
        sql, settings = self._prefixes(record.sql())
        administrator = _ADMINISTRATOR.match(sql)
        if administrator is not None:  # Prepare, Close stmt, Init DB, Ping, Quit: no SQL
            if administrator.group(1) == b"Quit" and thread is not None:
                self._collector.disconnect(thread, self._event_time(settings))
            return
        affected = _AFFECTED.search(header)
        limit = _RATE_LIMIT.search(header)
        if limit is not None and int(limit.group(1)) > 1:
            self._collector.note(_NOTE_RATE.format(limit=int(limit.group(1))))
        self._collector.statement(
            Statement(
                time_us=self._event_time(settings),
                connection=thread,
                user=user.group(1).decode("utf-8", "backslashreplace") if user else "",
                schema_name=self._schema(header),
                sql=sql,
                offset=record.offset,
                query_us=microseconds(timing.group(1), timing.group(2)) if timing else None,
                rows_sent=int(timing.group(3)) if timing else None,
                rows_examined=int(timing.group(4)) if timing else None,
                rows_affected=int(affected.group(1)) if affected else None,
                ends_at_time=not self._local_time,
            )
        )

    def _prefixes(self, body: bytes) -> tuple[bytes, bytes]:
        """Take off `use db;` and the SET line that the server writes before each statement."""
        use = _USE.match(body)
        if use is not None and body[use.end() :].startswith(b"SET "):
            self._database = use.group(1).strip(b"`").decode("utf-8", "backslashreplace")
            body = body[use.end() :]
        settings = _SETTINGS.match(body)
        if settings is None:
            return body.rstrip(b"\n").removesuffix(b";"), b""
        rest = body[settings.end() :]
        rest = rest if rest.strip(b"\n") else body
        return rest.rstrip(b"\n").removesuffix(b";"), settings.group(0)

    def _schema(self, header: bytes) -> str:
        """MariaDB and Percona say the database; MySQL only by `use db;`, which holds in file order."""
        said = _SCHEMA.search(header)
        if said is not None:
            return said.group(1).decode("utf-8", "backslashreplace")
        self._collector.note(NOTE_DATABASE)
        return self._database

    def _event_time(self, settings: bytes) -> int | None:
        """The Time line where it has a zone; else SET timestamp, which is UTC; else the local time as if UTC."""
        if self._time is not None and not self._local_time:
            return self._time
        said = _TIMESTAMP.search(settings)
        if said is not None:
            return microseconds(said.group(1), said.group(2))
        if self._time is not None:
            self._collector.note("Times without a zone are read as UTC.")
        return self._time

    def _check_end(self, record: Record) -> None:
        """The server ends every statement with a semicolon and a newline."""
        if record.lines[0].startswith(b"#") and not record.lines[-1].rstrip(b"\n").endswith(b";"):
            self._collector.problem(record.offset, "the file ends inside this event; it is kept as far as it goes")
