"""The rules in force: packs in their order, and what is set otherwise than their files say.

Pure: texts in, values out; who calls reads the files. Every mistake of every file comes at once, with its place and a
suggestion.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath

from ddbmig.engine.facts import PHASES
from ddbmig.engine.overrides import Overriding, Setting, settings_in
from ddbmig.engine.rule import Origin, Rule, written
from ddbmig.engine.rule_reader import read_rule
from ddbmig.engine.strict_yaml import part_of, read_yaml
from ddbmig.engine.typed_yaml import by_place, check_model
from ddbmig.engine.wording import closest
from ddbmig.model.assessment import Phase
from ddbmig.model.base import canonical_json, sha256
from ddbmig.model.context import PackFile
from ddbmig.model.errors import RuleError, UsageError

PACK_FILE = "pack.yaml"
"""The file of a pack that is no rule: what the pack sets on rules of the packs before it and on its own."""
BUILT_IN = "ddbmig:"
"""Packs of the product begin so."""
RESERVED = ("AP", "DM", "PR", "PW", "WA")
"""Prefixes of the product's own rules: an organisation's rules have their own, so that a new one never collides."""


@dataclass(frozen=True)
class Pack:
    """A folder of rules: `files` are pairs of (name that messages show, YAML text)."""

    name: str
    files: tuple[tuple[str, str], ...]

    @property
    def is_built_in(self) -> bool:
        """Whether it ships with the product."""
        return self.name.startswith(BUILT_IN)


@dataclass(frozen=True)
class Rulebook:
    """All rules in force, by id, and those that somebody switched off."""

    rules: tuple[Rule, ...]
    off: tuple[tuple[Rule, Origin], ...] = ()
    packs: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        """The rules in force."""
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def _by_phase(self) -> Mapping[Phase, tuple[Rule, ...]]:
        return {phase: tuple(rule for rule in self.rules if rule.applies_to == phase) for phase in PHASES}

    def rule(self, rule_id: str) -> Rule:
        """The rule in force with this id. Raises UsageError with a suggestion, or with who switched it off."""
        if rule_id in self.by_id:
            return self.by_id[rule_id]
        for rule, origin in self.off:
            if rule.id == rule_id:
                raise UsageError("this rule is switched off", subject=rule_id, hint=f"see {origin}")
        raise UsageError("no such rule", subject=rule_id, hint=closest(rule_id, self.by_id))

    def of(self, phase: Phase) -> tuple[Rule, ...]:
        """The rules that apply to this kind of object."""
        return self._by_phase[phase]

    def fingerprint(self, *phases: Phase) -> str:
        """SHA-256 of what the rules of these phases (all, where none is named) say, their tests and places apart."""
        chosen = [rule for rule in self.rules if not phases or rule.applies_to in phases]
        return sha256(canonical_json([_content(rule) for rule in chosen]))


def _content(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id, "title": rule.title, "status": rule.status, "when": written(rule.when),
        "params": dict(rule.params), "because": rule.because.text, "instead": rule.instead, "score": dict(rule.score),
        "severity": rule.severity, "forbids": rule.forbids, "warning": rule.warning,
    }  # fmt: skip


def load_rules(packs: Sequence[Pack], settings: Iterable[Setting] = ()) -> Rulebook:
    """The rules of `packs`, each pack's own settings applied after its rules, then `settings` in their order.

    Raises RuleError with every mistake of every file, in the order of the packs and files, then of the settings.
    """
    state = Overriding({}, {}, [])
    titles: dict[str, Rule] = {}
    for pack in packs:
        for name, text in pack.files:
            if PurePosixPath(name).name == PACK_FILE:
                continue
            rule, mistakes = read_rule(name, text)
            state.mistakes += mistakes
            if rule is not None:
                _add(state, titles, replace(rule, pack=pack.name), pack)
        for setting in _pack_settings(pack, state.mistakes):
            state.apply(setting)
    for setting in settings:
        state.apply(setting)
    if state.mistakes:
        raise RuleError(by_place(state.mistakes))
    return Rulebook(
        tuple(state.rules[key] for key in sorted(state.rules)),
        tuple(state.off[key] for key in sorted(state.off)),
        tuple(pack.name for pack in packs),
    )


def _add(state: Overriding, titles: dict[str, Rule], rule: Rule, pack: Pack) -> None:
    known = {**state.rules, **{key: off for key, (off, _) in state.off.items()}}
    same = known.get(rule.id) or titles.get(rule.title)
    if same is not None:
        what = "id" if rule.id == same.id else "title"
        hint = f"the other is in {same.file}"
        if not pack.is_built_in and what == "id":
            hint += f"; to change that rule, name it under `rules:` in {PACK_FILE} or ddbmig.yaml"
        elif what == "title":
            hint += "; choose another title"
        state.mistakes.append(
            UsageError(f"two rules have this {what}", rule.file, rule.line, 1, getattr(rule, what), hint=hint)
        )
    elif not pack.is_built_in and rule.id.rstrip("0123456789") in RESERVED:
        state.mistakes.append(
            UsageError("this prefix is kept for ddbmig's own rules", rule.file, rule.line, 1, rule.id,
                       hint="give your rules a prefix of your own, such as ACME001")
        )  # fmt: skip
    else:
        state.rules[rule.id] = titles[rule.title] = rule


def _pack_settings(pack: Pack, mistakes: list[UsageError]) -> tuple[Setting, ...]:
    found: list[Setting] = []
    for name, text in pack.files:
        if PurePosixPath(name).name == PACK_FILE:
            tree, wrong = read_yaml(name, text)
            try:
                check_model(name, tree, PackFile, wrong, text)
            except RuleError as error:
                mistakes += [m for m in error.mistakes if isinstance(m, UsageError)]
            found += settings_in(name, part_of(tree, "rules"), text)
    return tuple(found)
