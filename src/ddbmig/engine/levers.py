"""A design's bill taken apart, for a page that asks "what if" without the engine: see model/levers.py.

The units come from `units_of` and the prices from `Prices`, as in `monthly_cost`: only the sums are left open. Moving
the levers is what `cost_under` does; tests hold the page's results against it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from ddbmig.engine.capacity import PAGE_BYTES, READ_BLOCK
from ddbmig.engine.costs import GIB, MILLION, Load, Structure, Units, monthly_cost, units_of
from ddbmig.engine.growth import growth_of
from ddbmig.engine.whatif import write_calls, write_share
from ddbmig.model.context import Context
from ddbmig.model.design import Alternative
from ddbmig.model.levers import Flow, Levers, PricedTerms, ScanLoad, StructureLoad
from ddbmig.model.plan import Plan, ReadCall
from ddbmig.model.prices import REQUESTS, Prices


def levers_of(alternative: Alternative, load: Load, prices: Prices, regions: Sequence[Prices],
              context: Context) -> Levers:  # fmt: skip
    """The parts of an alternative's bill; `regions` are the prices that the page may choose from.

    Raises KeyError where `load` lacks a pattern, UsageError for a declared growth that no projection can use.
    """
    growth, today = growth_of(context), monthly_cost(alternative.tables, alternative.plans, load, prices)
    month, peak = (_flows(alternative, calls) for calls in (load.calls_per_month, load.peak_per_second))
    place = {structure: number for number, structure in enumerate(month)}
    return Levers(
        alternative=alternative.id,
        structures=tuple(
            StructureLoad(index=key[1] is not None, month=month[key], peak=peak[key]) for key in month
        ),
        scans=tuple(_scans(alternative, load, place)),
        storage_gib=today.storage_gib,
        index_storage_gib=today.index_storage_gib,
        write_share=write_share(alternative.plans, load.calls_per_month),
        growth_percent=growth.percent,
        growth_source=growth.source,
        target_utilisation=prices.terms.target_utilisation,
        page_bytes=PAGE_BYTES,
        read_block=READ_BLOCK,
        terms=tuple(_terms(regions)),
        billed={"region": prices.terms.region, "table_class": prices.terms.table_class, "mode": prices.terms.mode},
    )  # fmt: skip


def _flows(alternative: Alternative, calls: Mapping[str, float]) -> dict[Structure, Flow]:
    bare = [_without_scans(plan) for plan in alternative.plans]
    reading = units_of(alternative.tables, [plan for plan in bare if not write_calls(plan)], calls)
    writing = units_of(alternative.tables, [plan for plan in bare if write_calls(plan)], calls)
    return {structure: _flow(reading[structure], writing[structure]) for structure in reading}


def _without_scans(plan: Plan) -> Plan:
    steps = tuple(step for step in plan.steps if not (isinstance(step, ReadCall) and step.op == "Scan"))
    return plan.model_copy(update={"steps": steps})


def _flow(reading: Units, writing: Units) -> Flow:
    return Flow(reads_of_reads=reading.reads, reads_of_writes=writing.reads, writes=writing.writes,
                transactions=writing.transactions)  # fmt: skip


def _scans(alternative: Alternative, load: Load, place: Mapping[Structure, int]) -> Iterator[ScanLoad]:
    tables = {table.name: table for table in alternative.tables}
    for plan in alternative.plans:
        for step in plan.steps:
            if isinstance(step, ReadCall) and step.op == "Scan":
                table = tables[step.table]
                yield ScanLoad(
                    structure=place[step.table, step.index],
                    writes=bool(write_calls(plan)),
                    month=load.calls_per_month[plan.pattern],
                    peak=load.peak_per_second[plan.pattern],
                    items=step.estimate.items,
                    item_bytes=max(1.0, table.index(step.index).entry_bytes if step.index else table.item_bytes),
                    read_units=step.estimate.read_units,
                )


def _terms(regions: Iterable[Prices]) -> Iterator[PricedTerms]:
    for prices in regions:
        for mode, table_class in prices.billable():
            under = prices.under(mode, table_class)
            read, write = (under.usd(name) for name in REQUESTS[mode])
            storage = under.usd("storage_gb_month") * GIB / under.terms.gigabyte_bytes
            per_unit = Decimal(1) / MILLION if mode == "on-demand" else Decimal(under.terms.month_hours)
            yield PricedTerms(
                region=under.terms.region, table_class=table_class, mode=mode, read_usd=read * per_unit,
                write_usd=write * per_unit, storage_usd=storage,
                quoted="; ".join(entry.quoted for entry in under.used()),
            )  # fmt: skip
