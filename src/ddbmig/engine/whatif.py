"""What a design costs when an input is other than today's: rates, reads against writes, data, item sizes, prices.

A variation changes plans, tables, rates or prices; the money then comes from `monthly_cost`, as everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from ddbmig.engine.capacity import WRITE_BLOCK, read_units
from ddbmig.engine.costs import monthly_cost
from ddbmig.model.design import Alternative, Cost, Prices, TableDesign
from ddbmig.model.plan import Plan, ReadCall, Step, Transaction, WriteCall


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


def cost_under(
    alternative: Alternative, calls_per_month: Mapping[str, float], prices: Prices, change: Variation
) -> Cost:
    """The month's bill of an alternative with its inputs changed."""
    today = {table.name: table for table in alternative.tables}
    return monthly_cost(
        tuple(_table(table, change) for table in alternative.tables),
        tuple(_plan(plan, today, change) for plan in alternative.plans),
        {p.pattern: calls_per_month[p.pattern] * _rate(p, change) for p in alternative.plans},
        _prices(prices, change.price),
    )


def write_calls(plan: Plan) -> tuple[WriteCall, ...]:
    """Every write of a plan, those inside of transactions too."""
    return tuple(write for step in plan.steps for write in _writes(step))


def _writes(step: Step) -> tuple[WriteCall, ...]:
    if isinstance(step, WriteCall):
        return (step,)
    return step.writes if isinstance(step, Transaction) else ()


def _rate(plan: Plan, change: Variation) -> float:
    return change.writes if write_calls(plan) else change.reads


def _prices(prices: Prices, factor: Decimal) -> Prices:
    names = ("write_per_million", "read_per_million", "storage_gib_month")
    return prices.model_copy(update={name: getattr(prices, name) * factor for name in names})


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
    """The plan with its totals moved by what each step's units become; unchanged where no step is."""
    reads = sum(_read_change(step, today, change) for step in plan.steps if isinstance(step, ReadCall))
    writes = transactions = index_writes = 0.0
    for write in write_calls(plan):
        table, estimate = today[write.table], write.estimate
        own = _item_factor(table, change) - 1
        index = estimate.index_write_units * (_index_factor(table, change) - 1)
        writes += (estimate.write_units - estimate.index_write_units) * own + index
        transactions += estimate.transaction_units * own
        index_writes += index
    return plan.model_copy(
        update={
            "read_units": plan.read_units + reads,
            "write_units": plan.write_units + writes,
            "transaction_units": plan.transaction_units + transactions,
            "index_write_units": plan.index_write_units + index_writes,
        }
    )


def _read_change(step: ReadCall, today: Mapping[str, TableDesign], change: Variation) -> float:
    """Read units that a step takes more (or less) than today, by the blocks that its bytes fill."""
    table = today[step.table]
    size = table.index(step.index).entry_bytes if step.index else table.item_bytes
    before = step.estimate.items * size
    after = before * change.item_bytes * (change.data if step.op == "Scan" else 1.0)
    factor = read_units(after, consistent=False) / read_units(before, consistent=False)
    if change.strong and step.index is None and not step.consistent:
        factor *= 2
    return step.estimate.read_units * (factor - 1)


def _item_factor(table: TableDesign, change: Variation) -> float:
    return _blocks(table.item_bytes * change.item_bytes) / _blocks(table.item_bytes)


def _index_factor(table: TableDesign, change: Variation) -> float:
    """How the write units of all indexes of a table change together, each weighted by its entries."""
    before = sum(index.entries * _blocks(index.entry_bytes) for index in table.indexes)
    after = sum(index.entries * _blocks(index.entry_bytes * change.item_bytes) for index in table.indexes)
    return after / before if before else 1.0


def _blocks(size: float) -> int:
    return max(1, ceil(size / WRITE_BLOCK))
