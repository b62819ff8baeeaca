"""Stage 4 alone, and what becomes of a plan that answers otherwise than its SQL: it is not claimed, and it blocks."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ddbmig.engine.contract import satisfied
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.validation import PatternResult, Validation
from small_shop import contents, ddbmig, write_shop

MOTO = ("--engine", "moto")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_shop(tmp_path_factory.mktemp("analysed") / "shop")
    assert ddbmig("analyze", folder, *MOTO, "--approve", "all").code == 0
    return folder


@pytest.fixture
def shop(analysed: Path, tmp_path: Path) -> Path:
    shutil.copytree(analysed, tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def lost_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loader that writes books without their price: every plan that reads it answers otherwise."""
    whole = ItemBuilder.item

    def item(self: ItemBuilder, *given: Any) -> dict[str, Any]:
        return {name: value for name, value in whole(self, *given).items() if name != "price"}

    monkeypatch.setattr(ItemBuilder, "item", item)


def load(shop: Path, name: str) -> Any:
    return json.loads((shop / "migration" / name).read_text())


def claimed(shop: Path) -> set[str]:
    return {name for entry in load(shop, "migrationContract.json") for name in entry["satisfies"]}


# --- stage 4 alone ---


def test_it_makes_the_same_files_as_analyze_and_approves_nothing(shop: Path) -> None:
    before = contents(shop / "migration")
    for name in ("validation.json", "Stage4_Validation.md"):
        (shop / "migration" / name).unlink()
    approvals = (shop / "approvals.jsonl").read_bytes()
    done = ddbmig("validate", shop, *MOTO)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Stage 4  Validation\n")
    assert contents(shop / "migration") == before
    assert (shop / "approvals.jsonl").read_bytes() == approvals


def test_a_script_gets_what_is_kept(shop: Path) -> None:
    done = ddbmig("validate", shop, *MOTO, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == load(shop, "validation.json")


def test_another_alternative_has_files_of_its_own(shop: Path) -> None:
    before = contents(shop / "migration")
    assert ddbmig("validate", shop, *MOTO, "--alternative", "faithful").code == 0
    after = contents(shop / "migration")
    assert {name: text for name, text in after.items() if name in before} == before
    assert set(after) - set(before) == {"validation.faithful.json", "Stage4_Validation.faithful.md"}
    assert load(shop, "validation.faithful.json")["alternative"] == "faithful"


def test_other_rows_are_named_and_an_old_design_is_told(shop: Path, tmp_path: Path) -> None:
    rows = tmp_path / "few.sql"
    rows.write_text("INSERT INTO `authors` VALUES (1,'Author 1');\n")
    assert ddbmig("validate", shop, *MOTO, "--data", rows).code == 0
    loads = load(shop, "validation.json")["loads"]
    assert [one["rows"] for one in loads if one["source_table"] == "authors"] == [1]
    assert "few.sql" in ddbmig("status", "--project", shop).out
    with (shop / "schema.sql").open("a") as schema:
        schema.write("CREATE TABLE `more` (`id` int PRIMARY KEY);\n")
    done = ddbmig("validate", shop, *MOTO)
    assert (done.code, done.err) == (
        0, "ddbmig: the inputs have changed since the design was made: see ddbmig status\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--alternative", "faithfull"],
         "ddbmig: no such alternative (faithfull); expected faithful, rules, runner_up; did you mean faithful?\n"),
        (["--data", "gone.sql"], "ddbmig: gone.sql: no such file; check the path\n"),
        (["--engine", "endpoint"],
         "ddbmig: the engine is to be an endpoint, but none is named; name it with --endpoint URL\n"),
        (["--out", "elsewhere"], "ddbmig: elsewhere: there is no saved design; first: ddbmig analyze shop --out "
         "elsewhere\n"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    words: list[str], message: str, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = ddbmig("validate", "shop", *words)
    assert (done.code, done.out, done.err) == (2, "", message)


# --- a disproved pattern ---


@pytest.mark.usefixtures("lost_prices")
def test_a_plan_that_answers_otherwise_ends_with_1_and_is_named(shop: Path) -> None:
    done = ddbmig("validate", shop, *MOTO)
    assert done.code == 1
    assert "select books by id: " in done.out
    assert "error PR018 results-differ: " in done.out


@pytest.mark.usefixtures("lost_prices")
def test_it_is_not_claimed_and_the_gate_fails(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop")
    assert ddbmig("analyze", shop, *MOTO, "--approve", "all").code == 0
    validation = load(shop, "validation.json")
    names = {one["id"]: one["name"] for one in load(shop, "snapshot.json")["patterns"]}
    failed = {names[one["pattern"]] for one in validation["patterns"] if one["status"] == "mismatched"}
    assert "select books by id" in failed
    assert [one["rule"] for one in validation["findings"] if one["severity"] == "error"] == ["PR018"]
    assert claimed(shop) == set(names.values()) - failed
    done = ddbmig("check", shop)
    assert done.code == 1
    assert "PR018 results-differ" in done.out


def test_what_is_proved_is_claimed_and_passes_the_gate(analysed: Path) -> None:
    names = {one["name"] for one in load(analysed, "snapshot.json")["patterns"]}
    assert claimed(analysed) == names
    done = ddbmig("check", analysed)
    assert (done.code, "PR018" in done.out) == (0, False)


def test_what_is_proved_on_made_up_rows_is_claimed(shop: Path) -> None:
    (shop / "ddbmig.yaml").write_text("inputs: {schema_files: [schema.sql], general_logs: [general.log]}\n")
    assert ddbmig("analyze", shop, *MOTO, "--approve", "all").code == 0
    status = {one["pattern"]: one["status"] for one in load(shop, "validation.json")["patterns"]}
    names = {one["name"]: one["id"] for one in load(shop, "snapshot.json")["patterns"]}
    assert claimed(shop)
    for name in claimed(shop):
        plain = name.removesuffix(" (not proved)")
        assert (status[names[plain]] == "proved") == (plain == name)


def _pattern(number: int) -> AccessPattern:
    return AccessPattern(
        id=f"Q{number}", template=str(number), name=f"pattern {number}", kind="select", sql="", refs=()
    )


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({}, {"Q1": "pattern 1 (not proved)", "Q2": "pattern 2 (not proved)"}),
        ({"Q1": "proved", "Q2": "mismatched"}, {"Q1": "pattern 1"}),
        ({"Q1": "not proved", "Q2": "routed"}, {"Q1": "pattern 1 (not proved)", "Q2": "pattern 2 (not proved)"}),
    ],
)
def test_who_may_be_claimed(results: Mapping[str, Any], expected: Mapping[str, str]) -> None:
    found = tuple(PatternResult(pattern=key, status=status, runs=1, rows_sql=0, rows_plan=0)
                  for key, status in results.items())  # fmt: skip
    validation = Validation(engine="", alternative="", seed=0, tables_created=0, indexes_created=0, patterns=found)
    assert satisfied([_pattern(1), _pattern(2)], validation) == expected
