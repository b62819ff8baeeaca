"""The gate on a project: what it reads, what it says of a design that no longer fits, and where its findings stand."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from ddbmig.check import Check, prepare
from ddbmig.cli_options import ROLES, input_paths
from ddbmig.model.errors import InputError, UsageError
from ddbmig.model.gate import GateReport, Violation
from ddbmig.project import open_project
from small_shop import CONFIG, contents, ddbmig, write_shop

TODAY = datetime.date(2026, 11, 25)
LARGE = ("general.log", "slow.log", "data.sql")
"""What a repository does not hold."""


def a_check(folder: Path, *settings: str, snapshot: Path | None = None, queries: tuple[Path, ...] = ()) -> Check:
    project = open_project(folder, None, settings)
    return prepare(project, input_paths(project, {}), queries, snapshot, TODAY)


def report(folder: Path, *settings: str) -> GateReport:
    return a_check(folder, *settings).report()


def of(found: GateReport, rule: str) -> list[Violation]:
    return [violation for violation in found.violations if violation.finding.rule == rule]


def append(path: Path, text: str) -> None:
    path.write_text((path.read_text() if path.exists() else "") + text)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the working folder."""
    monkeypatch.chdir(tmp_path)
    return write_shop(tmp_path / "shop")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a project that has gone through all stages."""
    folder = write_shop(tmp_path_factory.mktemp("analysed") / "shop")
    assert ddbmig("analyze", folder, "--engine", "moto", "--approve", "all").code == 0
    return contents(folder)


@pytest.fixture
def finished(shop: Path, analysed: dict[str, bytes]) -> Path:
    """A project that has gone through all stages."""
    for name, data in analysed.items():
        (shop / name).parent.mkdir(exist_ok=True)
        (shop / name).write_bytes(data)
    return shop


# --- what is looked at ---


def test_a_check_writes_nothing(shop: Path) -> None:
    before = contents(shop)
    report(shop)
    assert contents(shop) == before


def test_without_a_design_its_rules_are_named_as_not_evaluated(shop: Path) -> None:
    found = report(shop)
    assert sorted(found.evaluated) == ["pattern", "relationship", "table", "waiver"]
    assert [sentence.partition(":")[0].split(" ", 1)[1] for sentence in found.not_evaluated] == [
        "rules on alternatives and indexes", "rules on the validation"
    ]  # fmt: skip


def test_the_saved_design_and_validation_are_looked_at(finished: Path) -> None:
    found = report(finished)
    assert found.not_evaluated == ()
    assert (found.evaluated["alternative"], found.evaluated["validation"]) == (1, 1)
    assert of(found, "PW004")


def test_a_design_is_made_when_asked_for(shop: Path) -> None:
    check = a_check(shop)
    check.design_anew = True
    assert of(check.report(), "PW004")


CHANGES: dict[str, Callable[[Path], object]] = {
    "schema": lambda f: append(f / "schema.sql", "CREATE TABLE more (id int PRIMARY KEY);\n"),
    "decisions": lambda f: append(f / "decisions.yaml", "design: faithful\n"),
    "context": lambda f: append(f / "ddbmig.yaml", "  team_expertise: none\n"),
    "prices": lambda f: append(f / "ddbmig.yaml", "pricing: {region: eu-west-1}\n"),
    "a verdict": lambda f: append(f / "ddbmig.yaml", "rules: {DM013: {params: {joint_share: 0.0}}}\n"),
    "a value is gone": lambda f: (f / "migration" / "assessment.json").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_design_of_other_inputs_is_not_looked_at(finished: Path, change: str) -> None:
    CHANGES[change](finished)
    found = report(finished)
    assert len(found.not_evaluated) == 2
    assert "alternative" not in found.evaluated


def test_rules_that_change_no_verdict_leave_the_design_current(finished: Path) -> None:
    found = report(finished, "rules.PW004.severity=error", "rules.PR014.enabled=false")
    assert found.not_evaluated == ()
    assert [violation.fails for violation in of(found, "PW004")] == [True]
    assert [off.rule for off in found.switched_off] == ["PR014"]


def test_a_validation_of_another_design_is_not_looked_at(finished: Path) -> None:
    append(finished / "migration" / "design.json", "\n")
    assert [sentence.split(":")[0] for sentence in report(finished).not_evaluated] == ["10 rules on the validation"]


# --- inputs that are not here ---


def test_the_saved_snapshot_stands_in_for_logs_and_data(finished: Path) -> None:
    before = report(finished)
    for name in LARGE:
        (finished / name).unlink()
    found = report(finished)
    assert found.notes == ("Statements and statistics are those of snapshot.json, not read anew.",)
    assert (found.violations, found.evaluated) == (before.violations, before.evaluated)


def test_the_schema_is_read_as_it_is_now(finished: Path) -> None:
    for name in LARGE:
        (finished / name).unlink()
    append(finished / "schema.sql", "\n  CREATE TABLE keyless (a int);\n")
    (violation,) = of(report(finished), "PR012")
    assert violation.finding.subject == "keyless"
    at = violation.location
    assert at is not None
    assert (finished / "schema.sql").read_text().splitlines()[at.line - 1][at.column - 1 :].startswith("CREATE TABLE k")


@pytest.mark.parametrize("name", ["general.log", "schema.sql"])
def test_a_file_that_no_snapshot_knows_is_missed(shop: Path, name: str) -> None:
    (shop / name).unlink()
    with pytest.raises(UsageError, match=f"{name}: no such file"):
        report(shop)


def test_the_snapshot_stands_in_for_logs_named_by_a_glob(shop: Path) -> None:
    config = shop / "ddbmig.yaml"
    config.write_text(config.read_text().replace("[slow.log]", "[slow.l*]"))
    assert ddbmig("analyze", shop).code == 3
    before = a_check(shop)
    assert [path.name for path, _ in before.sources.slow_logs] == ["slow.log"]
    (shop / "slow.log").unlink()
    assert a_check(shop).notes == ("Statements and statistics are those of snapshot.json, not read anew.",)
    config.write_text(config.read_text().replace("[slow.l*]", "[slaw*]"))
    with pytest.raises(UsageError, match="no such file"):
        a_check(shop)


def test_a_misspelt_log_is_missed_although_there_is_a_snapshot(finished: Path) -> None:
    config = finished / "ddbmig.yaml"
    config.write_text(config.read_text().replace("general.log", "generel.log"))
    with pytest.raises(UsageError, match=r"generel\.log: no such file"):
        report(finished)


def test_a_named_snapshot_serves_without_a_project(finished: Path, tmp_path: Path) -> None:
    project = open_project(None, tmp_path / "nothing")
    check = prepare(project, dict.fromkeys(ROLES, ()), (), finished / "migration" / "snapshot.json", TODAY)
    found = check.report()
    assert found.evaluated["pattern"] == 8
    assert [str(v.location and v.location.file) for v in of(found, "PR014")] == ["schema.sql"]


def test_statements_that_are_not_understood_are_an_error_of_their_own(shop: Path) -> None:
    (shop / "schema.sql").write_text("CREATE TABLE other (id int PRIMARY KEY);\n")
    (shop / "data.sql").write_text("INSERT INTO other VALUES (1);\n")
    with pytest.raises(InputError, match="tables that are not in the schema"):
        report(shop)


# --- where findings stand ---

OFFSET = "rules: {PR016: {params: {complexity: 0}}}\n"
"""Makes every access pattern a finding."""


def test_a_finding_on_a_statement_points_at_the_query_text(shop: Path) -> None:
    (shop / "sql").mkdir()
    (shop / "sql" / "books.sql").write_text(
        "-- the shop's queries\n\n  SELECT id, title, price\n  FROM `books` WHERE id = :book;\n"
        "update books set price = :price where id = :book;\n"
    )
    append(shop / "ddbmig.yaml", OFFSET)
    config = (shop / "ddbmig.yaml").read_text().replace("inputs:\n", "inputs:\n  queries: ['sql/*.sql']\n")
    (shop / "ddbmig.yaml").write_text(config)
    places = {v.label: v.location for v in of(report(shop), "PR016")}
    shown = {label: f"{at.file}:{at.line}:{at.column}" for label, at in places.items() if at}
    assert shown["select books by id"] == "shop/sql/books.sql:3:3"
    assert shown["update books set price by id"] == "shop/sql/books.sql:5:1"
    assert shown["select order_lines by order_id"] == "shop/schema.sql:24:1"


def test_a_glob_that_fits_no_query_file_is_refused(shop: Path) -> None:
    with pytest.raises(UsageError, match=r"inputs\.queries fits no file \(nothing/\*\.sql\)"):
        report(shop, "inputs.queries=['nothing/*.sql']")


def test_query_files_that_are_not_understood_are_told(shop: Path) -> None:
    (shop / "odd.sql").write_text("SELECT 'open;\n")
    found = report(shop, "inputs.queries=[odd.sql]")
    assert found.notes == (
        "1 statements of the query files were not understood, the first at shop/odd.sql:1",
    )  # fmt: skip


def test_paths_are_relative_to_the_repository(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(shop)
    (violation,) = of(report(Path()), "PR014")
    assert str(violation.location and violation.location.file) == "shop/schema.sql"


def test_a_relationship_points_at_its_foreign_key_and_an_index_at_its_table(finished: Path) -> None:
    found = report(finished)
    lines = (finished / "schema.sql").read_text().splitlines()
    (relationship,) = of(found, "PR014")
    assert relationship.location is not None
    assert lines[relationship.location.line - 1].strip().startswith("CONSTRAINT `in_order` FOREIGN KEY")
    (alternative,) = of(found, "PW004")
    assert (alternative.location and alternative.location.file) == "shop/ddbmig.yaml"


def test_the_report_is_the_same_from_another_folder(shop: Path, tmp_path: Path) -> None:
    (shop / ".git").mkdir()
    first = report(shop).to_bytes()
    (tmp_path / "deep").mkdir()
    moved = shop.rename(tmp_path / "deep" / "elsewhere")
    assert report(moved).to_bytes() == first
    assert CONFIG in (moved / "ddbmig.yaml").read_text()
