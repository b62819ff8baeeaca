"""What stage 4 tried, in the HTML report."""

import re
from typing import Any

import pytest

from ddbmig.model.consistency import Anomaly, Consistency
from ddbmig.model.replay import PatternReplay, Replay
from ddbmig.reporters.html import html_report
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.trials import (
    MOST_BARS,
    MOST_LANES,
    change_grid,
    interleaving_grid,
    replay_grid,
    stale_grid,
    trials,
)
from hand_made import ASSESSMENT, DESIGN, INSERT, SELECT, SNAPSHOT, UPDATE, VALIDATION

WHOLE = Material(SNAPSHOT, ASSESSMENT, DESIGN, VALIDATION)


def _with(**found: Any) -> Material:
    nothing = {"consistency": None, "replay": None, "evolution": None}
    return Material(SNAPSHOT, ASSESSMENT, DESIGN, VALIDATION.model_copy(update={**nothing, **found}))


def _ran(pattern: str, runs: int, units: float, planned: float) -> PatternReplay:
    return PatternReplay(pattern=pattern, runs=runs, rows=1, trips=(1, 1, 1), planned_trips=1, read_units=units,
                         planned_read_units=planned, write_units=0, planned_write_units=0)  # fmt: skip


@pytest.mark.parametrize("material", [_with(), Material(SNAPSHOT, ASSESSMENT, DESIGN)])
def test_where_nothing_was_tried_there_is_no_section(material: Material) -> None:
    assert trials(material) is None
    assert 'id="trials"' not in html_report(material)


def test_each_call_stands_in_the_lane_of_its_client() -> None:
    race = Anomaly(kind="data", pattern=UPDATE.id, other=INSERT.id,
                   schedule=("A: GetItem a", "B: PutItem b", "A: PutItem a"))  # fmt: skip
    twice = Anomaly(kind="repeat", pattern=UPDATE.id, schedule=("A: PutItem a", "A: PutItem a, again"))
    found = trials(_with(consistency=Consistency(patterns=2, schedules=5, anomalies=(twice, race))))
    assert found is not None
    first, second = found.lanes
    assert first.calls == (("GetItem a", ""), ("", "PutItem b"), ("PutItem a", ""))
    assert (first.title, first.who) == ("Data that no order leaves", (UPDATE.name, INSERT.name))
    assert second.who == (UPDATE.name, "")  # nobody but A calls
    others = [row[2].shown for row in interleaving_grid(_with(
        consistency=Consistency(patterns=2, schedules=5, anomalies=(twice, race)))).rows]  # fmt: skip
    assert others == [INSERT.name, "–"]


def test_a_stop_between_two_calls_is_in_the_table_only() -> None:
    crash = Anomaly(kind="crash", pattern=UPDATE.id, schedule=("A: PutItem a", "A: stops"))
    material = _with(consistency=Consistency(patterns=1, schedules=2, anomalies=(crash,)))
    found = trials(material)
    assert found is not None
    assert (found.lanes, found.not_drawn) == ((), 1)
    assert len(interleaving_grid(material).rows) == 1


def test_the_worst_are_drawn_and_all_are_in_the_table() -> None:
    many = tuple(Anomaly(kind="data", pattern=UPDATE.id, other=f"Q{n}", schedule=("A: x", "B: y"))
                 for n in range(MOST_LANES + 2))  # fmt: skip
    material = _with(consistency=Consistency(patterns=1, schedules=2, anomalies=many))
    found = trials(material)
    assert found is not None
    assert (len(found.lanes), found.not_drawn) == (MOST_LANES, 2)
    assert "; 2 more are in the table" in html_report(material)


def test_bars_share_one_scale_and_the_most_drawn_come_first() -> None:
    replay = Replay(seed=7, statements=9, patterns=(_ran(UPDATE.id, 2, 1.0, 4.0), _ran(SELECT.id, 5, 2.0, 0.5)))
    material = _with(replay=replay)
    found = trials(material)
    assert found is not None
    assert [(pair.measured, pair.planned) for pair in found.pairs] == [(50.0, 12.5), (25.0, 100.0)]
    assert found.pairs[0].text.endswith(": 2 units a run measured, 0.5 planned")
    assert [row[1].order for row in replay_grid(material).rows] == [5, 2]
    assert "9 statements" in found.replayed
    many = _with(replay=replay.model_copy(update={"patterns": tuple(_ran(f"Q{n:02}", 1, 1, 1) for n in range(20))}))
    drawn = trials(many)
    assert drawn is not None
    assert len(drawn.pairs) == MOST_BARS
    assert len(replay_grid(many).rows) == 20


def test_units_of_nothing_are_no_division_by_zero() -> None:
    found = trials(_with(replay=Replay(seed=7, statements=1, patterns=(_ran(SELECT.id, 1, 0, 0),))))
    assert found is not None
    assert (found.pairs[0].measured, found.pairs[0].planned) == (0, 0)


def test_the_tables_say_what_stage_4_found() -> None:
    ((read, write, through, together),) = stale_grid(WHOLE).rows
    assert (read.shown, write.shown, together.shown) == (SELECT.name, UPDATE.name, "4")
    assert through.code
    (change,) = change_grid(WHOLE).rows
    assert change[0].shown == "rename a column"
    assert change[3].shown.startswith("differs: old plans: ")
    page = html_report(WHOLE)
    assert [len(re.findall(f'id="{key}-table"', page)) for key in ("interleaving", "stale", "replay", "change")] == [
        1, 1, 1, 1,
    ]  # fmt: skip
