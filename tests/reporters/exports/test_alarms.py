"""The alarms are those of the monitoring plan, on what the plans use."""

from dataclasses import replace

from export_material import MATERIAL

from ddbmig.model.context import Context, Requirement
from ddbmig.reporters.exports.alarms import PERIOD, Alarm, Metric, alarms, operations
from ddbmig.reporters.exports.material import Peak
from ddbmig.reporters.monitoring import WATCHED
from hand_made import BOOKS

FOUND = {alarm.name: alarm for alarm in alarms(MATERIAL)}


def test_every_watched_metric_that_has_a_moment_to_be_told_has_an_alarm() -> None:
    told = {metric.name for alarm in FOUND.values() for metric in alarm.metrics}
    planned = {name for one in WATCHED if one.kind != "index build" for name in one.metrics}
    assert told == planned


def test_throttles_of_tables_and_gsis_are_told_at_once() -> None:
    assert [name for name in FOUND if name.endswith(" throttled")] == [
        "authors throttled", "books throttled", "books/books_by_author throttled", "books/books_by_all throttled",
        "books_isbn_unique throttled",
    ]  # fmt: skip
    alarm = FOUND["books/books_by_author throttled"]
    assert (alarm.threshold, alarm.periods, alarm.expression) == (0, 1, "SUM(FILL(METRICS(), 0))")
    assert [metric.dimensions() for metric in alarm.metrics] == [
        {"TableName": "books", "GlobalSecondaryIndexName": "books_by_author"}
    ] * 2


def test_consumption_is_told_at_twice_the_expected_peak_but_not_below_a_unit_a_second() -> None:
    reads, writes = FOUND["books ConsumedReadCapacityUnits"], FOUND["books ConsumedWriteCapacityUnits"]
    assert (reads.threshold, writes.threshold) == (2 * 3.0 * PERIOD, 1.0 * PERIOD)
    assert reads.description == (
        "Over 6 units a second in five minutes; expected at the peak: 3 (rates: assumed)."
    )  # fmt: skip
    assert "books_isbn_unique ConsumedReadCapacityUnits" not in FOUND


def test_operations_are_those_of_the_plans() -> None:
    used = {table: operations(MATERIAL, table) for table in ("authors", "books", "books_isbn_unique", "nothing")}
    assert used == {
        "authors": ("GetItem",), "books": ("BatchGetItem", "Query", "TransactWriteItems", "UpdateItem"),
        "books_isbn_unique": ("TransactWriteItems",), "nothing": (),
    }  # fmt: skip
    assert [metric.operation for metric in FOUND["books errors"].metrics] == list(used["books"])


def test_transactions_and_look_ups_have_alarms_of_their_own() -> None:
    assert [name for name in FOUND if name.endswith((" conflicts", " refused"))] == [
        "books conflicts", "books_isbn_unique conflicts", "books_isbn_unique refused",
    ]  # fmt: skip
    refused = FOUND["books_isbn_unique refused"]
    assert (refused.threshold, refused.expression) == (None, "ANOMALY_DETECTION_BAND(m1, 2)")


def test_the_strictest_declared_latency_counts_for_each_operation() -> None:
    needs = (Requirement(p99_ms=50.0), Requirement(table=BOOKS, p99_ms=20.0), Requirement(table="old", p99_ms=1.0))
    snapshot = MATERIAL.snapshot.model_copy(update={"context": Context(requirements=needs)})
    found = {alarm.name: alarm for alarm in alarms(replace(MATERIAL, snapshot=snapshot))}
    assert found["books Query slow"].threshold == 20.0
    assert found["authors GetItem slow"].threshold == 50.0
    assert found["books Query slow"].metrics == (
        Metric("SuccessfulRequestLatency", "books", operation="Query", statistic="p99"),
    )
    quiet = replace(MATERIAL, snapshot=snapshot.model_copy(update={"context": Context()}))
    assert not [alarm for alarm in alarms(quiet) if alarm.name.endswith(" slow")]


def test_a_name_that_is_too_long_is_cut_and_stays_apart() -> None:
    index = "i" * 250
    table = MATERIAL.tables[1]
    gsis = tuple(replace(table.gsis[0], name=f"{index}{n}") for n in (1, 2))
    material = replace(MATERIAL, peaks={("books", f"{index}1"): Peak(1, 1)})
    object.__setattr__(material, "tables", (replace(table, gsis=gsis),))
    found: tuple[Alarm, ...] = alarms(material)
    names = [alarm.name for alarm in found]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 255
