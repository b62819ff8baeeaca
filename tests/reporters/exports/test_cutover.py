"""The cut-over plan says what stage 4 found, and calls nothing met that is not."""

import re
from dataclasses import replace
from typing import Any

import pytest
from export_material import MATERIAL

from ddbmig.model.consistency import Consistency
from ddbmig.model.errors import UsageError
from ddbmig.reporters.exports.cutover import cutover
from hand_made import CHOSEN, MARK, SELECT, VALIDATION

RACES = "two clients at once, calls that arrive twice and GSIs that lag leave the data as MySQL would"
FAILING = replace(MATERIAL, validation=VALIDATION)
PROVED = tuple(
    one.model_copy(update={"status": "proved", "why": "", "difference": None}) for one in VALIDATION.patterns[:3]
)
CHECKS = tuple(one.model_copy(update={"verdict": "passed"}) for one in VALIDATION.checks)
FINE: dict[str, Any] = {
    "patterns": PROVED, "checks": CHECKS, "engine_warning": None, "replay": None,
    "loads": tuple(one.model_copy(update={"rejected": 0, "source_rows_limited": False}) for one in VALIDATION.loads),
    "round_trip": VALIDATION.round_trip[1:], "consistency": Consistency(patterns=2, schedules=9),
}  # fmt: skip


def passing(**changes: Any) -> str:
    """The page of a design without routed patterns of which stage 4 found nothing wrong, but for `changes`."""
    unrouted = CHOSEN.model_copy(update={"plans": CHOSEN.plans[:3]})
    validation = VALIDATION.model_copy(update=FINE | changes)
    return cutover(replace(MATERIAL, alternative=unrouted, validation=validation))


def rows(page: str) -> dict[str, tuple[str, str]]:
    """Criterion -> what is known and the state."""
    found = re.findall(r"^\| (.+?) \| (.+) \| (met|not met|open) \|$", page, re.MULTILINE)
    return {what: (known, state) for what, known, state in found}


def test_there_are_five_phases_with_entry_exit_and_way_back() -> None:
    page = cutover(FAILING)
    parts = page.split("\n## Phase ")[1:]
    assert [part.split("\n")[0] for part in parts] == [
        "1: make the tables", "2: load and compare", "3: write both, MySQL first", "4: read DynamoDB",
        "5: DynamoDB leads",
    ]  # fmt: skip
    for part in parts:
        titles = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert [one for one in titles if one != "Reads"] == ["Entry", "Steps", "Exit", "Way back"]


def test_where_all_was_well_nothing_is_not_met() -> None:
    page = passing()
    assert "Entry criteria that are not met today: 0." in page
    assert "not met |" not in page


@pytest.mark.parametrize(("name", "value", "criterion", "known"), [
    ("loads", VALIDATION.loads, "no row is refused by the contract", "1 of 20 rows were refused"),
    ("round_trip", VALIDATION.round_trip, "rows come back from their items with every value",
     "12 of 14 rows came back, 4 differences"),
    ("patterns", (*PROVED[:2], VALIDATION.patterns[2]), "every planned write does what its SQL does",
     "not shown for 1: `update books` (Qcc)"),
    ("consistency", VALIDATION.consistency, RACES, "in 9 interleavings"),
    ("replay", VALIDATION.replay, "statements in the mix of the logs are answered", "5 of 7 were answered, 1 refused"),
    ("checks", VALIDATION.checks, "Plans answer as their SQL", "1 of 2 agree"),
])  # fmt: skip
def test_what_stage_4_found_wrong_is_not_met(name: str, value: Any, criterion: str, known: str) -> None:
    page = passing(**{name: value})
    found, state = rows(page)[criterion]
    assert known in found
    assert state == "not met"
    assert rows(passing())[criterion][1] == "met" if criterion in rows(passing()) else name == "replay"
    assert "Entry criteria that are not met today: 0." not in page


def test_what_was_not_tried_is_open() -> None:
    found = rows(passing(loads=(), round_trip=(), consistency=None))
    assert found["no row is refused by the contract"] == ("no row was loaded", "open")
    assert found[RACES] == ("not tried", "open")


def test_only_proved_reads_move_and_routed_ones_keep_mysql() -> None:
    page = cutover(FAILING)
    assert f"`{SELECT.name.replace('|', chr(92) + '|')}` (Qaa) | 73.4 % | 2 | proved | yes |" in page
    assert "(Qdd) | 2.8 % | 0 | routed | no |" in page
    known, state = rows(page)["no access pattern needs MySQL"]
    assert known.startswith("1 proved, 1 mismatched, 1 not proved, 1 routed; not proved or routed: `insert books`")
    assert state == "not met"


def test_consumption_is_held_to_the_threshold_of_the_alarm() -> None:
    found = rows(cutover(FAILING))
    assert found["`books` takes at most 6 units a second of reads"] == ("3 expected at the peak (assumed)", "open")
    assert found["`books` takes at most 1 units a second of writes"][0] == "0.2 expected at the peak (assumed)"


def test_a_declared_latency_is_held_against_the_round_trips_of_its_phase() -> None:
    both, reads = cutover(FAILING).split("## Phase ")[3:5]
    assert rows(both)["the p99 of `update books` (Qcc) is at most 25 ms"] == (
        "about 30 ms by its round trips", "not met",
    )  # fmt: skip
    assert "p99" not in reads


def test_a_stand_in_for_dynamodb_is_said() -> None:
    page = cutover(FAILING)
    assert "moto stands in for DynamoDB" in page
    assert "with the first rows of the data" in page
    assert "with the first rows of the data" not in passing()


def test_a_draft_is_not_approved() -> None:
    page = cutover(replace(FAILING, origin=replace(MATERIAL.origin, approval=None)))
    assert rows(page)["the design and its contract are approved"] == ("`none, a draft`", "not met")


def test_hostile_names_stay_text() -> None:
    page = cutover(FAILING)
    assert "<script>" not in page.replace("`<script>alert(1)</script>`", "")
    assert f"{MARK} " not in page


def test_without_a_validation_there_is_no_plan() -> None:
    with pytest.raises(UsageError, match="stage 4 has not run this design"):
        cutover(MATERIAL)
