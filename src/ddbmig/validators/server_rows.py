"""The SQL side on a real server: the source rows in scratch schemas of a MySQL or MariaDB, and templates run there.

The scratch schemas begin with `ddbmig_validation_`, hold the tables of the snapshot, and are dropped at the end,
whatever happens. The server's clock stands still for our session, foreign keys exist only where they act, and
collations that the server does not know are substituted, which is said.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING

from ddbmig.model.condition import ColumnRef, Compare, walk
from ddbmig.model.encodings import NUMBER_TYPES, Cell
from ddbmig.model.errors import UsageError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.placeholders import number_placeholders
from ddbmig.model.schema import Column, ForeignKey, Schema, Table
from ddbmig.validators.evaluate import CLOCK
from ddbmig.validators.outputs import Answer
from ddbmig.validators.source import acts
from ddbmig.validators.sql_side import Asked, NotRun, Parameters, RawRow, Refused, Row, ask

if TYPE_CHECKING:
    import pymysql
    from pymysql.cursors import Cursor
    from sqlglot import exp

    Connect = Callable[[], pymysql.Connection[Cursor]]

PREFIX = "ddbmig_validation_"
"""Precedes the name of every schema that the proof creates, and drops."""
BATCH = 500
SUBSTITUTES = ("utf8mb4_unicode_520_ci", "utf8mb4_general_ci")
"""Taken for a collation that the server lacks: the first that it has."""
MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"
_DUPLICATE, _PARENT, _CHILD = 1062, 1452, 1451
_VALUES = frozenset({1048, 1264, 1265, 1292, 1366, 1406, 1690, 3140, 3819, 4025})
"""Errors of a value: NULL or out of range, too long, not of the type, refused by a CHECK."""
_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
_FITTED = frozenset({"char", "varchar", "binary", "varbinary", "bit"})
_FRACTIONAL = frozenset({"datetime", "timestamp", "time"})
_LONG = {"tinytext": 255, "text": 255, "mediumtext": 255, "longtext": 255, "tinyblob": 255, "blob": 255,
         "mediumblob": 255, "longblob": 255}  # fmt: skip
"""Types that a key can hold only the beginning of, in characters or bytes."""


class ServerRows:
    """All rows of the source in scratch schemas of a server: a `SqlSide`.

    `connect` opens a connection that keeps dates and times as text. Raises UsageError where the server refuses.
    """

    def __init__(self, schema: Schema, connect: "Connect") -> None:
        import pymysql

        self._schema, self._connection = schema, connect()
        self._asked: dict[str, Asked] = {}
        self._text: dict[tuple[str, str], str] = {}
        self._scratch = {name: f"{PREFIX}{n}" for n, name in enumerate(sorted({t.schema_name for t in schema.tables}))}
        self._substituted: set[str] = set()
        self._current = ""
        try:
            self.name = f"{self._one('SELECT VERSION()')!s} (scratch schemas)"
            self._known = {str(row[0]) for row in self._all("SHOW COLLATION")}
            self._prepare()
        except pymysql.err.MySQLError as error:
            self.close()
            raise UsageError(f"the SQL server refuses a scratch schema (error {_code(error)})", subject=PREFIX,
                             hint="the user needs CREATE, DROP, SELECT, INSERT, UPDATE and DELETE on "
                             f"`{PREFIX}%`") from error  # fmt: skip
        except BaseException:
            self.close()
            raise

    @cached_property
    def known_differences(self) -> tuple[str, ...]:
        """What is not as on the application's server."""
        found = [f"The collation {name} is not known there; another stands in for it, which may differ in trailing "
                 "blanks, case and accents." for name in sorted(self._substituted)]  # fmt: skip
        return (*found, "Triggers are not run, ON UPDATE CURRENT_TIMESTAMP does nothing, and foreign keys without an "
                "action are not checked.")  # fmt: skip

    # --- tables ---

    def _prepare(self) -> None:
        self._drop()
        for scratch in self._scratch.values():
            self._all(f"CREATE DATABASE {_quoted(scratch)} CHARACTER SET utf8mb4")
        self._all("SET SESSION sql_mode = '', time_zone = '+00:00', foreign_key_checks = 0")
        for table in self._schema.tables:
            self._all(self._ddl(table))

    def _ddl(self, table: Table) -> str:
        lines = [self._column(table, column) for column in table.columns]
        if table.primary_key:
            lines.append(f"PRIMARY KEY ({self._parts(table, table.primary_key)})")
        for index in table.indexes:
            if index.kind in ("unique", "index") and all(table.has_column(c) for c in index.columns):
                word = "UNIQUE KEY" if index.kind == "unique" else "KEY"
                lines.append(f"{word} {_quoted(index.name)} ({self._parts(table, index.columns)})")
        lines += [line for key in table.foreign_keys if acts(key) and (line := self._foreign_key(key))]
        return f"CREATE TABLE {self._name(table)} ({', '.join(lines)}) ENGINE=InnoDB"

    def _column(self, table: Table, column: Column) -> str:
        words = [_quoted(column.name), _type(column)]
        if column.unsigned:
            words.append("UNSIGNED")
        charset, collation = column.charset or table.charset, column.collation or table.collation
        if column.type in _TEXTS:
            words += [f"CHARACTER SET {charset}"] if charset and charset.isidentifier() else []
            words += [f"COLLATE {self._collation(collation)}"] if collation else []
        if column.generated:
            return " ".join([*words, f"AS ({column.generated}) STORED"])
        words.append("NULL" if column.nullable else "NOT NULL")
        if column.auto_increment:
            words.append("AUTO_INCREMENT")
        elif column.default is not None:
            words.append(f"DEFAULT {self._default(column, column.default)}")
        return " ".join(words)

    def _default(self, column: Column, default: str) -> str:
        if default.upper() == "NULL" or default.upper().startswith(("CURRENT_TIMESTAMP", "NOW(")):
            return default
        if column.type in NUMBER_TYPES:
            return default if re.fullmatch(r"-?[\d.]+(e-?\d+)?", default, re.I) else "0"
        return str(self._connection.escape(default))

    def _collation(self, name: str) -> str:
        if name in self._known:
            return name
        self._substituted.add(name)
        return next((s for s in SUBSTITUTES if s in self._known), "utf8mb4_general_ci")

    def _parts(self, table: Table, columns: Sequence[str]) -> str:
        lengths = {c: _LONG.get(table.column(c).type) for c in columns}
        return ", ".join(_quoted(c) + (f"({lengths[c]})" if lengths[c] else "") for c in columns)

    def _foreign_key(self, key: ForeignKey) -> str | None:
        parent = next((t for t in self._schema.tables if t.id == key.parent), None)
        if parent is None:
            return None
        own, theirs = (", ".join(_quoted(c) for c in columns) for columns in (key.columns, key.parent_columns))
        actions = f"ON DELETE {key.on_delete} ON UPDATE {key.on_update}"
        return f"FOREIGN KEY ({own}) REFERENCES {self._name(parent)} ({theirs}) {actions}"

    def _name(self, table: Table) -> str:
        return f"{_quoted(self._scratch[table.schema_name])}.{_quoted(table.name)}"

    def _drop(self) -> None:
        for scratch in self._scratch.values():
            self._all(f"DROP DATABASE IF EXISTS {_quoted(scratch)}")

    # --- rows ---

    def load(self, rows: Iterable[tuple[str, Sequence[Cell]]], limit: int) -> dict[str, int]:
        """Keep up to `limit` rows of each table; returns how many rows of each table there were."""
        seen: dict[str, int] = {}
        waiting: dict[str, list[Sequence[Cell]]] = {}
        self._all("SET SESSION unique_checks = 0, foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
        self._connection.begin()
        for table_id, row in rows:
            seen[table_id] = seen.get(table_id, 0) + 1
            if seen[table_id] <= limit:
                batch = waiting.setdefault(table_id, [])
                batch.append(row)
                if len(batch) >= BATCH:
                    self._insert(self._schema.table(table_id), batch)
        for table_id in sorted(waiting):
            self._insert(self._schema.table(table_id), waiting[table_id])
        self._connection.commit()
        moment = int(CLOCK.replace(tzinfo=UTC).timestamp())
        self._all(f"SET SESSION unique_checks = 1, foreign_key_checks = 1, timestamp = {moment}, sql_mode = '{MODE}'")
        return seen

    def _insert(self, table: Table, batch: list[Sequence[Cell]]) -> None:
        kept = [n for n, column in enumerate(table.columns) if not column.generated]
        names = ", ".join(_quoted(table.columns[n].name) for n in kept)
        marks = ", ".join("%s" for _ in kept)
        statement = f"INSERT IGNORE INTO {self._name(table)} ({names}) VALUES ({marks})"  # noqa: S608  # quoted names
        if batch:
            with self._connection.cursor() as cursor:
                cursor.executemany(statement, [tuple(row[n] for n in kept) for row in batch])
        batch.clear()

    def index(self, table_id: str, columns: Sequence[str]) -> None:
        """The tables have the indexes of the source already."""

    def count(self, table_id: str) -> int:
        """Rows of a table."""
        return int(str(self._one(f"SELECT COUNT(*) FROM {self._name(self._schema.table(table_id))}")))  # noqa: S608

    def rows(self, table_id: str) -> Iterator[Row]:
        """Every row, in the order of the primary key."""
        table = self._schema.table(table_id)
        yield from (self.row(table_id, raw) for raw in self._all(self._select(table) + _order(table)))

    def raw(self, table_id: str) -> Iterator[RawRow]:
        """Every row as the server gives it."""
        yield from self._all(self._select(self._schema.table(table_id)))

    def row(self, table_id: str, raw: RawRow) -> Row:
        """A row of `raw` by column."""
        return {c.name: cell for c, cell in zip(self._schema.table(table_id).columns, raw, strict=True)}

    def nth(self, table_id: str, position: int) -> Row | None:
        """The row at a position of the primary key's order."""
        table = self._schema.table(table_id)
        found = self._all(f"{self._select(table)}{_order(table)} LIMIT 1 OFFSET {position}")
        return self.row(table_id, found[0]) if found else None

    def where(self, table_id: str, values: Mapping[str, Cell]) -> list[Row]:
        """The rows that have these values."""
        return self._where(table_id, values, "")

    def match(self, table_id: str, values: Mapping[str, Cell]) -> Row | None:
        """The first row that has these values, if any."""
        return next(iter(self._where(table_id, values, " LIMIT 1")), None)

    def _where(self, table_id: str, values: Mapping[str, Cell], limit: str) -> list[Row]:
        table = self._schema.table(table_id)
        where = " AND ".join(f"{_quoted(c)} = %s" for c in values) or "1"
        found = self._all(f"{self._select(table)} WHERE {where}{_order(table)}{limit}", tuple(values.values()))
        return [self.row(table_id, raw) for raw in found]

    def present(self, table_id: str, column: str, limit: int) -> list[Cell]:
        """The first distinct values of a column in its order, NULL apart, and the last."""
        table, name = self._schema.table(table_id), _quoted(column)
        some = f"SELECT DISTINCT {name} FROM {self._name(table)} WHERE {name} IS NOT NULL ORDER BY {name}"  # noqa: S608
        rows = [*self._all(f"{some} LIMIT {limit}"), *self._all(f"{some} DESC LIMIT 1")]
        return [row[0] for row in rows]

    def largest(self, table_id: str, column: str) -> int:
        """The largest number in a column, 0 without one."""
        found = self._one(f"SELECT MAX({_quoted(column)}) FROM {self._name(self._schema.table(table_id))}")  # noqa: S608
        return int(found) if isinstance(found, int | float) else 0

    def _select(self, table: Table) -> str:
        columns = ", ".join(_quoted(column.name) for column in table.columns)
        return f"SELECT {columns} FROM {self._name(table)}"  # noqa: S608  # quoted names

    # --- templates ---

    def answer(self, pattern: AccessPattern, params: Parameters) -> Answer:
        """What a template returns or changes with these parameters. Raises NotRun and Refused."""
        if pattern.kind != "select":
            return self._written(pattern, number_placeholders(pattern.sql)[0], params)
        asked = self._asked.get(pattern.id)
        if asked is None:
            asked = self._asked[pattern.id] = ask(pattern, self._schema)
        rows = asked.rows(self._fetched(pattern, asked.statement, params))
        choice = None if asked.unlimited is None else asked.rows(self._fetched(pattern, asked.unlimited, params))
        return Answer(len(rows.values), rows, choice)

    def _fetched(self, pattern: AccessPattern, statement: str, params: Parameters) -> tuple[RawRow, ...]:
        import pymysql

        try:
            return self._all(*self._bound(pattern, statement, params))
        except pymysql.err.MySQLError as error:
            raise NotRun(f"the server answers error {_code(error)}") from error

    def _written(self, pattern: AccessPattern, statement: str, params: Parameters) -> Answer:
        import pymysql

        text, values = self._bound(pattern, statement, params)
        try:
            with self._connection.cursor() as cursor:
                count = cursor.execute(text, values)
                return Answer(count, generated=cursor.lastrowid or None)
        except pymysql.err.MySQLError as error:
            code = _code(error)
            if code == _DUPLICATE:
                return Answer(0)
            if code in (_PARENT, _CHILD):
                raise Refused("a foreign key refuses it") from error
            if code in _VALUES:
                raise Refused(f"the server refuses the value (error {code})") from error
            raise NotRun(f"the server answers error {code}") from error

    def _bound(self, pattern: AccessPattern, statement: str, params: Parameters) -> tuple[str, tuple[Cell, ...]]:
        """The statement on the scratch schemas, in the driver's notation, and its values in order."""
        values: list[Cell] = []

        def mark(match: re.Match[str]) -> str:
            value = params[int(match[1])]
            members = (value or (None,)) if isinstance(value, tuple) else (value,)
            values.extend(members)
            return ", ".join("%s" for _ in members)

        text = self._on_scratch(pattern, statement).replace("%", "%%")
        self._use(self._scratch[self._schema.table(pattern.refs[0].table).schema_name])
        return re.sub(r":p(\d+)\b", mark, text), tuple(values)

    def _use(self, scratch: str) -> None:
        """Where unqualified names are looked up."""
        if scratch != self._current:
            self._connection.select_db(scratch)
            self._current = scratch

    def _on_scratch(self, pattern: AccessPattern, statement: str) -> str:
        """The statement as it is, but for schemas that it names: those become their scratch schemas."""
        key = (pattern.id, statement)
        if key not in self._text:
            self._text[key] = self._renamed(statement)
        return self._text[key]

    def _renamed(self, statement: str) -> str:
        import sqlglot  # heavy
        from sqlglot import exp
        from sqlglot.errors import SqlglotError

        try:
            tree = sqlglot.parse_one(statement, dialect="mysql")
        except SqlglotError as error:
            raise NotRun("the statement is not understood") from error
        named = [node for node in tree.find_all(exp.Table, exp.Column) if node.args.get("db") is not None]
        for node in named:
            self._rename(node)
        return tree.sql("mysql") if named else statement

    def _rename(self, node: "exp.Expr") -> None:
        from sqlglot import exp

        scratch = {name.lower(): to for name, to in self._scratch.items()}.get(node.text("db").lower())
        if scratch is not None:
            node.set("db", exp.to_identifier(scratch, quoted=True))

    def differences(self, pattern: AccessPattern) -> tuple[str, ...]:
        """The substituted collations among the columns of a pattern's tables that it compares."""
        if not self._substituted:
            return ()
        tables = [self._schema.table(ref.table) for ref in pattern.refs]
        used = {c.collation or t.collation for t in tables for c in t.columns if c.type in _TEXTS}
        return self.known_differences[:-1] if used & self._substituted and _compares_text(pattern, tables) else ()

    def begin(self) -> None:
        """From here on all changes can be undone."""
        self._connection.begin()

    def keep(self) -> None:
        """Keep the changes since `begin`."""
        self._connection.commit()

    def undo(self) -> None:
        """Undo the changes since `begin`."""
        self._connection.rollback()

    def close(self) -> None:
        """Drop the scratch schemas and leave."""
        import pymysql

        with suppress(pymysql.err.MySQLError):
            self._connection.rollback()
            self._drop()
        with suppress(pymysql.err.MySQLError):
            self._connection.close()

    def _all(self, statement: str, values: Sequence[Cell] | None = None) -> tuple[RawRow, ...]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return tuple(cursor.fetchall())

    def _one(self, statement: str) -> Cell:
        found: Cell = self._all(statement)[0][0]
        return found


def _code(error: Exception) -> int:
    """The number of a server's error; 0 where there is none."""
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) else 0


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _order(table: Table) -> str:
    """ORDER BY the primary key, or all columns where there is none."""
    columns = table.primary_key or tuple(column.name for column in table.columns)
    return f" ORDER BY {', '.join(_quoted(c) for c in columns)}"


def _type(column: Column) -> str:
    """The type of a column with its lengths or members."""
    if column.type in ("enum", "set"):
        members = ", ".join("'" + value.replace("\\", "\\\\").replace("'", "''") + "'" for value in column.values)
        return f"{column.type}({members})"
    if column.type == "decimal":
        return f"decimal({column.precision or 10},{column.scale or 0})"
    if column.type in _FITTED and column.length:
        return f"{column.type}({column.length})"
    if column.type in _FRACTIONAL and column.precision:
        return f"{column.type}({column.precision})"
    return column.type


def _compares_text(pattern: AccessPattern, tables: Sequence[Table]) -> bool:
    """Whether a statement compares, orders, groups or makes distinct by texts."""
    refs = [*pattern.group_by, *(term.column for term in pattern.order)]
    refs += list(pattern.reads) if pattern.distinct else []
    conditions = (pattern.where, *(join.extra for join in pattern.joins))
    for part in (part for condition in conditions for part in walk(condition) if isinstance(part, Compare)):
        refs += [term for term in (part.left, *part.right) if isinstance(term, ColumnRef)]
    return any(tables[r.ref].column(r.column).type in _TEXTS for r in refs)
