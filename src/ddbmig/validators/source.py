"""The SQL side where no server is given: the source rows in an embedded SQLite, and templates run on it.

Its text comparison is replaced by MySQL's usual one (case, accents and trailing spaces ignored), and foreign keys that
act (CASCADE, SET NULL) do so. Where a statement does not transpile or does not run, it is not proved; in what SQLite
may differ from MySQL is listed by `DIFFERENCES`.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from ddbmig.model.condition import ColumnRef, Compare, walk
from ddbmig.model.encodings import Cell
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.placeholders import number_placeholders
from ddbmig.model.schema import Column, ForeignKey, Schema, Table
from ddbmig.validators.evaluate import CLOCK, NotEvaluated, compare, default_value, folded, is_folded, like, shifted
from ddbmig.validators.outputs import Answer
from ddbmig.validators.sql_side import Asked, NotRun, Parameters, RawRow, Refused, Row, ask

if TYPE_CHECKING:
    from sqlglot import exp

BATCH = 5_000
EXACT_DIGITS = 15
"""Decimal digits that a float keeps."""
ATTACHED = 10
"""Databases that SQLite can attach: one per MySQL schema, so that qualified names resolve."""


_REPLACE = re.compile(r"\s*REPLACE\s+INTO\b|\s*REPLACE\b", re.IGNORECASE)
_MODIFIERS = re.compile(r"\bSQL_(?:CALC_FOUND_ROWS|NO_CACHE|CACHE|SMALL_RESULT|BIG_RESULT|BUFFER_RESULT)\b", re.I)
_NEW_ROW = re.compile(r"VALUES\(([^()]+)\)|\bnew\.(\w+|\"[^\"]+\")", re.IGNORECASE)


DIFFERENCES: tuple[str, ...] = (
    "ENUM and SET columns are ordered by their texts; MySQL orders them by their place in the declaration.",
    "TIME columns are ordered as texts; MySQL orders them as durations.",
    "DECIMAL values of more than 15 digits are compared and added as floats.",
    "The collations utf8mb4_0900_* do not ignore trailing blanks; here all collations but the binary ones do.",
    "Case and accents are taken off by Unicode's decomposition; a MySQL collation has a table of its own.",
    "Values out of a column's range, and unsigned numbers below zero, are kept; MySQL refuses them.",
    "Triggers are not run, and foreign keys without an action are not checked.",
    "Whole numbers from 2^63 on are floats: parameters of that size are not tried.",
    "JSON documents are kept as they are written; MySQL writes them in a form of its own.",
)
"""What the embedded SQLite does otherwise than MySQL, for the report."""


class SourceRows:
    """All rows of the source, by table, in SQLite: a `SqlSide`."""

    name = "SQLite (embedded)"
    known_differences: tuple[str, ...] = DIFFERENCES

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._asked: dict[str, Asked] = {}
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
        columns += [_foreign_key(self._schema, key) for key in table.foreign_keys if self._acts(table, key)]
        self._db.execute(f"CREATE TABLE {self._name(table)} ({', '.join(columns)})")

    def _acts(self, table: Table, key: ForeignKey) -> bool:
        """Whether a foreign key changes children; SQLite knows none across schemas or to columns without a key."""
        parent = next((t for t in self._schema.tables if t.id == key.parent), None)
        if parent is None or parent.schema_name != table.schema_name:
            return False
        unique = {tuple(c.lower() for c in k) for k in (parent.primary_key, *(u.columns for u in parent.unique_keys()))}
        return acts(key) and tuple(c.lower() for c in key.parent_columns) in unique

    def _name(self, table: Table) -> str:
        """The quoted name of a table, with its schema where that is attached."""
        prefix = f"{_quoted(table.schema_name)}." if table.schema_name in self._attached else ""
        return prefix + _quoted(table.name)

    def load(self, rows: Iterable[tuple[str, Sequence[Cell]]], limit: int) -> dict[str, int]:
        """Keep up to `limit` rows of each table; returns how many rows of each table there were."""
        seen: dict[str, int] = {}
        waiting: dict[str, list[tuple[object, ...]]] = {}
        self._db.execute("PRAGMA foreign_keys = OFF")
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
        self._db.execute("PRAGMA foreign_keys = ON")  # orphans of the source are loaded as they are
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

    def raw(self, table_id: str) -> Iterator[RawRow]:
        """Every kept row as SQLite holds it, in no order."""
        name = self._name(self._schema.table(table_id))
        yield from self._db.execute(f"SELECT * FROM {name}")  # noqa: S608  # quoted name

    def row(self, table_id: str, raw: RawRow) -> Row:
        """A row of `raw` by column."""
        return _cells(self._schema.table(table_id), raw)

    def nth(self, table_id: str, position: int) -> Row | None:
        """The row at a position in rowid order."""
        table = self._schema.table(table_id)
        statement = f"SELECT * FROM {self._name(table)} ORDER BY rowid LIMIT 1 OFFSET ?"  # noqa: S608  # quoted name
        row = self._db.execute(statement, (position,)).fetchone()
        return None if row is None else _cells(table, row)

    def where(self, table_id: str, values: Mapping[str, Cell]) -> list[Row]:
        """The rows that have these values, in rowid order."""
        return self._where(table_id, values, "")

    def match(self, table_id: str, values: Mapping[str, Cell]) -> Row | None:
        """The first row that has these values, if any."""
        return next(iter(self._where(table_id, values, " LIMIT 1")), None)

    def _where(self, table_id: str, values: Mapping[str, Cell], limit: str) -> list[Row]:
        table = self._schema.table(table_id)
        where = " AND ".join(f"{_quoted(c)} = ?" for c in values) or "1"
        statement = f"SELECT * FROM {self._name(table)} WHERE {where} ORDER BY rowid{limit}"  # noqa: S608
        found = self._db.execute(statement, [_stored(v) for v in values.values()])
        return [_cells(table, row) for row in found]

    def present(self, table_id: str, column: str, limit: int) -> list[Cell]:
        """The first distinct values of a column in its order, NULL apart, and the last."""
        table, name = self._schema.table(table_id), _quoted(column)
        some = f"SELECT DISTINCT {name} COLLATE BINARY FROM {self._name(table)} WHERE {name} IS NOT NULL"  # noqa: S608
        found = sorted((row[0] for row in self._db.execute(some)), key=_in_order)
        return [_typed(table.column(column), value) for value in (*found[:limit], *found[-1:])]

    def largest(self, table_id: str, column: str) -> int:
        """The largest number in a column, 0 without one."""
        table = self._schema.table(table_id)
        statement = f"SELECT MAX({_quoted(column)}) FROM {self._name(table)}"  # noqa: S608  # quoted names
        found = self._db.execute(statement).fetchone()[0]
        return int(found) if isinstance(found, int | float) else 0

    def answer(self, pattern: AccessPattern, params: Parameters) -> Answer:
        """What a template returns or changes with these parameters. Raises NotRun and Refused."""
        if pattern.kind != "select":
            return self._written(number_placeholders(pattern.sql)[0], params)
        asked = self._asked.get(pattern.id)
        if asked is None:
            asked = self._asked[pattern.id] = ask(pattern, self._schema)
        rows = asked.rows(self._fetched(asked.statement, params))
        choice = None if asked.unlimited is None else asked.rows(self._fetched(asked.unlimited, params))
        return Answer(len(rows.values), rows, choice)

    def _fetched(self, statement: str, params: Parameters) -> list[RawRow]:
        text, bound = _bind(statement, params)
        try:
            return self._db.execute(self._transpile(text), bound).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise NotRun(f"SQLite: {_plain(str(error))}") from error

    def _written(self, statement: str, params: Parameters) -> Answer:
        text, bound = _bind(statement, params)
        try:
            cursor = self._db.execute(self._transpile(text), bound)
        except sqlite3.IntegrityError as error:
            if "FOREIGN KEY" in str(error):
                raise Refused("a foreign key refuses it") from error
            return Answer(0)
        except (sqlite3.Error, OverflowError) as error:
            raise NotRun(f"SQLite: {_plain(str(error))}") from error
        return Answer(cursor.rowcount, generated=cursor.lastrowid if cursor.rowcount > 0 else None)

    def differences(self, pattern: AccessPattern) -> tuple[str, ...]:
        """Which of DIFFERENCES may touch a pattern."""
        columns = [self._schema.table(pattern.refs[r.ref].table).column(r.column) for r in _ordered(pattern)]
        computed = [a.column for a in pattern.aggregates if a.column is not None]
        compared = [*columns, *(self._schema.table(pattern.refs[r.ref].table).column(r.column) for r in computed)]
        touched = (
            any(c.type in ("enum", "set") for c in columns),
            any(c.type == "time" for c in columns),
            any(c.type == "decimal" and (c.precision or 10) > EXACT_DIGITS for c in compared),
        )
        return tuple(text for text, touches in zip(DIFFERENCES, touched, strict=False) if touches)

    def begin(self) -> None:
        """From here on all changes can be undone."""
        self._db.execute("BEGIN")

    def keep(self) -> None:
        """Keep the changes since `begin`."""
        self._db.execute("COMMIT")

    def undo(self) -> None:
        """Undo the changes since `begin`."""
        self._db.execute("ROLLBACK")

    def _transpile(self, statement: str) -> str:
        if statement not in self._transpiled:
            self._transpiled[statement] = to_sqlite(statement)
        return self._transpiled[statement]

    def close(self) -> None:
        """Free the rows."""
        self._db.close()


def acts(key: ForeignKey) -> bool:
    """Whether a foreign key changes the children of a row that is changed or deleted."""
    return not {key.on_delete.upper(), key.on_update.upper()} <= {"RESTRICT", "NO ACTION", "SET DEFAULT"}


def _foreign_key(schema: Schema, key: ForeignKey) -> str:
    own, parents = (", ".join(_quoted(c) for c in columns) for columns in (key.columns, key.parent_columns))
    actions = f"ON DELETE {key.on_delete} ON UPDATE {key.on_update}"
    return f"FOREIGN KEY ({own}) REFERENCES {_quoted(schema.table(key.parent).name)} ({parents}) {actions}"


def _ordered(pattern: AccessPattern) -> list[ColumnRef]:
    """The columns whose order counts: those of ORDER BY, of ranges, and of MIN and MAX."""
    found = [term.column for term in pattern.order]
    found += [a.column for a in pattern.aggregates if a.column is not None and a.function in ("min", "max")]
    conditions = (pattern.where, *(join.extra for join in pattern.joins))
    for part in (part for condition in conditions for part in walk(condition)):
        if isinstance(part, Compare) and part.op in ("<", "<=", ">", ">=", "between", "not between"):
            found += [term for term in (part.left, *part.right) if isinstance(term, ColumnRef)]
    return found


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


def _bind(statement: str, params: Parameters) -> tuple[str, dict[str, object]]:
    """A statement with numbered placeholders, a list getting one name per member, and their values.

    An empty list is bound as one NULL, which like an empty list has no equal: MySQL knows no empty list.
    """
    bound: dict[str, object] = {}

    def name(match: re.Match[str]) -> str:
        value = params[int(match[1])]
        if not isinstance(value, tuple):
            bound[match[0][1:]] = _fitting(value)
            return match[0]
        members = {f"{match[0][1:]}_{n}": _fitting(member) for n, member in enumerate(value or (None,))}
        bound.update(members)
        return ", ".join(f":{member}" for member in members)

    return re.sub(r":p(\d+)\b", name, statement), bound


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


def _in_order(value: Cell) -> tuple[str, Cell]:
    """Sorts values of one column as its collation does; those of different classes apart."""
    kind = type(value).__name__ if isinstance(value, str | bytes) else ""
    return kind, folded(value) if isinstance(value, str) else value


def _fitting(cell: Cell) -> object:
    """A parameter as SQLite takes it. Raises NotRun for a whole number that it has not."""
    if isinstance(cell, int) and not -(1 << 63) <= cell < 1 << 63:
        raise NotRun("SQLite has no whole numbers of 64 bits without a sign")
    return _stored(cell)


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
