"""How much data there is."""

from collections.abc import Mapping

from ddbmig.model.base import Value
from ddbmig.model.measure import Measure


class ColumnStatistics(Value):
    """Of the non-NULL values of one column; `average_bytes` is the DynamoDB size of the encoded value (A4)."""

    average_bytes: float
    max_bytes: int
    min_bytes: int = 0
    null_share: float
    distinct: int | None = None
    """Exact; None where there were more than the counting limit."""
    top_share: float | None = None
    """Share of all rows that hold the most frequent value."""
    zero_dates: int = 0
    """Rows with a zero date (0000-00-00), which no calendar has."""
    has_empty: bool = False
    """Some value is the empty string or empty binary: DynamoDB refuses those in keys (A3)."""


class GroupStatistics(Value):
    """Rows per distinct value of `columns` (NULLs apart): children per parent where the columns are a foreign key."""

    columns: tuple[str, ...]
    groups: int
    average: float
    p99: int
    max: int
    orphans: int | None = None
    """Rows whose value has no parent; None where no parent was checked."""


class TableStatistics(Value):
    """One table's numbers. `columns` is empty where only the row count is known."""

    rows: Measure
    item_bytes: Measure
    """Average DynamoDB size of one row as a flat item, names included (A4)."""
    max_item_bytes: int | None = None
    p99_item_bytes: int | None = None
    """99 % of the rows are at most so large, to 2 %."""
    sample_rows: int | None = None
    """How many rows sizes, NULLs and shares were taken from where not every row was read."""
    growth: Measure | None = None
    """Rows added a month, in percent of those there before."""
    columns: Mapping[str, ColumnStatistics] = {}
    groups: tuple[GroupStatistics, ...] = ()

    def group(self, columns: tuple[str, ...]) -> GroupStatistics | None:
        """The group statistics of these columns, in this order, if measured."""
        for group in self.groups:
            if group.columns == columns:
                return group
        return None
