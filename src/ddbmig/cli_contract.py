"""The commands of the contract: check one that was edited, compare two, and see real rows as its items."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ddbmig.cli_options import PATH, check_exist, counted, input_paths, print_changes, print_json, with_project
from ddbmig.model.errors import ExitCode


@click.group(short_help="The contract: check, compare, preview.")
def contract() -> None:
    """The migration contract: check it after an edit, compare two, preview items."""


@contract.command(short_help="Hold a contract against its format and the schema.")
@click.argument("file", required=False, type=PATH)
@click.option("--snapshot", type=PATH, help="The snapshot to hold it against (default: the project's).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def check(file: Path | None, snapshot: Path | None, as_json: bool, folder: Path | None, out: Path | None,
          settings: tuple[str, ...]) -> int:  # fmt: skip
    """Hold the contract FILE against its format and the MySQL schema; exit 1 where something is wrong.

    FILE is by default the project's migrationContract.json.
    """
    from ddbmig import contracts
    from ddbmig.project import open_project

    project = open_project(folder, out, settings)
    found = contracts.check(contracts.contract_file(project, file), contracts.saved_snapshot(project, snapshot))
    if as_json:
        print_json(found.data())
    else:
        for mistake in found.mistakes:
            click.echo(str(mistake))
        for column in found.lost:
            click.echo(f"{found.file}: note: no entry keeps {column}; its values would be left behind")
        click.echo(f"{counted(found.entries, 'entry', 'entries')}, {counted(len(found.mistakes), 'mistake')}")
    return ExitCode.GATE_FAILED if found.mistakes else ExitCode.DONE


@contract.command(short_help="What changed from the contract OLD to NEW.")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="The changes as JSON.")
def diff(old: Path, new: Path, as_json: bool) -> int:
    """What changed from the contract OLD to NEW, by table, key, index and attribute; exit 1 where they differ."""
    from ddbmig import contracts
    from ddbmig.engine.contract_diff import contract_changes

    check_exist([old, new])
    changes = contract_changes(contracts.well_formed(old), contracts.well_formed(new))
    print_changes(changes, as_json)
    return ExitCode.GATE_FAILED if changes else ExitCode.DONE


@contract.command(short_help="The first items of each table, made from real rows.")
@click.argument("file", required=False, type=PATH)
@click.option("--table", metavar="NAME", help="This table only.")
@click.option("--rows", type=click.IntRange(1, 1000), default=10, show_default=True, help="Items of each table.")
@click.option("--data", multiple=True, type=PATH, help="mysqldump with the rows (default: that of ddbmig.yaml).")
@click.option("--snapshot", type=PATH, help="The snapshot that the contract belongs to (default: the project's).")
@with_project
def preview(file: Path | None, table: str | None, rows: int, data: tuple[Path, ...], snapshot: Path | None,
            folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:  # fmt: skip
    """Print the first items of each table, made from real rows by the contract FILE, as DynamoDB JSON.

    This is the one command that shows values of your data.
    """
    from ddbmig import contracts
    from ddbmig.analyzers.snapshot import Sources, with_names
    from ddbmig.project import open_project

    project = open_project(folder, out, settings)
    paths = {**input_paths(project, {"data": data}), "slow_logs": (), "general_logs": (), "schema_files": ()}
    check_exist(paths["data"])
    shown = contracts.preview(
        contracts.well_formed(contracts.contract_file(project, file)),
        contracts.saved_snapshot(project, snapshot), Sources(**with_names(paths)), table, rows,
    )  # fmt: skip
    click.echo(_for_terminal(shown))


def _for_terminal(shown: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """JSON with one item a line, in which what a terminal could obey, or not show, is escaped."""
    tables = [
        f" {json.dumps(name)}: [" + ",".join(f"\n  {json.dumps(item, ensure_ascii=False)}" for item in items) + "\n ]"
        for name, items in shown.items()
    ]
    text = "{\n" + ",\n".join(tables) + "\n}"
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
