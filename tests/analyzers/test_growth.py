"""Growth by rows' own dates and by two snapshots, by hand."""

import pytest

from ddbmig.analyzers.growth import with_growth_since
from ddbmig.analyzers.statistics import collect_statistics
from ddbmig.model.digest import Digest
from ddbmig.model.errors import UsageError
from ddbmig.model.measure import Measure
from ddbmig.model.schema import Schema, Table
from ddbmig.model.snapshot import Connection, Snapshot
from ddbmig.model.statistics import TableStatistics
from hand_made import column

MONTHS = [("2025-11", 100), ("2026-01", 10), ("2026-02", 11), ("2026-03", 5)]
"""The newest month is not over; the three before it (one empty) made 121 of 100."""


def grown(name: str, kind: str, cells: list[str | None]) -> Measure | None:
    table = Table(
        id="t", schema_name="", name="t", columns=(column("id"), column(name, kind)), primary_key=("id",)
    )  # fmt: skip
    rows = (("t", (number, cell)) for number, cell in enumerate(cells))
    return collect_statistics(rows, Schema(tables=(table,)), {}, {})["t"].growth


def dates(months: list[tuple[str, int]]) -> list[str | None]:
    return [f"{month}-07 12:00:00" for month, count in months for _ in range(count)]


def test_by_the_months_in_which_rows_were_made() -> None:
    found = grown("created_at", "datetime", [*dates(MONTHS), None, "0000-00-00 00:00:00"])
    assert found
    assert found.value == pytest.approx(6.56, abs=0.005)  # 1.21 ** (1 / 3)
    assert (found.unit, found.source) == ("percent a month", "measured")
    assert found.origin == "rows by created_at over 3 complete months, deleted rows not seen"


@pytest.mark.parametrize("name", ["created", "CreatedAt", "created_on", "date_created", "placed_at", "inserted_at"])
def test_names_that_say_when_a_row_was_made(name: str) -> None:
    assert grown(name, "timestamp", dates(MONTHS)) is not None


@pytest.mark.parametrize(
    ("name", "kind", "months"),
    [("updated_at", "datetime", MONTHS), ("created_at", "varchar", MONTHS), ("recreated", "date", MONTHS),
     ("created_at", "date", [("2026-01", 5), ("2026-02", 5)]), ("created_at", "date", [])],
)  # fmt: skip
def test_nothing_is_said_without_evidence(name: str, kind: str, months: list[tuple[str, int]]) -> None:
    assert grown(name, kind, dates(months)) is None


def statistics(rows: float, source: str = "measured") -> TableStatistics:
    count = Measure.model_validate({"value": rows, "unit": "rows", "source": source, "origin": "x"})
    return TableStatistics(rows=count, item_bytes=count)


def old(day: str | None, **tables: TableStatistics) -> Snapshot:
    server = Connection(server_version="8", collected_on=day)
    return Snapshot(tables=Schema(tables=()), digest=Digest(), connection=server, statistics=tables)


def test_between_two_snapshots() -> None:
    now = {"a": statistics(200), "b": statistics(5), "c": statistics(5), "d": statistics(5, "assumed")}
    then = old("2025-11-25", a=statistics(100), c=statistics(0), d=statistics(1))
    found = with_growth_since(now, "2026-11-25", then)
    assert {name: one.growth.value for name, one in found.items() if one.growth} == {"a": 5.95}  # 2 ** (1 / 12)
    assert found["a"].growth
    assert found["a"].growth.origin == "two snapshots, 2025-11-25 and 2026-11-25"


@pytest.mark.parametrize("day", ["2026-11-25", "2026-11-26", None])
def test_two_snapshots_need_two_days(day: str | None) -> None:
    with pytest.raises(UsageError, match="growth needs two days"):
        with_growth_since({}, "2026-11-25", old(day))
