"""Prices of DynamoDB: the dated price file, and what one region's part of it comes to under the project's terms.

A price that nobody knows is absent: never zero, never made up.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, WithJsonSchema
from pydantic_core import PydanticCustomError

from ddbmig.model.base import Value
from ddbmig.model.context import Mode, Pricing, TableClass

_AMOUNT = r"[0-9]{1,9}(\.[0-9]{1,12})?([eE]-?[0-9]{1,2})?"
_DAY = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"


def _exact(value: Any) -> Any:
    """A price as written, to its last digit: YAML's floats by their shortest text."""
    text = str(value)
    if not isinstance(value, Decimal) and (isinstance(value, bool) or not re.fullmatch(_AMOUNT, text)):
        raise PydanticCustomError("price", 'Input should be a price in USD, such as "0.125"')
    if not (amount := Decimal(text)):
        raise PydanticCustomError("price", "Input should be more than 0: leave out a price that is not known")
    return amount


def _dated(value: str) -> str:
    if not re.fullmatch(_DAY, value):
        raise PydanticCustomError("day", 'Input should be a day, month or year in quotes, such as "2026-10-08"')
    return value


Price = Annotated[
    Decimal,
    BeforeValidator(_exact),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": f"^{_AMOUNT}$"}]}
    ),
]
"""USD, exact."""
Day = Annotated[str, AfterValidator(_dated), Field(json_schema_extra={"pattern": f"^{_DAY}$"})]
"""`YYYY`, `YYYY-MM` or `YYYY-MM-DD`, as exactly as it is known."""
PriceName = Literal[
    "read_per_million", "write_per_million", "read_unit_hour", "write_unit_hour", "storage_gb_month", "pitr_gb_month",
    "backup_gb_month", "import_gb", "export_gb", "restore_gb", "streams_per_100k",
]  # fmt: skip
PRICE_NAMES: tuple[PriceName, ...] = get_args(PriceName)
REQUESTS: Mapping[Mode, tuple[PriceName, PriceName]] = {
    "on-demand": ("read_per_million", "write_per_million"), "provisioned": ("read_unit_hour", "write_unit_hour"),
}  # fmt: skip
"""By mode, the price of reading and that of writing."""


class PriceEntry(Value):
    """Prices of one region and table class, read off one source on one day."""

    region: str
    """An AWS region, e.g. `eu-west-1`."""
    table_class: TableClass
    as_of: Day
    """The day, month or year of the source."""
    source: str = Field(min_length=1)
    """Where the prices were read."""
    confirmed: StrictBool = True
    """`false`: inferred from another region's, or too old to rely on; reports say so."""
    read_per_million: Price | None = None
    """A million read request units, on demand."""
    write_per_million: Price | None = None
    """A million write request units, on demand."""
    read_unit_hour: Price | None = None
    """One read unit a second, provisioned for an hour."""
    write_unit_hour: Price | None = None
    """One write unit a second, provisioned for an hour."""
    storage_gb_month: Price | None = None
    """A GB of items and index entries, for a month."""
    pitr_gb_month: Price | None = None
    """A GB under point-in-time recovery, for a month."""
    backup_gb_month: Price | None = None
    """A GB of an on-demand backup, for a month."""
    import_gb: Price | None = None
    """A GB imported from S3, uncompressed."""
    export_gb: Price | None = None
    """A GB exported to S3."""
    restore_gb: Price | None = None
    """A GB restored from a backup."""
    streams_per_100k: Price | None = None
    """A hundred thousand GetRecords calls of DynamoDB Streams."""

    def known(self) -> tuple[PriceName, ...]:
        """The prices that this entry gives."""
        return tuple(name for name in PRICE_NAMES if getattr(self, name) is not None)

    def usd(self, name: PriceName) -> Decimal:
        """One of the prices that this entry gives."""
        found: Decimal = getattr(self, name)
        return found

    @property
    def quoted(self) -> str:
        """Source and day, with the doubt where there is one."""
        return f"{self.source}, {self.as_of}" + ("" if self.confirmed else " (not reconfirmed)")

    def times(self, factor: Decimal) -> "PriceEntry":
        """The entry with every price multiplied."""
        return self.model_copy(update={name: self.usd(name) * factor for name in self.known()})


class PriceList(Value):
    """The price file."""

    prices: tuple[PriceEntry, ...]
    """In any order; one price of a region and table class stands in one entry only."""


class Prices(Value):
    """What the price file says of one region, and the terms under which the design is billed."""

    terms: Pricing
    entries: tuple[PriceEntry, ...]

    def entry(self, name: PriceName, table_class: TableClass | None = None) -> PriceEntry | None:
        """The entry that gives a price, for the table class of the terms unless another is named."""
        wanted = table_class or self.terms.table_class
        return next((one for one in self.entries if one.table_class == wanted and name in one.known()), None)

    def find(self, name: PriceName) -> Decimal | None:
        """A price, where it is known."""
        entry = self.entry(name)
        return entry.usd(name) if entry else None

    def usd(self, name: PriceName) -> Decimal:
        """A price. Raises KeyError where it is not known."""
        entry = self.entry(name)
        if entry is None:
            raise KeyError(name)
        return entry.usd(name)

    def under(self, mode: Mode, table_class: TableClass) -> "Prices":
        """The same prices under another mode and table class."""
        terms = self.terms.model_copy(update={"mode": mode, "table_class": table_class})
        return self.model_copy(update={"terms": terms})

    def billable(self) -> tuple[tuple[Mode, TableClass], ...]:
        """The modes and table classes with all the prices that a month's bill takes."""
        return tuple(
            (mode, table_class)
            for table_class in get_args(TableClass)
            for mode, requests in REQUESTS.items()
            if all(self.entry(name, table_class) for name in (*requests, "storage_gb_month"))
        )

    def used(self) -> tuple[PriceEntry, ...]:
        """The entries that the month's bill is made from."""
        names: tuple[PriceName, ...] = (*REQUESTS[self.terms.mode], "storage_gb_month")
        return tuple(dict.fromkeys(entry for entry in map(self.entry, names) if entry))
