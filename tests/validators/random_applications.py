"""Random applications for the differential test: schemas, rows and the statements of a typical application.

A statement is drawn as a shape, text with holes for values of columns, and bound several times; the literals are then
written into the text as an application would write them, so that the logs look as they do in life.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, TypeVar

from hypothesis import strategies as st

from ddbmig.model.encodings import Cell

T = TypeVar("T")
STATEMENTS = 12
"""Shapes drawn for one schema."""
IGNORE = "INSERT IGNORE INTO "
"""It makes what a column cannot hold into something else, with a warning: its values are all sound."""
ROW_END = " )"
"""Ends a row of VALUES."""
TEXTS = ("ann", "Ann", "ANN", "änn", "ann ", "bob", "Bob", "", "it's", "a%b", "#1", "zoë", "ZOE", "x😀", "back\\slash")


@dataclass(frozen=True)
class Kind:
    """A column type: its DDL, the values that its cells take, and further ones that are asked for or sent to it.

    `ordered`: ranges and ORDER BY make sense.
    """

    ddl: str
    values: tuple[Cell, ...]
    asked: tuple[Cell, ...] = ()
    ordered: bool = True
    number: bool = False
    key: bool = True


KINDS: dict[str, Kind] = {
    "int": Kind("INT", (0, 1, 2, 3, -1, 5, 10, 2147483647, -2147483648), ("2",), number=True),
    "uint": Kind("INT UNSIGNED", (0, 1, 2, 3, 7, 4294967295), (-1,), number=True),
    "small": Kind("SMALLINT", (-1, 0, 1, 2, 3), (70000, "1"), number=True),
    "ubig": Kind("BIGINT UNSIGNED", (0, 1, 2, 9007199254740993, 18446744073709551615), number=True),
    "bool": Kind("TINYINT(1)", (0, 1), number=True),
    "decimal": Kind("DECIMAL(10,2)", tuple(map(Decimal, ("0.00", "1.50", "-1.50", "2.00", "10.00", "99999999.99"))),
                    (2, Decimal("1.505"), "1.5"), number=True),
    "ci": Kind("VARCHAR(20) COLLATE utf8mb4_general_ci", TEXTS, ("ÄNN", "bob  ")),
    "unicode": Kind("VARCHAR(20) COLLATE utf8mb4_unicode_ci", TEXTS, ("ÄNN", "bob  ")),
    "bin": Kind("VARCHAR(20) COLLATE utf8mb4_bin", TEXTS, ("bob  ",)),
    "char": Kind("CHAR(4) COLLATE utf8mb4_general_ci", ("a", "b", "B", "DE", "de", ""), ("a ", "de  ")),
    "text": Kind("TEXT", TEXTS, ordered=False, key=False),
    "date": Kind("DATE", ("2025-12-31", "2026-01-01", "2026-02-28", "1000-01-01", "9999-12-31"),
                 ("2026-01-01 00:00:00",)),
    "datetime6": Kind("DATETIME(6)", ("2026-01-01 00:00:00.000000", "2026-01-01 00:00:00.000001",
                                      "2026-01-01 12:30:00.500000", "2025-06-01 00:00:00.000000"),
                      ("2026-01-01", "2026-01-01 12:30:00.5")),
    "timestamp": Kind("TIMESTAMP", ("2026-01-01 00:00:00", "2026-01-02 03:04:05", "2025-01-01 00:00:01"),
                      ("2026-01-01",)),
    "enum": Kind("ENUM('new','paid','Sent','lost') COLLATE utf8mb4_general_ci", ("new", "paid", "Sent", "lost")),
    "set": Kind("SET('a','b','c')", ("", "a", "a,c", "a,b,c"), ordered=False, key=False),
    "json": Kind("JSON", ('{"a": 1}', "[1, 2]", '"x"'), ordered=False, key=False),
    "bit": Kind("BIT(4)", (b"\x00", b"\x01", b"\x0f"), ordered=False, key=False),
    "binary": Kind("BINARY(4)", (b"\x00\x01\x02\x03", b"abcd", b"\xff\xff\xff\xff"), (b"ab",), ordered=False),
    "varbinary": Kind("VARBINARY(8)", (b"a", b"A", b"\x00", b"\xff'\\"), ordered=False),
    "double": Kind("DOUBLE", (0.0, 1.5, -2.25, 1e10), number=True, key=False),
}  # fmt: skip


@dataclass(frozen=True)
class RandomColumn:
    """One column; `parent` is the table that it refers to, with what happens to it when the parent goes."""

    name: str
    kind: str
    nullable: bool = False
    extra: str = ""
    parent: str | None = None
    on_delete: str = "RESTRICT"

    @property
    def ddl(self) -> str:
        """Its definition."""
        null = "NULL" if self.nullable else "NOT NULL"
        return f"{self.name} {KINDS[self.kind].ddl} {null} {self.extra}".strip()

    @property
    def values(self) -> tuple[Cell, ...]:
        """What its cells are drawn from, NULL apart."""
        return KINDS[self.kind].values


@dataclass(frozen=True)
class RandomTable:
    """One table and its rows."""

    name: str
    columns: tuple[RandomColumn, ...]
    key: tuple[str, ...]
    uniques: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    collation: str = "utf8mb4_general_ci"
    rows: tuple[tuple[Cell, ...], ...] = ()
    large: bool = True

    def column(self, name: str) -> RandomColumn:
        """The column with this name."""
        return next(c for c in self.columns if c.name == name)

    @property
    def ddl(self) -> str:
        """Its CREATE TABLE."""
        parts = [c.ddl for c in self.columns]
        parts += [f"PRIMARY KEY ({', '.join(self.key)})"] if self.key else []
        parts += [f"UNIQUE KEY u_{'_'.join(u)} ({', '.join(u)})" for u in self.uniques]
        parts += [f"KEY k_{'_'.join(i)} ({', '.join(i)})" for i in self.indexes]
        parts += [
            f"CONSTRAINT {self.name}_{c.name} FOREIGN KEY ({c.name}) REFERENCES {c.parent} (id) ON DELETE {c.on_delete}"
            for c in self.columns if c.parent
        ]  # fmt: skip
        options = f"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={self.collation}"
        return f"CREATE TABLE {self.name} (\n  {', '.join(parts)}\n) {options};"


@dataclass(frozen=True)
class Hole:
    """A value of a column that a statement takes: one, or a list for IN."""

    column: RandomColumn
    many: bool = False
    like: bool = False


@dataclass(frozen=True)
class Step:
    """The number that an arithmetic adds."""

    value: int


@dataclass(frozen=True)
class Bound:
    """A statement as it is sent, the values of its placeholders in order, and what SQL promises of its rows.

    `unlimited` is the same without LIMIT; `order` are the positions of its sort columns in the output, and whether each
    descends.
    """

    sql: str
    values: tuple[Cell | tuple[Cell, ...], ...]
    kind: Literal["select", "insert", "update", "delete"]
    unlimited: str | None = None
    order: tuple[tuple[int, bool], ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    """The values of an INSERT with its NULLs, row by row; `values` are those behind them."""


@dataclass(frozen=True)
class Shape:
    """A statement with holes."""

    parts: tuple[str | Hole | Step, ...]
    kind: Literal["select", "insert", "update", "delete"]
    order: tuple[tuple[int, bool], ...] = ()
    limit: tuple[int, int | None] | None = None
    """LIMIT and OFFSET."""


@dataclass(frozen=True)
class Application:
    """A schema, the INSERTs of its rows, and bound statements in the order in which they are sent."""

    ddl: str
    inserts: tuple[str, ...]
    statements: tuple[Bound, ...]
    small: frozenset[str] = frozenset()
    """Tables that may be read as a whole."""
    alternative: int = 0
    """Which of the proposed designs is run, counted round."""


def literal(value: Cell) -> str:
    """A cell as SQL text."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return str(value)


# --- schemas and rows ---


@st.composite
def tables(draw: st.DrawFn, name: str, parents: Sequence[RandomTable]) -> RandomTable:
    """One table, which may refer to earlier ones."""
    kind = draw(st.sampled_from(("auto", "auto", "auto", "text", "binary", "composite", "composite", "none")))
    keys = {
        "auto": (RandomColumn("id", "int", extra="AUTO_INCREMENT"),),
        "text": (RandomColumn("id", draw(st.sampled_from(("ci", "bin", "char")))),),
        "binary": (RandomColumn("id", draw(st.sampled_from(("binary", "ubig", "enum")))),),
        "composite": (RandomColumn("a", draw(st.sampled_from(("uint", "small", "char", "date")))),
                      RandomColumn("b", draw(st.sampled_from(("small", "ci", "bin", "datetime6"))))),
        "none": (),
    }[kind]  # fmt: skip
    columns = list(keys)
    for number, parent in enumerate(parents):
        if parent.key == ("id",) and draw(st.booleans()):
            on_delete = draw(st.sampled_from(("CASCADE", "SET NULL", "RESTRICT")))
            nullable = on_delete == "SET NULL" or draw(st.booleans())
            columns.append(RandomColumn(f"p{number}", parent.column("id").kind, nullable, "", parent.name, on_delete))
    for number, of in enumerate(draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=4))):
        nullable = draw(st.booleans())
        default = ""
        if not nullable and of in ("int", "decimal", "ci") and draw(st.booleans()):
            default = "DEFAULT '1'" if of != "ci" else "DEFAULT 'None'"
        columns.append(RandomColumn(f"c{number}", of, nullable, default))
    plain = [c for c in columns[len(keys) :] if KINDS[c.kind].key]
    named = st.lists(st.sampled_from(plain), min_size=1, max_size=2, unique=True) if plain else None
    uniques = [tuple(c.name for c in draw(named))] if named is not None and draw(st.integers(0, 3)) == 0 else []
    indexes = [tuple(c.name for c in draw(named))] if named is not None and draw(st.booleans()) else []
    table = RandomTable(
        name, tuple(columns), tuple(c.name for c in keys), tuple(uniques),
        tuple(i for i in indexes if i not in uniques),
        draw(st.sampled_from(("utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin"))),
    )  # fmt: skip
    return replace(table, rows=draw(rows(table, parents)), large=draw(st.integers(0, 5)) > 0)


@st.composite
def rows(draw: st.DrawFn, table: RandomTable, parents: Sequence[RandomTable]) -> tuple[tuple[Cell, ...], ...]:
    """Up to eight rows; those that the server refuses are left out there."""
    found = []
    for number in range(draw(st.integers(1, 8))):
        row: list[Cell] = []
        for column in table.columns:
            if "AUTO_INCREMENT" in column.extra:
                row.append(number + 1)
            else:
                row.append(draw(cells(column, parents)))
        found.append(tuple(row))
    return tuple(found)


def cells(column: RandomColumn, parents: Sequence[RandomTable], *, null: bool = True) -> st.SearchStrategy[Cell]:
    """Values for a column: of a parent's key where it refers to one."""
    values: Sequence[Cell] = column.values
    parent = next((p for p in parents if p.name == column.parent), None)
    if parent is not None:
        position = [c.name for c in parent.columns].index("id")
        values = [row[position] for row in parent.rows] or values
    found: st.SearchStrategy[Cell] = st.sampled_from(values)
    return st.one_of(found, found, st.none()) if column.nullable and null else found


# --- statements ---


@dataclass
class Writer:
    """Draws one shape over the tables of an application."""

    draw: st.DrawFn
    tables: Sequence[RandomTable]
    parts: list[str | Hole | Step] = field(default_factory=list)

    def pick(self, *choices: T) -> T:
        """One of the choices."""
        return self.draw(st.sampled_from(choices))

    def say(self, *parts: str | Hole | Step) -> None:
        """Append to the statement."""
        self.parts += parts

    def condition(self, table: RandomTable, alias: str = "") -> None:
        """One simple condition on a column of a table."""
        column = self.pick(*table.columns)
        kind, name = KINDS[column.kind], f"{alias}{column.name}"
        if column.kind in ("json", "bit", "set", "double"):
            self.say(f"{name} IS {'NOT ' if self.draw(st.booleans()) else ''}NULL")
            return
        choices = ["=", "=", "=", "in", "!=", "null", "not null", "or", "<=>"]
        choices += ["<", ">=", ">", "<=", "between"] if kind.ordered else []
        choices += ["like", "like"] if column.kind in ("ci", "unicode", "bin", "char", "text") else []
        op = self.pick(*choices)
        hole = Hole(column)
        match op:
            case "in":
                self.say(f"{name} {self.pick('IN', 'IN', 'NOT IN')} (", Hole(column, many=True), ")")
            case "null" | "not null":
                self.say(f"{name} IS {'NOT ' if op == 'not null' else ''}NULL")
            case "between":
                self.say(f"{name} BETWEEN ", hole, " AND ", hole)
            case "like":
                self.say(f"{name} LIKE ", Hole(column, like=True))
            case "or":
                other = self.pick(*table.columns)
                second = Hole(other) if KINDS[other.kind].key else None
                self.say(
                    f"({name} = ", hole, f" OR {alias}{other.name} ", *(("= ", second) if second else ("IS NULL",)), ")"
                )
            case _:
                self.say(f"{name} {op} ", hole)

    def where(self, table: RandomTable, alias: str = "") -> None:
        """WHERE by a key, an index or any columns."""
        self.say(" WHERE ")
        keys = [key for key in (table.key, *table.uniques, *table.indexes) if key]
        if self.pick(True, True, False) and keys:
            key = self.pick(*keys)
            given = key[: self.draw(st.integers(1, len(key)))]
            for number, name in enumerate(given):
                many = number == len(given) - 1 and self.pick(True, False, False)
                self.say(" AND " if number else "")
                if many:
                    self.say(f"{alias}{name} IN (", Hole(table.column(name), many=True), ")")
                else:
                    self.say(f"{alias}{name} = ", Hole(table.column(name)))
            if self.draw(st.booleans()):
                self.say(" AND ")
                self.condition(table, alias)
            return
        self.condition(table, alias)
        if self.draw(st.booleans()):
            self.say(" AND ")
            self.condition(table, alias)

    def ordering(self, table: RandomTable, outputs: Sequence[str], alias: str = "") -> tuple[tuple[int, bool], ...]:
        """ORDER BY one or two of the output columns."""
        sortable = [(n, name) for n, name in enumerate(outputs) if KINDS[table.column(name).kind].ordered]
        if not sortable or not self.draw(st.booleans()):
            return ()
        chosen = self.draw(st.lists(st.sampled_from(sortable), min_size=1, max_size=2, unique=True))
        found = [(n, name, bool(self.draw(st.booleans()))) for n, name in chosen]
        self.say(" ORDER BY " + ", ".join(f"{alias}{name}{' DESC' if down else ''}" for _, name, down in found))
        return tuple((n, down) for n, _, down in found)

    def limit(self) -> tuple[int, int | None] | None:
        """LIMIT, sometimes with an OFFSET."""
        if not self.pick(True, False, False):
            return None
        return self.draw(st.integers(1, 4)), self.pick(None, None, 1, 2)

    def select(self) -> Shape:
        """A read of one table."""
        table = self.table()
        outputs = self.outputs(table)
        distinct = "DISTINCT " if self.pick(True, False, False, False) else ""
        self.say(f"SELECT {distinct}{', '.join(outputs)} FROM {table.name}")
        self.where(table)
        order = self.ordering(table, outputs)
        return Shape(tuple(self.parts), "select", order, self.limit())

    def aggregate(self) -> Shape:
        """Aggregates over the rows of one table, in groups or as a whole."""
        table = self.table()
        column = self.pick(*table.columns)
        functions = ["COUNT(*)", f"COUNT({column.name})"]
        if KINDS[column.kind].ordered:
            functions += [f"MIN({column.name})", f"MAX({column.name})", f"COUNT(DISTINCT {column.name})"]
        if KINDS[column.kind].number:
            functions += [f"SUM({column.name})", f"AVG({column.name})"]
        chosen = self.draw(st.lists(st.sampled_from(functions), min_size=1, max_size=3, unique=True))
        grouped = [c.name for c in table.columns if KINDS[c.kind].key and c.kind != "unicode"]
        by = [self.pick(*grouped)] if self.draw(st.booleans()) and grouped else []
        self.say(f"SELECT {', '.join([*by, *chosen])} FROM {table.name}")
        self.where(table)
        if by:
            self.say(f" GROUP BY {by[0]}")
        return Shape(tuple(self.parts), "select")

    def join(self) -> Shape | None:
        """A join of a child and its parent, either way round."""
        related = [(child, c) for child in self.tables for c in child.columns if c.parent]
        if not related:
            return None
        child, column = self.pick(*related)
        parent = next(t for t in self.tables if t.name == column.parent)
        kind = self.pick("JOIN", "LEFT JOIN")
        if self.draw(st.booleans()):
            first, second, on = child, parent, f"a.{column.name} = b.id"
        else:
            first, second, on = parent, child, f"b.{column.name} = a.id"
        outputs, others = self.outputs(first), self.outputs(second)
        listed = [f"a.{name}" for name in outputs] + [f"b.{name}" for name in others]
        self.say(f"SELECT {', '.join(listed)} FROM {first.name} a {kind} {second.name} b ON {on}")
        if kind == "LEFT JOIN" and self.pick(True, False, False):
            self.say(" AND ")
            self.condition(second, "b.")
        self.where(first, "a.")
        if self.pick(True, False, False):
            self.say(" AND ")
            self.condition(second, "b.")
        order = self.ordering(first, outputs, "a.")
        return Shape(tuple(self.parts), "select", order, self.limit())

    def test(self) -> Shape | None:
        """EXISTS, NOT EXISTS or IN over the children of a row."""
        related = [(child, c) for child in self.tables for c in child.columns if c.parent]
        if not related:
            return None
        child, column = self.pick(*related)
        parent = next(t for t in self.tables if t.name == column.parent)
        outputs = self.outputs(parent)
        self.say(f"SELECT {', '.join(f'a.{name}' for name in outputs)} FROM {parent.name} a")
        self.where(parent, "a.")
        if self.draw(st.booleans()):
            word = self.pick("EXISTS", "NOT EXISTS")
            self.say(f" AND {word} (SELECT b.{column.name} FROM {child.name} b WHERE b.{column.name} = a.id")
        else:
            self.say(f" AND a.id IN (SELECT b.{column.name} FROM {child.name} b WHERE b.{column.name} IS NOT NULL")
        if self.draw(st.booleans()):
            self.say(" AND ")
            self.condition(child, "b.")
        self.say(")")
        return Shape(tuple(self.parts), "select")

    def insert(self) -> Shape:
        """INSERT in all its modes."""
        table = self.table()
        mode = self.pick("INSERT", "INSERT", "INSERT", "INSERT IGNORE", "REPLACE", "upsert", "upsert")
        optional = [c for c in table.columns if c.extra or c.nullable]
        left = self.draw(st.lists(st.sampled_from(optional), max_size=2, unique=True)) if optional else []
        given = [c for c in table.columns if c not in left] or list(table.columns)
        verb = "INSERT" if mode == "upsert" else mode
        self.say(f"{verb} INTO ")
        self.say(f"{table.name} ({', '.join(c.name for c in given)}) VALUES ")
        for number in range(2 if self.pick(True, False, False, False) else 1):
            self.say(", (" if number else "(")
            for position, column in enumerate(given):
                self.say(", " if position else "", Hole(column))
            self.say(ROW_END)
        changing = [c for c in table.columns if c.name not in table.key and not c.parent]
        if mode == "upsert" and changing:
            column = self.pick(*changing)
            choices: list[tuple[str | Hole | Step, ...]] = [(f"VALUES({column.name})",), (Hole(column),)]
            choices += [(f"{column.name} + ", Step(1))] if column.kind in ("uint", "small", "decimal") else []
            self.say(f" ON DUPLICATE KEY UPDATE {column.name} = ", *self.pick(*choices))
        return Shape(tuple(self.parts), "insert")

    def update(self) -> Shape:
        """UPDATE of one or two columns, conditional decrements among them."""
        table = self.table()
        changing = [c for c in table.columns if c.name not in table.key or self.pick(False, False, False, True)]
        changing = [c for c in changing if "AUTO_INCREMENT" not in c.extra]
        if not changing:
            return self.insert()
        chosen = self.draw(st.lists(st.sampled_from(changing), min_size=1, max_size=2, unique=True))
        self.say(f"UPDATE {table.name} SET ")
        decremented = None
        for number, column in enumerate(chosen):
            self.say(", " if number else "")
            if (
                KINDS[column.kind].number
                and column.kind in ("small", "decimal", "uint", "int")
                and self.pick(True, False)
            ):
                decremented = column
                self.say(f"{column.name} = {column.name} {self.pick('+', '-')} ", Step(1))
            else:
                self.say(f"{column.name} = ", Hole(column))
        self.where(table)
        if decremented is not None and self.draw(st.booleans()):
            self.say(f" AND {decremented.name} >= ", Hole(decremented))
        return Shape(tuple(self.parts), "update")

    def delete(self) -> Shape:
        """DELETE, which cascades where a foreign key says so."""
        table = self.table()
        self.say(f"DELETE FROM {table.name}")
        self.where(table)
        return Shape(tuple(self.parts), "delete")

    def table(self) -> RandomTable:
        """One of the tables."""
        return self.pick(*self.tables)

    def outputs(self, table: RandomTable) -> list[str]:
        """Some columns of a table, in its order."""
        names = [c.name for c in table.columns]
        chosen = self.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        return sorted(chosen, key=names.index)


FORMS = ("select", "select", "select", "select", "aggregate", "join", "join", "test", "insert", "insert", "update",
         "update", "delete")  # fmt: skip


@st.composite
def bound(draw: st.DrawFn, shape: Shape, parents: Sequence[RandomTable]) -> Bound:
    """A shape with values for its holes."""
    sql = ""
    values: list[Cell | tuple[Cell, ...]] = []
    rows_given: list[tuple[Cell, ...]] = []
    for part in shape.parts:
        if isinstance(part, Hole):
            text, value = draw(filled(part, shape, parents))
            sql += text
            values.append(value)
        elif isinstance(part, Step):
            sql += str(part.value)
            values.append(part.value)
        else:
            sql += part
        if part is ROW_END:
            rows_given.append(tuple(v for v in values if not isinstance(v, tuple)))
            values = []
    unlimited = None
    if shape.limit is not None:
        unlimited, (count, offset) = sql, shape.limit
        sql += f" LIMIT {count}" + (f" OFFSET {offset}" if offset is not None else "")
        values += [count] if offset is None else [count, offset]
    sent = tuple(v for v in values if v is not None)
    return Bound(sql, sent, shape.kind, unlimited, shape.order, tuple(rows_given))


@st.composite
def filled(
    draw: st.DrawFn, hole: Hole, shape: Shape, parents: Sequence[RandomTable]
) -> tuple[str, Cell | tuple[Cell, ...]]:
    """A hole's text and the value of its placeholder; None where it has none."""
    writes = shape.kind in ("insert", "update")
    column = hole.column
    value: Cell | tuple[Cell, ...]
    if "AUTO_INCREMENT" in column.extra:
        value = (
            tuple(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))) if hole.many else draw(st.integers(1, 12))
        )
    elif hole.many:
        value = tuple(draw(st.lists(cells(column, parents, null=False), min_size=1, max_size=3)))
    elif KINDS[column.kind].asked and shape.parts[0] != IGNORE and draw(st.integers(0, 7)) == 0:
        value = draw(st.sampled_from(KINDS[column.kind].asked))
    else:
        value = draw(cells(column, parents, null=writes))
    if hole.like:
        value = str(value)[:2] + draw(st.sampled_from(("%", "%", "", "_")))
    if isinstance(value, tuple):
        return ", ".join(literal(v) for v in value), value
    return literal(value), value


@st.composite
def applications(draw: st.DrawFn) -> Application:
    """A whole application."""
    made: list[RandomTable] = []
    for number in range(draw(st.integers(1, 3))):
        made.append(draw(tables(f"t{number}", tuple(made))))
    reads: list[Bound] = []
    writes: list[Bound] = []
    for _ in range(STATEMENTS):
        form = draw(st.sampled_from(FORMS))
        shape = getattr(Writer(draw, made), form)() or Writer(draw, made).select()
        target = reads if shape.kind == "select" else writes
        target += [draw(bound(shape, made)) for _ in range(2)]
    inserts = [f"INSERT INTO {t.name} VALUES ({', '.join(map(literal, row))})" for t in made for row in t.rows]
    small = frozenset(table.name for table in made if not table.large)
    ddl = "\n".join(table.ddl for table in made)
    return Application(ddl, tuple(inserts), (*reads, *writes), small, draw(st.integers(0, 7)))
