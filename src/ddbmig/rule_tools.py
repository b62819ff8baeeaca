"""What the commands `ddbmig rules …` do: all of it offline, on the rules of a project or on packs named one by one."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ddbmig.config import CONFIG
from ddbmig.engine.facts import BY_PHASE, CATALOGUE, CATALOGUE_VERSION
from ddbmig.engine.gate import summary, switched_off
from ddbmig.engine.overrides import SettingValue
from ddbmig.engine.rule import Origin, Rule
from ddbmig.engine.rule_diff import compare
from ddbmig.engine.rule_reader import read_rule
from ddbmig.engine.rule_tests import mutants, run_rule_tests, survivors
from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.engine.strict_yaml import yaml_text
from ddbmig.engine.wording import show
from ddbmig.model.assessment import Assessment, Phase
from ddbmig.model.base import canonical_json
from ddbmig.model.context import RECOMMENDED
from ddbmig.model.errors import RuleError, UsageError
from ddbmig.model.explanation import RuleDiff
from ddbmig.model.gate import RuleList
from ddbmig.packs import read_packs, recommended
from ddbmig.project import Project, open_project, rules_in_force, write_file
from ddbmig.reporters.terminal import fitted
from ddbmig.revisions import at_revision
from ddbmig.workflow import STAGES


def rules_of(project: Project, references: Sequence[str]) -> Rulebook:
    """The rules of the packs that are named, over the built-in pack; where none is, those of the project.

    Raises UsageError for a pack that is not there, RuleError with every mistake of all files.
    """
    if not references:
        return rules_in_force(project)
    return load_rules(read_packs(tuple(dict.fromkeys((RECOMMENDED, *references))), Path()))


def listed(project: Project) -> RuleList:
    """The rules of a project."""
    rulebook = rules_in_force(project)
    return RuleList(
        rules=tuple(summary(rule) for rule in rulebook.rules), switched_off=switched_off(rulebook)
    )  # fmt: skip


@dataclass(frozen=True)
class OneRule:
    """A rule as it is in force: its file, who switched it off, and what is set otherwise than its text says."""

    rule: Rule
    switched_off_by: Origin | None

    def text(self) -> str:
        """Where it comes from and what is set otherwise, as comments above its file as it is."""
        rule = self.rule
        lines = [f"# {rule.file}"]
        lines += [f"# switched off by {self.switched_off_by}"] if self.switched_off_by else []
        lines += [f"# {key}: {show(in_force(rule, key))}, set by {origin}" for key, origin in rule.overridden.items()]
        return "\n".join([*lines, rule.text])

    def data(self) -> dict[str, Any]:
        """What `--json` prints."""
        settings = {
            key: {"value": in_force(self.rule, key), "set_by": str(origin)}
            for key, origin in self.rule.overridden.items()
        }
        return {
            **summary(self.rule).model_dump(mode="json"),
            "file": self.rule.file,
            "switched_off_by": str(self.switched_off_by) if self.switched_off_by else None,
            "set_otherwise": settings,
            "text": self.rule.text,
        }


def one_rule(project: Project, rule_id: str) -> OneRule:
    """A rule of a project, switched off or not. Raises UsageError for one that is not there."""
    rulebook = rules_in_force(project)
    off = {rule.id: (rule, origin) for rule, origin in rulebook.off}
    rule, origin = off.get(rule_id) or (rulebook.rule(rule_id), None)
    return OneRule(rule, origin)


def in_force(rule: Rule, key: str) -> SettingValue:
    """The value of `severity`, `mandatory` or `params.NAME` that a rule has now."""
    if key.startswith("params."):
        return rule.params[key.removeprefix("params.")]
    return rule.mandatory if key == "mandatory" else rule.severity or ""


def checked(project: Project, references: Sequence[str]) -> str:
    """How many rules there are in each pack. Raises RuleError with every mistake."""
    rulebook = rules_of(project, references)
    packs = Counter(rule.pack for rule in rulebook.rules)
    counts = ", ".join(f"{packs[pack]} of {pack}" for pack in rulebook.packs)
    off = f"; {len(rulebook.off)} switched off" if rulebook.off else ""
    return f"{len(rulebook.rules)} rules in order: {counts}{off}"


@dataclass(frozen=True)
class Tested:
    """How the rules' own tests went."""

    passed: bool
    lines: tuple[str, ...]


def tested(project: Project, references: Sequence[str]) -> Tested:
    """Run the own tests of all rules, and try every mutant of each: one line for each that fails or survives."""
    rulebook = rules_of(project, references)
    failures = [str(failure) for failure in run_rule_tests(rulebook)]
    tried, living = 0, []
    for rule in rulebook.rules:
        tried += sum(1 for _ in mutants(rule))
        living += [
            f"{rule.file}:{rule.line}: the tests of {rule.id} do not notice: {one.change}" for one in survivors(rule)
        ]
    tests = sum(len(rule.tests) for rule in rulebook.rules)
    last = (
        f"{len(rulebook.rules)} rules, {tests} tests, {len(failures)} failed; "
        f"{tried} changes of conditions tried, {len(living)} not noticed"
    )
    return Tested(not failures and not living, (*failures, *living, last))


def facts(phase: str | None, as_json: bool) -> str:
    """The catalogue, or its part for one phase."""
    chosen = [fact for fact in CATALOGUE if phase in (None, fact.applies_to)]
    if as_json:
        listed = [fact.model_dump(mode="json") for fact in chosen]
        return canonical_json({"catalogue_version": CATALOGUE_VERSION, "facts": listed}).decode()
    lines, of_phase = [], ""
    for fact in chosen:
        lines += [f"{fact.applies_to}"] if fact.applies_to != of_phase else []
        of_phase = fact.applies_to
        kind = " | ".join(fact.values) or (f"{fact.kind} in {fact.unit}" if fact.unit else fact.kind)
        missing = ", may be missing" if fact.may_be_missing else ""
        lines += [f"  {fact.name}: {kind}{missing}", f"      {fact.meaning} ({fact.measured})"]
    return fitted(lines)


# --- the configuration -----------------------------------------------------------------------------------------------


def configuration(project: Project, *, origin: bool, as_json: bool) -> str:
    """Every value in force, and who said it: what ddbmig.yaml, the environment and options say, what is default, and
    what packs and the project set on rules."""
    said = project.configuration.origins
    rows = [(key, value, str(said[key]) if key in said else "default") for key, value in _leaves(_plain(project))]
    for rule, off in [*((rule, None) for rule in rules_in_force(project).rules), *rules_in_force(project).off]:
        rows += [(f"rules.{rule.id}.{key}", in_force(rule, key), str(by)) for key, by in rule.overridden.items()]
        rows += [(f"rules.{rule.id}.enabled", False, str(off))] if off else []
    if as_json:
        return canonical_json({key: {"value": value, "origin": by} for key, value, by in rows}).decode()
    width = max(len(f"{key} = {_json(value)}") for key, value, _ in rows)
    texts = [(f"{key} = {_json(value)}", by) for key, value, by in rows]
    return "".join(f"{text:{min(width, 60)}}  # {by}\n" if origin else f"{text}\n" for text, by in texts)


def _plain(project: Project) -> dict[str, Any]:
    return project.config.model_dump(mode="json", exclude={"rules"})


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from _leaves(inner, f"{path}{key}.")
        else:
            yield f"{path}{key}", inner


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# --- a new rule ------------------------------------------------------------------------------------------------------

_SKELETON = """\
id: {id}
title: {title}
applies_to: {phase}
status: preview
since: "1.0"
params: {{limit: 100}}
when:
  all:
{guard}    - {fact} > params.limit
severity: warning
because: "{fact} is {{{fact}}}"
why: |
  Say here what goes wrong when this fires.
instead: |
  Say here what to do about it.
source: {source}
tests:
  - {{given: {{{fact}: 101}}, expect: fires}}
  - {{given: {{{fact}: 100}}, expect: silent}}
{missing}"""
_MISSING = "  - {given: {}, expect: silent}\n"


def new_rule(folder: Path, rule_id: str, title: str, phase: Phase) -> Path:
    """Write a rule that loads and whose tests pass, for a person to change. Raises UsageError where it is there."""
    path = folder / f"{rule_id}-{title}.yaml"
    if path.exists():
        raise UsageError("this file is there already", file=str(path), hint="choose another id or title")
    text = skeleton(rule_id, title, phase)
    _, mistakes = read_rule(path.name, text)
    if mistakes:
        raise RuleError(mistakes)
    write_file(path, text.encode())
    return path


def skeleton(rule_id: str, title: str, phase: Phase) -> str:
    """The text of a rule on the first number that the catalogue has for a phase."""
    fact = min(
        (f for f in BY_PHASE[phase].values() if f.kind == "number" and f.unit != "share"),
        key=lambda f: f.may_be_missing,
    )
    return _SKELETON.format(
        id=rule_id,
        title=title,
        phase=phase,
        fact=fact.name,
        source=yaml_text("our handbook, chapter 1"),
        guard=f"    - is_set({fact.name})\n" if fact.may_be_missing else "",
        missing=_MISSING if fact.may_be_missing else "",
    )


# --- what a change alters --------------------------------------------------------------------------------------------


def difference(project: Project, reference: str) -> RuleDiff:
    """The project's rules now against those of a git revision, or against `ddbmig:recommended` as it ships.

    Where the project has been analysed, what that alters on its relationships, tables and access patterns.
    """
    after = rules_in_force(project)
    before = load_rules([recommended()]) if reference == RECOMMENDED else _at(project, reference)
    return compare(before, after, saved_assessment(project))


def _at(project: Project, revision: str) -> Rulebook:
    with at_revision(project.folder, revision) as folder:
        if project.is_project and not (folder / CONFIG).is_file():
            raise UsageError(f"there was no {CONFIG} in this revision", subject=revision)
        try:
            return rules_in_force(open_project(folder if project.is_project else None, None))
        except RuleError as error:
            raise RuleError(tuple(replace(m, file=f"{revision}:{m.file}") for m in error.mistakes)) from error


def saved_assessment(project: Project) -> Assessment | None:
    """What stage 2 last said; None where it has not been run."""
    path = project.out / STAGES[1].value
    return Assessment.from_file(path) if path.is_file() else None
