"""A program made smaller without losing its best solutions: what something else always replaces is left out.

- An option goes where another one of its step is there whenever it is, does the same and costs no more of anything.
- Structures of several forms that cost the same and are needed by the same options become one.
- A structure goes that no option needs, or for all of whose options another structure of the same forms has options
  that are as good, at no higher amount and weight; likewise a form for all of whose options and structures another form
  of its group has as good ones.

The first two lose nothing whatever is forbidden afterwards; the last must come after all restrictions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ddbmig.engine.program.model import Demand, Option, Program, Structure

_Place = tuple[str, int, int]
"""A step: demand, order and position."""


def reduced(program: Program) -> Program:
    """The program without what can be left out, until nothing more can."""
    while True:
        merged = merged_twins(program)
        kept = _Dominance(merged).kept()
        if len(kept) == len(program.structures):
            return merged
        program = merged.only({id_ for key in kept for id_ in merged.structures[key].ids})


# --- options ---


def without_options(demands: Iterable[Demand], forms: Mapping[str, Iterable[str]]) -> list[Demand]:
    """The demands without the options that others replace. `forms` gives the forms that a structure belongs to."""
    return [_tidy(demand, forms) for demand in demands]


def _tidy(demand: Demand, forms: Mapping[str, Iterable[str]]) -> Demand:
    """The demand without options that another serves for, and without orders that have a step without any option."""
    orders = tuple(replace(o, steps=tuple(_undominated(step, forms) for step in o.steps)) for o in demand.orders)
    return replace(demand, orders=tuple(order for order in orders if all(order.steps)))


def _undominated(step: tuple[Option, ...], forms: Mapping[str, Iterable[str]]) -> tuple[Option, ...]:
    """The options that no other serves for; those that differ in their structures only become one."""
    kept: list[Option] = []
    for option in sorted(_merged(step), key=lambda o: (o.amount, -len(o.any_of), o.id)):
        if not any(_serves(other, option, forms) for other in kept):
            kept.append(option)
    return tuple(kept)


def _merged(step: Iterable[Option]) -> list[Option]:
    found: dict[tuple[object, ...], list[Option]] = {}
    for option in step:
        found.setdefault((option.amount, option.delivers, option.wants), []).append(option)
    return [_one_of(options) for options in found.values()]


def _one_of(options: list[Option]) -> Option:
    """One option for several that differ in their structures only."""
    first = min(options, key=lambda o: o.id)
    if any(not option.any_of for option in options):
        return replace(first, any_of=frozenset())
    return replace(first, any_of=frozenset().union(*(option.any_of for option in options)))


def _serves(one: Option, other: Option, forms: Mapping[str, Iterable[str]]) -> bool:
    """Whether `one` is there whenever `other` is, a structure bringing its form, and is as good."""
    if not _as_good(one, other):
        return False
    if not one.any_of:
        return True
    return bool(other.any_of) and all(_brings(key, one.any_of, forms) for key in other.any_of)


def _brings(key: str, any_of: frozenset[str], forms: Mapping[str, Iterable[str]]) -> bool:
    return key in any_of or (key in forms and all(form in any_of for form in forms[key]))


def _as_good(one: Option, other: Option) -> bool:
    asks = one.wants is None or one.wants == other.wants
    return asks and one.delivers >= other.delivers and one.amount.no_more_than(other.amount)


# --- structures of several forms ---


def merged_twins(program: Program) -> Program:
    """The program with one structure for those that cost the same, weigh the same and have the same options.

    Of one form no two become one, so what is built with a form can be told from it (`Structure.of`).
    """
    forms = {key: tuple(one.of) for key, one in program.structures.items() if one.of}
    program = replace(program, demands=tuple(without_options(program.demands, forms)))
    uses, weights, asking = _uses(program), _weights(program), _asking(program)
    alike: dict[object, list[Structure]] = {}
    for key, one in program.structures.items():
        if one.of:
            needed = frozenset(
                (place, replace(option, any_of=frozenset()))
                for place, options in uses.get(key, {}).items()
                for option in options
            )
            asked = frozenset(asking.get(key, ()))
            alike.setdefault((one.amount, one.rank, needed, asked, tuple(sorted(weights[key].items()))), []).append(one)
    into: dict[str, str] = {}
    whole: dict[str, Structure] = {}
    for structures in alike.values():
        for one in _grouped(sorted(structures, key=lambda s: s.id)):
            whole[one.id] = one
            into.update(dict.fromkeys((s.id for s in structures if s.id in one.ids), one.id))
    plain = {key: one for key, one in program.structures.items() if not one.of}
    return program.renamed({**plain, **whole}, into)


def _grouped(structures: Iterable[Structure]) -> list[Structure]:
    """Structures with nothing but their forms between them, as few as can be: none has a form twice."""
    found: list[Structure] = []
    for one in structures:
        for number, other in enumerate(found):
            if not other.of.keys() & one.of.keys():
                found[number] = replace(other, of={**other.of, **one.of})
                break
        else:
            found.append(one)
    return found


# --- what is never needed ---


def _uses(program: Program) -> dict[str, dict[_Place, list[Option]]]:
    found: dict[str, dict[_Place, list[Option]]] = {}
    for demand in program.demands:
        for number, order in enumerate(demand.orders):
            for position, step in enumerate(order.steps):
                for option in step:
                    for key in option.any_of:
                        found.setdefault(key, {}).setdefault((demand.id, number, position), []).append(option)
    return found


def _asking(program: Program) -> dict[str, set[str]]:
    """By structure, the demands that are there when it is built."""
    found: dict[str, set[str]] = {}
    for demand in program.demands:
        for key in demand.when:
            found.setdefault(key, set()).add(demand.id)
    return found


def _weights(program: Program) -> dict[str, dict[int, int]]:
    """By structure, its weight in each limit that it counts in, by the limit's number."""
    found: dict[str, dict[int, int]] = {key: {} for key in program.structures}
    for number, limit in enumerate(program.limits):
        for key, weight in limit.weights.items():
            found[key][number] = weight
    return found


@dataclass(frozen=True)
class _Needed:
    """A structure with the steps that need it, also as bits of a number, for a quick comparison."""

    structure: Structure
    uses: Mapping[_Place, list[Option]]
    mask: int
    weights: Mapping[int, int]
    asking: frozenset[str]
    """The demands that are there when it is built."""

    def stands_for(self, other: "_Needed") -> bool:
        """Whether this structure can be built in the place of the other. Looking at the masks first is much quicker."""
        return (
            not other.mask & ~self.mask
            and self.asking <= other.asking
            and self.structure.amount.no_more_than(other.structure.amount)
            and self.structure.of.keys() >= other.structure.of.keys()
            and all(
                self.weights.get(n, 0) <= other.weights.get(n, 0) for n in self.weights.keys() | other.weights.keys()
            )
            and all(
                any(_as_good(better, option) for better in self.uses[place])
                for place, options in other.uses.items()
                for option in options
            )
        )


class _Dominance:
    """Which structures of a program are needed."""

    def __init__(self, program: Program) -> None:
        self.program, self.uses, weights, asking = program, _uses(program), _weights(program), _asking(program)
        places = sorted({place for mine in self.uses.values() for place in mine})
        bits = {place: 1 << number for number, place in enumerate(places)}
        self.needed = {
            key: _Needed(one, self.uses.get(key, {}), sum(bits[p] for p in self.uses.get(key, ())), weights[key],
                         frozenset(asking.get(key, ())))
            for key, one in program.structures.items()
        }  # fmt: skip

    def kept(self) -> set[str]:
        """The structures that nothing else replaces."""
        indexes = self._indexes()
        return indexes | self._forms(indexes)

    def _indexes(self) -> set[str]:
        """Of the structures that belong to forms those that an option needs and no other replaces."""
        tables: dict[str | None, list[_Needed]] = {}
        for key, one in self.needed.items():
            if one.structure.of and key in self.uses:
                first = self.program.structures[next(iter(one.structure.of))]
                tables.setdefault(first.group, []).append(one)
        kept: set[str] = set()
        for mine in tables.values():
            left: list[_Needed] = []
            for one in sorted(mine, key=lambda n: n.structure.order):
                if not any(not one.mask & ~other.mask and other.stands_for(one) for other in left):
                    left.append(one)
            kept |= {one.structure.id for one in left}
        return kept

    def _forms(self, indexes: set[str]) -> set[str]:
        """Of each group the forms that no other of it replaces, with all that belongs to it."""
        belongs: dict[str, set[str]] = {}
        for key in indexes:
            for form in self.program.structures[key].of:
                belongs.setdefault(form, set()).add(key)
        kept: set[str] = {key for key, one in self.program.structures.items() if not one.of and one.group is None}
        for members in self.program.groups().values():
            left: list[str] = []
            for form in sorted(members, key=lambda key: self.program.structures[key].order):
                if not any(
                    self.needed[other].stands_for(self.needed[form])
                    and belongs.get(form, set()) <= belongs.get(other, set())
                    for other in left
                ):
                    left.append(form)
            kept |= set(left)
        return kept
