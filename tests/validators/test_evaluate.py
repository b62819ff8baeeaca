"""Conditions as MySQL evaluates them: three-valued, by collation, numbers against texts as numbers."""

from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Call,
    ColumnRef,
    Compare,
    Condition,
    Constant,
    Not,
    OpaqueCondition,
    OpaqueTerm,
    Param,
    Term,
)
from ddbmig.model.encodings import Cell
from ddbmig.model.schema import Column
from ddbmig.validators.evaluate import (
    CLOCK,
    Binding,
    Evaluator,
    NotEvaluated,
    compare,
    default_value,
    folded,
    is_folded,
    like,
)

CASES = yaml.safe_load((Path(__file__).parent / "data" / "comparisons.yaml").read_text())
COLLATION = {"folded": "utf8mb4_general_ci", "binary": "utf8mb4_bin"}
TRUTHS: tuple[bool | None, ...] = (True, False, None)
LISTED = [(kind, case) for kind, cases in CASES.items() for case in cases]


def truth(condition: Condition, evaluator: Evaluator | None = None) -> bool | None:
    """What MySQL would say: a condition and its negation tell NULL from FALSE."""
    found = evaluator or Evaluator({}, {})
    if found.holds(condition, {}):
        return True
    return False if found.holds(Not(item=condition), {}) else None


@pytest.mark.parametrize(("kind", "case"), LISTED, ids=[f"{kind}: {case}" for kind, case in LISTED])
def test_comparison(kind: str, case: list[Any]) -> None:
    left, op, *operands, expected = case
    column = Column(name="c", type="varchar", collation=COLLATION[kind])
    params = dict(enumerate(operands))
    right = tuple(Param(index=n) for n in params)
    condition = Compare(op=op, left=ColumnRef(ref=0, column="c"), right=right)
    evaluator = Evaluator({(0, "c"): column}, params)
    binding: Binding = {0: {"c": left}}
    assert evaluator.holds(condition, binding) is (expected is True)
    assert evaluator.holds(Not(item=condition), binding) is (expected is False)


def is_(value: bool | None) -> Condition:
    return Compare(op="=", left=Constant(value=None if value is None else int(value)), right=(Constant(value=1),))


@pytest.mark.parametrize(("a", "b"), list(product(TRUTHS, TRUTHS)))
def test_three_values(a: bool | None, b: bool | None) -> None:
    conjunction = False if False in (a, b) else None if None in (a, b) else True
    disjunction = True if True in (a, b) else None if None in (a, b) else False
    assert truth(All(items=(is_(a), is_(b)))) is conjunction
    assert truth(AnyOf(items=(is_(a), is_(b)))) is disjunction
    assert truth(Not(item=is_(a))) is (None if a is None else not a)


def test_nothing_to_hold_is_true_and_nothing_to_choose_from_is_false() -> None:
    assert truth(All()) is True
    assert truth(AnyOf()) is False


def test_a_row_that_an_outer_join_did_not_find_is_all_null() -> None:
    condition = Compare(op="is null", left=ColumnRef(ref=1, column="c"))
    assert Evaluator({}, {}).holds(condition, {0: {"c": 1}, 1: None})


def test_a_list_parameter_is_its_members() -> None:
    condition = Compare(op="in", left=Constant(value=2), right=(Param(index=0, many=True),))
    assert truth(condition, Evaluator({}, {0: (1, 2)})) is True
    assert truth(condition, Evaluator({}, {0: (1, None)})) is None


def test_binary_compares_bytes() -> None:
    right: Term = Call(name="BINARY", arguments=(Param(index=1),))
    evaluator = Evaluator({}, {0: "a", 1: "A"})
    assert truth(Compare(op="=", left=Param(index=0), right=(right,)), evaluator) is False
    assert truth(Compare(op="=", left=Param(index=0), right=(Param(index=1),)), evaluator) is True
    assert compare(b"a", "a", True) == 0
    assert compare(b"a", b"b", True) == -1


@pytest.mark.parametrize(
    ("term", "value"),
    [
        (Arithmetic(op="+", left=Constant(value=1), right=Constant(value=2)), 3),
        (Arithmetic(op="/", left=Constant(value=1), right=Constant(value=4)), Decimal("0.25")),
        (Arithmetic(op="/", left=Constant(value=1), right=Constant(value=0)), None),
        (Arithmetic(op="*", left=Constant(value=None), right=Constant(value=0)), None),
        (Arithmetic(op="-", left=Param(index=2), right=Constant(value=1)), Decimal("0.5")),
        (Call(name="COALESCE", arguments=(Constant(value=None), Constant(value=7))), 7),
        (Call(name="LOWER", arguments=(Param(index=0),)), "abc"),
        (Call(name="CONCAT", arguments=(Param(index=0), Constant(value=None))), None),
        (Call(name="CONCAT", arguments=(Param(index=0), Constant(value=1))), "aBc1"),
        (Call(name="NOW"), CLOCK.isoformat(sep=" ")),
        (Call(name="CURRENT_DATE"), "2026-01-01"),
        (Call(name="YEAR", arguments=(Param(index=1),)), 2024),
        (Call(name="MONTH", arguments=(Param(index=1),)), 2),
        (Call(name="DATE", arguments=(Param(index=1),)), "2024-02-28"),
        (Call(name="DATE_ADD DAY", arguments=(Param(index=1), Constant(value=2))), "2024-03-01 10:00:00"),
        (Call(name="DATE_SUB WEEK", arguments=(Constant(value=None), Constant(value=2))), None),
    ],
)
def test_values(term: Term, value: Cell) -> None:
    evaluator = Evaluator({}, {0: "aBc", 1: "2024-02-28 10:00:00", 2: 1.5})
    assert evaluator.value(term, {}) == value


@pytest.mark.parametrize(
    "condition",
    [
        OpaqueCondition(sql="MATCH (a) AGAINST (?)", why="full-text search"),
        Compare(op="is null", left=OpaqueTerm(sql="UUID()", why="server function")),
        Compare(op="is null", left=Call(name="DATE_ADD MONTH", arguments=(Param(index=0), Constant(value=1)))),
    ],
)
def test_what_only_mysql_knows_is_not_evaluated(condition: Condition) -> None:
    with pytest.raises(NotEvaluated):
        Evaluator({}, {0: "2024-01-31"}).holds(condition, {})


@pytest.mark.parametrize(
    ("type_", "collation", "folds"),
    [
        ("varchar", None, True),
        ("varchar", "utf8mb4_0900_ai_ci", True),
        ("text", "utf8mb4_bin", False),
        ("varchar", "utf8mb4_0900_as_cs", False),
        ("enum", "latin1_swedish_ci", True),
        ("varbinary", None, False),
        ("int", None, False),
    ],
)
def test_which_columns_ignore_case(type_: str, collation: str | None, folds: bool) -> None:
    assert is_folded(Column(name="c", type=type_, collation=collation)) is folds


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("int", "0", 0),
        ("decimal", "1.50", Decimal("1.50")),
        ("double", "1.5", 1.5),
        ("varchar", "new", "new"),
        ("varchar", "NULL", None),
        ("int", None, None),
        ("datetime", "CURRENT_TIMESTAMP(6)", CLOCK.isoformat(sep=" ")),
        ("int", "(1 + 1)", None),
    ],
)
def test_defaults(type_: str, text: str | None, value: Cell) -> None:
    column = Column(name="c", type=type_, default=text, scale=2 if type_ == "decimal" else None)
    assert default_value(column) == value


@given(st.text(max_size=8), st.text(max_size=8))
def test_order_is_an_order(a: str, b: str) -> None:
    assert compare(a, b, True) == -compare(b, a, True)
    assert (compare(a, b, True) == 0) == (folded(a) == folded(b))


@given(st.text(max_size=12))
def test_a_text_is_like_itself_escaped_and_like_anything(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    assert like(text, escaped, False)
    assert like(text, "%", True)
