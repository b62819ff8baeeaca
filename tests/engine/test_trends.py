"""How facts move conditions: cases as data, and that what is said of any condition is true of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ddbmig.engine.expressions import FactType, compile_condition
from ddbmig.engine.rule import Group, Rule, When, holds
from ddbmig.engine.trends import tipping_points, trends, worse
from ddbmig.engine.wording import compile_message
from ddbmig.model.assessment import FactValue

DATA = Path(__file__).parent / "data"
NAMES = {
    "a.count": FactType("number"), "a.limit": FactType("number"), "a.other": FactType("number"),
    "a.share": FactType("number", "share"), "a.maybe": FactType("number", may_be_missing=True),
    "a.flag": FactType("bool"), "a.sure": FactType("bool", may_be_missing=True), "a.word": FactType("text"),
    "a.names": FactType("list"), "params.factor": FactType("number"), "params.below": FactType("number"),
}  # fmt: skip
PARAMS = {"factor": 3, "below": -3}


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=str(case["when"])) for case in yaml.safe_load((DATA / name).read_text())]


def compiled(conditions: Any) -> When:
    if isinstance(conditions, str):
        return compile_condition(conditions, NAMES)
    ((kind, items),) = conditions.items()
    return Group(kind, tuple(map(compiled, items if isinstance(items, list) else [items])))


def values(given_facts: Mapping[str, Any]) -> dict[str, FactValue]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given_facts.items()}


def rule_of(when: When) -> Rule:
    return Rule("ACME001", "a-rule", "table", "stable", when, compile_message("it fires", {}), "why", "instead",
                "source", (), params=PARAMS)  # fmt: skip


@pytest.mark.parametrize("case", cases("trends.yaml"))
def test_which_way_a_fact_pushes(case: dict[str, Any]) -> None:
    assert trends(compiled(case["when"]), PARAMS) == case["pushes"]


@pytest.mark.parametrize("case", cases("worse.yaml"))
def test_what_is_worse_than_before(case: dict[str, Any]) -> None:
    rule, tolerance = rule_of(compiled(case["when"])), case.get("tolerance", 0)
    assert worse(rule, values(case["was"]), values(case["now"]), tolerance) == tuple(case["worse"])


@pytest.mark.parametrize("case", cases("tipping_points.yaml"))
def test_where_a_fact_tips_a_comparison(case: dict[str, Any]) -> None:
    facts: dict[str, FactValue] = {
        "a.count": 1,
        "a.limit": 4,
        "a.other": 0.5,
        "a.names": ("x",),
        "a.word": "x",
        "params.factor": 3,
    }
    assert list(tipping_points(compiled(case["when"]), facts, "a.count")) == pytest.approx(case["points"])


# --- what is said of any condition is true of it ---

numbers = st.sampled_from(["a.count", "a.limit", "a.other", "default(a.maybe, 2)", "params.factor", "params.below",
                           "count(a.names)", "0", "1", "2.5", "-3"])  # fmt: skip
terms = st.recursive(
    numbers,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*"]), inner)
        | st.builds("({} / {})".format, inner, st.sampled_from(["2", "-4", "0.5"]))
        | st.builds("-{}".format, inner)
    ),
    max_leaves=4,
)
comparisons = st.builds("{} {} {}".format, terms, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), terms)
conditions = st.recursive(
    comparisons | st.sampled_from(["a.flag", "default(a.sure, false)", "is_set(a.maybe)", "'x' in a.names"]),
    lambda inner: st.builds("({} and {})".format, inner, inner) | st.builds("({} or {})".format, inner, inner)
    | st.builds("not ({})".format, inner),
    max_leaves=3,
).filter(lambda text: len(text) <= 300)  # fmt: skip
groups = st.recursive(
    conditions,
    lambda inner: st.builds(lambda kind, items: {kind: items}, st.sampled_from(["all", "any", "not"]),
                            st.lists(inner, min_size=1, max_size=2)),
    max_leaves=3,
)  # fmt: skip
amounts = st.sampled_from([0, 0.5, 1, 2, 3, 4, 7.5, 100]) | st.floats(0.001, 1e6)
facts_drawn = st.fixed_dictionaries({
    "a.count": amounts, "a.limit": amounts, "a.other": amounts, "a.maybe": st.none() | amounts,
    "a.flag": st.booleans(), "a.sure": st.none() | st.booleans(),
    "a.names": st.lists(st.text("xy", max_size=1)).map(tuple),
    "params.factor": st.just(3), "params.below": st.just(-3),
})  # fmt: skip


def raised(value: Any, more: float) -> Any:
    """More of a fact."""
    if isinstance(value, bool):
        return True
    return (*value, "z") if isinstance(value, tuple) else value + more


@settings(deadline=None, max_examples=400)
@given(groups, facts_drawn, amounts)
def test_more_of_what_helps_never_turns_a_condition_off(conditions: Any, facts: dict[str, Any], more: float) -> None:
    when = compiled(conditions)
    for name, sign in trends(when, PARAMS).items():
        if sign != 0 and facts[name] is not None:
            higher = {**facts, name: raised(facts[name], more)}
            before, after = (facts, higher) if sign > 0 else (higher, facts)
            assert not holds(when, before) or holds(when, after), name


@settings(deadline=None, max_examples=400)
@given(comparisons, facts_drawn)
def test_a_comparison_gives_another_answer_where_it_tips(text: str, facts: dict[str, Any]) -> None:
    when = compiled(text)
    for point in tipping_points(when, facts, "a.count"):
        assume(abs(point) < 1e12)
        step = max(abs(point), 1.0) * 1e-6
        below, at, above = (holds(when, {**facts, "a.count": point + move}) for move in (-step, 0, step))
        if "==" in text or "!=" in text:
            assert below is above is ("!=" in text)
        else:
            assert below is not above or at is not below
