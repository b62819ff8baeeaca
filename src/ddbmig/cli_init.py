"""`ddbmig init`: asks what only people know, and writes it into ddbmig.yaml."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ddbmig.cli_options import PATH, Paths, check_exist
from ddbmig.cli_progress import progress, with_quiet
from ddbmig.model.errors import UsageError

if TYPE_CHECKING:
    from ddbmig.engine.rulebook import Rulebook
    from ddbmig.model.snapshot import Snapshot
    from ddbmig.questions import Question


@click.command(short_help="Ask what only people know, for ddbmig.yaml.")
@click.argument("folder", type=PATH)
@click.option("--schema", "schema_files", multiple=True, type=PATH, help="DDL: mysqldump --no-data, or by hand.")
@click.option("--slow-log", "slow_logs", multiple=True, type=PATH, help="Slow query log, plain or compressed.")
@click.option("--general-log", "general_logs", multiple=True, type=PATH, help="General query log.")
@click.option("--data", "data", multiple=True, type=PATH, help="mysqldump with the rows.")
@click.option("--answers", type=PATH, help="A file with the answers (context, workload, pricing), instead of asking.")
@with_quiet
def init(folder: Path, answers: Path | None, **given: tuple[Path, ...]) -> None:
    """Ask what only people know, and write it into FOLDER/ddbmig.yaml.

    FOLDER is one of `ddbmig collect`, or name the inputs by options. Each question says which rules use the answer and
    what is assumed where it is skipped; suggestions come with their evidence.
    """
    from ddbmig.analyzers.context_evidence import context_hints
    from ddbmig.config import CONFIG
    from ddbmig.project import open_project, read_text, rules_in_force, write_file
    from ddbmig.questions import answers_in, check_unanswered, config_text

    check_unanswered(folder)
    if answers is None and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on", hint="give a file: --answers FILE")
    path = folder / CONFIG
    before = read_text(path) if path.is_file() else _inputs(folder, given)
    said = answers_in(answers) if answers is not None else None
    if not path.is_file():
        write_file(path, before.encode())
    project = open_project(folder, None)
    snapshot = _snapshot(project)
    hints = context_hints(snapshot)
    if said is None:
        said = _ask_all(snapshot, rules_in_force(project))
    write_file(path, config_text(before, said, hints).encode())
    click.echo(
        f"{len(said)} answers in {click.format_filename(path)}. Next: ddbmig analyze {click.format_filename(folder)}"
    )


def _inputs(folder: Path, given: Paths) -> str:
    """The inputs that options name, relative to the folder."""
    import os

    import yaml

    if not given["schema_files"]:
        raise UsageError("no schema given", hint="name a folder of ddbmig collect, or give --schema FILE")
    check_exist(path for files in given.values() for path in files)
    named = {role: [os.path.relpath(path, folder) for path in files] for role, files in given.items() if files}
    text: str = yaml.safe_dump({"inputs": named}, sort_keys=True)
    return text


def _snapshot(project: Any) -> "Snapshot":
    from ddbmig.analyzers.snapshot import Sources, build_snapshot, with_names
    from ddbmig.cli_options import input_paths

    paths = input_paths(project, {})
    check_exist(path for files in paths.values() for path in files)
    sources = Sources(
        **with_names(paths), hash_key=project.hash_key(path for files in paths.values() for path in files)
    )
    return build_snapshot(sources, project.config, progress)


def _ask_all(snapshot: "Snapshot", rulebook: "Rulebook") -> dict[str, Any]:
    from ddbmig.analyzers.context_evidence import context_hints, written_together
    from ddbmig.questions import QUESTIONS, STRONG, question_together
    from ddbmig.reporters.markdown import visible

    click.echo("An empty line skips a question.")
    hints, answers = context_hints(snapshot), dict[str, Any]()
    for question in QUESTIONS:
        hint = hints.get(question.key)
        value = _ask(question, rulebook, hint.value if hint else None, hint.evidence if hint else None)
        if value is not None:
            answers[question.key] = value
    for group in written_together(snapshot):
        if click.confirm(f"\n{visible(question_together(group))}", default=False):
            answers[STRONG] = sorted({*answers.get(STRONG, []), *group.tables})
    return answers


def _ask(question: "Question", rulebook: "Rulebook", suggested: Any, evidence: str | None) -> Any:
    """The answer, or None where it is skipped."""
    from ddbmig.reporters.markdown import visible

    click.echo(f"\n{question.text}")
    click.echo(f"  used by: {question.uses(rulebook)}")
    click.echo(f"  if skipped, assumed: {question.otherwise}")
    if evidence:
        told = f": {suggested} (type = to accept)" if suggested is not None else ""
        click.echo(f"  evidence: {visible(evidence + told)}")
    while True:
        text = click.prompt(f"  {question.expected}", default="", show_default=False).strip()
        if not text:
            return None
        if text == "=" and suggested is not None:
            return suggested
        try:
            return question.read(text)
        except ValueError:
            click.echo(f"  not understood; expected {question.expected}")
