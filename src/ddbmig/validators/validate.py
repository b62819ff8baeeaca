"""Stage 4: the design on a running DynamoDB. Tables are created, data is loaded by the contract, plans are run.

For each pattern the rows that its plan returns or changes are counted beside those of its SQL on the source rows, with
the same sampled parameters; consumed capacity is compared with the arithmetic of section A5, operation by operation.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ddbmig.engine.contract import contract_of
from ddbmig.engine.statement import conjuncts
from ddbmig.loaders.endpoint import count_items, create_table, refusal, write_items
from ddbmig.loaders.items import FindParent, ItemBuilder, Row
from ddbmig.model.base import sha256
from ddbmig.model.condition import AnyOf
from ddbmig.model.contract import JoinColumns
from ddbmig.model.design import Alternative, TableDesign
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import InputError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check, LoadResult, PatternResult, StateResult, Validation
from ddbmig.validators.engines import Engine
from ddbmig.validators.evaluate import NotEvaluated, folded
from ddbmig.validators.execute import AUTO_KEYS, PlanResult, run_plan
from ddbmig.validators.operations import KNOWN_DIFFERENCES, Meter, Operations
from ddbmig.validators.sampling import Sampler
from ddbmig.validators.source import NotRun, SourceRows, SqlResult

SEED = 20_261_122
RUNS = 3
"""Parameter sets per pattern."""
ROW_LIMIT = 100_000
"""Rows of one table that are loaded; more are said to be left out."""
PREFIX = "ddbmig_validation_"
"""Precedes the name of every table that the validation creates, and removes."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Data:
    """The source rows, and how many there were of each table; None where no data was given."""

    source: SourceRows
    seen: Mapping[str, int]
    limit: int = ROW_LIMIT
    """Rows of one table that were kept at most."""


def read_data(snapshot: Snapshot, rows: Iterable[tuple[str, Sequence[Cell]]], limit: int = ROW_LIMIT) -> Data:
    """Take the source rows in for the SQL side, with indexes for what the statements look up."""
    source = SourceRows(snapshot.tables)
    seen = source.load(rows, limit)
    wanted: set[tuple[str, tuple[str, ...]]] = set()
    for pattern in snapshot.patterns:
        pairs = [column for join in pattern.joins for pair in join.on for column in pair]
        wanted |= {(pattern.refs[column.ref].table, (column.column,)) for column in pairs}
    for table in snapshot.tables.tables:
        wanted |= {(table.id, i.columns) for i in table.indexes if all(table.has_column(c) for c in i.columns)}
    for table_id, columns in sorted(wanted):
        source.index(table_id, columns)
    return Data(source, seen, limit)


def validate(
    snapshot: Snapshot, alternative: Alternative, engine: Engine, data: Data | None, progress: Progress = lambda _: None
) -> Validation:
    """Run an alternative on an engine. Tables get a prefix and are removed afterwards, whatever happens."""
    run = _Validation(snapshot, alternative, engine, data)
    try:
        run.create()
        if data is not None:
            progress("loading")
            run.load()
            progress("running the plans")
            run.run_patterns()
            progress("comparing what the writes left")
            run.compare_state()
        else:
            run.skip_patterns("no data: give --data or --mysql")
        return run.result()
    finally:
        run.drop()


class _Validation:
    def __init__(self, snapshot: Snapshot, alternative: Alternative, engine: Engine, data: Data | None) -> None:
        self.snapshot, self.alternative, self.engine, self.data = snapshot, alternative, engine, data
        entries = {entry.table: entry for entry in contract_of(alternative, {}).root if entry.type == "Table"}
        self.builders = {name: ItemBuilder(entry, snapshot.tables) for name, entry in entries.items()}
        self.references = _references(snapshot, self.builders.values())
        self.created: list[TableDesign] = []
        self.loads: list[LoadResult] = []
        self.patterns: list[PatternResult] = []
        self.state: list[StateResult] = []
        self.keys: AUTO_KEYS = {}
        self.meter = Meter()
        self.operations = Operations(engine.client, alternative.tables, self.builders, snapshot.tables, PREFIX)

    # --- tables and data ---

    def create(self) -> None:
        """Create every table and GSI, after removing what an interrupted run left."""
        for table in self.alternative.tables:
            self._drop(table)
            create_table(self.engine.client, table, PREFIX + table.name)
            self.created.append(table)

    def drop(self) -> None:
        """Remove the tables."""
        for table in self.created:
            self._drop(table)

    def _drop(self, table: TableDesign) -> None:
        client = self.engine.client
        try:
            client.delete_table(TableName=PREFIX + table.name)
        except client.exceptions.ResourceNotFoundException:
            return

    def load(self) -> None:
        """Every source row through the contract into its tables."""
        for table in self.alternative.tables:
            self.loads.append(self._load(table))

    def _load(self, table: TableDesign) -> LoadResult:
        assert self.data is not None  # noqa: S101  # load() is called with data only
        builder, loading = self.builders[table.name], _Loading()
        parents = {key: self._parents(*key) for key in builder.parents()}

        items = loading.items(builder, self.data.source.rows(table.source_table), _finder(parents))
        written = write_items(self.engine.client, PREFIX + table.name, items, loading.reject)
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
            items_found=count_items(self.engine.client, PREFIX + table.name),
            source_rows_limited=seen > self.data.limit,
        )

    def _parents(self, table_id: str, columns: tuple[str, ...]) -> dict[tuple[Cell, ...], Mapping[str, Cell]]:
        assert self.data is not None  # noqa: S101  # load() is called with data only
        return {tuple(row.get(c) for c in columns): row for row in self.data.source.rows(table_id)}

    # --- patterns ---

    def run_patterns(self) -> None:
        """Reads first, on the data as loaded; then writes, each on both sides, so that the two stay in step."""
        plans = {plan.pattern: plan for plan in self.alternative.plans}
        order = {"select": 0, "update": 1, "insert": 2, "delete": 3}
        for pattern in sorted(self.snapshot.patterns, key=lambda p: (order[p.kind], p.id)):
            self.patterns.append(self._run(pattern, plans[pattern.id]))
        self.patterns.sort(key=lambda result: result.pattern)

    def skip_patterns(self, why: str) -> None:
        """Nothing was run, and why."""
        self.patterns = [
            PatternResult(pattern=p.id, status="not run", runs=0, rows_sql=0, rows_plan=0, why=why)
            for p in sorted(self.snapshot.patterns, key=lambda p: p.id)
        ]

    def _run(self, pattern: AccessPattern, plan: Plan) -> PatternResult:
        assert self.data is not None  # noqa: S101  # run_patterns() is called with data only
        result = PatternResult(pattern=pattern.id, status="not run", runs=0, rows_sql=0, rows_plan=0)
        if plan.routed:
            return result.model_copy(update={"why": f"routed: {plan.routed[0]}"})
        from botocore.exceptions import ClientError  # heavy

        sampler = Sampler(pattern, self.snapshot.tables, self.data.source, SEED, self.references)
        self.operations.meter = Meter()
        sql = found = runs = different = by_value = 0
        try:
            for _ in range(RUNS):
                params = sampler.sample()
                self._note_next_keys(pattern)
                in_sql = self.data.source.run(pattern.sql, params)
                in_plan = run_plan(self.operations, pattern, plan, params, self.keys)
                sql, found, runs = sql + in_sql.rows, found + in_plan.rows, runs + 1
                comparable = _comparable(pattern, in_sql)
                by_value += comparable
                different += (
                    in_sql.rows != in_plan.rows
                    or not _same_aggregates(in_sql, in_plan)
                    or (comparable and _normal(in_sql.values) != _normal(in_plan.values))
                )
        except (NotRun, NotEvaluated, InputError) as error:
            return result.model_copy(update={"status": "not compared", "why": str(error)})
        except ClientError as error:
            why = refusal(error) or f"DynamoDB answers {error.response.get('Error', {}).get('Code', 'an error')}"
            return result.model_copy(update={"status": "failed", "runs": runs + 1, "why": why})
        status, why = self._verdict(pattern, different, runs, sql)
        update = {
            "status": status,
            "runs": runs,
            "rows_sql": sql,
            "rows_plan": found,
            "why": why,
            "values_compared": by_value > 0,
        }
        return self._measured(result.model_copy(update=update))

    def _note_next_keys(self, pattern: AccessPattern) -> None:
        """The AUTO_INCREMENT values that SQL is about to give, so that the plan gives the same."""
        assert self.data is not None  # noqa: S101  # run_patterns() is called with data only
        table = self.snapshot.tables.table(pattern.refs[0].table)
        for column in table.columns:
            if column.auto_increment and pattern.kind == "insert":
                self.keys[(table.id, column.name)] = self.data.source.largest(table.id, column.name)

    def _verdict(self, pattern: AccessPattern, different: int, runs: int, rows: int) -> tuple[str, str]:
        """The status of a pattern and why: agreeing on no rows at all proves nothing, unless there can be none."""
        assert self.data is not None  # noqa: S101  # run_patterns() is called with data only
        if different:
            return "failed", f"{different} of {runs} runs differ"
        if rows or AnyOf() in conjuncts(pattern.where):
            return "passed", ""
        empty = sorted({r.table for r in pattern.refs if not self.data.source.count(r.table)})
        why = f"{', '.join(empty)} hold no rows" if empty else "no sampled parameters found a row"
        return "not compared", f"both sides agree on no rows: {why}"

    def _measured(self, result: PatternResult) -> PatternResult:
        """The result with its operations' capacity; moto's capacity is no measure and is left at zero."""
        meter = self.operations.meter
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
        assert self.data is not None  # noqa: S101  # compare_state() is called with data only
        for table in self.alternative.tables:
            builder, found, due = self.builders[table.name], Counter[str](), Counter[str]()
            parents = {key: self._parents(*key) for key in builder.parents()}
            rows = self.data.source.rows(table.source_table)
            for item in _Loading().items(builder, rows, _finder(parents)):
                due[_fingerprint(item)] += 1
            for item in self.operations.scan(table):
                found[_fingerprint(item)] += 1
            self.state.append(StateResult(table=table.name, items=due.total(), missing=(due - found).total(),
                                          unexpected=(found - due).total()))  # fmt: skip

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
            patterns=tuple(self.patterns),
            state=tuple(self.state),
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


def _fingerprint(item: Mapping[str, Any]) -> str:
    """An item's content as a hash; equal rows of a table without a key may be numbered in another order."""
    plain = sorted((name, value.split("#")[0] if name.startswith("row_digest") else str(value))
                   for name, value in item.items())  # fmt: skip
    return sha256(repr(plain).encode("utf-8", "surrogatepass"))


def _comparable(pattern: AccessPattern, in_sql: SqlResult) -> bool:
    """Whether SQL promises which values come back: plain columns, and no LIMIT that cuts among equals."""
    plain = not (pattern.aggregates or pattern.group_by) and bool(pattern.reads) and bool(in_sql.values)
    cut = pattern.limit is not None and (pattern.limit.rows is None or in_sql.rows >= pattern.limit.rows)
    return plain and not cut and all(len(row) == len(pattern.reads) for row in in_sql.values)


def _normal(rows: tuple[tuple[Cell, ...], ...]) -> list[str]:
    """Rows in a form in which both sides are equal where MySQL's values are: sorted, numbers to nine digits."""
    return sorted(repr([_rounded(value) for value in row]) for row in rows)


def _same_aggregates(in_sql: SqlResult, in_plan: PlanResult) -> bool:
    """Whether every aggregate of the plan is among the values of SQL's one row, to nine digits."""
    in_row = [_rounded(value) for row in in_sql.values[:1] for value in row]
    return all(_rounded(value) in in_row for value in in_plan.aggregates)


def _rounded(value: Cell) -> Cell:
    if isinstance(value, int | float | Decimal):
        return f"{float(value):.9g}"
    return folded(value) if isinstance(value, str) else value


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


def checks(value: Validation, moto: bool, differing: Sequence[str]) -> tuple[Check, ...]:
    """The verdicts: what was run passes or fails on its figures."""
    rejected = sum(load.rejected for load in value.loads)
    lost = [load.table for load in value.loads if load.items_found != load.rows - load.filtered - load.rejected]
    failed = [p for p in value.patterns if p.status == "failed"]
    ran = [p for p in value.patterns if p.status in ("passed", "failed")]
    created = f"{value.tables_created} tables and {value.indexes_created} GSIs created on {value.engine}"
    found = [Check(name="Tables and indexes can be created", verdict="passed", evidence=created)]
    if value.loads:
        ok = not rejected and not lost
        found.append(
            Check(
                name="Data loads through the contract", verdict="passed" if ok else "failed",
                evidence=f"{sum(load.items_found for load in value.loads)} items found in the tables from "
                f"{sum(load.rows for load in value.loads)} rows; {sum(load.filtered for load in value.loads)} rows "
                f"have no item by the contract, {rejected} rejected"
                + (f"; counts differ in {', '.join(lost)}" if lost else ""),
            )
        )  # fmt: skip
    else:
        found.append(Check(name="Data loads through the contract", verdict="not analysed", evidence="no data given"))
    if ran:
        found.append(
            Check(
                name="Plans return as many rows as SQL", verdict="failed" if failed else "passed",
                evidence=f"{len(ran) - len(failed)} of {len(ran)} compared patterns agree on the number of rows and "
                f"on aggregates, {sum(p.values_compared for p in ran)} of them also value by value",
            )
        )  # fmt: skip
        strayed = [s.table for s in value.state if s.missing or s.unexpected]
        written = f"{sum(s.items for s in value.state)} items of {len(value.state)} tables compared after the writes"
        found.append(
            Check(
                name="Writes leave the same data as SQL",
                verdict="failed" if strayed else "passed" if value.state else "not analysed",
                evidence=written + (f"; {', '.join(strayed)} differ" if strayed else ""),
            )
        )
        measured = f"{value.capacity_operations} operations, {len(differing)} differ"
        found.append(
            Check(
                name="Write amplification verification: consumed capacity equals the prediction",
                verdict="not analysed" if moto else "failed" if differing else "passed",
                evidence="moto does not account for capacity" if moto else measured
                + (f"; first: {differing[0]}" if differing else ""),
            )
        )  # fmt: skip
    else:
        found.append(Check(name="Plans return as many rows as SQL", verdict="not analysed", evidence="no data given"))
    return tuple(found)


def _stressed(value: Validation, snapshot: Snapshot, alternative: Alternative) -> Validation:
    """The validation with what no engine does: simulated throttling, and every order of two clients' calls."""
    from ddbmig.validators.stress import interleavings, stage  # heavy: numpy

    simulated, raced = stage.simulate(snapshot, alternative), interleavings.search(snapshot, alternative)
    found = (*value.checks, *stage.checks(simulated), interleavings.check(raced), *map(not_built, NOT_BUILT))
    return value.model_copy(update={"simulation": simulated, "consistency": raced, "checks": found})


NOT_BUILT = (
    "Performance under load testing",
    "Schema evolution dry runs",
)


def not_built(name: str) -> Check:
    """A line of the guide that no check covers yet."""
    return Check(name=name, verdict="not analysed", evidence="this check is not built yet")
