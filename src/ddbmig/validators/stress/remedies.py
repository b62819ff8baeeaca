"""What takes the throttling of a run away: tried change by change, and believed only where a run with it shows so."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from ddbmig.model.design import Alternative
from ddbmig.model.scenario import Scenario, Throughput
from ddbmig.model.simulation import Cure, KeyHeat, Remedy, RemedyKind, Run, StructureLoad
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.stress.limits import NEW_ON_DEMAND
from ddbmig.validators.stress.runs import mode_of, run

ROUNDS = 12
"""Changes that are tried one after the other."""
TOLERATED = 0.001
"""Share of an access pattern's calls that may be throttled: the client's retries take care of so few."""
HEADROOM = 0.8
"""Share of a limit that a remedy fills."""
MOST_SHARDS, MOST_CACHED = 1_000, 0.99
FINE = 0.2
"""Share of a partition's limit that a shard takes from which more shards help where several meet in one partition."""
MOST_TIMES = 8
"""Times what is asked for that a structure is made to hold, so that crowded keys come to lie apart."""


def cure(snapshot: Snapshot, alternative: Alternative, scenario: Scenario, found: Run) -> Cure:
    """Change after change against what throttles most, each run again, until little is throttled or nothing helps.

    More throughput comes first where a structure as a whole is asked for more than it holds, or where several keys
    crowd one partition; then shards for a key that is written too often, a cache for one that is read too often.
    """
    last, first = scenario, found.worst
    tried: dict[tuple[str, str], Remedy] = {}
    for _ in range(ROUNDS):
        remedies = [one for load in found.structures if load.throttled for one in _against(load, last, snapshot)]
        if found.worst <= TOLERATED or not remedies:
            break
        tried |= {(one.structure, one.kind): one for one in remedies}
        last = _with(last, remedies)
        found = run(snapshot, alternative, last)
    cured = found.worst <= TOLERATED
    if cured:
        last, found = _fewest_shards(snapshot, alternative, last, found)
    kept = (one.model_copy(update={"amount": last.shards[one.structure]}) if one.kind == "shards" else one
            for _, one in sorted(tried.items()))  # fmt: skip
    return Cure(run=scenario.name, before=first, remedies=tuple(kept), after=found.worst, cured=cured)


def _fewest_shards(
    snapshot: Snapshot, alternative: Alternative, scenario: Scenario, found: Run
) -> tuple[Scenario, Run]:  # fmt: skip
    """Halve the distance to the fewest shards that still do, structure by structure: each shard makes reads dearer."""
    for structure in sorted(scenario.shards):
        least, most = 2, scenario.shards[structure]
        while least < most:
            middle = (least + most) // 2
            leaner = scenario.model_copy(update={"shards": {**scenario.shards, structure: middle}})
            tried = run(snapshot, alternative, leaner)
            if tried.worst <= TOLERATED:
                scenario, found, most = leaner, tried, middle
            else:
                least = middle + 1
    return scenario, found


def _against(load: StructureLoad, scenario: Scenario, snapshot: Snapshot) -> list[Remedy]:
    """What to try next for a structure that throttles."""
    kind: RemedyKind = "warm throughput" if mode_of(snapshot, scenario) == "on-demand" else "capacity"
    held = getattr(scenario, kind.replace(" ", "_")).get(load.structure)
    start = held or (NEW_ON_DEMAND if kind == "warm throughput" else Throughput())
    key = next((key for key in load.keys if key.limit_share > HEADROOM), None)
    if start.reads < load.reads or start.writes < load.writes:
        reads, writes = _up(load.reads, start.reads), _up(load.writes, start.writes)
    elif key is not None:
        return _spread(load, key, scenario)
    elif load.structure in scenario.shards and load.keys and load.keys[0].limit_share > FINE:
        return [Remedy(structure=load.structure, kind="shards", amount=ceil(1.5 * scenario.shards[load.structure]))]
    elif start.reads < MOST_TIMES * load.reads or start.writes < MOST_TIMES * load.writes:
        reads, writes = 2 * start.reads, 2 * start.writes
    else:
        return []
    return [Remedy(structure=load.structure, kind=kind, reads=reads, writes=writes)]


def _up(asked: float, held: float) -> float:
    """What is asked for with headroom, in whole hundreds; what is held where that is enough."""
    return held if held >= asked else float(ceil(asked / HEADROOM / 100) * 100)


def _spread(load: StructureLoad, key: KeyHeat, scenario: Scenario) -> list[Remedy]:
    """Shards for a key that is mostly written, or read in a way that no cache can answer; else a cache."""
    if key.writes >= key.reads or load.strong * key.reads > HEADROOM:
        now = scenario.shards.get(load.structure, 1)
        wanted = max(2, ceil(now * key.limit_share / HEADROOM))
        return [Remedy(structure=load.structure, kind="shards", amount=wanted)] if wanted <= MOST_SHARDS else []
    missed = (1.0 - scenario.cached_reads.get(load.structure, 0.0)) * HEADROOM / key.limit_share
    cached = ceil((1.0 - missed) * 100) / 100
    return [Remedy(structure=load.structure, kind="cache", amount=cached)] if cached <= MOST_CACHED else []


def _with(scenario: Scenario, remedies: list[Remedy]) -> Scenario:
    """The scenario with more changes."""
    changed: dict[str, dict[str, Any]] = {
        name: dict(getattr(scenario, name)) for name in ("warm_throughput", "capacity", "shards", "cached_reads")
    }
    for one in remedies:
        name, value = _setting(one)
        changed[name][one.structure] = value
    return scenario.model_copy(update=changed)


def _setting(remedy: Remedy) -> tuple[str, Throughput | int | float]:
    throughput: Mapping[str, str] = {"warm throughput": "warm_throughput", "capacity": "capacity"}
    if remedy.kind in throughput:
        return throughput[remedy.kind], Throughput(reads=max(1.0, remedy.reads), writes=max(1.0, remedy.writes))
    return ("shards", int(remedy.amount)) if remedy.kind == "shards" else ("cached_reads", remedy.amount)
