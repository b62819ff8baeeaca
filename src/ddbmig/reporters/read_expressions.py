"""What a read call leaves on the server: the attributes that nobody asks for, and items that cannot be in the result.

Neither saves a read unit; both save bytes on the way. The client checks every condition all the same, since DynamoDB
compares texts by their bytes and knows no NULL.
"""

from collections.abc import Iterator

from ddbmig.model.condition import All, ColumnRef, Compare, Condition, Constant, Param, Term, walk
from ddbmig.model.design import TableDesign
from ddbmig.model.encodings import INTEGER_BITS, attribute_type, encoding_for
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Exists, Filter, Plan, ReadCall, Reduce, Sort
from ddbmig.model.schema import Schema

_COMPARISONS = frozenset(("=", "<", "<=", ">", ">=", "between"))
_EXACT_NUMBERS = frozenset({*INTEGER_BITS, "decimal", "year"})
"""Of FLOAT and DOUBLE the stored digits are not the number that MySQL compares with."""


def delivered(table: TableDesign, index: str | None) -> tuple[str, ...]:
    """The attributes that a read of a table or of one of its GSIs can deliver."""
    if index is None or table.index(index).projection == "ALL":
        return tuple(table.attributes)
    found = table.index(index)
    return tuple(dict.fromkeys((*found.keys, *table.keys, *found.projected)))


def projected(pattern: AccessPattern, plan: Plan, call: ReadCall, table: TableDesign) -> tuple[str, ...]:
    """The attributes that the statement needs of what a call reads; empty where it needs all of them, or may.

    A write needs whole rows: it makes items of them.
    """
    if pattern.kind != "select":
        return ()
    wanted = {*table.keys, *(name for copied in call.copied for name in copied.columns.values())}
    for column in {item.column for item in _mentioned(pattern, plan) if item.ref == call.ref}:
        name = plain_attribute(table, column)
        if name is None:
            return ()
        wanted.add(name)
    there = delivered(table, call.index)
    return () if wanted >= set(there) else tuple(name for name in there if name in wanted)


def plain_attribute(table: TableDesign, column: str) -> str | None:
    """The attribute that keeps a column as it is."""
    for name, attribute in table.attributes.items():
        if attribute.plain and attribute.source_column.lower() == column.lower():
            return name
    return None


def _mentioned(pattern: AccessPattern, plan: Plan) -> Iterator[ColumnRef]:
    """Every column that the statement or a step of its plan names."""
    yield from (*pattern.reads, *pattern.group_by, *(term.column for term in pattern.order))
    yield from (one.column for one in pattern.aggregates if one.column is not None)
    yield from (column for join in pattern.joins for pair in join.on for column in pair)
    for part in (pattern.where, *(join.extra for join in pattern.joins), *_parts(plan)):
        yield from (item for item in walk(part) if isinstance(item, ColumnRef))


def _parts(plan: Plan) -> Iterator[Condition | Term]:
    for step in plan.steps:
        if isinstance(step, ReadCall):
            yield step.match
            yield from (term for key in step.key for _, term in key.terms)
        elif isinstance(step, Filter):
            yield step.condition
        elif isinstance(step, Sort):
            yield from (term.column for term in step.order)
        elif isinstance(step, Reduce):
            yield from (*step.group_by, *(one.column for one in step.aggregates if one.column is not None))


def filters(plan: Plan, call: ReadCall, table: TableDesign, schema: Schema) -> tuple[Compare, ...]:
    """The conditions on numbers and on NULL that DynamoDB can check by itself, in its way and MySQL's alike.

    Not behind a LEFT JOIN, where an item that is dropped becomes a row of NULLs, nor beside Limit, which counts what is
    dropped too; and of a Query not on its key, which is for the key condition alone.
    """
    if call.op not in ("Query", "Scan") or call.join not in ("first", "inner") or call.limit is not None:
        return ()
    keys = () if call.op == "Scan" else table.index(call.index).keys if call.index else table.keys
    allowed = set(delivered(table, call.index)) - set(keys)
    conditions = [*_all_of(call.match), *(one for condition in _filtered(plan) for one in _all_of(condition))]
    return tuple(one for one in dict.fromkeys(conditions) if _checkable(one, call.ref, table, allowed, schema))


def _filtered(plan: Plan) -> Iterator[Condition]:
    """What the client keeps rows by, before it looks for rows of an EXISTS or counts any."""
    for step in plan.steps:
        if isinstance(step, Exists | Reduce):
            return
        if isinstance(step, Filter):
            yield step.condition


def _all_of(condition: Condition) -> Iterator[Compare]:
    if isinstance(condition, All):
        for item in condition.items:
            yield from _all_of(item)
    elif isinstance(condition, Compare):
        yield condition


def _checkable(one: Compare, ref: int, table: TableDesign, allowed: set[str], schema: Schema) -> bool:
    if not isinstance(one.left, ColumnRef) or one.left.ref != ref:
        return False
    if plain_attribute(table, one.left.column) not in allowed:
        return False
    if one.op in ("is null", "is not null"):
        return True
    column = schema.table(table.source_table).column(one.left.column)
    number = column.type in _EXACT_NUMBERS and attribute_type(encoding_for(column)) == "N"
    return number and one.op in _COMPARISONS and all(map(_is_one_value, one.right))


def _is_one_value(term: Term) -> bool:
    single = isinstance(term, Param) and not term.many
    return single or (isinstance(term, Constant) and term.value is not None)
