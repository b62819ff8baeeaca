"""The log tables of a server, mysql.general_log and mysql.slow_log -> digest.

They hold what the log files hold, so each row is spelt as the event of a file and read by the reader of such files; the
file is temporary, readable by its owner only, and gone at the end. Statements of other databases are left out.
"""

import gzip
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ddbmig.analyzers.digest import combine
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.live import LiveCollection
from ddbmig.analyzers.slow_log import read_slow_log
from ddbmig.model.digest import Digest

Reader = Callable[..., Digest]
_GENERAL: Final = (
    "SELECT UNIX_TIMESTAMP(event_time), thread_id, command_type, argument FROM mysql.general_log"
    " WHERE thread_id <> CONNECTION_ID()"
)
_SLOW: Final = (
    "SELECT UNIX_TIMESTAMP(start_time), user_host, TIME_TO_SEC(query_time) + MICROSECOND(query_time) / 1000000,"
    " rows_sent, rows_examined, db, thread_id, sql_text FROM mysql.slow_log WHERE thread_id <> CONNECTION_ID()"
)
_COMMANDS: Final = frozenset({b"Quit", b"Ping", b"Statistics", b"Init DB", b"Reset stmt", b"Close stmt", b"Prepare"})
"""What the slow log's table holds for a command that is no SQL."""
_OPENING: Final = b"mysqld, Version: %s (). started with:\n"


def digest_of_tables(live: LiveCollection, key: bytes) -> Digest | None:
    """What both tables say; None where they hold no statement of these databases, or may not be read (see `gaps`)."""
    ours = frozenset(live.databases())
    general = _read(live, "general_log", lambda: _general_events(live, ours), read_general_log, key)
    slow = _read(live, "slow_log", lambda: _slow_events(live, ours), read_slow_log, key)
    return combine(general, slow) if general or slow else None


def _read(
    live: LiveCollection, name: str, events: Callable[[], Iterator[bytes]], reader: Reader, key: bytes
) -> Digest | None:
    with tempfile.TemporaryDirectory(prefix="ddbmig-") as folder, live.tolerating(f"statements of mysql.{name}"):
        path = Path(folder) / f"{name}.gz"
        with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as file:
            file.write(_OPENING % live.version.encode())
            for event in events():
                file.write(event)
        digest = reader(path, f"mysql.{name}", key=key)
        return digest if digest.templates else None
    return None


def _general_events(live: LiveCollection, ours: frozenset[str]) -> Iterator[bytes]:
    """The rows as lines of a general log; the database of a connection is followed to leave others out."""
    foreign: set[Any] = set()
    for when, thread, command, argument in live.stream(_GENERAL):
        kind, text = _bytes(command), _bytes(argument)
        database = _database(kind, text)
        if database is not None:
            (foreign.discard if not database or database in ours else foreign.add)(thread)
        if thread not in foreign or kind == b"Quit":
            yield b"%s\t%s %s\t%s\n" % (_stamp(when), _bytes(thread), kind, text)


def _database(command: bytes, argument: bytes) -> str | None:
    """The database that a connection has from here on; None where the event says nothing of it."""
    if command == b"Init DB":
        return argument.decode("utf-8", "replace")
    if command == b"Connect":
        return argument.partition(b" on ")[2].rpartition(b" using ")[0].strip().decode("utf-8", "replace")
    return None


def _slow_events(live: LiveCollection, ours: frozenset[str]) -> Iterator[bytes]:
    """The rows as events of a slow log, which notes when a statement ended and the table when it began."""
    for began, user, took, sent, examined, database, thread, sql in live.stream(_SLOW):
        name, text = _bytes(database), _bytes(sql)
        if name and name.decode("utf-8", "replace") not in ours:
            continue
        end = Decimal(str(began)) + Decimal(str(took))
        yield b"# Time: %s\n# User@Host: %s  Id: %s\n" % (_stamp(end), _one_line(_bytes(user)), _bytes(thread))
        yield b"# Query_time: %s  Lock_time: 0.000000 Rows_sent: %s  Rows_examined: %s\n" % (
            f"{Decimal(str(took)):.6f}".encode(), _bytes(sent), _bytes(examined),
        )  # fmt: skip
        if name:
            yield b"use %s;\n" % _one_line(name)
        yield b"SET timestamp=%d;\n" % int(end)
        yield b"# administrator command: %s;\n" % text if text in _COMMANDS else text.rstrip(b";") + b";\n"


def _one_line(text: bytes) -> bytes:
    return text.replace(b"\n", b" ").replace(b"\r", b" ")


def _bytes(cell: Any) -> bytes:
    return cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogateescape")


def _stamp(seconds: Any) -> bytes:
    when = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(Decimal(str(seconds)) * 1_000_000))
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
