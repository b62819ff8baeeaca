"""Hostile conditions and files made from bytes, and what must hold of each: it loads, or it is the one error.

The bytes are choices in a grammar of near-valid texts. So hypothesis (which draws and shrinks bytes) and a fuzzer that
is guided by coverage (which mutates bytes) drive the same generator. Each `check_…` returns whether its text was
accepted, and raises AssertionError, or whatever the product raised against its promise.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ddbmig.config import assignments, configure, on_rules
from ddbmig.engine.expressions import FactType, compile_condition, mistakes_in
from ddbmig.engine.facts import BY_PHASE, FactDefinition
from ddbmig.engine.rule import Rule, names_in
from ddbmig.engine.rule_reader import read_rule
from ddbmig.engine.rulebook import Pack, load_rules
from ddbmig.engine.trends import tipping_points, trends
from ddbmig.engine.waivers import read_waivers
from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import ExitCode, UsageError

GOOD = {path.stem: path.read_text("utf-8") for path in (Path(__file__).parent / "broken" / "good").glob("*.yaml")}
PACK = """\
description: stricter than elsewhere
rules:
  ACME001: {params: {joint_share: 0.8, stages: [early]}, severity: error, mandatory: true}
"""
CPU_SECONDS = 2.0
"""Of one text, loaded and evaluated: hundreds of times what one takes, since other processes slow a core down too."""

FACTS: Mapping[str, FactDefinition] = BY_PHASE["relationship"]
NAMES = {name: fact.type() for name, fact in FACTS.items()} | {
    "params.n": FactType("number"), "params.word": FactType("text"), "params.words": FactType("list"),
}  # fmt: skip
PARAMS: Mapping[str, FactValue] = {"params.n": 10**15, "params.word": "early", "params.words": ("early", "late")}

NUMBERS = ("0", "1", "0.7", "1e15", "1000000000000000", "1e-9", "1e999", "01", "1_0", "1j", "0x1F", "70%", "-1", "nan")
TEXTS = (
    "'early'",
    '"id"',
    "'*[!a]*'",
    "'[[a-z'",
    "'[z-a]?'",
    "''",
    "'\\x41'",
    "'é'",
    "'a",
    "f'{x}'",
    "b'a'",
    "'\u202e'",
)
SPECIAL = (
    "None", "True", "true", "false", "()", "[]", "...", "lambda: 1", "__import__('os')", "().__class__", "x.__class__",
    "[c for c in a]", "(n := 1)", "{1: 2}", "*a", "yield", "open('/etc/passwd')", "is_set", "r\u0435ads.joint_share",
    "\uff41", "\u2265", "\u00a0", "\t", "\x00", "\\", "'", "(", ")", "#", ";", "=", "==", "and", "in", "if",
)  # fmt: skip
LISTS = ("params.words", "['early', 'growing']", "('early',)", "[]", "'early'")
VARIABLES = ("q", "q", "p", "true", "count")
COMPARISONS = (" > ", " >= ", " < ", " <= ", " == ", " != ", " in ", " not in ", " is ", " = ")
ARITHMETIC = (" + ", " - ", " * ", " / ", " // ", " % ", " ** ")
YAML_TOKENS = (
    "\n", "  ", "- ", ": ", "{", "}", "[", "]", ",", "'", '"', "|", ">", "&a", "*a", "!!int ", "? ", "#", "---\n", "%",
    "...\n", "no", "~", "12:30", "010", "1_000", "2026-11-22", ".inf", "99999999999999999999", "<<", "=", "@", "`",
    "\t", "\\", "\x00", "\x85", "\u2028", "\ufeff", "\u202e", "\U0001f600", "é", "all", "any", "not", "when", "tests",
    "severity", "error", "score", "{}", "[]", "{reads.joint_share}", "{{", "true", "-1", "0.5", "enabled", "mandatory",
    "params",
)  # fmt: skip


class Draw:
    """Choices that are read from bytes; the first of each where the bytes are used up."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def number(self, below: int) -> int:
        """A whole number from 0 up."""
        taken = self.data[self.position : self.position + (2 if below > 256 else 1)]
        self.position += len(taken)
        return int.from_bytes(taken) % below

    def pick(self, choices: Sequence[str]) -> str:
        """One of some texts."""
        return choices[self.number(len(choices))]

    @property
    def is_empty(self) -> bool:
        """Whether the bytes are used up."""
        return self.position >= len(self.data)


# --- conditions ------------------------------------------------------------------------------------------------------


def condition(draw: Draw, depth: int = 0) -> str:
    """A condition by the grammar of the language, with something strange in it now and then."""
    if draw.is_empty or depth > 4:
        return f"{_name(draw, 'number')} > 1"

    def inner() -> str:
        return condition(draw, depth + 1)

    match draw.number(13):
        case 0 | 1:
            return f"{_term(draw)}{draw.pick(COMPARISONS)}{_term(draw)}"
        case 2:
            return f"{_name(draw, 'text')}{draw.pick((' == ', ' != ', ' in '))}{draw.pick(TEXTS)}"
        case 3:
            return f"{_name(draw, 'text')} in {draw.pick(LISTS)}"
        case 4:
            return f"{inner()} and {inner()}"
        case 5:
            return f"{inner()} or {inner()}"
        case 6:
            return f"not {inner()}"
        case 7:
            name = _name(draw, "number")
            return f"is_set({name}) and {name}{draw.pick(COMPARISONS[:4])}{_term(draw)}"
        case 8:
            return _name(draw, "bool")
        case 9:
            return f"like({_name(draw, 'text')}, {draw.pick(TEXTS)})"
        case 10:
            loop = f"{_in_loop(draw, depth)} for {draw.pick(VARIABLES)} in {_name(draw, 'list')}"
            return f"{draw.pick(('any', 'all'))}({loop})"
        case 11:
            return f"count({_in_loop(draw, depth)} for q in {_name(draw, 'list')}) > {_term(draw)}"
    return f"{inner()}{draw.pick(SPECIAL)}{inner()}"


def _in_loop(draw: Draw, depth: int) -> str:
    return draw.pick(("q == 'id'", "like(q, '*_id')", "q in params.words", "")) or condition(draw, depth + 1)


def _term(draw: Draw, depth: int = 0) -> str:
    """A number, most of the time."""
    if draw.is_empty or depth > 3:
        return "1"

    def inner() -> str:
        return _term(draw, depth + 1)

    match draw.number(12):
        case 0 | 1:
            return _name(draw, "number")
        case 9:
            return f"{inner()}{draw.pick(ARITHMETIC)}{draw.pick(NUMBERS)}"
        case 10:
            name = draw.pick(("params.n", "1e15", "updates.paths"))
            return f"{_product(name, draw.number(5))}*{_product(name, draw.number(5))}/2"
        case 2 | 3:
            return draw.pick(NUMBERS)
        case 4:
            return f"default({_name(draw, 'number')}, {draw.pick(NUMBERS)})"
        case 5:
            return f"{inner()}{draw.pick(ARITHMETIC)}{inner()}"
        case 6:
            return f"-({inner()})"
        case 7:
            return f"count({_name(draw, 'list')})"
        case 8:
            return draw.pick(TEXTS)
    return draw.pick(SPECIAL)


def _product(name: str, depth: int) -> str:
    """A power of a name, in brackets so that it is not deep."""
    half = _product(name, depth - 1) if depth else ""
    return f"({half}*{half})" if depth else name


def _name(draw: Draw, kind: str) -> str:
    """A fact or param of a kind; one that never fits now and then."""
    if draw.number(12) == 0:
        return draw.pick(("reads.join_share", "table.rows", "q", "params", "relationship.child.x", *NAMES))
    return draw.pick([name for name, fact in NAMES.items() if fact.kind == kind])


def facts(draw: Draw) -> dict[str, FactValue | None]:
    """Values for all facts; those that may be missing are so half of the time."""
    numbers = (0, 1, 0.7, 1e300, float("inf"), float("nan"), 10**18, -5, 100)
    lists = ((), ("id",), ("early", "late") * 200)
    found = dict[str, FactValue | None]()
    for name, fact in FACTS.items():
        value: FactValue = numbers[draw.number(len(numbers))]
        if fact.kind == "bool":
            value = draw.number(2) == 1
        elif fact.kind == "text":
            value = draw.pick(fact.values or ("early", "", "é" * 500, "*"))
        elif fact.kind == "list":
            value = lists[draw.number(len(lists))]
        found[name] = None if fact.may_be_missing and draw.number(2) else value
    return found


def check_condition(text: str, values: Mapping[str, FactValue | None]) -> bool:
    """It compiles and its evaluation is total, or it is refused at a place."""
    with in_time():
        try:
            compiled = compile_condition(text, NAMES)
        except UsageError as error:
            told(error, columns=True)
            return False
        held = compiled.evaluate({**values, **PARAMS})
        assert isinstance(held, bool)
        assert isinstance(compiled.explain({**values, **PARAMS}, held), str)
        with suppress(UsageError):  # a fact that is never missing was not supplied
            compiled.evaluate({})
        return True


# --- files -----------------------------------------------------------------------------------------------------------


def edited(draw: Draw, text: str) -> str:
    """A text with some parts left out, doubled, or replaced by tokens that mean something to YAML or to a rule."""
    for _ in range(draw.number(5)):
        start = draw.number(len(text) + 1)
        end = start + draw.number(12)
        text = text[:start] + _instead(draw, text[start:end]) + text[end:]
    return text


def _instead(draw: Draw, part: str) -> str:
    match draw.number(6):
        case 0:
            return condition(draw)
        case 1:
            return part * 2
        case 2:
            return draw.pick(tuple(NAMES))
        case 3:
            return chr(draw.number(256))
        case 4:
            return ""
    return draw.pick(YAML_TOKENS)


def check_rule(text: str, values: Mapping[str, FactValue | None]) -> bool:
    """It is a rule whose every use is total, or its mistakes have their places."""
    with in_time():
        rule, mistakes = read_rule("rule.yaml", text)
        for mistake in mistakes:
            told(mistake)
            assert mistake.line, mistake
            assert mistake.column, mistake
        assert (rule is None) is bool(mistakes)
        if rule is not None and rule.applies_to == "relationship":
            use(rule, values)
        return rule is not None


def use(rule: Rule, values: Mapping[str, FactValue | None]) -> None:
    """Everything that the product does with a rule and facts."""
    rule.fires(values)
    bound = rule.with_params(values)
    rule.because.render(bound)
    assert set(trends(rule.when, rule.params)) <= names_in(rule.when)
    for name in rule.facts:
        if FACTS[name].kind == "number":
            assert all(isinstance(point, float) for point in tipping_points(rule.when, bound, name))
    replace(rule, params=rule.own_params).fires(values)


def check_pack(text: str) -> bool:
    """pack.yaml beside the good rule."""
    files = (("rules/a.yaml", GOOD["rule"]), ("rules/pack.yaml", text))
    return accepted(lambda: load_rules([Pack("ours", files)]))


def check_configuration(text: str) -> bool:
    """ddbmig.yaml, and the settings in it on its own."""
    with in_time():
        on_rules(text)
        return accepted(lambda: configure(text))


def check_waivers(text: str) -> bool:
    """waivers.yaml."""
    return accepted(lambda: read_waivers("waivers.yaml", text))


def check_assignment(text: str) -> bool:
    """A word of `--set`, and of the environment."""
    return accepted(lambda: configure(None, assignments([text], {"DDBMIG_SET": text})))


def accepted(load: Callable[[], object]) -> bool:
    """Whether something loads; what it raises otherwise is the one error."""
    with in_time():
        try:
            load()
        except UsageError as error:
            told(error)
            return False
        return True


def told(error: UsageError, *, columns: bool = False) -> None:
    """A mistake is one line that says something, and ends the program in the ordinary way."""
    for mistake in mistakes_in(error):
        assert not columns or (mistake.column or 0) >= 1, mistake
        assert mistake.exit_code == ExitCode.USAGE
        assert mistake.message
        assert "\n" not in str(mistake)
        assert len(mistake.with_caret().split("\n")) <= 3
        assert all(c.isprintable() for c in mistake.subject or ""), repr(mistake.subject)


@contextmanager
def in_time() -> Iterator[None]:
    """Fails where the block takes longer than it may."""
    started = time.process_time()
    yield
    taken = time.process_time() - started
    assert taken < CPU_SECONDS, f"{taken:.2f} s"


TARGETS: Mapping[str, Callable[[bytes], bool]] = {
    "conditions": lambda data: check_condition(condition(Draw(data[64:])), facts(Draw(data[:64]))),
    "condition texts": lambda data: check_condition(data.decode("utf-8", "replace"), facts(Draw(data[::-1]))),
    "rules": lambda data: check_rule(edited(Draw(data[64:]), GOOD["rule"]), facts(Draw(data[:64]))),
    "rule texts": lambda data: check_rule(data.decode("utf-8", "replace"), {}),
    "packs": lambda data: check_pack(edited(Draw(data), PACK)),
    "configurations": lambda data: check_configuration(edited(Draw(data), GOOD["ddbmig"])),
    "waivers": lambda data: check_waivers(edited(Draw(data), GOOD["waivers"])),
    "assignments": lambda data: check_assignment(edited(Draw(data), "rules.DM003.params.joint_share=0.8")),
}
"""What is fuzzed, by name: whether the text that some bytes stand for was accepted."""
