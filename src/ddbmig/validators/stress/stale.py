"""Reads that may not see the write before them, because a GSI or an eventually consistent read lags behind it.

A pair counts where the logs have both on one connection: there somebody expects to see what he has written. Whether he
would is found by running the two on made-up rows, the read once on what the write left, once on what was there before.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from ddbmig.model.consistency import StaleRead
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.execute import PlanResult
from ddbmig.validators.stress.made_up import STORED, UNSUITED, Access, World
from ddbmig.validators.stress.memory import Items, Lag


def stale_reads(
    snapshot: Snapshot, world: World, writes: Iterable[Access], reads: Iterable[Access]
) -> tuple[StaleRead, ...]:  # fmt: skip
    """Every pair of the logs in which the read answers otherwise where it lags behind; the most called first."""
    together, found, looking = _together(snapshot), [], list(reads)
    for write in writes:
        for read in looking:
            calls = together.get(_pair(write.pattern.template, read.pattern.template), 0)
            if calls and write.written & read.touched and (place := _stale_through(world, write, read)):
                found.append(StaleRead(write=write.pattern.id, read=read.pattern.id, through=place, calls=calls))
    return tuple(sorted(found, key=lambda one: (-one.calls, one.write, one.read)))


def _together(snapshot: Snapshot) -> Mapping[tuple[str, str], int]:
    """By pair of templates how often one connection has both: within a second, or in one transaction or run."""
    counts: Counter[tuple[str, str]] = Counter()
    for near in snapshot.digest.neighbours:
        counts[_pair(near.first, near.second)] += near.calls
    for unit in snapshot.digest.units:
        ids = sorted(unit.calls)
        counts.update({(a, b): unit.count for n, a in enumerate(ids) for b in ids[n + 1 :]})
    return counts


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _stale_through(world: World, write: Access, read: Access) -> str:
    """The GSI through which the read misses the write, else the table; empty where it misses nothing."""
    try:
        before, items = world.items(), world.items()
        _finish(world, write, items)
        fresh = _finish(world, read, items)
        for lag in ("indexes", "all"):
            if _finish(world, read, items, before, lag).values != fresh.values:
                calls = [call for call in read.reads() if call.table in write.written and not call.consistent]
                through = [f"{c.table}/{c.index}" if c.index else c.table for c in calls if lag == "all" or c.index]
                return through[0] if through else ""
    except UNSUITED:
        return ""
    return ""


def _finish(
    world: World, access: Access, items: Items, lagging: Items | None = None, lag: Lag = "indexes"
) -> PlanResult:  # fmt: skip
    """The whole plan, without another client."""
    client = world.client("A", access, STORED + 1, items, lagging, lag)
    while not client.finished:
        client.advance()
    return client.answer
