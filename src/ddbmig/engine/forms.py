"""The forms that the rows of a table may have as items: its base keys, and which parent columns they copy.

A base key is the primary key, whole or split where statements fix a part of it; a column set by which statements read
collections, with the own key behind; or the two sides of a join table. Key columns are never NULL and never updated.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from ddbmig.engine.candidates import Copy, Entity
from ddbmig.engine.sizes import Sizes
from ddbmig.engine.statement import conjuncts
from ddbmig.model.assessment import ManyToMany, Relationship
from ddbmig.model.condition import ColumnRef, Compare, Param
from ddbmig.model.pattern import AccessPattern

MAX_COLLECTION = 10_000
"""Average items under one partition value beyond which we do not key a table by it."""
MAX_COLLECTIONS = 4
"""So many column sets are tried as the partition key of one table: those with the most calls."""
MAX_SORTS = 2
"""So many orders are tried behind each: those with the most calls."""
ALL_SUBSETS = 3
"""Up to so many copies every combination is tried; of more, none, each alone, the wanted ones, and all."""


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


def updated_columns(patterns: Iterable[AccessPattern]) -> dict[str, frozenset[str]]:
    """Per table the columns that some UPDATE or upsert changes."""
    found: dict[str, set[str]] = {}
    for pattern in patterns:
        if pattern.kind == "update" or pattern.on_duplicate:
            changed = pattern.assignments if pattern.kind == "update" else pattern.on_duplicate
            found.setdefault(pattern.refs[0].table, set()).update(a.column for a in changed)
    return {table: frozenset(columns) for table, columns in found.items()}


SortedKey = tuple[tuple[str, ...], tuple[str, ...]]
"""Columns that statements fix, and columns by which they then want a range or an order."""


class Forms:
    """Enumerates the forms of tables. `sorts` are, by table, sorted keys that statements want, with their calls."""

    def __init__(
        self,
        sizes: Sizes,
        wanted: Mapping[str, Sequence[Demand]],
        updated: Mapping[str, frozenset[str]],
        relationships: Iterable[Relationship],
        join_tables: Iterable[ManyToMany],
        copies: Mapping[str, Sequence[Copy]],
        sorts: Mapping[str, Mapping[SortedKey, int]],
    ) -> None:
        self.sizes, self.wanted, self.updated, self.copies, self.sorts = sizes, wanted, updated, copies, sorts
        self.relationships = {found.id: found for found in relationships}
        self.join_tables: dict[str, list[ManyToMany]] = {}
        for found in join_tables:
            self.join_tables.setdefault(found.join_table, []).append(found)

    def of(self, entity: Entity, together: Sequence[Copy] = ()) -> list[Entity]:
        """All forms of a table, given as its faithful entity, which comes first.

        `together` are copies that must be among the combinations tried, alone and with nothing else.
        """
        keyed = {(form.pk, form.sk): form for form in reversed([entity, *self._keys(entity)])}
        sets = self._copy_sets(entity.table.id, together)
        return [replace(form, copies=copies) for form in reversed(keyed.values()) for copies in sets]

    def _copy_sets(self, table: str, together: Sequence[Copy]) -> list[tuple[Copy, ...]]:
        """Combinations of the copies that a table may hold, none first."""
        copies = tuple(self.copies.get(table, ()))
        if len(copies) <= ALL_SUBSETS:
            return [some for size in range(len(copies) + 1) for some in combinations(copies, size)]
        return list(dict.fromkeys([(), *((copy,) for copy in copies), tuple(together), copies]))

    def _keys(self, entity: Entity) -> Iterator[Entity]:
        if entity.digest_key is not None:
            return
        yield from self._splits(entity)
        yield from self._collections(entity)
        for found in self.join_tables.get(entity.table.id, ()):
            yield from self._sides(entity, found)

    def _splits(self, entity: Entity) -> Iterator[Entity]:
        """A key of several columns, cut into partition and sort key: where statements fix a part of it, or where both
        parts then need no composed attribute."""
        key = entity.pk
        parts = {tuple(c for c in key if c in demand.columns): "read by" for demand in self._demands(entity)}
        if len(key) == 2:
            parts = {(column,): "each part of the key by itself:" for column in key} | parts
        for part in sorted(parts):
            if part and part != key and self._bounded(entity, part):
                rest = tuple(c for c in key if c not in part)
                why = f"{parts[part]} {', '.join(part)}"
                yield replace(entity, pk=part, sk=rest, because=(*entity.because, why))

    def _collections(self, entity: Entity) -> Iterator[Entity]:
        """By the columns that a collection is read by, its foreign keys first, with the own key behind."""
        mine = sorted(r.id for r in self.relationships.values() if r.child == entity.table.id)
        sets = [tuple(self.relationships[key].child_columns) for key in mine]
        sets += [tuple(sorted(d.columns)) for d in self._demands(entity) if len(d.columns) == 1]
        possible = [columns for columns in dict.fromkeys(sets) if self._may_lead(entity, columns)]
        possible.sort(key=lambda columns: -self._calls(entity, columns))
        for columns in possible[:MAX_COLLECTIONS]:
            why = f"read by {', '.join(columns)}: {self._calls(entity, columns)} calls"
            for sort in self._sorts(entity, columns):
                rest = tuple(c for c in entity.pk if c not in sort)
                ordered = (f"in the order of {', '.join(sort)}",) if sort else ()
                yield replace(entity, pk=columns, sk=(*sort, *rest), because=(*entity.because, why, *ordered))

    def _sorts(self, entity: Entity, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The orders worth trying behind a partition key, none first. The own key follows, so that no two rows meet."""
        wanted: dict[tuple[str, ...], int] = {}
        for (fixed, sort), calls in self.sorts.get(entity.table.id, {}).items():
            if set(fixed) == set(columns) and sort[: len(entity.pk)] != entity.pk and self._stays(entity, sort):
                wanted[sort] = wanted.get(sort, 0) + calls
        return [(), *sorted(wanted, key=lambda sort: (-wanted[sort], sort))[:MAX_SORTS]]

    def _may_lead(self, entity: Entity, columns: tuple[str, ...]) -> bool:
        """Whether columns can be a partition key before the own key, and statements read by them alone."""
        return (
            not set(columns) & set(entity.pk)
            and self._stays(entity, columns)
            and self._calls(entity, columns) > 0
            and self._bounded(entity, columns)
        )

    def _sides(self, entity: Entity, found: ManyToMany) -> Iterator[Entity]:
        """A join table keyed by the two sides it joins, so that its own unique key needs no look-up table."""
        if found.left not in self.relationships or found.right not in self.relationships:
            return
        left, right = (self.relationships[side].child_columns for side in (found.left, found.right))
        columns = {*left, *right}
        unique = [u for u in entity.lookups if set(u.columns) == columns]
        if set(left) & set(right) or not self._stays(entity, columns):
            return
        if not unique and set(entity.pk) != columns:
            return
        why = "join table folded: keyed by the two sides it joins, which its unique key made possible"
        others = tuple(u for u in entity.lookups if set(u.columns) != columns)
        for pk, sk in ((left, right), (right, left)):
            yield replace(entity, pk=tuple(pk), sk=tuple(sk), lookups=others, because=(*entity.because, why))

    def _stays(self, entity: Entity, columns: Iterable[str]) -> bool:
        """Whether the columns are never NULL and no statement updates them: a base key cannot change."""
        updated = self.updated.get(entity.table.id, frozenset())
        return all(not entity.table.column(c).nullable and c not in updated for c in columns)

    def _bounded(self, entity: Entity, columns: tuple[str, ...]) -> bool:
        return self.sizes.rows_per_value(entity.table.id, columns) <= MAX_COLLECTION

    def _demands(self, entity: Entity) -> Sequence[Demand]:
        return self.wanted.get(entity.table.id, ())

    def _calls(self, entity: Entity, columns: tuple[str, ...]) -> int:
        """Calls that fix these columns, but not the own key."""
        own = set(entity.pk)
        return sum(d.calls for d in self._demands(entity) if set(columns) <= d.columns and not own <= d.columns)
