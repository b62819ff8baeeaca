"""The README says what is so: its excerpt is what the example prints, its commands and options are there."""

import contextlib
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ddbmig.cli import cli

DESIGNED = 3
"""The stages that are made anew each time; the rest takes a DynamoDB and is compared at night."""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def printed_by(repository: Path, folder: Path, *words: str) -> str:
    """What analysing a copy of the example prints."""
    own = shutil.ignore_patterns("migration", "approvals.jsonl", "decisions.yaml", ".ddbmig-key")
    example = Path("examples", "bookshop")
    shutil.copytree(repository / example, folder / example, ignore=own)
    with contextlib.chdir(folder):
        return CliRunner().invoke(cli, ["analyze", str(example), *words]).output


def said_in(excerpt: str) -> list[str]:
    return [line for line in excerpt.splitlines() if line.strip() != "…"]


def test_the_excerpt_is_what_the_example_prints(repository: Path, tmp_path: Path) -> None:
    printed = printed_by(repository, tmp_path, "--approve", str(DESIGNED - 1), "--engine", "moto")
    excerpt, _ = blocks((repository / "README.md").read_text(), "text")
    said = said_in(excerpt.split("Stage 4 ")[0])
    assert len(said) > 10
    assert [line for line in printed.splitlines() if line in said] == said


@pytest.mark.engine
@pytest.mark.slow
def test_the_whole_excerpt_is_what_the_demo_prints(repository: Path, tmp_path: Path) -> None:
    printed = printed_by(repository, tmp_path, "--approve", "all")
    excerpt, _ = blocks((repository / "README.md").read_text(), "text")
    said = said_in(excerpt)
    assert [line for line in printed.splitlines() if line in said] == said


def test_the_excerpt_of_the_gate_is_what_it_prints(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    own = shutil.ignore_patterns("migration", "approvals.jsonl", "decisions.yaml", ".ddbmig-key")
    shutil.copytree(repository / "examples" / "bookshop", tmp_path / "bookshop", ignore=own)
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(cli, ["check", "bookshop", "--today", "2026-11-25"]).output
    _, excerpt = blocks((repository / "README.md").read_text(), "text")
    finding, verdict = excerpt.split("…\n")
    assert finding in printed
    assert printed.endswith(verdict)


def test_every_command_of_the_readme_is_there(repository: Path) -> None:
    lines = [line for block in blocks((repository / "README.md").read_text(), "sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines if line.strip()]
    makefile = (repository / "Makefile").read_text()
    for command in words:
        if command[0] == "make":
            assert re.search(rf"^{command[1]}:", makefile, re.M), command
            continue
        assert command[0] == "ddbmig"
        found = cli.commands[command[1]]
        found = found.commands[command[2]] if isinstance(found, click.Group) else found
        options = {o for parameter in found.params for o in parameter.opts}
        assert {word for word in command[2:] if word.startswith("--")} <= options, command
    assert len(words) >= 8
