"""The command of the HTML report."""

from pathlib import Path

import click

from ddbmig.cli_options import PATH, with_settings


@click.command(short_help="Write all stages as one HTML page.")
@click.argument("folder", required=False, type=PATH)
@click.option("--out", type=PATH, help="Folder of the values and reports (without a project: ./migration).")
@with_settings
def report(folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:
    """Write report.html: all stages that were run, in one page that opens from disk.

    FOLDER holds a ddbmig.yaml.
    """
    from ddbmig.project import open_project
    from ddbmig.report import write_report

    written = write_report(open_project(folder, out, settings))
    for stage in written.missing:
        click.echo(f"Stage {stage} has not been run: its part is not in the report.")
    click.echo(f"The report is {written.path}.")
