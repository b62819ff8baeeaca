"""Readable names of access patterns, such as `select orders by customer_id order by created_at desc limit`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ddbmig.model.condition import All, AnyOf, Call, ColumnRef, Compare, Condition, Not
from ddbmig.model.pattern import AccessPattern

_MOST = 4
"""Columns a list names before it says how many more there are."""


def unique_names(patterns: Iterable[AccessPattern]) -> tuple[AccessPattern, ...]:
    """The patterns with ` (2)`, ` (3)`, … behind a name that occurred before, in the order given."""
    seen: Counter[str] = Counter()
    found = []
    for pattern in patterns:
        seen[pattern.name] += 1
        times = seen[pattern.name]
        found.append(pattern if times == 1 else pattern.model_copy(update={"name": f"{pattern.name} ({times})"}))
    return tuple(found)


def pattern_name(pattern: AccessPattern) -> str:
    """What the pattern does, in words: verb, tables, the columns it is asked by, order and limit."""
    parts = [_verb(pattern), _table(pattern, 0)]
    others = list(dict.fromkeys(_table(pattern, ref) for ref in range(1, len(pattern.refs))))
    parts += [f"with {_list(others)}"] if others else []
    if pattern.kind == "update" and pattern.assignments:
        parts.append(f"set {_list([assignment.column for assignment in pattern.assignments])}")
    conditions = [pattern.where, *(join.extra for join in pattern.joins)]
    asked = list(dict.fromkeys(column.column for condition in conditions for column in _asked(condition)))
    parts += [f"by {_list(asked)}"] if asked else []
    if pattern.group_by:
        parts.append(f"per {_list([column.column for column in pattern.group_by])}")
    if pattern.order:
        terms = [term.column.column + (" desc" if term.descending else "") for term in pattern.order]
        parts.append(f"order by {', '.join(terms)}")
    parts += ["limit"] if pattern.limit else []
    return " ".join(parts)


def _verb(pattern: AccessPattern) -> str:
    if pattern.kind == "insert":
        modes = {"ignore": "insert if absent", "replace": "replace", "upsert": "insert or update"}
        return modes.get(pattern.insert_mode or "", "insert")
    if pattern.aggregates:
        words = (item.function + (f" of {item.column.column} in" if item.column else "") for item in pattern.aggregates)
        return _list(list(dict.fromkeys(words)))
    if pattern.kind == "select" and pattern.locking:
        return "select for update"
    return "select distinct" if pattern.distinct else pattern.kind


def _table(pattern: AccessPattern, ref: int) -> str:
    return pattern.refs[ref].table.rpartition(".")[2]


def _list(names: Sequence[str]) -> str:
    shown = [*names[:_MOST], *([f"{len(names) - _MOST} more"] if len(names) > _MOST else [])]
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]


def _asked(condition: Condition) -> Iterator[ColumnRef]:
    """The columns that the condition compares."""
    if isinstance(condition, All | AnyOf):
        for item in condition.items:
            yield from _asked(item)
    elif isinstance(condition, Not):
        yield from _asked(condition.item)
    elif isinstance(condition, Compare):
        left = condition.left
        if isinstance(left, Call) and left.arguments:
            left = left.arguments[0]
        if isinstance(left, ColumnRef):
            yield left
