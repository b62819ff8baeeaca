"""The ways to reach the rows of one table reference: by base key, look-up table, GSI, or a Scan of one small page.

A path is priced for one form of the table (`Entity`) and, where it goes through a GSI, for one projection.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from ddbmig.engine.candidates import SORTABLE, Draft, Entity, IndexDraft
from ddbmig.engine.capacity import PAGE_BYTES, average_pages, average_query_units, read_units
from ddbmig.engine.statement import Equality, Reach, Statement, same
from ddbmig.model.condition import ColumnRef, Compare, Condition
from ddbmig.model.design import MAX_KEY_ATTRIBUTES
from ddbmig.model.pattern import OrderTerm

MAX_ITEMS_READ = 10_000
"""More items than this in one step of a plan is not bounded (our limit: ten pages of 1 KB items)."""


@dataclass(frozen=True)
class Path:
    """One way to reach the rows of a reference."""

    op: Literal["GetItem", "BatchGetItem", "Query", "Scan"]
    index: IndexDraft | None
    lookup: int | None
    """Position of the unique key in Entity.lookups, read first."""
    pk: tuple[str, ...]
    sk: tuple[str, ...]
    """Sort-key columns fixed by equality: all of them, or the leading ones."""
    range: Compare | None
    """On the sort-key column after those."""
    calls: float
    items: float
    units: float
    covered: tuple[Condition, ...] = ()
    limit: int | None = None
    """The LIMIT where it stops the Query."""
    ordered: bool = False
    """Whether the rows come in the order that the statement wants."""
    pages: int = 1
    """Sequential calls: each page of a Query waits for the one before it."""
    fetch_units: float | None = None
    """Units of fetching the base item behind each look-up item or index entry; None: nothing is fetched."""

    @property
    def all_units(self) -> float:
        """Units of the whole path."""
        return self.units + (self.fetch_units or 0.0)

    @property
    def trips(self) -> int:
        """Calls one after the other."""
        return self.pages + (self.fetch_units is not None)

    @property
    def name(self) -> str:
        """What tells the paths to one form of a table apart."""
        way = f"unique {self.lookup}" if self.lookup is not None else self.index.id if self.index else "key"
        keys = ",".join(self.pk) + (f"+{','.join(self.sk)}" if self.sk else "")
        ranged = f" {self.range.op}" if self.range else ""
        return f"{self.op} {way} {keys}{ranged}{' fetch' if self.fetch_units is not None else ''}"


class Ways:
    """The paths of one statement through the forms of its tables."""

    def __init__(self, statement: Statement, draft: Draft) -> None:
        self.statement, self.draft, self.sizes = statement, draft, draft.sizes
        self.pattern = statement.pattern

    def paths(self, reach: Reach, entity: Entity, wanted: Collection[str]) -> list[Path]:
        """All bounded paths to a reference through a form of its table and its GSIs.

        `wanted` are attributes that must come with the row: columns, and copies for references after it.
        """
        found = _bounded([*self._key_paths(reach, entity), *self._lookup_paths(reach, entity)])
        if not (found and self.pattern.locking):  # what is read through a GSI may be out of date
            for index in entity.indexes:
                found += _bounded(self._index_paths(reach, entity, index, wanted))
        if not reach.bound:
            found += _bounded(self._scan_path(entity))
        return found

    def _key_paths(self, reach: Reach, entity: Entity) -> Iterator[Path]:
        keys = entity.key_columns
        if not keys or not set(entity.pk) <= set(reach.terms):
            return
        if set(keys) <= set(reach.terms):
            used = [reach.terms[c] for c in keys]
            calls = self.statement.keys_asked(used, reach.rows)
            batch = calls > 1 or any(e.many or e.joins for e in used)
            units = calls * read_units(self.draft.item_bytes(entity), self.pattern.locking)
            yield Path("BatchGetItem" if batch else "GetItem", None, None, entity.pk, entity.sk, None, calls, 1.0,
                       units, covered=tuple(e.origin for e in used))  # fmt: skip
        for terms in _alternatives(reach, entity.pk) if entity.sk else ():
            if not set(keys) <= set(terms):
                yield self._query(reach, entity, None, terms)

    def _lookup_paths(self, reach: Reach, entity: Entity) -> Iterator[Path]:
        for number, unique in enumerate(entity.lookups):
            if set(unique.columns) <= set(reach.terms):
                used = [reach.terms[c] for c in unique.columns]
                covered = tuple(e.origin for e in used)
                if not self._may_fetch(reach, covered):
                    continue
                calls, consistent = self.statement.keys_asked(used, reach.rows), self.pattern.locking
                look_up = self.draft.lookup_design(entity, unique).item_bytes
                yield Path(
                    "GetItem" if calls <= 1 else "BatchGetItem", None, number, unique.columns, (), None, calls, 1.0,
                    calls * read_units(look_up, consistent), covered=covered,
                    fetch_units=calls * read_units(self.draft.item_bytes(entity), consistent),
                )  # fmt: skip

    def _may_fetch(self, reach: Reach, covered: Collection[Condition]) -> bool:
        """Whether base items can be fetched in a second call: not where a left join would still have to match them."""
        return reach.join != "left" or all(same(c, covered) for c in reach.ready())

    def _index_paths(
        self, reach: Reach, entity: Entity, index: IndexDraft, wanted: Collection[str]
    ) -> Iterator[Path]:  # fmt: skip
        """The Query over a GSI; with a fetch of the base items where it lacks something that is needed or wanted."""
        if index.pk or self._leads(reach, entity, index):
            for terms in _alternatives(reach, index.pk):
                yield from self._with_fetch(reach, entity, index, wanted, self._query(reach, entity, index, terms))

    def _with_fetch(
        self, reach: Reach, entity: Entity, index: IndexDraft, wanted: Collection[str], path: Path
    ) -> Iterator[Path]:
        if any(entity.table.column(c).nullable for c in index.sk[len(path.sk) :]):
            return  # the index lacks the rows in which it is NULL
        there = self.draft.in_entry(entity, index)
        needed = self.statement.needed[reach.ref]
        if needed <= there:
            yield path
        if not (needed | set(wanted)) <= there and self._may_fetch(reach, path.covered):
            units = path.calls * path.items * read_units(self.draft.item_bytes(entity), False)
            yield replace(path, fetch_units=units)

    def _query(
        self, reach: Reach, entity: Entity, index: IndexDraft | None, terms: Mapping[str, Equality]
    ) -> Path:  # fmt: skip
        """The Query that fixes as much of the key as these terms do."""
        pk, sk = (index.pk, index.sk) if index else (entity.pk, entity.sk)
        statement = self.statement
        fixed = list(takewhile(lambda column: column in terms and not terms[column].many, sk))
        span = None
        if index is not None or not fixed:  # behind a part of a composed key a range would need two bounds
            span = next((self._range(reach, entity, c) for c in sk[len(fixed) : len(fixed) + 1]), None)
        used = [terms[c] for c in (*pk, *fixed)]
        calls = statement.keys_asked(used, reach.rows)
        items = statement.items_of(reach.ref, (*pk, *fixed), span is not None)
        covered: tuple[Condition, ...] = tuple(e.origin for e in used)
        if span is not None and span.op != "between":
            covered = (*covered, span)
        constant = frozenset(e.column for e in used if not e.many)
        one_call = not reach.bound and not any(e.many for e in used)
        in_order = one_call and self._key_order(reach.ref, entity, sk, constant)
        limit = self._pushed_limit(reach, in_order, covered, calls)
        if limit is not None:
            items = min(items, float(limit))
        consistent = self.pattern.locking and index is None
        size = self.draft.item_bytes(entity) if index is None else self.draft.entry_bytes(entity, index)
        units = calls * average_query_units(items, size, consistent)
        return Path("Query", index, None, pk, tuple(fixed), span, calls, items, units, covered, limit, in_order,
                    average_pages(items, size))  # fmt: skip

    def _range(self, reach: Reach, entity: Entity, column: str) -> Compare | None:
        if entity.table.column(column).type not in SORTABLE:
            return None
        return self.statement.range_on(reach.ref, column, reach.conditions)

    def _scan_path(self, entity: Entity) -> Iterator[Path]:
        rows = max(1.0, self.sizes.rows(entity.table.id))
        size = rows * self.draft.item_bytes(entity)
        if size <= PAGE_BYTES:
            yield Path("Scan", None, None, (), (), None, 1.0, rows, read_units(size, self.pattern.locking))

    # --- order and LIMIT ---

    def _pushed_limit(self, reach: Reach, in_order: bool, covered: Collection[Condition], calls: float) -> int | None:
        """LIMIT where it may stop the Query: one table, one call, nothing left to filter, order given by the key."""
        pattern = self.pattern
        plain = not (pattern.aggregates or pattern.group_by or pattern.distinct) and len(pattern.refs) == 1
        if not plain or pattern.limit is None or pattern.limit.rows is None or calls > 1 or reach.bound:
            return None
        if pattern.limit.offset_calls or not all(same(c, covered) for c in reach.conditions):
            return None
        return pattern.limit.rows if in_order or not pattern.order else None

    def _key_order(self, ref: int, entity: Entity, ordered: tuple[str, ...], constant: Collection[str]) -> bool:
        """Whether the key's order is exactly the ORDER BY, but for columns that are `constant` in the Query.

        It is that of sortable columns, all in one direction; ties are in no order in SQL either.
        """
        order = open_order(self.pattern.order, ref, constant)
        wanted = tuple(term.column.column for term in order)
        left = tuple(column for column in ordered if column not in constant)
        sortable = all(column in left and entity.table.column(column).type in SORTABLE for column in wanted)
        return bool(wanted) and _one_way(order, ref) and sortable and wanted == left[: len(wanted)]

    def _leads(self, reach: Reach, entity: Entity, index: IndexDraft) -> bool:
        """Whether the sort columns of an index begin with those that this reference wants."""
        wanted = self.wanted_sort(reach, entity, index.pk)
        return bool(wanted) and index.sk[: len(wanted)] == wanted

    # --- what indexes a reference would like ---

    def wanted_keys(self, reach: Reach, entity: Entity) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Partition and sort columns of the GSIs that would serve this reference, whatever the form of its table.

        By any one of the columns that are given, with the others behind it or without, by all of them at once, and
        each with a range or an order behind.
        """
        single = self._selective(reach.ref, (c for c, e in reach.terms.items() if not e.many))
        parts: list[tuple[str, ...]] = [(c,) for c in sorted(reach.terms)]
        if len(single) > 1:
            parts.append(tuple(single))
        if not reach.terms and not reach.bound:
            parts.append(())
        found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        for pk in parts:
            behind = tuple(c for c in single if c not in pk and not entity.table.column(c).nullable)
            sort = self.wanted_sort(reach, entity, (*pk, *behind))
            found += [(pk, sk) for sk in ((), self.wanted_sort(reach, entity, pk), behind, (*behind, *sort))]
        return [(pk, sk) for pk, sk in dict.fromkeys(found) if (pk or sk) and len(sk) <= MAX_KEY_ATTRIBUTES]

    def _selective(self, ref: int, columns: Iterable[str]) -> list[str]:
        """At most as many columns as a key may have, those with the most values first; then by name."""
        table = self.statement.table(ref)
        chosen = sorted(columns, key=lambda c: (-self.sizes.distinct(table, (c,)), c))[:MAX_KEY_ATTRIBUTES]
        return sorted(chosen)

    def wanted_sort(self, reach: Reach, entity: Entity, pk: Collection[str]) -> tuple[str, ...]:
        """The sort columns an index for this reference should have: that of a range, else those of ORDER BY with LIMIT.

        An ORDER BY that begins with the column of the range serves both.
        """
        order = self._wanted_order(reach.ref, entity, pk)
        for condition in self.statement.ranges(reach.ref, reach.conditions):
            left = condition.left
            if isinstance(left, ColumnRef) and _sortable(entity, left.column, pk):
                return order if order[:1] == (left.column,) else (left.column,)
        return order

    def _wanted_order(self, ref: int, entity: Entity, pk: Collection[str]) -> tuple[str, ...]:
        """The columns of an ORDER BY with LIMIT where sort keys can give that order: all of them, or none."""
        if not self.pattern.limit or self.pattern.aggregates:
            return ()
        order = open_order(self.pattern.order, ref, pk)
        columns = tuple(term.column.column for term in order)
        possible = len(columns) <= MAX_KEY_ATTRIBUTES and _one_way(order, ref)
        return columns if possible and all(_sortable(entity, column, pk) for column in columns) else ()


def _bounded(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.calls * path.items <= MAX_ITEMS_READ]


def _alternatives(reach: Reach, partition: Collection[str]) -> list[Mapping[str, Equality]]:
    """The terms that a Query may fix its key by: all, and those that are the same for all rows found before.

    The latter make one Query of many; none where they leave a column of the partition key open.
    """
    constant = {column: equality for column, equality in reach.terms.items() if not equality.joins}
    sets = [reach.terms, constant] if len(constant) < len(reach.terms) else [reach.terms]
    return [terms for terms in sets if set(partition) <= set(terms)]


def open_order(order: Iterable[OrderTerm], ref: int, constant: Collection[str]) -> tuple[OrderTerm, ...]:
    """The ORDER BY without the columns of `ref` that have one value in all rows."""
    return tuple(term for term in order if term.column.ref != ref or term.column.column not in constant)


def _one_way(order: Collection[OrderTerm], ref: int) -> bool:
    """Whether an order is over one reference, and in one direction."""
    return all(term.column.ref == ref for term in order) and len({term.descending for term in order}) <= 1


def _sortable(entity: Entity, column: str, pk: Collection[str]) -> bool:
    found = entity.table.column(column)
    return found.type in SORTABLE and not found.nullable and column not in pk


def constant_columns(used: Iterable[Equality]) -> frozenset[str]:
    """The columns that have one value in all rows of a Query."""
    return frozenset(e.column for e in used if not e.many)
