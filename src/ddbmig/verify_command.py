"""`ddbmig verify`: a contract's tables held against the rows they come from, and what is found told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from ddbmig.load_ends import Ends, ground_of, opened_source, opened_target
from ddbmig.loading import Plan
from ddbmig.model.progress import Progress, silent
from ddbmig.project import Project
from ddbmig.reporters.markdown import visible
from ddbmig.verifying import Difference, Looking, Verified, Verifier

MOST_TOLD = 10
"""Differences of one table that are told; all that were looked into are in the JSON."""
_PURPOSE = "its tables may be read, twice where they differ; that costs read request units"


@dataclass(frozen=True)
class Verification:
    """What was found of every table."""

    tables: tuple[Verified, ...]
    looking: Looking

    @property
    def differs(self) -> bool:
        """Whether anything is not as it should be."""
        return any(one.differs for one in self.tables)

    def data(self) -> dict[str, Any]:
        """All of it, for a script."""
        tables = {one.entry.table: _data(one) for one in self.tables}
        return {"differs": self.differs, "looking": asdict(self.looking), "tables": tables}

    def lines(self) -> Iterator[str]:
        """A table a line, with its differences below."""
        for one in self.tables:
            yield _line(one)
            for difference in one.differences[:MOST_TOLD]:
                yield f"  {_told(difference)}"
            if len(one.differences) > MOST_TOLD:
                yield f"  … and {len(one.differences) - MOST_TOLD:,} more"
        items = sum(one.found for one in self.tables)
        differing = sum(one.differs for one in self.tables)
        yield f"{len(self.tables):,} tables, {items:,} items: {differing or 'none'} of the tables differ"
        sampled = sum(one.sampled for one in self.tables)
        how = f"--sample {self.looking.sample} --seed {self.looking.seed}"
        yield f"{sampled:,} rows were compared value by value ({how})"


def verify_contract(project: Project, ends: Ends, looking: Looking, progress: Progress = silent) -> Verification:
    """Hold the tables of a contract against its rows.

    Raises RuleError with all mistakes of a contract, UsageError or InputError where source or target cannot be read.
    """
    ground = ground_of(project, ends)
    with ExitStack() as stack:
        source = stack.enter_context(opened_source(ends, ground, progress))
        target = stack.enter_context(opened_target(ends, ground, _PURPOSE))
        plan = Plan(ground.contract, ground.snapshot.tables, target, project.hash_key())
        verifier = Verifier(plan, source, target, ground.snapshot.statistics, progress)
        return Verification(verifier.verify(looking), looking)


def _line(one: Verified) -> str:
    due = one.due
    apart = [(due.rejected, "without an item"), (due.filtered, "filtered"), (due.incomplete, "incomplete")]
    notes = "".join(f", {count:,} {what}" for count, what in apart if count)
    kinds = Counter(difference.kind for difference in one.differences)
    found = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    verdict = f"DIFFERS in {len(one.ranges):,} of the key ranges: {found}" if one.ranges else f"DIFFERS: {found}"
    settled = f"; {one.settled:,} key ranges were being written" if one.settled else ""
    name = one.entry.table
    if one.entry.enforces is not None:
        name += f" (of the unique key {visible(one.entry.enforces.unique_key)})"
    return f"{name}: {due.rows:,} rows{notes}; {due.items:,} items due, {one.found:,} found; " + (
        verdict if one.differs else "the same"
    ) + settled  # fmt: skip


def _told(one: Difference) -> str:
    where = f"row {one.row:,} in the order of the primary key" if one.row else "no row"
    attributes = f": {', '.join(map(visible, one.attributes))}" if one.attributes else ""
    return f"{one.kind}, key range {one.range}, {where}, key {one.key[:12]}…{attributes}"


def _data(one: Verified) -> dict[str, Any]:
    return {
        "source": one.entry.source_table, **asdict(one.due), "found": one.found, "ranges": sorted(one.ranges),
        "settled": one.settled, "sampled": one.sampled, "differs": one.differs,
        "differences": [difference._asdict() for difference in one.differences],
    }  # fmt: skip
