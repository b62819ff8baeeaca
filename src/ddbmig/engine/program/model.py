"""The choice of a design as a program over 0/1 variables, whatever its structures and options stand for.

Structures are built or not: of a group exactly one (a table's form), others only with the form they belong to (a GSI).
Demands are met: each by one of its orders, each step of the order by one of its options, and an option is there where
one of its structures is built. All amounts are whole numbers, so that a solution is checked without rounding.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple


class Amount(NamedTuple):
    """What a choice costs, in the order in which designs are compared (section 3 of the design engine's paper)."""

    routed: int = 0
    """Calls a month of access patterns without a bounded plan."""
    money: int = 0
    """Nano-dollars a month."""
    trips: int = 0
    """Sequential round trips a month."""
    structures: int = 0
    """Tables and GSIs."""
    stored: int = 0
    """Bytes."""

    def plus(self, other: "Amount") -> "Amount":
        """The sum, part by part."""
        return Amount(*(a + b for a, b in zip(self, other, strict=True)))

    def no_more_than(self, other: "Amount") -> bool:
        """Whether no part is larger."""
        return (
            self[0] <= other[0]
            and self[1] <= other[1]
            and self[2] <= other[2]
            and self[3] <= other[3]
            and self[4] <= other[4]
        )  # spelled out: this is asked millions of times


NOTHING = Amount()


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum of all, part by part."""
    result = NOTHING
    for amount in amounts:
        result = result.plus(amount)
    return result


@dataclass(frozen=True)
class Structure:
    """One thing that may be built. `group` names those of which exactly one is: forms.

    What belongs to forms is built with one of them only. `of` gives them, and under each the id of what it is then:
    several that differ in nothing else may be one structure (`reduce.merged_twins`).
    """

    id: str
    amount: Amount
    group: str | None = None
    of: Mapping[str, str] = field(default_factory=dict)
    rank: int = 0
    """How far it is from the plainest of its kind: of solutions that are equally good the plainer one is taken."""

    @property
    def order(self) -> tuple[Amount, int, int, str]:
        """The better first, of equals the plainer, then what serves more forms."""
        return self.amount, self.rank, -len(self.of), self.id

    @property
    def ids(self) -> frozenset[str]:
        """All that it may be."""
        return frozenset(self.of.values()) if self.of else frozenset({self.id})


@dataclass(frozen=True)
class Option:
    """One way to take a step. `any_of` are structures of which one must be built; none: the option is always there.

    An option that takes what another step of the same order delivers `wants` that token.
    """

    id: str
    any_of: frozenset[str]
    amount: Amount
    delivers: frozenset[str] = frozenset()
    wants: str | None = None


@dataclass(frozen=True)
class Order:
    """One sequence of steps that meets a demand. `names` tell which steps of several orders do the same."""

    id: str
    steps: tuple[tuple[Option, ...], ...]
    amount: Amount = NOTHING
    names: tuple[str, ...] = ()

    def name(self, position: int) -> str:
        """Name of a step; its position where steps have none."""
        return self.names[position] if self.names else str(position)


@dataclass(frozen=True)
class Demand:
    """What must be met by one of its orders where one of the structures of `when` is built; none: always.

    Several demands may belong to one `pattern`: it is routed as a whole, at `routed` calls, where one is not met.
    """

    id: str
    pattern: str
    orders: tuple[Order, ...]
    when: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Limit:
    """A quota: the weights of the structures that are built add up to no more than `most`."""

    id: str
    weights: Mapping[str, int]
    most: int


@dataclass(frozen=True)
class Program:
    """All of it. The same structure may be named by any number of demands."""

    structures: Mapping[str, Structure]
    demands: tuple[Demand, ...]
    limits: tuple[Limit, ...] = ()
    rates: Mapping[str, int] = field(default_factory=dict)
    """By pattern, the calls a month that are routed where it has no bounded plan."""
    constant: Amount = NOTHING

    def groups(self) -> dict[str, list[str]]:
        """By group, the structures of which exactly one is built."""
        found: dict[str, list[str]] = {}
        for structure in self.structures.values():
            if structure.group is not None:
                found.setdefault(structure.group, []).append(structure.id)
        return found

    def without_patterns(self, routed: Collection[str]) -> "Program":
        """The program without the demands of these patterns."""
        return replace(self, demands=tuple(d for d in self.demands if d.pattern not in routed))

    def only(self, kept: Collection[str]) -> "Program":
        """The program with these structures alone; what needs others is gone from it.

        One that is several by its forms is named by what it is under each, and keeps those that are named.
        """
        named = set(kept)
        left: dict[str, Structure] = {}
        for key, one in self.structures.items():
            of = {form: id_ for form, id_ in one.of.items() if id_ in named and form in named}
            if of if one.of else key in named:
                left[key] = replace(one, of=of)
        return self.renamed(left, {})

    def renamed(self, structures: Mapping[str, Structure], into: Mapping[str, str]) -> "Program":
        """The program with other structures: a name that is `into` another becomes it, one that is not there goes."""

        def there(keys: Iterable[str]) -> frozenset[str]:
            return frozenset(name for key in keys if (name := into.get(key, key)) in structures)

        def left(step: tuple[Option, ...]) -> tuple[Option, ...]:
            found = ((o, there(o.any_of)) for o in step)
            return tuple(replace(o, any_of=keys) for o, keys in found if keys or not o.any_of)

        return replace(
            self,
            structures=structures,
            demands=tuple(
                replace(
                    demand,
                    when=there(demand.when),
                    orders=tuple(replace(o, steps=tuple(left(step) for step in o.steps)) for o in demand.orders),
                )
                for demand in self.demands
                if not demand.when or there(demand.when)
            ),
            limits=tuple(
                replace(limit, weights={name: limit.weights[key] for key in limit.weights for name in there((key,))})
                for limit in self.limits
            ),
        )


@dataclass(frozen=True)
class Pick:
    """How a demand is met: the order, and of each step the option."""

    order: Order
    options: tuple[Option, ...]

    @property
    def amount(self) -> Amount:
        """What it costs."""
        return total((self.order.amount, *(option.amount for option in self.options)))


def picks_of(demand: Demand, built: Collection[str]) -> Iterator[Pick]:
    """Every way to meet a demand with these structures."""
    for order in demand.orders:
        there = [[o for o in step if not o.any_of or not o.any_of.isdisjoint(built)] for step in order.steps]
        for options in product(*there):
            delivered = {token for option in options for token in option.delivers}
            if all(option.wants is None or option.wants in delivered for option in options):
                yield Pick(order, options)


@dataclass(frozen=True)
class Solution:
    """The structures that are built, how each demand is met, and which patterns are routed."""

    built: frozenset[str]
    picks: Mapping[str, Pick]
    """By demand; of those only that are there."""
    routed: frozenset[str]


def within(part: Program, solution: Solution) -> Solution:
    """That of a solution which belongs to one component of its program."""
    demands, patterns = {demand.id for demand in part.demands}, {demand.pattern for demand in part.demands}
    picks = {key: pick for key, pick in solution.picks.items() if key in demands}
    return Solution(solution.built & part.structures.keys(), picks, solution.routed & patterns)


def replaced(part: Program, solution: Solution, other: Solution) -> Solution:
    """A solution with what belongs to one component taken from another."""
    old = within(part, solution)
    kept = {key: pick for key, pick in solution.picks.items() if key not in old.picks}
    return Solution(
        built=solution.built - old.built | other.built,
        picks={**kept, **other.picks},
        routed=solution.routed - old.routed | other.routed,
    )


def own_names(program: Program, built: Collection[str]) -> frozenset[str]:
    """What is built by its own names: of a structure that is several by its forms, what it is with the form built."""
    found: set[str] = set()
    for key in built:
        of = program.structures[key].of
        found.update((id_ for form, id_ in of.items() if form in built) if of else (key,))
    return frozenset(found)


class Unsolved(Exception):
    """No solution was found: the program contradicts itself, or the time ran out before the first one."""


class Infeasible(Exception):
    """A solution breaks a rule of its program; the text says which."""


def worth(program: Program, solution: Solution) -> Amount:
    """What a solution costs, by exact arithmetic. Raises Infeasible where it is none."""
    for problem in _problems(program, solution):
        raise Infeasible(problem)
    return total((
        program.constant,
        *(program.structures[key].amount for key in sorted(solution.built)),
        *(pick.amount for pick in solution.picks.values()),
        *(Amount(routed=program.rates[pattern]) for pattern in sorted(solution.routed)),
    ))  # fmt: skip


def _problems(program: Program, solution: Solution) -> Iterator[str]:
    built = solution.built
    for group, members in program.groups().items():
        if len(built.intersection(members)) != 1:
            yield f"{group}: not exactly one is built"
    for key in built:
        of = program.structures[key].of
        if of and not built.intersection(of):
            yield f"{key}: built without its form"
    for limit in program.limits:
        if sum(weight for key, weight in limit.weights.items() if key in built) > limit.most:
            yield f"{limit.id}: more than {limit.most}"
    for demand in program.demands:
        if demand.pattern not in solution.routed and (not demand.when or demand.when & built):
            yield from _unmet(demand, solution)


def _unmet(demand: Demand, solution: Solution) -> Iterator[str]:
    pick = solution.picks.get(demand.id)
    if pick is None or pick.order not in demand.orders or len(pick.options) != len(pick.order.steps):
        yield f"{demand.id}: not met by one of its orders"
        return
    delivered = {token for option in pick.options for token in option.delivers}
    for option, step in zip(pick.options, pick.order.steps, strict=True):
        if option not in step:
            yield f"{demand.id}: {option.id} is no option of its step"
        if option.any_of and not option.any_of & solution.built:
            yield f"{demand.id}: {option.id} without its structure"
        if option.wants is not None and option.wants not in delivered:
            yield f"{demand.id}: nothing delivers {option.wants}"


def components(program: Program) -> list[Program]:
    """The parts of a program that share no structure, limit or pattern; each is solved by itself."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(keys: Iterable[str]) -> None:
        first: str | None = None
        for key in keys:
            if first is None:
                first = root(key)
            else:
                parent[root(key)] = first
                first = root(first)

    for one in program.structures.values():
        join([f"s {one.id}", *([f"g {one.group}"] if one.group else []), *(f"s {form}" for form in one.of)])
    for limit in program.limits:
        join(f"s {key}" for key in limit.weights)
    for demand in program.demands:
        join([f"p {demand.pattern}", *(f"s {key}" for key in sorted(named_by(demand)))])
    parts: dict[str, list[str]] = {}
    for key in program.structures:
        parts.setdefault(root(f"s {key}"), []).append(key)
    for demand in program.demands:
        parts.setdefault(root(f"p {demand.pattern}"), [])
    found = []
    for part, keys in parts.items():
        kept = set(keys)
        found.append(Program(
            structures={key: program.structures[key] for key in keys},
            demands=tuple(d for d in program.demands if root(f"p {d.pattern}") == part),
            limits=tuple(limit for limit in program.limits if set(limit.weights) & kept),
            rates=program.rates,
        ))  # fmt: skip
    return found


def named_by(demand: Demand) -> set[str]:
    """The structures that a demand asks for or is met by."""
    return set(demand.when).union(*(o.any_of for order in demand.orders for step in order.steps for o in step))
