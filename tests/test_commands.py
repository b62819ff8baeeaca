"""Every command: data as JSON, lines that fit a terminal of 80 columns, and text of others that stays text."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ddbmig.cli import cli
from ddbmig.reporters.terminal import WIDTH, fitted, laid_out
from small_shop import ddbmig, write_shop

NO_DATA = {
    "analyze": "walks the stages; what it finds is in their JSON files",
    "approve": "says what it did", "reopen": "says what it did", "choose": "says what it did",
    "collect": "writes a folder", "digest": "writes a digest", "init": "asks", "report": "writes a page",
    "narrate": "writes pages", "waive": "says what it did", "rules check": "says that nothing is wrong",
    "rules new": "writes a rule",
    "completion": "is a script", "export": "is a file for another tool", "contract preview": "is JSON",
    "config schema": "is JSON", "rules schema": "is JSON",
}  # fmt: skip
"""Commands without --json, and why."""
RELATIONSHIP = "books.author_id->authors.id"
SHOWN = (
    ("status",), ("diff", "1"), ("diff", "3"), ("doctor",), ("explain", RELATIONSHIP), ("explain", "DM003"),
    ("explain", "select books by isbn"), ("contract", "check"), ("rules", "list"), ("rules", "facts"),
    ("rules", "check"), ("rules", "diff", "ddbmig:recommended"),
)  # fmt: skip
"""Commands that print for people, by what they print of the small shop."""


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from leaves(one, (*path, name))
    else:
        yield " ".join(path), command


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small shop after all stages; not to be changed."""
    folder = write_shop(tmp_path_factory.mktemp("commands") / "shop")
    assert ddbmig("analyze", folder, "--engine", "moto", "--approve", "all").code == 0
    return folder


@pytest.mark.parametrize("name", [name for name, _ in leaves(cli)])
def test_a_command_that_prints_data_prints_it_as_json_too(name: str) -> None:
    command = dict(leaves(cli))[name]
    has_json = any("--json" in option.opts for option in command.params)
    assert has_json != (name in NO_DATA), name


def test_the_commands_without_data_are_there() -> None:
    assert NO_DATA.keys() <= dict(leaves(cli)).keys()


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_what_is_shown_fits_the_terminal(
    words: tuple[str, ...], analysed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(analysed, tmp_path / "shop")
    monkeypatch.chdir(tmp_path)
    where = ("--project", "shop") if words not in (("doctor",), ("rules", "facts")) else ()
    done = ddbmig(*words, *where)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize(
    "words",
    [("status",), ("diff", "1"), ("explain", RELATIONSHIP), ("explain", "DM003"), ("contract", "check"),
     ("rules", "list"), ("rules", "test"), ("rules", "diff", "ddbmig:recommended"), ("config", "show")],
    ids=" ".join,
)  # fmt: skip
def test_json_is_json_and_nothing_else(words: tuple[str, ...], analysed: Path) -> None:
    done = ddbmig(*words, "--json", "--project", analysed)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) is not None


def test_a_line_that_is_too_long_goes_on_further_in() -> None:
    text = fitted(["  because " + "word " * 30, "short", "x" * 100])
    lines = text.splitlines()
    assert lines[0].startswith("  because word")
    assert lines[1].startswith("    word")
    assert lines[-2:] == ["short", "x" * 100]
    assert max(map(len, lines[:-1])) <= WIDTH


def test_a_wide_table_becomes_blocks_and_a_narrow_one_stays() -> None:
    narrow = "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
    wide = f"| run | calls |\n| --- | --- |\n| one \\| two | {'word ' * 20}|\n"
    assert laid_out(narrow) == narrow
    lines = laid_out(wide).splitlines()
    assert lines[0] == "one \\| two"
    assert lines[1].startswith("  calls: word word")
    assert max(map(len, lines)) <= WIDTH
