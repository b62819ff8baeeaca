"""Solving a program: stage by stage in the order of `Amount`, each component by itself, by HiGHS.

Each stage minimises one part of the amount with the parts before it pinned: money to its optimum and the share
`epsilon` more, the others to their optimum. The last stage takes, of all solutions that are left, one by the names of
its structures, so that a tie is broken the same way everywhere.

What the solver returns is read as a set of choices and checked and counted by `worth`, in whole numbers; of the solver
itself only the bound is believed, and that is printed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from math import floor
from typing import Any

import numpy

from ddbmig.engine.program.model import (
    NOTHING,
    Amount,
    Demand,
    Order,
    Pick,
    Program,
    Solution,
    components,
    total,
    worth,
)
from ddbmig.engine.program.reduce import reduced

STAGES = ("routed", "money", "trips", "structures", "stored")
"""The parts of an amount, most important first."""
SECONDS = 300.0
"""Longest time for one stage of one component; a stage that is stopped says so and gives its gap."""
SEED = 0
_LARGEST = 20
"""Coefficients are scaled by a power of two below 2 to this power: beyond it the solver's tolerances bite."""


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


class Unsolved(Exception):
    """The solver found no solution: the program contradicts itself, or the time ran out before the first one."""


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
        routed = self.never
        model = _Model(self.program.without_patterns(routed), self.seconds)
        stages: list[Stage] = []
        best = model.minimise(self.order[0])
        if best is None:
            routed, stage = self._routed(routed)
            stages.append(stage)
            model = _Model(self.program.without_patterns(routed), self.seconds)
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
        program = self.program.without_patterns(never)
        best = _Model(program, self.seconds, may_route=True).minimise("routed")
        if best is None:
            raise Unsolved("no design keeps to all that is fixed")
        fixed = sum(self.program.rates[pattern] for pattern in never)
        value = best.amount.routed + fixed
        return best.solution.routed | never, Stage("routed", value, min(value, best.bound + fixed))


@dataclass(frozen=True)
class _Best:
    solution: Solution
    amount: Amount
    bound: int


class _Model:
    """The program as HiGHS sees it: columns for structures, orders, options and routed patterns."""

    def __init__(self, program: Program, seconds: float, *, may_route: bool = False) -> None:
        import highspy

        self.highspy, self.program = highspy, program
        self.columns: list[Amount] = []
        self.names: list[str] = []
        self.rows: list[tuple[float, float, list[tuple[int, int]]]] = []
        self.built = {key: self._column(one.amount, key) for key, one in sorted(program.structures.items())}
        self.routed: dict[str, int] = {}
        self.orders: dict[tuple[str, int], int] = {}
        self.options: dict[tuple[str, int, int, int], int] = {}
        for members in program.groups().values():
            self.rows.append((1, 1, [(self.built[key], 1) for key in members]))
        self._forms_and_limits()
        for demand in program.demands:
            self._demand(demand, may_route)
        self.solver = self._start(seconds)
        self.last: list[float] | None = None
        self.fixed: set[int] = set()

    # --- columns and rows ---

    def _column(self, amount: Amount, name: str) -> int:
        self.columns.append(amount)
        self.names.append(name)
        return len(self.columns) - 1

    def _forms_and_limits(self) -> None:
        infinity = float("inf")
        for key, structure in self.program.structures.items():
            if structure.of:
                forms = [(self.built[form], -1) for form in sorted(structure.of)]
                self.rows.append((-infinity, 0, [(self.built[key], 1), *forms]))
        for limit in self.program.limits:
            if sum(limit.weights.values()) > limit.most:
                self.rows.append((-infinity, limit.most, [(self.built[key], w) for key, w in limit.weights.items()]))

    def _demand(self, demand: Demand, may_route: bool) -> None:
        """Σ orders = 1 (or the structures that ask for it); Σ options of a step = its order."""
        met = []
        for number, order in enumerate(demand.orders):
            column = self._column(order.amount, f"{demand.id} {order.id}")
            self.orders[demand.id, number] = column
            met.append((column, 1))
            self._steps(demand, number, order, column)
        if may_route:
            if demand.pattern not in self.routed:
                amount = Amount(routed=self.program.rates[demand.pattern])
                self.routed[demand.pattern] = self._column(amount, f"routed {demand.pattern}")
            met.append((self.routed[demand.pattern], 1))
        asked = [(self.built[key], -1) for key in sorted(demand.when)]
        least = 0 if demand.when else 1
        self.rows.append((least, float("inf") if may_route else least, [*met, *asked]))

    def _steps(self, demand: Demand, number: int, order: Order, column: int) -> None:
        delivering: dict[str, list[int]] = {}
        wanting: list[tuple[int, str]] = []
        for position, step in enumerate(order.steps):
            taken = []
            for place, option in enumerate(step):
                choice = self._column(option.amount, f"{demand.id} {order.id} {option.id}")
                self.options[demand.id, number, position, place] = choice
                taken.append((choice, 1))
                if option.any_of:
                    there = [(self.built[key], -1) for key in sorted(option.any_of)]
                    self.rows.append((-float("inf"), 0, [(choice, 1), *there]))
                for token in option.delivers:
                    delivering.setdefault(token, []).append(choice)
                if option.wants is not None:
                    wanting.append((choice, option.wants))
            self.rows.append((0, 0, [*taken, (column, -1)]))
        for choice, token in wanting:
            self.rows.append((-float("inf"), 0, [(choice, 1), *((c, -1) for c in delivering.get(token, ()))]))

    # --- HiGHS ---

    def _start(self, seconds: float) -> Any:
        solver = _quiet_solver(self.highspy)
        options = {
            "output_flag": False, "threads": 1, "random_seed": SEED, "time_limit": seconds,
            "mip_rel_gap": 0.0, "mip_allow_restart": False, "mip_feasibility_tolerance": 1e-9,
            "primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9,
        }  # fmt: skip
        for name, value in options.items():
            solver.setOptionValue(name, value)
        count = len(self.columns)
        lp = self.highspy.HighsLp()
        lp.num_col_, lp.num_row_ = count, len(self.rows)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = numpy.zeros(count), numpy.zeros(count), numpy.ones(count)
        lp.row_lower_ = numpy.array([low for low, _, _ in self.rows], dtype=numpy.double)
        lp.row_upper_ = numpy.array([high for _, high, _ in self.rows], dtype=numpy.double)
        lp.a_matrix_.format_ = self.highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = numpy.cumsum([0, *(len(row) for _, _, row in self.rows)])
        lp.a_matrix_.index_ = numpy.array([c for _, _, row in self.rows for c, _ in row], dtype=numpy.int32)
        lp.a_matrix_.value_ = numpy.array([v for _, _, row in self.rows for _, v in row], dtype=numpy.double)
        lp.integrality_ = [self.highspy.HighsVarType.kInteger] * count
        solver.passModel(lp)
        return solver

    def minimise(self, name: str) -> _Best | None:
        """The least of one part of the amount; None where there is no solution."""
        return self._run([getattr(amount, name) for amount in self.columns], name)

    def canonical(self) -> _Best | None:
        """One of the solutions that are left, by weights that follow from the names of structures and orders.

        Options need none: those of a step that cost the same are one (`reduce`).
        """
        options = set(self.options.values())
        return self._run([0 if column in options else int.from_bytes(sha256(name.encode()).digest()[:3])
                          for column, name in enumerate(self.names)], None)  # fmt: skip

    def pin(self, name: str, most: int) -> None:
        """No more than this of one part from now on."""
        entries = [(c, getattr(amount, name)) for c, amount in enumerate(self.columns) if getattr(amount, name)]
        if not entries:
            return
        self._fix(name, most)
        scale = _scale([value for _, value in entries])
        room = max(0.5 * scale, most * scale * 1e-11)
        index = numpy.array([c for c, _ in entries], dtype=numpy.int32)
        self.solver.addRow(-float("inf"), most * scale + room, len(entries), index,
                           numpy.array([value * scale for _, value in entries]))  # fmt: skip

    def _fix(self, name: str, most: int) -> None:
        """Fix every choice that alone would bring one part of the amount over its pin.

        By the reduced costs of the relaxed program: what a choice adds to its optimum at the least.
        """
        scale = self._set_costs([getattr(amount, name) for amount in self.columns])
        self.solver.setOptionValue("solve_relaxation", True)
        self.solver.run()
        self.solver.setOptionValue("solve_relaxation", False)
        if self.solver.getModelStatus() != self.highspy.HighsModelStatus.kOptimal:
            return
        room = most * scale - self.solver.getInfo().objective_function_value
        margin = 1e-6 * max(1.0, abs(most * scale))
        for column, dual in enumerate(self.solver.getSolution().col_dual):
            if abs(dual) > room + margin and column not in self.fixed:
                self.fixed.add(column)
                self.solver.changeColBounds(column, *((0, 0) if dual > 0 else (1, 1)))

    def _set_costs(self, costs: list[int]) -> float:
        """Make these the objective; gives the scale that they are multiplied with."""
        scale, count = _scale(costs), len(costs)
        scaled = numpy.array([cost * scale for cost in costs])
        self.solver.changeColsCost(count, numpy.arange(count, dtype=numpy.int32), scaled)
        return scale

    def _run(self, costs: list[int], name: str | None) -> _Best | None:
        if not costs:
            return _Best(Solution(frozenset(), {}, frozenset()), NOTHING, 0)
        scale = self._set_costs(costs)
        self.solver.setOptionValue("mip_abs_gap", max(0.9 * scale, 1e-9))
        if self.last is not None:
            start = self.highspy.HighsSolution()
            start.col_value = self.last
            self.solver.setSolution(start)
        self.solver.run()
        status, statuses = self.solver.getModelStatus(), self.highspy.HighsModelStatus
        info = self.solver.getInfo()
        feasible = info.primal_solution_status == self.highspy.SolutionStatus.kSolutionStatusFeasible
        if status == statuses.kInfeasible or not feasible:
            if status == statuses.kTimeLimit:
                raise Unsolved(f"no design was found in {self.seconds_text()}")
            return None
        values = list(self.solver.getSolution().col_value)
        self.last = values
        solution = self._read(values)
        amount = worth(self.program, solution)
        if name is None:
            return _Best(solution, amount, 0)
        value = getattr(amount, name)
        proved = status == statuses.kOptimal
        bound = value if proved else min(value, floor(info.mip_dual_bound / scale))
        return _Best(solution, amount, bound)

    def seconds_text(self) -> str:
        """The time limit as a person reads it."""
        return f"{self.solver.getOptionValue('time_limit')[1]:g} s"

    def _read(self, values: Sequence[float]) -> Solution:
        """The choices that the columns' values mean."""
        built = frozenset(key for key, column in self.built.items() if values[column] > 0.5)
        routed = frozenset(pattern for pattern, column in self.routed.items() if values[column] > 0.5)
        picks = {}
        for demand in self.program.demands:
            if demand.pattern in routed or (demand.when and not demand.when & built) or not demand.orders:
                continue
            number = max(range(len(demand.orders)), key=lambda n: values[self.orders[demand.id, n]])
            order = demand.orders[number]
            picks[demand.id] = Pick(order, tuple(
                step[_most(values[self.options[demand.id, number, position, place]] for place in range(len(step)))]
                for position, step in enumerate(order.steps)
            ))  # fmt: skip
        return Solution(built, picks, routed)


def _quiet_solver(highspy: Any) -> Any:
    """A solver without call-backs, which we do not use: setting them prints a banner to standard output."""

    class Quiet(highspy.Highs):  # type: ignore[misc]  # HiGHS has no types
        def enableCallbacks(self) -> None:  # its name
            """None."""

    return Quiet()


def _most(values: Iterable[float]) -> int:
    found = list(values)
    return found.index(max(found))


def _scale(values: Iterable[int]) -> float:
    """A power of two that brings the largest of these below 2 to the power of _LARGEST."""
    largest = max((abs(value) for value in values), default=0)
    return 2.0 ** min(0, _LARGEST - largest.bit_length())
