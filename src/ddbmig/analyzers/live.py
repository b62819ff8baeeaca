"""A running MySQL or MariaDB server, read only: its DDL, settings, statement digests and rows.

The rows of one pass are one consistent snapshot in a read-only transaction; times are read in UTC as mysqldump does.
Between passes no transaction is open, so that nobody's ALTER TABLE waits for us.
The password comes from the caller or from MYSQL_PWD and is kept nowhere.
"""

import os
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from ddbmig.model.encodings import Cell
from ddbmig.model.errors import UsageError
from ddbmig.model.schema import Schema, Table
from ddbmig.model.snapshot import Connection

if TYPE_CHECKING:
    import pymysql
    from pymysql.cursors import Cursor, SSCursor

SETTINGS = ("character_set_server", "general_log", "log_output", "long_query_time", "slow_query_log", "sql_mode",
            "time_zone", "transaction_isolation", "tx_isolation")  # fmt: skip
_SYSTEM_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")
_SESSION = (
    "SET SESSION sql_mode = '', time_zone = '+00:00', sql_quote_show_create = 1",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
)
_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_REASONS = {
    1044: "the user may not read this database",
    1045: "the user or the password is refused",
    1049: "there is no such database",
    2003: "nothing answers there",
    2026: "no TLS connection is possible",
}
_HINT = "check host, port and user, and give the password in MYSQL_PWD"


@dataclass(frozen=True)
class ServerAddress:
    """Where a server is and who asks; `database` is empty for all databases. `tls` is preferred, required or disabled,
    and `ca` a file of certificates to verify the server's with."""

    host: str
    port: int
    user: str
    database: str
    tls: str = "preferred"
    ca: str | None = None


class StatementDigest(NamedTuple):
    """One row of performance_schema.events_statements_summary_by_digest. Times are microseconds, since 1970 (UTC) for
    the last two."""

    schema_name: str
    text: str
    calls: int
    query_us: int
    rows_sent: int
    rows_examined: int
    rows_affected: int
    first_us: int
    last_us: int


def parse_url(url: str) -> ServerAddress:
    """`mysql://user@host:port/database?tls=required&ca=FILE`. Raises UsageError; a password in it is refused, since
    URLs end up in shell histories and process lists."""
    expected = "mysql://user@host:3306/database"
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError as error:
        raise UsageError("not the URL of a server", expected=expected) from error
    if parts.password is not None:
        raise UsageError(
            "a password in the URL is refused", expected=expected, hint="give it in the environment variable MYSQL_PWD"
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = options.get("tls", "preferred")
    if parts.scheme not in ("mysql", "mariadb") or not parts.hostname or not parts.username or parts.fragment:
        raise UsageError("not the URL of a server", expected=expected)
    if tls not in ("preferred", "required", "disabled") or options.keys() - {"tls", "ca"}:
        raise UsageError("unknown option in the URL", expected="tls=preferred|required|disabled or ca=FILE")
    database = unquote(parts.path.strip("/"))
    return ServerAddress(parts.hostname, port, unquote(parts.username), database, tls, options.get("ca"))


def collect(url: str, password: str | None = None) -> "LiveCollection":
    """Connect; use the result as a context manager.

    `password` falls back to the environment variable MYSQL_PWD. Raises UsageError, which never holds the password, for
    a URL that is none and for a server that cannot be read.
    """
    address = parse_url(url)
    if password is None:
        password = os.environ.get("MYSQL_PWD", "")
    with _as_usage_error(address):
        return LiveCollection(address, _connect(address, password))


def open_connection(url: str, password: str | None = None) -> "pymysql.Connection[Cursor]":
    """A connection that may write, for scratch schemas of ours; dates and times are read as text.

    An UPDATE counts the rows that it found, whether their values changed or not. `password` falls back to the
    environment variable MYSQL_PWD. Raises UsageError as `collect` does.
    """
    from pymysql.constants import CLIENT

    address = parse_url(url)
    if password is None:
        password = os.environ.get("MYSQL_PWD", "")
    with _as_usage_error(address):
        return _connect(address, password, CLIENT.FOUND_ROWS)


class LiveCollection:
    """A connection to a server that can only read. Every method raises UsageError where the server fails."""

    def __init__(self, address: ServerAddress, connection: "pymysql.Connection[Cursor]") -> None:
        self._address = address
        self._connection = connection
        found = self._query("SHOW GLOBAL VARIABLES WHERE Variable_name IN %s", SETTINGS)
        version = str(self._query("SELECT VERSION()")[0][0])
        self.connection = Connection(
            server_version=version, settings={str(name): str(value) for name, value in sorted(found)}
        )
        for statement in _SESSION:
            self._query(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ddl(self) -> str:
        """The DDL of all tables, views, triggers, routines and events, in the form of a dump."""
        with _as_usage_error(self._address):
            parts = [self._database_ddl(database) for database in self._databases()]
        return "\n".join(parts)

    def rows(self, schema: Schema) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Every row of the schema's tables as (table id, cells in the order of the columns), in primary-key order."""
        from pymysql.cursors import SSCursor

        self._query(_BEGIN)
        try:
            for table in schema.tables:
                with _as_usage_error(self._address), self._connection.cursor(SSCursor) as cursor:
                    cursor.execute(_select(table))
                    for row in _stream(cursor):
                        yield table.id, row
        finally:
            if self._connection.open:
                self._query("ROLLBACK")

    def statement_digests(self) -> tuple[StatementDigest, ...]:
        """What performance_schema counted of the statements in these databases, by schema and text; empty where it is
        switched off. Statements beyond its capacity have no text and are not in it: see `statements_lost`."""
        rows = self._query(
            "SELECT SCHEMA_NAME, DIGEST_TEXT, COUNT_STAR, SUM_TIMER_WAIT DIV 1000000, SUM_ROWS_SENT,"
            " SUM_ROWS_EXAMINED, SUM_ROWS_AFFECTED, ROUND(UNIX_TIMESTAMP(FIRST_SEEN) * 1000000),"
            " ROUND(UNIX_TIMESTAMP(LAST_SEEN) * 1000000)"
            " FROM performance_schema.events_statements_summary_by_digest"
            " WHERE DIGEST_TEXT IS NOT NULL AND SCHEMA_NAME IN %s"
            " ORDER BY SCHEMA_NAME, DIGEST_TEXT, DIGEST",
            self._databases(),
        )
        return tuple(StatementDigest(str(row[0]), str(row[1]), *(int(number) for number in row[2:])) for row in rows)

    def statements_lost(self) -> int:
        """Calls that performance_schema counted without their text, because its table of digests was full."""
        counted = self._query(
            "SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_statements_summary_by_digest"
            " WHERE DIGEST IS NULL"
        )
        return int(counted[0][0])

    def _query(self, sql: str, value: str | Sequence[str] | None = None) -> tuple[tuple[Any, ...], ...]:
        """All rows of a query; `value` stands for its only `%s`, a sequence as a list in parentheses."""
        with _as_usage_error(self._address), self._connection.cursor() as cursor:
            cursor.execute(sql, None if value is None else (value,))
            return tuple(cursor.fetchall())

    def _names(self, sql: str, value: str | Sequence[str]) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self._query(sql, value))

    def _databases(self) -> tuple[str, ...]:
        """The database of the URL, or all that are not the server's own."""
        if self._address.database:
            return (self._address.database,)
        sql = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN %s ORDER BY SCHEMA_NAME"
        return self._names(sql, _SYSTEM_SCHEMAS)

    def _database_ddl(self, database: str) -> str:
        parts = [f"-- Host: {self._address.host}    Database: {database}", f"USE {_quoted(database)};"]
        for name in self._names(_TABLES, database):
            created = self._query(f"SHOW CREATE TABLE {_quoted(database)}.{_quoted(name)}")[0][1]
            parts.append(f"{created};")
        parts.append("DELIMITER ;;")
        for kind, (names, column) in _OBJECTS.items():
            for name in self._names(names, database):
                created = self._query(f"SHOW CREATE {kind} {_quoted(database)}.{_quoted(name)}")[0][column]
                # Without the right to see a routine's body the server gives NULL; its name is known all the same.
                parts.append(f"{created or f'CREATE {kind} {_quoted(name)}'} ;;")
        parts.append("DELIMITER ;\n")
        return "\n".join(parts)


_TABLES = (
    "SELECT TABLE_NAME FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA = %s AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME"
)
_ROUTINES = "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = %s AND ROUTINE_TYPE = "
_OBJECTS = {
    "VIEW": ("SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME", 1),
    "TRIGGER": (
        "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = %s ORDER BY TRIGGER_NAME",
        2,
    ),
    "PROCEDURE": (_ROUTINES + "'PROCEDURE' ORDER BY ROUTINE_NAME", 2),
    "FUNCTION": (_ROUTINES + "'FUNCTION' ORDER BY ROUTINE_NAME", 2),
    "EVENT": ("SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = %s ORDER BY EVENT_NAME", 3),
}
"""Kind -> the query for the names, and the column of SHOW CREATE that holds the statement."""


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _select(table: Table) -> str:
    """All columns of a table in primary-key order."""
    columns = ", ".join(_quoted(column.name) for column in table.columns)
    words = ["SELECT", columns, "FROM", f"{_quoted(table.schema_name)}.{_quoted(table.name)}"]
    if table.primary_key:
        words += ["ORDER BY", ", ".join(_quoted(name) for name in table.primary_key)]
    return " ".join(words)


def _stream(cursor: "SSCursor") -> Iterator[tuple[Cell, ...]]:
    while rows := cursor.fetchmany(1000):
        yield from rows


def _connect(address: ServerAddress, password: str, flags: int = 0) -> "pymysql.Connection[Cursor]":
    """Connect with TLS; where TLS is only preferred and the server has none, without. `flags` are pymysql's CLIENT."""
    import pymysql

    def attempt(context: ssl.SSLContext | None) -> "pymysql.Connection[Cursor]":
        return pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=password,
            database=address.database or None,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=10,
            conv=_conversions(),
            client_flag=flags,
            ssl=context,
            ssl_disabled=context is None,
        )

    if address.tls == "disabled":
        return attempt(None)
    try:
        return attempt(_tls(address))
    except pymysql.err.OperationalError as error:
        if address.tls == "required" or address.ca or error.args[0] != 2026:
            raise
        return attempt(None)


def _tls(address: ServerAddress) -> ssl.SSLContext:
    """Verified against `ca` where one is given; else only encrypted, as the mysql client does by default."""
    context = ssl.create_default_context(cafile=address.ca)
    if address.ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _conversions() -> dict[Any, Any]:
    """pymysql's conversions without those of dates and times, which stay as MySQL writes them."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions

    kept_as_text = (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
    return {kind: convert for kind, convert in conversions.items() if kind not in kept_as_text}


@contextmanager
def _as_usage_error(address: ServerAddress) -> Iterator[None]:
    """What the driver raises, as one line that names the server and the way out."""
    import pymysql

    try:
        yield
    except (pymysql.err.MySQLError, OSError, RuntimeError) as error:
        code = error.args[0] if error.args else None
        reason = _REASONS.get(code, "") if isinstance(code, int) else ""
        number = f" (error {code})" if isinstance(code, int) else f" ({type(error).__name__})"
        raise UsageError(
            f"the server {address.host}:{address.port} cannot be read: {reason or 'it refuses'}{number}",
            subject=f"{address.user}@{address.host}",
            hint=_HINT,
        ) from error
