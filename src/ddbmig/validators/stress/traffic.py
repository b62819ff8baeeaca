"""From a design and the logs to what the simulator runs on: structures, and streams of calls with the keys they meet.

Every API call of a plan is a stream at the rate of its access pattern. A key that is hot by what is known of it lies
where its hash says; the many others share the key space evenly.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt

import numpy

from ddbmig.engine.capacity import write_blocks
from ddbmig.engine.coaccess import pattern_rates, rates
from ddbmig.engine.costs import STORAGE_OVERHEAD, Structure, load_of, writes_of
from ddbmig.engine.review import partition_columns
from ddbmig.engine.sizes import Sizes
from ddbmig.model.condition import ColumnRef, Param, Term
from ddbmig.model.design import Alternative, IndexDesign, TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan, ReadCall, Step, WriteCall
from ddbmig.model.scenario import Celebrity
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.stress.partitions import Floats, position
from ddbmig.validators.stress.simulator import Stream, Touch, units_of
from ddbmig.validators.stress.skew import KeySource, Skew

SINGLE = 0.001
"""Share of the calls from which a key is placed by its own hash; the others together are spread evenly."""
GRID = 1_024
"""Points that stand for the evenly spread keys of a structure."""
PARTS = 16
"""Into so many parts at most the items of one hot key can be split for heat."""
FLOWS = 4_096
"""Flows of a stream whose calls meet several keys: combinations that are told apart."""
_NEAR = 1e-9
"""Distance of the parts of one key on the line."""
_INCREASING = ("date", "datetime", "timestamp")
"""Types of columns whose new values lie behind all others."""
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)


@dataclass(frozen=True)
class Place:
    """One table or GSI on the line, and how its keys lie."""

    number: int
    name: str
    """`table` or `table/index`."""
    bytes: float
    parts: int
    """Parts that the items under one partition key can be split into; 1 where it does not help (A1)."""
    shards: int = 1


@dataclass(frozen=True)
class Options:
    """What a scenario changes of the traffic: by structure, shards, the share of reads that a cache answers, and
    minutes of a backfill."""

    shards: Mapping[str, int] = field(default_factory=dict)
    cached: Mapping[str, float] = field(default_factory=dict)
    backfill: Mapping[str, int] = field(default_factory=dict)
    celebrity: Celebrity | None = None
    scale: float = 1.0
    seed: int = 1


@dataclass(frozen=True)
class Traffic:
    """What the simulator runs on. `patterns` names the pattern, or the backfill, that each stream belongs to."""

    places: tuple[Place, ...]
    streams: tuple[Stream, ...]
    patterns: tuple[str, ...]
    labels: Mapping[float, str]
    """What the keys with a place of their own are called."""
    quiet: float
    """The average rate ÷ the rate of all patterns at their busiest seconds."""

    def units(self) -> Floats:
        """Read and write units a second of each structure at the full rate."""
        return units_of(self.streams, len(self.places))

    def strong_shares(self) -> Floats:
        """The share of each structure's read units that are strongly consistent."""
        found = numpy.zeros((len(self.places), 2))
        for stream in self.streams:
            for touch in stream.touches:
                found[touch.structure, int(touch.strong)] += 0.0 if touch.write else stream.rate * touch.units
        shares: Floats = found[:, 1] / numpy.maximum(found.sum(axis=1), 1e-12)
        return shares

    def most_written(self) -> dict[int, tuple[str, float]]:
        """By structure, the key with a place of its own that is written most, and its units a second."""
        found: dict[int, dict[str, float]] = {}
        for stream in self.streams:
            for touch in stream.touches:
                units = stream.rate * stream.weights * touch.units * touch.write
                for key, taken in zip(touch.keys.tolist(), units.tolist(), strict=True):
                    if taken and key in self.labels:
                        own = found.setdefault(touch.structure, {})
                        own[self.labels[key]] = own.get(self.labels[key], 0.0) + taken
        return {n: max(own.items(), key=lambda one: (one[1], one[0])) for n, own in found.items()}


def structure_name(table: str, index: str | None) -> str:
    """`table` or `table/index`, as findings and scenarios name structures."""
    return table if index is None else f"{table}/{index}"


def traffic_of(snapshot: Snapshot, alternative: Alternative, options: Options) -> Traffic:
    """The traffic of a design under the logs' rates. A pattern that is routed elsewhere sends none."""
    return _Builder(snapshot, alternative, options).traffic()


@dataclass(frozen=True)
class _Draft:
    """A touch before its keys are placed. `fixed`: a celebrity cannot be meant, since the key is a new row's own."""

    place: Place
    units: float
    write: bool
    skew: Skew
    fixed: bool = False
    new_bytes: float = 0.0
    strong: bool = False


class _Builder:
    def __init__(self, snapshot: Snapshot, alternative: Alternative, options: Options) -> None:
        self.snapshot, self.alternative, self.options = snapshot, alternative, options
        self.sizes = Sizes(snapshot.tables, snapshot.statistics)
        self.tables = {table.name: table for table in alternative.tables}
        self.places: dict[Structure, Place] = {}
        for table in alternative.tables:
            for index in (None, *table.indexes):
                self.places[table.name, index.name if index else None] = self._place(table, index)
        self.labels: dict[float, str] = {}
        self.streams: list[Stream] = []
        self.patterns: list[str] = []
        self.grid = (numpy.arange(GRID) + 0.5) / GRID

    def traffic(self) -> Traffic:
        """Every stream of every plan, and the backfills."""
        found = pattern_rates(self.snapshot, rates(self.snapshot))
        load, month = load_of(found), self.snapshot.pricing.seconds_per_month
        templates = {template.id: template for template in self.snapshot.digest.templates}
        patterns = {pattern.id: pattern for pattern in self.snapshot.patterns}
        for plan in self.alternative.plans:
            pattern = patterns[plan.pattern]
            refs = [ref.table for ref in (*pattern.refs, *plan.support)]
            source = KeySource(pattern, refs, templates.get(pattern.template), self.sizes)
            for step in plan.steps:
                self._step(plan, step, source, load.peak_per_second[plan.pattern] * self.options.scale)
        self._backfills()
        peak, average = sum(load.peak_per_second.values()), sum(load.calls_per_month.values()) / month
        return Traffic(tuple(self.places.values()), tuple(self.streams), tuple(self.patterns), self.labels,
                       min(1.0, average / peak) if peak else 1.0)  # fmt: skip

    # --- structures ---

    def _place(self, table: TableDesign, index: IndexDesign | None) -> Place:
        name = structure_name(table.name, index.name if index else None)
        number, each = (index.entries, index.entry_bytes) if index else (table.items, table.item_bytes)
        columns = partition_columns(table, index.partition if index else (table.pk,))
        items = number / self.sizes.distinct(table.source_table, columns)
        splits = not _grows_at_its_end(self.snapshot, table, index)
        return Place(
            number=len(self.places),
            name=name,
            bytes=number * (each + STORAGE_OVERHEAD),
            parts=max(1, min(PARTS, int(items))) if splits else 1,
            shards=self.options.shards.get(name, 1),
        )

    # --- steps of plans ---

    def _step(self, plan: Plan, step: Step, source: KeySource, rate: float) -> None:
        if isinstance(step, ReadCall):
            self._read(plan, step, source, rate)
        writes = writes_of(step)
        calls = max((write.estimate.calls for write in writes), default=0.0)
        if calls:
            drafts = [draft for write in writes for draft in self._write(write, calls, source)]
            self._add(plan.pattern, rate * calls, drafts)

    def _read(self, plan: Plan, call: ReadCall, source: KeySource, rate: float) -> None:
        place, estimate = self.places[call.table, call.index], call.estimate
        requests = estimate.calls * (max(1.0, estimate.items) if call.op == "BatchGetItem" else 1.0)
        if not requests:
            return
        knows_shard = call.op in ("GetItem", "BatchGetItem") and self.tables[call.table].sk is not None
        fan = 1 if knows_shard else place.shards
        units = max(estimate.read_units / requests / fan, 1.0 if call.consistent else 0.5)
        draft = _Draft(place, units, False, self._read_skew(call, source), strong=call.consistent)
        kept = 1.0 if call.consistent else 1.0 - self.options.cached.get(place.name, 0.0)
        self._add(plan.pattern, rate * requests * fan * kept, [draft])

    def _read_skew(self, call: ReadCall, source: KeySource) -> Skew:
        table = self.tables[call.table]
        attributes = table.index(call.index).partition if call.index else (table.pk,)
        columns = partition_columns(table, attributes)
        if call.op == "Scan":
            return Skew({}, table.items)
        terms = {c: t for condition in call.key if condition.attribute in attributes for c, t in condition.terms}
        given = {column: terms.get(column, ColumnRef(ref=-1, column=column)) for column in columns}
        return source.of_terms(table, given)

    def _write(self, write: WriteCall, calls: float, source: KeySource) -> Iterator[_Draft]:
        """What a write takes of its table, and of each GSI that it maintains; a moved entry meets two keys of it."""
        table, estimate = self.tables[write.table], write.estimate
        columns = partition_columns(table, (table.pk,))
        new = write.op == "PutItem" and write.existing is None and source.pattern.kind == "insert"
        given = _given(write, source.pattern, new)
        unique = new and self.sizes.are_unique(table.source_table, columns)
        skew = source.of_rows(table, columns, given)
        if unique:
            skew = Skew({}, max(skew.others, 1 / SINGLE))
        yield _Draft(self.places[table.name, None], (estimate.write_units - estimate.index_write_units) / calls, True,
                     skew, unique, table.item_bytes if new else 0.0)  # fmt: skip
        for name, units in estimate.index_units.items():
            index = table.index(name)
            yield from self._index_write(write, table, index, units / calls, new, source)

    def _index_write(
        self, write: WriteCall, table: TableDesign, index: IndexDesign, units: float, new: bool, source: KeySource
    ) -> Iterator[_Draft]:
        columns, place = partition_columns(table, index.partition), self.places[table.name, index.name]
        new_row = {a.column.lower(): a.value for a in source.pattern.assignments} if write.ref == 0 else {}
        stored = _given(write, source.pattern, False)
        moved = not new and any(column.lower() in new_row for column in columns) and write.op == "UpdateItem"
        unique = new and self.sizes.are_unique(table.source_table, columns)
        if moved:
            yield _Draft(place, units / 2, True, source.of_rows(table, columns, stored))
            yield _Draft(place, units / 2, True, source.of_rows(table, columns, {**stored, **new_row}))
        else:
            skew = source.of_rows(table, columns, new_row if new else stored)
            yield _Draft(place, units, True, Skew({}, max(skew.others, 1 / SINGLE)) if unique else skew, unique,
                         index.entry_bytes if new else 0.0)  # fmt: skip

    def _backfills(self) -> None:
        """Entries of a GSI that is being filled, written evenly over the given minutes."""
        for (table_name, index_name), place in self.places.items():
            minutes = self.options.backfill.get(place.name)
            if minutes is None or index_name is None:
                continue
            table = self.tables[table_name]
            index = table.index(index_name)
            columns = partition_columns(table, index.partition)
            source = KeySource(self.snapshot.patterns[0], (), None, self.sizes)
            draft = _Draft(place, write_blocks(index.entry_bytes), True, source.of_rows(table, columns, {}))
            self._add(f"backfill of {place.name}", index.entries / (minutes * 60), [draft])

    # --- keys ---

    def _add(self, pattern: str, rate: float, drafts: Sequence[_Draft]) -> None:
        taken = [draft for draft in drafts if draft.units > 0]
        if rate <= 0 or not taken:
            return
        share = self._celebrity_share(taken)
        weights, keys = self._paired(taken)
        if share:
            met = [self._celebrity_key(draft, own) for draft, own in zip(taken, keys, strict=True)]
            keys = [numpy.concatenate(pair) for pair in zip(keys, met, strict=True)]
            weights = numpy.concatenate([weights * (1 - share), weights * share])
        touches = tuple(
            Touch(draft.place.number, draft.units, draft.write, own, draft.new_bytes, draft.strong)
            for draft, own in zip(taken, keys, strict=True)
        )
        self.streams.append(Stream(rate, weights, touches))
        self.patterns.append(pattern)

    def _celebrity_share(self, drafts: Sequence[_Draft]) -> float:
        wanted = self.options.celebrity
        if wanted is None or all(draft.fixed for draft in drafts):
            return 0.0
        tables = {draft.place.name.split("/")[0] for draft in drafts}
        return wanted.share if wanted.table is None or wanted.table in tables else 0.0

    def _celebrity_key(self, draft: _Draft, otherwise: Floats) -> Floats:
        """The celebrity's key for each flow; of a new row's own key, that of the flow."""
        if draft.fixed:
            return otherwise
        keys = self._key(draft.place, "the celebrity")
        return keys[numpy.arange(len(otherwise)) % len(keys)]

    def _paired(self, drafts: Sequence[_Draft]) -> tuple[Floats, list[Floats]]:
        """Flows of calls that meet a key in each structure, as if the keys of one structure knew nothing of another's.

        Calls on one item always meet the same keys; calls on the items of a collection are told apart.
        """
        weights, first = self._laid(drafts[0])
        if len(drafts) == 1:
            return weights, [first]
        if drafts[0].place.parts > 1 or drafts[0].fixed:
            pieces = numpy.maximum(1, numpy.ceil(weights * FLOWS)).astype(numpy.intp)
            first, weights = numpy.repeat(first, pieces), numpy.repeat(weights / pieces, pieces)
        keys = [first]
        for number, draft in enumerate(drafts[1:]):
            keys.append(_dealt(weights, *self._laid(draft), _PRIMES[number % len(_PRIMES)]))
        return weights, keys

    def _laid(self, draft: _Draft) -> tuple[Floats, Floats]:
        """Shares and keys on the line: hot ones by their hash, the others evenly."""
        single = {key: share for key, share in draft.skew.heavy.items() if share > SINGLE}
        rest, others = max(0.0, 1.0 - sum(single.values())), max(1, ceil(draft.skew.others))
        if rest / others > SINGLE:
            single |= {f"key {n + 1} of {others} alike": rest / others for n in range(others)}
            rest = 0.0
        weights, keys = [], []
        for name, share in single.items():
            own = self._key(draft.place, name)
            keys.append(own)
            weights.append(numpy.full(len(own), share / len(own)))
        if rest > 0:
            keys.append(draft.place.number + self.grid)
            weights.append(numpy.full(GRID, rest / GRID))
        found = numpy.concatenate(weights)
        return found / found.sum(), numpy.concatenate(keys)

    def _key(self, place: Place, name: str) -> Floats:
        """Where a key lies: its shards by their own hashes, the parts of a collection beside each other."""
        names = [name] if place.shards == 1 else [f"{name}#{n}" for n in range(place.shards)]
        starts = [place.number + position(self.options.seed, f"{place.name}\n{one}") for one in names]
        keys = numpy.array([start + part * _NEAR for start in starts for part in range(place.parts)])
        self.labels |= dict.fromkeys(keys.tolist(), name)
        return keys


def _given(write: WriteCall, pattern: AccessPattern, new: bool) -> dict[str, Term]:
    """The values that the statement gives for columns of the written row: a new one's, or those it is found by."""
    if write.key:
        return {column.lower(): term for condition in write.key for column, term in condition.terms}
    if new:
        return {a.column.lower(): a.value for a in pattern.assignments}
    set_here = {a.column.lower() for a in (*pattern.assignments, *pattern.on_duplicate)}
    return {
        column.column.lower(): Param(index=number)
        for number, column in enumerate(pattern.params)
        if column is not None and column.ref == write.ref and column.column.lower() not in set_here
    }


def _grows_at_its_end(snapshot: Snapshot, table: TableDesign, index: IndexDesign | None) -> bool:
    """Whether there is no sort key, or one whose new values lie behind all others: there split for heat is no help."""
    sort = (index.sort if index else ()) or ((table.sk,) if table.sk and not index else ())
    if not sort:
        return True
    columns = table.source_columns(sort[0]) if table.attributes[sort[0]].value is None else ()
    if not columns:
        return True
    column = snapshot.tables.table(table.source_table).column(columns[0])
    return column.auto_increment or column.type in _INCREASING


def _dealt(weights: Floats, shares: Floats, keys: Floats, prime: int) -> Floats:
    """A key for each flow, so that the keys get their shares of the flows' weights, in an order without a pattern.

    The order is that of the multiples of an irrational number modulo 1, which spread evenly (Weyl's theorem).
    """
    order = numpy.argsort(numpy.arange(1, len(weights) + 1) * sqrt(prime) % 1.0, kind="stable")
    middle = numpy.cumsum(weights[order]) - weights[order] / 2
    met = numpy.empty(len(weights))
    met[order] = keys[numpy.minimum(numpy.searchsorted(numpy.cumsum(shares), middle), len(keys) - 1)]
    return met
