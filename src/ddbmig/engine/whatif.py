"""What a design costs when an input is other than today's: rates, reads against writes, data, item sizes, prices.

A variation changes plans, tables, rates or prices; the money then comes from `monthly_cost`, as everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import fsum

from ddbmig.engine.capacity import average_query_units, write_blocks
from ddbmig.engine.costs import Load, monthly_cost, writes_of
from ddbmig.model.design import Alternative, Cost, TableDesign
from ddbmig.model.plan import Plan, ReadCall, Step, Transaction, WriteCall
from ddbmig.model.prices import Prices


@dataclass(frozen=True)
class Variation:
    """Factors on today's inputs; 1 changes nothing."""

    reads: float = 1.0
    """On the calls of access patterns that only read."""
    writes: float = 1.0
    """On the calls of access patterns that write."""
    data: float = 1.0
    """On items and index entries; what one key look-up or Query finds stays the same, a Scan reads all."""
    item_bytes: float = 1.0
    price: Decimal = Decimal(1)
    strong: bool = False
    """Every read of a base table strongly consistent (a GSI cannot be)."""


def cost_under(alternative: Alternative, load: Load, prices: Prices, change: Variation) -> Cost:
    """The month's bill of an alternative with its inputs changed."""
    today = {table.name: table for table in alternative.tables}
    return monthly_cost(
        tuple(_table(table, change) for table in alternative.tables),
        tuple(_plan(plan, today, change) for plan in alternative.plans),
        _load(alternative, load, change),
        prices.model_copy(update={"entries": tuple(entry.times(change.price) for entry in prices.entries)}),
    )


def write_calls(plan: Plan) -> tuple[WriteCall, ...]:
    """Every write of a plan, those inside of transactions too."""
    return tuple(write for step in plan.steps for write in writes_of(step))


def write_share(plans: Iterable[Plan], calls: Mapping[str, float]) -> float:
    """The share of the calls of planned access patterns that write; 0 where there are none."""
    planned = [plan for plan in plans if not plan.routed]
    total = sum(calls[plan.pattern] for plan in planned)
    writing = sum(calls[plan.pattern] for plan in planned if write_calls(plan))
    return writing / total if total else 0.0


def _load(alternative: Alternative, load: Load, change: Variation) -> Load:
    """The calls of a month and those of the peak second, moved alike."""
    factors = {p.pattern: change.writes if write_calls(p) else change.reads for p in alternative.plans}
    month, peak = (
        {pattern: calls[pattern] * factor for pattern, factor in factors.items()}
        for calls in (load.calls_per_month, load.peak_per_second)
    )
    return Load(month, peak)


def _table(table: TableDesign, change: Variation) -> TableDesign:
    indexes = tuple(
        index.model_copy(
            update={"entries": index.entries * change.data, "entry_bytes": index.entry_bytes * change.item_bytes}
        )
        for index in table.indexes
    )
    return table.model_copy(
        update={
            "items": table.items * change.data,
            "item_bytes": table.item_bytes * change.item_bytes,
            "indexes": indexes,
        }
    )


def _plan(plan: Plan, today: Mapping[str, TableDesign], change: Variation) -> Plan:
    return plan.model_copy(update={"steps": tuple(_step(step, today, change) for step in plan.steps)})


def _step(step: Step, today: Mapping[str, TableDesign], change: Variation) -> Step:
    if isinstance(step, ReadCall):
        return _read(step, today[step.table], change)
    if isinstance(step, WriteCall):
        return _write(step, today[step.table], change)
    if isinstance(step, Transaction):
        writes = tuple(_write(write, today[write.table], change) for write in step.writes)
        return step.model_copy(update={"writes": writes})
    return step


def _read(step: ReadCall, table: TableDesign, change: Variation) -> ReadCall:
    """The call with the read units that its bytes then take."""
    size = table.index(step.index).entry_bytes if step.index else table.item_bytes
    items = step.estimate.items * (change.data if step.op == "Scan" else 1.0)
    before = average_query_units(step.estimate.items, max(1.0, size), consistent=False)
    factor = average_query_units(items, max(1.0, size * change.item_bytes), consistent=False) / before
    if change.strong and step.index is None and not step.consistent:
        factor *= 2
    units = step.estimate.read_units * factor
    return step.model_copy(update={"estimate": step.estimate.model_copy(update={"read_units": units})})


def _write(step: WriteCall, table: TableDesign, change: Variation) -> WriteCall:
    """The call with the write units that its item and its index entries then take."""
    estimate, own = step.estimate, _growth(table.item_bytes, change)
    index_units = {n: u * _growth(table.index(n).entry_bytes, change) for n, u in estimate.index_units.items()}
    more = fsum(units - estimate.index_units[name] for name, units in index_units.items())
    base = estimate.write_units - estimate.index_write_units
    update = {
        "write_units": estimate.write_units + base * (own - 1) + more,
        "transaction_units": estimate.transaction_units * own,
        "index_units": index_units,
    }
    return step.model_copy(update={"estimate": estimate.model_copy(update=update)})


def _growth(size: float, change: Variation) -> float:
    return write_blocks(size * change.item_bytes) / write_blocks(size)
