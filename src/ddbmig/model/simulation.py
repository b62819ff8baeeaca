"""What the partition simulator found: figures of one run, and what cures its throttling."""

from collections.abc import Mapping
from typing import Literal

from ddbmig.model.base import Value
from ddbmig.model.scenario import Scenario

RemedyKind = Literal["warm throughput", "capacity", "shards", "cache"]


class Cause(Value):
    """Calls refused for one reason: `reason` as DynamoDB's exception names it, `structure` whose ARN it carries."""

    structure: str
    reason: str
    calls: float


class PatternLoad(Value):
    """The calls of one access pattern over a run; a plan of several calls counts each of them."""

    pattern: str
    offered: float
    served: float
    causes: tuple[Cause, ...] = ()

    @property
    def throttled(self) -> float:
        """Calls refused."""
        return sum(cause.calls for cause in self.causes)

    @property
    def share(self) -> float:
        """Calls refused ÷ calls."""
        return self.throttled / self.offered if self.offered else 0.0


class KeyHeat(Value):
    """One of the hottest keys of a structure, at the run's busiest second."""

    key: str
    """A keyed hash of the value, or where it comes from."""
    reads: float
    """What is asked of it, or of each of its shards, ÷ the reads that one partition serves."""
    writes: float
    """The same of writes."""
    parts: int = 1
    """Into how many parts its items can be split for heat; 1: not at all."""

    @property
    def limit_share(self) -> float:
        """The higher of both."""
        return max(self.reads, self.writes)


class StructureLoad(Value):
    """One table or GSI over a run."""

    structure: str
    partitions: int
    """At the start."""
    partitions_after: int
    heat_splits: int
    reads: float
    """Read units a second asked for at the busiest second."""
    writes: float
    strong: float = 0.0
    """The part of the read units that are strongly consistent: no cache can answer those."""
    throttled: float
    """Calls refused because of this structure."""
    heat: tuple[float, ...]
    """By minute, what was asked of the partition asked for most ÷ its limit; evenly thinned out in long runs."""
    keys: tuple[KeyHeat, ...] = ()

    @property
    def hottest(self) -> float:
        """The highest of `heat`."""
        return max(self.heat, default=0.0)


class Run(Value):
    """One simulated scenario on one variant of a design."""

    name: str
    scale: float
    celebrity: float = 0.0
    offered: float
    served: float
    patterns: tuple[PatternLoad, ...] = ()
    """Those with throttled calls, worst first."""
    structures: tuple[StructureLoad, ...] = ()
    """The hottest ones."""

    @property
    def throttled(self) -> float:
        """Calls refused."""
        return self.offered - self.served

    @property
    def share(self) -> float:
        """Calls refused ÷ calls."""
        return self.throttled / self.offered if self.offered else 0.0

    @property
    def worst(self) -> float:
        """The highest share of a pattern."""
        return max((pattern.share for pattern in self.patterns), default=0.0)

    @property
    def cascade(self) -> Mapping[str, float]:
        """By GSI that refused writes of its table, those writes ÷ the calls of the patterns that made them."""
        lost, calls = dict[str, float](), dict[str, float]()
        for pattern in self.patterns:
            for cause in pattern.causes:
                if cause.reason.startswith("IndexWrite"):
                    lost[cause.structure] = lost.get(cause.structure, 0.0) + cause.calls
                    calls[cause.structure] = calls.get(cause.structure, 0.0) + pattern.offered
        return {name: lost[name] / calls[name] for name in sorted(lost, key=lambda one: (-lost[one], one))}


class Remedy(Value):
    """One change that takes throttling away."""

    structure: str
    kind: RemedyKind
    reads: float = 0.0
    writes: float = 0.0
    """Of throughput."""
    amount: float = 0.0
    """Shards, or the share of reads that the cache answers."""


class Cure(Value):
    """What was tried against a run's throttling, and what a run with all of it showed."""

    run: str
    before: float
    """Throttled share of the worst pattern."""
    remedies: tuple[Remedy, ...]
    after: float
    cured: bool


class IndexRoom(Value):
    """How far a GSI is from refusing writes of its table."""

    structure: str
    key: str
    """The key that is written most; empty where none stands out."""
    key_share: float
    """What it takes of the writes that one partition serves, at scale 1."""
    from_scale: float
    """Times the traffic of the logs from which its table's writes are refused: the key's, or all that it holds new."""


class Simulation(Value):
    """Stage 4's simulations of the chosen design. `seed` decides where keys lie."""

    seed: int
    minutes: int
    mode: str
    runs: tuple[Run, ...]
    index_runs: tuple[Run, ...] = ()
    """Scenarios in which the GSIs are the narrow place."""
    indexes: tuple[IndexRoom, ...] = ()
    """The GSIs that writes maintain, the narrowest first."""
    cures: tuple[Cure, ...] = ()

    def at(self, scale: float, celebrity: float = 0.0) -> Run | None:
        """The run at a scale."""
        return next((run for run in self.runs if (run.scale, run.celebrity) == (scale, celebrity)), None)


class Comparison(Value):
    """A scenario and its alternatives side by side."""

    scenario: Scenario
    runs: tuple[Run, ...]
    cures: tuple[Cure, ...] = ()
