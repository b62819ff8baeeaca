"""Two clients at once: every order of their calls, held against one after the other.

Each write is run against itself, against every other write that meets it in a table, and against the reads that do. An
interleaving is an anomaly where no order of the whole plans leaves the same items or gives the same answers; where a
client that stops between two calls leaves part of its work; where a call that arrives twice works twice; or where a GSI
that lags behind leads a write astray. The rows are made up (made_up.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from ddbmig.model.consistency import Anomaly, Consistency, Kind
from ddbmig.model.design import Alternative
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check
from ddbmig.validators.execute import MOST_ATTEMPTS
from ddbmig.validators.stress.made_up import STORED, UNSUITED, Access, Client, World
from ddbmig.validators.stress.memory import Item
from ddbmig.validators.stress.stale import stale_reads

NAME = "Consistency edge case testing"
"""The guide's line."""
FIRST, SECOND = STORED + 1, STORED + 2
"""Which value of a type the two clients write."""
MOST_CALLS = 8
"""Calls of one client between which the other is let in."""
MOST_PAIRS = 400
"""Pairs of different access patterns that are tried, those with the most calls first."""


def search(snapshot: Snapshot, alternative: Alternative, most_pairs: int = MOST_PAIRS) -> Consistency:
    """Try every write against itself, and with what meets it; at most `most_pairs` of different access patterns."""
    world, patterns = World(snapshot, alternative), {one.id: one for one in snapshot.patterns}
    accesses = [Access(patterns[plan.pattern], plan) for plan in alternative.plans if not plan.routed]
    accesses.sort(key=lambda one: one.pattern.id)
    writes = [one for one in accesses if one.written]
    found = _Found()
    for one in writes:
        found.add(_Trial(world, one, one), one.pattern.id)
    tried = [one for one in writes if one.pattern.id not in found.not_run]
    reads = [one for one in accesses if not one.written]
    pairs = _pairs(tried, reads, {t.id: t.calls for t in snapshot.digest.templates})
    ran = sum(found.add(_Trial(world, one, other), other.pattern.id) for one, other in pairs[:most_pairs])
    return Consistency(
        patterns=len(tried), pairs=ran, pairs_left_out=len(pairs[most_pairs:]),
        schedules=found.schedules, anomalies=tuple(found.anomalies), stale=stale_reads(snapshot, world, tried, reads),
        not_run=tuple(sorted(found.not_run)),
    )  # fmt: skip


def check(found: Consistency) -> Check:
    """The verdict: data that no order of the clients leaves fails; what they were told or saw meanwhile does not."""
    if not found.patterns:
        return Check(name=NAME, verdict="not analysed", evidence="no write of the logs could be run on made-up rows")
    broken = found.of("data", "crash")
    first = f"; first: {' → '.join(broken[0].schedule)}" if broken else ""
    counts = {"while a GSI lags behind": found.of("lag"), "where a call arrives twice": found.of("repeat")}
    also = "".join(f", {len(some)} {when}" for when, some in counts.items() if some)
    told = len(found.of("answer"))
    evidence = (f"{found.schedules} interleavings and crashes of {found.patterns} writes and {found.pairs} pairs of "
                f"patterns: {len(broken)} leave data that no order of the clients leaves{also}; in {told} both are "
                f"told that they changed the row{first}")  # fmt: skip
    return Check(name=NAME, verdict="failed" if broken else "passed", evidence=evidence)


def _pairs(
    writes: Iterable[Access], reads: Iterable[Access], calls: Mapping[str, int]
) -> list[tuple[Access, Access]]:  # fmt: skip
    """Writes that meet another write or a read in a table, unless each is one call; the most called first."""
    pairs = [*combinations(writes, 2), *((write, read) for write in writes for read in reads)]
    meet = [(a, b) for a, b in pairs if a.written & b.touched or b.written & a.touched]
    several = [(a, b) for a, b in meet if not (b.one_call and (a.one_call or not b.written))]
    return sorted(several, key=lambda pair: -min(calls.get(one.pattern.template, 0) for one in pair))


@dataclass
class _Found:
    """What the trials so far have found."""

    schedules: int = 0
    anomalies: list[Anomaly] = field(default_factory=list)
    not_run: set[str] = field(default_factory=set)

    def add(self, trial: "_Trial", blamed: str) -> bool:
        """Run a trial; where made-up values do not suit an expression of `blamed`, it is not run, which is said."""
        if blamed in self.not_run:
            return False
        try:
            found = trial.anomalies()
        except UNSUITED:
            self.not_run.add(blamed)
            return False
        self.schedules += len(trial.seen)
        known = {one.pattern for one in self.anomalies if one.kind == "repeat"}
        self.anomalies += [one for one in found if not (one.kind == "repeat" and one.other and one.pattern in known)]
        return True


@dataclass(frozen=True)
class _End:
    """How a schedule ended: the items of each table, and what the clients were told."""

    items: Mapping[str, frozenset[str]]
    answers: tuple[str, ...]


class _Trial:
    """Two clients, A with one access pattern, a write, and B with the same or another."""

    def __init__(self, world: World, one: Access, other: Access) -> None:
        self.world, self.one, self.other = world, one, other
        self.seen: set[tuple[str, ...]] = set()

    def anomalies(self) -> list[Anomaly]:
        """Of each kind of anomaly the shortest one: with fewest switches between the clients, then fewest calls."""
        found: dict[Kind, Anomaly] = {}
        alone = self._run("A" * MOST_CALLS)
        calls = len(alone[0]), len(self._run("B" * MOST_CALLS)[0])
        serial = [self._run(order)[1] for order in ("A" * MOST_CALLS + "B" * MOST_CALLS,
                                                    "B" * MOST_CALLS + "A" * MOST_CALLS)]  # fmt: skip
        for trace, end in self._ran(_orders(*calls)):
            if end not in serial:
                kind = self._kind(end, serial)
                found.setdefault(kind, self._anomaly(kind, trace, serial, end))
        if self.other is self.one:
            self._stopped(found, alone)
        if self.other.written:
            self._lagging(found, serial)
            self._twice(found, calls[0], [alone[1]] if self.other is self.one else serial)
        return [found[kind] for kind in sorted(found)]

    def _kind(self, end: _End, serial: list[_End]) -> Kind:
        if end.items not in [one.items for one in serial]:
            return "data"
        return "answer" if self.other.written else "read"

    def _stopped(self, found: dict[Kind, Anomaly], alone: tuple[tuple[str, ...], _End]) -> None:
        """Client A stops between two calls: nothing or all of its work is left."""
        before, after = self._run("")[1], alone[1]
        for stop in range(1, len(alone[0])):
            trace, end = self._run("A" * stop)
            if end.items not in (before.items, after.items):
                found.setdefault("crash", self._anomaly("crash", (*trace, "A: stops"), [after], end))

    def _lagging(self, found: dict[Kind, Anomaly], serial: list[_End]) -> None:
        """One client has finished, and the GSIs do not know it yet when the other reads them."""
        for trace, end in self._ran(("A" * MOST_CALLS + "B" * MOST_CALLS, "B" * MOST_CALLS + "A" * MOST_CALLS),
                                    lagging=True):  # fmt: skip
            if end.items not in [one.items for one in serial]:
                found.setdefault("lag", self._anomaly("lag", trace, serial, end))

    def _twice(self, found: dict[Kind, Anomaly], calls: int, ends: list[_End]) -> None:
        """A call of client A arrives twice: at once, and no B comes; or after B has done all its work."""
        rest = MOST_CALLS * MOST_ATTEMPTS
        between = "" if self.other is self.one else "B" * rest
        for trace, end in self._ran("A" * n + between + "a" + "A" * rest for n in range(1, calls + 1)):
            if any(call.endswith("again") for call in trace) and end.items not in [one.items for one in ends]:
                found.setdefault("repeat", self._anomaly("repeat", trace, ends, end))

    def _anomaly(self, kind: Kind, trace: tuple[str, ...], serial: list[_End], end: _End) -> Anomaly:
        nearest = min((_differing(one, end) for one in serial), key=len)
        other = "" if self.other is self.one else self.other.pattern.id
        return Anomaly(kind=kind, pattern=self.one.pattern.id, other=other, schedule=trace, tables=nearest)

    def _ran(self, orders: Iterable[str], *, lagging: bool = False) -> list[tuple[tuple[str, ...], _End]]:
        """The orders as they ran, the shortest first."""
        return sorted((self._run(order, lagging=lagging) for order in orders), key=lambda ran: _length(ran[0]))

    def _run(self, order: str, *, lagging: bool = False) -> tuple[tuple[str, ...], _End]:
        """Let the clients make calls in an order, one that has finished no more; a small letter makes the last call of
        that client once more. Gives the calls and the end."""
        items = self.world.items()
        old = {table: dict(kept) for table, kept in items.items()} if lagging else None
        clients = {"A": self.world.client("A", self.one, FIRST, items, old),
                   "B": self.world.client("B", self.other, SECOND, items, old)}  # fmt: skip
        trace = []
        for name in order:
            client = clients[name.upper()]
            call = client.repeat() if name.islower() else None if client.finished else client.advance()
            if call:
                trace.append(call)
        self.seen.add(tuple(trace))
        state = {table: frozenset(_text(item) for item in kept.values()) for table, kept in items.items()}
        return tuple(trace), _End(state, tuple(_told(client) for client in clients.values()))


def _told(client: Client) -> str:
    """What a client was told: the rows that it changed, or those that it read."""
    answer = client.answer
    return f"{answer.rows} {sorted(map(repr, answer.values))}"


def _orders(calls: int, others: int) -> Iterator[str]:
    """Orders of the calls of A and B with one, two and three switches."""
    rest = MOST_CALLS * MOST_ATTEMPTS  # a refused write is made anew
    for a in range(1, min(calls, MOST_CALLS) + 1):
        for b in range(1, min(others, MOST_CALLS) + 1):
            yield "A" * a + "B" * b + "A" * rest + "B" * rest
            yield "B" * b + "A" * a + "B" * rest + "A" * rest


def _length(trace: tuple[str, ...]) -> tuple[int, int, tuple[str, ...]]:
    """Switches between the clients, and calls; then the calls themselves, so that the order is one."""
    return sum(one[0] != other[0] for one, other in pairwise(trace)), len(trace), trace


def _differing(one: _End, other: _End) -> tuple[str, ...]:
    return tuple(sorted(table for table in one.items if one.items[table] != other.items[table]))


def _text(item: Item) -> str:
    return repr(sorted((name, str(value)) for name, value in item.items()))
