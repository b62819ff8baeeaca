"""`ddbmig load`: the rows into DynamoDB, by the contract."""

import os
from pathlib import Path
from typing import Any

import click

from ddbmig.cli_options import PATH, check_exist, login_of, print_json, progress, with_login, with_project
from ddbmig.model.errors import ExitCode

_POSITIVE = click.IntRange(min=1)


@click.command(short_help="Load the rows into DynamoDB, by the contract.")
@click.argument("file", required=False, type=PATH)
@click.option("--mysql", "url", metavar="URL", help="mysql://user@host:port/db, without a password.")
@click.option("--data", multiple=True, type=PATH, help="mysqldump with all rows, in place of a server.")
@click.option("--to", required=True, metavar="local|URL", help="DynamoDB Local, kept below --state, or an endpoint.")
@click.option("--prefix", default="", metavar="TEXT", help="Begins the names of the tables there.")
@click.option("--tolerance", type=click.IntRange(min=0), default=0, show_default=True,
              help="Rows that may be rejected, incomplete or unreadable.")  # fmt: skip
@click.option("--snapshot", type=PATH, help="The snapshot that the contract belongs to (default: the project's).")
@click.option("--state", type=PATH, help="Folder of the state and the rejected rows (default: load in --out).")
@click.option("--restart", is_flag=True, help="Forget how far the load had come, and read everything again.")
@click.option("--jobs", type=_POSITIVE, help="Processes that make items (default: one for each core).")
@click.option("--rate", type=_POSITIVE, metavar="N", help="Write at most N items a second.")
@click.option("--seconds", type=_POSITIVE, default=600, show_default=True, help="The most that one statement may take.")
@click.option("--yes-this-is-not-local", "remote", is_flag=True, help="Confirm an endpoint beyond this machine.")
@click.option("--json", "as_json", is_flag=True, help="The counts as JSON.")
@with_login
@with_project
def load(
    file: Path | None, url: str | None, data: tuple[Path, ...], to: str, prefix: str, tolerance: int,
    snapshot: Path | None, state: Path | None, restart: bool, jobs: int | None, rate: int | None, seconds: int,
    remote: bool, as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...], **how: Any,
) -> int:  # fmt: skip
    """Load the rows of a server or a dump into DynamoDB, by the contract FILE (default: the project's).

    A load that was stopped goes on when the same command is run again. Exit code 4: more rows than --tolerance have no
    item, or one without what was to be copied; the file of rejected rows says why.
    """
    from ddbmig.load_command import Wishes, load_contract
    from ddbmig.project import open_project

    check_exist(data)
    wishes = Wishes(
        to=to, server=login_of(url, **how) if url else None, data=data, contract=file, snapshot=snapshot, state=state,
        prefix=prefix, remote=remote, restart=restart, jobs=jobs or os.cpu_count() or 1, rate=rate, seconds=seconds,
    )  # fmt: skip
    loaded = load_contract(
        open_project(folder, out, settings), wishes, lambda line: click.echo(line, err=True), progress
    )
    if as_json:
        print_json(loaded.data())
    else:
        for line in loaded.lines():
            click.echo(line)
    return ExitCode.NOT_UNDERSTOOD if loaded.amiss > tolerance else ExitCode.DONE
