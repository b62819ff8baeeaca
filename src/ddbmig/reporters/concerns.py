"""What people asked for, held against what was measured, and which access patterns their words are about."""

import re
from collections.abc import Iterable, Sequence

from ddbmig.model.context import Requirement
from ddbmig.model.digest import TemplateDigest
from ddbmig.model.latency import P95, P99, quantile_ms
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.markdown import Markup, code, number, table, text
from ddbmig.reporters.pages import LongTable, names, plural, say
from ddbmig.reporters.weights import Weights

MOST_PATTERNS = 3
"""The heaviest access patterns that are named beside a sentence."""
Measured = tuple[float, int] | None


# --- latency ---


def requirement_table(snapshot: Snapshot) -> Markup:
    """Each requirement against all timed calls that it is about."""
    rows = []
    for required in sorted(snapshot.context.requirements, key=lambda one: (one.table, one.p99_ms)):
        p95, p99 = _measured(_templates_of(snapshot, required.table))
        calls = plural(p99[1], "timed call") if p99 else Markup("–")
        rows.append(
            (code(required.table), *_required(required), _ms(p95), _ms(p99), calls, _verdict(required, p95, p99))
        )
    headers = ("table", "p95 required", "p99 required", "p95 of MySQL", "p99 of MySQL", "measured", "verdict")
    return table(headers, rows, (1, 2, 3, 4, 5))


def latency_table(snapshot: Snapshot, weights: Weights) -> LongTable:
    """Each access pattern against the strictest requirement on any of its tables, those that fail first."""
    templates = {template.id: template for template in snapshot.digest.templates}
    rows = []
    for key in weights.by_calls(weights.patterns):
        pattern = weights.patterns[key]
        required = snapshot.requirement_of(pattern)
        if required is None:
            continue
        p95, p99 = _measured([templates[pattern.template]] if pattern.template in templates else [])
        row = (weights.label(key), *_required(required), _ms(p95), _ms(p99), _verdict(required, p95, p99))
        rows.append((_fails(required, p95, p99), row))
    ordered = [row for _, row in sorted(rows, key=lambda one: not one[0])]
    headers = ("access pattern", "p95 required", "p99 required", "p95 of MySQL", "p99 of MySQL", "verdict")
    return LongTable("Latency of access patterns", headers, ordered, (1, 2, 3, 4), by="verdict and calls")


def _measured(templates: Sequence[TemplateDigest]) -> tuple[Measured, Measured]:
    return quantile_ms(templates, P95), quantile_ms(templates, P99)


def _required(required: Requirement) -> tuple[Markup, Markup]:
    p95 = Markup("–") if required.p95_ms is None else say("{} ms", number(required.p95_ms))
    return p95, say("{} ms", number(required.p99_ms))


def _ms(found: Measured) -> Markup:
    return Markup("–") if found is None else say("{} ms", number(found[0], 3))


def _fails(required: Requirement, p95: Measured, p99: Measured) -> bool:
    over = p95 is not None and required.p95_ms is not None and p95[0] > required.p95_ms
    return over or (p99 is not None and p99[0] > required.p99_ms)


def _verdict(required: Requirement, p95: Measured, p99: Measured) -> Markup:
    if p99 is None:
        return Markup("not measured")
    return Markup("**fail**" if _fails(required, p95, p99) else "pass")


def _templates_of(snapshot: Snapshot, wanted: str) -> list[TemplateDigest]:
    tables = {one.id for one in snapshot.tables.tables if wanted in ("*", one.id, one.name)}
    ids = {p.template for p in snapshot.patterns if tables & {ref.table for ref in p.refs}}
    return [template for template in snapshot.digest.templates if template.id in ids]


# --- words ---


def concern(sentence: str, snapshot: Snapshot, weights: Weights) -> Markup:
    """A sentence with the tables that it names and their heaviest access patterns."""
    tables = tables_named(sentence, ((one.id, one.name) for one in snapshot.tables.tables))
    if not tables:
        return say("{} (names no table)", sentence)
    touching = [key for key, p in weights.patterns.items() if set(tables) & {ref.table for ref in p.refs}]
    heaviest = weights.by_calls(touching)[:MOST_PATTERNS]
    if not heaviest:
        return say("{} – {}: no access pattern", sentence, names(tables))
    more = len(touching) - len(heaviest)
    listed = Markup(", ".join(weights.label(key) for key in heaviest))
    return say(
        "{} – {}: {}{}", sentence, names(tables), listed, say(" and {} more", number(more)) if more else text("")
    )


def tables_named(sentence: str, tables: Iterable[tuple[str, str]]) -> list[str]:
    """Ids of the tables, given as (id, name), whose name stands in the sentence: as it is, with blanks for its
    underscores, or in the singular. Words that are one table's name are no part of another's."""
    words, found = f" {_plain(sentence)} ", []
    for table_id, name in sorted(tables, key=lambda one: (-len(one[1]), one)):
        plain = _plain(name)
        singular = f"{plain[:-3]}y" if plain.endswith("ies") else plain.removesuffix("s")
        for form in (plain, singular):
            if form and f" {form} " in words:
                words = words.replace(f" {form} ", " , ")
                found.append(table_id)
    return sorted(set(found))


def _plain(words: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", words.lower()))
