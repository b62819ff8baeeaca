"""YAML without surprises: a tree in which every value knows its place, and every mistake of the file at once.

Refused: duplicate keys, anchors and aliases, tags, more than one document, characters that hide what a text says, and
plain words that YAML 1.1 reads as something else than they look (`no`, `12:30`, `010`, `1_000`, `~`, dates).
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import yaml

from ddbmig.engine.wording import escaped
from ddbmig.model.errors import UsageError

Scalar = str | int | float | bool

MAX_CHARACTERS = 200_000
MAX_DEPTH = 30
MAX_MISTAKES = 100
"""Of one file; who has that many has not written it by hand, and the rest is not looked for."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}([eE][-+]?[0-9]{1,2})?")
_TAG = "tag:yaml.org,2002:"
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where YAML begins a new line, and nowhere else."""
_HIDING = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069\ufeff]")
"""What YAML does not allow, and the bidi controls: with them a text looks other than it is read."""
_SURPRISES: Mapping[str, tuple[str, str, Scalar]] = {
    "int": ("an int", 'write a plain number such as 1000, or "{}" in quotes', 1),
    "float": ("a float", 'write a plain number such as 0.5, or "{}" in quotes', 0.5),
    "bool": ("a bool", 'write true or false, or "{}" in quotes', True),
    "timestamp": ("a timestamp", 'write "{}" in quotes', ""),
    "null": ("null, that is nothing", "give it a value, or leave it out", ""),
    "merge": ("a merge of mappings", "write the keys out", ""),
    "value": ("a default value", 'write "{}" in quotes', ""),
}
"""How YAML 1.1 understands a plain word, what to write instead, and what stands in for it while the rest is checked."""
_SYNTAX = (
    ("'\\t'", "a tab stands where spaces belong", "indent with spaces"),
    ("mapping values", "a key cannot stand here", 'put a text with ": " in it in quotes, or mend the indentation'),
    ("unexpected end of stream", "this quote is not closed", "close it; in single quotes write two for one"),
    ("document separator", "this quote is not closed", "close it; in single quotes write two for one"),
    ("expected ':'", "this line is no key", "each line is `key: value` or `- item`; put other texts in quotes"),
    ("expected ',' or", "a bracket is not closed before this", "close it, or put a text with { } [ ] , in quotes"),
    ("unknown escape", "no such escape in double quotes", "write two backslashes for one, or use single quotes"),
    ("cannot start any token", "a text cannot begin so", "put it in quotes"),
    ("alphabetic or numeric", "a text cannot begin with * or &", "put it in quotes"),
    ("block end", "this does not belong to what is above", "mend the indentation, or put the whole text in quotes"),
    ("sequence entries", "a list cannot begin here", "begin it on a line of its own, or put the text in quotes"),
    ("document start", "there is text after the end of the document", "remove it"),
)
"""A part of what PyYAML says, what is wrong, and what helps."""


@dataclass(frozen=True)
class Place:
    """1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True)
class Node:
    """A scalar, a tuple of nodes, or a mapping of nodes."""

    value: "Scalar | tuple[Node, ...] | Mapping[str, Node]"
    place: Place
    inside: Place | None
    """Where the text of a scalar begins that is written as it is read, on one line; None for any other."""
    keys: Mapping[str, Place] = field(default_factory=dict)
    """Where the keys of a mapping stand."""

    def at(self, column: int) -> Place:
        """The place of the n-th character (from 1) of a scalar, as exactly as it is known."""
        return self.place if self.inside is None else Place(self.inside.line, self.inside.column + column - 1)


def read_yaml(file: str, text: str) -> tuple[Node | None, tuple[UsageError, ...]]:
    """The tree of one document, and all that is wrong with it. With mistakes the tree may be None or lack parts."""
    if len(text) > MAX_CHARACTERS:
        at = place_in(text, MAX_CHARACTERS)
        expected = f"at most {MAX_CHARACTERS:,} characters"
        return None, (UsageError("the file is too long", file, at.line, at.column, expected=expected),)
    mistakes = list(_hiding(file, text))
    reader = _Reader(file, _HIDING.sub("_", text), mistakes)
    try:
        return reader.document(), tuple(mistakes)
    except yaml.MarkedYAMLError as error:
        return None, (*mistakes, _syntax(file, error))
    except _CannotGoOn:
        return None, tuple(mistakes)


def decoded(file: str, data: bytes) -> str:
    """The text of a file, a byte order mark left out. Raises UsageError at the first place that is not UTF-8."""
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        at = place_in(data[: error.start].decode("utf-8"), error.start)
        byte = f"byte {data[error.start]:#04x}"
        raise UsageError("this is not UTF-8", file, at.line, at.column, byte, hint="save the file as UTF-8") from error


def part_of(tree: Node | None, key: str) -> Node | None:
    """The value of a key; None where the tree is no mapping or does not have it."""
    return tree.value.get(key) if tree is not None and isinstance(tree.value, Mapping) else None


def yaml_text(text: str) -> str:
    """A text as a double-quoted scalar on one line, in which nothing is invisible."""
    return escaped(json.dumps(text, ensure_ascii=False))


def place_in(text: str, offset: int) -> Place:
    """The place of a character by its offset."""
    lines = lines_of(text[:offset])
    return Place(len(lines), len(lines[-1]) + 1)


def lines_of(text: str) -> list[str]:
    """The lines of a text, as YAML counts them."""
    return _LINE_BREAK.split(text)


class _Mark(Protocol):
    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


class _CannotGoOn(Exception):
    """The rest of the file is not looked at."""


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _hiding(file: str, text: str) -> Iterator[UsageError]:
    for number, found in enumerate(_HIDING.finditer(text)):
        if number == MAX_MISTAKES:
            return
        place, code = place_in(text, found.start()), ord(found.group())
        name = f"U+{code:04X} {unicodedata.name(found.group(), 'a control character')}"
        hint = f"delete it, or write {yaml_text(found.group())} in double quotes"
        yield UsageError("this character is not allowed", file, place.line, place.column, name, hint=hint)


def _syntax(file: str, error: yaml.MarkedYAMLError) -> UsageError:
    problem = error.problem or error.context or "cannot be read"
    said = [(message, hint) for part, message, hint in _SYNTAX if part in problem]
    message, hint = said[0] if said else (problem, "put texts with special characters in quotes")
    at_its_begin = message in ("this quote is not closed", "this line is no key")
    place = _place((error.context_mark if at_its_begin else None) or error.problem_mark or error.context_mark)
    return UsageError(f"not YAML: {message}", file, place.line, place.column, hint=hint)


class _Reader:
    """From PyYAML's events to our nodes; collects the mistakes."""

    def __init__(self, file: str, text: str, mistakes: list[UsageError]) -> None:
        self.file, self.mistakes = file, mistakes
        self.events: Any = yaml.SafeLoader(text)  # PyYAML's stubs leave its methods untyped

    def mistake(self, place: Place, message: str, subject: str | None = None, hint: str | None = None) -> None:
        self.mistakes.append(UsageError(message, self.file, place.line, place.column, subject, hint=hint))
        if len(self.mistakes) >= MAX_MISTAKES:
            raise _CannotGoOn

    def document(self) -> Node | None:
        """The first document; that there is another one is a mistake."""
        self.events.get_event()  # the beginning of the stream
        if self.events.check_event(yaml.StreamEndEvent):
            self.mistake(Place(1, 1), "the file is empty", hint="write `key: value` lines")
            return None
        self.events.get_event()
        tree = self.node(self.events.get_event())
        self.events.get_event()
        if not self.events.check_event(yaml.StreamEndEvent):
            place = _place(self.events.peek_event().start_mark)
            self.mistake(place, "more than one document", hint="one file, one document: remove the line ---")
        return tree

    def node(self, event: yaml.Event, depth: int = 1) -> Node:
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self.mistake(place, "aliases are not allowed", f"*{event.anchor}", "write the value out")
            return Node("", place, None)
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            self.mistake(place, "anchors are not allowed", f"&{event.anchor}", "write the value out")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            self.mistake(place, "tags are not allowed", event.tag.replace(_TAG, "!!"), "remove the tag")
        if isinstance(event, yaml.ScalarEvent):
            return Node(self.scalar(event), place, _inside(event))
        if depth > MAX_DEPTH:
            self.mistake(place, "nested too deeply", hint=f"{MAX_DEPTH} levels at most")
            raise _CannotGoOn
        return self.list(place, depth) if isinstance(event, yaml.SequenceStartEvent) else self.mapping(place, depth)

    def list(self, place: Place, depth: int) -> Node:
        items = []
        while not isinstance(event := self.events.get_event(), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return Node(tuple(items), place, None)

    def mapping(self, place: Place, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := self.events.get_event(), yaml.MappingEndEvent):
            key = self.key(event, depth + 1)
            value = self.node(self.events.get_event(), depth + 1)
            at = _place(event.start_mark)
            if key in keys:
                self.mistake(at, "this key is there twice", key, f"the first is in line {keys[key].line}")
            elif key is not None:
                values[key], keys[key] = value, at
        return Node(values, place, None, keys)

    def key(self, event: yaml.Event, depth: int) -> str | None:
        """The word that a key is; None, with a mistake, where it is something else."""
        before = len(self.mistakes)
        found = self.node(event, depth)
        if isinstance(event, yaml.ScalarEvent) and len(self.mistakes) > before:
            return None
        if isinstance(found.value, str):
            return found.value
        del self.mistakes[before:]
        self.mistake(found.place, "a key is a plain word", hint="put it in quotes, and so a text with { } or [ ]")
        return None

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        text = str(event.value)
        tag = self.events.resolve(yaml.ScalarNode, text, event.implicit).removeprefix(_TAG)
        if tag == "str" or event.tag:
            return text
        if tag == "int" and _INTEGER.fullmatch(text):
            return int(text)
        if tag == "float" and _FLOAT.fullmatch(text):
            return float(text)
        if tag == "bool" and text in ("true", "false"):
            return text == "true"
        place, (what, hint, stand_in) = _place(event.start_mark), _SURPRISES[tag]
        if tag == "int" and text.lstrip("+-").isdigit() and not text.lstrip("+-").startswith("0"):
            self.mistake(place, "this number is too long", text, "write 18 digits at most, or put it in quotes")
        else:
            self.mistake(place, f"YAML reads this as {what}", text, hint.format(text))
        return stand_in


def _inside(event: yaml.ScalarEvent) -> Place | None:
    start, end, quotes = event.start_mark, event.end_mark, 1 if event.style in ("'", '"') else 0
    if event.style in ("|", ">") or start is None or end is None or start.line != end.line:
        return None
    plain = end.column - start.column - 2 * quotes == len(event.value)
    return Place(start.line + 1, start.column + quotes + 1) if plain else None
