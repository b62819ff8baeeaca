"""DDL files -> Schema: dumps of MySQL and MariaDB, phpMyAdmin exports and hand-written scripts.

Statements are applied in order, as a server would: CREATE, ALTER, DROP, USE. What is not understood is reported with
its line, and its table is in the schema all the same with what was understood.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from ddbmig.analyzers import ddl_grammar as grammar
from ddbmig.analyzers.ddl_grammar import (
    ColumnDefinition,
    Cursor,
    Definition,
    ForeignKeyDefinition,
    KeyDefinition,
    KeyKind,
    TableName,
    TableOptions,
    Unread,
)
from ddbmig.analyzers.files import open_input
from ddbmig.analyzers.sqlscript import Statement, statements, without_comments
from ddbmig.model.errors import InputError
from ddbmig.model.location import Location
from ddbmig.model.schema import Column, ForeignKey, Index, InputProblem, Schema, SchemaObject, Table

_WANTED = re.compile(rb"(?:\s|/\*M?!\d*)*+(?:CREATE|ALTER|DROP|USE|RENAME)\b", re.IGNORECASE)
_DATABASE_LINE = re.compile(rb"--.*?\bDatabase:\s*`?([^`\s]+)")
ObjectKind = Literal["view", "trigger", "procedure", "function", "event"]


def read_ddl(files: Sequence[tuple[Path, str]]) -> Schema:
    """The schema of all files together, in order; each file is its path and the name that messages show.

    A table's id is its name, or `schema.name` for every table where the input has several schemas. Raises InputError
    for a file that cannot be read or that defines no table.
    """
    reader = _Reader()
    for path, name in files:
        reader.read_file(path, name)
    return reader.schema()


def read_ddl_text(text: str, name: str) -> Schema:
    """The schema of DDL that is not in a file, as `read_ddl` reads it; `name` is what messages show."""
    reader = _Reader()
    reader.read([text.encode("utf-8", "replace")], name)
    return reader.schema()


@dataclass
class _Draft:
    """A table while statements still change it. Keys stand with the place that defines them."""

    schema: str
    name: str
    at: Location
    columns: list[Column] = field(default_factory=list)
    keys: list[tuple[KeyDefinition, Location]] = field(default_factory=list)
    foreign_keys: list[tuple[ForeignKeyDefinition, Location]] = field(default_factory=list)
    options: TableOptions = field(default_factory=TableOptions)

    def position(self, column: str) -> int | None:
        """The place of a column (names are case-insensitive)."""
        return next((at for at, each in enumerate(self.columns) if each.name.lower() == column.lower()), None)

    def spelled(self, columns: Iterable[str]) -> tuple[str, ...]:
        """The names as the column definitions spell them. Raises Unread for a column that is not there."""
        found = []
        for name in columns:
            if (at := self.position(name)) is None:
                raise Unread(f"a key names column {name}, which table {self.name} does not have")
            found.append(self.columns[at].name)
        return tuple(found)

    def primary_key(self) -> tuple[str, ...]:
        return next((key.columns for key, _ in self.keys if key.kind == "primary"), ())

    def add(self, found: Definition, at: Location) -> None:
        """Take in one definition, which begins at `at`; unnamed keys get MySQL's names."""
        if isinstance(found, ColumnDefinition):
            name = found.column.name
            self.columns.append(found.column)
            if found.primary:
                self.add(KeyDefinition("primary", "", (name,)), at)
            if found.unique:
                self.add(KeyDefinition("unique", "", (name,)), at)
        elif isinstance(found, KeyDefinition):
            name = "PRIMARY" if found.kind == "primary" else found.name or self._free_name(found.columns[0])
            self.keys.append((replace(found, name=name), at))
        elif isinstance(found, ForeignKeyDefinition):
            name = found.name or f"{self.name}_ibfk_{len(self.foreign_keys) + 1}"
            self.foreign_keys.append((replace(found, name=name), at))

    def _free_name(self, wanted: str) -> str:
        """The first column's name, with _2, _3 … where taken."""
        taken = {key.name.lower() for key, _ in self.keys}
        names = [wanted, *(f"{wanted}_{number}" for number in range(2, len(taken) + 3))]
        return next(name for name in names if name.lower() not in taken)

    def rename_column(self, old: str, new: str | None) -> None:
        """Rename a column, or drop it (None), in the columns and in all keys."""
        if (at := self.position(old)) is None:
            raise Unread(f"column {old} is not in the table")
        self.columns[at : at + 1] = [] if new is None else [self.columns[at].model_copy(update={"name": new})]

        def renamed(columns: tuple[str, ...]) -> tuple[str, ...]:
            names = (new if name.lower() == old.lower() else name for name in columns)
            return tuple(name for name in names if name is not None)

        keys = [(replace(key, columns=renamed(key.columns)), at) for key, at in self.keys]
        self.keys = [(key, at) for key, at in keys if key.columns]
        self.foreign_keys = [(replace(key, columns=renamed(key.columns)), at) for key, at in self.foreign_keys]

    def drop_key(self, name: str) -> None:
        """Drop the key or foreign key of this name, if there is one."""
        self.keys = [pair for pair in self.keys if pair[0].name.lower() != name.lower()]
        self.foreign_keys = [pair for pair in self.foreign_keys if pair[0].name.lower() != name.lower()]


class _Reader:
    """The state of a session that runs the scripts."""

    def __init__(self) -> None:
        self.drafts: dict[tuple[str, str], _Draft] = {}
        self.objects: dict[tuple[str, str], SchemaObject] = {}
        self.problems: list[InputProblem] = []
        self.current = ""
        self.file = ""

    def read_file(self, path: Path, name: str) -> None:
        """Apply the statements of one file."""
        with open_input(path) as opened:
            self.read(opened.lines(), name)

    def read(self, chunks: Iterable[bytes], name: str) -> None:
        """Apply the statements of one script. Raises InputError where it defines and changes no table."""
        self.file, self.current = name, ""
        tables = 0
        for statement in statements(chunks, lambda head: bool(_WANTED.match(head))):
            tables += self._apply(statement)
        if not tables:
            raise InputError(
                "no CREATE TABLE in this file",
                file=name,
                expected="the DDL of a MySQL schema",
                hint="make one with `mysqldump --no-data DATABASE`",
            )

    def _apply(self, statement: Statement) -> bool:
        """Run one statement; true if it defines or changes a table."""
        if statement.text.startswith(b"--"):
            if match := _DATABASE_LINE.match(statement.text):
                self.current = match[1].decode("utf-8", "replace")
            return False
        sql = without_comments(statement.text.decode("utf-8", "replace"))
        start = Location(file=self.file, line=statement.line, column=statement.column)
        if "\ufffd" in sql:
            self._problem(start, "", "a statement holds bytes that are not UTF-8")
        if not statement.complete:
            self._problem(start, "", "a quote or comment that begins in this statement is not closed")
        try:
            return self._run(Cursor(sql, grammar.tokenize(sql), start))
        except Unread as error:
            self._problem(start, "", f"a statement is not understood: {error}")
            return False

    def _run(self, cursor: Cursor) -> bool:
        verb = cursor.one_of("CREATE", "ALTER", "DROP", "USE", "RENAME")
        if verb == "CREATE":
            return self._create(cursor)
        if verb == "ALTER":
            cursor.one_of("ONLINE", "OFFLINE", "IGNORE")
            return cursor.accept("TABLE") and self._alter(cursor)
        if verb == "USE":
            self.current = cursor.identifier()
        elif verb == "DROP":
            self._drop(cursor)
        elif verb == "RENAME" and cursor.accept("TABLE"):
            self._rename_tables(cursor)
        return False

    def _problem(self, at: Location, subject: str, message: str) -> None:
        self.problems.append(InputProblem(file=at.file, line=at.line, subject=subject, message=message))

    def _qualified(self, name: TableName) -> tuple[str, str]:
        return (self.current if name[0] is None else name[0]), name[1]

    def _find(self, name: TableName) -> _Draft | None:
        return _lookup(self.drafts, self._qualified(name))

    # --- CREATE ---

    def _create(self, cursor: Cursor) -> bool:
        replaces = cursor.accept("OR", "REPLACE")
        if cursor.accept("TEMPORARY"):
            return False
        if cursor.accept("TABLE"):
            self._create_table(cursor, replaces)
            return True
        kind = cursor.one_of("UNIQUE", "FULLTEXT", "SPATIAL").lower() or "index"
        if cursor.accept("INDEX"):
            return self._create_index(cursor, cast(KeyKind, kind))
        self._create_object(cursor)
        return False

    def _create_table(self, cursor: Cursor, replaces: bool) -> None:
        at = cursor.first_place()
        optional = cursor.accept("IF", "NOT", "EXISTS")
        schema, name = self._qualified(cursor.table_name())
        if (schema, name) in self.drafts and not replaces:
            if not optional:
                self._problem(at, name, "the table is created a second time; the first definition is kept")
            return
        draft = self.drafts[schema, name] = _Draft(schema, name, at)
        if cursor.accept("LIKE"):
            self._guarded(draft, cursor, self._copy)
        elif cursor.word() != "(":
            self._problem(at, name, "a table without a list of columns; its columns are not known")
        else:
            self._guarded(draft, cursor, self._body)
        self._report_notes(draft, cursor)

    def _body(self, draft: _Draft, cursor: Cursor) -> None:
        body = cursor.group()
        if body.accept("LIKE"):
            self._copy(draft, body)
            return
        for item in body.items():
            self._guarded(draft, item, _add_definition)
        grammar.table_options(cursor, draft.options)

    def _guarded(self, draft: _Draft, cursor: Cursor, read: Callable[[_Draft, Cursor], None]) -> None:
        """Let `read` work; what it cannot read is a problem of this place only."""
        at = cursor.place()
        try:
            read(draft, cursor)
        except Unread as error:
            self._problem(at, draft.name, str(error))

    def _report_notes(self, draft: _Draft, cursor: Cursor) -> None:
        for at, message in cursor.notes:
            self._problem(at, draft.name, message)

    def _copy(self, draft: _Draft, cursor: Cursor) -> None:
        """CREATE TABLE … LIKE: columns and keys, not the foreign keys, as MySQL does."""
        source = self._find(cursor.table_name())
        if source is None:
            raise Unread("LIKE names a table that is not defined before; no column is known")
        draft.columns, draft.keys = list(source.columns), list(source.keys)
        draft.options = replace(source.options, auto_increment=None)

    def _create_index(self, cursor: Cursor, kind: KeyKind) -> bool:
        cursor.accept("IF", "NOT", "EXISTS")
        name = cursor.identifier()
        while not cursor.accept("ON"):
            cursor.next()
            if cursor.done():
                raise Unread("CREATE INDEX without a table")
        at = cursor.first_place()
        return self._altered(cursor, lambda draft, rest: draft.add(grammar.key_parts(rest, kind, name), at))

    def _create_object(self, cursor: Cursor) -> None:
        """List a view, trigger, routine or event; DEFINER and the like stand before the kind."""
        at = cursor.first_place()
        while not cursor.done():
            if kind := cursor.one_of("VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"):
                cursor.accept("IF", "NOT", "EXISTS")
                name = cursor.table_name()[1]
                found = SchemaObject(kind=cast(ObjectKind, kind.lower()), name=name, file=at.file, line=at.line)
                self.objects[kind, name] = found
                return
            if cursor.one_of("DATABASE", "SCHEMA", "USER", "ROLE", "SERVER", "TABLESPACE", "SEQUENCE", "PACKAGE"):
                return
            cursor.next()

    # --- ALTER, DROP, RENAME ---

    def _alter(self, cursor: Cursor) -> bool:
        cursor.accept("IF", "EXISTS")
        return self._altered(cursor, self._alter_items)

    def _alter_items(self, draft: _Draft, cursor: Cursor) -> None:
        for item in cursor.items():
            self._guarded(draft, item, self._alter_one)

    def _altered(self, cursor: Cursor, change: Callable[[_Draft, Cursor], None]) -> bool:
        """Let `change` work on the table that is named next; false if there is no such table."""
        at, name = cursor.place(), cursor.table_name()
        draft = self._find(name)
        if draft is None:
            self._problem(at, name[1], "a statement changes a table that is not defined before; it is left out")
            return False
        self._guarded(draft, cursor, change)
        self._report_notes(draft, cursor)
        return True

    def _alter_one(self, draft: _Draft, item: Cursor) -> None:
        """One action of an ALTER TABLE."""
        verb = item.one_of("ADD", "MODIFY", "CHANGE", "DROP", "RENAME", "ALTER", "CONVERT", "ORDER", *_PASSED_OVER)
        if verb == "ADD":
            self._alter_add(draft, item)
        elif verb in ("MODIFY", "CHANGE"):
            self._alter_column(draft, item, renames=verb == "CHANGE")
        elif verb == "DROP":
            _alter_drop(draft, item)
        elif verb == "RENAME":
            self._alter_rename(draft, item)
        elif verb == "CONVERT":
            item.accept("TO")
            grammar.table_options(item, draft.options)
        elif not verb:
            grammar.table_options(item, draft.options)

    def _alter_add(self, draft: _Draft, item: Cursor) -> None:
        if item.word() in ("PARTITION", "SYSTEM"):
            return
        item.accept("COLUMN")
        item.accept("IF", "NOT", "EXISTS")
        if item.word() == "(":
            for each in item.group().items():
                self._guarded(draft, each, _add_definition)
            return
        after = _take_position(item)
        columns = len(draft.columns)
        _add_definition(draft, item)
        if len(draft.columns) > columns:
            _move_last(draft, after)

    def _alter_column(self, draft: _Draft, item: Cursor, renames: bool) -> None:
        item.accept("COLUMN")
        item.accept("IF", "EXISTS")
        at, after = item.place(), _take_position(item)
        old = item.identifier() if renames else item.peek().text
        found = grammar.column_definition(item)
        if draft.position(old) is None:
            raise Unread(f"column {old} is not in the table")
        draft.rename_column(old, found.column.name)
        index = draft.position(found.column.name) or 0
        del draft.columns[index]
        draft.add(found, at)
        _move_last(draft, after if after is not None else draft.columns[index - 1].name if index else "")

    def _alter_rename(self, draft: _Draft, item: Cursor) -> None:
        if item.accept("COLUMN"):
            old = item.identifier()
            item.accept("TO")
            draft.rename_column(old, item.identifier())
        elif item.one_of("INDEX", "KEY"):
            old = item.identifier()
            item.accept("TO")
            new = item.identifier()
            draft.keys = [(replace(key, name=new) if key.name == old else key, at) for key, at in draft.keys]
        else:
            item.one_of("TO", "AS")
            self._rename(draft, item.table_name())

    def _rename(self, draft: _Draft, name: TableName) -> None:
        del self.drafts[draft.schema, draft.name]
        draft.schema, draft.name = self._qualified(name)
        self.drafts[draft.schema, draft.name] = draft

    def _rename_tables(self, cursor: Cursor) -> None:
        for item in cursor.items():
            if draft := self._find(item.table_name()):
                item.accept("TO")
                self._rename(draft, item.table_name())

    def _drop(self, cursor: Cursor) -> None:
        if cursor.accept("TABLE"):
            cursor.accept("IF", "EXISTS")
            for item in cursor.items():
                if draft := self._find(item.table_name()):
                    del self.drafts[draft.schema, draft.name]
        elif cursor.accept("INDEX"):
            name = cursor.identifier()
            cursor.accept("ON")
            self._altered(cursor, lambda draft, _: draft.drop_key(name))
        elif kind := cursor.one_of("VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"):
            cursor.accept("IF", "EXISTS")
            self.objects.pop((kind, cursor.table_name()[1]), None)

    # --- the result ---

    def schema(self) -> Schema:
        """What all statements left behind."""
        several = len({draft.schema for draft in self.drafts.values()}) > 1
        tables = [self._table(draft, several) for draft in self.drafts.values()]
        return Schema(
            tables=tuple(sorted(tables, key=lambda table: table.id)),
            objects=tuple(self.objects[key] for key in sorted(self.objects)),
            problems=tuple(self.problems),
        )

    def _table(self, draft: _Draft, several: bool) -> Table:
        keys = [(key, self._checked(draft, key.columns, at), at) for key, at in draft.keys]
        primary = next((columns for key, columns, _ in keys if key.kind == "primary" and columns), ())
        return Table(
            id=_table_id(draft, several),
            schema_name=draft.schema,
            name=draft.name,
            columns=tuple(_column(column, draft.options, primary) for column in draft.columns),
            primary_key=primary,
            indexes=tuple(
                Index(name=key.name, columns=columns, kind=key.kind, at=at)
                for key, columns, at in keys
                if columns and key.kind != "primary"
            ),
            foreign_keys=tuple(self._foreign_keys(draft, several)),
            engine=draft.options.engine,
            charset=draft.options.charset or _charset_of(draft.options.collation),
            collation=draft.options.collation,
            comment=draft.options.comment,
            partition_by=draft.options.partition_by,
            auto_increment=draft.options.auto_increment,
            file=draft.at.file,
            line=draft.at.line,
            at_column=draft.at.column,
        )

    def _checked(self, draft: _Draft, columns: tuple[str, ...], at: Location) -> tuple[str, ...]:
        try:
            return draft.spelled(columns)
        except Unread as error:
            self._problem(at, draft.name, f"{error}; the key is left out")
            return ()

    def _foreign_keys(self, draft: _Draft, several: bool) -> Iterable[ForeignKey]:
        for key, at in draft.foreign_keys:
            schema = draft.schema if key.parent[0] is None else key.parent[0]
            parent = _lookup(self.drafts, (schema, key.parent[1]))
            if parent is None:
                message = (
                    f"foreign key {key.name} refers to table {key.parent[1]}, which is not defined; it is left out"
                )
                self._problem(at, draft.name, message)
                continue
            columns = self._checked(draft, key.columns, at)
            parent_columns = self._checked(parent, key.parent_columns or parent.primary_key(), at)
            if columns and len(columns) == len(parent_columns):
                yield ForeignKey(
                    name=key.name,
                    columns=columns,
                    parent=_table_id(parent, several),
                    parent_columns=parent_columns,
                    on_delete=key.on_delete,
                    on_update=key.on_update,
                    at=at,
                )


_PASSED_OVER = ("ENABLE", "DISABLE", "ALGORITHM", "LOCK", "FORCE", "DISCARD", "IMPORT", "COALESCE", "REORGANIZE")
"""Actions of ALTER TABLE that change no structure."""


def _lookup(drafts: dict[tuple[str, str], _Draft], name: tuple[str, str]) -> _Draft | None:
    """The table of this name; one in another case if it is the only one (lower_case_table_names varies)."""
    if name in drafts:
        return drafts[name]
    folded = (name[0].lower(), name[1].lower())
    alike = [draft for draft in drafts.values() if (draft.schema.lower(), draft.name.lower()) == folded]
    return alike[0] if len(alike) == 1 else None


def _add_definition(draft: _Draft, item: Cursor) -> None:
    at = item.place()
    draft.add(grammar.definition(item), at)


def _alter_drop(draft: _Draft, item: Cursor) -> None:
    kind = item.one_of("PRIMARY", "FOREIGN", "INDEX", "KEY", "CONSTRAINT", "CHECK", "PARTITION", "SYSTEM", "COLUMN")
    if kind in ("PARTITION", "SYSTEM", "CHECK"):
        return
    if kind in ("PRIMARY", "FOREIGN"):
        item.accept("KEY")
    item.accept("IF", "EXISTS")
    if kind == "PRIMARY":
        draft.drop_key("PRIMARY")
    elif kind in ("", "COLUMN"):
        draft.rename_column(item.identifier(), None)
    else:
        draft.drop_key(item.identifier())


def _take_position(item: Cursor) -> str | None:
    """Cut FIRST (empty text) or AFTER column off the end of a column definition."""
    tokens = item.tokens
    if len(tokens) > 2 and (tokens[-1].kind, tokens[-1].text.upper()) == ("word", "FIRST"):
        item.tokens = tokens[:-1]
        return ""
    if len(tokens) > 3 and (tokens[-2].kind, tokens[-2].text.upper()) == ("word", "AFTER"):
        item.tokens = tokens[:-2]
        return tokens[-1].text
    return None


def _move_last(draft: _Draft, after: str | None) -> None:
    """Move the last column behind column `after`; to the front for an empty text; leave it for None."""
    if after is None:
        return
    column = draft.columns.pop()
    at = draft.position(after) if after else -1
    draft.columns.insert(len(draft.columns) if at is None else at + 1, column)


def _table_id(draft: _Draft, several: bool) -> str:
    return f"{draft.schema}.{draft.name}" if several and draft.schema else draft.name


def _column(column: Column, options: TableOptions, primary_key: tuple[str, ...]) -> Column:
    """The column with what it takes from its table: character set, collation, and NOT NULL of the primary key."""
    changes: dict[str, object] = {}
    if column.name in primary_key:
        changes["nullable"] = False
    if column.type in grammar.TEXT_TYPES:
        table_charset = options.charset or _charset_of(options.collation)
        charset = column.charset or _charset_of(column.collation) or table_charset
        collation = f"{charset}_bin" if column.collation == grammar.BINARY_COLLATION else column.collation
        inherited = options.collation if charset == table_charset and column.charset is None else None
        changes |= {"charset": charset, "collation": collation or inherited}
    return column.model_copy(update=changes)


def _charset_of(collation: str | None) -> str | None:
    """`utf8mb4` of `utf8mb4_0900_ai_ci`."""
    return collation.split("_")[0] if collation and collation != grammar.BINARY_COLLATION else None
