"""What the month's bill of a design is made of, with the levers still free: who wants to ask "what if" multiplies it.

Reads and writes of access patterns that only read are apart from those of patterns that write, since their calls are
moved apart; Scans are apart from all others, since what they read grows with the data.
"""

from collections.abc import Mapping
from decimal import Decimal

from ddbmig.model.base import Value
from ddbmig.model.context import Mode, TableClass
from ddbmig.model.measure import Source


class Flow(Value):
    """Units in a month, or in the peak second, without those of Scans."""

    reads_of_reads: float
    """Read units of access patterns that only read."""
    reads_of_writes: float
    """Read units of access patterns that write."""
    writes: float
    """Write units; those of a table without its indexes."""
    transactions: float
    """The part of `writes` that is there only because they are transactional."""


class StructureLoad(Value):
    """One table, or one GSI: what it takes in a month and in the peak second."""

    index: bool
    month: Flow
    peak: Flow


class ScanLoad(Value):
    """One Scan: the table it reads, and how often."""

    structure: int
    """Which of the structures."""
    writes: bool
    """Whether its access pattern writes."""
    month: float
    peak: float
    """Calls."""
    items: float
    item_bytes: float
    read_units: float
    """Of one call, today."""


class PricedTerms(Value):
    """A region, table class and mode with all prices that a bill takes, each for one paid unit and month."""

    region: str
    table_class: TableClass
    mode: Mode
    read_usd: Decimal
    write_usd: Decimal
    storage_usd: Decimal
    """For 2^30 bytes."""
    quoted: str
    """Source and day of the prices."""


class Levers(Value):
    """One alternative's bill before rates, growth, prices and mode are chosen."""

    alternative: str
    structures: tuple[StructureLoad, ...]
    scans: tuple[ScanLoad, ...]
    storage_gib: float
    index_storage_gib: float
    write_share: float
    """Share of the calls of planned access patterns that write."""
    growth_percent: float
    growth_source: Source
    target_utilisation: float
    page_bytes: int
    read_block: int
    """Bytes of a page of a Scan, and of a block of reading, that the units are counted by."""
    terms: tuple[PricedTerms, ...]
    billed: Mapping[str, str]
    """The region, table class and mode that the design is billed in."""
