"""Reads compiled to plans: the calls of the ways that were chosen, one after the other, and what the client does."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ddbmig.engine.candidates import Copy, Draft, Entity
from ddbmig.engine.paths import MAX_ITEMS_READ, Path, Ways, constant_columns, open_order
from ddbmig.engine.readings import Copied, Way
from ddbmig.engine.statement import (
    Frequencies,
    NotBounded,
    Reach,
    Reading,
    Statement,
    opaque_reason,
    refs_of,
    same,
)
from ddbmig.model.condition import All, AnyOf, ColumnRef, Compare, Condition, Term
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Copied as CopiedColumns
from ddbmig.model.plan import (
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


@dataclass(frozen=True)
class Taken:
    """A step and the way that it is taken."""

    reach: Reach
    way: Way


@dataclass
class Relation:
    """The relation while a plan is compiled."""

    rows: float = 1.0
    steps: list[Step] = field(default_factory=list)
    round_trips: int = 0
    units: float = 0.0
    sorted_by_key: bool = False
    uses: list[str] = field(default_factory=list)
    scans: bool = False


class Rows(Protocol):
    """Reads rows for a plan: which way is somebody's choice. Demands have a name that is unique in the design."""

    def select(self, demand: str, statement: Statement) -> Relation:
        """All rows that a statement selects. Raises NotBounded."""

    def join(self, demand: str, statement: Statement, ref: int, relation: Relation) -> None:
        """The rows of one more reference, left-joined to the relation. Raises NotBounded."""


class Chooser(Protocol):
    """Decides how rows are read."""

    def choose(self, demand: str, reading: Reading, ways: Ways) -> Sequence[Taken]:
        """The steps of one sequence, each with its way. Raises NotBounded where there is none."""


class Reads:
    """Reads rows from a draft by the calls of what a chooser decides."""

    def __init__(self, draft: Draft, chooser: Chooser) -> None:
        self.draft, self.chooser = draft, chooser

    def select(self, demand: str, statement: Statement) -> Relation:
        """All rows that a statement selects. Raises NotBounded."""
        reader = Reader(statement, self.draft, Relation())
        if AnyOf() in statement.filters:
            reader.relation.steps.append(Filter(condition=AnyOf()))
        else:
            for step in self.chooser.choose(demand, statement.reading(), reader.ways):
                reader.take(step)
            reader.relation.rows = statement.rows
        reader.finish()
        return reader.relation

    def join(self, demand: str, statement: Statement, ref: int, relation: Relation) -> None:
        """The rows of one more reference, left-joined to the relation. Raises NotBounded."""
        reader = Reader(statement, self.draft, relation)
        for step in self.chooser.choose(demand, statement.joining(ref, relation.rows), reader.ways):
            reader.take(step)


def compile_read(pattern: AccessPattern, draft: Draft, frequencies: Frequencies, rows: Rows) -> Plan:
    """The plan of a SELECT, or a routed plan."""
    try:
        check_scope(pattern, draft)
        relation = rows.select(read_demand(pattern), Statement(pattern, draft.sizes, frequencies))
    except NotBounded as stop:
        return Plan(pattern=pattern.id, routed=(stop.reason,), detail=stop.detail)
    return Plan(
        pattern=pattern.id,
        steps=tuple(relation.steps),
        uses=tuple(dict.fromkeys(relation.uses)),
        round_trips=relation.round_trips,
        read_units=relation.units,
        scans=relation.scans,
        detail="reads a whole small table: at most one page of 1 MB" if relation.scans else "",
    )


def read_demand(pattern: AccessPattern) -> str:
    """The name of the demand for the rows that a pattern selects."""
    return f"{pattern.id} rows"


def check_scope(pattern: AccessPattern, draft: Draft) -> None:
    """Raise NotBounded for what the normal form, the scope or the conditions leave out."""
    if pattern.unplanned:
        raise NotBounded(pattern.unplanned[0], f"the statement is outside the normal form: {pattern.unplanned[0]}")
    for ref in pattern.refs:
        if ref.table in draft.staying:
            raise NotBounded("read of another system", f"{ref.table} stays on MySQL")
        if ref.table not in draft.tables:
            raise NotBounded("outside the scope", f"{ref.table} is not migrated")
    for condition in (pattern.where, *(join.extra for join in pattern.joins)):
        if why := opaque_reason(condition):
            raise NotBounded(why, f"a condition needs MySQL: {why}")  # type: ignore[arg-type]  # `why` is a Reason


def unreachable(statement: Statement) -> NotBounded:
    """Why a statement has no bounded plan, whatever the design."""
    pattern = statement.pattern
    orders = statement.orders()
    if not orders:
        return NotBounded("unbounded join", "a joined table is reached by no key")
    reaches = statement.reaches(orders[0])
    loose = next((reach for reach in reaches if not reach.terms), None)
    table = statement.table((loose or reaches[0]).ref)
    if loose is not None and statement.group(loose.ref) is not None:
        return NotBounded("subquery", f"{table} in the subquery is reached by no key")
    if pattern.aggregates or pattern.group_by:
        return NotBounded("unbounded aggregate", f"an aggregate over all of {table}")
    joined = sum(statement.group(ref) is None for ref in orders[0]) > 1
    why = f"no condition fixes a key of {table}" if loose else f"a step would read more than {MAX_ITEMS_READ:,} items"
    return NotBounded("unbounded join" if joined else "unbounded read", why)


class Reader:
    """Turns the steps that are taken into calls."""

    def __init__(self, statement: Statement, draft: Draft, relation: Relation) -> None:
        self.statement, self.draft, self.ways = statement, draft, Ways(statement, draft)
        self.pattern, self.relation = statement.pattern, relation
        self.checked: list[Condition] = []
        """Conditions that a key, a match or a filter has seen to."""

    def take(self, step: Taken) -> None:
        """Join one more reference by its way, and drop what its columns rule out."""
        reach, statement = step.reach, self.statement
        if step.way.path is None:
            self._copied(reach, step.way.wants)
        elif step.way.entity is not None:
            self._read(reach, step.way.entity, step.way.path, dict(step.way.delivers))
        group = statement.group(reach.ref)
        if group is not None:
            self._test(reach, group)
        else:
            self._filter(reach.bound | {reach.ref})

    def _filter(self, bound: frozenset[int]) -> None:
        """Check what can be checked now."""
        ready = [c for c in self.statement.filters if refs_of(c) <= bound and not same(c, self.checked)]
        if ready:
            self.checked += ready
            self.relation.steps.append(Filter(condition=_all(ready)))

    def _test(self, reach: Reach, group: int) -> None:
        """Reduce the relation once the last reference of an existence test is there."""
        refs = [n for n in range(len(self.pattern.refs)) if self.statement.group(n) == group]
        if set(refs) <= reach.bound | {reach.ref}:
            keep: Mapping[str, Literal["matched", "unmatched", "all"]] = {"anti": "unmatched", "mark": "all"}
            kept = keep.get(self.statement.joins[group].kind, "matched")
            self.relation.steps.append(Exists(refs=tuple(refs), keep=kept))

    # --- copies ---

    def _copied(self, reach: Reach, wanted: Copied | None) -> None:
        """The columns of a reference come with the call that read the row of its child.

        An inner join is checked still: it drops a child that has no parent.
        """
        if wanted is None:
            return
        copy, needed = wanted.copy, self.statement.needed[reach.ref]
        columns = self._copied_columns(copy, needed)
        columns |= dict(zip(copy.parent_columns, copy.local_columns, strict=True))
        position, call = self._call_of(wanted.child)
        delivered = CopiedColumns(ref=reach.ref, columns=columns)
        self.relation.steps[position] = call.model_copy(update={"copied": (*call.copied, delivered)})

    def _copied_columns(self, copy: Copy, needed: Collection[str]) -> dict[str, str]:
        """The needed ones of a copy, and one that is never NULL in a parent: where all are, there is no parent."""
        parent = self.draft.sizes.table(copy.parent)
        telling = [column for column, _ in copy.columns if not parent.column(column).nullable]
        if set(telling) & set(needed):
            telling = []
        return {column: name for column, name in copy.columns if column in needed or column in telling[:1]}

    def _call_of(self, ref: int) -> tuple[int, ReadCall]:
        """The last call that read a reference: that of its base item, where there is one."""
        for position in range(len(self.relation.steps) - 1, -1, -1):
            step = self.relation.steps[position]
            if isinstance(step, ReadCall) and step.ref == ref:
                return position, step
        raise KeyError(ref)

    # --- calls ---

    def _read(self, reach: Reach, entity: Entity, path: Path, delivers: Mapping[int, Copied]) -> None:
        terms = {column: equality.term for column, equality in reach.terms.items()}
        per_row = any(isinstance(terms[c], ColumnRef) for c in (*path.pk, *path.sk))
        fetched = path.fetch_units is not None
        match = self._match(reach, path)
        first = self._call(reach, entity, path, terms).model_copy(
            update={"per_row": per_row, "join": reach.join, "match": All() if fetched else match}
        )
        self._account(first, path.pages)
        if fetched:
            keys = path.calls * path.items
            batch = keys > 1 or path.op in ("BatchGetItem", "Query")
            self._account(
                ReadCall(
                    op="BatchGetItem" if batch else "GetItem", table=entity.name, ref=reach.ref,
                    consistent=self.pattern.locking and path.index is None, per_row=True, join="complete", match=match,
                    estimate=Estimate(calls=keys, items=1.0, read_units=path.fetch_units or 0.0),
                )
            )  # fmt: skip
        alone = len(self.pattern.refs) == 1 or not reach.bound
        self.relation.sorted_by_key = path.ordered and alone
        if path.index is not None:
            self.draft.ask(entity, path.index, self.pattern.id)

    def _match(self, reach: Reach, path: Path) -> Condition:
        """What a fetched row must satisfy beyond the key: of a left join all its ON, else what equates it to others."""
        rest = [c for c in reach.ready() if not same(c, path.covered)]
        if reach.join != "left":
            self.checked += [c for c in path.covered if not same(c, self.checked)]
            rest = [c for c in rest if _joins(c, reach)]
            self.checked += rest
        return _all(rest)

    def _call(self, reach: Reach, entity: Entity, path: Path, terms: Mapping[str, Term]) -> ReadCall:
        """The call of a path, not yet joined."""
        consistent = self.pattern.locking and path.index is None
        estimate = Estimate(calls=path.calls, items=path.items, read_units=path.units)
        if path.lookup is not None:
            unique = entity.lookups[path.lookup]
            name, _ = self.draft.lookup_key(entity, unique)
            key = (KeyCondition(attribute=name, terms=tuple((c, terms[c]) for c in unique.columns)),)
            return ReadCall(op=path.op, table=entity.lookup_name(unique), ref=reach.ref, key=key,
                            consistent=consistent, estimate=estimate)  # fmt: skip
        constant = constant_columns(reach.terms[c] for c in (*path.pk, *path.sk))
        order = open_order(self.pattern.order, reach.ref, constant)
        return ReadCall(
            op=path.op,
            table=entity.name,
            index=entity.index_name(path.index) if path.index else None,
            ref=reach.ref,
            key=self._key_conditions(entity, path, terms),
            consistent=consistent,
            limit=path.limit,
            forward=not (path.ordered and order[0].descending),
            estimate=estimate,
        )

    def _account(self, call: ReadCall, trips: int = 1) -> None:
        self.relation.steps.append(call)
        self.relation.uses.append(f"{call.table}/{call.index}" if call.index else call.table)
        self.relation.round_trips += trips
        self.relation.units += call.estimate.read_units
        self.relation.scans |= call.op == "Scan"

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
            name, _ = self.draft.key_attribute(entity, (column,) if path.index else entity.sk)
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

    # --- the client's part ---

    def finish(self) -> None:
        """What is left to do once all rows are there: conditions, aggregates, DISTINCT, order, LIMIT."""
        pattern, steps = self.pattern, self.relation.steps
        self._filter(frozenset(range(len(pattern.refs))))
        if pattern.aggregates or pattern.group_by:
            steps.append(Reduce(aggregates=pattern.aggregates, group_by=pattern.group_by))
        if pattern.distinct:
            steps.append(Distinct())
        if pattern.order and not self.relation.sorted_by_key:
            steps.append(Sort(order=pattern.order))
        if pattern.limit is not None:
            limit = pattern.limit
            steps.append(Slice(rows=limit.rows, row_param=limit.row_param, offset_param=limit.offset_param))


def _joins(condition: Condition, reach: Reach) -> bool:
    """Whether a condition equates a column of the reference with one of a bound reference."""
    if not isinstance(condition, Compare) or condition.op != "=" or not isinstance(condition.left, ColumnRef):
        return False
    refs = refs_of(condition)
    return isinstance(condition.right[0], ColumnRef) and reach.ref in refs and bool(refs & reach.bound)


def _all(conditions: list[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else All(items=tuple(conditions))
