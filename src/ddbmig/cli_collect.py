"""`ddbmig collect`: what stage 1 needs of a running server, into a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ddbmig.cli_options import PATH, login_of, with_login
from ddbmig.cli_progress import progress, with_quiet

if TYPE_CHECKING:
    from ddbmig.collecting import Collected

_POSITIVE = click.IntRange(min=1)


@click.command(short_help="Read a running server, read-only, into a folder.")
@click.option("--mysql", "url", metavar="URL", required=True, help="mysql://user@host:port/db, without a password.")
@click.option("-o", "folder", type=PATH, required=True, help="The folder to make: a project for ddbmig analyze.")
@with_login
@click.option(
    "--row-limit",
    type=_POSITIVE,
    default=1_000_000,
    show_default=True,
    help="Tables of more rows are sampled, others read whole.",
)
@click.option("--sample", type=_POSITIVE, default=100_000, show_default=True, help="Rows of a sample.")
@click.option(
    "--rows",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Rows of each table that are copied for stage 4; 0 for none.",
)
@click.option("--seconds", type=_POSITIVE, default=60, show_default=True, help="The most that one statement may take.")
@click.option("--max-load", type=_POSITIVE, metavar="N", help="Pause while more than N threads run on the server.")
@click.option("--since", type=PATH, metavar="OLD", help="A folder of an earlier collect: tables' growth since then.")
@with_quiet
def collect(
    url: str, folder: Path, row_limit: int, sample: int, rows: int, seconds: int, max_load: int | None,
    since: Path | None, **how: Any,
) -> None:  # fmt: skip
    """Read a running server, gently and read-only, into a folder: `ddbmig analyze FOLDER` then needs no server.

    The password: MYSQL_PWD, --defaults-file or --password-stdin.
    """
    from ddbmig.analyzers.live import Pace
    from ddbmig.analyzers.live_statistics import Limits
    from ddbmig.collecting import Wishes, collect_folder

    who = login_of(url, **how)
    wishes = Wishes(Limits(row_limit, sample), Pace(seconds, max_load), rows, since)
    _tell(collect_folder(who, folder, wishes, progress), folder)


def _tell(found: "Collected", folder: Path) -> None:
    from ddbmig.reporters.collected import collected_lines

    for line in collected_lines(found.snapshot, found.rows):
        click.echo(line)
    click.echo(f"Next: ddbmig analyze {click.format_filename(folder)}")
