"""What changed in a stage since its approval, in the stage's own terms: verdicts, designs, proofs, money."""

import re
from collections.abc import Iterator, Mapping
from functools import singledispatch
from typing import Any

from ddbmig.engine.contract import contract_of
from ddbmig.engine.contract_diff import contract_changes
from ddbmig.engine.wording import dollars, number, show, visible
from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment, Finding, RelationshipAssessment
from ddbmig.model.base import Document
from ddbmig.model.change import Change
from ddbmig.model.contract import Contract
from ddbmig.model.design import Alternative, Design
from ddbmig.model.schema import Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation

SHARE_POINTS = 0.01
"""A pattern's part of all calls must move by this much to be a change of its own."""


def stage_changes(old: Document | Contract, new: Document | Contract) -> tuple[Change, ...]:
    """The differences between two values of one stage. Raises TypeError for values of two stages."""
    if type(old) is not type(new):
        raise TypeError(f"{type(old).__name__} and {type(new).__name__}")
    return tuple(_changes(old, new))


@singledispatch
def _changes(old: Any, new: Any) -> Iterator[Change]:
    raise TypeError(type(old).__name__)


# --- stage 1 ---


@_changes.register
def _snapshot(old: Snapshot, new: Snapshot) -> Iterator[Change]:
    inputs = [{f"{file.role} {file.name}": file.sha256[:12] for file in value.inputs} for value in (old, new)]
    yield from _texts("input", inputs[0], inputs[1])
    tables = [{table.id: table for table in value.tables.tables} for value in (old, new)]
    yield from _texts("table", *({k: f"{len(t.columns)} columns" for k, t in found.items() if k not in other}
                                 for found, other in (tables, tables[::-1])))  # fmt: skip
    for name in sorted(tables[0].keys() & tables[1].keys()):
        yield from _texts("", *({f"{name}{k}": v for k, v in _table(value[name]).items()} for value in tables))
    yield from _texts("rows", *({k: number(s.rows.value) for k, s in value.statistics.items()} for value in (old, new)))
    yield from _texts("access pattern", *({p.name: p.id for p in value.patterns} for value in (old, new)))
    yield from _shares(old, new)
    told = [{f"{part}.{key}": str(told) for part in ("context", "workload", "pricing", "scope")
             for key, told in getattr(value, part).model_dump(mode="json", exclude_defaults=True).items()}
            for value in (old, new)]  # fmt: skip
    yield from _texts("declared", told[0], told[1])


def _table(table: Table) -> dict[str, str]:
    columns = {f".{c.name}": c.type + (" NULL" if c.nullable else "") for c in table.columns}
    keys = {f" {index.kind} {index.name}": ", ".join(index.columns) for index in table.indexes}
    foreign = {f" foreign key {', '.join(key.columns)}": key.parent for key in table.foreign_keys}
    return {**columns, " primary key": ", ".join(table.primary_key), **keys, **foreign}


def _shares(old: Snapshot, new: Snapshot) -> Iterator[Change]:
    """Calls in all, and the patterns whose part of them has moved."""
    calls = [{t.id: t.calls for t in value.digest.templates} for value in (old, new)]
    totals = [sum(found.values()) for found in calls]
    yield from _one("the workload", "calls", f"{totals[0]:,}", f"{totals[1]:,}")
    for pattern in new.patterns:
        parts = [found.get(pattern.template, 0) / max(1, total) for found, total in zip(calls, totals, strict=True)]
        if pattern.template in calls[0] and abs(parts[0] - parts[1]) >= SHARE_POINTS:
            yield from _one(visible(pattern.name), "share of calls", *(show(part, "share") for part in parts))


# --- stage 2 ---


@_changes.register
def _assessment(old: Assessment, new: Assessment) -> Iterator[Change]:
    yield from _one("the workload", "it stands for", old.rates.represents, new.rates.represents)
    found = [{a.relationship.id: a for a in value.relationships} for value in (old, new)]
    yield from _texts("relationship", *({k: a.verdict for k, a in one.items() if k not in other}
                                        for one, other in (found, found[::-1])))  # fmt: skip
    for name in sorted(found[0].keys() & found[1].keys()):
        yield from _verdict(visible(name), found[0][name], found[1][name])
    yield from _findings(old.findings, new.findings)
    yield from _texts("choice", *({c.id: c.question for c in value.choices} for value in (old, new)))


def _verdict(name: str, old: RelationshipAssessment, new: RelationshipAssessment) -> Iterator[Change]:
    if old.verdict == new.verdict:
        yield from _one(name, "forbidden", _forbidden(old), _forbidden(new))
        return
    yield Change(subject=name, what="verdict", before=old.verdict, after=new.verdict, because=_because(old, new))


def _forbidden(assessed: RelationshipAssessment) -> str:
    return ", ".join(f"{option} by {rule}" for option, rule in sorted(assessed.forbidden.items())) or "nothing"


def _because(old: RelationshipAssessment, new: RelationshipAssessment) -> tuple[str, ...]:
    """The facts that moved among those of the rules that fire in one of the two only; else those rules."""
    lines = [{(line.rule, line.option): line for line in assessed.ledger} for assessed in (old, new)]
    differ = [line for key in sorted(lines[0].keys() ^ lines[1].keys())
              for line in (lines[0].get(key), lines[1].get(key)) if line is not None]  # fmt: skip
    words = {word for line in differ for text in line.because for word in re.findall(r"[\w.]+", text)}
    moved = [
        f"{name} {show(was.value, was.unit)} -> {show(now.value, now.unit)}"
        for name, was in sorted(old.facts.items())
        if name in words and (now := new.facts.get(name)) is not None and now.value != was.value
    ]
    fired = {line.rule for line in lines[0].values()}
    rules = (f"{'no longer' if line.rule in fired else 'now'} {line.rule} {line.title}" for line in differ)
    return tuple(moved or rules)


def _findings(old: tuple[Finding, ...], new: tuple[Finding, ...]) -> Iterator[Change]:
    yield from _texts("finding", *({f"{f.rule} {f.subject}": f"{f.severity}: {f.message}" for f in found}
                                   for found in (old, new)))  # fmt: skip


# --- stage 3 ---


@_changes.register
def _design(old: Design, new: Design) -> Iterator[Change]:
    yield from _one("the design", "alternative", old.chosen, new.chosen)
    yield from _texts("alternative", *({a.id: f"{dollars(a.cost.total_usd)} a month" for a in value.alternatives}
                                       for value in (old, new)))  # fmt: skip
    chosen = [value.alternative(value.chosen) for value in (old, new)]
    yield from contract_changes(contract_of(chosen[0], {}), contract_of(chosen[1], {}))
    yield from _texts("outcome", *({d.relationship: d.outcome for d in a.decisions} for a in chosen))
    yield from _texts("plan", *(_plans(alternative) for alternative in chosen))
    yield from _findings(chosen[0].findings, chosen[1].findings)


def _plans(alternative: Alternative) -> dict[str, str]:
    """Per pattern what its plan uses, or why it is routed."""
    return {
        plan.pattern: f"routed: {plan.routed[0]}" if plan.routed
        else f"{', '.join(plan.uses) or 'nothing'} in {plan.round_trips} round trips"
        for plan in alternative.plans
    }  # fmt: skip


# --- stages 4 to 6 ---


@_changes.register
def _validation(old: Validation, new: Validation) -> Iterator[Change]:
    yield from _one("the validation", "engine", old.engine, new.engine)
    yield from _one("the validation", "alternative", old.alternative, new.alternative)
    yield from _texts("check", *({check.name: check.verdict for check in value.checks} for value in (old, new)))
    yield from _texts("access pattern", *({p.pattern: p.status for p in value.patterns} for value in (old, new)))
    yield from _findings(old.findings, new.findings)


@_changes.register
def _analysis(old: Analysis, new: Analysis) -> Iterator[Change]:
    yield from _one("the analysis", "alternative", old.alternative, new.alternative)
    for case in ("best_usd", "expected_usd", "worst_usd"):
        amounts = (f"{dollars(getattr(value, case))} a month" for value in (old, new))
        yield from _one("cost", f"{case.removesuffix('_usd')} case", *amounts)
    yield from _texts("metric", *({m.name: show(m.value, m.unit) for m in value.metrics} for value in (old, new)))
    yield from _texts("effort", *({e.name: f"{number(e.low_days)} to {number(e.high_days)} person-days"
                                   for e in value.efforts} for value in (old, new)))  # fmt: skip
    yield from _texts("risk", *({f"{r.raised_by}": r.risk for r in value.risks} for value in (old, new)))
    yield from _texts("acknowledgment", *(dict.fromkeys(value.acknowledgments, "to be ticked") for value in (old, new)))
    yield from _findings(old.findings, new.findings)


@_changes.register
def _contract(old: Contract, new: Contract) -> Iterator[Change]:
    yield from contract_changes(old, new)


# --- shared ---


def _one(subject: str, what: str, before: str, after: str) -> Iterator[Change]:
    if before != after:
        yield Change(subject=subject, what=what, before=visible(before), after=visible(after))


def _texts(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    """The entries that are new, gone, or say something else, by name."""
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield Change(subject=visible(name), what=what, before=None if before is None else visible(before),
                         after=None if after is None else visible(after))  # fmt: skip
