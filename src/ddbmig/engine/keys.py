"""Base keys from primary keys and from how children are reached through their parents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ddbmig.engine.candidates import Entity
from ddbmig.engine.reads import conjuncts
from ddbmig.engine.sizes import Sizes
from ddbmig.model.assessment import ManyToMany, Relationship
from ddbmig.model.condition import ColumnRef, Compare, Param
from ddbmig.model.pattern import AccessPattern

MAX_COLLECTION = 10_000
"""Average items under one partition value beyond which we do not key a table by it."""


@dataclass(frozen=True)
class Demand:
    """How often a table is reached by equality on just these columns."""

    columns: frozenset[str]
    calls: int


def demands(patterns: Iterable[AccessPattern], calls: Mapping[str, int]) -> dict[str, list[Demand]]:
    """Per table the sets of columns that statements fix by equality: by parameters, else by a join."""
    found: dict[str, dict[frozenset[str], int]] = {}
    for pattern in patterns:
        if pattern.kind == "insert":
            continue
        for number, ref in enumerate(pattern.refs):
            columns = _fixed_columns(pattern, number)
            if columns:
                of_table = found.setdefault(ref.table, {})
                of_table[columns] = of_table.get(columns, 0) + calls[pattern.id]
    return {
        table: [Demand(columns, n) for columns, n in sorted(of_table.items(), key=lambda e: (-e[1], sorted(e[0])))]
        for table, of_table in found.items()
    }


def _fixed_columns(pattern: AccessPattern, number: int) -> frozenset[str]:
    constants, joined = set(), set()
    for condition in conjuncts(pattern.where):
        if not isinstance(condition, Compare) or condition.op not in ("=", "in"):
            continue
        left = condition.left
        given = all(isinstance(term, Param) for term in condition.right)
        if isinstance(left, ColumnRef) and left.ref == number and given:
            constants.add(left.column)
    for join in pattern.joins:
        for own, other in join.on:
            joined |= {c.column for c in (own, other) if c.ref == number}
    return frozenset(constants or joined)


def split_composite(entity: Entity, wanted: Sequence[Demand], sizes: Sizes) -> None:
    """Split a primary key of several columns into partition and sort key where statements fix only a part of it."""
    key = entity.pk
    if len(key) < 2:
        return
    weights: dict[tuple[str, ...], int] = {}
    for demand in wanted:
        part = tuple(c for c in key if c in demand.columns)
        if part and part != key and sizes.rows_per_value(entity.table.id, part) <= MAX_COLLECTION:
            weights[part] = weights.get(part, 0) + demand.calls
    if weights:
        best = min(weights, key=lambda part: (-weights[part], len(part), part))
        entity.pk, entity.sk = best, tuple(c for c in key if c not in best)
        entity.because.append(f"read by {', '.join(best)}: {weights[best]} calls")


def key_by_parent(
    entity: Entity, relationship: Relationship, wanted: Sequence[Demand], updated: frozenset[str], sizes: Sizes
) -> bool:
    """Key a child by (parent, own key) if it is reached by the parent more often than by its own key.

    Only NOT NULL foreign keys that no statement updates: a base key cannot change. Returns whether it was done.
    """
    columns, own = relationship.child_columns, entity.key_columns
    if not own or entity.digest_key or set(columns) & set(own) or entity.sk:
        return False
    if any(entity.table.column(c).nullable for c in columns) or set(columns) & updated:
        return False
    by_parent = sum(d.calls for d in wanted if set(columns) <= d.columns and not set(own) <= d.columns)
    by_own = sum(d.calls for d in wanted if set(own) <= d.columns)
    if by_parent <= by_own or sizes.rows_per_value(entity.table.id, columns) > MAX_COLLECTION:
        return False
    entity.pk, entity.sk = columns, own
    entity.because.append(f"keyed by its parent {relationship.parent}: {by_parent} calls against {by_own} by own key")
    return True


def fold_join_table(entity: Entity, found: ManyToMany, sides: Mapping[str, Relationship], wanted: Sequence[Demand],
                    updated: frozenset[str]) -> bool:  # fmt: skip
    """Key a join table by its two foreign keys, so that its own unique key needs no look-up table.

    The side that statements fix more often is the partition key. Returns whether it was done.
    """
    left, right = sides[found.left].child_columns, sides[found.right].child_columns
    columns = {*left, *right}
    if set(left) & set(right) or columns & updated or any(entity.table.column(c).nullable for c in columns):
        return False
    uniques = [u for u in entity.table.unique_keys() if set(u.columns) == columns]
    if not uniques and set(entity.table.primary_key) != columns:
        return False

    def weight(side: tuple[str, ...], other: tuple[str, ...]) -> int:
        return sum(d.calls for d in wanted if set(side) <= d.columns and not set(other) <= d.columns)

    first, second = (left, right) if weight(left, right) >= weight(right, left) else (right, left)
    entity.pk, entity.sk = first, second
    entity.lookups = [u for u in entity.lookups if set(u.columns) != columns]
    entity.because.append("join table folded: keyed by the two sides it joins, which its unique key made possible")
    return True


def updated_columns(patterns: Iterable[AccessPattern]) -> dict[str, frozenset[str]]:
    """Per table the columns that some UPDATE or upsert changes."""
    found: dict[str, set[str]] = {}
    for pattern in patterns:
        if pattern.kind == "update" or pattern.on_duplicate:
            changed = pattern.assignments if pattern.kind == "update" else pattern.on_duplicate
            found.setdefault(pattern.refs[0].table, set()).update(a.column for a in changed)
    return {table: frozenset(columns) for table, columns in found.items()}
