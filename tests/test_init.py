"""`ddbmig init`: every question names its rules, evidence is offered and never taken for an answer."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
import yaml

from ddbmig.analyzers.context_evidence import Hint, Together, context_hints, written_together
from ddbmig.engine.facts import CATALOGUE
from ddbmig.engine.rulebook import load_rules
from ddbmig.model.context import ProjectConfig
from ddbmig.model.digest import Digest, TemplateDigest, Unit
from ddbmig.model.measure import Measure
from ddbmig.model.pattern import AccessPattern, TableRef
from ddbmig.model.schema import Schema
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import TableStatistics
from ddbmig.packs import recommended
from ddbmig.questions import QUESTIONS, config_text
from small_shop import command_line, ddbmig, write_shop

ANSWERS = """\
context:
  lifecycle: mature
  requirements: [{table: books, p99_ms: 5}]
workload: {represents: peak}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that nobody has answered for."""
    shop = write_shop(tmp_path / "shop")
    config = shop / "ddbmig.yaml"
    config.write_text("# mine\n" + config.read_text().partition("context:")[0])
    return shop


def config_of(folder: Path) -> ProjectConfig:
    return ProjectConfig.model_validate(yaml.safe_load((folder / "ddbmig.yaml").read_text()))


# --- questions ---


def test_every_question_is_of_the_configuration_and_used_by_something() -> None:
    book = load_rules([recommended()])
    for question in QUESTIONS:
        section, _, name = question.key.partition(".")
        model = type(getattr(ProjectConfig(), section))
        assert name in model.model_fields, question.key
        assert question.uses(book), question.key
        assert set(question.facts) <= {fact.name for fact in CATALOGUE}, question.key


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("context.lifecycle", "early", "early"),
        ("context.owners", "a = x, b=y", {"a": "x", "b": "y"}),
        ("context.requirements", "*=50, books=5.5", [{"table": "*", "p99_ms": 50}, {"table": "books", "p99_ms": 5.5}]),
        ("context.strong_consistency", "a, b", ["a", "b"]),
        ("context.analytics_required", "No", False),
        ("context.growth_percent_per_month", "4.5", 4.5),
        ("context.pain_points", "one; two", ["one", "two"]),
        ("workload.represents", "1000000", 1_000_000),
        ("workload.represents", "peak", "peak"),
    ],
)
def test_answers_that_are_understood(key: str, typed: str, value: object) -> None:
    (question,) = (one for one in QUESTIONS if one.key == key)
    assert question.read(typed) == value


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("context.lifecycle", "old"),
        ("context.owners", "a"),
        ("context.owners", "a=x, b="),
        ("context.requirements", "*=fast"),
        ("context.requirements", "*=nan"),
        ("context.analytics_required", "perhaps"),
        ("context.growth_percent_per_month", "inf"),
        ("workload.represents", "0"),
        ("pricing.mode", "cheap"),
    ],
)
def test_answers_that_are_not(key: str, typed: str) -> None:
    (question,) = (one for one in QUESTIONS if one.key == key)
    with pytest.raises(ValueError):  # noqa: PT011  # float() and int() raise it with their own words
        question.read(typed)


# --- a file ---


def test_a_file_answers_without_a_terminal(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    done = ddbmig("init", folder, "--answers", tmp_path / "answers.yaml")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("3 answers in ")
    config = config_of(folder)
    assert (config.context.lifecycle, config.workload.represents) == ("mature", "peak")
    assert config.context.requirements[0].p99_ms == 5
    assert config.inputs.schema_files == ("schema.sql",)
    assert (folder / "ddbmig.yaml").read_text().startswith("# mine\n")
    again = ddbmig("init", folder, "--answers", tmp_path / "answers.yaml")
    assert again.code == 2
    assert "has answers already (context)" in again.err


def test_the_inputs_can_be_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    fresh = tmp_path / "fresh"
    words = ("--schema", folder / "schema.sql", "--general-log", folder / "general.log")
    done = ddbmig("init", fresh, *words, "--answers", tmp_path / "answers.yaml")
    assert (done.code, done.err) == (0, "")
    assert config_of(fresh).inputs.schema_files == ("../shop/schema.sql",)
    assert ddbmig("analyze", fresh, "--approve", "1").code == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("context: {lifecycle: old}\n", "lifecycle"),
        ("context: {nothing: 1}\n", "nothing"),
        ("gate: {fail_on: error}\n", "is no answer (gate)"),
        ("context: [1]\n", "mapping"),
    ],
)
def test_mistakes_of_the_file_change_nothing(folder: Path, tmp_path: Path, text: str, said: str) -> None:
    before = (folder / "ddbmig.yaml").read_text()
    (tmp_path / "answers.yaml").write_text(text)
    done = ddbmig("init", folder, "--answers", tmp_path / "answers.yaml")
    assert done.code == 2
    assert said in done.err
    assert (folder / "ddbmig.yaml").read_text() == before


def test_without_a_terminal_and_a_file_there_is_nobody_to_ask(folder: Path) -> None:
    done = ddbmig("init", folder)
    assert done.code == 2
    assert "there is no terminal to ask on; give a file: --answers FILE" in done.err


# --- a terminal ---


def test_a_terminal_is_asked(folder: Path) -> None:
    lines = ["old", "growing", "some", "", "", "books=5", *[""] * 20]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command_line("init", folder), stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    os.write(master, "".join(f"{line}\n" for line in lines).encode())
    out, _ = process.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert process.returncode == 0, out
    assert "Which stage of its life is the application in?\n  used by: DM002, DM011" in out
    assert "if skipped, assumed: nothing, so no rule on it fires" in out
    assert "not understood; expected early, growing or mature" in out
    assert "evidence: MySQL's 99th percentile was" in out
    context = config_of(folder).context
    assert (context.lifecycle, context.team_expertise, context.requirements[0].table) == ("growing", "some", "books")
    assert context.growth_percent_per_month is None


# --- evidence ---


def snapshot(**given: object) -> Snapshot:
    return Snapshot.model_validate({"tables": Schema(tables=()), "digest": Digest()} | given)


def write(table: str, *users: str) -> tuple[AccessPattern, TemplateDigest]:
    name = f"u{table}"
    template = TemplateDigest(
        id=name, schema_name="", sql=f"UPDATE {table} SET a = ?", verb="update", calls=1, users=users
    )  # fmt: skip
    refs = (TableRef(alias=table, table=table),)
    return AccessPattern(id=f"Q{name}", template=name, name=name, kind="update", sql=template.sql, refs=refs), template


def test_one_writer_of_a_table_is_its_likely_owner() -> None:
    written = [write("a", "shop"), write("b", "stock"), write("c", "shop", "stock")]
    patterns, templates = zip(*written, strict=True)
    hint = context_hints(snapshot(patterns=patterns, digest=Digest(templates=templates)))["context.owners"]
    assert hint.value == {"a": "shop", "b": "stock"}
    alone = snapshot(patterns=patterns[:1], digest=Digest(templates=templates[:1]))
    assert "context.owners" not in context_hints(alone)  # one user for all says nothing


def test_growth_is_weighted_by_rows() -> None:
    def table(rows: float, growth: float | None) -> TableStatistics:
        count = Measure(value=rows, unit="rows", source="measured", origin="x")
        grown = Measure(value=growth, unit="percent a month", source="measured", origin="x") if growth else None
        return TableStatistics(rows=count, item_bytes=count, growth=grown)

    found = context_hints(snapshot(statistics={"a": table(300, 2), "b": table(100, 10), "c": table(9, None)}))
    assert found == {"context.growth_percent_per_month": Hint(4.0, "measured in 2 of 3 tables, weighted by their rows")}


def test_tables_that_transactions_change_together_are_asked_about() -> None:
    written = [write("a", "x"), write("b", "x"), write("c", "x")]
    patterns, templates = [pattern for pattern, _ in written], tuple(template for _, template in written)
    units = (
        Unit(kind="transaction", calls={"ua": 2, "ub": 1}, count=7),
        Unit(kind="transaction", calls={"ub": 1, "ua": 1, "other": 1}, count=2),
        Unit(kind="transaction", calls={"ua": 1}, count=100),
        Unit(kind="transaction", calls={"ub": 1, "uc": 1}, count=100, outcome="rollback"),
        Unit(kind="n_plus_1", calls={"ub": 1, "uc": 1}, count=100),
        Unit(kind="transaction", calls={"ub": 1, "uc": 1}, count=10),
    )
    found = written_together(snapshot(patterns=patterns, digest=Digest(templates=templates, units=units)))
    assert found == (Together(("b", "c"), 10), Together(("a", "b"), 9))


def test_suggestions_that_nobody_accepted_are_comments() -> None:
    hints = {"context.owners": Hint({"t\n- x: 1": "o"}, "evil\nlines: 1"), "context.requirements": Hint(None, "fast")}
    text = config_text("", {"context.lifecycle": "early"}, hints)
    assert yaml.safe_load(text) == {"context": {"lifecycle": "early"}}
    assert "# not answered; evil?lines: 1:" in text
    accepted = config_text(
        "", {"context.growth_percent_per_month": 4.0}, {"context.growth_percent_per_month": Hint(4.0, "why")}
    )
    assert accepted == "context:\n  # why\n  growth_percent_per_month: 4.0\n"
    assert yaml.safe_load(config_text("out: here", {}, hints)) == {"out": "here"}
