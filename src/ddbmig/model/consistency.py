"""What a search over interleavings of clients found."""

from typing import Literal

from ddbmig.model.base import Value

Kind = Literal["data", "crash", "lag", "repeat", "answer", "read"]


class Anomaly(Value):
    """An interleaving that ends as no order of the clients one after the other does; the one with fewest switches."""

    kind: Kind
    """`data`: the items are others. `crash`: a client that stopped left part of its work. `lag`: the items are others,
    but only where a GSI does not know of the other client's write yet. `repeat`: a call that arrived twice, as retries
    of the SDK make it, changed the items twice. `answer`: the items are right, but both clients were told that they
    changed the row. `read`: a reader saw a part of what a write changes."""
    pattern: str
    other: str = ""
    """What client B runs, where it is another access pattern."""
    schedule: tuple[str, ...]
    """The calls in their order, `A: GetItem customers`."""
    tables: tuple[str, ...] = ()
    """Whose items are others."""


class StaleRead(Value):
    """A read that may not see the write before it: it reads in an eventually consistent way what that write changes."""

    write: str
    read: str
    through: str
    """The GSI, `table/index`, or the table: of a table a strongly consistent read can be had, of a GSI none."""
    calls: int
    """How often the logs have the two on one connection within a second, or in one transaction."""


class Consistency(Value):
    """Writes run by two clients at once in every order of their calls, stopped between them, and called twice."""

    patterns: int
    """Writes that were tried against themselves."""
    pairs: int = 0
    """Pairs of a write and another write or a read that meet in a table and were tried against each other."""
    pairs_left_out: int = 0
    """Further pairs, with fewer calls, that were not."""
    schedules: int
    """Different interleavings, crashes and repetitions that were run."""
    anomalies: tuple[Anomaly, ...] = ()
    stale: tuple[StaleRead, ...] = ()
    """The most called first."""
    not_run: tuple[str, ...] = ()
    """Access patterns that could not be run on made-up rows."""

    def of(self, *kinds: Kind) -> tuple[Anomaly, ...]:
        """The anomalies of these kinds."""
        return tuple(one for one in self.anomalies if one.kind in kinds)
