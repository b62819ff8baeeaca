"""The values asked for through one placeholder, in bounded memory, as a sample that merges exactly.

Every call draws a level from its own hash: level n with probability 2^-(n+1). While a placeholder has at most
`CAPACITY` values all calls are kept and counts are exact. Beyond that the floor rises and only calls of at least that
level are kept; a count then stands for 2^floor as many. What is kept depends on the set of calls alone, neither on
their order nor on how they were split, which no pruned counter (Misra-Gries, space-saving) can say. A value that gets
a share p of the calls keeps about p × CAPACITY of them in the worst case (all other values unique), so heavy values
stay and rare ones come and go. This is Gibbons' distinct sampling ("Distinct Sampling for Highly-Accurate Answers…",
VLDB 2001) applied to calls.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from ddbmig.model.digest import KeyValues

Hashes = npt.NDArray[np.uint64]

CAPACITY: Final = 128
"""Values kept per placeholder."""
TOP: Final = 20
"""Values shown per placeholder."""
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_MAX_LEVEL: Final = 43


class Hasher:
    """Keyed hashes of values: BLAKE2b with the project's key, 16 hex digits."""

    def __init__(self, key: bytes) -> None:
        self._start = blake2b(key=key[:64], digest_size=8)

    def __call__(self, value: bytes) -> int:
        """The hash as a number; `f"{number:016x}"` is its text."""
        state = self._start.copy()
        state.update(value)
        return int.from_bytes(state.digest(), "big")


def call_hashes(times: npt.NDArray[np.int64], connections: npt.NDArray[np.int64]) -> Hashes:
    """A hash of when and on which connection each call was made, to be mixed with the hash of a value.

    What is unknown (negative) counts as 0.
    """
    known_times, known = np.maximum(times, 0).astype(np.uint64), np.maximum(connections, 0).astype(np.uint64)
    mixed = (known_times * _ODD) ^ (known * np.uint64(0xC2B2AE3D27D4EB4F))
    hashed: Hashes = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return hashed


def levels(values: Hashes, calls: Hashes) -> npt.NDArray[np.int64]:
    """The level that each call draws: n with probability 2^-(n+1)."""
    high = ((values ^ calls) * _ODD) >> np.uint64(20)
    lowest = high & (~high + np.uint64(1))
    drawn = np.log2(np.maximum(lowest, 1).astype(np.float64)).astype(np.int64)  # exact: powers of two below 2^44
    return np.where(high == 0, _MAX_LEVEL, drawn)


class ValueSample:
    """Calls per value and level, for one placeholder."""

    __slots__ = ("_counts", "_floor", "_total")

    def __init__(self) -> None:
        self._total = 0
        self._floor = 0
        self._counts: dict[int, list[int]] = {}

    def add_sorted(self, values: Hashes, drawn: npt.NDArray[np.int64]) -> None:
        """Count calls, each by the value it asks for and its level; sorted by both."""
        self._total += len(values)
        kept = drawn >= self._floor
        values, drawn = values[kept], drawn[kept]
        if not len(values):
            return
        starts = np.flatnonzero(np.append(True, (values[1:] != values[:-1]) | (drawn[1:] != drawn[:-1])))
        counts = np.diff(np.append(starts, len(values)))
        for value, level, calls in zip(values[starts].tolist(), drawn[starts].tolist(), counts.tolist(), strict=True):
            self._count(value, level, calls)

    def _count(self, value: int, level: int, calls: int) -> None:
        level -= self._floor
        if level < 0:
            return
        counts = self._counts.get(value)
        if counts is None:
            counts = self._counts[value] = []
        if level >= len(counts):
            counts.extend([0] * (level + 1 - len(counts)))
        counts[level] += calls
        if len(self._counts) > CAPACITY:
            self._shrink()

    def _shrink(self) -> None:
        while len(self._counts) > CAPACITY:
            self._rise()

    def _rise(self) -> None:
        self._floor += 1
        self._counts = {value: counts[1:] for value, counts in self._counts.items() if len(counts) > 1}

    def take(self, values: KeyValues) -> None:
        """Merge a stored sample into this one."""
        self._total += values.total
        while self._floor < values.floor:
            self._rise()
        for text, stored in values.sample.items():
            kept = stored[self._floor - values.floor :]
            if not kept:
                continue
            counts = self._counts.setdefault(int(text, 16), [])
            counts.extend([0] * (len(kept) - len(counts)))
            for level, calls in enumerate(kept):
                counts[level] += calls
        self._shrink()

    def value(self) -> KeyValues:
        """The stored form; the heaviest values first by their estimated calls, then by hash."""
        estimates = {f"{value:016x}": sum(counts) << self._floor for value, counts in self._counts.items()}
        heaviest = sorted(estimates.items(), key=lambda entry: (-entry[1], entry[0]))[:TOP]
        return KeyValues(
            total=self._total,
            top={text: min(calls, self._total) for text, calls in sorted(heaviest)},
            floor=self._floor,
            sample={f"{value:016x}": tuple(counts) for value, counts in sorted(self._counts.items())},
        )


def merge_values(parts: Iterable[Mapping[str, KeyValues]]) -> dict[str, KeyValues]:
    """Per placeholder the merged samples."""
    samples: dict[str, ValueSample] = {}
    for part in parts:
        for placeholder, values in part.items():
            samples.setdefault(placeholder, ValueSample()).take(values)
    return {placeholder: samples[placeholder].value() for placeholder in sorted(samples, key=int)}
