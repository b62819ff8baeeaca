"""Which table and which column a name in a statement means, by MySQL's rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from ddbmig.model.condition import ColumnRef, Term
from ddbmig.model.pattern import TableRef
from ddbmig.model.schema import Schema, Table

SYSTEM_SCHEMAS = frozenset({"information_schema", "performance_schema", "mysql", "sys"})


class NotAPattern(Exception):
    """The statement is no access pattern of this schema; the argument is the named reason."""


class Catalogue:
    """The tables of a schema by name: exact case first, then any case where that is unique."""

    def __init__(self, schema: Schema) -> None:
        self._by_name: dict[str, list[Table]] = {}
        for table in schema.tables:
            self._by_name.setdefault(table.name.lower(), []).append(table)
        self._schemas = {table.schema_name.lower() for table in schema.tables if table.schema_name}
        self._views = {item.name.rpartition(".")[2].lower() for item in schema.objects if item.kind == "view"}

    def find(self, name: str, qualifier: str, current: str) -> Table:
        """The table called `name`, qualified by a database or read in the `current` one.

        A log's current database is partly inferred, so a name that occurs in one database only is taken from there.
        Raises NotAPattern with the reason `system tables`, `view` or `unknown table`.
        """
        if (qualifier or current).lower() in SYSTEM_SCHEMAS and (qualifier or name.lower() not in self._by_name):
            raise NotAPattern("system tables")
        tables = self._by_name.get(name.lower(), [])
        if qualifier and self._schemas:
            tables = [table for table in tables if table.schema_name.lower() == qualifier.lower()]
        elif current:
            tables = [table for table in tables if table.schema_name.lower() == current.lower()] or tables
        exact = [table for table in tables if table.name == name] or tables
        if len(exact) != 1:
            raise NotAPattern("view" if name.lower() in self._views else "unknown table")
        return exact[0]


@dataclass
class Refs:
    """The table references of one statement, in the order in which they are met."""

    catalogue: Catalogue
    database: str
    refs: list[TableRef] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    met: set[int] = field(default_factory=set)
    """Identities of the tree's table nodes that have become a reference."""

    def find(self, node: exp.Table) -> Table:
        """The table that `node` names. Raises NotAPattern."""
        return self.catalogue.find(node.name, node.db, self.database)

    def add(self, node: exp.Table) -> int:
        """Make `node` the next reference; returns its number. Raises NotAPattern."""
        table = self.find(node)
        self.met.add(id(node))
        self.refs.append(TableRef(table=table.id, alias=node.alias_or_name))
        self.tables.append(table)
        return len(self.refs) - 1

    def forget(self, length: int) -> None:
        """Drop the references from number `length` on."""
        del self.refs[length:], self.tables[length:]


@dataclass
class Scope:
    """The references that one SELECT sees: its own, then those of the statement around it."""

    refs: Refs
    visible: list[int] = field(default_factory=list)
    outer: "Scope | None" = None
    merged: set[ColumnRef] = field(default_factory=set)
    """Columns that USING has made one with their namesake on the left."""
    renamed: dict[int, str] = field(default_factory=dict)
    """The alias of a reference where it is not the statement's: a subquery's name for the row of the outer one."""
    row_alias: str = ""
    row: Mapping[str, Term] = field(default_factory=dict)
    """The values of the row being inserted, by lower-case column: what VALUES(column) means."""

    def column(self, ref: int, name: str) -> ColumnRef | None:
        """The column called `name` of a reference, spelt as in the schema."""
        table = self.refs.tables[ref]
        return ColumnRef(ref=ref, column=table.column(name).name) if table.has_column(name) else None

    def qualified(self, qualifier: str) -> list[int]:
        """The references that `qualifier` names: by alias, exact case first."""
        aliases = {ref: self.renamed.get(ref, self.refs.refs[ref].alias) for ref in self.visible}
        named = [ref for ref, alias in aliases.items() if alias.lower() == qualifier.lower()]
        return [ref for ref in named if aliases[ref] == qualifier] or named

    def resolve(self, node: exp.Column) -> ColumnRef | None:
        """The column that `node` means; None where no table has it, or more than one."""
        candidates = self.qualified(node.table) if node.table else self.visible
        found = [column for ref in candidates if (column := self.column(ref, node.name)) is not None]
        found = [column for column in found if column not in self.merged] or found
        if not found and self.outer:
            return self.outer.resolve(node)
        return found[0] if len(found) == 1 else None

    def all_columns(self, qualifier: str = "") -> list[ColumnRef]:
        """What `*` or `qualifier.*` stands for."""
        refs = self.qualified(qualifier) if qualifier else self.visible
        columns = [ColumnRef(ref=ref, column=column.name) for ref in refs for column in self.refs.tables[ref].columns]
        return [column for column in columns if qualifier or column not in self.merged]
