"""Stage 4: the design on a running DynamoDB. Tables are created, data is loaded by the contract, plans are proved.

The rows are recovered from the items, each pattern is proved beside its SQL on the source rows, and every operation's
consumed capacity is compared with the arithmetic of section A5.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from ddbmig.engine.contract import contract_of
from ddbmig.loaders.endpoint import count_items, create_table, write_items
from ddbmig.loaders.items import FindParent, ItemBuilder, Row
from ddbmig.model.contract import JoinColumns
from ddbmig.model.design import Alternative, TableDesign
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import InputError
from ddbmig.model.evolution import Evolution
from ddbmig.model.progress import Progress, silent, stepwise
from ddbmig.model.replay import Replay
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import LoadResult, PatternResult, RoundTrip, StateResult, Validation
from ddbmig.validators import evolution, replay
from ddbmig.validators.checks import checks
from ddbmig.validators.engines import Engine
from ddbmig.validators.evolution import DryRuns
from ddbmig.validators.generated import load_generated, references_of
from ddbmig.validators.operations import KNOWN_DIFFERENCES, Meter, Operations
from ddbmig.validators.proof import Proof
from ddbmig.validators.replay import STATEMENTS, STATEMENTS_MOTO, Replayer
from ddbmig.validators.round_trip import round_trip
from ddbmig.validators.sql_side import SqlSide
from ddbmig.validators.state import State

SEED = 20_261_122
ROW_LIMIT = 100_000
"""Rows of one table that are loaded; more are said to be left out."""


@dataclass(frozen=True)
class Data:
    """The source rows, and how many there were of each table."""

    source: SqlSide
    seen: Mapping[str, int]
    limit: int = ROW_LIMIT
    """Rows of one table that were kept at most."""
    generated: tuple[str, ...] = ()
    """Tables of which there were none, so that rows were made."""


def read_data(
    snapshot: Snapshot, rows: Iterable[tuple[str, Sequence[Cell]]], source: SqlSide, limit: int = ROW_LIMIT
) -> Data:
    """Take the source rows in for the SQL side, with indexes for what the statements look up.

    Tables without a row get generated ones.
    """
    seen = source.load(rows, limit)
    wanted: set[tuple[str, tuple[str, ...]]] = set()
    for pattern in snapshot.patterns:
        pairs = [column for join in pattern.joins for pair in join.on for column in pair]
        wanted |= {(pattern.refs[column.ref].table, (column.column,)) for column in pairs}
    for table in snapshot.tables.tables:
        wanted |= {(table.id, i.columns) for i in table.indexes if all(table.has_column(c) for c in i.columns)}
    for table_id, columns in sorted(wanted):
        source.index(table_id, columns)
    references = references_of(snapshot.tables, snapshot.patterns)
    generated = load_generated(snapshot.tables, snapshot.statistics, references, source, SEED)
    return Data(source, {**seen, **{table_id: source.count(table_id) for table_id in generated}}, limit, generated)


def validate(
    snapshot: Snapshot, alternative: Alternative, engine: Engine, data: Data, progress: Progress = silent
) -> Validation:
    """Run an alternative on an engine. Tables get a prefix and are removed afterwards, whatever happens."""
    run = _Validation(snapshot, alternative, engine, data)
    try:
        run.create()
        progress("loading")
        run.load(progress)
        progress("recovering the rows from the items")
        run.recover()
        progress("running the plans")
        run.run_patterns(progress)
        progress("comparing what the writes left")
        run.compare_state()
        progress("replaying the logs' mix of statements")
        run.make_replay(progress)
        progress("changing the design, and back")
        run.make_changes(progress)
        return run.result()
    finally:
        run.drop()


class _Validation:
    def __init__(self, snapshot: Snapshot, alternative: Alternative, engine: Engine, data: Data) -> None:
        self.snapshot, self.alternative, self.engine, self.data = snapshot, alternative, engine, data
        entries = {entry.table: entry for entry in contract_of(alternative, {}).root if entry.type == "Table"}
        self.builders = {name: ItemBuilder(entry, snapshot.tables) for name, entry in entries.items()}
        self.references = _references(snapshot, self.builders.values())
        self.created: list[TableDesign] = []
        self.loads: list[LoadResult] = []
        self.patterns: list[PatternResult] = []
        self.trips: tuple[RoundTrip, ...] = ()
        self.left: list[StateResult] = []
        self.replay: Replay | None = None
        self.evolution: Evolution | None = None
        self.meter = Meter()
        tables, prefix = alternative.tables, engine.prefix
        self.operations = Operations(engine.client, tables, self.builders, snapshot.tables, prefix)
        self.state = State(tables, self.builders, data.source, snapshot.tables, self.operations)

    # --- tables and data ---

    def create(self) -> None:
        """Create every table and GSI, after removing what an interrupted run left."""
        for table in self.alternative.tables:
            self._drop(table)
            create_table(self.engine.client, table, self.engine.prefix + table.name)
            self.created.append(table)

    def drop(self) -> None:
        """Remove the tables."""
        for table in self.created:
            self._drop(table)

    def _drop(self, table: TableDesign) -> None:
        client = self.engine.client
        try:
            client.delete_table(TableName=self.engine.prefix + table.name)
        except client.exceptions.ResourceNotFoundException:
            return

    def load(self, progress: Progress = silent) -> None:
        """Every source row through the contract into its tables."""
        rows = [self.data.source.count(table.source_table) for table in self.alternative.tables]
        for number, table in enumerate(self.alternative.tables):
            progress("loading", sum(rows[:number]), sum(rows))
            self.loads.append(self._load(table))
        progress("loading", sum(rows), sum(rows))

    def _load(self, table: TableDesign) -> LoadResult:
        builder, loading = self.builders[table.name], _Loading()
        parents = {key: self._parents(*key) for key in builder.parents()}

        items = self._noted(table, loading.items(builder, self.data.source.rows(table.source_table), _finder(parents)))
        written = write_items(self.engine.client, self.engine.prefix + table.name, items, loading.reject)
        kept = self.data.source.count(table.source_table)
        seen = self.data.seen.get(table.source_table, 0)
        same = min(seen, self.data.limit) - kept
        if same > 0:
            loading.rejects["another row has the same unique key by the SQL side's comparison"] = same
        return LoadResult(
            table=table.name,
            source_table=table.source_table,
            rows=kept + same,
            filtered=loading.filtered,
            rejected=sum(loading.rejects.values()),
            reject_reasons=tuple(f"{why}: {n} rows" for why, n in sorted(loading.rejects.items())),
            items_written=written,
            items_found=count_items(self.engine.client, self.engine.prefix + table.name),
            source_rows_limited=seen > self.data.limit,
        )

    def _noted(self, table: TableDesign, items: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for item in items:
            self.state.loaded(table, item)
            yield item

    def recover(self) -> None:
        """Every source row from the items."""
        self.trips = round_trip(self.alternative.tables, self.operations, self.data.source, self.snapshot.tables)

    def _parents(self, table_id: str, columns: tuple[str, ...]) -> dict[tuple[Cell, ...], Mapping[str, Cell]]:
        return {tuple(row.get(c) for c in columns): row for row in self.data.source.rows(table_id)}

    # --- patterns ---

    def run_patterns(self, progress: Progress = silent) -> None:
        """Reads first, on the data as loaded; then writes, each on both sides, so that the two stay in step."""
        proof = Proof(self.snapshot.tables, self.data.source, self.operations, self.state, self.references, SEED)
        plans = {plan.pattern: plan for plan in self.alternative.plans}
        order = {"select": 0, "update": 1, "insert": 2, "delete": 3}
        patterns = sorted(self.snapshot.patterns, key=lambda p: (order[p.kind], p.id))
        for pattern in stepwise(progress, "running the plans", patterns):
            made = bool({ref.table for ref in pattern.refs} & set(self.data.generated))
            result = proof.prove(pattern, plans[pattern.id]).model_copy(update={"generated": made})
            self.patterns.append(self._measured(result))
        self.patterns.sort(key=lambda result: result.pattern)

    def _measured(self, result: PatternResult) -> PatternResult:
        """The result with its operations' capacity; moto's capacity is no measure and is left at zero."""
        meter = self.operations.meter
        self.operations.meter = Meter()
        self.meter.operations += meter.operations
        if self.engine.kind == "moto":
            return result.model_copy(update={"calls": meter.operations})
        self.meter.differing += [f"{result.pattern}: {what}" for what in meter.differing]
        return result.model_copy(
            update={
                "calls": meter.operations,
                "predicted_read_units": meter.predicted_reads,
                "consumed_read_units": meter.consumed_reads,
                "predicted_write_units": meter.predicted_writes,
                "consumed_write_units": meter.consumed_writes,
                "capacity_differs": len(meter.differing),
            }
        )

    def compare_state(self) -> None:
        """After the writes: every item of every table beside the item that the SQL side's rows now make."""
        self.left = []
        for table in self.alternative.tables:
            strays = self.state.whole(table)
            self.left.append(StateResult(table=table.name, items=self.state.items(table), missing=strays.missing,
                                         unexpected=strays.unexpected))  # fmt: skip

    def make_replay(self, progress: Progress = silent) -> None:
        """The logs' mix of statements, where there are rows to take parameters from; tells how fast it was."""
        if not any(load.items_found for load in self.loads):
            return
        plans = {plan.pattern: plan for plan in self.alternative.plans}
        began = monotonic()
        replayer = Replayer(self.snapshot, plans, self.operations, self.data.source, self.references, SEED)
        self.replay = replayer.replay(STATEMENTS_MOTO if self.engine.kind == "moto" else STATEMENTS, progress)
        rate = self.replay.runs / max(monotonic() - began, 1e-9)
        progress(f"{self.replay.runs} statements replayed by one client, {rate:,.0f} a second on this machine "
                 "(the emulator's speed, not DynamoDB's)")  # fmt: skip

    def make_changes(self, progress: Progress = silent) -> None:
        """Changes of the design on the loaded tables, each taken back."""
        if any(load.items_found for load in self.loads):
            runs = DryRuns(self.snapshot, self.alternative, self.engine, self.operations, self.data.source,
                           self.references, SEED)  # fmt: skip
            self.evolution = runs.tried(progress)

    # --- the value ---

    def result(self) -> Validation:
        """Everything found, with a verdict per line of the guide's stage 4."""
        value = Validation(
            engine=self.engine.name,
            engine_warning=self.engine.marked,
            alternative=self.alternative.id,
            seed=SEED,
            tables_created=len(self.created),
            indexes_created=sum(len(t.indexes) for t in self.created),
            loads=tuple(self.loads),
            sql_side=self.data.source.name,
            sql_differences=self.data.source.known_differences,
            generated_tables=self.data.generated,
            patterns=tuple(self.patterns),
            round_trip=self.trips,
            state=tuple(self.left),
            replay=self.replay,
            evolution=self.evolution,
            capacity_operations=0 if self.engine.kind == "moto" else self.meter.operations,
            capacity_known_differences=KNOWN_DIFFERENCES,
        )
        found = checks(value, self.engine.kind == "moto", self.meter.differing)
        return _stressed(value.model_copy(update={"checks": found}), self.snapshot, self.alternative)


def _references(snapshot: Snapshot, builders: Iterable[ItemBuilder]) -> dict[tuple[str, str], tuple[str, str]]:
    """Which columns refer to a parent's: by declared foreign keys, and by the copies that the design keeps."""
    found = {}
    for table in snapshot.tables.tables:
        for key in table.foreign_keys:
            for own, parent in zip(key.columns, key.parent_columns, strict=True):
                found[(table.id, own)] = (key.parent, parent)
    for builder in builders:
        for attribute in builder.entry.attributes.values():
            join = attribute.join
            if isinstance(join, JoinColumns) and isinstance(join.local_column, str):
                found[(builder.table.id, join.local_column)] = (attribute.source_table, str(join.source_column))
    return found


def _finder(parents: Mapping[tuple[str, tuple[str, ...]], Mapping[tuple[Cell, ...], Row]]) -> FindParent:
    """Finds the rows that copies are taken from among those read beforehand."""
    return lambda table_id, columns, values: parents[(table_id, columns)].get(values)


class _Loading:
    """Counts what happens to rows on their way to items."""

    def __init__(self) -> None:
        self.filtered = 0
        self.rejects: dict[str, int] = {}

    def items(self, builder: ItemBuilder, rows: Iterable[Mapping[str, Cell]], find: Any) -> Iterator[dict[str, Any]]:
        """The items of the rows; rows without one are counted as filtered, those that cannot have one as rejected."""
        entry = builder.entry
        digest = entry.attributes[entry.pk].encoding == "row_digest"
        seen: dict[Any, int] = {}
        for row in rows:
            if not builder.applies(row):
                self.filtered += 1
                continue
            try:
                item = builder.item(row, find)
                key = (item[entry.pk], item.get(entry.sk) if entry.sk else None)
                if key in seen and digest:
                    item = builder.item(row, find, seen[key])
            except InputError as error:
                self.reject(f"{error.message} ({error.subject})" if error.subject else error.message)
                continue
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > 1 and not digest:
                self.reject("two rows with one key")
                continue
            yield item

    def reject(self, why: str) -> None:
        """Count one row that has no item."""
        self.rejects[why] = self.rejects.get(why, 0) + 1


def _stressed(value: Validation, snapshot: Snapshot, alternative: Alternative) -> Validation:
    """The validation with what no engine does: simulated throttling, and every order of two clients' calls."""
    from ddbmig.validators.stress import interleavings, stage  # heavy: numpy

    simulated, raced = stage.simulate(snapshot, alternative), interleavings.search(snapshot, alternative)
    loaded = replay.check(value.replay or Replay(seed=SEED, statements=0))
    changed = evolution.check(value.evolution or Evolution(seed=SEED))
    found = (*value.checks, *stage.checks(simulated), interleavings.check(raced), loaded, changed)
    return value.model_copy(update={"simulation": simulated, "consistency": raced, "checks": found})
