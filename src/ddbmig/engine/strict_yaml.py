"""YAML without surprises: a tree in which every value knows its place, and every mistake of the file at once.

Refused: duplicate keys, anchors and aliases, tags, more than one document, and plain words that YAML 1.1 reads as
something else than they look (`no`, `12:30`, `010`, `1_000`, `~`, dates).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from ddbmig.model.errors import UsageError

Scalar = str | int | float | bool

MAX_CHARACTERS = 200_000
MAX_DEPTH = 30

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}([eE][-+]?[0-9]{1,2})?")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Place:
    """1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True)
class Node:
    """A scalar, a tuple of nodes, or a mapping of nodes; `inside` is where the text of a one-line scalar begins."""

    value: "Scalar | tuple[Node, ...] | Mapping[str, Node]"
    place: Place
    inside: Place
    keys: Mapping[str, Place] = field(default_factory=dict)
    """Where the keys of a mapping stand."""


def read_yaml(file: str, text: str) -> tuple[Node | None, tuple[UsageError, ...]]:
    """The tree of one document, and all that is wrong with it. With mistakes the tree may be None or lack parts."""
    mistakes: list[UsageError] = []
    if len(text) > MAX_CHARACTERS:
        return None, (UsageError("file too long", file, expected=f"at most {MAX_CHARACTERS} characters"),)
    try:
        mistakes.extend(_forbidden(file, text))
        if mistakes:
            return None, tuple(mistakes)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark) if mark else Place(1, 1)
        message = f"not YAML: {error.problem or error.context}"
        return None, (*mistakes, UsageError(message, file, place.line, place.column))
    except yaml.YAMLError:
        return None, (*mistakes, UsageError("not YAML: a character that is not allowed", file, 1, 1))
    if root is None:
        return None, (UsageError("the file is empty", file, 1, 1),)
    tree = _Reader(file, mistakes).read(root)
    return tree, tuple(mistakes)


def yaml_text(text: str) -> str:
    """A text as a double-quoted scalar on one line."""
    quoted = json.dumps(text, ensure_ascii=False)
    for odd in ("\x7f", "\x85", "\u2028", "\u2029", "\ufeff"):  # line breaks to YAML, or not printable
        quoted = quoted.replace(odd, f"\\u{ord(odd):04x}")
    return quoted


class _Mark(Protocol):
    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


def _place(mark: _Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _forbidden(file: str, text: str) -> Iterator[UsageError]:
    """Walks the events, which is not recursive: aliases, anchors, tags, depth, further documents."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = _place(event.start_mark) if event.start_mark else Place(1, 1)
        if isinstance(event, yaml.AliasEvent):
            yield UsageError("aliases are not allowed", file, place.line, place.column, hint="write the value out")
        elif isinstance(event, yaml.NodeEvent) and event.anchor:
            yield UsageError("anchors are not allowed", file, place.line, place.column, hint="write the value out")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            yield UsageError("tags are not allowed", file, place.line, place.column, hint="remove the tag")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if depth > MAX_DEPTH or documents > 1:
            message = "nested too deeply" if depth > MAX_DEPTH else "more than one document"
            yield UsageError(message, file, place.line, place.column)
            return


class _Reader:
    """From PyYAML's nodes to ours."""

    def __init__(self, file: str, mistakes: list[UsageError]) -> None:
        self.file, self.mistakes = file, mistakes

    def mistake(self, mark: _Mark, message: str, **data: str) -> None:
        place = _place(mark)
        self.mistakes.append(UsageError(message, self.file, place.line, place.column, **data))

    def read(self, node: yaml.Node) -> Node:
        place = _place(node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            return Node(tuple(self.read(item) for item in node.value), place, place)
        if isinstance(node, yaml.ScalarNode):
            return self.leaf(node, place)
        return self.mapping(node, place)

    def leaf(self, node: yaml.ScalarNode, place: Place) -> Node:
        inside = Place(place.line, place.column + (node.style in ("'", '"')))
        return Node(self.scalar(node), place, inside)

    def mapping(self, node: yaml.Node, place: Place) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(self.scalar(key_node), str):
                self.mistake(key_node.start_mark, "a key is a plain word")
            elif key in values:
                first = keys[key]
                self.mistake(key_node.start_mark, "this key is there twice", subject=key,
                             hint=f"the first is in line {first.line}")  # fmt: skip
            else:
                values[key], keys[key] = self.read(value_node), _place(key_node.start_mark)
        return Node(values, place, place, keys)

    def scalar(self, node: yaml.ScalarNode) -> Scalar:
        text, tag = str(node.value), node.tag.removeprefix(_TAG)
        if tag == "str":
            return text
        if tag == "int" and _INTEGER.fullmatch(text):
            return int(text)
        if tag == "float" and _FLOAT.fullmatch(text):
            return float(text)
        if tag == "bool" and text in ("true", "false"):
            return text == "true"
        hint = f'write "{text}" in quotes, or a plain number, true or false' if text else "give it a value"
        self.mistake(node.start_mark, f"YAML reads this as a {tag}", subject=text, hint=hint)
        return text
