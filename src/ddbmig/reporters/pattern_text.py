"""How an access pattern is answered, in plain text of 80 columns: its calls, their cost, other ways, and its proof."""

import json
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from ddbmig.model.explanation import Answer, PatternExplanation, Proved
from ddbmig.reporters.markdown import visible

WIDTH = 80
_BODY = 6
"""Columns before the fields of a call."""
_WORDS = ("As", "PerRow", "ForEach", "Join", "Match", "Copies", "If", "ConditionIf", "ConditionElse", "IfNull",
          "IfRefused", "IfPresent", "IfAbsent", "Purpose")  # fmt: skip
"""Fields that are the plan's own; they follow those of DynamoDB."""
Fields = Mapping[str, Any]


def pattern_text(found: PatternExplanation) -> str:
    """The explanation as lines for a terminal."""
    plan = found.plan
    parts = (
        _head(plan),
        _summary(found),
        _calls(plan) if "ddb_query_plan" in plan else (),
        _names(plan),
        _paragraph(f"Relies on: {plan['relies_on']}") if plan.get("relies_on") else (),
        _answers(found.answers),
        _proof(found.proof),
    )
    written = ["".join(f"{line}\n" for line in part) for part in parts]
    return "\n".join(part for part in written if part)


def _paragraph(text: str, indent: int = 0, hanging: int = 2) -> list[str]:
    return wrap(visible(text), WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + hanging))


def _head(plan: Fields) -> Iterator[str]:
    yield from _paragraph(f"{plan['id']} {plan['name']}")
    yield from _paragraph(plan["sql"], 2)


def _summary(found: PatternExplanation) -> Iterator[str]:
    plan, assumed = found.plan, " (assumed)" if found.rates == "assumed" else ""
    if "routed" in plan:
        yield from _paragraph(f"No plan in {found.alternative}: {', '.join(plan['routed'])} ({plan['because']}).")
        yield from _paragraph(f"Another system must answer its {plan['calls_per_month']:,.0f} calls a month{assumed}.")
        return
    trips, units = plan["round_trips"], (plan["read_request_units"], plan["write_request_units"])
    yield from _paragraph(
        f"Answered in {found.alternative} by {trips} round trip{'s' if trips != 1 else ''}, {_units(*units)}; "
        f"{plan['calls_per_month']:,.0f} calls a month{assumed}"
        + (f" cost ${float(plan['usd_per_month']):,.2f} on demand." if "usd_per_month" in plan else ".")
    )


def _units(read: float, write: float) -> str:
    shown = [f"{amount:,.4g} {unit}" for amount, unit in ((read, "RRU"), (write, "WRU")) if amount]
    return " and ".join(shown) or "no units"


# --- the calls ---


def _calls(plan: Fields) -> Iterator[str]:
    calls, estimates = plan["ddb_query_plan"], iter(plan["calls"])
    for number, step in enumerate(calls.get("Steps", [calls]), 1):
        ((operation, body),) = step.items()
        if operation == "Client":
            yield from _paragraph(f"{number}. client: {body}", 1, 3)
        elif operation == "TransactWriteItems":
            yield f" {number}. TransactWriteItems, all or nothing"
            for write in body:
                ((inner, fields),) = write.items()
                yield from _call(f"    - {inner}", fields, next(estimates))
        else:
            yield from _call(f" {number}. {operation}", body, next(estimates))


def _call(start: str, fields: Fields, estimate: Fields) -> Iterator[str]:
    where = f"{fields['Table']}/{fields['Index']}" if "Index" in fields else fields["Table"]
    times, items = estimate["times"], estimate["items_per_call"]
    cost = _units(estimate["read_request_units"], estimate["write_request_units"])
    often = f"{times:,.3g} times " if abs(times - 1) > 1e-9 else ""
    yield from _paragraph_after(start, f"{where}: {often}{items:,.3g} item{'s' if items != 1 else ''}, {cost}")
    own = [name for name in fields if name not in ("Table", "Index", *_WORDS)]
    for name in (*own, *(word for word in _WORDS if word in fields)):
        value = fields[name]
        yield from _paragraph(f"{name}: {value if isinstance(value, str) else _json(value)}", _BODY, 4)


def _paragraph_after(start: str, text: str) -> list[str]:
    return wrap(visible(text), WIDTH, initial_indent=f"{start} ", subsequent_indent=" " * _BODY)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _names(plan: Fields) -> Iterator[str]:
    for name, known in plan.get("placeholders", {}).items():
        column = f" ({known['column']}: {known['type']}, {known['encoding']})" if "column" in known else ""
        yield from _paragraph(f"${name} is {known['is']}{column}", 1, 3)
    calls = _json(plan.get("ddb_query_plan"))
    for alias, table in plan.get("rows", {}).items():
        if f"${alias}." in calls:
            yield from _paragraph(f"${alias} is a row of {table}", 1, 3)


# --- other ways, and the proof ---


def _answers(answers: Sequence[Answer]) -> Iterator[str]:
    if len(answers) == 1 and not answers[0].routed:
        yield "Every alternative answers it so."
        return
    yield "By alternative (the chosen one first):"
    for answer in answers:
        names = ", ".join(answer.alternatives)
        if answer.routed:
            yield from _paragraph(f"{names}: routed, {', '.join(answer.routed)}", 1, 5)
            continue
        usd = f"${answer.usd_per_month:,.2f} a month, " if answer.usd_per_month is not None else ""
        trips = f"{answer.round_trips} round trip{'s' if answer.round_trips != 1 else ''}"
        yield from _paragraph(f"{names}: {usd}{_units(answer.read_units, answer.write_units)}, {trips}", 1, 5)
        yield from _paragraph("; ".join(answer.calls), 5, 2)


def _proof(proof: Proved | None) -> Iterator[str]:
    if proof is None:
        yield "Stage 4 has not been run on this design."
        return
    why = f" ({proof.why})" if proof.why else ""
    runs = f", {proof.runs} runs" if proof.runs else ""
    units = (proof.consumed_read_units, proof.consumed_write_units)
    consumed = f", {_units(*units)} consumed" if any(units) else ""
    yield from _paragraph(f"Stage 4: {proof.status}{why} on {proof.engine}{runs}{consumed}.")
    if not proof.current:
        yield from _paragraph("The design has been made anew since: run stage 4 again.")
