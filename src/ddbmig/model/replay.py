"""Stage 4: the logs' mix of statements made again, as DynamoDB calls, on the engine of the validation."""

from collections.abc import Mapping

from ddbmig.model.base import Value

ROUND_TRIP_MS = 10.0
"""Milliseconds that one call takes at most as a rule: AWS promises "single-digit millisecond performance" (Amazon
DynamoDB developer guide, "What is Amazon DynamoDB?"). The network between client and endpoint comes on top."""


class PatternReplay(Value):
    """The statements of one access pattern that were drawn."""

    pattern: str
    runs: int
    rows: int
    """Rows returned or changed, over all runs."""
    trips: tuple[int, int, int]
    """Sequential round trips of a run: at the median, at the 99th percentile, and at most."""
    planned_trips: int
    read_units: float
    """Mean RRU of a run, by section A5 on the items that it touched."""
    planned_read_units: float
    write_units: float
    """Mean WRU of a run."""
    planned_write_units: float
    required_ms: float | None = None
    """The strictest declared p99 of a table that it touches."""

    @property
    def estimated_ms(self) -> float:
        """An upper estimate of the 99th percentile: round trips × `ROUND_TRIP_MS`."""
        return self.trips[1] * ROUND_TRIP_MS

    @property
    def late(self) -> bool:
        """Whether the estimate is above what is required."""
        return self.required_ms is not None and self.estimated_ms > self.required_ms


class Replay(Value):
    """A sequence of statements in the proportions of the logs, one client after the other."""

    seed: int
    statements: int
    """Statements drawn, all of access patterns with a plan."""
    refused: Mapping[str, int] = {}
    """Why DynamoDB refused statements, and how many."""
    not_run: tuple[str, ...] = ()
    """Access patterns whose parameters could not be sampled or evaluated."""
    patterns: tuple[PatternReplay, ...] = ()

    @property
    def runs(self) -> int:
        """Statements that were answered."""
        return sum(one.runs for one in self.patterns)
