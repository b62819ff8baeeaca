"""Pairs of templates called on one connection within one second, in different units, counted for many calls at once.

A call counts once per other template: if that template's last call in an earlier unit was less than a second before,
or if it is itself the last call of an earlier unit that a call of the other template sees. Both are found from, for
each call, the range of later calls that see it: from the end of its own unit to the end of the unit in which its
template is next called, and at most a second on.
"""

from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

NEIGHBOUR_US: Final = 1_000_000
_MOST_AHEAD: Final = 4096
"""Calls of one connection in one second that are looked at; no application asks more."""
_CHUNK: Final = 1 << 18
"""Pairs of calls held in memory at once."""


def count_neighbours(connections: Ints, templates: Ints, times: Ints, units: Ints) -> Counter[tuple[int, int]]:
    """Calls per pair of templates (the smaller number first), from calls sorted by connection, in order of time each.

    `units` never decreases within a connection, and no two connections share one.
    """
    calls = len(templates)
    found: Counter[tuple[int, int]] = Counter()
    if calls < 2:
        return found
    seen = _Seen(connections, templates, times, units)
    size = int(templates.max()) + 1
    ahead = np.cumsum(seen.last - seen.first + 1)
    start = 0
    while start < calls:
        done = ahead[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ahead, done + _CHUNK)))
        keys, counts = np.unique(seen.pairs(start, end, size), return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            found[divmod(key, size)] += count
        start = end
    return found


class _Seen:
    """For each call the range of calls that see it, `first` to `last` (empty where last < first)."""

    def __init__(self, connections: Ints, templates: Ints, times: Ints, units: Ints) -> None:
        calls = len(templates)
        index = np.arange(calls)
        self._templates = templates
        self._within = _last_within(connections, times)
        unit_start, unit_end = _unit_bounds(units)
        self._unit_start = unit_start
        self._before, after, self._before_unit = _same_template(connections, templates, units)
        self.first = unit_end + 1
        until_next = np.where(after < calls, unit_end[np.minimum(after, calls - 1)], calls - 1)
        last = np.minimum(np.minimum(until_next, self._within), index + _MOST_AHEAD)
        self.last = np.maximum(last, self.first - 1)

    def pairs(self, start: int, end: int, size: int) -> Ints:
        """The pairs that the calls from `start` to `end` are seen in, as smaller template × `size` + larger, each once
        per call that counts."""
        lengths = self.last[start:end] - self.first[start:end] + 1
        seen = np.repeat(np.arange(start, end), lengths)
        ramp = np.arange(len(seen)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        by = self.first[seen] + ramp
        other = self._templates[seen] != self._templates[by]
        seen, by = seen[other], by[other]
        one, two = self._templates[seen], self._templates[by]
        keys = np.minimum(one, two) * size + np.maximum(one, two)
        return np.concatenate([keys, keys[self._counts_itself(seen, by)]])

    def _counts_itself(self, seen: Ints, by: Ints) -> npt.NDArray[np.bool_]:
        """Whether the call that is seen counts too: at the first call that sees it, unless it saw that template."""
        before = self._before[by]
        own = before >= self._unit_start[seen]
        saw = np.where(own, self._before_unit[np.maximum(before, 0)], before)
        counted = (saw >= 0) & (self._within[np.maximum(saw, 0)] >= seen)
        return (before < self.first[seen]) & ~counted


def _last_within(connections: Ints, times: Ints) -> Ints:
    """Per call the last call of its connection before one that is more than a second later."""
    new = connections[1:] != connections[:-1]
    latest = times
    if (np.diff(times)[~new] < 0).any():
        latest = _never_back(np.append(0, np.cumsum(new)), times)
    steps = np.minimum(np.diff(latest, prepend=latest[:1]), NEIGHBOUR_US + 1)
    steps[1:][new] = NEIGHBOUR_US + 1
    clock = np.cumsum(steps)  # no long silences, rising over all connections: only what lies within a second matters
    behind = np.minimum(latest - times, NEIGHBOUR_US + 1)
    last: Ints = np.searchsorted(clock, clock - behind + NEIGHBOUR_US, side="right") - 1
    return last


def _never_back(connections: Ints, times: Ints) -> Ints:
    """Per call the latest time of its connection up to here: clocks of whole seconds go back within a second."""
    distinct, rank = np.unique(times, return_inverse=True)
    latest = np.maximum.accumulate(connections * len(distinct) + rank)
    risen: Ints = distinct[latest % len(distinct)]
    return risen


def _unit_bounds(units: Ints) -> tuple[Ints, Ints]:
    """Per call the first and the last call of its unit."""
    starts = np.flatnonzero(np.diff(units, prepend=units[0] - 1))
    ends = np.append(starts[1:], len(units)) - 1
    lengths = ends - starts + 1
    return np.repeat(starts, lengths), np.repeat(ends, lengths)


def _same_template(connections: Ints, templates: Ints, units: Ints) -> tuple[Ints, Ints, Ints]:
    """Per call the call of its template before it (-1), after it (their number), and before its unit (-1)."""
    calls = len(templates)
    order = np.lexsort((np.arange(calls), templates, connections))
    linked = (templates[order][1:] == templates[order][:-1]) & (connections[order][1:] == connections[order][:-1])
    before, after = np.full(calls, -1), np.full(calls, calls)
    before[order[1:]] = np.where(linked, order[:-1], -1)
    after[order[:-1]] = np.where(linked, order[1:], calls)
    new_unit = np.ones(calls, bool)
    new_unit[1:] = ~linked | (units[order][1:] != units[order][:-1])
    first_of_unit = np.maximum.accumulate(np.where(new_unit, np.arange(calls), 0))
    before_unit = np.empty(calls, np.int64)
    before_unit[order] = before[order[first_of_unit]]
    return before, after, before_unit
