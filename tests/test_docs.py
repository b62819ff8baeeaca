"""The documentation says what is so: generated pages are current, links lead somewhere, commands print what is shown.

The pages of docs/how-to are walked (transcripts.py) in a folder that holds the project `shop`. Everything happens on
one day, that of TODAY.
"""

import datetime
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ddbmig import cli_rules
from ddbmig.cli import cli
from ddbmig.config import assignments, configure
from ddbmig.engine.expressions import FactType, compile_condition, mistakes_in
from ddbmig.engine.facts import CATALOGUE
from ddbmig.engine.overrides import Setting
from ddbmig.engine.prices import read_price_list
from ddbmig.engine.rule_tests import run_rule_tests, survivors
from ddbmig.engine.rulebook import Pack, load_rules
from ddbmig.engine.typed_yaml import read_model
from ddbmig.engine.waivers import read_waivers
from ddbmig.model.context import ProjectConfig
from ddbmig.model.errors import ExitCode, UsageError
from ddbmig.model.prices import PRICE_NAMES
from ddbmig.model.scenario import Scenario
from ddbmig.packs import recommended
from ddbmig.schemas import DOCUMENTS
from ddbmig.workflow import STAGES
from small_shop import write_shop
from transcripts import blocks, run, walk

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
WRITTEN = [DOCS / "reference" / "configuration.md", DOCS / "reference" / "rule-language.md",
           *sorted((DOCS / "how-to").glob("*.md"))]  # fmt: skip
TODAY = datetime.date(2026, 11, 25)
BOOK = load_rules([recommended()])


# --- what is generated ---


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    """What the generator would write, by path below docs/."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        import generate_docs

        return generate_docs.documents()


def generate(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "generate_docs.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_generated_files_are_current(documents: dict[str, str]) -> None:
    assert [path for path, text in documents.items() if (DOCS / path).read_text("utf-8") != text] == []


def test_nothing_is_left_over_of_rules_and_schemas_that_are_gone(documents: dict[str, str]) -> None:
    there = [path.relative_to(DOCS).as_posix() for name in ("rules", "schemas") for path in (DOCS / name).rglob("*")]
    assert sorted(there) == sorted(path for path in documents if path.startswith(("rules/", "schemas/")))


def test_the_check_names_each_file_that_differs(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS, docs)
    assert generate("--check", docs).returncode == 0
    (docs / "rules" / "DM003.md").write_text("something else")
    (docs / "schemas" / "rule.schema.json").unlink()
    (docs / "rules" / "DM999.md").write_text("of a rule that is gone")
    done = generate("--check", docs)
    assert done.returncode == 1
    assert done.stdout == "".join(
        f"docs/{path} is not what the code says; to renew: make docs\n"
        for path in ("rules/DM003.md", "rules/DM999.md", "schemas/rule.schema.json")
    )
    assert generate(docs).stdout.endswith(" generated documents, 3 of them changed\n")
    assert generate("--check", docs).returncode == 0
    assert not (docs / "rules" / "DM999.md").exists()


def test_the_check_is_part_of_make_check() -> None:
    (recipe,) = re.findall(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert "scripts/generate_docs.py --check\n" in recipe
    assert re.search(r"^docs:.*\n\t\S+ scripts/generate_docs\.py$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_rule_has_a_page_that_says_it_all(documents: dict[str, str]) -> None:
    index = documents["rules/README.md"]
    for rule in BOOK.rules:
        page = documents[f"rules/{rule.id}.md"]
        assert index.count(f"[{rule.id}]({rule.id}.md)") == 1
        assert page.count(f"\n# {rule.id} {rule.title}\n") == 1
        given = next(test.given for test in rule.tests if test.fires)
        for line in (*(rule.fires(given) or ()), rule.because.render(rule.with_params(given))):
            assert line in page
        for name in (*rule.facts, *(f"params.{name}" for name in rule.params)):
            assert f"| `{name}` |" in page
        assert ("## Waive it" in page) is (rule.severity is not None)
        assert rule.warning in page


def test_every_command_and_exit_code_is_there(documents: dict[str, str]) -> None:
    commands = documents["reference/commands.md"]
    named = re.findall(r"^## (ddbmig.*)$", commands, re.MULTILINE)
    groups = {name: set(getattr(cli.commands[name], "commands", {})) for name in ("config", "contract", "rules")}
    assert groups["config"] == {"show", "schema"}
    wanted = {"ddbmig", *(f"ddbmig {name}" for name in cli.commands)}
    wanted |= {f"ddbmig {group} {name}" for group, names in groups.items() for name in names}
    assert sorted(named) == sorted(wanted)
    assert max(map(len, commands.splitlines())) <= 80
    for code in ExitCode:
        assert f"| {code.value} |" in documents["reference/exit-codes.md"]


def test_every_file_format_is_there(documents: dict[str, str]) -> None:
    page = documents["reference/file-formats.md"]
    for stage in STAGES:
        for name in (stage.value, stage.report, *stage.beside):
            assert f"| {stage.number} | `{name}` |" in page
    for command in re.findall(r"`(ddbmig \w+ schema \w+)`", page):
        assert run(command).code == 0
    assert page.count(".schema.json](") == len(DOCUMENTS)


def test_a_worked_example_is_computed_and_an_unknown_one_refused() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        from worked_examples import EXAMPLES, filled
    typed = "before\n<!-- computed: reads -->\n| 200 | 17 |\n<!-- end -->\nafter\n"
    assert "| 17 |" not in filled(typed)
    assert filled(filled(typed)) == filled(typed)
    assert filled(typed).startswith("before\n")
    assert filled(typed).endswith("<!-- end -->\nafter\n")
    with pytest.raises(UsageError, match="no such worked example"):
        filled(typed.replace("reads", "guesses"))
    shown = re.findall(r"<!-- computed: ([\w-]+) -->", "".join(path.read_text("utf-8") for path in PAGES))
    assert sorted(shown) == sorted(EXAMPLES)


def test_the_snippets_of_the_rules_pages_load_and_say_what_is_so(documents: dict[str, str]) -> None:
    settings: list[Setting] = []
    for rule in BOOK.rules:
        (snippet,) = re.findall(r"```yaml\n(.*?)```", documents[f"rules/{rule.id}.md"], re.DOTALL)
        found = configure(snippet).settings
        assert {setting.rule for setting in found} == {rule.id}
        now = {**rule.params, "severity": rule.severity, "enabled": False}
        assert all(setting.value == now[setting.key.removeprefix("params.")] for setting in found)
        settings += found
    off = {rule.id for rule, _ in load_rules([recommended()], settings).off}
    assert off == {rule.id for rule in BOOK.rules if not rule.params and (rule.forbids or not rule.severity)}


# --- what is written by hand ---


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_the_pages_are_found() -> None:
    assert len(WRITTEN) >= 5
    assert set(WRITTEN) < set(PAGES)


def load(text: str) -> str:
    """Read a YAML block by the loader of its kind; raises where it is refused. Returns the kind."""
    data = yaml.safe_load(text)
    if "waivers" in data:
        read_waivers("waivers.yaml", text)
        return "waivers"
    if "prices" in data:
        read_price_list("prices.yaml", text)
        return "prices"
    if "scale" in data:
        read_model("scenario.yaml", text, Scenario)
        return "scenario"
    if "id" in data:
        book = load_rules([recommended(), Pack("ours", (("ours/rule.yaml", text),))])
        assert run_rule_tests(book) == ()
        return "rule"
    if "description" in data:
        load_rules([recommended(), Pack("ours", (("ours/pack.yaml", text),))])
        return "pack"
    load_rules([recommended()], configure(text).settings)
    return "config"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_every_file_that_is_shown_loads(page: Path) -> None:
    kinds = [load(block.text) for block in blocks(page.read_text("utf-8")) if block.language == "yaml"]
    unshown = ("gate-a-pipeline", "change-the-contract", "decide-between-alternatives", "digest-logs", "export",
               "load-the-tables", "read-the-report", "review-and-approve", "use-the-plans")  # fmt: skip
    assert kinds or page.stem in unshown


def test_the_configuration_page_shows_every_key() -> None:
    text = blocks((DOCS / "reference" / "configuration.md").read_text("utf-8"))[0].text
    shown = configure(text).config.model_dump(exclude_unset=True)
    for name, value in ProjectConfig().model_dump(exclude={"scope", "rules"}).items():
        assert set(shown[name]) == set(value) if isinstance(value, dict) else name in shown


def test_the_configuration_page_names_every_price() -> None:
    text = (DOCS / "reference" / "configuration.md").read_text("utf-8")
    assert {name for name in PRICE_NAMES if f"`{name}`" in text} == set(PRICE_NAMES)


def test_the_example_of_the_environment_variable_is_read() -> None:
    text = (DOCS / "reference" / "configuration.md").read_text("utf-8")
    (command,) = re.findall(r"`(DDBMIG_SET='[^`]*)`", text)
    (word,) = shlex.split(command)
    found = configure(None, assignments([], {"DDBMIG_SET": word.removeprefix("DDBMIG_SET=")})).config
    assert (found.gate.fail_on, found.context.roadmap) == ("warning", "a second country")


# --- the condition language ---


NAMES = {
    **{fact.name: fact.type() for fact in CATALOGUE}, "params.limit": FactType("number"),
    "params.share": FactType("number"),
}  # fmt: skip


def rows(page: Path, heading: str) -> Iterator[list[str]]:
    """The cells of the table below a heading."""
    section = page.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    for line in table[2:]:
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def code(cell: str) -> str:
    (found,) = re.findall(r"`([^`]+)`", cell)
    return str(found)


def test_every_form_of_the_language_compiles() -> None:
    examples = [code(example) for _, example in rows(DOCS / "reference" / "rule-language.md", "Forms")]
    assert len(examples) >= 15
    for example in examples:
        compile_condition(example, NAMES)


def test_what_is_refused_is_refused_with_this_answer() -> None:
    refused = list(rows(DOCS / "reference" / "rule-language.md", "What is refused"))
    assert len(refused) >= 10
    for written, answer in refused:
        with pytest.raises(UsageError) as caught:
            compile_condition(code(written), NAMES)
        assert answer in [mistake.message for mistake in mistakes_in(caught.value)], written


def test_the_tests_of_the_example_on_the_language_page_notice_every_change() -> None:
    text = blocks((DOCS / "reference" / "rule-language.md").read_text("utf-8"))[0].text
    rule = load_rules([recommended(), Pack("ours", (("ours/rule.yaml", text),))]).rule("ACME010")
    assert [mutant.change for mutant in survivors(rule)] == []


# --- the commands ---


@pytest.mark.parametrize("page", sorted((DOCS / "how-to").glob("*.md")), ids=lambda page: page.stem)
def test_the_commands_print_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if "--to local" in page.read_text("utf-8"):
        request.getfixturevalue("dynamodb_local")  # skips where it cannot be had
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli_rules, "_day", lambda text: datetime.date.fromisoformat(text) if text else TODAY)
    write_shop(tmp_path / "shop")
    walk(page.read_text("utf-8"))
