"""How each alternative of a design answers one access pattern, beside each other."""

from collections.abc import Iterator

from ddbmig.engine.costs import plan_usd, writes_of
from ddbmig.model.design import Design
from ddbmig.model.explanation import Answer, Proved
from ddbmig.model.plan import Plan, ReadCall
from ddbmig.model.validation import Validation


def answers(design: Design, pattern: str, calls_per_month: float) -> tuple[Answer, ...]:
    """One for each different way, that of the chosen alternative first, then the cheapest; what is routed last."""
    found: dict[Answer, list[str]] = {}
    for alternative in design.alternatives:
        for plan in alternative.plans:
            if plan.pattern == pattern:
                answer = _answer(plan, calls_per_month, design)
                found.setdefault(answer, []).append(alternative.id)
    named = [answer.model_copy(update={"alternatives": tuple(ids), "chosen": design.chosen in ids})
             for answer, ids in found.items()]  # fmt: skip
    return tuple(sorted(named, key=lambda one: (not one.chosen, bool(one.routed), one.usd_per_month or 0)))


def _answer(plan: Plan, calls_per_month: float, design: Design) -> Answer:
    return Answer(
        alternatives=(), chosen=False, calls=tuple(_calls(plan)), routed=plan.routed, round_trips=plan.round_trips,
        read_units=plan.read_units, write_units=plan.write_units,
        usd_per_month=None if plan.routed else plan_usd(plan, calls_per_month, design.prices),
    )  # fmt: skip


def _calls(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        if isinstance(step, ReadCall):
            yield f"{step.op} {step.table}/{step.index}" if step.index else f"{step.op} {step.table}"
        elif writes := writes_of(step):
            inside = " + ".join(f"{write.op} {write.table}" for write in writes)
            yield inside if len(writes) == 1 else f"TransactWriteItems: {inside}"


def proof_of(validation: Validation, pattern: str, *, current: bool) -> Proved | None:
    """What a validation says of a pattern; None where it does not know it."""
    for one in validation.patterns:
        if one.pattern == pattern:
            return Proved(
                status=one.status, why=one.why, engine=validation.engine, current=current, runs=one.runs,
                consumed_read_units=one.consumed_read_units, consumed_write_units=one.consumed_write_units,
            )  # fmt: skip
    return None
