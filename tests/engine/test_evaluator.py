"""The independent evaluator: right by hand, of one mind with the engine on real designs, and not to be deceived.

The sums by hand are in data/evaluator.yaml. The designs are those of the plan cases, the small shop, the bookshop and
the recorded applications, every alternative of them.
"""

import ast
import shutil
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddbmig.engine.costs import Load, load_of, monthly_cost
from ddbmig.engine.evaluate import evaluate
from ddbmig.engine.operations import EntryWrites, Operation, Priced, Store, price
from ddbmig.model.assessment import Assessment
from ddbmig.model.condition import Param
from ddbmig.model.context import Mode, Pricing
from ddbmig.model.design import Alternative, Cost, Design, TableDesign
from ddbmig.model.measure import Measure
from ddbmig.model.plan import KeyCondition, Plan, ReadCall, Step
from ddbmig.model.schema import Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import ColumnStatistics, TableStatistics
from design_builder import PRICES, World, assess_world, design_world, plan_of, snapshot_of
from small_shop import ddbmig_process, write_shop

DATA = Path(__file__).parent / "data"
BY_HAND = yaml.safe_load((DATA / "evaluator.yaml").read_text("utf-8"))
WORLDS = {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in sorted((DATA / "plans").glob("*.yaml"))}
MODES: tuple[Mode, ...] = ("on-demand", "provisioned")
PARTS = ("reads", "writes", "index_writes", "transactions", "storage", "index_storage")
UNITS = ("read_units", "write_units", "index_write_units", "transaction_units", "round_trips")
MICRODOLLAR = Decimal("0.000001")


def test_it_shares_no_code_with_what_it_checks(repository: Path) -> None:
    rooms = {"ddbmig.model", "ddbmig.engine.operations"}
    for name in ("operations", "evaluate"):
        tree = ast.parse((repository / "src" / "ddbmig" / "engine" / f"{name}.py").read_text("utf-8"))
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        ours = [module for module in imported if module.startswith("ddbmig")]
        assert len(ours) > 1
        assert [module for module in ours if not module.startswith(tuple(rooms))] == []


# --- stores and operations, by hand ---


def operation(given: Mapping[str, Any]) -> Operation:
    """One call to one small item of the table t in the pattern q, but for what is given."""
    plain: dict[str, Any] = {"pattern": "q", "table": "t", "index": None, "times": 1, "items": 1}
    entries = tuple(EntryWrites(**entry) for entry in given.get("entries", ()))
    return Operation(**{**plain, **given, "entries": entries})


STORES = (Store("t", None, 1, 100), Store("t", "narrow", 1, 40), Store("t", "wide", 1, 100))
ONCE = {"q": 1.0}


@pytest.mark.parametrize("case", BY_HAND["operations"], ids=[case["name"] for case in BY_HAND["operations"]])
def test_units_of_an_operation(case: Mapping[str, Any]) -> None:
    found = price(STORES, (operation(case["given"]),), ONCE, ONCE, PRICES).patterns["q"]
    assert [found.read_units, found.write_units, found.index_write_units, found.transaction_units] == case["units"]
    assert found.round_trips == case.get("round_trips", 1)


def split(cost: Cost) -> dict[str, Decimal]:
    return {part: getattr(cost, f"{part}_usd") for part in PARTS}


@pytest.mark.parametrize("case", BY_HAND["bill"]["costs"], ids=lambda case: " ".join(map(str, case["terms"].values())))
def test_a_bill(case: Mapping[str, Any]) -> None:
    given = BY_HAND["bill"]
    stores = [Store(*store) for store in given["stores"]]
    operations = [operation(one) for one in given["operations"]]
    terms = PRICES.model_copy(update={"terms": Pricing(**case["terms"])})
    found = price(stores, operations, given["calls_per_month"], given["peak_per_second"], terms)
    assert split(found.cost) == {part: Decimal(amount) for part, amount in case["usd"].items()}
    assert [
        [one.table, one.index, one.read_units, one.write_units, one.transaction_units] for one in found.cost.capacity
    ] == case["capacity"]
    assert (found.cost.read_request_units, found.cost.write_request_units) == (3e6, 6.5e6)
    assert (found.cost.index_write_units, found.cost.transaction_units) == (0.5e6, 3e6)
    assert (found.cost.storage_gib, found.cost.index_storage_gib) == (3.09765625, 0.125)
    assert found.patterns["routed"].round_trips == found.patterns["routed"].write_units == 0


def test_operations_of_one_step_are_one_round_trip() -> None:
    steps = (0, 1, 1, 2)
    together = [operation({"kind": "put", "item_bytes": 10, "transactional": True, "step": step}) for step in steps]
    assert price(STORES, together, ONCE, ONCE, PRICES).patterns["q"].round_trips == 3


def test_a_store_that_nobody_asks_holds_one_unit() -> None:
    held = price(STORES[:1], (), {}, {}, PRICES.under("provisioned", "standard")).cost.capacity
    assert [(one.read_units, one.write_units, one.transaction_units) for one in held] == [(1, 1, 0)]


@pytest.mark.parametrize("wrong", [{"table": "u"}, {"index": "another"}, {"pattern": "p"}], ids=str)
def test_what_is_not_there_is_not_priced(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(KeyError):
        price(STORES, (operation({"kind": "query", "item_bytes": 10, **wrong}),), ONCE, ONCE, PRICES)


# --- designs, beside the engine's own sums ---


def priced(alternative: Alternative, snapshot: Snapshot, load: Load, mode: Mode = "on-demand") -> Priced:
    return evaluate(alternative.tables, alternative.plans, snapshot, load.calls_per_month, load.peak_per_second,
                    PRICES.under(mode, "standard"))  # fmt: skip


def test_an_insert_that_leaves_the_key_of_an_index_null_is_not_billed_for_an_entry() -> None:
    schema = "CREATE TABLE loans (id INT NOT NULL PRIMARY KEY, reader INT, due DATE DEFAULT '2026-01-01');"
    named, unnamed, said = (f"INSERT INTO loans ({given})" for given in (
        "id, reader) VALUES (?, ?", "id) VALUES (?", "id, reader, due) VALUES (?, NULL, ?"))  # fmt: skip
    by_reader = "SELECT id FROM loans WHERE reader = ?"
    world = World(schema=schema, statements=(named, unnamed, said, by_reader), calls={by_reader: 90_000_000})
    snapshot = snapshot_of(world)
    alternative, load = design_world(snapshot).alternative("faithful"), load_of(assess_world(snapshot).patterns)
    found = priced(alternative, snapshot, load).patterns
    patterns = {p.sql: p.id for p in snapshot.patterns}
    assert [found[patterns[sql]].index_write_units for sql in (named, unnamed, said)] == [1, 0, 0]


def differences(alternative: Alternative, snapshot: Snapshot, load: Load) -> Iterator[str]:
    """Where the evaluator and the engine's own sums differ by more than rounding."""
    for mode in MODES:
        theirs = monthly_cost(alternative.tables, alternative.plans, load, PRICES.under(mode, "standard"))
        ours = priced(alternative, snapshot, load, mode).cost
        for part, amount in split(ours).items():
            if abs(amount - split(theirs)[part]) > MICRODOLLAR:
                yield f"{alternative.id}, {mode}: {part} {split(theirs)[part]} or {amount}"
        if ours.capacity != theirs.capacity and [c.model_dump() for c in ours.capacity] != [
            pytest.approx(c.model_dump()) for c in theirs.capacity
        ]:
            yield f"{alternative.id}, {mode}: {theirs.capacity} or {ours.capacity}"
    units = priced(alternative, snapshot, load).patterns
    for plan in alternative.plans:
        for name in UNITS:
            if getattr(units[plan.pattern], name) != pytest.approx(getattr(plan, name)):
                yield f"{alternative.id}: {name} of {plan} or {getattr(units[plan.pattern], name)}"


def check_every_alternative(snapshot: Snapshot, assessment: Assessment, design: Design) -> None:
    load = load_of(assessment.patterns)
    assert len(design.alternatives) >= 3
    assert [found for one in design.alternatives for found in differences(one, snapshot, load)] == []


@pytest.mark.parametrize("list_length", [1, 3])
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_of_one_mind_on_the_plan_cases(world: Mapping[str, Any], list_length: int) -> None:
    statements = sorted({case["sql"] for case in world["cases"]})
    snapshot = snapshot_of(World(schema=world["schema"], rows=world["rows"], groups=world["groups"],
                                 statements=statements, list_length=list_length))  # fmt: skip
    check_every_alternative(snapshot, assess_world(snapshot), design_world(snapshot))


@st.composite
def counted_snapshots(draw: st.DrawFn) -> Snapshot:
    """Some statements on one of the schemas, with some statistics of every column."""
    world = draw(st.sampled_from(list(WORLDS.values())))
    statements = draw(st.lists(st.sampled_from(world["cases"]), min_size=1, max_size=6).map(_sql))
    snapshot = snapshot_of(World(schema=world["schema"], statements=statements, limit=draw(st.integers(1, 100)),
                                 list_length=draw(st.integers(1, 5))))  # fmt: skip
    statistics = {table.id: draw(_statistics(table)) for table in snapshot.tables.tables}
    return snapshot.model_copy(update={"statistics": statistics})


def _sql(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({case["sql"] for case in cases})


@st.composite
def _statistics(draw: st.DrawFn, table: Table) -> TableStatistics:
    """Columns that hold NULLs or empty texts where they may, and are large or small together."""
    size, lacking = draw(st.floats(1, 3_000)), draw(st.floats(0, 1))
    columns = {
        column.name: ColumnStatistics(average_bytes=size, max_bytes=4_000, distinct=draw(st.none() | st.just(50)),
                                      null_share=lacking if column.nullable else 0.0, has_empty=lacking > 0.5)
        for column in table.columns
    }  # fmt: skip
    rows, item = (Measure(value=draw(st.integers(0, 10**6)), unit="", source="measured", origin="test") for _ in "12")
    return TableStatistics(rows=rows, item_bytes=item, columns=columns)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(counted_snapshots())
def test_of_one_mind_on_any_workload(snapshot: Snapshot) -> None:
    check_every_alternative(snapshot, assess_world(snapshot), design_world(snapshot))


def check_analysis(out: Path, *words: str | Path) -> None:
    """Analyse up to the design, and check that."""
    done = ddbmig_process("analyze", *words, "--approve", "2", "--out", out)
    assert done.code == 3, done.err
    check_every_alternative(
        Snapshot.from_file(out / "snapshot.json"),
        Assessment.from_file(out / "assessment.json"),
        Design.from_file(out / "design.json"),
    )


def test_of_one_mind_on_the_small_shop(tmp_path: Path) -> None:
    check_analysis(tmp_path / "out", write_shop(tmp_path / "shop"))


def test_of_one_mind_on_the_bookshop(repository: Path, tmp_path: Path) -> None:
    inputs = shutil.ignore_patterns("migration", "approvals.jsonl")
    bookshop = shutil.copytree(repository / "examples" / "bookshop", tmp_path / "bookshop", ignore=inputs)
    check_analysis(tmp_path / "out", bookshop)


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize("application", ["sysbench_ps_mysql57", "wordpress_mysql57", "oscar_mysql97", "tpcc_mysql97"])
def test_of_one_mind_on_a_recorded_application(corpus: Path, tmp_path: Path, application: str) -> None:
    files = {"--schema": "schema.sql", "--general-log": "general.log.gz", "--slow-log": "slow.log.gz",
             "--data": "data.sql.gz"}  # fmt: skip
    folder = corpus / "workloads" / application
    check_analysis(tmp_path, *(word for option, name in files.items() for word in (option, folder / name)))


# --- designs that were tampered with ---

READ = "SELECT id, title FROM books WHERE author_id = ?"
STATEMENTS = (READ, "SELECT title FROM books WHERE id = ?", "UPDATE books SET author_id = ? WHERE id = ?")
SCHEMA = "CREATE TABLE books (id INT NOT NULL PRIMARY KEY, author_id INT NOT NULL, title VARCHAR(200) NOT NULL);"


@pytest.fixture(scope="module")
def shop() -> tuple[Snapshot, Load, Alternative]:
    """Books by their author over a GSI, and an update that moves its entries; two million calls a month of each."""
    snapshot = snapshot_of(World(schema=SCHEMA, statements=STATEMENTS, rows={"books": 100_000},
                                 groups={"books": {"author_id": 1_000}}))  # fmt: skip
    alternative = design_world(snapshot).alternative("faithful")
    rates = dict.fromkeys((pattern.id for pattern in snapshot.patterns), 2e6)
    assert [index.name for index in alternative.tables[0].indexes] == ["books_by_author_id"]
    assert list(differences(alternative, snapshot, Load(rates, rates))) == []
    return snapshot, Load(rates, rates), alternative


def with_table(alternative: Alternative, **update: Any) -> Alternative:
    table: TableDesign = alternative.tables[0].model_copy(update=update)
    return alternative.model_copy(update={"tables": (table,)})


def cheaper(step: Step) -> Step:
    """A read said to take a tenth of its units."""
    if not isinstance(step, ReadCall):
        return step
    estimate = step.estimate.model_copy(update={"read_units": step.estimate.read_units / 10})
    return step.model_copy(update={"estimate": estimate})


def with_plans(alternative: Alternative, change: Any) -> Alternative:
    plans: Sequence[Plan] = [plan.model_copy(update={"steps": tuple(map(change, plan.steps))})
                             for plan in alternative.plans]  # fmt: skip
    return alternative.model_copy(update={"plans": tuple(plans)})


def test_a_lowered_estimate_is_found_out(shop: tuple[Snapshot, Load, Alternative]) -> None:
    snapshot, load, honest = shop
    tampered = with_plans(honest, cheaper)
    assert any("reads" in found for found in differences(tampered, snapshot, load))
    assert priced(tampered, snapshot, load) == priced(honest, snapshot, load)


def test_an_item_made_larger_is_found_out(shop: tuple[Snapshot, Load, Alternative]) -> None:
    snapshot, load, honest = shop
    tampered = with_table(honest, item_bytes=honest.tables[0].item_bytes * 2)
    assert any("storage" in found for found in differences(tampered, snapshot, load))
    assert priced(tampered, snapshot, load) == priced(honest, snapshot, load)


def test_fewer_items_are_found_out(shop: tuple[Snapshot, Load, Alternative]) -> None:
    snapshot, load, honest = shop
    index = honest.tables[0].indexes[0].model_copy(update={"entries": 10.0})
    tampered = with_table(honest, items=1_000.0, indexes=(index,))
    assert any("storage" in found for found in differences(tampered, snapshot, load))
    assert any("index_storage" in found for found in differences(tampered, snapshot, load))
    assert priced(tampered, snapshot, load) == priced(honest, snapshot, load)


def test_an_attribute_left_out_is_found_out(shop: tuple[Snapshot, Load, Alternative]) -> None:
    snapshot, load, honest = shop
    index = honest.tables[0].indexes[0].model_copy(update={"projection": "KEYS_ONLY", "projected": ()})
    found = priced(with_table(honest, indexes=(index,)), snapshot, load)
    reading = plan_of(design_world(snapshot), snapshot, READ, "faithful")
    # a hundred entries: id 2 + 3, author_id 9 + 3, and title 5 + 100 no more: 1,700 of 12,200 bytes
    assert (reading.read_units, found.patterns[reading.pattern].read_units) == (1.5, 0.5)


def test_an_index_that_is_read_cannot_be_dropped(shop: tuple[Snapshot, Load, Alternative]) -> None:
    snapshot, load, honest = shop
    with pytest.raises(KeyError):
        priced(with_table(honest, indexes=()), snapshot, load)


@pytest.mark.parametrize(
    ("sql", "update"),
    [
        (READ, {"key": (KeyCondition(attribute="title", terms=(("title", Param(index=0)),)),)}),
        (READ, {"key": (KeyCondition(attribute="author_id", terms=(("id", Param(index=0)),)),)}),
        (READ, {"op": "GetItem", "key": ()}),
        (STATEMENTS[1], {"key": ()}),
    ],
    ids=["another attribute", "another column", "an item without its key", "no key"],
)
def test_a_read_by_what_is_no_key_is_refused(
    shop: tuple[Snapshot, Load, Alternative], sql: str, update: Mapping[str, Any]
) -> None:
    snapshot, load, honest = shop
    wanted = plan_of(design_world(snapshot), snapshot, sql, "faithful").pattern
    plans = [plan for plan in honest.plans if plan.pattern == wanted]
    only = honest.model_copy(update={"plans": tuple(plans)})
    with pytest.raises(ValueError, match="its key is"):
        priced(with_plans(only, lambda step: step.model_copy(update=update)), snapshot, load)


def test_an_index_dropped_that_only_writes_touch_is_found_out(shop: tuple[Snapshot, Load, Alternative]) -> None:
    snapshot, load, honest = shop
    unread = tuple(plan for plan in honest.plans if not any("/" in name for name in plan.uses))
    claimed = monthly_cost(honest.tables, unread, load, PRICES)
    found = priced(with_table(honest, indexes=()).model_copy(update={"plans": unread}), snapshot, load).cost
    # 2 million updates that move an entry of one block
    assert (claimed.index_writes_usd, found.index_writes_usd) == (Decimal("2.5"), Decimal(0))
    assert claimed.index_storage_usd > found.index_storage_usd == 0
