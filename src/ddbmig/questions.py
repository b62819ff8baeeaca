"""`ddbmig init`: the questions that only people can answer, and ddbmig.yaml with their answers.

Each question says which rules use the answer and what is assumed where it is skipped. What logs and data suggest is
offered with its evidence; a suggestion that nobody accepted is written as a comment only.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ddbmig.analyzers.context_evidence import Hint, Together
from ddbmig.config import CONFIG
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.strict_yaml import part_of, read_yaml
from ddbmig.engine.typed_yaml import plain, read_model
from ddbmig.model.context import ProjectConfig
from ddbmig.model.errors import UsageError
from ddbmig.project import read_text

SECTIONS = ("context", "workload", "pricing")
"""What of ddbmig.yaml is asked about."""
STRONG = "context.strong_consistency"
Answers = Mapping[str, Any]
"""Values by dotted key."""


@dataclass(frozen=True)
class Question:
    """One question. `read` makes the value of a typed line; it raises ValueError, which `expected` explains."""

    key: str
    text: str
    expected: str
    read: Callable[[str], Any]
    facts: tuple[str, ...] = ()
    """Facts of the rules that the answer becomes."""
    otherwise: str = "nothing, so no rule on it fires"
    """What is assumed where it is skipped."""
    used_for: str = ""
    """What uses it besides rules."""

    def uses(self, rulebook: Rulebook) -> str:
        """Who uses the answer: the rules in force that look at its facts, and what else."""
        rules = [rule.id for rule in rulebook.rules if rule.facts & set(self.facts)]
        return "; ".join(part for part in (", ".join(sorted(rules)), self.used_for) if part)


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return read


def _yes_or_no(text: str) -> bool:
    return _one_of("yes", "no")(text.lower()) == "yes"


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _by_table(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in _names(text)]
    if not all(name.strip() and sign and value.strip() for name, sign, value in pairs):
        raise ValueError
    return {name.strip(): value.strip() for name, _, value in pairs}


def _requirements(text: str) -> list[dict[str, Any]]:
    return [{"table": table, "p99_ms": _number(ms)} for table, ms in _by_table(text).items()]


def _represents(text: str) -> str | int:
    if text in ("average", "peak"):
        return text
    calls = int(text)
    if calls < 1:
        raise ValueError
    return calls


QUESTIONS = (
    Question("context.lifecycle", "Which stage of its life is the application in?", "early, growing or mature",
             _one_of("early", "growing", "mature"), ("context.lifecycle",)),
    Question("context.team_expertise", "How much experience has the team with DynamoDB?", "none, some or expert",
             _one_of("none", "some", "expert"), ("context.team_expertise",)),
    Question("context.owners", "Which service or team owns which table?", "table=owner, table=owner",
             _by_table, ("context.same_owner", "table.owner"), "one owner: boundaries are not checked"),
    Question("context.security_contexts", "Which tables hold data of a security context, such as pii?",
             "table=context, table=context", _by_table, ("context.same_security_context", "table.security_context")),
    Question("context.requirements", "Which latency must 99 % of the calls keep, in ms?",
             "table=ms, or *=ms for all", _requirements, ("context.latency_ms",), "none is required",
             "stage 1 judges it by the slow log"),
    Question(STRONG, "Which tables must be read strongly?", "table, table", _names,
             ("context.strong_consistency",), "every read may be stale for a moment"),
    Question("context.analytics_required", "Do people ask the data questions that nobody knows beforehand?",
             "yes or no", _yes_or_no, ("context.analytics_required",)),
    Question("context.performance_critical", "Does latency matter for the application as a whole?", "yes or no",
             _yes_or_no, ("context.performance_critical",)),
    Question("context.growth_percent_per_month", "How much does the data grow, in percent a month?", "a number",
             _number, ("table.growth_percent_per_month", "size.growth_percent_per_month"),
             "no growth in the verdicts, 0 % in the costs unless stage 5 says otherwise", "costs over time"),
    Question("context.roadmap", "What is planned for the next year, in a sentence?", "text", str.strip,
             ("evolution.roadmap_declared",), used_for="stage 1"),
    Question("context.pain_points", "What hurts today?", "sentences, with ; between them", _sentences,
             used_for="stage 1, with the access patterns that they name"),
    Question("context.migration_drivers", "Why migrate at all?", "sentences, with ; between them", _sentences,
             used_for="stage 1"),
    Question("context.mysql_cost_per_month_usd", "What does MySQL cost a month, in USD?", "a number", _number,
             otherwise="not known: no break-even", used_for="the break-even of stage 5"),
    Question("workload.represents", "What do the logs stand for?", "average, peak, or the calls of a month",
             _represents, otherwise="an average span", used_for="every rate and cost"),
    Question("pricing.region", "Which region of AWS?", "e.g. eu-west-1", str.strip, otherwise="us-east-1",
             used_for="every price"),
    Question("pricing.mode", "Which pricing mode?", "on-demand or provisioned", _one_of("on-demand", "provisioned"),
             otherwise="on-demand", used_for="every price"),
)  # fmt: skip


def question_together(group: Together) -> str:
    """The question about tables that transactions changed together."""
    return (
        f"{group.transactions:,} transactions changed {', '.join(group.tables)} together. Must they change together "
        "(yes), or may one of them lag behind for a moment (no)?"
    )


def answers_in(path: Path) -> Answers:
    """The answers of a file in the form of ddbmig.yaml. Raises RuleError for its mistakes, UsageError where it says
    something else than answers."""
    text = read_text(path)
    read_model(str(path), text, ProjectConfig)
    tree, _ = read_yaml(str(path), text)
    said = plain(tree) if tree is not None else {}
    for section in said:
        if section not in SECTIONS:
            raise UsageError("is no answer", file=str(path), subject=section, expected=", ".join(SECTIONS))
    return {f"{section}.{key}": value for section, values in said.items() for key, value in values.items()}


def check_unanswered(folder: Path) -> None:
    """Raise UsageError where the folder's ddbmig.yaml has answers already."""
    path = folder / CONFIG
    if not path.is_file():
        return
    tree, _ = read_yaml(CONFIG, read_text(path))
    for section in SECTIONS:
        part = part_of(tree, section)
        if part is not None:
            raise UsageError(
                "has answers already", file=str(path), line=part.place.line, subject=section,
                hint="edit them there, or take the section out and ask again",
            )  # fmt: skip


def config_text(before: str, answers: Answers, hints: Mapping[str, Hint]) -> str:
    """ddbmig.yaml with the answers below what it held. Raises RuleError where the whole is not understood."""
    blocks = [before.rstrip("\n")] if before.strip() else []
    for section in SECTIONS:
        lines = list(_section(section, answers, hints))
        if lines:
            has_values = any(not line.lstrip().startswith("#") for line in lines)
            blocks.append("\n".join([f"{section}:" if has_values else f"# {section}:", *lines]))
    text = "\n\n".join(blocks) + "\n"
    read_model(CONFIG, text, ProjectConfig)
    return text


def _section(section: str, answers: Answers, hints: Mapping[str, Hint]) -> Iterable[str]:
    for key in sorted({*answers, *hints}):
        head, _, name = key.partition(".")
        if head != section:
            continue
        hint = hints.get(key)
        if key in answers:
            suggested = hint is not None and hint.value == answers[key]
            if hint is not None and suggested:
                yield f"  # {_comment(hint.evidence)}"
            yield from _dumped({name: answers[key]}, "  ")
        elif hint is not None and hint.value is not None:
            yield f"  # not answered; {_comment(hint.evidence)}:"
            yield from _dumped({name: hint.value}, "  # ")


def _dumped(value: Any, indent: str) -> list[str]:
    dumped: str = yaml.safe_dump(value, allow_unicode=False, sort_keys=True, width=10_000)
    return [indent + line for line in dumped.splitlines()]


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
