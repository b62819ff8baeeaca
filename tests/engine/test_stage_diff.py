"""A change is told by what moved it, and every field of a value that a person approves can be told."""

import pytest

from ddbmig.engine.stage_diff import stage_changes
from ddbmig.model.assessment import Assessment, Fact, LedgerLine, RelationshipAssessment
from ddbmig.model.base import Document
from hand_made import ANALYSIS, ASSESSMENT, DESIGN, SNAPSHOT, VALIDATION

VALUES: list[Document] = [SNAPSHOT, ASSESSMENT, DESIGN, VALIDATION, ANALYSIS]


def assessed(verdict: str, joint: float, rules: dict[str, str]) -> Assessment:
    """The hand-made assessment, its first relationship with another verdict, fact and ledger."""
    first, *others = ASSESSMENT.relationships
    fact = Fact(value=joint, unit="share", source="measured", origin="log")
    ledger = tuple(LedgerLine(rule=rule, title="often read together", option="denormalize", points=30,
                              because=(because,)) for rule, because in rules.items())  # fmt: skip
    update = {"verdict": verdict, "ledger": ledger, "facts": {"reads.joint_share": fact, "zz.other": fact}}
    changed = RelationshipAssessment.model_validate({**first.model_dump(), **update})
    return ASSESSMENT.model_copy(update={"relationships": (changed, *others)})


def test_a_verdict_is_told_with_the_facts_that_moved_it() -> None:
    old = assessed("separate", 0.64, {})
    new = assessed("denormalize", 0.83, {"DM001": "reads.joint_share is 83 % (> 70 %)"})
    (change,) = stage_changes(old, new)
    assert (change.what, change.before, change.after) == ("verdict", "separate", "denormalize")
    assert change.because == ("reads.joint_share 64 % -> 83 %",)


def test_a_verdict_is_told_with_the_rules_where_no_fact_moved() -> None:
    old = assessed("separate", 0.83, {"DM009": "x"})
    new = assessed("denormalize", 0.83, {"DM001": "reads.joint_share is 83 % (> 70 %)"})
    (change,) = stage_changes(old, new)
    assert change.because == ("now DM001 often read together", "no longer DM009 often read together")


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_does_not_differ_from_itself(value: Document) -> None:
    assert stage_changes(value, value) == ()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_control_character_reaches_a_line(value: Document) -> None:
    """Against an empty one of its kind, everything in a value is told; its names hold escape codes and new lines."""
    empty = {name: type(getattr(value, name))() for name in type(value).model_fields
             if isinstance(getattr(value, name), tuple | dict) and name not in ("alternatives",)}  # fmt: skip
    for change in stage_changes(value.model_copy(update=empty), value):
        assert str(change).isprintable(), repr(str(change))


def test_values_of_two_stages_are_not_compared() -> None:
    with pytest.raises(TypeError, match="Snapshot and Assessment"):
        stage_changes(SNAPSHOT, ASSESSMENT)
