"""What a design costs a month: its plans' units by the patterns' rates, and its bytes. On-demand, Standard class.

Sources: capacity by section A5, prices by A8 of the DynamoDB facts. A month has 730 hours, a GiB 2^30 bytes. No free
tier, no taxes.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil

from ddbmig.engine.capacity import WRITE_BLOCK
from ddbmig.engine.sizes import Sizes
from ddbmig.model.design import Cost, Prices, TableDesign
from ddbmig.model.plan import Plan, Transaction, WriteCall

GIB = 1 << 30
STORAGE_OVERHEAD = 100
"""Bytes billed per item and per index entry beyond its size (A4)."""
MICRODOLLAR = Decimal("0.000001")


def monthly_cost(
    tables: Sequence[TableDesign], plans: Sequence[Plan], calls_per_month: Mapping[str, float], prices: Prices
) -> Cost:
    """The month's bill of a design, split into reads, writes, what indexes and transactions add, and storage."""
    reads = sum(calls_per_month[p.pattern] * p.read_units for p in plans)
    writes = sum(calls_per_month[p.pattern] * p.write_units for p in plans)
    index_writes = sum(calls_per_month[p.pattern] * p.index_write_units for p in plans)
    transactions = sum(calls_per_month[p.pattern] * p.transaction_units for p in plans)
    storage = sum(t.items * (t.item_bytes + STORAGE_OVERHEAD) for t in tables) / GIB
    index_storage = sum(i.entries * (i.entry_bytes + STORAGE_OVERHEAD) for t in tables for i in t.indexes) / GIB
    per_write, per_read = prices.write_per_million / 1_000_000, prices.read_per_million / 1_000_000
    return Cost(
        read_request_units=reads,
        write_request_units=writes,
        index_write_units=index_writes,
        transaction_units=transactions,
        storage_gib=storage,
        index_storage_gib=index_storage,
        reads_usd=usd(reads, per_read),
        writes_usd=usd(writes - index_writes - transactions, per_write),
        index_writes_usd=usd(index_writes, per_write),
        transactions_usd=usd(transactions, per_write),
        storage_usd=usd(storage, prices.storage_gib_month),
        index_storage_usd=usd(index_storage, prices.storage_gib_month),
    )


def usd(amount: float, price: Decimal) -> Decimal:
    """`amount` × `price`, rounded to a millionth of a dollar."""
    return (Decimal(repr(float(amount))) * price).quantize(MICRODOLLAR)


def write_amplification(
    tables: Sequence[TableDesign], plans: Sequence[Plan], calls: Mapping[str, float], sizes: Sizes
) -> float:
    """Write units of the design ÷ units of writing each changed row once, without index, look-up, copy, transaction."""
    entity = {t.name: t for t in tables if t.role == "entity"}
    actual = plain = 0.0
    for plan in plans:
        actual += calls[plan.pattern] * plan.write_units
        for write in base_writes(plan):
            row = ceil(max(1.0, sizes.row_bytes(entity[write.table].source_table)) / WRITE_BLOCK)
            plain += calls[plan.pattern] * write.estimate.calls * row
    return actual / plain if plain else 1.0


def base_writes(plan: Plan) -> list[WriteCall]:
    """The writes of a plan to the item of the row itself; a move to another key counts once."""
    found: list[WriteCall] = []
    for step in plan.steps:
        writes = step.writes if isinstance(step, Transaction) else (step,) if isinstance(step, WriteCall) else ()
        found += [w for w in writes if w.purpose == "base item"][:1]
    return found
