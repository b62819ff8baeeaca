"""The one-line condition language of rules: Python's syntax through an allow-list, compiled to closures.

    reads.joint_share > params.joint_share
    is_set(children.p99) and children.p99 <= 100
    context.lifecycle in ["early", "growing"]
    any(like(reason, "*join") for reason in pattern.unplanned)

Comparisons, `+ - * /` on numbers, `in`, `and/or/not`, `any/all/count(… for q in list)`, `count(list)`, `default(x, v)`,
`is_set(x)` and `like(text, "glob")`; nothing else. Nothing fails open: a name outside the catalogue, a type that does
not fit, a fact that may be missing and is not guarded, or a line that is too long or too deep is refused when it is
compiled, so that an evaluation is total. Division is by a number other than 0 only.
"""

import ast
import fnmatch
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ddbmig.engine.wording import Facts, closest, show
from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import UsageError

Kind = Literal["number", "bool", "text", "list"]

MAX_LENGTH = 300
MAX_NODES = 80
MAX_DEPTH = 12
MAX_NUMBER = 1e15

_NOTHING: frozenset[str] = frozenset()
_FUNCTIONS = ("all", "any", "count", "default", "is_set", "like")
_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.In: ("in", lambda member, members: member in members),
    ast.NotIn: ("not in", lambda member, members: member not in members),
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class FactType:
    """What a condition must know of a name. `values` is the closed list of a text fact that has one."""

    kind: Kind
    unit: str = ""
    may_be_missing: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """A condition that was checked against the catalogue."""

    text: str
    names: frozenset[str]
    known_if_true: frozenset[str]
    """Facts that are certainly there when the condition holds: guards for what comes after it in an `all`."""
    is_guard: bool
    """The whole condition is an `is_set(…)`."""
    _run: Callable[[Facts], bool] = field(repr=False)
    _explain: Callable[[Facts, bool], str] = field(repr=False)

    def evaluate(self, facts: Facts) -> bool:
        """Whether it holds. Raises UsageError where a fact that is never missing was not supplied."""
        return self._run(facts)

    def explain(self, facts: Facts, held: bool = True) -> str:
        """One line of evidence, e.g. `reads.joint_share is 81 % (> 70 %)`; `held` is what `evaluate` said."""
        return self._explain(facts, held)


@dataclass(frozen=True)
class _Term:
    """A compiled part: its type, how to run it, how to word it, and what is known when it is true or false."""

    kind: Kind
    run: Callable[[Facts], Any]
    text: str
    unit: str = ""
    fixed: bool = False
    """A literal or a param: its value says more than its name."""
    values: tuple[str, ...] = ()
    literals: tuple[FactValue, ...] = ()
    literal_kind: Kind | None = None
    if_true: frozenset[str] = _NOTHING
    if_false: frozenset[str] = _NOTHING
    explain: Callable[[Facts, bool], str] | None = None

    def because(self, facts: Facts, held: bool) -> str:
        return self.explain(facts, held) if self.explain else f"{self.text} is {show(held)}"


def compile_condition(text: str, names: Mapping[str, FactType], known: frozenset[str] = _NOTHING) -> Compiled:
    """Compile one condition; `known` are the facts that earlier lines have guarded.

    Raises UsageError with `column` (1-based, in `text`), the subject, and a suggestion where there is one.
    """
    tree = _parse(text)
    compiler = _Compiler(text, names)
    term = compiler.compile(tree, known)
    if term.kind != "bool":
        raise compiler.mistake(tree, f"this is a {term.kind}, not a condition", expected="a comparison")
    is_guard = isinstance(tree, ast.Call) and dotted(tree.func) == "is_set"
    return Compiled(text, frozenset(compiler.used), term.if_true, is_guard, term.run, term.because)


def _parse(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise UsageError("condition too long", column=MAX_LENGTH + 1, expected=f"at most {MAX_LENGTH} characters")
    strange = re.search(r"[\x00-\x1f\x7f\\]", text)
    if strange:
        raise UsageError("character not allowed in a condition", column=strange.start() + 1, expected="one plain line")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        column = min(max(error.offset or 1, 1), len(text) + 1)
        raise UsageError("cannot read this condition", column=column, expected="one expression") from error
    except (Warning, ValueError, MemoryError, RecursionError) as error:
        raise UsageError("cannot read this condition", column=1, expected="one expression") from error
    if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > MAX_NODES:
        raise UsageError("condition too complex", column=1, expected=f"at most {MAX_NODES} parts")
    if _depth(tree) > MAX_DEPTH:
        raise UsageError("condition nested too deeply", column=1, expected=f"at most {MAX_DEPTH} levels")
    return tree


def _depth(node: ast.AST) -> int:
    return isinstance(node, ast.expr) + max((_depth(child) for child in ast.iter_child_nodes(node)), default=0)


def dotted(node: ast.expr) -> str | None:
    """`a.b` of names with dots; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else None
    return None


class _Compiler:
    """Turns allowed nodes into terms; everything else is a mistake."""

    def __init__(self, text: str, names: Mapping[str, FactType]) -> None:
        self.text = text.strip()
        self.indent = len(text) - len(text.lstrip())
        self.names = dict(names)
        self.used: set[str] = set()

    def mistake(
        self, node: ast.AST, message: str, subject: str | None = None, expected: str | None = None,
        hint: str | None = None,
    ) -> UsageError:  # fmt: skip
        before = self.text.encode()[: getattr(node, "col_offset", 0)]
        column = self.indent + len(before.decode(errors="ignore")) + 1
        return UsageError(message, column=column, subject=subject, expected=expected, hint=hint)

    def compile(self, node: ast.expr, known: frozenset[str]) -> _Term:
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Name() | ast.Attribute():
                return self.name(node, known)
            case ast.List() | ast.Tuple():
                return self.literal_list(node, known)
            case ast.UnaryOp():
                return self.unary(node, known)
            case ast.BinOp():
                return self.arithmetic(node, known)
            case ast.BoolOp():
                return self.junction(node, known)
            case ast.Compare():
                return self.comparison(node, known)
            case ast.Call():
                return self.call(node, known)
        raise self.mistake(node, f"{type(node).__name__} is not part of the condition language")

    def source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or ast.unparse(node)

    def expect(self, node: ast.expr, known: frozenset[str], *kinds: Kind) -> _Term:
        term = self.compile(node, known)
        if term.kind not in kinds:
            raise self.mistake(node, f"{term.text} is a {term.kind}", expected=" or ".join(kinds))
        return term

    def constant(self, node: ast.Constant) -> _Term:
        value = node.value
        if isinstance(value, bool):
            return _Term("bool", lambda _: value, show(value), fixed=True)
        if isinstance(value, str):
            return _Term("text", lambda _: value, value, fixed=True, literals=(value,))
        if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= MAX_NUMBER:
            return _Term("number", lambda _: value, self.source(node), fixed=True, literals=(value,))
        raise self.mistake(node, "this literal is not allowed", expected="a plain number, text, true or false")

    def name(self, node: ast.expr, known: frozenset[str], guarded: bool = False) -> _Term:
        name = dotted(node)
        if name is None:
            raise self.mistake(node, "only names of facts may have a dot")
        if name in ("true", "false"):
            return _Term("bool", lambda _: name == "true", name, fixed=True)
        fact = self.names.get(name)
        if fact is None:
            raise self.mistake(node, "unknown name", subject=name, hint=closest(name, self.names))
        self.used.add(name)
        if fact.may_be_missing and not guarded and name not in known:
            hint = f"guard it: is_set({name}) and …, an earlier line of the same all, or default({name}, …)"
            raise self.mistake(node, "this fact may be missing", subject=name, hint=hint)

        def run(facts: Facts) -> FactValue:
            value = facts.get(name)
            if value is None:
                raise UsageError("a fact that is never missing was not supplied", subject=name)
            return value

        def explain(facts: Facts, held: bool) -> str:
            return f"{name} is {show(held)}"

        fixed = name.startswith("params.")
        return _Term(fact.kind, run, name, fact.unit, fixed=fixed, values=fact.values, explain=explain)

    def literal_list(self, node: ast.List | ast.Tuple, known: frozenset[str]) -> _Term:
        items = [self.compile(item, known) for item in node.elts]
        if not items or any(not item.literals or item.kind != items[0].kind for item in items):
            raise self.mistake(node, "this list is not allowed", expected="literals of one type")
        values = tuple(item.literals[0] for item in items)
        text = ", ".join(item.text for item in items)
        return _Term("list", lambda _: values, text, fixed=True, literals=values, literal_kind=items[0].kind)

    def unary(self, node: ast.UnaryOp, known: frozenset[str]) -> _Term:
        if isinstance(node.op, ast.Not):
            term = self.expect(node.operand, known, "bool")
            return _Term(
                "bool", lambda facts: not term.run(facts), self.source(node), if_true=term.if_false,
                if_false=term.if_true, explain=lambda facts, held: term.because(facts, not held),
            )  # fmt: skip
        if isinstance(node.op, ast.USub):
            term = self.expect(node.operand, known, "number")
            minus = tuple(-value for value in term.literals if isinstance(value, int | float))
            return _Term("number", lambda facts: -term.run(facts), self.source(node), term.unit, term.fixed,
                         literals=minus)  # fmt: skip
        raise self.mistake(node, "this operator is not part of the condition language", expected="not or -")

    def arithmetic(self, node: ast.BinOp, known: frozenset[str]) -> _Term:
        apply = _ARITHMETIC.get(type(node.op))
        if apply is None:
            raise self.mistake(node, "this operator is not part of the condition language", expected="+ - * /")
        left, right = self.expect(node.left, known, "number"), self.expect(node.right, known, "number")
        if isinstance(node.op, ast.Div) and (not right.literals or right.literals[0] == 0):
            hint = "multiply the other side instead"
            raise self.mistake(node.right, "division is by a literal number other than 0 only", hint=hint)
        unit = left.unit if not right.unit or left.unit == right.unit else right.unit if not left.unit else ""
        fixed = left.fixed and right.fixed
        return _Term("number", lambda facts: apply(left.run(facts), right.run(facts)), self.source(node), unit, fixed)

    def junction(self, node: ast.BoolOp, known: frozenset[str]) -> _Term:
        both, parts = isinstance(node.op, ast.And), []
        for value in node.values:
            part = self.expect(value, known, "bool")
            known |= part.if_true if both else part.if_false
            parts.append(part)
        in_all, in_each = _guards(parts, both)

        def run(facts: Facts) -> bool:
            return all(part.run(facts) for part in parts) if both else any(part.run(facts) for part in parts)

        def explain(facts: Facts, held: bool) -> str:
            if held is both:
                return "; ".join(part.because(facts, held) for part in parts)
            return next(part.because(facts, held) for part in parts if part.run(facts) is held)

        if_true, if_false = (in_all, in_each) if both else (in_each, in_all)
        return _Term("bool", run, self.source(node), if_true=if_true, if_false=if_false, explain=explain)

    def comparison(self, node: ast.Compare, known: frozenset[str]) -> _Term:
        if len(node.ops) > 1:
            raise self.mistake(node, "compare two things at a time", hint="join two comparisons with and")
        sign, apply = _COMPARISONS.get(type(node.ops[0]), ("", operator.eq))
        if not sign:
            raise self.mistake(node, "is and is not are not part of the condition language", expected="== or !=")
        left, right = self.compile(node.left, known), self.compile(node.comparators[0], known)
        self.check_types(node, sign, left, right)
        unit = left.unit or right.unit

        def explain(facts: Facts, held: bool) -> str:
            value = show(right.run(facts), unit)
            limit = value if right.fixed else f"{right.text}, {value}"
            return f"{left.text} is {show(left.run(facts), unit)} ({'' if held else 'not '}{sign} {limit})"

        def run(facts: Facts) -> bool:
            return bool(apply(left.run(facts), right.run(facts)))

        return _Term("bool", run, self.source(node), explain=explain)

    def check_types(self, node: ast.Compare, sign: str, left: _Term, right: _Term) -> None:
        if sign in ("in", "not in"):
            member = right.literal_kind or "text"
            if right.kind != "list" or left.kind != member:
                raise self.mistake(node, f"cannot look for a {left.kind} in this", expected="a list of the same type")
        elif left.kind != right.kind or left.kind == "list":
            raise self.mistake(node, f"cannot compare a {left.kind} with a {right.kind}", expected="two of one type")
        elif sign not in ("==", "!=") and left.kind != "number":
            raise self.mistake(node, f"{sign} compares numbers, not {left.kind}", expected="== or !=")
        for allowed, other in ((left.values, right), (right.values, left)):
            for literal in other.literals if allowed else ():
                if literal not in allowed:
                    hint = closest(str(literal), allowed)
                    raise self.mistake(node, "never this value", str(literal), ", ".join(allowed), hint)

    def call(self, node: ast.Call, known: frozenset[str]) -> _Term:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            raise self.mistake(node, "unknown function", subject=self.source(node.func),
                               expected=", ".join(_FUNCTIONS), hint=closest(name, _FUNCTIONS))  # fmt: skip
        wanted = 2 if name in ("default", "like") else 1
        if node.keywords or len(node.args) != wanted:
            raise self.mistake(node, f"{name} takes {wanted} argument{'s' * (wanted > 1)}")
        if name == "is_set":
            return self.is_set(node)
        if name == "default":
            return self.default(node, known)
        if name == "like":
            return self.like(node, known)
        return self.over_list(node, name, known)

    def is_set(self, node: ast.Call) -> _Term:
        term = self.name(node.args[0], _NOTHING, guarded=True)

        def explain(facts: Facts, held: bool) -> str:
            value = show(facts.get(term.text), term.unit)
            return f"{term.text} is known ({value})" if held else f"{term.text} is not known"

        def run(facts: Facts) -> bool:
            return facts.get(term.text) is not None

        return _Term("bool", run, self.source(node), if_true=frozenset({term.text}), explain=explain)

    def default(self, node: ast.Call, known: frozenset[str]) -> _Term:
        term = self.name(node.args[0], known, guarded=True)
        otherwise = self.expect(node.args[1], known, term.kind)
        if not otherwise.fixed:
            raise self.mistake(node.args[1], "the default is a literal or a param")

        def run(facts: Facts) -> Any:
            value = facts.get(term.text)
            return otherwise.run(facts) if value is None else value

        return replace(term, run=run, text=term.text, fixed=False, explain=None)

    def like(self, node: ast.Call, known: frozenset[str]) -> _Term:
        term, glob = self.expect(node.args[0], known, "text"), node.args[1]
        if not isinstance(glob, ast.Constant) or not isinstance(glob.value, str):
            raise self.mistake(glob, "the pattern of like is a literal text")
        pattern = glob.value

        def explain(facts: Facts, held: bool) -> str:
            return f"{term.text} is {term.run(facts)} ({'' if held else 'not '}like {pattern})"

        def run(facts: Facts) -> bool:
            return fnmatch.fnmatchcase(str(term.run(facts)), pattern)

        return _Term("bool", run, self.source(node), explain=explain)

    def over_list(self, node: ast.Call, name: str, known: frozenset[str]) -> _Term:
        argument = node.args[0]
        if name == "count" and not isinstance(argument, ast.GeneratorExp):
            members = self.expect(argument, known, "list")
            return _Term("number", lambda facts: len(members.run(facts)), self.source(node))
        variable, members, condition = self.generator(argument, known)

        def each(facts: Facts) -> Iterator[bool]:
            inner = dict(facts)
            for member in members.run(facts):
                inner[variable] = member
                yield condition.run(inner)

        if name == "count":
            return _Term("number", lambda facts: sum(each(facts)), self.source(node))
        quantify = any if name == "any" else all

        def explain(facts: Facts, held: bool) -> str:
            return f"{self.source(node)} is {show(held)} ({members.text}: {show(tuple(members.run(facts)))})"

        return _Term("bool", lambda facts: quantify(each(facts)), self.source(node), explain=explain)

    def generator(self, node: ast.expr, known: frozenset[str]) -> tuple[str, _Term, _Term]:
        if not isinstance(node, ast.GeneratorExp) or len(node.generators) != 1:
            raise self.mistake(node, "not a loop over one list", expected="… for q in list")
        loop = node.generators[0]
        if loop.ifs or loop.is_async or not isinstance(loop.target, ast.Name) or loop.target.id in self.names:
            raise self.mistake(node, "this loop is not allowed", expected="… for q in list, q being a new name")
        members = self.expect(loop.iter, known, "list")
        variable = loop.target.id
        self.names[variable] = FactType(members.literal_kind or "text", values=members.values)
        condition = self.expect(node.elt, known, "bool")
        del self.names[variable]
        self.used.discard(variable)
        return variable, members, condition


def _guards(parts: list[_Term], both: bool) -> tuple[frozenset[str], frozenset[str]]:
    """What is known when all parts went one way (and: true, or: false), and when some part went the other way."""
    one_way = [part.if_true if both else part.if_false for part in parts]
    other_way = [part.if_false if both else part.if_true for part in parts]
    return frozenset().union(*one_way), frozenset.intersection(*other_way)
