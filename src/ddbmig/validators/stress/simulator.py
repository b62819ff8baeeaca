"""The partition simulator: streams of calls meet partitions and limits, second by second.

In each second the calls of all streams arrive evenly, at their expected number. A call takes units of one or more
partitions and of their table's or GSI's limit; it is served where all of them have units left and throttled where one
has not, and then takes none: the write that an index cannot follow is refused at its table (section A2 of the DynamoDB
facts, with no backlog of the index, the worst case). Nobody tries again: what is throttled is lost.

Calls that meet the same partitions are simulated as one group, so a second costs as much as there are such groups; a
second like the one before costs next to nothing. All is a function of its arguments: there is no chance in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy

from ddbmig.validators.stress.limits import MINUTE, Limits
from ddbmig.validators.stress.partitions import (
    PARTITION_BYTES,
    READS_PER_PARTITION,
    WRITES_PER_PARTITION,
    Floats,
    Ints,
    Partitions,
    sums,
)

PARTITION, TOTAL = 0, 2
"""Kinds of what throttles: a partition's limit, or that of the whole structure; plus 1 for writes."""
CAUSES = 4
"""Per structure."""
_NOISE = 1e-12


@dataclass(frozen=True)
class Touch:
    """What one call takes of one structure: units, and for each flow of its stream the key that it meets."""

    structure: int
    units: float
    write: bool
    keys: Floats
    """On the line of `Partitions`, one for each flow."""
    new_bytes: float = 0.0
    """What a call adds to the structure for good."""
    strong: bool = False
    """Whether it is a strongly consistent read."""


@dataclass(frozen=True)
class Stream:
    """Calls of one kind. Its flows differ in the keys that they meet; `weights` are their shares of the calls."""

    rate: float
    """Calls a second where the shape of the traffic is 1."""
    weights: Floats
    touches: tuple[Touch, ...]


@dataclass
class Outcome:
    """What a run showed."""

    offered: Floats
    """Calls by stream."""
    served: Floats
    throttled: Floats
    """Calls by stream and cause (structure × CAUSES + kind)."""
    heat: Floats
    """By minute and structure: what was asked of the partition that was asked for most, at most, ÷ its limit."""
    top: Floats
    """The same of what was served."""
    lost: Floats
    """By minute and structure: calls that it has stopped."""
    partitions: list[int]
    splits: list[int]
    """For heat."""
    held: Floats
    """Limits at the end."""


@dataclass
class _Groups:
    """Flows by the partitions that they meet, and what each group's calls take."""

    stream: Ints
    weight: Floats
    group: Ints
    """Of each entry: one entry for each touch of a group, for its partition; and one for its structure's limit."""
    resource: Ints
    take: Floats
    cause: Ints
    added: Floats
    """Bytes that a call of the entry adds to its partition."""


@dataclass
class _Second:
    """What happens in a second that is like this one."""

    offered: Floats
    served: Floats
    throttled: Floats
    heat: Floats
    """By partition: what is asked of it ÷ its limit, of reads or writes the higher."""
    used: Floats
    """By resource."""
    added: Floats
    """Bytes by partition."""
    hottest: Floats
    """By structure: the highest of heat."""
    top: Floats
    """By structure: the same of what was served."""
    lost: Floats
    """By structure: calls that it has stopped."""


class Simulation:
    """One run. `shape` is the share of the streams' rates that is asked for in each second."""

    def __init__(
        self, streams: Sequence[Stream], limits: Limits, sizes: Sequence[float], shape: Sequence[float]
    ) -> None:  # fmt: skip
        """`sizes` are the bytes of the structures before the first second."""
        self.streams, self.limits, self.shape = streams, limits, shape
        self.units = units_of(self.streams, len(sizes))
        self.keys, self.load = _loads(self.streams)
        """Every key, and what it is asked for at the full rate: the parts of a partition's read and write limits."""
        needed = limits.partitions()
        counts = [max(n, ceil(size / PARTITION_BYTES)) for n, size in zip(needed, sizes, strict=True)]
        self.partitions = Partitions(counts, sizes, self.keys, self.load.sum(axis=1))
        self.structures = len(sizes)
        self._regroup()

    def run(self) -> Outcome:
        """Every second of the shape."""
        structures, minutes = self.structures, -(-len(self.shape) // MINUTE)
        outcome = Outcome(
            offered=numpy.zeros(len(self.streams)),
            served=numpy.zeros(len(self.streams)),
            throttled=numpy.zeros((len(self.streams), structures * CAUSES)),
            heat=numpy.zeros((minutes, structures)),
            top=numpy.zeros((minutes, structures)),
            lost=numpy.zeros((minutes, structures)),
            partitions=[], splits=[], held=self.limits.held,
        )  # fmt: skip
        last: tuple[float, bytes] | None = None
        for number, factor in enumerate(self.shape):
            offered = numpy.minimum(self.limits.offered(), 2 * factor * self.units)  # more than twice what is asked for
            if (state := (factor, offered.tobytes())) != last:  # is no limit and makes no other second
                second, last = self._second(factor, offered), state
            _add(outcome, second, number // MINUTE)
            if self._after(second):
                self._regroup()
                last = None
        _finish(outcome, self.partitions, self.limits)
        return outcome

    def _after(self, second: _Second) -> bool:
        """What a second leaves behind; whether partitions have been split."""
        self.partitions.bytes += second.added
        limit_units = second.used[2 * len(self.partitions.bounds) :].reshape(-1, 2)
        changed = self.partitions.note_heat(second.heat) and self.partitions.split_hot()
        if self.limits.take(limit_units):
            changed |= self.partitions.split_large()
            for structure, count in enumerate(self.limits.partitions()):
                changed |= self.partitions.grow(structure, count)
        return changed

    # --- groups ---

    def _regroup(self) -> None:
        """Put the flows of each stream together that meet the same partitions."""
        partitions = len(self.partitions.bounds)
        kinds, weights, entries, groups = [_NONE], [_EMPTY], [_NO_ENTRIES], 0
        for number, stream in enumerate(self.streams):
            met = [self.partitions.of(touch.keys) for touch in stream.touches]
            group, first = _alike(met, partitions)
            size = len(first)
            kinds.append(numpy.full(size, number))
            weights.append(sums(group, stream.weights, size))
            for touch, own in zip(stream.touches, met, strict=True):
                entries += _entries(touch, numpy.arange(groups, groups + size), own[first], partitions)
            groups += size
        columns = [numpy.concatenate(column) for column in zip(*entries, strict=True)]
        self.groups = _Groups(numpy.concatenate(kinds), numpy.concatenate(weights), *columns)
        self.rates = numpy.array([stream.rate for stream in self.streams])

    # --- a second ---

    def _second(self, factor: float, offered: Floats) -> _Second:
        groups, count = self.groups, len(self.partitions.bounds)
        calls = factor * self.rates[groups.stream] * groups.weight
        capacity = numpy.concatenate([numpy.ones(2 * count), offered.ravel()])
        served, stopped = fill(calls, groups.group, groups.resource, groups.take, capacity)
        asked = sums(groups.resource, calls[groups.group] * groups.take, len(capacity))
        got = (calls * served)[groups.group]
        used = sums(groups.resource, got * groups.take, len(capacity))
        added = sums(groups.resource, got * groups.added, len(capacity))[: 2 * count]
        lost, streams = numpy.flatnonzero(stopped >= 0), len(self.streams)
        causes = self.structures * CAUSES
        where = groups.stream[lost] * causes + groups.cause[stopped[lost]]
        throttled = sums(where, (calls * (1 - served))[lost], streams * causes)
        return _Second(
            offered=sums(groups.stream, calls, streams),
            served=sums(groups.stream, calls * served, streams),
            throttled=throttled.reshape(streams, causes),
            heat=asked[: 2 * count].reshape(-1, 2).max(axis=1),
            used=used,
            added=added.reshape(-1, 2).sum(axis=1),
            hottest=self._highest(asked[: 2 * count]),
            top=self._highest(used[: 2 * count]),
            lost=throttled.reshape(streams, self.structures, CAUSES).sum(axis=(0, 2)),
        )

    def _highest(self, shares: Floats) -> Floats:
        """By structure, the highest of what all its partitions have of reads and writes."""
        found = numpy.zeros(self.structures)
        numpy.maximum.at(found, numpy.repeat(self.partitions.owner, 2), shares)
        return found


_NONE, _EMPTY = numpy.zeros(0, dtype=numpy.intp), numpy.zeros(0)
_NO_ENTRIES = (_NONE, _NONE, _EMPTY, _NONE, _EMPTY)


def fill(calls: Floats, group: Ints, resource: Ints, take: Floats, capacity: Floats) -> tuple[Floats, Ints]:
    """The share of each group's calls that is served, and the entry that stopped it (-1: none did).

    All groups send evenly through the second; when a resource is used up, the groups that need it are stopped and the
    others go on. Entry n says that each call of group[n] takes take[n] of resource[n].
    """
    share, stopped = numpy.ones(len(calls)), numpy.full(len(calls), -1, dtype=numpy.intp)
    active, left, now = numpy.ones(len(calls), dtype=bool), capacity.astype(numpy.double), 0.0
    while True:
        flow = numpy.where(active, calls, 0.0)[group] * take
        load = sums(resource, flow, len(capacity))
        lasts = numpy.full(len(capacity), numpy.inf)
        numpy.divide(left, load, out=lasts, where=load > _NOISE)
        step = float(lasts.min(initial=numpy.inf))
        if now + step >= 1 - _NOISE:
            return share, stopped
        now += step
        left = numpy.maximum(left - step * load, 0.0)
        ends = numpy.flatnonzero((lasts <= step * (1 + 1e-9))[resource] & active[group] & (take > 0))
        stopped[group[ends]] = ends
        share[group[ends]] = now
        active[group[ends]] = False


def _alike(met: Sequence[Ints], partitions: int) -> tuple[Ints, Ints]:
    """The group of each flow, by the partitions that it meets in each of its touches; and the first flow of each."""
    group = numpy.zeros(len(met[0]), dtype=numpy.intp)
    first = group
    for own in met:
        _, first, group = numpy.unique(group * partitions + own, return_index=True, return_inverse=True)
    return group, first


def _entries(touch: Touch, own: Ints, met: Ints, partitions: int) -> list[tuple[Ints, Ints, Floats, Ints, Floats]]:
    """The entries of a touch: on its partition, and on the limit of its structure."""
    size, write = len(own), int(touch.write)
    limit = WRITES_PER_PARTITION if touch.write else READS_PER_PARTITION
    cause = touch.structure * CAUSES + write
    return [
        (own, 2 * met + write, numpy.full(size, touch.units / limit), numpy.full(size, cause + PARTITION),
         numpy.full(size, touch.new_bytes)),
        (own, numpy.full(size, 2 * (partitions + touch.structure) + write), numpy.full(size, touch.units),
         numpy.full(size, cause + TOTAL), numpy.zeros(size)),
    ]  # fmt: skip


def _loads(streams: Sequence[Stream]) -> tuple[Floats, Floats]:
    keys, loads, writes = [_EMPTY], [_EMPTY], [_NONE]
    for stream in streams:
        for touch in stream.touches:
            limit = WRITES_PER_PARTITION if touch.write else READS_PER_PARTITION
            keys.append(touch.keys)
            loads.append(stream.rate * stream.weights * touch.units / limit)
            writes.append(numpy.full(len(touch.keys), int(touch.write)))
    found, place = numpy.unique(numpy.concatenate(keys), return_inverse=True)
    slots = 2 * place + numpy.concatenate(writes)
    load = sums(slots, numpy.concatenate(loads), 2 * len(found))
    return found, load.reshape(-1, 2)


def units_of(streams: Sequence[Stream], structures: int) -> Floats:
    """Read and write units a second that the streams ask of each structure at their full rate."""
    found = numpy.zeros((structures, 2))
    for stream in streams:
        for touch in stream.touches:
            found[touch.structure, int(touch.write)] += stream.rate * touch.units
    return found


def _add(outcome: Outcome, second: _Second, minute: int) -> None:
    outcome.offered += second.offered
    outcome.served += second.served
    outcome.throttled += second.throttled
    numpy.maximum(outcome.heat[minute], second.hottest, out=outcome.heat[minute])
    numpy.maximum(outcome.top[minute], second.top, out=outcome.top[minute])
    outcome.lost[minute] += second.lost


def _finish(outcome: Outcome, partitions: Partitions, limits: Limits) -> None:
    outcome.partitions = [partitions.count(structure) for structure in range(len(limits.held))]
    outcome.splits = partitions.splits.tolist()
    outcome.held = limits.held
