"""Along which relationship statements read."""

import pytest

from ddbmig.engine.joint_reads import bound_columns, copied_columns, joined_reads, reads_collection
from ddbmig.model.condition import All, ColumnRef, Condition
from ddbmig.model.pattern import Join
from ddbmig.model.schema import Index
from fact_shop import LINES, PATTERNS, SCHEMA, WRITTEN, equals, select, shop


def test_equalities_are_carried_along_joins() -> None:
    on = ((ColumnRef(ref=1, column="ID"), ColumnRef(ref=0, column="author_id")),)
    pattern = PATTERNS[0].model_copy(
        update={"where": All(items=(equals("id", ref=1),)), "joins": (Join(ref=1, kind="inner", on=on),)}
    )
    assert bound_columns(pattern) == {(1, "id"), (0, "author_id")}


def test_joins_and_look_ups_row_by_row_tell_what_a_copy_would_hold() -> None:
    evidence = shop()
    assert [(pattern.id, ref) for pattern, ref in joined_reads(evidence, WRITTEN)] == [("Qa1", 1)]
    assert copied_columns(evidence, WRITTEN) == frozenset({"name"})
    assert joined_reads(evidence, LINES) == ()
    assert copied_columns(evidence, LINES) == frozenset({"state"})
    without_runs = shop(digest=evidence.snapshot.digest.model_copy(update={"runs": ()}))
    assert copied_columns(without_runs, LINES) is None


@pytest.mark.parametrize(
    ("where", "unique", "expected"),
    [
        pytest.param(equals("order_id"), (), True, id="by the parent"),
        pytest.param(equals("id"), (), False, id="by its own key"),
        pytest.param(All(items=(equals("order_id"), equals("id"))), (), False, id="by both: one row"),
        pytest.param(equals("price"), (), False, id="by something else"),
        pytest.param(equals("order_id"), ("order_id",), True, id="1:1: by the parent all the same"),
        pytest.param(All(items=(equals("order_id"), equals("price"))), ("order_id", "price"), False, id="unique pair"),
        pytest.param(equals("order_id"), ("order_id", "price"), True, id="part of a unique pair"),
    ],
)
def test_asking_for_the_children_of_a_parent(where: Condition, unique: tuple[str, ...], expected: bool) -> None:
    line = SCHEMA.table("line")
    if unique:
        line = line.model_copy(update={"indexes": (Index(name="u", columns=unique, kind="unique"),)})
    evidence = shop(tables=SCHEMA.model_copy(update={"tables": (line,)}))
    pattern = select("x", "line", where=equals("order_id")).model_copy(update={"where": where})
    assert reads_collection(evidence, LINES, pattern) is expected
