"""Solving a program: stage by stage in the order of `Amount`, each component by itself, by HiGHS.

Each stage minimises one part of the amount with the parts before it pinned: money to its optimum and the share
`epsilon` more, the others to their optimum. The last stage takes, of all solutions that are left, one of plain
structures, else by their names, so that a tie is broken the same way everywhere; where money had room, one of the
cheapest that are left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from ddbmig.engine.program.model import (
    Amount,
    Limit,
    Program,
    Solution,
    Unsolved,
    components,
    named_by,
    own_names,
    picks_of,
    replaced,
    total,
    within,
    worth,
)
from ddbmig.engine.program.reduce import reduced

if TYPE_CHECKING:
    from ddbmig.engine.program.highs import Best, HighsModel  # loads the solver

STAGES = ("routed", "money", "trips", "structures", "stored")
"""The parts of an amount, most important first."""
SECONDS = 300.0
"""Longest time for one stage of one component; a stage that is stopped says so and gives its gap."""


@dataclass(frozen=True)
class Stage:
    """How far one stage of one component was proved: nothing is below `bound`."""

    name: str
    value: int
    bound: int

    @property
    def gap(self) -> float:
        """(value - bound) ÷ value; 0 where it is the optimum."""
        return (self.value - self.bound) / self.value if self.value > self.bound else 0.0


@dataclass(frozen=True)
class Solved:
    """A solution, what it costs, and the stages of every component."""

    solution: Solution
    """In terms of the `reduced` program."""
    amount: Amount
    stages: tuple[Stage, ...]
    built: frozenset[str]
    """What is built, by the names of the program that was given."""

    def gap(self, name: str) -> float:
        """The proven gap of a stage over all components; 0: the optimum."""
        mine = [stage for stage in self.stages if stage.name == name]
        value, bound = sum(stage.value for stage in mine), sum(stage.bound for stage in mine)
        return (value - bound) / value if value > bound else 0.0


def solve(
    program: Program,
    epsilon: Fraction = Fraction(0),
    *,
    stages: Sequence[str] = STAGES,
    canonical: bool = True,
    seconds: float = SECONDS,
) -> Solved:
    """The best solution, component by component. Raises Unsolved where there is none.

    The solution is one of the `reduced` program. `epsilon` is the share by which money may exceed its optimum, in each
    component, for what comes after it. Without `canonical` any of equally good solutions is returned.
    """
    found = [_Component(part, epsilon, stages, canonical, seconds).solve() for part in components(reduced(program))]
    solution = Solution(
        built=frozenset().union(*(one.solution.built for one in found)),
        picks={key: pick for one in found for key, pick in one.solution.picks.items()},
        routed=frozenset().union(*(one.solution.routed for one in found)),
    )
    return Solved(
        solution=solution,
        amount=total((program.constant, *(one.amount for one in found))),
        stages=tuple(stage for one in found for stage in one.stages),
        built=frozenset().union(*(one.built for one in found)),
    )


def runner_up(program: Program, best: Solution, *, seconds: float = SECONDS) -> Solved | None:
    """The cheapest solution with other structures than `best`, which is the cheapest of all; None where there is none.

    It routes as much, and differs in one component only: the one in which other structures cost least more, whose
    stages it has. To build what `best` builds and something besides counts where that makes a demand cheaper. What the
    `reduced` program leaves out, since something else does as much for no more, is not among the other structures.
    """
    whole = reduced(program)
    dearer: list[tuple[int, Program]] = []
    for part in components(whole):
        mine = within(part, best)
        others = _with_other_structures(part, mine)
        amount = _amount(others, seconds) if mine.built else None
        before = worth(part, mine)
        if amount is not None and amount.routed == before.routed:
            dearer.append((amount.money - before.money, others))
    if not dearer:
        return None
    _, others = min(dearer, key=lambda pair: pair[0])
    found = solve(others, seconds=seconds)
    solution = replaced(others, best, found.solution)
    kept = [part for part in components(whole) if part.structures.keys() != others.structures.keys()]
    built = frozenset().union(*(own_names(part, within(part, best).built) for part in kept)) | found.built
    return Solved(solution, worth(whole, solution), found.stages, built)


def _amount(program: Program, seconds: float) -> Amount | None:
    """The least money, where anything is possible."""
    try:
        return solve(program, stages=("routed", "money"), canonical=False, seconds=seconds).amount
    except Unsolved:
        return None


def _with_other_structures(part: Program, best: Solution) -> Program:
    """The program with neither the structures of its best solution nor those and idle ones besides."""
    built = dict.fromkeys(sorted(best.built), 1)
    others = dict.fromkeys((key for key in part.structures if key not in built), -1)
    limits = [*part.limits, Limit("not the best", {**built, **others}, len(built) - 1)]
    serving = _serving(part, best)
    beside = [key for key in others if part.structures[key].of.keys() & built.keys()]
    idle = [key for key in beside if key not in serving]
    if idle:
        weights = {**dict.fromkeys(built, len(idle)), **dict.fromkeys(idle, 1)}
        limits.append(Limit("nothing idle beside the best", weights, len(idle) * len(built)))
    return replace(part, limits=tuple(limits))


def _serving(part: Program, best: Solution) -> set[str]:
    """The structures of which each, beside those of the best solution, would meet some demand for less money."""
    found: set[str] = set()
    for demand in part.demands:
        if demand.id in best.picks:
            money = best.picks[demand.id].amount.money
            found.update(
                key
                for key in named_by(demand) - best.built - found
                if any(pick.amount.money < money for pick in picks_of(demand, best.built | {key}))
            )
    return found


class _Component:
    """One component on its way through the stages."""

    def __init__(
        self, program: Program, epsilon: Fraction, stages: Sequence[str], canonical: bool, seconds: float
    ) -> None:  # fmt: skip
        unmet = {d.pattern for d in program.demands if not d.when and not d.orders}
        self.program, self.epsilon, self.seconds = program, epsilon, seconds
        self.order = [name for name in stages if name != "routed"]
        self.canonical, self.never = canonical, frozenset(unmet)

    def solve(self) -> Solved:
        """All stages. What is routed is decided with them, if something must be: of several equally small sets of
        patterns, the one that leaves the cheapest."""
        from ddbmig.engine.program.highs import HighsModel  # loads the solver

        program, stages = self.program.without_patterns(self.never), list[Stage]()
        model = HighsModel(program, self.seconds)
        best = model.minimise(self.order[0])
        if best is None:
            model = HighsModel(program, self.seconds, may_route=True)
            stages.append(self._routed(model))
            best = model.minimise(self.order[0])
        if best is None:
            raise Unsolved("no design keeps to all that is fixed")
        for name, following in zip(self.order, [*self.order[1:], None], strict=True):
            value = getattr(best.amount, name)
            stages.append(Stage(name, value, min(value, best.bound)))
            if following is None and not self.canonical:
                break
            model.pin(name, floor(value * (1 + self.epsilon)) if name == "money" else value)
            better = model.minimise(following) if following else self._last(model)
            best = better or replace(best, bound=0)  # there is a solution, whatever the solver says: unproved
        solution = replace(best.solution, routed=best.solution.routed | self.never)
        amount = worth(self.program, solution)
        routed_stage = Stage("routed", amount.routed, amount.routed)
        return Solved(solution, amount, tuple([routed_stage, *stages] if stages[0].name != "routed" else stages),
                      own_names(self.program, solution.built))  # fmt: skip

    def _last(self, model: "HighsModel") -> "Best | None":
        """Of all that is left the canonical one: of the cheapest, where money had room."""
        least = model.minimise("money") if self.epsilon else None
        if least is not None:
            model.pin("money", least.amount.money)
        return model.canonical()

    def _routed(self, model: "HighsModel") -> Stage:
        """The least calls to give up, as the model is held to from now on."""
        best = model.minimise("routed")
        if best is None:
            raise Unsolved("no design keeps to all that is fixed")
        model.pin("routed", best.amount.routed)
        fixed = sum(self.program.rates[pattern] for pattern in self.never)
        value = best.amount.routed + fixed
        return Stage("routed", value, min(value, best.bound + fixed))
