"""A running MySQL or MariaDB server, read only: its DDL, settings, statement digests and rows.

The rows of one pass are one consistent snapshot in a read-only transaction; times are read in UTC as mysqldump does.
Between passes no transaction is open, so that nobody's ALTER TABLE waits for us. Every statement has a time limit and
waits for no lock for long. All begin with `OWN_MARK` and run without a default database, so that neither a log nor
performance_schema counts them as the application's. What the server refuses to tell is noted in `gaps` and left out.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from ddbmig.analyzers.normalize import OWN_MARK
from ddbmig.analyzers.server_login import SAFE_WAYS, Login, ServerAddress, login, parse_url, tls_context, tls_refusal
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import UsageError
from ddbmig.model.schema import Schema, Table
from ddbmig.model.snapshot import Connection

if TYPE_CHECKING:
    import ssl

    import pymysql
    from pymysql.cursors import Cursor, SSCursor

__all__ = ["LiveCollection", "Pace", "ServerAddress", "StatementDigest", "collect", "parse_url", "quoted"]

SETTINGS = ("binlog_format", "character_set_server", "collation_server", "general_log", "innodb_version", "log_output",
            "log_queries_not_using_indexes", "log_slow_rate_limit", "long_query_time", "lower_case_table_names",
            "min_examined_row_limit", "performance_schema", "read_only", "slow_query_log", "sql_mode",
            "system_time_zone", "time_zone", "transaction_isolation", "tx_isolation")  # fmt: skip
_SYSTEM_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")
_LOCK_SECONDS = 5
_SESSION = (
    "SET SESSION sql_mode = '', time_zone = '+00:00', sql_quote_show_create = 1",
    f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}, innodb_lock_wait_timeout = {_LOCK_SECONDS}",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
)
_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_NO_TLS = 2026
_REASONS = {
    1044: "the user may not read this database",
    1045: "the user or the password is refused",
    1049: "there is no such database",
    2003: "nothing answers there",
    2013: "the connection was lost",
    _NO_TLS: "no TLS connection is possible",
}
_HINTS = {
    _NO_TLS: "switch TLS on at the server, name its CA with --tls-ca, or, where nobody listens on the way, allow a "
    "connection in the clear with --no-tls (of analyze: ?tls=disabled in the URL)",
    2013: "run it again: nothing half-done was left",
}
_HINT = f"check host, port and user; if there is a password, {SAFE_WAYS}"
BEARABLE: Final = {
    1044: "no privilege", 1142: "no privilege", 1143: "no privilege", 1227: "no privilege", 1345: "no privilege",
    1370: "no privilege", 1146: "not there", 1305: "not there", 1356: "refers to what is not there or not allowed",
    1449: "its definer is not there", 1193: "not known to this server", 1205: "waited too long for a lock",
    1969: "took longer than the time limit", 3024: "took longer than the time limit",
    1317: "was interrupted",
}  # fmt: skip
"""Errors that cost one piece of information only, and what each means."""
CHUNK_ROWS = 10_000
"""Rows of one statement where the primary key can be walked: between two of them the server is left alone."""
_WALKABLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "date", "datetime", "timestamp",
                       "char", "varchar", "binary", "varbinary"})  # fmt: skip
"""Types whose literals compare as their columns sort (an ENUM sorts by number and compares by name)."""


@dataclass(frozen=True)
class Pace:
    """How gently a server is read: no statement runs longer than `seconds`; while more than `max_load` threads run,
    nothing is asked, for at most `patience` seconds."""

    seconds: int = 60
    max_load: int | None = None
    patience: int = 600


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


def collect(url: str, password: str | None = None) -> "LiveCollection":
    """Connect; use the result as a context manager.

    `password` falls back to the environment variable MYSQL_PWD. Raises UsageError, which never holds the password, for
    a URL that is none and for a server that cannot be read.
    """
    return connect(login(url, password=password))


def connect(who: Login, pace: Pace | None = None, progress: Callable[[str], None] = lambda _: None) -> "LiveCollection":
    """Connect at a pace; use the result as a context manager. Raises UsageError where the server cannot be read."""
    with _as_usage_error(who.address):
        return LiveCollection(who.address, _connect(who), pace or Pace(), progress)


def open_connection(url: str, password: str | None = None) -> "pymysql.Connection[Cursor]":
    """A connection that may write, for scratch schemas of ours; dates and times are read as text.

    An UPDATE counts the rows that it found, whether their values changed or not. `password` falls back to the
    environment variable MYSQL_PWD. Raises UsageError as `collect` does.
    """
    from pymysql.constants import CLIENT

    who = login(url, password=password)
    with _as_usage_error(who.address):
        return _connect(who, CLIENT.FOUND_ROWS)


class LiveCollection:
    """A connection to a server that can only read. Every method raises UsageError where the server fails."""

    def __init__(
        self, address: ServerAddress, connection: "pymysql.Connection[Cursor]", pace: Pace,
        progress: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._address = address
        self._connection = connection
        self._pace = pace
        self._progress = progress
        self.gaps: list[str] = []
        """What the server did not tell, and why, in the order of asking."""
        found = self.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN %s", SETTINGS)
        self.version = str(self.query("SELECT VERSION()")[0][0])
        self.settings = {str(name): str(value) for name, value in sorted(found)}
        for statement in _SESSION:
            self.query(statement)
        self._limit_time()
        self.day = str(self.query("SELECT UTC_DATE()")[0][0])
        if address.database and not self.query(f"{_SCHEMATA} = %s", address.database):
            hint = "check its name, and that the user may read it"
            raise UsageError("no database of this name is there for this user", subject=address.database, hint=hint)

    @property
    def address(self) -> ServerAddress:
        """Where the server is, and the database that the URL names."""
        return self._address

    @property
    def connection(self) -> Connection:
        """The server, and what it did not tell so far."""
        gaps = tuple(dict.fromkeys(self.gaps))
        return Connection(server_version=self.version, settings=self.settings, collected_on=self.day, not_told=gaps)

    def _limit_time(self) -> None:
        """MySQL limits in milliseconds and SELECT only, MariaDB in seconds and every statement."""
        seconds = self._pace.seconds
        ours = f"max_statement_time = {seconds}" if "MariaDB" in self.version else f"max_execution_time = {seconds}000"
        with self.tolerating("a time limit for statements"):
            self.query(f"SET SESSION {ours}")
        if re.match(r"([89]|\d\d)\.", self.version) and "MariaDB" not in self.version:
            self.query("SET SESSION information_schema_stats_expiry = 0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ddl(self) -> str:
        """The DDL of all tables, views, triggers, routines and events, in the form of a dump."""
        with _as_usage_error(self._address):
            parts = [self._database_ddl(database) for database in self.databases()]
        return "\n".join(parts)

    def rows(self, schema: Schema) -> Iterator[tuple[str, tuple[Cell, ...]]]:
        """Every row of the schema's tables as (table id, cells in the order of the columns), in primary-key order."""
        with self.snapshot():
            for table in schema.tables:
                for row in self.table_rows(table):
                    yield table.id, row

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read-only transaction: what is read inside it is of one moment."""
        self.query(_BEGIN)
        try:
            yield
        finally:
            if self._connection.open:
                self.query("ROLLBACK")

    def table_rows(self, table: Table, most: int | None = None) -> Iterator[tuple[Cell, ...]]:
        """The rows of one table in primary-key order, a chunk at a time where the key can be walked. Where it cannot,
        no more than `most` are asked for."""
        key = table.primary_key
        if not can_be_walked(table):
            yield from self.stream(_select(table, limit=most))
            return
        positions = [table.columns.index(table.column(name)) for name in key]
        condition, full = "", True
        while full:
            count = 0
            for row in self.stream(_select(table, condition, CHUNK_ROWS)):
                yield row
                count += 1
            full = count == CHUNK_ROWS
            if full:
                condition = self.beyond(key, [row[position] for position in positions])

    def stream(self, sql: str) -> Iterator[tuple[Cell, ...]]:
        """The rows of a query as they arrive."""
        from pymysql.cursors import SSCursor

        self.wait_for_calm()
        with _as_usage_error(self._address), self._connection.cursor(SSCursor) as cursor:
            cursor.execute(OWN_MARK + sql)
            yield from _stream(cursor)

    def beyond(self, key: Sequence[str], values: Sequence[Cell], prefix: str = "") -> str:
        """WHERE for the rows after this key: (a, b) > (x, y), spelt so that every server walks the index. `prefix`
        goes before the names of columns, e.g. `t.`."""
        parts = []
        for length in range(1, len(key) + 1):
            signs = ["="] * (length - 1) + [">"]
            tests = [
                f"{prefix}{quoted(name)} {sign} {self.literal(value)}"
                for name, sign, value in zip(key, signs, values, strict=False)
            ]
            parts.append(f"({' AND '.join(tests)})")
        return f"WHERE {' OR '.join(parts)}"

    def literal(self, value: Cell) -> str:
        """A value as it stands in SQL."""
        text: str = self._connection.escape(value)
        return text

    def wait_for_calm(self) -> None:
        """Return once no more than `max_load` threads run. Raises UsageError when patience ends."""
        most = self._pace.max_load
        if most is None:
            return
        for waited in range(self._pace.patience + 1):
            running = int(self.query("SHOW GLOBAL STATUS LIKE 'Threads_running'")[0][1])
            if running <= most:
                return
            self._progress(f"waiting: {running} threads run on the server, at most {most} are to (--max-load)")
            if waited < self._pace.patience:
                time.sleep(1)
        raise UsageError(
            f"the server was busier than --max-load {most} for {self._pace.patience} s",
            subject=str(self._address),
            hint="try at a quieter time, on a replica, or with a higher --max-load",
        )

    @contextmanager
    def tolerating(self, what: str) -> Iterator[None]:
        """Run what a missing privilege or a time limit may refuse: `what` is then noted in `gaps`."""
        try:
            yield
        except UsageError as error:
            reason = BEARABLE.get(_code(error.__cause__))
            if reason is None:
                raise
            self.gaps.append(f"{what}: {reason}")

    def statement_digests(self) -> tuple[StatementDigest, ...]:
        """What performance_schema counted of the statements in these databases, by schema and text; empty where it is
        switched off. Statements beyond its capacity have no text and are not in it: see `statements_lost`."""
        rows = self.query(
            "SELECT SCHEMA_NAME, DIGEST_TEXT, COUNT_STAR, SUM_TIMER_WAIT DIV 1000000, SUM_ROWS_SENT,"
            " SUM_ROWS_EXAMINED, SUM_ROWS_AFFECTED, ROUND(UNIX_TIMESTAMP(FIRST_SEEN) * 1000000),"
            " ROUND(UNIX_TIMESTAMP(LAST_SEEN) * 1000000)"
            " FROM performance_schema.events_statements_summary_by_digest"
            " WHERE DIGEST_TEXT IS NOT NULL AND SCHEMA_NAME IN %s"
            " ORDER BY SCHEMA_NAME, DIGEST_TEXT, DIGEST",
            self.databases(),
        )
        return tuple(StatementDigest(str(row[0]), str(row[1]), *(int(number) for number in row[2:])) for row in rows)

    def statements_lost(self) -> int:
        """Calls that performance_schema counted without their text, because its table of digests was full."""
        counted = self.query(
            "SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_statements_summary_by_digest"
            " WHERE DIGEST IS NULL"
        )
        return int(counted[0][0])

    def query(self, sql: str, *values: Cell | Sequence[str]) -> tuple[tuple[Any, ...], ...]:
        """All rows of a query; each `%s` stands for one of `values`, a sequence as a list in parentheses."""
        with _as_usage_error(self._address), self._connection.cursor() as cursor:
            cursor.execute(OWN_MARK + sql, values or None)
            return tuple(cursor.fetchall())

    def _names(self, sql: str, value: str | Sequence[str]) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self.query(sql, value))

    def databases(self) -> tuple[str, ...]:
        """The database of the URL, or all that are not the server's own."""
        if self._address.database:
            return (self._address.database,)
        return self._names(f"{_SCHEMATA} NOT IN %s ORDER BY SCHEMA_NAME", _SYSTEM_SCHEMAS)

    def _database_ddl(self, database: str) -> str:
        parts = [f"-- Host: {self._address.host}    Database: {database}", f"USE {quoted(database)};"]
        for name in self._names(_TABLES, database):
            with self.tolerating(f"the table {database}.{name}"):
                parts.append(f"{self._created('TABLE', database, name, 1)};")
        parts.append("DELIMITER ;;")
        for kind, (names, column) in _OBJECTS.items():
            for name in self._names(names, database):
                created = None
                with self.tolerating(f"the text of the {kind.lower()} {database}.{name}"):
                    created = self._created(kind, database, name, column)
                # Without the right to see a routine's body the server gives NULL; its name is known all the same.
                parts.append(f"{created or f'CREATE {kind} {quoted(name)}'} ;;")
        parts.append("DELIMITER ;\n")
        return "\n".join(parts)

    def _created(self, kind: str, database: str, name: str, column: int) -> str | None:
        text: str | None = self.query(f"SHOW CREATE {kind} {quoted(database)}.{quoted(name)}")[0][column]
        return text


_SCHEMATA = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME"
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


def can_be_walked(table: Table) -> bool:
    """Whether rows can be asked for by ranges of the primary key."""
    return bool(table.primary_key) and all(table.column(name).type in _WALKABLE for name in table.primary_key)


def quoted(name: str) -> str:
    """An identifier in backquotes."""
    return "`" + name.replace("`", "``") + "`"


def _select(table: Table, condition: str = "", limit: int | None = None) -> str:
    """All columns of a table in primary-key order."""
    words = ["SELECT", columns_of(table), "FROM", full_name(table), condition]
    if table.primary_key:
        words += ["ORDER BY", ", ".join(quoted(name) for name in table.primary_key)]
    if limit is not None:
        words.append(f"LIMIT {limit}")
    return " ".join(words)


def columns_of(table: Table) -> str:
    """The columns of a table as a SELECT lists them."""
    return ", ".join(quoted(column.name) for column in table.columns)


def full_name(table: Table) -> str:
    """A table's name with its database."""
    return f"{quoted(table.schema_name)}.{quoted(table.name)}"


def _stream(cursor: "SSCursor") -> Iterator[tuple[Cell, ...]]:
    while rows := cursor.fetchmany(1000):
        yield from rows


def _connect(who: Login, flags: int = 0) -> "pymysql.Connection[Cursor]":
    """Connect with TLS; where it need not be and the server has none, without. `flags` are pymysql's CLIENT."""
    import pymysql

    address = who.address

    def attempt(context: "ssl.SSLContext | None") -> "pymysql.Connection[Cursor]":
        return pymysql.connect(
            host=address.host,
            port=address.port,
            unix_socket=address.socket,
            user=address.user,
            password=who.password,
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
        return attempt(tls_context(address))
    except pymysql.err.OperationalError as error:
        if address.must_encrypt or error.args[0] != _NO_TLS:
            raise
        return attempt(None)


def _conversions() -> dict[Any, Any]:
    """pymysql's conversions without those of dates and times, which stay as MySQL writes them."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions

    kept_as_text = (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
    return {kind: convert for kind, convert in conversions.items() if kind not in kept_as_text}


def _code(error: BaseException | None) -> int:
    """The server's or driver's number of an error, 0 where it has none."""
    code = error.args[0] if error is not None and error.args else 0
    return code if isinstance(code, int) else 0


@contextmanager
def _as_usage_error(address: ServerAddress) -> Iterator[None]:
    """What the driver raises, as one line that names the server and the way out."""
    import pymysql

    try:
        yield
    except (pymysql.err.MySQLError, OSError, RuntimeError) as error:
        code = _code(error)
        known = _REASONS.get(code) or BEARABLE.get(code) or "it refuses", _HINTS.get(code, _HINT)
        reason, hint = tls_refusal(error) or known
        number = f" (error {code})" if code else f" ({type(error).__name__})"
        raise UsageError(
            f"the server {address} cannot be read: {reason}{number}",
            subject=f"{address.user}@{address.host}",
            hint=hint,
        ) from error
