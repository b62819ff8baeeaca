"""The command of the hand-over files."""

from pathlib import Path

import click

from ddbmig.cli_options import PATH, with_project

KINDS = ("cloudformation", "terraform", "dashboard", "iam", "workbench", "mcp", "mcp-schema", "cutover", "views",
         "drop-views", "modernizer")  # fmt: skip


@click.command(short_help="Write a hand-over file of the approved design.")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--file", type=PATH, help="The file to write (default: the standard output).")
@click.option("--draft", is_flag=True, help="Of a design that is not approved too; the file says that it is a draft.")
@with_project
def export(kind: str, file: Path | None, draft: bool, folder: Path | None, out: Path | None,
           settings: tuple[str, ...]) -> None:  # fmt: skip
    """Write a hand-over file of the approved design: infrastructure as code, and what goes with it.

    \b
    cloudformation  tables, GSIs and alarms as a CloudFormation template
    terraform       the same for Terraform, provider hashicorp/aws 6.37 or newer
    dashboard       a CloudWatch dashboard with the thresholds of these alarms
    iam             IAM policies (CloudFormation), one for each access pattern
    workbench       a model for NoSQL Workbench
    mcp             dynamodb_data_model.json for AWS's DynamoDB MCP server
    mcp-schema      schema.json for that server's code generator
    cutover         a plan of the cut-over and the way back, in Markdown
    views           a MySQL view for each table that shows rows as their items
    drop-views      what takes these views away again
    modernizer      the contract in the dialect of AWS's modernizer workshop
    """
    from ddbmig import exports
    from ddbmig.project import open_project

    text = exports.export(open_project(folder, out, settings), kind, draft=draft)
    if file is None:
        click.echo(text, nl=False)
    else:
        exports.write_export(text, file)
        click.echo(f"The file is {file}.")
