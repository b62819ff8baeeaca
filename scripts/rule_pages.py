"""The page of a rule, and the index of all: both say what the rule's file and the catalogue of facts say."""

import json
import re
from collections.abc import Iterable, Iterator

from ddbmig.engine.facts import BY_PHASE
from ddbmig.engine.rule import SEVERITIES, ParamValue, Rule, When, written
from ddbmig.engine.rule_schema import LOOKS_AT
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import evaluate
from ddbmig.engine.strict_yaml import yaml_text
from ddbmig.engine.wording import show
from ddbmig.reporters.markdown import Markup, bullets, code, code_block, heading, joined, table, text

GROUPS = {
    "DM": "Denormalization matrix and factors", "PR": "Production risks", "AP": "Anti-patterns",
    "PW": "Production warnings", "WA": "Waivers",
}  # fmt: skip
"""What the rules of each prefix are about, in the order of the index."""
SOURCE = "src/ddbmig/rules/recommended"
FACTS = "../reference/facts.md"
WAIVING = "../how-to/waive-a-finding.md"
_GROUP_WORDS = {"all": "All of these hold:", "any": "At least one of these holds:", "not": "This does not hold:"}
_ONE = "This holds:"
_FAILS = {
    "error": "It fails the gate.", "warning": "It fails the gate where `fail_on` is `warning`.",
    "info": "It never fails the gate.",
}  # fmt: skip
_SENTENCE_END = re.compile(r"(?<=\.)\s+(?=[A-Z])")


def index(rules: Iterable[Rule]) -> Markup:
    """All rules by group, each with a link to its page."""
    listed = list(rules)
    parts: list[str] = [
        heading(1, "The built-in rules"),
        "\nThe pack `ddbmig:recommended`. `ddbmig rules list` shows the rules that are in force in a project.\n",
    ]
    for prefix, title in GROUPS.items():
        rows = [_row(rule) for rule in listed if rule.id.startswith(prefix)]
        headers = ("rule", "title", "what it does", "looks at", "why")
        parts += ["\n", heading(2, title), "\n", table(headers, rows)]
    return Markup("".join(parts))


def _row(rule: Rule) -> tuple[str, ...]:
    link = Markup(f"[{rule.id}]({rule.id}.md)")
    return link, rule.title, effect(rule), rule.applies_to, prose(first_sentence(rule.why))


def effect(rule: Rule) -> str:
    """In a few words: the points, or the severity and what it forbids."""
    points = ", ".join(f"{points:+} {option}" for option, points in rule.score.items())
    return points or (f"forbids {', '.join(rule.forbids)}" if rule.forbids else str(rule.severity))


def first_sentence(words: str) -> str:
    """Of a text of several."""
    return _SENTENCE_END.split(words, maxsplit=1)[0]


def prose(words: str) -> Markup:
    """A text of ours in Markdown: what stands between backticks is code, the rest says what it says."""
    return joined(*(code(part) if number % 2 else part for number, part in enumerate(words.split("`"))))


def page(rule: Rule) -> Markup:
    """Everything about one rule."""
    sections = [
        ("When it fires", _when(rule)), ("What it does", _does(rule)), ("Why", _paragraphs(rule.why)),
        ("What to do instead", _paragraphs(rule.instead)), ("Example", _example(rule)), ("Change it", _change(rule)),
        *([("Waive it", _waive(rule))] if rule.severity else []),
    ]  # fmt: skip
    parts = [heading(1, f"{rule.id} {rule.title}"), "\n", _head(rule)]
    for title, body in sections:
        parts += ["\n", heading(2, title), "\n", body]
    return Markup("".join(parts))


def _head(rule: Rule) -> Markup:
    file = rule.file.rsplit("/", 1)[-1]
    since = f" since {rule.since}" if rule.since else ""
    return bullets([
        joined("Looks at: ", rule.applies_to, " (", LOOKS_AT[rule.applies_to], ")"),
        joined("Status: ", rule.status, since),
        joined("Source: ", rule.source),
        Markup(f"File: {code(f'{SOURCE}/{file}')}"),
    ])  # fmt: skip


def _paragraphs(words: str) -> Markup:
    return Markup("\n".join(f"{prose(part)}\n" for part in words.split("\n\n")))


# --- when and what ---


def _when(rule: Rule) -> Markup:
    facts = [BY_PHASE[rule.applies_to][name] for name in BY_PHASE[rule.applies_to] if name in rule.facts]
    parts: list[str] = [*_conditions(rule.when)]
    if rule.params:
        params = [(code(f"params.{name}"), code(_yaml(value))) for name, value in rule.params.items()]
        parts += ["\n", table(("param", "default"), params)]
    rows = [(code(f.name), f.unit, "yes" if f.may_be_missing else "no", prose(f.meaning), f.measured) for f in facts]
    parts += ["\n", table(("fact", "unit", "may be missing", "meaning", "measured"), rows)]
    return Markup("".join([*parts, f"\n[All facts]({FACTS})\n"]))


def _conditions(when: When) -> Iterator[str]:
    """The conditions as the file writes them, groups as nested lists."""
    conditions = written(when)
    if isinstance(conditions, str):
        yield f"{code(conditions)}\n"
        return
    ((kind, items),) = conditions.items()
    yield f"{_group_words(kind, items)}\n\n"
    yield from _items(items, "")


def _group_words(kind: str, items: list[object]) -> str:
    return _ONE if kind != "not" and len(items) == 1 else _GROUP_WORDS[kind]


def _items(items: list[object], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict):
            ((kind, inner),) = item.items()
            yield f"{indent}- {_group_words(kind, inner)}\n"
            yield from _items(inner, f"{indent}  ")
        else:
            yield f"{indent}- {code(str(item))}\n"


def _does(rule: Rule) -> Markup:
    parts: list[str] = [f"{_effect_sentence(rule)}\n"]
    if rule.warning:
        parts += ["\nReports quote this warning word by word:\n\n", f"> {text(rule.warning)}\n"]
    return Markup("".join(parts))


def _effect_sentence(rule: Rule) -> str:
    if rule.forbids:
        return (f"It takes an option out whatever the points: {', '.join(rule.forbids)}. The finding is an info: the "
                "design keeps to it, so there is nothing left to fail the gate.")  # fmt: skip
    if rule.severity:
        preview = " While it is in preview it fails no gate." if rule.status == "preview" else ""
        return f"It makes a finding of severity {rule.severity}. {_FAILS[rule.severity]}{preview}"
    points = " and ".join(
        f"{'adds' if points > 0 else 'takes'} {abs(points)} points {'to' if points > 0 else 'from'} {option}"
        for option, points in rule.score.items()
    )
    return f"It {points}."


# --- example ---


def _example(rule: Rule) -> Markup:
    """What the rule says on the facts of its own first test that fires, by evaluating it."""
    given = next(test.given for test in rule.tests if test.fires)
    ledger, findings = evaluate(Rulebook((rule,)), rule.applies_to, "example", given)
    because = (ledger or findings)[0].because
    message = findings[0].message if findings else rule.because.render(rule.with_params(given))
    units = BY_PHASE[rule.applies_to]
    rows = [(code(name), show(value, units[name].unit)) for name, value in given.items()]
    said = "\n".join([message, *(f"because {line}" for line in because)])
    facts = table(("fact", "value"), rows) if rows else "No facts.\n"
    return Markup(f"With the facts of its first test that fires,\n\n{facts}\nit says:\n\n{code_block(said, 'text')}")


# --- changing and waiving ---


def _change(rule: Rule) -> Markup:
    lines = ["rules:", f"  {rule.id}:"]
    if rule.severity and not rule.forbids:
        lines.append(f"    severity: {rule.severity}  # {' | '.join(reversed(SEVERITIES))}")
    if rule.params:
        lines.append(f"    params: {{{', '.join(f'{name}: {_yaml(value)}' for name, value in rule.params.items())}}}")
    told = "In ddbmig.yaml, with the values that it has now:" if len(lines) > 2 else "In ddbmig.yaml:"
    lines += ["    enabled: false"] if len(lines) == 2 else []
    off = "`enabled: false` switches it off; every report of the gate says so, and who did it.\n"
    snippet = code_block("\n".join(lines), "yaml")
    return Markup(f"{told}\n\n{snippet}\n{off}")


def _yaml(value: ParamValue) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(yaml_text, value))}]"
    return yaml_text(value) if isinstance(value, str) else json.dumps(value)


def _waive(rule: Rule) -> Markup:
    if rule.applies_to == "waiver":
        return Markup(f"It is about a waiver: correct it, renew it or delete it ([how]({WAIVING})).\n")
    if rule.forbids:
        return Markup("Its finding fails no gate. To allow the option again, switch the rule off.\n")
    words = f'ddbmig waive {rule.id} OBJECT --reason "…" --owner "…" --expires YYYY-MM-DD --project FOLDER'
    return Markup(f"{code_block(words, 'sh')}\n[How a waiver works]({WAIVING})\n")
