"""A workload as a program: which structures there may be, what each costs, and what every access pattern demands.

Structures are the forms of each table and, of each form, GSIs; a GSI is one for each of its projections. What a write
costs is known of every form and GSI by itself, so the whole program is linear and no rounding is lost in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations

from ddbmig.engine.candidates import INCLUDE_LIMIT, MAX_INDEXES, Draft, Entity, IndexDraft
from ddbmig.engine.costs import writes_of
from ddbmig.engine.paths import Ways
from ddbmig.engine.program.model import Amount, Demand, Limit, Option, Order, Program, Structure, total
from ddbmig.engine.program.reduce import merged_twins, without_options
from ddbmig.engine.program.tariff import Tariff
from ddbmig.engine.readings import Copied, Way, steps_of
from ddbmig.engine.reads import Relation, check_scope, read_demand, unreachable
from ddbmig.engine.statement import Frequencies, NotBounded, Reach, Reading, Statement
from ddbmig.engine.writes import Effect, WriteCompiler, delete_actions, entry_units, item_units
from ddbmig.model.base import sha256
from ddbmig.model.pattern import AccessPattern, Reason

MAX_PROJECTIONS = 6
"""So many different sets of attributes are tried as the projection of one GSI: those that most calls need."""
PAIRED_PROJECTIONS = 4
"""Up to so many sets, each two of them together are tried as well."""
ALL_EXTRAS = 2
"""Up to so many further attributes for index keys, every combination is tried; of more, none, each alone, and all."""

Key = tuple[tuple[str, ...], tuple[str, ...]]
"""Partition and sort columns of a GSI."""


@dataclass(frozen=True)
class Need:
    """Rows that a pattern must read: always, or with these forms (by id, extras aside) of its table only."""

    demand: str
    pattern: str
    reading: Reading
    forms: frozenset[str] = frozenset()


@dataclass
class Writing:
    """What one write does under one form of one table."""

    pattern: str
    units: float = 0.0
    """Write units of look-up tables."""
    steps: int = 0
    effects: list[Effect] = field(default_factory=list)


@dataclass(frozen=True)
class Candidates:
    """A program, and what its structures are."""

    program: Program
    forms: Mapping[str, Entity]
    """By structure, the form, without GSIs."""
    indexes: Mapping[str, tuple[str, IndexDraft]]
    """By structure, the form that it belongs to, and the GSI."""
    routed: Mapping[str, tuple[Reason, str]]
    """Patterns that no design answers, with reason and sentence."""
    tried: int
    """Structures that there were before those that others always replace were left out."""


class Recorder:
    """Notes what a write would read, without deciding how."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}

    def select(self, demand: str, statement: Statement) -> Relation:
        """All rows that a statement selects."""
        self.readings[demand] = statement.reading()
        return Relation(rows=statement.rows)

    def join(self, demand: str, statement: Statement, ref: int, relation: Relation) -> None:
        """The rows of one more reference."""
        self.readings[demand] = statement.joining(ref, relation.rows)


class Builder:
    """Builds the program of one workload. `forms` gives for every table what it may be, the faithful one first."""

    def __init__(
        self,
        patterns: Sequence[AccessPattern],
        forms: Mapping[str, Sequence[Entity]],
        draft: Draft,
        frequencies: Mapping[str, Frequencies],
        tariff: Tariff,
    ) -> None:
        self.patterns, self.draft, self.frequencies, self.tariff = patterns, draft, frequencies, tariff
        self.bare = {table: tuple(of_table) for table, of_table in forms.items()}
        self.needs: list[Need] = []
        self.writings: dict[str, list[Writing]] = {}
        """By form, extras aside."""
        self.impossible: dict[str, set[str]] = {}
        """By pattern, the forms under which it cannot be compiled."""
        self.routed: dict[str, tuple[Reason, str]] = {}

    def build(self) -> Candidates:
        """The program."""
        for pattern in self.patterns:
            self._record(pattern)
        keys = self._index_keys()
        whole = {table: self._with_indexes(table, keys.get(table, {})) for table in self.bare}
        demands = [self._demand(need, whole) for need in self.needs]
        demands += self._impossible_demands(whole)
        forms = {entity.form: replace(entity, indexes=()) for entity in chain(*whole.values())}
        indexes = {
            structure_of(entity, index): (entity.form, index)
            for entity in chain(*whole.values())
            for index in entity.indexes
        }
        demands = without_options(demands, {key: (form,) for key, (form, _) in indexes.items()})
        self._give_up(demands, whole)
        kept = tuple(d for d in demands if d.pattern not in self.routed)
        used = {key for d in kept for order in d.orders for step in order.steps for o in step for key in o.any_of}
        indexes = {key: found for key, found in indexes.items() if key in used}
        writings = self._live_writings()
        structures = [self._form(entity, writings) for entity in forms.values()]
        structures += [self._index(key, forms[form], index, writings) for key, (form, index) in indexes.items()]
        program = merged_twins(
            Program(
                structures={one.id: one for one in sorted(structures, key=lambda one: one.id)},
                demands=kept,
                limits=tuple(self._limits(forms, indexes)),
                rates={p.id: self.tariff.calls(p.id) for p in self.patterns},
                constant=total(Amount(routed=self.tariff.calls(pattern)) for pattern in sorted(self.routed)),
            )
        )
        return Candidates(
            program=program,
            forms=forms,
            indexes=indexes,
            routed=self.routed,
            tried=len(structures),
        )

    # --- what patterns need ---

    def _record(self, pattern: AccessPattern) -> None:
        """Note what a pattern reads, and what it writes under each form of the tables that it touches."""
        try:
            check_scope(pattern, self.draft)
            if pattern.kind == "select":
                statement = Statement(pattern, self.draft.sizes, self.frequencies[pattern.id])
                reading = statement.reading()
                self.needs.append(Need(demand_name(read_demand(pattern), reading), pattern.id, reading))
                return
        except NotBounded as stop:
            self.routed[pattern.id] = (stop.reason, stop.detail)
            return
        table = pattern.refs[0].table
        found: dict[str, tuple[Reading, set[str]]] = {}
        tried = [self._write_with(pattern, form, found) for form in self.bare[table]]
        stops = [one for one in tried if one is not None]
        if len(stops) == len(self.bare[table]):
            self.routed[pattern.id] = (stops[0].reason, stops[0].detail)
            return
        for child, form in self._following(pattern):
            self._follow_with(pattern, child, form, found)
        self.needs += [
            Need(demand, pattern.id, reading, frozenset(forms)) for demand, (reading, forms) in found.items()
        ]

    def _compiled(self, pattern: AccessPattern, entities: Mapping[str, Entity]) -> tuple[WriteCompiler, Recorder]:
        """A write compiled against forms of some tables, the faithful ones of the others. Raises NotBounded."""
        draft = Draft({**self.draft.entities, **entities}, self.draft.sizes, staying=self.draft.staying)
        recorder = Recorder()
        return WriteCompiler(pattern, draft, self.frequencies[pattern.id], recorder).compiled(), recorder

    def _write_with(
        self, pattern: AccessPattern, form: Entity, found: dict[str, tuple[Reading, set[str]]]
    ) -> NotBounded | None:  # fmt: skip
        """What a write does under one form of its own table."""
        try:
            compiler, recorder = self._compiled(pattern, {form.table.id: form})
        except NotBounded as stop:
            self.impossible.setdefault(pattern.id, set()).add(form.form)
            return stop
        for demand, reading in recorder.readings.items():
            found.setdefault(demand_name(demand, reading), (reading, set()))[1].add(form.form)
        writing = Writing(pattern.id, effects=compiler.effects)
        for step in compiler.relation.steps:
            writes = writes_of(step)
            mine = [write for write in writes if write.source == form.table.id]
            writing.units += sum(write.estimate.write_units for write in mine if write.table != form.name)
            writing.steps += bool(mine)
        self.writings.setdefault(form.form, []).append(writing)
        return None

    def _following(self, pattern: AccessPattern) -> list[tuple[str, Entity]]:
        """The forms of other tables that a write changes too: they hold copies of its table's columns, or its foreign
        keys cascade to them."""
        parent = pattern.refs[0].table
        cascades = pattern.kind == "delete" or pattern.insert_mode == "replace"
        below = self._below(parent) if cascades else set()
        return [
            (table, form)
            for table, forms in sorted(self.bare.items())
            if table != parent
            for form in forms
            if table in below or any(copy.parent == parent for copy in form.copies)
        ]

    def _below(self, parent: str) -> set[str]:
        """The tables that change where rows of a table are deleted, by its foreign keys."""
        found: set[str] = set()
        waiting = [parent]
        while waiting:
            for child, key in delete_actions(self.draft.entities, waiting.pop()):
                if child.table.id not in found:
                    found.add(child.table.id)
                    waiting += [child.table.id] if key.on_delete.upper() == "CASCADE" else []
        return found

    def _follow_with(
        self, pattern: AccessPattern, child: str, form: Entity, found: dict[str, tuple[Reading, set[str]]]
    ) -> None:
        """What a write does to the items of one form of a child table: its copies, or all of it by a foreign key."""
        try:
            compiler, recorder = self._compiled(pattern, {child: form})
        except NotBounded:
            return  # noted with the forms of the written table itself
        mine = {f"{pattern.id} copy {copy.relationship}" for copy in form.copies}
        for demand, reading in recorder.readings.items():
            if demand in mine:
                found.setdefault(demand_name(demand, reading), (reading, set()))[1].add(form.form)
        writing = Writing(pattern.id, effects=[e for e in compiler.effects if e.table == child])
        for step in compiler.relation.steps:
            written = [write for write in writes_of(step) if write.source == child]
            writing.units += sum(write.estimate.write_units for write in written if write.table != form.name)
            writing.steps += bool(written)
        self.writings.setdefault(form.form, []).append(writing)

    def _give_up(self, demands: Iterable[Demand], whole: Mapping[str, Sequence[Entity]]) -> None:
        """Note the patterns that no form answers."""
        reasons = {need.demand: unreachable(need.reading.statement) for need in self.needs}
        everything = [frozenset(form.form for form in forms) for forms in whole.values()]
        for demand in demands:
            always = not demand.when or any(forms <= demand.when for forms in everything)
            if always and not demand.orders and demand.pattern not in self.routed:
                stop = reasons[demand.id]
                self.routed[demand.pattern] = (stop.reason, stop.detail)

    # --- structures ---

    def _index_keys(self) -> dict[str, dict[Key, dict[frozenset[str], int]]]:
        """By table, the keys of GSIs that would serve some need; of each, the sets of attributes that are read through
        it, with the calls that read them."""
        wanted: dict[str, set[Key]] = {}
        for need, reach in self._reaches():
            statement = need.reading.statement
            entity = self.bare[statement.table(reach.ref)][0]
            keys = Ways(statement, self.draft).wanted_keys(reach, entity)
            wanted.setdefault(entity.table.id, set()).update(keys)
        found: dict[str, dict[Key, dict[frozenset[str], int]]] = {
            table: {key: {} for key in sorted(keys)} for table, keys in wanted.items()
        }
        for need, reach in self._reaches():
            statement, calls = need.reading.statement, self.tariff.calls(need.pattern)
            copied = self._copied_sets(need.reading, reach)
            for (pk, _), sets in found.get(statement.table(reach.ref), {}).items():
                if set(pk) <= set(reach.terms):
                    for more in copied:
                        attributes = frozenset(statement.needed[reach.ref]) | more
                        sets[attributes] = sets.get(attributes, 0) + calls
        return found

    def _reaches(self) -> Iterable[tuple[Need, Reach]]:
        return ((need, reach) for need in self.needs for sequence in need.reading.sequences for reach in sequence)

    def _copied_sets(self, reading: Reading, reach: Reach) -> list[frozenset[str]]:
        """The copies that would come along with a row, each by itself, and none."""
        table = reading.statement.table(reach.ref)
        parents = {reading.statement.table(other) for other in range(len(reading.statement.pattern.refs))}
        copies = {copy for form in self.bare[table] for copy in form.copies if copy.parent in parents - {table}}
        ordered = sorted(copies, key=lambda copy: copy.relationship)
        return [frozenset(), *(frozenset(name for _, name in copy.columns) for copy in ordered)]

    def _with_indexes(self, table: str, keys: Mapping[Key, Mapping[frozenset[str], int]]) -> tuple[Entity, ...]:
        """The forms of a table, each for every set of further attributes that its GSIs may need, with those GSIs."""
        faithful = self.bare[table][0]
        needs = {key: self.draft.extras_of(faithful, IndexDraft(*key)) for key in keys}
        every = sorted(frozenset().union(*needs.values()))
        size = range(len(every) + 1) if len(every) <= ALL_EXTRAS else (0, 1, len(every))
        found = []
        for form in self.bare[table]:
            for extras in chain.from_iterable(combinations(every, n) for n in size):
                entity = replace(form, extras=extras)
                indexes = [
                    index
                    for key, sets in keys.items()
                    if needs[key] <= set(extras) and not _is_key(form, key)
                    for index in self._projections(entity, key, sets)
                ]
                found.append(replace(entity, indexes=tuple(indexes)))
        return tuple(found)

    def _projections(self, entity: Entity, key: Key, sets: Mapping[frozenset[str], int]) -> list[IndexDraft]:
        """The GSIs over one key, one for each projection worth trying."""
        bare = IndexDraft(*key)
        keys, attributes = self.draft.in_entry(entity, bare), frozenset(self.draft.attributes(entity))
        weights: dict[frozenset[str], int] = {}
        for needed, calls in sets.items():
            if needed <= attributes:
                extra = needed - keys
                weights[extra] = weights.get(extra, 0) + calls
        parts = sorted((e for e in weights if e), key=lambda e: (-weights[e], sorted(e)))[:MAX_PROJECTIONS]
        pairs = [a | b for a, b in combinations(parts, 2)] if len(parts) <= PAIRED_PROJECTIONS else []
        union = frozenset[str]().union(*parts)
        some = [e for e in dict.fromkeys([*parts, *pairs, union]) if e and e | keys != attributes]
        included = [IndexDraft(*key, "INCLUDE", tuple(sorted(e))) for e in some if len(e) <= INCLUDE_LIMIT]
        return [bare, *included, IndexDraft(*key, "ALL")]

    def _form(self, entity: Entity, writings: Mapping[str, Sequence[Writing]]) -> Structure:
        """A form with its look-up tables: their bytes, and the writes that they take without GSIs."""
        rows, size = self.draft.sizes.rows(entity.table.id), self.draft.item_bytes(entity)
        lookups = [self.draft.lookup_design(entity, unique) for unique in entity.lookups]
        money = self.tariff.storage(rows, size) + sum(self.tariff.storage(t.items, t.item_bytes) for t in lookups)
        trips = 0
        for writing in writings[entity.bare_form]:
            mine = [item_units(size, e) for e in writing.effects if e.table == entity.table.id]
            money += self.tariff.writes(writing.pattern, writing.units + sum(mine))
            trips += self.tariff.calls(writing.pattern, writing.steps)
        stored = round(rows * size + sum(t.items * t.item_bytes for t in lookups))
        amount = Amount(money=money, trips=trips, structures=1 + len(lookups), stored=stored)
        own = self.bare[entity.table.id][0].key_columns
        return Structure(entity.form, amount, group=entity.table.id, rank=int(entity.key_columns != own))

    def _index(
        self, key: str, entity: Entity, index: IndexDraft, writings: Mapping[str, Sequence[Writing]]
    ) -> Structure:  # fmt: skip
        """A GSI: its bytes, and what each write of the form must write to follow.

        Plainer is a shorter key; of two that are as long the one with more of it in the partition key, which spreads.
        """
        table, design = self.draft.entity_design(entity), self.draft.index_design(entity, index)
        money = self.tariff.storage(design.entries, design.entry_bytes)
        for writing in writings[entity.bare_form]:
            units = sum(e.rows * entry_units(table, design, e) for e in writing.effects
                        if e.table == entity.table.id)  # fmt: skip
            money += self.tariff.writes(writing.pattern, units)
        stored = round(design.entries * design.entry_bytes)
        amount = Amount(money=money, structures=1, stored=stored)
        rank = 2 * len(design.keys) - len(design.partition)
        return Structure(key, amount, of={entity.form: key}, rank=rank)

    def _live_writings(self) -> dict[str, list[Writing]]:
        """By form, extras aside, what the patterns write that are not routed."""
        live: dict[str, list[Writing]] = {form.form: [] for forms in self.bare.values() for form in forms}
        for form, writings in self.writings.items():
            live[form] = [w for w in writings if w.pattern not in self.routed]
        return live

    def _limits(
        self, forms: Mapping[str, Entity], indexes: Mapping[str, tuple[str, IndexDraft]]
    ) -> Iterable[Limit]:  # fmt: skip
        """The quotas of each table: GSIs, and attributes in INCLUDE projections. Those of other forms are not built."""
        of_table: dict[str, dict[str, IndexDraft]] = {}
        for key, (form, index) in indexes.items():
            of_table.setdefault(forms[form].table.id, {})[key] = index
        for table, mine in sorted(of_table.items()):
            yield Limit(f"GSIs of {table}", dict.fromkeys(mine, 1), MAX_INDEXES)
            included = {key: len(index.projected) for key, index in mine.items() if index.projected}
            yield Limit(f"projected attributes of {table}", included, INCLUDE_LIMIT)

    # --- demands ---

    def _demand(self, need: Need, whole: Mapping[str, Sequence[Entity]]) -> Demand:
        """A need as a demand: its sequences as orders, by number; its ways as options."""
        statement = need.reading.statement
        ways = Ways(statement, self.draft)
        asking = {entity.form: entity for entity in chain(*whole.values()) if entity.bare_form in need.forms}
        tables = {entity.table.id for entity in asking.values()}

        def forms(table: str) -> Iterable[Entity]:
            mine = whole[table]
            return [entity for entity in mine if entity.form in asking] if table in tables else mine

        orders = [
            Order(
                str(number),
                tuple(
                    tuple(option_of(way, need.pattern, self.tariff) for way in step.ways)
                    for step in steps_of(ways, sequence, forms)
                ),
                names=tuple(str(reach.ref) for reach in sequence),
            )
            for number, sequence in enumerate(need.reading.sequences)
        ]
        return Demand(need.demand, need.pattern, tuple(orders), frozenset(asking))

    def _impossible_demands(self, whole: Mapping[str, Sequence[Entity]]) -> list[Demand]:
        """A demand that nothing meets, for each form under which a pattern cannot be compiled."""
        return [
            Demand(f"{pattern} with {entity.form}", pattern, (), frozenset({entity.form}))
            for pattern, bare in self.impossible.items()
            if pattern not in self.routed
            for entity in chain(*whole.values())
            if entity.bare_form in bare
        ]


def structure_of(entity: Entity, index: IndexDraft | None) -> str:
    """Id of the structure that a form, or one of its GSIs, is."""
    return f"{entity.form} | {index.id}" if index else entity.form


def demand_name(demand: str, reading: Reading) -> str:
    """A demand's name with what each reference is given and what is needed of it: both differ with the form of a
    written table, by whose key an upsert looks for the row that is there.

    References themselves are not named: a write looks up more rows under one form than under another, and counts on.
    """
    reaches = [reach for sequence in reading.sequences[:1] for reach in sequence]
    parts = [(sorted(reach.terms), sorted(reading.statement.needed[reach.ref])) for reach in reaches]
    needed = ";".join(f"{','.join(given)}:{','.join(columns)}" for given, columns in parts)
    return f"{demand} {sha256(needed.encode())[:8]}"


def option_of(way: Way, pattern: str, tariff: Tariff) -> Option:
    """A way as an option: there where its form or GSI is, or where the copies that it takes are delivered."""
    if way.path is None or way.entity is None:
        return Option("copied", frozenset(), Amount(), wants=_token(way.wants) if way.wants else None)
    path = way.path
    amount = Amount(money=tariff.reads(pattern, path.all_units), trips=tariff.calls(pattern, path.trips))
    there = frozenset({structure_of(way.entity, path.index)})
    return Option(path.name, there, amount, frozenset(_token(copied) for _, copied in way.delivers))


def _token(copied: Copied) -> str:
    return f"{copied.child} {copied.copy.relationship}"


def _is_key(entity: Entity, key: Key) -> bool:
    """Whether the partition columns of a GSI hold the whole base key, which finds the one item without it."""
    return bool(entity.key_columns) and set(key[0]) >= set(entity.key_columns)
