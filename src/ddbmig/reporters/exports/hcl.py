"""Terraform's configuration language, as far as we write it: blocks, arguments, and values that stay values.

Laid out as `terraform fmt` does. Language: HashiCorp's "Configuration Syntax" and "Strings and Templates".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby


class Expression(str):
    """An expression of ours, e.g. `var.kms_key_arn`: it enters as it is. A plain `str` is a text and is quoted."""

    __slots__ = ()


Hcl = str | bool | int | float | Sequence["Hcl"] | Mapping[str, "Hcl"]


@dataclass(frozen=True)
class Block:
    """`kind "label" { … }`, with its arguments and inner blocks in order."""

    kind: str
    labels: tuple[str, ...]
    body: "tuple[tuple[str, Hcl] | Block, ...]"


def block(kind: str, *labels: str, body: "Sequence[tuple[str, Hcl] | Block]") -> Block:
    """A block."""
    return Block(kind, labels, tuple(body))


def hcl_text(blocks: Sequence[Block]) -> str:
    """The text of a file: one blank line between blocks."""
    return "\n".join("".join(f"{line}\n" for line in _block(one)) for one in blocks)


def quoted(value: str) -> str:
    """A text in quotation marks that stands for itself: no `${…}` or `%{…}` in it is looked at."""
    escaped = "".join(_ESCAPES.get(c) or (c if c.isprintable() else _code(c)) for c in value)
    return f'"{_TEMPLATE.sub(_literal, escaped)}"'


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TEMPLATE = re.compile(r"(\$+|%+)\{")
"""What begins, or with more than one sign might begin, a template."""


def _literal(found: re.Match[str]) -> str:
    """`$${` for `${`. The language does not say how many signs `$$${` are, so those are written by their codes."""
    signs = found[1]
    return f"{signs * 2 if len(signs) == 1 else ''.join(map(_code, signs))}{{"


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"


def _block(one: Block) -> Iterator[str]:
    yield " ".join([one.kind, *map(quoted, one.labels), "{"])
    yield from (f"  {line}".rstrip() for line in _body(one.body))
    yield "}"


def _body(body: "Sequence[tuple[str, Hcl] | Block]") -> Iterator[str]:
    """Arguments aligned as long as they stand together; blocks apart by a blank line."""
    waiting: list[tuple[str, Hcl]] = []
    parts: list[list[str]] = []
    for one in (*body, None):
        if isinstance(one, tuple):
            waiting.append(one)
            continue
        if waiting:
            parts.append(list(_arguments(waiting)))
            waiting = []
        if one is not None:
            parts.append(list(_block(one)))
    for number, lines in enumerate(parts):
        yield from ([""] if number else [])
        yield from lines


def _arguments(members: Sequence[tuple[str, Hcl]]) -> Iterator[str]:
    for short, group in groupby(members, key=lambda one: not _is_long(one[1])):
        listed = list(group)
        width = max(len(name) for name, _ in listed) if short else 0
        for name, value in listed:
            first, *rest = _value(value)
            yield f"{name:<{width}} = {first}"
            yield from rest


def _is_long(value: Hcl) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _value(value: Hcl) -> Iterator[str]:
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, str):
        yield quoted(value)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int | float):
        yield repr(value)
    elif isinstance(value, Mapping):
        yield "{"
        yield from (f"  {line}" for line in _arguments([(_key(name), inner) for name, inner in value.items()]))
        yield "}"
    else:
        yield "[" + ", ".join(next(_value(inner)) for inner in value) + "]"


def _key(name: str) -> str:
    return name if name.isidentifier() else quoted(name)
