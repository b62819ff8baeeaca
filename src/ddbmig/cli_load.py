"""`ddbmig load` and `ddbmig verify`: the rows into DynamoDB by the contract, and both held against each other."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ddbmig.cli_options import (
    PATH,
    check_exist,
    login_of,
    print_json,
    with_login,
    with_options,
    with_project,
)
from ddbmig.cli_progress import progress, with_quiet
from ddbmig.model.errors import ExitCode

if TYPE_CHECKING:
    from ddbmig.load_ends import Ends

_POSITIVE = click.IntRange(min=1)
_with_ends = with_options(
    click.argument("file", required=False, type=PATH),
    click.option("--mysql", "url", metavar="URL", help="mysql://user@host:port/db, without a password."),
    click.option("--data", multiple=True, type=PATH, help="mysqldump with all rows, in place of a server."),
    click.option("--to", metavar="local|URL", help="DynamoDB Local, kept in --state, or an endpoint."),
    click.option("--prefix", default="", metavar="TEXT", help="Begins the names of the tables there."),
    click.option("--snapshot", type=PATH, help="The snapshot that the contract belongs to (default: the project's)."),
    click.option("--state", type=PATH, help="Folder for what a load keeps (default: load in --out)."),
    click.option("--seconds", type=_POSITIVE, default=600, show_default=True,
                 help="The most that one statement may take."),
    click.option("--yes-this-is-not-local", "remote", is_flag=True, help="Confirm an endpoint beyond this machine."),
    with_login,
)  # fmt: skip
"""Where rows and items are; `_ends` takes them."""
_HOW = ("defaults_file", "login_path", "password_stdin", "tls_ca", "no_tls")


def _ends(file: Path | None, url: str | None, data: tuple[Path, ...], **given: Any) -> "Ends":
    from ddbmig.load_ends import Ends

    check_exist(data)
    how = {name: given.pop(name) for name in _HOW}
    return Ends(contract=file, server=login_of(url, **how) if url else None, data=data, **given)


@click.command(short_help="Load the rows into DynamoDB, by the contract.")
@_with_ends
@click.option("--tolerance", type=click.IntRange(min=0), default=0, show_default=True,
              help="Rows that may be rejected, incomplete or unreadable.")  # fmt: skip
@click.option("--restart", is_flag=True, help="Forget how far the load had come, and read everything again.")
@click.option("--jobs", type=_POSITIVE, help="Processes that make items (default: one for each core).")
@click.option("--rate", type=_POSITIVE, metavar="N", help="Write at most N items a second.")
@click.option("--export", type=PATH, metavar="FOLDER", help="DynamoDB-JSON parts for S3, in place of --to.")
@click.option("--compression", type=click.Choice(("gzip", "zstd")), default="gzip", show_default=True,
              help="How parts are packed.")  # fmt: skip
@click.option("--s3", metavar="s3://BUCKET/PREFIX", help="Where the parts will be, for the ImportTable requests.")
@click.option("--json", "as_json", is_flag=True, help="The counts as JSON.")
@with_project
@with_quiet
def load(
    tolerance: int, restart: bool, jobs: int | None, rate: int | None, as_json: bool, folder: Path | None,
    out: Path | None, settings: tuple[str, ...], **ends: Any,
) -> int:  # fmt: skip
    """Load the rows of a server or a dump into DynamoDB, by the contract FILE (default: the project's).

    A load that was stopped goes on when the same command is run again. Exit code 4: more rows than --tolerance have no
    item, or one without what was to be copied; the file of rejected rows says why.
    """
    from ddbmig.load_command import Pacing, load_contract
    from ddbmig.project import open_project

    project, pacing = open_project(folder, out, settings), Pacing(jobs or os.cpu_count() or 1, rate, restart)
    loaded = load_contract(project, _ends(**ends), pacing, lambda line: click.echo(line, err=True), progress)
    if as_json:
        print_json(loaded.data())
    else:
        for line in loaded.lines():
            click.echo(line)
    return ExitCode.NOT_UNDERSTOOD if loaded.amiss > tolerance else ExitCode.DONE


@click.command(short_help="Hold the loaded tables against the rows.")
@_with_ends
@click.option("--sample", type=click.IntRange(min=0), default=100, show_default=True,
              help="Rows of each table that are compared value by value.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Which rows these are.")
@click.option("--window", type=click.FloatRange(min=0), default=0, show_default=True, metavar="SECONDS",
              help="Wait before what differs is looked at again.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Everything that was found, as JSON.")
@with_project
@with_quiet
def verify(
    sample: int, seed: int, window: float, as_json: bool, folder: Path | None, out: Path | None,
    settings: tuple[str, ...], **ends: Any,
) -> int:  # fmt: skip
    """Hold the tables that were loaded by the contract FILE (default: the project's) against the rows of MySQL.

    Exit code 1: they differ. Each difference is told with its table, the range of its key, its row's place and its
    kind; never with a value.
    """
    from ddbmig.project import open_project
    from ddbmig.verify_command import verify_contract
    from ddbmig.verifying import Looking

    found = verify_contract(open_project(folder, out, settings), _ends(**ends), Looking(sample, seed, window), progress)
    if as_json:
        print_json(found.data())
    else:
        for line in found.lines():
            click.echo(line)
    return ExitCode.GATE_FAILED if found.differs else ExitCode.DONE
