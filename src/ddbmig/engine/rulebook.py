"""Rules from YAML texts, strictly: every mistake of every file at once, each with its place and a suggestion.

Pure: texts in, values out; who calls reads the files. `extends` and packs are a matter of which texts are handed in.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, get_args

from ddbmig.engine.expressions import Compiled, FactType, Kind, compile_condition
from ddbmig.engine.facts import BY_PHASE, PHASES, FactDefinition, Phase
from ddbmig.engine.strict_yaml import Node, Place, read_yaml
from ddbmig.engine.wording import Facts, Message, closest, compile_message
from ddbmig.model.assessment import FactValue, Option, Severity
from ddbmig.model.base import canonical_json, sha256
from ddbmig.model.errors import DdbmigError, RuleError, UsageError

OPTIONS: tuple[Option, ...] = ("separate", "denormalize", "embed", "collocate")
"""What can become of a relationship; the simplest first, which also breaks ties."""
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
"""From the lightest."""
MAX_POINTS = 100

Status = Literal["preview", "stable", "deprecated"]
STATUSES: tuple[Status, ...] = get_args(Status)
GroupKind = Literal["all", "any", "not"]
ParamValue = int | float | str | tuple[str, ...]
Overrides = Mapping[str, Mapping[str, object]]
T = TypeVar("T")

_ID = re.compile(r"[A-Z]{2,8}[0-9]{3}")
_TITLE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_REQUIRED = ("id", "title", "applies_to", "status", "when", "because", "why", "instead", "source", "tests")
_OPTIONAL = ("since", "params", "score", "severity", "forbids", "warning", "mandatory")


@dataclass(frozen=True)
class Group:
    """`all`, `any` or `not` of conditions and groups."""

    kind: GroupKind
    items: "tuple[When, ...]"


When = Compiled | Group


@dataclass(frozen=True)
class RuleTest:
    """One case of a rule's own tests: facts that are not given are missing."""

    given: Mapping[str, FactValue]
    fires: bool
    line: int


@dataclass(frozen=True)
class Rule:
    """One rule: what it looks at, when it fires, what it says, why, what to do instead, and its own tests."""

    id: str
    title: str
    applies_to: Phase
    status: Status
    when: When
    because: Message
    why: str
    instead: str
    source: str
    tests: tuple[RuleTest, ...]
    since: str = ""
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    """The params in force, by name without `params.`."""
    own_params: Mapping[str, ParamValue] = field(default_factory=dict)
    """As the rule's file says, for its tests."""
    score: Mapping[Option, int] = field(default_factory=dict)
    severity: Severity | None = None
    forbids: tuple[Option, ...] = ()
    warning: str = ""
    mandatory: bool = False
    file: str = ""
    line: int = 1

    def fires(self, facts: Facts, params: Mapping[str, ParamValue] | None = None) -> tuple[str, ...] | None:
        """The lines of evidence where the rule fires on these facts, else None."""
        values = self.with_params(facts, params)
        return tuple(evidence(self.when, values)) if holds(self.when, values) else None

    def with_params(self, facts: Facts, params: Mapping[str, ParamValue] | None = None) -> Facts:
        """The facts with the rule's params beside them."""
        chosen = self.params if params is None else params
        return {**facts, **{f"params.{name}": value for name, value in chosen.items()}}


@dataclass(frozen=True)
class Rulebook:
    """All rules in force, by id, and the SHA-256 of what they were read from."""

    rules: tuple[Rule, ...]
    fingerprint: str

    def rule(self, rule_id: str) -> Rule:
        """The rule with this id. Raises UsageError with a suggestion."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise UsageError("no such rule", subject=rule_id, hint=closest(rule_id, [rule.id for rule in self.rules]))

    def of(self, phase: Phase) -> tuple[Rule, ...]:
        """The rules that apply to this kind of object."""
        return tuple(rule for rule in self.rules if rule.applies_to == phase)


def holds(when: When, facts: Facts) -> bool:
    """Whether the conditions hold, in their order, no further than needed."""
    if isinstance(when, Compiled):
        return when.evaluate(facts)
    results = (holds(item, facts) for item in when.items)
    if when.kind == "any":
        return any(results)
    return all(results) if when.kind == "all" else not all(results)


def evidence(when: When, facts: Facts, held: bool = True) -> Iterator[str]:
    """One line for each condition that made the outcome; a guard says nothing where another line has its fact."""
    if isinstance(when, Compiled):
        yield when.explain(facts, held)
    elif when.kind == "not":
        yield from evidence(Group("all", when.items), facts, not held)
    elif held is (when.kind == "all"):
        for item in when.items:
            if not (held and _mere_guard(item, when.items)):
                yield from evidence(item, facts, held)
    else:
        made = [item for item in _reached(when, facts) if holds(item, facts) is held]
        for item in made:
            yield from evidence(item, facts, held)


def _mere_guard(item: When, items: tuple[When, ...]) -> bool:
    if not (isinstance(item, Compiled) and item.is_guard):
        return False
    speaking = [other for other in items if not (isinstance(other, Compiled) and other.is_guard)]
    return any(item.names <= _used(other) for other in speaking)


def _reached(group: Group, facts: Facts) -> Iterator[When]:
    """The items of an `any`; of an `all` those up to the first that fails, since later ones may rest on it."""
    for item in group.items:
        yield item
        if group.kind == "all" and not holds(item, facts):
            return


def load_rules(files: Sequence[tuple[str, str]], overrides: Overrides | None = None) -> Rulebook:
    """The rulebook of `files`, pairs of (name, YAML text), with `overrides` by rule id: enabled, severity, params.

    Raises RuleError with every mistake of every file, in the order of the files.
    """
    mistakes: list[UsageError] = []
    rules: dict[str, Rule] = {}
    for name, text in files:
        tree, wrong = read_yaml(name, text)
        mistakes.extend(wrong)
        reader = _RuleReader(name, mistakes)
        rule = reader.read(tree) if tree is not None else None
        if rule is not None:
            reader.unique(rule, rules)
            rules.setdefault(rule.id, rule)
    for rule_id, override in sorted((overrides or {}).items()):
        _override(rules, rule_id, override, mistakes)
    if mistakes:
        order = {name: index for index, (name, _) in enumerate(files)}
        mistakes.sort(key=lambda m: (order.get(m.file or "", len(order)), m.line or 0, m.column or 0))
        raise RuleError(tuple(mistakes))
    plain = {key: {name: _plain(value) for name, value in entry.items()} for key, entry in (overrides or {}).items()}
    content = canonical_json([sorted(text for _, text in files), plain])
    return Rulebook(tuple(rules[key] for key in sorted(rules)), sha256(content))


def _plain(value: object) -> object:
    return {str(key): _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def show_mistake(mistake: DdbmigError, text: str) -> str:
    """The one line of a mistake, the line of the file that it is in, and a caret below the place."""
    lines = text.splitlines()
    if not mistake.line or not mistake.column or mistake.line > len(lines):
        return str(mistake)
    source = lines[mistake.line - 1].replace("\t", " ")
    return f"{mistake}\n    {source}\n    {' ' * (mistake.column - 1)}^"


def run_rule_tests(rulebook: Rulebook) -> tuple[UsageError, ...]:
    """Run every rule's own tests, with the params of its file; returns the failures, each with its place."""
    failures = []
    for rule in rulebook.rules:
        for test in rule.tests:
            try:
                fired = rule.fires(test.given, rule.own_params) is not None
            except UsageError as error:
                failures.append(UsageError(error.message, rule.file, test.line, 1, error.subject,
                                           hint=f"give it in the test of {rule.id}"))  # fmt: skip
                continue
            if fired is not test.fires:
                said = "fires" if fired else "is silent"
                failures.append(UsageError(f"{rule.id} {said} on its own test", rule.file, test.line, 1,
                                           expected="fires" if test.fires else "silent"))  # fmt: skip
    return tuple(failures)


# --- one rule --------------------------------------------------------------------------------------------------------


class _RuleReader:
    """From a tree to a rule; collects the mistakes."""

    def __init__(self, file: str, mistakes: list[UsageError]) -> None:
        self.file, self.mistakes = file, mistakes

    def mistake(
        self, place: Place, message: str, subject: str | None = None, expected: str | None = None,
        hint: str | None = None,
    ) -> None:  # fmt: skip
        self.mistakes.append(UsageError(message, self.file, place.line, place.column, subject, expected, hint))

    def unique(self, rule: Rule, others: Mapping[str, Rule]) -> None:
        for other in others.values():
            if rule.id == other.id or rule.title == other.title:
                what = "id" if rule.id == other.id else "title"
                hint = f"the other is in {other.file}"
                self.mistake(Place(rule.line, 1), f"two rules have this {what}", getattr(rule, what), hint=hint)

    def read(self, tree: Node) -> Rule | None:
        before = len(self.mistakes)
        nodes = self.mapping(tree, (*_REQUIRED, *_OPTIONAL), _REQUIRED)
        if nodes is None:
            return None
        phase = self.choice(nodes, "applies_to", PHASES)
        if phase is None:
            return None
        params = self.field(nodes, "params", self.params) or {}
        names = _names(phase, params)
        when = self.when(nodes["when"], names)[0] if "when" in nodes else None
        because = self.field(nodes, "because", lambda n: self.message(n, names))
        severity = self.choice(nodes, "severity", SEVERITIES)
        score = self.field(nodes, "score", self.score) or {}
        forbids = self.field(nodes, "forbids", self.options) or ()
        self.check_effect(nodes, phase, tree.place)
        tests = self.field(nodes, "tests", lambda n: self.rule_tests(n, phase)) or ()
        text = {
            key: self.field(nodes, key, self.text) or "" for key in ("why", "instead", "source", "warning", "since")
        }
        rule_id = self.field(nodes, "id", lambda n: self.shaped(n, _ID, "letters and three digits, such as DM003"))
        title = self.field(nodes, "title", lambda n: self.shaped(n, _TITLE, "lower-case words joined by -"))
        status = self.choice(nodes, "status", STATUSES)
        mandatory = self.field(nodes, "mandatory", self.boolean) or False
        if when is not None and because is not None:
            self.check_params(nodes, params, when, because)
        if len(self.mistakes) > before or not (when and because and rule_id and title and status):
            return None
        return Rule(
            rule_id, title, phase, status, when, because, tests=tests, params=params, own_params=params, score=score,
            severity=severity, forbids=forbids, mandatory=mandatory, file=self.file, line=tree.place.line, **text,
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

    def text(self, node: Node) -> str | None:
        if isinstance(node.value, str) and node.value.strip():
            return node.value.strip()
        self.mistake(node.place, "not a text", expected="some words; in quotes if they look like a number")
        return None

    def shaped(self, node: Node, shape: re.Pattern[str], expected: str) -> str | None:
        value = self.text(node)
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
        text = self.text(node)
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

    def check_effect(self, nodes: Mapping[str, Node], phase: str, place: Place) -> None:
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
        used = _used(when) | because.names
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
    return _kind(value) == fact.kind and (not fact.values or value in fact.values)


def _kind(value: object) -> Kind | None:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, tuple) else None


def _expected(fact: FactDefinition) -> str:
    return " | ".join(fact.values) or f"a {fact.kind}{f' in {fact.unit}' if fact.unit else ''}"


def _names(phase: Phase, params: Mapping[str, ParamValue]) -> Mapping[str, FactType]:
    own = {f"params.{name}": FactType(kind) for name, value in params.items() if (kind := _kind(value)) is not None}
    return {**{name: fact.type() for name, fact in BY_PHASE[phase].items()}, **own}


def _used(when: When) -> frozenset[str]:
    return when.names if isinstance(when, Compiled) else frozenset[str]().union(*(_used(item) for item in when.items))


# --- overrides -------------------------------------------------------------------------------------------------------


Flaw = tuple[str, str | None, str | None]
"""What is wrong, what was expected, and the way out."""


def _override(rules: dict[str, Rule], rule_id: str, override: Mapping[str, object], mistakes: list[UsageError]) -> None:
    """Apply one entry of `rules:` in ddbmig.yaml; a mandatory rule can be raised but not lowered or switched off."""
    rule = rules.get(rule_id)
    if rule is None:
        wrong: list[Flaw] = [("no such rule", None, closest(rule_id, rules))]
    else:
        wrong = [*_wrong_keys(rule, override), *_wrong_severity(rule, override), *_wrong_params(rule, override)]
    for message, expected, hint in wrong:
        mistakes.append(UsageError(message, "ddbmig.yaml", subject=f"rules.{rule_id}", expected=expected, hint=hint))
    if rule is None or wrong:
        return
    if override.get("enabled") is False:
        del rules[rule_id]
        return
    severity = next((known for known in SEVERITIES if known == override.get("severity")), rule.severity)
    rules[rule_id] = replace(rule, params={**rule.params, **_params(override)}, severity=severity)


def _wrong_keys(rule: Rule, override: Mapping[str, object]) -> Iterator[Flaw]:
    known = ("enabled", "severity", "params")
    for key in sorted(set(override) - set(known)):
        yield f"unknown key {key}", ", ".join(known), closest(key, known)
    enabled = override.get("enabled", True)
    if not isinstance(enabled, bool):
        yield "enabled is not a truth value", "true or false", None
    elif rule.mandatory and not enabled:
        yield "this rule is mandatory and cannot be switched off", "true", None


def _wrong_severity(rule: Rule, override: Mapping[str, object]) -> Iterator[Flaw]:
    if "severity" not in override:
        return
    severity = override["severity"]
    if rule.severity is None or severity not in SEVERITIES:
        yield "this severity cannot be set", "info, warning or error, on a rule that makes findings", None
    elif rule.forbids and severity != "error":
        yield "a rule that forbids an option is an error", "error", "switch it off with enabled: false"
    elif rule.mandatory and SEVERITIES.index(severity) < SEVERITIES.index(rule.severity):
        yield "this rule is mandatory and cannot be lowered", f"at least {rule.severity}", None


def _wrong_params(rule: Rule, override: Mapping[str, object]) -> Iterator[Flaw]:
    if not isinstance(override.get("params", {}), Mapping):
        yield "params is not a mapping", "name: value", None
        return
    for name, value in sorted(_params(override).items()):
        if rule.mandatory:
            yield f"this rule is mandatory: its params stay ({name})", None, None
        elif name not in rule.params:
            yield f"no such param {name}", None, closest(name, rule.params)
        elif _kind(value) != _kind(rule.params[name]):
            yield f"param {name} has another type", f"a {_kind(rule.params[name])}", None


def _params(override: Mapping[str, object]) -> dict[str, Any]:
    given = override.get("params", {})
    items = given.items() if isinstance(given, Mapping) else ()
    return {str(name): tuple(value) if isinstance(value, list) else value for name, value in items}
