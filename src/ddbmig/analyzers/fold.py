"""Traces -> digest: what the rows of a log add up to.

Rows are taken in pages of a constant number, whatever blocks they came in, so the digest is a function of the sequence
of rows alone. Everything is summed by column for a whole page at once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from ddbmig.analyzers.digest import join_edges, template_id
from ddbmig.analyzers.sample import ValueSample, call_hashes, levels
from ddbmig.analyzers.trace import NONE, Column, Ints, TemplateName, Trace, renumbered
from ddbmig.analyzers.units import UnitTracker
from ddbmig.model.digest import Digest, DigestSource, TemplateDigest
from ddbmig.model.schema import InputProblem

PAGE: Final = 1 << 17
"""Rows of a page: the statements among which N+1 runs and neighbours are looked for."""
_BOUNDS: Final = np.array([51**n // 50**n for n in range(1500)])
"""floor(1.02^n): for whole numbers `us <= 1.02^n` and `us <= floor(1.02^n)` say the same, so buckets are exact."""
_SUMS: Final = {"query_us": Column.QUERY_US, "rows_sent": Column.SENT, "rows_examined": Column.EXAMINED,
                "rows_affected": Column.AFFECTED}  # fmt: skip


class Fold:
    """Takes the traces of one log in order and makes its digest."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._templates: dict[TemplateName, int] = {}
        self._users: dict[str, int] = {}
        self._tallies: list[_Tally] = []
        self._samples: dict[tuple[int, int], ValueSample] = {}
        self._units = UnitTracker()
        self._waiting: list[tuple[Ints, Ints, npt.NDArray[np.uint64]]] = []
        self._rows = 0
        self._rest = Trace()
        """Everything but the rows."""

    def absorb(self, part: Trace) -> None:
        """Take the next trace."""
        self._waiting.append((renumbered(part, self._templates, self._users), part.placeholders, part.hashes))
        self._rows += part.rows.shape[1]
        self._rest.absorb(part)
        while self._rows >= PAGE:
            self._page(PAGE)

    def note(self, sentence: str) -> None:
        """Something this source cannot know."""
        self._rest.notes.add(sentence)

    def problem(self, offset: int, message: str) -> None:
        """A piece of the log that was not understood."""
        self._rest.problem(InputProblem(file=self._name, offset=offset, message=message))

    @property
    def events(self) -> int:
        """Events taken so far, SQL or not."""
        return self._rest.events

    def _page(self, count: int) -> None:
        """Count the first rows that wait."""
        rows = np.concatenate([rows for rows, _, _ in self._waiting], axis=1)
        placeholders = np.concatenate([numbers for _, numbers, _ in self._waiting])
        hashes = np.concatenate([hashes for _, _, hashes in self._waiting])
        values = int(rows[Column.VALUES, :count].sum())
        self._waiting = [(rows[:, count:], placeholders[values:], hashes[values:])]
        self._rows -= count
        for name in list(self._templates)[len(self._tallies) :]:
            self._tallies.append(_Tally(name, template_id(name.schema_name, name.sql)))
        selects = np.array([tally.name.verb == "select" for tally in self._tallies] or [False])
        self._units.page(rows[:, :count], selects)
        calls = rows[:, :count][:, rows[Column.WHAT, :count] >= 0]
        if calls.size:
            self._tally(calls)
            self._sample(calls, placeholders[:values], hashes[:values])

    def _tally(self, rows: Ints) -> None:
        """Add a page of calls to the sums of their templates."""
        rows = rows[:, np.argsort(rows[Column.WHAT], kind="stable")]
        bounds = np.flatnonzero(np.diff(rows[Column.WHAT], prepend=-1))
        names = list(self._users)
        for start, end in zip(bounds.tolist(), [*bounds[1:].tolist(), rows.shape[1]], strict=True):
            self._tallies[int(rows[Column.WHAT, start])].add(rows[:, start:end], names)

    def _sample(self, rows: Ints, placeholders: Ints, hashes: npt.NDArray[np.uint64]) -> None:
        """Add a page of values to the samples of their placeholders."""
        if not len(hashes):
            return
        repeat = rows[Column.VALUES]
        template = np.repeat(rows[Column.WHAT], repeat)
        drawn = levels(hashes, np.repeat(call_hashes(rows[Column.TIME], rows[Column.CONNECTION]), repeat))
        order = np.lexsort((drawn, hashes, placeholders, template))
        keys = np.stack([template[order], placeholders[order]])
        bounds = np.flatnonzero((np.diff(keys, axis=1, prepend=-1) != 0).any(axis=0)).tolist()
        hashes, drawn = hashes[order], drawn[order]
        for start, end in zip(bounds, [*bounds[1:], len(order)], strict=True):
            where = (int(keys[0, start]), int(keys[1, start]))
            sample = self._samples.get(where)
            if sample is None:
                sample = self._samples[where] = ValueSample()
            sample.add_sorted(hashes[start:end], drawn[start:end])

    def finish(self, kind: Literal["slow", "general"], file_sha256: str, size: int) -> Digest:
        """The digest of everything taken. `file_sha256` and `size` are of the file as stored."""
        if self._rows:
            self._page(self._rows)
        self._units.finish()
        rest = self._rest
        if self._units.pairs_dropped:
            rest.notes.add(
                "There were too many pairs of neighbouring statements; pairs first seen late are not counted."
            )
        problems = rest.problems
        if rest.more_problems:
            problems = [*problems, InputProblem(file=self._name, message=f"{rest.more_problems} more problems of these "
                                                                         "kinds")]  # fmt: skip
        source = DigestSource(
            kind=kind,
            name=self._name,
            sha256=file_sha256,
            bytes=size,
            events=rest.events,
            statements=rest.statements,
            skipped=dict(sorted(rest.skipped.items())),
            first_us=rest.first_us,
            last_us=rest.last_us,
            flavour=rest.flavour,
        )
        names = [tally.id for tally in self._tallies]
        return Digest(
            sources=(source,),
            templates=tuple(sorted(self._values(), key=lambda template: template.id)),
            units=self._units.units(names),
            runs=self._units.runs(names),
            neighbours=self._units.neighbours(names),
            problems=tuple(problems),
            notes=tuple(sorted(rest.notes)),
        )

    def _values(self) -> list[TemplateDigest]:
        samples: dict[int, dict[str, ValueSample]] = {}
        for template, placeholder in sorted(self._samples):
            samples.setdefault(template, {})[str(placeholder)] = self._samples[template, placeholder]
        return [tally.value(samples.get(number, {})) for number, tally in enumerate(self._tallies)]


@dataclass(slots=True)
class _Seconds:
    """Runs of calls in one second: the longest, and the first and last as TemplateDigest.edge_seconds wants them."""

    peak: int = 0
    edges: tuple[int, ...] = ()

    def add(self, seconds: Ints) -> None:
        """Go on with the seconds of further calls, at least one."""
        starts = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
        lengths = np.diff(np.append(starts, len(seconds)))
        own = [(int(seconds[at]), int(length)) for at, length in ((starts[0], lengths[0]), (starts[-1], lengths[-1]))]
        self.peak = max(self.peak, int(lengths.max()))
        if len(starts) == 1:
            own = own[:1]
        joined = join_edges(self.edges, tuple(number for run in own for number in run))
        self.edges = joined[0]
        self.peak = max(self.peak, joined[1])


@dataclass(slots=True)
class _Tally:
    """Running sums of one template."""

    name: TemplateName
    id: str
    calls: int = 0
    first: int | None = None
    last: int | None = None
    minutes: Counter[int] = field(default_factory=Counter)
    runs: _Seconds = field(default_factory=_Seconds)
    users: set[str] = field(default_factory=set)
    latency: Counter[int] = field(default_factory=Counter)
    sums: dict[str, int] = field(default_factory=dict)
    timed: int = 0
    list_sum: int = 0
    list_max: int = 0
    limit_max: int | None = None
    offset_calls: int = 0

    def add(self, rows: Ints, users: list[str]) -> None:
        """Count the calls of these rows, in order."""
        self.calls += rows.shape[1]
        self._times(rows[Column.TIME][rows[Column.TIME] != NONE])
        self.users.update(users[number] for number in _counts(rows[Column.USER]))
        self.users.discard("")
        took = rows[Column.QUERY_US][rows[Column.QUERY_US] != NONE]
        self.timed += len(took)
        self.latency.update(_counts(latency_buckets(took)))
        for name, column in _SUMS.items():
            known = rows[column][rows[column] != NONE]
            if known.size:
                self.sums[name] = self.sums.get(name, 0) + int(known.sum())
        self.list_sum += int(rows[Column.LENGTH].sum())
        self.list_max = max(self.list_max, int(rows[Column.LENGTH].max()))
        limit = int(rows[Column.LIMIT].max())
        if limit != NONE:
            self.limit_max = limit if self.limit_max is None else max(self.limit_max, limit)
        self.offset_calls += int(rows[Column.OFFSET].sum())

    def _times(self, times: Ints) -> None:
        if not times.size:
            return
        first, last = int(times.min()), int(times.max())
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        seconds = times // 1_000_000
        self.minutes.update(_counts(seconds // 60))
        self.runs.add(seconds)

    def value(self, samples: Mapping[str, ValueSample]) -> TemplateDigest:
        """The sums as a frozen value."""
        return TemplateDigest(
            id=self.id,
            schema_name=self.name.schema_name,
            sql=self.name.sql,
            verb=self.name.verb,
            calls=self.calls,
            first_us=self.first,
            last_us=self.last,
            minutes=_by_number(self.minutes),
            peak_second_calls=self.runs.peak,
            edge_seconds=self.runs.edges,
            users=tuple(sorted(self.users)),
            query_us=self.sums.get("query_us"),
            latency=_by_number(self.latency),
            rows_sent=self.sums.get("rows_sent"),
            rows_examined=self.sums.get("rows_examined"),
            rows_affected=self.sums.get("rows_affected"),
            timed_calls=self.timed,
            list_length_sum=self.list_sum,
            list_length_max=self.list_max,
            limit_max=self.limit_max,
            offset_calls=self.offset_calls,
            values={placeholder: sample.value() for placeholder, sample in samples.items()},
        )


def latency_buckets(query_us: Ints) -> Ints:
    """n with 1.02^(n-1) < query_us <= 1.02^n for each; times below one microsecond count as one."""
    return np.searchsorted(_BOUNDS, np.maximum(query_us, 1), side="left")


def _counts(numbers: Ints) -> dict[int, int]:
    found, counts = np.unique(numbers, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _by_number(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(number): counts[number] for number in sorted(counts)}
