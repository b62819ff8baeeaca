"""`ddbmig simulate`: a scenario file on a saved analysis, its alternatives side by side, and its mistakes."""

import json
from pathlib import Path

import pytest

from ddbmig.model.scenario import Scenario
from ddbmig.simulation import variants_of
from small_shop import Done, ddbmig, write_shop

SALE = """\
name: the sale
scale: 5000
shape: flat
minutes: 20
celebrity: {share: 0.5, table: books}
alternatives:
  - name: warmed
    warm_throughput: {books: {reads: 100000, writes: 40000}}
  - name: provisioned
    mode: provisioned
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An analysis that has reached stage 3."""
    folder = write_shop(tmp_path_factory.mktemp("simulate") / "shop")
    assert ddbmig("analyze", folder, "--approve", "2").code == 3
    return folder


def simulate(shop: Path, text: str, *words: str) -> Done:
    (shop / "sale.yaml").write_text(text)
    return ddbmig("simulate", shop / "sale.yaml", shop, *words)


def test_alternatives_stand_side_by_side_and_what_cures_the_first_is_said(shop: Path) -> None:
    done = simulate(shop, SALE)
    assert (done.code, done.err) == (0, "")
    rows = [line.split(" | ")[0].strip("| ") for line in done.out.splitlines() if line.startswith("| ")]
    assert rows[2:5] == ["the sale", "warmed", "provisioned"]
    assert "TableWriteKeyRangeThroughputExceeded" in done.out
    assert "ProvisionedThroughputExceeded" in done.out
    assert "## What cures it" in done.out


def test_all_figures_come_as_json_and_are_the_same_every_time(shop: Path) -> None:
    done = simulate(shop, SALE, "--json")
    found = json.loads(done.out)
    first, warmed, _ = found["runs"]
    assert first["offered"] == warmed["offered"] > warmed["served"] > first["served"]
    assert simulate(shop, SALE, "--json").out == done.out
    other = json.loads(simulate(shop, SALE.replace("scale: 5000", "scale: 5000\nseed: 2"), "--json").out)
    assert other["runs"] != found["runs"]


def test_what_an_alternative_does_not_name_is_the_scenarios() -> None:
    scenario = Scenario.model_validate({
        "name": "a", "shards": {"t": 3}, "mode": "provisioned",
        "alternatives": [{"name": "b", "shards": {}}, {"name": "c"}],
    })  # fmt: skip
    found = [(one.name, dict(one.shards), one.mode, one.alternatives) for one in variants_of(scenario)]
    assert found == [
        ("a", {"t": 3}, "provisioned", ()), ("b", {}, "provisioned", ()), ("c", {"t": 3}, "provisioned", ()),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("shape: flat", "shape: steep", "sale.yaml:3:8: this value is not allowed (shape)"),
        ("scale: 5000", "scal: 5000", "sale.yaml:2:1: unknown key (scal)"),
        ("table: books", "table: boks", "celebrity.table: boks"),
        ("{books: {reads", "{boks: {reads", "warm_throughput: boks"),
        ("mode: provisioned", "design: cheapst", "no such design (cheapst)"),
        ("mode: provisioned", "shards: {nothing: 3}", "shards: nothing"),
        ("mode: provisioned", "backfill_minutes: {books: 3}", "no such GSI in the design"),
        ("name: the sale", "name: [", "sale.yaml:"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(shop: Path, old: str, new: str, said: str) -> None:
    assert old in SALE
    done = simulate(shop, SALE.replace(old, new))
    assert (done.code, done.out) == (2, "")
    assert said in done.err.splitlines()[0]
    assert done.err.count("ddbmig: ") == 1


def test_without_an_analysis_or_a_file_the_way_out_is_said(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    gone = ddbmig("simulate", folder / "sale.yaml", folder)
    assert (gone.code, gone.err.count("\n")) == (2, 1)
    assert "no such file" in gone.err
    early = simulate(folder, SALE)
    assert early.code == 2
    assert "run `ddbmig analyze` up to stage 3 first" in early.err


def test_the_scenario_of_the_example_is_one(shop: Path) -> None:
    text = (Path(__file__).parent.parent / "examples/bookshop/scenarios/sale.yaml").read_text()
    done = simulate(shop, text)
    assert (done.code, done.err.count("\n")) == (0, 0)
