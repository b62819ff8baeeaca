"""The SQL side of the validation: the source rows in an embedded SQLite, and templates run on it.

SQLite stands in for MySQL where no server is at hand. Its text comparison is replaced by MySQL's usual one (case,
accents and trailing spaces ignored); where a statement does not transpile or does not run, it is not compared.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ddbmig.model.encodings import Cell
from ddbmig.model.placeholders import number_placeholders
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.validators.evaluate import CLOCK, NotEvaluated, compare, default_value, is_folded, like, shifted

if TYPE_CHECKING:
    from sqlglot import exp

BATCH = 5_000
ATTACHED = 10
"""Databases that SQLite can attach: one per MySQL schema, so that qualified names resolve."""


_REPLACE = re.compile(r"\s*REPLACE\s+INTO\b|\s*REPLACE\b", re.IGNORECASE)
_MODIFIERS = re.compile(r"\bSQL_(?:CALC_FOUND_ROWS|NO_CACHE|CACHE|SMALL_RESULT|BIG_RESULT|BUFFER_RESULT)\b", re.I)
_NEW_ROW = re.compile(r"VALUES\(([^()]+)\)|\bnew\.(\w+|\"[^\"]+\")", re.IGNORECASE)


class NotRun(Exception):
    """SQLite cannot run this statement; the message names the reason without any literal."""


@dataclass(frozen=True)
class SqlResult:
    """How many rows SQL returned or changed, and the rows returned."""

    rows: int
    values: tuple[tuple[Cell, ...], ...] = ()


class SourceRows:
    """All rows of the source, by table; SQL templates run against them."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self._db.create_collation("mysql_ci", lambda a, b: compare(a, b, True))
        for name, moment in (("now", CLOCK.isoformat(sep=" ")), ("utc_timestamp", CLOCK.isoformat(sep=" "))):
            self._db.create_function(name, 0, lambda value=moment: value)
        self._db.create_function("mysql_date_add", 3, date_add)
        for name, part in (("year", slice(0, 4)), ("month", slice(5, 7)), ("day", slice(8, 10))):
            self._db.create_function(name, 1, lambda text, part=part: None if text is None else int(text[part]))
        self._db.create_function("mysql_like_binary", 2, like_binary)
        self._transpiled: dict[str, str] = {}
        self._attached = sorted({t.schema_name for t in schema.tables if t.schema_name})[:ATTACHED]
        for name in self._attached:
            self._db.execute(f"ATTACH DATABASE ':memory:' AS {_quoted(name)}")
        for table in schema.tables:
            self._create(table)

    def _create(self, table: Table) -> None:
        columns = [f"{_quoted(c.name)} {_affinity(c)}{_default(c)}" for c in table.columns]
        key = table.primary_key
        single = table.column(key[0]) if len(key) == 1 else None
        rowid = single is not None and single.type in ("int", "bigint", "smallint", "mediumint", "tinyint")
        if rowid and single is not None:
            position = [c.name for c in table.columns].index(single.name)
            columns[position] = f"{_quoted(single.name)} INTEGER PRIMARY KEY"
        elif key:
            columns.append(f"PRIMARY KEY ({', '.join(_quoted(c) for c in key)})")
        for unique in table.unique_keys():
            if all(table.has_column(c) for c in unique.columns):
                columns.append(f"UNIQUE ({', '.join(_quoted(c) for c in unique.columns)})")
        self._db.execute(f"CREATE TABLE {self._name(table)} ({', '.join(columns)})")

    def _name(self, table: Table) -> str:
        """The quoted name of a table, with its schema where that is attached."""
        prefix = f"{_quoted(table.schema_name)}." if table.schema_name in self._attached else ""
        return prefix + _quoted(table.name)

    def load(self, rows: Iterable[tuple[str, Sequence[Cell]]], limit: int) -> dict[str, int]:
        """Keep up to `limit` rows of each table; returns how many rows of each table there were."""
        seen: dict[str, int] = {}
        waiting: dict[str, list[tuple[object, ...]]] = {}
        self._db.execute("BEGIN")
        for table_id, row in rows:
            seen[table_id] = seen.get(table_id, 0) + 1
            if seen[table_id] > limit:
                continue
            batch = waiting.setdefault(table_id, [])
            batch.append(tuple(_stored(cell) for cell in row))
            if len(batch) >= BATCH:
                self._flush(table_id, batch)
        for table_id in sorted(waiting):
            self._flush(table_id, waiting[table_id])
        self._db.execute("COMMIT")
        return seen

    def _flush(self, table_id: str, batch: list[tuple[object, ...]]) -> None:
        table = self._schema.table(table_id)
        marks = ", ".join("?" for _ in table.columns)
        self._db.executemany(f"INSERT OR IGNORE INTO {self._name(table)} VALUES ({marks})", batch)  # noqa: S608
        batch.clear()

    def index(self, table_id: str, columns: Sequence[str]) -> None:
        """Make look-ups by these columns fast."""
        table = self._schema.table(table_id)
        prefix = f"{_quoted(table.schema_name)}." if table.schema_name in self._attached else ""
        name = prefix + _quoted(f"ix_{table.name}_{'_'.join(columns)}")
        listed = ", ".join(_quoted(c) for c in columns)
        self._db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {_quoted(table.name)} ({listed})")

    def count(self, table_id: str) -> int:
        """Rows kept of a table."""
        name = self._name(self._schema.table(table_id))
        return int(self._db.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0])  # noqa: S608  # quoted name

    def rows(self, table_id: str) -> Iterator[dict[str, Cell]]:
        """Every kept row, in rowid order."""
        table = self._schema.table(table_id)
        cursor = self._db.execute(f"SELECT * FROM {self._name(table)} ORDER BY rowid")  # noqa: S608  # quoted name
        for row in cursor:
            yield _cells(table, row)

    def nth(self, table_id: str, position: int) -> dict[str, Cell] | None:
        """The row at a position in rowid order."""
        table = self._schema.table(table_id)
        statement = f"SELECT * FROM {self._name(table)} ORDER BY rowid LIMIT 1 OFFSET ?"  # noqa: S608  # quoted name
        row = self._db.execute(statement, (position,)).fetchone()
        return None if row is None else _cells(table, row)

    def match(self, table_id: str, values: Mapping[str, Cell]) -> dict[str, Cell] | None:
        """The first row that has these values, if any."""
        table = self._schema.table(table_id)
        where = " AND ".join(f"{_quoted(c)} = ?" for c in values) or "1"
        statement = f"SELECT * FROM {self._name(table)} WHERE {where} ORDER BY rowid LIMIT 1"  # noqa: S608
        row = self._db.execute(statement, [_stored(v) for v in values.values()]).fetchone()
        return None if row is None else _cells(table, row)

    def largest(self, table_id: str, column: str) -> int:
        """The largest number in a column, 0 without one."""
        table = self._schema.table(table_id)
        statement = f"SELECT MAX({_quoted(column)}) FROM {self._name(table)}"  # noqa: S608  # quoted names
        found = self._db.execute(statement).fetchone()[0]
        return int(found) if isinstance(found, int | float) else 0

    def run(self, sql: str, params: Mapping[int, Cell | tuple[Cell, ...]]) -> "SqlResult":
        """What a template returns or changes with these parameters. Raises NotRun."""
        statement, bound = _bind(sql, params)
        try:
            cursor = self._db.execute(self._transpile(statement), bound)
            if not cursor.description:
                return SqlResult(cursor.rowcount)
            rows = tuple(cursor.fetchall())
            return SqlResult(len(rows), rows)
        except sqlite3.IntegrityError:
            return SqlResult(0)
        except (sqlite3.Error, OverflowError) as error:
            raise NotRun(f"SQLite: {_plain(str(error))}") from error

    def _transpile(self, statement: str) -> str:
        if statement not in self._transpiled:
            self._transpiled[statement] = to_sqlite(statement)
        return self._transpiled[statement]

    def close(self) -> None:
        """Free the rows."""
        self._db.close()


def date_add(moment: str | None, amount: float | None, unit: str) -> str | None:
    """MySQL's DATE_ADD for SQLite; NULL where it has no answer."""
    if moment is None or amount is None:
        return None
    try:
        return shifted(moment, int(amount), unit)
    except (NotEvaluated, ValueError, OverflowError):
        return None


def like_binary(text: str | None, pattern: str | None) -> bool | None:
    """LIKE BINARY for SQLite."""
    return None if text is None or pattern is None else like(str(text), str(pattern), False)


def to_sqlite(statement: str) -> str:
    """A MySQL statement in SQLite's dialect, with the clock stopped. Raises NotRun where it does not transpile."""
    import sqlglot  # heavy, and only the validation needs it here
    from sqlglot.errors import ErrorLevel, SqlglotError

    replace = _REPLACE.match(statement)
    text = _MODIFIERS.sub("", _REPLACE.sub("INSERT INTO", statement) if replace else statement)
    try:
        tree = sqlglot.parse_one(text, dialect="mysql")
        tree = tree.transform(_as_sqlite_has_it)
        conflict = tree.args.get("conflict")
        sets = conflict.expressions if conflict is not None else []
        tree.set("conflict", None)
        found = tree.sql("sqlite", unsupported_level=ErrorLevel.IGNORE)
        if sets:
            changes = ", ".join(_excluded(each.sql("sqlite", unsupported_level=ErrorLevel.IGNORE)) for each in sets)
            found += f" ON CONFLICT DO UPDATE SET {changes}"
    except SqlglotError as error:
        raise NotRun("the statement does not transpile to SQLite") from error
    return found.replace("INSERT INTO", "REPLACE INTO", 1) if replace else found


def _as_sqlite_has_it(node: "exp.Expr") -> "exp.Expr":
    """A node of the tree by means that SQLite has: the stopped clock, our functions, its collations."""
    from sqlglot import exp

    if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp):
        moment = CLOCK.date().isoformat() if isinstance(node, exp.CurrentDate) else CLOCK.isoformat(sep=" ")
        return exp.Literal.string(moment)
    if isinstance(node, exp.DateAdd | exp.DateSub) and node.args.get("unit") is not None:
        return _date_add(node.this, node.expression, str(node.args["unit"]), isinstance(node, exp.DateSub))
    if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
        interval = node.expression
        return _date_add(node.this, interval.this, str(interval.args["unit"]), isinstance(node, exp.Sub))
    if isinstance(node, exp.Like) and _is_binary(node.expression):
        return exp.Anonymous(
            this="mysql_like_binary", expressions=[node.this, node.expression.this]
        )  # plain columns and values
    if _is_binary(node):
        return exp.Collate(this=node.this, expression=exp.to_identifier("BINARY"))
    if isinstance(node, exp.Values):
        node.set("alias", None)  # the row alias of an upsert
    return node


def _is_binary(node: "exp.Expr") -> bool:
    """`BINARY x`, which sqlglot reads as a cast."""
    from sqlglot import exp

    return isinstance(node, exp.Cast) and node.to.this == exp.DType.BINARY


def _date_add(moment: "exp.Expr", amount: "exp.Expr", unit: str, negative: bool) -> "exp.Expr":
    from sqlglot import exp

    moment, amount = (part.transform(_as_sqlite_has_it) for part in (moment, amount))
    arguments = [moment, exp.Neg(this=exp.paren(amount)) if negative else amount, exp.Literal.string(unit.upper())]
    return exp.Anonymous(this="mysql_date_add", expressions=arguments)


def _excluded(assignment: str) -> str:
    """`VALUES(col)`, and `new.col` of a row alias, as SQLite calls the row that was not inserted."""
    return _NEW_ROW.sub(lambda match: f"excluded.{match[1] or match[2]}", assignment)


def _bind(sql: str, params: Mapping[int, Cell | tuple[Cell, ...]]) -> tuple[str, dict[str, object]]:
    """The template with named parameters (a list gets one name per member) and their values."""
    text, count = number_placeholders(sql)
    bound: dict[str, object] = {}
    for index in range(count):
        value = params[index]
        if isinstance(value, tuple):
            names = [f"p{index}_{n}" for n in range(len(value))]
            text = re.sub(rf":p{index}\b", ", ".join(f":{n}" for n in names), text)
            bound |= dict(zip(names, (_stored(v) for v in value), strict=True))
        else:
            bound[f"p{index}"] = _stored(value)
    return text, bound


def _plain(message: str) -> str:
    """A database's message without anything quoted, which could be data."""
    return re.sub(r"(\"[^\"]*\"|'[^']*')", "…", message)[:120]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _default(column: Column) -> str:
    value = default_value(column)
    if value is None or isinstance(value, bytes):
        return ""
    text = str(value) if not isinstance(value, str) else "'" + value.replace("'", "''") + "'"
    return f" DEFAULT {text}"


def _affinity(column: Column) -> str:
    if column.type in ("tinyint", "smallint", "mediumint", "int", "bigint", "year"):
        return "INTEGER"
    if column.type in ("float", "double"):
        return "REAL"
    if column.type == "decimal":
        return "NUMERIC"
    if column.type in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"):
        return "BLOB"
    return "TEXT COLLATE mysql_ci" if is_folded(column) else "TEXT"


def _stored(cell: Cell) -> object:
    if isinstance(cell, Decimal):
        return str(cell)
    if isinstance(cell, int) and not -(1 << 63) <= cell < 1 << 63:
        return str(cell)
    if isinstance(cell, str):
        return cell.encode("utf-8", "replace").decode()
    return cell


def _cells(table: Table, row: Sequence[Cell]) -> dict[str, Cell]:
    return {c.name: _typed(c, cell) for c, cell in zip(table.columns, row, strict=True)}


def _typed(column: Column, cell: Cell) -> Cell:
    if cell is None:
        return None
    if column.type == "decimal":
        return Decimal(str(cell))
    if column.type == "bigint" and isinstance(cell, str):
        return int(cell)
    return cell
