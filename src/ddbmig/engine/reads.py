"""Reads compiled to plans: which structure answers each table reference, in which order, and what the client does.

The compiler tries every reference that can come first, extends the relation greedily by the cheapest access path, and
keeps the plan with the fewest read units. What cannot be bounded is routed with its reason.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations, takewhile
from typing import Literal

from ddbmig.engine.candidates import MAX_INDEXES, SORTABLE, Copy, Draft, Entity, IndexDraft
from ddbmig.engine.capacity import PAGE_BYTES, average_pages, average_query_units, read_units
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
from ddbmig.model.design import MAX_KEY_ATTRIBUTES
from ddbmig.model.pattern import AccessPattern, Join, OrderTerm, Reason
from ddbmig.model.plan import (
    Copied,
    Distinct,
    Estimate,
    Exists,
    Filter,
    KeyCondition,
    Plan,
    ReadCall,
    Reduce,
    Slice,
    Sort,
    Step,
)
from ddbmig.model.schema import Index

MAX_ITEMS_READ = 10_000
"""More items than this in one step of a plan is not bounded (our limit: ten pages of 1 KB items)."""
RANGES = frozenset({"<", "<=", ">", ">=", "between"})
RANGE_SHARE = 1 / 3
"""Share of a partition that a range keeps: assumed."""
NEW_INDEX_FACTOR = 1.5
"""A new index must save at least this factor over an existing path, since every write pays for it."""
LOW_CARDINALITY = 10
"""An index with fewer partition values than this is not offered where one page of a Scan does."""


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
    new: bool = False
    covered: tuple[Condition, ...] = ()
    pages: int = 1
    """Sequential calls: each page of a Query waits for the one before it."""

    @property
    def price(self) -> float:
        """Units, with the handicap of a structure that does not exist yet."""
        return self.units * NEW_INDEX_FACTOR + 0.25 if self.new else self.units


@dataclass
class Relation:
    """The relation while a plan is compiled."""

    bound: set[int] = field(default_factory=set)
    rows: float = 1.0
    steps: list[Step] = field(default_factory=list)
    pending: list[Condition] = field(default_factory=list)
    round_trips: int = 0
    units: float = 0.0
    sorted_by_key: bool = False
    uses: list[str] = field(default_factory=list)
    scans: bool = False
    adopted: list[tuple[Entity, IndexDraft, set[str]]] = field(default_factory=list)


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


def compile_read(pattern: AccessPattern, draft: Draft, frequencies: Frequencies, *, may_add: bool) -> Plan:
    """The cheapest bounded plan of a SELECT found, or a routed plan. With `may_add` the draft may gain indexes."""
    try:
        relation = ReadCompiler(pattern, draft, frequencies, may_add).best()
    except NotBounded as stop:
        return Plan(pattern=pattern.id, routed=(stop.reason,), detail=stop.detail)
    return finish_plan(pattern, relation)


def finish_plan(pattern: AccessPattern, relation: Relation) -> Plan:
    """The frozen plan of a compiled read."""
    return Plan(
        pattern=pattern.id,
        steps=tuple(relation.steps),
        uses=tuple(dict.fromkeys(relation.uses)),
        round_trips=relation.round_trips,
        read_units=relation.units,
        scans=relation.scans,
        detail="reads a whole small table: at most one page of 1 MB" if relation.scans else "",
    )


def check_scope(pattern: AccessPattern, draft: Draft) -> None:
    """Raise NotBounded for what the normal form, the scope or the conditions leave out."""
    if pattern.unplanned:
        raise NotBounded(pattern.unplanned[0], f"the statement is outside the normal form: {pattern.unplanned[0]}")
    for ref in pattern.refs:
        if ref.table in draft.staying:
            raise NotBounded("read of another system", f"{ref.table} stays on MySQL")
        if ref.table not in draft.entities:
            raise NotBounded("outside the scope", f"{ref.table} is not migrated")
    for condition in (pattern.where, *(join.extra for join in pattern.joins)):
        if why := opaque_reason(condition):
            raise NotBounded(why, f"a condition needs MySQL: {why}")  # type: ignore[arg-type]  # `why` is a Reason


class ReadCompiler:
    """Compiles the reading part of one pattern against one draft."""

    def __init__(
        self,
        pattern: AccessPattern,
        draft: Draft,
        frequencies: Frequencies,
        may_add: bool,
        extra_needed: Mapping[int, set[str]] | None = None,
    ) -> None:
        self.pattern, self.draft, self.frequencies, self.may_add = pattern, draft, frequencies, may_add
        self.joins: dict[int, Join] = {join.ref: join for join in pattern.joins}
        self.needed = self._needed_columns()
        for ref, columns in (extra_needed or {}).items():
            self.needed[ref] |= columns

    def best(self) -> Relation:
        """The cheapest complete relation over all possible first references. Raises NotBounded."""
        check_scope(self.pattern, self.draft)
        outer = [n for n in range(len(self.pattern.refs)) if self._kind(n) == "inner" and self._group(n) is None]
        firsts: list[int | None] = [*outer] or [None]
        found: list[tuple[bool, float, int, Relation]] = []
        stop: NotBounded | None = None
        for first in firsts:
            try:
                relation = self._compile_from(first)
            except NotBounded as error:
                stop = stop or error
                continue
            handicap = sum(0.25 + relation.units * (NEW_INDEX_FACTOR - 1) for _, index, _ in relation.adopted if
                           not index.because)  # fmt: skip
            found.append((relation.scans, relation.units + handicap, relation.round_trips, relation))
        if not found:
            raise stop or NotBounded("unbounded read", "no table to start from")
        best = min(found, key=lambda entry: entry[:3])[3]
        self.adopt(best)
        return best

    # --- what is needed of each reference ---

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

    def _kind(self, ref: int) -> str:
        join = self.joins.get(ref)
        return join.kind if join else "inner"

    def _group(self, ref: int) -> int | None:
        join = self.joins.get(ref)
        if join is None:
            return None
        return join.group if join.group is not None else ref if join.kind in ("semi", "anti", "mark") else None

    # --- the order of references ---

    def _compile_from(self, first: int | None) -> Relation:
        """The relation that starts with `first`, or with an existence test where that is all the statement asks."""
        relation = Relation(pending=self._filters())
        if AnyOf() in relation.pending:
            relation.steps.append(Filter(condition=AnyOf()))
            self._finish(relation)
            return relation
        if first is not None:
            self.extend(relation, first)
        remaining = [n for n in range(len(self.pattern.refs)) if n != first]
        grouped = [n for n in remaining if self._group(n) is not None]
        ungrouped = [n for n in remaining if self._group(n) is None]
        while ungrouped:
            ref = self._next(relation, ungrouped)
            ungrouped.remove(ref)
            self.extend(relation, ref)
        for leader in [n for n in grouped if self._group(n) == n]:
            self._extend_group(relation, leader, [n for n in grouped if self._group(n) == leader])
        if relation.pending:
            relation.steps.append(Filter(condition=_all(relation.pending)))
        self._finish(relation)
        return relation

    def _filters(self) -> list[Condition]:
        """WHERE, and the ON conditions of inner joins, as one pool of conjuncts."""
        pool = conjuncts(self.pattern.where)
        for join in self.pattern.joins:
            if join.kind == "inner" and self._group(join.ref) is None:
                pool += [Compare(op="=", left=own, right=(other,)) for own, other in join.on]
                pool += conjuncts(join.extra)
        return pool

    def _next(self, relation: Relation, candidates: list[int]) -> int:
        """The next reference: an inner one with the cheapest path first, a left-joined one when its ON is bound."""
        ranked: list[tuple[int, float, int]] = []
        for ref in candidates:
            if self._kind(ref) == "left":
                if self._on_bound(ref, relation.bound):
                    ranked.append((1, 0.0, ref))
                continue
            if self._copy_for(relation, ref) is not None:
                ranked.append((0, -1.0, ref))
                continue
            paths = self._paths(relation, ref, self._equalities(ref, relation.bound, relation.pending))
            if paths:
                ranked.append((0, min(path.price for path in paths), ref))
        if not ranked:
            raise NotBounded("unbounded join", "a joined table is reached by no key")
        return min(ranked)[2]

    def _on_bound(self, ref: int, bound: set[int]) -> bool:
        join = self.joins[ref]
        return all(other.ref in bound for _, other in join.on) and refs_of(join.extra) <= bound | {ref}

    # --- one reference more ---

    def extend(self, relation: Relation, ref: int) -> None:
        """Join the rows of one more reference to the relation by its cheapest path. Raises NotBounded."""
        left = self._kind(ref) == "left"
        own = self._join_conditions(ref) if left else relation.pending
        copy = self._copy_for(relation, ref)
        if copy is not None:
            self._read_copy(relation, ref, copy)
        else:
            paths = self._paths(relation, ref, self._equalities(ref, relation.bound, own))
            if not paths:
                raise self._unreachable(relation, ref)
            path = min(paths, key=lambda p: (p.price, p.new, p.lookup is not None))
            covered = [c for c in own if any(c is d for d in path.covered)]
            rest = [c for c in own if not any(c is d for d in covered)]
            rows = self._rows_with(relation, ref, own)
            match = rest if left else [c for c in rest if _joins(c, ref, relation.bound)]
            self._append_read(relation, ref, path, "left" if left else "inner", _all(match))
            relation.rows = rows
            if not left:
                relation.pending = [c for c in rest if not any(c is m for m in match)]
        relation.bound.add(ref)
        self._filter_early(relation)

    def _rows_with(self, relation: Relation, ref: int, conditions: list[Condition]) -> float:
        """Rows of the relation once `ref` has joined it: by what the conditions say, whatever path reads them.

        Average rows of the table per value of all columns that are fixed, for each key that is asked for; a reference
        that no column joins to the others is multiplied with them. A left join drops no row.
        """
        equalities = self._equalities(ref, relation.bound, conditions)
        joined = any(isinstance(e.term, ColumnRef) for e in equalities)
        keys = self._fan_out(relation, equalities) * (1.0 if joined else relation.rows)
        per_value = self._items_of(ref, [e.column for e in equalities], self._is_ranged(ref, conditions))
        return max(relation.rows if self._kind(ref) != "inner" else 1.0, keys * per_value)

    def _items_of(self, ref: int, columns: Iterable[str], ranged: bool) -> float:
        """Average rows of `ref` that share one value of the columns, and lie in a range where there is one."""
        items = self.draft.sizes.rows_per_value(self.pattern.refs[ref].table, columns)
        if ranged:
            items *= RANGE_SHARE
            if self.frequencies.rows_examined is not None and len(self.pattern.refs) == 1:
                items = min(items, self.frequencies.rows_examined)
        return max(1.0, items)

    def _is_ranged(self, ref: int, conditions: Iterable[Condition]) -> bool:
        """Whether a condition keeps a range of a column of `ref` between parameters."""
        return any(
            isinstance(c, Compare) and c.op in RANGES and isinstance(c.left, ColumnRef) and c.left.ref == ref
            and all(isinstance(term, Param) for term in c.right)
            for c in conditions
        )  # fmt: skip

    def _filter_early(self, relation: Relation) -> None:
        ready = [c for c in relation.pending if refs_of(c) <= relation.bound]
        if ready:
            relation.pending = [c for c in relation.pending if not any(c is r for r in ready)]
            relation.steps.append(Filter(condition=_all(ready)))

    def _extend_group(self, relation: Relation, leader: int, members: list[int]) -> None:
        """EXISTS / IN (SELECT …): joined like LEFT JOINs, then reduced to whether a match exists."""
        own = [c for n in members for c in self._join_conditions(n)]
        members = list(members)
        inside = set(members)
        rows = relation.rows
        while members:
            options = []
            for ref in members:
                ready = [c for c in own if refs_of(c) <= relation.bound | {ref}]
                paths = self._paths(relation, ref, self._equalities(ref, relation.bound, own))
                options += [(path.price, ref, path, ready) for path in paths]
            if not options:
                raise NotBounded("subquery", "a table of the subquery is reached by no key")
            _, ref, path, ready = min(options, key=lambda option: option[:2])
            rest = [c for c in ready if not any(c is d for d in path.covered)]
            after = self._rows_with(relation, ref, own)
            self._append_read(relation, ref, path, "left", _all(rest))
            relation.rows = after
            own = [c for c in own if not any(c is r for r in ready)]
            relation.bound.add(ref)
            members.remove(ref)
        relation.rows = rows
        keep: Mapping[str, Literal["matched", "unmatched", "all"]] = {"anti": "unmatched", "mark": "all"}
        relation.steps.append(Exists(refs=tuple(sorted(inside)), keep=keep.get(self.joins[leader].kind, "matched")))

    def _join_conditions(self, ref: int) -> list[Condition]:
        join = self.joins[ref]
        pairs: list[Condition] = [Compare(op="=", left=own, right=(other,)) for own, other in join.on]
        return pairs + conjuncts(join.extra)

    def _unreachable(self, relation: Relation, ref: int) -> NotBounded:
        table = self.pattern.refs[ref].table
        if self.pattern.aggregates or self.pattern.group_by:
            return NotBounded("unbounded aggregate", f"an aggregate over all of {table}")
        if relation.bound:
            return NotBounded("unbounded join", f"{table} is joined by no key")
        return NotBounded("unbounded read", f"no condition fixes a key of {table}")

    # --- copies ---

    def _copy_for(self, relation: Relation, ref: int) -> tuple[int, Copy] | None:
        """A bound reference whose items hold copies of all that is needed of `ref`, and joined by nothing else."""
        join = self.joins.get(ref)
        pairs = self._pairs(ref, relation)
        for child in sorted({other.ref for _, other in pairs}):
            entity = self.draft.entities[self.pattern.refs[child].table]
            joined = {(own.column, other.column) for own, other in pairs if other.ref == child}
            for copy in entity.copies:
                delivered = {column for column, _ in copy.columns} | set(copy.parent_columns)
                if (
                    copy.parent == self.pattern.refs[ref].table
                    and joined == set(zip(copy.parent_columns, copy.local_columns, strict=True))
                    and self.needed[ref] <= delivered
                    and (join is None or (join.extra == All() and join.kind in ("inner", "left")))
                    and self._step_of(relation, child) is not None
                ):
                    return child, copy
        return None

    def _pairs(self, ref: int, relation: Relation) -> list[tuple[ColumnRef, ColumnRef]]:
        """Column equalities between `ref` and bound references."""
        own_conditions = self._join_conditions(ref) if self._kind(ref) == "left" else relation.pending
        found = []
        for condition in own_conditions:
            if isinstance(condition, Compare) and condition.op == "=" and isinstance(condition.left, ColumnRef):
                other = condition.right[0]
                if isinstance(other, ColumnRef):
                    for mine, theirs in ((condition.left, other), (other, condition.left)):
                        if mine.ref == ref and theirs.ref in relation.bound:
                            found.append((mine, theirs))
        return found

    def _step_of(self, relation: Relation, ref: int) -> int | None:
        for position in range(len(relation.steps) - 1, -1, -1):
            step = relation.steps[position]
            if isinstance(step, ReadCall) and step.ref == ref:
                return position
        return None

    def _read_copy(self, relation: Relation, ref: int, found: tuple[int, Copy]) -> None:
        child, copy = found
        position = self._step_of(relation, child)
        assert position is not None  # noqa: S101  # _copy_for made sure of it
        step = relation.steps[position]
        assert isinstance(step, ReadCall)  # noqa: S101  # _step_of returns read calls only
        columns = {column: name for column, name in copy.columns if column in self.needed[ref]}
        if not columns:
            columns = dict(copy.columns[:1])
        columns |= dict(zip(copy.parent_columns, copy.local_columns, strict=True))
        relation.steps[position] = step.model_copy(update={"copied": (*step.copied, Copied(ref=ref, columns=columns))})
        for _, index, needed in relation.adopted:
            if step.index is not None and index in self.draft.entities[self.pattern.refs[child].table].indexes:
                needed |= set(columns.values())
        if self._kind(ref) == "inner":
            pairs = {(own, other) for own, other in self._pairs(ref, relation)}
            relation.pending = [
                c
                for c in relation.pending
                if not (
                    isinstance(c, Compare) and c.op == "=" and _pair(c) and (_pair(c) in pairs or _flip(c) in pairs)
                )
            ]

    # --- access paths ---

    def _equalities(self, ref: int, bound: set[int], conditions: list[Condition]) -> list[Equality]:
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
        return self.draft.sizes.table(self.pattern.refs[column.ref].table).column(column.column).nullable

    def _paths(self, relation: Relation, ref: int, equalities: list[Equality]) -> list[Path]:
        entity = self.draft.entities[self.pattern.refs[ref].table]
        terms: dict[str, Equality] = {}
        for equality in equalities:
            terms.setdefault(equality.column, equality)
        paths = list(self._key_paths(relation, ref, entity, terms))
        paths += self._lookup_paths(relation, entity, terms)
        for index in entity.indexes:
            if set(index.pk) <= set(terms) and (index.pk or self._leads(ref, entity, index, relation)):
                paths.append(self._query_path(relation, ref, entity, terms, index))
        if self.may_add:
            paths += self._new_index_paths(relation, ref, entity, terms)
        if not relation.bound:
            paths += self._scan_path(entity)
        paths = [path for path in paths if path.calls * path.items <= MAX_ITEMS_READ]
        # A joined table is reached by what joins it where that can be: a constant alone would read rows by the way.
        joined = [p for p in paths if any(isinstance(terms[c].term, ColumnRef) for c in (*p.pk, *p.sk) if c in terms)]
        return joined or paths

    def _fan_out(self, relation: Relation, terms: Iterable[Equality]) -> float:
        """How many keys one execution asks for: list members × rows of the relation where a key comes from them."""
        lists = per_row = False
        for equality in terms:
            lists |= isinstance(equality.term, Param) and equality.term.many
            per_row |= isinstance(equality.term, ColumnRef)
        return (max(1.0, self.frequencies.list_length) if lists else 1.0) * (relation.rows if per_row else 1.0)

    def _key_paths(self, relation: Relation, ref: int, entity: Entity, terms: Mapping[str, Equality]) -> Iterable[Path]:
        keys = entity.key_columns
        if not keys or not set(entity.pk) <= set(terms):
            return
        if set(keys) <= set(terms):
            used = [terms[c] for c in keys]
            calls = self._fan_out(relation, used)
            batch = calls > 1 or any(_many(e.term) or isinstance(e.term, ColumnRef) for e in used)
            units = calls * read_units(self._item_bytes(entity), self.pattern.locking)
            yield Path(
                "BatchGetItem" if batch else "GetItem", None, None, entity.pk, entity.sk, None, calls, 1.0, units,
                covered=tuple(e.origin for e in used),
            )  # fmt: skip
        elif entity.sk:
            yield self._query_path(relation, ref, entity, terms, None)

    def _lookup_paths(self, relation: Relation, entity: Entity, terms: Mapping[str, Equality]) -> list[Path]:
        paths = []
        for number, unique in enumerate(entity.lookups):
            if set(unique.columns) <= set(terms):
                used = [terms[c] for c in unique.columns]
                calls = self._fan_out(relation, used)
                locking = self.pattern.locking
                units = calls * (self._lookup_units(entity, unique) + read_units(self._item_bytes(entity), locking))
                paths.append(
                    Path(
                        "GetItem" if calls <= 1 else "BatchGetItem",
                        None,
                        number,
                        unique.columns,
                        (),
                        None,
                        calls,
                        1.0,
                        units,
                        covered=tuple(e.origin for e in used),
                    )
                )
        return paths

    def _query_path(
        self,
        relation: Relation,
        ref: int,
        entity: Entity,
        terms: Mapping[str, Equality],
        index: IndexDraft | None,
        new: bool = False,
    ) -> Path:
        pk, sk = (index.pk, index.sk) if index else (entity.pk, entity.sk)
        fixed = list(takewhile(lambda column: column in terms and not _many(terms[column].term), sk))
        ordered = self._ordered_columns(entity, index)
        span = next((self._range(ref, column, relation) for column in ordered[len(fixed) : len(fixed) + 1]), None)
        used = [terms[c] for c in (*pk, *fixed)]
        calls = self._fan_out(relation, used)
        items = self._items_of(ref, (*pk, *fixed), span is not None)
        covered: tuple[Condition, ...] = tuple(e.origin for e in used)
        if span is not None and span.op != "between":
            covered = (*covered, span)
        constant = frozenset(e.column for e in used if not _many(e.term))
        if self._limit_pushed(relation, ref, ordered, constant, covered, calls):
            limit = self.pattern.limit
            items = min(items, float(limit.rows if limit and limit.rows else items))
        consistent = self.pattern.locking and index is None
        size = self._item_bytes(entity) if index is None else self._entry_bytes(entity, index, ref)
        units = calls * average_query_units(items, size, consistent)
        return Path("Query", index, None, pk, tuple(fixed), span, calls, items, units, new=new,
                    covered=covered, pages=average_pages(items, size))  # fmt: skip

    def _new_index_paths(
        self, relation: Relation, ref: int, entity: Entity, terms: Mapping[str, Equality]
    ) -> list[Path]:
        usable = sorted(terms)
        if not self.draft.allow_indexes or (relation.bound and not usable):
            return []
        subsets: list[tuple[str, ...]] = [(c,) for c in usable] or [()]
        single = [c for c in usable if not _many(terms[c].term)]
        sizes = range(2, MAX_KEY_ATTRIBUTES + 1)
        subsets += [some for size in sizes for some in combinations(single, size) if len(single) <= 6]
        unique = [entity.key_columns, *(u.columns for u in entity.lookups)]  # answered by the key or a look-up table
        free = len(entity.indexes) < MAX_INDEXES
        tiny = self._scan_path(entity)
        paths = []
        for pk in subsets:
            if any(set(pk) >= set(key) for key in unique if key):
                continue
            if pk and tiny and not relation.bound and self.draft.sizes.distinct(entity.table.id, pk) < LOW_CARDINALITY:
                continue
            sk = self._wanted_sort(ref, entity, pk, relation)
            if not sk and (not pk or any({*index.pk, *index.sk} == set(pk) for index in entity.indexes)):
                continue
            same = [index for index in entity.indexes if set(index.pk) == set(pk)]
            if any(index.sk == sk for index in same):
                continue
            widened = next((index for index in same if index.sk == sk[: len(index.sk)]), None)
            if widened is None and not free:
                continue
            path = self._query_path(relation, ref, entity, terms, IndexDraft(pk, sk), new=widened is None)
            paths.append(path)
        return paths

    def _wanted_sort(self, ref: int, entity: Entity, pk: tuple[str, ...], relation: Relation) -> tuple[str, ...]:
        """The sort columns an index for this reference should have: that of a range, else those of ORDER BY with LIMIT.

        An ORDER BY that begins with the column of the range serves both.
        """
        order = self._wanted_order(ref, entity, pk)
        for condition in relation.pending:
            if isinstance(condition, Compare) and condition.op in RANGES:
                left = condition.left
                mine = isinstance(left, ColumnRef) and left.ref == ref and self._sortable(entity, left.column, pk)
                if mine and isinstance(left, ColumnRef) and all(isinstance(t, Param) for t in condition.right):
                    return order if order[:1] == (left.column,) else (left.column,)
        return order

    def _wanted_order(self, ref: int, entity: Entity, pk: tuple[str, ...]) -> tuple[str, ...]:
        """The columns of an ORDER BY with LIMIT where sort keys can give that order: all of them, or none."""
        if not self.pattern.limit or self.pattern.aggregates:
            return ()
        order = _open_order(self.pattern.order, ref, pk)
        columns = tuple(term.column.column for term in order)
        possible = len(columns) <= MAX_KEY_ATTRIBUTES and _one_way(order, ref)
        return columns if possible and all(self._sortable(entity, column, pk) for column in columns) else ()

    def _leads(self, ref: int, entity: Entity, index: IndexDraft, relation: Relation) -> bool:
        """Whether the sort columns of an index begin with those that this reference wants."""
        wanted = self._wanted_sort(ref, entity, index.pk, relation)
        return bool(wanted) and index.sk[: len(wanted)] == wanted

    def _sortable(self, entity: Entity, column: str, pk: tuple[str, ...]) -> bool:
        found = entity.table.column(column)
        return found.type in SORTABLE and not found.nullable and column not in pk

    def _range(self, ref: int, column: str, relation: Relation) -> Compare | None:
        """A range condition on the sort column with parameter bounds; two one-sided ones give the first."""
        entity = self.draft.entities[self.pattern.refs[ref].table]
        if entity.table.column(column).type not in SORTABLE:
            return None
        for condition in relation.pending:
            if isinstance(condition, Compare) and condition.op in RANGES:
                left = condition.left
                mine = isinstance(left, ColumnRef) and left.ref == ref and left.column == column
                if mine and all(isinstance(t, Param) for t in condition.right):
                    return condition
        return None

    def _limit_pushed(
        self,
        relation: Relation,
        ref: int,
        ordered: tuple[str, ...],
        constant: frozenset[str],
        covered: tuple[Condition, ...],
        calls: float,
    ) -> bool:
        """Whether LIMIT may stop the Query: one table, one call, nothing left to filter, order given by the key."""
        pattern = self.pattern
        plain = not (pattern.aggregates or pattern.group_by or pattern.distinct) and len(pattern.refs) == 1
        if not plain or pattern.limit is None or pattern.limit.rows is None or calls > 1 or relation.bound:
            return False
        if pattern.limit.offset_calls:
            return False
        if any(not any(c is d for d in covered) for c in relation.pending):
            return False
        return not pattern.order or self._key_order(ref, ordered, constant)

    def _key_order(self, ref: int, ordered: tuple[str, ...], constant: frozenset[str]) -> bool:
        """Whether the key's order is exactly the ORDER BY, but for columns that are `constant` in the Query.

        It is that of sortable columns, all in one direction; ties are in no order in SQL either.
        """
        order = _open_order(self.pattern.order, ref, constant)
        wanted = tuple(term.column.column for term in order)
        left = tuple(column for column in ordered if column not in constant)
        table = self.draft.entities[self.pattern.refs[ref].table].table
        sortable = all(column in left and table.column(column).type in SORTABLE for column in wanted)
        return bool(wanted) and _one_way(order, ref) and sortable and wanted == left[: len(wanted)]

    @staticmethod
    def _ordered_columns(entity: Entity, index: IndexDraft | None) -> tuple[str, ...]:
        """The columns by which the items of a partition are ordered; none where a base table's sort key is composed."""
        if index is not None:
            return index.sk
        return entity.sk if len(entity.sk) == 1 else ()

    def _scan_path(self, entity: Entity) -> list[Path]:
        rows = max(1.0, self.draft.sizes.rows(entity.table.id))
        total = rows * self._item_bytes(entity)
        if total > PAGE_BYTES:
            return []
        return [Path("Scan", None, None, (), (), None, 1.0, rows, read_units(total, self.pattern.locking))]

    def _item_bytes(self, entity: Entity) -> float:
        """Average bytes of the base item."""
        return max(1.0, self.draft.sizes.item_bytes(self.draft.attributes(entity)))

    def _lookup_units(self, entity: Entity, unique: Index) -> float:
        """Units to read one look-up item: long texts in both keys take more than a block."""
        return read_units(self.draft.lookup_design(entity, unique).item_bytes, self.pattern.locking)

    def _entry_bytes(self, entity: Entity, index: IndexDraft, ref: int) -> float:
        """Average bytes of an index entry: what is needed of `ref`, and what other plans had projected."""
        return max(1.0, self.draft.entry_bytes(entity, index, self._attributes_needed(entity, ref)))

    # --- read calls ---

    def _append_read(
        self, relation: Relation, ref: int, path: Path, join: Literal["inner", "left"], match: Condition
    ) -> None:
        entity = self.draft.entities[self.pattern.refs[ref].table]
        terms = {e.column: e.term for e in reversed(self._equalities(ref, relation.bound, [*path.covered]))}
        first = not relation.bound
        per_row = any(isinstance(terms[c], ColumnRef) for c in (*path.pk, *path.sk) if c in terms)
        kind: Literal["first", "inner", "left"] = "first" if first and join == "inner" else join
        if path.lookup is not None:
            self._append_lookup(relation, ref, entity, path, terms, kind, per_row, match)
            return
        key = self._key_conditions(entity, path, terms)
        index_name = entity.index_name(path.index) if path.index else None
        if path.index is not None:
            relation.adopted.append((entity, path.index, self._attributes_needed(entity, ref)))
        ordered = self._ordered_columns(entity, path.index)
        constant = frozenset(c for c in (*path.pk, *path.sk) if not _many(terms[c]))
        query = path.op == "Query"
        pushed = query and self._limit_pushed(relation, ref, ordered, constant, path.covered, path.calls)
        relation.sorted_by_key = first and query and path.calls <= 1 and self._key_order(ref, ordered, constant)
        order = _open_order(self.pattern.order, ref, constant)
        call = ReadCall(
            op=path.op,
            table=entity.name,
            index=index_name,
            ref=ref,
            key=key,
            consistent=self.pattern.locking and path.index is None,
            per_row=per_row,
            join=kind,
            match=match,
            limit=self.pattern.limit.rows if pushed and self.pattern.limit else None,
            forward=not (relation.sorted_by_key and order[0].descending),
            estimate=Estimate(calls=path.calls, items=path.items, read_units=path.units),
        )
        self._account(relation, call, path)

    def _append_lookup(
        self, relation: Relation, ref: int, entity: Entity, path: Path, terms: Mapping[str, Term],
        kind: Literal["first", "inner", "left"], per_row: bool, match: Condition,
    ) -> None:  # fmt: skip
        """A unique key: its look-up table gives the base key, the base table the row."""
        unique = entity.lookups[path.lookup or 0]
        name, _ = self.draft.lookup_key(entity, unique)
        key = (KeyCondition(attribute=name, terms=tuple((c, terms[c]) for c in unique.columns)),)
        units = path.calls * self._lookup_units(entity, unique)
        look = ReadCall(
            op=path.op, table=entity.lookup_name(unique), ref=ref, key=key, consistent=self.pattern.locking,
            per_row=per_row, join=kind, estimate=Estimate(calls=path.calls, items=1.0, read_units=units),
        )  # fmt: skip
        relation.steps.append(look)
        relation.uses.append(look.table)
        relation.round_trips += 1
        base = ReadCall(
            op="BatchGetItem" if path.op == "BatchGetItem" else "GetItem", table=entity.name, ref=ref,
            consistent=self.pattern.locking, per_row=True, join="complete", match=match,
            estimate=Estimate(calls=path.calls, items=1.0, read_units=path.units - units),
        )  # fmt: skip
        self._account(relation, base, path)

    def _account(self, relation: Relation, call: ReadCall, path: Path) -> None:
        relation.steps.append(call)
        relation.uses.append(f"{call.table}/{call.index}" if call.index else call.table)
        relation.round_trips += path.pages
        relation.units += path.units
        relation.scans |= call.op == "Scan"

    def _key_conditions(self, entity: Entity, path: Path, terms: Mapping[str, Term]) -> tuple[KeyCondition, ...]:
        if path.op == "Scan":
            return ()
        fixed: list[tuple[tuple[str, ...], tuple[str, ...]]]
        if path.index is None:
            fixed = [(entity.pk, path.pk), *([(entity.sk, path.sk)] if path.sk else [])]
        else:
            fixed = [((c,), (c,)) for c in path.pk] or [((), ())]
            fixed += [((c,), (c,)) for c in path.sk]
        found = [self._equal(entity, key, given, terms) for key, given in fixed]
        if path.range is not None and isinstance(path.range.left, ColumnRef):
            column = path.range.left.column
            name, _ = self.draft.key_attribute(entity, (column,))
            bounds = tuple((column, term) for term in path.range.right)
            found.append(KeyCondition(attribute=name, op=path.range.op, terms=bounds))  # type: ignore[arg-type]  # a range
        return tuple(found)

    def _equal(
        self, entity: Entity, key: tuple[str, ...], given: tuple[str, ...], terms: Mapping[str, Term]
    ) -> KeyCondition:
        """Equality on the key attribute over the columns `key`; of its leading part where fewer are `given`."""
        name, _ = self.draft.key_attribute(entity, key)
        op: Literal["=", "begins_with"] = "=" if key == given else "begins_with"
        return KeyCondition(attribute=name, op=op, terms=tuple((c, terms[c]) for c in given))

    def _attributes_needed(self, entity: Entity, ref: int) -> set[str]:
        return {entity.table.column(column).name for column in self.needed[ref]}

    def _finish(self, relation: Relation) -> None:
        pattern = self.pattern
        if pattern.aggregates or pattern.group_by:
            relation.steps.append(Reduce(aggregates=pattern.aggregates, group_by=pattern.group_by))
        if pattern.distinct:
            relation.steps.append(Distinct())
        if pattern.order and not relation.sorted_by_key:
            relation.steps.append(Sort(order=pattern.order))
        if pattern.limit is not None:
            relation.steps.append(
                Slice(
                    rows=pattern.limit.rows,
                    row_param=pattern.limit.row_param,
                    offset_param=pattern.limit.offset_param,
                )
            )

    def adopt(self, relation: Relation) -> None:
        """Keep the indexes that the chosen plan uses: add new ones, widen a sort key, note what must be projected."""
        for entity, index, needed in relation.adopted:
            same = [i for i in entity.indexes if set(i.pk) == set(index.pk)]
            shorter = [i for i in same if i.sk == index.sk[: len(i.sk)]]
            kept = next((i for i in shorter if i.sk == index.sk), None) or next(iter(shorter), None)
            if kept is None:
                kept = index
                entity.indexes.append(kept)
            kept.sk = index.sk
            kept.needed |= needed
            kept.because.append(self.pattern.id)


def _joins(condition: Condition, ref: int, bound: set[int]) -> bool:
    """Whether a condition equates a column of `ref` with one of a bound reference."""
    if not isinstance(condition, Compare) or condition.op != "=" or _pair(condition) is None:
        return False
    return ref in refs_of(condition) and bool(refs_of(condition) & bound)


def _usable(term: Term, bound: set[int]) -> bool:
    if isinstance(term, ColumnRef):
        return term.ref in bound
    return isinstance(term, Param)


def _many(term: Term) -> bool:
    return isinstance(term, Param) and term.many


def _all(conditions: list[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else All(items=tuple(conditions))


def _open_order(order: Iterable[OrderTerm], ref: int, constant: Collection[str]) -> tuple[OrderTerm, ...]:
    """The ORDER BY without the columns of `ref` that have one value in all rows."""
    return tuple(term for term in order if term.column.ref != ref or term.column.column not in constant)


def _one_way(order: Collection[OrderTerm], ref: int) -> bool:
    """Whether all terms are columns of `ref` in one direction."""
    return all(term.column.ref == ref for term in order) and len({term.descending for term in order}) <= 1


def _pair(condition: Compare) -> tuple[ColumnRef, ColumnRef] | None:
    other = condition.right[0]
    return (condition.left, other) if isinstance(condition.left, ColumnRef) and isinstance(other, ColumnRef) else None


def _flip(condition: Compare) -> tuple[ColumnRef, ColumnRef] | None:
    found = _pair(condition)
    return (found[1], found[0]) if found else None
