"""A contract file that a person may have edited: read as a whole, with the place of every value and all mistakes.

The file is JSON. Its places come from a YAML composer, which reads JSON and, unlike the JSON parser, tells lines.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

from ddbmig.engine.strict_yaml import Place
from ddbmig.engine.wording import closest, visible
from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry, ContractGsi, Enforces, JoinColumns
from ddbmig.model.errors import InputError, UsageError

Path = tuple[str | int, ...]
"""Keys and positions from the top of the file to a value."""

_FIELDS = sorted({
    name for model in (ContractEntry, ContractAttribute, ContractGsi, Enforces, JoinColumns)
    for name in model.model_fields
})  # fmt: skip
_UNION_ARMS = ("function-", "tuple[", "JoinColumns", "str")
"""Beginnings of the words that pydantic puts into a path for the arms of a union."""


@dataclass(frozen=True)
class ContractFile:
    """A contract and where its parts stand in the file."""

    file: str
    contract: Contract
    places: Mapping[Path, Place] = field(default_factory=dict)

    def mistake(
        self, path: Path, message: str, *, expected: str | None = None, hint: str | None = None
    ) -> UsageError:  # fmt: skip
        """What is wrong with the value at a path, with its place and its names."""
        subject = _named(path, self.contract)
        return _mistake(self.file, self.places, path, message, subject, expected, hint)


def read_contract(file: str, text: str) -> tuple[ContractFile | None, tuple[UsageError, ...]]:
    """The contract of a file, or None and all that is wrong with its form (not with its meaning).

    Raises InputError where the text is no JSON at all.
    """
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        hint = "mend it, or write the contract again with ddbmig analyze"
        raise InputError(f"this is no JSON: {error.msg}", file, error.lineno, error.colno, hint=hint) from error
    except _Twice as error:
        twice = f"the key {visible(str(error))} stands twice in one object"
        raise InputError(twice, file, hint="keep one of them") from error
    except RecursionError as error:
        raise InputError("this is no contract: it is nested too deep", file) from error
    places = _places(text)
    try:
        return ContractFile(file, Contract.model_validate_json(json.dumps(data)), places), ()
    except ValidationError as error:
        return None, tuple(_shape_mistakes(file, places, error))


class _Twice(Exception):
    """A key that stands twice in one object."""


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _no_constant(text: str) -> Any:
    raise json.JSONDecodeError(f"{text} is no JSON value", text, 0)


def _shape_mistakes(file: str, places: Mapping[Path, Place], error: ValidationError) -> Iterator[UsageError]:
    found: dict[Path, Any] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        found.setdefault(_without_arms(one["loc"]), one)
    for path, one in found.items():
        if any(other[: len(path)] == path for other in found if other != path):
            continue  # each arm of a union complains: what lies deepest was meant
        name, hint = str(path[-1]) if path else "", None
        message = one["msg"][:1].lower() + one["msg"][1:]
        if one["type"] == "extra_forbidden":
            message, hint = f"there is no field {visible(name)}", closest(name, _FIELDS)
        elif one["type"] == "missing":
            message = f"the field {name} is missing"
        at = path[:-1] if one["type"] == "missing" else path
        yield _mistake(file, places, at, message, _named(at, None), None, hint)


def _without_arms(path: Path) -> Path:
    return tuple(part for part in path if isinstance(part, int) or not part.startswith(_UNION_ARMS))


def _mistake(
    file: str, places: Mapping[Path, Place], path: Path, message: str, subject: str, expected: str | None,
    hint: str | None,
) -> UsageError:  # fmt: skip
    at = next((places[path[:n]] for n in range(len(path), -1, -1) if path[:n] in places), None)
    line, column = (at.line, at.column) if at else (None, None)
    return UsageError(message, file, line, column, subject or None, expected, hint)


def _named(path: Path, contract: Contract | None) -> str:
    """A path as a person says it: `books.attributes.isbn.join`, with the entry's name in place of its number."""
    if not path:
        return ""
    first, *others = path
    entry = contract.root[first] if contract is not None and isinstance(first, int) else None
    name = entry.table if entry is not None else f"entry {first + 1 if isinstance(first, int) else first}"
    return visible(".".join([name, *(str(part) for part in others)]))


def _places(text: str) -> dict[Path, Place]:
    """Where each value stands; empty where the composer does not read what is JSON all the same."""
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return {}
    found: dict[Path, Place] = {}
    waiting: list[tuple[Path, yaml.Node]] = [((), root)] if root is not None else []
    while waiting:
        path, node = waiting.pop()
        found[path] = Place(node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            waiting += [((*path, key.value), value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [((*path, number), value) for number, value in enumerate(node.value)]
    return found
