"""What both sides answer with, and in which form two values of an output are equal.

SQL promises the value of a plain column to the letter; where rows are grouped or made distinct it may give any of the
values that its collation takes for equal, and sums and averages have the digits that MySQL gives them.
"""

import json
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

from ddbmig.model.condition import ColumnRef
from ddbmig.model.encodings import FLOAT_TYPES, Cell, encode, encoding_for
from ddbmig.model.errors import InputError
from ddbmig.model.pattern import AccessPattern, Aggregate
from ddbmig.model.schema import Column, Schema
from ddbmig.validators.evaluate import folded, is_folded, number

AVERAGE_DIGITS = 4
"""Digits that MySQL gives an average beyond those of its column (div_precision_increment)."""
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Rows:
    """Rows of an answer: their compared outputs, and the values they are ordered by."""

    values: tuple[tuple[Cell, ...], ...] = ()
    keys: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What SQL returned or changed; `choice` are all rows that its LIMIT could have taken."""

    count: int
    rows: Rows = field(default_factory=Rows)
    choice: Rows | None = None
    generated: int | None = None
    """The AUTO_INCREMENT value that an INSERT was given."""


@dataclass(frozen=True)
class Output:
    """One compared output: a plain column, an aggregate, or (neither) an existence test."""

    name: str
    column: Column | None = None
    aggregate: Aggregate | None = None
    any_equal: bool = False
    """Whether SQL may give any of the values that compare equal."""


def outputs_of(pattern: AccessPattern, schema: Schema) -> tuple[Output, ...]:
    """The compared outputs of a SELECT in their order: columns, aggregates, existence tests."""

    def column(ref: ColumnRef) -> Column:
        return schema.table(pattern.refs[ref.ref].table).column(ref.column)

    merged = pattern.distinct or bool(pattern.group_by)
    plain = [Output(c.column, column(c), any_equal=merged) for c in pattern.reads]
    aggregates = [
        Output(f"{a.function} of {a.column.column}" if a.column else "count", column(a.column) if a.column else None, a,
               any_equal=True)
        for a in pattern.aggregates
    ]  # fmt: skip
    return (*plain, *aggregates, *(Output("existence test") for _ in mark_refs(pattern)))


def order_outputs(pattern: AccessPattern, schema: Schema) -> tuple[Output, ...]:
    """The columns that the rows are ordered by; values that compare equal are one place in the order."""
    refs = [term.column for term in pattern.order]
    return tuple(
        Output(r.column, schema.table(pattern.refs[r.ref].table).column(r.column), any_equal=True) for r in refs
    )


def mark_refs(pattern: AccessPattern) -> tuple[int, ...]:
    """The first references of the existence tests that are outputs."""
    return tuple(j.ref for j in pattern.joins if j.kind == "mark" and j.group in (None, j.ref))


def canonical(value: Cell, output: Output) -> Cell:
    """A form of a value that is equal on both sides exactly where SQL promises that the values are."""
    if value is None:
        return None
    if output.aggregate is not None and output.aggregate.function in ("count", "sum", "avg"):
        return _computed(value, output)
    column = output.column
    if column is None:
        return int(number(value) != 0)
    if isinstance(value, str) and output.any_equal and is_folded(column):
        return folded(value)
    if column.type == "json" and isinstance(value, str):
        return _json(value)
    try:
        found: Cell = encode(value, encoding_for(column), column)
    except InputError:
        return repr(value)
    return found


def _computed(value: Cell, output: Output) -> Decimal | str:
    """A sum or average with MySQL's digits; of floats to nine, since their order of addition is nobody's promise."""
    exact, column = number(value), output.column
    function = output.aggregate.function if output.aggregate else "count"
    if function == "count" or column is None:
        return Decimal(int(exact))
    if column.type in FLOAT_TYPES:
        return f"{float(exact):.9g}"
    digits = (column.scale or 0) + (AVERAGE_DIGITS if function == "avg" else 0)
    return exact.quantize(Decimal(1).scaleb(-digits), context=_WIDE)


def _json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text
