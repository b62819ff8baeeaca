"""Numbers as the page shows them: the text, and for whoever points at it the unit, the source and how sure it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ddbmig.model.assessment import Fact
from ddbmig.model.measure import Measure
from ddbmig.reporters.markdown import bytes_, money, number, percent, visible

LONG = 28
"""Characters that fit beside the heading of a column on a phone."""


@dataclass(frozen=True)
class Figure:
    """A number or word. `order` is what a table sorts it by; `about` tells unit, source and confidence."""

    shown: str
    order: float | str
    about: str = ""
    assumed: bool = False
    link: str = ""
    """The id of the place in the page that it leads to."""
    code: bool = False

    @property
    def long(self) -> bool:
        """Whether it does not fit beside the heading of its column on a phone."""
        return len(self.shown) > LONG


def word(value: str, link: str = "", about: str = "") -> Figure:
    """A text on one line."""
    return Figure(visible(value), visible(value).lower(), about, link=link)


def name(value: str, link: str = "") -> Figure:
    """A name of the schema or the design."""
    return Figure(visible(value), visible(value).lower(), link=link, code=True)


def names(values: Iterable[str]) -> Figure:
    """Names, one after the other."""
    return Figure(", ".join(map(visible, values)) or "–", " ".join(map(visible, values)).lower(), code=True)


def count(value: float, about: str = "", digits: int | None = None) -> Figure:
    """A plain number."""
    return Figure(str(number(value, digits)), value, about)


def share(value: float, about: str = "", digits: int = 1) -> Figure:
    """A share of 1 as percent."""
    return Figure(str(percent(value, digits)), value, about)


def dollars(value: Decimal, about: str = "", assumed: bool = False) -> Figure:
    """US dollars."""
    return Figure(str(money(value)), float(value), f"US dollars; {about}", assumed)


def size(value: float, about: str = "", assumed: bool = False) -> Figure:
    """Bytes in the unit that reads best."""
    return Figure(str(bytes_(value)), value, about, assumed)


def measured(value: Measure | None) -> Figure:
    """A measure with all that is known of it."""
    if value is None:
        return Figure("not known", -1.0)
    about = f"{value.unit}; {value.source}, {visible(value.origin)}"
    if value.unit == "bytes":
        return size(value.value, about, value.source == "assumed")
    return Figure(str(number(value.value)), value.value, about, value.source == "assumed")


def fact(value: Fact | None) -> Figure:
    """A numeric fact with all that is known of it."""
    if value is None or not isinstance(value.value, int | float) or isinstance(value.value, bool):
        return Figure("not known", -1.0)
    about = f"{value.unit}; {value.source}, {visible(value.origin)}; confidence {value.confidence}"
    shown = percent(value.value) if value.unit == "share" else number(value.value)
    return Figure(str(shown), float(value.value), about, value.source == "assumed")
