"""The solver against every solution there is, and against another solver."""

from fractions import Fraction

import pytest

from ddbmig.engine.program.model import components, worth
from ddbmig.engine.program.reduce import reduced
from ddbmig.engine.program.solve import Unsolved, solve
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
