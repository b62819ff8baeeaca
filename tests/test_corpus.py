"""The recorded applications, each from its logs to the contract, with every statement accounted for."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from small_shop import Done, ddbmig_process

APPLICATIONS = (
    "sysbench_ps_mysql57",
    pytest.param("wordpress_mysql57", marks=pytest.mark.slow),  # `make workloads` runs it, too
    "oscar_mysql97",
    pytest.param("tpcc_mysql97", marks=pytest.mark.slow),
)
MOST_SECONDS = 600

pytestmark = [pytest.mark.corpus, pytest.mark.engine]


@dataclass(frozen=True)
class Analysed:
    """One application, how its analysis ended, and the values that were written."""

    folder: Path
    out: Path
    done: Done

    def value(self, name: str) -> Any:
        return json.loads((self.out / f"{name}.json").read_bytes())

    @property
    def stats(self) -> dict[str, Any]:
        """What a simple fingerprint counted in the logs."""
        found: dict[str, Any] = json.loads((self.folder / "stats.json").read_bytes())
        return found

    @property
    def chosen(self) -> dict[str, Any]:
        design = self.value("design")
        found: dict[str, Any] = next(a for a in design["alternatives"] if a["id"] == design["chosen"])
        return found


@pytest.fixture(scope="module", params=APPLICATIONS)
def analysed(request: pytest.FixtureRequest, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    folder = corpus / "workloads" / request.param
    out = tmp_path_factory.mktemp(request.param)
    inputs = {"--schema": "schema.sql", "--general-log": "general.log.gz", "--slow-log": "slow.log.gz",
              "--data": "data.sql.gz"}  # fmt: skip
    words = [word for option, name in inputs.items() for word in (option, str(folder / name))]
    return Analysed(
        folder, out, ddbmig_process("analyze", *words, "--approve", "all", "--out", out, seconds=MOST_SECONDS)
    )


def test_it_goes_through_to_the_contract(analysed: Analysed) -> None:
    assert (analysed.done.code, analysed.done.err) == (0, "")
    assert analysed.done.out.splitlines()[-1].startswith("The contract is ")


def test_every_statement_of_the_general_log_is_accounted_for(analysed: Analysed) -> None:
    snapshot = analysed.value("snapshot")
    (source,) = (s for s in snapshot["digest"]["sources"] if s["kind"] == "general")
    assert source["statements"] - source["skipped"]["server setting"] == analysed.stats["statements"]
    assert (
        sum(source["skipped"].values()) + sum(t["calls"] for t in snapshot["digest"]["templates"])
        == (source["statements"])
    )


def test_every_template_is_a_pattern_or_skipped_under_a_named_reason(analysed: Analysed) -> None:
    snapshot = analysed.value("snapshot")
    calls = {t["id"]: t["calls"] for t in snapshot["digest"]["templates"]}
    understood = sum(calls[p["template"]] for p in snapshot["patterns"])
    assert len({p["template"] for p in snapshot["patterns"]}) == len(snapshot["patterns"])
    assert understood + sum(s["calls"] for s in snapshot["skipped"]) == sum(calls.values())
    assert all(s["reason"] for s in snapshot["skipped"])


def test_every_pattern_has_one_plan_in_every_alternative(analysed: Analysed) -> None:
    patterns = sorted(p["id"] for p in analysed.value("snapshot")["patterns"])
    for alternative in analysed.value("design")["alternatives"]:
        assert sorted(plan["pattern"] for plan in alternative["plans"]) == patterns
        assert all(plan["steps"] or plan["routed"] for plan in alternative["plans"])


def test_two_alternatives_are_priced_beside_the_chosen_one(analysed: Analysed) -> None:
    design = analysed.value("design")
    assert len(design["alternatives"]) >= 3
    assert all(float(a["cost"]["reads_usd"]) >= 0 for a in design["alternatives"])


def test_validation_disproves_no_pattern(analysed: Analysed) -> None:
    validation = analysed.value("validation")
    assert validation["engine_warning"] is None
    assert [p["pattern"] for p in validation["patterns"] if p["status"] == "mismatched"] == []
    assert sorted(p["pattern"] for p in validation["patterns"]) == sorted(
        p["id"] for p in analysed.value("snapshot")["patterns"]
    )
    assert any(p["status"] == "proved" for p in validation["patterns"])


def test_the_contract_keeps_to_its_schema_and_to_real_tables_and_columns(analysed: Analysed, repository: Path) -> None:
    contract = analysed.value("migrationContract")
    shipped = repository / "src" / "ddbmig" / "reporters" / "contract.schema.json"
    Draft202012Validator(json.loads(shipped.read_bytes())).validate(contract)
    real = {t["id"]: {c["name"] for c in t["columns"]} for t in analysed.value("snapshot")["tables"]["tables"]}
    named = [
        (attribute["source_table"], attribute["source_column"], entry["source_table"])
        for entry in contract
        for attribute in entry["attributes"].values()
    ]
    assert named
    assert [n for n in named if n[2] not in real or n[0] not in real or n[1] not in real[n[0]]] == []
