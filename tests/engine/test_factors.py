"""The facts of relationships, tables and patterns, against a shop small enough to count by hand."""

import pytest

from ddbmig.engine.coaccess import co_access, pattern_rates, rates, transactions
from ddbmig.engine.factors import Evidence, bound_columns, pattern_facts, relationship_facts, table_facts
from ddbmig.engine.facts import BY_PHASE, CATALOGUE
from ddbmig.engine.rulebook import fits
from ddbmig.model.assessment import EvidenceSource, Fact, ManyToMany, Relationship
from ddbmig.model.condition import All, ColumnRef, Compare, Param
from ddbmig.model.context import Context, Requirement, Workload
from ddbmig.model.digest import Digest, DigestSource, KeyValues, NPlusOne, TemplateDigest, Unit
from ddbmig.model.measure import Measure
from ddbmig.model.pattern import AccessPattern, Assignment, Join, TableRef
from ddbmig.model.schema import Column, Index, Schema, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import ColumnStatistics, GroupStatistics, TableStatistics

MINUTES = {"100": 10, "104": 10}


def table(name: str, *columns: str, key: tuple[str, ...] = ("id",)) -> Table:
    return Table(
        id=name,
        schema_name="",
        name=name,
        primary_key=key,
        columns=tuple(Column(name=column, type="json" if column == "tags" else "int") for column in columns),
        indexes=(Index(name="by_state", columns=("state",), kind="index"),) if "state" in columns else (),
    )


def equals(column: str, ref: int = 0, index: int = 0) -> Compare:
    return Compare(op="=", left=ColumnRef(ref=ref, column=column), right=(Param(index=index),))


def select(
    name: str, *tables: str, where: Compare, reads: str = "", join: tuple[str, str] | None = None
) -> AccessPattern:
    refs = tuple(TableRef(table=one, alias=one) for one in tables)
    on = ((ColumnRef(ref=1, column=join[1]), ColumnRef(ref=0, column=join[0])),) if join else ()
    columns = tuple(ColumnRef(ref=int(part[0]), column=part[2:]) for part in reads.split())
    assert isinstance(where.left, ColumnRef)
    return AccessPattern(
        id=f"Q{name}",
        template=name,
        name=name,
        kind="select",
        sql=name,
        refs=refs,
        where=where,
        reads=columns,
        joins=(Join(ref=1, kind="inner", on=on),) if join else (),
        params=(where.left,),
    )


def update(name: str, of: str, column: str) -> AccessPattern:
    key = equals("id", index=1)
    return AccessPattern(
        id=f"Q{name}",
        template=name,
        name=name,
        kind="update",
        sql=name,
        refs=(TableRef(table=of, alias=of),),
        where=key,
        assignments=(Assignment(column=column, value=Param(index=0)),),
        params=(ColumnRef(ref=0, column=column), ColumnRef(ref=0, column="id")),
    )


# calls: 40 books with their author's name, 10 authors, 5 renames, 50 lists of an order's lines, 10 N+1 look-ups
PATTERNS = (
    select("a1", "book", "author", where=equals("id"), reads="0.title 1.NAME 1.id", join=("author_id", "id")),
    select("a2", "author", where=equals("id"), reads="0.name"),
    update("a3", "author", "name"),
    select("l1", "line", where=equals("order_id"), reads="0.price"),
    select("l2", "line", where=equals("id"), reads="0.price"),
    select("o1", "orders", where=equals("id"), reads="0.state"),
    update("o2", "orders", "state"),
    update("l3", "line", "price"),
)
CALLS = {"a1": 40, "a2": 10, "a3": 5, "l1": 50, "l2": 10, "o1": 30, "o2": 20, "l3": 20}
SCHEMA = Schema(
    tables=(
        table("author", "id", "name"),
        table("book", "id", "title", "author_id", "tags"),
        table("line", "id", "order_id", "price"),
        table("orders", "id", "state"),
    )
)


def statistics(rows: int, size: float, **columns: float) -> TableStatistics:
    return TableStatistics(
        rows=Measure(value=rows, unit="rows", source="measured", origin="data"),
        item_bytes=Measure(value=size, unit="bytes", source="measured", origin="data"),
        max_item_bytes=int(size) * 2,
        columns={
            name: ColumnStatistics(average_bytes=n, max_bytes=int(n), null_share=0, distinct=3)
            for name, n in columns.items()
        },
    )


def group(column: str, average: float, p99: int, most: int) -> tuple[GroupStatistics, ...]:
    return (GroupStatistics(columns=(column,), groups=10, average=average, p99=p99, max=most, orphans=0),)


def shop(context: Context | None = None, represents: int = 730 * 60) -> Evidence:
    """365 calls a month for each logged one would be 12 a day; here the log stands for 60 logs an hour."""
    templates = tuple(
        TemplateDigest(
            id=name,
            schema_name="",
            sql=name,
            verb="select",
            calls=calls,
            minutes=MINUTES if name == "a1" else {},
            peak_second_calls=4,
            values={"0": KeyValues(total=calls, top={"x": calls // 2})},
            rows_examined=calls * 3,
            timed_calls=calls,
        )
        for name, calls in CALLS.items()
    )
    source = DigestSource(
        kind="general",
        name="log",
        sha256="0",
        bytes=1,
        events=1,
        statements=sum(CALLS.values()),
        first_us=0,
        last_us=60_000_000,
    )
    digest = Digest(
        sources=(source,),
        templates=templates,
        units=(
            Unit(kind="transaction", calls={"l1": 20, "o1": 20}, count=20),
            Unit(kind="transaction", calls={"o2": 15, "l3": 15}, count=15),
        ),
        runs=(NPlusOne(outer="l1", inner="o1", times=1, executions=10, rows_matched=1),),
    )
    numbers = {
        "author": statistics(10, 100, id=2, name=20),
        "book": statistics(100, 200).model_copy(update={"groups": group("author_id", 4, 9, 20)}),
        "line": statistics(1000, 1000).model_copy(update={"groups": group("order_id", 5, 8, 400)}),
        "orders": statistics(200, 50, state=5),
    }
    snapshot = Snapshot(
        tables=SCHEMA,
        digest=digest,
        patterns=PATTERNS,
        statistics=numbers,
        context=context or Context(),
        workload=Workload(represents=represents),
    )
    found = rates(snapshot)
    return Evidence(
        snapshot=snapshot,
        rates=found,
        pattern_rates=pattern_rates(snapshot, found),
        relationships=(WRITTEN, LINES),
        many_to_many=(ManyToMany(join_table="book", left=WRITTEN.id, right="x", pure=True),),
        co_access=co_access(snapshot),
        transactions=transactions(snapshot),
    )


def relation(child: str, column: str, parent: str) -> Relationship:
    return Relationship(
        id=f"{child}.{column}->{parent}.id",
        child=child,
        child_columns=(column,),
        parent=parent,
        parent_columns=("id",),
        cardinality="1:N",
        evidence=(EvidenceSource(kind="declared", detail="fk"),),
    )


WRITTEN = relation("book", "author_id", "author")
LINES = relation("line", "order_id", "orders")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reads.joint_share", 0.8),
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
        ("children.p99", 9),
        ("children.bounded", True),
        ("size.combined_bytes", 100 + 9 * 200),
        ("size.largest_bytes", 100 + 20 * 200),
        ("size.growth_percent_per_month", None),
        ("size.projected_12_months", None),
        ("cardinality.many_to_many", True),
        ("cardinality.declared", True),
        ("keys.parent_top_share", 0.5),
        ("time.minute_ratio", 2.5),
        ("transactions.locking", False),
        ("context.lifecycle", None),
    ],
)
def test_a_look_up_of_a_name(name: str, value: object) -> None:
    found = relationship_facts(shop(), WRITTEN)[name].value
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


def test_a_parent_and_its_lines() -> None:
    facts = relationship_facts(shop(), LINES)
    assert facts["reads.collection_share"].value == pytest.approx(50 / 60)
    assert facts["updates.together_share"].value == pytest.approx(15 / (15 + 5 + 5))
    assert facts["copies.names"].value == ("state",)
    assert facts["size.combined_bytes"].value == 50 + 8 * 1000
    assert facts["children.bounded"].value is True
    assert facts["cardinality.child_is_parent"].value is False


def test_rates_are_as_sure_as_what_the_log_stands_for() -> None:
    evidence = shop()
    facts = relationship_facts(evidence, WRITTEN)
    per_call = evidence.rates.factor / (730 / 24)
    assert facts["reads.joint_calls_per_day"].value == pytest.approx(40 * per_call)
    assert facts["writes.copied_columns_per_day"].value == pytest.approx(5 * per_call)
    assert facts["writes.fan_out_per_day"].value == pytest.approx(5 * 4 * per_call)
    assert facts["cost.read_units_saved_per_day"].value == pytest.approx(40 * 0.5 * per_call)
    assert facts["cost.write_units_added_per_day"].value == pytest.approx(5 * 4 * per_call)
    assert facts["reads.joint_calls_per_day"].source == evidence.rates.source == "declared"
    assert facts["reads.joint_share"].source == "measured"


def test_what_people_declare() -> None:
    context = Context(
        lifecycle="early",
        owners={"book": "catalogue", "author": "people"},
        security_contexts={"book": "public"},
        growth_percent_per_month=10,
        requirements=(Requirement(table="book", p99_ms=15), Requirement(p99_ms=90)),
        strong_consistency=("book", "author"),
        performance_critical=False,
    )
    facts = relationship_facts(shop(context), WRITTEN)
    expected = {
        "context.lifecycle": "early",
        "context.same_owner": False,
        "context.same_security_context": None,
        "context.latency_ms": 15,
        "context.strong_consistency": True,
        "context.performance_critical": False,
    }
    assert {name: facts[name].value for name in expected} == expected
    assert facts["size.projected_12_months"].value == pytest.approx(1900 * 1.1**12)
    assert facts["context.lifecycle"].source == "declared"


def test_tables_and_patterns() -> None:
    evidence = shop()
    book, orders = table_facts(evidence, "book"), table_facts(evidence, "orders")
    assert book["table.columns_to_transform"].value == ("tags",)
    assert book["table.item_bytes_max"].value == 400
    assert orders["keys.least_index_cardinality"].value == 3
    assert orders["keys.cardinality"].value == 200
    assert orders["writes.peak_per_second"].value == evidence.rate_of["Qo2"].peak_per_second
    pattern = pattern_facts(evidence, PATTERNS[0])
    assert pattern["keys.top_share"].value == 0.5
    assert pattern["pattern.hot_key_per_second"].value == evidence.rate_of["Qa1"].peak_per_second / 2
    assert pattern["pattern.rows_examined_per_call"].value == 3
    assert pattern["pattern.tables"].value == 2


def test_nothing_known_is_missing_not_zero() -> None:
    empty = Snapshot(tables=SCHEMA, digest=Digest())
    evidence = Evidence(snapshot=empty, rates=rates(empty))
    facts = relationship_facts(evidence, WRITTEN)
    for name, definition in BY_PHASE["relationship"].items():
        if definition.may_be_missing and name != "writes.fan_out_per_day":  # without updates nothing is rewritten
            assert facts[name].value is None, name
    assert table_facts(evidence, "book")["table.rows"].value is None


def test_every_fact_of_the_catalogue_is_computed_with_its_type() -> None:
    evidence = shop(Context(lifecycle="mature", team_expertise="some", growth_percent_per_month=1))
    sheets: list[tuple[str, dict[str, Fact]]] = [
        ("relationship", relationship_facts(evidence, WRITTEN)),
        ("table", table_facts(evidence, "line")),
        ("pattern", pattern_facts(evidence, PATTERNS[0])),
    ]
    for phase, facts in sheets:
        definitions = {definition.name: definition for definition in CATALOGUE if definition.applies_to == phase}
        assert list(facts) == sorted(definitions)
        for name, fact in facts.items():
            assert fact.value is None or fits(fact.value, definitions[name]), name
            assert fact.value is not None or definitions[name].may_be_missing, name
            assert fact.unit == definitions[name].unit
            assert fact.origin


def test_equalities_are_carried_along_joins() -> None:
    on = ((ColumnRef(ref=1, column="ID"), ColumnRef(ref=0, column="author_id")),)
    pattern = PATTERNS[0].model_copy(
        update={"where": All(items=(equals("id", ref=1),)), "joins": (Join(ref=1, kind="inner", on=on),)}
    )
    assert bound_columns(pattern) == {(1, "id"), (0, "author_id")}
