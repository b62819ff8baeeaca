"""Why a verdict came out, where a rule fired, how a pattern is answered, and what a change of the rules alters."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from ddbmig.model.assessment import Confidence, FactValue, Finding, LedgerLine, Verdict
from ddbmig.model.base import Value
from ddbmig.model.gate import RuleSummary
from ddbmig.model.measure import Source


class Flip(Value):
    """One fact that alone would change the verdict, all others being as they are: the nearest such value."""

    fact: str
    now: str
    """Its value as it is shown, with its unit."""
    change: str
    """`rose above 70 %`, `fell to 100 rows`, `were true`."""
    value: FactValue
    """The value that was tried, with all its digits."""
    verdict: Verdict
    margin: int
    rules: tuple[str, ...]
    """Those that would begin or cease to fire."""


class KnownFact(Value):
    """A fact that a rule rested on: how it is shown, where it comes from and how sure it is."""

    name: str
    shown: str
    source: Source
    origin: str
    confidence: Confidence


class Explanation(Value):
    """One relationship: what added up to its verdict, and what would flip it."""

    relationship: str
    verdict: Verdict
    margin: int
    points: Mapping[str, int]
    forbidden: Mapping[str, str]
    ledger: tuple[LedgerLine, ...]
    findings: tuple[Finding, ...]
    facts: tuple[KnownFact, ...]
    """Those that the rules which fired look at, as far as they are known; by name."""
    flips: tuple[Flip, ...]


class Fired(Value):
    """One object on which a rule fired, or nearly: `because` are the lines that held, or the one that did not."""

    subject: str
    because: tuple[str, ...]


class RuleExplanation(Value):
    """One rule: what it says, on which objects of the last analysis it fires, and where a single line is missing."""

    rule: RuleSummary
    conditions: tuple[str, ...]
    objects: int
    """How many the last analysis has of what the rule looks at."""
    fires: tuple[Fired, ...]
    nearly: tuple[Fired, ...]


class Answer(Value):
    """How one alternative answers an access pattern, and what that costs; all alternatives that do it alike."""

    alternatives: tuple[str, ...]
    chosen: bool
    calls: tuple[str, ...]
    """`Query orders/orders_by_status`, in their order; none where it is routed."""
    routed: tuple[str, ...] = ()
    round_trips: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    usd_per_month: Decimal | None = None
    """Its requests on demand; None where a price is not known, or there are none."""


class Proved(Value):
    """What stage 4 found of a pattern when it last ran."""

    status: str
    why: str
    engine: str
    current: bool
    """Whether it ran on the design that is saved now."""
    runs: int
    consumed_read_units: float
    consumed_write_units: float


class PatternExplanation(Value):
    """One access pattern: its entry in plans.json, how each alternative answers it, and what stage 4 found."""

    alternative: str
    """The chosen one, whose plan it is."""
    plan: Mapping[str, Any]
    """The entry of plans.json."""
    rates: Source
    """How it is known how often the pattern is executed."""
    answers: tuple[Answer, ...]
    """The chosen alternative's first, then the cheapest."""
    proof: Proved | None
    """None where stage 4 has not been run."""


class RuleChange(Value):
    """What became of one rule between two rulebooks."""

    rule: str
    title: str
    change: Literal["added", "removed", "changed"]
    details: tuple[str, ...] = ()


class Effect(Value):
    """What the change alters on one object of the last analysis."""

    subject: str
    before: str
    after: str


class RuleDiff(Value):
    """Two rulebooks compared; `effects` is None where there is no analysis to try them on."""

    changes: tuple[RuleChange, ...]
    effects: tuple[Effect, ...] | None = None
