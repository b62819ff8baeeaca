"""Conditions and values of SQL statements, as small closed trees that can be priced, compiled and evaluated."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from ddbmig.model.base import Value


class Param(Value):
    """The n-th `?` of the template, counted from 0 in text order; `many` for a collapsed list such as `IN (?)`."""

    kind: Literal["param"] = "param"
    index: int
    many: bool = False


class ColumnRef(Value):
    """A column of the n-th table reference of the pattern."""

    kind: Literal["column"] = "column"
    ref: int
    column: str


class Constant(Value):
    """A literal that the template keeps: NULL, TRUE/FALSE (as 1/0)."""

    kind: Literal["constant"] = "constant"
    value: int | None


class Arithmetic(Value):
    """`left op right` with MySQL's numeric meaning; NULL if either side is NULL."""

    kind: Literal["arithmetic"] = "arithmetic"
    op: Literal["+", "-", "*", "/"]
    left: "Term"
    right: "Term"


INTERVAL_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")

_DATE_ARITHMETIC = tuple(f"{name} {unit}" for name in ("DATE_ADD", "DATE_SUB") for unit in INTERVAL_UNITS)
CLIENT_FUNCTIONS = frozenset(
    ("COALESCE", "LOWER", "UPPER", "CONCAT", "NOW", "UTC_TIMESTAMP", "CURRENT_DATE", "YEAR", "MONTH", "DAY", "DATE",
     "BINARY", *_DATE_ARITHMETIC)
)  # fmt: skip
"""The closed list of names a `Call` may have. IFNULL is COALESCE; `DATE_ADD DAY` takes a date and a number of days;
YEAR, MONTH, DAY and DATE take a date or time column; BINARY compares its argument's bytes, not its collation."""


class Call(Value):
    """A function that has one plain meaning on the client; `name` is one of CLIENT_FUNCTIONS."""

    kind: Literal["call"] = "call"
    name: str
    arguments: "tuple[Term, ...]" = ()


class OpaqueTerm(Value):
    """A value we do not model; `sql` is template text (no literals), `why` a short reason."""

    kind: Literal["opaque_term"] = "opaque_term"
    sql: str
    why: str


Term = Annotated[Param | ColumnRef | Constant | Arithmetic | Call | OpaqueTerm, Field(discriminator="kind")]

Operator = Literal["=", "<=>", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "not between", "like", "not like",
                   "is null", "is not null"]  # fmt: skip


class Compare(Value):
    """`left op right…`: no operand for IS [NOT] NULL, two for [NOT] BETWEEN, any number for [NOT] IN, else one."""

    kind: Literal["compare"] = "compare"
    op: Operator
    left: Term
    right: tuple[Term, ...] = ()


class All(Value):
    """AND. Empty means TRUE."""

    kind: Literal["all"] = "all"
    items: "tuple[Condition, ...]" = ()


class AnyOf(Value):
    """OR. Empty means FALSE."""

    kind: Literal["any"] = "any"
    items: "tuple[Condition, ...]" = ()


class Not(Value):
    """NOT, three-valued."""

    kind: Literal["not"] = "not"
    item: "Condition"


class OpaqueCondition(Value):
    """A condition we do not model (a subquery, a server function, full text); `why` is from the closed list."""

    kind: Literal["opaque"] = "opaque"
    sql: str
    why: str


Condition = Annotated[Compare | All | AnyOf | Not | OpaqueCondition, Field(discriminator="kind")]

for _model in (Arithmetic, Call, Compare, All, AnyOf, Not):
    _model.model_rebuild()


def walk(item: Condition | Term) -> Iterator[Condition | Term]:
    """A condition or term and everything in it, from left to right."""
    yield item
    parts: tuple[Condition | Term, ...] = ()
    if isinstance(item, Compare):
        parts = (item.left, *item.right)
    elif isinstance(item, All | AnyOf):
        parts = item.items
    elif isinstance(item, Not):
        parts = (item.item,)
    elif isinstance(item, Arithmetic):
        parts = (item.left, item.right)
    elif isinstance(item, Call):
        parts = item.arguments
    for part in parts:
        yield from walk(part)
