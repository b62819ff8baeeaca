"""Interleavings of two clients: planted races are found with the shortest order of calls, sound plans pass."""

from collections.abc import Mapping
from typing import Any

import pytest

from ddbmig.engine.contract import contract_of
from ddbmig.engine.review import validation_facts
from ddbmig.engine.rulebook import load_rules
from ddbmig.engine.scoring import find
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.assessment import Verdict
from ddbmig.model.consistency import Anomaly, Consistency
from ddbmig.model.design import Alternative
from ddbmig.model.digest import Neighbours
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Transaction, WriteCall
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.packs import recommended
from ddbmig.validators.execute import PlanResult, run_plan
from ddbmig.validators.operations import ConditionFailed, ItemWrite
from ddbmig.validators.stress.interleavings import check, search
from ddbmig.validators.stress.made_up import value_of
from ddbmig.validators.stress.memory import MemoryOperations
from design_builder import World, design_world, snapshot_of, template_id

SCHEMA = """
CREATE TABLE authors (id int NOT NULL, name varchar(60) NOT NULL, PRIMARY KEY (id));
CREATE TABLE books (id int NOT NULL AUTO_INCREMENT, isbn char(13) NOT NULL, author_id int NOT NULL,
  stock int NOT NULL, state varchar(9) NOT NULL, PRIMARY KEY (id), UNIQUE KEY isbn (isbn),
  FOREIGN KEY (author_id) REFERENCES authors (id));
"""
JOIN = "SELECT b.stock, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?"
INSERT = "INSERT INTO books (isbn, author_id, stock, state) VALUES (?, ?, ?, ?)"
MOVE = "UPDATE books SET isbn = ? WHERE id = ?"
SELL = "UPDATE books SET state = ? WHERE id = ? AND state = ?"
COUNT = "INSERT INTO authors (id, name) VALUES (?, ?) ON DUPLICATE KEY UPDATE name = CONCAT(name, ?)"
DROP = "DELETE FROM books WHERE state = ? LIMIT 1"
RAISE = "UPDATE books SET stock = stock * 2 WHERE id = ?"
PLACE = "REPLACE INTO books (id, isbn, author_id, stock, state) VALUES (?, ?, ?, ?, ?)"
TAKE = "UPDATE books SET state = ? WHERE author_id = ? AND state = ? LIMIT 1"
PLAIN = "UPDATE books SET stock = ? WHERE id = ?"
GIVE = "UPDATE books SET author_id = ? WHERE id = ?"
RENAME = "UPDATE authors SET name = ? WHERE id = ?"


def application(*statements: str, verdicts: Mapping[str, Verdict] | None = None) -> tuple[Snapshot, Alternative]:
    snapshot = snapshot_of(World(SCHEMA, statements))
    design = design_world(snapshot, verdicts)
    return snapshot, design.alternative("rules" if verdicts else design.chosen)


def searched(*statements: str, verdicts: Mapping[str, Verdict] | None = None) -> Consistency:
    return search(*application(*statements, verdicts=verdicts))


def kinds(found: Consistency) -> dict[str, Anomaly]:
    return {one.kind: one for one in found.anomalies}


@pytest.mark.parametrize("sql", [PLAIN, INSERT, RENAME])
def test_a_write_of_one_call_or_of_one_transaction_is_sound(sql: str) -> None:
    found = searched(sql)
    assert (found.patterns, found.anomalies, found.not_run) == (1, (), ())
    assert check(found).verdict == "passed"


def test_of_two_registrations_of_one_unique_value_one_is_kept() -> None:
    """The two clients insert the same isbn under different ids; without the look-up's condition both would stay."""
    snapshot, alternative = application(INSERT)
    assert searched(INSERT).anomalies == ()
    (plan,) = alternative.plans
    (step,) = [step for step in plan.steps if isinstance(step, Transaction)]
    bare = step.model_copy(update={"writes": tuple(w.model_copy(update={"condition": None}) for w in step.writes)})
    steps = tuple(bare if one is step else one for one in plan.steps)
    careless = alternative.model_copy(update={"plans": (plan.model_copy(update={"steps": steps}),)})
    assert search(snapshot, careless).anomalies == ()  # each order alone is as careless
    split = plan.model_copy(update={"steps": step.writes})
    parted = search(snapshot, alternative.model_copy(update={"plans": (split,)}))
    assert kinds(parted)["crash"].schedule == ("A: PutItem books", "A: stops")
    assert kinds(parted)["crash"].tables == ("books_isbn_unique",)


def without_guards(snapshot: Snapshot, alternative: Alternative) -> Consistency:
    """What would be found if no write minded whether the row is as it was read."""

    def bare(write: Any) -> Any:
        return write.model_copy(update={"unchanged": None, "condition": None if write.unchanged is not None else
                                        write.condition})  # fmt: skip

    def careless(step: Any) -> Any:
        if isinstance(step, Transaction):
            return step.model_copy(update={"writes": tuple(map(bare, step.writes))})
        return bare(step) if isinstance(step, WriteCall) else step

    plans = tuple(p.model_copy(update={"steps": tuple(map(careless, p.steps))}) for p in alternative.plans)
    return search(snapshot, alternative.model_copy(update={"plans": plans}))


@pytest.mark.parametrize("sql", [MOVE, SELL, COUNT, DROP, RAISE, PLACE, TAKE])
def test_a_write_that_was_decided_by_a_row_minds_whether_it_is_as_it_was_read(sql: str) -> None:
    snapshot, alternative = application(sql)
    found = search(snapshot, alternative)
    assert (found.patterns, found.not_run) == (1, ())
    assert {one.kind for one in found.anomalies} == ({"repeat"} if sql in (COUNT, RAISE) else set())
    assert check(found).verdict == "passed"
    assert (without_guards(snapshot, alternative).anomalies != ()) == (sql != PLACE)  # which puts the same either way


def test_a_unique_value_that_two_clients_change_leaves_a_look_up_item_behind() -> None:
    broken = kinds(without_guards(*application(MOVE)))["data"]
    assert broken.tables == ("books_isbn_unique",)
    assert [call.split()[:2] for call in broken.schedule] == [
        ["A:", "GetItem"], ["B:", "GetItem"], ["B:", "TransactWriteItems"], ["A:", "TransactWriteItems"],
    ]  # fmt: skip


def test_a_change_on_a_condition_is_told_to_both_where_the_plan_reads_first() -> None:
    found = without_guards(*application(SELL))
    assert kinds(found).keys() == {"answer"}
    assert check(found).verdict == "passed"
    assert "in 1 both are told" in check(found).evidence


def test_an_upsert_that_builds_on_what_it_read_loses_an_update() -> None:
    lost = kinds(without_guards(*application(COUNT)))["data"]
    assert lost.tables == ("authors",)
    assert [call[0] for call in lost.schedule] == ["A", "B", "B", "A"]


def test_copies_that_follow_in_calls_of_their_own_are_seen_half_done() -> None:
    verdicts: dict[str, Verdict] = {"books.author_id->authors.id": "denormalize"}
    found = searched(JOIN, RENAME, verdicts=verdicts)
    crash = kinds(found)["crash"]
    assert crash.tables == ("books",)
    assert crash.schedule[-1] == "A: stops"
    assert "UpdateItem authors" in crash.schedule[0]
    assert check(found).verdict == "failed"
    assert "A: stops" in check(found).evidence


def test_a_row_added_while_its_parent_is_renamed_keeps_the_old_name() -> None:
    verdicts: dict[str, Verdict] = {"books.author_id->authors.id": "denormalize"}
    found = searched(JOIN, RENAME, INSERT, verdicts=verdicts)
    mixed = {one.kind: one for one in found.anomalies if one.other}
    assert mixed.keys() == {"data", "lag"}
    assert mixed["data"].tables == ("books",)
    assert [call[0] for call in mixed["data"].schedule] == ["A", "B", "B", "B", "A"]
    assert mixed["data"].schedule[0] == "A: BatchGetItem authors"
    assert [call[0] for call in mixed["lag"].schedule] == ["A", "A", "B", "B", "B"]  # A was done, the GSI not
    assert {one.kind for one in searched(INSERT, RENAME).anomalies} == set()  # without a copy there is nothing to keep
    assert "1 while a GSI lags behind" in check(found).evidence


@pytest.mark.parametrize(
    ("sql", "twice"),
    [
        ("UPDATE books SET stock = stock - 1 WHERE id = ?", True),  # DynamoDB computes: each call takes one away
        (RAISE, True),  # refused the second time, so that it reads and decides anew
        (PLAIN, False),
        (SELL, False),
        (MOVE, False),  # a transaction: the token is repeated, too
        (INSERT, False),
        ("DELETE FROM books WHERE id = ?", False),
    ],
)
def test_a_call_that_arrives_twice(sql: str, twice: bool) -> None:
    found = kinds(searched(sql))
    assert ("repeat" in found) == twice
    if twice:
        assert any(call.endswith(", again") for call in found["repeat"].schedule)
        assert found["repeat"].tables == ("books",)


def test_a_row_without_a_primary_key_is_there_twice_after_a_repeated_call() -> None:
    schema = "CREATE TABLE visits (page varchar(20) NOT NULL, seconds int NOT NULL);"
    snapshot = snapshot_of(World(schema, ["INSERT INTO visits (page, seconds) VALUES (?, ?)"]))
    design = design_world(snapshot)
    found = kinds(search(snapshot, design.alternative(design.chosen)))
    assert found["repeat"].tables == ("visits",)


def test_a_reader_between_two_calls_sees_half_of_a_write() -> None:
    found = searched(PLACE, "SELECT stock FROM books WHERE isbn = ?")
    assert {(one.kind, one.schedule[0]) for one in found.anomalies} == {("read", "B: GetItem books_isbn_unique")}
    assert check(found).verdict == "passed"


def test_a_look_up_whose_item_has_gone_gives_no_row_instead_of_an_empty_one() -> None:
    assert searched("DELETE FROM books WHERE id = ?", "SELECT stock FROM books WHERE isbn = ?").anomalies == ()


def test_pairs_beyond_the_limit_are_counted() -> None:
    snapshot, alternative = application(MOVE, SELL, DROP, RAISE)
    every, few = search(snapshot, alternative), search(snapshot, alternative, most_pairs=2)
    assert (every.pairs, every.pairs_left_out) == (6, 0)
    assert (few.pairs, few.pairs_left_out) == (2, 4)
    assert few.schedules < every.schedules


def stale(*statements: str, together: bool = True) -> Consistency:
    """What is found of two statements that the logs have on one connection, or have not."""
    snapshot, alternative = application(*statements, SELL, MOVE, RAISE)  # which keep the table under its id
    ids = sorted(template_id(one) for one in statements)
    near = (Neighbours(first=ids[0], second=ids[1], calls=7),) if together else ()
    return search(snapshot.model_copy(update={"digest": snapshot.digest.model_copy(update={"neighbours": near})}),
                  alternative)  # fmt: skip


def test_a_read_that_follows_a_write_may_miss_it() -> None:
    by_author = "SELECT id, author_id FROM books WHERE author_id = ?"
    (one,) = stale(GIVE, by_author).stale
    assert (one.write, one.read) == ("Q" + template_id(GIVE), "Q" + template_id(by_author))
    assert (one.through, one.calls) == ("books/books_by_author_id", 7)
    (by_key,) = stale(PLAIN, "SELECT stock FROM books WHERE id = ?").stale
    assert by_key.through == "books"
    assert stale(PLAIN, "SELECT stock FROM books WHERE id = ? FOR UPDATE").stale == ()  # strongly consistent
    assert stale(PLAIN, by_author).stale == ()  # reads nothing that was written
    assert stale(GIVE, by_author, together=False).stale == ()


def findings(found: Consistency) -> set[str]:
    value = Validation(engine="x", alternative="x", seed=1, tables_created=0, indexes_created=0, consistency=found)
    return {one.rule for one in find(load_rules([recommended()]), "validation", "x", validation_facts(value))}


def test_what_was_found_is_a_finding() -> None:
    assert findings(without_guards(*application(MOVE))) == {"PR022"}
    assert findings(searched(MOVE)) == set()
    assert findings(searched(PLAIN)) == set()
    assert findings(searched(SELL)) == set()
    assert findings(searched(RAISE)) == {"PR023"}
    verdicts: dict[str, Verdict] = {"books.author_id->authors.id": "denormalize"}
    assert findings(searched(JOIN, RENAME, INSERT, verdicts=verdicts)) == {"PR022", "PR024"}
    assert findings(stale(GIVE, "SELECT id FROM books WHERE author_id = ?")) == {"PR023", "PR025"}
    assert findings(stale(PLAIN, "SELECT stock FROM books WHERE id = ?")) == {"PR023"}


def test_the_search_is_the_same_every_time_and_reads_are_no_part_of_it() -> None:
    assert searched(MOVE, SELL, COUNT) == searched(COUNT, MOVE, SELL)
    none = searched(JOIN)
    assert (none.patterns, check(none).verdict) == (0, "not analysed")


def test_what_cannot_be_run_on_made_up_rows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise ValueError("no such value")

    monkeypatch.setattr("ddbmig.validators.stress.stepping.run_plan", fails)
    found = searched(MOVE)
    assert (found.patterns, found.not_run) == (0, ("Q" + template_id(MOVE),))


def test_a_pair_whose_read_cannot_be_run_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def reads_fail(operations: Any, pattern: AccessPattern, *given: Any) -> PlanResult:
        if pattern.kind == "select":
            raise ValueError("no such value")
        return run_plan(operations, pattern, *given)

    by_isbn = "SELECT stock FROM books WHERE isbn = ?"
    assert searched(PLACE, by_isbn).pairs == 1
    monkeypatch.setattr("ddbmig.validators.stress.stepping.run_plan", reads_fail)
    found = searched(PLACE, by_isbn)
    assert (found.patterns, found.pairs, found.pairs_left_out) == (1, 0, 0)
    assert found.not_run == ("Q" + template_id(by_isbn),)


def test_items_in_memory_keep_conditions_and_all_or_nothing() -> None:
    snapshot, alternative = application(MOVE)
    books = next(table for table in alternative.tables if table.name == "books")
    entries = {entry.table: entry for entry in contract_of(alternative, {}).root if entry.type == "Table"}
    builders = {name: ItemBuilder(entry, snapshot.tables) for name, entry in entries.items()}
    store = MemoryOperations({table.name: {} for table in alternative.tables}, alternative.tables, builders,
                             snapshot.tables)  # fmt: skip
    row = {c.name: value_of(c, 1) for c in snapshot.tables.table("books").columns}
    item = builders["books"].item(row)
    key = {name: item[name] for name in books.keys}
    store.write([ItemWrite(books, key, None, item, "not exists")])
    assert store.get(books, key, True) == item
    with pytest.raises(ConditionFailed):
        store.write([ItemWrite(books, key, item, None), ItemWrite(books, key, None, item, "not exists")])
    assert list(store.scan(books)) == [item]
    store.write([ItemWrite(books, key, item, {**item, "stock": 7}, "exists")])
    store.write([ItemWrite(books, key, item, {**item, "state": "sold"}, "exists")])  # an update sets what it changes
    assert store.get(books, key, True) == {**item, "stock": 7, "state": "sold"}
    store.write([ItemWrite(books, key, item, None)])
    assert list(store.scan(books)) == []
