"""What the evidence says of one relationship, table or access pattern: the facts of the catalogue, computed.

Every fact knows whether it was measured, declared or assumed, and from what. What cannot be known is missing (value
None), never zero. Definitions are those of the catalogue (facts.py) and of architecture.md.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ddbmig.engine.coaccess import table_written, tables_queried
from ddbmig.engine.facts import BY_PHASE, Phase
from ddbmig.model.assessment import (
    CoAccess,
    Fact,
    FactValue,
    ManyToMany,
    PatternRate,
    Rates,
    Relationship,
    TransactionMap,
)
from ddbmig.model.condition import All, ColumnRef, Compare, Condition
from ddbmig.model.digest import TemplateDigest
from ddbmig.model.measure import Source
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import GroupStatistics, TableStatistics

DAYS_PER_MONTH = 730 / 24
"""A month is 730 hours."""
BOUNDED_BYTES = 50 * 1024
"""The guide's 50 KB ("Size Concerns")."""
MINUTES_NEEDED = 5

_TRANSFORMED = {"json", "set", "enum", "bit", "geometry", "point", "linestring", "polygon", "multipoint",
                "multilinestring", "multipolygon", "geometrycollection"}  # fmt: skip

Facts = dict[str, Fact]


@dataclass(frozen=True)
class Evidence:
    """The snapshot and what was derived from it, looked up by name."""

    snapshot: Snapshot
    rates: Rates
    pattern_rates: tuple[PatternRate, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    many_to_many: tuple[ManyToMany, ...] = ()
    co_access: tuple[CoAccess, ...] = ()
    transactions: tuple[TransactionMap, ...] = ()

    @cached_property
    def patterns(self) -> Mapping[str, AccessPattern]:
        """By pattern id."""
        return {pattern.id: pattern for pattern in self.snapshot.patterns}

    @cached_property
    def by_template(self) -> Mapping[str, AccessPattern]:
        """By template id."""
        return {pattern.template: pattern for pattern in self.snapshot.patterns}

    @cached_property
    def templates(self) -> Mapping[str, TemplateDigest]:
        """By template id."""
        return {template.id: template for template in self.snapshot.digest.templates}

    @cached_property
    def rate_of(self) -> Mapping[str, PatternRate]:
        """By pattern id."""
        return {rate.pattern: rate for rate in self.pattern_rates}

    @cached_property
    def pairs(self) -> Mapping[frozenset[str], CoAccess]:
        """By the two tables."""
        return {frozenset((pair.a, pair.b)): pair for pair in self.co_access}

    @cached_property
    def touching(self) -> Mapping[str, tuple[AccessPattern, ...]]:
        """The access patterns that use a table, by table id."""
        found: dict[str, list[AccessPattern]] = {}
        for pattern in self.snapshot.patterns:
            for table in sorted({ref.table for ref in pattern.refs}):
                found.setdefault(table, []).append(pattern)
        return {table: tuple(patterns) for table, patterns in found.items()}

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """By table id."""
        return {table.id: table for table in self.snapshot.tables.tables}

    @cached_property
    def calls_in_transactions(self) -> Mapping[str, int]:
        """Calls inside of transactions, by template id."""
        found: dict[str, int] = {}
        for unit in self.snapshot.digest.units:
            for template, calls in unit.calls.items() if unit.kind == "transaction" else ():
                found[template] = found.get(template, 0) + calls
        return found

    @cached_property
    def minutes_of_log(self) -> int:
        """From the first to the last minute of the logs, both counted."""
        seen = [int(minute) for template in self.snapshot.digest.templates for minute in template.minutes]
        return max(seen) - min(seen) + 1 if seen else 0

    def using(self, *tables: str) -> tuple[AccessPattern, ...]:
        """The access patterns that use any of these tables, by id."""
        found = {pattern.id: pattern for table in tables for pattern in self.touching.get(table, ())}
        return tuple(found[key] for key in sorted(found))

    def reading(self, *tables: str) -> tuple[AccessPattern, ...]:
        """The access patterns that ask for rows of any of these tables, in the sense of co-access."""
        return tuple(pattern for pattern in self.using(*tables) if set(tables) & tables_queried(pattern))

    def writing(self, table: str) -> tuple[AccessPattern, ...]:
        """The access patterns that write this table."""
        return tuple(pattern for pattern in self.using(table) if table_written(pattern) == table)

    def calls(self, patterns: Iterable[AccessPattern]) -> int:
        """Logged calls."""
        return sum(self.rate_of[pattern.id].calls for pattern in patterns if pattern.id in self.rate_of)

    def per_day(self, calls: float) -> float:
        """Logged calls as calls a day."""
        return calls * self.rates.factor / DAYS_PER_MONTH


class _Sheet:
    """Collects facts under the names of one phase; the unit comes from the catalogue."""

    def __init__(self, phase: Phase, rates: Rates) -> None:
        self.phase, self.rates = phase, rates
        self.facts: Facts = {}

    def put(self, name: str, value: FactValue | None, origin: str, source: Source = "measured") -> None:
        self.facts[name] = Fact(value=value, unit=BY_PHASE[self.phase][name].unit, source=source, origin=origin)

    def rate(self, name: str, value: float | None) -> None:
        """A fact scaled from the log: as sure as what the log stands for."""
        self.put(name, value, f"query logs, standing for: {self.rates.represents}", self.rates.source)

    def declared(self, name: str, value: FactValue | None) -> None:
        self.put(name, value, "context in ddbmig.yaml" if value is not None else "not declared", "declared")

    def done(self) -> Facts:
        return dict(sorted(self.facts.items()))


def share(part: float, whole: float) -> float | None:
    """`part ÷ whole`, or missing."""
    return part / whole if whole else None


# --- relationships -------------------------------------------------------------------------------------------------


def relationship_facts(evidence: Evidence, relationship: Relationship) -> Facts:
    """Every fact of the catalogue about one relationship, by name."""
    sheet = _Sheet("relationship", evidence.rates)
    joint = _read_facts(sheet, evidence, relationship)
    copied = _copy_facts(sheet, evidence, relationship)
    _children_facts(sheet, evidence, relationship)
    _write_facts(sheet, evidence, relationship, copied, joint)
    _shape_facts(sheet, evidence, relationship)
    _transaction_facts(sheet, evidence, relationship)
    _pattern_facts_of_pair(sheet, evidence, relationship)
    _context_facts(sheet, evidence, relationship)
    return sheet.done()


def _read_facts(sheet: _Sheet, evidence: Evidence, relationship: Relationship) -> int:
    child, parent = relationship.child, relationship.parent
    pair = _pair(evidence, relationship)
    log = "query logs"
    sheet.put("reads.joint_share", share(pair.joint_calls, pair.either_calls), log)
    of_a, of_b = (pair.share_of_a, pair.share_of_b) if pair.a == child else (pair.share_of_b, pair.share_of_a)
    sheet.put("reads.share_of_child", of_a if evidence.calls(evidence.reading(child)) else None, log)
    sheet.put("reads.share_of_parent", of_b if evidence.calls(evidence.reading(parent)) else None, log)
    near = share(pair.within_one_second, pair.either_calls)
    sheet.put("reads.within_one_second_share", None if near is None else min(1.0, near), log)
    sheet.rate("reads.calls_per_day", evidence.per_day(pair.either_calls))
    sheet.rate("reads.joint_calls_per_day", evidence.per_day(pair.joint_calls))
    collections = [pattern for pattern in evidence.reading(child) if _reads_collection(evidence, relationship, pattern)]
    reads = evidence.calls(evidence.reading(child))
    sheet.put("reads.collection_share", share(evidence.calls(collections), reads), log)
    return pair.joint_calls


def _pair(evidence: Evidence, relationship: Relationship) -> CoAccess:
    """The co-access of the two tables; where none was seen, and within one table, it is counted from statements."""
    child, parent = relationship.child, relationship.parent
    seen = evidence.pairs.get(frozenset((child, parent))) if child != parent else None
    if seen is not None:
        return seen
    either = evidence.calls(evidence.reading(child, parent))
    joint = sum(evidence.calls([pattern]) for pattern, _ in joined_reads(evidence, relationship))
    shares = {table: share(joint, evidence.calls(evidence.reading(table))) or 0.0 for table in (child, parent)}
    return CoAccess(
        a=child, b=parent, joint_calls=joint, either_calls=either, joint_share=share(joint, either) or 0.0,
        share_of_a=shares[child], share_of_b=shares[parent], within_one_second=0,
    )  # fmt: skip


def joined_reads(evidence: Evidence, relationship: Relationship) -> tuple[tuple[AccessPattern, int], ...]:
    """The SELECTs that join child and parent along the relationship, each with its reference to the parent."""
    found = []
    for pattern in evidence.reading(relationship.child):
        ref = _parent_ref(pattern, relationship) if pattern.kind == "select" else None
        if ref is not None:
            found.append((pattern, ref))
    return tuple(found)


def _parent_ref(pattern: AccessPattern, relationship: Relationship) -> int | None:
    equal = {_key(end) for join in pattern.joins for pair in join.on for end in (pair, pair[::-1])}
    columns = list(zip(relationship.child_columns, relationship.parent_columns, strict=True))
    for parent, parent_ref in enumerate(pattern.refs):
        for child, child_ref in enumerate(pattern.refs):
            if child == parent or (child_ref.table, parent_ref.table) != (relationship.child, relationship.parent):
                continue
            if all(((child, c.lower()), (parent, p.lower())) in equal for c, p in columns):
                return parent
    return None


def _key(pair: tuple[ColumnRef, ColumnRef]) -> tuple[tuple[int, str], tuple[int, str]]:
    left, right = pair
    return (left.ref, left.column.lower()), (right.ref, right.column.lower())


def bound_columns(pattern: AccessPattern) -> frozenset[tuple[int, str]]:
    """(reference, column in lower case) that an equality or IN in the WHERE fixes, carried along equal join columns."""
    bound = set(_bound(pattern.where))
    equal = [_key(pair) for join in pattern.joins if join.kind in ("inner", "left") for pair in join.on]
    for _ in equal:
        for left, right in equal:
            if left in bound or right in bound:
                bound |= {left, right}
    return frozenset(bound)


def _bound(condition: Condition) -> Iterable[tuple[int, str]]:
    if isinstance(condition, All):
        for item in condition.items:
            yield from _bound(item)
    elif isinstance(condition, Compare) and condition.op in ("=", "<=>", "in"):
        sides = (condition.left, *condition.right)
        columns = [side for side in sides if isinstance(side, ColumnRef)]
        if len(columns) == 1 and (condition.op != "in" or condition.left is columns[0]):
            yield columns[0].ref, columns[0].column.lower()


def _reads_collection(evidence: Evidence, relationship: Relationship, pattern: AccessPattern) -> bool:
    """Whether a pattern asks for the children of given parents: the foreign key is bound, the child's own key not."""
    bound = bound_columns(pattern)
    table = evidence.tables.get(relationship.child)
    unique = [key.columns for key in table.unique_keys()] + [table.primary_key] if table else []
    for index, ref in enumerate(pattern.refs):
        columns = {column for ref_index, column in bound if ref_index == index}
        by_parent = ref.table == relationship.child and {c.lower() for c in relationship.child_columns} <= columns
        if by_parent and not any(key and {c.lower() for c in key} <= columns for key in unique):
            return True
    return False


def _copy_facts(sheet: _Sheet, evidence: Evidence, relationship: Relationship) -> frozenset[str] | None:
    """The short-circuited join: parent columns beyond the key that joint reads take. None without joint reads."""
    names = copied_columns(evidence, relationship)
    origin = "query logs" if names is not None else "no statement or N+1 run joins the tables"
    sheet.put("copies.columns", None if names is None else len(names), origin)
    sheet.put("copies.names", None if names is None else tuple(sorted(names)), origin)
    statistics = evidence.snapshot.statistics.get(relationship.parent)
    columns = {name.lower(): value for name, value in statistics.columns.items()} if statistics else {}
    known = names is not None and all(name.lower() in columns for name in names)
    size = sum(columns[name.lower()].average_bytes for name in sorted(names)) if names and known else 0.0
    sheet.put("copies.bytes", size if known else None, "query logs and data" if known else "column sizes not known")
    return names


def copied_columns(evidence: Evidence, relationship: Relationship) -> frozenset[str] | None:
    """The parent columns beyond the join key that joint reads take: in one statement, or as the inner of an N+1 run."""
    table = evidence.tables.get(relationship.parent)
    spelling = {column.name.lower(): column.name for column in table.columns} if table else {}
    taken = [(p, ref) for p, ref in joined_reads(evidence, relationship)] + list(_per_row_reads(evidence, relationship))
    if not taken:
        return None
    key = {column.lower() for column in relationship.parent_columns}
    read = {out.column.lower() for pattern, ref in taken for out in pattern.reads if out.ref == ref}
    return frozenset(spelling.get(column, column) for column in read - key)


def _per_row_reads(evidence: Evidence, relationship: Relationship) -> Iterable[tuple[AccessPattern, int]]:
    """N+1 runs whose outer reads the child and whose inner looks the parent up by the relationship's columns."""
    wanted = {column.lower() for column in relationship.parent_columns}
    for run in evidence.snapshot.digest.runs:
        outer, inner = evidence.by_template.get(run.outer), evidence.by_template.get(run.inner)
        if outer is None or inner is None or relationship.child not in tables_queried(outer):
            continue
        bound = bound_columns(inner)
        for index, ref in enumerate(inner.refs):
            if ref.table == relationship.parent and all((index, column) in bound for column in wanted):
                yield inner, index


def _children_facts(sheet: _Sheet, evidence: Evidence, relationship: Relationship) -> None:
    child = evidence.snapshot.statistics.get(relationship.child)
    parent = evidence.snapshot.statistics.get(relationship.parent)
    group = child.group(relationship.child_columns) if child else None
    origin = f"data of {relationship.child}" if group else "children per parent not counted"
    for name in ("average", "p99", "max", "orphans"):
        sheet.put(f"children.{name}", getattr(group, name) if group else None, origin)
    bounded = group.p99 * child.item_bytes.value < BOUNDED_BYTES if child and group else None
    sheet.put("children.bounded", bounded, origin)
    _size_facts(sheet, evidence, child, parent, group)


def _size_facts(
    sheet: _Sheet, evidence: Evidence, child: TableStatistics | None, parent: TableStatistics | None,
    group: GroupStatistics | None,
) -> None:  # fmt: skip
    for name, statistics in (("size.child_bytes", child), ("size.parent_bytes", parent)):
        measure = statistics.item_bytes if statistics else None
        sheet.put(name, measure.value if measure else None, measure.origin if measure else "no statistics",
                  measure.source if measure else "measured")  # fmt: skip
    combined = largest = None
    if child and parent and group:
        combined = parent.item_bytes.value + group.p99 * child.item_bytes.value
        largest = parent.item_bytes.value + group.max * child.item_bytes.value
    origin = "sizes or children per parent not known" if combined is None else "data of both tables"
    sheet.put("size.combined_bytes", combined, origin)
    sheet.put("size.largest_bytes", largest, origin)
    growth = evidence.snapshot.context.growth_percent_per_month
    sheet.declared("size.growth_percent_per_month", growth)
    projected = None if combined is None or growth is None else combined * (1 + growth / 100) ** 12
    origin = "size or growth not known" if projected is None else "data and declared growth"
    sheet.put("size.projected_12_months", projected, origin)


def _write_facts(
    sheet: _Sheet, evidence: Evidence, relationship: Relationship, copied: frozenset[str] | None, joint: int
) -> None:
    on_child, on_parent = evidence.writing(relationship.child), evidence.writing(relationship.parent)
    paths = [pattern for pattern in on_parent if _updates(pattern, copied or frozenset())]
    updates = evidence.calls(paths)
    average = sheet.facts["children.average"].value
    sheet.rate("writes.parent_per_day", evidence.per_day(evidence.calls(on_parent)))
    sheet.rate("writes.child_per_day", evidence.per_day(evidence.calls(on_child)))
    sheet.rate("writes.copied_columns_per_day", evidence.per_day(updates))
    sheet.put("writes.reads_per_parent_write", share(joint, updates), "query logs")
    sheet.put("updates.paths", len(paths), "query logs")
    for side, patterns in (("child", on_child), ("parent", on_parent)):
        changing = [pattern for pattern in patterns if pattern.kind == "update"]
        sheet.rate(f"updates.{side}_per_day", evidence.per_day(evidence.calls(changing)))
    fan_out = updates * average if isinstance(average, int | float) else 0.0 if not updates else None
    writes_now = evidence.calls({pattern.id: pattern for pattern in (*on_child, *on_parent)}.values())
    amplification = share(writes_now + fan_out, writes_now) if fan_out is not None else None
    sheet.rate("writes.fan_out_per_day", None if fan_out is None else evidence.per_day(fan_out))
    sheet.put("writes.amplification", amplification, "query logs and data")
    _cost_facts(sheet, evidence, fan_out, joint if copied is not None else 0)


def _updates(pattern: AccessPattern, columns: frozenset[str]) -> bool:
    """Whether a write can change one of these columns of an existing row."""
    changes = pattern.on_duplicate if pattern.kind == "insert" and pattern.insert_mode == "upsert" else ()
    if pattern.kind == "update" or pattern.insert_mode == "replace":
        changes = pattern.assignments
    return bool({change.column.lower() for change in changes} & {column.lower() for column in columns})


def _cost_facts(sheet: _Sheet, evidence: Evidence, fan_out: float | None, joint: int) -> None:
    """Eventually consistent read: half a unit per started 4 KiB; write: a unit per started KiB (DynamoDB's rules)."""
    parent, child = sheet.facts["size.parent_bytes"].value, sheet.facts["size.child_bytes"].value
    saved = added = None
    if isinstance(parent, int | float):
        saved = evidence.per_day(joint * 0.5 * max(1, math.ceil(parent / 4096)))
    if isinstance(child, int | float) and fan_out is not None:
        added = evidence.per_day(fan_out * max(1, math.ceil(child / 1024)))
    sheet.rate("cost.read_units_saved_per_day", saved)
    sheet.rate("cost.write_units_added_per_day", added)


def _shape_facts(sheet: _Sheet, evidence: Evidence, relationship: Relationship) -> None:
    ends = {end for entry in evidence.many_to_many if entry.join_table == relationship.child
            for end in (entry.left, entry.right)}  # fmt: skip
    others = [other for other in evidence.relationships if other.child != other.parent]
    shape = {
        "many_to_many": bool(ends & {relationship.id, relationship.parent}),
        "one_to_one": relationship.cardinality == "1:1",
        "self_reference": relationship.child == relationship.parent,
        "child_is_parent": any(other.parent == relationship.child for other in others),
        "declared": any(evidence_of.kind == "declared" for evidence_of in relationship.evidence),
    }
    for name, value in shape.items():
        sheet.put(f"cardinality.{name}", value, "schema and joins")


def _transaction_facts(sheet: _Sheet, evidence: Evidence, relationship: Relationship) -> None:
    pair = {relationship.child, relationship.parent}
    both = either = 0
    locking = False
    for transaction in evidence.transactions:
        written = pair & set(transaction.tables_written)
        used = pair & (set(transaction.tables_written) | set(transaction.tables_read))
        either += transaction.count if written else 0
        both += transaction.count if written == pair else 0
        locking = locking or (transaction.locking and used == pair)
    inside = evidence.calls_in_transactions
    for table in sorted(pair):
        for pattern in evidence.writing(table):
            either += max(0, evidence.calls([pattern]) - inside.get(pattern.template, 0))
    sheet.rate("transactions.cross_entity_per_day", evidence.per_day(both) if len(pair) == 2 else 0.0)
    sheet.put("transactions.locking", locking, "query logs")
    sheet.put("updates.together_share", share(both, either) if len(pair) == 2 else None, "query logs")


def _pattern_facts_of_pair(sheet: _Sheet, evidence: Evidence, relationship: Relationship) -> None:
    patterns = evidence.using(relationship.child, relationship.parent)
    planned = evidence.calls(pattern for pattern in patterns if not pattern.unplanned)
    sheet.put("patterns.planned_share", share(planned, evidence.calls(patterns)), "query logs")
    pair = {relationship.child, relationship.parent}
    joint = [p for p in patterns if pair <= {ref.table for ref in p.refs} and p.id in evidence.rate_of]
    complexity = max((evidence.rate_of[pattern.id].complexity for pattern in joint), default=0)
    sheet.put("patterns.complexity_max", complexity, "query logs")
    wanted = {(relationship.child, relationship.child_columns), (relationship.parent, relationship.parent_columns)}
    sheet.put("keys.parent_top_share", _top_share(evidence, patterns, wanted), "query logs")
    sheet.put("time.minute_ratio", _minute_ratio(evidence, patterns), "query logs")


def _context_facts(sheet: _Sheet, evidence: Evidence, relationship: Relationship) -> None:
    context, child, parent = evidence.snapshot.context, relationship.child, relationship.parent
    for name in ("lifecycle", "team_expertise", "analytics_required", "performance_critical"):
        sheet.declared(f"context.{name}", getattr(context, name))
    sheet.declared("context.same_owner", _same(context.owners, child, parent))
    sheet.declared("context.same_security_context", _same(context.security_contexts, child, parent))
    limits = [need.p99_ms for need in context.requirements
              if need.table == "*" or _is(need.table, child) or _is(need.table, parent)]  # fmt: skip
    sheet.declared("context.latency_ms", min(limits, default=None))
    strong = [any(_is(name, table) for name in context.strong_consistency) for table in (child, parent)]
    sheet.declared("context.strong_consistency", all(strong) if context.strong_consistency else None)


def _is(name: str, table: str) -> bool:
    """Whether a person's table name, with or without its schema, means this table id."""
    return name == table or name == table.rpartition(".")[2]


def _same(declared: Mapping[str, str], child: str, parent: str) -> bool | None:
    found = [{value for name, value in sorted(declared.items()) if _is(name, table)} for table in (child, parent)]
    return found[0] == found[1] if all(found) else None


# --- tables and access patterns --------------------------------------------------------------------------------------


def table_facts(evidence: Evidence, table_id: str) -> Facts:
    """Every fact of the catalogue about one table, by name. Raises KeyError for an unknown table."""
    sheet, table = _Sheet("table", evidence.rates), evidence.tables[table_id]
    statistics = evidence.snapshot.statistics.get(table_id)
    _data_facts(sheet, table, statistics)
    transformed = sorted(c.name for c in table.columns if c.type in _TRANSFORMED or c.generated is not None)
    schema: dict[str, FactValue] = {
        "has_primary_key": bool(table.primary_key), "primary_key_columns": len(table.primary_key),
        "columns": len(table.columns), "unique_keys": len(table.unique_keys()),
        "columns_to_transform": tuple(transformed),
    }  # fmt: skip
    for name, value in schema.items():
        sheet.put(f"table.{name}", value, "schema")
    sheet.declared("table.growth_percent_per_month", evidence.snapshot.context.growth_percent_per_month)
    _traffic_facts(sheet, evidence, table)
    return sheet.done()


def _data_facts(sheet: _Sheet, table: Table, statistics: TableStatistics | None) -> None:
    for name, measure in (("rows", statistics and statistics.rows),
                          ("item_bytes_average", statistics and statistics.item_bytes)):  # fmt: skip
        if measure:
            sheet.put(f"table.{name}", measure.value, measure.origin, measure.source)
        else:
            sheet.put(f"table.{name}", None, "no statistics")
    sheet.put("table.rows_measured", bool(statistics and statistics.rows.source == "measured"), "data or statistics")
    sheet.put("table.item_bytes_max", statistics.max_item_bytes if statistics else None, "data")
    distinct = {name.lower(): column.distinct for name, column in statistics.columns.items()} if statistics else {}
    if statistics and len(table.primary_key) == 1:
        distinct[table.primary_key[0].lower()] = int(statistics.rows.value)
    first = table.primary_key[0].lower() if table.primary_key else ""
    leading = [distinct.get(index.columns[0].lower()) for index in table.indexes if index.columns]
    sheet.put("keys.cardinality", distinct.get(first), "data")
    sheet.put("keys.least_index_cardinality", min((n for n in leading if n is not None), default=None), "data")


def _traffic_facts(sheet: _Sheet, evidence: Evidence, table: Table) -> None:
    writing, reading = evidence.writing(table.id), evidence.reading(table.id)
    peak = sum(evidence.rate_of[p.id].peak_per_second for p in writing if p.id in evidence.rate_of)
    wanted = {(table.id, table.primary_key)}
    sheet.rate("writes.per_day", evidence.per_day(evidence.calls(writing)))
    sheet.rate("reads.per_day", evidence.per_day(evidence.calls(reading)))
    sheet.put("writes.peak_per_second", peak, "query logs")
    sheet.put("keys.top_share", _top_share(evidence, evidence.using(table.id), wanted), "query logs")
    hottest = _top_share(evidence, writing, wanted)
    sheet.put("writes.hot_key_per_second", None if hottest is None else peak * hottest, "query logs")
    sheet.put("time.minute_ratio", _minute_ratio(evidence, evidence.using(table.id)), "query logs")


def pattern_facts(evidence: Evidence, pattern: AccessPattern) -> Facts:
    """Every fact of the catalogue about one access pattern, by name."""
    sheet, rate = _Sheet("pattern", evidence.rates), evidence.rate_of.get(pattern.id)
    template = evidence.templates.get(pattern.template)
    calls, peak = (rate.calls, rate.peak_per_second) if rate else (0, 0.0)
    top = _most_selective(template)
    per_call = share(template.rows_examined, template.timed_calls) if template and template.rows_examined else None
    plain: dict[str, FactValue | None] = {
        "pattern.kind": pattern.kind, "pattern.calls": calls, "pattern.peak_per_second": peak,
        "pattern.complexity": rate.complexity if rate else 1, "pattern.unplanned": pattern.unplanned,
        "pattern.tables": len({ref.table for ref in pattern.refs}), "pattern.joins": len(pattern.joins),
        "pattern.locking": pattern.locking, "pattern.offset_calls": template.offset_calls if template else 0,
        "pattern.rows_examined_per_call": per_call, "keys.top_share": top,
        "pattern.hot_key_per_second": None if top is None else top * peak,
        "time.minute_ratio": _minute_ratio(evidence, [pattern]),
    }  # fmt: skip
    for name, value in plain.items():
        sheet.put(name, value, "query logs")
    sheet.rate("pattern.calls_per_day", evidence.per_day(calls))
    return sheet.done()


def _most_selective(template: TemplateDigest | None) -> float | None:
    """The top value's share of the placeholder where it is smallest: a key of them all is at most that hot."""
    values = template.values.values() if template else ()
    return min((max(v.top.values()) / v.total for v in values if v.total and v.top), default=None)


def _top_share(
    evidence: Evidence, patterns: Iterable[AccessPattern], wanted: set[tuple[str, tuple[str, ...]]]
) -> float | None:
    """Share of the most wanted value over all placeholders on the wanted keys; of composite keys, the smallest share.

    `wanted` holds (table, key columns); the n-th columns of all keys are one thing (parent key and foreign key).
    """
    patterns, shares = list(patterns), []
    for position in range(max((len(columns) for _, columns in wanted), default=0)):
        columns = {(table, key[position].lower()) for table, key in wanted if len(key) > position}
        total, top = 0, dict[str, int]()
        for pattern in patterns:
            for values in _values_on(evidence, pattern, columns):
                total += values[0]
                for value, calls in values[1].items():
                    top[value] = top.get(value, 0) + calls
        if total and top:
            shares.append(min(1.0, max(top.values()) / total))
    return min(shares, default=None)


def _values_on(
    evidence: Evidence, pattern: AccessPattern, columns: set[tuple[str, str]]
) -> Iterable[tuple[int, Mapping[str, int]]]:
    template = evidence.templates.get(pattern.template)
    for index, column in enumerate(pattern.params if template else ()):
        if column is None or template is None or column.ref >= len(pattern.refs):
            continue
        values = template.values.get(str(index))
        if values and (pattern.refs[column.ref].table, column.column.lower()) in columns:
            yield values.total, values.top


def _minute_ratio(evidence: Evidence, patterns: Iterable[AccessPattern]) -> float | None:
    """Busiest minute ÷ mean minute over the minutes of the log; missing in a log of under five minutes."""
    minutes: dict[int, int] = {}
    for pattern in patterns:
        template = evidence.templates.get(pattern.template)
        for minute, calls in template.minutes.items() if template else ():
            minutes[int(minute)] = minutes.get(int(minute), 0) + calls
    span = evidence.minutes_of_log
    if not minutes or span < MINUTES_NEEDED:
        return None
    return max(minutes.values()) / (sum(minutes.values()) / span)
