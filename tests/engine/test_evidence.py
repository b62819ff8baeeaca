"""How sure a fact is, and the sheet that facts are written on."""

import pytest

from ddbmig.engine.evidence import FEW, SOME, Sheet, confidence, means, said_of
from ddbmig.model.assessment import Confidence, FactValue
from ddbmig.model.digest import Digest
from ddbmig.model.measure import Measure, Source
from fact_shop import LOG, digest, shop


@pytest.mark.parametrize(
    ("value", "source", "observed", "estimated", "expected"),
    [
        pytest.param(None, "measured", SOME, False, "low", id="missing"),
        pytest.param(None, "declared", None, False, "low", id="not declared"),
        pytest.param(5.0, "assumed", None, False, "low", id="assumed"),
        pytest.param(0.5, "measured", FEW - 1, False, "low", id="a handful of calls"),
        pytest.param(0.5, "measured", FEW, False, "medium", id="some calls"),
        pytest.param(0.5, "measured", SOME - 1, False, "medium", id="not many calls"),
        pytest.param(0.5, "measured", SOME, False, "high", id="many calls"),
        pytest.param(0.5, "measured", SOME, True, "medium", id="many calls, a thinned sample of them"),
        pytest.param(0.5, "measured", FEW - 1, True, "low", id="a handful of calls, thinned"),
        pytest.param(0, "measured", 0, False, "low", id="nothing observed"),
        pytest.param(7, "measured", None, False, "high", id="counted in full"),
        pytest.param(7, "measured", None, True, "medium", id="a bound"),
        pytest.param("mature", "declared", None, False, "high", id="declared by a person"),
        pytest.param(False, "measured", None, False, "high", id="false is not missing"),
    ],
)
def test_confidence(
    value: FactValue | None, source: Source, observed: int | None, estimated: bool, expected: Confidence
) -> None:
    assert confidence(value, source, observed, estimated) == expected


def test_a_rate_is_as_sure_as_what_the_log_stands_for_and_as_the_log_is_long() -> None:
    templates = shop().snapshot.digest.templates
    long = digest(templates=tuple(one.model_copy(update={"calls": one.calls * 10}) for one in templates))
    short = digest(templates=tuple(one.model_copy(update={"calls": 2}) for one in templates))
    for represents, log, expected in ((5000, long, "high"), (None, long, "medium"), (5000, digest(), "medium"),
                                      (5000, short, "low")):  # fmt: skip
        sheet = Sheet("table", shop(represents=represents, digest=log))
        sheet.rate("reads.per_day", 12.0)
        assert sheet.facts["reads.per_day"].confidence == expected, (represents, log)
        assert sheet.facts["reads.per_day"].source == ("assumed" if represents is None else "declared")


def test_a_rate_times_an_assumed_size_is_assumed() -> None:
    sheet = Sheet("relationship", shop())
    sheet.rate("cost.read_units_saved_per_day", 12.0, assumed=True)
    found = sheet.facts["cost.read_units_saved_per_day"]
    assert (found.source, found.confidence) == ("assumed", "low")


def test_what_was_measured_in_the_data_keeps_its_origin() -> None:
    sheet = Sheet("table", shop())
    sheet.measure("table.rows", Measure(value=1000, unit="rows", source="assumed", origin="nothing tells"))
    sheet.measure("table.item_bytes_average", None)
    rows, size = sheet.facts["table.rows"], sheet.facts["table.item_bytes_average"]
    assert (rows.value, rows.unit, rows.source, rows.origin, rows.confidence) == (
        1000, "rows", "assumed", "nothing tells", "low",
    )  # fmt: skip
    assert (size.value, size.origin, size.confidence) == (None, "no statistics", "low")


@pytest.mark.parametrize(
    ("sources", "changes"),
    [
        pytest.param((), None, id="no log"),
        pytest.param((LOG,), 0, id="a log without any"),
        pytest.param((LOG.model_copy(update={"skipped": {"schema change": 2, "session setting": 9}}),), 2, id="two"),
        pytest.param(
            (
                LOG.model_copy(update={"skipped": {"schema change": 2}}),
                LOG.model_copy(update={"kind": "slow", "skipped": {"schema change": 2}}),
            ),
            2,
            id="the slow log saw them too",
        ),
        pytest.param((LOG.model_copy(update={"kind": "slow", "skipped": {"schema change": 1}}),), 1, id="slow log"),
        pytest.param(
            (LOG.model_copy(update={"kind": "performance_schema", "skipped": {"schema change": 50}}),),
            None,
            id="since the server's start, set-up and all",
        ),
    ],
)
def test_schema_changes_are_those_of_the_logs(sources: tuple[object, ...], changes: int | None) -> None:
    assert shop(digest=digest(sources=sources)).schema_changes == changes


def test_a_table_is_meant_by_its_id_or_its_name() -> None:
    assert means("shop.book", "shop.book")
    assert means("book", "shop.book")
    assert not means("ook", "shop.book")
    assert said_of({"book": "by name", "shop.book": "by id"}, "shop.book") == "by id"
    assert said_of({"book": "by name"}, "shop.book") == "by name"
    assert said_of({"other.book": "by id"}, "shop.book") is None


def test_calls_that_read_a_table_are_counted_by_unit() -> None:
    evidence = shop()
    # line: 20 transactions, 5 runs, 25 lists and 10 look-ups alone; orders: the transactions and runs
    assert dict(evidence.units_reading) == {"author": 50, "book": 40, "line": 60, "orders": 25}
    assert evidence.logged_calls == 185
    assert evidence.knows_order
    assert not shop(digest=Digest()).knows_order
