"""A month's bill in every mode, against sums done by hand; what holds for the bills of any design.

The design: 2^20 items of 924 bytes (1 GiB with the 100 bytes of overhead), a GSI with entries of 412 bytes (0.5 GiB); a
million each of GetItems of 0.5 units, Queries over the GSI of 1 unit, and updates in a transaction: 1 unit, doubled,
and 1 of the index. At the peak 20, 7 and 10 of them a second.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ddbmig.engine.bill import conventions, formulas, mode_break_even
from ddbmig.engine.costs import MICRODOLLAR, Load, break_even_utilisation, cost_by_mode, monthly_cost, paid_units
from ddbmig.engine.one_off import one_off_costs
from ddbmig.model.analysis import OneOff
from ddbmig.model.context import Mode, Pricing
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import Cost, IndexDesign, TableDesign
from ddbmig.model.plan import Estimate, Plan, ReadCall, Transaction, WriteCall
from ddbmig.model.prices import PRICE_NAMES, PriceEntry, Prices

NAME = ContractAttribute(type="S", source_table="t", source_column="name", encoding="string")


def table(
    indexes: Mapping[str, tuple[float, float]], name: str = "t", items: float = 1 << 20, item_bytes: float = 924
) -> TableDesign:  # fmt: skip
    """A table with its GSIs: name -> (entries, bytes of one)."""
    found = tuple(
        IndexDesign(name=index, partition=("name",), projection="KEYS_ONLY", entries=entries, entry_bytes=size)
        for index, (entries, size) in indexes.items()
    )
    return TableDesign(name=name, source_table=name, role="entity", pk="id", attributes={"id": NAME, "name": NAME},
                       indexes=found, items=items, item_bytes=item_bytes)  # fmt: skip


def read(units: float, index: str | None = None, of: str = "t") -> ReadCall:
    op = "Query" if index else "GetItem"
    return ReadCall.model_validate(
        {"op": op, "table": of, "index": index, "ref": 0, "estimate": {"calls": 1, "items": 1, "read_units": units}}
    )


def write(base: float, transaction: float, index_units: Mapping[str, float], of: str = "t") -> WriteCall:
    estimate = Estimate(calls=1, items=1, write_units=base + transaction + sum(index_units.values()),
                        transaction_units=transaction, index_units=index_units)  # fmt: skip
    return WriteCall(op="UpdateItem", table=of, source=of, ref=0, purpose="base item", estimate=estimate)


TABLES = (table({"by_name": (1 << 20, 412)}),)
PLANS = (
    Plan(pattern="get", steps=(read(0.5),)),
    Plan(pattern="query", steps=(read(1.0, "by_name"),)),
    Plan(pattern="update", steps=(Transaction(writes=(write(1, 1, {"by_name": 1}),)),)),
)
LOAD = Load({"get": 1e6, "query": 1e6, "update": 1e6}, {"get": 20, "query": 7, "update": 10})
STANDARD = PriceEntry(
    region="us-east-1", table_class="standard", as_of="2026-10-08", source="a list", read_per_million=Decimal("0.125"),
    write_per_million=Decimal("0.625"), read_unit_hour=Decimal("0.00013"), write_unit_hour=Decimal("0.00065"),
    storage_gb_month=Decimal("0.25"),
)  # fmt: skip
OLD = PriceEntry(region="us-east-1", table_class="standard", as_of="2023-02", source="an old page", confirmed=False,
                 import_gb=Decimal("0.15"))  # fmt: skip
RARE = PriceEntry(region="us-east-1", table_class="standard-ia", as_of="2026", source="a list",
                  read_per_million=Decimal("0.155"), write_per_million=Decimal("0.78"),
                  storage_gb_month=Decimal("0.10"))  # fmt: skip


def prices(*entries: PriceEntry, **terms: Any) -> Prices:
    return Prices(terms=Pricing(**terms), entries=entries or (STANDARD, OLD, RARE))


def bill(**terms: Any) -> Cost:
    return monthly_cost(TABLES, PLANS, LOAD, prices(**terms))


def split(cost: Cost) -> tuple[Decimal, ...]:
    return (cost.reads_usd, cost.writes_usd, cost.index_writes_usd, cost.transactions_usd, cost.storage_usd,
            cost.index_storage_usd)  # fmt: skip


def usd(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


# --- by hand ---


def test_on_demand() -> None:
    cost = bill()
    assert split(cost) == usd("0.1875", "0.625", "0.625", "0.625", "0.25", "0.125")
    assert (cost.mode, cost.table_class, cost.capacity) == ("on-demand", "standard", ())
    assert (cost.read_request_units, cost.write_request_units) == (1.5e6, 3e6)


def test_infrequent_access() -> None:
    assert split(bill(table_class="standard-ia")) == usd("0.2325", "0.78", "0.78", "0.78", "0.1", "0.05")


def test_provisioned_holds_the_peak_by_the_target_utilisation_in_whole_units() -> None:
    cost = bill(mode="provisioned")
    held = [(one.index, one.read_units, one.write_units, one.transaction_units) for one in cost.capacity]
    # 10 ÷ 0.7 = 14.3, 20 ÷ 0.7 = 28.6 of which 10 ÷ 0.7 = 14.3 without the transaction; 7 ÷ 0.7 = 10 to the unit
    assert held == [(None, 15, 29, 14), ("by_name", 10, 15, 0)]
    # 25 units × 730 h × 0.00013; 15, 15 and 14 × 730 h × 0.00065
    assert split(cost) == usd("2.3725", "7.1175", "7.1175", "6.643", "0.25", "0.125")
    assert cost.read_request_units == bill().read_request_units


def test_a_table_that_nobody_asks_holds_the_least() -> None:
    cost = monthly_cost((table({"quiet": (1, 10)}, "idle"),), (), LOAD, prices(mode="provisioned"))
    assert [(one.read_units, one.write_units) for one in cost.capacity] == [(1, 1), (1, 1)]


def test_full_utilisation_and_other_months() -> None:
    cost = bill(mode="provisioned", target_utilisation=1.0, month_hours=720)
    assert split(cost)[:2] == usd("1.5912", "4.68")  # 17 × 720 h × 0.00013, 10 × 720 h × 0.00065


def test_a_gigabyte_of_ten_to_the_ninth() -> None:
    assert bill(gigabyte="10^9").storage_usd == Decimal("0.268435")


def test_modes_side_by_side_cheapest_first() -> None:
    found = cost_by_mode(TABLES, PLANS, LOAD, prices())
    assert [(one.mode, one.table_class) for one in found] == [
        ("on-demand", "standard"), ("on-demand", "standard-ia"), ("provisioned", "standard"),
    ]  # fmt: skip
    assert [one.total_usd for one in found] == sorted(one.total_usd for one in found)
    assert found[0] == bill()


def test_break_even_utilisation() -> None:
    point = break_even_utilisation(prices())
    assert point is not None
    assert [round(share, 4) for share in point] == [Decimal("0.2889"), Decimal("0.2889")]
    assert break_even_utilisation(prices(table_class="standard-ia")) is None


def test_just_at_the_break_even_both_modes_cost_the_same() -> None:
    point = break_even_utilisation(prices())
    assert point is not None
    second = {"get": 2_000.0, "query": 0.0, "update": 0.0}  # 1,000 units a second, all held
    share = float(point[0])
    month = {name: calls * share * 730 * 3600 for name, calls in second.items()}
    found = [
        monthly_cost(TABLES, PLANS, Load(month, second), prices(mode=mode, target_utilisation=1.0)).reads_usd
        for mode in ("on-demand", "provisioned")
    ]
    assert float(found[0]) == pytest.approx(float(found[1]), rel=0.002)  # the idle GSI holds one unit too


def test_loading_import_and_export() -> None:
    found = {one.name.split()[0]: one for one in one_off_costs(TABLES, prices())}
    assert found["Load"].usd == Decimal("1.310720")  # 2 × 2^20 units × 0.625 per million
    assert found["Load"].formula == (
        "(1,048,576 write request units of items + 1,048,576 of index entries) × $0.625 per million"
    )
    assert found["Or"].usd == Decimal("0.135352")  # 924 × 2^20 ÷ 2^30 GB × 0.15
    assert "0.9023 GB of items, uncompressed × $0.15 per GB (2023-02, not reconfirmed)" in found["Or"].formula
    assert found["Export"] == OneOff(name="Export all tables to S3, once", formula="0.9023 GB of items", usd=None)


# --- in words ---


def test_every_part_of_a_bill_is_a_product() -> None:
    assert formulas(bill(), prices()) == (
        "reads: 1,500,000 request units × $0.125 per million = $0.19",
        "writes: 1,000,000 request units × $0.625 per million = $0.62",
        "index writes: 1,000,000 request units × $0.625 per million = $0.62",
        "transactions: 1,000,000 request units × $0.625 per million = $0.62",
        "storage: 1 GB × $0.25 per GB-month = $0.25",
        "index storage: 0.5 GB × $0.25 per GB-month = $0.12",
        "total: $2.44",
    )
    terms = prices(mode="provisioned", gigabyte="10^9")
    found = formulas(monthly_cost(TABLES, PLANS, LOAD, terms), terms)
    assert found[0] == "reads: 25 units a second × 730 h × $0.00013 per unit-hour = $2.37"
    assert found[3] == "transactions: 14 units a second × 730 h × $0.00065 per unit-hour = $6.64"
    assert found[4] == "storage: 1.074 GB × $0.25 per GB-month = $0.27"


def test_conventions_say_what_is_counted_and_by_which_prices() -> None:
    text = " ".join(conventions(prices(OLD, STANDARD, month_hours=732, gigabyte="10^9")))
    assert "us-east-1, table class standard, on-demand: a list, 2026-10-08." in text
    assert "732 hours, a GB 10^9 bytes; 100 bytes" in text
    assert "Free tier" in text
    assert "÷" not in text
    assert "÷ 55 %" in " ".join(conventions(prices(mode="provisioned", target_utilisation=0.55)))
    doubtful = STANDARD.model_copy(update={"confirmed": False})
    assert "a list, 2026-10-08 (not reconfirmed)." in conventions(prices(doubtful))[0]


def test_the_break_even_of_the_modes_in_words() -> None:
    found = mode_break_even(cost_by_mode(TABLES, PLANS, LOAD, prices()), prices())
    # 1.5 M of 25 × 2,628,000 units; 3 M of 44 × 2,628,000
    assert found == (
        "standard: provisioned is cheaper than on-demand where capacity is used to more than 28.9 % of reads and 28.9 "
        "% of writes on average; sized for its peak, this design would use 2.283 % of reads and 2.594 % of writes.",
    )
    without = prices(RARE, table_class="standard-ia")
    assert mode_break_even(cost_by_mode(TABLES, PLANS, LOAD, without), without) == (
        "No price of provisioned capacity is known in us-east-1.",
    )


# --- of any design ---

UNITS = st.integers(0, 40).map(lambda n: n / 2)
SIZES = st.tuples(st.integers(0, 10**9), st.integers(1, 5_000))
MODES = st.sampled_from(["on-demand", "provisioned"])


@st.composite
def designs(draw: st.DrawFn) -> tuple[tuple[TableDesign, ...], tuple[Plan, ...], Load]:
    """Some tables with GSIs, plans that read and write them, and how often these run."""
    tables = tuple(
        table({f"i{n}": draw(SIZES) for n in range(draw(st.integers(0, 2)))}, f"t{number}", *draw(SIZES))
        for number in range(draw(st.integers(1, 3)))
    )
    plans = []
    for number in range(draw(st.integers(1, 4))):
        of = draw(st.sampled_from(tables))
        indexes = [index.name for index in of.indexes]
        steps: list[Any] = [read(draw(UNITS), draw(st.sampled_from([None, *indexes])), of.name)]
        if draw(st.booleans()):
            steps.append(write(draw(UNITS), draw(UNITS), {name: draw(UNITS) for name in indexes}, of.name))
        plans.append(Plan(pattern=f"q{number}", steps=tuple(steps)))
    calls, peaks = (
        {plan.pattern: draw(st.floats(0, most, allow_subnormal=False)) for plan in plans} for most in (1e9, 1e4)
    )
    return tables, tuple(plans), Load(calls, peaks)


Designed = tuple[tuple[TableDesign, ...], tuple[Plan, ...], Load]


@given(designs(), MODES)
def test_the_split_is_the_total_to_the_micro_dollar(design: Designed, mode: Mode) -> None:
    terms = prices(mode=mode)
    cost = monthly_cost(*design, terms)
    assert cost.total_usd == sum(split(cost))
    assert all(part >= 0 and part == part.quantize(MICRODOLLAR) for part in split(cost))
    paid = paid_units(cost)
    per_read, per_write = ((Decimal("0.125") / 10**6, Decimal("0.625") / 10**6) if mode == "on-demand" else
                           (Decimal("0.00013") * 730, Decimal("0.00065") * 730))  # fmt: skip
    writes = paid.writes + paid.index_writes + paid.transactions
    exact = (
        Decimal(paid.reads) * per_read + Decimal(writes) * per_write
        + Decimal(cost.storage_gib + cost.index_storage_gib) * Decimal("0.25")
    )  # fmt: skip
    assert abs(cost.total_usd - exact) <= 4 * MICRODOLLAR  # six parts, each rounded by half of one; floats besides


@given(designs(), st.integers(2, 50))
def test_requests_on_demand_are_linear_in_the_rates(design: Designed, times: int) -> None:
    tables, plans, load = design
    more = Load({name: calls * times for name, calls in load.calls_per_month.items()}, load.peak_per_second)
    once, often = monthly_cost(tables, plans, load, prices()), monthly_cost(tables, plans, more, prices())
    for one, many in zip(split(once)[:4], split(often)[:4], strict=True):
        assert abs(many - one * times) <= MICRODOLLAR * (times + 1) / 2 + one * times * Decimal("1e-12")
    assert split(often)[4:] == split(once)[4:]


@given(designs(), st.floats(1, 100), st.floats(0.05, 1))
def test_provisioned_never_costs_less_for_a_higher_peak(design: Designed, times: float, utilisation: float) -> None:
    tables, plans, load = design
    terms = prices(mode="provisioned", target_utilisation=utilisation)
    higher = Load(load.calls_per_month, {name: peak * times for name, peak in load.peak_per_second.items()})
    low, high = monthly_cost(tables, plans, load, terms), monthly_cost(tables, plans, higher, terms)
    assert low.total_usd <= high.total_usd
    for one, other in zip(low.capacity, high.capacity, strict=True):
        assert one.read_units <= other.read_units
        assert one.write_units <= other.write_units
        assert one.read_units * utilisation >= one.peak_reads - 1e-6
        assert 0 <= one.transaction_units < one.write_units


@given(designs(), st.floats(0.01, 1))
def test_headroom_never_saves(design: Designed, utilisation: float) -> None:
    full, spare = (
        monthly_cost(*design, prices(mode="provisioned", target_utilisation=share)) for share in (1.0, utilisation)
    )
    assert full.total_usd <= spare.total_usd


def amounts(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a value that is money, by its field's name."""
    if isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from amounts(getattr(value, field), field)
    elif isinstance(value, tuple):
        for one in value:
            yield from amounts(one, name)
    elif name.endswith("usd") or name in PRICE_NAMES:
        yield name, value


@given(designs(), MODES)
def test_money_is_never_a_float(design: Designed, mode: Mode) -> None:
    terms = prices(mode=mode)
    found = [*amounts(monthly_cost(*design, terms)), *amounts(terms), *amounts(one_off_costs(design[0], terms))]
    assert len(found) > 20
    assert all(amount is None or isinstance(amount, Decimal) for _, amount in found)
