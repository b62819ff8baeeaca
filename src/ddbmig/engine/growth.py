"""Growth of calls and items, declared or assumed."""

from dataclasses import dataclass

from ddbmig.model.context import Context
from ddbmig.model.errors import UsageError
from ddbmig.model.measure import Source

MONTHS = (0, 12, 36)
"""The guide asks for projections; a year and the three years of a usual budget."""
ASSUMED_GROWTH = 5.0
"""Percent a month where nobody declared any."""
MAX_GROWTH = 100.0
"""Percent a month beyond which a projection over 36 months says nothing."""


@dataclass(frozen=True)
class Growth:
    """Percent a month, and who said so."""

    percent: float
    source: Source

    def after(self, months: int, times: float = 1.0) -> float:
        """The factor on calls and items after some months of `times` this growth; a shrink stops at nothing."""
        return float(max(0.0, 1 + self.percent * times / 100) ** months)


def growth_of(context: Context) -> Growth:
    """The growth to project with. Raises UsageError for a declared one that no projection can use."""
    declared = context.growth_percent_per_month
    if declared is None:
        return Growth(ASSUMED_GROWTH, "assumed")
    if not -MAX_GROWTH < declared <= MAX_GROWTH:
        raise UsageError(
            f"a growth of {declared:g} % a month cannot be projected", subject="context.growth_percent_per_month",
            expected=f"more than -{MAX_GROWTH:g} and at most {MAX_GROWTH:g}", hint="correct it in ddbmig.yaml",
        )  # fmt: skip
    return Growth(declared, "declared")
