"""The values in the calls of one plan, and what stands behind each placeholder.

`$name` is a parameter of the statement or what the client makes up, `$alias.column` a column of a row that an earlier
call found. In a text that has more in it they stand in braces: `ORDER#{$id}`. Texts and numbers without `$` are meant
as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ddbmig.model.condition import ColumnRef, Condition, Constant, Param, Term, walk
from ddbmig.model.encodings import attribute_type, encoding_for, render_template, template_columns, template_field
from ddbmig.model.pattern import AccessPattern, TableRef
from ddbmig.model.plan import Plan
from ddbmig.model.schema import Column, Schema
from ddbmig.reporters.terms import Namer, namer

Shown = str | int | None
"""A value as a plan shows it; None is NULL: the attribute is absent."""
Described = dict[str, Any]


@dataclass
class Values:
    """The values of one plan; `placeholders` grows with those that are used."""

    pattern: AccessPattern
    refs: tuple[TableRef, ...]
    """The references of the statement, and those that the plan adds."""
    schema: Schema
    namer: Namer
    placeholders: dict[str, Described] = field(default_factory=dict)
    """By name without `$`."""

    def term(self, term: Term, stored_in: str, table: str) -> Shown:
        """A term as a value; `stored_in` is the column that it is compared with or stored in, of the MySQL `table`."""
        match term:
            case Param():
                return self._parameter(term, table, stored_in)
            case ColumnRef(ref=0) if self.namer.inserted:
                return self._inserted(term.column, table)
            case ColumnRef():
                return f"${self.namer.reference(term.ref)}.{term.column}"
            case Constant():
                return term.value
            case _:
                self.mention(term)
                return self._enter(stored_in, f"computed by the client: {self.namer.term(term)}", table, stored_in)

    def mention(self, *parts: Term | Condition) -> None:
        """Describe the parameters that words of the plan name."""
        for part in parts:
            for one in walk(part):
                if isinstance(one, Param):
                    self._parameter(one)
                elif isinstance(one, ColumnRef) and self.namer.inserted and one.ref == 0:
                    self._inserted(one.column, self.pattern.refs[0].table)

    def digest(self, table: str) -> str:
        """The key of a row without a key."""
        return self._enter("row_digest", "SHA-256 (hex) of the row's values in column order", table, None)

    def may_be_null(self, column: ColumnRef) -> bool:
        """Whether a column of a reference may hold NULL."""
        return self.schema.table(self.refs[column.ref].table).column(column.column).nullable

    def _inserted(self, column: str, table: str) -> Shown:
        """The value that an inserted row has in a column."""
        given = self.namer.row.get(column.lower())
        if given is not None:
            return self.term(given, column, table)
        made = self.namer.defaults.get(column.lower())
        if made is None:
            return None
        what = (
            "a new value that the client makes, as AUTO_INCREMENT did" if made.startswith("$generated_")
            else "the DEFAULT that the schema gives the column"
        )  # fmt: skip
        return self._enter(made[1:], what, table, column)

    def _parameter(self, param: Param, table: str = "", stored_in: str = "") -> str:
        """A parameter; where the statement ties it to no column, it is of the kind of the one that it goes into."""
        name = self.namer.parameters.get(param.index, f"p{param.index}")
        of = self.pattern.params[param.index] if param.index < len(self.pattern.params) else None
        what = f"parameter {param.index + 1} of the statement" + (", a list" if param.many else "")
        if of is not None:
            table, stored_in = self.pattern.refs[of.ref].table, of.column
        self.placeholders[name] = self.placeholders.get(name, {}) | {"is": what} | self._described(table, stored_in)
        return f"${name}"

    def _enter(self, name: str, what: str, table: str, column: str | None) -> str:
        """A placeholder of our own, under a name that no parameter and no other value has."""
        described = {"is": what} | (self._described(table, column) if column is not None else {})
        taken, base, number = set(self.namer.parameters.values()), name, 1
        while name in taken or self.placeholders.get(name, described) != described:
            number += 1
            name = f"{base}_{number}"
        self.placeholders[name] = described
        return f"${name}"

    def _described(self, table: str, name: str) -> Described:
        """Which column a value belongs to, and how it is encoded; nothing where the schema does not know it."""
        try:
            column = self.schema.table(table).column(name)
        except KeyError:
            return {}
        encoding = encoding_for(column)
        return {"column": f"{table}.{column.name}", "type": attribute_type(encoding), "encoding": encoding}


def values_of(pattern: AccessPattern, plan: Plan, schema: Schema) -> Values:
    """The values of one plan, none used yet."""
    return Values(pattern, (*pattern.refs, *plan.support), schema, namer(pattern, plan, _defaults(pattern, schema)))


def composed(template: str, values: Mapping[str, Shown]) -> str:
    """A key template with its values, as far as they are given: the leading part for `begins_with`."""
    for column in template_columns(template):
        if column not in values:
            template = template.split(template_field(column), 1)[0]
            break
    return render_template(template, {name: embedded(value) for name, value in values.items()})


def embedded(value: Shown) -> str:
    """A value inside of a text: a placeholder in braces; of NULL nothing."""
    if value is None:
        return ""
    return f"{{{value}}}" if is_placeholder(value) else str(value)


def is_placeholder(value: Any) -> bool:
    """Whether a value is one placeholder and nothing else."""
    return isinstance(value, str) and value.startswith("$")


def _defaults(pattern: AccessPattern, schema: Schema) -> dict[str, str]:
    """What MySQL puts into the columns that an INSERT does not name."""
    if pattern.kind != "insert":
        return {}
    try:
        columns = schema.table(pattern.refs[0].table).columns
    except KeyError:
        return {}
    return {column.name.lower(): shown for column in columns if (shown := _default(column)) is not None}


def _default(column: Column) -> str | None:
    if column.auto_increment:
        return f"$generated_{column.name}"
    if column.default is None or column.default.upper() == "NULL":
        return None
    return f"$default_{column.name}"
