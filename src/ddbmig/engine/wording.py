"""How a fact is put into words: values with their units, and the `because` sentences of rules."""

import difflib
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import RuleError, UsageError

Facts = Mapping[str, FactValue | None]

_FORM_UNITS = {"percent": "share", "bytes": "bytes", "number": "", "text": ""}
"""What may stand behind the colon of `{name:form}`, and the unit that it takes; without one that of the fact."""
_BRACES = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}:]*)(?::(?P<form>[^{}]*))?\}|[{}]")
_LONGEST = 100
"""Characters of a name for which a near one is looked for, and that are shown of it."""


UNKNOWN_NAME = "unknown name"
"""What is said of a name that is neither a fact nor a param."""


def closest(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The hint for a misspelt name, or None where nothing is near (`cutoff`: 0 anything, 1 the same)."""
    near = nearest(name, known, cutoff)
    return f"did you mean {near}?" if near is not None else None


def nearest(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """The known name that a misspelt one is most like, or None where nothing is near."""
    if len(name) > _LONGEST:
        return None
    matches = difflib.get_close_matches(name, known, n=len(known) or 1, cutoff=cutoff)
    return min(matches, key=lambda match: (-difflib.SequenceMatcher(None, match, name).ratio(), match), default=None)


def closest_name(name: str, known: Collection[str]) -> str | None:
    """The hint for a misspelt name of a condition: for a param one of the params, for a fact a fact."""
    own = name.startswith("params.")
    return closest(name, [other for other in known if other.startswith("params.") is own])


def visible(text: str) -> str:
    """A text from a file as a message can show it: shortened, what is not printable as its escape."""
    return escaped(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def escaped(text: str) -> str:
    """A text in which what is not printable stands as `\\u200b` or `\\U000e0001`."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" if c <= "\uffff" else f"\\U{ord(c):08x}" for c in text)


_SINGULAR = re.compile(r"(?<=[a-zI])(?<!^m)s(?=/|$)")
"""The s of `bytes`, `calls/day` and `GSIs`, which one of them does not have; that of `ms` stays."""


def number(value: float) -> str:
    """Four significant digits without an exponent; whole numbers and those from 1,000 up without a fraction."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{float(f'{value:.4g}'):.10f}".rstrip("0").rstrip(".")


def dollars(amount: Decimal) -> str:
    """An amount in cents; one below a cent with its first two digits, so that little is not shown as nothing."""
    return f"${amount:,.2f}" if not amount or abs(amount) >= Decimal("0.01") else f"${amount:.2g}"


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
    shown = number(value)
    return f"{shown} {_SINGULAR.sub('', unit) if shown == '1' else unit}".rstrip()


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

    Raises RuleError with each unknown name, unknown form and stray brace, with its column.
    """
    mistakes, parts, end = list[UsageError](), list[tuple[str, str, str]](), 0
    for found in _BRACES.finditer(text):
        before, end = text[end : found.start()], found.end()
        if found.group() in ("{{", "}}"):
            parts.append((before + found.group()[0], "", ""))
        elif wrong := list(_wrong_part(found, units)):
            mistakes += wrong
        else:
            name, form = found["name"], found["form"]
            parts.append((before, name, units[name] if form is None else _FORM_UNITS[form]))
    if mistakes:
        raise RuleError(tuple(mistakes))
    return Message(text, (*parts, (text[end:], "", "")))


def _wrong_part(found: re.Match[str], units: Mapping[str, str]) -> Iterator[UsageError]:
    name, form = found["name"], found["form"]
    if name is None:
        yield UsageError("a brace stands alone", column=found.start() + 1, subject=found.group(),
                         hint="write {fact} or {fact:form}; twice for a brace itself")  # fmt: skip
        return
    if name not in units:
        column = found.start("name") + 1
        yield UsageError(UNKNOWN_NAME, column=column, subject=name, hint=closest_name(name, units))
    if form is not None and form not in _FORM_UNITS:
        yield UsageError("unknown form", column=found.start("form") + 1, subject=form,
                         expected=", ".join(_FORM_UNITS), hint=closest(form, _FORM_UNITS))  # fmt: skip
