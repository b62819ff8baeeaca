"""A scenario file: which traffic meets which design in a simulation, and the alternatives to compare it with."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ddbmig.model.base import Value
from ddbmig.model.context import Mode

Shape = Literal["flat", "peak", "ramp", "day"]
MOST_MINUTES = 24 * 60
Share = Annotated[float, Field(gt=0, lt=1)]
Shards = Annotated[int, Field(ge=2, le=1000)]


class Throughput(Value):
    """Read and write units a second."""

    reads: float = Field(default=1, ge=1, le=1e8)
    """Read units a second."""
    writes: float = Field(default=1, ge=1, le=1e8)
    """Write units a second."""


class Celebrity(Value):
    """One key that suddenly everybody asks for, of every table and GSI or of one table with its GSIs."""

    share: Share
    """Of the calls, the share that meets the one key."""
    table: str | None = None
    """A table of the design; all of them where none is named."""


class Variant(Value):
    """How the design is built and held. Structures are named `table` or `table/index`."""

    design: str | None = None
    """An alternative of stage 3; the chosen one where none is named."""
    mode: Mode | None = None
    """How capacity is paid for; that of `pricing` in ddbmig.yaml where none is named."""
    warm_throughput: Mapping[str, Throughput] = {}
    """By structure, what it can serve from the start on demand."""
    capacity: Mapping[str, Throughput] = {}
    """By structure, provisioned units; what is not named holds what the design's peak takes at scale 1."""
    auto_scaling: bool = True
    """Whether provisioned capacity follows the traffic, with its lag."""
    shards: Mapping[str, Shards] = {}
    """By structure, over how many suffixes each partition key is spread. Where there is a sort key the suffix follows
    from it, so a GetItem asks one; every other read asks all of them."""
    cached_reads: Mapping[str, Share] = {}
    """By structure, the share of its eventually consistent reads that a cache answers."""
    backfill_minutes: Mapping[str, Annotated[int, Field(ge=1, le=MOST_MINUTES)]] = {}
    """By GSI, in how many minutes it is filled from its table while the traffic goes on."""


class Alternative(Variant):
    """One of several variants to compare: what it names replaces what the scenario says."""

    name: str = Field(min_length=1, max_length=60)


class Scenario(Variant):
    """A scenario file."""

    name: str = Field(min_length=1, max_length=60)
    """What it is called where it is reported."""
    scale: float = Field(default=1.0, gt=0, le=10_000)
    """Times the traffic of the logs."""
    minutes: int = Field(default=60, ge=1, le=MOST_MINUTES)
    """How long."""
    shape: Shape = "peak"
    """`flat`: each pattern at its busiest second all the time; `peak`: that in the middle third, the average before and
    after; `ramp`: from the average up to it; `day`: from the average up to it and back."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    """Decides where keys lie."""
    celebrity: Celebrity | None = None
    """One key that everybody asks for."""
    alternatives: tuple[Alternative, ...] = Field(default=(), max_length=20)
    """What to compare with the scenario as it stands above."""
