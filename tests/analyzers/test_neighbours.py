"""Neighbours counted for all calls at once are those that their definition names one by one."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers.neighbours import NEIGHBOUR_US, count_neighbours

CALLS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 300_000, 700_000, 1_000_000, 1_500_000]), st.booleans()),
    min_size=1, max_size=25,
)  # fmt: skip
"""(template, microseconds since the call before, whether a new unit begins)."""


def _sees(calls: list[tuple[int, int, int]], later: int, template: int) -> int | None:
    """The last call of `template` before the unit of `later`, if that is at most a second before."""
    before = [at for at, (own, _, unit) in enumerate(calls[:later]) if own == template and unit != calls[later][2]]
    return before[-1] if before and calls[later][1] - calls[before[-1]][1] <= NEIGHBOUR_US else None


def _one_by_one(calls: list[tuple[int, int, int]]) -> Counter[tuple[int, int]]:
    counted = set()
    for later, (own, _, _) in enumerate(calls):
        for template in {call[0] for call in calls} - {own}:
            seen = _sees(calls, later, template)
            if seen is not None:
                counted |= {(later, template), (seen, own)}
    return Counter((min(calls[at][0], other), max(calls[at][0], other)) for at, other in counted)


@given(st.lists(CALLS, min_size=1, max_size=3))
def test_all_at_once_is_one_by_one(connections: list[list[tuple[int, int, bool]]]) -> None:
    expected: Counter[tuple[int, int]] = Counter()
    rows: list[tuple[int, int, int, int]] = []
    unit = 0
    for connection, steps in enumerate(connections):
        time, calls = 0, []
        unit += 1
        for template, step, new in steps:
            time, unit = time + step, unit + new
            calls.append((template, time, unit))
        expected += _one_by_one(calls)
        rows += [(connection, *call) for call in calls]
    assert count_neighbours(*np.array(rows, np.int64).T) == expected
