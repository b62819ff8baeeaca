"""Planted defects: each mutant of a sound design must be reported by the proof, and the design itself must pass.

A mutant changes one plan, one table or the loader of a small shop, as a bug of ours would.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from ddbmig.model.condition import AnyOf
from ddbmig.model.design import Alternative, Design, TableDesign
from ddbmig.model.encodings import Cell
from ddbmig.model.plan import (
    Distinct,
    Exists,
    Filter,
    Plan,
    ReadCall,
    Reduce,
    Slice,
    Sort,
    Step,
    Transaction,
    WriteCall,
)
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.validators.engines import Engine
from ddbmig.validators.source import SourceRows
from ddbmig.validators.validate import read_data, validate
from design_builder import World, design_world, snapshot_of, template_id

DATA = Path(__file__).parent / "data"
AUTHORS, WRITING, BOOKS, ORDERS = 8, 4, 48, 16
MISMATCHED = frozenset({"failed", "mismatched"})
"""The words for a disproved pattern."""

Change = Callable[[Alternative], Alternative]
Steps = Callable[[tuple[Step, ...]], Iterable[Step]]


def _shop() -> Snapshot:
    return snapshot_of(
        World(
            schema=(DATA / "mutants.sql").read_text(),
            statements=(DATA / "mutants_statements.sql").read_text().splitlines(),
            rows={"authors": 10_000, "books": 200_000, "order_lines": 1_000_000},
            groups={
                "books": {"author_id": 10_000, "genre": 50, "author_id,genre": 100_000},
                "order_lines": {"order_id": 300_000, "book_id": 200_000},
            },
            list_length=2,
        )
    )


def shop_rows() -> Iterator[tuple[str, tuple[Cell, ...]]]:
    """Authors, half of them with several books, of which some share a genre or a day; orders of one to four lines."""
    for n in range(1, AUTHORS + 1):
        yield "authors", (n, f"Author {n}", "DE" if n % 2 else "FR")
    for n in range(1, BOOKS + 1):
        genre = None if n % 5 == 0 else f"Genre {n % 3}"
        day = f"2020-{1 + n % 12:02d}-{1 + n * 7 % 28:02d}"
        yield "books", (n, 1 + n % WRITING, f"{9780000000000 + n}", f"Title {n * 31 % 97}", genre,
                        Decimal(n) + Decimal("0.95"), day, f"{day} 10:{n % 60:02d}:00", 10 + n)  # fmt: skip
    for n in range(1, ORDERS + 1):
        for line in range(1, 2 + n % 4):
            yield "order_lines", (n, line, 1 + n * line % (BOOKS // 2), line, "gift" if line == 2 else None)


# --- mutants of plans ---


def in_plan(sql: str, change: Steps) -> Change:
    """Change the steps of one statement's plan."""
    pattern = f"Q{template_id(sql)}"

    def mutate(alternative: Alternative) -> Alternative:
        plans = tuple(_with_steps(p, change) if p.pattern == pattern else p for p in alternative.plans)
        return alternative.model_copy(update={"plans": plans})

    return mutate


def _with_steps(plan: Plan, change: Steps) -> Plan:
    steps = tuple(change(plan.steps))
    assert steps != plan.steps, "the mutant changes nothing"
    return plan.model_copy(update={"steps": steps})


def without(*kinds: type) -> Steps:
    """The steps without those of some kinds."""
    return lambda steps: [step for step in steps if not isinstance(step, kinds)]


def each(kind: type[Any], **update: Any) -> Steps:
    """Steps of one kind with other values; a value that is a function is applied to the old one."""

    def changed(step: Any) -> Any:
        if not isinstance(step, kind):
            return step
        values = {k: v(getattr(step, k)) if callable(v) else v for k, v in update.items()}
        return step.model_copy(update=values)

    return lambda steps: [changed(step) for step in steps]


def read(position: int, **update: Any) -> Steps:
    """One of the read calls with other values."""

    def mutate(steps: tuple[Step, ...]) -> list[Step]:
        reads = [n for n, step in enumerate(steps) if isinstance(step, ReadCall)]
        at = reads[position]
        return [*steps[:at], *each(ReadCall, **update)((steps[at],)), *steps[at + 1 :]]

    return mutate


def writes(keep: Callable[[WriteCall], bool], alter: Callable[[WriteCall], WriteCall] = lambda w: w) -> Steps:
    """The writes that are kept, altered."""

    def mutate(steps: tuple[Step, ...]) -> list[Step]:
        found: list[Step] = []
        for step in steps:
            if isinstance(step, Transaction):
                kept = tuple(alter(w) for w in step.writes if keep(w))
                found.append(step.model_copy(update={"writes": kept}))
            elif not isinstance(step, WriteCall) or keep(step):
                found.append(alter(step) if isinstance(step, WriteCall) else step)
        return found

    return mutate


def _swapped_terms(key: Any) -> Any:
    """The two conditions of a key with each other's values."""
    first, second = key
    return (
        first.model_copy(update={"terms": ((first.terms[0][0], second.terms[0][1]),)}),
        second.model_copy(update={"terms": ((second.terms[0][0], first.terms[0][1]),)}),
    )


# --- mutants of tables ---


def in_table(name: str, change: Callable[[TableDesign], TableDesign]) -> Change:
    """Change one table."""

    def mutate(alternative: Alternative) -> Alternative:
        tables = tuple(change(t) if t.name == name else t for t in alternative.tables)
        assert tables != alternative.tables, "the mutant changes nothing"
        return alternative.model_copy(update={"tables": tables})

    return mutate


def encoded(column: str, encoding: str, kind: str) -> Callable[[TableDesign], TableDesign]:
    """A column in another encoding."""

    def mutate(table: TableDesign) -> TableDesign:
        attribute = table.attributes[column].model_copy(update={"encoding": encoding, "type": kind})
        return table.model_copy(update={"attributes": {**table.attributes, column: attribute}})

    return mutate


def index(**update: Any) -> Callable[[TableDesign], TableDesign]:
    """The GSI of a table with other values."""

    def mutate(table: TableDesign) -> TableDesign:
        (found,) = table.indexes
        values = {k: v(getattr(found, k)) if callable(v) else v for k, v in update.items()}
        return table.model_copy(update={"indexes": (found.model_copy(update=values),)})

    return mutate


def source(column: str, of: str) -> Callable[[TableDesign], TableDesign]:
    """An attribute that takes its value from another column."""

    def mutate(table: TableDesign) -> TableDesign:
        attribute = table.attributes[column].model_copy(update={"source_column": of})
        return table.model_copy(update={"attributes": {**table.attributes, column: attribute}})

    return mutate


# --- mutants of the loader ---


class Losing:
    """A client whose loader forgets an attribute of every third item of a table, or the whole item."""

    def __init__(self, client: Any, table: str, attribute: str | None) -> None:
        self._client, self._table, self._attribute, self._seen = client, table, attribute, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_write_item(self, RequestItems: Mapping[str, Any]) -> Any:
        """Write a batch, less what is lost of it."""
        kept = {
            name: [r for one in requests if (r := self._request(name, one))] for name, requests in RequestItems.items()
        }
        kept = {name: requests for name, requests in kept.items() if requests}
        return self._client.batch_write_item(RequestItems=kept) if kept else {}

    def _request(self, name: str, request: Any) -> Any:
        self._seen += name.endswith(self._table)
        if not name.endswith(self._table) or self._seen % 3:
            return request
        if self._attribute is None:
            return None
        return {
            "PutRequest": {"Item": {k: v for k, v in request["PutRequest"]["Item"].items() if k != self._attribute}}
        }


# --- the list ---


@dataclass(frozen=True)
class Mutant:
    """A defect of one alternative: of the design, or of the loader."""

    name: str
    alternative: str = "faithful"
    change: Change = lambda alternative: alternative
    loses: tuple[str, str | None] | None = None
    """Table, and attribute or None for whole items, that the loader loses."""


AUTHORS_BOOKS = "SELECT id, title, price, changed FROM books WHERE author_id = ?"
IN_STOCK = "SELECT id FROM books WHERE author_id = ? AND stock > ?"
OF_GENRE = "SELECT id FROM books WHERE author_id = ? AND genre = ?"
NEWEST = "SELECT title FROM books WHERE author_id = ? AND published > ? ORDER BY published DESC LIMIT ?"
BY_TITLE = "SELECT title FROM books WHERE author_id = ? ORDER BY title"
GENRES = "SELECT DISTINCT genre FROM books WHERE author_id = ?"
COUNT = "SELECT COUNT(*) FROM books WHERE author_id = ?"
STOCK = "SELECT SUM(stock) FROM books WHERE author_id = ?"
OF_AUTHOR = "SELECT a.name, b.title FROM authors a LEFT JOIN books b ON b.author_id = a.id WHERE a.id IN (?)"
WITH_AUTHOR = "SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?"
ORDERED = "SELECT id FROM books b WHERE b.author_id = ? AND EXISTS (SELECT 1 FROM order_lines r WHERE r.book_id = b.id)"
LINE = "SELECT qty, note FROM order_lines WHERE order_id = ? AND nr = ?"
LINES = "SELECT nr, qty FROM order_lines WHERE order_id = ?"
LATER_LINES = "SELECT nr, qty FROM order_lines WHERE order_id = ? AND nr > ?"
LISTED = "SELECT title, price FROM books WHERE id IN (?)"
BY_ISBN = "SELECT title FROM books WHERE isbn = ?"
RENAME = "UPDATE authors SET name = ? WHERE id = ?"
RESTOCK = "UPDATE books SET title = ?, stock = stock - ? WHERE id = ?"
SELL = "UPDATE books SET stock = stock - ? WHERE id = ? AND stock >= ?"
NEW_ISBN = "UPDATE books SET isbn = ? WHERE id = ?"
ADD_BOOK = (
    "INSERT INTO books (author_id, isbn, title, genre, price, published, changed, stock) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
ADD_LINE = "INSERT INTO order_lines (order_id, nr, book_id, qty) VALUES (?, ?, ?, ?)"
DROP_LINES = "DELETE FROM order_lines WHERE order_id = ?"
DROP_BOOK = "DELETE FROM books WHERE id = ?"
RULES = "rules"


def is_lookup(write: WriteCall) -> bool:
    """Whether a write is that of a look-up item."""
    return write.purpose.startswith("look-up")


MUTANTS = (
    Mutant("wrong key order", change=in_plan(LINE, read(0, key=_swapped_terms))),
    Mutant("sort key of the plan left out", change=in_plan(LATER_LINES, read(0, key=lambda key: key[:1]))),
    Mutant("range turned round", change=in_plan(LATER_LINES, read(0, key=lambda key: (
        key[0], key[1].model_copy(update={"op": "<="}))))),
    Mutant("range one too wide", change=in_plan(LATER_LINES, read(0, key=lambda key: (
        key[0], key[1].model_copy(update={"op": ">="}))))),
    Mutant("projection misses an attribute", change=in_table("books", index(
        projected=lambda names: tuple(n for n in names if n != "title")))),
    Mutant("keys only", change=in_table("books", index(projection="KEYS_ONLY", projected=()))),
    Mutant("base item not fetched", RULES, in_plan(LISTED, lambda steps: steps[:1])),
    Mutant("index key not written", loses=("books", "author_id")),
    Mutant("attribute not written", loses=("order_lines", "qty")),
    Mutant("row lost", loses=("order_lines", None)),
    Mutant("look-up row lost", loses=("books_isbn_unique", None)),
    Mutant("copy not loaded", RULES, loses=("books", "author_name")),
    Mutant("copy not maintained", RULES, in_plan(RENAME, writes(lambda w: not w.purpose.startswith("copy")))),
    Mutant("copy not taken for a new row", RULES, in_plan(ADD_BOOK, without(ReadCall))),
    Mutant("time of day lost", change=in_table("books", encoded("changed", "iso8601_date", "S"))),
    Mutant("cents lost", change=in_table("books", encoded("price", "integer", "N"))),
    Mutant("value of another column", change=in_table("books", source("title", "isbn"))),
    Mutant("filter dropped", change=in_plan(IN_STOCK, without(Filter))),
    Mutant("filter of equality dropped", change=in_plan(OF_GENRE, without(Filter))),
    Mutant("condition of a write dropped", change=in_plan(SELL, without(Filter))),
    Mutant("nothing found", change=in_plan(OF_GENRE, each(Filter, condition=AnyOf()))),
    Mutant("sort dropped", change=in_plan(BY_TITLE, without(Sort))),
    Mutant("wrong sort direction", change=in_plan(NEWEST, each(Sort, order=lambda order: tuple(
        t.model_copy(update={"descending": not t.descending}) for t in order)))),
    Mutant("limit before filter", change=in_plan(IN_STOCK, read(0, limit=1))),
    Mutant("one page only", change=in_plan(AUTHORS_BOOKS, read(0, limit=3))),
    Mutant("limit dropped", change=in_plan(NEWEST, without(Slice))),
    Mutant("distinct dropped", change=in_plan(GENRES, without(Distinct))),
    Mutant("counted by another function", change=in_plan(STOCK, each(Reduce, aggregates=lambda found: tuple(
        a.model_copy(update={"function": "max"}) for a in found)))),
    Mutant("counted one page", change=in_plan(COUNT, read(0, limit=2))),
    Mutant("left join as inner join", change=in_plan(OF_AUTHOR, read(1, join="inner"))),
    Mutant("join condition dropped and parent unread", RULES, in_plan(WITH_AUTHOR, each(ReadCall, copied=()))),
    Mutant("existence test turned round", change=in_plan(ORDERED, each(Exists, keep="unmatched"))),
    Mutant("existence test dropped", change=in_plan(ORDERED, without(Exists))),
    Mutant("old look-up row left behind", change=in_plan(NEW_ISBN, writes(
        lambda w: not (is_lookup(w) and w.op == "DeleteItem")))),
    Mutant("look-up row not written", change=in_plan(ADD_BOOK, writes(lambda w: not is_lookup(w)))),
    Mutant("look-up row not removed", change=in_plan(DROP_BOOK, writes(lambda w: not is_lookup(w)))),
    Mutant("look-up of another key", change=in_plan(BY_ISBN, read(1, table="authors"))),
    Mutant("an assignment forgotten", change=in_plan(RESTOCK, writes(
        lambda w: True, lambda w: w.model_copy(update={"sets": w.sets[:1]})))),
    Mutant("an assignment to another column", change=in_plan(SELL, writes(
        lambda w: True, lambda w: w.model_copy(update={"sets": tuple(
            s.model_copy(update={"column": "price"}) for s in w.sets)})))),
    Mutant("only the first row written", change=in_plan(DROP_LINES, read(0, limit=1))),
    Mutant("nothing written", change=in_plan(ADD_LINE, writes(lambda w: False))),
    Mutant("one row instead of all", change=in_plan(LINES, read(0, limit=1))),
)  # fmt: skip


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return _shop()


@pytest.fixture(scope="module")
def design(snapshot: Snapshot) -> Design:
    return design_world(snapshot, {"books.author_id->authors.id": "denormalize"})


def reported(found: Validation) -> list[str]:
    """What the proof says is wrong. Two clients at once are another matter: the shop's upserts undo each other."""
    wrong = [f"{p.pattern} {p.status}: {p.why}" for p in found.patterns if p.status in MISMATCHED]
    wrong += [f"{s.table}: {s.missing} missing, {s.unexpected} unexpected" for s in found.state
              if s.missing or s.unexpected]  # fmt: skip
    failed = (c for c in found.checks if c.verdict == "failed" and not c.name.startswith("Consistency"))
    return wrong + [f"{c.name}: {c.evidence}" for c in failed]


@pytest.mark.engine
@pytest.mark.parametrize("alternative", ["faithful", RULES])
def test_the_sound_design_passes(alternative: str, snapshot: Snapshot, design: Design, dynamodb_local: Engine) -> None:
    found = validate(
        snapshot,
        design.alternative(alternative),
        dynamodb_local,
        read_data(snapshot, shop_rows(), SourceRows(snapshot.tables)),
    )
    assert reported(found) == []


QUICK = frozenset({"wrong key order", "projection misses an attribute", "index key not written", "look-up row lost",
                   "copy not maintained", "time of day lost"})  # fmt: skip
"""The defects of which each kind is planted once even where time is short."""


@pytest.mark.engine
@pytest.mark.parametrize(
    "mutant",
    [pytest.param(m, id=m.name, marks=() if m.name in QUICK else pytest.mark.slow) for m in MUTANTS],
)
def test_a_mutant_is_reported(mutant: Mutant, snapshot: Snapshot, design: Design, dynamodb_local: Engine) -> None:
    alternative, engine = mutant.change(design.alternative(mutant.alternative)), dynamodb_local
    if mutant.loses is not None:
        engine = replace(engine, client=cast(Any, Losing(engine.client, *mutant.loses)))
    found = validate(snapshot, alternative, engine, read_data(snapshot, shop_rows(), SourceRows(snapshot.tables)))
    assert reported(found), "survives"
