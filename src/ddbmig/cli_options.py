"""Options that several commands share, and how they become a project and its inputs."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ddbmig.analyzers.server_login import Login
    from ddbmig.model.change import Change
    from ddbmig.project import Project

PATH = click.Path(path_type=Path)
Command = TypeVar("Command", bound=Callable[..., Any])
Paths = dict[str, tuple[Path, ...]]
"""Input files by role."""
ROLES = ("schema_files", "slow_logs", "general_logs", "data", "snapshots")
LOGS = ("slow_logs", "general_logs")
"""Roles whose paths may be folders of rotated logs, or globs."""


def with_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options, or bundles of them, as one decorator."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


with_settings = with_options(
    click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Over ddbmig.yaml, e.g. out=here."),
)
"""`--set`: strongest of what is configured."""
with_project = with_options(
    click.option("--project", "folder", type=PATH, help="Folder that holds ddbmig.yaml."),
    click.option("--out", type=PATH, help="Folder of the values and reports (without a project: ./migration)."),
    with_settings,
)
"""How a command finds an analysis again."""
with_login = with_options(
    click.option(
        "--defaults-file", type=PATH, help="Option file: user, password, host, port, socket, ssl-ca of [client]."
    ),
    click.option("--login-path", metavar="NAME", help="A group of that file that goes before [client], e.g. replica."),
    click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input."),
    click.option("--tls-ca", type=PATH, help="Certificates (PEM) to verify the server's with."),
    click.option("--no-tls", is_flag=True, help="Allow a connection in the clear, on a network you trust."),
)
"""How to log in to a server; `login_of` takes them."""
ENGINES = ("auto", "endpoint", "docker", "jar", "moto")
with_engine = with_options(
    click.option("--engine", type=click.Choice(ENGINES), default="auto", show_default=True,
                 help="DynamoDB for stage 4."),
    click.option("--endpoint", metavar="URL", help="A DynamoDB endpoint for stage 4; loopback unless confirmed."),
    click.option("--sql-server", metavar="URL",
                 help="mysql://user@host:port/ to run the SQL of stage 4 in scratch schemas; the password from "
                 "MYSQL_PWD; loopback unless confirmed. [default: an embedded SQLite]"),
    click.option("--yes-this-is-not-local", "remote", is_flag=True,
                 help="Confirm an endpoint or SQL server beyond this machine."),
)  # fmt: skip
"""Which DynamoDB the design is run on, and where the SQL beside it."""
with_inputs = with_options(
    click.argument("folder", required=False, type=PATH),
    click.option("--schema", "schema_files", multiple=True, type=PATH, help="DDL: mysqldump --no-data, or by hand."),
    click.option(
        "--slow-log",
        "slow_logs",
        multiple=True,
        type=PATH,
        help="Slow query log, plain or compressed; a folder or glob of them.",
    ),
    click.option("--general-log", "general_logs", multiple=True, type=PATH, help="General query log, likewise."),
    click.option("--data", "data", multiple=True, type=PATH, help="mysqldump with the rows."),
    click.option("--out", type=PATH, help="Folder of the values and reports (default: ./migration)."),
    with_settings,
)
"""A project's folder, or its inputs one by one."""


def login_of(
    url: str, *, defaults_file: Path | None, login_path: str | None, password_stdin: bool, tls_ca: Path | None,
    no_tls: bool,
) -> "Login":  # fmt: skip
    """Who logs in where, by a URL and the options of `with_login`. Raises UsageError."""
    from ddbmig.analyzers.server_login import login

    password = _from_stdin() if password_stdin else None
    return login(url, defaults_file=defaults_file, password=password, ca=tls_ca, no_tls=no_tls, group=login_path)


def _from_stdin() -> str:
    from ddbmig.model.errors import UsageError

    line = sys.stdin.readline()
    if not line:
        raise UsageError("--password-stdin, and standard input is empty", hint="e.g. pass show db | ddbmig collect …")
    return line.rstrip("\r\n")


def input_paths(project: "Project", given: Paths) -> Paths:
    """The inputs that options name, else those of ddbmig.yaml (relative to its folder), by role; logs file by file."""
    from ddbmig.analyzers.log_files import log_files

    named = project.config.inputs.model_dump(include=set(ROLES))
    paths = {role: given.get(role) or tuple(project.folder / name for name in named[role]) for role in ROLES}
    return {role: tuple(log_files(files)) if role in LOGS else files for role, files in paths.items()}


def check_exist(paths: Iterable[Path]) -> None:
    """Raise UsageError for a file that is not there."""
    from ddbmig.model.errors import UsageError

    for path in paths:
        if not path.exists():
            raise UsageError("no such file", file=str(path), hint="check the path")


def print_changes(changes: "Sequence[Change]", as_json: bool) -> None:
    """Changes one a line with their number, or as JSON for a script."""
    if as_json:
        click.echo(json.dumps([change.model_dump(mode="json") for change in changes], indent=1))
        return
    for change in changes:
        click.echo(str(change))
    click.echo(counted(len(changes), "change"))


def counted(number: int, one: str, more: str = "") -> str:
    """A number with its noun, e.g. "1 entry", "2 entries"."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def print_json(data: object) -> None:
    """Data as every command prints it for a script."""
    from ddbmig.model.base import canonical_json

    click.echo(canonical_json(data).decode(), nl=False)
