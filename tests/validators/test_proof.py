"""The proof finds what was planted, names the culprit, and leaves both sides as they were."""

from collections.abc import Callable, Iterator

import pytest
from shop import shop, shop_rows

from ddbmig.model.design import Alternative
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Filter, Plan, ReadCall, Slice, Sort, Step, Transaction
from ddbmig.model.validation import PatternResult
from ddbmig.validators.engines import Engine, open_engine
from ddbmig.validators.proof import Proof
from ddbmig.validators.run_tables import PREFIX
from ddbmig.validators.source import SourceRows
from ddbmig.validators.validate import SEED, _Validation, read_data
from design_builder import design_world

SHOP = shop()
DESIGN: Alternative = design_world(SHOP).alternative("faithful")
Change = Callable[[tuple[Step, ...]], tuple[Step, ...]]


@pytest.fixture(scope="module")
def run() -> Iterator[_Validation]:
    with open_engine("moto") as engine:
        yield from loaded(engine)


def loaded(engine: Engine) -> Iterator[_Validation]:
    run = _Validation(SHOP, DESIGN, engine, read_data(SHOP, shop_rows(), SourceRows(SHOP.tables)))
    try:
        run.create()
        run.load()
        yield run
    finally:
        run.drop()


def pattern_of(sql: str) -> AccessPattern:
    return next(p for p in SHOP.patterns if p.sql == sql)


def plan_of(sql: str) -> Plan:
    return next(p for p in DESIGN.plans if p.pattern == pattern_of(sql).id)


def proved(run: _Validation, sql: str, change: Change = lambda steps: steps) -> PatternResult:
    plan = plan_of(sql)
    proof = Proof(SHOP.tables, run.data.source, run.operations, run.state, run.references, SEED)
    return proof.prove(pattern_of(sql), plan.model_copy(update={"steps": change(plan.steps)}))


def without(*kinds: type[Step]) -> Change:
    return lambda steps: tuple(step for step in steps if not isinstance(step, kinds))


def first_write_only(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(
        step.model_copy(update={"writes": step.writes[:1]}) if isinstance(step, Transaction) else step for step in steps
    )


def backwards(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(s.model_copy(update={"forward": not s.forward}) if isinstance(s, ReadCall) else s for s in steps)


def whole(run: _Validation) -> list[tuple[str, int, int]]:
    run.compare_state()
    return [(s.table, s.missing, s.unexpected) for s in run.left if s.missing or s.unexpected]


NOT_SORTED = "SELECT * FROM tags ORDER BY label"
FILTERED = "SELECT * FROM books WHERE author_id = ? AND title LIKE ?"
LATEST = "SELECT * FROM order_lines WHERE order_id = ? ORDER BY nr DESC LIMIT ?"
RENAMED = "UPDATE books SET isbn = ? WHERE id = ?"
ADDED = "INSERT INTO tags (label) VALUES (?)"


@pytest.mark.parametrize(
    ("sql", "change", "said"),
    [
        (NOT_SORTED, without(Sort), "the order differs from row"),
        (FILTERED, without(Filter), "by the plan"),
        (LATEST, backwards, "the order differs from row 1 on (nr)"),
        (RENAMED, first_write_only, "items of books_isbn"),
        (ADDED, first_write_only, "items of tags_label"),
    ],
    ids=["no sort", "no filter", "wrong direction", "a look-up row is lost", "a look-up row is not written"],
)
def test_a_planted_fault_is_a_mismatch_and_leaves_no_trace(
    sql: str, change: Change, said: str, run: _Validation
) -> None:
    assert plan_of(sql).steps != change(plan_of(sql).steps)
    found = proved(run, sql, change)
    assert found.status == "mismatched"
    assert found.difference is not None
    assert said in found.difference.what
    assert found.difference.seed == f"{SEED}:{found.pattern}"
    assert whole(run) == []


@pytest.mark.parametrize("sql", [NOT_SORTED, FILTERED, LATEST, RENAMED, ADDED])
def test_without_the_fault_the_same_pattern_is_proved(sql: str, run: _Validation) -> None:
    found = proved(run, sql)
    assert (found.status, found.why, found.untried) == ("proved", "", ())
    assert found.boundary_runs > 0 or "?" not in sql or sql == ADDED
    assert whole(run) == []


def test_the_smallest_set_has_one_member_of_a_list(run: _Validation) -> None:
    def nothing(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return (*steps, Slice(rows=0))

    found = proved(run, "SELECT title, price FROM books WHERE id IN (?)", nothing)
    assert found.difference is not None
    assert found.difference.parameters[0].startswith("1 (id): a list of 1,")


def test_text_in_another_spelling_is_found_by_its_key(run: _Validation) -> None:
    found = proved(run, "SELECT * FROM tags WHERE label = ?")
    assert (found.status, found.limits) == ("proved", ())
    assert found.boundary_runs > 0


def test_agreeing_on_no_rows_proves_nothing(run: _Validation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddbmig.validators.proof.Sampler.sample", lambda _: {0: 4711})
    found = proved(run, "SELECT * FROM books WHERE id = ?")
    assert (found.status, found.rows_sql) == ("not proved", 0)
    assert "no rows prove nothing" in found.why


def test_a_row_that_is_lost_or_changed_on_the_way_is_seen() -> None:
    with open_engine("moto") as engine:
        for run in loaded(engine):
            table = next(t for t in DESIGN.tables if t.source_table == "authors" and t.role == "entity")
            items = list(run.operations.scan(table))
            client, key = run.engine.client, {table.pk: items[0][table.pk]}
            client.delete_item(TableName=PREFIX + table.name, Key=run.operations.wire(key))
            changed = {**items[1], "name": "somebody else"}
            client.put_item(TableName=PREFIX + table.name, Item=run.operations.wire(changed))
            run.recover()
            (trip,) = [t for t in run.trips if t.source_table == "authors"]
            assert (trip.rows, trip.recovered, trip.missing, trip.differing) == (12, 10, 1, 1)
            assert (trip.columns, trip.unexpected) == (("name",), 0)
            (check,) = [c for c in run.result().checks if c.name == "Every row comes back from the items"]
            assert (check.verdict, check.evidence.endswith("not so authors")) == ("failed", True)
            (books,) = [t for t in run.trips if t.source_table == "books"]
            assert (books.recovered, books.orphans, books.null_keys) == (90, 0, 22)
