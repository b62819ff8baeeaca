"""Schema evolution dry runs: changes made on the loaded tables, compared on the way, and taken back.

Each follows "expand, migrate, contract": the new shape is written beside the old one, the plans of the old design must
answer as before, those of the new design must answer the same, then the old shape goes. At last everything is undone,
and the items must be what they were.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ddbmig.engine.capacity import average_query_units, write_blocks
from ddbmig.engine.contract import contract_of
from ddbmig.engine.statement import columns_of
from ddbmig.loaders.endpoint import PATIENCE, create_table, write_items
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.contract import ContractAttribute, JoinColumns
from ddbmig.model.design import Alternative, TableDesign
from ddbmig.model.encodings import encode, encoding_for
from ddbmig.model.errors import InputError
from ddbmig.model.evolution import Change, Evolution, Kind
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.progress import Progress, silent, stepwise
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check
from ddbmig.validators.engines import Engine
from ddbmig.validators.evaluate import NotEvaluated
from ddbmig.validators.execute import run_plan
from ddbmig.validators.operations import Operations
from ddbmig.validators.sampling import References, Sample, Sampler
from ddbmig.validators.sql_side import NotRun, SqlSide

NAME = "Schema evolution dry runs"
"""The guide's line."""
MOST_ITEMS, MOST_ITEMS_MOTO = 1_000, 50
"""Items of a table that is changed, at most."""
PROBES = 5
"""Access patterns of the table whose answers are compared, those with the most calls."""
VALUES = 5
"""Values that a new index is asked for."""
MOST_INDEXES = 20
"""GSIs of a table (A6)."""
Item = dict[str, Any]


@dataclass(frozen=True)
class _Probe:
    pattern: AccessPattern
    plan: Plan
    params: Sample


class _LeftOut(Exception):
    """A change that this design or this data gives no occasion for; its text says why."""


class DryRuns:
    """Tries the changes on one design's tables, which hold data."""

    def __init__(
        self, snapshot: Snapshot, alternative: Alternative, engine: Engine, operations: Operations, source: SqlSide,
        references: References, seed: int,
    ) -> None:  # fmt: skip
        self._snapshot, self._alternative, self._engine, self._operations = snapshot, alternative, engine, operations
        self._source, self._references, self._seed = source, references, seed
        calls = {template.id: template.calls for template in snapshot.digest.templates}
        self._calls = {pattern.id: calls.get(pattern.template, 0) for pattern in snapshot.patterns}
        self._most = MOST_ITEMS_MOTO if engine.kind == "moto" else MOST_ITEMS

    def tried(self, progress: Progress = silent) -> Evolution:
        """Every kind of change once, on the busiest table that is not too large."""
        table = self._busiest(one for one in self._alternative.tables if one.role == "entity")
        if table is None:
            return Evolution(seed=self._seed)
        changes, left_out = list[Change](), dict[Kind, str]()
        trial = _Trial(self, table)
        kinds: tuple[tuple[Kind, Callable[[], Change]], ...] = (
            ("add a column", trial.add_column), ("remove a column", trial.remove_column),
            ("rename a column", trial.rename_column), ("retype a column", trial.retype_column),
            ("add an access pattern", trial.add_index), ("change a key", trial.change_key),
            ("split a copy", self._split_copy),
        )  # fmt: skip
        for kind, change in stepwise(progress, "changing the design, and back", kinds):
            try:
                changes.append(change())
            except _LeftOut as why:
                left_out[kind] = str(why)
        return Evolution(seed=self._seed, probes=len(trial.probes), changes=tuple(changes), left_out=left_out)

    def _busiest(self, tables: Iterable[TableDesign]) -> TableDesign | None:
        """The table with the most calls of those that hold items, but not too many."""
        uses: Counter[str] = Counter()
        for plan in self._alternative.plans:
            for name in {structure.split("/")[0] for structure in plan.uses}:
                uses[name] += self._calls.get(plan.pattern, 0)
        for table in sorted(tables, key=lambda one: (-uses[one.name], one.name)):
            if 0 < sum(1 for _ in self._first(table)) <= self._most:
                return table
        return None

    def _first(self, table: TableDesign) -> Iterator[Item]:
        """The items of a table, one more than may be changed at most."""
        for number, item in enumerate(self._operations.scan(table)):
            if number > self._most:
                return
            yield item

    def _split_copy(self) -> Change:
        holders = [one for one in self._alternative.tables if any(_copied(a) for a in one.attributes.values())]
        table = self._busiest(holders)
        if table is None:
            raise _LeftOut(
                "the design keeps no copies" if not holders else "no table with copies holds few enough items"
            )
        return _Trial(self, table).split_copy()

    # --- what trials need ---

    def probes(self, table: TableDesign) -> tuple[_Probe, ...]:
        """Reads of a table with sampled parameters, those with the most calls."""
        patterns = {pattern.id: pattern for pattern in self._snapshot.patterns}
        plans = [plan for plan in self._alternative.plans
                 if not plan.routed and patterns[plan.pattern].kind == "select"
                 and table.name in {structure.split("/")[0] for structure in plan.uses}]  # fmt: skip
        plans.sort(key=lambda plan: (-self._calls[plan.pattern], plan.pattern))
        found = []
        for plan in plans:
            pattern = patterns[plan.pattern]
            sampler = Sampler(pattern, self._snapshot.tables, self._source, self._seed + 2, self._references)
            try:
                probe = _Probe(pattern, plan, sampler.sample())
                run_plan(self._operations, pattern, plan, probe.params, {})
            except (NotRun, NotEvaluated, InputError):
                continue
            found.append(probe)
            if len(found) == PROBES:
                break
        return tuple(found)

    def reshaped(self, table: TableDesign) -> Operations:
        """The operations of the design with one table in another shape."""
        tables = tuple(table if one.name == table.name else one for one in self._alternative.tables)
        changed = self._alternative.model_copy(update={"tables": tables})
        entries = {entry.table: entry for entry in contract_of(changed, {}).root if entry.type == "Table"}
        builders = {name: ItemBuilder(entry, self._snapshot.tables) for name, entry in entries.items()}
        return Operations(self._engine.client, tables, builders, self._snapshot.tables, self._engine.prefix)

    @property
    def operations(self) -> Operations:
        """Those of the design as it is."""
        return self._operations

    @property
    def engine(self) -> Engine:
        """Where the tables are."""
        return self._engine

    @property
    def snapshot(self) -> Snapshot:
        """The MySQL side."""
        return self._snapshot


class _Trial:
    """Changes of one table."""

    def __init__(self, runs: DryRuns, table: TableDesign) -> None:
        self.runs, self.table = runs, table
        self.name = runs.engine.prefix + table.name
        self.items = sorted(runs.operations.scan(table), key=self._key)
        self.probes = runs.probes(table)
        self.before = self._answers(runs.operations)
        self.compared, self.wrong = 0, list[str]()
        keyed = {*table.keys, *(key for index in table.indexes for key in index.keys)}
        included = {name for index in table.indexes for name in index.projected}
        self.free = [name for name, a in sorted(table.attributes.items())
                     if a.plain and name not in keyed | included]  # fmt: skip
        """Attributes that hold a column by itself and are in no key and in no INCLUDE projection."""

    # --- changes ---

    def add_column(self) -> Change:
        """An attribute that the old plans do not know."""
        new = self._unused("added")
        self._rewrite(lambda item: {**item, new: 1})
        self._same_answers(self.runs.operations, "old plans beside the new attribute")
        return self._undone(
            "add a column", new, len(self.items), passes=1,
            steps=("release readers that take an absent attribute for NULL",
                   "release writers that write it with every PutItem and UpdateItem",
                   "backfill: UpdateItem of every item that lacks it, or leave it absent"),
            rollback="at any time: release the old writers; REMOVE the attribute, or leave it to be ignored",
        )  # fmt: skip

    def remove_column(self) -> Change:
        """An attribute that no access pattern names."""
        named = {(self.runs.snapshot.tables.table(p.refs[ref].table).id, column)
                 for p in self.runs.snapshot.patterns for ref, column in _named(p)}  # fmt: skip
        unused = [name for name in self.free if (self.table.source_table, self._column(name)) not in named]
        if not unused:
            raise _LeftOut("an access pattern names every column outside the keys")
        gone = unused[0]
        self._rewrite(lambda item: {name: value for name, value in item.items() if name != gone})
        self._same_answers(self.runs.operations, "old plans without the attribute")
        return self._undone(
            "remove a column", gone, len(self.items), passes=1,
            steps=("release readers that do not need it", "release writers that do not write it",
                   "REMOVE it from every item, or leave it"),
            rollback="until its values are gone for good: from a backup, or from MySQL while that is kept",
        )  # fmt: skip

    def rename_column(self) -> Change:
        """An attribute under another name, old and new plans side by side."""
        old = self._read_most(self.free)
        new = self._unused(f"{old}_2")
        attributes = {new if name == old else name: a for name, a in self.table.attributes.items()}
        reshaped = self.runs.reshaped(self.table.model_copy(update={"attributes": attributes}))
        self._rewrite(lambda item: {**item, new: item[old]} if old in item else item)
        self._same_answers(self.runs.operations, "old plans while both names are there")
        self._same_answers(reshaped, "new plans while both names are there")
        self._rewrite(lambda item: {new if name == old else name: value for name, value in item.items()})
        self._same_answers(reshaped, "new plans after the old name has gone")
        return self._undone(
            "rename a column", f"{old} -> {new}", 2 * len(self.items), passes=2,
            steps=("release writers that write both names", "backfill the new name", "release readers of the new name",
                   "release writers of the new name only", "REMOVE the old name"),
            rollback="up to the last step by releasing the old readers; after it by the same steps backwards",
        )  # fmt: skip

    def retype_column(self) -> Change:
        """A number as text, beside it until readers follow."""
        numbers = [name for name in self.free if self.table.attributes[name].type == "N"]
        if not numbers:
            raise _LeftOut("the table has no number outside its keys")
        old = self._read_most(numbers)
        new = self._unused(f"{old}_text")
        self._rewrite(lambda item: {**item, new: str(item[old])} if old in item else item)
        self._same_answers(self.runs.operations, "old plans while both types are there")
        stored = self.runs.operations.scan(self.table)
        read_back = [{**item, new: Decimal(item[new])} if new in item else item for item in stored]
        self._same("values read back from the new type",
                   [item.get(new) for item in read_back], [item.get(old) for item in read_back])  # fmt: skip
        return self._undone(
            "retype a column", f"{old}: N -> {new}: S", 2 * len(self.items), passes=2,
            steps=("release writers that write both", "backfill the new one and count what cannot be converted",
                   "release readers of the new one", "release writers of the new one only", "REMOVE the old one"),
            rollback="up to the last step by releasing the old readers; after it only while every new value fits the "
                     "old type",
        )  # fmt: skip

    def add_index(self) -> Change:
        """A GSI for an access pattern that is not there yet, asked beside a Scan."""
        if len(self.table.indexes) >= MOST_INDEXES:
            raise _LeftOut(f"the table has {len(self.table.indexes)} GSIs, the most that it may have")
        key, index = self._new_key(self.free), f"{self.table.name}_dry_run"[:255]
        client = self.runs.engine.client
        names = sorted({key, *self.table.keys})
        definitions: Any = [{"AttributeName": n, "AttributeType": self.table.attributes[n].type} for n in names]
        created: Any = {"Create": {"IndexName": index, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                                   "Projection": {"ProjectionType": "ALL"}}}  # fmt: skip
        client.update_table(TableName=self.name, AttributeDefinitions=definitions,
                            GlobalSecondaryIndexUpdates=[created])  # fmt: skip
        try:
            self._wait_for(index)
            common = Counter(item[key] for item in self.items if key in item).most_common()
            for value in [v for v, _ in sorted(common, key=lambda one: (-one[1], str(one[0])))[:VALUES]]:
                scanned = [self._key(item) for item in self.items if item.get(key) == value]
                self._same("the new index beside a Scan", sorted(self._queried(index, key, value)), sorted(scanned))
            self._same_answers(self.runs.operations, "old plans beside the new index")
        finally:
            client.update_table(TableName=self.name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index}}])
            self._wait_for(None)
        entries = sum(key in item for item in self.items)
        return self._undone(
            "add an access pattern", f"{self.table.name} by {key}", entries, passes=1,
            steps=(f"UpdateTable: create a GSI on {key}; DynamoDB fills it while the table serves",
                   "wait until it is ACTIVE, and watch its write throttling meanwhile",
                   "release the readers that query it"),
            rollback="at any time: release the old readers, then delete the GSI",
        )  # fmt: skip

    def change_key(self) -> Change:
        """The items under another primary key, in a table beside the old one."""
        whole = [name for name in self.free if all(name in item for item in self.items)]
        pk, client = self._new_key(whole), self.runs.engine.client
        sk = self.table.pk if self.table.sk is None else self._unused("old_key")
        attributes = dict(self.table.attributes)
        if self.table.sk is not None:
            attributes[sk] = attributes[pk].model_copy(update={"type": "S"})
        other = self.table.model_copy(update={"pk": pk, "sk": sk, "indexes": (), "attributes": attributes})
        name = f"{self.name}-dry-run"
        composed = [item if sk in item else {**item, sk: repr(self._key(item))} for item in self.items]
        create_table(client, other, name)
        try:
            write_items(client, name, composed, self.wrong.append)
            copies = self.runs.operations.items_of(name)
            found = [{a: v for a, v in item.items() if a != sk or self.table.sk is None} for item in copies]
            self._same("items under the new key", sorted(found, key=self._key), self.items)
            self._same_answers(self.runs.operations, "old plans beside the new table")
        finally:
            client.delete_table(TableName=name)
        return self._undone(
            "change a key", f"({', '.join(self.table.keys)}) -> ({pk}, {sk})", len(self.items), passes=1,
            steps=("create a table with the new key", "release writers that write both tables",
                   "copy every item, newest state wins by a condition", "compare the two tables",
                   "release readers of the new table", "release writers of the new one only", "delete the old table"),
            rollback="up to the last step by releasing the old readers, because both tables are written",
        )  # fmt: skip

    def split_copy(self) -> Change:
        """The copies of a parent leave the items; the parent is read instead."""
        name, attribute, join = next((n, a, a.join) for n, a in sorted(self.table.attributes.items())
                                     if _copied(a) and isinstance(a.join, JoinColumns))  # fmt: skip
        parents = self.runs.operations.entity(attribute.source_table)
        column = self.runs.snapshot.tables.table(attribute.source_table).column(attribute.source_column)
        sources = [self.runs.operations.row(parents, item) for item in self.runs.operations.scan(parents)]
        rows = {tuple(row.get(c) for c in join.source_columns): row for row in sources}
        of_parent = {}
        for item in self.items:
            own = self.runs.operations.row(self.table, item)
            parent = rows.get(tuple(own.get(c) for c in join.local_columns))
            value = None if parent is None else parent.get(column.name)
            of_parent[self._key(item)] = encode(value, attribute.encoding or encoding_for(column), column)
        self._same("copies beside their parents", [item.get(name) for item in self.items], list(of_parent.values()))
        self._rewrite(lambda item: {n: value for n, value in item.items() if n != name})
        filled = [item | ({name: of_parent[self._key(item)]} if of_parent[self._key(item)] is not None else {})
                  for item in sorted(self.runs.operations.scan(self.table), key=self._key)]  # fmt: skip
        self._same("copies filled in again", filled, self.items)
        return self._undone(
            "split a copy", f"{name} of {attribute.source_table}", len(self.items), passes=1,
            steps=(f"release readers that read {parents.name} for it, one round trip more",
                   "release writers that do not maintain it", "REMOVE it from every item, or leave it"),
            rollback="up to the last step by releasing the old writers and filling the copies in again from the parent",
        )  # fmt: skip

    # --- comparing ---

    def _answers(self, operations: Operations) -> list[Any]:
        return [run_plan(operations, p.pattern, p.plan, p.params, {}).values for p in self.probes]

    def _same_answers(self, operations: Operations, what: str) -> None:
        now = self._answers(operations)
        for probe, one, other in zip(self.probes, now, self.before, strict=True):
            self._same(f"{what}: {probe.pattern.id}", sorted(map(repr, one)), sorted(map(repr, other)))

    def _same(self, what: str, found: list[Any], expected: list[Any]) -> None:
        """Note a comparison."""
        self.compared += 1
        if found != expected:
            self.wrong.append(what)

    def _undone(
        self, kind: Kind, subject: str, items: int, *, passes: int, steps: tuple[str, ...], rollback: str
    ) -> Change:
        """Put the items back as they were, and tell what was seen."""
        self._rewrite(lambda item: item)
        self._same(
            "the items after going back", sorted(self.runs.operations.scan(self.table), key=self._key), self.items
        )
        self._same_answers(self.runs.operations, "old plans after going back")
        blocks = write_blocks(self.table.item_bytes)
        follow = sum(write_blocks(i.entry_bytes) * i.entries for i in self.table.indexes if i.projection == "ALL")
        rewrites = kind not in ("add an access pattern", "change a key")
        units = passes * (self.table.items * blocks + (follow if rewrites else 0.0))
        change = Change(
            kind=kind, table=self.table.name, subject=subject, steps=steps, rollback=rollback, items=items,
            compared=self.compared, wrong=tuple(self.wrong), write_units=units,
            read_units=average_query_units(self.table.items, self.table.item_bytes, False),
        )  # fmt: skip
        self.compared, self.wrong = 0, []
        return change

    # --- helpers ---

    def _rewrite(self, change: Callable[[Item], Item]) -> None:
        """Write every item of the table anew, changed from what it was at first."""
        write_items(self.runs.engine.client, self.name, [change(dict(item)) for item in self.items], self.wrong.append)

    def _key(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(repr(item[name]) for name in self.table.keys)

    def _column(self, name: str) -> str:
        return self.table.attributes[name].source_column

    def _unused(self, name: str) -> str:
        while name in self.table.attributes:
            name += "_"
        return name

    def _read_most(self, names: list[str]) -> str:
        """The attribute that the most probes name."""
        if not names:
            raise _LeftOut("every attribute is in a key or in an index")
        named: Counter[str] = Counter(column for probe in self.probes for _, column in _named(probe.pattern))
        return max(sorted(names, reverse=True), key=lambda name: named[self._column(name)])

    def _new_key(self, names: list[str]) -> str:
        """The attribute with the most values that can be a key."""
        values = {name: [item[name] for item in self.items if name in item] for name in names
                  if self.table.attributes[name].type in ("S", "N", "B")}  # fmt: skip
        possible = [name for name, found in values.items() if found and all(map(_may_be_key, found))]
        if not possible:
            raise _LeftOut("no attribute outside the keys holds only values that a key may have")
        return max(sorted(possible, reverse=True), key=lambda name: len({item.get(name) for item in self.items}))

    def _queried(self, index: str, key: str, value: Any) -> Iterator[tuple[str, ...]]:
        pages = self.runs.engine.client.get_paginator("query").paginate(
            TableName=self.name, IndexName=index, KeyConditionExpression="#k = :v",
            ExpressionAttributeNames={"#k": key}, ExpressionAttributeValues=self.runs.operations.wire({":v": value}),
        )  # fmt: skip
        for page in pages:
            yield from (self._key(self.runs.operations.plain(item)) for item in page["Items"])

    def _wait_for(self, index: str | None) -> None:
        """Until the GSI serves, or, without one, until the dry run's has gone."""
        from time import sleep

        for _ in range(PATIENCE["MaxAttempts"]):
            found = self.runs.engine.client.describe_table(TableName=self.name)["Table"]
            states = {one["IndexName"]: one["IndexStatus"] for one in found.get("GlobalSecondaryIndexes", [])}
            if states.get(index) == "ACTIVE" if index else len(states) == len(self.table.indexes):
                return
            sleep(0.05)


def check(found: Evolution) -> Check:
    """The verdict: a change fails where an answer or an item was another one."""
    if not found.changes:
        why = "no table holds items, or every one holds too many to change them all"
        return Check(name=NAME, verdict="not analysed", evidence=why)
    wrong = [one for one in found.changes if one.wrong]
    evidence = (
        f"{len(found.changes)} changes made and taken back ({', '.join(one.kind for one in found.changes)}); "
        f"{sum(one.compared for one in found.changes)} comparisons of answers and items, "
        f"{sum(len(one.wrong) for one in found.changes)} differ"
    )
    if wrong:
        evidence += f"; first: {wrong[0].kind}: {wrong[0].wrong[0]}"
    if found.left_out:
        evidence += f"; left out: {', '.join(found.left_out)}"
    return Check(name=NAME, verdict="failed" if wrong else "passed", evidence=evidence)


def _copied(attribute: ContractAttribute) -> bool:
    return bool(attribute.denormalized) and isinstance(attribute.join, JoinColumns)


def _may_be_key(value: Any) -> bool:
    """Whether a value is not empty, and short enough for a sort key of 1,024 bytes (A6) in whatever alphabet."""
    return not isinstance(value, str | bytes) or 0 < len(value) <= 250


def _named(pattern: AccessPattern) -> Iterator[tuple[int, str]]:
    """The columns that a statement names, by reference."""
    yield from ((c.ref, c.column) for c in pattern.reads)
    yield from ((c.ref, c.column) for c in pattern.group_by)
    yield from ((o.column.ref, o.column.column) for o in pattern.order)
    yield from ((a.column.ref, a.column.column) for a in pattern.aggregates if a.column is not None)
    yield from (pair for join in pattern.joins for on in join.on for pair in ((c.ref, c.column) for c in on))
    for condition in (pattern.where, *(join.extra for join in pattern.joins)):
        yield from columns_of(condition)
    yield from ((0, a.column) for a in (*pattern.assignments, *pattern.on_duplicate))
