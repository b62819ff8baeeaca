"""The figures that alternatives are compared by, counted by hand; the second cheapest and the thin margin."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from ddbmig.engine.comparison import compare
from ddbmig.engine.difference import differences, said
from ddbmig.model.assessment import Verdict
from ddbmig.model.comparison import Comparison
from ddbmig.model.context import Context
from ddbmig.model.design import Alternative
from ddbmig.model.digest import KeyValues
from ddbmig.model.errors import UsageError
from ddbmig.model.measure import Measure
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import ColumnStatistics
from design_builder import World, assess_world, design_world, snapshot_of, template_id

SCHEMA = """
CREATE TABLE authors (id INT NOT NULL, name VARCHAR(60) NOT NULL, PRIMARY KEY (id));
CREATE TABLE books (id INT NOT NULL, author_id INT NOT NULL, title VARCHAR(120) NOT NULL, PRIMARY KEY (id),
  CONSTRAINT a FOREIGN KEY (author_id) REFERENCES authors (id));
"""
LIST = "SELECT id, title FROM books WHERE author_id = ?"
JOIN = "SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?"
GET = "SELECT * FROM books WHERE id = ?"
RETITLE = "UPDATE books SET title = ? WHERE id = ?"
WORLD = World(schema=SCHEMA, statements=(LIST, JOIN, GET, RETITLE), rows={"authors": 100, "books": 2_000},
              groups={"books": {"author_id": 100}}, calls={RETITLE: 100})  # fmt: skip
SHOP = snapshot_of(WORLD)


def figures(snapshot: Snapshot, name: str = "faithful") -> tuple[Alternative, Comparison]:
    design = design_world(snapshot)
    return design.alternative(name), design.comparisons.of[name]


def with_statistics(snapshot: Snapshot, table: str, **changes: object) -> Snapshot:
    changed = snapshot.statistics[table].model_copy(update=changes)
    return snapshot.model_copy(update={"statistics": {**snapshot.statistics, table: changed}})


def column(longest: int, top: float | None = None) -> ColumnStatistics:
    return ColumnStatistics(average_bytes=4, max_bytes=longest, null_share=0, distinct=100, top_share=top)


def asked(snapshot: Snapshot, sql: str, values: Mapping[str, KeyValues]) -> Snapshot:
    """With the values asked for through the placeholders of one statement."""
    templates = tuple(
        t.model_copy(update={"values": values}) if t.id == template_id(sql) else t for t in snapshot.digest.templates
    )
    return snapshot.model_copy(update={"digest": snapshot.digest.model_copy(update={"templates": templates})})


# --- items ---


@pytest.mark.parametrize(
    ("declared", "factors"),
    [
        (None, (1, 1.05**12, 1.05**36)),
        (0.0, (1, 1, 1)),
        (10.0, (1, 1.1**12, 1.1**36)),
        (-50.0, (1, 0.5**12, 0.5**36)),
    ],
)
def test_items_grow_and_get_no_longer(declared: float | None, factors: tuple[float, ...]) -> None:
    snapshot = snapshot_of(replace(WORLD, context=Context(growth_percent_per_month=declared)))
    faithful, found = figures(snapshot)
    today = sum(table.items * table.item_bytes for table in faithful.tables)
    assert [at.months for at in found.items] == [0, 12, 36]
    assert [at.items for at in found.items] == pytest.approx([2_100 * factor for factor in factors])
    assert [at.bytes for at in found.items] == pytest.approx([today * factor for factor in factors])
    assert found.sizes.average == pytest.approx(today / 2_100)
    comparisons = design_world(snapshot).comparisons
    assert comparisons.growth_source == ("assumed" if declared is None else "declared")
    assert comparisons.growth_percent_per_month == (5.0 if declared is None else declared)


def test_a_growth_that_no_projection_can_use_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be projected"):
        design_world(snapshot_of(replace(WORLD, context=Context(growth_percent_per_month=1_000.0))))


def test_no_table_has_no_average() -> None:
    faithful, _ = figures(SHOP)
    found = compare(SHOP, assess_world(SHOP), [faithful.model_copy(update={"tables": (), "plans": ()})]).of["faithful"]
    assert (found.sizes.average, found.sizes.p99_at_most, found.hottest) == (None, None, None)
    assert (found.round_trips.worst, found.round_trips.worst_pattern) == (0, None)


def test_the_99th_percentile_is_bounded_by_the_largest_row_or_not_measured() -> None:
    _, found = figures(SHOP)
    assert (found.sizes.p99_at_most, found.sizes.largest_in, found.sizes.not_measured) == (None, None, 2)
    one = with_statistics(SHOP, "books", max_item_bytes=700)
    _, found = figures(one)
    assert (found.sizes.p99_at_most, found.sizes.largest_in, found.sizes.not_measured) == (700, "books", 1)
    both = with_statistics(one, "authors", max_item_bytes=900)
    _, found = figures(both)
    assert (found.sizes.p99_at_most, found.sizes.largest_in, found.sizes.not_measured) == (900, "authors", 0)


def test_a_copy_makes_the_largest_item_longer_where_its_column_was_measured() -> None:
    verdict: Mapping[str, Verdict] = {"books.author_id->authors.id": "denormalize"}
    rows = with_statistics(with_statistics(SHOP, "books", max_item_bytes=700), "authors", max_item_bytes=100)
    design = design_world(rows, verdict)
    assert design.comparisons.of["rules"].sizes.not_measured == 1  # nobody measured the longest name of an author
    measured = with_statistics(rows, "authors", columns={"name": column(55)})
    design = design_world(measured, verdict)
    sizes = design.comparisons.of["rules"].sizes
    assert (sizes.p99_at_most, sizes.not_measured) == (700 + len("author_name") + 55, 0)


def test_sizes_that_nobody_measured_say_so() -> None:
    assert figures(SHOP)[1].sizes.source == "measured"
    rows = Measure(value=2_000, unit="rows", source="assumed", origin="default")
    assert figures(with_statistics(SHOP, "books", rows=rows))[1].sizes.source == "assumed"


# --- round trips, points ---


def test_round_trips_by_pattern() -> None:
    faithful, found = figures(SHOP)
    trips = found.round_trips
    assert (trips.one, trips.two, trips.more, trips.worst) == (3, 1, 0, 2)
    join = next(p.id for p in SHOP.patterns if p.template == template_id(JOIN))
    assert trips.worst_pattern == join
    routed = tuple(p.model_copy(update={"routed": ("full-text search",)}) for p in faithful.plans if p.pattern == join)
    rest = tuple(p for p in faithful.plans if p.pattern != join)
    without = faithful.model_copy(update={"plans": (*rest, *routed)})
    trips = compare(SHOP, assess_world(SHOP), [without]).of["faithful"].round_trips
    assert (trips.one, trips.two, trips.worst) == (3, 0, 1)


def test_the_operational_score_is_the_sum_that_it_shows() -> None:
    faithful, found = figures(SHOP)
    # two tables, of which the small one is scanned, and a GSI that projects the title: a new title is written twice
    assert found.operational.formula == (
        "2 tables × 1 + 1 GSIs × 1 + 1 patterns that scan × 2 + write amplification above 1 of 1 × 2"
    )
    assert found.operational.points == 2 + 1 + 2 + 2
    calm = faithful.model_copy(update={"write_amplification": 1.0})
    assert compare(SHOP, assess_world(SHOP), [calm]).of["faithful"].operational.points == 5


# --- hot partitions ---


def test_a_share_that_nobody_measured_is_not_zero() -> None:
    # both primary keys are unique, so one value has one row; of the GSI's key nothing is known
    _, found = figures(SHOP)
    assert found.shares_not_measured == 1
    assert found.hottest is not None
    assert (found.hottest.share, found.hottest.of) in ((1 / 100, "items"), (1 / 2_000, "items"))
    rows = Measure(value=100, unit="rows", source="assumed", origin="default")
    guessed = with_statistics(with_statistics(SHOP, "authors", rows=rows), "books", rows=rows)
    _, found = figures(guessed)
    assert (found.hottest, found.shares_not_measured) == (None, 3)


def test_the_hottest_value_of_the_requests() -> None:
    snapshot = asked(SHOP, LIST, {"0": KeyValues(total=1_000, top={"h1": 400, "h2": 100})})
    faithful, found = figures(snapshot)
    rate = next(r for r in assess_world(snapshot).patterns if r.pattern == next(
        p.id for p in snapshot.patterns if p.template == template_id(LIST)))  # fmt: skip
    plan = next(p for p in faithful.plans if p.pattern == rate.pattern)
    hot = found.hottest
    assert hot is not None
    assert (hot.structure, hot.share, hot.of) == ("books/books_by_author_id", 0.4, "requests")
    assert hot.peak_reads == pytest.approx(0.4 * rate.peak_per_second * plan.read_units)
    assert hot.load == pytest.approx(hot.peak_reads / 3_000 + hot.peak_writes / 1_000)
    assert found.shares_not_measured == 0


def test_the_less_even_of_requests_and_items_counts() -> None:
    snapshot = asked(SHOP, LIST, {"0": KeyValues(total=1_000, top={"h1": 400})})
    _, found = figures(with_statistics(snapshot, "books", columns={"author_id": column(3, top=0.6)}))
    assert found.hottest is not None
    assert (found.hottest.share, found.hottest.of) == (0.6, "items")


# --- the second cheapest ---


def test_the_second_cheapest_says_what_it_does_otherwise() -> None:
    design = design_world(snapshot_of(replace(WORLD, calls={RETITLE: 50_000_000})))
    rules, other = design.alternative("rules"), design.alternative("runner_up")
    found = differences(rules, other)
    assert found
    assert other.idea == f"As the rules recommend, but {', '.join(found)}; it costs as much as the cheapest."
    assert other.respects_rules
    assert other.routed_calls_share == rules.routed_calls_share
    assert design.thin_margins == (
        f"Thin margin: runner_up costs as much as the cheapest under the rules (${rules.cost.total_usd:.2f} a month); "
        f"it differs by this: {', '.join(found)}. Take it with: ddbmig choose design runner_up",
    )


def test_designs_of_the_same_tables_differ_in_their_plans() -> None:
    rules = design_world(SHOP).alternative("rules")
    assert differences(rules, rules) == ()
    assert said(rules, rules) == "with other plans on the same tables and GSIs"


def test_a_gsi_of_the_same_name_may_have_another_key() -> None:
    rules = design_world(SHOP).alternative("rules")
    table = next(one for one in rules.tables if one.indexes)
    index = table.indexes[0]
    turned = index.model_copy(update={"sort": (*index.sort, "x")})
    other = table.model_copy(update={"indexes": (turned, *table.indexes[1:])})
    tables = tuple(other if one is table else one for one in rules.tables)
    (line,) = differences(rules, rules.model_copy(update={"tables": tables}))
    assert line == f"the GSI {index.name} is keyed by {' + '.join(turned.keys)} instead of {' + '.join(index.keys)}"


def test_a_second_cheapest_that_is_there_already_is_named_by_its_own_name() -> None:
    design = design_world(SHOP)
    assert "runner_up" not in {a.id for a in design.alternatives}
    assert "full_projections costs $0.000019 a month more than the cheapest under the rules" in design.thin_margins[0]
    more = design.alternative("full_projections").cost.total_usd - design.alternative("rules").cost.total_usd
    assert more == Decimal("0.000019")


def test_a_wide_margin_is_no_choice() -> None:
    schema = "CREATE TABLE things (id INT NOT NULL PRIMARY KEY, k INT NOT NULL, KEY k (k));"
    statements = ("SELECT id FROM things WHERE k = ?", "UPDATE things SET k = ? WHERE id = ?")
    snapshot = snapshot_of(World(schema, statements, rows={"things": 2_000}, groups={"things": {"k": 1_000}}))
    design = design_world(snapshot)
    rules, other = design.alternative("rules"), design.alternative("runner_up")
    more = other.cost.total_usd - rules.cost.total_usd
    assert other.idea == (
        "As the rules recommend, but things with the GSI things_by_k; "
        f"it costs ${more:.2f} a month more than the cheapest."
    )
    assert more > rules.cost.total_usd / 100
    assert design.thin_margins == ()


def test_there_is_none_where_nothing_else_can_be_built() -> None:
    alone = World(schema="CREATE TABLE t (id INT NOT NULL PRIMARY KEY);", statements=("SELECT id FROM t WHERE id = ?",))
    design = design_world(snapshot_of(alone))
    assert "runner_up" not in {a.id for a in design.alternatives}
    assert design.thin_margins == ()


def test_differences_are_named_by_structure() -> None:
    faithful = design_world(SHOP).alternative("rules")
    books = next(t for t in faithful.tables if t.name == "books")
    index = books.indexes[0]
    changed = books.model_copy(update={
        "pk": "author_id", "sk": "id", "indexes": (index.model_copy(update={"projection": "ALL", "projected": ()}),),
        "attributes": {**books.attributes, "author_born": books.attributes["title"].model_copy(
            update={"source_table": "authors", "source_column": "name", "denormalized": True})},
    })  # fmt: skip
    other = faithful.model_copy(update={"tables": (changed,), "cost": faithful.cost})
    assert differences(faithful, other) == (
        "without the table authors",
        "books is keyed by author_id + id instead of id",
        "books with the copy author_born",
        "the GSI books_by_author_id projects ALL instead of INCLUDE title",
    )
    assert differences(other, faithful)[0] == "with the table authors"
    assert "books without the GSI books_by_author_id" in differences(
        faithful, faithful.model_copy(update={"tables": (books.model_copy(update={"indexes": ()}),)})
    )
    assert differences(faithful, faithful) == ()
