"""Digests -> digest.

`merge` joins the digests of logs of one kind that follow each other; `combine` lays the general log and the slow log of
the same time over each other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from ddbmig.analyzers.sample import merge_values
from ddbmig.model.digest import Digest, Neighbours, NPlusOne, TemplateDigest, Unit

NOTE_RUNS: Final = "N+1 runs of a general log are inferred without row counts."
MAX_NEIGHBOURS: Final = 5_000
"""Pairs kept by `combine`. A single digest keeps all, since cutting a list off does not merge."""
_COVERS: Final = 0.9
"""A slow log with this share of the general log's calls is held to have seen every statement."""
_BIASED_BUCKET: Final = 349
"""Latency bucket of 1 ms: a log whose fastest statement is slower was recorded with long_query_time above 0."""


def template_id(schema_name: str, sql: str) -> str:
    """The stable id of a template, see TemplateDigest."""
    return sha256(f"{schema_name}\n{sql}".encode()).hexdigest()[:12]


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
        edges, joined = join_edges(edges, part.edge_seconds)
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


def join_edges(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
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
