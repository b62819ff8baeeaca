"""What the evidence says of one relationship: the facts of the catalogue's section `relationship`, computed.

Definitions are those of the catalogue (facts.py) and of architecture.md.
"""

import math
from collections.abc import Mapping

from ddbmig.engine.evidence import Evidence, Facts, Sheet, means, ratio, said_of
from ddbmig.engine.facts import BY_PHASE
from ddbmig.engine.joint_reads import copied_columns, joined_reads, reads_collection
from ddbmig.engine.skew import put_minute_ratio, put_top_share, top_share
from ddbmig.model.assessment import CoAccess, Relationship
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import GroupStatistics, TableStatistics

BOUNDED_BYTES = 50 * 1024
"""The guide's 50 KB ("Size Concerns")."""
ITEM_LIMIT = 400 * 1024
"""Bytes that an item can hold (A4)."""
STEEPEST_GROWTH = 100.0
"""Percent a month beyond which a projection over 36 months says nothing."""
ISOLATION_SETTINGS = ("transaction_isolation", "tx_isolation")
"""The server's setting, and its name up to MySQL 5.7 and MariaDB 11.0."""


def relationship_facts(evidence: Evidence, relationship: Relationship) -> Facts:
    """Every fact of the catalogue about one relationship, by name."""
    sheet = Sheet("relationship", evidence)
    pair = _pair(evidence, relationship)
    copied = copied_columns(evidence, relationship)
    _names(sheet, relationship)
    _reads(sheet, evidence, relationship, pair)
    _copies(sheet, evidence, relationship, copied)
    _children(sheet, evidence, relationship)
    _sizes(sheet, evidence, relationship)
    _writes(sheet, evidence, relationship, copied, pair.joint_calls)
    _cost(sheet, evidence, relationship, pair.joint_calls if copied is not None else 0)
    _shape(sheet, evidence, relationship)
    _transactions(sheet, evidence, relationship)
    _patterns(sheet, evidence, relationship)
    _evolution(sheet, evidence)
    _context(sheet, evidence, relationship)
    return sheet.done()


def _names(sheet: Sheet, relationship: Relationship) -> None:
    sheet.put("relationship.child", relationship.child, "schema")
    sheet.put("relationship.parent", relationship.parent, "schema")
    sheet.put("relationship.child_columns", relationship.child_columns, "schema")


# --- reads ---


def _pair(evidence: Evidence, relationship: Relationship) -> CoAccess:
    """The co-access of the two tables; of a table with itself, the calls with a statement that joins it so."""
    child, parent = relationship.child, relationship.parent
    seen = evidence.pairs.get(frozenset((child, parent))) if child != parent else None
    if seen is not None:
        return seen
    of_child, of_parent = (evidence.units_reading.get(table, 0) for table in (child, parent))
    if child != parent:
        return CoAccess(a=child, b=parent, joint_calls=0, either_calls=of_child + of_parent, joint_share=0.0,
                        share_of_a=0.0, share_of_b=0.0, within_one_second=0)  # fmt: skip
    joining = {pattern.template for pattern, _ in joined_reads(evidence, relationship)}
    joint = sum(unit.count for unit in evidence.read_units if unit.templates & joining)
    share = ratio(joint, of_child) or 0.0
    return CoAccess(
        a=child, b=parent, joint_calls=joint, one_statement=joint, either_calls=of_child, joint_share=share,
        share_of_a=share, share_of_b=share, within_one_second=0,
    )  # fmt: skip


def _reads(sheet: Sheet, evidence: Evidence, relationship: Relationship, pair: CoAccess) -> None:
    either = pair.either_calls
    in_order = either if evidence.knows_order else 0
    sheet.put("workload.logged_calls", evidence.logged_calls, "query logs")
    sheet.share("reads.joint_share", pair.joint_calls, either)
    sheet.share("reads.one_statement_share", pair.one_statement, either)
    sheet.share("reads.same_transaction_share", pair.same_transaction, in_order)
    sheet.share("reads.per_row_share", pair.per_row, in_order)
    near = in_order if pair.a != pair.b else 0
    sheet.share("reads.within_one_second_share", min(pair.within_one_second, near), near)
    for side, table in (("child", relationship.child), ("parent", relationship.parent)):
        sheet.share(f"reads.share_of_{side}", pair.joint_calls, evidence.units_reading.get(table, 0))
    sheet.rate("reads.calls_per_day", evidence.per_day(either))
    sheet.rate("reads.joint_calls_per_day", evidence.per_day(pair.joint_calls))
    reading = evidence.reading(relationship.child)
    collections = [pattern for pattern in reading if reads_collection(evidence, relationship, pattern)]
    sheet.share("reads.collection_share", evidence.calls(collections), evidence.calls(reading))


def _copies(sheet: Sheet, evidence: Evidence, relationship: Relationship, names: frozenset[str] | None) -> None:
    """The short-circuited join: parent columns beyond the key that joint reads take."""
    origin = "query logs" if names is not None else "no statement or N+1 run joins the tables"
    sheet.put("copies.columns", None if names is None else len(names), origin)
    sheet.put("copies.names", None if names is None else tuple(sorted(names)), origin)
    statistics = evidence.statistics(relationship.parent)
    columns = {name.lower(): value for name, value in statistics.columns.items()} if statistics else {}
    known = names is not None and all(name.lower() in columns for name in names)
    size = sum(columns[name.lower()].average_bytes for name in sorted(names)) if names and known else 0.0
    sheet.put("copies.bytes", size if known else None, "query logs and data" if known else "column sizes not known")


# --- sizes ---


def _group(evidence: Evidence, relationship: Relationship) -> GroupStatistics | None:
    child = evidence.statistics(relationship.child)
    return child.group(relationship.child_columns) if child else None


def _children(sheet: Sheet, evidence: Evidence, relationship: Relationship) -> None:
    child, group = evidence.statistics(relationship.child), _group(evidence, relationship)
    origin = f"data of {relationship.child}" if group else "children per parent not counted"
    for name in ("average", "p99", "max", "orphans"):
        sheet.put(f"children.{name}", getattr(group, name) if group else None, origin)
    bounded = group.p99 * child.item_bytes.value < BOUNDED_BYTES if child and group else None
    sheet.put("children.bounded", bounded, origin)


def _sizes(sheet: Sheet, evidence: Evidence, relationship: Relationship) -> None:
    child, parent = evidence.statistics(relationship.child), evidence.statistics(relationship.parent)
    group, growth = _group(evidence, relationship), evidence.snapshot.context.growth_percent_per_month
    sheet.measure("size.child_bytes", child.item_bytes if child else None)
    sheet.measure("size.parent_bytes", parent.item_bytes if parent else None)
    combined = _combined(child, parent, group.p99) if group else None
    origin = "data of both tables" if combined is not None else "sizes or children per parent not known"
    sheet.put("size.combined_bytes", combined, origin)
    sheet.put("size.largest_bytes", _combined(child, parent, group.max) if group else None, origin)
    sheet.declared("size.growth_percent_per_month", growth)
    projected: dict[str, float | None] = {
        "projected_12_months": _projected(combined, growth, 12),
        "projected_36_months": _projected(combined, growth, 36),
        "months_to_limit": _months_to_limit(combined, growth),
    }
    for name, value in projected.items():
        origin = "data and declared growth" if value is not None else "size not known, or no growth to project"
        sheet.put(f"size.{name}", value, origin)


def _combined(child: TableStatistics | None, parent: TableStatistics | None, children: int) -> float | None:
    return parent.item_bytes.value + children * child.item_bytes.value if child and parent else None


def _projected(size: float | None, growth: float | None, months: int) -> float | None:
    if size is None or growth is None or not -STEEPEST_GROWTH < growth <= STEEPEST_GROWTH:
        return None
    return float(size * (1 + growth / 100) ** months)


def _months_to_limit(size: float | None, growth: float | None) -> float | None:
    """Solves size × (1 + growth)^months = limit; 0 where the limit is reached already."""
    if not size or growth is None or not 0 < growth <= STEEPEST_GROWTH:
        return None
    a_month = math.log1p(growth / 100)
    months = math.log(ITEM_LIMIT / size) / a_month if a_month else math.inf
    return max(0.0, months) if math.isfinite(months) else None


# --- writes ---


def _writes(
    sheet: Sheet, evidence: Evidence, relationship: Relationship, copied: frozenset[str] | None, joint: int
) -> None:
    on_child, on_parent = evidence.writing(relationship.child), evidence.writing(relationship.parent)
    paths = [pattern for pattern in on_parent if _updates(pattern, copied or frozenset())]
    updates, average = evidence.calls(paths), sheet.number("children.average")
    sheet.rate("writes.parent_per_day", evidence.per_day(evidence.calls(on_parent)))
    sheet.rate("writes.child_per_day", evidence.per_day(evidence.calls(on_child)))
    sheet.rate("writes.copied_columns_per_day", evidence.per_day(updates))
    sheet.share("writes.reads_per_parent_write", joint, updates)
    sheet.put("updates.paths", len(paths), "query logs")
    for side, patterns in (("child", on_child), ("parent", on_parent)):
        changing = [pattern for pattern in patterns if pattern.kind == "update"]
        sheet.rate(f"updates.{side}_per_day", evidence.per_day(evidence.calls(changing)))
    fan_out = updates * average if average is not None else 0.0 if not updates else None
    writes = evidence.calls({pattern.id: pattern for pattern in (*on_child, *on_parent)}.values())
    sheet.rate("writes.fan_out_per_day", None if fan_out is None else evidence.per_day(fan_out))
    amplified = None if fan_out is None else ratio(writes + fan_out, writes)
    sheet.put("writes.amplification", amplified, "query logs and data", observed=writes)


def _updates(pattern: AccessPattern, columns: frozenset[str]) -> bool:
    """Whether a write can change one of these columns of an existing row."""
    changes = pattern.on_duplicate if pattern.kind == "insert" and pattern.insert_mode == "upsert" else ()
    if pattern.kind == "update" or pattern.insert_mode == "replace":
        changes = pattern.assignments
    return bool({change.column.lower() for change in changes} & {column.lower() for column in columns})


def _cost(sheet: Sheet, evidence: Evidence, relationship: Relationship, fetches: int) -> None:
    """Eventually consistent read: half a unit per started 4 KiB; write: a unit per started KiB (DynamoDB's rules)."""
    saved = added = None
    parent, child = sheet.number("size.parent_bytes"), sheet.number("size.child_bytes")
    fan_out = sheet.number("writes.fan_out_per_day")
    if parent is not None:
        saved = evidence.per_day(fetches * 0.5 * max(1, math.ceil(parent / 4096)))
    if child is not None and fan_out is not None:
        added = fan_out * max(1, math.ceil(child / 1024))
    sheet.rate("cost.read_units_saved_per_day", saved, assumed=_is_assumed(evidence, relationship.parent))
    sheet.rate("cost.write_units_added_per_day", added, assumed=_is_assumed(evidence, relationship.child))


def _is_assumed(evidence: Evidence, table: str) -> bool:
    """Whether the size of the table's rows was assumed from its column types."""
    statistics = evidence.statistics(table)
    return statistics is not None and statistics.item_bytes.source == "assumed"


# --- the shape of the schema, transactions, access patterns ---


def _shape(sheet: Sheet, evidence: Evidence, relationship: Relationship) -> None:
    ends = {end for entry in evidence.many_to_many for end in (entry.left, entry.right)}
    others = [other for other in evidence.relationships if other.child != other.parent]
    shape = {
        "many_to_many": relationship.id in ends,
        "one_to_one": relationship.cardinality == "1:1",
        "self_reference": relationship.child == relationship.parent,
        "child_is_parent": any(other.parent == relationship.child for other in others),
        "declared": any(evidence_of.kind == "declared" for evidence_of in relationship.evidence),
    }
    for name, value in shape.items():
        sheet.put(f"cardinality.{name}", value, "schema and joins")


def _transactions(sheet: Sheet, evidence: Evidence, relationship: Relationship) -> None:
    pair = {relationship.child, relationship.parent}
    two, ordered = len(pair) == 2, evidence.knows_order
    using = [t for t in evidence.transactions if pair <= {*t.tables_written, *t.tables_read}]
    writing = [t for t in evidence.transactions if pair & set(t.tables_written)]
    both = sum(t.count for t in writing if pair <= set(t.tables_written)) if two else 0
    sheet.rate("transactions.cross_entity_per_day", evidence.per_day(both) if ordered else None)
    sheet.put("transactions.locking", any(t.locking for t in using) if ordered else None, "query logs")
    sheet.share("transactions.rolled_back_share", sum(t.rolled_back for t in using), sum(t.count for t in using))
    either = sum(t.count for t in writing) + sum(_outside(evidence, table) for table in sorted(pair))
    sheet.share("updates.together_share", both, either if two and ordered else 0)
    level = _isolation(evidence.snapshot)
    sheet.put("transactions.isolation", level, "the server's settings" if level else "no live server", estimated=True)


def _outside(evidence: Evidence, table: str) -> int:
    """Calls that write the table outside of any transaction."""
    inside = evidence.calls_in_transactions
    return sum(max(0, evidence.calls([p]) - inside.get(p.template, 0)) for p in evidence.writing(table))


def _isolation(snapshot: Snapshot) -> str | None:
    """The server's default isolation level in the words of the catalogue, where a live connection told it."""
    settings: Mapping[str, str] = snapshot.connection.settings if snapshot.connection else {}
    told = next((settings[name] for name in ISOLATION_SETTINGS if name in settings), "")
    level = told.lower().replace("-", "_")
    return level if level in BY_PHASE["relationship"]["transactions.isolation"].values else None


def _patterns(sheet: Sheet, evidence: Evidence, relationship: Relationship) -> None:
    child, parent = relationship.child, relationship.parent
    patterns = evidence.using(child, parent)
    planned = evidence.calls(pattern for pattern in patterns if not pattern.unplanned)
    sheet.share("patterns.planned_share", planned, evidence.calls(patterns))
    joint = [p for p in patterns if _uses_both(p, child, parent) and p.id in evidence.rate_of]
    complexity = max((evidence.rate_of[pattern.id].complexity for pattern in joint), default=0)
    sheet.put("patterns.complexity_max", complexity, "query logs")
    keys = ((child, relationship.child_columns), (parent, relationship.parent_columns))
    put_top_share(sheet, "keys.parent_top_share", top_share(evidence, patterns, keys))
    put_minute_ratio(sheet, evidence, patterns)


def _uses_both(pattern: AccessPattern, child: str, parent: str) -> bool:
    tables = [ref.table for ref in pattern.refs]
    return tables.count(child) > 1 if child == parent else child in tables and parent in tables


def _evolution(sheet: Sheet, evidence: Evidence) -> None:
    changes = evidence.schema_changes
    sheet.put("evolution.schema_changes", changes, "query logs", estimated=bool(changes))
    sheet.put("evolution.roadmap_declared", bool(evidence.snapshot.context.roadmap.strip()), "context in ddbmig.yaml")


# --- what people have said ---


def _context(sheet: Sheet, evidence: Evidence, relationship: Relationship) -> None:
    context, child, parent = evidence.snapshot.context, relationship.child, relationship.parent
    for name in ("lifecycle", "team_expertise", "analytics_required", "performance_critical"):
        sheet.declared(f"context.{name}", getattr(context, name))
    sheet.declared("context.same_owner", _same(context.owners, child, parent))
    sheet.declared("context.same_security_context", _same(context.security_contexts, child, parent))
    limits = [need.p99_ms for need in context.requirements
              if need.table == "*" or means(need.table, child) or means(need.table, parent)]  # fmt: skip
    sheet.declared("context.latency_ms", min(limits, default=None))
    strong = [any(means(name, table) for name in context.strong_consistency) for table in (child, parent)]
    sheet.declared("context.strong_consistency", all(strong) if context.strong_consistency else None)


def _same(declared: Mapping[str, str], child: str, parent: str) -> bool | None:
    of_child, of_parent = said_of(declared, child), said_of(declared, parent)
    return None if of_child is None or of_parent is None else of_child == of_parent
