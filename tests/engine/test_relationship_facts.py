"""The facts of relationships, against a shop small enough to count by hand."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.engine.relationship_facts import relationship_facts
from ddbmig.model.context import Context, Requirement
from ddbmig.model.digest import Digest, Neighbours, Unit
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.snapshot import Connection
from fact_shop import CALLS, LINES, LOG, PATTERNS, STATISTICS, WRITTEN, digest, equals, relation, select, shop

SELF = relation("orders", "state", "orders")


def same(found: object, value: object) -> bool:
    return found == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relationship.child", "book"),
        ("relationship.parent", "author"),
        ("relationship.child_columns", ("author_id",)),
        ("workload.logged_calls", 185),
        ("reads.joint_share", 0.8),
        ("reads.one_statement_share", 0.8),
        ("reads.same_transaction_share", 0.0),
        ("reads.per_row_share", 0.0),
        ("reads.within_one_second_share", 0.0),
        ("reads.share_of_child", 1.0),
        ("reads.share_of_parent", 0.8),
        ("reads.collection_share", 0.0),
        ("copies.columns", 1),
        ("copies.names", ("name",)),
        ("copies.bytes", 20),
        ("writes.reads_per_parent_write", 8.0),
        ("writes.amplification", 5.0),
        ("updates.paths", 1),
        ("updates.together_share", 0.0),
        ("children.average", 4),
        ("children.p99", 9),
        ("children.max", 20),
        ("children.orphans", 0),
        ("children.bounded", True),
        ("size.child_bytes", 200),
        ("size.parent_bytes", 100),
        ("size.combined_bytes", 100 + 9 * 200),
        ("size.largest_bytes", 100 + 20 * 200),
        ("size.growth_percent_per_month", None),
        ("size.projected_12_months", None),
        ("size.projected_36_months", None),
        ("size.months_to_limit", None),
        ("cardinality.many_to_many", True),
        ("cardinality.one_to_one", False),
        ("cardinality.self_reference", False),
        ("cardinality.declared", True),
        ("keys.parent_top_share", 0.5),
        ("time.minute_ratio", 2.5),
        ("transactions.cross_entity_per_day", 0.0),
        ("transactions.locking", False),
        ("transactions.rolled_back_share", None),
        ("transactions.isolation", None),
        ("patterns.complexity_max", 3),
        ("patterns.planned_share", 1.0),
        ("evolution.schema_changes", 0),
        ("evolution.roadmap_declared", False),
        ("context.lifecycle", None),
    ],
)
def test_a_look_up_of_a_name(name: str, value: object) -> None:
    found = relationship_facts(shop(), WRITTEN)[name].value
    assert same(found, value), found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # 60 calls read lines, 25 orders: 20 transactions and 5 runs read both
        ("reads.joint_share", 25 / 60),
        ("reads.one_statement_share", 0.0),
        ("reads.same_transaction_share", 20 / 60),
        ("reads.per_row_share", 5 / 60),
        ("reads.share_of_child", 25 / 60),
        ("reads.share_of_parent", 1.0),
        ("reads.collection_share", 50 / 60),
        ("copies.names", ("state",)),
        ("updates.together_share", 15 / (15 + 5 + 5)),
        ("transactions.rolled_back_share", 3 / (20 + 15)),
        ("size.combined_bytes", 50 + 8 * 1000),
        ("children.bounded", True),
        ("cardinality.many_to_many", False),
        ("cardinality.child_is_parent", False),
        ("patterns.complexity_max", 0),
    ],
)
def test_a_parent_and_its_lines(name: str, value: object) -> None:
    found = relationship_facts(shop(), LINES)[name].value
    assert same(found, value), found


def test_rates_are_as_sure_as_what_the_log_stands_for() -> None:
    evidence = shop()
    facts = relationship_facts(evidence, WRITTEN)
    per_call = evidence.rates.factor / (730 / 24)
    expected = {
        "reads.calls_per_day": 50, "reads.joint_calls_per_day": 40, "writes.parent_per_day": 5,
        "writes.child_per_day": 0, "writes.copied_columns_per_day": 5, "writes.fan_out_per_day": 5 * 4,
        "updates.parent_per_day": 5, "updates.child_per_day": 0, "cost.read_units_saved_per_day": 40 * 0.5,
        "cost.write_units_added_per_day": 5 * 4,
    }  # fmt: skip
    for name, calls in expected.items():
        assert facts[name].value == pytest.approx(calls * per_call), name
        assert (facts[name].source, facts[name].confidence) == ("declared", "medium"), name
    assert facts["reads.joint_share"].source == "measured"
    lines = relationship_facts(evidence, LINES)
    assert lines["transactions.cross_entity_per_day"].value == pytest.approx(15 * per_call)


def test_calls_are_counted_in_the_same_way_whether_or_not_tables_are_read_together() -> None:
    evidence = shop()
    facts = relationship_facts(evidence, relation("book", "title", "orders"))
    per_call = evidence.rates.factor / (730 / 24)
    assert facts["reads.joint_share"].value == 0
    assert facts["reads.calls_per_day"].value == pytest.approx((40 + 25) * per_call)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reads.joint_share", 0.0),
        ("reads.same_transaction_share", 0.0),
        ("reads.share_of_child", 0.0),
        ("reads.within_one_second_share", None),
        ("updates.together_share", None),
        ("transactions.cross_entity_per_day", 0.0),
        ("cardinality.self_reference", True),
        ("patterns.complexity_max", 0),
    ],
)
def test_a_table_of_itself(name: str, value: object) -> None:
    assert relationship_facts(shop(), SELF)[name].value == value


def test_a_table_that_is_joined_with_itself() -> None:
    tree = select("o1", "orders", "orders", where=equals("id"), join=("state", "id"))
    patterns = tuple(tree if pattern.id == "Qo1" else pattern for pattern in PATTERNS)
    facts = relationship_facts(shop(patterns=patterns), SELF)
    # the statement is in 20 transactions and 5 runs
    assert (facts["reads.joint_share"].value, facts["reads.one_statement_share"].value) == (1.0, 1.0)
    assert facts["patterns.complexity_max"].value == 3


# --- people, growth, the server ---


def test_what_people_declare() -> None:
    context = Context(
        lifecycle="early",
        owners={"book": "catalogue", "author": "people"},
        security_contexts={"book": "public"},
        growth_percent_per_month=10,
        requirements=(Requirement(table="book", p99_ms=15), Requirement(p99_ms=90)),
        strong_consistency=("book", "author"),
        performance_critical=False,
        roadmap="Audio books.",
    )
    facts = relationship_facts(shop(context), WRITTEN)
    expected = {
        "context.lifecycle": "early",
        "context.same_owner": False,
        "context.same_security_context": None,
        "context.latency_ms": 15,
        "context.strong_consistency": True,
        "context.performance_critical": False,
        "evolution.roadmap_declared": True,
    }
    assert {name: facts[name].value for name in expected} == expected
    assert (facts["context.lifecycle"].source, facts["context.lifecycle"].confidence) == ("declared", "high")
    assert (facts["context.same_security_context"].confidence) == "low"


@pytest.mark.parametrize(
    ("growth", "after_12", "after_36", "months"),
    [
        pytest.param(10, 1900 * 1.1**12, 1900 * 1.1**36, math.log(409_600 / 1900) / math.log(1.1), id="growth"),
        pytest.param(100, 1900 * 2.0**12, 1900 * 2.0**36, math.log2(409_600 / 1900), id="doubling"),
        pytest.param(0, 1900.0, 1900.0, None, id="no growth"),
        pytest.param(-50, 1900 * 0.5**12, 1900 * 0.5**36, None, id="shrinking"),
        pytest.param(5e-324, 1900.0, 1900.0, None, id="next to nothing"),
        pytest.param(1e300, None, None, None, id="beyond all measure"),
        pytest.param(-100, None, None, None, id="gone in a month"),
        pytest.param(None, None, None, None, id="not declared"),
    ],
)
def test_sizes_grow_as_declared(
    growth: float | None, after_12: float | None, after_36: float | None, months: float | None
) -> None:
    facts = relationship_facts(shop(Context(growth_percent_per_month=growth)), WRITTEN)
    found = [facts[f"size.{name}"].value for name in ("projected_12_months", "projected_36_months", "months_to_limit")]
    assert found == [None if value is None else pytest.approx(value) for value in (after_12, after_36, months)]


def test_a_list_that_is_over_the_limit_has_no_months_left() -> None:
    large = STATISTICS["book"].model_copy(
        update={"item_bytes": STATISTICS["book"].item_bytes.model_copy(update={"value": 50_000})}
    )
    evidence = shop(Context(growth_percent_per_month=1), statistics={**STATISTICS, "book": large})
    assert relationship_facts(evidence, WRITTEN)["size.months_to_limit"].value == 0


@pytest.mark.parametrize(
    ("settings", "level"),
    [
        ({"transaction_isolation": "READ-COMMITTED"}, "read_committed"),
        ({"tx_isolation": "REPEATABLE-READ"}, "repeatable_read"),
        ({"transaction_isolation": "SERIALIZABLE", "tx_isolation": "READ-COMMITTED"}, "serializable"),
        ({"transaction_isolation": "READ-UNCOMMITTED"}, "read_uncommitted"),
        ({"transaction_isolation": "SOMETHING-NEW"}, None),
        ({"sql_mode": ""}, None),
    ],
)
def test_the_isolation_level_is_the_servers(settings: dict[str, str], level: str | None) -> None:
    evidence = shop(connection=Connection(server_version="8.4.0", settings=settings))
    found = relationship_facts(evidence, WRITTEN)["transactions.isolation"]
    assert (found.value, found.confidence) == (level, "medium" if level else "low")


def test_schema_changes_are_a_bound_unless_there_are_none() -> None:
    some = digest(sources=(LOG.model_copy(update={"skipped": {"schema change": 3}}),))
    found = relationship_facts(shop(digest=some), WRITTEN)["evolution.schema_changes"]
    assert (found.value, found.confidence) == (3, "medium")
    assert relationship_facts(shop(), WRITTEN)["evolution.schema_changes"].confidence == "high"


# --- what the sources cannot tell ---

NEEDS_ORDER = {
    "reads.same_transaction_share", "reads.per_row_share", "reads.within_one_second_share", "updates.together_share",
    "transactions.cross_entity_per_day", "transactions.locking", "transactions.rolled_back_share",
}  # fmt: skip


def test_a_source_without_order_knows_neither_transactions_nor_neighbours() -> None:
    counted = digest(sources=(LOG.model_copy(update={"kind": "performance_schema"}),), units=(), runs=())
    facts = relationship_facts(shop(digest=counted), WRITTEN)
    assert {name for name in NEEDS_ORDER if facts[name].value is None} == NEEDS_ORDER
    assert facts["reads.joint_share"].value == pytest.approx(0.8)


def test_neighbours_are_those_of_the_joint_calls_or_fewer() -> None:
    near = digest(neighbours=(Neighbours(first="a2", second="l2", calls=7),))
    facts = relationship_facts(shop(digest=near), relation("line", "price", "author"))
    assert facts["reads.within_one_second_share"].value == pytest.approx(7 / (60 + 50))
    many = digest(neighbours=(Neighbours(first="a2", second="l2", calls=1000),))
    facts = relationship_facts(shop(digest=many), relation("line", "price", "author"))
    assert facts["reads.within_one_second_share"].value == 1


def test_assumed_sizes_make_assumed_costs() -> None:
    author = STATISTICS["author"].model_copy(
        update={"item_bytes": STATISTICS["author"].item_bytes.model_copy(update={"source": "assumed"})}
    )
    facts = relationship_facts(shop(statistics={**STATISTICS, "author": author}), WRITTEN)
    assert facts["size.parent_bytes"].source == "assumed"
    assert facts["cost.read_units_saved_per_day"].source == "assumed"
    assert facts["cost.write_units_added_per_day"].source == "declared"


def test_shares_are_as_sure_as_the_calls_behind_them() -> None:
    facts = relationship_facts(shop(), WRITTEN)
    assert facts["reads.joint_share"].confidence == "medium"  # 50 calls
    assert facts["writes.amplification"].confidence == "low"  # 5 writes
    assert facts["copies.names"].confidence == "high"
    pruned = [
        one.model_copy(update={"values": {key: value.model_copy(update={"floor": 2, "total": 4000, "top": {"x": 2000}})
                                          for key, value in one.values.items()}})
        for one in shop().snapshot.digest.templates
    ]  # fmt: skip
    found = relationship_facts(shop(digest=digest(templates=tuple(pruned))), WRITTEN)["keys.parent_top_share"]
    assert (found.value, found.confidence) == (0.5, "medium")


# --- the parts of the joint share ---

TABLES = ("book", "author", "line")
READS = st.lists(st.sampled_from(TABLES), min_size=1, max_size=3, unique=True)


@st.composite
def workloads(draw: st.DrawFn) -> dict[str, Any]:
    """Statements over three tables, and units made of them, each statement called often enough for its units."""
    reads = draw(st.lists(READS, min_size=1, max_size=4))
    patterns = tuple(pattern_on(f"p{number}", tables) for number, tables in enumerate(reads))
    names = [pattern.template for pattern in patterns]
    units, calls = [], {name: draw(st.integers(1, 9)) for name in names}
    for _ in range(draw(st.integers(0, 4))):
        inside = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
        count = draw(st.integers(1, 5))
        shape: dict[str, Any] = {"kind": draw(st.sampled_from(["transaction", "n_plus_1"])), "count": count}
        units.append(Unit(calls=dict.fromkeys(inside, count), **shape))
        for name in inside:
            calls[name] += count
    one = shop().snapshot.digest.templates[0]
    templates = tuple(one.model_copy(update={"id": name, "calls": count}) for name, count in sorted(calls.items()))
    return {"patterns": patterns, "digest": digest(templates=templates, units=tuple(units), runs=())}


def pattern_on(name: str, tables: list[str]) -> AccessPattern:
    return select(name, *tables, where=equals("id"))


@given(workloads(), st.sampled_from([(a, b) for a in TABLES for b in TABLES]))
def test_the_parts_of_the_joint_share_sum_to_it(changed: dict[str, Any], pair: tuple[str, str]) -> None:
    facts = relationship_facts(shop(**changed), relation(pair[0], "id", pair[1]))
    parts = [facts[f"reads.{name}_share"].value for name in ("one_statement", "same_transaction", "per_row")]
    joint = facts["reads.joint_share"].value
    if joint is None:
        assert parts == [None, None, None]
        return
    numbers = [part for part in parts if isinstance(part, int | float)]
    assert len(numbers) == 3
    assert all(0 <= part <= 1 for part in numbers)
    assert sum(numbers) == pytest.approx(joint)


def test_the_calls_of_the_shop_are_those_of_its_log() -> None:
    assert sum(CALLS.values()) == 185
    assert relationship_facts(shop(digest=Digest()), WRITTEN)["workload.logged_calls"].value == 0
