"""How a fact is put into words: values with their units, and the `because` sentences of rules."""

import difflib
import math
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import UsageError

Facts = Mapping[str, FactValue | None]

FORMS = ("percent", "bytes", "number", "text")
"""What may stand behind the colon of `{name:form}`; without one the unit of the fact decides."""


def closest(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The hint for a misspelt name, or None where nothing is near (`cutoff`: 0 anything, 1 the same)."""
    matches = difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return f"did you mean {matches[0]}?" if matches else None


def number(value: float) -> str:
    """Four significant digits without an exponent; whole numbers and those from 1,000 up without a fraction."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{float(f'{value:.4g}'):.10f}".rstrip("0").rstrip(".")


def show(value: FactValue | None, unit: str = "") -> str:
    """A value as a person reads it: `81 %` for a share of 0.81, `12,288 bytes`, `true`, `not known`."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(show(item) for item in value) if value else "empty"
    if isinstance(value, str):
        return value
    if unit in ("share", "percent"):
        return f"{number(value * 100 if unit == 'share' else value)} %"
    return f"{number(value)} {unit}".rstrip()


@dataclass(frozen=True)
class Message:
    """A sentence with `{fact}` or `{fact:form}` in it."""

    text: str
    parts: tuple[tuple[str, str, str], ...]
    """(text before, name or "", unit)."""

    @property
    def names(self) -> frozenset[str]:
        """The facts and params that the sentence quotes."""
        return frozenset(name for _, name, _ in self.parts if name)

    def render(self, facts: Facts) -> str:
        """The sentence with the values of `facts`."""
        return "".join(before + (show(facts.get(name), unit) if name else "") for before, name, unit in self.parts)


def compile_message(text: str, units: Mapping[str, str]) -> Message:
    """Read a sentence; `units` maps every name that may be quoted to its unit.

    Raises UsageError, with the column, for an unknown name, an unknown form or a stray brace.
    """
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise UsageError(f"cannot read this sentence: {error}", column=1, hint="write {fact} or {fact:form}") from error
    return Message(text, tuple(_part(text, piece, units) for piece in pieces))


def _part(
    text: str, piece: tuple[str, str | None, str | None, str | None], units: Mapping[str, str]
) -> tuple[str, str, str]:
    before, name, form, conversion = piece
    if name is None:
        return before, "", ""
    column = text.find("{" + name) + 2
    if name not in units:
        raise UsageError("unknown name", subject=name, column=column, hint=closest(name, units))
    if conversion or (form and form not in FORMS):
        raise UsageError("unknown form", subject=form or conversion, column=column, expected=", ".join(FORMS))
    by_form = {"percent": "share", "bytes": "bytes", "number": "", "text": ""}
    return before, name, by_form[form] if form else units[name]
