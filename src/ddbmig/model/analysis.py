"""Stage 5: what it all comes to."""

from decimal import Decimal
from typing import ClassVar

from ddbmig.model.assessment import Finding
from ddbmig.model.base import Document, Value
from ddbmig.model.design import Cost


class Metric(Value):
    """One figure of the operational complexity."""

    name: str
    value: float
    unit: str
    meaning: str


class CostPoint(Value):
    """Money per month after some months of growth."""

    months: int
    requests_usd: Decimal
    storage_usd: Decimal
    total_usd: Decimal


class OneOff(Value):
    """A cost that is not in every month, with the sum behind it. `usd` None: a price is not known."""

    name: str
    formula: str
    usd: Decimal | None


class Effort(Value):
    """Person-days for one indirect cost, as a range, with the formula behind it."""

    name: str
    low_days: float
    high_days: float
    formula: str


class Sensitivity(Value):
    """The monthly cost when one input is moved down and up."""

    input: str
    low_label: str
    high_label: str
    low_usd: Decimal
    high_usd: Decimal


class RiskItem(Value):
    """A risk, what raised it, and how to mitigate it."""

    risk: str
    raised_by: str
    mitigation: str


class Analysis(Document):
    """Stage 5's value."""

    SCHEMA_VERSION: ClassVar[int] = 2

    schema_version: int = 2
    alternative: str
    metrics: tuple[Metric, ...]
    projections: tuple[CostPoint, ...]
    best_usd: Decimal
    expected_usd: Decimal
    worst_usd: Decimal
    case_assumptions: tuple[str, ...]
    formulas: tuple[str, ...]
    """Each part of the alternative's bill as the product that it is."""
    conventions: tuple[str, ...]
    """What the bill counts, by which prices, and what it leaves out."""
    one_off: tuple[OneOff, ...]
    modes: tuple[Cost, ...]
    """The alternative's month in every mode and table class that the region has prices for, cheapest first."""
    mode_break_even: tuple[str, ...]
    efforts: tuple[Effort, ...]
    sensitivities: tuple[Sensitivity, ...]
    break_even: tuple[str, ...]
    risks: tuple[RiskItem, ...]
    acknowledgments: tuple[str, ...]
    evolution: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    not_analysed: tuple[str, ...] = ()
