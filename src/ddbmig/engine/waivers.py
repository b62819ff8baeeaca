"""waivers.yaml: findings that a person has accepted, each with its place in the file."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ddbmig.engine.facts import CATALOGUE
from ddbmig.engine.strict_yaml import Node, Place, yaml_text
from ddbmig.engine.typed_yaml import in_order, read_model
from ddbmig.engine.wording import closest, number, show
from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import RuleError, UsageError
from ddbmig.model.gate import Waiver, Waivers

_FACTS = frozenset(fact.name for fact in CATALOGUE)


@dataclass(frozen=True)
class PlacedWaiver:
    """A waiver, and where it stands in waivers.yaml."""

    waiver: Waiver
    node: Node

    @property
    def line(self) -> int:
        """Of its first key."""
        return self.node.place.line

    @property
    def column(self) -> int:
        """Of its first key."""
        return self.node.place.column

    def part(self, key: str) -> Place:
        """Where the value of one of its keys stands."""
        parts = self.node.value
        return parts[key].place if isinstance(parts, Mapping) and key in parts else self.node.place

    def days_left(self, today: datetime.date) -> int:
        """Days until its last day; negative when that is past."""
        return (datetime.date.fromisoformat(self.waiver.expires) - today).days


def read_waivers(file: str, text: str) -> tuple[PlacedWaiver, ...]:
    """The waivers of a file in its order. Raises RuleError with every mistake, each with its place."""
    read = read_model(file, text, Waivers)
    nodes = read.tree.value["waivers"].value if isinstance(read.tree.value, Mapping) and read.value.waivers else ()
    items = nodes if isinstance(nodes, tuple) else ()
    placed = [PlacedWaiver(waiver, node) for waiver, node in zip(read.value.waivers, items, strict=True)]
    wrong = [flaw for number, one in enumerate(placed) for flaw in _flaws(file, one, placed[:number])]
    if wrong:
        raise RuleError(in_order(wrong, (), text))
    return tuple(placed)


def _flaws(file: str, placed: PlacedWaiver, before: Sequence[PlacedWaiver]) -> Iterator[UsageError]:
    waiver = placed.waiver

    def flaw(key: str, message: str, subject: str, expected: str | None = None, hint: str | None = None) -> UsageError:
        place = placed.part(key)
        return UsageError(message, file, place.line, place.column, subject, expected, hint)

    for key in ("rule", "object", "reason", "owner"):
        if not getattr(waiver, key).strip():
            yield flaw(key, "a waiver says this in words", key)
    if not _is_date(waiver.expires):
        yield flaw("expires", "not a date", waiver.expires, 'YYYY-MM-DD in quotes, e.g. "2027-03-31"')
    if waiver.tolerance_percent < 0:
        yield flaw("tolerance_percent", "less than nothing", "tolerance_percent", "a number of percent")
    for name in waiver.accepted:
        if name not in _FACTS:
            yield flaw("accepted", "unknown fact", name, hint=closest(name, _FACTS) or "see: ddbmig rules facts")
    for other in before:
        if (other.waiver.rule, other.waiver.object) == (waiver.rule, waiver.object):
            hint = f"the other is in line {other.line}"
            yield flaw("rule", "two waivers of one finding", f"{waiver.rule} {waiver.object}", hint=hint)


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def waiver_text(waiver: Waiver) -> str:
    """One entry of the list in waivers.yaml; numbers as they are shown, with four significant digits."""
    told = [f"{key}: {yaml_text(getattr(waiver, key))}" for key in ("rule", "object", "reason", "owner", "expires")]
    accepted = [f"  {name}: {_value(value)}" for name, value in sorted(waiver.accepted.items())]
    lines = [*told, "accepted:" if accepted else "accepted: {}", *accepted]
    return "".join(f"  {'- ' if number == 0 else '  '}{line}\n" for number, line in enumerate(lines))


def _value(value: FactValue) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(yaml_text, value))}]"
    if isinstance(value, str | bool):
        return show(value) if isinstance(value, bool) else yaml_text(value)
    return number(value).replace(",", "")
