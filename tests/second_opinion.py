"""The best amount of a program as another solver finds it: CP-SAT of OR-Tools, in whole numbers throughout.

The program is stated anew here, from what `engine.program.model` says that it means.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor

from ortools.sat.python import cp_model

from ddbmig.engine.program.model import Amount, Demand, Option, Program

STAGES = ("routed", "money", "trips", "structures", "stored")


def best_amount(program: Program, epsilon: Fraction = Fraction(0)) -> Amount | None:
    """What the best solution of a program that is one component costs; None where there is none.

    Stage by stage, each with the ones before it held at their optimum, money at `epsilon` more; in the end the cheapest
    of what is left.
    """
    stated = _Stated(program)
    for name in STAGES:
        found = stated.least(name)
        if found is None:
            return None
        stated.hold(name, floor(found * (1 + epsilon)) if name == "money" else found)
    stated.least("money")
    return stated.amount()


class _Stated:
    def __init__(self, program: Program) -> None:
        self.program, self.model, self.solver = program, cp_model.CpModel(), cp_model.CpSolver()
        self.solver.parameters.num_workers = 1
        self.chosen: list[tuple[cp_model.IntVar, Amount]] = []
        self.built = {key: self._choice(one.amount) for key, one in program.structures.items()}
        patterns = sorted({demand.pattern for demand in program.demands})
        self.routed = {pattern: self._choice(Amount(routed=program.rates[pattern])) for pattern in patterns}
        for members in program.groups().values():
            self.model.add_exactly_one(self.built[key] for key in members)
        for key, one in program.structures.items():
            if one.of:
                self.model.add_bool_or([self.built[form] for form in one.of]).only_enforce_if(self.built[key])
        for limit in program.limits:
            self.model.add(sum(self.built[key] * weight for key, weight in limit.weights.items()) <= limit.most)
        for demand in program.demands:
            self._demand(demand)

    def _choice(self, amount: Amount) -> cp_model.IntVar:
        choice = self.model.new_bool_var("")
        self.chosen.append((choice, amount))
        return choice

    def _demand(self, demand: Demand) -> None:
        """One order of the demand is taken, unless its pattern is routed or nothing that asks for it is built."""
        orders = []
        for order in demand.orders:
            taken = self._choice(order.amount)
            orders.append(taken)
            steps = [{option: self._choice(option.amount) for option in step} for step in order.steps]
            for step in steps:
                self.model.add(sum(step.values()) == 1).only_enforce_if(taken)
                self._options(step, steps)
        for asked in [self.built[key] for key in demand.when] if demand.when else [None]:
            clause = self.model.add_bool_or([*orders, self.routed[demand.pattern]])
            if asked is not None:
                clause.only_enforce_if(asked)

    def _options(
        self, step: Mapping[Option, cp_model.IntVar], steps: Sequence[Mapping[Option, cp_model.IntVar]]
    ) -> None:  # fmt: skip
        for option, choice in step.items():
            if option.any_of:
                self.model.add_bool_or([self.built[key] for key in option.any_of]).only_enforce_if(choice)
            if option.wants is not None:
                giving = [c for other in steps for o, c in other.items() if option.wants in o.delivers]
                self.model.add_bool_or(giving).only_enforce_if(choice)

    def _total(self, name: str) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.weighted_sum(
            [choice for choice, _ in self.chosen], [getattr(amount, name) for _, amount in self.chosen]
        )

    def least(self, name: str) -> int | None:
        """The least of one part of the amount, proved."""
        self.model.minimize(self._total(name))
        status = self.solver.solve(self.model)
        if status == cp_model.INFEASIBLE:
            return None
        assert status == cp_model.OPTIMAL, self.solver.status_name(status)
        return round(self.solver.objective_value)

    def hold(self, name: str, most: int) -> None:
        """No more than this of one part from now on."""
        self.model.add(self._total(name) <= most)

    def amount(self) -> Amount:
        """What the last solution costs."""
        parts = {name: sum(getattr(amount, name) for choice, amount in self.chosen if self.solver.value(choice))
                 for name in STAGES}  # fmt: skip
        return Amount(**parts)
