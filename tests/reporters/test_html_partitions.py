"""Partition heat over time in the HTML report."""

import re

import pytest

from ddbmig.model.simulation import Run, StructureLoad
from ddbmig.reporters.html import html_report
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.partitions import MOST, heat_grid, partition_heat, throttled_grid
from hand_made import ASSESSMENT, DESIGN, INSERT, SIMULATION, SNAPSHOT, VALIDATION


def _material(*runs: Run, minutes: int = 60) -> Material:
    simulation = SIMULATION.model_copy(update={"runs": runs, "minutes": minutes})
    return Material(SNAPSHOT, ASSESSMENT, DESIGN, VALIDATION.model_copy(update={"simulation": simulation}))


def _run(*heats: tuple[float, ...], name: str = "×1") -> Run:
    structures = tuple(
        StructureLoad(structure=f"table{place}", partitions=4, partitions_after=4, heat_splits=0, reads=1, writes=1,
                      throttled=0, heat=heat)
        for place, heat in enumerate(heats)
    )  # fmt: skip
    return Run(name=name, scale=1, offered=100, served=100, structures=structures)


def test_a_bar_is_the_share_of_the_limit_and_full_above_it() -> None:
    load = partition_heat(_material(_run((0.0, 0.25, 1.0, 3.0))))
    assert load is not None
    (strip,) = load.runs[0].strips
    assert [(bar.start, bar.height, bar.over) for bar in strip.bars] == [
        (0, 0, False), (25, 25, False), (50, 100, False), (75, 100, True),
    ]  # fmt: skip
    assert strip.hottest.shown == "300 %"


@pytest.mark.parametrize(
    ("minutes", "points", "last"),
    [(60, 12, "minutes 56 to 60"), (50, 10, "minutes 46 to 50"), (13, 7, "minute 13"), (3, 3, "minute 3")],
)
def test_a_bar_names_its_minutes(minutes: int, points: int, last: str) -> None:
    load = partition_heat(_material(_run((0.5,) * points), minutes=minutes))
    assert load is not None
    bars = load.runs[0].strips[0].bars
    assert bars[-1].label == f"{last}: 50 %"
    assert bars[0].label.startswith("minutes 1 to" if minutes > points else "minute 1:")


def test_the_text_of_a_strip_says_all_that_is_drawn() -> None:
    load = partition_heat(_material(_run((0.03, 2.64))))
    assert load is not None
    text = load.runs[0].strips[0].text
    assert text.startswith("table0: ")
    assert text.endswith("minutes 1 to 30: 3 %; minutes 31 to 60: 264 %")


def test_the_hottest_are_drawn_and_all_are_in_the_table() -> None:
    material = _material(_run(*[(0.5,)] * (MOST + 3)))
    load = partition_heat(material)
    assert load is not None
    assert (len(load.runs[0].strips), load.runs[0].more) == (MOST, 3)
    assert len(heat_grid(material).rows) == MOST + 3
    assert "Not drawn: 3 cooler ones, in the table below." in html_report(material)


def test_the_table_says_what_the_picture_shows() -> None:
    material = Material(SNAPSHOT, ASSESSMENT, DESIGN, VALIDATION)
    grid = heat_grid(material)
    assert [column.title for column in grid.columns] == [
        "table or GSI", "run", "partitions", "at the end", "RRU/s", "WRU/s", "calls refused", "hottest partition",
        "percent over time",
    ]  # fmt: skip
    assert [cell.shown for cell in grid.rows[0]][1:] == [
        "×10", "4", "6", "0", "4,000", "2,000", "300 %", "20 300 90",
    ]  # fmt: skip


def test_throttled_patterns_lead_to_their_plans() -> None:
    (row,) = throttled_grid(Material(SNAPSHOT, ASSESSMENT, DESIGN, VALIDATION)).rows
    assert row[0].link.startswith("pattern-")
    assert row[0].about == INSERT.id
    assert [cell.shown for cell in row[1:4]] == ["×10", "5,000", "50.0 %"]
    assert "IndexWriteKeyRangeThroughputExceeded" in row[4].shown


@pytest.mark.parametrize("simulation", [None, SIMULATION.model_copy(update={"runs": ()})], ids=["none", "no runs"])
def test_without_a_simulation_nothing_is_drawn_and_the_page_says_so(simulation: object) -> None:
    value = VALIDATION.model_copy(update={"simulation": simulation})
    text = html_report(Material(SNAPSHOT, ASSESSMENT, DESIGN, value))
    section = text[text.index('<section id="load"') : text.index("</section>", text.index('<section id="load"'))]
    assert "<svg" not in section
    assert "<table" not in section
    words = re.sub(r"<[^>]+>|\s+", " ", section)
    assert "Stage 4 has no simulation to show: none of 1,000 calls is throttled at ×1." in words


def test_without_stage_4_there_is_no_such_section() -> None:
    assert 'id="load"' not in html_report(Material(SNAPSHOT, ASSESSMENT, DESIGN))
