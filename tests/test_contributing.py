"""CONTRIBUTING.md is walked as it stands, in a copy of the checkout; what it names is there."""

import os
import re
import shutil
from pathlib import Path

import pytest

from ddbmig.analyzers.log_reader import LogReader
from transcripts import walk

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PARTS = ("src", "tests", "scripts", "docs", "benchmarks", "examples", "overrides")


def section(heading: str) -> str:
    """One recipe of the page, where `ddbmig` is the command of the copy and not that of the running tests."""
    _, found, rest = PAGE.partition(f"\n## {heading}\n")
    assert found
    own = "python -c 'from ddbmig.cli import main; main()'"
    return re.sub(r"^ddbmig ", f"{own} ", rest.partition("\n## ")[0], flags=re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the checkout, in which commands run its own code."""
    own = shutil.ignore_patterns("__pycache__", "migration", "*.jsonl", ".ddbmig-key", "decisions.yaml")
    for name in PARTS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=own)
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(tmp_path / name) for name in ("src", "tests", "benchmarks")))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return tmp_path


def test_the_recipe_for_a_rule(checkout: Path) -> None:
    walk(section("Add a rule"))
    assert (checkout / "docs" / "rules" / "PR099.md").is_file()


@pytest.mark.slow
def test_the_recipe_for_prices(checkout: Path) -> None:
    walk(section("Add a region's prices"))
    assert "sa-east-1" in (checkout / "src" / "ddbmig" / "engine" / "prices.yaml").read_text()


@pytest.mark.slow
def test_the_recipe_for_an_exporter(checkout: Path) -> None:
    walk(section("Add an exporter"))
    assert '"key-list"' in (checkout / "src" / "ddbmig" / "cli_export.py").read_text()


def test_the_recipe_for_a_log_format_names_every_method_that_a_reader_must_have() -> None:
    table = [line.split("|")[1] for line in section("Add a log format").splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", "".join(table))) == sorted(LogReader.__abstractmethods__)


def test_every_file_that_is_named_is_there() -> None:
    made = {"src/ddbmig/rules/recommended/PR099-too-many-unique-keys.yaml",
            "src/ddbmig/reporters/exports/key_list.py", "docs/rules/PR099.md"}  # fmt: skip
    named = set(re.findall(r"\b((?:src|tests|docs|scripts|examples)/[\w./-]*\w)", PAGE))
    assert len(named) > 10
    assert {path for path in named - made if not (ROOT / path).exists()} == set()
