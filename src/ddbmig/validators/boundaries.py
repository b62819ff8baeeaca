"""Boundary parameters beside sampled ones: values at the edges of what a template may be asked, one edge at a time.

Each case is the sampled set with one parameter replaced, so that a case that differs names its cause.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ddbmig.model.condition import ColumnRef, Compare
from ddbmig.model.encodings import INTEGER_BITS, Cell
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Column, Schema
from ddbmig.validators.evaluate import is_folded
from ddbmig.validators.sampling import Sample, Sampler
from ddbmig.validators.sql_side import SqlSide

MANY = 100
"""Members of a long IN list."""
LONG_TEXT = 1_000
"""Characters of the longest text that is tried: a sort key has at most 1,024 bytes."""
TEXT_TYPES = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
_FAR = {"date": "9999-12-31", "datetime": "9999-12-31 23:59:59", "timestamp": "2038-01-19 03:14:07"}
_NEAR = {"date": "1000-01-01", "datetime": "1000-01-01 00:00:00", "timestamp": "1970-01-01 00:00:01"}

Kind = Literal["sampled", "boundary", "spelling"]


@dataclass(frozen=True)
class Case:
    """One parameter set and what is special about it."""

    name: str
    params: Sample
    kind: Kind = "boundary"


def boundary_cases(
    pattern: AccessPattern, schema: Schema, source: SqlSide, sampler: Sampler, base: Sample
) -> Iterator[Case]:
    """The boundary cases of a template around one sampled set, in the order of its parameters."""
    for index, column in enumerate(pattern.params):
        if column is None:
            continue
        definition = schema.table(pattern.refs[column.ref].table).column(column.column)
        use = sampler.use(index)
        if use is None:
            edges = _stored(pattern, schema, definition, base[index])
        else:
            edges = _compared(source, pattern.refs[column.ref].table, definition, use, base[index])
        for name, value, kind in edges:
            if value != base[index]:
                yield Case(f"parameter {index + 1} ({definition.name}): {name}", {**base, index: value}, kind)
    yield from _limits(pattern, base)


Edge = tuple[str, Cell | tuple[Cell, ...], Kind]


def _stored(pattern: AccessPattern, schema: Schema, column: Column, value: Cell | tuple[Cell, ...]) -> Iterator[Edge]:
    """Edges of a value that is written. Keys stay as sampled: an edge of them is one of what is looked up."""
    table = schema.table(pattern.refs[0].table)
    keys = {name.lower() for key in (table.primary_key, *(u.columns for u in table.unique_keys())) for name in key}
    keys |= {name.lower() for key in table.foreign_keys for name in key.columns}
    if column.name.lower() in keys or column.generated or isinstance(value, tuple):
        return
    if column.nullable:
        yield "NULL", None, "boundary"
    if column.type in TEXT_TYPES:
        yield "an empty string", "", "boundary"
    for name, edge in extremes(column):
        yield name, edge, "boundary"


def _compared(
    source: SqlSide, table_id: str, column: Column, use: Compare, value: Cell | tuple[Cell, ...]
) -> Iterator[Edge]:
    """Edges of a value that is looked up."""
    if isinstance(value, tuple):
        yield from _lists(source, table_id, column, use.op, value)
        return
    if use.op not in ("like", "not like"):
        yield "a value that is not there", _absent(source, table_id, column), "boundary"
        if column.nullable:
            yield "NULL", None, "boundary"
        present = source.present(table_id, column.name, 1)
        if present:
            yield "the first value", present[0], "boundary"
            yield "the last value", present[-1], "boundary"
        for name, edge in extremes(column):
            yield name, edge, "boundary"
    if column.type in TEXT_TYPES:
        yield "an empty string", "", "boundary"
        if use.op in ("=", "<=>") and isinstance(value, str) and isinstance(use.left, ColumnRef):
            yield from spellings(column, value)


def _lists(source: SqlSide, table_id: str, column: Column, op: str, value: tuple[Cell, ...]) -> Iterator[Edge]:
    absent = _absent(source, table_id, column)
    if op == "in":  # MySQL has no empty list: bound as NULL it finds nothing, as it should; NOT IN (NULL) would not
        yield "an empty list", (), "boundary"
    yield "a list of one", value[:1], "boundary"
    yield "a list with a value that is not there", (*value[:1], absent), "boundary"
    if column.nullable:
        yield "a list with NULL", (*value[:1], None), "boundary"
    yield "a value twice", (*value[:1], *value[:1]), "boundary"
    many = list(dict.fromkeys(source.present(table_id, column.name, MANY)))[:MANY]
    if many:
        yield f"a list of {len(many)} values", tuple(many), "boundary"


def _limits(pattern: AccessPattern, base: Sample) -> Iterator[Case]:
    limit = pattern.limit
    if limit is None:
        return
    if limit.row_param is not None:
        for rows in (0, 1):
            yield Case(f"LIMIT {rows}", {**base, limit.row_param: rows})
    if limit.offset_param is not None:
        for offset in (1, 1_000_000):
            name = "OFFSET 1" if offset == 1 else "an OFFSET beyond the end"
            yield Case(name, {**base, limit.offset_param: offset})


def extremes(column: Column) -> Iterator[tuple[str, Cell]]:
    """The smallest and the largest value of a column's type; of a text the longest (at most 1,000 characters)."""
    bounds = _bounds(column)
    if bounds is not None:
        yield "the smallest value of the type", bounds[0]
        yield "the largest value of the type", bounds[1]
    if column.type in TEXT_TYPES:
        yield "the longest text", "z" * min(column.length or LONG_TEXT, LONG_TEXT)


def _bounds(column: Column) -> tuple[Cell, Cell] | None:
    if column.type in INTEGER_BITS:
        values = 1 << INTEGER_BITS[column.type]
        return (0, values - 1) if column.unsigned else (-values // 2, values // 2 - 1)
    if column.type == "decimal":
        largest = Decimal("9" * (column.precision or 10)).scaleb(-(column.scale or 0))
        return (Decimal(0) if column.unsigned else -largest), largest
    if column.type == "year":
        return 1901, 2155
    return (_NEAR[column.type], _FAR[column.type]) if column.type in _FAR else None


def spellings(column: Column, value: str) -> Iterator[Edge]:
    """Texts that differ from one of the data in case, accents or trailing blanks only."""
    fits = column.length is None or len(value) < column.length
    variants = [("another case", value.swapcase()), ("an accent", _accented(value))]
    if is_folded(column) and fits and "0900" not in (column.collation or ""):
        variants.append(("trailing blanks", f"{value} "))
    for name, variant in variants:
        if variant != value:
            yield f"a row's value with {name}", variant, "spelling" if is_folded(column) else "boundary"


def _accented(value: str) -> str:
    """The text with an accent on its first vowel."""
    place = next((n for n, char in enumerate(value) if char in "aeiouAEIOU"), None)
    if place is None:
        return value
    return value[:place] + unicodedata.normalize("NFC", value[place] + "\u0301") + value[place + 1 :]


def _absent(source: SqlSide, table_id: str, column: Column) -> Cell:
    """A value of the column's type that no row has; where the type has none left, its largest."""
    if column.type in INTEGER_BITS or column.type == "decimal":
        _, largest = _bounds(column) or (0, 0)
        beyond = source.largest(table_id, column.name) + 1
        return min(beyond, int(number_of(largest)))
    if column.type in _NEAR:
        return {"date": "1234-05-06", "datetime": "1234-05-06 07:08:09"}.get(column.type, "1971-05-06 07:08:09")
    if column.type in TEXT_TYPES:
        return "qzx~"[: column.length or 4]
    if column.type in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"):
        return b"qzx~"[: column.length or 4]
    found = source.present(table_id, column.name, 1)
    return found[0] if found else None


def number_of(value: Cell) -> int:
    """The whole part of a number."""
    return int(value) if isinstance(value, int | float | Decimal) else 0


# --- smaller sets that still differ ---


def simpler(case: Case, pattern: AccessPattern, base: Sample) -> Iterator[Sample]:
    """Parameter sets a step simpler than a case: a list with fewer members, one parameter as in another sample."""
    for index, value in sorted(case.params.items()):
        if isinstance(value, tuple) and len(value) > 1:
            half = len(value) // 2
            yield from ({**case.params, index: part} for part in (value[:half], value[half:]))
            if len(value) <= SMALL:
                yield from ({**case.params, index: (*value[:n], *value[n + 1 :])} for n in range(len(value)))
    limit = pattern.limit
    if limit is not None and limit.row_param is not None and case.params[limit.row_param] not in (0, 1):
        yield {**case.params, limit.row_param: 1}
    if limit is not None and limit.offset_param is not None and case.params[limit.offset_param]:
        yield {**case.params, limit.offset_param: 0}
    for index, value in sorted(base.items()):
        if case.params[index] != value and not isinstance(value, tuple):
            yield {**case.params, index: value}


SMALL = 8
"""Lists of at most so many members lose one at a time; longer ones are halved."""


def described(params: Sample, columns: Sequence[ColumnRef | None]) -> tuple[str, ...]:
    """Parameters without their values: type and length of each."""
    named = dict(enumerate(columns))
    found = []
    for index, value in sorted(params.items()):
        column = named.get(index)
        place = f"{index + 1} ({column.column})" if column else f"{index + 1}"
        found.append(f"{place}: {_described(value)}")
    return tuple(found)


def _described(value: Cell | tuple[Cell, ...]) -> str:
    if isinstance(value, tuple):
        return f"a list of {len(value)}" + (f", each {_described(value[0])}" if len(value) == 1 else "")
    if value is None:
        return "NULL"
    if isinstance(value, str | bytes):
        return f"{'text' if isinstance(value, str) else 'bytes'} of {len(value)}"
    digits = sum(char.isdigit() for char in str(value))
    return f"a {'negative ' if value < 0 else ''}number of {digits} digit{'' if digits == 1 else 's'}"
