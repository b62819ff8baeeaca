"""The gate between the stages: what stops, what goes on, what an approval survives, and what status says of it."""

import json
import shutil
from importlib import resources
from pathlib import Path

import pytest

from ddbmig import ledger, workflow
from ddbmig.analyzers.snapshot import Sources
from ddbmig.model.analysis import Analysis
from ddbmig.model.design import Design
from ddbmig.model.errors import WaitingForApproval
from ddbmig.project import file_sha, open_project
from servers import Server
from small_shop import CONFIG, SCHEMA, Done, contents, data_sql, ddbmig, write_shop

REPORTS = [stage.report for stage in workflow.STAGES]
LEFT_OUT = {"outside the scope", "read of another system"}
VALUES = [stage.value for stage in workflow.STAGES]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with all stages approved; not to be changed."""
    folder = write_shop(tmp_path_factory.mktemp("workflow") / "finished")
    assert analyze(folder, "--approve", "all").code == 0
    return folder


@pytest.fixture
def shop(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project."""
    return Path(shutil.copytree(finished, tmp_path / "shop"))


def analyze(folder: Path, *words: str) -> Done:
    return ddbmig("analyze", folder, "--engine", "moto", *words)


def states(folder: Path) -> list[str]:
    """The state of each stage as status prints it."""
    lines = ddbmig("status", "--project", folder).out.splitlines()
    return [line[31:] for line in lines if line[:1].isdigit()]


def written(folder: Path) -> list[str]:
    """Reports of the stages that have been written, in order."""
    return [name for name in REPORTS if (folder / "migration" / name).exists()]


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- stopping and going on ---


def test_a_script_stops_after_the_first_stage_and_says_what_to_type(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    done = analyze(folder)
    assert (done.code, written(folder)) == (3, REPORTS[:1])
    assert done.out.startswith("Stage 1  MySQL analysis and context\n")
    assert "Stage 2" not in done.out
    assert done.err == (
        f"ddbmig: {folder}/migration/Stage1_MySQLAnalysis.md: stage 1 (MySQL analysis and context) waits for your "
        f"approval; read it, then: ddbmig approve 1 --project {folder} && ddbmig analyze {folder}\n"
    )


def test_stage_by_stage_to_the_end(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    for number in range(1, 7):
        assert analyze(folder).code == 3
        assert written(folder) == REPORTS[:number]
        approved = ddbmig("approve", str(number), "--project", folder)
        assert approved.code == 0
        assert approved.out.startswith(f"stage {number} approved: ")
    assert analyze(folder).code == 0
    assert states(folder) == ["approved"] * 6


def test_approval_up_to_a_stage_writes_the_next_one_and_waits(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    done = analyze(folder, "--approve", "3")
    assert (done.code, written(folder)) == (3, REPORTS[:4])
    assert "ddbmig approve 4" in done.err
    assert states(folder) == ["approved"] * 3 + ["waiting for approval"] + ["not run"] * 2


def test_approving_all_reaches_the_contract(finished: Path) -> None:
    assert written(finished) == REPORTS
    assert all((finished / "migration" / name).exists() for name in VALUES)
    assert json.loads((finished / "migration" / "migrationContract.json").read_text())


def test_a_prompt_shows_the_summary_and_a_refusal_waits(shop: Path) -> None:
    asked = []

    def show(number: int, title: str, summary: list[str]) -> None:
        asked.append((number, title, summary[0]))

    (shop / "approvals.jsonl").unlink()
    project = open_project(shop, None)
    sources = Sources(schema_files=[(shop / "schema.sql", "schema.sql")], data=[(shop / "data.sql", "data.sql")])
    run = workflow.Run(project, sources, ask=lambda number: number < 2, show=show)
    with pytest.raises(WaitingForApproval, match="stage 2"):
        run.walk()
    assert asked == [(1, "MySQL analysis and context", "4 tables, 43 rows"),
                     (2, "Access patterns", asked[1][2])]  # fmt: skip
    assert ledger.approved(project, 1) is not None
    assert ledger.approved(project, 2) is None


# --- what an approval survives ---


def test_an_unchanged_run_reads_back_and_keeps_every_byte(shop: Path) -> None:
    before = contents(shop)
    assert analyze(shop).code == 0
    assert contents(shop) == before


def test_white_space_in_the_schema_leaves_approvals_standing(shop: Path) -> None:
    replace(shop / "schema.sql", "CREATE TABLE `books`", "\n\n\nCREATE TABLE   `books`")
    assert states(shop) == ["stale"] * 6
    assert analyze(shop).code == 0
    assert states(shop) == ["approved"] * 6


def test_a_log_packed_anew_leaves_approvals_standing(shop: Path) -> None:
    path = shop / "general.log"
    path.write_bytes(path.read_bytes() + b"Time                 Id Command    Argument\n")
    assert states(shop)[0] == "stale"
    assert analyze(shop).code == 0


def test_a_real_change_makes_the_approval_fall(shop: Path) -> None:
    replace(shop / "schema.sql", "`title` varchar(120)", "`title` varchar(240)")
    done = analyze(shop)
    assert (done.code, "ddbmig approve 1" in done.err) == (3, True)
    assert states(shop)[0] == "waiting for approval"


def test_what_follows_a_change_is_as_if_made_from_scratch(shop: Path, tmp_path: Path) -> None:
    change = ("CREATE TABLE `orders`", "\nCREATE TABLE `orders`")
    replace(shop / "schema.sql", *change)
    assert analyze(shop).code == 0
    fresh = write_shop(tmp_path / "fresh")
    replace(fresh / "schema.sql", *change)
    assert analyze(fresh, "--approve", "all").code == 0
    assert contents(shop / "migration") == contents(fresh / "migration")


@pytest.mark.parametrize(
    ("file", "old", "new", "what", "stage"),
    [
        ("schema.sql", "varchar(120)", "varchar(240)", "schema schema.sql", 1),
        ("general.log", "price = 1.75", "price = 3.75", "general log general.log", 1),
        ("slow.log", "price = 1.75", "price = 3.75", "slow log slow.log", 1),
        ("data.sql", "'Title 3'", "'Title X'", "data data.sql", 1),
        ("ddbmig.yaml", "growing", "mature", "context and scope", 1),
        ("ddbmig.yaml", "context:", "rules:\n  DM001: {enabled: false}\ncontext:", "rules", 2),
    ],
)
def test_status_names_what_changed(shop: Path, file: str, old: str, new: str, what: str, stage: int) -> None:
    replace(shop / file, old, new)
    lines = ddbmig("status", "--project", shop).out.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith(f"{stage} "))
    assert lines[place].endswith("stale")
    changed = lines[place + 1].split()
    assert changed[0] == "changed:"
    assert " ".join(changed[1:-3]).rstrip(":") == what
    assert changed[-2] == "->"
    assert changed[-1] != changed[-3]
    assert lines[-1] == f"Next: ddbmig analyze {shop}"
    assert states(shop)[: stage - 1] == ["approved"] * (stage - 1)


@pytest.mark.parametrize(
    ("rule", "stages"), [("PW003", {2}), ("PW004", {3}), ("PW005", {3}), ("PW001", {3}), ("PR018", {4, 5})]
)
def test_an_edited_warning_makes_stale_only_what_reads_it(shop: Path, rule: str, stages: set[int]) -> None:
    replace(shop / "ddbmig.yaml", "context:", f"rules:\n  {rule}: {{enabled: false}}\ncontext:")
    rows = json.loads(ddbmig("status", "--json", "--project", shop).out)["stages"]
    assert {row["number"]: [change.split(":")[0] for change in row["changed"]] for row in rows if row["changed"]} == {
        number: ["rules"] for number in stages
    }
    assert states(shop)[: min(stages) - 1] == ["approved"] * (min(stages) - 1)


def test_a_warning_that_fired_nowhere_leaves_every_approval_standing(shop: Path) -> None:
    replace(shop / "ddbmig.yaml", "context:", "rules:\n  PW001: {enabled: false}\ncontext:")
    assert analyze(shop).code == 0
    assert states(shop) == ["approved"] * 6


def test_status_tells_a_missing_and_a_new_input(shop: Path) -> None:
    (shop / "slow.log").rename(shop / "slower.log")
    replace(shop / "ddbmig.yaml", "slow_logs: [slow.log]", "slow_logs: [slower.log]")
    out = ddbmig("status", "--project", shop).out
    assert "changed: slow log slow.log: " in out
    assert "changed: slow log slower.log: nothing -> " in out
    (shop / "general.log").unlink()
    assert "-> missing" in ddbmig("status", "--project", shop).out


def test_status_writes_nothing(shop: Path) -> None:
    (shop / ".ddbmig-key").unlink()
    before = contents(shop)
    assert ddbmig("status", "--project", shop).code == 0
    assert contents(shop) == before


@pytest.mark.parametrize("name", [*REPORTS[:5], *VALUES[:5], "plans.json"])
def test_a_file_that_is_gone_or_damaged_is_made_anew(shop: Path, name: str) -> None:
    path = shop / "migration" / name
    whole = path.read_bytes()
    path.unlink()
    assert analyze(shop).code == 0
    assert path.read_bytes() == whole
    if name in VALUES:
        path.write_bytes(whole[: len(whole) // 2])
        assert analyze(shop).code == 0
        assert path.read_bytes() == whole


def test_two_inputs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = []
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        files.append((tmp_path / part / "x.log", "x.log"))
    found = workflow.input_files(Sources(general_logs=files))
    assert found == {"general log x.log": files[0][0], "general log x.log (2)": files[1][0]}


# --- what changed since the approval ---


def differences(folder: Path, stage: int) -> list[str]:
    """The lines of `ddbmig diff`, without the count at the end."""
    done = ddbmig("diff", str(stage), "--project", folder)
    assert done.code == 0, done.err
    *lines, count = done.out.splitlines()
    assert count == f"{len(lines)} change{'' if len(lines) == 1 else 's'}"
    return lines


def test_nothing_has_changed_in_what_is_approved(shop: Path) -> None:
    assert [differences(shop, stage) for stage in range(1, 7)] == [[]] * 6


def test_a_wider_column_is_told_in_the_words_of_the_schema(shop: Path) -> None:
    replace(shop / "schema.sql", "`title` varchar(120)", "`subtitle` varchar(240)")
    replace(shop / "ddbmig.yaml", "growing", "mature")
    assert analyze(shop).code == 3
    assert differences(shop, 1) == [
        f"~ schema schema.sql: input {sha(shop, 'approved')} -> {sha(shop)}",
        "+ books.subtitle: varchar",
        "- books.title: varchar",
        "~ context.lifecycle: declared growing -> mature",
    ]


def test_another_design_is_told_by_its_tables_and_its_cost(shop: Path) -> None:
    ddbmig("choose", "design", "faithful", "--project", shop)
    assert analyze(shop).code == 3
    lines = differences(shop, 3)
    assert lines[0].startswith("~ the design: alternative ")
    assert lines[0].endswith(" -> faithful")
    assert "- attribute books.author_name: S copied from authors.name" in lines
    assert "~ books.author_id->authors.id: outcome denormalize -> separate" in lines
    assert analyze(shop, "--approve", "all").code == 0
    assert differences(shop, 3) == []


def test_a_rule_that_is_switched_off_is_told_with_the_verdict(shop: Path) -> None:
    rules = "\n".join(f"  {rule}: {{enabled: false}}" for rule in fired(shop, "books.author_id->authors.id"))
    replace(shop / "ddbmig.yaml", "context:", f"rules:\n{rules}\ncontext:")
    assert analyze(shop).code == 3
    (line,) = [line for line in differences(shop, 2) if line.startswith("~ books.author_id->authors.id: verdict ")]
    assert line.startswith("~ books.author_id->authors.id: verdict denormalize -> undecided because no longer DM")


def fired(folder: Path, relationship: str) -> list[str]:
    """The rules that gave points to a relationship."""
    assessed = json.loads((folder / "migration" / "assessment.json").read_text())["relationships"]
    (found,) = [a for a in assessed if a["relationship"]["id"] == relationship]
    return sorted({line["rule"] for line in found["ledger"]})


def sha(folder: Path, kept: str = "") -> str:
    """The short hash of the schema in the snapshot, or in the one as approved."""
    snapshot = json.loads((folder / "migration" / kept / "snapshot.json").read_text())
    return next(str(file["sha256"])[:12] for file in snapshot["inputs"] if file["role"] == "schema")


def test_there_is_nothing_to_compare_with_before_an_approval(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    assert ddbmig("diff", "1", "--project", folder).err == (
        f"ddbmig: stage 1 has not been run; first: ddbmig analyze {folder}\n"
    )
    analyze(folder)
    assert ddbmig("diff", "1", "--project", folder).err.startswith(
        "ddbmig: stage 1 has not been approved here: there is nothing to compare with; read "
    )


def test_a_clone_without_the_copies_keeps_them_again(shop: Path) -> None:
    shutil.rmtree(shop / "migration" / "approved")
    assert ddbmig("diff", "2", "--project", shop).code == 2
    assert analyze(shop).code == 0
    assert differences(shop, 2) == []


# --- pinning, notes and reopening ---


def test_a_script_can_pin_what_it_approves(shop: Path) -> None:
    (shop / "approvals.jsonl").unlink()
    report = shop / "migration" / REPORTS[0]
    meant = file_sha(report)
    report.write_text(report.read_text() + "one more line\n")
    found = file_sha(report)
    refused = ddbmig("approve", "1", "--artifact", meant, "--project", shop)
    assert (refused.code, refused.err) == (
        2,
        f"ddbmig: {report}: this is not what you mean to approve (its SHA-256 is {found}); expected {meant}; "
        "read it as it is now\n",
    )
    assert not (shop / "approvals.jsonl").exists()
    given = ddbmig("approve", "1", "--artifact", found.upper(), "--note", "read by Ada", "--project", shop)
    assert given.code == 0
    (entry,) = (json.loads(line) for line in (shop / "approvals.jsonl").read_text().splitlines())
    assert (entry["stage"], entry["by"], entry["note"]) == (1, "ddbmig approve", "read by Ada")


def test_a_stage_can_be_reopened(shop: Path) -> None:
    done = ddbmig("reopen", "2", "--note", "the load test is not done", "--project", shop)
    assert done.out == (f"stage 2 is open again. Next: ddbmig approve 2 --project {shop} && ddbmig analyze {shop}\n")
    assert states(shop)[:2] == ["approved", "waiting for approval"]
    assert analyze(shop).code == 3
    assert ddbmig("reopen", "2", "--project", shop).err == (
        f"ddbmig: stage 2 is not approved as it is now; go on: ddbmig analyze {shop}\n"
    )
    assert ddbmig("approve", "2", "--project", shop).code == 0
    assert analyze(shop).code == 0
    notes = [json.loads(line).get("note") for line in (shop / "approvals.jsonl").read_text().splitlines()]
    assert notes.count("the load test is not done") == 1


# --- decisions ---


def decisions(folder: Path) -> str:
    return (folder / "decisions.yaml").read_text()


def test_a_chosen_design_reopens_stage_3(shop: Path) -> None:
    done = ddbmig("choose", "design", "faithful", "--project", shop)
    assert done.out == (
        f"{shop}/decisions.yaml now says design: faithful. Stage 3 is open again. Next: ddbmig analyze {shop}\n"
    )
    assert states(shop) == ["approved", "approved", "stale", "stale", "stale", "stale"]
    assert "ddbmig approve 3" in analyze(shop).err
    assert states(shop)[2] == "waiting for approval"
    assert json.loads((shop / "migration" / "design.json").read_text())["chosen"] == "faithful"


def test_the_default_design_can_be_taken_back(shop: Path) -> None:
    before = (shop / "migration" / "design.json").read_bytes()
    ddbmig("choose", "design", "faithful", "--project", shop)
    ddbmig("choose", "design", "default", "--project", shop)
    assert analyze(shop).code == 0
    assert (shop / "migration" / "design.json").read_bytes() == before


def test_a_choice_keeps_the_other_entries(shop: Path) -> None:
    assessment = json.loads((shop / "migration" / "assessment.json").read_text())
    first, second, *_ = (a["relationship"]["id"] for a in assessment["relationships"])
    for words in ((first, "separate"), ("design", "faithful"), (second, "separate"), (first, "denormalize")):
        assert ddbmig("choose", *words, "--project", shop).code == 0
    entries = dict(line.strip().split(": ", 1) for line in decisions(shop).splitlines() if ": " in line)
    assert entries == {"design": '"faithful"', f'"{first}"': '"denormalize"', f'"{second}"': '"separate"'}
    assert analyze(shop, "--approve", "all").code == 0
    outcomes = {
        decision["relationship"]: decision["outcome"]
        for alternative in json.loads((shop / "migration" / "design.json").read_text())["alternatives"]
        if alternative["id"].startswith("rules")
        for decision in alternative["decisions"]
    }
    assert (outcomes[first], outcomes[second]) == ("denormalize", "separate")


def test_a_persons_file_is_never_rewritten_by_analyze(shop: Path) -> None:
    text = "# mine\ndesign:   faithful   # because\n"
    (shop / "decisions.yaml").write_text(text)
    assert analyze(shop, "--approve", "all").code == 0
    assert decisions(shop) == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("design", "faithfull"), "no such alternative (faithfull); expected faithful, "),
        (("design", "faithfull"), "; did you mean faithful?"),
        (("books.author_idd->authors.id", "separate"), "no such relationship (books.author_idd->authors.id)"),
        (("books.author_idd->authors.id", "separate"), "; did you mean books.author_id->authors.id?"),
        (("books.author_id->authors.id", "seperate"), "no such option (seperate); expected separate, "),
        (("books.author_id->authors.id", "seperate"), "; did you mean separate?"),
    ],
)
def test_an_unknown_choice_gets_a_suggestion(shop: Path, words: tuple[str, str], said: str) -> None:
    done = ddbmig("choose", *words, "--project", shop)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert said in done.err
    assert not (shop / "decisions.yaml").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("design: nothing_like_it\n", "decisions.yaml wants design nothing_like_it, which is no alternative"),
        ("choices: {a->b: separate}\n", "decisions.yaml chooses for a relationship that there is not (a->b)"),
        ("choices: {books.author_id->authors.id: apart}\n", "decisions.yaml chooses apart"),
        ("desing: faithful\n", "decisions.yaml:1:1: unknown key (desing); did you mean design?"),
    ],
)
def test_decisions_that_fit_nothing_are_refused(shop: Path, text: str, said: str) -> None:
    (shop / "decisions.yaml").write_text(text)
    before = contents(shop)
    done = analyze(shop)
    assert done.code == 2
    assert said in done.err.splitlines()[0]
    assert contents(shop) == before


# --- prices ---


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_another_mode_is_in_every_value_that_speaks_of_money(shop: Path) -> None:
    add(shop / "ddbmig.yaml", "pricing: {mode: provisioned}\n")
    assert analyze(shop, "--approve", "all").code == 0
    design = Design.from_file(shop / "migration" / "design.json")
    analysis = Analysis.from_file(shop / "migration" / "analysis.json")
    assert {found.cost.mode for found in design.alternatives} == {"provisioned"}
    assert analysis.projections[0].total_usd == design.alternative(design.chosen).cost.total_usd
    assert any("unit-hour" in line for line in analysis.formulas)
    assert "Provisioned, in units a second:" in (shop / "migration" / "Stage5_MigrationAnalysis.md").read_text()


def test_the_price_file_is_an_input_of_stage_3(shop: Path) -> None:
    prices = resources.files("ddbmig.engine").joinpath("prices.yaml").read_text()
    (shop / "ours.yaml").write_text(prices)
    add(shop / "ddbmig.yaml", "pricing: {file: ours.yaml}\n")
    assert analyze(shop, "--approve", "all").code == 0
    assert states(shop) == ["approved"] * 6
    add(shop / "ours.yaml", "# looked through\n")
    assert states(shop) == ["approved"] * 2 + ["stale"] * 4
    assert analyze(shop).code == 0  # the same prices: what was approved stands
    replace(shop / "ours.yaml", 'read_per_million: "0.125"', 'read_per_million: "0.2"')
    done = analyze(shop)
    assert (done.code, "ddbmig approve 3" in done.err) == (3, True)


# --- without a project ---


def test_without_a_project_decisions_and_approvals_lie_in_the_output(tmp_path: Path) -> None:
    shop, out = write_shop(tmp_path / "shop"), tmp_path / "out"
    words = ("analyze", "--schema", shop / "schema.sql", "--general-log", shop / "general.log", "--engine", "moto",
             "--out", out)  # fmt: skip
    done = ddbmig(*words)
    assert done.code == 3
    assert f"ddbmig approve 1 --out {out}, and ddbmig analyze with the same options" in done.err
    assert ddbmig("approve", "1", "--out", out).code == 0
    assert "stage 2" in ddbmig(*words).err
    assert ddbmig(*words, "--approve", "all").code == 0
    assert ddbmig("choose", "design", "faithful", "--out", out).code == 0
    assert {"approvals.jsonl", "decisions.yaml", "migrationContract.json"} <= set(contents(out))
    assert ddbmig("status", "--out", out).out.splitlines()[-1] == "Next: ddbmig analyze with the same options"


def test_another_output_folder_is_part_of_what_to_type(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "my shop")
    done = ddbmig("analyze", shop, "--out", tmp_path / "out")
    assert f"--project '{shop}' --out {tmp_path}/out && ddbmig analyze '{shop}' --out {tmp_path}/out" in done.err


# --- scope ---


def test_tables_out_of_scope_are_left_out_and_their_statements_routed(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop")
    (shop / "ddbmig.yaml").write_text(CONFIG + "scope:\n  exclude: [author*]\n  stay_on_mysql: [order_lines]\n")
    assert analyze(shop, "--approve", "all").code == 0
    out = shop / "migration"
    tables = {entry["source_table"] for entry in json.loads((out / "migrationContract.json").read_text())}
    assert tables == {"books", "orders"}
    snapshot = json.loads((out / "snapshot.json").read_text())
    assert {s["table"]: s["stays_on_mysql"] for s in snapshot["scoped_out"]} == {"authors": False, "order_lines": True}
    routed = routed_patterns(out)
    statements = [p["sql"] for p in snapshot["patterns"]]
    assert sorted(routed) == sorted(sql for sql in statements if "authors" in sql or "order_lines" in sql)
    assert {reason for reasons in routed.values() for reason in reasons} <= LEFT_OUT
    report = (out / "Stage1_MySQLAnalysis.md").read_text()
    assert "stays on MySQL by the project's scope" in report
    assert "in scope.exclude" in report


def routed_patterns(out: Path) -> dict[str, list[str]]:
    """Per routed statement of the chosen design the reasons."""
    design = json.loads((out / "design.json").read_text())
    sql = {p["id"]: p["sql"] for p in json.loads((out / "snapshot.json").read_text())["patterns"]}
    chosen = next(a for a in design["alternatives"] if a["id"] == design["chosen"])
    return {sql[plan["pattern"]]: plan["routed"] for plan in chosen["plans"] if plan["routed"]}


def test_several_schemas_and_the_scope_by_schema(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop")
    ddl = (shop / "schema.sql").read_text()
    other = "USE `old`;\nCREATE TABLE `books` (`id` int NOT NULL PRIMARY KEY, `note` text);\n"
    (shop / "schema.sql").write_text(f"USE `shop`;\n{ddl}{other}")
    (shop / "ddbmig.yaml").write_text(
        "inputs: {schema_files: [schema.sql], general_logs: [general.log]}\nscope:\n  include: [shop.*]\n"
    )
    assert analyze(shop, "--approve", "all").code == 0
    snapshot = json.loads((shop / "migration" / "snapshot.json").read_text())
    assert [s["table"] for s in snapshot["scoped_out"]] == ["old.books"]
    contract = json.loads((shop / "migration" / "migrationContract.json").read_text())
    assert {e["source_table"] for e in contract} == {"shop.authors", "shop.books", "shop.orders", "shop.order_lines"}


# --- a server ---


@pytest.mark.server
def test_a_server_is_analysed_to_the_contract_and_its_password_stays_unwritten(
    mariadb: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mariadb.run(["CREATE DATABASE whole"])
    loading = [part for part in f"{SCHEMA}{data_sql()}".split(";\n") if part]
    mariadb.run(["SET foreign_key_checks = 0", *loading], "whole")
    mariadb.run(["CREATE USER reader@'%' IDENTIFIED BY 'hunter2'", "GRANT ALL ON *.* TO reader@'%'"])
    monkeypatch.setenv("MYSQL_PWD", "hunter2")
    shop, out = write_shop(tmp_path / "shop"), tmp_path / "out"
    url = f"mysql://reader@127.0.0.1:{mariadb.port}/whole"
    words = ("analyze", "--mysql", url, "--general-log", shop / "general.log", "--engine", "moto", "--out", out)
    done = ddbmig(*words, "--approve", "all")
    assert (done.code, done.err) == (0, "")
    found = contents(out)
    assert [name for name, text in found.items() if b"hunter2" in text] == []
    assert b"NOT CONNECTED" not in found["Stage1_MySQLAnalysis.md"]
    snapshot = json.loads(found["snapshot.json"])
    assert sum(s["rows"]["value"] for s in snapshot["statistics"].values()) == 43
    assert len(snapshot["patterns"]) == 8
    assert {p["status"] for p in json.loads(found["validation.json"])["patterns"]} == {"proved"}
    assert ddbmig(*words).code == 0
    mariadb.run(["INSERT INTO authors (name) VALUES ('another')"], "whole")
    assert "stage 1 " in ddbmig(*words).err
