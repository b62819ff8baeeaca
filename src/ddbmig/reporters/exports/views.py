"""views.sql: a MySQL view for each table of the contract that shows its rows as the items they become.

For tools that read MySQL and cannot read a contract. Views are called by the table with `ddb_` before it, are made in
the current database, and read with the rights of who asks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from ddbmig.model.contract import ContractAttribute, ContractEntry, JoinColumns, required_columns
from ddbmig.model.schema import Schema, Table
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.sql_expressions import SqlValue, attribute_sql, column_sql, quoted
from ddbmig.reporters.markdown import visible

PREFIX = "ddb_"
LONGEST = 64
"""Characters of a name in MySQL."""


def views(material: Material) -> str:
    """The statements that make the views; one that is there is not replaced."""
    head = [
        *material.origin.lines(),
        "One view for each table of the contract. NULL is an absent attribute; dates are ISO 8601, a TIMESTAMP in UTC.",
    ]
    made = [_statement(view, material.snapshot.tables) for view in views_of(material)]
    return "\n".join([*(f"-- {line}" for line in head), *made]) + "\n"


def drop_views(material: Material) -> str:
    """The statements that take the views away again."""
    dropped = [f"DROP VIEW IF EXISTS {quoted(view.name)};" for view in views_of(material)]
    return "\n".join([*(f"-- {line}" for line in material.origin.lines()), *dropped]) + "\n"


@dataclass(frozen=True)
class View:
    """A view and the entry of the contract that it shows."""

    name: str
    entry: ContractEntry

    @property
    def columns(self) -> tuple[str, ...]:
        """What its columns are called, in the order of the entry's attributes."""
        return tuple(_unique(self.entry.attributes, ()))


def views_of(material: Material) -> tuple[View, ...]:
    """A view for each entry of type Table, under names that no table has."""
    entries = [entry for entry in material.contract.root if entry.type == "Table"]
    names = _unique(
        (PREFIX + (f"{entry.table}_{entry.entity}" if entry.entity else entry.table) for entry in entries),
        (table.name for table in material.snapshot.tables.tables),
    )
    return tuple(View(name, entry) for name, entry in zip(names, entries, strict=True))


def _statement(view: View, schema: Schema) -> str:
    entry = view.entry
    source = schema.table(entry.source_table)
    joined = _Parents(schema)
    columns, comments = list[str](), list[str]()
    for (name, attribute), column in zip(entry.attributes.items(), view.columns, strict=True):
        value = joined.copied(attribute) if attribute.denormalized else attribute_sql(attribute, source, "r")
        if value.loss:
            how = "left out" if value.sql is None else "not always equal"
            comments.append(f"-- {how}: {visible(name)}: {visible(value.loss)}")
        if value.sql is not None:
            columns.append(f"  {value.sql} AS {quoted(column)}")
            if column != name:
                comments.append(f"-- called otherwise: {visible(column)} for {visible(name)}")
    if not columns:
        return "\n".join(["", *comments, f"-- no view {visible(view.name)}: SQL can say none of its attributes"])
    filled = [f"r.{quoted(column)} IS NOT NULL" for column in required_columns(entry.filter)]
    lines = [
        "", *comments, f"CREATE SQL SECURITY INVOKER VIEW {quoted(view.name)} AS", "SELECT", ",\n".join(columns),
        f"FROM {sql_name(source)} AS r", *joined.lines, *([f"WHERE {' AND '.join(filled)}"] if filled else []),
    ]  # fmt: skip
    return "\n".join(lines) + ";"


class _Parents:
    """The tables that copies come from, each joined once for each way to its row."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.lines: list[str] = []
        self._aliases: dict[tuple[str, JoinColumns], str] = {}

    def copied(self, attribute: ContractAttribute) -> SqlValue:
        join = attribute.join
        if not isinstance(join, JoinColumns):
            return SqlValue(None, "a copy over more than one join")
        parent = self.schema.table(attribute.source_table)
        alias = self._aliases.get((parent.id, join)) or self._join(parent, join)
        return column_sql(parent.column(attribute.source_column), attribute.encoding, alias)

    def _join(self, parent: Table, join: JoinColumns) -> str:
        alias = self._aliases[parent.id, join] = f"p{len(self._aliases) + 1}"
        pairs = zip(join.local_columns, join.source_columns, strict=True)
        on = " AND ".join(f"{alias}.{quoted(there)} = r.{quoted(here)}" for here, there in pairs)
        self.lines.append(f"LEFT JOIN {sql_name(parent)} AS {alias} ON {on}")
        return alias


def sql_name(table: Table) -> str:
    """With its database, where the schema names one."""
    return ".".join(quoted(part) for part in (table.schema_name, table.name) if part)


def _unique(names: Iterable[str], taken: Iterable[str]) -> Iterator[str]:
    """Names as MySQL takes them: at most 64 characters, no blank at the end, unique whatever the case."""
    used = {name.lower() for name in taken}
    for name in names:
        base = name.rstrip() or "_"
        if len(base) > LONGEST:
            base = f"{base[: LONGEST - 9]}_{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
        number, unique = 1, base
        while unique.lower() in used:
            number += 1
            unique = f"{base[: LONGEST - 4]}_{number}"
        used.add(unique.lower())
        yield unique
