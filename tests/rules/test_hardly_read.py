"""What nothing reads together lives in separate tables without anyone being asked, unless something speaks for more."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.engine.rulebook import load_rules
from ddbmig.engine.scoring import assess
from ddbmig.model.assessment import Fact, FactValue, Relationship
from ddbmig.packs import recommended

PACK = load_rules([recommended()])
LINK = Relationship(id="a.b->b.id", child="a", child_columns=("b",), parent="b", parent_columns=("id",),
                    cardinality="1:N", evidence=())  # fmt: skip
SILENT: Mapping[str, FactValue] = {
    "workload.logged_calls": 50_000, "reads.calls_per_day": 0, "reads.joint_calls_per_day": 0,
    "writes.parent_per_day": 0, "writes.child_per_day": 0, "writes.copied_columns_per_day": 0, "updates.paths": 0,
    "updates.parent_per_day": 0, "updates.child_per_day": 0, "cardinality.many_to_many": False,
    "cardinality.one_to_one": False, "cardinality.self_reference": False, "cardinality.child_is_parent": False,
    "cardinality.declared": True, "patterns.complexity_max": 0, "evolution.roadmap_declared": False,
    "children.bounded": True, "children.p99": 3, "transactions.cross_entity_per_day": 0, "transactions.locking": False,
}  # fmt: skip


def verdict(**changed: FactValue) -> tuple[str, int]:
    values = {**SILENT, **{name.replace("__", "."): value for name, value in changed.items()}}
    facts = {name: Fact(value=value, unit="", source="measured", origin="test") for name, value in values.items()}
    result = assess(PACK, LINK, facts)
    return result.verdict, result.margin


def test_tables_that_nothing_reads_stay_separate() -> None:
    assert verdict() == ("separate", 30)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"workload__logged_calls": 999}, id="in a log too short to tell"),
        pytest.param({"transactions__cross_entity_per_day": 5}, id="written together"),
        pytest.param({"transactions__locking": True}, id="locked together"),
        pytest.param({"context__strong_consistency": True}, id="declared to be consistent"),
        pytest.param({"reads__joint_calls_per_day": 2, "reads__calls_per_day": 4}, id="read together now and then"),
    ],
)
def test_where_something_speaks_for_more_a_person_is_asked(changed: dict[str, FactValue]) -> None:
    assert verdict(**changed)[0] == "undecided"


@given(
    st.sampled_from(["early", "growing", "mature"]),
    st.sampled_from(["none", "some", "expert"]),
    st.floats(0, 99),
    st.floats(0, 0.49),
    st.booleans(),
)
def test_no_context_outweighs_it(
    lifecycle: str, expertise: str, calls: float, collection: float, critical: bool
) -> None:
    found, margin = verdict(
        context__lifecycle=lifecycle, context__team_expertise=expertise, reads__calls_per_day=calls,
        reads__collection_share=collection, reads__joint_share=0, patterns__planned_share=1.0,
        context__performance_critical=critical,
    )  # fmt: skip
    assert found == "separate"
    assert margin >= 15
