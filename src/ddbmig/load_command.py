"""`ddbmig load`: what is loaded, from where and to where, put together, run, and told.

Nothing is written to an endpoint beyond this machine before its costs were told.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ddbmig.engine.prices import prices_of, read_price_list
from ddbmig.load_ends import LOCAL, Ends, Say, ground_of, opened_source, opened_target, parts_target
from ddbmig.load_parts import REQUEST
from ddbmig.load_sources import Source
from ddbmig.load_state import LoadState
from ddbmig.load_targets import Target
from ddbmig.loaders.chunks import Tally
from ddbmig.loading import Plan, load
from ddbmig.model.base import sha256
from ddbmig.model.contract import Contract, ContractEntry
from ddbmig.model.errors import UsageError
from ddbmig.model.progress import Progress, silent
from ddbmig.model.schema import InputProblem
from ddbmig.model.snapshot import Snapshot
from ddbmig.project import Project, file_sha, price_file, write_file
from ddbmig.reporters.markdown import visible
from ddbmig.validators.engines import CREATING, is_loopback, region_of

REJECTS = "rejects.jsonl"


@dataclass(frozen=True)
class Pacing:
    """How a load goes: in so many processes, with so many items a second at most, from its beginning."""

    jobs: int = 1
    rate: float | None = None
    restart: bool = False


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
    parts: Path | None = None
    """The folder of parts, where they are files."""

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
        if self.parts is not None:
            yield f"The parts are in {self.parts}, with {REQUEST} for each table"


def _sum(tally: Tally) -> str:
    """How the rows add up."""
    parts = [(tally.items, "items"), (tally.rejected, "rejected"), (tally.filtered, "filtered")]
    sums = " + ".join(f"{count:,} {what}" for count, what in parts if count or what == "items")
    incomplete = f"; {tally.incomplete:,} of the items incomplete" if tally.incomplete else ""
    return f"{tally.rows:,} rows = {sums}{incomplete}"


def load_contract(
    project: Project, ends: Ends, pacing: Pacing, say: Say, progress: Progress = silent
) -> Loaded:  # fmt: skip
    """Load by a contract; `say` hears the cost of an endpoint beyond this machine before anything is written there.

    Raises RuleError with all mistakes of a contract, UsageError or InputError where source or target cannot be used.
    """
    ground = ground_of(project, ends)
    with ExitStack() as stack:
        source = stack.enter_context(opened_source(ends, ground, progress))
        if ends.to not in (LOCAL, None) and not is_loopback(urlsplit(ends.to).hostname or ""):
            for line in estimate(project, ground.contract, ground.snapshot, ends.to):
                say(line)
        rate = None if pacing.rate is None else pacing.rate / pacing.jobs
        target: Target = (
            parts_target(ends, ends.export)
            if ends.export is not None
            else stack.enter_context(opened_target(ends, ground, CREATING, rate))
        )
        schema = sha256(ground.snapshot.tables.model_dump_json().encode())
        identity = {"contract": file_sha(ground.path), "schema": schema, **source.identity, **target.identity}
        state = stack.enter_context(LoadState(ground.folder, identity, restart=pacing.restart))
        plan = Plan(ground.contract, ground.snapshot.tables, target, project.hash_key())
        resumed, rejects = state.begun, ground.folder / REJECTS
        try:
            load(plan, source, state, ground.snapshot.statistics, jobs=pacing.jobs, progress=progress)
        finally:
            write_file(rejects, _reject_lines(state, source))
        tallies = {entry.table: (entry.source_table, state.tally(entry.table)) for entry in plan.entries}
    return Loaded(tallies, source.problems, source.lost, rejects, resumed, ends.export)


def _reject_lines(state: LoadState, source: Source) -> Iterator[bytes]:
    """One JSON object a line: rows without an item or with an incomplete one, and what of a dump could not be read."""
    for reject in state.rejects():
        yield json.dumps(reject._asdict()).encode() + b"\n"
    for problem in source.problems:
        unread = {"source": problem.subject, "file": problem.file, "line": problem.line, "reason": problem.message}
        yield json.dumps(unread).encode() + b"\n"


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
