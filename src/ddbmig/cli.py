"""The commands: parse options, call one function, print. No logic."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddbmig import __version__
from ddbmig.cli_collect import collect
from ddbmig.cli_completion import completion
from ddbmig.cli_contract import contract
from ddbmig.cli_digest import digest
from ddbmig.cli_export import export
from ddbmig.cli_init import init
from ddbmig.cli_load import load, verify
from ddbmig.cli_narrate import narrate, write_page
from ddbmig.cli_options import (
    PATH,
    Paths,
    check_exist,
    input_paths,
    print_changes,
    print_json,
    with_engine,
    with_inputs,
    with_project,
    with_settings,
)
from ddbmig.cli_progress import in_ci, progress, with_quiet
from ddbmig.cli_report import report
from ddbmig.cli_rules import check, config, explain, rules, waive
from ddbmig.interrupts import interrupts_kept
from ddbmig.model.errors import DdbmigError, ExitCode, RuleError, UsageError

if TYPE_CHECKING:
    from ddbmig.analyzers.snapshot import Sources
    from ddbmig.model.context import Writer
    from ddbmig.project import Project
    from ddbmig.validators.engines import Choice

MOST_MISTAKES = 20
"""Mistakes of one file that are printed; the rest is counted."""


def main() -> None:
    """The entry point: turns the error tree into exit codes and one-line messages."""
    stdout = sys.stdout
    try:
        with interrupts_kept():
            code = cli.main(prog_name="ddbmig", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else ExitCode.DONE)
    except click.exceptions.Abort:
        _fail("interrupted", ExitCode.INTERRUPTED)
    except KeyboardInterrupt:
        _fail("interrupted", ExitCode.INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except click.ClickException as error:
        _fail(" ".join(error.format_message().split()), ExitCode.USAGE)
    except RuleError as error:
        _fail_with_all(error.mistakes)
    except DdbmigError as error:
        _fail(str(error), error.exit_code)
    except SystemExit:
        if sys.stdout is not stdout:  # click puts a silent stream there when the reader of our output has gone
            sys.exit(ExitCode.DONE)
        raise
    except Exception as error:  # the last line of defence: a bug of ours is one line too, and no data in it
        _fail(f"a bug in ddbmig: {type(error).__name__} at {_place(error)}; please report it", ExitCode.BUG)


def _fail(message: str, code: ExitCode) -> None:
    click.echo(f"ddbmig: {message}", err=True)
    sys.exit(code)


def _fail_with_all(mistakes: tuple[DdbmigError, ...]) -> None:
    shown = mistakes[:MOST_MISTAKES]
    for mistake, following in zip(shown, [*shown[1:], None], strict=True):
        same_place = following is not None and mistake.place == following.place
        click.echo(f"ddbmig: {mistake if same_place else mistake.with_caret()}", err=True)
    if len(mistakes) > MOST_MISTAKES:
        click.echo(f"ddbmig: … and {len(mistakes) - MOST_MISTAKES} more mistakes", err=True)
    sys.exit(ExitCode.USAGE)


def _place(error: BaseException) -> str:
    """Module and line where an unexpected error came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ddbmig")
def cli() -> None:
    """Decides by rules how a MySQL application should live on DynamoDB, and proves it by running."""


@cli.command(short_help="Walk the six stages, from schema and logs to the contract.")
@with_inputs
@click.option("--mysql", "mysql", metavar="URL", help="mysql://user@host:port/db; the password from MYSQL_PWD.")
@click.option("--approve", metavar="all|N", help="Approve all stages, or up to and including stage N, beforehand.")
@click.option(
    "--narrative",
    "writer",
    type=click.Choice(["templates", "anthropic"]),
    help="Explain the result on a page as well, as `ddbmig narrate` does.",
)
@click.option("--no-model", is_flag=True, help="Fail where a choice is handed to a model and no answer is recorded.")
@with_engine
@with_quiet
def analyze(
    folder: Path | None, out: Path | None, settings: tuple[str, ...], mysql: str | None, approve: str | None,
    writer: "Writer | None", no_model: bool,
    engine: "Choice", endpoint: str | None, sql_server: str | None, remote: bool,
    **given: tuple[Path, ...],
) -> None:  # fmt: skip
    """Walk the six stages: from schema, logs and data to the migration contract.

    FOLDER holds a ddbmig.yaml; without one, name the inputs by options.
    """
    from ddbmig import workflow
    from ddbmig.project import open_project

    upto = _approve(approve)
    project = open_project(folder, out, settings)
    sources = _sources(project, given, mysql)
    run = workflow.Run(
        project=project,
        sources=sources,
        engines=workflow.Engines(engine, endpoint, remote, sql_server),
        approve=upto,
        ask=_ask if sys.stdin.isatty() and sys.stdout.isatty() else None,
        show=_show,
        progress=progress,
        no_model=no_model or in_ci(),
    )
    run.walk()
    click.echo(f"The contract is {project.out / 'migrationContract.json'}; the reports are beside it.")
    if writer is not None:
        told = project.config.narrative
        write_page(project, told.audience, writer, told.pseudonyms)


def _approve(text: str | None) -> int:
    if text is None:
        return 0
    if text == "all":
        return 6
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 6:
        return int(text)
    raise UsageError(f"--approve {text}", expected="all, or a stage from 1 to 6")


def _show(number: int, title: str, summary: list[str]) -> None:
    """A stage's summary, in lines of at most 80 columns."""
    click.echo(f"Stage {number}  {title}")
    for line in summary:
        click.echo(click.wrap_text(line, 80, initial_indent=" " * 9, subsequent_indent=" " * 11))


def _show_nothing(_number: int, _title: str, _summary: list[str]) -> None:
    """In place of `_show` where the output is for a script."""


def _ask(number: int) -> bool:
    return click.confirm(f"Approve stage {number} and go on?")


def _sources(project: "Project", given: Paths, mysql: str | None) -> "Sources":
    """The inputs that the options name, else those of ddbmig.yaml (relative to its folder)."""
    from ddbmig.analyzers.snapshot import Sources, with_names

    paths = input_paths(project, given)
    if mysql is not None:
        return _server_sources(project, given, paths, mysql)
    check_exist(path for files in paths.values() for path in files)
    key = project.hash_key(path for files in paths.values() for path in files)
    return Sources(**with_names(paths), hash_key=key)


def _server_sources(project: "Project", given: Paths, paths: Paths, url: str) -> "Sources":
    """A running server, and the logs that are read beside it."""
    from ddbmig.analyzers.live import connect
    from ddbmig.analyzers.live_sources import live_sources
    from ddbmig.analyzers.live_statistics import LiveStatistics
    from ddbmig.analyzers.server_login import login

    if given["schema_files"] or given["data"]:
        raise UsageError("--mysql itself gives the schema and the rows", hint="leave --schema and --data out")
    logs = {role: paths[role] for role in ("slow_logs", "general_logs")}
    check_exist(path for files in logs.values() for path in files)
    live = connect(login(url), progress=progress)
    return live_sources(live, LiveStatistics(live, progress=progress), project.out, logs, project.hash_key())


@cli.command(short_help="Run stage 4 alone on the saved design.")
@click.argument("folder", required=False, type=PATH)
@click.option("--alternative", metavar="ALT", help="Which of the design's alternatives (default: the chosen one).")
@click.option("--data", "data", multiple=True, type=PATH, help="mysqldump with the rows, in place of the project's.")
@click.option("--out", type=PATH, help="Folder of the values and reports (default: ./migration).")
@click.option("--json", "as_json", is_flag=True, help="Everything that was found, as JSON.")
@with_settings
@with_engine
@with_quiet
def validate(
    folder: Path | None, alternative: str | None, data: tuple[Path, ...], out: Path | None, as_json: bool,
    settings: tuple[str, ...],
    engine: "Choice", endpoint: str | None, sql_server: str | None, remote: bool,
) -> int:  # fmt: skip
    """Run stage 4 alone on the saved design; exit with 1 where a plan answers otherwise than its SQL.

    FOLDER holds a ddbmig.yaml. What is found of another alternative than the chosen one is kept in files of its name.
    """
    from ddbmig import workflow
    from ddbmig.analyzers.snapshot import Sources, with_names
    from ddbmig.project import open_project

    project = open_project(folder, out, settings)
    rows = input_paths(project, {"data": data})["data"]
    check_exist(rows)
    sources = Sources(**with_names({"data": rows}), hash_key=project.hash_key())
    engines = workflow.Engines(engine, endpoint, remote, sql_server)
    show = _show_nothing if as_json else _show
    found = workflow.Run(project, sources, engines, show=show, progress=progress).validate(alternative)
    if as_json:
        print_json(found.model_dump(mode="json"))
    if workflow.design_is_stale(project, Sources(**with_names(input_paths(project, {})))):
        click.echo("ddbmig: the inputs have changed since the design was made: see ddbmig status", err=True)
    return ExitCode.GATE_FAILED if workflow.disproved(found) else ExitCode.DONE


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_project
def status(as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:
    """Where every stage stands, and what to type next."""
    from ddbmig import workflow
    from ddbmig.analyzers.snapshot import Sources, with_names
    from ddbmig.project import open_project

    project = open_project(folder, out, settings)
    rows = workflow.status(project, Sources(**with_names(input_paths(project, {}))))
    if as_json:
        print_json(workflow.status_data(project, rows))
        return
    for row in rows:
        click.echo(f"{row.stage.number}  {row.stage.title:<28}{row.state}")
        for change in row.changed:
            click.echo(f"     changed: {change}")
    click.echo(workflow.next_step(project, rows))


@cli.command()
@click.argument("stage", type=click.IntRange(1, 6))
@click.option("--artifact", metavar="SHA", help="SHA-256 of the stage's report: other bytes are refused.")
@click.option("--note", help="A sentence for the ledger, e.g. who has read it.")
@with_project
def approve(
    stage: int, artifact: str | None, note: str | None, folder: Path | None, out: Path | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Approve STAGE as it was last written."""
    from ddbmig import workflow
    from ddbmig.project import open_project

    click.echo(workflow.approve(open_project(folder, out, settings), stage, artifact, note))


@cli.command(short_help="Take the approval of STAGE back.")
@click.argument("stage", type=click.IntRange(1, 6))
@click.option("--note", help="A sentence for the ledger, e.g. why.")
@with_project
def reopen(stage: int, note: str | None, folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:
    """Take the approval of STAGE back: the stages after it wait for it again."""
    from ddbmig import workflow
    from ddbmig.project import open_project

    click.echo(workflow.reopen(open_project(folder, out, settings), stage, note))


@cli.command(short_help="What changed in STAGE since it was approved.")
@click.argument("stage", type=click.IntRange(1, 6))
@click.option("--json", "as_json", is_flag=True, help="The changes as JSON.")
@with_project
def diff(stage: int, as_json: bool, folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:
    """What changed in STAGE since it was approved, in its own terms."""
    from ddbmig import workflow
    from ddbmig.project import open_project

    print_changes(workflow.changes(open_project(folder, out, settings), stage), as_json)


@cli.command(short_help="Decide a design or a relationship yourself.")
@click.argument("what")
@click.argument("option")
@with_project
def choose(what: str, option: str, folder: Path | None, out: Path | None, settings: tuple[str, ...]) -> None:
    """Decide: `choose design ALT`, or `choose RELATIONSHIP OPTION`. Stage 3 is then made anew.

    `choose RELATIONSHIP model` hands an open choice to a language model.
    """
    from ddbmig import workflow
    from ddbmig.project import open_project

    click.echo(workflow.decide(open_project(folder, out, settings), what, option))


@cli.command(short_help="Simulate throttling under a SCENARIO file.")
@click.argument("scenario", type=PATH)
@click.argument("folder", required=False, type=PATH)
@click.option("--out", type=PATH, help="Folder of the saved analysis (without a project: ./migration).")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all figures.")
@with_settings
def simulate(
    scenario: Path, folder: Path | None, out: Path | None, as_json: bool, settings: tuple[str, ...]
) -> None:  # fmt: skip
    """Simulate throttling of the saved design under SCENARIO (a YAML file), its alternatives side by side.

    FOLDER holds a ddbmig.yaml whose analysis has reached stage 3. Writes nothing.
    """
    from ddbmig import simulation
    from ddbmig.project import open_project
    from ddbmig.reporters.simulated import comparison_text
    from ddbmig.reporters.terminal import laid_out
    from ddbmig.reporters.weights import weights_of

    snapshot, found = simulation.simulate(open_project(folder, out, settings), scenario)
    if as_json:
        click.echo(found.model_dump_json(indent=1))
        return
    page = comparison_text(found, weights_of(snapshot))
    click.echo(laid_out(page) if sys.stdout.isatty() else page, nl=False)


@cli.command(short_help="Which DynamoDB engines can be had here.")
@click.option("--endpoint", metavar="URL", help="Ask whether this one answers, too.")
@click.option("--yes-this-is-not-local", "remote", is_flag=True, help="Confirm an endpoint beyond this machine.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def doctor(endpoint: str | None, remote: bool, as_json: bool) -> int:
    """Which DynamoDB engines can be had here, and how to get the rest; exit with 2 where there is only a simulation."""
    from ddbmig.validators.engines import examine

    found = examine(endpoint, remote)
    if as_json:
        print_json(found.data())
    else:
        for engine in found.engines:
            click.echo(f"{engine.kind:<10}{'yes' if engine.available else 'no ':<5}{engine.detail}")
        click.echo(found.advice)
    return ExitCode.DONE if found.real else ExitCode.USAGE


for _command in (check, collect, completion, config, contract, digest, explain, export, init, load, narrate, report,
                 rules, verify, waive):  # fmt: skip
    cli.add_command(_command)
