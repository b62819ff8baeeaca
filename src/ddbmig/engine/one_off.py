"""What is paid once – loading, import, export – and what a choice of them brings with it, by the same prices.

Sources: sections A5 (loading), A7 (import) and A8 (prices) of the DynamoDB facts. A price that is not known stays so.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ddbmig.engine.capacity import write_blocks
from ddbmig.engine.costs import MILLION, usd
from ddbmig.engine.wording import number
from ddbmig.model.analysis import OneOff
from ddbmig.model.design import TableDesign
from ddbmig.model.prices import PriceName, Prices


def loading_units(tables: Sequence[TableDesign]) -> tuple[float, float]:
    """Write units to put every item once (BatchWriteItem rounds each by itself), and those of all index entries."""
    items = sum(table.items * write_blocks(table.item_bytes) for table in tables)
    entries = sum(i.entries * write_blocks(i.entry_bytes) for table in tables for i in table.indexes)
    return items, entries


def one_off_costs(tables: Sequence[TableDesign], prices: Prices) -> tuple[OneOff, ...]:
    """The ways to load the tables and to take their data out again, each with its sum."""
    return tuple(_entries(tables, prices))


def _entries(tables: Sequence[TableDesign], prices: Prices) -> Iterator[OneOff]:
    items, entries = loading_units(tables)
    gigabytes = sum(table.items * table.item_bytes for table in tables) / prices.terms.gigabyte_bytes
    yield OneOff(
        name="Load every item with BatchWriteItem, on demand",
        formula=f"({number(round(items))} write request units of items + {number(round(entries))} of index entries)"
        + _at(prices, "write_per_million", "million"),
        usd=_sum(items + entries, prices, "write_per_million"),
    )
    yield OneOff(
        name="Or import new tables from S3",
        formula=f"{number(gigabytes)} GB of items, uncompressed{_at(prices, 'import_gb', 'GB')}; the file format adds "
        "its own bytes, indexes are not charged",
        usd=_sum(gigabytes, prices, "import_gb"),
    )
    yield OneOff(
        name="Export all tables to S3, once",
        formula=f"{number(gigabytes)} GB of items{_at(prices, 'export_gb', 'GB')}",
        usd=_sum(gigabytes, prices, "export_gb"),
    )
    yield OneOff(
        name="Point-in-time recovery, which an export needs, for a month",
        formula=f"{number(gigabytes)} GB of items{_at(prices, 'pitr_gb_month', 'GB-month')}",
        usd=_sum(gigabytes, prices, "pitr_gb_month"),
    )


def _sum(amount: float, prices: Prices, name: PriceName) -> Decimal | None:
    price = prices.find(name)
    return None if price is None else usd(amount, price / MILLION if name.endswith("per_million") else price)


def _at(prices: Prices, name: PriceName, unit: str) -> str:
    """` × $0.15 per GB (2023-02, not reconfirmed)`; nothing where the price is not known."""
    entry = prices.entry(name)
    if entry is None:
        return ""
    doubt = "" if entry.confirmed else f" ({entry.as_of}, not reconfirmed)"
    return f" × ${entry.usd(name):f} per {unit}{doubt}"
