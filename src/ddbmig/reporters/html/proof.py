"""What stage 4 says of access patterns, in the words of the page: the one place that knows its statuses."""

from collections.abc import Mapping
from dataclasses import dataclass

from ddbmig.model.validation import PatternResult, Status, Validation

WORDS: Mapping[Status, tuple[str, str]] = {
    "passed": ("passed", "good"),
    "failed": ("failed", "bad"),
    "not compared": ("not compared", "open"),
    "not run": ("not run", "open"),
}
"""By status, the word that is shown and how it looks."""
PROVED, FAILED, OPEN = "passed on", "failed", "not compared or not run: nothing is proved of them"
"""What the first screen says of how many access patterns."""


@dataclass(frozen=True)
class Proof:
    """How many access patterns came to what."""

    proved: int
    failed: int
    open: int
    """Neither proved nor failed."""

    @property
    def all(self) -> int:
        """All access patterns."""
        return self.proved + self.failed + self.open


def proof_of(validation: Validation) -> Proof:
    """The access patterns counted."""
    looks = [WORDS[one.status][1] for one in validation.patterns]
    return Proof(looks.count("good"), looks.count("bad"), looks.count("open"))


def status_of(result: PatternResult | None) -> tuple[str, str]:
    """The word for one access pattern's result, and how it looks."""
    return WORDS[result.status] if result else ("not tried", "open")
