"""Plans run on an engine answer as their SQL does on the rows, and leave the items that the changed rows would give."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from shop import DATA, GROUPS, ROWS, shop, shop_rows

from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.design import Alternative, TableDesign
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import DdbmigError
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.validators.engines import Engine, open_engine
from ddbmig.validators.execute import run_plan
from ddbmig.validators.run_tables import PREFIX
from ddbmig.validators.source import SourceRows
from ddbmig.validators.sql_side import SqlSide
from ddbmig.validators.validate import Data, _Loading, _Validation, read_data
from design_builder import World, design_world, show_plan, snapshot_of

SHOP = shop()
DESIGN = design_world(SHOP)
SOON = ("rules", "fewest")
"""Alternatives of `make test`: the one that is recommended, and the one that is least like it. The night runs all."""
ALTERNATIVES = [one.id if one.id in SOON else pytest.param(one.id, marks=pytest.mark.slow)
                for one in DESIGN.alternatives]  # fmt: skip


@pytest.fixture(scope="module")
def moto() -> Iterator[Engine]:
    with open_engine("moto") as engine:
        yield engine


def sqlite_data(snapshot: Snapshot) -> Data:
    return read_data(snapshot, shop_rows(), SourceRows(snapshot.tables))


@contextmanager
def ran(alternative: Alternative, engine: Engine) -> Iterator[tuple[_Validation, Validation]]:
    """A validation whose tables still stand."""
    run = _Validation(SHOP, alternative, engine, sqlite_data(SHOP))
    try:
        run.create()
        run.load()
        run.run_patterns()
        yield run, run.result()
    finally:
        run.drop()


def report(found: Validation, status: str) -> list[str]:
    names = {p.id: p.sql for p in SHOP.patterns}
    return [f"{names[p.pattern]}: {p.why}, {p.rows_sql} {p.rows_plan}" for p in found.patterns if p.status == status]


def items_of(run: _Validation, table: TableDesign) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in run.engine.client.get_paginator("scan").paginate(TableName=PREFIX + table.name, ConsistentRead=True):
        found += [run.operations.plain(item) for item in page["Items"]]
    return found


def items_due(builder: ItemBuilder, source: SqlSide) -> list[dict[str, Any]]:
    """The items of the rows as they are now."""

    def find(table_id: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Mapping[str, Cell] | None:
        return source.match(table_id, dict(zip(columns, values, strict=True)))

    return list(_Loading().items(builder, source.rows(builder.entry.source_table), find))


def without_number(item: Mapping[str, Any]) -> str:
    """An item as text; equal rows of a table without a key may be numbered in another order."""
    plain = {name: value.split("#")[0] if name == "row_digest" else value for name, value in item.items()}
    return repr(sorted((name, str(value)) for name, value in plain.items()))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_plans_answer_as_their_sql_and_leave_the_same_data(
    alternative: str, moto: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddbmig.validators.proof.boundary_cases", lambda *_: iter(()))  # theirs is test_proof
    design = DESIGN.alternative(alternative)
    with ran(design, moto) as (run, found):
        assert report(found, "mismatched") == []
        assert report(found, "not proved") == []
        assert {p.pattern for p in found.patterns if p.status == "routed"} == {
            plan.pattern for plan in design.plans if plan.routed
        }
        assert [load for load in found.loads if load.rejected or load.items_found != load.rows - load.filtered] == []
        assert run.data is not None
        for table in design.tables:
            due = sorted(map(without_number, items_due(run.builders[table.name], run.data.source)))
            assert sorted(map(without_number, items_of(run, table))) == due, table.name


def test_an_item_that_writes_lost_or_left_behind_is_seen(moto: Engine) -> None:
    with ran(DESIGN.alternatives[0], moto) as (run, _):
        table = DESIGN.alternatives[0].tables[0]
        item = next(run.operations.scan(table))
        key = {name: item[name] for name in table.keys}
        run.engine.client.delete_item(TableName=PREFIX + table.name, Key=run.operations.wire(key))
        stray = item | {"stray": "left behind"}
        run.engine.client.put_item(TableName=PREFIX + table.name, Item=run.operations.wire(stray))
        run.compare_state()
        assert [(s.missing, s.unexpected) for s in run.left if s.table == table.name] == [(1, 1)]
        assert all(not s.missing and not s.unexpected for s in run.left if s.table != table.name)
        (check,) = [c for c in run.result().checks if c.name == "Writes leave the same data as SQL"]
        assert check.verdict == "failed"
        assert table.name in check.evidence


def test_a_row_that_the_sql_side_takes_for_another_is_a_reject(moto: Engine) -> None:
    data = sqlite_data(SHOP)
    table = DESIGN.alternatives[0].tables[0]
    twin = replace(data, seen={**data.seen, table.source_table: data.seen[table.source_table] + 1})
    run = _Validation(SHOP, DESIGN.alternatives[0], moto, twin)
    try:
        run.create()
        run.load()
    finally:
        run.drop()
    (load,) = [load for load in run.loads if load.table == table.name]
    assert (load.rejected, load.rows) == (1, twin.seen[table.source_table])
    assert load.reject_reasons == ("another row has the same unique key by the SQL side's comparison: 1 rows",)


UPSERT = "INSERT INTO authors (id, name, country) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE name = ?"
REPLACE = "REPLACE INTO authors (id, name, country) VALUES (?, ?, ?)"


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        (UPSERT, {0: 3, 1: "Unused", 2: "DE", 3: "Renamed"}),
        (UPSERT, {0: 300, 1: "New", 2: "DE", 3: "Unused"}),
        (REPLACE, {0: 3, 1: "Replaced", 2: "DE"}),
    ],
)
def test_copies_follow_a_row_that_an_insert_overwrites(sql: str, params: Mapping[int, Cell], moto: Engine) -> None:
    snapshot = shop(sql)
    design = design_world(snapshot, {"books.author_id->authors.id": "denormalize"}).alternative("rules")
    pattern = next(p for p in snapshot.patterns if p.sql == sql)
    plan = next(plan for plan in design.plans if plan.pattern == pattern.id)
    data = sqlite_data(snapshot)
    run = _Validation(snapshot, design, moto, data)
    try:
        run.create()
        run.load()
        run_plan(run.operations, pattern, plan, params, {})
        assert data.source.answer(pattern, params).count
        for table in design.tables:
            due = sorted(map(without_number, items_due(run.builders[table.name], data.source)))
            assert sorted(map(without_number, items_of(run, table))) == due, table.name
    finally:
        run.drop()


LABEL = "SELECT s.label, a.name FROM shelves s JOIN authors a ON a.id = s.author_id WHERE s.code = ?"
BORN = "SELECT s.label, a.id, a.born FROM shelves s LEFT JOIN authors a ON a.id = s.author_id WHERE s.code = ?"
NEXT = "SELECT id FROM books WHERE author_id IN (?) AND published > ? ORDER BY published LIMIT ?"
OF_GENRE = "SELECT b.title, b.stock, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.genre = ?"
RESTOCK = "UPDATE books SET stock = ?, title = ? WHERE id = ?"
RARE = {RESTOCK: 50_000_000}
COPIES = "copies author_id, author_name"
EDGES: list[tuple[str, tuple[str, ...], list[dict[int, Any]], str]] = [
    # the parent's name comes with the child's row: a shelf without an author is no row of an inner join
    (LABEL, (), [{0: "S11"}, {0: "S12"}], f"GetItem shelves code__key=? with {COPIES}"),
    # a column that is NULL in a parent does not tell it from no parent
    (BORN, (LABEL,), [{0: "S11"}, {0: "S12"}],
     "GetItem shelves code__key=? with copies author_born, author_id, author_name"),
    # lists have one member on average, but not each: several Queries are in no order
    (NEXT, (), [{0: (1, 2, 10, 5), 1: "2008-10-05", 2: 1}],
     "Query books author_id=?*, published__id>?"),
    # what was copied comes with the base item behind an index entry that lacks it
    (OF_GENRE, (RESTOCK,), [{0: "Genre 1"}, {0: "none"}], f"BatchGetItem books complete with {COPIES}"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "beside", "params", "step"), EDGES, ids=["no parent", "NULL", "list", "fetched"])
def test_edges_of_what_sql_means(
    sql: str, beside: tuple[str, ...], params: list[dict[int, Any]], step: str, moto: Engine
) -> None:
    schema = (DATA / "shop.sql").read_text()
    snapshot = snapshot_of(World(schema=schema, statements=(sql, *beside), rows=ROWS, groups=GROUPS, calls=RARE))
    pattern = next(p for p in snapshot.patterns if p.sql == sql)
    seen: set[str] = set()
    for alternative in design_world(snapshot).alternatives:
        plan = next(plan for plan in alternative.plans if plan.pattern == pattern.id)
        seen |= set(show_plan(plan))
        run = _Validation(snapshot, alternative, moto, sqlite_data(snapshot))
        try:
            run.create()
            run.load()
            assert run.data is not None
            for given in params:
                in_sql = run.data.source.answer(pattern, given)
                in_plan = run_plan(run.operations, pattern, plan, given, {})
                assert in_plan.rows == in_sql.count
                assert sorted(map(repr, in_plan.values)) == sorted(map(repr, in_sql.rows.values)), alternative.id
        finally:
            run.drop()
    assert step in seen


@pytest.fixture(scope="module")
def local() -> Iterator[Engine]:
    try:
        with open_engine("jar") as engine:
            yield engine
    except DdbmigError as error:
        pytest.skip(str(error))


@pytest.mark.engine
@pytest.mark.parametrize("name", ALTERNATIVES)
def test_the_same_on_dynamodb_local_with_the_predicted_capacity(name: str, local: Engine) -> None:
    alternative = DESIGN.alternative(name)
    with ran(alternative, local) as (_, found):
        shapes = {(len(i.partition), len(i.sort)) for t in alternative.tables for i in t.indexes}
        assert (2, 2) in shapes
        assert report(found, "mismatched") == []
        assert report(found, "not proved") == []
        assert [p for p in found.patterns if p.capacity_differs] == []
        assert found.capacity_operations > 100
