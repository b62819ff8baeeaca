"""Joint shares, transactions, rates and complexity, each against numbers worked out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ddbmig.engine.coaccess import co_access, complexity_parts, pattern_rates, rates, read_units, transactions
from ddbmig.model.condition import All, AnyOf, ColumnRef, Compare, OpaqueCondition, Param
from ddbmig.model.context import Pricing, Represents, Workload
from ddbmig.model.digest import Digest, DigestSource, Neighbours, TemplateDigest, Unit
from ddbmig.model.pattern import AccessPattern, Aggregate, Join, Limit, OrderTerm, PatternKind, TableRef
from ddbmig.model.schema import Schema
from ddbmig.model.snapshot import Snapshot


def pattern(key: str, tables: str, kind: PatternKind = "select", **more: Any) -> AccessPattern:
    refs = tuple(TableRef(table=name, alias=name) for name in tables.split())
    return AccessPattern(id=f"Q{key}", template=key, name=key, kind=kind, sql="", refs=refs, **more)


def snapshot(
    patterns: Sequence[AccessPattern],
    calls: Mapping[str, int],
    units: Sequence[Unit] = (),
    neighbours: Sequence[Neighbours] = (),
    span: float | None = None,
    represents: Represents | None = None,
    peaks: Mapping[str, int] | None = None,
) -> Snapshot:
    templates = tuple(
        TemplateDigest(
            id=key, schema_name="", sql="", verb="select", calls=count, peak_second_calls=(peaks or {}).get(key, 0)
        )
        for key, count in calls.items()
    )
    source = DigestSource(kind="general", name="log", sha256="", bytes=0, events=0, statements=0,
                          first_us=0 if span else None, last_us=int(span * 1_000_000) if span else None)  # fmt: skip
    return Snapshot(
        tables=Schema(tables=()),
        digest=Digest(sources=(source,), templates=templates, units=tuple(units), neighbours=tuple(neighbours)),
        patterns=tuple(patterns),
        workload=Workload(represents=represents),
    )


READS = (pattern("a", "orders"), pattern("b", "lines"), pattern("ab", "orders lines"), pattern("w", "lines", "insert"))


def test_without_units_every_statement_counts_for_itself() -> None:
    (pair,) = co_access(snapshot(READS, {"a": 30, "b": 10, "ab": 20, "w": 99}))
    assert (pair.a, pair.b, pair.joint_calls, pair.either_calls) == ("lines", "orders", 20, 60)
    assert (pair.joint_share, pair.share_of_a, pair.share_of_b) == (20 / 60, 20 / 30, 20 / 50)


def test_a_transaction_and_an_n_plus_1_run_are_one_joint_read_each() -> None:
    units = [
        Unit(kind="transaction", calls={"a": 4, "b": 8}, count=4),
        Unit(kind="n_plus_1", calls={"a": 3, "b": 21}, count=3),
        Unit(kind="transaction", calls={"a": 2, "w": 2}, count=2, outcome="rollback"),
    ]
    # outside of the units: 10-4-3-2 = 1 call of a, 30-8-21 = 1 call of b, 5 of ab
    (pair,) = co_access(snapshot(READS, {"a": 10, "b": 30, "ab": 5, "w": 2}, units))
    assert (pair.joint_calls, pair.either_calls) == (4 + 3 + 5, 4 + 3 + 2 + 1 + 1 + 5)
    assert (pair.one_statement, pair.same_transaction, pair.per_row) == (5, 4, 3)


def test_a_statement_that_reads_both_goes_before_the_unit_that_it_stands_in() -> None:
    units = [
        Unit(kind="transaction", calls={"a": 4, "ab": 4}, count=4),
        Unit(kind="n_plus_1", calls={"ab": 2, "b": 9}, count=2),
        Unit(kind="transaction", calls={"ab": 1, "w": 1}, count=1),
    ]
    (pair,) = co_access(snapshot(READS, {"a": 4, "b": 9, "ab": 8, "w": 1}, units))
    assert (pair.joint_calls, pair.one_statement, pair.same_transaction, pair.per_row) == (8, 8, 0, 0)


def test_every_call_is_in_one_read_unit() -> None:
    units = [Unit(kind="transaction", calls={"a": 4, "w": 8, "skipped": 4}, count=4)]
    found = list(read_units(snapshot(READS, {"a": 10, "ab": 5, "w": 8, "skipped": 4}, units)))
    assert [(unit.kind, sorted(unit.templates), sorted(unit.tables), unit.count) for unit in found] == [
        ("transaction", ["a", "skipped", "w"], ["orders"], 4),
        ("statement", ["a"], ["orders"], 6),
        ("statement", ["ab"], ["lines", "orders"], 5),
    ]


def test_tables_read_near_each_other_are_a_fact_of_their_own() -> None:
    near = [Neighbours(first="a", second="b", calls=7), Neighbours(first="a", second="ab", calls=5)]
    (pair,) = co_access(snapshot(READS, {"a": 10, "b": 10}, neighbours=near))
    assert (pair.joint_calls, pair.joint_share, pair.within_one_second) == (0, 0.0, 12)


def test_tables_never_read_together_are_no_pair() -> None:
    assert co_access(snapshot(READS, {"a": 10, "b": 10})) == ()


def test_a_write_reads_only_the_tables_beside_the_written_one() -> None:
    patterns = (pattern("u", "orders lines", "update"), pattern("a", "orders"))
    assert co_access(snapshot(patterns, {"u": 10, "a": 1})) == ()


def test_transactions_are_numbered_by_frequency() -> None:
    lock = pattern("l", "stock", locking=True)
    units = [
        Unit(kind="transaction", calls={"a": 2, "w": 9}, count=2),
        Unit(kind="transaction", calls={"a": 1, "w": 1}, count=1, outcome="rollback"),
        Unit(kind="transaction", calls={"l": 5, "w": 5, "skipped": 5}, count=5),
        Unit(kind="transaction", calls={"skipped": 8}, count=8),
        Unit(kind="n_plus_1", calls={"a": 9, "b": 90}, count=9),
    ]
    first, second = transactions(snapshot((*READS, lock), {}, units))
    assert (first.id, first.patterns, first.count, first.rolled_back, first.locking) == ("T1", ("Ql", "Qw"), 5, 0, True)
    assert (second.id, second.tables_written, second.tables_read) == ("T2", ("lines",), ("orders",))
    assert (second.count, second.rolled_back, second.locking) == (3, 1, False)


HOUR = 3600.0


@pytest.mark.parametrize(
    ("represents", "span", "source", "factor"),
    [
        (None, HOUR, "assumed", 730.0),
        ("average", HOUR / 2, "declared", 1460.0),
        ("peak", HOUR, "declared", 730.0 / 3),
        (5000, HOUR, "declared", 50.0),
        (5000, None, "declared", 50.0),
        (None, None, "assumed", 1.0),
        ("peak", None, "assumed", 1.0),
    ],
)
def test_rates(represents: Represents | None, span: float | None, source: str, factor: float) -> None:
    found = rates(snapshot(READS, {"a": 40, "b": 60}, span=span, represents=represents))
    assert (found.source, found.span_seconds) == (source, span or 0.0)
    assert found.factor == pytest.approx(factor)


def test_the_rate_of_a_pattern() -> None:
    shot = snapshot(READS, {"a": 360, "b": 60}, span=HOUR, peaks={"a": 9})
    found = {rate.pattern: rate for rate in pattern_rates(shot, rates(shot))}
    assert (found["Qa"].calls, found["Qa"].calls_per_month, found["Qa"].peak_per_second) == (360, 360 * 730.0, 9.0)
    assert found["Qb"].peak_per_second == pytest.approx(60 / HOUR)
    assert (found["Qab"].calls, found["Qab"].calls_per_month, found["Qab"].complexity) == (0, 0.0, 1)


def test_the_month_is_that_of_the_pricing() -> None:
    shot = snapshot(READS, {"a": 360, "b": 60}, span=HOUR).model_copy(update={"pricing": Pricing(month_hours=720)})
    found = {rate.pattern: rate for rate in pattern_rates(shot, rates(shot))}
    assert found["Qa"].calls_per_month == pytest.approx(360 * 720)
    assert found["Qb"].peak_per_second == pytest.approx(60 / HOUR)


def test_a_declared_number_of_calls_scales_the_peak_too() -> None:
    shot = snapshot(READS, {"a": 100}, span=HOUR, peaks={"a": 10}, represents=2 * 730 * 100)
    assert pattern_rates(shot, rates(shot))[0].peak_per_second == pytest.approx(20.0)


def test_complexity_adds_up() -> None:
    x = ColumnRef(ref=0, column="x")
    is_x = Compare(op="=", left=x, right=(Param(index=0),))
    opaque = OpaqueCondition(sql="", why="server function")
    hard = pattern(
        "h", "a b c d", joins=(
            Join(ref=1, kind="left", on=((x, x),)),
            Join(ref=2, kind="semi", on=((x, x),), group=2),
            Join(ref=3, kind="inner", on=((x, x),), group=2),
        ),
        where=All(items=(AnyOf(items=(is_x, AnyOf(items=(is_x, is_x)))), opaque)),
        aggregates=(Aggregate(function="count"),), group_by=(x,), order=(OrderTerm(column=x),), distinct=True,
        limit=Limit(rows=1, row_param=1, offset_param=0), unplanned=("server function",),
    )  # fmt: skip
    assert dict(complexity_parts(hard)) == {
        "joins": 4, "existence tests": 3, "alternatives (OR)": 2, "conditions of the server": 3, "aggregates": 2,
        "GROUP BY": 1, "DISTINCT": 1, "ORDER BY": 1, "OFFSET": 2, "no bounded plan": 3,
    }  # fmt: skip
    assert complexity_parts(pattern("e", "a", where=AnyOf())) == {}
