"""How facts move conditions: which way each one pushes them, and at which value it tips them over."""

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ddbmig.engine.expressions import Compiled, dotted
from ddbmig.engine.rule import ParamValue, Rule, When
from ddbmig.engine.wording import Facts, show
from ddbmig.model.assessment import FactValue

_MORE = (ast.Gt, ast.GtE)
_LESS = (ast.Lt, ast.LtE)
_EQUAL = (ast.Eq, ast.NotEq)
STEPS = 3
EXACT = 1e-9
"""How near to 0, as a share of the value at 0, the difference of both sides of a comparison is where they are equal."""


def trends(when: When, params: Mapping[str, ParamValue]) -> Mapping[str, int]:
    """Per fact: 1 where more of it (for a bool: true; for a list: members) can only help the conditions to hold, -1
    where less of it can, 0 where neither is sure. Facts are taken for never negative, as those of the catalogue are."""
    found: dict[str, int] = {}
    for name, sign in _pushes(when, 1, params):
        found[name] = sign if found.get(name, sign) == sign else 0
    return found


def _pushes(when: When, sign: int, params: Mapping[str, ParamValue]) -> Iterator[tuple[str, int]]:
    if isinstance(when, Compiled):
        yield from _Pushes(params).of_condition(parsed(when), sign)
    else:
        for item in when.items:
            yield from _pushes(item, -sign if when.kind == "not" else sign, params)


def parsed(condition: Compiled) -> ast.expr:
    """The tree of a condition that has been compiled before."""
    return ast.parse(condition.text.strip(), mode="eval").body


@dataclass(frozen=True)
class _Pushes:
    """Which way each fact of a condition pushes it: pairs of name and sign."""

    params: Mapping[str, ParamValue]

    def of_condition(self, node: ast.expr, sign: int) -> Iterator[tuple[str, int]]:
        match node:
            case ast.BoolOp():
                for value in node.values:
                    yield from self.of_condition(value, sign)
            case ast.UnaryOp(op=ast.Not()):
                yield from self.of_condition(node.operand, -sign)
            case ast.Compare(ops=[op]) if isinstance(op, _MORE + _LESS):
                rising = sign if isinstance(op, _MORE) else -sign
                yield from self.of_number(node.left, rising)
                yield from self.of_number(node.comparators[0], -rising)
            case ast.Call(func=ast.Name(id="is_set")):
                return  # that a fact is known is no matter of more or less
            case ast.Call(func=ast.Name(id="default")):
                yield from self.of_condition(node.args[0], sign)
            case ast.Name() | ast.Attribute():
                yield from _named(node, sign)
            case _:
                yield from _unsure(node)

    def of_number(self, node: ast.expr, sign: int) -> Iterator[tuple[str, int]]:
        match node:
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                yield from self.of_number(node.left, sign)
                yield from self.of_number(node.right, -sign if isinstance(node.op, ast.Sub) else sign)
            case ast.BinOp():  # a factor pushes the way it stands only where the other cannot be negative
                yield from self.of_number(node.left, sign if self.never_negative(node.right) else 0)
                yield from self.of_number(node.right, sign if self.never_negative(node.left) else 0)
            case ast.UnaryOp():
                yield from self.of_number(node.operand, -sign)
            case ast.Call(func=ast.Name(id="default" | "count")) if not isinstance(node.args[0], ast.GeneratorExp):
                yield from self.of_number(node.args[0], sign)
            case ast.Name() | ast.Attribute():
                yield from _named(node, sign)
            case _:
                yield from _unsure(node)

    def never_negative(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant(value=int() | float() as value):
                return value >= 0
            case ast.Name() | ast.Attribute():
                param = self.params.get((dotted(node) or "").removeprefix("params."), 0)
                return isinstance(param, int | float) and param >= 0
            case ast.BinOp(op=ast.Add() | ast.Mult() | ast.Div()):
                return self.never_negative(node.left) and self.never_negative(node.right)
            case ast.Call(func=ast.Name(id="default")):
                return all(map(self.never_negative, node.args))
        return isinstance(node, ast.Call)  # count


def _unsure(node: ast.expr) -> Iterator[tuple[str, int]]:
    """Every name below a node: compared for equality, looked for in a list, matched or counted by a condition."""
    if isinstance(node, ast.Name | ast.Attribute):
        yield from _named(node, 0)
        return
    for child in ast.walk(node):
        if child is not node and isinstance(child, ast.Attribute):
            yield from _named(child, 0)


def _named(node: ast.expr, sign: int) -> Iterator[tuple[str, int]]:
    name = dotted(node)
    if name and "." in name and not name.startswith("params."):
        yield name, sign


# --- what is worse ---------------------------------------------------------------------------------------------------


def worse(rule: Rule, was: Mapping[str, FactValue], now: Facts, tolerance_percent: float = 0.0) -> tuple[str, ...]:
    """One line for each fact of a rule that has moved further towards firing than `was`; numbers may move by the
    tolerance, and are compared as they are shown (four significant digits). A fact of which nobody knows which way is
    worse may not change at all, and one that was not known before may not appear."""
    moves = trends(rule.when, rule.params)
    lines = []
    for name in sorted(rule.facts):
        before, after = was.get(name), now.get(name)
        if after is None or show(before) == show(after):
            continue
        if before is None or _moved(before, after, moves.get(name, 0), tolerance_percent / 100):
            lines.append(f"{name} was {show(before)}, is {show(after)}")
    return tuple(lines)


def _moved(before: FactValue, after: FactValue, sign: int, tolerance: float) -> bool:
    old, new = _amount(before), _amount(after)
    if sign == 0 or old is None or new is None:
        return True
    return (new - old) * sign > abs(old) * tolerance


def _amount(value: FactValue) -> float | None:
    if isinstance(value, tuple):
        return len(value)
    return None if isinstance(value, str) else float(value)


# --- where a fact tips a condition -----------------------------------------------------------------------------------


def tipping_points(when: When, facts: Facts, name: str) -> Iterator[float]:
    """The values of one number at which a comparison of `when` changes its answer, all other facts (and params) being
    as they are: where both sides are equal. Nearly every comparison is linear in a fact; one that is not may be left
    out. `facts` hold the params."""
    if not isinstance(when, Compiled):
        for item in when.items:
            yield from tipping_points(item, facts, name)
        return
    if name not in when.names:
        return
    for node in ast.walk(parsed(when)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], _MORE + _LESS + _EQUAL):
            point = _zero(node, facts, name)
            if point is not None:
                yield point


def _zero(node: ast.Compare, facts: Facts, name: str) -> float | None:
    """Where the line through 0 and another point is 0. Taken again from there it loses no digits to a flat line; what
    is then not 0 was no line."""

    def difference(at: float) -> float:
        found = _difference(node, {**facts, name: at})
        return math.nan if found is None else found

    low, at = difference(0.0), 1.0
    for _ in range(STEPS if low else 0):
        at *= low / (low - difference(at) or math.nan)
    if low == 0:  # nothing to go by but the slope, which a line has everywhere
        return 0.0 if math.isclose(difference(2.0), 2 * difference(1.0)) and difference(1.0) else None
    return at if abs(difference(at)) <= abs(low) * EXACT and math.isfinite(at) else None


def _difference(node: ast.Compare, facts: Facts) -> float | None:
    left, right = _number(node.left, facts), _number(node.comparators[0], facts)
    return None if left is None or right is None else left - right


def _number(node: ast.expr, facts: Facts) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name() | ast.Attribute():
            found = facts.get(dotted(node) or "")
            return float(found) if isinstance(found, int | float) else None
        case ast.UnaryOp():
            inner = _number(node.operand, facts)
            return None if inner is None else -inner
        case ast.Call(func=ast.Name(id="default")):
            found = _number(node.args[0], facts)
            return _number(node.args[1], facts) if found is None else found
        case ast.BinOp():
            left, right = _number(node.left, facts), _number(node.right, facts)
            return None if left is None or right is None else _applied(node.op, left, right)
    return None


def _applied(sign: ast.operator, left: float, right: float) -> float:
    match sign:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
    return left / right
