"""From rows to loaded items: chunk after chunk by the contract, on several processes, and nothing lost without a line.

Where the keys of two rows of a table can be one, its chunks are taken one after the other, so that always the first row
has the item. Chunks become true in their order, each together with the place up to which its table is done.
"""

import json
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from ddbmig.load_sources import Chunk, Source, Wanted, chunk_rows
from ddbmig.load_state import LoadState
from ddbmig.load_targets import Sink, Target
from ddbmig.loaders.chunks import Earlier, Reject, RowKeys, Tally, make_items, refuse
from ddbmig.loaders.encoder import Copy, Encoder, Row, copies_of, keys_are_distinct
from ddbmig.model.contract import Contract, ContractEntry
from ddbmig.model.progress import Progress, silent
from ddbmig.model.schema import Schema
from ddbmig.model.statistics import TableStatistics


@dataclass(frozen=True)
class Plan:
    """What is loaded, and to where. `secret` keys the hashes that name rejected rows."""

    contract: Contract
    schema: Schema
    target: Target
    secret: bytes

    @property
    def entries(self) -> tuple[ContractEntry, ...]:
        """The tables of the contract."""
        return tuple(entry for entry in self.contract.root if entry.type == "Table")

    @property
    def indexes(self) -> tuple[ContractEntry, ...]:
        """The entries that tell of GSIs."""
        return tuple(entry for entry in self.contract.root if entry.type == "GSI")

    def of(self, source: str) -> tuple[ContractEntry, ...]:
        """The entries that have their items from one source table."""
        return tuple(entry for entry in self.entries if entry.source_table == source)

    def wanted(self, statistics: Mapping[str, TableStatistics]) -> tuple[Wanted, ...]:
        """What must be read, in the order of the contract."""
        return tuple(
            Wanted(self.schema.table(source), copies_of(self.of(source)), _chunk_rows(statistics.get(source)))
            for source in dict.fromkeys(entry.source_table for entry in self.entries)
        )


def rows_in(wanted: Iterable[Wanted], statistics: Mapping[str, TableStatistics]) -> int:
    """The rows that are to be read, as far as the statistics know them."""
    return sum(round(statistics[one.table.id].rows.value) for one in wanted if one.table.id in statistics)


def _chunk_rows(known: TableStatistics | None) -> int:
    return chunk_rows(known.item_bytes.value, known.rows.value) if known else chunk_rows(0)


class Result(NamedTuple):
    """What became of a chunk's rows for one entry."""

    entry: str
    tally: Tally
    rejects: list[Reject]


class Loader:
    """Makes and writes items in one process."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sink: Sink = plan.target.open()
        self._copies: dict[str, tuple[Copy, ...]] = {}
        self._encoders: dict[str, tuple[Encoder, RowKeys]] = {}

    def load(self, entry: ContractEntry, rows: Sequence[Row], first: int, earlier: Earlier | None = None) -> Result:
        """Load the items of some rows, the first of which has this place in its table."""
        encoder, keys = self._encoder(entry)
        made = make_items(encoder, rows, first, keys, earlier)
        refused = self._sink.write(entry, made.items, first)
        refuse(made, encoder, rows, first, keys, refused)
        return Result(entry.table, made.tally, made.rejects)

    def _encoder(self, entry: ContractEntry) -> tuple[Encoder, RowKeys]:
        if entry.table not in self._encoders:
            copies = copies_of(self._plan.of(entry.source_table))
            encoder = Encoder(entry, self._plan.schema, copies)
            self._encoders[entry.table] = encoder, RowKeys(encoder, self._plan.secret)
        return self._encoders[entry.table]

    def close(self) -> None:
        """Free what the sink holds."""
        self._sink.close()


def load(
    plan: Plan, source: Source, state: LoadState, statistics: Mapping[str, TableStatistics], *, jobs: int = 1,
    progress: Progress = silent,
) -> None:  # fmt: skip
    """Load what is not loaded yet; `state` then knows what became of every row.

    Raises UsageError or InputError where source or target fail: called again, it goes on.
    """
    wanted = plan.wanted(statistics)
    done = {one.table.id: state.mark(one.table.id) for one in wanted}
    places = {table: rows for table, (_, rows) in done.items()}
    target = json.dumps(plan.target.identity)
    ours = state.fact("target") == target
    plan.target.prepare(plan.entries, plan.indexes, ours=ours, begun=state.begun, done=places)
    state.begin(target)
    apart = {e.table for e in plan.entries if keys_are_distinct(e, plan.schema.table(e.source_table))}
    with closing(Loader(plan)) as own, _loaders(plan, own, jobs) as submit:
        for chunk, results in _ahead(plan, source.chunks(wanted, done), dict(places), apart, submit, jobs):
            first = places[chunk.source] + 1
            for entry in plan.of(chunk.source):
                if entry.table not in apart:
                    results.append(own.load(entry, chunk.rows, first, state.earlier(entry.table)))
            for result in results:
                state.add(*result)
            places[chunk.source] += len(chunk.rows)
            if chunk.mark is not None:
                state.commit(chunk.source, chunk.mark, places[chunk.source])
            progress("loading the rows", sum(places.values()), rows_in(wanted, statistics))
    plan.target.finish(plan.entries, plan.indexes, {entry.table: state.tally(entry.table) for entry in plan.entries})


_Submit = Callable[[ContractEntry, Sequence[Row], int], Future[Result]]


def _ahead(
    plan: Plan, chunks: Iterator[Chunk], places: dict[str, int], apart: set[str], submit: _Submit, jobs: int
) -> Iterator[tuple[Chunk, list[Result]]]:
    """Chunks in their order with what was made of them by entries whose keys are distinct, a few worked on ahead."""
    waiting: deque[tuple[Chunk, list[Future[Result]]]] = deque()
    for chunk in chunks:
        first = places[chunk.source] + 1
        places[chunk.source] += len(chunk.rows)
        entries = [entry for entry in plan.of(chunk.source) if entry.table in apart]
        waiting.append((chunk, [submit(entry, chunk.rows, first) for entry in entries]))
        while len(waiting) > jobs:
            yield _finished(waiting.popleft())
    while waiting:
        yield _finished(waiting.popleft())


def _finished(one: tuple[Chunk, list[Future[Result]]]) -> tuple[Chunk, list[Result]]:
    return one[0], [future.result() for future in one[1]]


@contextmanager
def _loaders(plan: Plan, own: Loader, jobs: int) -> Iterator[_Submit]:
    """Loads in other processes, or in this one where there is to be one only."""
    if jobs == 1:

        def at_once(entry: ContractEntry, rows: Sequence[Row], first: int) -> Future[Result]:
            future: Future[Result] = Future()
            future.set_result(own.load(entry, rows, first))
            return future

        yield at_once
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin, (plan,)) as pool:
        try:
            yield lambda entry, rows, first: pool.submit(_load, entry, rows, first)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_own: Loader
"""That of a process which loads for another."""


def _begin(plan: Plan) -> None:
    global _own  # noqa: PLW0603  # a worker has no other place for what its initializer makes
    _own = Loader(plan)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed load must not write on behind the back of the one that is started after it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _load(entry: ContractEntry, rows: Sequence[Row], first: int) -> Result:
    return _own.load(entry, rows, first)
