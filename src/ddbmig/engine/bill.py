"""A bill in words: each part as the product that it is, the conventions behind it, and what another mode would cost."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ddbmig.engine.costs import GIB, STORAGE_OVERHEAD, break_even_utilisation, paid_units
from ddbmig.engine.wording import dollars, number, show
from ddbmig.model.design import Cost
from ddbmig.model.prices import REQUESTS, Prices


def formulas(cost: Cost, prices: Prices) -> tuple[str, ...]:
    """`reads: 12,345,678 request units × $0.125 per million = $1.54`, part by part, and the total."""
    paid = paid_units(cost)
    read, write = (_rate(cost, prices, position) for position in (0, 1))
    per_gigabyte = f"GB × ${prices.usd('storage_gb_month'):f} per GB-month"
    factor = GIB / prices.terms.gigabyte_bytes
    return (
        f"reads: {_count(paid.reads)} {read} = {dollars(cost.reads_usd)}",
        f"writes: {_count(paid.writes)} {write} = {dollars(cost.writes_usd)}",
        f"index writes: {_count(paid.index_writes)} {write} = {dollars(cost.index_writes_usd)}",
        f"transactions: {_count(paid.transactions)} {write} = {dollars(cost.transactions_usd)}",
        f"storage: {number(cost.storage_gib * factor)} {per_gigabyte} = {dollars(cost.storage_usd)}",
        f"index storage: {number(cost.index_storage_gib * factor)} {per_gigabyte} = {dollars(cost.index_storage_usd)}",
        f"total: {dollars(cost.total_usd)}",
    )


def _count(units: float) -> str:
    return number(round(units)) if units >= 1 else number(units)


def _rate(cost: Cost, prices: Prices, position: int) -> str:
    price = f"${prices.usd(REQUESTS[cost.mode][position]):f}"
    if cost.mode == "on-demand":
        return f"request units × {price} per million"
    return f"units a second × {prices.terms.month_hours} h × {price} per unit-hour"


def conventions(prices: Prices) -> tuple[str, ...]:
    """What is counted and how, by which prices, and what is left out."""
    return tuple(_conventions(prices))


def _conventions(prices: Prices) -> Iterator[str]:
    terms = prices.terms
    sources = "; ".join(entry.quoted for entry in prices.used())
    yield f"Prices in USD, {terms.region}, table class {terms.table_class}, {terms.mode}: {sources}."
    yield (
        f"A month has {terms.month_hours} hours, a GB {terms.gigabyte} bytes; {STORAGE_OVERHEAD} bytes are added to "
        "each item and each index entry stored."
    )
    yield "Sizes are averages; a unit reads 4 KB (8 KB eventually consistent) or writes 1 KB."
    if terms.mode == "provisioned":
        utilisation = show(terms.target_utilisation, "share")
        yield (
            f"The capacity of a table or GSI is its units in a second at the peak ÷ {utilisation}, rounded up, at "
            "least 1, held all month. At the peak each access pattern is in its own busiest second of the logs (the "
            "average where they tell no seconds), all at once: the worst case. Burst capacity and auto scaling are not "
            "counted."
        )
    yield "Free tier, taxes, reserved capacity and savings plans are not counted."


def mode_break_even(modes: Sequence[Cost], prices: Prices) -> tuple[str, ...]:
    """From which average utilisation provisioned capacity is cheaper than on demand, by table class, and how well the
    design would use its own."""
    provisioned = [cost for cost in modes if cost.mode == "provisioned"]
    if not provisioned:
        return (f"No price of provisioned capacity is known in {prices.terms.region}.",)
    return tuple(line for cost in provisioned for line in _utilisation(cost, prices.under(cost.mode, cost.table_class)))


def _utilisation(cost: Cost, prices: Prices) -> Iterator[str]:
    point = break_even_utilisation(prices)
    if point is None or not cost.capacity:
        return
    seconds = prices.terms.seconds_per_month
    reads = cost.read_request_units / (sum(one.read_units for one in cost.capacity) * seconds)
    writes = cost.write_request_units / (sum(one.write_units for one in cost.capacity) * seconds)
    yield (
        f"{cost.table_class}: provisioned is cheaper than on-demand where capacity is used to more than "
        f"{_percent(point[0])} of reads and {_percent(point[1])} of writes on average; sized for its peak, this design "
        f"would use {show(reads, 'share')} of reads and {show(writes, 'share')} of writes."
    )


def _percent(share: Decimal) -> str:
    return f"{share * 100:.1f} %"
