"""Which statements of one connection belong together: transactions, N+1 runs, and neighbours in time.

Rows come in pages of a constant number of statements. Only what a connection has open (its transaction, its
autocommit) passes from one page to the next; N+1 runs and neighbours are looked for within a page.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from ddbmig.analyzers.neighbours import count_neighbours
from ddbmig.analyzers.trace import NONE, Column, Control, Ints
from ddbmig.model.digest import Neighbours, NPlusOne, Unit

RUN_SILENCE_US: Final = 10_000_000
"""A connection silent for longer than this has ended its N+1 run."""
MAX_PAIRS: Final = 200_000
"""Distinct neighbours kept in memory; further pairs are counted in `pairs_dropped`."""
_MAX_STRETCH: Final = 4096
"""Calls among which one N+1 run is looked for."""
_MAX_GROUP: Final = 4
_MIN_INFERRED: Final = 3

Outcome = Literal["commit", "rollback", "open"]
_ENDS: Final[Mapping[int, Outcome]] = {
    Control.BEGIN: "commit", Control.COMMIT: "commit", Control.COMMIT_CHAIN: "commit",
    Control.AUTOCOMMIT_ON: "commit", Control.IMPLICIT_COMMIT: "commit",
    Control.ROLLBACK: "rollback", Control.ROLLBACK_CHAIN: "rollback", Control.DISCONNECT: "rollback",
}  # fmt: skip
_BEGINS: Final = (Control.BEGIN, Control.COMMIT_CHAIN, Control.ROLLBACK_CHAIN)


@dataclass(slots=True)
class _Connection:
    """What a connection has open. Those that have nothing open are forgotten."""

    autocommit: bool = True
    transaction: Counter[int] | None = None


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls of a page, sorted by connection, in columns; `stretch` and `unit` number what belongs together."""

    templates: Ints
    connections: Ints
    starts: Ints
    ends: Ints
    rows_sent: Ints
    literals: Ints
    stretches: Ints
    units: Ints
    in_transaction: npt.NDArray[np.bool_]


class UnitTracker:
    """Follows all connections, page by page. Templates are numbers until `units`, `runs` and `neighbours` name them."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection] = {}
        self._units: dict[tuple[str, str, tuple[int, ...]], tuple[Counter[int], list[int]]] = {}
        self._runs: dict[tuple[int, int], list[int]] = {}
        self._pairs: Counter[tuple[int, int]] = Counter()
        self.pairs_dropped = 0

    def page(self, rows: Ints, selects: npt.NDArray[np.bool_]) -> None:
        """Take the next rows. `selects` says of each template number whether it reads."""
        restarts = np.flatnonzero(rows[Column.WHAT] == Control.RESTART)
        for start, end in zip([0, *(restarts + 1).tolist()], [*restarts.tolist(), rows.shape[1]], strict=True):
            self._between_restarts(rows[:, start:end], selects)
            if end < rows.shape[1]:
                self._end_all("rollback")

    def _between_restarts(self, rows: Ints, selects: npt.NDArray[np.bool_]) -> None:
        rows = rows[:, rows[Column.CONNECTION] != NONE]
        rows = rows[:, np.argsort(rows[Column.CONNECTION], kind="stable")]
        is_call = rows[Column.WHAT] >= 0
        pieces = list(self._pieces(rows, is_call))
        if not is_call.any():
            return
        calls = _calls(rows[:, is_call], pieces)
        units = self._take_runs(calls, selects)
        timed = calls.ends != NONE
        self._add_pairs(
            count_neighbours(calls.connections[timed], calls.templates[timed], calls.ends[timed], units[timed])
        )

    def _pieces(self, rows: Ints, is_call: npt.NDArray[np.bool_]) -> Iterator[tuple[int, bool]]:
        """Walk the transactions: for each piece of a connection without a border its calls, and if in a transaction."""
        what, connections = rows[Column.WHAT].tolist(), rows[Column.CONNECTION]
        new = np.flatnonzero(np.diff(connections, prepend=connections[:1] - 1))
        stops = sorted({*new.tolist(), *np.flatnonzero(~is_call).tolist(), len(what)})
        state, connection, length = _Connection(), None, 0
        for start, end in pairwise(stops):
            now = int(connections[start])
            border, inside = now != connection, state.transaction is not None
            if border:
                self._keep(connection, state)
                state, connection = self._connections.pop(now, _Connection()), now
            controls = int(what[start] < 0)
            if controls:
                border |= self._border(state, what[start])
            first = start + controls
            if first < end and state.transaction is None and not state.autocommit:
                border, state.transaction = True, Counter()
            if border and length:
                yield length, inside
                length = 0
            length += end - first
            if state.transaction is not None:
                state.transaction.update(what[first:end])
        if length:
            yield length, state.transaction is not None
        self._keep(connection, state)

    def _keep(self, connection: int | None, state: _Connection) -> None:
        if connection is not None and (state.transaction is not None or not state.autocommit):
            self._connections[connection] = state

    def _border(self, state: _Connection, control: int) -> bool:
        """Do what a control says; whether nothing before it belongs to anything after it."""
        if control == Control.AUTOCOMMIT_OFF:
            state.autocommit = False
            return False
        if control == Control.AUTOCOMMIT_ON and state.autocommit:
            return False
        if control == Control.IMPLICIT_COMMIT and state.transaction is None:
            return False
        self._end(state, _ENDS[control])
        if control in _BEGINS:
            state.transaction = Counter()
        if control in (Control.AUTOCOMMIT_ON, Control.DISCONNECT):
            state.autocommit = True
        return True

    def _end(self, state: _Connection, outcome: Outcome) -> None:
        if state.transaction:
            self._record("transaction", outcome, state.transaction)
        state.transaction = None

    def _end_all(self, outcome: Outcome) -> None:
        for state in self._connections.values():
            self._end(state, outcome)
        self._connections.clear()

    def finish(self) -> None:
        """The log ended: what is open stays open."""
        self._end_all("open")

    def _record(self, kind: str, outcome: str, calls: Counter[int]) -> None:
        summed, count = self._units.setdefault((kind, outcome, tuple(sorted(calls))), (Counter(), [0]))
        summed.update(calls)
        count[0] += 1

    def _take_runs(self, calls: _Calls, selects: npt.NDArray[np.bool_]) -> Ints:
        """Record the N+1 runs; the units, in which the calls of a run outside a transaction have become one."""
        units = calls.units.copy()
        templates = calls.templates.tolist()
        done = 0
        for outer in _may_lead(calls, selects).tolist():
            length = _run_length(calls, templates, outer) if outer >= done else 0
            if not length:
                continue
            done = outer + length  # the last call of a run may itself lead the next one
            self._record_run(calls, outer, done + 1)
            if not calls.in_transaction[outer]:
                units[outer : done + 1] = units[outer]
        return units

    def _record_run(self, calls: _Calls, outer: int, end: int) -> None:
        templates = calls.templates[outer:end].tolist()
        matched = int(calls.rows_sent[outer] != NONE)
        for template, executions in Counter(templates[1:]).items():
            run = self._runs.setdefault((templates[0], template), [0, 0, 0])
            run[0] += 1
            run[1] += executions
            run[2] += matched
        if not calls.in_transaction[outer]:
            self._record("n_plus_1", "commit", Counter(templates))

    def _add_pairs(self, found: Mapping[tuple[int, int], int]) -> None:
        for pair in sorted(found):
            if pair in self._pairs or len(self._pairs) < MAX_PAIRS:
                self._pairs[pair] += found[pair]
            else:
                self.pairs_dropped += 1

    def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """All units seen, in canonical order. `names` are the templates' ids by number."""
        named = [(kind, outcome, _named(summed, names), count[0])
                 for (kind, outcome, _), (summed, count) in self._units.items()]  # fmt: skip
        return tuple(
            Unit(kind=kind, outcome=outcome, calls=calls, count=count)  # type: ignore[arg-type]
            for kind, outcome, calls, count in sorted(named, key=lambda unit: (unit[0], unit[1], tuple(unit[2])))
        )

    def runs(self, names: Sequence[str]) -> tuple[NPlusOne, ...]:
        """All N+1 runs seen, in canonical order."""
        found = [NPlusOne(outer=names[outer], inner=names[inner], times=times, executions=calls, rows_matched=matched)
                 for (outer, inner), (times, calls, matched) in self._runs.items()]  # fmt: skip
        return tuple(sorted(found, key=lambda run: (run.outer, run.inner)))

    def neighbours(self, names: Sequence[str]) -> tuple[Neighbours, ...]:
        """All pairs seen, in canonical order."""
        found = [(min(names[one], names[other]), max(names[one], names[other]), calls)
                 for (one, other), calls in self._pairs.items()]  # fmt: skip
        return tuple(Neighbours(first=one, second=other, calls=calls) for one, other, calls in sorted(found))


def _named(calls: Mapping[int, int], names: Sequence[str]) -> dict[str, int]:
    return dict(sorted((names[number], count) for number, count in calls.items()))


def _calls(rows: Ints, pieces: Sequence[tuple[int, bool]]) -> _Calls:
    """The calls of a page with what they belong to; `pieces` cover them in order."""
    lengths = np.array([length for length, _ in pieces])
    piece = np.repeat(np.arange(len(pieces)), lengths)
    in_transaction = np.repeat(np.array([inside for _, inside in pieces]), lengths)
    known, took = rows[Column.TIME] != NONE, np.maximum(rows[Column.QUERY_US], 0)
    ends_at_time = rows[Column.ENDS] == 1
    starts = np.where(known & ends_at_time, rows[Column.TIME] - took, rows[Column.TIME])
    ends = np.where(known & ~ends_at_time, rows[Column.TIME] + took, rows[Column.TIME])
    return _Calls(
        templates=rows[Column.WHAT],
        connections=rows[Column.CONNECTION],
        starts=starts,
        ends=ends,
        rows_sent=rows[Column.SENT],
        literals=rows[Column.LITERALS],
        stretches=_stretches(piece, starts, ends),
        units=np.cumsum(~in_transaction | (np.diff(piece, prepend=-1) > 0)),
        in_transaction=in_transaction,
    )


def _stretches(piece: Ints, starts: Ints, ends: Ints) -> Ints:
    """Number what lies between two borders or silences, in stretches of at most _MAX_STRETCH calls."""
    silent = np.zeros(len(piece), bool)
    silent[1:] = (starts[1:] != NONE) & (ends[:-1] != NONE) & (starts[1:] - ends[:-1] > RUN_SILENCE_US)
    new = silent | (np.diff(piece, prepend=-1) > 0)
    begun = np.flatnonzero(new)
    since = np.arange(len(piece)) - np.repeat(begun, np.diff(np.append(begun, len(piece))))
    return np.cumsum(new | (since % _MAX_STRETCH == 0))


def _may_lead(calls: _Calls, selects: npt.NDArray[np.bool_]) -> Ints:
    """Calls that read (several rows, where that is known) and are followed by some group of templates twice."""
    count = len(calls.templates)
    leads = selects[calls.templates] & ((calls.rows_sent == NONE) | (calls.rows_sent >= 2))
    followed = np.zeros(count, bool)
    for size in range(1, _MAX_GROUP + 1):
        if count < 2 * size + 1:
            break
        same = (calls.templates[size:] == calls.templates[:-size]) & (calls.stretches[size:] == calls.stretches[:-size])
        twice = np.convolve(same, np.ones(size, np.int64), "valid") == size
        followed[: len(twice) - 1] |= twice[1:]
    return np.flatnonzero(leads & followed)


def _run_length(calls: _Calls, templates: Sequence[int], outer: int) -> int:
    """How many calls after `outer` are its N+1 run: 0, or groups × calls per group."""
    stop = int(np.searchsorted(calls.stretches, calls.stretches[outer], side="right"))
    sent = int(calls.rows_sent[outer])
    for size in range(1, _MAX_GROUP + 1):
        groups = _repeats(templates, outer + 1, stop, size)
        enough = groups >= _MIN_INFERRED if sent == NONE else groups == sent
        if groups >= 2 and enough and _is_follow_up(calls, templates[outer], outer + 1, size, groups):
            return groups * size
    return 0


def _repeats(templates: Sequence[int], start: int, stop: int, size: int) -> int:
    """How often the group of `size` templates at `start` stands there in a row."""
    end = start + size
    while end < stop and templates[end] == templates[end - size]:
        end += 1
    return (end - start) // size if end <= stop else 0


def _is_follow_up(calls: _Calls, outer: int, start: int, size: int, groups: int) -> bool:
    """The outer template is none of the inner ones, and no inner one repeats its values."""
    for member in range(start, start + size):
        own = calls.literals[member : start + size * groups : size].tolist()
        if calls.templates[member] == outer or len(set(own)) < groups:
            return False
    return True
