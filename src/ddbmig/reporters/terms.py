"""Terms and conditions of a plan in words: `$isbn` is a parameter, `$o.id` a value of a row that was read.

One `Namer` per plan knows the placeholders of the pattern and the references of both; everything else is a walk over
the closed trees of model/condition.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ddbmig.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Call,
    ColumnRef,
    Compare,
    Condition,
    Constant,
    Not,
    OpaqueCondition,
    OpaqueTerm,
    Param,
    Term,
)
from ddbmig.model.pattern import AccessPattern, TableRef
from ddbmig.model.plan import Plan


def parameter_names(pattern: AccessPattern) -> Mapping[int, str]:
    """Per placeholder a name: that of the column it is compared with or stored in, numbered where it repeats."""
    limit = pattern.limit
    known = {} if limit is None else {limit.row_param: "limit", limit.offset_param: "offset"}
    names: dict[int, str] = {}
    taken: set[str] = set()
    for index, column in enumerate(pattern.params):
        base = name = column.column if column is not None else known.get(index, f"p{index}")
        number = 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names[index] = name
    return names


@dataclass(frozen=True)
class Namer:
    """Names the parameters and references of one plan. `row` gives the term behind a column of an inserted row."""

    parameters: Mapping[int, str]
    references: tuple[str, ...]
    row: Mapping[str, Term] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    """What MySQL puts into columns that an INSERT does not name; without an entry: NULL."""
    inserted: bool = False
    """Reference 0 is a row that the plan inserts: its values are those of the statement."""

    def term(self, term: Term) -> str:
        """A term as text."""
        match term:
            case Param():
                name = self.parameters.get(term.index, f"p{term.index}")
                return f"${name}"
            case ColumnRef():
                return self._column(term)
            case Constant():
                return "NULL" if term.value is None else str(term.value)
            case Arithmetic():
                return f"{self._operand(term.left)} {term.op} {self._operand(term.right)}"
            case Call():
                return f"{term.name}({', '.join(self.term(argument) for argument in term.arguments)})"
            case OpaqueTerm():
                return term.sql

    def _operand(self, term: Term) -> str:
        shown = self.term(term)
        return f"({shown})" if isinstance(term, Arithmetic) else shown

    def _column(self, column: ColumnRef) -> str:
        if self.inserted and column.ref == 0:
            given = self.row.get(column.column.lower())
            return self.term(given) if given is not None else self.defaults.get(column.column.lower(), "NULL")
        return f"${self.reference(column.ref)}.{column.column}"

    def reference(self, ref: int) -> str:
        """The alias of a reference."""
        return self.references[ref] if 0 <= ref < len(self.references) else f"ref{ref}"

    def condition(self, condition: Condition) -> str:
        """A condition as text, in SQL's operators."""
        match condition:
            case Compare():
                return self._compare(condition)
            case All():
                return " AND ".join(self._inner(item) for item in condition.items) or "TRUE"
            case AnyOf():
                return " OR ".join(self._inner(item) for item in condition.items) or "FALSE"
            case Not():
                return f"NOT {self._inner(condition.item)}"
            case OpaqueCondition():
                return condition.sql

    def _inner(self, condition: Condition) -> str:
        shown = self.condition(condition)
        return f"({shown})" if isinstance(condition, All | AnyOf) and len(condition.items) != 1 else shown

    def _compare(self, condition: Compare) -> str:
        left, right = self.term(condition.left), [self.term(term) for term in condition.right]
        operator = condition.op.upper()
        match condition.op:
            case "is null" | "is not null":
                return f"{left} {operator}"
            case "between" | "not between":
                return f"{left} {operator} {' AND '.join(right)}"
            case "in" | "not in":
                return f"{left} {operator} ({', '.join(right)})"
            case _:
                return f"{left} {operator} {', '.join(right)}"


def namer(pattern: AccessPattern, plan: Plan, defaults: Mapping[str, str] | None = None) -> Namer:
    """The namer of one plan; `defaults` says what MySQL puts into columns that an INSERT does not name."""
    return Namer(
        parameters=parameter_names(pattern),
        references=_aliases((*pattern.refs, *plan.support)),
        row={given.column.lower(): given.value for given in pattern.assignments},
        defaults=defaults or {},
        inserted=pattern.kind == "insert",
    )


def _aliases(refs: tuple[TableRef, ...]) -> tuple[str, ...]:
    """Aliases that differ from each other, so that a value's origin is never in doubt."""
    found: list[str] = []
    for ref in refs:
        alias, number = ref.alias, 1
        while alias in found:
            number += 1
            alias = f"{ref.alias}_{number}"
        found.append(alias)
    return tuple(found)
