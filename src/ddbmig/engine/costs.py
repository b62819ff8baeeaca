"""What a design costs a month: its plans' units by the patterns' rates, and its bytes, under the terms of `Prices`.

On demand each request unit is paid for. Provisioned, a table and each of its GSIs hold capacity for the peak ready all
month: the units that the plans take in a second, each pattern in its own busiest second (`PatternRate.peak_per_second`;
where the logs tell no seconds that is the average), divided by the target utilisation and rounded up. That all patterns
have their busiest second at once is the worst case; burst capacity and auto scaling are not counted.

Sources: capacity by section A5, prices and conventions by A8 of the DynamoDB facts. No free tier, no taxes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from ddbmig.engine.capacity import write_blocks
from ddbmig.engine.sizes import Sizes
from ddbmig.model.assessment import PatternRate
from ddbmig.model.design import Capacity, Cost, TableDesign
from ddbmig.model.plan import Plan, ReadCall, Step, Transaction, WriteCall
from ddbmig.model.prices import REQUESTS, PriceName, Prices

GIB = 1 << 30
MILLION = 1_000_000
STORAGE_OVERHEAD = 100
"""Bytes billed per item and per index entry beyond its size (A4)."""
MICRODOLLAR = Decimal("0.000001")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Load:
    """How often each access pattern runs, by its id."""

    calls_per_month: Mapping[str, float]
    peak_per_second: Mapping[str, float]


def load_of(rates: Iterable[PatternRate]) -> Load:
    """The load that stage 2 found."""
    found = tuple(rates)
    return Load({r.pattern: r.calls_per_month for r in found}, {r.pattern: r.peak_per_second for r in found})


@dataclass
class Units:
    """What one table (its indexes apart) or one GSI takes in the time that the calls are counted over."""

    reads: float = 0.0
    writes: float = 0.0
    transactions: float = 0.0
    """The part of writes that is there only because they are transactional."""


Structure = tuple[str, str | None]
"""Name of the table, and of the GSI."""


def monthly_cost(tables: Sequence[TableDesign], plans: Sequence[Plan], load: Load, prices: Prices) -> Cost:
    """The month's bill of a design, split into reads, writes, what indexes and transactions add, and storage.

    Raises KeyError where `prices` lacks one of the prices of its terms, or `load` a pattern.
    """
    month = units_of(tables, plans, load.calls_per_month)
    on_demand = prices.terms.mode == "on-demand"
    own = [units for (_, index), units in month.items() if index is None]
    index_writes = sum(units.writes for (_, index), units in month.items() if index is not None)
    bare = Cost(
        mode=prices.terms.mode,
        table_class=prices.terms.table_class,
        read_request_units=sum(units.reads for units in month.values()),
        write_request_units=sum(units.writes for units in own) + index_writes,
        index_write_units=index_writes,
        transaction_units=sum(units.transactions for units in own),
        storage_gib=sum(t.items * (t.item_bytes + STORAGE_OVERHEAD) for t in tables) / GIB,
        index_storage_gib=sum(i.entries * (i.entry_bytes + STORAGE_OVERHEAD) for t in tables for i in t.indexes) / GIB,
        capacity=() if on_demand else _capacity(tables, plans, load, prices.terms.target_utilisation),
        reads_usd=NOTHING, writes_usd=NOTHING, index_writes_usd=NOTHING, transactions_usd=NOTHING,
        storage_usd=NOTHING, index_storage_usd=NOTHING,
    )  # fmt: skip
    return _priced(bare, prices)


def _priced(cost: Cost, prices: Prices) -> Cost:
    """A cost with the money for its units and bytes."""
    paid, read, write = paid_units(cost), *(_unit_price(name, prices) for name in REQUESTS[cost.mode])
    storage = prices.usd("storage_gb_month") * GIB / prices.terms.gigabyte_bytes
    return cost.model_copy(
        update={
            "reads_usd": usd(paid.reads, read),
            "writes_usd": usd(paid.writes, write),
            "index_writes_usd": usd(paid.index_writes, write),
            "transactions_usd": usd(paid.transactions, write),
            "storage_usd": usd(cost.storage_gib, storage),
            "index_storage_usd": usd(cost.index_storage_gib, storage),
        }
    )


def _unit_price(name: PriceName, prices: Prices) -> Decimal:
    """A month's price of one paid unit: a request unit, or a unit a second held all month."""
    per_million = prices.terms.mode == "on-demand"
    return prices.usd(name) / MILLION if per_million else prices.usd(name) * prices.terms.month_hours


@dataclass(frozen=True)
class PaidUnits:
    """What the requests' part of a bill is multiplied with: request units of the month, or provisioned units."""

    reads: float
    writes: float
    """Of base tables, without what transactions add."""
    index_writes: float
    transactions: float


def paid_units(cost: Cost) -> PaidUnits:
    """The units of a bill by what they are paid for."""
    if cost.mode == "on-demand":
        writes = cost.write_request_units - cost.index_write_units - cost.transaction_units
        return PaidUnits(cost.read_request_units, writes, cost.index_write_units, cost.transaction_units)
    own = [one for one in cost.capacity if one.index is None]
    transactions = sum(one.transaction_units for one in own)
    return PaidUnits(
        reads=sum(one.read_units for one in cost.capacity),
        writes=sum(one.write_units for one in own) - transactions,
        index_writes=sum(one.write_units for one in cost.capacity if one.index is not None),
        transactions=transactions,
    )


def usd(amount: float, price: Decimal) -> Decimal:
    """`amount` × `price`, rounded to a millionth of a dollar."""
    return (Decimal(repr(float(amount))) * price).quantize(MICRODOLLAR)


def plan_usd(plan: Plan, calls_per_month: float, prices: Prices) -> Decimal | None:
    """What the requests of one plan cost a month on demand, whatever the terms are; None where a price is not known.

    Provisioned capacity is paid for whole tables and has no price of one plan.
    """
    on_demand = prices.under("on-demand", prices.terms.table_class)
    read, write = (on_demand.find(name) for name in REQUESTS["on-demand"])
    if read is None or write is None:
        return None
    return usd(plan.read_units * calls_per_month, read / MILLION) + usd(
        plan.write_units * calls_per_month, write / MILLION
    )


def plans_usd(plans: Iterable[Plan], load: Load, prices: Prices) -> dict[str, Decimal]:
    """`plan_usd` by pattern, of the plans that have calls and a price."""
    priced = {plan.pattern: plan_usd(plan, load.calls_per_month[plan.pattern], prices)
              for plan in plans if not plan.routed}  # fmt: skip
    return {pattern: usd for pattern, usd in priced.items() if usd is not None}


# --- units of each table and GSI ---


def units_of(
    tables: Sequence[TableDesign], plans: Sequence[Plan], calls: Mapping[str, float]
) -> dict[Structure, Units]:  # fmt: skip
    """The units of every table and GSI, those without any too, in the time that `calls` are counted over."""
    found: dict[Structure, Units] = {}
    for table in tables:
        found[table.name, None] = Units()
        found |= {(table.name, index.name): Units() for index in table.indexes}
    for plan in plans:
        for step in plan.steps:
            if isinstance(step, ReadCall):
                found[step.table, step.index].reads += calls[plan.pattern] * step.estimate.read_units
            for write in writes_of(step):
                _add_write(found, write, calls[plan.pattern])
    return found


def _add_write(found: Mapping[Structure, Units], write: WriteCall, calls: float) -> None:
    estimate, own = write.estimate, found[write.table, None]
    own.writes += calls * (estimate.write_units - estimate.index_write_units)
    own.transactions += calls * estimate.transaction_units
    for index, units in estimate.index_units.items():
        found[write.table, index].writes += calls * units


def writes_of(step: Step) -> tuple[WriteCall, ...]:
    """The writes of a step: itself, or those inside of a transaction."""
    if isinstance(step, WriteCall):
        return (step,)
    return step.writes if isinstance(step, Transaction) else ()


def _capacity(
    tables: Sequence[TableDesign], plans: Sequence[Plan], load: Load, utilisation: float
) -> tuple[Capacity, ...]:
    peak = units_of(tables, plans, load.peak_per_second)
    return tuple(
        Capacity(
            table=table,
            index=index,
            peak_reads=units.reads,
            peak_writes=units.writes,
            read_units=_held(units.reads, utilisation),
            write_units=_held(units.writes, utilisation),
            transaction_units=_held(units.writes, utilisation) - _held(units.writes - units.transactions, utilisation),
        )
        for (table, index), units in peak.items()
    )


def _held(peak: float, utilisation: float) -> int:
    """Whole units to hold for a peak, at least the one that DynamoDB asks for; what floats add beyond 1e-9 is noise."""
    return max(1, ceil(Decimal(repr(round(peak, 9))) / Decimal(repr(utilisation))))


# --- one mode against another ---


def cost_by_mode(
    tables: Sequence[TableDesign], plans: Sequence[Plan], load: Load, prices: Prices
) -> tuple[Cost, ...]:  # fmt: skip
    """The month's bill in every mode and table class that the region has prices for, cheapest first."""
    found = [monthly_cost(tables, plans, load, prices.under(*terms)) for terms in prices.billable()]
    return tuple(sorted(found, key=lambda cost: (cost.total_usd, cost.mode, cost.table_class)))


def break_even_utilisation(prices: Prices) -> tuple[Decimal, Decimal] | None:
    """The average utilisation of provisioned reads, and of writes, above which they are cheaper than on demand.

    A unit held for an hour can do 3,600 request units: price of the unit-hour ÷ (3,600 × price of a request unit).
    None where one of the prices of the table class is not known.
    """
    pairs = list(zip(REQUESTS["provisioned"], REQUESTS["on-demand"], strict=True))
    if any(prices.find(name) is None for pair in pairs for name in pair):
        return None
    reads, writes = (prices.usd(hour) / (3600 * prices.usd(million) / MILLION) for hour, million in pairs)
    return reads, writes


# --- amplification ---


def write_amplification(
    tables: Sequence[TableDesign], plans: Sequence[Plan], calls: Mapping[str, float], sizes: Sizes
) -> float:
    """Write units of the design ÷ units of writing each changed row once, without index, look-up, copy, transaction."""
    entity = {t.name: t for t in tables if t.role == "entity"}
    actual = plain = 0.0
    for plan in plans:
        actual += calls[plan.pattern] * plan.write_units
        for write in base_writes(plan):
            row = write_blocks(sizes.row_bytes(entity[write.table].source_table))
            plain += calls[plan.pattern] * write.estimate.calls * row
    return actual / plain if plain else 1.0


def base_writes(plan: Plan) -> list[WriteCall]:
    """The writes of a plan to the item of the row itself; a move to another key counts once."""
    found: list[WriteCall] = []
    for step in plan.steps:
        found += [w for w in writes_of(step) if w.purpose == "base item"][:1]
    return found
