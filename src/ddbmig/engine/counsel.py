"""What people should know and agree to before they migrate: risks, acknowledgments, and how the design can change."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Literal

from ddbmig.engine.candidates import MAX_INDEXES
from ddbmig.engine.capacity import READ_BLOCK, write_blocks
from ddbmig.engine.costs import MILLION, usd
from ddbmig.engine.wording import dollars, number, show
from ddbmig.model.analysis import RiskItem
from ddbmig.model.assessment import Assessment, Finding
from ddbmig.model.design import Alternative, TableDesign
from ddbmig.model.plan import Plan
from ddbmig.model.prices import Prices
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import PatternResult, Validation

SHOWN = 3
"""Names given before "and N more"."""
_WEIGHT = {"error": 0, "warning": 1, "info": 2}


def risks(findings: Iterable[Finding], patterns: Mapping[str, str]) -> tuple[RiskItem, ...]:
    """One risk per rule that warned or failed, errors first; the rule's warning stands verbatim where it has one.

    `patterns` gives the names of access patterns by their ids.
    """
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.severity != "info" or finding.warning:
            by_rule.setdefault(finding.rule, []).append(finding)
    ordered = sorted(by_rule.items(), key=lambda entry: (min(_WEIGHT[f.severity] for f in entry[1]), entry[0]))
    return tuple(_risk(found, patterns) for _, found in ordered)


def _risk(found: Sequence[Finding], patterns: Mapping[str, str]) -> RiskItem:
    first = min(found, key=lambda f: (_WEIGHT[f.severity], f.subject, f.message))
    subjects = sorted({patterns.get(f.subject, f.subject) for f in found})
    return RiskItem(
        risk=first.warning or f"{first.title.replace('-', ' ')}: {first.message}",
        raised_by=f"{first.rule} {first.title} on {named(subjects)}",
        mitigation=" ".join(first.instead.split()) or "none given by the rule",
    )


def named(names: Sequence[str]) -> str:
    """The first names, and how many more there are; semicolons between names that have commas themselves."""
    rest = len(names) - SHOWN
    between = "; " if any("," in name for name in names[:SHOWN]) else ", "
    return between.join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def acknowledgments(
    snapshot: Snapshot, assessment: Assessment, alternative: Alternative, validation: Validation
) -> tuple[str, ...]:
    """Sentences for a person in a role to tick: each says what is accepted and what it means."""
    patterns = {p.id: p.name for p in snapshot.patterns}
    calls = {rate.pattern: float(rate.calls) for rate in assessment.patterns}
    return (
        *_denormalized(alternative),
        *_eventual(alternative),
        *_routed(alternative.plans, patterns, calls),
        *_unproved(validation, patterns, calls),
    )


def _denormalized(alternative: Alternative) -> Iterable[str]:
    for decision in alternative.decisions:
        if decision.outcome != "separate":
            yield (
                f"Engineering lead: I accept that {decision.relationship} is built as {decision.outcome}: "
                f"{decision.because}. {decision.trade_off} The way back: {decision.rollback}"
            )


def _eventual(alternative: Alternative) -> Iterable[str]:
    indexes = [f"{t.name}/{i.name}" for t in alternative.tables for i in t.indexes]
    if indexes:
        yield (
            f"Application owner: I accept that reads through {len(indexes)} GSIs ({named(indexes)}) may be a moment "
            "behind the table: DynamoDB reads an index eventually consistent only."
        )


def _routed(plans: Sequence[Plan], patterns: Mapping[str, str], calls: Mapping[str, float]) -> Iterable[str]:
    by_reason: dict[str, list[str]] = {}
    for plan in plans:
        if plan.routed:
            by_reason.setdefault(plan.routed[0], []).append(plan.pattern)
    for reason, ids in sorted(by_reason.items()):
        yield (
            f"Product owner: I accept that {_patterns(ids, patterns, calls)} not answered by DynamoDB ({reason}) and "
            "that MySQL or another system keeps answering."
        )


def _unproved(validation: Validation, patterns: Mapping[str, str], calls: Mapping[str, float]) -> Iterable[str]:
    if validation.engine_warning:
        yield f"Engineering lead: I know how far the validation goes: {validation.engine_warning}"
    what = {
        "mismatched": "gave other results than MySQL in stage 4 and must be corrected before migrating",
        "not proved": "not proved equal to MySQL in stage 4 and must be tested by hand",
    }
    for status, consequence in what.items():
        found = [p for p in validation.patterns if p.status == status]
        if found:
            subject = _patterns([p.pattern for p in found], patterns, calls, verb=status != "mismatched")
            yield f"Quality lead: I know that {subject} {consequence}{_reasons(found)}."


def _reasons(found: Sequence[PatternResult]) -> str:
    whys = sorted({p.why for p in found if p.why})
    return f" ({named(whys)})" if whys else ""


def _patterns(ids: Sequence[str], patterns: Mapping[str, str], calls: Mapping[str, float], verb: bool = True) -> str:
    """`2 access patterns (4 % of calls: a, b) are`."""
    total = sum(calls.values())
    part = sum(calls.get(pattern, 0.0) for pattern in ids) / total if total else 0.0
    names = named(sorted(patterns.get(pattern, pattern) for pattern in ids))
    noun = "access pattern" if len(ids) == 1 else "access patterns"
    are = (" is" if len(ids) == 1 else " are") if verb else ""
    return f"{len(ids)} {noun} ({show(part, 'share')} of calls: {names}){are}"


def evolution(alternative: Alternative, prices: Prices) -> tuple[str, ...]:
    """How this design can change later, with what each change takes: derived from its tables, keys, GSIs and copies."""
    largest = max(alternative.tables, key=lambda t: (t.items * t.item_bytes, t.name), default=None)
    if largest is None:
        return ("There are no tables yet: nothing to change.",)
    return (
        *_attribute_changes(alternative, largest, prices),
        *_index_changes(alternative, largest, prices),
        *_key_changes(alternative, prices),
        *_copy_changes(alternative, prices),
        *_lookup_changes(alternative),
        "Any change: change the contract first, load a copy through it and run stage 4 again, then release readers "
        "that accept both shapes before writers that write the new one.",
    )


def _attribute_changes(alternative: Alternative, largest: TableDesign, prices: Prices) -> Iterable[str]:
    yield (
        "Add an attribute: write it with the next PutItem or UpdateItem and let readers take its absence for NULL; no "
        f"table changes. Filling it in for every item is one UpdateItem each: {_backfill(largest, prices)}."
    )
    narrow = [f"{t.name}/{i.name}" for t in alternative.tables for i in t.indexes if i.projection != "ALL"]
    if narrow:
        yield (
            f"Read a further attribute through a GSI: {len(narrow)} GSIs project a part of the item ({named(narrow)}); "
            "a projection cannot be changed, so create a second GSI with the attribute, move readers, delete the first."
        )


def _index_changes(alternative: Alternative, largest: TableDesign, prices: Prices) -> Iterable[str]:
    fullest = max(alternative.tables, key=lambda t: (len(t.indexes), t.name))
    yield (
        "Add a GSI: one per UpdateTable, and the next only when it is ACTIVE. "
        f"{fullest.name} has {len(fullest.indexes)} of {MAX_INDEXES}. Filling one that projects whole items, on "
        f"{largest.name}: {_backfill(largest, prices)}; one created with its table needs no filling."
    )
    if any(t.indexes for t in alternative.tables):
        yield (
            "Change a GSI's key: its keys and its type cannot be altered. Create the new GSI under the name of its "
            "access pattern, move readers, then delete the old one (one change per UpdateTable)."
        )


def _key_changes(alternative: Alternative, prices: Prices) -> Iterable[str]:
    costs = [f"{t.name} {_backfill(t, prices, with_read=True)}" for t in _by_size(alternative.tables)[:SHOWN]]
    yield (
        "Change a table's key, or the type of a column in it: a base key cannot change. Create a new table, write to "
        "both, copy the items over, move readers, drop the old table. The largest tables take: "
        + "; ".join(costs)
        + "."
    )
    composed = [f"{t.name}.{name}" for t in alternative.tables for name, a in t.attributes.items() if a.template]
    if composed:
        yield (
            f"Change a column inside a composed key ({named(composed)}): the key's text holds the columns in order and "
            "width, so a longer or wider column is a change of key. Keep the columns themselves as attributes, as here."
        )


def _copy_changes(alternative: Alternative, prices: Prices) -> Iterable[str]:
    for table in alternative.tables:
        copies = sorted(
            f"{name} (of {a.source_table}.{a.source_column})" for name, a in table.attributes.items() if a.denormalized
        )
        if copies:
            yield (
                f"Split the copies off {table.name} ({named(copies)}): make readers fetch the parent by its key first, "
                "then stop the updates that follow the parent, then REMOVE the attributes: "
                f"{_backfill(table, prices)}. A renamed or retyped source column must be changed in the copies in the "
                "same release."
            )


def _lookup_changes(alternative: Alternative) -> Iterable[str]:
    lookups = [t.name for t in alternative.tables if t.role == "lookup"]
    have = f" as {named(lookups)} do" if lookups else ""
    yield (
        f"Add a unique key: a look-up table{have}, filled before it is enforced; duplicates found while filling must "
        "be resolved first. From then on every writer of the table uses TransactWriteItems."
    )
    if lookups:
        yield "Drop a unique key: take the look-up item out of every writer's transaction first, then delete its table."


def _by_size(tables: Iterable[TableDesign]) -> list[TableDesign]:
    return sorted(tables, key=lambda t: (-t.items * t.item_bytes, t.name))


def _backfill(table: TableDesign, prices: Prices, with_read: bool = False) -> str:
    """What it takes to write every item of a table once: items × units of its average size, at today's price on demand.

    With `with_read` the Scan before it is added (eventually consistent, half a unit per 4 KB).
    """
    per_item = write_blocks(table.item_bytes)
    units = _units(table.items * per_item, "write", prices)
    text = f"{number(round(table.items))} items × {per_item} write units = {units}"
    if with_read:
        text += f" and {_units(ceil(table.items * table.item_bytes / READ_BLOCK) / 2, 'read', prices)}"
    return text


def _units(units: float, kind: Literal["read", "write"], prices: Prices) -> str:
    price = prices.find("read_per_million" if kind == "read" else "write_per_million")
    money = "price not known" if price is None else dollars(usd(units, price / MILLION))
    return f"{number(round(units, 1))} {kind} units ({money})"
