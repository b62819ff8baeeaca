"""The sample of values: exact while small, a fair estimate when not, and the same however it was split."""

import random
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers.sample import CAPACITY, Hasher, ValueSample, call_hashes, levels, merge_values
from ddbmig.model.digest import KeyValues

HASH = Hasher(b"key")


def _sample(calls: Iterable[tuple[int, int]]) -> KeyValues:
    sample = ValueSample()
    rows = list(calls)
    times = np.array([time for time, _ in rows], np.int64)
    values = np.array([HASH(b"%d" % value) for _, value in rows], np.uint64)
    drawn = levels(values, call_hashes(times, np.ones(len(rows), np.int64)))
    order = np.lexsort((drawn, values))
    sample.add_sorted(values[order], drawn[order])
    return sample.value()


def test_few_values_are_counted_exactly() -> None:
    values = _sample((time, time % 7) for time in range(700))
    assert (values.total, values.floor) == (700, 0)
    assert sorted(values.top.values()) == [100] * 7


def test_the_hash_is_keyed_and_known() -> None:
    assert f"{HASH(b'5'):016x}" == "b8a7167d11049823"
    assert Hasher(b"other")(b"5") != HASH(b"5")


def test_a_heavy_value_among_many_rare_ones_is_found() -> None:
    rng = random.Random(5)  # a fixed workload, no secret
    calls = [(time, 1 if rng.random() < 0.2 else 1000 + time) for time in range(50_000)]
    values = _sample(calls)
    assert len(values.sample) <= CAPACITY
    heaviest = max(values.top.items(), key=lambda entry: entry[1])
    assert heaviest[0] == f"{HASH(b'1'):016x}"
    assert abs(heaviest[1] / values.total - 0.2) < 0.1


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 400)), max_size=600),
    st.lists(st.integers(0, 600), max_size=3),
)
def test_parts_in_any_grouping_give_the_whole(calls: list[tuple[int, int]], cuts: list[int]) -> None:
    borders = [0, *sorted(min(cut, len(calls)) for cut in cuts), len(calls)]
    parts = [{"0": _sample(calls[start:end])} for start, end in pairwise(borders)]
    whole = {"0": _sample(calls)}
    assert merge_values(parts) == whole
    left = parts[0]
    for part in parts[1:]:
        left = merge_values([left, part])
    assert left == whole
