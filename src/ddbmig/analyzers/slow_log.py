"""The slow log of MySQL 5.6 and later, MariaDB and Percona Server -> digest."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

from ddbmig.analyzers.blocks import Block, State
from ddbmig.analyzers.events import Record, Records
from ddbmig.analyzers.log_reader import NOTE_ZONE, Doubtful, LogReader, Progress, read_log, sets_ansi_quotes
from ddbmig.analyzers.shapes import Shapes
from ddbmig.analyzers.times import Clock, microseconds
from ddbmig.analyzers.trace import NONE, Control
from ddbmig.model.digest import Digest

_EVENT = re.compile(
    rb"# Time: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})(Z|[+-]\d\d:\d\d)\n"
    rb"# User@Host: ([^\n\[]*+)\[[^\n]*?\] @ [^\n]*?Id: *(\d{1,15})\n"
    rb"# Query_time: (\d{1,9})\.(\d{6})  Lock_time: [\d.]++ Rows_sent: (\d{1,15})  Rows_examined: (\d{1,15})\n"
    rb"(?:use ([^\n;]*);\n)?SET timestamp=\d+;\n"
    rb"([^#\n][^\n]*+(?:\n(?!# Time: |# User@Host: |\S+, Version: |\Z)[^\n]*+)*+)\n"
)
"""An event as MySQL 5.7 and later write it, up to the next line that looks like a border."""
_FIELDS: Final = 12
"""The groups of _EVENT and what lies before it, as `split` gives them."""
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
_LONGEST: Final = 16
"""Digits of counts and connection ids; as many or more are nonsense."""
_LONGEST_TIME: Final = 11
"""Digits of seconds."""
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


def read_slow_log(
    path: Path, name: str | None = None, *, key: bytes, jobs: int = 1, progress: Progress = lambda _: None
) -> Digest:
    """The digest of one slow log, as `log_reader.read_log` makes it; `name` defaults to the file's base name."""
    return read_log(SlowLog, path, name or path.name, key, jobs=jobs, progress=progress)


class SlowLog(LogReader):
    """Reads blocks of a slow log. Ordinary events by one regular expression, all others line by line."""

    kind = "slow"
    notes = (NOTE_SLOW, NOTE_CALLS)

    def __init__(self, block: Block, state: State, name: str, key: bytes, shapes: Shapes) -> None:
        super().__init__(block, state, name, key, shapes)
        self._clock = Clock()
        self._local_time = False
        self._ansi: dict[int, bool] = {}

    @staticmethod
    def last_border(buffer: bytes) -> int:
        """An event begins with its Time line, or its User@Host line where the second has not changed."""
        return buffer.rfind(b"\n# Time: ") + 1 or buffer.rfind(b"\n# User@Host: ") + 1

    @staticmethod
    def first_border(buffer: bytes) -> int:
        """The first of such lines."""
        found = [at + 1 for at in (buffer.find(b"\n# Time: "), buffer.find(b"\n# User@Host: ")) if at >= 0]
        return min(found, default=-1)

    @staticmethod
    def foresee(data: bytes, state: dict[Hashable, Any]) -> None:
        """The database is the last one named."""
        named = data.rfind(b"\nuse ")
        use = _USE.match(data, named + 1) if named >= 0 else None
        if use is not None:
            state["database"] = _text(use.group(1).strip(b"`"))

    def read_ordinary(self) -> None:
        """Read all events; Doubtful where a look at every line is needed."""
        if self.block.final and not self.block.data.endswith(b";\n"):
            raise Doubtful
        self._clock, self._local_time = Clock(), False
        parts = _EVENT.split(self.block.data)
        last_second, last_zone, second_us = b"", b"", 0
        writer, users, ansi = self.writer, self._names, self._ansi
        database: str | None = None
        count = 0
        for gap, second, fraction, zone, user, thread, took, took_fraction, sent, examined, use, sql in zip(
            *(parts[at::_FIELDS] for at in range(_FIELDS)), strict=False
        ):
            if gap:
                self._say(database, second_us)
                self._read_gap(gap)
                database = None
            if second != last_second or zone != last_zone:
                parsed = self._clock.parse(second + zone)
                if parsed is None:
                    raise Doubtful
                last_second, last_zone, second_us = second, zone, parsed[0]
            if use is not None:
                database = _text(use.strip(b"`"))
            elif database is None:
                database = self.state.get("database") or ""
            connection = int(thread)
            quotes = ansi.get(connection)
            if quotes is None:
                quotes = self._quotes(connection)
            count += 1
            template = writer.statement(
                second_us + int(fraction), connection, users[user], database, sql.rstrip(b"\n").removesuffix(b";"),
                (int(took) * 1_000_000 + int(took_fraction), int(sent), int(examined), NONE), ansi_quotes=quotes,
            )  # fmt: skip
            if template.reason == "session setting":
                self._setting(connection, sql)
        writer.trace.events += count
        if count:
            writer.trace.notes.add(NOTE_DATABASE)
            self._say(database, second_us + int(parts[-_FIELDS + 1]))
        if parts[-1]:
            self._read_gap(parts[-1])

    def _say(self, database: str | None, time_us: int) -> None:
        """Put what the loop knows where events read line by line find it."""
        if database is not None:
            self.state.set("database", database)
            self.state.set("time", (time_us, False))

    def _quotes(self, connection: int) -> bool:
        found = self._ansi[connection] = bool(self.state.get(connection))
        return found

    def _setting(self, connection: int, sql: bytes) -> None:
        said = sets_ansi_quotes(sql)
        if said is not None:
            self._ansi[connection] = said
            self.state.set(connection, said or None)

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

    def read_records(self, records: Records) -> None:
        """Take every record."""
        record: Record | None = None
        for record in records:
            self._take(record)
        if record is not None and self.block.final:
            self._check_end(record)

    def _take(self, record: Record) -> None:
        if not record.lines[0].startswith(b"#"):
            self._server(record)
            return
        if record.unterminated:
            self.writer.problem(record.offset, "a quote or comment of this statement is never closed")
        header = record.lines[: record.body] if record.body >= 0 else record.lines
        if header and header[0].startswith(b"# Time: "):
            self._take_time(header[0])
        self.writer.trace.events += 1
        if record.body < 0:
            self.writer.problem(record.offset, "an event without a statement")
            return
        self._statement(record, b"".join(header))

    def _server(self, record: Record) -> None:
        match = _SERVER_LINE.match(record.lines[0])
        if match is not None:
            self.restart(match.group(2), match.group(3))
        self._ansi.clear()

    def _take_time(self, line: bytes) -> None:
        parsed = self._clock.parse(line[8:].strip())
        if parsed is not None:
            self.state.set("time", (parsed[0], not parsed[1]))

    def _statement(self, record: Record, header: bytes) -> None:
        user = _USER.search(header)
        timing = _QUERY_TIME.search(header)
        connection = _CONNECTION.search(header)
        thread = int(connection.group(1)) if connection and len(connection.group(1)) < _LONGEST else None
        sql, settings = self._prefixes(record.sql())
        administrator = _ADMINISTRATOR.match(sql)
        if administrator is not None:  # Prepare, Close stmt, Init DB, Ping, Quit: no SQL
            if administrator.group(1) == b"Quit" and thread is not None:
                self._disconnect(thread)
            return
        affected = _AFFECTED.search(header)
        limit = _RATE_LIMIT.search(header)
        if limit is not None and _number(limit.group(1)) > 1:
            self.writer.trace.notes.add(_NOTE_RATE.format(limit=_number(limit.group(1))))
        time_us, local_time = self._event_time(settings)
        template = self.writer.statement(
            time_us, thread, _text(user.group(1)) if user else "", self._schema(header), sql,
            (
                _microseconds(timing.group(1), timing.group(2)) if timing else NONE,
                _number(timing.group(3)) if timing else NONE,
                _number(timing.group(4)) if timing else NONE,
                _number(affected.group(1)) if affected else NONE,
            ),
            ends=not local_time, ansi_quotes=thread is not None and self._quotes(thread), exact=True,
        )  # fmt: skip
        if thread is not None and template.reason == "session setting":
            self._setting(thread, sql)

    def _disconnect(self, connection: int) -> None:
        self.writer.control(Control.DISCONNECT, connection)
        self._ansi[connection] = False
        self.state.set(connection, None)

    def _prefixes(self, body: bytes) -> tuple[bytes, bytes]:
        """Take off `use db;` and the SET line that the server writes before each statement."""
        use = _USE.match(body)
        if use is not None and body[use.end() :].startswith(b"SET "):
            self.state.set("database", _text(use.group(1).strip(b"`")))
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
            return _text(said.group(1))
        self.writer.trace.notes.add(NOTE_DATABASE)
        return self.state.get("database") or ""

    def _event_time(self, settings: bytes) -> tuple[int | None, bool]:
        """The Time line where it has a zone; else SET timestamp, which is UTC; else the local time as if UTC.

        And whether the Time line is local, which is that of the begin.
        """
        time_us, local = self.state.get("time") or (None, False)
        if time_us is not None and not local:
            return time_us, local
        said = _TIMESTAMP.search(settings)
        if said is not None and len(said.group(1)) < _LONGEST_TIME:
            return microseconds(said.group(1), said.group(2)), local
        if time_us is not None:
            self.writer.trace.notes.add(NOTE_ZONE)
        return time_us, local

    def _check_end(self, record: Record) -> None:
        """The server ends every statement with a semicolon and a newline."""
        if record.lines[0].startswith(b"#") and not record.lines[-1].rstrip(b"\n").endswith(b";"):
            self.writer.problem(record.offset, "the file ends inside this event; it is kept as far as it goes")


def _number(digits: bytes) -> int:
    return int(digits) if len(digits) < _LONGEST else NONE


def _microseconds(seconds: bytes, fraction: bytes | None) -> int:
    return microseconds(seconds, fraction) if len(seconds) < _LONGEST_TIME else NONE


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
