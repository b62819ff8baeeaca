"""plans.json: how DynamoDB answers each access pattern of the chosen alternative, for who writes the code."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

from ddbmig.model.assessment import Assessment
from ddbmig.model.base import canonical_json
from ddbmig.model.design import Alternative, Design
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Estimate, Plan, ReadCall, Transaction, WriteCall
from ddbmig.model.schema import Schema
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.plan_calls import query_plan

SCHEMA_VERSION = 1
SCHEMA_FILE = "plans.schema.json"
"""The published JSON Schema (2020-12) of the file, beside this module."""

Entry = dict[str, Any]


def plans_bytes(snapshot: Snapshot, assessment: Assessment, design: Design, usd: Mapping[str, Decimal]) -> bytes:
    """plans.json; `usd` is what the requests of each pattern cost a month on demand."""
    chosen = design.alternative(design.chosen)
    entries = [one for _, one in plan_entries(snapshot, assessment, chosen, usd)]
    rates = {"represents": assessment.rates.represents, "source": assessment.rates.source}
    return canonical_json(
        {"schema_version": SCHEMA_VERSION, "alternative": chosen.id, "rates": rates, "plans": entries}
    )


def plans_schema() -> dict[str, Any]:
    """The JSON Schema that every plans.json satisfies."""
    schema: dict[str, Any] = json.loads(files(__package__).joinpath(SCHEMA_FILE).read_text("utf-8"))
    return schema


def plan_entries(
    snapshot: Snapshot, assessment: Assessment, alternative: Alternative, usd: Mapping[str, Decimal]
) -> Iterator[tuple[str, Entry]]:
    """The entry of each pattern of an alternative, by the pattern's id."""
    patterns = {pattern.id: pattern for pattern in snapshot.patterns}
    calls = {rate.pattern: rate.calls_per_month for rate in assessment.patterns}
    for plan in alternative.plans:
        if pattern := patterns.get(plan.pattern):
            yield (
                plan.pattern,
                _entry(pattern, plan, alternative, snapshot.tables)
                | {
                    "calls_per_month": calls.get(plan.pattern, 0.0),
                    **({"usd_per_month": str(usd[plan.pattern])} if plan.pattern in usd else {}),
                },
            )


def _entry(pattern: AccessPattern, plan: Plan, alternative: Alternative, schema: Schema) -> Entry:
    entry: Entry = {"id": pattern.id, "name": pattern.name, "kind": pattern.kind, "sql": pattern.sql}
    if plan.routed:
        return entry | {"routed": list(plan.routed), "because": plan.detail}
    written = query_plan(pattern, plan, alternative.tables, schema)
    return entry | {
        "ddb_query_plan": written.calls,
        "placeholders": dict(written.placeholders),
        "rows": dict(written.rows),
        "relies_on": plan.detail,
        "uses": list(plan.uses),
        "scans": plan.scans,
        "round_trips": plan.round_trips,
        "read_request_units": plan.read_units,
        "write_request_units": plan.write_units,
        "index_write_units": plan.index_write_units,
        "transaction_units": plan.transaction_units,
        "calls": list(_estimates(plan)),
    }


def _estimates(plan: Plan) -> Iterator[Entry]:
    """What each call is expected to come to in one execution of the pattern."""
    for step in plan.steps:
        if isinstance(step, ReadCall):
            yield _estimate(step.op, f"{step.table}/{step.index}" if step.index else step.table, step.estimate)
        elif isinstance(step, WriteCall):
            yield _estimate(step.op, step.table, step.estimate)
        elif isinstance(step, Transaction):
            yield from (_estimate(f"TransactWriteItems: {write.op}", write.table, write.estimate)
                        for write in step.writes)  # fmt: skip


def _estimate(call: str, structure: str, estimate: Estimate) -> Entry:
    return {
        "call": call, "on": structure, "times": estimate.calls, "items_per_call": estimate.items,
        "read_request_units": estimate.read_units, "write_request_units": estimate.write_units,
    }  # fmt: skip
