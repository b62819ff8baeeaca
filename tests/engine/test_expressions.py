"""The condition language: what it says, and that nothing else gets through."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbmig.engine.expressions import MAX_DEPTH, MAX_LENGTH, MAX_NODES, FactType, compile_condition, mistakes_in
from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import RuleError, UsageError

DATA = Path(__file__).parent / "data"
NAMES = {
    "a.share": FactType("number", "share"),
    "a.count": FactType("number", "rows"),
    "a.flag": FactType("bool"),
    "a.stage": FactType("text", values=("early", "late")),
    "a.word": FactType("text"),
    "a.names": FactType("list"),
    "b.maybe": FactType("number", "bytes", may_be_missing=True),
    "b.sure": FactType("bool", may_be_missing=True),
    "params.limit": FactType("number"),
}


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["text"][:60]) for case in yaml.safe_load((DATA / name).read_text())]


def facts_of(case: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in case["facts"].items()}


@pytest.mark.parametrize("case", cases("conditions.yaml"))
def test_a_condition_says_whether_and_why(case: dict[str, Any]) -> None:
    condition = compile_condition(case["text"], NAMES)
    facts = facts_of(case)
    assert condition.evaluate(facts) is case["holds"]
    assert condition.explain(facts, case["holds"]) == case["because"]


@pytest.mark.parametrize("case", cases("refused_conditions.yaml"))
def test_what_is_not_in_the_language_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        compile_condition(case["text"], NAMES)
    assert case["message"] in caught.value.message
    assert caught.value.column == case["column"]
    assert case.get("way_out", "") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.flag" + " " * MAX_LENGTH, "too long"),
        ("a.count > " + "1+" * MAX_NODES + "1", "too complex"),
        ("not " * MAX_DEPTH + "a.flag", "too deeply"),
        ("(" * 140 + "a.flag" + ")" * 140, "too deeply|cannot read"),
        ("-" * 280 + "a.count > 1", "too complex"),
    ],
)
def test_limits(text: str, message: str) -> None:
    if message.startswith("too deeply|"):
        assert compile_condition(text, NAMES).evaluate({"a.flag": True})
        return
    with pytest.raises(UsageError, match=message):
        compile_condition(text, NAMES)


def test_the_column_counts_characters_not_bytes() -> None:
    with pytest.raises(UsageError) as caught:
        compile_condition("a.word == 'é€' and nope", NAMES)
    assert caught.value.column == 20


def test_guards_of_earlier_lines_are_known() -> None:
    guard = compile_condition("is_set(b.maybe)", NAMES)
    assert compile_condition("b.maybe > 1", NAMES, guard.known_if_true).evaluate({"b.maybe": 2})


def test_a_fact_that_is_never_missing_must_be_supplied() -> None:
    with pytest.raises(UsageError, match="not supplied"):
        compile_condition("a.flag", NAMES).evaluate({})


@pytest.mark.parametrize("value", [10**15, -(10**18), 1e300, float("inf"), float("nan")])
@pytest.mark.parametrize("text", ["*2", "/0.5", "-n", "+n", "*-1"])
def test_numbers_that_grow_beyond_all_bounds_do_not_stop_an_evaluation(value: float, text: str) -> None:
    power = "n"
    for _ in range(5):
        power = f"({power}*{power})"
    condition = compile_condition(f"{power}{text} > 1", {"n": FactType("number")})
    held = condition.evaluate({"n": value})
    assert condition.explain({"n": value}, held)


def test_mistakes_of_several_parts_come_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        compile_condition("a.shares > 1 and (a.flagg or a.count + b.maybee > params.limits) and a.flag", NAMES)
    assert [(mistake.column, mistake.subject) for mistake in caught.value.mistakes] == [
        (1, "a.shares"), (19, "a.flagg"), (40, "b.maybee"), (51, "params.limits"),
    ]  # fmt: skip


def test_what_follows_a_misspelt_guard_is_not_blamed_for_it() -> None:
    with pytest.raises(UsageError) as caught:
        compile_condition("is_set(b.maybee) and b.maybe > 1", NAMES)
    assert [mistake.subject for mistake in mistakes_in(caught.value)] == ["b.maybee"]


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_condition_or_a_clear_error(text: str) -> None:
    found = None
    try:
        compile_condition(text, NAMES)
    except UsageError as error:
        found = error
    assert found is None or (found.column or 0) >= 1
    assert found is None or "\n" not in str(found)


WORDS = st.sampled_from(
    ["a.share", "a.count", "a.flag", "a.stage", "a.names", "b.maybe", "is_set(b.maybe)", "default(b.maybe, 1)", "and",
     "or", "not", ">", "<=", "==", "in", "(", ")", "0.7", "'early'", "['early']", "+", "*", "/ 2", "any(", "count(",
     "q == 'x' for q in a.names", "true"]
)  # fmt: skip
SOME_FACTS: dict[str, FactValue | None] = {
    "a.share": 0.5,
    "a.count": 3,
    "a.flag": True,
    "a.stage": "early",
    "a.word": "x",
    "a.names": ("x",),
}


@settings(deadline=None)
@given(st.lists(WORDS, max_size=9), st.one_of(st.none(), st.integers(0, 9)))
def test_what_compiles_evaluates_whether_or_not_optional_facts_are_there(words: list[str], maybe: int | None) -> None:
    try:
        condition = compile_condition(" ".join(words), NAMES)
    except UsageError:
        return
    facts = {**SOME_FACTS, "b.maybe": maybe, "params.limit": 1}
    held = condition.evaluate(facts)
    assert isinstance(held, bool)
    assert condition.explain(facts, held)
