"""The MySQL schema as understood."""

from typing import Literal

from ddbmig.model.base import Value
from ddbmig.model.location import Location


class Column(Value):
    """One column. `type` is the bare lower-case MySQL type (`varchar`, `bigint`, `datetime`, …)."""

    name: str
    type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    unsigned: bool = False
    nullable: bool = True
    default: str | None = None
    auto_increment: bool = False
    values: tuple[str, ...] = ()
    """The members of an ENUM or SET."""
    generated: str | None = None
    """The expression of a generated column, as written."""
    charset: str | None = None
    collation: str | None = None
    comment: str = ""


class Index(Value):
    """A key of a table, the primary key apart."""

    name: str
    columns: tuple[str, ...]
    kind: Literal["unique", "index", "fulltext", "spatial"]
    at: Location | None = None
    """Where the definition begins, which may be another file than the table's."""


class ForeignKey(Value):
    """A declared foreign key; `parent` is a table id."""

    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str = "RESTRICT"
    on_update: str = "RESTRICT"
    at: Location | None = None
    """Where the definition begins, which may be another file than the table's."""


class InputProblem(Value):
    """A piece of input that was not understood, with its place. Never holds literal values."""

    file: str
    line: int | None = None
    offset: int | None = None
    """Byte offset, for logs."""
    subject: str = ""
    message: str


class Table(Value):
    """One table. `id` is `schema.name`, or just `name` where the DDL names no schema. `file`, `line` and
    `at_column` (characters, from 1) are the place of its CREATE TABLE; a table of a live server has none."""

    id: str
    schema_name: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    engine: str | None = None
    charset: str | None = None
    collation: str | None = None
    comment: str = ""
    partition_by: str | None = None
    auto_increment: int | None = None
    file: str = ""
    line: int = 0
    at_column: int = 0

    @property
    def at(self) -> Location | None:
        """Where the statement that creates the table begins."""
        return Location(file=self.file, line=self.line, column=max(1, self.at_column)) if self.file else None

    def column(self, name: str) -> Column:
        """The column called `name` (column names are case-insensitive in MySQL). Raises KeyError."""
        for column in self.columns:
            if column.name.lower() == name.lower():
                return column
        raise KeyError(name)

    def has_column(self, name: str) -> bool:
        """Whether there is a column called `name`, in any case."""
        return any(column.name.lower() == name.lower() for column in self.columns)

    def unique_keys(self) -> tuple[Index, ...]:
        """The UNIQUE constraints besides the primary key."""
        return tuple(index for index in self.indexes if index.kind == "unique")


class SchemaObject(Value):
    """A view, trigger, procedure, function or event: seen, listed, not migrated by itself."""

    kind: Literal["view", "trigger", "procedure", "function", "event"]
    name: str
    file: str
    line: int


class Schema(Value):
    """All tables in the order of their ids, and what else the DDL holds."""

    tables: tuple[Table, ...]
    objects: tuple[SchemaObject, ...] = ()
    problems: tuple[InputProblem, ...] = ()

    def table(self, table_id: str) -> Table:
        """The table with this id. Raises KeyError."""
        for table in self.tables:
            if table.id == table_id:
                return table
        raise KeyError(table_id)
