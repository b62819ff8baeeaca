"""A program as HiGHS sees it: columns for structures, orders, options and routed patterns; and its optimum by stages.

What the solver returns is read as a set of choices and checked and counted by `worth`, in whole numbers; of the solver
itself only its bounds are believed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import floor
from typing import Any

import numpy
from numpy.typing import NDArray

from ddbmig.engine.program.model import (
    NOTHING,
    Amount,
    Demand,
    Order,
    Pick,
    Program,
    Solution,
    Unsolved,
    worth,
)

SEED = 0
FIRST_ROOM = 0.01
"""Share above the relaxed optimum within which the best solution is looked for first."""
TOLERANCE = 1e-9
"""Of integrality, rows and reduced costs."""
_LARGEST = 20
"""Coefficients are scaled by a power of two below 2 to this power: beyond it the solver's tolerances bite."""
_Floats = NDArray[numpy.double]


@dataclass(frozen=True)
class Best:
    """A solution, what it costs, and the bound of the part that was minimised."""

    solution: Solution
    amount: Amount
    bound: int


class HighsModel:
    """The program as HiGHS sees it: columns for structures, orders, options and routed patterns."""

    def __init__(self, program: Program, seconds: float, *, may_route: bool = False) -> None:
        import highspy

        self.highspy, self.program = highspy, program
        self.columns: list[Amount] = []
        self.names: list[tuple[int, str]] = []
        """Rank and name of every column."""
        self.rows: list[tuple[float, float, list[tuple[int, int]]]] = []
        self.built = {key: self._column(one.amount, key, one.rank) for key, one in sorted(program.structures.items())}
        self.routed: dict[str, int] = {}
        self.orders: dict[tuple[str, int], int] = {}
        self.options: dict[tuple[str, int, int, int], int] = {}
        for members in program.groups().values():
            self.rows.append((1, 1, [(self.built[key], 1) for key in members]))
        self._forms_and_limits()
        for demand in program.demands:
            self._demand(demand, may_route)
        self.solver = self._start(seconds)
        self.last: _Floats | None = None
        """The columns of the last solution."""
        self.proved = False
        """Whether it is proved to be the best."""
        self.costs = numpy.zeros(len(self.columns))
        self.lower, self.upper = numpy.zeros(len(self.columns)), numpy.ones(len(self.columns))

    # --- columns and rows ---

    def _column(self, amount: Amount, name: str, rank: int = 0) -> int:
        self.columns.append(amount)
        self.names.append((rank, name))
        return len(self.columns) - 1

    def _forms_and_limits(self) -> None:
        infinity = float("inf")
        for key, structure in self.program.structures.items():
            if structure.of:
                forms = [(self.built[form], -1) for form in sorted(structure.of)]
                self.rows.append((-infinity, 0, [(self.built[key], 1), *forms]))
        for limit in self.program.limits:
            if sum(weight for weight in limit.weights.values() if weight > 0) > limit.most:
                self.rows.append((-infinity, limit.most, [(self.built[key], w) for key, w in limit.weights.items()]))

    def _demand(self, demand: Demand, may_route: bool) -> None:
        """Σ orders = 1 (or the structures that ask for it); Σ options of a step = its order."""
        met = []
        taken: dict[str, list[tuple[int, frozenset[str]]]] = {}
        for number, order in enumerate(demand.orders):
            column = self._column(order.amount, f"{demand.id} {order.id}")
            self.orders[demand.id, number] = column
            met.append((column, 1))
            self._steps(demand, number, order, column, taken)
        for choices in taken.values():
            self._there(choices)
        if may_route:
            if demand.pattern not in self.routed:
                amount = Amount(routed=self.program.rates[demand.pattern])
                self.routed[demand.pattern] = self._column(amount, f"routed {demand.pattern}")
            met.append((self.routed[demand.pattern], 1))
        asked = [(self.built[key], -1) for key in sorted(demand.when)]
        least = 0 if demand.when else 1
        self.rows.append((least, float("inf") if may_route else least, [*met, *asked]))

    def _steps(
        self, demand: Demand, number: int, order: Order, column: int, there: dict[str, list[tuple[int, frozenset[str]]]]
    ) -> None:
        """Of each step one option, if the order is taken; what one wants another must deliver.

        Notes the options by the step's name in `there`, with the structures that they are there for.
        """
        delivering: dict[str, list[int]] = {}
        wanting: list[tuple[int, str]] = []
        for position, step in enumerate(order.steps):
            taken = []
            for place, option in enumerate(step):
                choice = self._column(option.amount, f"{demand.id} {order.id} {option.id}")
                self.options[demand.id, number, position, place] = choice
                taken.append((choice, 1))
                if option.any_of:
                    there.setdefault(order.name(position), []).append((choice, option.any_of))
                for token in option.delivers:
                    delivering.setdefault(token, []).append(choice)
                if option.wants is not None:
                    wanting.append((choice, option.wants))
            self.rows.append((0, 0, [*taken, (column, -1)]))
        for choice, token in wanting:
            self.rows.append((-float("inf"), 0, [(choice, 1), *((c, -1) for c in delivering.get(token, ()))]))

    def _there(self, choices: Sequence[tuple[int, frozenset[str]]]) -> None:
        """The options that are there only for some structures take no more than is built of those; so for their forms.

        One row for all options of one step over all orders, of which one is taken: fewer rows than one for each option,
        and the relaxed program is nearer to the true one.
        """
        structures = self.program.structures
        forms = [(c, frozenset().union(*(structures[k].of or (k,) for k in any_of))) for c, any_of in choices]
        rows = {
            (needs, frozenset(choice for choice, mine in listed if mine <= needs))
            for listed in (choices, forms)
            for needs in {mine for _, mine in listed}
        }
        for needs, taken in sorted((sorted(needs), sorted(taken)) for needs, taken in rows):
            built = [(self.built[key], -1) for key in needs]
            self.rows.append((-float("inf"), 0, [*((choice, 1) for choice in taken), *built]))

    # --- HiGHS ---

    def _start(self, seconds: float) -> Any:
        solver = _quiet_solver(self.highspy)
        options = {
            "output_flag": False, "threads": 1, "random_seed": SEED, "time_limit": seconds,
            "mip_rel_gap": 0.0, "mip_allow_restart": False, "mip_feasibility_tolerance": TOLERANCE,
            "primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE,
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

    def minimise(self, name: str) -> Best | None:
        """The least of one part of the amount; None where there is no solution."""
        return self._run([getattr(amount, name) for amount in self.columns], name)

    def canonical(self) -> Best | None:
        """One of the solutions that are left, by the ranks of what is chosen and weights that follow from its names.

        Options need none: those of a step that cost the same are one (`reduce`).
        """
        options = set(self.options.values())
        weights = [0 if column in options else (rank << 24) + int.from_bytes(sha256(name.encode()).digest()[:3])
                   for column, (rank, name) in enumerate(self.names)]  # fmt: skip
        return self._run(weights, None)

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
        """Fix every choice that alone would bring one part of the amount over its pin, for all stages to come."""
        scale = self._set_costs([getattr(amount, name) for amount in self.columns])
        relaxed = self._relaxed()
        if relaxed is not None:
            least, reduced_costs = relaxed
            self.lower, self.upper = self._within(reduced_costs, most * scale - least)
            self._set_bounds(self.lower, self.upper)

    def _set_costs(self, costs: Sequence[int]) -> float:
        """Make these the objective; gives the scale that they are multiplied with."""
        scale, count = _scale(costs), len(costs)
        self.costs = numpy.array([cost * scale for cost in costs])
        self.solver.changeColsCost(count, numpy.arange(count, dtype=numpy.int32), self.costs)
        return scale

    def _set_bounds(self, lower: _Floats, upper: _Floats) -> None:
        count = len(self.columns)
        self.solver.changeColsBounds(count, numpy.arange(count, dtype=numpy.int32), lower, upper)

    def _relaxed(self) -> tuple[float, _Floats] | None:
        """The optimum of the relaxed program and the reduced costs: what choosing one more adds at the least.

        None where it is infeasible, and the program with it. Where HiGHS comes to no end with it, also from nowhere,
        what is certain is said: no less than all that is negative, and of no choice what it adds.
        """
        self.solver.setOptionValue("solve_relaxation", True)
        self.solver.run()
        if self.solver.getModelStatus() == self.highspy.HighsModelStatus.kUnknown:
            self.solver.clearSolver()
            self.solver.run()
        self.solver.setOptionValue("solve_relaxation", False)
        status, statuses = self.solver.getModelStatus(), self.highspy.HighsModelStatus
        if status in (statuses.kInfeasible, statuses.kUnboundedOrInfeasible):
            return None
        if status != statuses.kOptimal:
            return float(numpy.minimum(self.costs, 0).sum()), numpy.zeros(len(self.columns))
        return self.solver.getInfo().objective_function_value, numpy.array(self.solver.getSolution().col_dual)

    def _within(self, reduced_costs: _Floats, room: float) -> tuple[_Floats, _Floats]:
        """Bounds that fix the choices that cost more than there is room for above the relaxed optimum."""
        beyond = room + 1e-6 * max(1.0, abs(room))
        open_ = self.lower < self.upper
        lower = numpy.where(open_ & (reduced_costs < -beyond), 1.0, self.lower)
        upper = numpy.where(open_ & (reduced_costs > beyond), 0.0, self.upper)
        return lower, upper

    def _run(self, costs: Sequence[int], name: str | None) -> Best | None:
        """The best solution by these costs; None where there is none.

        The relaxed program is nearly the true one here. So first only what may be in a solution little dearer than the
        relaxed optimum is left open: if the best of that is as little dearer, what was left out cannot be better.
        """
        if not costs:
            return Best(Solution(frozenset(), {}, frozenset()), NOTHING, 0)
        scale = self._set_costs(costs)
        self.solver.setOptionValue("mip_abs_gap", max(0.9 * scale, 1e-9))
        relaxed = self._relaxed()
        if relaxed is None:
            return None
        least, reduced_costs = relaxed
        room = FIRST_ROOM * abs(least)
        if self.last is not None:
            room = min(room, float(numpy.dot(self.last, costs)) * scale - least)
        while True:
            everything = room > abs(least)
            self._set_bounds(*((self.lower, self.upper) if everything else self._within(reduced_costs, room)))
            objective = self._search()
            self._set_bounds(self.lower, self.upper)
            if objective is not None and (everything or objective - least <= room * (1 + 1e-9) + 1e-9):
                return self._best(name, scale, least)
            if everything:
                return None
            room = objective - least if objective is not None else max(room * 8, FIRST_ROOM)

    def _search(self) -> float | None:
        """Run the solver from the last solution on; gives the objective of the best solution found.

        Its presolve may make a better one of that, prove it, and yet return the one that it was given (HiGHS 1.16). So
        a solution that is not worth what is said of it is found again from nowhere; if it still is not, it is unproved.
        """
        tolerance = TOLERANCE * float(numpy.abs(self.costs).sum())
        for start in [None] if self.last is None else [self.last, None]:
            said = self._searched_from(start)
            if said is None or self.last is None:
                return None
            counted = float(numpy.dot(self.last, self.costs))
            if counted - said <= tolerance:
                return counted
        self.proved = False
        return counted

    def _searched_from(self, start: _Floats | None) -> float | None:
        """Run the solver from a solution or from nowhere; gives the objective as it says."""
        if start is None:
            self.solver.clearSolver()
        else:
            given = self.highspy.HighsSolution()
            given.col_value = list(start)
            self.solver.setSolution(given)
        self.solver.run()
        status, statuses = self.solver.getModelStatus(), self.highspy.HighsModelStatus
        info = self.solver.getInfo()
        feasible = info.primal_solution_status == self.highspy.SolutionStatus.kSolutionStatusFeasible
        if status == statuses.kInfeasible or not feasible:
            if status == statuses.kTimeLimit:
                raise Unsolved(f"no design was found in {self.solver.getOptionValue('time_limit')[1]:g} s")
            return None
        self.last = numpy.round(numpy.array(self.solver.getSolution().col_value))
        self.proved = status == statuses.kOptimal
        return float(info.objective_function_value)

    def _best(self, name: str | None, scale: float, least: float) -> Best:
        """The last solution, counted in whole numbers, with what is proved of it."""
        solution = self._read([] if self.last is None else self.last.tolist())
        amount = worth(self.program, solution)
        if name is None:
            return Best(solution, amount, 0)
        value = getattr(amount, name)
        return Best(solution, amount, value if self.proved else min(value, floor(least / scale)))

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
