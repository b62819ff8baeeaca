"""One scenario on one variant of a design: built, simulated, and told in the words of the model."""

from collections.abc import Callable, Sequence
from math import pi, sin

import numpy

from ddbmig.model.design import Alternative
from ddbmig.model.scenario import Scenario, Shape, Throughput
from ddbmig.model.simulation import Cause, KeyHeat, PatternLoad, Run, StructureLoad
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.stress.limits import MINUTE, NEW_ON_DEMAND, Limits
from ddbmig.validators.stress.partitions import Floats
from ddbmig.validators.stress.simulator import CAUSES, TOTAL, Outcome, Simulation
from ddbmig.validators.stress.traffic import Options, Traffic, traffic_of

MOST_STRUCTURES, MOST_KEYS, MOST_POINTS = 20, 3, 12
"""Structures of a run that are kept, keys of a structure, and points of its heat over time."""
DIGITS = 6
"""Significant digits of what is kept: the rest is noise of the arithmetic."""
_REST = 1e-6
"""Throttled calls ÷ calls that are rounding of the arithmetic and no throttling."""


def run(snapshot: Snapshot, alternative: Alternative, scenario: Scenario) -> Run:
    """Simulate a scenario on an alternative, whichever one the scenario itself names."""
    traffic = traffic_at(snapshot, alternative, scenario)
    limits = _limits(snapshot, alternative, traffic, scenario)
    shape = shape_of(scenario.shape, scenario.minutes, traffic.quiet)
    simulation = Simulation(traffic.streams, limits, [place.bytes for place in traffic.places], shape)
    before = [simulation.partitions.count(place.number) for place in traffic.places]
    outcome = simulation.run()
    return Run(
        name=scenario.name,
        scale=scenario.scale,
        celebrity=scenario.celebrity.share if scenario.celebrity else 0.0,
        offered=_kept(outcome.offered.sum()),
        served=_kept(outcome.served.sum()),
        patterns=_patterns(traffic, outcome, mode_of(snapshot, scenario) == "provisioned"),
        structures=_structures(traffic, outcome, simulation, before),
    )


def traffic_at(snapshot: Snapshot, alternative: Alternative, scenario: Scenario) -> Traffic:
    """The traffic of a scenario."""
    options = Options(scenario.shards, scenario.cached_reads, scenario.backfill_minutes, scenario.celebrity,
                      scenario.scale, scenario.seed)  # fmt: skip
    return traffic_of(snapshot, alternative, options)


def mode_of(snapshot: Snapshot, scenario: Scenario) -> str:
    """The capacity mode that a scenario runs under."""
    return scenario.mode or snapshot.pricing.mode


def shape_of(shape: Shape, minutes: int, quiet: float) -> list[float]:
    """The share of the full rate that is asked for in each second; it changes from minute to minute."""
    third, last = max(1, minutes // 3), max(1, minutes - 1)
    rise: Callable[[int], float] = {
        "flat": lambda _: 1.0,
        "peak": lambda minute: float(minutes < 3 or third <= minute < 2 * third),
        "ramp": lambda minute: minute / last,
        "day": lambda minute: sin(pi * minute / last) ** 2,
    }[shape]
    return [quiet + (1 - quiet) * rise(minute) for minute in range(minutes) for _ in range(MINUTE)]


def _limits(snapshot: Snapshot, alternative: Alternative, traffic: Traffic, scenario: Scenario) -> Limits:
    """On demand what a new table serves; provisioned what the peak takes at scale 1; or what the scenario says."""
    target = snapshot.pricing.target_utilisation
    if mode_of(snapshot, scenario) == "on-demand":
        held = [scenario.warm_throughput.get(place.name, NEW_ON_DEMAND) for place in traffic.places]
        return Limits(held, provisioned=False, target=None)
    plain = traffic_of(snapshot, alternative, Options(seed=scenario.seed))
    needed = numpy.maximum(1.0, numpy.ceil(numpy.round(plain.units() / target, 9)))
    held = [
        scenario.capacity.get(place.name, Throughput(reads=needed[place.number, 0], writes=needed[place.number, 1]))
        for place in traffic.places
    ]
    return Limits(held, provisioned=True, target=target if scenario.auto_scaling else None)


# --- what is told ---


def _patterns(traffic: Traffic, outcome: Outcome, provisioned: bool) -> tuple[PatternLoad, ...]:
    """The access patterns with throttled calls, the worst first."""
    found: dict[str, tuple[float, float, Floats]] = {}
    for number, pattern in enumerate(traffic.patterns):
        offered, served, throttled = found.get(pattern, (0.0, 0.0, numpy.zeros(outcome.throttled.shape[1])))
        found[pattern] = (offered + outcome.offered[number], served + outcome.served[number],
                          throttled + outcome.throttled[number])  # fmt: skip
    loads = [
        PatternLoad(pattern=pattern, offered=_kept(offered), served=_kept(served),
                    causes=_causes(traffic, throttled, provisioned))
        for pattern, (offered, served, throttled) in found.items()
        if throttled.sum() > _REST * offered
    ]  # fmt: skip
    return tuple(sorted(loads, key=lambda load: (-load.share, load.pattern)))


def _causes(traffic: Traffic, throttled: Floats, provisioned: bool) -> tuple[Cause, ...]:
    total = throttled.sum()
    found: dict[tuple[str, str], float] = {}
    for number in numpy.flatnonzero(throttled > _REST * total):
        structure, kind = divmod(int(number), CAUSES)
        place = traffic.places[structure].name
        reason = ("Index" if "/" in place else "Table") + ("Write" if kind % 2 else "Read")
        reason += "ProvisionedThroughputExceeded" if provisioned and kind >= TOTAL else "KeyRangeThroughputExceeded"
        found[place, reason] = found.get((place, reason), 0.0) + float(throttled[number])
    causes = [Cause(structure=place, reason=why, calls=_kept(calls)) for (place, why), calls in found.items()]
    return tuple(sorted(causes, key=lambda cause: (-cause.calls, cause.structure, cause.reason)))


def _structures(
    traffic: Traffic, outcome: Outcome, simulation: Simulation, before: Sequence[int]
) -> tuple[StructureLoad, ...]:
    """The structures that were asked for most, by their hottest partition."""
    throttled = outcome.throttled.sum(axis=0).reshape(-1, CAUSES).sum(axis=1)
    units, strong = traffic.units(), traffic.strong_shares()
    loads = [
        StructureLoad(
            structure=place.name,
            partitions=before[place.number],
            partitions_after=outcome.partitions[place.number],
            heat_splits=outcome.splits[place.number],
            reads=_kept(units[place.number, 0]),
            writes=_kept(units[place.number, 1]),
            strong=_kept(strong[place.number]),
            throttled=_kept(throttled[place.number]),
            heat=_thinned(outcome.heat[:, place.number]),
            keys=_hottest_keys(traffic, simulation, place.number),
        )
        for place in traffic.places
    ]
    loads.sort(key=lambda load: (-load.throttled, -load.hottest, load.structure))
    return tuple(load for n, load in enumerate(loads) if load.hottest > 0 and n < MOST_STRUCTURES)


def _thinned(heat: Floats) -> tuple[float, ...]:
    """At most so many points: the highest of as many minutes in a row as it takes."""
    width = -(-len(heat) // MOST_POINTS)
    return tuple(_kept(heat[start : start + width].max()) for start in range(0, len(heat), width))


def _hottest_keys(traffic: Traffic, simulation: Simulation, structure: int) -> tuple[KeyHeat, ...]:
    """The keys with a place of their own that are asked for most; the shards of one are keys of their own."""
    keys, place = simulation.keys, traffic.places[structure]
    first, last = numpy.searchsorted(keys, (structure, structure + 1))
    found: dict[str, Floats] = {}
    for key, heat in zip(keys[first:last].tolist(), simulation.load[first:last] / place.shards, strict=True):
        if key in traffic.labels:
            found[traffic.labels[key]] = found.get(traffic.labels[key], numpy.zeros(2)) + heat
    ordered = sorted(found.items(), key=lambda one: (-one[1].max(), one[0]))[:MOST_KEYS]
    return tuple(KeyHeat(key=key, reads=_kept(r), writes=_kept(w), parts=place.parts) for key, (r, w) in ordered)


def _kept(value: float) -> float:
    return float(f"{float(value):.{DIGITS}g}")
