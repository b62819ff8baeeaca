"""Numbers in prose: each with its unit and period, and when a number that is shown stands for one that is known.

The rules of rounding are explained in docs/how-prose-is-guarded.md; `stands_for` is their one definition.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

MAX_DIGITS = 30
"""Digits of a number that is looked at; a longer one stands for nothing."""
EXACT_BELOW = 1000
"""Whole counts below this are never rounded."""
_PERIODS = {"second": "second", "minute": "minute", "hour": "hour", "day": "day", "week": "week", "month": "month",
            "year": "year", "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year",
            "annually": "year", "annual": "year"}  # fmt: skip
_PERIOD = re.compile(
    r"(?:(?:\b(?:a|an|per|each|every)\s+|/\s?)(second|minute|hour|day|week|month|year)\b"
    r"|\b(hourly|daily|weekly|monthly|yearly|annually|annual)\b)", re.IGNORECASE
)  # fmt: skip
_UNITS = {
    "%": r"%|percent\b|per cent\b", "percentage points": r"percentage points?\b",
    "×": r"×|x\b|times\b|-?fold\b", "USD": r"USD\b|US dollars?\b|dollars?\b",
    "B": r"B\b|bytes?\b", "KB": r"KB\b|KiB\b", "MB": r"MB\b|MiB\b", "GB": r"GB\b|GiB\b", "TB": r"TB\b|TiB\b",
    "ms": r"ms\b|milliseconds?\b", "seconds": r"seconds?\b|s\b", "minutes": r"minutes?\b", "hours": r"hours?\b|h\b",
    "person-days": r"person[- ]days?\b", "days": r"days?\b", "weeks": r"weeks?\b", "months": r"months?\b",
    "years": r"years?\b", "round trips": r"round[- ]trips?\b", "access patterns": r"access patterns?\b|patterns?\b",
    "look-up tables": r"look-?up tables?\b", "tables": r"tables?\b", "GSIs": r"GSIs?\b|index(?:es)?\b",
    "relationships": r"relationships?\b", "calls": r"calls?\b", "statements": r"statements?\b",
    "RRU": r"RRUs?\b|read request units?\b|read units?\b", "WRU": r"WRUs?\b|write request units?\b|write units?\b",
    "RCU": r"RCUs?\b", "WCU": r"WCUs?\b", "attributes": r"(?:copied )?attributes?\b", "columns": r"columns?\b",
    "rows": r"rows?\b", "items": r"items?\b", "keys": r"keys?\b", "values": r"values?\b", "points": r"points?\b",
    "findings": r"findings?\b", "risks": r"risks?\b", "acknowledgments": r"acknowledge?ments?\b",
    "assumptions": r"assumptions?\b", "choices": r"choices?\b", "designs": r"designs?\b|alternatives?\b",
    "structures": r"structures?\b", "copies": r"copies\b|copy\b", "mismatches": r"mismatch(?:es)?\b",
    "rules": r"rules?\b", "warnings": r"warnings?\b", "partitions": r"partitions?\b", "requests": r"requests?\b",
}  # fmt: skip
UNITS = tuple(_UNITS)
_COUNTED = set(UNITS[UNITS.index("person-days") :]) - {"person-days", "days", "RRU", "WRU", "round trips"}
_UNIT = re.compile("|".join(f"(?P<u{n}>{pattern})" for n, pattern in enumerate(_UNITS.values())), re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.,])(?P<sign>[-−]|minus )?(?P<usd>\$)?(?P<digits>\d[\d,]*(?:\.\d+)?)(?P<odd>[A-Za-z]*)")
_CONNECTED = re.compile(r"\s*(?:–|—|-|to\b|and\b|or\b|of\b|out of\b)\s*(?=[$−-]?\d)")
_WORD = re.compile(r"\s+[^\W\d][\w'’-]*")
_SKIPPED = 3
"""Words between a number and its unit."""
_EXACT = Context(prec=2 * MAX_DIGITS)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?")


@dataclass(frozen=True)
class Quantity:
    """A number as it stands in a text."""

    shown: str
    value: Decimal | None
    """None: no number that anybody could know."""
    unit: str
    """One of UNITS; empty where none follows."""
    period: str
    """The period right after it, e.g. `month`; empty for none."""
    at: int
    """Where it begins in the text."""


def quantities(sentence: str) -> list[Quantity]:
    """The numbers of one sentence."""
    return [_quantity(sentence, found) for found in NUMBER.finditer(sentence)]


def periods(sentence: str) -> set[str]:
    """The periods that a sentence speaks of."""
    return {_PERIODS[(found[1] or found[2]).lower()] for found in _PERIOD.finditer(sentence)}


def unit_and_period(unit: str) -> tuple[str, str]:
    """`USD a month` -> (`USD`, `month`). Raises ValueError for a unit that prose has no words for."""
    found = _UNIT.match(unit)
    if found is None:
        raise ValueError(f"no such unit: {unit}")
    return _name(found), next(iter(periods(unit[found.end() :])), "")


def is_unit_or_period(word: str) -> bool:
    """Whether a word says a unit or a period."""
    return word in _PERIODS or _UNIT.fullmatch(word) is not None


def _name(found: re.Match[str]) -> str:
    return UNITS[int((found.lastgroup or "u0")[1:])]


def _quantity(sentence: str, found: re.Match[str]) -> Quantity:
    at, digits = found.start(), found["digits"].rstrip(",")
    value = Decimal(digits.replace(",", "")) if _GROUPED.fullmatch(digits) and len(digits) <= MAX_DIGITS else None
    if value is not None and found["sign"]:
        value = -value
    after = found.end() - len(found["odd"])
    unit, end = ("USD", after) if found["usd"] else _unit_after(sentence, after, 0)
    if found["odd"] and (end == after or unit == ""):
        value = None  # 1e6, 12k, 3rd
    period = _PERIOD.match(sentence, end + len(sentence[end:]) - len(sentence[end:].lstrip()))
    said = _PERIODS[(period[1] or period[2]).lower()] if period else ""
    return Quantity(sentence[at:end].strip()[:60], value, unit, said, at)


def _unit_after(sentence: str, at: int, skipped: int) -> tuple[str, int]:
    """The unit that follows and where it ends: behind a few words, or behind another number that it joins."""
    start = at + len(sentence[at:]) - len(sentence[at:].lstrip(" \u00a0-"))
    if unit := _UNIT.match(sentence, start):
        return _name(unit), unit.end()
    if joined := _CONNECTED.match(sentence, at):
        other = NUMBER.match(sentence, joined.end()) or re.compile(r"\$?[\d.,]+").match(sentence, joined.end())
        if other is None or "$" in other[0]:
            return ("USD", at) if other else ("", at)
        return _unit_after(sentence, other.end(), skipped)[0], at
    if skipped < _SKIPPED and (word := _WORD.match(sentence, at)):
        return _unit_after(sentence, word.end(), skipped + 1)
    return "", at


def stands_for(shown: Decimal, known: Decimal, unit: str) -> bool:
    """Whether a number may be shown for a known one: it is the same, or it is rounded to two significant digits or
    more. A whole count below EXACT_BELOW is not rounded, and nothing is rounded to zero or to 100 %."""
    if shown == known:
        return True
    if shown == 0 or (unit == "%" and abs(shown) == 100):
        return False
    if unit in _COUNTED and known == known.to_integral_value() and abs(known) < EXACT_BELOW:
        return False
    return any(
        known.adjusted() - step >= 1
        and shown in (_rounded(known, step, ROUND_HALF_EVEN), _rounded(known, step, ROUND_HALF_UP))
        for step in _steps(shown)
    )


def _steps(shown: Decimal) -> range:
    """Powers of ten that a number may have been rounded to: its last place, or those of its closing zeros."""
    exponent = shown.as_tuple().exponent
    last = exponent if isinstance(exponent, int) else 0
    digits = "".join(map(str, shown.as_tuple().digits))
    zeros = len(digits) - len(digits.rstrip("0")) if last == 0 else 0
    return range(last, last + zeros + 1)


def _rounded(known: Decimal, step: int, rounding: str) -> Decimal:
    return known.quantize(Decimal(1).scaleb(step), rounding, _EXACT)
