"""Schemas, statements and row counts as text -> snapshots, assessments, designs; and plans as short lines of text."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.analyzers.patterns import read_patterns
from ddbmig.engine.choice import propose
from ddbmig.engine.coaccess import co_access, pattern_rates, rates, transactions
from ddbmig.engine.relationships import find_relationships
from ddbmig.engine.rulebook import load_rules
from ddbmig.engine.scoring import assess_relationships
from ddbmig.engine.sizes import assumed_bytes
from ddbmig.model.assessment import Assessment, Verdict
from ddbmig.model.condition import ColumnRef, Constant, Param, Term
from ddbmig.model.context import Context, Pricing, Workload
from ddbmig.model.design import Design, TableDesign
from ddbmig.model.digest import Digest, TemplateDigest, Verb
from ddbmig.model.measure import Measure
from ddbmig.model.plan import Exists, KeyCondition, Plan, ReadCall, Reduce, Slice, Step, Transaction, WriteCall
from ddbmig.model.prices import PriceEntry, Prices
from ddbmig.model.schema import Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import GroupStatistics, TableStatistics

PRICES = Prices(
    terms=Pricing(),
    entries=(
        PriceEntry(
            region="us-east-1", table_class="standard", as_of="2026-10-08", source="test",
            read_per_million=Decimal("0.125"), write_per_million=Decimal("0.625"), storage_gb_month=Decimal("0.25"),
            read_unit_hour=Decimal("0.00013"), write_unit_hour=Decimal("0.00065"),
        ),
    ),
)  # fmt: skip
VERBS: Mapping[str, Verb] = {"select": "select", "insert": "insert", "replace": "replace", "update": "update",
                             "delete": "delete"}  # fmt: skip
NO_RULES = load_rules([])


@dataclass(frozen=True)
class World:
    """A MySQL application in a few lines. `groups` are distinct values: table -> comma-joined columns -> number."""

    schema: str
    statements: Sequence[str]
    rows: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    list_length: int = 1
    limit: int = 10
    offsets: int = 0
    context: Context = field(default_factory=Context)
    workload: Workload = field(default_factory=Workload)


def snapshot_of(world: World) -> Snapshot:
    """The snapshot of a world; every statement ran a million times unless `calls` says otherwise."""
    schema = read_ddl_text(world.schema, "schema.sql")
    assert not schema.problems
    digest = Digest(templates=tuple(sorted((_template(world, sql) for sql in world.statements), key=lambda t: t.id)))
    patterns, skipped = read_patterns(digest, schema)
    assert not skipped, skipped
    return Snapshot(
        tables=schema,
        statistics={table.id: _statistics(world, table) for table in schema.tables},
        digest=digest,
        patterns=patterns,
        context=world.context,
        workload=world.workload,
    )


def template_id(sql: str) -> str:
    return hashlib.sha256(f"\n{sql}".encode()).hexdigest()[:12]


def _template(world: World, sql: str) -> TemplateDigest:
    calls = world.calls.get(sql, 1_000_000)
    return TemplateDigest(
        id=template_id(sql),
        schema_name="",
        sql=sql,
        verb=VERBS[sql.split(maxsplit=1)[0].lower()],
        calls=calls,
        list_length_sum=world.list_length * calls,
        list_length_max=world.list_length,
        limit_max=world.limit if "LIMIT" in sql.upper() else None,
        offset_calls=world.offsets if "OFFSET" in sql.upper() else 0,
    )


def _statistics(world: World, table: Table) -> TableStatistics:
    rows = world.rows.get(table.id, 10_000)
    flat = sum(len(c.name) + assumed_bytes(c) for c in table.columns)
    groups = tuple(
        GroupStatistics(columns=tuple(names.split(",")), groups=n, average=rows / n, p99=rows // n, max=rows // n)
        for names, n in world.groups.get(table.id, {}).items()
    )
    return TableStatistics(rows=_measured(rows, "rows"), item_bytes=_measured(flat, "bytes"), groups=groups)


def _measured(value: float, unit: str) -> Measure:
    return Measure(value=value, unit=unit, source="measured", origin="test")


def assess_world(snapshot: Snapshot, verdicts: Mapping[str, Verdict] | None = None) -> Assessment:
    """Stage 2 without rules; `verdicts` sets those of some relationships."""
    calls = {p.id: t.calls for p in snapshot.patterns for t in snapshot.digest.templates if t.id == p.template}
    relationships, many_to_many = find_relationships(snapshot.tables, snapshot.patterns, calls)
    found = rates(snapshot)
    per_pattern = pattern_rates(snapshot, found)
    pairs, units = co_access(snapshot), transactions(snapshot)
    assessed = assess_relationships(
        snapshot, relationships, many_to_many, pairs, units, per_pattern, found, NO_RULES
    )  # fmt: skip
    wanted = verdicts or {}
    return Assessment(
        rates=found,
        patterns=per_pattern,
        relationships=tuple(
            a.model_copy(update={"verdict": wanted.get(a.relationship.id, a.verdict)}) for a in assessed
        ),
        many_to_many=many_to_many,
        transactions=units,
        co_access=pairs,
    )


def design_world(
    snapshot: Snapshot, verdicts: Mapping[str, Verdict] | None = None, wanted: str | None = None
) -> Design:
    """Stage 3 without rules on alternatives."""
    return propose(snapshot, assess_world(snapshot, verdicts), PRICES, lambda _: (), {}, wanted)


def plan_of(design: Design, snapshot: Snapshot, sql: str, alternative: str) -> Plan:
    """The plan of one statement in one alternative."""
    pattern = next(p for p in snapshot.patterns if p.template == template_id(sql))
    return next(plan for plan in design.alternative(alternative).plans if plan.pattern == pattern.id)


# --- plans as text ---


def show_plan(plan: Plan) -> list[str]:
    """One line per step; what is routed is `routed: reason`."""
    if plan.routed:
        return [f"routed: {plan.routed[0]}"]
    return [_step(step) for step in plan.steps]


def _step(step: Step) -> str:
    if isinstance(step, ReadCall):
        return _read(step)
    if isinstance(step, WriteCall):
        return _write(step)
    if isinstance(step, Transaction):
        return "Transaction: " + " + ".join(_write(write) for write in step.writes)
    if isinstance(step, Exists):
        return f"Exists {step.keep}"
    if isinstance(step, Slice):
        return f"Slice {step.rows}" + (" with offset" if step.offset_param is not None else "")
    if isinstance(step, Reduce):
        return "Reduce " + ", ".join(a.function for a in step.aggregates)
    return type(step).__name__


def _read(call: ReadCall) -> str:
    words = [call.op, f"{call.table}/{call.index}" if call.index else call.table, _keys(call.key)]
    words += ["consistent"] if call.consistent else []
    words += ["per row"] if call.per_row and call.join != "complete" else []
    words += [call.join] if call.join in ("left", "complete") else []
    words += [f"limit {call.limit}"] if call.limit is not None else []
    words += ["backward"] if not call.forward else []
    words += [f"with copies {', '.join(sorted(set(copied.columns.values())))}" for copied in call.copied]
    return " ".join(word for word in words if word)


def _write(call: WriteCall) -> str:
    words = [call.op, call.table, _keys(call.key), f"if {call.condition}" if call.condition else "",
             f"({' '.join(call.unchanged)} as read)" if call.unchanged else ""]  # fmt: skip
    words += ["of the existing row"] if call.existing is not None else []
    words += [f"({call.purpose})"] if call.purpose.startswith("copy") else []
    return " ".join(word for word in words if word)


def _keys(conditions: Iterable[KeyCondition]) -> str:
    return ", ".join(_key(condition) for condition in conditions)


def _key(condition: KeyCondition) -> str:
    op = condition.op if len(condition.op) < 3 else f" {condition.op} "
    return f"{condition.attribute}{op}{' '.join(_term(term) for _, term in condition.terms)}"


def _term(term: Term) -> str:
    if isinstance(term, Param):
        return "?*" if term.many else "?"
    if isinstance(term, ColumnRef):
        return f"[{term.ref}].{term.column}"
    return str(term.value) if isinstance(term, Constant) else term.kind


def show_indexes(tables: Iterable[TableDesign]) -> list[str]:
    """`name (partition key, sort key) PROJECTION attributes` of every GSI; `&` between the attributes of one key."""
    return [
        " ".join(
            [f"{i.name} ({', '.join(' & '.join(k) for k in (i.partition, i.sort) if k)})", i.projection, *i.projected]
        )
        for table in tables
        for i in table.indexes
    ]
