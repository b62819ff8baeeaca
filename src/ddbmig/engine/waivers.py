"""waivers.yaml: findings that a person has accepted, each with its place in the file."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from ddbmig.engine.facts import CATALOGUE
from ddbmig.engine.strict_yaml import MAX_MISTAKES, Node, Place, part_of, read_yaml, yaml_text
from ddbmig.engine.typed_yaml import check_model, in_order
from ddbmig.engine.wording import closest, number, show
from ddbmig.model.assessment import FactValue
from ddbmig.model.errors import DdbmigError, RuleError, UsageError
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

    def days_left(self, today: datetime.date) -> int:
        """Days until its last day; negative when that is past."""
        return (datetime.date.fromisoformat(self.waiver.expires) - today).days


def read_waivers(file: str, text: str) -> tuple[PlacedWaiver, ...]:
    """The waivers of a file in its order. Raises RuleError with every mistake, each with its place."""
    tree, surprises = read_yaml(file, text)
    listed = part_of(tree, "waivers")
    nodes = listed.value if listed is not None and isinstance(listed.value, tuple) else ()
    wrong: list[DdbmigError] = list(islice(chain(_flaws(file, nodes), _twice(file, nodes)), MAX_MISTAKES))
    found: tuple[Waiver, ...] = ()
    try:
        found = check_model(file, tree, Waivers, surprises, text).value.waivers
    except RuleError as error:
        wrong += error.mistakes
    if wrong:
        told = [mistake for mistake in wrong if isinstance(mistake, UsageError)]
        raise RuleError(in_order(told, surprises, text))
    return tuple(map(PlacedWaiver, found, nodes))


def _flaws(file: str, nodes: Iterable[Node]) -> Iterator[UsageError]:
    """What the shape of the file does not tell, of each waiver."""

    def flaw(at: Place, message: str, subject: str, expected: str | None = None, hint: str | None = None) -> UsageError:
        return UsageError(message, file, at.line, at.column, subject, expected, hint)

    for node in nodes:
        for key, part in node.value.items() if isinstance(node.value, Mapping) else ():
            value = part.value
            if isinstance(value, str) and key in ("rule", "object", "reason", "owner") and not value.strip():
                yield flaw(part.place, "a waiver says this in words", key, "a text")
            elif isinstance(value, str) and key == "expires" and not _is_date(value):
                yield flaw(part.place, "not a date", value, 'YYYY-MM-DD in quotes, e.g. "2027-03-31"')
            elif isinstance(value, int | float) and key == "tolerance_percent" and value < 0:
                yield flaw(part.place, "less than nothing", key, "a number of percent")
            elif key == "accepted":
                for name, at in part.keys.items():
                    if name not in _FACTS:
                        hint = closest(name, _FACTS) or "see: ddbmig rules facts"
                        yield flaw(at, "unknown fact", name, hint=hint)


def _twice(file: str, nodes: Iterable[Node]) -> Iterator[UsageError]:
    first: dict[tuple[str, str], Node] = {}
    for node in nodes:
        rule, subject = part_of(node, "rule"), part_of(node, "object")
        if rule is None or subject is None:
            continue
        before = first.setdefault((str(rule.value), str(subject.value)), node)
        if before is not node:
            hint = f"the first is in line {before.place.line}"
            yield UsageError("two waivers of one finding", file, rule.place.line, rule.place.column,
                             f"{rule.value} {subject.value}", hint=hint)  # fmt: skip


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
