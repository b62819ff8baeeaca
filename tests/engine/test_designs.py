"""What holds for every alternative of every application: properties over random workloads on the cases' schemas."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ddbmig.engine.capacity import average_query_units
from ddbmig.engine.choice import propose
from ddbmig.engine.contract import contract_of
from ddbmig.engine.costs import Load, load_of, monthly_cost, usd
from ddbmig.engine.whatif import write_calls
from ddbmig.model.assessment import Verdict
from ddbmig.model.contract import Contract
from ddbmig.model.design import Alternative, Design, IndexDesign, TableDesign
from ddbmig.model.errors import UsageError
from ddbmig.model.plan import KeyCondition, Plan, ReadCall
from ddbmig.model.schema import Schema
from ddbmig.model.snapshot import ScopedOut, Snapshot
from ddbmig.reporters.contract_file import contract_bytes, contract_schema
from design_builder import PRICES, World, assess_world, design_world, plan_of, snapshot_of

FILES = sorted((Path(__file__).parent / "data" / "plans").glob("*.yaml"))
WORLDS = [yaml.safe_load(file.read_text()) for file in FILES]
EVERYDAY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONTRACT = Draft202012Validator(contract_schema())


@st.composite
def workloads(draw: st.DrawFn) -> World:
    """Some statements of one of the schemas, each with its number of calls."""
    world = draw(st.sampled_from(WORLDS))
    pool = sorted({case["sql"] for case in world["cases"]})
    statements = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=8, unique=True))
    calls = {sql: draw(st.integers(1, 5_000)) for sql in statements}
    return World(schema=world["schema"], rows=world["rows"], groups=world["groups"], statements=statements,
                 calls=calls, list_length=draw(st.integers(1, 5)))  # fmt: skip


@EVERYDAY
@given(workloads())
def test_every_alternative_is_whole(world: World) -> None:
    snapshot = snapshot_of(world)
    for alternative in design_world(snapshot).alternatives:
        check_plans(snapshot, alternative)
        check_lossless(snapshot, alternative)
        for table in alternative.tables:
            check_table(table)
        names = [t.name for t in alternative.tables]
        assert len(set(names)) == len(names)
        check_contract(snapshot.tables, contract_of(alternative, {p.id: p.name for p in snapshot.patterns}))


def check_plans(snapshot: Snapshot, alternative: Alternative) -> None:
    """One plan for each pattern, either with steps or routed; what it uses is there."""
    assert [plan.pattern for plan in alternative.plans] == sorted(p.id for p in snapshot.patterns)
    there = {t.name for t in alternative.tables} | {f"{t.name}/{i.name}" for t in alternative.tables for i in t.indexes}
    for plan in alternative.plans:
        assert bool(plan.routed) != bool(plan.steps)
        assert set(plan.uses) <= there
        assert plan.index_write_units + plan.transaction_units <= plan.write_units
        assert plan.routed or plan.read_units + plan.write_units > 0
        check_units(alternative, plan)


def check_units(alternative: Alternative, plan: Plan) -> None:
    """A plan's totals are those of its steps; a Query over a GSI reads whole entries, whoever had them widened."""
    tables = {table.name: table for table in alternative.tables}
    reads = [step for step in plan.steps if isinstance(step, ReadCall)]
    writes = write_calls(plan)
    assert plan.read_units == pytest.approx(sum(step.estimate.read_units for step in reads))
    for name in ("write_units", "index_write_units", "transaction_units"):
        assert getattr(plan, name) == pytest.approx(sum(getattr(write.estimate, name) for write in writes))
    for step in reads:
        if step.index is not None:
            size = max(1.0, tables[step.table].index(step.index).entry_bytes)
            one = average_query_units(step.estimate.items, size, consistent=False)
            assert step.estimate.read_units == pytest.approx(step.estimate.calls * one)
            check_key(tables[step.table].index(step.index), step.key)
    for write in writes:
        assert set(write.estimate.index_units) <= {index.name for index in tables[write.table].indexes}
        assert all(units >= 0 for units in write.estimate.index_units.values())


def check_key(index: IndexDesign, key: Sequence[KeyCondition]) -> None:
    """Equality on the whole partition key, then sort attributes from the left; only the last may have a range."""
    assert tuple(condition.attribute for condition in key) == index.keys[: len(key)]
    assert len(key) >= len(index.partition)
    assert all(condition.op == "=" for condition in key[: max(len(index.partition), len(key) - 1)])


def check_lossless(snapshot: Snapshot, alternative: Alternative) -> None:
    """Every column of every table is a plain attribute of the one entity of its table."""
    entities = {t.source_table: t for t in alternative.tables if t.role == "entity"}
    assert len(entities) == sum(t.role == "entity" for t in alternative.tables) == len(snapshot.tables.tables)
    for table in snapshot.tables.tables:
        own = [
            a
            for a in entities[table.id].attributes.values()
            if not a.denormalized and a.template is None and a.value is None
        ]
        kept = [a.source_column for a in own if a.encoding != "row_digest" and a.source_table == table.id]
        assert sorted(kept) == sorted(c.name for c in table.columns)
        lookups = [t.enforces for t in alternative.tables if t.source_table == table.id and t.role == "lookup"]
        enforced = {e.unique_key for e in lookups if e}
        key = set(entities[table.id].source_columns(entities[table.id].pk))
        key |= set(entities[table.id].source_columns(entities[table.id].sk or entities[table.id].pk))
        for unique in table.unique_keys():
            assert unique.name in enforced or set(unique.columns) == key


def check_table(table: TableDesign) -> None:
    """Keys are attributes of key types, names are legal and say something, there are at most 20 GSIs."""
    names = [index.name for index in table.indexes]
    assert len(names) <= 20
    assert len(set(names)) == len(names)
    for name in (table.name, *names):
        assert re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", name)
        assert not re.fullmatch(r"(?i)gsi_?\d*", name)
    keys = {*table.keys, *(key for index in table.indexes for key in index.keys)}
    for key in keys:
        assert table.attributes[key].type in ("S", "N", "B")
    composed = {name for name, a in table.attributes.items() if a.template and len(table.source_columns(name)) > 1}
    assert composed <= set(table.keys)  # an index adds no attribute but a prefixed text and the constant partition
    for index in table.indexes:
        assert len(set(index.keys)) == len(index.keys)
        assert set(index.projected) <= set(table.attributes) - {*index.keys, *table.keys}
        assert bool(index.projected) == (index.projection == "INCLUDE")
        assert index.because
        assert 0 <= index.entries <= table.items
        assert index.entry_bytes <= table.item_bytes + 1e-9


def check_contract(schema: Schema, contract: Contract) -> None:
    """Only real tables and columns, by the published schema."""
    written = json.loads(contract_bytes(contract))
    assert list(CONTRACT.iter_errors(written)) == []
    for entry in contract.root:
        assert {entry.pk, *([entry.sk] if entry.sk else [])} <= set(entry.attributes)
        for attribute in entry.attributes.values():
            assert schema.table(attribute.source_table).has_column(attribute.source_column)
            assert not attribute.denormalized or (attribute.join and attribute.justification)


def test_a_query_reads_what_another_one_had_projected() -> None:
    narrow, wide = "SELECT id FROM t WHERE k = ?", "SELECT id, note FROM t WHERE k = ?"
    schema = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, k INT NOT NULL, note VARCHAR(400), more TEXT);"
    units = []
    for statements in ((narrow,), (narrow, wide)):
        world = World(schema=schema, statements=statements, groups={"t": {"k": 100}}, calls={narrow: 100})
        snapshot = snapshot_of(world)  # the narrow one is too rare for an index of its own
        units.append(plan_of(design_world(snapshot), snapshot, narrow, "faithful").read_units)
    # a hundred entries of 9 bytes; of 213 with a note of half its length: 1 and 6 blocks, eventually consistent
    assert units == [0.5, 3.0]


@EVERYDAY
@given(workloads(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(world: World, random: Any) -> None:
    snapshot = snapshot_of(world)
    tables, patterns = list(snapshot.tables.tables), list(snapshot.patterns)
    random.shuffle(tables)
    random.shuffle(patterns)
    shuffled = snapshot.model_copy(
        update={"tables": snapshot.tables.model_copy(update={"tables": tuple(tables)}), "patterns": tuple(patterns)}
    )
    assert design_world(shuffled).to_bytes() == design_world(snapshot).to_bytes()


@EVERYDAY
@given(workloads())
def test_twice_the_calls_cost_twice_the_requests(world: World) -> None:
    snapshot = snapshot_of(world)
    design = design_world(snapshot)
    load = load_of(assess_world(snapshot).patterns)
    doubled = Load({p: 2 * n for p, n in load.calls_per_month.items()}, load.peak_per_second)
    for alternative in design.alternatives:
        twice = monthly_cost(alternative.tables, alternative.plans, doubled, PRICES)
        assert twice.read_request_units == pytest.approx(2 * alternative.cost.read_request_units)
        assert twice.write_request_units == pytest.approx(2 * alternative.cost.write_request_units)
        assert twice.storage_gib == alternative.cost.storage_gib
        assert alternative.cost.total_usd >= 0


# --- one alternative against another ---

SHOP = WORLDS[FILES.index(next(file for file in FILES if file.name == "writes.yaml"))]
JOIN = "SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?"
RENAME = "UPDATE authors SET name = ? WHERE id = ?"
RELATIONSHIP = "books.author_id->authors.id"


def shop(statements: Sequence[str], calls: Mapping[str, int]) -> Snapshot:
    return snapshot_of(
        World(schema=SHOP["schema"], rows=SHOP["rows"], groups=SHOP["groups"], statements=statements, calls=calls)
    )


def test_a_copy_pays_where_reads_are_many() -> None:
    def copies_cost(design: Design) -> Decimal:
        with_copies, without = (design.alternative(name).cost for name in ("rules", "faithful"))
        return (with_copies.reads_usd + with_copies.writes_usd) - (without.reads_usd + without.writes_usd)

    def copies(design: Design) -> int:
        chosen = design.alternative(design.chosen)
        return sum(bool(attribute.denormalized) for table in chosen.tables for attribute in table.attributes.values())

    read_often = shop((JOIN, RENAME), {JOIN: 10_000_000, RENAME: 1})
    written_often = shop((JOIN, RENAME), {JOIN: 1, RENAME: 10_000_000})
    verdict: Mapping[str, Verdict] = {RELATIONSHIP: "denormalize"}
    assert copies_cost(design_world(read_often, verdict)) < 0 < copies_cost(design_world(written_often, verdict))
    assert [copies(design_world(one)) for one in (read_often, written_often)] == [1, 0]


def test_a_verdict_is_kept() -> None:
    snapshot = shop((JOIN,), {})
    kept = design_world(snapshot, {RELATIONSHIP: "denormalize"})
    chosen = kept.alternative(kept.chosen)
    assert next(d.outcome for d in chosen.decisions if d.relationship == RELATIONSHIP) == "denormalize"
    assert not kept.alternative("faithful").respects_rules
    assert RELATIONSHIP in kept.alternative("faithful").violates[0]


def test_the_user_chooses_among_the_alternatives() -> None:
    snapshot = shop((JOIN,), {})
    design = design_world(snapshot, wanted="faithful")
    assert (design.chosen, design.chosen_by) == ("faithful", "user")
    with pytest.raises(UsageError, match="no alternative"):
        design_world(snapshot, wanted="nothing")


def test_designs_that_come_to_the_same_are_shown_once_but_for_the_one_that_the_user_wants() -> None:
    snapshot = shop((RENAME,), {})  # nothing is read: all come to one table for each of MySQL's
    assert [a.id for a in design_world(snapshot).alternatives] == ["faithful", "rules", "simplest"]
    design = design_world(snapshot, wanted="cheapest")
    assert [a.id for a in design.alternatives] == ["faithful", "rules", "cheapest"]
    assert (design.chosen, design.chosen_by) == ("cheapest", "user")


def test_the_simplest_within_one_percent_is_chosen() -> None:
    # by ISBN the look-up table serves as well as a GSI, but for a second call; in all it is asked too rarely to matter
    by_isbn = "SELECT title FROM books WHERE isbn = ?"
    design = design_world(shop((JOIN, RENAME, by_isbn), {JOIN: 50_000_000, by_isbn: 1_000, RENAME: 1}))
    chosen, cheapest = design.alternative(design.chosen), design.alternative("rules")
    assert cheapest.cost.total_usd < chosen.cost.total_usd <= cheapest.cost.total_usd * Decimal("1.01")
    assert chosen.round_trips_average < cheapest.round_trips_average
    near = [a for a in design.alternatives
            if a.respects_rules and a.cost.total_usd <= cheapest.cost.total_usd * Decimal("1.01")]  # fmt: skip

    def size(one: Alternative) -> tuple[float, int]:
        return one.round_trips_average, sum(1 + len(table.indexes) for table in one.tables)

    assert all(size(chosen) <= size(one) for one in near)


def test_a_table_out_of_scope_is_another_system() -> None:
    snapshot = shop((JOIN,), {})
    scoped = snapshot.model_copy(update={"scoped_out": (ScopedOut(table="authors", why="stays", stays_on_mysql=True),)})
    design = propose(scoped, assess_world(snapshot), PRICES, lambda _: (), {})
    for alternative in design.alternatives:
        assert "authors" not in {t.source_table for t in alternative.tables}
        assert [plan.routed for plan in alternative.plans] == [("read of another system",)]


def test_money_by_hand() -> None:
    # a million GetItems of 0.5 units; a million inserts of three transactional items of 2 units
    insert = "INSERT INTO books (author_id, isbn, ean, title) VALUES (?, ?, ?, ?)"
    cost = design_world(shop(("SELECT * FROM books WHERE id = ?", insert), {})).alternative("faithful").cost
    assert (cost.read_request_units, cost.write_request_units, cost.transaction_units) == (5e5, 6e6, 3e6)
    assert cost.reads_usd == usd(5e5, Decimal("0.125") / 1_000_000)
    assert cost.writes_usd == cost.transactions_usd == usd(3e6, Decimal("0.625") / 1_000_000)
    assert cost.index_writes_usd == 0
