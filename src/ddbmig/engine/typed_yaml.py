"""A strict YAML text as a value of the vocabulary: every mistake at once, each with its place and a way out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ddbmig.engine.strict_yaml import MAX_MISTAKES, Node, lines_of, read_yaml
from ddbmig.engine.wording import closest, nearest, visible
from ddbmig.model.base import Value
from ddbmig.model.errors import DdbmigError, RuleError, UsageError

Model = TypeVar("Model", bound=Value)

_PYDANTIC = "Input should be "
_LIMIT = re.compile("^(greater|less) than")
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
            value = model.model_validate(plain(tree), strict=True)
            if not surprises:
                return Read(value, tree)
        except ValidationError as error:
            mistakes += [_mistake(file, tree, model, found) for found in _telling(model, error.errors())]
    raise RuleError(in_order(mistakes, surprises, text))


def plain(node: Node) -> Any:
    """A tree as dictionaries, tuples and scalars."""
    if isinstance(node.value, Mapping):
        return {key: plain(value) for key, value in node.value.items()}
    return tuple(map(plain, node.value)) if isinstance(node.value, tuple) else node.value


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
    ordered, lines = sorted(found.values(), key=lambda m: (m.line or 0, m.column or 0)), lines_of(text)
    return tuple(_with_source(mistake, lines if text else []) for mistake in ordered[:MAX_MISTAKES])


def by_place(mistakes: Iterable[DdbmigError]) -> tuple[DdbmigError, ...]:
    """Mistakes of several files: the files in the order in which they come first, in each the order of its text."""
    listed = list(mistakes)
    files = {mistake.file: number for number, mistake in reversed([*enumerate(listed)])}
    return tuple(sorted(listed, key=lambda m: (files[m.file], m.line or 0, m.column or 0)))


def _with_source(mistake: UsageError, lines: Sequence[str]) -> UsageError:
    source = lines[mistake.line - 1] if mistake.line is not None and mistake.line <= len(lines) else None
    return replace(mistake, subject=visible(mistake.subject) if mistake.subject else None, source=source)


def _one_of_both(one: UsageError, other: UsageError) -> UsageError:
    if not (one.expected and other.expected) or other.expected in one.expected:
        return one
    expected = f"{one.expected}, or {other.expected}".replace("a whole number, or a number", "a number")
    return replace(one, message=_NOT_ALLOWED, expected=expected)


def _telling(model: type[Value], errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Without the missing keys that are there, misspelt."""
    misspelt = {
        (*error["loc"][:-1], nearest(str(error["loc"][-1]), fields_at(model, error["loc"][:-1])))
        for error in errors[:MAX_MISTAKES]
        if error["type"] == "extra_forbidden"
    }
    return [e for e in errors if not (e["type"] == "missing" and e["loc"] in misspelt)][:MAX_MISTAKES]


def _mistake(file: str, tree: Node, model: type[Value], error: ErrorDetails) -> UsageError:
    """One of pydantic's errors with its place in the file; its `loc` also holds parts that name a type, not a key."""
    loc, kind, said = error["loc"], error["type"], error["msg"]
    node, key, names = tree, tree.place, list[str]()
    for part in loc:
        if isinstance(node.value, Mapping) and part in node.value:
            key, node = node.keys.get(str(part), node.place), node.value[str(part)]
        elif isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif kind != "missing":
            break
        names.append(str(part))
    subject = ".".join(names)
    if kind == "extra_forbidden":
        known = fields_at(model, loc[:-1])
        listed = f"known: {', '.join(known)}"
        return UsageError("unknown key", file, key.line, key.column, subject, hint=closest(names[-1], known) or listed)
    message, expected = _PLAIN_WORDS.get(kind, (said, None))
    if message.startswith(_PYDANTIC):
        message, expected = (
            _NOT_ALLOWED,
            _LIMIT.sub(r"a number \g<0>", said.removeprefix(_PYDANTIC)).replace("True", "true"),
        )
    allowed = re.findall("'([^']*)'", expected or "")
    hint = closest(node.value, allowed) if isinstance(node.value, str) else None
    return UsageError(message, file, node.place.line, node.place.column, subject, expected, hint)


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
