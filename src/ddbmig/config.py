"""ddbmig.yaml, the environment and options as one configuration that knows who said what.

Precedence, the strongest first: `--set KEY=VALUE`, the variable DDBMIG_SET, ddbmig.yaml, the packs of `extends` from
the last to the first, and what is built in.
"""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from ddbmig.engine.overrides import Setting, settings_in
from ddbmig.engine.rule import Origin
from ddbmig.engine.strict_yaml import Node, Place, part_of, read_yaml
from ddbmig.engine.typed_yaml import check_model, plain
from ddbmig.engine.wording import closest
from ddbmig.model.context import ProjectConfig
from ddbmig.model.errors import DdbmigError, RuleError, UsageError

CONFIG = "ddbmig.yaml"
VARIABLE = "DDBMIG_SET"
"""Holds `key=value` words, quoted as in a shell."""
_START = Place(1, 1)


@dataclass(frozen=True)
class Assignment:
    """One `key=value` of an option or of the environment."""

    source: str
    text: str

    def __str__(self) -> str:
        return f"{self.source} {self.text}"


@dataclass(frozen=True)
class Configuration:
    """What is in force; `origins` says who said it, by dotted key: what is not there is a default."""

    config: ProjectConfig
    settings: tuple[Setting, ...] = ()
    """Overrides of rules, later ones over earlier ones."""
    origins: Mapping[str, Origin] = field(default_factory=dict)


@dataclass(frozen=True)
class _Layer:
    name: str
    tree: Node | None
    text: str | None
    """That of the file; None for an assignment, whose places say nothing."""
    mistakes: tuple[DdbmigError, ...] = ()

    def origin(self, place: Place) -> Origin:
        return Origin(self.name) if self.text is None else Origin(self.name, place.line, place.column)


def assignments(options: Iterable[str], environment: Mapping[str, str] | None = None) -> tuple[Assignment, ...]:
    """Those of the environment, then those of the options. Raises RuleError for variables that look misspelt,
    and for one that is no words."""
    variables = os.environ if environment is None else environment
    wrong = [
        UsageError("no such environment variable", subject=name, hint=f"did you mean {VARIABLE}?")
        for name in sorted(variables)
        if name.startswith("DDBMIG_") and name != VARIABLE and closest(name, [VARIABLE], 0.85)
    ]
    try:
        words = shlex.split(variables.get(VARIABLE, ""))
    except ValueError as error:
        said = str(error)[:1].lower() + str(error)[1:]
        wrong.append(UsageError(f"{VARIABLE} cannot be read: {said}", hint="quote values as in a shell"))
    if wrong:
        raise RuleError(tuple(wrong))
    return (*(Assignment(VARIABLE, word) for word in words), *(Assignment("--set", word) for word in options))


def configure(text: str | None, given: Sequence[Assignment] = ()) -> Configuration:
    """The configuration of ddbmig.yaml's text (None where there is no project) under the assignments.

    Raises RuleError with every mistake of every source.
    """
    layers = _layers(text, given)
    mistakes = [mistake for layer in layers for mistake in layer.mistakes]
    if mistakes:
        raise RuleError(tuple(mistakes))
    return _merged(layers)


def on_rules(text: str | None, given: Sequence[Assignment] = ()) -> Configuration:
    """As `configure`, but of sources with mistakes: what is sound of `extends` and of `rules`, so that their mistakes
    can be told together with the others."""
    config, settings, origins = ProjectConfig(), list[Setting](), dict[str, Origin]()
    for layer in _layers(text, given):
        extends = part_of(layer.tree, "extends")
        if layer.tree is not None and extends is not None:
            with suppress(ValidationError):  # its mistakes are told by `configure`
                config = ProjectConfig.model_validate({"extends": plain(extends)}, strict=True)
                origins["extends"] = layer.origin(layer.tree.keys["extends"])
        settings += settings_in(layer.name, part_of(layer.tree, "rules"), layer.text)
    return Configuration(config, tuple(settings), origins)


def _layers(text: str | None, given: Sequence[Assignment]) -> list[_Layer]:
    layers = [] if text is None else [_layer(CONFIG, *read_yaml(CONFIG, text), text)]
    return [*layers, *(_layer(str(assignment), *_tree(assignment), None) for assignment in given)]


def _layer(name: str, tree: Node | None, surprises: tuple[UsageError, ...], text: str | None) -> _Layer:
    try:
        check_model(name, tree, ProjectConfig, surprises, text or "")
    except RuleError as error:
        placed = error.mistakes if text is not None else [replace(m, line=None, column=None) for m in error.mistakes]
        return _Layer(name, tree, text, tuple(placed))
    return _Layer(name, tree, text)


def _tree(assignment: Assignment) -> tuple[Node | None, tuple[UsageError, ...]]:
    """`a.b=value` as the tree of `a: {b: value}`."""
    key, sign, value = assignment.text.partition("=")
    if not sign or not all(key.split(".")) or not value.strip():
        wrong = UsageError("not an assignment", str(assignment), expected="key.key=value, e.g. gate.fail_on=warning")
        return None, (wrong,)
    node, mistakes = read_yaml(str(assignment), value)
    for part in reversed(key.split(".")):
        node = Node({part: node}, _START, None, {part: _START}) if node is not None else None
    return node, mistakes


def _merged(layers: Sequence[_Layer]) -> Configuration:
    data: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    settings: list[Setting] = []
    for layer in layers:
        for path, node, place in _leaves(layer.tree):
            target = data
            for part in path[:-1]:
                target = target.setdefault(part, {})
            target[path[-1]] = plain(node)
            origins[".".join(path)] = layer.origin(place)
        settings += settings_in(layer.name, part_of(layer.tree, "rules"), layer.text)
    return Configuration(ProjectConfig.model_validate(data), tuple(settings), origins)


def _leaves(node: Node | None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node, Place]]:
    """Every value that is no mapping, with the keys that lead to it and the place of the last of them."""
    if node is None or not isinstance(node.value, Mapping):
        return
    for key, inner in node.value.items():
        if isinstance(inner.value, Mapping):
            yield from _leaves(inner, (*path, key))
        else:
            yield (*path, key), inner, node.keys[key]
