"""A statement as it is read: what it needs of each table, in which orders its tables can be read, and what is known at
each step. None of it depends on the design: only on the statement and on the statistics.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Literal

from ddbmig.engine.sizes import Sizes
from ddbmig.model.condition import (
    All,
    AnyOf,
    ColumnRef,
    Compare,
    Condition,
    OpaqueCondition,
    OpaqueTerm,
    Param,
    Term,
    walk,
)
from ddbmig.model.pattern import AccessPattern, Join, Reason

RANGES = frozenset({"<", "<=", ">", ">=", "between"})
RANGE_SHARE = 1 / 3
"""Share of a partition that a range keeps: assumed."""
ALL_ORDERS = 4
"""Up to so many tables every order is tried; of more, from each first table the one with the fewest rows on the way."""


@dataclass(frozen=True)
class Frequencies:
    """What the digest says of a template beyond its text."""

    list_length: float = 1.0
    """Average members of an IN list, or rows of a multi-row INSERT."""
    rows_examined: float | None = None
    """Average rows that MySQL read for one execution; from a slow log only."""


class NotBounded(Exception):
    """No bounded plan: carries the reason of the closed list and one sentence."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Equality:
    """`column of ref = term`; the condition it came from, so that a covered condition is not checked again."""

    column: str
    term: Term
    origin: Condition

    @property
    def many(self) -> bool:
        """Whether the term is a list of values, one key each."""
        return isinstance(self.term, Param) and self.term.many

    @property
    def joins(self) -> bool:
        """Whether the term is a column of another reference, one key for each of its rows."""
        return isinstance(self.term, ColumnRef)


@dataclass(frozen=True)
class Reach:
    """One more reference about to join the relation."""

    ref: int
    bound: frozenset[int]
    """The references that are there already."""
    rows: float
    """Rows of the relation before."""
    join: Literal["first", "inner", "left"]
    conditions: tuple[Condition, ...]
    """What may be covered by a key: of an inner reference all that is still open, else what its ON says."""
    terms: Mapping[str, Equality]
    """By column of the reference, the term that is given for it."""

    def ready(self) -> list[Condition]:
        """The conditions that can be checked once the reference is there."""
        return [c for c in self.conditions if refs_of(c) <= self.bound | {self.ref}]


@dataclass(frozen=True)
class Reading:
    """Rows to be read: the sequences of steps in which that can be done."""

    statement: "Statement"
    sequences: tuple[tuple[Reach, ...], ...]


def conjuncts(condition: Condition) -> list[Condition]:
    """The top-level AND parts of a condition."""
    if isinstance(condition, All):
        return [part for item in condition.items for part in conjuncts(item)]
    return [condition]


def columns_of(node: Condition | Term) -> set[tuple[int, str]]:
    """The columns (reference, name) that a condition or term mentions."""
    return {(part.ref, part.column) for part in walk(node) if isinstance(part, ColumnRef)}


def refs_of(node: Condition | Term) -> set[int]:
    """The table references that a condition or term mentions."""
    return {ref for ref, _ in columns_of(node)}


def opaque_reason(node: Condition | Term) -> str | None:
    """Why a condition or term cannot be evaluated, if so."""
    return next((part.why for part in walk(node) if isinstance(part, OpaqueCondition | OpaqueTerm)), None)


def same(condition: Condition, others: Iterable[Condition]) -> bool:
    """Whether this very condition is among others; two that read alike are two."""
    return any(condition is other for other in others)


class Statement:
    """The reading part of one access pattern. `extra_needed` are columns that a write must see besides."""

    def __init__(
        self,
        pattern: AccessPattern,
        sizes: Sizes,
        frequencies: Frequencies,
        extra_needed: Mapping[int, Collection[str]] | None = None,
    ) -> None:
        self.pattern, self.sizes, self.frequencies = pattern, sizes, frequencies
        self.joins: dict[int, Join] = {join.ref: join for join in pattern.joins}
        self.needed = self._needed_columns()
        for ref, columns in (extra_needed or {}).items():
            self.needed[ref] |= set(columns)

    def _needed_columns(self) -> dict[int, set[str]]:
        needed: dict[int, set[str]] = {n: set() for n in range(len(self.pattern.refs))}
        pattern = self.pattern
        mentioned = [(c.ref, c.column) for c in (*pattern.reads, *pattern.group_by)]
        mentioned += [(term.column.ref, term.column.column) for term in pattern.order]
        mentioned += [(a.column.ref, a.column.column) for a in pattern.aggregates if a.column]
        for join in pattern.joins:
            mentioned += [(c.ref, c.column) for pair in join.on for c in pair]
            mentioned += list(columns_of(join.extra))
        mentioned += list(columns_of(pattern.where))
        for ref, column in mentioned:
            needed[ref].add(column)
        return needed

    def table(self, ref: int) -> str:
        """Id of the table of a reference."""
        return self.pattern.refs[ref].table

    def kind(self, ref: int) -> str:
        """How a reference is joined; `inner` for those of the FROM list."""
        join = self.joins.get(ref)
        return join.kind if join else "inner"

    def group(self, ref: int) -> int | None:
        """The existence test that a reference belongs to, by the test's first reference; None outside of one."""
        join = self.joins.get(ref)
        if join is None:
            return None
        return join.group if join.group is not None else ref if join.kind in ("semi", "anti", "mark") else None

    # --- conditions ---

    @cached_property
    def filters(self) -> tuple[Condition, ...]:
        """WHERE, and the ON conditions of inner joins, as one pool of conjuncts."""
        pool = conjuncts(self.pattern.where)
        for join in self.pattern.joins:
            if join.kind == "inner" and self.group(join.ref) is None:
                pool += self.on(join.ref)
        return tuple(pool)

    def on(self, ref: int) -> tuple[Condition, ...]:
        """What the ON of a joined reference says."""
        return self._on.get(ref, ())

    @cached_property
    def _on(self) -> dict[int, tuple[Condition, ...]]:
        return {
            ref: (*(Compare(op="=", left=own, right=(other,)) for own, other in join.on), *conjuncts(join.extra))
            for ref, join in self.joins.items()
        }

    def _open(self, ref: int, bound: frozenset[int]) -> tuple[Condition, ...]:
        """The conditions that a key of `ref` may cover: those not checked yet, when all in `bound` are there."""
        group = self.group(ref)
        if group is not None:
            members = [n for n in range(len(self.pattern.refs)) if self.group(n) == group]
            pool = tuple(c for n in members for c in self.on(n))
            inside = bound & frozenset(members)
            return tuple(c for c in pool if not inside or not refs_of(c) <= bound)
        if self.kind(ref) == "left":
            return self.on(ref)
        return self.filters if not bound else tuple(c for c in self.filters if not refs_of(c) <= bound)

    def equalities(self, ref: int, bound: Collection[int], conditions: Iterable[Condition]) -> list[Equality]:
        """`column = term` facts about `ref` whose terms are parameters or columns already bound."""
        found: list[Equality] = []
        for condition in conditions:
            if not isinstance(condition, Compare) or condition.op not in ("=", "<=>", "in"):
                continue
            sides = [(condition.left, condition.right)]
            if condition.op == "=" and isinstance(condition.right[0], ColumnRef):
                sides.append((condition.right[0], (condition.left,)))
            for left, right in sides:
                usable = len(right) == 1 and _usable(right[0], bound)
                if not isinstance(left, ColumnRef) or left.ref != ref or not usable:
                    continue
                if condition.op != "<=>" or not self._nullable(left):  # <=> NULL finds what no key holds
                    found.append(Equality(left.column, right[0], condition))
        return found

    def _nullable(self, column: ColumnRef) -> bool:
        return self.sizes.table(self.table(column.ref)).column(column.column).nullable

    def range_on(self, ref: int, column: str, conditions: Iterable[Condition]) -> Compare | None:
        """A range condition on a column with parameter bounds; two one-sided ones give the first."""
        return next((c for c in self.ranges(ref, conditions) if c.left == ColumnRef(ref=ref, column=column)), None)

    def ranges(self, ref: int, conditions: Iterable[Condition]) -> list[Compare]:
        """The conditions that keep a range of a column of `ref` between parameters."""
        return [
            c
            for c in conditions
            if isinstance(c, Compare) and c.op in RANGES and isinstance(c.left, ColumnRef) and c.left.ref == ref
            and all(isinstance(term, Param) for term in c.right)
        ]  # fmt: skip

    # --- numbers ---

    def keys_asked(self, used: Iterable[Equality], rows: float) -> float:
        """How many keys one execution asks for: list members × rows of the relation where a key comes from them."""
        given = tuple(used)
        lists = max(1.0, self.frequencies.list_length) if any(e.many for e in given) else 1.0
        return lists * (rows if any(e.joins for e in given) else 1.0)

    def items_of(self, ref: int, columns: Iterable[str], ranged: bool) -> float:
        """Average rows of `ref` that share one value of the columns, and lie in a range where there is one."""
        items = self.sizes.rows_per_value(self.table(ref), columns)
        if ranged:
            items *= RANGE_SHARE
            if self.frequencies.rows_examined is not None and len(self.pattern.refs) == 1:
                items = min(items, self.frequencies.rows_examined)
        return max(1.0, items)

    def _rows_with(self, ref: int, bound: frozenset[int], rows: float, conditions: Iterable[Condition]) -> float:
        """Rows of the relation once `ref` has joined it: by what the conditions say, whatever path reads them.

        Average rows of the table per value of all columns that are fixed, for each key that is asked for; a reference
        that no column joins to the others is multiplied with them. A left join drops no row.
        """
        pool = tuple(conditions)
        given = self.equalities(ref, bound, pool)
        keys = self.keys_asked(given, rows) * (1.0 if any(e.joins for e in given) else rows)
        columns = dict.fromkeys(e.column for e in given)  # one that is given twice tells no more than once
        per_value = self.items_of(ref, columns, bool(self.ranges(ref, pool)))
        return max(rows if self.kind(ref) != "inner" else 1.0, keys * per_value)

    # --- orders ---

    def orders(self) -> list[tuple[int, ...]]:
        """The sequences in which the references can be read, existence tests last; the empty one where there is none.

        Every reference but the first is joined to the ones before it or given by parameters; a left-joined one
        follows what its ON names.
        """
        outer = [n for n in range(len(self.pattern.refs)) if self.group(n) is None]
        tests = self._tests()
        if not outer:
            return [tuple(tests)]
        if len(outer) <= ALL_ORDERS:
            sequences = [order for order in permutations(outer) if self._possible(order)]
        else:
            firsts = [n for n in outer if self.kind(n) == "inner"]
            sequences = [order for first in firsts if (order := self._leanest(first, outer)) is not None]
        return [(*order, *tests) for order in sequences]

    def _possible(self, order: tuple[int, ...]) -> bool:
        return self.kind(order[0]) == "inner" and all(
            self._joinable(ref, frozenset(order[:n])) for n, ref in enumerate(order) if n
        )

    def _joinable(self, ref: int, bound: frozenset[int]) -> bool:
        if self.kind(ref) == "left":
            join = self.joins[ref]
            if not all(o.ref in bound for _, o in join.on) or not refs_of(join.extra) <= bound | {ref}:
                return False
        return bool(self.equalities(ref, bound, self._open(ref, bound)))

    def _leanest(self, first: int, outer: list[int]) -> tuple[int, ...] | None:
        """From a first reference on, always the one that leaves the fewest rows."""
        order, rows = [first], self._rows_with(first, frozenset(), 1.0, self._open(first, frozenset()))
        while left := [n for n in outer if n not in order]:
            bound = frozenset(order)
            next_rows = {n: self._rows_with(n, bound, rows, self._open(n, bound)) for n in left
                         if self._joinable(n, bound)}  # fmt: skip
            if not next_rows:
                return None
            ref = min(next_rows, key=lambda n: (self.kind(n) == "left", next_rows[n], n))
            order.append(ref)
            rows = next_rows[ref]
        return tuple(order)

    def _tests(self) -> list[int]:
        """The references of existence tests, test by test, inside of one those first that the others hang on."""
        found: list[int] = []
        everything = range(len(self.pattern.refs))
        for leader in [n for n in everything if self.group(n) == n]:
            members = [n for n in everything if self.group(n) == leader]
            bound = frozenset(n for n in everything if self.group(n) is None)
            while members:
                ready = [n for n in members if self.equalities(n, bound, self._open(n, bound))]
                ref = ready[0] if ready else members[0]
                members.remove(ref)
                bound |= {ref}
                found.append(ref)
        return found

    def reaches(self, order: Iterable[int]) -> list[Reach]:
        """What is known at each step of an order. Existence tests leave the relation's rows as they were."""
        found: list[Reach] = []
        bound: frozenset[int] = frozenset()
        rows = outside = 1.0
        for ref in order:
            conditions = self._open(ref, bound)
            group = self.group(ref)
            if group is None or not any(self.group(n) == group for n in bound):
                rows = outside
            terms: dict[str, Equality] = {}
            for equality in self.equalities(ref, bound, conditions):
                terms.setdefault(equality.column, equality)
            inner = self.kind(ref) == "inner" and group is None
            join: Literal["first", "inner", "left"] = "left" if not inner else "inner" if bound else "first"
            found.append(Reach(ref, bound, rows, join, conditions, terms))
            rows = self._rows_with(ref, bound, rows, conditions)
            if group is None:
                outside = rows
            bound |= {ref}
        return found

    def reading(self) -> Reading:
        """All rows that the statement selects, in any of its orders; nothing is read where WHERE is FALSE."""
        if AnyOf() in self.filters:
            return Reading(self, ((),))
        return Reading(self, tuple(tuple(self.reaches(order)) for order in self.orders()))

    def joining(self, ref: int, rows: float) -> Reading:
        """The rows of one left-joined reference for a relation of so many rows with all the references before it."""
        bound, conditions = frozenset(range(ref)), self.on(ref)
        terms = {e.column: e for e in reversed(self.equalities(ref, bound, conditions))}
        return Reading(self, ((Reach(ref, bound, rows, "left", conditions, terms),),))

    @cached_property
    def rows(self) -> float:
        """Rows of the relation when all are there, counted along the first order."""
        for order in self.orders()[:1]:
            for reach in reversed(self.reaches(order)):
                if self.group(reach.ref) is None:
                    return self._rows_with(reach.ref, reach.bound, reach.rows, reach.conditions)
        return 1.0


def _usable(term: Term, bound: Collection[int]) -> bool:
    if isinstance(term, ColumnRef):
        return term.ref in bound
    return isinstance(term, Param)
