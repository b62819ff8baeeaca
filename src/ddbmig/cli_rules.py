"""The commands of the rules: the gate, waivers, explanations, the rule files themselves, and the configuration."""

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddbmig.cli_options import PATH, input_paths, print_json, with_inputs, with_project
from ddbmig.cli_progress import progress, with_quiet
from ddbmig.model.errors import ExitCode

if TYPE_CHECKING:
    from ddbmig.model.assessment import Phase

PHASES = ("relationship", "table", "pattern", "alternative", "index", "validation", "waiver")


@click.command(short_help="The gate for a pipeline: 1 where a finding fails it.")
@with_inputs
@click.option(
    "--snapshot", type=PATH, help="A saved snapshot in place of logs and data, and of the schema if not given."
)
@click.option("--queries", multiple=True, type=PATH, help=".sql file with the application's statements, to point at.")
@click.option("--fail-on", type=click.Choice(["error", "warning"]), help="The lightest severity that fails the gate.")
@click.option("--new-only", is_flag=True, help="Findings of the baseline do not fail the gate.")
@click.option("--baseline", type=PATH, help="File of the known findings (default: baseline.json in the project).")
@click.option("--write-baseline", is_flag=True, help="Make all findings of this run known, and pass.")
@click.option("--design", is_flag=True, help="Design the alternatives where no current design is saved.")
@click.option("--output", "outputs", multiple=True, metavar="FORMAT[=FILE]",
              help="text, json, sarif, junit, github, gitlab or markdown; any number of them.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --output json=-.")
@click.option("--today", metavar="DATE", help="The day that waivers are held against (default: today).")
@with_quiet
def check(
    folder: Path | None, out: Path | None, settings: tuple[str, ...], snapshot: Path | None, queries: tuple[Path, ...],
    fail_on: str | None, new_only: bool, baseline: Path | None, write_baseline: bool, design: bool,
    outputs: tuple[str, ...], as_json: bool, today: str | None, **given: tuple[Path, ...],
) -> int:  # fmt: skip
    """The gate: evaluate the rules, and exit with 1 where a finding fails it.

    FOLDER holds a ddbmig.yaml; without one, name the inputs by options. Nothing is approved, and no server is asked.
    """
    from ddbmig import check
    from ddbmig import outputs as places
    from ddbmig.project import open_project
    from ddbmig.reporters.gate.wording import verdict

    wanted = places.outputs_of(outputs, as_json)
    only_new = False if write_baseline else new_only or None
    project = open_project(folder, out, [*settings, *check.gate_settings(fail_on, only_new, baseline)])
    run = check.prepare(project, input_paths(project, given), queries, snapshot, _day(today))
    run.design_anew, run.progress = design, progress
    report = run.report()
    if write_baseline:
        click.echo(check.write_baseline(run, report), err=True)
    printed = places.write_outputs(report, wanted, colour=places.may_be_coloured(sys.stdout))
    click.echo(printed or verdict(report), nl=not printed, err=not printed)
    return ExitCode.DONE if report.passed or write_baseline else ExitCode.GATE_FAILED


def _day(text: str | None) -> datetime.date:
    from ddbmig.model.errors import UsageError

    try:
        return datetime.date.fromisoformat(text) if text else datetime.date.today()
    except ValueError as error:
        raise UsageError(f"--today {text}", expected="YYYY-MM-DD") from error


@click.command(short_help="Accept a finding until a date, with the reason.")
@click.argument("rule")
@click.argument("object", metavar="OBJECT")
@click.option("--reason", required=True, help="Why it is acceptable.")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--expires", required=True, metavar="DATE", help="Its last day.")
@click.option("--design", is_flag=True, help="Design the alternatives where no current design is saved.")
@click.option("--today", metavar="DATE", help="The day that waivers are held against (default: today).")
@with_project
@with_quiet
def waive(
    rule: str, object: str, reason: str, owner: str, expires: str, design: bool, today: str | None,
    folder: Path | None, out: Path | None, settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Accept the finding of RULE on OBJECT until a date, with the evidence as it is today."""
    from ddbmig import check
    from ddbmig.project import open_project

    project = open_project(folder, out, settings)
    run = check.prepare(project, input_paths(project, {}), (), None, _day(today))
    run.design_anew, run.progress = design, progress
    click.echo(check.waive(run, rule, object, reason=reason, owner=owner, expires=expires))


@click.command(short_help="Why a verdict came out, or how a pattern is answered.")
@click.argument("what", metavar="RULE|RELATIONSHIP|PATTERN")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def explain(
    what: str, as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]
) -> None:  # fmt: skip
    """Why a verdict came out and what would flip it; where a rule fires, and where a single line is missing; or how an
    access pattern is answered, call by call, and what each alternative takes for it.

    PATTERN is the id of an access pattern or its beginning, or enough of its name.
    """
    from ddbmig import explanations
    from ddbmig.project import open_project
    from ddbmig.reporters.explanation import explanation_text

    found = explanations.explain(open_project(folder, out, settings), what)
    click.echo(found.model_dump_json(indent=1) if as_json else explanation_text(found), nl=as_json)


# --- rules -----------------------------------------------------------------------------------------------------------


@click.group(short_help="The rules: list, show, check, test, write.")
def rules() -> None:
    """The rules: list, show, check and test them; write new ones; see what a change alters."""


@rules.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def rules_list(as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:
    """The rules in force, and those that are switched off."""
    from ddbmig import rule_tools
    from ddbmig.project import open_project
    from ddbmig.reporters.rule_lists import rule_list_text

    found = rule_tools.listed(open_project(folder, out, settings))
    click.echo(found.model_dump_json(indent=1) if as_json else rule_list_text(found), nl=as_json)


@rules.command("show")
@click.argument("rule")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def rules_show(
    rule: str, as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]
) -> None:  # fmt: skip
    """One rule as its file says, and what is set otherwise."""
    from ddbmig import rule_tools
    from ddbmig.project import open_project

    found = rule_tools.one_rule(open_project(folder, out, settings), rule)
    if as_json:
        print_json(found.data())
    else:
        click.echo(found.text(), nl=False)


@rules.command("check", short_help="Look for mistakes in rule files.")
@click.argument("packs", nargs=-1, metavar="[PACK]...")
@with_project
def rules_check(packs: tuple[str, ...], folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:
    """Look for mistakes in rule files: those of the project, or of PACKs (folders, pkg:NAME)."""
    from ddbmig import rule_tools
    from ddbmig.project import open_project

    click.echo(rule_tools.checked(open_project(folder, out, settings), packs))


@rules.command("test", short_help="Run the rules' own tests.")
@click.argument("packs", nargs=-1, metavar="[PACK]...")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def rules_test(
    packs: tuple[str, ...], as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]
) -> int:  # fmt: skip
    """Run the rules' own tests, and try whether they notice every change of the rules' conditions."""
    from ddbmig import rule_tools
    from ddbmig.project import open_project

    done = rule_tools.tested(open_project(folder, out, settings), packs)
    if as_json:
        print_json({"passed": done.passed, "lines": list(done.lines)})
    else:
        for line in done.lines:
            click.echo(line)
    return ExitCode.DONE if done.passed else ExitCode.GATE_FAILED


@rules.command("facts", short_help="The names that conditions may use.")
@click.argument("phase", required=False, metavar="[PHASE]", type=click.Choice(PHASES))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def rules_facts(phase: str | None, as_json: bool) -> None:
    """The names that conditions may use: type, unit, where measured, meaning."""
    from ddbmig import rule_tools

    click.echo(rule_tools.facts(phase, as_json), nl=False)


@rules.command("schema", short_help="JSON Schema of the files of a pack, for an editor.")
@click.argument("document", type=click.Choice(["rule", "pack", "waivers", "check"]), default="rule")
def rules_schema(document: str) -> None:
    """JSON Schema of a rule file, of pack.yaml or of waivers.yaml, for editors; or of the gate's JSON output."""
    from ddbmig.schemas import schema_text

    click.echo(schema_text(document), nl=False)


@rules.command("new")
@click.argument("rule_id", metavar="ID")
@click.option("--title", required=True, help="Lower-case words joined by -, e.g. too-many-columns.")
@click.option("--applies-to", "phase", type=click.Choice(PHASES), default="table", show_default=True)
@click.option("--pack", type=PATH, default="rules", show_default=True, help="The folder it is written to.")
def rules_new(rule_id: str, title: str, phase: "Phase", pack: Path) -> None:
    """Write a new rule that loads and passes its tests, to be changed."""
    from ddbmig import rule_tools

    click.echo(rule_tools.new_rule(pack, rule_id, title, phase))


@rules.command("diff", short_help="What changed in the rules since a git revision.")
@click.argument("reference", metavar="REVISION|ddbmig:recommended")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def rules_diff(
    reference: str, as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]
) -> None:  # fmt: skip
    """What changed in the rules since a git revision, and what that alters on the application as last analysed."""
    from ddbmig import rule_tools
    from ddbmig.project import open_project
    from ddbmig.reporters.rule_lists import rule_diff_text

    found = rule_tools.difference(open_project(folder, out, settings), reference)
    click.echo(found.model_dump_json(indent=1) if as_json else rule_diff_text(found), nl=as_json)


# --- the configuration -----------------------------------------------------------------------------------------------


@click.group()
def config() -> None:
    """The configuration in force."""


@config.command("show")
@click.option("--origin", is_flag=True, help="Who said it: option, environment, file and line, pack, or default.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def config_show(
    origin: bool, as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]
) -> None:  # fmt: skip
    """Every value in force."""
    from ddbmig import rule_tools
    from ddbmig.project import open_project

    click.echo(rule_tools.configuration(open_project(folder, out, settings), origin=origin, as_json=as_json), nl=False)


@config.command("schema", short_help="JSON Schema of a configuration file, for an editor.")
@click.argument("document", type=click.Choice(["config", "prices", "scenario", "plans"]), default="config")
def config_schema(document: str) -> None:
    """JSON Schema of ddbmig.yaml, of a price file or of a scenario, for editors; or of plans.json, for who reads it."""
    from ddbmig.schemas import schema_text

    click.echo(schema_text(document), nl=False)
