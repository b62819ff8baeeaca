"""What a rule is, and when it fires."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

from ddbmig.engine.expressions import Compiled
from ddbmig.engine.wording import Facts, Message
from ddbmig.model.assessment import FactValue, Option, Phase, Severity

OPTIONS: tuple[Option, ...] = ("separate", "denormalize", "embed", "collocate")
"""What can become of a relationship; the simplest first, which also breaks ties."""
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
"""From the lightest."""

Status = Literal["preview", "stable", "deprecated"]
STATUSES: tuple[Status, ...] = get_args(Status)
GroupKind = Literal["all", "any", "not"]
ParamValue = int | float | str | tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """Where something was said; what is no file (an option, the environment) has no line."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Group:
    """`all`, `any` or `not` of conditions and groups."""

    kind: GroupKind
    items: "tuple[When, ...]"

    @cached_property
    def test(self) -> Callable[[Facts], bool]:
        """Whether the group holds: its items in their order, no further than needed."""
        tests = tuple(item.test for item in self.items)
        decides = self.kind == "any"

        def some(facts: Facts) -> bool:
            for test in tests:
                if test(facts) is decides:
                    return decides
            return not decides

        return some if self.kind != "not" else lambda facts: not some(facts)


When = Compiled | Group


@dataclass(frozen=True)
class RuleTest:
    """One case of a rule's own tests: facts that are not given are missing."""

    given: Mapping[str, FactValue]
    fires: bool
    line: int


@dataclass(frozen=True)
class Rule:
    """One rule: what it looks at, when it fires, what it says, why, what to do instead, and its own tests."""

    id: str
    title: str
    applies_to: Phase
    status: Status
    when: When
    because: Message
    why: str
    instead: str
    source: str
    tests: tuple[RuleTest, ...]
    since: str = ""
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    """The params in force, by name without `params.`."""
    own_params: Mapping[str, ParamValue] = field(default_factory=dict)
    """As the rule's file says, for its tests."""
    score: Mapping[Option, int] = field(default_factory=dict)
    severity: Severity | None = None
    forbids: tuple[Option, ...] = ()
    warning: str = ""
    mandatory: bool = False
    pack: str = ""
    file: str = ""
    line: int = 1
    text: str = ""
    """The YAML it was read from."""
    overridden: Mapping[str, Origin] = field(default_factory=dict)
    """What somebody has set otherwise than the file says: `severity`, `params.NAME`, … and who."""

    def fires(self, facts: Facts) -> tuple[str, ...] | None:
        """The lines of evidence where the rule fires on these facts, else None."""
        return self.fires_on(self.with_params(facts))

    def fires_on(self, values: Facts) -> tuple[str, ...] | None:
        """The same on facts that have the rule's `bound` params beside them."""
        return tuple(evidence(self.when, values)) if self.when.test(values) else None

    def with_params(self, facts: Facts) -> Facts:
        """The facts with the rule's params beside them."""
        return {**facts, **self.bound} if self.bound else facts

    @cached_property
    def bound(self) -> Facts:
        """The params in force, under the names that conditions use."""
        return {f"params.{name}": value for name, value in self.params.items()}

    @cached_property
    def facts(self) -> frozenset[str]:
        """The names of the catalogue that its conditions look at."""
        return frozenset(name for name in names_in(self.when) if not name.startswith("params."))


def names_in(when: When) -> frozenset[str]:
    """The facts and params that conditions look at."""
    return when.names if isinstance(when, Compiled) else frozenset[str]().union(*map(names_in, when.items))


def written(when: When) -> Any:
    """Conditions as the rule's file writes them: a text, or a mapping from the kind of group to its items."""
    return when.text if isinstance(when, Compiled) else {when.kind: [written(item) for item in when.items]}


def on_one_line(conditions: Any) -> str:
    """Conditions in the form of `written`, as `all(first, not(second))`."""
    if isinstance(conditions, str):
        return conditions
    ((kind, items),) = conditions.items()
    return f"{kind}({', '.join(map(on_one_line, items))})"


def holds(when: When, facts: Facts) -> bool:
    """Whether the conditions hold, in their order, no further than needed."""
    return when.test(facts)


def evidence(when: When, facts: Facts, held: bool = True) -> Iterator[str]:
    """One line for each condition that made the outcome; a guard says nothing where another line has its fact."""
    if isinstance(when, Compiled):
        yield when.explain(facts, held)
    elif when.kind == "not":
        yield from evidence(Group("all", when.items), facts, not held)
    elif held is (when.kind == "all"):
        for item in when.items:
            if not (held and _mere_guard(item, when.items)):
                yield from evidence(item, facts, held)
    else:
        made = [item for item in _reached(when, facts) if holds(item, facts) is held]
        for item in made:
            yield from evidence(item, facts, held)


def _mere_guard(item: When, items: tuple[When, ...]) -> bool:
    if not (isinstance(item, Compiled) and item.is_guard):
        return False
    speaking = [other for other in items if not (isinstance(other, Compiled) and other.is_guard)]
    return any(item.names <= names_in(other) for other in speaking)


def _reached(group: Group, facts: Facts) -> Iterator[When]:
    """The items of an `any`; of an `all` those up to the first that fails, since later ones may rest on it."""
    for item in group.items:
        yield item
        if group.kind == "all" and not holds(item, facts):
            return
