"""`ddbmig load`: a contract, where the rows are and where the items go, put together and run.

Nothing is written before the contract was held against the snapshot, the server's tables against the contract, and, for
an endpoint beyond this machine, the costs were told.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ddbmig import contracts
from ddbmig.analyzers.live import Pace, connect
from ddbmig.analyzers.server_login import Login
from ddbmig.engine.prices import prices_of, read_price_list
from ddbmig.load_sources import DumpSource, Source, live_source
from ddbmig.load_state import LoadState
from ddbmig.load_targets import EndpointTarget
from ddbmig.loaders.chunks import Tally
from ddbmig.loading import Plan, load
from ddbmig.model.base import sha256
from ddbmig.model.contract import Contract, ContractEntry
from ddbmig.model.errors import RuleError, UsageError
from ddbmig.model.schema import InputProblem
from ddbmig.model.snapshot import Snapshot
from ddbmig.project import Project, check_writable, file_sha, price_file, write_file
from ddbmig.reporters.markdown import visible
from ddbmig.validators.engines import checked_endpoint, is_loopback, local_tables, region_of

LOCAL = "local"
FOLDER = "load"
"""Below the output folder: the state, the rejected rows, and the tables of DynamoDB Local."""
REJECTS = "rejects.jsonl"
TABLES = "dynamodb-local"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wishes:
    """What is to be loaded, from where and to where, and how."""

    to: str
    """`local`, or the address of an endpoint."""
    server: Login | None = None
    data: tuple[Path, ...] = ()
    contract: Path | None = None
    snapshot: Path | None = None
    state: Path | None = None
    prefix: str = ""
    remote: bool = False
    """The endpoint may be beyond this machine."""
    restart: bool = False
    jobs: int = 1
    rate: float | None = None
    seconds: int = 600


@dataclass(frozen=True)
class Loaded:
    """What became of every row."""

    tallies: Mapping[str, tuple[str, Tally]]
    """By the contract's table: the source table, and the counts."""
    problems: tuple[InputProblem, ...]
    """What of a dump could not be read."""
    lost: int
    """The rows of wanted tables among it."""
    rejects: Path
    resumed: bool
    """It went on where an earlier run had stopped."""

    @property
    def total(self) -> Tally:
        """All tables together; a row counts once for each table that has items of it."""
        return sum((tally for _, tally in self.tallies.values()), Tally())

    @property
    def amiss(self) -> int:
        """Rows that are rejected, incomplete or could not be read."""
        return self.total.rejected + self.total.incomplete + self.lost

    def data(self) -> dict[str, Any]:
        """All counts, for a script."""
        tables = {table: {"source": source, **asdict(tally)} for table, (source, tally) in self.tallies.items()}
        return {"tables": tables, "total": asdict(self.total), "rows_not_read": self.lost, "rejects": str(self.rejects),
                "problems": [problem.model_dump(mode="json") for problem in self.problems]}  # fmt: skip

    def lines(self) -> Iterator[str]:
        """The counts, a table a line, and what is amiss."""
        for table, (_, tally) in self.tallies.items():
            yield f"{table}: {_sum(tally)}"
        tables = len(self.tallies)
        yield f"{tables:,} {'table' if tables == 1 else 'tables'}: {_sum(self.total)}"
        for problem in self.problems:
            yield f"{problem.file}:{problem.line}: {visible(problem.subject)}: {visible(problem.message)}"
        if self.amiss:
            yield f"{self.amiss:,} rows amiss: {self.rejects} says which, and why"


def _sum(tally: Tally) -> str:
    """How the rows add up."""
    parts = [(tally.items, "items"), (tally.rejected, "rejected"), (tally.filtered, "filtered")]
    sums = " + ".join(f"{count:,} {what}" for count, what in parts if count or what == "items")
    incomplete = f"; {tally.incomplete:,} of the items incomplete" if tally.incomplete else ""
    return f"{tally.rows:,} rows = {sums}{incomplete}"


def load_contract(project: Project, wishes: Wishes, say: Say, progress: Say = lambda _: None) -> Loaded:
    """Load by a contract; `say` hears the cost of an endpoint beyond this machine before anything is written there.

    Raises RuleError with all mistakes of a contract, UsageError or InputError where source or target cannot be used.
    """
    path = contracts.contract_file(project, wishes.contract)
    snapshot = contracts.saved_snapshot(project, wishes.snapshot)
    contract = checked_contract(path, snapshot)
    folder = wishes.state or project.out / FOLDER
    check_writable(folder)
    with ExitStack() as stack:
        source = stack.enter_context(opened_source(wishes, contract, snapshot, folder, progress))
        target = stack.enter_context(_opened_target(project, wishes, contract, snapshot, folder, say))
        identity = {"contract": file_sha(path), "schema": _schema_sha(snapshot), **source.identity, **target.identity}
        state = stack.enter_context(LoadState(folder, identity, restart=wishes.restart))
        plan = Plan(contract, snapshot.tables, target, project.hash_key())
        resumed = state.begun
        try:
            load(plan, source, state, snapshot.statistics, jobs=wishes.jobs, progress=progress)
        finally:
            write_file(folder / REJECTS, _reject_lines(state, source))
        tallies = {entry.table: (entry.source_table, state.tally(entry.table)) for entry in plan.entries}
    return Loaded(tallies, source.problems, source.lost, folder / REJECTS, resumed)


def _reject_lines(state: LoadState, source: Source) -> Iterator[bytes]:
    """One JSON object a line: rows without an item or with an incomplete one, and what of a dump could not be read."""
    for reject in state.rejects():
        yield json.dumps(reject._asdict()).encode() + b"\n"
    for problem in source.problems:
        unread = {"source": problem.subject, "file": problem.file, "line": problem.line, "reason": problem.message}
        yield json.dumps(unread).encode() + b"\n"


def checked_contract(path: Path, snapshot: Snapshot) -> Contract:
    """A contract that nothing is wrong with. Raises RuleError with every mistake of it."""
    found = contracts.check(path, snapshot)
    if found.mistakes:
        raise RuleError(found.mistakes)
    return contracts.well_formed(path)


def _schema_sha(snapshot: Snapshot) -> str:
    return sha256(snapshot.tables.model_dump_json().encode())


@contextmanager
def opened_source(
    wishes: Wishes, contract: Contract, snapshot: Snapshot, folder: Path, progress: Say
) -> Iterator[Source]:
    """The rows: a server's or those of dumps. Raises UsageError where neither or both are named."""
    if (wishes.server is None) == (not wishes.data):
        raise UsageError("name where the rows are", expected="--mysql URL, or --data DUMP")
    if wishes.server is None:
        folder.mkdir(parents=True, exist_ok=True)
        yield DumpSource([(path, path.name) for path in wishes.data], snapshot.tables, folder)
        return
    entries = [entry for entry in contract.root if entry.type == "Table"]
    tables = [snapshot.tables.table(source) for source in sorted({entry.source_table for entry in entries})]
    with connect(wishes.server, Pace(wishes.seconds), progress) as live:
        yield live_source(live, snapshot.tables, tables)


@contextmanager
def _opened_target(
    project: Project, wishes: Wishes, contract: Contract, snapshot: Snapshot, folder: Path, say: Say
) -> Iterator[EndpointTarget]:
    rate = None if wishes.rate is None else wishes.rate / wishes.jobs
    if wishes.to == LOCAL:
        with local_tables(folder / TABLES) as url:
            yield EndpointTarget(LOCAL, url, wishes.prefix, rate)
        return
    if not is_loopback(urlsplit(wishes.to).hostname or ""):
        for line in estimate(project, contract, snapshot, wishes.to):
            say(line)
    url = checked_endpoint(wishes.to, wishes.remote)
    yield EndpointTarget(url, url, wishes.prefix, rate)


def estimate(project: Project, contract: Contract, snapshot: Snapshot, endpoint: str) -> Iterator[str]:
    """What the writes of a load cost on demand, by the rows and sizes of the snapshot, in lines."""
    rows = {table: found.rows.value for table, found in snapshot.statistics.items()}
    units = sum(_write_units(entry) * rows.get(entry.source_table, 0.0) for entry in contract.root)
    items = sum(rows.get(entry.source_table, 0.0) for entry in contract.root if entry.type == "Table")
    yield f"{urlsplit(endpoint).hostname}: about {items:,.0f} items, {units:,.0f} write request units"
    pricing = project.config.pricing
    pricing = pricing.model_copy(update={"region": region_of(endpoint) or pricing.region})
    try:
        prices = prices_of(read_price_list(*price_file(project)), pricing)
    except UsageError:
        prices = None
    price = prices.entry("write_per_million") if prices else None
    if price is None:
        yield f"What that costs is not known: the price file has no price of writes in {pricing.region}"
        return
    cost = (Decimal(ceil(units)) * price.usd("write_per_million") / 10**6).quantize(Decimal("0.01"))
    yield f"About ${cost:,} on demand in {pricing.region}, storage apart ({price.quoted})"


def _write_units(entry: ContractEntry) -> int:
    """Write request units of one item, or of its entry in a GSI (A5)."""
    return max(1, ceil(entry.estimated_item_size_bytes / 1024))
