"""The two ends of a load, and the contract between them, opened as a command names them.

The contract is held against the snapshot and the server's tables against the contract before anything is read.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ddbmig import contracts
from ddbmig.analyzers.live import Pace, connect
from ddbmig.analyzers.server_login import Login
from ddbmig.load_parts import BUCKET, Compression, PartsTarget
from ddbmig.load_sources import DumpSource, Source, live_source
from ddbmig.load_targets import EndpointTarget
from ddbmig.model.contract import Contract
from ddbmig.model.errors import RuleError, UsageError
from ddbmig.model.snapshot import Snapshot
from ddbmig.project import Project, check_writable
from ddbmig.validators.engines import checked_endpoint, local_tables

LOCAL = "local"
FOLDER, EXPORT_FOLDER = "load", "load-export"
"""Below the output folder: the state, the rejected rows, and the tables of DynamoDB Local."""
TABLES = "dynamodb-local"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ends:
    """Where rows and items are, by options: `to` is `local` or the address of an endpoint, `server` or `data` the
    source, `state` the folder for what must be kept, `seconds` the most that one statement may take."""

    to: str | None
    export: Path | None = None
    """The folder for parts, in place of an endpoint."""
    compression: Compression = "gzip"
    s3: str | None = None
    """Where the parts will be: s3://bucket/prefix."""
    server: Login | None = None
    data: tuple[Path, ...] = ()
    contract: Path | None = None
    snapshot: Path | None = None
    state: Path | None = None
    prefix: str = ""
    remote: bool = False
    """The endpoint may be beyond this machine."""
    seconds: int = 600


@dataclass(frozen=True)
class Ground:
    """What a load rests on: the contract's file and its content, the snapshot, and the folder for what is kept."""

    path: Path
    contract: Contract
    snapshot: Snapshot
    folder: Path


def ground_of(project: Project, ends: Ends) -> Ground:
    """The contract and snapshot that are named, else the project's.

    Raises RuleError with every mistake of the contract, UsageError where something is not there.
    """
    path = contracts.contract_file(project, ends.contract)
    snapshot = contracts.saved_snapshot(project, ends.snapshot)
    found = contracts.check(path, snapshot)
    if found.mistakes:
        raise RuleError(found.mistakes)
    if (ends.to is None) == (ends.export is None):
        raise UsageError("name where the items go", expected="--to local|URL, or for files --export FOLDER")
    folder = ends.state or project.out / (FOLDER if ends.export is None else EXPORT_FOLDER)
    check_writable(folder)
    return Ground(path, contracts.well_formed(path), snapshot, folder)


@contextmanager
def opened_source(ends: Ends, ground: Ground, progress: Say) -> Iterator[Source]:
    """The rows: a server's or those of dumps. Raises UsageError where neither or both are named."""
    if (ends.server is None) == (not ends.data):
        raise UsageError("name where the rows are", expected="--mysql URL, or --data DUMP")
    tables = ground.snapshot.tables
    if ends.server is None:
        yield DumpSource([(path, path.name) for path in ends.data], tables)
        return
    names = sorted({entry.source_table for entry in ground.contract.root if entry.type == "Table"})
    with connect(ends.server, Pace(ends.seconds), progress) as live:
        yield live_source(live, tables, [tables.table(name) for name in names])


@contextmanager
def opened_target(ends: Ends, ground: Ground, purpose: str, rate: float | None = None) -> Iterator[EndpointTarget]:
    """The tables, for a purpose in words: that of the confirmation which an endpoint beyond this machine needs."""
    if ends.to == LOCAL:
        with local_tables(ground.folder / TABLES) as url:
            yield EndpointTarget(LOCAL, url, ends.prefix, rate)
        return
    url = checked_endpoint(ends.to or "", ends.remote, purpose)
    yield EndpointTarget(url, url, ends.prefix, rate)


def parts_target(ends: Ends, folder: Path) -> PartsTarget:
    """The folder of parts. Raises UsageError where it cannot be written, or `s3` is no address of S3."""
    check_writable(folder)
    scheme, mark, rest = (ends.s3 or f"s3://{BUCKET}").partition("://")
    bucket, _, below = rest.partition("/")
    if scheme != "s3" or not mark or not bucket:
        raise UsageError("no address of S3", subject=ends.s3 or "", expected="s3://bucket or s3://bucket/prefix")
    return PartsTarget(folder, ends.compression, bucket, below.strip("/"), ends.prefix)
