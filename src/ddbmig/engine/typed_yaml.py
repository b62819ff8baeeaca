"""A strict YAML text as a value of the vocabulary: every mistake at once, each with its place and a way out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import ValidationError

from ddbmig.engine.strict_yaml import Node, read_yaml
from ddbmig.engine.wording import closest
from ddbmig.model.base import Value
from ddbmig.model.errors import RuleError, UsageError

Model = TypeVar("Model", bound=Value)

_PYDANTIC = "Input should be "
_NOT_ALLOWED = "this value is not allowed"
_PLAIN_WORDS: Mapping[str, tuple[str, str | None]] = {
    "tuple_type": ("not a list", "[a, b]"),
    "model_type": ("not a mapping", "key: value lines below it"),
    "mapping_type": ("not a mapping", "key: value lines below it"),
    "dict_type": ("not a mapping", "key: value lines below it"),
    "int_parsing": (_NOT_ALLOWED, "a whole number"),
    "int_type": (_NOT_ALLOWED, "a whole number"),
    "float_type": (_NOT_ALLOWED, "a number"),
    "float_parsing": (_NOT_ALLOWED, "a number"),
    "bool_type": (_NOT_ALLOWED, "true or false"),
    "string_type": (_NOT_ALLOWED, "a text, in quotes if it looks like a number"),
    "missing": ("this key is missing", None),
}
"""Pydantic's kinds of error whose own words speak of Python: message and what is expected."""


@dataclass(frozen=True)
class Read(Generic[Model]):
    """A value, and the tree that knows where its parts stand."""

    value: Model
    tree: Node


def read_model(file: str, text: str, model: type[Model]) -> Read[Model]:
    """Read one YAML document as `model`. Raises RuleError with every mistake, in the order of the text."""
    tree, mistakes = read_yaml(file, text)
    return check_model(file, tree, model, mistakes, text)


def check_model(
    file: str, tree: Node | None, model: type[Model], known: Iterable[UsageError] = (), text: str = ""
) -> Read[Model]:  # fmt: skip
    """A tree as `model`; `known` are mistakes of `text` itself. Raises RuleError with all of them."""
    surprises, mistakes = tuple(known), list[UsageError]()
    if tree is not None and not isinstance(tree.value, Mapping):
        mistakes.append(
            UsageError("not a mapping", file, tree.place.line, tree.place.column, expected="key: value lines")
        )
    elif tree is not None:
        try:
            value = model.model_validate(plain(tree))
            if not surprises:
                return Read(value, tree)
        except ValidationError as error:
            mistakes += [_mistake(file, tree, model, e["loc"], e["type"], e["msg"]) for e in error.errors()]
    raise RuleError(in_order(mistakes, surprises, text))


def plain(node: Node) -> Any:
    """A tree as dictionaries, lists and scalars."""
    if isinstance(node.value, Mapping):
        return {key: plain(value) for key, value in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, tuple) else node.value


def in_order(
    mistakes: Iterable[UsageError], surprises: Sequence[UsageError] = (), text: str = ""
) -> tuple[UsageError, ...]:
    """All mistakes by place, with their lines of `text`.

    One where YAML itself read something else than was meant (`surprises`) is a result of that and left out; what is
    wrong with a value that could have been several things is one mistake, its expectations joined.
    """
    odd = {(mistake.line, mistake.column) for mistake in surprises}
    found: dict[tuple[object, ...], UsageError] = {}
    for mistake in (*surprises, *(m for m in mistakes if (m.line, m.column) not in odd)):
        key = (mistake.line, mistake.column, mistake.subject or mistake.message)
        before = found.get(key)
        found[key] = mistake if before is None else _one_of_both(before, mistake)
    ordered = sorted(found.values(), key=lambda m: (m.line or 0, m.column or 0))
    return tuple(replace(mistake, source=line_of(text, mistake.line)) for mistake in ordered)


def line_of(text: str, line: int | None) -> str | None:
    """A line of a text by its number; None where there is none. YAML breaks lines at these characters only."""
    lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
    return lines[line - 1] if text and line is not None and line <= len(lines) else None


def _one_of_both(one: UsageError, other: UsageError) -> UsageError:
    if not (one.expected and other.expected) or other.expected in one.expected:
        return one
    return replace(one, message=_NOT_ALLOWED, expected=f"{one.expected}, or {other.expected}")


def _mistake(
    file: str, tree: Node, model: type[Value], loc: tuple[int | str, ...], kind: str, message: str
) -> UsageError:
    """One of pydantic's errors with its place in the file; `loc` also holds parts that name a type, not a key."""
    node, key, names = tree, tree.place, list[str]()
    for part in loc:
        if isinstance(node.value, Mapping) and part in node.value:
            key, node = node.keys.get(str(part), node.place), node.value[str(part)]
        elif isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif kind != "missing":
            break
        names.append(str(part))
    place, hint = node.place, None
    if kind == "extra_forbidden":
        place = key
        known = fields_at(model, loc[:-1])
        message, hint = "unknown key", closest(names[-1], known) or f"known: {', '.join(known)}"
    message, expected = _PLAIN_WORDS.get(kind, (message, None))
    if message.startswith(_PYDANTIC):
        message, expected = _NOT_ALLOWED, message.removeprefix(_PYDANTIC).replace("True", "true")
    return UsageError(message, file, place.line, place.column, ".".join(names), expected, hint)


def fields_at(model: type[Value], loc: Iterable[int | str]) -> list[str]:
    """The keys that are known at a place of a value's shape."""
    current: Any = model
    for part in loc:
        if isinstance(current, type) and issubclass(current, Value):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        else:
            current = next((inner for inner in reversed(get_args(current)) if _holds_fields(inner)), None)
    return sorted(current.model_fields) if isinstance(current, type) and issubclass(current, Value) else []


def _holds_fields(kind: Any) -> bool:
    return (isinstance(kind, type) and issubclass(kind, Value)) or get_origin(kind) is not None
