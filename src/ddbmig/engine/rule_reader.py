"""One rule file -> one rule: every mistake of the text at once, each with its place and a suggestion."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from ddbmig.engine.expressions import FactType, Kind, compile_condition
from ddbmig.engine.facts import BY_PHASE, PHASES, FactDefinition
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
from ddbmig.engine.strict_yaml import Node, Place, read_yaml
from ddbmig.engine.typed_yaml import in_order
from ddbmig.engine.wording import Message, closest, compile_message
from ddbmig.model.assessment import FactValue, Option, Phase
from ddbmig.model.errors import UsageError

MAX_POINTS = 100
REQUIRED = ("id", "title", "applies_to", "status", "when", "because", "why", "instead", "source", "tests")
OPTIONAL = ("since", "params", "score", "severity", "forbids", "warning", "mandatory")

T = TypeVar("T")

RULE_ID = re.compile(r"[A-Z]{2,8}[0-9]{3}")
"""Explicit and stable, never derived from a position."""
_TITLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_rule(file: str, text: str) -> tuple[Rule | None, tuple[UsageError, ...]]:
    """The rule of one file and what is wrong with it; None where there are mistakes."""
    tree, wrong = read_yaml(file, text)
    reader = _RuleReader(file, text)
    rule = reader.read(tree) if tree is not None else None
    return None if wrong else rule, in_order(reader.mistakes, wrong, text)


def compile_when(conditions: Any, phase: Phase, params: Mapping[str, ParamValue]) -> When | None:
    """Conditions in the form of `written`, compiled anew; None where a rule file with them would be refused."""
    reader = _RuleReader("", "")
    when, _ = reader.when(_node(conditions), _names(phase, params))
    return None if reader.mistakes else when


def _node(conditions: Any) -> Node:
    place = Place(1, 1)
    if isinstance(conditions, str):
        return Node(conditions, place, place)
    if isinstance(conditions, list):
        return Node(tuple(_node(item) for item in conditions), place, place)
    return Node({key: _node(item) for key, item in conditions.items()}, place, place)


class _RuleReader:
    """From a tree to a rule; collects the mistakes."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.mistakes: list[UsageError] = []

    def mistake(
        self, place: Place, message: str, subject: str | None = None, expected: str | None = None,
        hint: str | None = None,
    ) -> None:  # fmt: skip
        self.mistakes.append(UsageError(message, self.file, place.line, place.column, subject, expected, hint))

    def read(self, tree: Node) -> Rule | None:
        nodes = self.mapping(tree, (*REQUIRED, *OPTIONAL), REQUIRED)
        if nodes is None:
            return None
        phase = self.choice(nodes, "applies_to", PHASES)
        params = self.field(nodes, "params", self.params) or {}
        when = because = None
        tests: tuple[RuleTest, ...] = ()
        if phase is not None:  # without it nobody knows which facts there are
            names = _names(phase, params)
            when = self.when(nodes["when"], names)[0] if "when" in nodes else None
            because = self.field(nodes, "because", lambda n: self.message(n, names))
            tests = self.field(nodes, "tests", lambda n: self.rule_tests(n, phase)) or ()
            self.check_effect(nodes, phase, tree.place)
        severity = self.choice(nodes, "severity", SEVERITIES)
        score = self.field(nodes, "score", self.score) or {}
        forbids = self.field(nodes, "forbids", self.options) or ()
        words = {
            key: self.field(nodes, key, self.words) or "" for key in ("why", "instead", "source", "warning", "since")
        }
        rule_id = self.field(nodes, "id", lambda n: self.shaped(n, RULE_ID, "letters and three digits, such as DM003"))
        title = self.field(nodes, "title", lambda n: self.shaped(n, _TITLE, "lower-case words joined by -"))
        status = self.choice(nodes, "status", STATUSES)
        mandatory = self.field(nodes, "mandatory", self.boolean) or False
        if when is not None and because is not None:
            self.check_params(nodes, params, when, because)
        if status in ("preview", "deprecated") and not words["since"]:
            self.mistake(nodes["status"].place, f"a rule that is {status} says since when", "since", 'since: "1.2"')
        if self.mistakes or not (phase and when and because and rule_id and title and status):
            return None
        return Rule(
            rule_id, title, phase, status, when, because, words["why"], words["instead"], words["source"], tests,
            since=words["since"], params=params, own_params=params, score=score, severity=severity, forbids=forbids,
            warning=words["warning"], mandatory=mandatory, file=self.file, line=tree.place.line, text=self.text,
        )  # fmt: skip

    def field(self, nodes: Mapping[str, Node], key: str, read: Callable[[Node], T | None]) -> T | None:
        return read(nodes[key]) if key in nodes else None

    def choice(self, nodes: Mapping[str, Node], key: str, known: tuple[T, ...]) -> T | None:
        return self.one_of(nodes[key], known) if key in nodes else None

    def mapping(self, node: Node, known: Sequence[str], required: Sequence[str] = ()) -> Mapping[str, Node] | None:
        if not isinstance(node.value, Mapping):
            self.mistake(node.place, "not a mapping", expected="key: value")
            return None
        for key, place in node.keys.items():
            if key not in known:
                self.mistake(place, "unknown key", key, hint=closest(key, known) or f"known: {', '.join(known)}")
        for key in required:
            if key not in node.value:
                self.mistake(node.place, "a key is missing", key)
        return node.value

    def one_of(self, node: Node, known: Sequence[T]) -> T | None:
        for value in known:
            if node.value == value:
                return value
        words = [str(value) for value in known]
        self.mistake(node.place, "not one of the allowed words", str(node.value), " | ".join(words),
                     closest(str(node.value), words))  # fmt: skip
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
        for name, item in (node.value if isinstance(node.value, Mapping) else {}).items():
            value = self.fact_value(item)
            if not name.isidentifier() or isinstance(value, bool) or value is None:
                self.mistake(item.place, "not a param", name, "a name with a number, a text or a list of texts")
            else:
                found[name] = value
        if not found:
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
        parts = self.mapping(node, get_args(GroupKind))
        if parts is None:
            return None, known
        if len(parts) != 1:
            self.mistake(node.place, "not one group", expected="one of all, any, not")
            return None, known
        key, inner = next(iter(parts.items()))
        return self.group(key, inner, names, known)

    def group(
        self, key: str, node: Node, names: Mapping[str, FactType], known: frozenset[str]
    ) -> tuple[When | None, frozenset[str]]:
        nodes = node.value if isinstance(node.value, tuple) else (node,) if key == "not" else ()
        if not nodes or (key == "not" and len(nodes) > 1):
            self.mistake(
                node.place, "not a list of conditions", key, "one condition" if key == "not" else "- condition"
            )
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
            return None, known
        return compiled, known | compiled.known_if_true

    def message(self, node: Node, names: Mapping[str, FactType]) -> Message | None:
        text = self.words(node)
        try:
            return compile_message(text, {name: fact.unit for name, fact in names.items()}) if text else None
        except UsageError as error:
            self.inner(node, error)
            return None

    def inner(self, node: Node, error: UsageError) -> None:
        """A mistake inside of a scalar, whose column counts from where its text begins."""
        place = Place(node.inside.line, node.inside.column + (error.column or 1) - 1)
        self.mistake(place, error.message, error.subject, error.expected, error.hint)

    def score(self, node: Node) -> Mapping[Option, int]:
        found: dict[Option, int] = {}
        nodes = self.mapping(node, OPTIONS) or {}
        for option in OPTIONS:
            points = nodes[option].value if option in nodes else 0
            if isinstance(points, bool) or not isinstance(points, int) or abs(points) > MAX_POINTS:
                self.mistake(nodes[option].place, "not points", option, f"a whole number within ±{MAX_POINTS}")
            elif points:
                found[option] = points
        if not found:
            self.mistake(node.place, "no points", expected="option: points, not 0")
        return found

    def options(self, node: Node) -> tuple[Option, ...]:
        nodes = node.value if isinstance(node.value, tuple) else (node,)
        found = {self.one_of(item, OPTIONS) for item in nodes}
        return tuple(option for option in OPTIONS if option in found)

    def check_effect(self, nodes: Mapping[str, Node], phase: Phase, place: Place) -> None:
        """A rule scores a relationship, or makes a finding; only an error forbids."""
        if ("score" in nodes) == ("severity" in nodes):
            self.mistake(place, "a rule has either score or severity")
        if "score" in nodes and phase != "relationship":
            self.mistake(nodes["score"].place, "only rules on relationships score", expected="severity")
        error = "severity" in nodes and nodes["severity"].value == "error"
        if "forbids" in nodes and not (error and phase == "relationship"):
            self.mistake(nodes["forbids"].place, "only an error on a relationship forbids", expected="severity: error")

    def check_params(
        self, nodes: Mapping[str, Node], params: Mapping[str, ParamValue], when: When, because: Message
    ) -> None:
        used = names_in(when) | because.names
        for name in params:
            if f"params.{name}" not in used:
                place = nodes["params"].keys.get(name, nodes["params"].place)
                self.mistake(place, "this param is not used", name)

    def rule_tests(self, node: Node, phase: Phase) -> tuple[RuleTest, ...]:
        items = node.value if isinstance(node.value, tuple) else ()
        tests = tuple(test for item in items if (test := self.rule_test(item, phase)) is not None)
        if len(tests) == len(items) and {test.fires for test in tests} != {True, False}:
            self.mistake(node.place, "tests are missing", expected="one that fires and one that is silent at least")
        return tests

    def rule_test(self, node: Node, phase: Phase) -> RuleTest | None:
        parts = self.mapping(node, ("given", "expect"), ("given", "expect"))
        if parts is None or len({"given", "expect"} & set(parts)) < 2:
            return None
        expect = self.one_of(parts["expect"], ("fires", "silent"))
        given: dict[str, FactValue] = {}
        catalogue = BY_PHASE[phase]
        for name, item in (self.mapping(parts["given"], tuple(catalogue)) or {}).items():
            value = self.fact_value(item)
            if name in catalogue and (value is None or not fits(value, catalogue[name])):
                self.mistake(item.place, "not a value of this fact", name, _expected(catalogue[name]))
            elif value is not None:
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
    return " | ".join(fact.values) or f"a {fact.kind}{f' in {fact.unit}' if fact.unit else ''}"


def _names(phase: Phase, params: Mapping[str, ParamValue]) -> Mapping[str, FactType]:
    own = {f"params.{name}": FactType(kind) for name, value in params.items() if (kind := kind_of(value)) is not None}
    return {**{name: fact.type() for name, fact in BY_PHASE[phase].items()}, **own}
