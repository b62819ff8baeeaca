"""Made-up MySQL applications of any size: a schema, statements with their calls, and statistics, all from one seed.

Tables have keys of one or two columns, foreign keys to tables before them, unique keys and columns of several types;
statements are those that logs of web applications are full of. Every name is used once, so that it can be replaced by
another of the same length throughout.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.analyzers.patterns import read_patterns
from ddbmig.engine.sizes import assumed_bytes
from ddbmig.model.digest import Digest, TemplateDigest, Verb
from ddbmig.model.measure import Measure
from ddbmig.model.schema import Column, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import ColumnStatistics, TableStatistics

FOREIGN_KEYS = 1.3
"""Per table, as in the schemas of large applications."""
POPULARITY = 1.1
"""Exponent of the power law of how popular tables are: a few are in most statements, and the parents of most others."""
TYPES = ("VARCHAR(40)", "VARCHAR(200)", "INT", "BIGINT", "DATETIME", "DATE", "DECIMAL(10,2)", "TINYINT", "TEXT")
SORTED = ("INT", "BIGINT", "DATETIME", "DATE", "DECIMAL(10,2)")
VERBS: Mapping[str, Verb] = {"SELECT": "select", "INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}


@dataclass(eq=False)
class MadeUpTable:
    """One table. `columns` are by name their types, with NOT NULL where they have it."""

    name: str
    rows: int
    key: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    parents: dict[str, "MadeUpTable"] = field(default_factory=dict)
    """By foreign key column."""
    weight: float = 1.0
    """How often statements and foreign keys are about this table, beside others."""
    unique: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def plain(self) -> list[str]:
        """The columns that are no part of the primary key, and no foreign key."""
        return [name for name in self.columns if name not in self.key and name not in self.parents]

    def ddl(self) -> str:
        """CREATE TABLE."""
        parts = [f"{name} {kind}" for name, kind in self.columns.items()]
        parts.append(f"PRIMARY KEY ({', '.join(self.key)})")
        parts += [f"UNIQUE KEY {'_'.join(columns)}_u ({', '.join(columns)})" for columns in self.unique]
        parts += [f"FOREIGN KEY ({own}) REFERENCES {to.name} ({to.key[0]})" for own, to in self.parents.items()]
        return f"CREATE TABLE {self.name} (\n  " + ",\n  ".join(parts) + "\n);"


@dataclass(frozen=True)
class Application:
    """A schema, the calls of each statement, and by table the rows and by column distinct values and share of NULLs."""

    ddl: str
    statements: Mapping[str, int]
    rows: Mapping[str, int]
    counted: Mapping[str, Mapping[str, tuple[int, float]]]
    foreign_keys: int

    def snapshot(self) -> Snapshot:
        """As if it had been read from a dump and a log of one month."""
        schema = read_ddl_text(self.ddl, "schema.sql")
        templates = sorted((_template(sql, calls) for sql, calls in self.statements.items()), key=lambda t: t.id)
        digest = Digest(templates=tuple(templates))
        patterns, skipped = read_patterns(digest, schema)
        if schema.problems or skipped:
            raise ValueError(f"a made-up application is not read: {schema.problems} {skipped}")
        statistics = {table.id: self._statistics(table) for table in schema.tables}
        return Snapshot(tables=schema, statistics=statistics, digest=digest, patterns=patterns)

    def _statistics(self, table: Table) -> TableStatistics:
        rows, columns = self.rows[table.id], self.counted[table.id]
        size = sum(len(column.name) + assumed_bytes(column) for column in table.columns)
        return TableStatistics(
            rows=_measured(rows, "rows"),
            item_bytes=_measured(size, "bytes"),
            columns={column.name: _column(column, *columns[column.name]) for column in table.columns},
        )


def _column(column: Column, distinct: int, nulls: float) -> ColumnStatistics:
    size = assumed_bytes(column)
    return ColumnStatistics(average_bytes=size, max_bytes=round(size), null_share=nulls, distinct=distinct)


def _measured(value: float, unit: str) -> Measure:
    return Measure(value=value, unit=unit, source="measured", origin="made up")


def _template(sql: str, calls: int) -> TemplateDigest:
    lists, identity = 3 if " IN (" in sql else 1, hashlib.sha256(f"\n{sql}".encode()).hexdigest()[:12]
    return TemplateDigest(
        id=identity, schema_name="", sql=sql, verb=VERBS[sql.split(maxsplit=1)[0]], calls=calls,
        list_length_sum=lists * calls, list_length_max=lists, limit_max=20 if "LIMIT" in sql else None,
    )  # fmt: skip


def make_up(
    seed: int, tables: int, statements: int, *, foreign_keys: float = FOREIGN_KEYS, columns: int = 12
) -> Application:
    """An application of so many tables and statements; the same for the same arguments.

    `foreign_keys` are those of a table on average, `columns` the most that it has besides. Where a small schema has
    fewer different statements than wanted, it has as many as are found.
    """
    return Maker(Random(seed), foreign_keys, columns).application(tables, statements)


def _weighted(random: Random, tables: Sequence[MadeUpTable], count: int) -> list[MadeUpTable]:
    """So many of the tables, some of them perhaps more than once; none where there are none."""
    return random.choices(tables, [table.weight for table in tables], k=max(0, count)) if tables else []


class Maker:
    """Makes up one application."""

    def __init__(self, random: Random, foreign_keys: float, columns: int) -> None:
        self.random, self.foreign_keys, self.most_columns = random, foreign_keys, columns
        self.tables: list[MadeUpTable] = []

    def application(self, tables: int, statements: int) -> Application:
        """The application."""
        for number in range(tables):
            self.tables.append(self._table(f"t{number:04}"))
        found: dict[str, int] = {}
        for _ in range(4 * statements):
            if len(found) < statements:
                found.setdefault(self._statement(), round(10 ** self.random.uniform(2, 7)))
        return Application(
            ddl="\n".join(table.ddl() for table in self.tables),
            statements=found,
            rows={table.name: table.rows for table in self.tables},
            counted={table.name: self._counted(table) for table in self.tables},
            foreign_keys=sum(len(table.parents) for table in self.tables),
        )

    # --- schema ---

    def _table(self, name: str) -> MadeUpTable:
        random = self.random
        table = MadeUpTable(name, rows=round(10 ** random.uniform(1.5, 6)), weight=random.paretovariate(POPULARITY))
        wanted = int(random.gauss(self.foreign_keys, 1) + 0.5)
        possible = [t for t in self.tables if len(t.key) == 1]
        for parent in dict.fromkeys(_weighted(random, possible, wanted)):
            null = " NOT NULL" if random.random() < 0.7 else ""
            column = f"{name}f{len(table.parents)}_id"
            table.parents[column], table.columns[column] = parent, f"INT{null}"
            table.rows = max(table.rows, parent.rows) if random.random() < 0.6 else table.rows
        self._key(table)
        for number in range(random.randint(1, self.most_columns)):
            null = " NOT NULL" if random.random() < 0.6 else ""
            table.columns[f"{name}c{number}"] = random.choice(TYPES) + null
        self._unique(table)
        return table

    def _key(self, table: MadeUpTable) -> None:
        """A number of its own, the two sides of a join table, or a parent and a position."""
        chance, own = self.random.random(), f"{table.name}_id"
        owners = [column for column, kind in table.columns.items() if "NOT NULL" in kind]
        if chance < 0.1 and len(owners) > 1:
            table.key = owners[:2]
        elif chance < 0.25 and owners:
            table.key = [owners[0], own]
            table.columns[own] = "INT NOT NULL"
        else:
            table.key = [own]
            table.columns = {own: "INT NOT NULL AUTO_INCREMENT", **table.columns}

    def _unique(self, table: MadeUpTable) -> None:
        keyed = [name for name, kind in table.columns.items() if name not in table.key and not kind.startswith("TEXT")]
        if keyed and self.random.random() < 0.25:
            table.unique.append(tuple(self.random.sample(keyed, self.random.randint(1, min(2, len(keyed))))))

    def _counted(self, table: MadeUpTable) -> dict[str, tuple[int, float]]:
        """Distinct values and share of NULLs by column."""
        found = {}
        for name, kind in table.columns.items():
            nulls = 0.0 if "NOT NULL" in kind else self.random.choice((0.0, 0.1, 0.5, 0.95))
            most = table.parents[name].rows if name in table.parents else table.rows
            distinct = round(10 ** self.random.uniform(0.5, 6))
            found[name] = (max(1, min(distinct, most, table.rows)), nulls)
        return found

    # --- statements ---

    def _statement(self) -> str:
        kinds: tuple[tuple[int, Callable[[MadeUpTable], str]], ...] = (
            (14, self._by_key), (10, self._by_parent), (6, self._by_two), (4, self._ranged), (8, self._latest),
            (10, self._to_parents), (8, self._with_children), (3, self._count), (3, self._listed),
            (10, self._insert), (3, self._upsert), (8, self._update), (3, self._move), (5, self._delete),
        )  # fmt: skip
        ((_, kind),) = self.random.choices(kinds, [weight for weight, _ in kinds])
        return kind(*_weighted(self.random, self.tables, 1))

    def _some(self, table: MadeUpTable, prefix: str = "") -> str:
        """All columns, or some."""
        names = list(table.columns)
        if self.random.random() < 0.6:
            names = sorted(self.random.sample(names, self.random.randint(1, min(4, len(names)))), key=names.index)
        return ", ".join(prefix + name for name in names)

    def _where_key(self, table: MadeUpTable) -> str:
        return " AND ".join(f"{name} = ?" for name in table.key)

    def _by_key(self, table: MadeUpTable) -> str:
        return f"SELECT {self._some(table)} FROM {table.name} WHERE {self._where_key(table)}"

    def _fixed(self, table: MadeUpTable) -> str:
        """A column that statements fix: a foreign key, where there is one."""
        return self.random.choice([*table.parents] or table.plain)

    def _by_parent(self, table: MadeUpTable) -> str:
        return f"SELECT {self._some(table)} FROM {table.name} WHERE {self._fixed(table)} = ?"

    def _by_two(self, table: MadeUpTable) -> str:
        first = self._fixed(table)
        second = self.random.choice([name for name in table.columns if name != first])
        return f"SELECT {self._some(table)} FROM {table.name} WHERE {first} = ? AND {second} = ?"

    def _sort_column(self, table: MadeUpTable) -> str:
        return self.random.choice([n for n in table.plain if table.columns[n].startswith(SORTED)] or table.key)

    def _ranged(self, table: MadeUpTable) -> str:
        column = self._sort_column(table)
        fixed = f"{self._fixed(table)} = ? AND " if self.random.random() < 0.7 else ""
        return f"SELECT {self._some(table)} FROM {table.name} WHERE {fixed}{column} > ?"

    def _latest(self, table: MadeUpTable) -> str:
        fixed = f" WHERE {self._fixed(table)} = ?" if self.random.random() < 0.8 else ""
        way = self.random.choice((" DESC", ""))
        column = self._sort_column(table)
        return f"SELECT {self._some(table)} FROM {table.name}{fixed} ORDER BY {column}{way} LIMIT ?"

    def _to_parents(self, table: MadeUpTable) -> str:
        """A row, or the rows of one parent, with its parents and perhaps theirs."""
        if not table.parents:
            return self._by_key(table)
        joins, columns = [], [self._some(table, "a.")]
        for number, (column, parent) in enumerate([*table.parents.items()][: self.random.randint(1, 3)]):
            joins.append(
                f"{self._join(table, column)} {parent.name} p{number} ON p{number}.{parent.key[0]} = a.{column}"
            )
            columns.append(self._some(parent, f"p{number}."))
            if number == 0 and parent.parents and self.random.random() < 0.3:
                own, grand = next(iter(parent.parents.items()))
                joins.append(f"{self._join(parent, own)} {grand.name} g ON g.{grand.key[0]} = p0.{own}")
                columns.append(self._some(grand, "g."))
        fixed = " AND ".join(f"a.{n} = ?" for n in (table.key if self.random.random() < 0.5 else [self._fixed(table)]))
        return f"SELECT {', '.join(columns)} FROM {table.name} a {' '.join(joins)} WHERE {fixed}"

    def _join(self, table: MadeUpTable, column: str) -> str:
        nullable = "NOT NULL" not in table.columns.get(column, "")
        return "LEFT JOIN" if nullable and self.random.random() < 0.7 else "JOIN"

    def _with_children(self, table: MadeUpTable) -> str:
        """A parent by its key, with its children."""
        if not table.parents:
            return self._by_key(table)
        column, parent = self.random.choice([*table.parents.items()])
        return (
            f"SELECT {self._some(parent, 'p.')}, {self._some(table, 'a.')} FROM {parent.name} p "
            f"{self.random.choice(('JOIN', 'LEFT JOIN'))} {table.name} a ON a.{column} = p.{parent.key[0]} "
            f"WHERE p.{parent.key[0]} = ?"
        )

    def _count(self, table: MadeUpTable) -> str:
        return f"SELECT COUNT(*) FROM {table.name} WHERE {self._fixed(table)} = ?"

    def _listed(self, table: MadeUpTable) -> str:
        column = table.key[0] if self.random.random() < 0.5 else self._fixed(table)
        return f"SELECT {self._some(table)} FROM {table.name} WHERE {column} IN (?)"

    def _given(self, table: MadeUpTable) -> tuple[str, str]:
        """The columns of an INSERT, all or all but some that may be NULL, and as many placeholders."""
        given = [n for n, kind in table.columns.items() if "NOT NULL" in kind or self.random.random() < 0.8]
        return ", ".join(given), ", ".join("?" * len(given))

    def _insert(self, table: MadeUpTable) -> str:
        columns, values = self._given(table)
        return f"INSERT INTO {table.name} ({columns}) VALUES ({values})"

    def _upsert(self, table: MadeUpTable) -> str:
        changed = self.random.choice(table.plain)
        return f"{self._insert(table)} ON DUPLICATE KEY UPDATE {changed} = ?"

    def _update(self, table: MadeUpTable) -> str:
        names = self.random.sample(table.plain, self.random.randint(1, min(3, len(table.plain))))
        return f"UPDATE {table.name} SET {', '.join(f'{n} = ?' for n in names)} WHERE {self._where_key(table)}"

    def _move(self, table: MadeUpTable) -> str:
        """To another parent."""
        movable = [name for name in table.parents if name not in table.key]
        if not movable:
            return self._update(table)
        return f"UPDATE {table.name} SET {self.random.choice(movable)} = ? WHERE {self._where_key(table)}"

    def _delete(self, table: MadeUpTable) -> str:
        fixed = self._where_key(table) if self.random.random() < 0.7 else f"{self._fixed(table)} = ?"
        return f"DELETE FROM {table.name} WHERE {fixed}"
