"""A sound contract passes; each edit that breaks it is told, once, with its place."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.engine.contract_check import contract_mistakes, lost_columns
from ddbmig.engine.contract_reader import ContractFile, read_contract
from ddbmig.model.errors import InputError, UsageError
from ddbmig.model.measure import Measure
from ddbmig.model.statistics import ColumnStatistics, TableStatistics

CASES = yaml.safe_load((Path(__file__).parent / "data/contract_edits.yaml").read_text("utf-8"))
SCHEMA = read_ddl_text(CASES["schema"], "schema.sql")


def edited(edits: dict[str, Any]) -> str:
    """The text of the sound contract after some edits."""
    contract = deepcopy(CASES["contract"])
    for path, value in edits.items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        place: Any = contract
        for step in steps:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return json.dumps(contract, indent=1)


def read(text: str) -> tuple[ContractFile | None, list[UsageError]]:
    found, mistakes = read_contract("c.json", text)
    return found, [*mistakes, *(contract_mistakes(found, SCHEMA, {}) if found else ())]


@pytest.mark.parametrize("case", CASES["edits"], ids=lambda case: ",".join(case["set"]) or "sound")
def test_an_edit_is_told_once(case: dict[str, Any]) -> None:
    _, mistakes = read(edited(case["set"]))
    assert [str(mistake).partition(": ")[2] for mistake in mistakes] == case["says"]
    assert all(mistake.place.startswith("c.json:") for mistake in mistakes)


def test_the_place_is_that_of_the_value() -> None:
    text = edited({"0.attributes.title.source_column": "titel"})
    _, (mistake,) = read(text)
    assert mistake.line is not None
    assert mistake.column is not None
    assert text.splitlines()[mistake.line - 1][mistake.column - 1 :].startswith('"titel"')


def test_an_item_that_can_outgrow_the_limit() -> None:
    found, _ = read(edited({}))
    assert found is not None
    size = Measure(value=1, unit="", source="measured", origin="test")
    column = ColumnStatistics(average_bytes=9, max_bytes=9, null_share=0)
    columns = dict.fromkeys(("id", "name", "printed", "isbn", "author_id"), column)

    def told(largest: int) -> list[str]:
        one = TableStatistics(rows=size, item_bytes=size, max_item_bytes=largest, columns=columns)
        return [str(m) for m in contract_mistakes(found, SCHEMA, {"books": one, "authors": one})]

    assert told(409_000) == []
    assert told(409_580) == [
        "c.json:2:2: the largest item takes up to 409,649 bytes (books); expected at most 409,600",
    ]


def test_columns_that_no_entry_keeps() -> None:
    whole, _ = read(edited({}))
    assert whole is not None
    assert lost_columns(whole, SCHEMA) == ()
    cut, mistakes = read(edited({"0.attributes.cover": None}))
    assert cut is not None
    assert mistakes == []
    assert lost_columns(cut, SCHEMA) == ("books.cover",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[{]", "c.json:1:3: this is no JSON: Expecting property name enclosed in double quotes"),
        ("", "c.json:1:1: this is no JSON: Expecting value"),
        ('[{"pk": 1, "pk": 2}]', "c.json: the key pk stands twice in one object"),
        ("[" * 100_000, "c.json: this is no contract: it is nested too deep"),
        ("[NaN]", "c.json:1:1: this is no JSON: NaN is no JSON value"),
    ],
)
def test_what_is_no_json(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_contract("c.json", text)
    assert str(caught.value).startswith(says)


def test_what_is_json_but_no_list() -> None:
    _, (mistake,) = read('{"tables": []}')
    assert str(mistake) == "c.json:1:1: input should be a valid array"


def test_hostile_names_stay_text() -> None:
    _, mistakes = read(edited({"0.source_table": "a\x1b[2J\u202e"}))
    assert "\x1b" not in str(mistakes[0])
    assert "\\u001b[2J\\u202e" in str(mistakes[0])
