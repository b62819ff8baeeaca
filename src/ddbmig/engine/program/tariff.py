"""Money and calls of a month as whole numbers, for the program."""

from decimal import Decimal

from ddbmig.engine.costs import MILLION, STORAGE_OVERHEAD, Load
from ddbmig.model.prices import REQUESTS, Prices

NANO = 10**9
"""Nano-dollars in a dollar."""


class Tariff:
    """What units and bytes cost a month, under the terms of `prices`.

    Provisioned capacity is counted in fractions of a unit here; the bill rounds it up by table and index (`costs`).
    Raises KeyError where a price of the terms is not known.
    """

    def __init__(self, load: Load, prices: Prices) -> None:
        terms = prices.terms
        read, write = (prices.usd(name) for name in REQUESTS[terms.mode])
        if terms.mode == "on-demand":
            self._times, factor = load.calls_per_month, Decimal(NANO) / MILLION
        else:
            held = Decimal(repr(terms.target_utilisation))
            self._times, factor = load.peak_per_second, Decimal(NANO) * terms.month_hours / held
        self._read, self._write = float(read * factor), float(write * factor)
        self._byte = float(prices.usd("storage_gb_month") * NANO / terms.gigabyte_bytes)
        self._calls = load.calls_per_month

    def reads(self, pattern: str, units: float) -> int:
        """Nano-dollars of a month for so many read units at each execution."""
        return round(self._times[pattern] * units * self._read)

    def writes(self, pattern: str, units: float) -> int:
        """Nano-dollars of a month for so many write units at each execution."""
        return round(self._times[pattern] * units * self._write)

    def storage(self, items: float, size: float) -> int:
        """Nano-dollars of a month for so many items or entries of an average size."""
        return round(items * (size + STORAGE_OVERHEAD) * self._byte)

    def calls(self, pattern: str, times: float = 1) -> int:
        """A thousandth of a call a month, times something for each: so that rare ones count too."""
        return round(self._calls[pattern] * times * 1000)
