"""One rule file -> one rule: every mistake of the text at once, each with its place and a suggestion."""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from ddbmig.engine.expressions import MAX_NUMBER, FactType, Kind, compile_condition, mistakes_in
from ddbmig.engine.facts import BY_PHASE, CATALOGUE, PHASES, FactDefinition
from ddbmig.engine.rule import (
    OPTIONS,
    SEVERITIES,
    STATUSES,
    Group,
    GroupKind,
    ParamValue,
    Rule,
    RuleTest,
    When,
    names_in,
)
from ddbmig.engine.strict_yaml import MAX_MISTAKES, Node, Place, read_yaml
from ddbmig.engine.typed_yaml import in_order
from ddbmig.engine.wording import UNKNOWN_NAME, Message, closest, compile_message, nearest
from ddbmig.model.assessment import FactValue, Option, Phase
from ddbmig.model.errors import DdbmigError, UsageError

MAX_POINTS = 100
MAX_SENTENCE = 500
"""Characters of `because`."""
REQUIRED = ("id", "title", "applies_to", "status", "when", "because", "why", "instead", "source", "tests")
OPTIONAL = ("since", "params", "score", "severity", "forbids", "warning", "mandatory")

T = TypeVar("T")

RULE_ID = re.compile(r"[A-Z]{2,8}[0-9]{3}")
"""Explicit and stable, never derived from a position."""
TITLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_rule(file: str, text: str) -> tuple[Rule | None, tuple[UsageError, ...]]:
    """The rule of one file and what is wrong with it; None where there are mistakes."""
    tree, wrong = read_yaml(file, text)
    reader, rule = _RuleReader(file, text), None
    with contextlib.suppress(_TooMany):
        rule = reader.read(tree) if tree is not None else None
    return None if wrong else rule, in_order(reader.mistakes, wrong, text)


def compile_when(conditions: Any, phase: Phase, params: Mapping[str, ParamValue]) -> When | None:
    """Conditions in the form of `written`, compiled anew; None where a rule file with them would be refused."""
    reader, when = _RuleReader("", ""), None
    with contextlib.suppress(_TooMany):
        when, _ = reader.when(_node(conditions), _names(phase, params))
    return None if reader.mistakes else when


def _node(conditions: Any) -> Node:
    place = Place(1, 1)
    if isinstance(conditions, str):
        return Node(conditions, place, place)
    if isinstance(conditions, list):
        return Node(tuple(_node(item) for item in conditions), place, place)
    return Node({key: _node(item) for key, item in conditions.items()}, place, place)


class _TooMany(Exception):
    """The rest of the file is not looked at."""


class _RuleReader:
    """From a tree to a rule; collects the mistakes."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.mistakes: list[UsageError] = []
        self.bad_params: set[str] = set()
        """Those with a mistake of their own, as conditions name them."""

    def mistake(
        self, place: Place, message: str, subject: str | None = None, expected: str | None = None,
        hint: str | None = None,
    ) -> None:  # fmt: skip
        self.mistakes.append(UsageError(message, self.file, place.line, place.column, subject, expected, hint))
        if len(self.mistakes) == MAX_MISTAKES:
            raise _TooMany

    def read(self, tree: Node) -> Rule | None:
        nodes = self.mapping(tree, (*REQUIRED, *OPTIONAL), REQUIRED)
        if nodes is None:
            return None
        phase = self.choice(nodes, "applies_to", PHASES)
        params = self.field(nodes, "params", self.params) or {}
        names = _names(phase, params)
        when = self.when(nodes["when"], names)[0] if "when" in nodes else None
        because = self.field(nodes, "because", lambda n: self.message(n, names))
        tests = self.field(nodes, "tests", lambda n: self.rule_tests(n, phase)) or ()
        if phase is not None:
            self.check_effect(nodes, phase, tree.place)
        severity = self.choice(nodes, "severity", SEVERITIES)
        score = self.field(nodes, "score", self.score) or {}
        forbids = self.field(nodes, "forbids", self.options) or ()
        words = {
            key: self.field(nodes, key, self.words) or "" for key in ("why", "instead", "source", "warning", "since")
        }
        rule_id = self.field(
            nodes, "id", lambda n: self.shaped(n, RULE_ID, "capital letters and three digits, such as ACME001")
        )
        title = self.field(nodes, "title", lambda n: self.shaped(n, TITLE, "lower-case words joined by -"))
        status = self.choice(nodes, "status", STATUSES)
        mandatory = self.field(nodes, "mandatory", self.boolean) or False
        if when is not None and because is not None:
            self.check_params(nodes, params, names_in(when) | because.names)
        if status in ("preview", "deprecated") and "since" not in nodes:
            self.mistake(nodes["status"].place, f"a rule that is {status} says since when", expected='since: "1.2"')
        if self.mistakes or not (phase and when and because and rule_id and title and status):
            return None
        return Rule(
            rule_id, title, phase, status, when, because, words["why"], words["instead"], words["source"], tests,
            since=words["since"], params=params, own_params=params, score=score, severity=severity, forbids=forbids,
            warning=words["warning"], mandatory=mandatory, file=self.file, line=nodes["id"].place.line, text=self.text,
        )  # fmt: skip

    def field(self, nodes: Mapping[str, Node], key: str, read: Callable[[Node], T | None]) -> T | None:
        return read(nodes[key]) if key in nodes else None

    def choice(self, nodes: Mapping[str, Node], key: str, known: tuple[T, ...]) -> T | None:
        return self.one_of(nodes[key], known) if key in nodes else None

    def mapping(
        self, node: Node, known: Sequence[str] | None = None, required: Sequence[str] = (), see: str | None = None
    ) -> Mapping[str, Node] | None:
        """The keys of a mapping, any where none are `known`; `see` helps where no known one is near."""
        if not isinstance(node.value, Mapping):
            self.mistake(node.place, "not a mapping", expected="key: value")
            return None
        misspelt = set()
        for key, place in node.keys.items():
            if known is not None and key not in known:
                misspelt.add(nearest(key, known))
                self.mistake(place, "unknown key", key, hint=closest(key, known) or see or f"known: {', '.join(known)}")
        missing = [key for key in required if key not in node.value and key not in misspelt]
        if missing:
            said = "a key is missing" if len(missing) == 1 else "keys are missing"
            self.mistake(node.place, said, ", ".join(missing))
        return node.value

    def one_of(self, node: Node, known: Sequence[T]) -> T | None:
        for value in known:
            if node.value == value:
                return value
        words, given = [str(value) for value in known], node.value if isinstance(node.value, str) else None
        self.mistake(node.place, "not one of the allowed words", given, " | ".join(words), closest(given or "", words))
        return None

    def words(self, node: Node) -> str | None:
        if isinstance(node.value, str) and node.value.strip():
            return node.value.strip()
        self.mistake(node.place, "not a text", expected="some words; in quotes if they look like a number")
        return None

    def shaped(self, node: Node, shape: re.Pattern[str], expected: str) -> str | None:
        value = self.words(node)
        if value is None or shape.fullmatch(value):
            return value
        self.mistake(node.place, "not of the right form", value, expected)
        return None

    def boolean(self, node: Node) -> bool | None:
        if isinstance(node.value, bool):
            return node.value
        self.mistake(node.place, "not a truth value", expected="true or false")
        return None

    def params(self, node: Node) -> Mapping[str, ParamValue]:
        found: dict[str, ParamValue] = {}
        before = len(self.mistakes)
        for name, item in (node.value if isinstance(node.value, Mapping) else {}).items():
            value = self.fact_value(item)
            self.bad_params.add(f"params.{name}")
            if not (name.isidentifier() and name.isascii()):
                self.mistake(node.keys[name], "not a name of a param", name, "letters, digits and _")
            elif isinstance(value, bool) or value is None or value == ():
                self.mistake(item.place, "not a param", name, "a number, a text or a list of texts")
            elif isinstance(value, int | float) and abs(value) > MAX_NUMBER:
                self.mistake(item.place, "this number is too large", name, f"at most {MAX_NUMBER:,.0f}")
            else:
                found[name] = value
                self.bad_params.discard(f"params.{name}")
        if not found and len(self.mistakes) == before:
            self.mistake(node.place, "no params", expected="name: value, or no params at all")
        return found

    def fact_value(self, node: Node) -> FactValue | None:
        if isinstance(node.value, tuple):
            items = tuple(item.value for item in node.value if isinstance(item.value, str))
            return items if len(items) == len(node.value) else None
        return None if isinstance(node.value, Mapping) else node.value

    def when(
        self, node: Node, names: Mapping[str, FactType], known: frozenset[str] = frozenset()
    ) -> tuple[When | None, frozenset[str]]:
        """The conditions, and the facts that are certainly there when they hold."""
        if isinstance(node.value, str):
            return self.condition(node, node.value, names, known)
        if not isinstance(node.value, Mapping):
            self.mistake(node.place, "not a condition", expected="a comparison, or a mapping with all, any or not")
            return None, known
        groups = get_args(GroupKind)
        see = f"known: {', '.join(groups)}; a condition with a colon in it goes into quotes"
        parts = self.mapping(node, groups, see=see) or {}
        if len(parts) != 1:
            self.mistake(node.place, "not one group", expected="one of all, any, not")
        if len(parts) != 1 or not set(parts) <= set(groups):
            return None, known
        key, inner = next(iter(parts.items()))
        return self.group(key, inner, names, known)

    def group(
        self, key: str, node: Node, names: Mapping[str, FactType], known: frozenset[str]
    ) -> tuple[When | None, frozenset[str]]:
        nodes = node.value if isinstance(node.value, tuple) else (node,) if key == "not" else ()
        if not nodes or (key == "not" and len(nodes) > 1):
            one = "not has one condition below it" if key == "not" else "not a list of conditions"
            self.mistake(node.place, one, key, "a condition" if key == "not" else "- condition, line by line")
        items, guards = list[When](), known
        for item in nodes:
            when, sure = self.when(item, names, guards)
            guards = sure if key == "all" else guards
            items += [when] if when is not None else []
        if len(items) < max(len(nodes), 1):
            return None, known
        kind: GroupKind = "all" if key == "all" else "any" if key == "any" else "not"
        return Group(kind, tuple(items)), guards

    def condition(
        self, node: Node, text: str, names: Mapping[str, FactType], known: frozenset[str]
    ) -> tuple[When | None, frozenset[str]]:
        try:
            compiled = compile_condition(text, names, known)
        except UsageError as error:
            self.inner(node, error)
            guarded = frozenset(names) if "is_set" in text else known  # what follows is not blamed for a bad guard
            return None, guarded
        return compiled, known | compiled.known_if_true

    def message(self, node: Node, names: Mapping[str, FactType]) -> Message | None:
        if self.words(node) is None:
            return None
        text = str(node.value).rstrip()
        if len(text) > MAX_SENTENCE:
            self.mistake(node.place, "this sentence is too long", expected=f"at most {MAX_SENTENCE} characters")
            return None
        try:
            return compile_message(text, {name: fact.unit for name, fact in names.items()})
        except UsageError as error:
            self.inner(node, error)
            return None

    def inner(self, node: Node, error: DdbmigError) -> None:
        """Mistakes inside of a scalar, whose columns count from where its text begins."""
        for one in mistakes_in(error):
            name, hint = one.subject or "", one.hint
            if one.message == UNKNOWN_NAME:
                if name in self.bad_params:
                    continue
                hint = _where_else(name) or hint or _see(name)
            self.mistake(node.at(one.column or 1), one.message, one.subject, one.expected, hint)

    def score(self, node: Node) -> Mapping[Option, int]:
        found: dict[Option, int] = {}
        before = len(self.mistakes)
        nodes = self.mapping(node, OPTIONS) or {}
        for option in OPTIONS:
            points = nodes[option].value if option in nodes else 0
            if isinstance(points, bool) or not isinstance(points, int) or abs(points) > MAX_POINTS:
                self.mistake(nodes[option].place, "not points", option, f"a whole number within ±{MAX_POINTS}")
            elif points:
                found[option] = points
        if not found and len(self.mistakes) == before:
            self.mistake(node.place, "no points", expected="option: points, not 0")
        return found

    def options(self, node: Node) -> tuple[Option, ...]:
        nodes = node.value if isinstance(node.value, tuple) else (node,)
        if not nodes:
            self.mistake(node.place, "forbids nothing", expected=" | ".join(OPTIONS))
        found = {self.one_of(item, OPTIONS) for item in nodes}
        return tuple(option for option in OPTIONS if option in found)

    def check_effect(self, nodes: Mapping[str, Node], phase: Phase, place: Place) -> None:
        """A rule scores a relationship, or makes a finding; only an error forbids."""
        if "score" in nodes and "severity" in nodes:
            self.mistake(nodes["severity"].place, "a rule has either score or severity, not both", "severity")
        elif not {"score", "severity"} & {nearest(key, OPTIONAL) for key in nodes if key not in REQUIRED}:
            expected = "severity: error | warning | info"
            expected = f"score: {{option: points}}, or {expected}" if phase == "relationship" else expected
            self.mistake(place, "a rule has either score or severity, this one has neither", expected=expected)
        if "score" in nodes and phase != "relationship":
            self.mistake(nodes["score"].place, "only rules on relationships score", expected="severity")
        error = "severity" in nodes and nodes["severity"].value == "error"
        if "forbids" in nodes and not (error and phase == "relationship"):
            self.mistake(nodes["forbids"].place, "only an error on a relationship forbids", expected="severity: error")

    def check_params(self, nodes: Mapping[str, Node], params: Mapping[str, ParamValue], used: frozenset[str]) -> None:
        for name in params:
            if f"params.{name}" not in used:
                hint = f"write params.{name} in a condition, or remove it"
                self.mistake(nodes["params"].keys[name], "this param is not used", name, hint=hint)

    def rule_tests(self, node: Node, phase: Phase | None) -> tuple[RuleTest, ...]:
        items = node.value if isinstance(node.value, tuple) else ()
        tests = tuple(test for item in items if (test := self.rule_test(item, phase)) is not None)
        if len(tests) == len(items) and {test.fires for test in tests} != {True, False}:
            self.mistake(node.place, "tests are missing", expected="one that fires and one that is silent at least")
        return tests

    def rule_test(self, node: Node, phase: Phase | None) -> RuleTest | None:
        parts = self.mapping(node, ("given", "expect"), ("given", "expect"))
        if parts is None or len({"given", "expect"} & set(parts)) < 2:
            return None
        expect = self.one_of(parts["expect"], ("fires", "silent"))
        given: dict[str, FactValue] = {}
        catalogue = _catalogue(phase)
        for name, item in (self.mapping(parts["given"]) or {}).items():
            value = self.fact_value(item)
            if name not in catalogue:
                hint = _where_else(name) or closest(name, catalogue) or _see(name)
                self.mistake(parts["given"].keys[name], "unknown fact", name, hint=hint)
            elif value is None or not fits(value, catalogue[name]):
                self.mistake(item.place, "not a value of this fact", name, _expected(catalogue[name]))
            else:
                given[name] = value
        return RuleTest(given, expect == "fires", node.place.line) if expect else None


def fits(value: FactValue, fact: FactDefinition) -> bool:
    """Whether a value is of the fact's type (and, for a closed list, in it)."""
    return kind_of(value) == fact.kind and (not fact.values or value in fact.values)


def kind_of(value: object) -> Kind | None:
    """The type of a value in the condition language, where it has one."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, tuple) else None


def _expected(fact: FactDefinition) -> str:
    if fact.unit == "share":
        return "a number from 0 to 1"
    plain = "true or false" if fact.kind == "bool" else f"a {fact.kind}"
    return " | ".join(fact.values) or plain + (f" of {fact.unit}" if fact.unit else "")


def _where_else(name: str) -> str | None:
    phases = [fact.applies_to for fact in CATALOGUE if fact.name == name]
    return f"it is a fact of another phase: {', '.join(phases)}" if phases else None


def _see(name: str) -> str:
    return "write it under params" if name.startswith("params.") else "see: ddbmig rules facts"


def _catalogue(phase: Phase | None) -> Mapping[str, FactDefinition]:
    """The facts of a phase; all, where nobody knows which it is."""
    return BY_PHASE[phase] if phase is not None else {fact.name: fact for fact in CATALOGUE}


def _names(phase: Phase | None, params: Mapping[str, ParamValue]) -> Mapping[str, FactType]:
    own = {f"params.{name}": FactType(kind) for name, value in params.items() if (kind := kind_of(value)) is not None}
    return {**{name: fact.type() for name, fact in _catalogue(phase).items()}, **own}
