"""All sources of one application put together: the Snapshot, stage 1's value."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ddbmig.analyzers.ddl import read_ddl
from ddbmig.analyzers.digest import by_time, combine, merge
from ddbmig.analyzers.dump import DumpReader
from ddbmig.analyzers.files import open_input
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.logs import is_saved
from ddbmig.analyzers.patterns import read_patterns
from ddbmig.analyzers.slow_log import read_slow_log
from ddbmig.analyzers.statistics import (
    Columns,
    GroupOf,
    collect_statistics,
    declared_groups,
    statistics_without_data,
)
from ddbmig.model.context import Context, ProjectConfig, Scope
from ddbmig.model.digest import Digest
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import InputError, UsageError
from ddbmig.model.pattern import AccessPattern, Skipped
from ddbmig.model.progress import Progress, silent
from ddbmig.model.schema import InputProblem, Schema, Table
from ddbmig.model.snapshot import Connection, InputFile, ScopedOut, Snapshot
from ddbmig.model.statistics import TableStatistics

Files = Sequence[tuple[Path, str]]
"""Paths, each with the name that reports show."""

Measure = Callable[[Schema, Mapping[str, Collection[Columns]], Mapping[GroupOf, GroupOf]], dict[str, TableStatistics]]
"""Takes the schema, groups and parents as `collect_statistics` does."""

UNREADABLE = ("unknown table", "not understood", "not decodable")
"""Beginnings of the reasons that mean: we did not understand this statement of the application."""


@dataclass(frozen=True)
class Sources:
    """Where everything is read from. `rows` stands in for `data` where a live server gives them."""

    schema_files: Files = ()
    slow_logs: Files = ()
    general_logs: Files = ()
    data: Files = ()
    connection: Connection | None = None
    rows: Callable[[Schema], Iterator[tuple[str, tuple[Cell, ...]]]] | None = None
    measure: Measure | None = None
    """How a live server is measured."""
    told: Callable[[], Connection] | None = None
    """The live server once everything was asked: what it did not tell is known only then."""
    digest: Digest | None = None
    """What a server's own statement digests say, used where there is no log."""
    snapshots: Files = ()
    """The file of `saved`, where it is one of the project's inputs."""
    saved: Snapshot | None = None
    """An earlier snapshot: it gives the schema and statements for which there is no file, and the statistics."""
    hash_key: bytes = b"ddbmig"
    notes: tuple[str, ...] = field(default=())

    def data_rows(self, schema: Schema) -> Iterator[tuple[str, tuple[Cell, ...]]] | None:
        """The source rows, or None where no data was given."""
        if self.rows is not None:
            return self.rows(schema)
        return DumpReader(self.data, schema).rows() if self.data else None


def with_names(paths: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """The arguments of Sources for files by role: each with the name that reports show."""
    return {role: [(path, path.name) for path in files] for role, files in paths.items()}


def build_snapshot(sources: Sources, config: ProjectConfig, progress: Progress = silent) -> Snapshot:
    """Read every source once. Raises UsageError or InputError where a file cannot be used at all."""
    saved = saved_in(sources)
    if not sources.schema_files and saved is None:
        raise UsageError("no schema given", hint="give --schema FILE (mysqldump --no-data), or --mysql URL")
    progress("reading the schema")
    schema = read_ddl(sources.schema_files) if sources.schema_files or saved is None else saved.tables
    if sources.connection is not None or sources.snapshots:
        schema = _without_places(schema)
    scoped_out = scoped_tables(schema, config.scope)
    check_names(schema, config.context)
    digest = _digest(sources, saved, progress)
    progress("reading the statements")
    patterns, skipped = read_patterns(digest, schema)
    progress("measuring the data")
    statistics, problems = _statistics(sources, saved, schema, patterns, digest)
    return Snapshot(
        inputs=_inputs(sources, digest),
        connection=_connection(sources, saved),
        tables=schema.model_copy(update={"problems": tuple(dict.fromkeys((*schema.problems, *problems)))}),
        scoped_out=scoped_out,
        statistics=statistics,
        digest=digest,
        patterns=patterns,
        skipped=skipped,
        context=config.context,
        workload=config.workload,
        pricing=config.pricing,
        scope=config.scope,
    )


def _without_places(schema: Schema) -> Schema:
    """The schema of a server: the file that its DDL was copied to is nobody's source text."""
    nowhere = {"file": "", "line": 0, "at_column": 0}
    tables = []
    for table in schema.tables:
        keys = {
            "indexes": tuple(key.model_copy(update={"at": None}) for key in table.indexes),
            "foreign_keys": tuple(key.model_copy(update={"at": None}) for key in table.foreign_keys),
        }
        tables.append(table.model_copy(update={**nowhere, **keys}))
    return schema.model_copy(update={"tables": tuple(tables)})


def _connection(sources: Sources, saved: Snapshot | None) -> Connection | None:
    if sources.told is not None:
        return sources.told()
    return sources.connection or (saved.connection if saved else None)


def saved_in(sources: Sources) -> Snapshot | None:
    """The snapshot that statistics and statements come from, if there is one. Raises UsageError for more than one."""
    if len(sources.snapshots) > 1:
        names = ", ".join(name for _, name in sources.snapshots)
        raise UsageError("more than one snapshot", file=names, subject="inputs.snapshots", hint="name one")
    if sources.saved is None and sources.snapshots:
        return Snapshot.from_file(sources.snapshots[0][0])
    return sources.saved


def _digest(sources: Sources, saved: Snapshot | None, progress: Progress) -> Digest:
    general, slow = [], []
    for path, name in sources.general_logs:
        progress(f"reading {name}")
        general.append(
            _saved(path) or read_general_log(path, name, key=sources.hash_key, progress=_read(path, name, progress))
        )
    for path, name in sources.slow_logs:
        progress(f"reading {name}")
        slow.append(
            _saved(path) or read_slow_log(path, name, key=sources.hash_key, progress=_read(path, name, progress))
        )
    if not general and not slow:
        if saved is not None:
            return saved.digest
        return sources.digest or Digest(notes=("No query log was given: there are no access patterns.",))
    return combine(merge(by_time(general)) if general else None, merge(by_time(slow)) if slow else None)


def _read(path: Path, name: str, progress: Progress) -> Callable[[int], None]:
    """Tells how many bytes of a log are read."""
    size = path.stat().st_size if path.is_file() else 0
    return lambda done: progress(f"reading {name}", done, size)


def _saved(path: Path) -> Digest | None:
    """The digest in a file that holds one in place of a log."""
    return Digest.from_file(path) if is_saved(path) else None


def _statistics(
    sources: Sources, saved: Snapshot | None, schema: Schema, patterns: Sequence[AccessPattern], digest: Digest
) -> tuple[dict[str, TableStatistics], tuple[InputProblem, ...]]:
    groups, parents = declared_groups(schema)
    for table, columns in _asked_groups(schema, patterns):
        groups.setdefault(table, set()).add(columns)
    if sources.measure is not None:
        return sources.measure(schema, groups, parents), ()
    if saved is not None or not sources.data:
        assumed = statistics_without_data(schema, _rows_seen(patterns, digest))
        known = saved.statistics if saved else {}
        return {table: known.get(table, found) for table, found in assumed.items()}, _data_problems(saved)
    reader = DumpReader(sources.data, schema)
    statistics = collect_statistics(reader.rows(), schema, groups, parents)
    if not any(table.rows.value for table in statistics.values()):
        raise InputError(
            "no row of any table of the schema in the data",
            file=", ".join(name for _, name in sources.data),
            expected="a mysqldump with INSERT statements",
            hint="check that the data belongs to this schema, or leave it out",
        )
    return statistics, reader.problems


def _data_problems(saved: Snapshot | None) -> tuple[InputProblem, ...]:
    """What was not understood of the data that a snapshot was made from."""
    if saved is None:
        return ()
    files = {file.name for file in saved.inputs if file.role == "data"}
    return tuple(problem for problem in saved.tables.problems if problem.file in files)


def _asked_groups(schema: Schema, patterns: Sequence[AccessPattern]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Columns whose rows per value matter: those that indexes start with and that statements compare or join."""
    for table in schema.tables:
        for index in table.indexes:
            if all(table.has_column(c) for c in index.columns):
                yield table.id, index.columns
                yield table.id, index.columns[:1]
        for length in range(1, len(table.primary_key)):
            yield table.id, table.primary_key[:length]
    for pattern in patterns:
        for join in pattern.joins:
            for own, other in join.on:
                for column in (own, other):
                    yield pattern.refs[column.ref].table, (column.column,)


def _rows_seen(patterns: Sequence[AccessPattern], digest: Digest) -> dict[str, int]:
    """The most rows that one statement on a table returned or changed: at least so many there are."""
    templates = {template.id: template for template in digest.templates}
    found: dict[str, int] = {}
    for pattern in patterns:
        template = templates[pattern.template]
        rows = max(template.rows_sent or 0, template.rows_affected or 0) // max(1, template.timed_calls)
        for ref in pattern.refs:
            found[ref.table] = max(found.get(ref.table, 0), rows)
    return found


def scoped_tables(schema: Schema, scope: Scope) -> tuple[ScopedOut, ...]:
    """The tables that are not migrated, by the project's scope. Raises UsageError for a pattern that fits no table."""
    for field_name, globs in (("include", scope.include), ("exclude", scope.exclude),
                              ("stay_on_mysql", scope.stay_on_mysql)):  # fmt: skip
        for glob in globs:
            if not any(_fits(table, (glob,)) for table in schema.tables):
                raise UsageError(
                    f"scope.{field_name} names {glob}, which fits no table",
                    file="ddbmig.yaml",
                    hint="see the schema's tables",
                )
    found = []
    for table in schema.tables:
        if _fits(table, scope.stay_on_mysql):
            found.append(ScopedOut(table=table.id, why="stays on MySQL by the project's scope", stays_on_mysql=True))
        elif scope.include and not _fits(table, scope.include):
            found.append(ScopedOut(table=table.id, why="not in scope.include", stays_on_mysql=False))
        elif _fits(table, scope.exclude):
            found.append(ScopedOut(table=table.id, why="in scope.exclude", stays_on_mysql=False))
    return tuple(found)


def check_names(schema: Schema, context: Context) -> None:
    """Raise UsageError with a suggestion for a table that the context names and the schema does not have."""
    known = {name for table in schema.tables for name in (table.id, table.name)} | {"*"}
    named = (("owners", context.owners), ("security_contexts", context.security_contexts),
             ("strong_consistency", context.strong_consistency),
             ("requirements", [required.table for required in context.requirements]))  # fmt: skip
    for field_name, names in named:
        for name in names:
            if name not in known:
                close = get_close_matches(name, sorted(known), 1)
                hint = f"did you mean {close[0]}?" if close else "see the schema's tables"
                raise UsageError(f"context.{field_name} names {name}, which is no table", file="ddbmig.yaml", hint=hint)


def _fits(table: Table, globs: Collection[str]) -> bool:
    names = {table.id, table.name, f"{table.schema_name}.{table.name}"}
    return any(fnmatchcase(name, glob) for name in names for glob in globs)


def _inputs(sources: Sources, digest: Digest) -> tuple[InputFile, ...]:
    """Provenance: logs were hashed while they were read, the rest is hashed here."""
    read = {(str(s.kind), s.name): (s.sha256, s.bytes) for s in digest.sources}
    found = []
    roles = (("schema", sources.schema_files), ("general", sources.general_logs), ("slow", sources.slow_logs),
             ("data", sources.data), ("snapshot", sources.snapshots))  # fmt: skip
    for role, files in roles:
        for path, name in files:
            sha, size = read.get((role, name)) or fingerprint(path)
            found.append(InputFile(role=role, name=name, sha256=sha, bytes=size))
    return tuple(found)


def fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file as stored."""
    with open_input(path) as opened:
        for _ in opened.lines():
            pass
        return opened.sha256, opened.size


def not_understood(snapshot: Snapshot) -> tuple[float, tuple[Skipped, ...]]:
    """Share of the logs' statements that we did not understand, and under which reasons."""
    total = sum(t.calls for t in snapshot.digest.templates)
    lost = tuple(s for s in snapshot.skipped if s.reason.startswith(UNREADABLE))
    return (sum(s.calls for s in lost) / total if total else 0.0), lost


def check_understood(snapshot: Snapshot, tolerance: float) -> None:
    """Raise InputError where more than `tolerance` of the statements were not understood."""
    share, lost = not_understood(snapshot)
    if share <= tolerance:
        return
    worst = max(lost, key=lambda s: (s.calls, s.reason)).reason
    why = "they use tables that are not in the schema" if worst == "unknown table" else worst
    logs = ", ".join(sorted({s.name for s in snapshot.digest.sources}))
    raise InputError(
        f"{share:.0%} of the statements were not understood, most of them because: {why}",
        file=logs,
        expected=f"at most {tolerance:.0%} (tolerance.statements_not_understood)",
        hint="check that the log belongs to this schema; Stage1_MySQLAnalysis.md lists the reasons",
    )
