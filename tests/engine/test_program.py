"""The solver against every solution there is, and against another solver."""

from fractions import Fraction

import pytest

from ddbmig.engine.program.model import Amount, Program, Structure, Unsolved, components, worth
from ddbmig.engine.program.reduce import reduced
from ddbmig.engine.program.solve import solve
from random_programs import brute_force, random_program

INSTANCES = 600


@pytest.mark.parametrize("epsilon", [Fraction(0), Fraction(1, 10)])
def test_the_solution_is_one_of_the_best_by_trying_all(epsilon: Fraction) -> None:
    tried = 0
    for seed in range(INSTANCES):
        whole = random_program(seed)
        for part in components(whole):
            best = brute_force(part, epsilon)
            if not best:
                with pytest.raises(Unsolved):
                    solve(part, epsilon)
                continue
            found = solve(part, epsilon)
            assert found.amount == worth(part, best[0]), seed
            assert worth(reduced(part), found.solution) == found.amount
            assert found.solution.routed == best[0].routed or len({b.routed for b in best}) > 1
            assert all(found.gap(stage) == 0 for stage in ("routed", "money", "trips", "structures", "stored"))
            tried += 1
    assert tried >= 500


def test_of_equals_the_plainer_is_built_whatever_its_name() -> None:
    for order in ("abc", "bca", "cab"):
        same = {name: Structure(name, Amount(money=5), group="one", rank=rank) for rank, name in enumerate(order)}
        assert solve(Program(same, ())).solution.built == {order[0]}
