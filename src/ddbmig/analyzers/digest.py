"""Statements -> digest, and digests -> digest.

`merge` joins the digests of logs of one kind that follow each other; `combine` lays the general log and the slow log of
the same time over each other.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from ddbmig.analyzers.normalize import Normalizer, Template, literal_value
from ddbmig.analyzers.sample import Hasher, ValueSample, call_hash, merge_values
from ddbmig.analyzers.units import Call, UnitTracker
from ddbmig.model.digest import Digest, DigestSource, Neighbours, NPlusOne, TemplateDigest, Unit
from ddbmig.model.schema import InputProblem

OWN_MARK: Final = "/* ddbmig */ "
"""Every statement that ddbmig sends to a server begins so: it is none of the application's."""
OWN: Final = "ddbmig's own reading"
NOTE_RUNS: Final = "N+1 runs of a general log are inferred without row counts."
MAX_NEIGHBOURS: Final = 5_000
"""Pairs kept by `combine`. A single digest keeps all, since cutting a list off does not merge."""
_MAX_PROBLEMS: Final = 20
_COVERS: Final = 0.9
"""A slow log with this share of the general log's calls is held to have seen every statement."""
_BIASED_BUCKET: Final = 349
"""Latency bucket of 1 ms: a log whose fastest statement is slower was recorded with long_query_time above 0."""
_BOUNDS: Final = [51**n // 50**n for n in range(1500)]
"""floor(1.02^n): for whole numbers `us <= 1.02^n` and `us <= floor(1.02^n)` say the same, so buckets are exact."""
_OWN_MARK: Final = OWN_MARK.encode()
_VERSION = re.compile(rb"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a log. Times in microseconds; None is unknown. `offset` is its byte in the unpacked file."""

    time_us: int | None
    connection: int | None
    user: str
    schema_name: str
    sql: bytes
    offset: int
    query_us: int | None = None
    rows_sent: int | None = None
    rows_examined: int | None = None
    rows_affected: int | None = None
    ends_at_time: bool = True
    """A slow log notes when a statement ended, a general log when it began."""


def latency_bucket(query_us: int) -> int:
    """n with 1.02^(n-1) < query_us <= 1.02^n; times below one microsecond count as one."""
    return bisect_left(_BOUNDS, max(query_us, 1))


class Collector:
    """Takes the events of one log in order and makes its digest."""

    def __init__(self, kind: Literal["slow", "general"], name: str, key: bytes) -> None:
        self._kind: Final = kind
        self._name = name
        self._hash = Hasher(key)
        self._normalizer = Normalizer()
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._units = UnitTracker()
        self._skipped: Counter[str] = Counter()
        self._problems: list[InputProblem] = []
        self._more_problems = 0
        self._notes: set[str] = set()
        self._flavour = ""
        self._first: int | None = None
        self._last: int | None = None
        self._statements = 0
        self.events = 0

    def event(self) -> None:
        """Count one event, SQL or not."""
        self.events += 1

    def note(self, sentence: str) -> None:
        """Something this source cannot know."""
        self._notes.add(sentence)

    def problem(self, offset: int, message: str) -> None:
        """A piece of the log that was not understood; the first ones are kept, the others counted."""
        if len(self._problems) < _MAX_PROBLEMS:
            self._problems.append(InputProblem(file=self._name, offset=offset, message=message))
        else:
            self._more_problems += 1

    def server(self, version: bytes, comment: bytes) -> None:
        """The header that a server writes when it opens the log: all connections before it are gone."""
        self._units.restart()
        if not self._flavour:
            product = "MariaDB" if b"MariaDB" in version else "Percona Server" if b"Percona" in comment else "MySQL"
            number = _VERSION.search(version)
            self._flavour = f"{product} {number.group(0).decode()}" if number else product

    def disconnect(self, connection: int, time_us: int | None) -> None:
        """A connection ended (or begins anew under the same id)."""
        self._units.disconnect(connection)

    def statement(self, statement: Statement) -> bool:
        """Take one statement: into its template (True), or counted under the reason why it is no access pattern."""
        self._statements += 1
        self._span(statement.time_us)
        if statement.sql.startswith(_OWN_MARK):
            self._skipped[OWN] += 1
            return False
        ansi = self._units.ansi_quotes(statement.connection)
        template, literals, cut = self._normalizer.normalize(statement.sql, ansi_quotes=ansi)
        if template.reason:
            self._skip(statement, template)
            return False
        key = (statement.schema_name, template.sql)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally(statement.schema_name, template)
        values = self._values(template, literals)
        tally.add(statement, template, values, cut)
        tally.limits(template, literals)
        if statement.connection is not None:
            self._units.call(statement.connection, _call(tally.id, statement, template, values))
        return True

    def _values(self, template: Template, literals: Sequence[bytes]) -> list[tuple[int, int]]:
        """(placeholder, hash of the value) per literal."""
        hashed = self._hash
        found = [(slot.placeholder, hashed(literal_value(literals[slot.literal], slot.negative)))
                 for slot in template.slots]  # fmt: skip
        found.extend((placeholder, hashed(value)) for placeholder, value in template.fixed)
        return found

    def _skip(self, statement: Statement, template: Template) -> None:
        self._skipped[template.reason] += 1
        if statement.connection is None:
            return
        if template.control:
            self._units.control(statement.connection, template.control)
        elif template.reason == "session setting":
            self._units.setting(statement.connection, statement.sql)
        elif template.reason in ("schema change", "administration"):
            self._units.implicit_commit(statement.connection)

    def _span(self, time_us: int | None) -> None:
        if time_us is not None:
            self._first = time_us if self._first is None else min(self._first, time_us)
            self._last = time_us if self._last is None else max(self._last, time_us)

    def finish(self, file_sha256: str, size: int) -> Digest:
        """The digest of everything taken. `file_sha256` and `size` are of the file as stored."""
        self._units.finish()
        if self._units.pairs_dropped:
            self.note("There were too many pairs of neighbouring statements; pairs first seen late are not counted.")
        if self._more_problems:
            self._problems.append(
                InputProblem(file=self._name, message=f"{self._more_problems} more problems of these kinds")
            )
        source = DigestSource(
            kind=self._kind,
            name=self._name,
            sha256=file_sha256,
            bytes=size,
            events=self.events,
            statements=self._statements,
            skipped=dict(sorted(self._skipped.items())),
            first_us=self._first,
            last_us=self._last,
            flavour=self._flavour,
        )
        templates = sorted((tally.value() for tally in self._tallies.values()), key=lambda template: template.id)
        return Digest(
            sources=(source,),
            templates=tuple(templates),
            units=self._units.units(),
            runs=self._units.runs(),
            neighbours=self._units.neighbours(),
            problems=tuple(self._problems),
            notes=tuple(sorted(self._notes)),
        )


def template_id(schema_name: str, sql: str) -> str:
    """The stable id of a template, see TemplateDigest."""
    return sha256(f"{schema_name}\n{sql}".encode()).hexdigest()[:12]


def _call(template: str, statement: Statement, shape: Template, values: list[tuple[int, int]]) -> Call:
    took = statement.query_us or 0
    time = statement.time_us
    start = time - took if time is not None and statement.ends_at_time else time
    end = time if statement.ends_at_time or time is None else time + took
    return Call(template, shape.verb, hash(tuple(values)), statement.rows_sent, start, end)


class _Tally:
    """Running sums of one template."""

    def __init__(self, schema_name: str, template: Template) -> None:
        self.id = template_id(schema_name, template.sql)
        self._schema_name = schema_name
        self._template = template
        self._calls = 0
        self._times: list[int] = []
        self._minutes: Counter[int] = Counter()
        self._edges: tuple[int, ...] = ()
        self._second: tuple[int, int] = (-1, 0)
        self._peak = 0
        self._users: set[str] = set()
        self._latency: Counter[int] = Counter()
        self._sums: dict[str, int] = {}
        self._timed = 0
        self._list_sum = 0
        self._list_max = 0
        self._limit_max: int | None = None
        self._offset_calls = 0
        self._samples: dict[int, ValueSample] = {}

    def add(self, statement: Statement, template: Template, values: list[tuple[int, int]], cut: int) -> None:
        """Count one call. `cut` members of its list were cut out before it was tokenised."""
        self._calls += 1
        if statement.time_us is not None:
            self._at(statement.time_us)
        if statement.user:
            self._users.add(statement.user)
        if statement.query_us is not None:
            self._timed += 1
            self._latency[latency_bucket(statement.query_us)] += 1
        for name in ("query_us", "rows_sent", "rows_examined", "rows_affected"):
            number = getattr(statement, name)
            if number is not None:
                self._sums[name] = self._sums.get(name, 0) + number
        length = max(template.list_length, cut)
        self._list_sum += length
        self._list_max = max(self._list_max, length)
        call = call_hash(statement.time_us, statement.connection)
        for placeholder, value in values:
            sample = self._samples.get(placeholder)
            if sample is None:
                sample = self._samples[placeholder] = ValueSample()
            sample.add(value, call)

    def limits(self, template: Template, literals: Sequence[bytes]) -> None:
        """Note the LIMIT of one call."""
        if template.limit is not None and literals[template.limit].isdigit():
            rows = int(literals[template.limit])
            self._limit_max = rows if self._limit_max is None else max(self._limit_max, rows)
        if template.offset is not None and literals[template.offset].strip(b"0"):
            self._offset_calls += 1

    def _at(self, time_us: int) -> None:
        if not self._times:
            self._times = [time_us, time_us]
        elif time_us < self._times[0]:
            self._times[0] = time_us
        elif time_us > self._times[1]:
            self._times[1] = time_us
        second = time_us // 1_000_000
        self._minutes[second // 60] += 1
        run = self._second[1] + 1 if self._second[0] == second else 1
        if run == 1 and len(self._edges) == 2:
            self._edges += (second, 1)
        elif len(self._edges) == 4:
            self._edges = (*self._edges[:2], second, run)
        else:
            self._edges = (second, run)
        self._second = (second, run)
        self._peak = max(self._peak, run)

    def value(self) -> TemplateDigest:
        """The sums as a frozen value."""
        first, last = self._times or (None, None)
        return TemplateDigest(
            id=self.id,
            schema_name=self._schema_name,
            sql=self._template.sql,
            verb=self._template.verb,
            calls=self._calls,
            first_us=first,
            last_us=last,
            minutes=_by_number(self._minutes),
            peak_second_calls=self._peak,
            edge_seconds=self._edges,
            users=tuple(sorted(self._users)),
            query_us=self._sums.get("query_us"),
            latency=_by_number(self._latency),
            rows_sent=self._sums.get("rows_sent"),
            rows_examined=self._sums.get("rows_examined"),
            rows_affected=self._sums.get("rows_affected"),
            timed_calls=self._timed,
            list_length_sum=self._list_sum,
            list_length_max=self._list_max,
            limit_max=self._limit_max,
            offset_calls=self._offset_calls,
            values={str(placeholder): sample.value() for placeholder, sample in sorted(self._samples.items())},
        )


def _by_number(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(number): counts[number] for number in sorted(counts)}


def merge(parts: Sequence[Digest]) -> Digest:
    """The digest of logs of one kind that follow each other in time, such as rotated files; the order matters.

    Associative: any grouping gives the same bytes. It equals the digest of the undivided log (its `sources` and the
    offsets in `problems` apart) if every part names its connections' databases itself and the cuts are at event
    borders where no connection has an open transaction and every connection has been silent for RUN_SILENCE_US (ten
    seconds). At other cuts an open transaction is closed with outcome "open", an N+1 run is judged by its parts, and
    pairs within one second across the cut are not seen. Only the order of parts in the same second can matter to
    `peak_second_calls`.
    """
    units: dict[tuple[str, str, tuple[str, ...]], list[Unit]] = {}
    for unit in (unit for part in parts for unit in part.units):
        units.setdefault((unit.kind, unit.outcome, tuple(sorted(unit.calls))), []).append(unit)
    return Digest(
        sources=tuple(source for part in parts for source in part.sources),
        templates=_merge_templates(template for part in parts for template in part.templates),
        units=tuple(_merge_units(units[key]) for key in sorted(units)),
        runs=_merge_runs(run for part in parts for run in part.runs),
        neighbours=_merge_neighbours(pair for part in parts for pair in part.neighbours),
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=tuple(sorted({note for part in parts for note in part.notes})),
    )


def by_time(parts: Iterable[Digest]) -> list[Digest]:
    """The digests in the order of their first statement, as `merge` wants them."""
    return sorted(parts, key=lambda part: min((source.first_us or 0 for source in part.sources), default=0))


def _merge_templates(templates: Iterable[TemplateDigest]) -> tuple[TemplateDigest, ...]:
    groups: dict[str, list[TemplateDigest]] = {}
    for template in templates:
        groups.setdefault(template.id, []).append(template)
    return tuple(_merge_template(groups[key]) for key in sorted(groups))


def _merge_template(parts: list[TemplateDigest]) -> TemplateDigest:
    if len(parts) == 1:
        return parts[0]
    edges: tuple[int, ...] = ()
    peak = 0
    for part in parts:
        edges, joined = _join_edges(edges, part.edge_seconds)
        peak = max(peak, joined, part.peak_second_calls)
    return parts[0].model_copy(
        update={
            "calls": sum(part.calls for part in parts),
            "first_us": min((part.first_us for part in parts if part.first_us is not None), default=None),
            "last_us": max((part.last_us for part in parts if part.last_us is not None), default=None),
            "minutes": _sum_counts(part.minutes for part in parts),
            "peak_second_calls": peak,
            "edge_seconds": edges,
            "users": tuple(sorted({user for part in parts for user in part.users})),
            "list_length_sum": sum(part.list_length_sum for part in parts),
            "list_length_max": max(part.list_length_max for part in parts),
            "limit_max": max((part.limit_max for part in parts if part.limit_max is not None), default=None),
            "offset_calls": sum(part.offset_calls for part in parts),
            "values": merge_values(part.values for part in parts),
            **_timing(parts),
        }
    )


def _timing(parts: Sequence[TemplateDigest]) -> dict[str, object]:
    """What only a slow log knows, summed."""
    return {
        "query_us": _sum_known(part.query_us for part in parts),
        "latency": _sum_counts(part.latency for part in parts),
        "rows_sent": _sum_known(part.rows_sent for part in parts),
        "rows_examined": _sum_known(part.rows_examined for part in parts),
        "rows_affected": _sum_known(part.rows_affected for part in parts),
        "timed_calls": sum(part.timed_calls for part in parts),
    }


def _join_edges(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """First and last run of equal seconds of two parts in a row, and the length of the run that joins at the border."""
    if not left or not right:
        return left or right, 0
    if left[-2] != right[0]:
        return left[:2] + right[-2:], 0
    joined = (left[-2], left[-1] + right[1])
    first = joined if len(left) == 2 else left[:2]
    last = joined if len(right) == 2 else right[-2:]
    whole = joined if len(left) == len(right) == 2 else first + last
    return whole, joined[1]


def _sum_counts(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return {number: total[number] for number in sorted(total, key=int)}


def _sum_known(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _merge_units(parts: list[Unit]) -> Unit:
    calls: Counter[str] = Counter()
    for part in parts:
        calls.update(part.calls)
    return parts[0].model_copy(
        update={"calls": dict(sorted(calls.items())), "count": sum(part.count for part in parts)}
    )


def _merge_runs(runs: Iterable[NPlusOne]) -> tuple[NPlusOne, ...]:
    groups: dict[tuple[str, str], list[NPlusOne]] = {}
    for run in runs:
        groups.setdefault((run.outer, run.inner), []).append(run)
    return tuple(
        NPlusOne(
            outer=outer,
            inner=inner,
            times=sum(run.times for run in parts),
            executions=sum(run.executions for run in parts),
            rows_matched=sum(run.rows_matched for run in parts),
        )
        for (outer, inner), parts in sorted(groups.items())
    )


def _merge_neighbours(pairs: Iterable[Neighbours]) -> tuple[Neighbours, ...]:
    total: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        total[pair.first, pair.second] += pair.calls
    return tuple(Neighbours(first=one, second=other, calls=calls) for (one, other), calls in sorted(total.items()))


def combine(general: Digest | None, slow: Digest | None) -> Digest:
    """One digest of a general and a slow log of the same time; either may be missing.

    Calls, values, transactions and neighbours come from the general log, times and row counts from the slow log, and
    N+1 runs from the slow log where it saw (nearly) every call, since it knows the row counts they are judged by. A
    template that only one of them holds is kept. The general log knows each connection's database, the slow log does
    not: a statement of the slow log that the general log has in another database only is taken to be that one.
    """
    if general is None or slow is None:
        return _finished(general or slow or Digest())
    twin = _twins(general, slow)
    renamed = [template.model_copy(update={"id": twin[template.id]}) for template in slow.templates]
    groups: dict[str, list[TemplateDigest]] = {}
    for template in renamed:
        groups.setdefault(template.id, []).append(template)
    own = {template.id for template in general.templates}
    templates = [template.model_copy(update=_timing(groups.get(template.id, []))) for template in general.templates]
    templates += [_merge_template(group) for key, group in groups.items() if key not in own]
    calls = sum(template.calls for template in general.templates)
    seen = sum(template.calls for template in slow.templates) >= _COVERS * calls
    judge = _renamed(slow, twin) if seen else general
    notes = {*general.notes, *slow.notes, *_overlap(general, slow)} - ({NOTE_RUNS} if seen else set())
    units = [unit for unit in general.units if unit.kind == "transaction"]
    units += [unit for unit in judge.units if unit.kind == "n_plus_1"]
    return _finished(
        Digest(
            sources=(*general.sources, *slow.sources),
            templates=tuple(sorted(templates, key=lambda template: template.id)),
            units=tuple(sorted(units, key=lambda unit: (unit.kind, unit.outcome, sorted(unit.calls)))),
            runs=judge.runs,
            neighbours=general.neighbours,
            problems=(*general.problems, *slow.problems),
            notes=tuple(sorted(notes)),
        )
    )


def _twins(general: Digest, slow: Digest) -> dict[str, str]:
    """Template id of the slow log -> the template id that the general log has for the same statement."""
    known = {template.id for template in general.templates}
    by_sql: dict[str, TemplateDigest] = {}
    for template in sorted(general.templates, key=lambda template: (-template.calls, template.id)):
        by_sql.setdefault(template.sql, template)
    return {
        template.id: template.id if template.id in known or template.sql not in by_sql else by_sql[template.sql].id
        for template in slow.templates
    }


def _renamed(digest: Digest, names: Mapping[str, str]) -> Digest:
    """The same units and runs under other template ids; those that become one are summed."""
    units = [_rename_unit(unit, names) for unit in digest.units]
    runs = [run.model_copy(update={"outer": names[run.outer], "inner": names[run.inner]}) for run in digest.runs]
    return merge([Digest(units=tuple(units), runs=tuple(runs))])


def _rename_unit(unit: Unit, names: Mapping[str, str]) -> Unit:
    calls: Counter[str] = Counter()
    for template, count in unit.calls.items():
        calls[names[template]] += count
    return unit.model_copy(update={"calls": dict(sorted(calls.items()))})


def _overlap(general: Digest, slow: Digest) -> list[str]:
    """How far the spans of the two logs lie over each other."""
    first, second = _span(general), _span(slow)
    if first is None or second is None:
        return ["Whether the general log and the slow log cover the same time is unknown: one of them has no times."]
    both = max(0, min(first[1], second[1]) - max(first[0], second[0]))
    either = max(first[1], second[1]) - min(first[0], second[0])
    return [
        f"The general log spans {(first[1] - first[0]) / 1e6:.0f} s and the slow log "
        f"{(second[1] - second[0]) / 1e6:.0f} s; they share {both / 1e6:.0f} s of {either / 1e6:.0f} s."
    ]


def _span(digest: Digest) -> tuple[int, int] | None:
    firsts = [source.first_us for source in digest.sources if source.first_us is not None]
    lasts = [source.last_us for source in digest.sources if source.last_us is not None]
    return (min(firsts), max(lasts)) if firsts and lasts else None


def _finished(digest: Digest) -> Digest:
    """Cut the neighbours down to the most frequent and say what only the whole can tell."""
    heaviest = sorted(digest.neighbours, key=lambda pair: (-pair.calls, pair.first, pair.second))[:MAX_NEIGHBOURS]
    notes = set(digest.notes)
    if len(heaviest) < len(digest.neighbours):
        notes.add(
            f"Of {len(digest.neighbours)} pairs of neighbouring statements the {MAX_NEIGHBOURS} heaviest are kept."
        )
    buckets = [int(bucket) for template in digest.templates for bucket in template.latency]
    if buckets and min(buckets) > _BIASED_BUCKET:
        notes.add(
            "No statement of the slow log took less than 1 ms: it is a sample of slow ones, its calls are too few."
        )
    return digest.model_copy(
        update={
            "neighbours": tuple(sorted(heaviest, key=lambda pair: (pair.first, pair.second))),
            "notes": tuple(sorted(notes)),
        }
    )
