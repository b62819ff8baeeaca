"""The expressions of one DynamoDB call, with their ExpressionAttributeNames and ExpressionAttributeValues.

A name that DynamoDB does not take as it is becomes `#name`, a value `:name`.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

RESERVED_FILE = "reserved_words.txt"
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@cache
def reserved_words() -> frozenset[str]:
    """The words that DynamoDB reserves, in capitals."""
    lines = files(__package__).joinpath(RESERVED_FILE).read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_bare(name: str) -> bool:
    """Whether an expression may hold the name of an attribute as it is."""
    return bool(_BARE.match(name)) and name.upper() not in reserved_words()


@dataclass
class Expressions:
    """The names and values that the expressions of one call use, as they come."""

    names: dict[str, str] = field(default_factory=dict)
    """`#name` -> attribute."""
    values: dict[str, Any] = field(default_factory=dict)
    """`:name` -> value."""

    def name(self, attribute: str) -> str:
        """An attribute as an expression names it."""
        return attribute if is_bare(attribute) else _enter(self.names, "#", attribute, attribute)

    def value(self, shown: Any, hint: str) -> str:
        """A value as an expression names it; `hint` is what it is called where nothing else is known of it."""
        placeholder = shown.rpartition(".")[2] if isinstance(shown, str) and shown.startswith("$") else hint
        return _enter(self.values, ":", placeholder, shown)

    def fields(self) -> dict[str, Any]:
        """The two fields of the call, where there is something in them."""
        found = {"ExpressionAttributeNames": self.names, "ExpressionAttributeValues": self.values}
        return {key: dict(entries) for key, entries in found.items() if entries}


def _enter(known: dict[str, Any], mark: str, name: str, meaning: Any) -> str:
    """The key under which `meaning` is known, entered first where it is not."""
    base = key = mark + (re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "x")
    number = 1
    while key in known and not _same(known[key], meaning):
        number += 1
        key = f"{base}_{number}"
    known[key] = meaning
    return key


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
