"""What alternatives are compared by beyond their bill: sizes, round trips, hot partitions, upkeep."""

from collections.abc import Mapping
from typing import Literal

from ddbmig.model.base import Value
from ddbmig.model.measure import Source

PARTITION_READS = 3000
"""Read units that one partition can do in a second, or so many write units, or a combination of both (A1)."""
PARTITION_WRITES = 1000


class ItemsAt(Value):
    """The base items after some months of growth; those of look-up tables apart."""

    months: int
    items: float
    bytes: float
    """Of all of them together, without the overhead that is billed."""


class ItemSizes(Value):
    """Sizes of the base items in bytes. An item holds one row: growth adds items and makes none longer."""

    source: Source
    """Assumed where the rows of some table were not measured: how many they are, or how long."""
    average: float | None
    """None where there is no item."""
    p99_at_most: float | None
    """No item of the tables with a measured largest row is longer, so their 99th percentile is not; None: no table."""
    largest_in: str | None
    """The table that has it."""
    not_measured: int
    """Tables of whose rows nobody measured the largest."""


class RoundTrips(Value):
    """How many of the patterns that are not routed take one sequential call, two, or more; and the worst of them."""

    one: int
    two: int
    more: int
    worst: int
    worst_pattern: str | None


class HotPartition(Value):
    """What one partition value of a table or GSI takes in a second at the peak."""

    structure: str
    """`table` or `table/index`."""
    share: float
    """The most frequent value's share; of a key of several columns a share that it cannot exceed."""
    of: Literal["requests", "items"]
    """Where the share was measured; requests are taken to spread as the items do where those are the less even."""
    peak_reads: float
    """Read units."""
    peak_writes: float
    """Write units."""
    load: float
    """Both together, as a share of what one partition can do."""


class Score(Value):
    """What there is to look after, in points, with the sum that gives them."""

    points: float
    formula: str


class Comparison(Value):
    """One alternative's figures."""

    items: tuple[ItemsAt, ...]
    sizes: ItemSizes
    round_trips: RoundTrips
    hottest: HotPartition | None
    """Of all tables and GSIs the one nearest to what a partition can do; None where no share was measured."""
    shares_not_measured: int
    """Tables and GSIs whose keys' skew nobody measured."""
    operational: Score


class Comparisons(Value):
    """The figures of all alternatives, by id, and the growth that they take."""

    growth_percent_per_month: float = 0.0
    growth_source: Source = "assumed"
    of: Mapping[str, Comparison] = {}
