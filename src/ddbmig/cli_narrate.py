"""The command that explains an analysis to its readers."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddbmig.cli_options import PATH, counted, print_json, with_settings
from ddbmig.cli_progress import in_ci, progress, with_quiet

if TYPE_CHECKING:
    from ddbmig.model.context import Audience, Writer
    from ddbmig.narrating import Written
    from ddbmig.project import Project


@click.command(short_help="Write the reports' explanations for one kind of reader.")
@click.argument("folder", required=False, type=PATH)
@click.option("--audience", type=click.Choice(["executive", "engineer"]), help="Who reads it [default: engineer].")
@click.option(
    "--narrative",
    "by",
    type=click.Choice(["templates", "anthropic"]),
    help="Our own words, or a language model of Anthropic's API within the budget [default: templates].",
)
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
@with_quiet
def narrate(
    folder: Path | None, audience: "Audience | None", by: "Writer | None", dry_run: bool, pseudonyms: bool | None,
    out: Path | None, settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Write the explanations of the saved analysis for one kind of reader, in our own words or by a model.

    FOLDER holds a ddbmig.yaml.
    """
    from ddbmig import narrating
    from ddbmig.project import open_project

    project = open_project(folder, out, settings)
    told = project.config.narrative
    reader, hidden = audience or told.audience, told.pseudonyms if pseudonyms is None else pseudonyms
    if dry_run:
        asked = narrating.asked(project, reader, hidden)
        print_json([{"section": one.facts.section, "input": one.hash, "request": one.body} for one in asked])
        return
    write_page(project, reader, by, hidden)


def write_page(project: "Project", reader: "Audience", by: "Writer | None", hidden: bool) -> None:
    """Write the page for a reader and print what became of it."""
    _print(_written(project, reader, by, hidden))


def _written(project: "Project", reader: "Audience", by: "Writer | None", hidden: bool) -> "Written":
    from ddbmig import narrating
    from ddbmig.narrative.client import Asking

    if (by or project.config.narrative.by) == "templates":
        return narrating.write_templates(project, reader)
    asking = Asking(by is not None or not in_ci(), progress, lambda text: click.echo(text, err=True))
    return narrating.write_by_model(project, reader, hidden, asking)


def _print(written: "Written") -> None:
    if (budget := written.budget) is not None:
        ours = len(written.proses) - written.by_model
        click.echo(f"{counted(written.by_model, 'section')} by the model, {ours} in our own words.")
        tokens = f"{budget.input_tokens:,} tokens in and {budget.output_tokens:,} out"
        click.echo(f"Spent: {tokens}, ${budget.spent_usd:.4f}.")
        for one in written.proses:
            if one.why:
                click.echo(f"{one.section.facts.title}: {one.why}", err=True)
    click.echo(f"The page is {written.path}.")
