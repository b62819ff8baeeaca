"""Documentation from the code: the rules' pages, the facts, the commands, the exit codes and the JSON Schemas; and the
computed parts of the explanations.

Without --check it writes them, with it it tells what differs and ends with exit code 1.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from ddbmig.cli import cli
from ddbmig.engine.facts import BY_PHASE, CATALOGUE_VERSION, PHASES, FactDefinition
from ddbmig.engine.rule_schema import LOOKS_AT
from ddbmig.engine.rulebook import load_rules
from ddbmig.model.errors import ExitCode
from ddbmig.packs import recommended
from ddbmig.reporters.markdown import Markup, code, code_block, heading, table, text
from ddbmig.schemas import DOCUMENTS, attribute_docstrings, schema_text
from ddbmig.workflow import STAGES
from rule_pages import index, page, prose
from worked_examples import filled

DOCS = Path(__file__).resolve().parent.parent / "docs"
RENEW = "make docs"
WHOLLY_GENERATED = ("rules", "schemas")
"""Folders in which nothing else is: what is no longer written there is removed."""
EXPLANATION = "explanation"
"""The folder of pages of which only the worked examples are generated."""
WIDTH = 80
"""Columns of a help text, whatever the terminal."""
MARK = f"<!-- Made from the code by scripts/generate_docs.py; to renew: {RENEW} -->\n\n"


def documents() -> dict[str, str]:
    """Every generated file: its path below docs/ and its text."""
    rules = load_rules([recommended()]).rules
    pages = {
        "rules/README.md": index(rules),
        **{f"rules/{rule.id}.md": page(rule) for rule in rules},
        "reference/facts.md": facts(),
        "reference/commands.md": commands(),
        "reference/exit-codes.md": exit_codes(),
        "reference/file-formats.md": file_formats(),
    }
    schemas = {f"schemas/{name}.schema.json": schema_text(name) for name in DOCUMENTS}
    return {**{path: MARK + body for path, body in pages.items()}, **explanations(), **schemas}


def explanations() -> dict[str, str]:
    """The pages written by hand that hold worked examples, with these as they are computed now."""
    found = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in (DOCS / EXPLANATION).glob("*.md")}
    return {path: new for path, old in sorted(found.items()) if "<!-- computed: " in (new := filled(old))}


# --- reference ---


def facts() -> Markup:
    """The catalogue by phase."""
    parts: list[str] = [
        heading(1, "Facts"),
        f"\nThe names that the conditions of rules may use; version {CATALOGUE_VERSION} of the catalogue. A fact that "
        "may be missing needs a guard ([the rule language](rule-language.md)). `ddbmig rules facts` prints the same.\n",
    ]
    for phase in PHASES:
        rows = [_fact_row(fact) for fact in BY_PHASE[phase].values()]
        headers = ("name", "type", "unit", "may be missing", "measured", "meaning")
        parts += ["\n", heading(2, phase), f"\nOf {text(LOOKS_AT[phase])}.\n\n", table(headers, rows)]
    return Markup("".join(parts))


def _fact_row(fact: FactDefinition) -> tuple[str, ...]:
    kind = f"one of: {', '.join(fact.values)}" if fact.values else fact.kind
    return code(fact.name), kind, fact.unit, "yes" if fact.may_be_missing else "no", fact.measured, prose(fact.meaning)


def commands() -> Markup:
    """The help of every command, as a terminal of 80 columns shows it."""
    settings = {**cli.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(cli, info_name="ddbmig", **settings)
    parts: list[str] = [heading(1, "Commands"), "\nWhat `--help` says of each.\n"]
    for one in _with_subcommands(context):
        parts += ["\n", heading(2, one.command_path), "\n", code_block(one.command.get_help(one), "text")]
    return Markup("".join(parts))


def _with_subcommands(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None:
                yield from _with_subcommands(click.Context(command, info_name=name, parent=context))


def exit_codes() -> Markup:
    """What a shell sees, and what it means."""
    meanings = attribute_docstrings(ExitCode)
    rows = [(str(code.value), code.name.lower().replace("_", " "), prose(meanings[code.name])) for code in ExitCode]
    return Markup(
        f"{heading(1, 'Exit codes')}\n{text(ExitCode.__doc__ or '')}\n\n{table(('code', 'name', 'meaning'), rows, {0})}"
    )


def file_formats() -> Markup:
    """The files of a project: what each stage writes, and which formats have a JSON Schema."""
    stages = []
    for stage in STAGES:
        kind = stage.document
        version = str(kind.SCHEMA_VERSION) if kind else "–"
        meaning = _first_paragraph(kind) if kind else "How every row becomes an item, in the format of the guide."
        rows = [(stage.value, version, meaning)] + [
            (name, "–", "The DynamoDB calls of every access pattern.") for name in stage.beside
        ]
        if stage.report != stage.value:
            rows.append((stage.report, "–", "The report for people."))
        stages += [(str(stage.number), code(name), number, prose(text_)) for name, number, text_ in rows]
    schemas = []
    for name in DOCUMENTS:
        title = json.loads(schema_text(name))["title"]
        link = Markup(f"[{name}.schema.json](../schemas/{name}.schema.json)")
        schemas.append((text(title), link, code(f"ddbmig {_schema_command(name)} {name}")))
    intro = (
        "\nJSON files of the stages are canonical: sorted keys, one newline at the end, no time, host or path. A file "
        "that was written under another version of its format is refused with one line; run the stage again.\n\n"
    )
    parts = (
        heading(1, "File formats"),
        intro,
        heading(2, "What the stages write"),
        "\nInto the folder `migration`, or what `out` says.\n\n",
        table(("stage", "file", "version", "what it holds"), stages, {0, 2}),
        "\n",
        heading(2, "Formats with a JSON Schema"),
        "\nFor editors and programs. The command prints the schema.\n\n",
        table(("format", "schema", "command"), schemas),
        "\nThe files beside `ddbmig.yaml` that people write or commit are listed under "
        "[configuration](configuration.md#files-beside-ddbmigyaml), hand-over files under "
        "[export](../how-to/export.md).\n",
    )
    return Markup("".join(parts))


def _schema_command(name: str) -> str:
    """The command that prints a schema: the one whose choices name it."""
    for group in ("config", "rules"):
        command = cli.commands[group].commands["schema"]  # type: ignore[attr-defined]
        if name in command.params[0].type.choices:
            return f"{group} schema"
    raise KeyError(name)


def _first_paragraph(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


# --- writing and comparing ---


def stale(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """The files below a folder that are not as wanted: others, missing, or no longer made."""
    differing = [path for path, body in wanted.items() if _read(folder / path) != body]
    return sorted({*differing, *_left_over(folder, wanted)})


def _left_over(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    there = [path for name in WHOLLY_GENERATED for path in (folder / name).rglob("*") if path.is_file()]
    return [name for path in there if (name := path.relative_to(folder).as_posix()) not in wanted]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


def write(folder: Path, wanted: Mapping[str, str]) -> None:
    """Make the files below a folder as wanted."""
    for name in _left_over(folder, wanted):
        (folder / name).unlink()
    for path, body in wanted.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(body, "utf-8")


def main() -> None:
    """Write, or compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="compare only")
    options.add_argument("folder", nargs="?", type=Path, default=DOCS, help="in place of docs/")
    given = options.parse_args()
    wanted = documents()
    differing = stale(given.folder, wanted)
    if given.check:
        for path in differing:
            print(f"{given.folder.name}/{path} is not what the code says; to renew: {RENEW}")
        sys.exit(1 if differing else 0)
    write(given.folder, wanted)
    print(f"{len(wanted)} generated documents, {len(differing)} of them changed")


if __name__ == "__main__":
    main()
