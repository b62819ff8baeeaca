"""Where keys lie, and the partitions that hold them: how many there are, where they are cut, and what splits them.

All structures (tables and GSIs) lie on one line: structure s takes the stretch from s to s + 1, a key of it lies at s
plus its hash, and a partition reaches from its bound to the next. Sources: section A1 of the DynamoDB facts.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.double]
Ints = NDArray[numpy.intp]

READS_PER_PARTITION, WRITES_PER_PARTITION = 3_000.0, 1_000.0
"""Units a second that a partition serves (A1). Reads and writes are held apart: AWS says that reads of a GSI never
throttle the writes of its table (A2), though it also says "or a combination of both"."""
PARTITION_BYTES = 10.0 * (1 << 30)
HOT = 0.9
"""Share of its limit from which a partition counts as hot: assumed, AWS says "near"."""
SPLIT_SECONDS = 300
"""Seconds that a partition must be hot for before it is split: assumed, AWS publishes no number and says minutes."""


def position(seed: int, name: str) -> float:
    """Where a key lies in the key space of its structure, by a hash that the seed decides."""
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6, key=seed.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") / (1 << 48)


def sums(slots: Ints, amounts: Floats, size: int) -> Floats:
    """The sum of the amounts of each slot."""
    return numpy.bincount(slots, weights=amounts, minlength=size).astype(numpy.double)


class Partitions:
    """The partitions of all structures at one moment."""

    def __init__(self, counts: Sequence[int], sizes: Sequence[float], keys: Floats, load: Floats) -> None:
        self.keys, self.load = keys, load
        """Different keys in their order on the line; their weights where a partition is cut: parts of its limits."""
        self.bounds = numpy.concatenate([s + numpy.arange(n) / n for s, n in enumerate(counts)])
        self.bytes = numpy.concatenate([numpy.full(n, size / n) for n, size in zip(counts, sizes, strict=True)])
        self.hot = numpy.zeros(len(self.bounds), dtype=numpy.intp)
        """Seconds that each has been hot for without a break."""
        self.splits = numpy.zeros(len(counts), dtype=numpy.intp)
        """Splits for heat, by structure."""

    @property
    def owner(self) -> Ints:
        """The structure of each partition."""
        found: Ints = numpy.floor(self.bounds).astype(numpy.intp)
        return found

    def of(self, keys: Floats) -> Ints:
        """The partition that each key lies in."""
        found: Ints = numpy.searchsorted(self.bounds, keys, side="right") - 1
        return found

    def count(self, structure: int) -> int:
        """How many partitions a structure has."""
        return int((self.owner == structure).sum())

    def note_heat(self, heat: Floats) -> bool:
        """Count a second of heat (demand ÷ limit); whether some partition is now due to be split."""
        self.hot = numpy.where(heat >= HOT, self.hot + 1, 0)
        return bool((self.hot >= SPLIT_SECONDS).any())

    def split_hot(self) -> bool:
        """Split what has been hot for long, where that separates keys: one key alone cannot be split."""
        changed = False
        for partition in numpy.flatnonzero(self.hot >= SPLIT_SECONDS)[::-1]:
            self.hot[partition] = 0
            cut = self._between_keys(int(partition))
            if cut is not None:
                self.splits[self.owner[partition]] += 1
                self._cut(int(partition), cut)
                changed = True
        return changed

    def split_large(self) -> bool:
        """Split what has outgrown 10 GB in the middle of its key space."""
        large = numpy.flatnonzero(self.bytes > PARTITION_BYTES)[::-1]
        for partition in large:
            self._cut(int(partition), self._middle(int(partition)))
        return bool(len(large))

    def grow(self, structure: int, count: int) -> bool:
        """Split the busiest partitions of a structure until it has so many; partitions are never merged."""
        changed = False
        for _ in range(count - self.count(structure)):
            own = numpy.flatnonzero(self.owner == structure)
            loads = sums(self.of(self.keys), self.load, len(self.bounds))[own]
            cuts = ((int(own[n]), self._between_keys(int(own[n]))) for n in numpy.argsort(-loads, kind="stable"))
            partition, cut = next((found for found in cuts if found[1] is not None), (int(own[0]), None))
            self._cut(partition, self._middle(partition) if cut is None else cut)
            changed = True
        return changed

    # --- cuts ---

    def _end(self, partition: int) -> float:
        after = self.bounds[partition + 1] if partition + 1 < len(self.bounds) else numpy.inf
        return float(min(after, numpy.floor(self.bounds[partition]) + 1))

    def _middle(self, partition: int) -> float:
        return float(self.bounds[partition] + self._end(partition)) / 2

    def _between_keys(self, partition: int) -> float | None:
        """The cut that halves a partition's load best; None where one key takes all of it."""
        first, last = numpy.searchsorted(self.keys, (self.bounds[partition], self._end(partition)))
        loaded = first + numpy.flatnonzero(self.load[first:last] > 0)
        if len(loaded) < 2:
            return None
        before = numpy.cumsum(self.load[loaded])
        at = int(numpy.argmin(numpy.abs(before[:-1] - before[-1] / 2)))
        below, above = self.keys[loaded[at]], self.keys[loaded[at + 1]]
        cut = float(below + above) / 2
        return cut if below < cut <= above else None

    def _cut(self, partition: int, at: float) -> None:
        start, end = float(self.bounds[partition]), self._end(partition)
        size = float(self.bytes[partition])
        left = size * (at - start) / (end - start)
        self.bytes[partition] = left
        self.bounds = numpy.insert(self.bounds, partition + 1, at)
        self.bytes = numpy.insert(self.bytes, partition + 1, size - left)
        self.hot = numpy.insert(self.hot, partition + 1, 0)
