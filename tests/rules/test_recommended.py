"""The built-in pack: its own tests pass, and notice every change of a condition."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ddbmig.engine.expressions import Compiled, FactType, compile_condition
from ddbmig.engine.facts import BY_PHASE
from ddbmig.engine.rulebook import Group, Rule, Rulebook, When, load_rules, run_rule_tests
from ddbmig.model.errors import UsageError

FOLDER = Path(__file__).resolve().parent.parent.parent / "src" / "ddbmig" / "rules" / "recommended"
FILES = [(path.name, path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))]
RULES = load_rules(FILES).rules
COMPARATORS = {" > ": " >= ", " >= ": " > ", " < ": " <= ", " <= ": " < ", " == ": " != "}


def test_every_rule_passes_its_own_tests() -> None:
    assert run_rule_tests(load_rules(FILES)) == ()


def test_a_file_holds_one_rule_and_is_named_after_it() -> None:
    assert [name for name, _ in FILES] == [f"{rule.id}-{rule.title}.yaml" for rule in RULES]


def test_only_the_five_production_warnings_carry_one() -> None:
    warned = {rule.id: rule.warning for rule in RULES if rule.warning}
    assert sorted(warned) == ["PW001", "PW002", "PW003", "PW004", "PW005"]
    assert all(text.startswith("Warning: ") for text in warned.values())


def survives(rule: Rule) -> bool:
    return run_rule_tests(Rulebook((rule,), "")) == ()


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Another comparator, a condition negated or dropped, all↔any, and each numeric param a little up and down."""
    for what, when in mutated(rule.when, rule):
        yield what, replace(rule, when=when)
    for name, value in rule.own_params.items():
        if isinstance(value, int | float):
            step = max(1, round(value / 20)) if isinstance(value, int) else value / 20
            for changed in (value - step, value + step):
                yield f"{name} = {changed}", replace(rule, own_params={**rule.own_params, name: changed})


def mutated(when: When, rule: Rule) -> Iterator[tuple[str, When]]:
    if not isinstance(when, Group):
        yield from ((text, compiled(text, rule)) for text in other_texts(when.text))
        return
    if len(when.items) > 1:
        yield f"{when.kind} swapped", Group("any" if when.kind == "all" else "all", when.items)
        for index, item in enumerate(when.items):
            guard = not isinstance(item, Group) and item.text.startswith("is_set(")
            if not guard:  # without its guard the rule does not load: test_rulebook.py
                yield f"without {item}", Group(when.kind, when.items[:index] + when.items[index + 1 :])
    for index, item in enumerate(when.items):
        for what, changed in mutated(item, rule):
            yield what, Group(when.kind, (*when.items[:index], changed, *when.items[index + 1 :]))


def other_texts(text: str) -> Iterator[str]:
    if text.startswith("is_set("):
        return
    yield text.removeprefix("not ") if text.startswith("not ") else f"not ({text})"
    for sign, other in COMPARATORS.items():
        if sign in text:
            yield text.replace(sign, other)


def compiled(text: str, rule: Rule) -> Compiled:
    names = {name: fact.type() for name, fact in BY_PHASE[rule.applies_to].items()}
    params = {f"params.{name}": type_of(value) for name, value in rule.own_params.items()}
    return compile_condition(text, {**names, **params}, frozenset(names))


def type_of(value: object) -> FactType:
    return FactType("text" if isinstance(value, str) else "number")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_tests_of_a_rule_notice_every_change_of_its_conditions(rule: Rule) -> None:
    survivors = []
    for what, mutant in mutants(rule):
        try:
            if survives(mutant):
                survivors.append(what)
        except UsageError:  # a guard is gone: the mutant does not run at all
            continue
    assert not survivors
