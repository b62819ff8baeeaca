"""Which design a hand-over file was made from: every one says it."""

from collections.abc import Iterator
from dataclasses import dataclass

DRAFT = "none, a draft"


@dataclass(frozen=True)
class Origin:
    """The alternative, the approval of its design, and the contract, as SHA-256 in hex."""

    alternative: str
    approval: str | None
    """The decision content that the approval of stage 3 names; None: the design or its contract is not approved."""
    contract: str
    """Of the bytes of migrationContract.json."""

    def data(self) -> dict[str, str]:
        """By name, for formats that have a place for it."""
        return {"alternative": self.alternative, "approval": self.approval or DRAFT, "contract": self.contract}

    def lines(self) -> Iterator[str]:
        """For comments: one line each. An alternative's id is a word of ours, the rest is hex."""
        yield "Made by ddbmig export; make it again after a change of the design instead of editing it."
        yield from (f"{name}: {value}" for name, value in self.data().items())

    def tags(self) -> dict[str, str]:
        """As tags of AWS resources: letters, digits, spaces and `+-=._:/@` only."""
        return {f"ddbmig:{name}": value.replace(",", ":") for name, value in self.data().items()}
