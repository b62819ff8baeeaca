"""Changes of a loaded design: all are taken back, what they break is seen, and what cannot be tried says why."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from shop import shop, shop_rows

from ddbmig.model.assessment import Verdict
from ddbmig.model.design import Alternative
from ddbmig.model.evolution import Change, Evolution
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators import evolution
from ddbmig.validators.engines import Engine, open_engine
from ddbmig.validators.evolution import DryRuns, check
from ddbmig.validators.source import SourceRows
from ddbmig.validators.validate import SEED, _Validation, read_data
from design_builder import World, design_world, snapshot_of

SCHEMA = """
CREATE TABLE authors (id int NOT NULL, name varchar(60) NOT NULL, PRIMARY KEY (id));
CREATE TABLE books (id int NOT NULL, author_id int NOT NULL, title varchar(60), pages int,
  isbn char(9) NOT NULL, spare varchar(9), PRIMARY KEY (id), FOREIGN KEY (author_id) REFERENCES authors (id));
"""
STATEMENTS = ("SELECT b.title, b.pages, b.isbn, a.name FROM books b JOIN authors a ON a.id = b.author_id "
              "WHERE b.id = ?",
              "SELECT title FROM books WHERE author_id = ?")  # fmt: skip
COPY: Mapping[str, Verdict] = {"books.author_id->authors.id": "denormalize"}
ROWS = [("authors", (n, f"Author {n}")) for n in (1, 2, 3)] + [
    ("books", (n, n % 3 + 1, None if n == 7 else f"Title {n}", 100 + n if n % 5 else None, f"isbn {n}", None))
    for n in range(20)
]  # fmt: skip


def library(rows: Any = ROWS, verdicts: Mapping[str, Verdict] | None = COPY) -> tuple[Snapshot, Alternative, Any]:
    snapshot = snapshot_of(World(SCHEMA, STATEMENTS))
    design = design_world(snapshot, verdicts)
    return snapshot, design.alternative("rules" if verdicts else "faithful"), rows


def loaded(engine: Engine, snapshot: Snapshot, alternative: Alternative, rows: Any) -> Iterator[_Validation]:
    run = _Validation(snapshot, alternative, engine, read_data(snapshot, rows, SourceRows(snapshot.tables)))
    try:
        run.create()
        run.load()
        yield run
    finally:
        run.drop()


@pytest.fixture(scope="module")
def run() -> Iterator[_Validation]:
    with open_engine("moto") as engine:
        yield from loaded(engine, *library())


def tried(run: _Validation) -> Evolution:
    return DryRuns(
        run.snapshot, run.alternative, run.engine, run.operations, run.data.source, run.references, SEED
    ).tried()


def by_kind(found: Evolution) -> dict[str, Change]:
    return {one.kind: one for one in found.changes}


def contents(run: _Validation) -> list[str]:
    return sorted(
        f"{t.name} {sorted(i.items(), key=str)}" for t in run.alternative.tables for i in run.operations.scan(t)
    )


def test_every_change_is_made_compared_and_taken_back(run: _Validation) -> None:
    before = contents(run)
    found = tried(run)
    assert (found.left_out, check(found).verdict) == ({}, "passed")
    assert [one.kind for one in found.changes] == [
        "add a column", "remove a column", "rename a column", "retype a column", "add an access pattern",
        "change a key", "split a copy",
    ]  # fmt: skip
    assert all(one.compared > 2 and one.wrong == () for one in found.changes)
    assert {kind: one.items for kind, one in by_kind(found).items()} == {
        "add a column": 20, "remove a column": 20, "rename a column": 40, "retype a column": 40,
        "add an access pattern": 20, "change a key": 20, "split a copy": 20,
    }  # fmt: skip
    assert by_kind(found)["remove a column"].subject == "spare"
    assert by_kind(found)["split a copy"].subject == "author_name of authors"
    assert contents(run) == before
    names = run.engine.client.list_tables()["TableNames"]
    assert {name for name in names if name.startswith(run.engine.prefix)} == {
        run.engine.prefix + table.name for table in run.alternative.tables
    }
    assert tried(run) == found


@pytest.mark.engine
def test_dynamodb_local_says_the_same(dynamodb_local: Engine, run: _Validation) -> None:
    for local in loaded(dynamodb_local, *library()):
        assert tried(local) == tried(run)


def test_a_plan_that_needs_what_goes_is_seen(run: _Validation, monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement is known to name a column, so one that is read is taken away."""
    monkeypatch.setattr(evolution, "_named", lambda _: iter(()))
    found = tried(run)
    removed = by_kind(found)["remove a column"]
    assert removed.subject == "isbn"
    assert removed.wrong[0].startswith("old plans without the attribute: Q")
    assert check(found).verdict == "failed"
    assert "first: remove a column: old plans without" in check(found).evidence


def test_a_copy_that_is_not_its_parents_is_seen(run: _Validation) -> None:
    books = next(t for t in run.alternative.tables if t.name == "books")
    item = next(iter(run.operations.scan(books)))
    name = run.engine.prefix + "books"
    try:
        run.engine.client.put_item(TableName=name, Item=run.operations.wire({**item, "author_name": "another"}))
        found = tried(run)
    finally:
        run.engine.client.put_item(TableName=name, Item=run.operations.wire(item))
    assert by_kind(found)["split a copy"].wrong[0] == "copies beside their parents"
    assert by_kind(found)["add a column"].wrong == ()


def test_what_cannot_be_tried_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_engine("moto") as engine:
        for bare in loaded(engine, *library(verdicts=None)):
            assert tried(bare).left_out["split a copy"] == "the design keeps no copies"
            monkeypatch.setattr(evolution, "MOST_ITEMS_MOTO", 2)
            nothing = tried(bare)
            assert (nothing.changes, check(nothing).verdict) == ((), "not analysed")


def test_tables_of_every_shape() -> None:
    """Composed keys, sort keys, tables without a key, GSIs and look-up items."""
    snapshot = shop()
    with open_engine("moto") as engine:
        for run in loaded(engine, snapshot, design_world(snapshot).alternative("faithful"), shop_rows()):
            before = contents(run)
            found = tried(run)
            assert check(found).verdict == "passed", check(found).evidence
            assert len(found.changes) >= 4
            assert contents(run) == before
