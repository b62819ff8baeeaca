"""What a search over interleavings of writers found."""

from typing import Literal

from ddbmig.model.base import Value


class Anomaly(Value):
    """An interleaving that ends as no order of the writers one after the other does; the one with fewest switches."""

    kind: Literal["data", "crash", "answer"]
    """`data`: the items are others; `crash`: a writer that stopped left part of its work; `answer`: the items are
    right, but both writers were told that they changed the row."""
    pattern: str
    schedule: tuple[str, ...]
    """The calls in their order, `A: GetItem customers`; A and B are two clients that run the same access pattern."""
    tables: tuple[str, ...] = ()
    """Whose items are others."""


class Consistency(Value):
    """Every write of several calls, run by two clients at once in every order of their calls, and stopped between."""

    patterns: int
    """Access patterns that were tried."""
    schedules: int
    """Different interleavings and crashes that were run."""
    anomalies: tuple[Anomaly, ...] = ()
    not_run: tuple[str, ...] = ()
    """Access patterns that could not be run on made-up rows."""
