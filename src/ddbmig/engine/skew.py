"""How unevenly calls spread: over the values that they ask for, and over the minutes of the logs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ddbmig.engine.evidence import Evidence, Sheet, ratio
from ddbmig.model.digest import KeyValues, TemplateDigest
from ddbmig.model.pattern import AccessPattern

MINUTES_NEEDED = 5
"""Fewer minutes of log have no mean worth the name."""


@dataclass(frozen=True)
class TopShare:
    """The most frequent value's share of the values given, how many those are, and whether a thinned sample tells."""

    share: float
    observed: int
    estimated: bool


def top_share(
    evidence: Evidence, patterns: Iterable[AccessPattern], wanted: Iterable[tuple[str, tuple[str, ...]]]
) -> TopShare | None:
    """The top share over all placeholders on the wanted keys; of composite keys the least, which is an upper bound.

    `wanted` holds (table, key columns); the n-th columns of all keys are one thing (parent key and foreign key).
    """
    patterns, keys = list(patterns), list(wanted)
    shares = []
    for position in range(max((len(columns) for _, columns in keys), default=0)):
        columns = {(table, key[position].lower()) for table, key in keys if len(key) > position}
        shares.append(_top([values for pattern in patterns for values in _values_on(evidence, pattern, columns)]))
    return min((found for found in shares if found), key=lambda found: found.share, default=None)


def most_selective(template: TemplateDigest | None) -> TopShare | None:
    """The top share of the placeholder where it is smallest: a key of them all is at most that hot."""
    found = [_top([values]) for values in template.values.values()] if template else []
    return min((one for one in found if one), key=lambda one: one.share, default=None)


def _top(parts: Iterable[KeyValues]) -> TopShare | None:
    total, top, estimated = 0, dict[str, int](), False
    for values in parts:
        total += values.total
        estimated = estimated or values.floor > 0
        for value, calls in values.top.items():
            top[value] = top.get(value, 0) + calls
    return TopShare(min(1.0, max(top.values()) / total), total, estimated) if total and top else None


def _values_on(evidence: Evidence, pattern: AccessPattern, columns: set[tuple[str, str]]) -> Iterator[KeyValues]:
    template = evidence.templates.get(pattern.template)
    for index, column in enumerate(pattern.params if template else ()):
        if column is None or template is None or column.ref >= len(pattern.refs):
            continue
        values = template.values.get(str(index))
        if values and (pattern.refs[column.ref].table, column.column.lower()) in columns:
            yield values


def put_top_share(sheet: Sheet, name: str, top: TopShare | None, of: float = 1.0, *, estimated: bool = False) -> None:
    """Write a top share down, or that share of a number (`estimated` where the number is)."""
    sheet.put(name, top.share * of if top else None, "query logs", observed=top.observed if top else None,
              estimated=estimated or bool(top and top.estimated))  # fmt: skip


def put_minute_ratio(sheet: Sheet, evidence: Evidence, patterns: Iterable[AccessPattern]) -> None:
    """Write down the busiest minute ÷ the mean minute over the minutes of the logs; missing in short logs."""
    minutes: dict[str, int] = {}
    for pattern in patterns:
        for minute, calls in _minutes(evidence, pattern).items():
            minutes[minute] = minutes.get(minute, 0) + calls
    calls, span = sum(minutes.values()), evidence.minutes_of_log
    busiest = ratio(max(minutes.values(), default=0) * span, calls) if span >= MINUTES_NEEDED else None
    sheet.put("time.minute_ratio", busiest, "query logs", observed=calls)


def _minutes(evidence: Evidence, pattern: AccessPattern) -> Mapping[str, int]:
    template = evidence.templates.get(pattern.template)
    return template.minutes if template else {}
