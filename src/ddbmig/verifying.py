"""Source and target held against each other: counts and checksums of key ranges first, then what differs in them.

Where a key range differs, both sides are read a second time, after a wait for what is being written, and its items
compared. Beside that a sample of rows is recovered from its items, value by value, without what made them.
"""

import hashlib
import heapq
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from ddbmig.load_sources import Source
from ddbmig.load_state import SeenKeys
from ddbmig.loaders.chunks import Made, RowKeys, Tally, make_items
from ddbmig.loaders.dynamodb_json import attribute_text, item_text, wire_item
from ddbmig.loaders.encoder import Encoder, Row, copies_of, keys_are_distinct
from ddbmig.loaders.endpoint import batches
from ddbmig.loaders.key_ranges import Side, key_range
from ddbmig.loaders.recovery import Recovery
from ddbmig.loading import Plan, rows_in
from ddbmig.model.contract import ContractEntry
from ddbmig.model.progress import Progress, silent
from ddbmig.model.statistics import TableStatistics

LOOKED_INTO = 64
"""Differing ranges of a table whose items are compared; the others are counted."""
Kind = Literal["missing", "unexpected", "different", "stale copy", "value"]
WireItem = Mapping[str, Any]


class Items(Protocol):
    """The target as it is read."""

    def scan(self, entry: ContractEntry) -> Iterator[WireItem]:
        """Every item of an entry's table."""

    def get(self, entry: ContractEntry, keys: Sequence[WireItem]) -> Iterator[WireItem]:
        """The items with these keys (100 at most), as far as they are there, in any order."""


class Difference(NamedTuple):
    """One item that is not as it should be; nothing of its content."""

    entry: str
    kind: Kind
    range: int
    """Of its key: see `key_ranges`."""
    row: int | None
    """The place of its row in the order of the primary key; None where there is no row."""
    key: str
    """A keyed hash of the row's primary key, or of the item's key where there is no row."""
    attributes: tuple[str, ...] = ()
    """Those that differ."""


@dataclass
class Verified:
    """One entry: what its rows should have given, what is there, and where the two differ."""

    entry: ContractEntry
    due: Tally = field(default_factory=Tally)
    found: int = 0
    ranges: frozenset[int] = frozenset()
    """Key ranges that differ."""
    settled: int = 0
    """Key ranges that differed at first and did not the second time: they were being written."""
    differences: list[Difference] = field(default_factory=list)
    sampled: int = 0
    """Rows that were compared with their items value by value."""

    @property
    def differs(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(self.ranges or self.differences)


@dataclass(frozen=True)
class Looking:
    """How closely it is looked: a sample's rows and seed, and the seconds until what differs is looked at again."""

    sample: int = 100
    seed: int = 0
    window: float = 0.0


class _Part(NamedTuple):
    """A chunk of rows and what one entry makes of it."""

    entry: ContractEntry
    rows: Sequence[Row]
    first: int
    made: Made
    keys: RowKeys

    def items(self) -> list[tuple[bytes, bytes]]:
        return [(item.key, item.text) for item in self.made.items]

    def placed(self) -> Iterator[tuple[bytes, bytes, Row, int]]:
        """Each item's key and text, its row and the row's place in the table."""
        for item, place in zip(self.made.items, self.made.places, strict=True):
            yield item.key, item.text, self.rows[place], self.first + place


@dataclass(frozen=True)
class Verifier:
    """Holds a source against a target."""

    plan: Plan
    source: Source
    target: Items
    statistics: Mapping[str, TableStatistics]
    progress: Progress = silent

    def verify(self, looking: Looking, sleep: Callable[[float], None] = time.sleep) -> tuple[Verified, ...]:
        """Everything found, by entry. Raises UsageError or InputError where a side cannot be read."""
        found = {entry.table: Verified(entry) for entry in self.plan.entries}
        due = {name: Side() for name in found}
        samples = {name: _Sample(looking) for name in found}
        for part in self._parts():
            due[part.entry.table].add(part.items())
            samples[part.entry.table].offer(part)
            found[part.entry.table].due += part.made.tally
        ranges: dict[str, set[int]] = {}
        for name, one in found.items():
            there = self._there(one.entry, Side())
            one.found = there.count
            if differing := due[name].differing(there):
                ranges[name] = differing
        if ranges:
            self.progress(f"looking again at {sum(map(len, ranges.values())):,} key ranges that differ")
            sleep(looking.window)
            self._look_again(found, ranges)
        for name, one in found.items():
            self._compare_values(one, samples[name].taken)
        return tuple(found.values())

    def _parts(self) -> Iterator[_Part]:
        """Chunk after chunk of the source with its items."""
        plan, wanted = self.plan, self.plan.wanted(self.statistics)
        encoders = {e.table: Encoder(e, plan.schema, copies_of(plan.of(e.source_table))) for e in plan.entries}
        keys = {name: RowKeys(encoder, plan.secret) for name, encoder in encoders.items()}
        places = dict.fromkeys((one.table.id for one in wanted), 0)
        with SeenKeys.for_a_while() as seen:
            earlier = {e.table: None if keys_are_distinct(e, encoders[e.table].table) else seen.earlier(e.table)
                       for e in plan.entries}  # fmt: skip
            for chunk in self.source.chunks(wanted, {}):
                first = places[chunk.source] + 1
                places[chunk.source] += len(chunk.rows)
                for entry in plan.of(chunk.source):
                    name = entry.table
                    made = make_items(encoders[name], chunk.rows, first, keys[name], earlier[name])
                    yield _Part(entry, chunk.rows, first, made, keys[name])
                self.progress("reading the rows", sum(places.values()), rows_in(wanted, self.statistics))

    def _there(self, entry: ContractEntry, side: Side) -> Side:
        for items in batches(self.target.scan(entry), 1000):
            side.add([(_key_text(entry, item), item_text(item).encode("utf-8", "surrogatepass")) for item in items])
        return side

    def _look_again(self, found: Mapping[str, Verified], ranges: Mapping[str, set[int]]) -> None:
        """Read both sides once more, with the items of the ranges that differed."""
        due = {name: Side(set(sorted(at)[:LOOKED_INTO])) for name, at in ranges.items()}
        rows: dict[str, dict[bytes, tuple[int, str]]] = {name: {} for name in ranges}
        for part in self._parts():
            if side := due.get(part.entry.table):
                side.add(part.items())
                rows[part.entry.table] |= {
                    key: (place, part.keys.name(row)) for key, _, row, place in part.placed() if key in side.kept
                }
        for name, side in due.items():
            one = found[name]
            there = self._there(one.entry, Side(side.looked))
            still = side.differing(there) & ranges[name]
            one.ranges, one.settled = frozenset(still), len(ranges[name]) - len(still)
            one.differences += self._differences(one.entry, side.kept, there.kept, rows[name])

    def _differences(
        self, entry: ContractEntry, due: Mapping[bytes, bytes], there: Mapping[bytes, bytes],
        rows: Mapping[bytes, tuple[int, str]],
    ) -> list[Difference]:  # fmt: skip
        """Those of the looked-into ranges, in the order of the rows; items without one last."""
        found = []
        for key, text in due.items():
            at, (place, name) = key_range(key), rows[key]
            if key not in there:
                found.append(Difference(entry.table, "missing", at, place, name))
            elif there[key] != text:
                attributes = _unlike(json.loads(text), json.loads(there[key]))
                copies = all(name in entry.attributes and entry.attributes[name].denormalized for name in attributes)
                found.append(Difference(entry.table, "stale copy" if copies else "different", at, place, name,
                                        attributes))  # fmt: skip
        found.sort(key=lambda one: one.row or 0)
        secret = self.plan.secret[: hashlib.blake2b.MAX_KEY_SIZE]
        for key in sorted(there.keys() - due.keys()):
            name = hashlib.blake2b(key, digest_size=16, key=secret).hexdigest()
            found.append(Difference(entry.table, "unexpected", key_range(key), None, name))
        return found

    def _compare_values(self, one: Verified, sample: "Sequence[_Sampled]") -> None:
        plan, entry = self.plan, one.entry
        recovery = Recovery(entry, plan.schema, copies_of(plan.of(entry.source_table)))
        for batch in batches(sample, 100):
            rows = {each.key: each for each in batch}
            for item in self.target.get(entry, [each.wire_key for each in batch]):
                each = rows[_key_text(entry, item)]
                one.sampled += 1
                wrong, at = recovery.differing(item, each.row), key_range(each.key)
                if wrong and at not in one.ranges:
                    one.differences.append(Difference(entry.table, "value", at, each.place, each.name, wrong))


def _key_text(entry: ContractEntry, item: WireItem) -> bytes:
    """The key of an item as `Encoder` writes it."""
    return ",".join(attribute_text(name, item[name]) for name in (entry.pk, entry.sk) if name is not None).encode()


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """The attributes that two items do not share."""
    return tuple(sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)))


# --- the sample ---


class _Sampled(NamedTuple):
    """A row of the sample; `key` and `wire_key` are those of its item."""

    key: bytes
    wire_key: WireItem
    row: Row
    place: int
    name: str


class _Sample:
    """The rows whose keys' seeded hashes are the largest: the same ones in whatever order they come."""

    def __init__(self, looking: Looking) -> None:
        self._size, self._seed = looking.sample, str(looking.seed).encode()
        self._heap: list[tuple[bytes, bytes, _Sampled]] = []

    def offer(self, part: _Part) -> None:
        """Take what belongs to the sample."""
        for key, text, row, place in part.placed():
            rank = hashlib.blake2b(key, digest_size=8, key=self._seed).digest()
            if len(self._heap) < self._size or (self._heap and rank > self._heap[0][0]):
                item = wire_item(text)
                wire = {name: item[name] for name in (part.entry.pk, part.entry.sk) if name is not None}
                one = rank, key, _Sampled(key, wire, row, place, part.keys.name(row))
                (heapq.heappush if len(self._heap) < self._size else heapq.heappushpop)(self._heap, one)

    @property
    def taken(self) -> list[_Sampled]:
        """The sample, in the order of the rows."""
        return sorted((one for _, _, one in self._heap), key=lambda one: one.place)
