"""Relationships in the order in which they matter, and the choices that they leave open in the same order."""

from collections.abc import Iterable
from decimal import Decimal

from ddbmig.model.assessment import Assessment, Choice, RelationshipAssessment
from ddbmig.reporters.markdown import code
from ddbmig.reporters.pages import LongTable
from ddbmig.reporters.weights import Weights

JOINT_READS = "reads.joint_calls_per_day"


def by_weight(assessment: Assessment, weights: Weights) -> list[RelationshipAssessment]:
    """Those read together most first, then by the calls of the child and of the parent."""

    def weight(one: RelationshipAssessment) -> tuple[float, int, int, str]:
        child, parent = one.relationship.child, one.relationship.parent
        calls = weights.table_calls
        return -joint_reads(one), -calls.get(child, 0), -calls.get(parent, 0), one.relationship.id

    return sorted(assessment.relationships, key=weight)


def joint_reads(one: RelationshipAssessment) -> float:
    """Calls a day that read both tables; 0 where it is not known."""
    fact = one.facts.get(JOINT_READS)
    value = fact.value if fact else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def choice_table(choices: Iterable[Choice], ordered: Iterable[RelationshipAssessment]) -> LongTable:
    """Choices with their options; those on heavy relationships first, those on nothing we know last."""
    rank = {one.relationship.id: number for number, one in enumerate(ordered)}
    listed = sorted(choices, key=lambda one: (rank.get(one.id, len(rank)), one.id))
    rows = [
        (code(one.id), ", ".join(option_text(one, option) for option in one.options),
         one.chosen or f"{one.default} (default)", one.why or "–")
        for one in listed
    ]  # fmt: skip
    return LongTable("Open choices", ("choice", "options", "goes on with", "why it is open"), rows, by="joint reads")


def option_text(choice: Choice, option: str) -> str:
    """An option, with what it costs more a month where that is known and anything."""
    cost = choice.costs.get(option)
    return f"{option} ({cost:+.2f} USD)" if cost is not None and abs(cost) >= Decimal("0.005") else option
