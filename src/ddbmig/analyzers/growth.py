"""How fast tables grow: by the months in which their rows were made, or by two snapshots of different days.

Both give rows a month in percent of the rows that were there before, compounded. Deleted rows are seen by neither the
first nor, where as many were made, the second.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Final, Self

from ddbmig.model.encodings import Cell
from ddbmig.model.errors import UsageError
from ddbmig.model.measure import Measure
from ddbmig.model.schema import Column, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import TableStatistics

UNIT: Final = "percent a month"
MONTHS: Final = 12
"""The newest complete months that growth by rows' own dates looks at."""
_DAYS_A_MONTH: Final = 365.2425 / 12
_DATES: Final = frozenset({"date", "datetime", "timestamp"})
_MADE: Final = re.compile(
    r"(date|time|dt)?_?(created|inserted|added|registered|ordered|placed|joined|signed_?up|creation|insertion)"
    r"_?(at|on|date|time|datetime|dt|ts|timestamp)?",
    re.IGNORECASE,
)
_MONTH: Final = re.compile(r"[1-9]\d{3}-(0[1-9]|1[0-2])")


class MonthCount:
    """Rows of one table by the month in which they were made."""

    def __init__(self, column: Column, position: int) -> None:
        self._column = column
        self._position = position
        self._months: Counter[str] = Counter()

    @classmethod
    def of(cls, table: Table) -> Self | None:
        """For the first column whose name says that it holds when a row was made; None where there is none."""
        for position, column in enumerate(table.columns):
            if column.type in _DATES and _MADE.fullmatch(column.name):
                return cls(column, position)
        return None

    def add(self, row: tuple[Cell, ...]) -> None:
        """Count one row; one without a real date belongs to no month."""
        cell = row[self._position]
        if isinstance(cell, str) and _MONTH.fullmatch(cell[:7]):
            self._months[cell[:7]] += 1

    def growth(self) -> Measure | None:
        """Over the newest complete months (at most 12); None where no month before them had a row."""
        numbers = sorted({_number(month) for month in self._months})
        months = min(MONTHS, numbers[-1] - numbers[0] - 1) if numbers else 0
        if months < 1:
            return None
        first = numbers[-1] - months
        counted = [(_number(month), rows) for month, rows in self._months.items()]
        before = sum(rows for month, rows in counted if month < first)
        after = before + sum(rows for month, rows in counted if first <= month < numbers[-1])
        origin = f"rows by {self._column.name} over {months} complete months, deleted rows not seen"
        return Measure(value=monthly(before, after, months), unit=UNIT, source="measured", origin=origin)


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])


def monthly(before: float, after: float, months: float) -> float:
    """Percent a month that makes `after` of `before` in so many months, compounded."""
    factor: float = (after / before) ** (1 / months)
    return round((factor - 1) * 100, 2)


def with_growth_since(statistics: Mapping[str, TableStatistics], day: str, old: Snapshot) -> dict[str, TableStatistics]:
    """The statistics of `day` with each table's growth since an older snapshot, where both measured its rows.

    Raises UsageError where the older one was not collected from a server at least a day before.
    """
    then = old.connection.collected_on if old.connection else None
    days = (date.fromisoformat(day) - date.fromisoformat(then)).days if then else 0
    if days < 1:
        raise UsageError(
            "growth needs two days",
            subject=f"collected on {then or 'an unknown day'}, now {day}",
            expected="an older folder of ddbmig collect",
            hint="leave --since out, or collect again later",
        )
    origin = f"two snapshots, {then} and {day}"
    return {table: _grown(now, old.statistics.get(table), days, origin) for table, now in statistics.items()}


def _grown(now: TableStatistics, then: TableStatistics | None, days: int, origin: str) -> TableStatistics:
    if then is None or {now.rows.source, then.rows.source} != {"measured"} or not then.rows.value:
        return now
    value = monthly(then.rows.value, now.rows.value, days / _DAYS_A_MONTH)
    return now.model_copy(update={"growth": Measure(value=value, unit=UNIT, source="measured", origin=origin)})
