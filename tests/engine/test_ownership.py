"""Total cost of ownership, against sums done by hand.

The design: 2^20 items of 924 bytes (1 GiB with the 100 bytes of overhead), a GSI with entries of 412 bytes (0.5 GiB);
a million GetItems of 0.5 units and a million UpdateItems of 1 unit and 1 index unit a month. At us-east-1 prices:
reads $0.0625, writes $0.625, index writes $0.625, storage $0.25 and $0.125; $1.6875 in all.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from ddbmig.engine.costs import Load, load_of, monthly_cost
from ddbmig.engine.counsel import named, risks
from ddbmig.engine.ownership import NOT_ANALYSED, analyse
from ddbmig.engine.review import validation_facts
from ddbmig.engine.whatif import Variation, cost_under
from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment, FactValue, Finding, PatternRate, Rates
from ddbmig.model.context import Context
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import Alternative, Cost, Decision, Design, IndexDesign, Proof, TableDesign
from ddbmig.model.digest import Digest
from ddbmig.model.errors import UsageError
from ddbmig.model.measure import Source
from ddbmig.model.plan import Estimate, Plan, ReadCall, Transaction, WriteCall
from ddbmig.model.schema import Schema
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import LoadResult, PatternResult, Status, Validation
from design_builder import PRICES, World, assess_world, design_world, snapshot_of

NAME = ContractAttribute(type="S", source_table="t", source_column="name", encoding="string")
INDEX = IndexDesign(name="t_by_name", partition=("name",), projection="KEYS_ONLY", entries=1 << 20, entry_bytes=412)
TABLE = TableDesign(
    name="t",
    source_table="t",
    role="entity",
    pk="id",
    attributes={"id": NAME, "name": NAME},
    indexes=(INDEX,),
    items=1 << 20,
    item_bytes=924,
)
UPDATE = WriteCall(
    op="UpdateItem",
    table="t",
    source="t",
    ref=0,
    purpose="base item",
    estimate=Estimate(calls=1, items=1, write_units=2, index_units={"t_by_name": 1}),
)
WRITE = Plan(pattern="Qw", steps=(UPDATE,), uses=("t",), round_trips=1, write_units=2, index_write_units=1)


LOAD = Load({"Qr": 1e6, "Qw": 1e6, "Qt": 0, "Qm": 0}, {"Qr": 1, "Qw": 1, "Qt": 0, "Qm": 0})


def read(units: float = 0.5, **call: Any) -> Plan:
    step = ReadCall.model_validate(
        {"op": "GetItem", "table": "t", "ref": 0, "estimate": {"calls": 1, "items": 1, "read_units": units}, **call}
    )
    return Plan(pattern="Qr", steps=(step,), uses=("t",), round_trips=1, read_units=units, scans=step.op == "Scan")


def alternative(name: str = "chosen", plans: Iterable[Plan] = (read(), WRITE), **changes: Any) -> Alternative:
    found = Alternative(
        id=name,
        title=name,
        idea="",
        tables=(TABLE,),
        plans=tuple(plans),
        decisions=(),
        cost=cost_under_today(tuple(plans)),
        routed_calls_share=0.0,
        scan_calls_share=0.0,
        round_trips_average=1.0,
        write_amplification=1.0,
        proof=Proof(structures=1, options=1),
    )
    return found.model_copy(update=changes)


def cost_under_today(plans: tuple[Plan, ...]) -> Cost:
    return monthly_cost((TABLE,), plans, LOAD, PRICES)


def assessment(source: Source = "declared", findings: tuple[Finding, ...] = ()) -> Assessment:
    def rate(pattern: str) -> PatternRate:
        return PatternRate(pattern=pattern, calls=100, calls_per_month=1e6, peak_per_second=1, complexity=1)

    rates = Rates(span_seconds=1, represents="average", source=source, factor=1e4)
    return Assessment(rates=rates, patterns=(rate("Qr"), rate("Qw")), relationships=(), findings=findings)


def validation(statuses: Mapping[str, Status] | None = None, **changes: Any) -> Validation:
    results = tuple(
        PatternResult(pattern=p, status=s, runs=1, rows_sql=1, rows_plan=1, why="no rows" if s == "not proved" else "")
        for p, s in (statuses or {"Qr": "proved", "Qw": "proved"}).items()
    )
    found = Validation(engine="jar", alternative="chosen", seed=1, tables_created=1, indexes_created=1)
    return found.model_copy(update={"patterns": results, **changes})


def analysis(
    chosen: Alternative | None = None, others: Iterable[Alternative] = (), growth: float | None = 0.0,
    mysql: float | None = None, assessed: Assessment | None = None, validated: Validation | None = None,
    found: tuple[Finding, ...] = (),
) -> Analysis:  # fmt: skip
    context = Context(growth_percent_per_month=growth, mysql_cost_per_month_usd=mysql)
    snapshot = Snapshot(tables=Schema(tables=()), digest=Digest(), context=context)
    first = chosen or alternative()
    design = Design(
        prices=PRICES, alternatives=(first, *others), chosen=first.id, chosen_because="", chosen_by="engine"
    )
    return analyse(snapshot, assessed or assessment(), design, validated or validation(), lambda _: found)


def finding(rule: str = "AP001", subject: str = "t", **changes: Any) -> Finding:
    base = Finding(rule=rule, title="large-rows", severity="warning", subject=subject, message="are large")
    return base.model_copy(update={"instead": "Split\nthem.", **changes})


def usd(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.000001"))


# --- money ---


def test_a_month_and_a_doubling_every_month() -> None:
    now, year, three = analysis(growth=100.0).projections
    assert (now.requests_usd, now.storage_usd, now.total_usd) == (usd("1.3125"), usd("0.375"), usd("1.6875"))
    assert (year.months, year.requests_usd, year.storage_usd) == (12, usd("5376"), usd("1536"))
    assert (three.months, three.total_usd) == (36, usd("1.6875") * 2**36)


def test_cases_without_growth() -> None:
    found = analysis()
    assert found.best_usd == usd("1.03125")  # half of the requests
    assert found.expected_usd == usd("1.6875")
    assert found.worst_usd == usd("3.125")  # twice the requests, reads twice as dear: 0.25 + 2.5 + 0.375
    assert "0 % a month (declared)" in found.case_assumptions[0]


def test_cases_are_in_order_whatever_the_growth() -> None:
    for growth in (-50.0, 0.0, 3.0, None):
        found = analysis(growth=growth)
        assert found.best_usd <= found.expected_usd <= found.worst_usd


def test_growth_that_nobody_declared_is_said_to_be_assumed() -> None:
    found = analysis(growth=None)
    assert found.projections[1].total_usd.quantize(Decimal("0.001")) == Decimal("3.031")  # 1.6875 × 1.05^12
    assert "5 % a month (assumed)" in found.case_assumptions[0]
    assert any("growth (assumed)" in s.input for s in found.sensitivities)


@pytest.mark.parametrize("growth", [-100.0, 100.5, float("inf")])
def test_growth_that_cannot_be_projected_is_refused(growth: float) -> None:
    with pytest.raises(UsageError, match="cannot be projected"):
        analysis(growth=growth)


def test_sensitivities() -> None:
    found = {s.input: (s.low_usd, s.high_usd) for s in analysis().sensitivities}
    assert found["workload rate"] == (usd("1.03125"), usd("3"))
    assert found["price"] == (usd("1.35"), usd("2.025"))
    # half the writes, half again as many reads; then writes only: 0.09375 + 0.625, and 2.5
    assert found["share of writes, as many calls in all"] == (usd("1.09375"), usd("2.875"))
    # 1,386 bytes are two write blocks and one read block; the GSI's 618 bytes stay one
    # reads 0.0625 + writes 1.25 + index writes 0.625 + storage (1,486 + 718) / 1,024 × 0.25
    assert found["item size"][1] == usd("2.475586")
    assert found["item size"][0] == usd("1.3125") + usd("0.137207") + usd("0.0747070312")
    assert found["read consistency of base tables"] == (usd("1.6875"), usd("1.75"))


def test_an_assumed_rate_leads_the_table() -> None:
    assert analysis(assessed=assessment("assumed")).sensitivities[0].input == "workload rate (assumed)"
    declared = analysis().sensitivities
    spreads = [s.high_usd - s.low_usd for s in declared]
    assert spreads == sorted(spreads, reverse=True)


def test_an_index_cannot_be_read_strongly_and_a_scan_grows_with_the_table() -> None:
    by_index = alternative(plans=(read(index="t_by_name", op="Query"), WRITE))
    assert cost_under(by_index, LOAD, PRICES, Variation(strong=True)) == by_index.cost
    scan = read(units=118_272.0, op="Scan", estimate={"calls": 1, "items": 1 << 20, "read_units": 118_272.0})
    scanning = alternative(plans=(scan, WRITE))
    doubled = cost_under(scanning, LOAD, PRICES, Variation(data=2.0))
    assert doubled.reads_usd == scanning.cost.reads_usd * 2
    looked_up = cost_under(alternative(), LOAD, PRICES, Variation(data=2.0))
    assert looked_up.reads_usd == alternative().cost.reads_usd


def test_no_variation_is_todays_cost() -> None:
    snapshot = snapshot_of(World(schema=BOOKS, statements=STATEMENTS, list_length=3))
    load = load_of(assess_world(snapshot).patterns)
    for found in design_world(snapshot).alternatives:
        assert cost_under(found, load, PRICES, Variation()) == found.cost


def test_break_even_with_another_alternative_and_with_mysql() -> None:
    # without the GSI: requests 1.0 + 0.625, storage 0.25; 1.3125 k + 0.375 = 1.625 k + 0.25 at k = 0.4
    plain = UPDATE.model_copy(update={"estimate": Estimate(calls=1, items=1, write_units=1)})
    write = WRITE.model_copy(update={"steps": (plain,), "write_units": 1, "index_write_units": 0})
    other = alternative("other", (read(8.0), write), tables=(TABLE.model_copy(update={"indexes": ()}),))
    found = analysis(others=[other], mysql=3.0).break_even
    assert found == (
        "other: $1.88 a month against $1.69; they cost the same at 0.4 times today's calls, and chosen is cheaper "
        "above.",
        "MySQL: $3.00 a month (declared) against $1.69; they cost the same at 2 times today's calls, DynamoDB is "
        "cheaper below.",
    )


def test_break_even_where_there_is_none() -> None:
    same = alternative("same")
    dearer = alternative("dearer", (read(8.0), WRITE), routed_calls_share=0.25)
    found = analysis(others=[same, dearer]).break_even
    assert "requests cost the same" in found[0]
    assert found[1].endswith("chosen is cheaper at any number of calls.")
    assert "it routes 25 % of calls, chosen 0 %" in found[1]
    assert "is not given" in found[2]
    assert "no other alternative" in analysis().break_even[0]
    assert "storage alone" in analysis(mysql=0.2).break_even[1]


def test_a_break_even_out_of_sight_is_not_computed_to_nine_digits() -> None:
    # storage is $0.375 of both but for a sixteenth of the index: $0.0078; requests differ by $0.9375, or by $0.0000125
    index = INDEX.model_copy(update={"entries": INDEX.entries * 15 / 16})
    smaller = (TABLE.model_copy(update={"indexes": (index,)}),)
    near = alternative("near", (read(0.5001), WRITE), tables=smaller)
    far = alternative("far", (read(8.0), WRITE), tables=smaller)
    found = analysis(others=[near, far]).break_even
    assert found[0].endswith("chosen is dearer up to 100 times today's calls.")
    assert found[1].endswith("chosen is cheaper from 1/100 of today's calls up.")


# --- people ---


def test_metrics_and_efforts_count_the_design() -> None:
    transaction = Plan(pattern="Qt", steps=(Transaction(writes=(UPDATE,)),), round_trips=1)
    chained = read().model_copy(update={"pattern": "Qm", "round_trips": 2})
    routed = Plan(pattern="Qx", routed=("server function",))
    lookup = TABLE.model_copy(update={"name": "u", "role": "lookup", "indexes": ()})
    entity = TABLE.model_copy(
        update={
            "attributes": {
                "id": NAME.model_copy(update={"template": "{a}#{b}"}),
                "json": NAME.model_copy(update={"encoding": "json"}),
                "copy": NAME.model_copy(update={"denormalized": True}),
            }
        }
    )
    chosen = alternative(plans=(read(), WRITE, transaction, chained, routed), tables=(entity, lookup))
    rates = assessment()
    more = tuple(rates.patterns[0].model_copy(update={"pattern": p}) for p in ("Qm", "Qt", "Qx"))
    found = analysis(chosen, assessed=rates.model_copy(update={"patterns": (*rates.patterns, *more)}))
    values = {m.name: m.value for m in found.metrics}
    assert {name: values[name] for name in ("Tables", "Look-up tables", "GSIs", "Copied attributes", "Composed keys",
            "Transformed columns", "Debugging complexity")} == {
        "Tables": 1, "Look-up tables": 1, "GSIs": 1, "Copied attributes": 1, "Composed keys": 1,
        "Transformed columns": 1, "Debugging complexity": 3,
    }  # fmt: skip
    kinds = ("Patterns of one call", "Patterns of several calls", "Coordinated patterns", "Routed patterns")
    assert [values[name] for name in kinds] == [2, 1, 1, 1]
    days = {e.name: (e.low_days, e.high_days) for e in found.efforts}
    assert days["Development"] == (3.0, 10.0)  # 2 × 0.25–0.5 + 0.5–1.5 + 1–2.5 + 1–5
    assert days["Debugging, a year"] == (0.75, 2.5)  # one copy, one composed key
    assert days["Schema and data migration"] == (1.1, 3.25)  # 2 tables, 1 column
    assert days["Monitoring"] == (0.25, 0.65)  # 2 tables, 1 GSI
    assert all("assumed" in e.formula for e in found.efforts)
    assert all(m.meaning and m.unit for m in found.metrics)


# --- what to know and to agree to ---


def test_each_rule_is_one_risk_and_its_warning_stands_verbatim() -> None:
    warning = "Warning: This access pattern may create hot partitions. Consider partition key sharding strategy."
    many = tuple(finding(subject=f"t{n}") for n in range(5))
    found = analysis(
        alternative(findings=(finding("PW002", warning=warning, title="hot"),)),
        assessed=assessment(findings=many),
        found=(finding("PR018", severity="error"), finding("XX001", severity="info")),
    )
    assert [(r.raised_by, r.mitigation) for r in found.risks] == [
        ("PR018 large-rows on t", "Split them."),
        ("AP001 large-rows on t0, t1, t2 and 2 more", "Split them."),
        ("PW002 hot on t", "Split them."),
    ]
    assert found.risks[1].risk == "large rows: are large"
    assert found.risks[2].risk == warning
    assert [f.rule for f in found.findings] == ["PR018", "XX001"]


def test_a_risk_names_access_patterns_by_their_names() -> None:
    snapshot = snapshot_of(World(schema=BOOKS, statements=STATEMENTS[:2]))
    names = {p.id: p.name for p in snapshot.patterns}
    found = risks([finding(subject=pattern) for pattern in names], names)
    assert found[0].raised_by == f"AP001 large-rows on {', '.join(sorted(names.values()))}"
    assert named(["a, b", "c", "d", "e", "f"]) == "a, b; c; d and 2 more"


def test_scans_pay_for_growth_twice_and_it_is_said() -> None:
    assert any("Scans (5 % of calls)" in line for line in analysis(alternative(scan_calls_share=0.05)).case_assumptions)
    assert not any("Scans" in line for line in analysis().case_assumptions)


def test_plans_that_route_or_scan_are_risks() -> None:
    found = analysis(alternative(routed_calls_share=0.1, scan_calls_share=0.05)).risks
    assert [r.risk.split(" of calls")[0] for r in found] == ["10 %", "5 %"]


def test_acknowledgments() -> None:
    decision = Decision(relationship="a->b", outcome="denormalize", because="copies name of b onto a",
                        trade_off="A trade.", rollback="Read b.", monitoring="")  # fmt: skip
    kept = decision.model_copy(update={"relationship": "c->d", "outcome": "separate"})
    chosen = alternative(plans=(Plan(pattern="Qr", routed=("server function",)), WRITE), decisions=(decision, kept))
    checked = validation({"Qr": "routed", "Qw": "mismatched"}, engine_warning="moto only")
    found = analysis(chosen, validated=checked).acknowledgments
    assert found == (
        "Engineering lead: I accept that a->b is built as denormalize: copies name of b onto a. A trade. The way back: "
        "Read b.",
        "Application owner: I accept that reads through 1 GSIs (t/t_by_name) may be a moment behind the table: "
        "DynamoDB reads an index eventually consistent only.",
        "Product owner: I accept that 1 access pattern (50 % of calls: Qr) is not answered by DynamoDB (server "
        "function) and that MySQL or another system keeps answering.",
        "Engineering lead: I know how far the validation goes: moto only",
        "Quality lead: I know that 1 access pattern (50 % of calls: Qw) gave other results than MySQL in stage 4 and "
        "must be corrected before migrating.",
    )


def test_what_was_not_proved_is_acknowledged_with_its_reasons() -> None:
    found = analysis(validated=validation({"Qr": "not proved", "Qw": "not proved"})).acknowledgments
    assert found[-1] == (
        "Quality lead: I know that 2 access patterns (100 % of calls: Qr, Qw) are not proved equal to MySQL in "
        "stage 4 and must be tested by hand (no rows)."
    )


def test_facts_of_the_validation() -> None:
    nothing: dict[str, FactValue] = {}
    assert validation_facts(validation({"Qr": "not proved"})) == nothing
    load = LoadResult(table="t", source_table="t", rows=9, filtered=0, rejected=2, items_written=7, items_found=7)
    ran = validation({"Qr": "mismatched", "Qw": "proved"}, loads=(load, load), capacity_operations=5)
    differing = ran.patterns[1].model_copy(update={"capacity_differs": 3})
    assert validation_facts(ran.model_copy(update={"patterns": (ran.patterns[0], differing)})) == {
        "validation.mismatched_patterns": 1,
        "validation.capacity_mismatches": 1,
        "validation.load_rejects": 4,
    }


def test_evolution_is_derived_from_the_design() -> None:
    found = analysis().evolution
    assert any("1,048,576 items × 1 write units = 1,048,576 write units ($0.66)" in line for line in found)
    assert any("t/t_by_name" in line and "projection cannot be changed" in line for line in found)
    assert any("t has 1 of 20" in line for line in found)
    # the Scan before a new key: 2^20 × 924 bytes / 4 KB, half a unit each
    assert any("118,272 read units ($0.01)" in line for line in found)
    assert not any("Split the copies" in line for line in found)
    bare = analysis(alternative(tables=(), plans=()))
    assert bare.evolution == ("There are no tables yet: nothing to change.",)
    assert bare.expected_usd == 0


BOOKS = """
CREATE TABLE authors (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL);
CREATE TABLE books (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, author_id INT NOT NULL, isbn CHAR(13) NOT NULL,
  title VARCHAR(200) NOT NULL, UNIQUE KEY isbn (isbn), FOREIGN KEY (author_id) REFERENCES authors (id));
"""
STATEMENTS = (
    "SELECT * FROM books WHERE author_id = ?",
    "SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id IN (?)",
    "INSERT INTO books (author_id, isbn, title) VALUES (?, ?, ?)",
    "UPDATE authors SET name = ? WHERE id = ?",
    "SELECT * FROM books WHERE title LIKE ?",
)


def test_a_whole_design_is_analysed_and_the_bytes_are_the_same_again() -> None:
    snapshot = snapshot_of(World(schema=BOOKS, statements=STATEMENTS, list_length=3))
    assessed = assess_world(snapshot)
    design = design_world(snapshot, {"books.author_id->authors.id": "denormalize"})
    copies = design.model_copy(update={"chosen": "rules"})
    checked = validation({p.id: "proved" for p in snapshot.patterns})
    found = analyse(snapshot, assessed, copies, checked, lambda _: ())
    assert found.to_bytes() == analyse(snapshot, assessed, copies, checked, lambda _: ()).to_bytes()
    assert any("Split the copies off books (author_name (of authors.name))" in line for line in found.evolution)
    assert any("look-up table as books_isbn_unique do" in line for line in found.evolution)
    assert any("built as denormalize" in line for line in found.acknowledgments)
    assert found.not_analysed == NOT_ANALYSED
    assert found.projections[0].total_usd == design.alternative("rules").cost.total_usd
