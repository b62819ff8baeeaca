"""Where a load reads its rows: a running server, or a dump. Rows come in chunks, with what is copied from other tables.

A server is read in one consistent snapshot, in ranges of the primary key, and joins by itself. Of a dump the rows that
are copied from are put into a temporary file first.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ddbmig.analyzers.dump import DumpReader
from ddbmig.analyzers.live import LiveCollection, can_be_walked, quoted
from ddbmig.analyzers.snapshot import fingerprint
from ddbmig.load_state import Mark
from ddbmig.loaders.cells import cells_of, cells_text
from ddbmig.loaders.dynamodb_json import number_text
from ddbmig.loaders.encoder import Copy, Row
from ddbmig.model.encodings import Cell, attribute_type, collated, encoding_for, row_digest
from ddbmig.model.errors import UsageError
from ddbmig.model.schema import Column, InputProblem, Schema, Table

CHUNK_ROWS = 10_000
CHUNK_BYTES = 8 << 20
"""A chunk has as many rows as fit into this on average, but no more than CHUNK_ROWS."""
MOST_CHUNKS = 40_000
"""Chunks of a table: less than the objects that one ImportTable request takes, since counts may be estimates."""
_FEWEST = 50


class Wanted(NamedTuple):
    """A source table to read: what to copy from others, and how many rows make a chunk."""

    table: Table
    copies: tuple[Copy, ...]
    rows: int


class Chunk(NamedTuple):
    """Rows of one table; `mark` is the place after them, None where reading cannot begin there again."""

    source: str
    rows: list[Row]
    mark: Mark | None


class Source(Protocol):
    """Where rows come from."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What it is, without credentials: another one must not be taken for it."""

    def chunks(self, wanted: Sequence[Wanted], done: Mapping[str, tuple[Mark | None, int]]) -> Iterator[Chunk]:
        """The rows after the marks of `done` (a mark and the rows up to it, by table).

        A table's last chunk has a mark, and may have no rows. Raises UsageError or InputError where reading fails.
        """

    @property
    def problems(self) -> tuple[InputProblem, ...]:
        """What could not be read, after all chunks."""

    @property
    def lost(self) -> int:
        """How many rows these are, of the tables that were wanted."""


def chunk_rows(item_bytes: float, rows: float = 0) -> int:
    """How many rows of this size make a chunk, where a table has so many."""
    return int(max(min(CHUNK_ROWS, max(_FEWEST, CHUNK_BYTES / max(item_bytes, 1))), rows / MOST_CHUNKS))


# --- a server ---

_DONE: Mark = ["done"]
_COLUMNS = (
    "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_SCALE FROM information_schema.COLUMNS"
    " WHERE TABLE_SCHEMA = %s"
)


@dataclass(frozen=True)
class LiveSource:
    """A running server."""

    live: LiveCollection
    schema: Schema
    database: str
    """The database of the URL; empty where the names of the schema count."""

    problems: tuple[InputProblem, ...] = ()
    lost: int = 0

    @property
    def identity(self) -> Mapping[str, Any]:
        """The address of the server, and the database."""
        return {"server": str(self.live.address), "database": self.database}

    def check(self, tables: Sequence[Table]) -> None:
        """Raise UsageError where the server's tables are not those of the schema."""
        for name in sorted({self._database(table) for table in tables}):
            found: dict[str, dict[str, tuple[str, str, int]]] = {}
            for table, column, kind, whole, scale in self.live.query(_COLUMNS, name):
                found.setdefault(str(table), {})[str(column).lower()] = (str(kind).lower(), str(whole).lower(), scale)
            for table in tables:
                if self._database(table) == name:
                    _check_table(table, found.get(table.name))

    def chunks(self, wanted: Sequence[Wanted], done: Mapping[str, tuple[Mark | None, int]]) -> Iterator[Chunk]:
        """Table after table, all of one moment."""
        with self.live.snapshot():
            for one in wanted:
                mark, _ = done.get(one.table.id, (None, 0))
                if mark != _DONE:
                    yield from self._ranges(one, mark) if can_be_walked(one.table) else self._whole(one)

    def _ranges(self, wanted: Wanted, after: Mark | None) -> Iterator[Chunk]:
        """Ranges of the primary key, one statement each."""
        table = wanted.table
        names = [column.name.lower() for column in table.columns]
        places = [names.index(name.lower()) for name in table.primary_key]
        while True:
            condition = self.live.beyond(table.primary_key, after, "t.") if after is not None else ""
            rows = list(self.live.stream(self._select(wanted, f"{condition}{_order(table)} LIMIT {wanted.rows}")))
            if len(rows) < wanted.rows:
                yield Chunk(table.id, list(rows), _DONE)
                return
            after = [rows[-1][place] for place in places]
            yield Chunk(table.id, list(rows), after)

    def _whole(self, wanted: Wanted) -> Iterator[Chunk]:
        """A table without a key that can be walked: begun anew as a whole where the load stops inside it."""
        rows: list[Row] = []
        for row in self.live.stream(self._select(wanted, _order(wanted.table))):
            rows.append(row)
            if len(rows) == wanted.rows:
                yield Chunk(wanted.table.id, rows, None)
                rows = []
        yield Chunk(wanted.table.id, rows, _DONE)

    def _select(self, wanted: Wanted, rest: str) -> str:
        columns = [f"t.{quoted(column.name)}" for column in wanted.table.columns]
        joins = []
        for n, copy in enumerate(wanted.copies):
            parent = self.schema.table(copy.table)
            pairs = zip(copy.columns, copy.local, strict=True)
            on = " AND ".join(f"p{n}.{quoted(theirs)} = t.{quoted(ours)}" for theirs, ours in pairs)
            joins.append(f" LEFT JOIN {self._full_name(parent)} AS p{n} ON {on}")
            columns += [f"p{n}.{quoted(copy.columns[0])} IS NOT NULL", *(f"p{n}.{quoted(c)}" for c in copy.taken)]
        return f"SELECT {', '.join(columns)} FROM {self._full_name(wanted.table)} AS t{''.join(joins)} {rest}"  # noqa: S608  # quoted names

    def _database(self, table: Table) -> str:
        return self.database or table.schema_name

    def _full_name(self, table: Table) -> str:
        return f"{quoted(self._database(table))}.{quoted(table.name)}"


def live_source(live: LiveCollection, schema: Schema, tables: Sequence[Table]) -> LiveSource:
    """A server that holds these tables. Raises UsageError where it does not, or where a database is not named."""
    schemas = {table.schema_name for table in tables}
    database = live.address.database
    if database and len(schemas) > 1:
        raise UsageError("the contract's tables are in several databases", subject=", ".join(sorted(schemas)),
                         hint="name none in the URL")  # fmt: skip
    if not database and "" in schemas:
        raise UsageError("the snapshot does not say in which database the tables are", hint="name it in the URL")
    source = LiveSource(live, schema, database)
    source.check(tables)
    return source


def _order(table: Table) -> str:
    return f" ORDER BY {', '.join(f't.{quoted(name)}' for name in table.primary_key)}" if table.primary_key else ""


def _check_table(table: Table, found: Mapping[str, tuple[str, str, int]] | None) -> None:
    hint = "make a new snapshot, and the contract from it"
    if found is None:
        raise UsageError("the server has no such table", subject=table.id, hint="check the database of the URL")
    for column in table.columns:
        known = found.get(column.name.lower())
        if known is None:
            raise UsageError("the server's table lacks a column of the snapshot",
                             subject=f"{table.id}.{column.name}", hint=hint)  # fmt: skip
        if not _alike(column, *known):
            raise UsageError("a column has another type than in the snapshot", subject=f"{table.id}.{column.name}",
                             expected=column.type, hint=hint)  # fmt: skip
    if new := sorted(set(found) - {column.name.lower() for column in table.columns}):
        raise UsageError("the server's table has a column that the snapshot lacks",
                         subject=f"{table.id}.{new[0]}", hint=hint)  # fmt: skip


def _alike(column: Column, kind: str, whole: str, scale: int | None) -> bool:
    """Whether values of a server's column become the same items (MariaDB's JSON is a LONGTEXT)."""
    theirs = column.model_copy(update={"type": kind})
    same = attribute_type(encoding_for(theirs)) == attribute_type(encoding_for(column))
    sign = column.type not in _SIGNED or column.unsigned == ("unsigned" in whole)
    return same and sign and (column.type != "decimal" or (column.scale or 0) == scale)


_SIGNED = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal"})


# --- a dump ---


class DumpSource:
    """Dumps of mysqldump, read in their order."""

    def __init__(self, files: Sequence[tuple[Path, str]], schema: Schema) -> None:
        self._files, self._schema = files, schema
        self._reader = DumpReader(files, schema)
        self._wanted: set[str] = set()

    @property
    def identity(self) -> Mapping[str, Any]:
        """The content of the files."""
        return {"dump": [fingerprint(path)[0] for path, _ in self._files]}

    @property
    def problems(self) -> tuple[InputProblem, ...]:
        """What the reader did not understand."""
        return self._reader.problems

    @property
    def lost(self) -> int:
        """The rows among it that are of tables which were wanted."""
        return sum(rows for table, rows in self._reader.lost.items() if table.lower() in self._wanted)

    def chunks(self, wanted: Sequence[Wanted], done: Mapping[str, tuple[Mark | None, int]]) -> Iterator[Chunk]:
        """The rows in the order of the dump; a mark is the number of rows of its table up to there."""
        tables = {one.table.id: one for one in wanted}
        self._wanted = {one.table.name.lower() for one in wanted}
        self._reader = DumpReader(self._files, self._schema)
        waiting: dict[str, list[Row]] = {table: [] for table in tables}
        seen = dict.fromkeys(tables, 0)
        with _Parents(self._schema, [copy for one in wanted for copy in one.copies]) as parents:
            parents.keep(DumpReader(self._files, self._schema))
            for table, cells in self._reader.rows():
                if table not in tables:
                    continue
                seen[table] += 1
                if seen[table] <= done.get(table, (None, 0))[1]:
                    continue
                rows, copies = waiting[table], tables[table].copies
                rows.append(parents.joined(tables[table].table, cells, copies) if copies else cells)
                if len(rows) == tables[table].rows:
                    yield Chunk(table, rows, [seen[table]])
                    waiting[table] = []
            for table, rows in waiting.items():
                yield Chunk(table, rows, [seen[table]])


class _Parents:
    """The rows that attributes are copied from, by the columns that find them: on disk as far as memory does not hold
    them."""

    def __init__(self, schema: Schema, copies: Sequence[Copy]) -> None:
        self._schema = schema
        self._names: dict[Copy, str] = {}
        for copy in copies:
            self._names.setdefault(copy, f"c{len(self._names)}")
        self._local: dict[tuple[str, Copy], list[int]] = {}
        self._db = sqlite3.connect("", isolation_level=None)

    def __enter__(self) -> "_Parents":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def keep(self, reader: DumpReader) -> None:
        """Take the rows from a dump; the first of several with the same columns."""
        if not self._names:
            return
        for name in self._names.values():
            self._db.execute(f"CREATE TABLE {name} (key BLOB PRIMARY KEY, taken TEXT) WITHOUT ROWID")
        by_table: dict[str, list[tuple[str, Copy, list[int], list[int]]]] = {}
        for copy, name in self._names.items():
            table = self._schema.table(copy.table)
            keys, taken = _places(table, copy.columns), _places(table, copy.taken)
            by_table.setdefault(copy.table, []).append((name, copy, keys, taken))
        with closing(self._db.cursor()) as cursor:
            cursor.execute("BEGIN")
            for table_id, cells in reader.rows():
                for name, copy, keys, taken in by_table.get(table_id, ()):
                    key = self._key(copy, [cells[place] for place in keys])
                    if key is not None:
                        row = cells_text(cells[place] for place in taken)
                        cursor.execute(f"INSERT OR IGNORE INTO {name} VALUES (?, ?)", (key, row))  # noqa: S608  # likewise
            cursor.execute("COMMIT")

    def joined(self, table: Table, cells: Sequence[Cell], copies: Sequence[Copy]) -> Row:
        """A row with what is copied from others behind it."""
        row = list(cells)
        for copy in copies:
            if (table.id, copy) not in self._local:
                self._local[table.id, copy] = _places(table, copy.local)
            key = self._key(copy, [cells[place] for place in self._local[table.id, copy]])
            query = f"SELECT taken FROM {self._names[copy]} WHERE key = ?"  # noqa: S608  # a name of ours
            found = None if key is None else self._db.execute(query, (key,)).fetchone()
            row += [0, *(None for _ in copy.taken)] if found is None else [1, *cells_of(found[0])]
        return row

    def _key(self, copy: Copy, cells: Sequence[Cell]) -> bytes | None:
        """Equal for values that MySQL holds equal; None where one is NULL, which equals nothing."""
        if any(cell is None for cell in cells):
            return None
        columns = map(self._schema.table(copy.table).column, copy.columns)
        return bytes.fromhex(row_digest([_comparable(cell, c) for cell, c in zip(cells, columns, strict=True)]))


def _places(table: Table, columns: Sequence[str]) -> list[int]:
    names = [column.name.lower() for column in table.columns]
    return [names.index(name.lower()) for name in columns]


def _comparable(cell: Cell, column: Column) -> Cell:
    return number_text(Decimal(cell)) if isinstance(cell, int | float | Decimal) else collated(cell, column)
