"""A rule's own tests, and whether they notice a change of the rule: mutants that pass them all survive."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ddbmig.engine.rule import Rule, When, on_one_line, written
from ddbmig.engine.rule_reader import compile_when
from ddbmig.engine.rulebook import Rulebook
from ddbmig.model.errors import UsageError

OTHER_SIGNS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE), ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
OTHER_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
}  # fmt: skip
STEP = 20
"""A threshold is moved by a twentieth of itself, and by 1 at least where it is a whole number."""
FAR = 1e15
"""What a missing number is taken for in a mutant, where the rule takes it for 0."""


@dataclass(frozen=True)
class Mutant:
    """A rule with one change."""

    change: str
    rule: Rule


def run_rule_tests(rulebook: Rulebook) -> tuple[UsageError, ...]:
    """Run every rule's own tests, with the params of its file; returns the failures, each with its place."""
    failures = []
    for rule in (replace(rule, params=rule.own_params) for rule in rulebook.rules):
        for test in rule.tests:
            try:
                fired = rule.fires(test.given) is not None
            except UsageError as error:
                failures.append(UsageError(error.message, rule.file, test.line, 1, error.subject,
                                           hint=f"give it in the test of {rule.id}"))  # fmt: skip
                continue
            if fired is not test.fires:
                said = "fires" if fired else "is silent"
                failures.append(UsageError(f"{rule.id} {said} on its own test", rule.file, test.line, 1,
                                           expected="fires" if test.fires else "silent"))  # fmt: skip
    return tuple(failures)


def survivors(rule: Rule) -> tuple[Mutant, ...]:
    """The mutants of a rule that its own tests do not tell from the rule."""
    home = replace(rule, params=rule.own_params)
    return tuple(mutant for mutant in mutants(home) if _passes(mutant.rule))


def _passes(rule: Rule) -> bool:
    try:
        return all((rule.fires(test.given) is not None) is test.fires for test in rule.tests)
    except UsageError:  # a guard has gone: the mutant stops at a fact that is missing
        return False


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Another comparator or operator, a threshold moved, a condition dropped or negated, and↔or, all↔any.

    What the loader would refuse (a fact without its guard) is no mutant.
    """
    for change, conditions in _changed_when(written(rule.when)):
        when: When | None = compile_when(conditions, rule.applies_to, rule.params)
        if when is not None:
            yield Mutant(change, replace(rule, when=when))
    for name, value in rule.params.items():
        if isinstance(value, int | float):
            for other in _moved(value):
                yield Mutant(f"params.{name} = {other:g}", replace(rule, params={**rule.params, name: other}))


def _moved(value: float) -> tuple[float, float]:
    step = max(1, round(abs(value) / STEP)) if isinstance(value, int) else abs(value) / STEP or 1 / STEP
    return value - step, value + step


def _changed_when(conditions: Any) -> Iterator[tuple[str, Any]]:
    """Each way to change one thing in conditions of the form of `written`."""
    if isinstance(conditions, str):
        yield from _changed_text(conditions)
        return
    ((kind, items),) = conditions.items()
    if kind == "not":
        yield f"{on_one_line(items[0])} instead of not({on_one_line(items[0])})", items[0]
    elif len(items) > 1:
        other = "any" if kind == "all" else "all"
        yield f"{other} instead of {kind}", {other: items}
        for index, item in enumerate(items):
            yield f"without {on_one_line(item)}", {kind: [*items[:index], *items[index + 1 :]]}
    for index, item in enumerate(items):
        for change, changed in _changed_when(item):
            yield change, {kind: [*items[:index], changed, *items[index + 1 :]]}


def _changed_text(text: str) -> Iterator[tuple[str, str]]:
    tree = ast.parse(text.strip(), mode="eval")
    yield f"not ({text})", f"not ({text})"
    for index, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[index])
            new = ast.unparse(changed)
            yield f"{new} instead of {text}", new


Change = Callable[[Any], None]


def _changes(node: ast.AST) -> Iterator[Change]:
    """What can be changed at one node of a condition; each change is made on the same node of a copy."""
    if isinstance(node, ast.Compare):
        for sign in OTHER_SIGNS.get(type(node.ops[0]), ()):
            yield _setter(ops=[sign()])
        for other in _other_literals(node.left):
            yield _setter(left=other)
        for other in _other_literals(node.comparators[0]):
            yield _setter(comparators=[other])
    elif isinstance(node, ast.BinOp) and type(node.op) in OTHER_ARITHMETIC:
        yield _setter(op=OTHER_ARITHMETIC[type(node.op)]())
        for other in _other_literals(node.left):
            yield _setter(left=other)
        for other in _other_literals(node.right):
            yield _setter(right=other)
    elif isinstance(node, ast.BoolOp):
        yield _setter(op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for dropped in range(len(node.values)):
            yield _dropper(dropped)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from _changed_call(node, node.func.id)


def _other_literals(node: ast.expr) -> Iterator[ast.expr]:
    minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(inner, ast.Constant) and isinstance(inner.value, int | float) and not isinstance(inner.value, bool):
        for other in _moved(-inner.value if minus else inner.value):
            yield ast.UnaryOp(ast.USub(), ast.Constant(-other)) if other < 0 else ast.Constant(other)


def _changed_call(node: ast.Call, name: str) -> Iterator[Change]:
    if name in ("any", "all"):
        yield _setter(func=ast.Name("all" if name == "any" else "any", ast.Load()))
    elif name == "default":
        other = _other_default(node.args[1])
        if other is not None:
            yield _setter(args=[node.args[0], other])


def _other_default(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Name) and node.id in ("true", "false"):
        return ast.Name("false" if node.id == "true" else "true", ast.Load())
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return ast.Constant(0 if node.value else FAR)
    return None


def _setter(**values: Any) -> Change:
    def change(node: Any) -> None:
        for name, value in values.items():
            setattr(node, name, value)

    return change


def _dropper(index: int) -> Change:
    """Leaves out one part of an `and` or `or`; of two parts the other remains, as `x and x`."""

    def change(node: Any) -> None:
        rest = [part for number, part in enumerate(node.values) if number != index]
        node.values = rest if len(rest) > 1 else rest * 2

    return change
