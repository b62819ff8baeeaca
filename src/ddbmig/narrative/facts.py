"""What one section of prose may say: figures, statements and names. This, as JSON, is all that is ever sent."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from ddbmig.model.base import Value, canonical_json
from ddbmig.model.measure import Source

Certain = Literal["optimal", "proved", "proved in part"]
"""Claims that the evidence carries: `proved in part` may be made only beside the number of access patterns."""


class Figure(Value):
    """One number with its unit."""

    name: str
    """What it is, in a few words."""
    value: Decimal
    """As a report shows it."""
    unit: str
    """In the words that prose uses: `USD a month`, `%`, `tables`."""
    of: str = ""
    """The name of what it belongs to; empty: the section as a whole."""
    source: Source | None = None


class Statement(Value):
    """One sentence of the engine."""

    name: str
    text: str
    of: str = ""
    """The name of what it is about; empty: the section as a whole."""


class Facts(Value):
    """Everything that the prose of one section may say."""

    section: str
    title: str
    about: str = ""
    """The name that the whole section is about."""
    figures: tuple[Figure, ...] = ()
    statements: tuple[Statement, ...] = ()
    names: tuple[str, ...] = ()
    """Tables, columns, indexes, relationships and designs that may be named."""
    certain: tuple[Certain, ...] = ()

    def texts(self) -> tuple[str, ...]:
        """Every text in it."""
        figures = (f"{one.name} {one.of}" for one in self.figures)
        return (self.title, *figures, *(f"{one.name} {one.of} {one.text}" for one in self.statements), *self.names)

    def to_json(self) -> str:
        """The canonical JSON that is sent; a figure is a text, so that no digit is lost."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True)).decode()


def facts_of(section: str, title: str, known: Iterable[str], **parts: Any) -> Facts:
    """Facts whose names are those of `known` that occur in them."""
    made = Facts(section=section, title=title, **parts)
    said = "\n".join((made.about, *made.texts()))
    found = {name for name in known if name and re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", said)}
    return made.model_copy(update={"names": tuple(sorted(found))})
