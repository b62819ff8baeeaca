"""One random application on both sides: SQL on a real MariaDB, plans on DynamoDB Local, compared as SQL promises."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import conversions
from random_applications import Application, Bound

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.normalize import Normalizer
from ddbmig.analyzers.patterns import read_patterns
from ddbmig.analyzers.statistics import declared_groups
from ddbmig.engine.assess import assess_workload
from ddbmig.engine.choice import propose
from ddbmig.engine.contract import contract_of
from ddbmig.engine.rulebook import Rulebook
from ddbmig.loaders.endpoint import create_table, write_items
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.condition import ColumnRef
from ddbmig.model.design import Alternative, TableDesign
from ddbmig.model.encodings import Cell, collated
from ddbmig.model.errors import InputError
from ddbmig.model.measure import Measure
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.schema import Column, Schema
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import GroupStatistics, TableStatistics
from ddbmig.validators.engines import Engine
from ddbmig.validators.evaluate import CLOCK, NotEvaluated
from ddbmig.validators.execute import run_plan
from ddbmig.validators.operations import Operations
from design_builder import PRICES
from servers import Server

DATABASE = "differential"
LARGE, SMALL, ITEM_BYTES = 1_000_000, 200, 300
"""Rows that the design is made for, of a large table and of one that may be scanned, and bytes of each."""
_TEXT = (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME)
_CONVERSIONS = {kind: convert for kind, convert in conversions.items() if kind not in _TEXT}
Row = tuple[Cell, ...]


class Different(AssertionError):
    """The two sides differ; the message holds the schema, the rows and the statement."""


@dataclass
class Outcome:
    """What became of the statements: compared, routed by reason, rejected by name."""

    compared: Counter[str] = field(default_factory=Counter)
    routed: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    found_rows: int = 0
    """Reads that found something."""

    @property
    def routed_share(self) -> float:
        """Routed statements as a share of those that MariaDB took."""
        return self.routed.total() / max(1, self.routed.total() + self.compared.total())

    def __str__(self) -> str:
        lines = [
            f"{self.compared.total()} compared ({self.found_rows} reads found rows), {self.routed_share:.1%} routed"
        ]
        for title, counts in (("compared", self.compared), ("routed", self.routed), ("rejected", self.rejected)):
            lines += [f"  {title} {name}: {n}" for name, n in sorted(counts.items())]
        return "\n".join(lines)


class MariaDb:
    """The SQL side: one database, emptied for each application."""

    def __init__(self, server: Server) -> None:
        self._connection = pymysql.connect(
            host=server.host, port=server.port, user=server.user, autocommit=True, charset="utf8mb4",
            conv=_CONVERSIONS, client_flag=CLIENT.FOUND_ROWS,
        )  # fmt: skip
        moment = f"UNIX_TIMESTAMP('{CLOCK.isoformat(sep=' ')}')"
        self.run("SET time_zone = '+00:00'")
        self.run(f"SET timestamp = {moment}")
        self.run("SET collation_connection = utf8mb4_bin")

    def run(self, sql: str) -> tuple[int, tuple[Row, ...], int]:
        """Rows found or changed, the rows, and the key that was given."""
        with self._connection.cursor() as cursor:
            count = cursor.execute(sql)
            return count, tuple(cursor.fetchall()), cursor.lastrowid or 0

    def fill(self, application: Application) -> None:
        """Tables and rows; a row that the server refuses is left out."""
        self.run(f"DROP DATABASE IF EXISTS {DATABASE}")
        self.run(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        self.run(f"USE {DATABASE}")
        for statement in filter(str.strip, application.ddl.split(";")):
            self.run(statement)
        for statement in application.inserts:
            try:
                self.run(statement)
            except pymysql.err.MySQLError:
                continue

    def rows(self, schema: Schema) -> dict[str, list[dict[str, Cell]]]:
        """Every row of every table."""
        found = {}
        for table in schema.tables:
            names = [c.name for c in table.columns]
            order = f" ORDER BY {', '.join(table.primary_key)}" if table.primary_key else ""
            _, rows, _ = self.run(f"SELECT {', '.join(names)} FROM {table.name}{order}")
            found[table.id] = [dict(zip(names, row, strict=True)) for row in rows]
        return found

    def close(self) -> None:
        """Say goodbye."""
        self._connection.close()


def snapshot_of(application: Application, folder: Path) -> Snapshot:
    """The product's reading of the schema and of a general log of the statements; statistics of much more data."""
    schema = read_ddl_text(application.ddl, "schema.sql")
    assert not schema.problems, schema.problems
    log = folder / "general.log"
    head = "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:\n"
    head += "Tcp port: 3306  Unix socket: /tmp/m.sock\nTime                 Id Command    Argument\n"
    events = [f"2026-11-22T10:00:00.{n:06}Z\t    1 Query\t{s.sql}\n" for n, s in enumerate(application.statements)]
    log.write_bytes((head + "".join(events)).encode())
    digest = read_general_log(log, key=b"a key for tests")
    patterns, skipped = read_patterns(digest, schema)
    assert not skipped, skipped
    groups = declared_groups(schema)[0]
    statistics = {
        t.id: _statistics(t.name not in application.small, sorted(groups.get(t.id, ()))) for t in schema.tables
    }
    return Snapshot(tables=schema, statistics=statistics, digest=digest, patterns=patterns)


def _statistics(large: bool, groups: Sequence[tuple[str, ...]]) -> TableStatistics:
    rows = LARGE if large else SMALL
    return TableStatistics(
        rows=Measure(value=rows, unit="rows", source="measured", origin="test"),
        item_bytes=Measure(value=ITEM_BYTES, unit="bytes", source="measured", origin="test"),
        groups=tuple(GroupStatistics(columns=g, groups=rows // 20, average=20, p99=40, max=60) for g in groups),
    )


@dataclass
class TwoSides:
    """An application loaded on both sides."""

    application: Application
    maria: MariaDb
    snapshot: Snapshot
    alternative: Alternative
    operations: Operations
    builders: Mapping[str, ItemBuilder]
    outcome: Outcome

    def __post_init__(self) -> None:
        self.normalizer = Normalizer()
        self.patterns = {p.sql: p for p in self.snapshot.patterns}
        self.plans = {plan.pattern: plan for plan in self.alternative.plans}

    # --- items ---

    def due(self) -> dict[str, list[dict[str, Any]]]:
        """The items that MariaDB's rows make now, by table."""
        rows = self.maria.rows(self.snapshot.tables)

        def find(table_id: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Mapping[str, Cell] | None:
            definitions = [self.snapshot.tables.table(table_id).column(c) for c in columns]
            wanted = [collated(v, c) for v, c in zip(values, definitions, strict=True)]
            return next((r for r in rows[table_id] if [collated(r[c.name], c) for c in definitions] == wanted), None)

        found = {}
        for table in self.alternative.tables:
            builder, seen = self.builders[table.name], Counter[Any]()
            digest = table.attributes[table.pk].encoding == "row_digest"
            items = []
            for row in rows[table.source_table]:
                if builder.applies(row):
                    item = builder.item(row, find)
                    if digest and seen[item[table.pk]]:
                        item = builder.item(row, find, seen[builder.item(row, find)[table.pk]])
                    seen[builder.item(row, find)[table.pk]] += 1
                    items.append(item)
            found[table.name] = items
        return found

    def compare_state(self, bound: Bound) -> None:
        """Every item beside those that MariaDB's rows make. Raises Different."""
        for name, items in self.due().items():
            table = self.operations.table(name)
            want = Counter(map(_fingerprint, items))
            have = Counter(_fingerprint(item) for item in self.operations.scan(table))
            if want != have:
                missing, extra = sorted((want - have).elements()), sorted((have - want).elements())
                self.differ(bound, f"items of {name}\n  missing: {missing}\n  unexpected: {extra}")

    # --- statements ---

    def run(self, bound: Bound) -> None:
        """One statement on both sides. Raises Different."""
        template = self.normalizer.normalize(bound.sql.encode())[0]
        pattern = self.patterns[template.sql]
        plan = self.plans[pattern.id]
        if plan.routed:
            self.outcome.routed[plan.routed[0]] += 1
            return
        params = self.params(pattern, bound)
        if params is None:
            self.outcome.rejected["rows of an INSERT with NULLs in different places"] += 1
            return
        if bound.kind == "select":
            self.read(bound, pattern, plan, params[0])
        else:
            self.write(bound, pattern, plan, params)

    def params(self, pattern: AccessPattern, bound: Bound) -> list[dict[int, Any]] | None:
        """The values of the placeholders, for each row of an INSERT."""
        rows = bound.rows or ((),)
        if len({tuple(v is None for v in row) for row in rows}) > 1:
            return None
        found = [dict(enumerate((*(v for v in row if v is not None), *bound.values))) for row in rows]
        assert all(len(each) == len(pattern.params) for each in found), (pattern.sql, found)
        return found

    def read(self, bound: Bound, pattern: AccessPattern, plan: Plan, params: Mapping[int, Any]) -> None:
        """A SELECT: rows in the order of the sort keys, else as a set."""
        count, rows, _ = self.maria.run(bound.sql)
        try:
            found = run_plan(self.operations, pattern, plan, params, {})
        except (NotEvaluated, InputError) as error:
            self.outcome.rejected[f"not evaluated: {error}"] += 1
            return
        columns = self._columns(pattern)
        got = found.values
        self.outcome.compared["select"] += 1
        self.outcome.found_rows += bool(count)
        want, have = ([_normal(row, columns) for row in side] for side in (rows, got))
        sequences = [[tuple(row[n] for n, _ in bound.order) for row in side] for side in (want, have)]
        if sequences[0] != sequences[1] and (bound.order or len(want) != len(have)):
            self.differ(bound, f"order\n  SQL: {want}\n  plan: {have}", plan)
        if bound.unlimited is not None:
            pool = Counter(_normal(row, columns) for row in self.maria.run(bound.unlimited)[1])
            if Counter(have) - pool or len(have) != len(want):
                self.differ(bound, f"rows\n  SQL: {want}\n  plan: {have}", plan)
        elif Counter(want) != Counter(have):
            self.differ(bound, f"rows\n  SQL: {want}\n  plan: {have}", plan)

    def _columns(self, pattern: AccessPattern) -> list[Column | None]:
        """Per output the column whose collation decides what is equal; None for numbers."""

        def table(c: ColumnRef) -> Column:
            return self.snapshot.tables.table(pattern.refs[c.ref].table).column(c.column)

        aggregates = [
            table(a.column) if a.column and a.function in ("min", "max") else None for a in pattern.aggregates
        ]
        return [*(table(c) for c in pattern.reads), *aggregates]

    def write(self, bound: Bound, pattern: AccessPattern, plan: Plan, params: Sequence[Mapping[int, Any]]) -> None:
        """A write: the same number of rows, and then the same state."""
        keys = self.new_keys(pattern)
        try:
            count, _, _ = self.maria.run(bound.sql)
        except pymysql.err.MySQLError as error:
            code = error.args[0]
            if code != 1062 or len(params) > 1 or bound.kind == "update":
                self.outcome.rejected[f"refused by the server: {code}"] += 1
                return
            count = 0
        try:
            changed = sum(run_plan(self.operations, pattern, plan, each, keys).rows for each in params)
        except (NotEvaluated, InputError) as error:
            self.outcome.rejected[f"write not evaluated: {error}"] += 1
            raise Abandoned from error
        if bound.kind == "insert" and changed and not count and "must not be given out twice" in plan.detail:
            self.outcome.rejected["a primary key given out twice, which the plan says it cannot see"] += 1
            raise Abandoned
        self.outcome.compared[bound.kind] += 1
        if bool(count) != bool(changed) or (bound.kind in ("update", "delete") and count != changed):
            self.differ(bound, f"SQL changed {count} rows, the plan {changed}", plan)
        try:
            self.compare_state(bound)
        except Different as error:
            raise Different(f"{error}\nplan: {[s.kind for s in plan.steps]}") from error

    def new_keys(self, pattern: AccessPattern) -> dict[tuple[str, str], int]:
        """The AUTO_INCREMENT values that MariaDB is about to give."""
        table = self.snapshot.tables.table(pattern.refs[0].table)
        _, rows, _ = self.maria.run(
            f"SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{DATABASE}' "
            f"AND TABLE_NAME = '{table.name}'"
        )
        following = int(str(rows[0][0] or 1))
        return {(table.id, c.name): following - 1 for c in table.columns if c.auto_increment}

    def differ(self, bound: Bound, what: str, plan: Plan | None = None) -> None:
        """Raise Different with all that is needed to repeat it."""
        from design_builder import show_plan

        parts = [self.application.ddl]
        parts += self.application.inserts
        parts += [f"alternative {self.alternative.id}", bound.sql, what]
        parts += ["plan:", *show_plan(plan)] if plan else []
        raise Different("\n".join(parts))


class Abandoned(Exception):
    """The sides are no longer in step: the rest of the application is not run."""


def _normal(row: Row, columns: Sequence[Column | None]) -> tuple[Any, ...]:
    """A row in which equal values of MySQL are equal."""
    assert len(row) == len(columns), (row, columns)
    return tuple(_value(v, c) for v, c in zip(row, columns, strict=True))


def _value(value: Cell, column: Column | None) -> Any:
    if column is None:
        return None if value is None else f"{float(str(value)):.6g}"
    return collated(value, column)


def _fingerprint(item: Mapping[str, Any]) -> str:
    """An item's content; equal rows of a table without a key may be numbered in another order."""
    return repr(sorted((k, v.split("#")[0] if k.startswith("row_digest") else str(v)) for k, v in item.items()))


@contextmanager
def two_sides(
    application: Application, maria: MariaDb, engine: Engine, rules: Rulebook, folder: Path, outcome: Outcome
) -> Iterator[TwoSides]:
    """The application designed, created and loaded on both sides; its tables are removed afterwards."""
    maria.fill(application)
    snapshot = snapshot_of(application, folder)
    design = propose(snapshot, assess_workload(snapshot, rules), PRICES, lambda _: (), {}, None)
    alternative = design.alternatives[application.alternative % len(design.alternatives)]
    entries = {e.table: e for e in contract_of(alternative, {}).root if e.type == "Table"}
    builders = {name: ItemBuilder(entry, snapshot.tables) for name, entry in entries.items()}
    operations = Operations(engine.client, alternative.tables, builders, snapshot.tables, "differential_")
    sides = TwoSides(application, maria, snapshot, alternative, operations, builders, outcome)
    created: list[TableDesign] = []
    try:
        for table in alternative.tables:
            create_table(engine.client, table, "differential_" + table.name)
            created.append(table)
        refused: list[str] = []
        for name, items in sides.due().items():
            write_items(engine.client, "differential_" + name, items, refused.append)
        assert not refused, refused
        yield sides
    finally:
        for table in created:
            engine.client.delete_table(TableName="differential_" + table.name)


def run_application(
    application: Application, maria: MariaDb, engine: Engine, rules: Rulebook, folder: Path, outcome: Outcome
) -> None:
    """All statements of an application on both sides. Raises Different."""
    with two_sides(application, maria, engine, rules, folder, outcome) as sides:
        for bound in application.statements:
            try:
                sides.run(bound)
            except Abandoned:
                return
