"""The one-line condition language of rules: Python's syntax through an allow-list, compiled to closures.

    reads.joint_share > params.joint_share
    is_set(children.p99) and children.p99 <= 100
    context.lifecycle in ["early", "growing"]
    any(like(reason, "*join") for reason in pattern.unplanned)

Comparisons, `+ - * /` on numbers, `in`, `and/or/not`, `any/all/count(… for q in list)`, `count(list)`, `default(x, v)`,
`is_set(x)` and `like(text, "glob")`; nothing else. Nothing fails open: a name outside the catalogue, a type that does
not fit, a fact that may be missing and is not guarded, or a line that is too long or too deep is refused when it is
compiled, so that an evaluation is total. Division is by a number other than 0 only, a loop holds no other loop.
"""

import ast
import fnmatch
import math
import operator
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ddbmig.engine.wording import UNKNOWN_NAME, Facts, closest, closest_name, show, visible
from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import DdbmigError, RuleError, UsageError

Kind = Literal["number", "bool", "text", "list"]

MAX_LENGTH = 300
MAX_NODES = 80
MAX_DEPTH = 12
MAX_NUMBER = 1e15
SHORTER = "write several lines under all or any"
"""The way out of the limits."""

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
_IN_THE_LANGUAGE = f"comparisons, + - * /, in, and, or, not, {', '.join(_FUNCTIONS)}"
_PYTHON: dict[type[ast.expr], str] = {
    ast.JoinedStr: "a text with f before it", ast.Lambda: "lambda", ast.IfExp: "if … else", ast.NamedExpr: ":=",
    ast.Subscript: "[…] behind a name", ast.ListComp: "a loop in […]", ast.SetComp: "a loop in {…}",
    ast.DictComp: "a loop in {…}", ast.GeneratorExp: "a loop outside of any, all and count", ast.Dict: "{…}",
    ast.Set: "{…}", ast.Starred: "a star before a name", ast.Await: "await", ast.Yield: "yield",
    ast.YieldFrom: "yield", ast.Slice: "a colon",
}  # fmt: skip
"""What Python's grammar has and the condition language has not."""
_PLAIN_SIGNS = {"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": "/", "−": "-", "–": "-", "’": "'", "‘": "'",
                "“": "'", "”": "'", "„": "'"}  # fmt: skip
"""What word processors and formulas write, and what it is here."""
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_CLOSED_BY = {")": "(", "]": "[", "}": "{"}
_SLIPS = (
    (re.compile(r"&&|&"), "and"),
    (re.compile(r"\|\|?"), "or"),
    (re.compile(r"!(?!=)"), "not"),
    (re.compile(r"=>"), ">="),
    (re.compile(r"=<"), "<="),
    (re.compile(r"<>"), "!="),
    (re.compile(r"(?<![<>=!:])=(?![=<>])"), "=="),
    (re.compile(r"%"), "a share as 0.7, not as 70 %"),
    (re.compile(r"(?<=[0-9]),(?=[0-9]{3})"), "a number without commas"),
)
"""What people write instead of what the language has."""


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

    @property
    def test(self) -> Callable[[Facts], bool]:
        """Whether it holds. Raises UsageError where a fact that is never missing was not supplied."""
        return self._run

    def evaluate(self, facts: Facts) -> bool:
        """Whether it holds: `test` on these facts."""
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

    Raises UsageError with `column` (1-based, in `text`), the subject, and a suggestion where there is one; RuleError
    where several parts have mistakes.
    """
    tree = _parse(text)
    compiler = _Compiler(text, names)
    term = compiler.compile(tree, known)
    if term.kind != "bool":
        raise compiler.mistake(tree, f"this is a {term.kind}, not a condition", expected="a comparison")
    is_guard = isinstance(tree, ast.Call) and dotted(tree.func) == "is_set"
    return Compiled(text, frozenset(compiler.used), term.if_true, is_guard, term.run, term.because)


def mistakes_in(error: DdbmigError) -> tuple[DdbmigError, ...]:
    """All that an error stands for."""
    return error.mistakes if isinstance(error, RuleError) else (error,)


def _parse(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise UsageError("condition too long", column=MAX_LENGTH + 1, expected=f"at most {MAX_LENGTH} characters",
                         hint=SHORTER)  # fmt: skip
    plain = _LITERAL.sub(lambda found: "_" * len(found.group()), text)
    for column, (character, outside) in enumerate(zip(text, plain, strict=True), 1):
        if character == "\\" or not character.isprintable() or outside in "'\"" or not outside.isascii():
            raise _strange(character, column)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, Warning, ValueError, MemoryError, RecursionError) as error:
        raise _unreadable(text, plain, error) from error
    if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > MAX_NODES:
        raise UsageError("condition too complex", column=1, expected=f"at most {MAX_NODES} parts", hint=SHORTER)
    if _depth(tree) > MAX_DEPTH:
        raise UsageError("condition nested too deeply", column=1, expected=f"at most {MAX_DEPTH} levels", hint=SHORTER)
    return tree


def _strange(character: str, column: int) -> UsageError:
    if character in "'\"":
        return UsageError("this quote is not closed", column=column)
    name = f"U+{ord(character):04X} {unicodedata.name(character, 'a control character')}"
    plain = _PLAIN_SIGNS.get(character) or unicodedata.normalize("NFKC", character)
    hint = "names have plain letters only" if character.isalpha() else "write one plain line without it"
    if plain != character and plain.isascii() and plain.isprintable():
        hint = f'write "{plain}"'
    return UsageError("this character is not allowed here", column=column, subject=name, hint=hint)


def _unreadable(text: str, plain: str, error: Exception) -> UsageError:
    """Why Python cannot parse a condition, in our words: a bracket, a slip, else the place where it stopped."""
    bracket = _lone_bracket(plain)
    if bracket is not None:
        return UsageError("this bracket has no partner", column=bracket + 1, subject=plain[bracket])
    for pattern, right in _SLIPS:
        slip = pattern.search(plain)
        if slip:
            message = "this is not part of the condition language"
            return UsageError(message, column=slip.start() + 1, subject=slip.group(), hint=f"write {right}")
    if isinstance(error, SyntaxError) and not error.offset:
        return UsageError("this condition breaks off", column=len(text.rstrip()) + 1, expected="a name or a value")
    indent = len(text) - len(text.lstrip())
    column = indent + (error.offset or 1) if isinstance(error, SyntaxError) else 1
    return UsageError("cannot read this condition from here", column=min(column, len(text) + 1),
                      expected="one comparison, or several joined by and, or")  # fmt: skip


def _lone_bracket(plain: str) -> int | None:
    """The offset of the first bracket that closes none, or else of the last that is not closed."""
    opened: list[int] = []
    for offset, character in enumerate(plain):
        if character in _CLOSED_BY:
            if not opened or plain[opened.pop()] != _CLOSED_BY[character]:
                return offset
        elif character in _CLOSED_BY.values():
            opened.append(offset)
    return opened[-1] if opened else None


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
        self.in_loop = False

    def mistake(
        self, node: ast.AST, message: str, subject: str | None = None, expected: str | None = None,
        hint: str | None = None,
    ) -> UsageError:  # fmt: skip
        before = self.text.encode()[: getattr(node, "col_offset", 0)]
        column = self.indent + len(before.decode(errors="ignore")) + 1
        shown = visible(subject) if subject is not None else None
        return UsageError(message, column=column, subject=shown, expected=expected, hint=hint)

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
        said = _PYTHON.get(type(node), "this")
        raise self.mistake(node, f"{said} is not part of the condition language", expected=_IN_THE_LANGUAGE)

    def source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or ast.unparse(node)

    def both(self, left: Callable[[], _Term], right: Callable[[], _Term]) -> tuple[_Term, _Term]:
        """Two parts that need nothing of each other; raises RuleError with the mistakes of both."""
        try:
            first = left()
        except UsageError as error:
            raise RuleError((*mistakes_in(error), *self.mistakes_of(right))) from error
        return first, right()

    def mistakes_of(self, part: Callable[[], _Term]) -> tuple[DdbmigError, ...]:
        try:
            part()
        except UsageError as error:
            return mistakes_in(error)
        return ()

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
        if isinstance(value, int | float):
            raise self.mistake(node, "this number is too large", self.source(node), f"at most {MAX_NUMBER:,.0f}")
        hint = "is_set(x) tells whether a fact is known" if value is None else None
        raise self.mistake(node, "this literal is not allowed", self.source(node),
                           "a plain number, text, true or false", hint)  # fmt: skip

    def name(self, node: ast.expr, known: frozenset[str], guarded: bool = False) -> _Term:
        name = dotted(node)
        if name is None:
            raise self.mistake(node, "only names of facts may have a dot")
        if name in ("true", "false"):
            return _Term("bool", lambda _: name == "true", name, fixed=True)
        fact = self.names.get(name)
        if fact is None:
            raise self.mistake(node, UNKNOWN_NAME, subject=name, hint=closest_name(name, self.names))
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
        left, right = self.both(
            lambda: self.expect(node.left, known, "number"), lambda: self.expect(node.right, known, "number")
        )
        if isinstance(node.op, ast.Div) and (not right.literals or right.literals[0] == 0):
            hint = "multiply the other side instead"
            raise self.mistake(node.right, "division is by a literal number other than 0 only", hint=hint)
        unit = left.unit if not right.unit or left.unit == right.unit else right.unit if not left.unit else ""
        fixed = left.fixed and right.fixed

        def run(facts: Facts) -> float:
            return float(apply(float(left.run(facts)), float(right.run(facts))))  # of integers it could overflow

        return _Term("number", run, self.source(node), unit, fixed)

    def junction(self, node: ast.BoolOp, known: frozenset[str]) -> _Term:
        both, parts = isinstance(node.op, ast.And), self.parts(node, known)
        in_all, in_each = _guards(parts, both)

        def run(facts: Facts) -> bool:
            return all(part.run(facts) for part in parts) if both else any(part.run(facts) for part in parts)

        def explain(facts: Facts, held: bool) -> str:
            if held is both:
                return "; ".join(part.because(facts, held) for part in parts)
            return next(part.because(facts, held) for part in parts if part.run(facts) is held)

        if_true, if_false = (in_all, in_each) if both else (in_each, in_all)
        return _Term("bool", run, self.source(node), if_true=if_true, if_false=if_false, explain=explain)

    def parts(self, node: ast.BoolOp, known: frozenset[str]) -> list[_Term]:
        """The parts of `and` or `or`, each checked with what the ones before it have guarded."""
        parts, mistakes = list[_Term](), list[DdbmigError]()
        for value in node.values:
            try:
                part = self.expect(value, known, "bool")
            except UsageError as error:
                mistakes += mistakes_in(error)
                known |= self.meant_to_guard(self.source(value))
            else:
                known |= part.if_true if isinstance(node.op, ast.And) else part.if_false
                parts.append(part)
        if mistakes:
            raise RuleError(tuple(mistakes))
        return parts

    def meant_to_guard(self, text: str) -> frozenset[str]:
        """Any fact, where a part with a mistake was a guard: what follows is not blamed for it."""
        return frozenset(self.names) if "is_set" in text else _NOTHING

    def comparison(self, node: ast.Compare, known: frozenset[str]) -> _Term:
        if len(node.ops) > 1:
            raise self.mistake(node, "compare two things at a time", hint="join two comparisons with and")
        sign, apply = _COMPARISONS.get(type(node.ops[0]), ("", operator.eq))
        if not sign:
            raise self.mistake(node, "is and is not are not part of the condition language", expected="== or !=")
        left, right = self.both(
            lambda: self.compile(node.left, known), lambda: self.compile(node.comparators[0], known)
        )
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
            expected = "a number, text, true or false" if left.kind == "list" else f"a {left.kind} on both sides"
            raise self.mistake(node, f"cannot compare a {left.kind} with a {right.kind}", expected=expected)
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
        matches = re.compile(fnmatch.translate(pattern)).match

        def explain(facts: Facts, held: bool) -> str:
            return f"{term.text} is {term.run(facts)} ({'' if held else 'not '}like {pattern})"

        def run(facts: Facts) -> bool:
            return matches(term.run(facts)) is not None

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
        if self.in_loop:
            raise self.mistake(node, "a loop inside of a loop is not allowed", expected="… for q in list, once")
        loop = node.generators[0]
        if loop.ifs or loop.is_async or not isinstance(loop.target, ast.Name) or self.is_taken(loop.target.id):
            raise self.mistake(node, "this loop is not allowed", expected="… for q in list, q being a new name")
        members = self.expect(loop.iter, known, "list")
        variable = loop.target.id
        self.names[variable], self.in_loop = FactType(members.literal_kind or "text", values=members.values), True
        try:
            condition = self.expect(node.elt, known, "bool")
        finally:
            del self.names[variable]
            self.in_loop = False
            self.used.discard(variable)
        return variable, members, condition

    def is_taken(self, variable: str) -> bool:
        return variable in self.names or variable in ("true", "false")


def _guards(parts: list[_Term], both: bool) -> tuple[frozenset[str], frozenset[str]]:
    """What is known when all parts went one way (and: true, or: false), and when some part went the other way."""
    one_way = [part.if_true if both else part.if_false for part in parts]
    other_way = [part.if_false if both else part.if_true for part in parts]
    return frozenset().union(*one_way), frozenset.intersection(*other_way)
