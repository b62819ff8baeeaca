"""Conditions and values over rows of the relation, with MySQL's meaning: three-valued, collation-aware.

A binding maps a table reference to its row, or to None where an outer join found no match.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

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
    Param,
    Term,
)
from ddbmig.model.encodings import (
    INTEGER_BITS,
    NUMBER_TYPES,
    Cell,
    collated,
    decode,
    encode,
    encoding_for,
    plain_letters,
)
from ddbmig.model.schema import Column

Row = Mapping[str, Cell]
Binding = dict[int, Row | None]
Params = Mapping[int, Cell | tuple[Cell, ...]]

CLOCK = datetime(2026, 1, 1)  # MySQL's NOW() has no zone; a fixed clock keeps every run the same
"""What NOW() is during validation, on both sides."""


class NotEvaluated(Exception):
    """A part that the client cannot evaluate; the pattern is then not compared."""


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """The text as a case- and accent-insensitive, padded MySQL collation compares it."""
    return plain_letters(text.rstrip(" "))


def is_folded(column: Column) -> bool:
    """Whether comparisons of this column ignore case: its collation is not a binary or case-sensitive one."""
    if column.type not in ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"):
        return False
    return not (column.collation or "").endswith(("_bin", "_cs", "binary"))


def default_value(column: Column) -> Cell:
    """The declared default as the column holds it; CURRENT_TIMESTAMP is the fixed clock.

    NULL for one that only MySQL can compute.
    """
    return as_stored(_declared(column), column)


def _declared(column: Column) -> Cell:
    """The declared default, typed."""
    text = column.default
    if text is None or text.upper() == "NULL":
        return None
    if text.upper().startswith(("CURRENT_TIMESTAMP", "NOW(")):
        return CLOCK.isoformat(sep=" ")
    if column.type not in NUMBER_TYPES:
        return text
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    if column.type == "decimal":
        return exact
    return float(exact) if column.type in ("float", "double") else int(exact)


def as_stored(value: Cell, column: Column) -> Cell:
    """A value as the column holds it once it is written.

    CHAR has no trailing blanks, BINARY is filled up with zero bytes, an ENUM member is spelt as declared, numbers are
    rounded half up, moments have all their digits.

    What the column cannot hold is given back as it is: MySQL refuses it.
    """
    if isinstance(value, str) and column.type == "char":
        return value.rstrip(" ")
    if isinstance(value, bytes) and column.type == "binary":
        return value.ljust(column.length or 1, b"\0")
    if isinstance(value, str) and column.type == "enum":
        return member(value, column)
    if isinstance(value, int | float | Decimal | str) and column.type in ("decimal", *INTEGER_BITS):
        unit = Decimal(1).scaleb(-(column.scale or 0)) if column.type == "decimal" else Decimal(1)
        exact = number(value).quantize(unit, ROUND_HALF_UP)
        return exact if column.type == "decimal" else int(exact)
    return as_column(value, column)


def as_column(value: Cell, column: Column) -> Cell:
    """A moment as the column's cells are written, so that the two compare as texts; other values as they are."""
    if not isinstance(value, str) or column.type not in ("date", "datetime", "timestamp"):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    if column.type == "date" and moment.time() == datetime.min.time():
        return value[:10]
    if column.type == "date":
        return value  # compared as a moment: later than its day
    return decode(encode(value, encoding_for(column), column), encoding_for(column), column)


def member(value: str, column: Column) -> str:
    """The declared spelling of the ENUM member that is equal to a value by the collation; else the value itself."""
    return next((m for m in column.values if collated(m, column) == collated(value, column)), value)


def rank(value: Cell, column: Column) -> Cell:
    """What ORDER BY compares: an ENUM's position, a SET's bits, else the value as its collation has it."""
    if column.type == "enum" and value in column.values:
        return column.values.index(str(value)) + 1
    if column.type == "set" and isinstance(value, str):
        return sum(1 << column.values.index(m) for m in value.split(",") if m in column.values)
    return collated(value, column)


class Evaluator:
    """Evaluates conditions of one pattern. `columns` gives the column behind (reference, name)."""

    def __init__(self, columns: Mapping[tuple[int, str], Column], params: Params) -> None:
        self._columns, self._params = columns, params

    def holds(self, condition: Condition, binding: Binding) -> bool:
        """Whether the condition is true; NULL is not."""
        return self._truth(condition, binding) is True

    def _truth(self, condition: Condition, binding: Binding) -> bool | None:
        if isinstance(condition, All):
            return _conjunction([self._truth(item, binding) for item in condition.items])
        if isinstance(condition, AnyOf):
            negated = [_negation(self._truth(item, binding)) for item in condition.items]
            return _negation(_conjunction(negated))
        if isinstance(condition, Not):
            return _negation(self._truth(condition.item, binding))
        if isinstance(condition, Compare):
            return self._compare(condition, binding)
        raise NotEvaluated(condition.why)

    def _compare(self, condition: Compare, binding: Binding) -> bool | None:
        op = condition.op
        left = self.value(condition.left, binding)
        if op in ("is null", "is not null"):
            return (left is None) == (op == "is null")
        right = [v for term in condition.right for v in self._members(term, binding)]
        binary = any(isinstance(t, Call) and t.name == "BINARY" for t in (condition.left, *condition.right))
        column = None if binary else self._column((condition.left, *condition.right))
        if column is not None:
            left, right = as_column(left, column), [as_column(value, column) for value in right]
        if op.startswith("not "):
            return _negation(self._plain(op.removeprefix("not "), left, right, column))
        return self._plain(op, left, right, column)

    def _plain(self, op: str, left: Cell, right: Sequence[Cell], column: Column | None) -> bool | None:
        """A comparison by the rules of a column; without one texts are compared as they are."""
        if op == "<=>":
            return left is right[0] is None or (left is not None and right[0] is not None and
                                                compared(left, right[0], column) == 0)  # fmt: skip
        if op == "in":
            found = [self._plain("=", left, [value], column) for value in right]
            return True if True in found else None if None in found else False
        if op == "between":
            return _conjunction(
                [self._plain(">=", left, right[:1], column), self._plain("<=", left, right[1:], column)]
            )
        if left is None or any(value is None for value in right):
            return None
        if op == "like":
            return like(str(left), str(right[0]), column is not None and is_folded(column))
        order = compared(left, right[0], column)
        return {"=": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0,
                ">=": order >= 0}[op]  # fmt: skip

    def _column(self, terms: Sequence[Term]) -> Column | None:
        """The column whose type and collation decide a comparison: of several one that tells cases apart."""
        found = [self._columns[t.ref, t.column] for t in terms if isinstance(t, ColumnRef) and self._known(t)]
        return next((c for c in found if not is_folded(c)), found[0] if found else _ANY_TEXT)

    def _known(self, term: ColumnRef) -> bool:
        return (term.ref, term.column) in self._columns

    def _members(self, term: Term, binding: Binding) -> tuple[Cell, ...]:
        if isinstance(term, Param):
            value = self._params[term.index]
            return value if isinstance(value, tuple) else (value,)
        return (self.value(term, binding),)

    def value(self, term: Term, binding: Binding) -> Cell:
        """The value of a term. Raises NotEvaluated for what only MySQL can compute."""
        if isinstance(term, ColumnRef):
            row = binding.get(term.ref)
            return None if row is None else row.get(term.column)
        if isinstance(term, Param):
            value = self._params[term.index]
            return value[0] if isinstance(value, tuple) else value
        if isinstance(term, Constant):
            return term.value
        if isinstance(term, Arithmetic):
            return _arithmetic(term.op, self.value(term.left, binding), self.value(term.right, binding))
        if isinstance(term, Call):
            return _call(term.name, [self.value(argument, binding) for argument in term.arguments])
        raise NotEvaluated(term.why)


def _conjunction(truths: Sequence[bool | None]) -> bool | None:
    return False if False in truths else None if None in truths else True


def _negation(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


_ANY_TEXT = Column(name="", type="varchar")
"""A text of the server's default collation."""


def compared(left: Cell, right: Cell, column: Column | None) -> int:
    """-1, 0 or 1 as MySQL orders two values that are not NULL, by a column's collation; without one, by bytes."""
    if column is None:
        return compare(left, right, False)
    return compare(collated(left, column), collated(right, column), False)


def compare(left: Cell, right: Cell, fold: bool) -> int:
    """-1, 0 or 1 as MySQL orders two values that are not NULL; a number against a text compares as numbers."""
    if isinstance(left, bytes) or isinstance(right, bytes):
        a, b = _as_bytes(left), _as_bytes(right)
        return (a > b) - (a < b)
    if isinstance(left, str) and isinstance(right, str):
        x, y = (folded(left), folded(right)) if fold else (left, right)
        return (x > y) - (x < y)
    m, n = number(left), number(right)
    return (m > n) - (m < n)


def _as_bytes(value: Cell) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def number(value: Cell) -> Decimal:
    """The number MySQL sees in a value: the leading number of a text, else 0."""
    if isinstance(value, str):
        match = re.match(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", value)
        return Decimal(match[0].strip()) if match else Decimal(0)
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(str(value or 0))


def like(text: str, pattern: str, fold: bool) -> bool:
    """LIKE with `%`, `_` and the escape `\\`; unlike `=` it counts trailing spaces."""
    parts, escaped = [], False
    for char in plain_letters(pattern) if fold else pattern:
        if escaped or char not in "%_\\":
            parts.append(re.escape(char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            parts.append(".*" if char == "%" else ".")
    if escaped:  # at the very end it escapes nothing and stands for itself
        parts.append(re.escape("\\"))
    return re.fullmatch("".join(parts), plain_letters(text) if fold else text, re.S) is not None


def _arithmetic(op: str, left: Cell, right: Cell) -> Cell:
    if left is None or right is None:
        return None
    a, b = number(left), number(right)
    if op == "/":
        return a / b if b else None
    result = {"+": a + b, "-": a - b, "*": a * b}[op]
    return int(result) if isinstance(left, int) and isinstance(right, int) else result


def _call(name: str, arguments: Sequence[Cell]) -> Cell:
    if name == "COALESCE":
        return next((a for a in arguments if a is not None), None)
    if name in ("NOW", "UTC_TIMESTAMP"):
        return CLOCK.isoformat(sep=" ")
    if name == "CURRENT_DATE":
        return CLOCK.date().isoformat()
    if any(argument is None for argument in arguments):
        return None
    first = arguments[0]
    if name in ("LOWER", "UPPER"):
        return str(first).lower() if name == "LOWER" else str(first).upper()
    if name == "CONCAT":
        return "".join(str(argument) for argument in arguments)
    if name == "BINARY":
        return first
    if name in ("YEAR", "MONTH", "DAY", "DATE"):
        text = str(first)
        return text[:10] if name == "DATE" else int(text[{"YEAR": slice(0, 4), "MONTH": slice(5, 7),
                                                          "DAY": slice(8, 10)}[name]])  # fmt: skip
    if name.startswith(("DATE_ADD ", "DATE_SUB ")):
        return shifted(str(first), int(number(arguments[1])) * (1 if name.startswith("DATE_ADD") else -1), name[9:])
    raise NotEvaluated(f"function {name}")


def shifted(text: str, amount: int, unit: str) -> str:
    """A moment moved by an interval. Raises NotEvaluated for months and years, whose lengths differ."""
    seconds = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}
    if unit not in seconds:
        raise NotEvaluated(f"interval in {unit}")
    moment = datetime.fromisoformat(text) + timedelta(seconds=amount * seconds[unit])
    whole_days = len(text) == 10 and seconds[unit] % 86_400 == 0
    return date.isoformat(moment.date()) if whole_days else moment.isoformat(sep=" ")
