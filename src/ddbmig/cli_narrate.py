"""The command that has prose written."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddbmig.cli_options import PATH, print_json, with_settings

if TYPE_CHECKING:
    from ddbmig.model.context import Audience


@click.command(short_help="Write the reports' explanations for one kind of reader.")
@click.argument("folder", required=False, type=PATH)
@click.option("--audience", type=click.Choice(["executive", "engineer"]), help="Who reads it [default: engineer].")
@click.option(
    "--dry-run", is_flag=True, help="Show what a language model would be sent, as JSON; sends and writes nothing."
)
@click.option(
    "--pseudonyms/--names",
    "pseudonyms",
    default=None,
    help="Send table_1, column_2 … for the names, and put the names back into what comes.",
)
@click.option("--out", type=PATH, help="Folder of the values and reports (without a project: ./migration).")
@with_settings
def narrate(
    folder: Path | None, audience: "Audience | None", dry_run: bool, pseudonyms: bool | None, out: Path | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Write the explanations of the saved analysis for one kind of reader, and show what a model would be told.

    FOLDER holds a ddbmig.yaml.
    """
    from ddbmig import narrating
    from ddbmig.project import open_project

    project = open_project(folder, out, settings)
    told = project.config.narrative
    reader = audience or told.audience
    if dry_run:
        hidden = told.pseudonyms if pseudonyms is None else pseudonyms
        asked = narrating.asked(project, reader, hidden)
        print_json([{"section": one.facts.section, "input": one.hash, "request": one.body} for one in asked])
        return
    click.echo(f"The page is {narrating.write_templates(project, reader)}.")
