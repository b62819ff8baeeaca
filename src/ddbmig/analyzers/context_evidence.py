"""What logs and data suggest about the application's context: a value for a person to accept, and why.

Nothing here is taken for an answer: what nobody accepted stays assumed.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ddbmig.model.latency import quantile_ms
from ddbmig.model.snapshot import Snapshot

MOST_TOGETHER: Final = 10
"""Groups of tables that are asked about, those of the most transactions."""
_WRITES: Final = frozenset({"insert", "update", "delete", "replace"})


class Hint(NamedTuple):
    """A value that the evidence suggests; None where it only helps to answer."""

    value: Any
    evidence: str


class Together(NamedTuple):
    """Tables that so many committed transactions changed together."""

    tables: tuple[str, ...]
    transactions: int


def context_hints(snapshot: Snapshot) -> Mapping[str, Hint]:
    """Hints by the key of the question in ddbmig.yaml."""
    found = {
        "context.growth_percent_per_month": _growth(snapshot),
        "context.owners": _owners(snapshot),
        "context.requirements": _latency(snapshot),
    }
    return {key: hint for key, hint in found.items() if hint is not None}


def _growth(snapshot: Snapshot) -> Hint | None:
    """The mean of the tables' growth, weighted by their rows."""
    grown = [(one.growth.value, one.rows.value) for one in snapshot.statistics.values() if one.growth is not None]
    rows = sum(weight for _, weight in grown)
    if not rows:
        return None
    value = round(sum(growth * weight for growth, weight in grown) / rows, 1)
    return Hint(value, f"measured in {len(grown)} of {len(snapshot.statistics)} tables, weighted by their rows")


def _owners(snapshot: Snapshot) -> Hint | None:
    """Tables that one user of MySQL alone writes, where there are several users: users often stand for services."""
    templates = {template.id: template for template in snapshot.digest.templates}
    writers: dict[str, set[str]] = {}
    for pattern in snapshot.patterns:
        template = templates.get(pattern.template)
        if template is not None and template.verb in _WRITES and pattern.refs:
            writers.setdefault(pattern.refs[0].table, set()).update(template.users)
    if len(set[str]().union(*writers.values())) < 2:
        return None
    value = {table: next(iter(users)) for table, users in sorted(writers.items()) if len(users) == 1}
    return Hint(value, "the one user of MySQL that writes the table in the logs") if value else None


def _latency(snapshot: Snapshot) -> Hint | None:
    measured = quantile_ms(snapshot.digest.templates)
    if measured is None:
        return None
    return Hint(None, f"MySQL's 99th percentile was {measured[0]:.3g} ms over {measured[1]:,} timed calls")


def written_together(snapshot: Snapshot) -> tuple[Together, ...]:
    """The groups of tables that transactions of the log changed together, the most frequent first (at most 10). Whether
    they must is what no log can tell."""
    written = {
        pattern.template: pattern.refs[0].table
        for pattern in snapshot.patterns
        if pattern.kind in _WRITES and pattern.refs
    }
    counts: dict[tuple[str, ...], int] = {}
    for unit in snapshot.digest.units:
        tables = tuple(sorted({written[template] for template in unit.calls if template in written}))
        if unit.kind == "transaction" and unit.outcome == "commit" and len(tables) > 1:
            counts[tables] = counts.get(tables, 0) + unit.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Together(tables, count) for tables, count in ordered[:MOST_TOGETHER])
