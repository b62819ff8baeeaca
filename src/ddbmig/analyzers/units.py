"""Which statements of one connection belong together: transactions, N+1 runs, and neighbours in time.

Statements are held per connection until nothing can join them any more (a transaction border, a silence, the end);
then N+1 runs are looked for and neighbours counted.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from ddbmig.model.digest import Neighbours, NPlusOne, Unit, Verb

RUN_SILENCE_US: Final = 10_000_000
"""A connection silent for longer than this has ended its N+1 run."""
NEIGHBOUR_US: Final = 1_000_000
MAX_PAIRS: Final = 200_000
"""Distinct neighbours kept in memory; further pairs are counted in `pairs_dropped`."""
_MAX_HELD: Final = 4096
_MAX_RECENT: Final = 128
"""Templates of one second that a call is compared with; in wilder seconds the latest."""
_MAX_GROUP: Final = 4
_MIN_INFERRED: Final = 3

Outcome = Literal["commit", "rollback", "open"]
_AUTOCOMMIT = re.compile(rb"autocommit\s*:?=\s*(?:'|\")?(0|1|on|off|true|false)\b", re.IGNORECASE)


@dataclass(slots=True)
class Call:
    """One call of a template. `values` is a hash of all its values; `start_us`/`end_us` bound it in time."""

    template: str
    verb: Verb
    values: int
    rows_sent: int | None
    start_us: int | None
    end_us: int | None
    unit: int = 0


@dataclass(slots=True)
class _Recent:
    """A template's last call as (time, unit), before it the last one of another unit, and what was counted of them."""

    marks: list[tuple[int, int]] = field(default_factory=list)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Per other template the last call that was counted as its neighbour."""


@dataclass(slots=True)
class _Connection:
    autocommit: bool = True
    ansi_quotes: bool = False
    transaction: Counter[str] | None = None
    held: list[Call] = field(default_factory=list)
    recent: dict[str, _Recent] = field(default_factory=dict)
    """The templates called within the last second, the latest last."""
    unit: int = 0


class UnitTracker:
    """Follows all connections. Calls of one connection must come in order."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection] = {}
        self._units: dict[tuple[str, str, tuple[str, ...]], tuple[Counter[str], list[int]]] = {}
        self._runs: dict[tuple[str, str], list[int]] = {}
        self._pairs: Counter[tuple[str, str]] = Counter()
        self.pairs_dropped = 0

    def _of(self, connection: int) -> _Connection:
        state = self._connections.get(connection)
        if state is None:
            state = self._connections[connection] = _Connection()
        return state

    def ansi_quotes(self, connection: int | None) -> bool:
        """Whether double quotes are identifiers on this connection, as far as its SET statements said."""
        state = self._connections.get(connection) if connection is not None else None
        return state is not None and state.ansi_quotes

    def call(self, connection: int, call: Call) -> None:
        """A statement that may be an access pattern."""
        state = self._of(connection)
        if state.held and _silent(state.held[-1], call):
            self._flush(state)
        if state.transaction is None and not state.autocommit:
            self._border(state)
            state.transaction = Counter()
        if state.transaction is None:
            state.unit += 1
        else:
            state.transaction[call.template] += 1
        call.unit = state.unit
        state.held.append(call)
        if len(state.held) >= _MAX_HELD:
            self._flush(state)

    def control(self, connection: int, words: str) -> None:
        """Transaction control, by its first words in upper case."""
        first, _, rest = words.partition(" ")
        state = self._of(connection)
        if first == "BEGIN" or words.startswith(("START TRANSACTION", "XA START", "XA BEGIN")):
            self._end(state, "commit")
            state.transaction = Counter()
        elif first == "COMMIT" or words.startswith("XA COMMIT"):
            self._end(state, "commit")
            if "CHAIN" in rest and "NO" not in rest:
                state.transaction = Counter()
        elif words.startswith("XA ROLLBACK") or (first == "ROLLBACK" and words != "ROLLBACK TO"):
            self._end(state, "rollback")
            if "CHAIN" in rest and "NO" not in rest:
                state.transaction = Counter()

    def setting(self, connection: int, sql: bytes) -> None:
        """A SET statement: autocommit and the quoting mode matter here."""
        lower = sql.lower()
        if b"autocommit" in lower:
            said = _AUTOCOMMIT.search(lower)
            if said is not None:
                self._autocommit(self._of(connection), said.group(1) in (b"1", b"on", b"true"))
        if b"sql_mode" in lower:
            self._of(connection).ansi_quotes = b"ansi" in lower.partition(b"sql_mode")[2]

    def _autocommit(self, state: _Connection, on: bool) -> None:
        if on and not state.autocommit:
            self._end(state, "commit")
        state.autocommit = on

    def implicit_commit(self, connection: int) -> None:
        """A schema change or an administrative statement, which MySQL commits before."""
        state = self._connections.get(connection)
        if state is not None and state.transaction is not None:
            self._end(state, "commit")

    def disconnect(self, connection: int) -> None:
        """The connection ended: the server rolls back what was open."""
        state = self._connections.pop(connection, None)
        if state is not None:
            self._end(state, "rollback")

    def restart(self) -> None:
        """The server restarted: every connection ended."""
        for connection in list(self._connections):
            self.disconnect(connection)

    def finish(self) -> None:
        """The log ended: what is open stays open."""
        for connection in sorted(self._connections):
            self._end(self._connections[connection], "open")

    def _end(self, state: _Connection, outcome: Outcome) -> None:
        if state.transaction:
            self._record("transaction", outcome, state.transaction)
        self._border(state)
        state.transaction = None

    def _border(self, state: _Connection) -> None:
        self._flush(state)
        state.unit += 1

    def _record(self, kind: str, outcome: str, calls: Counter[str]) -> None:
        key = (kind, outcome, tuple(sorted(calls)))
        summed, count = self._units.setdefault(key, (Counter(), [0]))
        summed.update(calls)
        count[0] += 1

    def _flush(self, state: _Connection) -> None:
        held, state.held = state.held, []
        if not held:
            return
        in_transaction = state.transaction is not None
        position = 0
        while position < len(held):
            length = _run_length(held, position)
            if length:
                self._take_run(held[position : position + 1 + length], in_transaction)
            position += length or 1
        for call in held:
            self._neighbours(state, call)

    def _take_run(self, calls: list[Call], in_transaction: bool) -> None:
        outer, inner = calls[0], calls[1:]
        executions = Counter(call.template for call in inner)
        matched = int(outer.rows_sent is not None)
        for template, calls_of_it in executions.items():
            run = self._runs.setdefault((outer.template, template), [0, 0, 0])
            run[0] += 1
            run[1] += calls_of_it
            run[2] += matched
        if not in_transaction:
            self._record("n_plus_1", "commit", Counter(call.template for call in calls))
            for call in inner:
                call.unit = outer.unit

    def _neighbours(self, state: _Connection, call: Call) -> None:
        """Count a call once per other template that was called in the second before, and that template's last call."""
        now = call.end_us
        if now is None:
            return
        own = state.recent.pop(call.template, None) or _Recent()
        stale = [template for template, other in state.recent.items() if now - other.marks[-1][0] > NEIGHBOUR_US]
        for template in stale:
            del state.recent[template]
        if len(state.recent) > _MAX_RECENT:
            del state.recent[next(iter(state.recent))]
        mark = (now, call.unit)
        for template, other in state.recent.items():
            before = other.marks[-1] if other.marks[-1][1] != call.unit else other.marks[0]
            if before[1] == call.unit or now - before[0] > NEIGHBOUR_US:
                continue
            self._pair(template, call.template, 1 + (other.counted.get(call.template) != before))
            other.counted[call.template] = before
            own.counted[template] = mark
        if own.marks and own.marks[-1][1] == call.unit:
            own.marks[-1] = mark
        else:
            own.marks = [*own.marks[-1:], mark]
        state.recent[call.template] = own

    def _pair(self, one: str, other: str, calls: int) -> None:
        pair = (one, other) if one < other else (other, one)
        if pair in self._pairs or len(self._pairs) < MAX_PAIRS:
            self._pairs[pair] += calls
        else:
            self.pairs_dropped += 1

    def units(self) -> tuple[Unit, ...]:
        """All units seen, in canonical order."""
        return tuple(
            Unit(kind=kind, outcome=outcome, calls=dict(sorted(summed.items())), count=count[0])  # type: ignore[arg-type]
            for (kind, outcome, _), (summed, count) in sorted(self._units.items(), key=lambda entry: entry[0])
        )

    def runs(self) -> tuple[NPlusOne, ...]:
        """All N+1 runs seen, in canonical order."""
        return tuple(
            NPlusOne(outer=outer, inner=inner, times=times, executions=executions, rows_matched=matched)
            for (outer, inner), (times, executions, matched) in sorted(self._runs.items())
        )

    def neighbours(self) -> tuple[Neighbours, ...]:
        """All pairs seen, in canonical order."""
        return tuple(
            Neighbours(first=one, second=other, calls=calls) for (one, other), calls in sorted(self._pairs.items())
        )


def _silent(before: Call, after: Call) -> bool:
    if before.end_us is None or after.start_us is None:
        return False
    return after.start_us - before.end_us > RUN_SILENCE_US


def _run_length(calls: list[Call], position: int) -> int:
    """How many calls after `position` are its N+1 run: 0, or groups × calls per group."""
    outer = calls[position]
    if outer.verb != "select" or (outer.rows_sent is not None and outer.rows_sent < 2):
        return 0
    for size in range(1, _MAX_GROUP + 1):
        groups = _repeats(calls, position + 1, size)
        enough = groups >= _MIN_INFERRED if outer.rows_sent is None else groups == outer.rows_sent
        if groups >= 2 and enough and _is_follow_up(calls, position, size, groups):
            return groups * size
    return 0


def _repeats(calls: list[Call], start: int, size: int) -> int:
    """How often the group of `size` templates at `start` stands there in a row."""
    end = start + size
    while end < len(calls) and calls[end].template == calls[end - size].template:
        end += 1
    return (end - start) // size if end <= len(calls) else 0


def _is_follow_up(calls: list[Call], position: int, size: int, groups: int) -> bool:
    """The outer template is none of the inner ones, and no inner one repeats its values."""
    start = position + 1
    for member in range(size):
        own = calls[start + member : start + size * groups : size]
        if own[0].template == calls[position].template or len({call.values for call in own}) < groups:
            return False
    return True
