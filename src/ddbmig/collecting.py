"""`ddbmig collect`: a folder with all that `ddbmig analyze` needs of a server, written as a whole or not at all.

The folder is a project: ddbmig.yaml names the schema, the statistics and statements, and a few rows of each table for
stage 4. It is made beside its place under another name and renamed at the end.
"""

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ddbmig.analyzers.growth import with_growth_since
from ddbmig.analyzers.live import LiveCollection, Pace, connect, quoted
from ddbmig.analyzers.live_sources import server_digest
from ddbmig.analyzers.live_statistics import Limits, LiveStatistics
from ddbmig.analyzers.server_login import Login
from ddbmig.analyzers.snapshot import Sources, build_snapshot
from ddbmig.config import CONFIG
from ddbmig.model.context import ProjectConfig
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import UsageError
from ddbmig.model.progress import Progress, silent
from ddbmig.model.schema import Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.project import KEY_FILE, check_writable, new_key, write_file

SCHEMA, ROWS, SNAPSHOT = "schema.sql", "rows.sql.gz", "collected.json"
_ROWS_A_STATEMENT = 200
_IGNORED = f"{KEY_FILE}\n{ROWS}\nmigration/\n"


@dataclass(frozen=True)
class Collected:
    """What a collection found, for the summary."""

    snapshot: Snapshot
    rows: int
    """Rows that were copied."""


@dataclass(frozen=True)
class Wishes:
    """How a server is to be read."""

    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)
    rows: int = 1000
    """Rows of each table that are copied for stage 4."""
    since: Path | None = None
    """The folder of an earlier collection."""


def collect_folder(who: Login, folder: Path, wishes: Wishes, progress: Progress = silent) -> Collected:
    """Read the server into `folder`, which must not be there or be empty.

    Raises UsageError where the server cannot be read or the folder cannot be made; nothing is left of it then.
    """
    _check_new(folder)
    old = _collected_in(wishes.since) if wishes.since else None
    with connect(who, wishes.pace, progress) as live, _as_a_whole(folder) as scratch:
        snapshot, copied = _collect(live, scratch, wishes, progress)
        if old is not None:
            grown = with_growth_since(snapshot.statistics, live.day, old)
            snapshot = snapshot.model_copy(update={"statistics": grown})
        write_file(scratch / SNAPSHOT, snapshot.to_bytes())
        write_file(scratch / CONFIG, _config(copied).encode())
        write_file(scratch / ".gitignore", _IGNORED.encode())
    return Collected(snapshot, copied)


def _collect(live: LiveCollection, scratch: Path, wishes: Wishes, progress: Progress) -> tuple[Snapshot, int]:
    progress("reading the schema")
    write_file(scratch / SCHEMA, live.ddl().encode("utf-8", "replace"))
    key = new_key().encode()
    write_file(scratch / KEY_FILE, key + b"\n", mode=0o600)
    with ExitStack() as stack:
        copies = stack.enter_context(_RowFile(live, scratch / ROWS, wishes.rows)) if wishes.rows else None
        numbers = LiveStatistics(live, wishes.limits, copies.keep if copies else lambda _, __: None, progress)
        sources = Sources(
            schema_files=[(scratch / SCHEMA, SCHEMA)],
            connection=live.connection,
            measure=numbers.measure,
            told=lambda: live.connection,
            digest=server_digest(live, key),
            hash_key=key,
        )
        snapshot = build_snapshot(sources, ProjectConfig(), progress)
    return snapshot, copies.written if copies else 0


class _RowFile:
    """The first rows of each table as INSERT statements, readable by their owner only."""

    def __init__(self, live: LiveCollection, path: Path, most: int) -> None:
        self._live = live
        self._path = path
        self._most = most
        self._counts: dict[str, int] = {}
        self._table: Table | None = None
        self._waiting: list[str] = []
        self.written = 0

    def __enter__(self) -> "_RowFile":
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._raw = os.fdopen(descriptor, "wb")
        self._file = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, compresslevel=6, mtime=0)
        return self

    def __exit__(self, *_: object) -> None:
        with self._raw, self._file:
            self._flush()

    def keep(self, table: Table, row: tuple[Cell, ...]) -> None:
        """Copy a row, unless there are enough of its table."""
        count = self._counts.get(table.id, 0)
        if count >= self._most:
            return
        self._counts[table.id] = count + 1
        if self._table is not table or len(self._waiting) >= _ROWS_A_STATEMENT:
            self._flush()
            self._table = table
        self._waiting.append(f"({','.join(self._live.literal(cell) for cell in row)})")

    def _flush(self) -> None:
        if self._table is not None and self._waiting:
            name = f"{quoted(self._table.schema_name)}.{quoted(self._table.name)}"
            columns = ",".join(quoted(column.name) for column in self._table.columns)
            text = f"INSERT INTO {name} ({columns}) VALUES\n" + ",\n".join(self._waiting) + ";\n"
            self._file.write(text.encode("utf-8", "surrogateescape"))
            self.written += len(self._waiting)
        self._waiting = []


def _config(copied: int) -> str:
    data = f"  data: [{ROWS}]\n" if copied else ""
    return (
        "# Written by ddbmig collect. What only people know is asked by: ddbmig init FOLDER\n"
        f"inputs:\n  schema_files: [{SCHEMA}]\n{data}  snapshots: [{SNAPSHOT}]\n"
    )


def _check_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "name a new folder; --since OLD takes growth from an earlier one"
        raise UsageError("is there already", file=str(folder), expected="a new or empty folder", hint=hint)
    check_writable(folder.absolute().parent)


def _collected_in(folder: Path) -> Snapshot:
    path = folder / SNAPSHOT
    if not path.is_file():
        raise UsageError("no such file", file=str(path), hint="--since names a folder that ddbmig collect wrote")
    return Snapshot.from_file(path)


@contextmanager
def _as_a_whole(folder: Path) -> Iterator[Path]:
    """A folder beside the wanted one, which takes its place at the end or is gone."""
    scratch = folder.absolute().with_name(f".{folder.absolute().name}.{os.getpid()}.tmp")
    scratch.mkdir(parents=True, mode=0o700)
    try:
        yield scratch
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
