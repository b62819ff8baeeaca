"""Solving a program: stage by stage in the order of `Amount`, each component by itself, by HiGHS.

Each stage minimises one part of the amount with the parts before it pinned: money to its optimum and the share
`epsilon` more, the others to their optimum. The last stage takes, of all solutions that are left, one of plain
structures, else by their names, so that a tie is broken the same way everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

from ddbmig.engine.program.model import Amount, Program, Solution, Unsolved, components, total, worth
from ddbmig.engine.program.reduce import reduced

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
    amount: Amount
    stages: tuple[Stage, ...]

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
    )


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
        """All stages. Routed patterns are found first, if there must be any, and are out of the program then."""
        from ddbmig.engine.program.highs import HighsModel  # loads the solver

        routed = self.never
        model = HighsModel(self.program.without_patterns(routed), self.seconds)
        stages: list[Stage] = []
        best = model.minimise(self.order[0])
        if best is None:
            routed, stage = self._routed(routed)
            stages.append(stage)
            model = HighsModel(self.program.without_patterns(routed), self.seconds)
            best = model.minimise(self.order[0])
        if best is None:
            raise Unsolved("no design keeps to all that is fixed")
        for name, following in zip(self.order, [*self.order[1:], None], strict=True):
            value = getattr(best.amount, name)
            stages.append(Stage(name, value, min(value, best.bound)))
            if following is None and not self.canonical:
                break
            model.pin(name, floor(value * (1 + self.epsilon)) if name == "money" else value)
            best = (model.minimise(following) if following else model.canonical()) or best
        solution = replace(best.solution, routed=routed)
        amount = worth(self.program, solution)
        routed_stage = Stage("routed", amount.routed, amount.routed)
        return Solved(solution, amount, tuple([routed_stage, *stages] if stages[0].name != "routed" else stages))

    def _routed(self, never: frozenset[str]) -> tuple[frozenset[str], Stage]:
        """The patterns to give up: those of the least calls that leave the rest possible."""
        from ddbmig.engine.program.highs import HighsModel

        program = self.program.without_patterns(never)
        best = HighsModel(program, self.seconds, may_route=True).minimise("routed")
        if best is None:
            raise Unsolved("no design keeps to all that is fixed")
        fixed = sum(self.program.rates[pattern] for pattern in never)
        value = best.amount.routed + fixed
        return best.solution.routed | never, Stage("routed", value, min(value, best.bound + fixed))
