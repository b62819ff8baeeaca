"""What stage 4 says of access patterns, in the words of the page: the one place that knows its statuses."""

from collections.abc import Mapping
from dataclasses import dataclass

from ddbmig.model.validation import PatternResult, Status, Validation

WORDS: Mapping[Status, tuple[str, str]] = {
    "proved": ("proved", "good"),
    "mismatched": ("mismatched", "bad"),
    "not proved": ("not proved", "open"),
    "routed": ("routed", "open"),
}
"""By status, the word that is shown and how it looks."""
PROVED, MISMATCHED, OPEN = "proved on", "mismatched: plan and SQL differ", "not proved, or routed to another system"
"""What the first screen says of how many access patterns."""


@dataclass(frozen=True)
class Proof:
    """How many access patterns came to what."""

    proved: int
    mismatched: int
    open: int
    """Neither proved nor mismatched."""

    @property
    def all(self) -> int:
        """All access patterns."""
        return self.proved + self.mismatched + self.open


def proof_of(validation: Validation) -> Proof:
    """The access patterns counted."""
    looks = [WORDS[one.status][1] for one in validation.patterns]
    return Proof(looks.count("good"), looks.count("bad"), looks.count("open"))


def status_of(result: PatternResult | None) -> tuple[str, str]:
    """The word for one access pattern's result, and how it looks."""
    return WORDS[result.status] if result else ("not tried", "open")
