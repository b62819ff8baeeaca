"""The solver against every solution there is, and against another solver."""

from fractions import Fraction

import pytest

from ddbmig.engine.program.model import Program, Solution, components, within, worth
from ddbmig.engine.program.reduce import reduced
from ddbmig.engine.program.solve import Unsolved, runner_up, solve
from random_programs import brute_force, cheapest_with_others, random_program

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


def test_the_runner_up_is_the_cheapest_with_other_structures_by_trying_all() -> None:
    found, none = 0, 0
    for seed in range(INSTANCES):
        whole = random_program(seed)
        try:
            best = solve(whole)
        except Unsolved:
            continue
        other = runner_up(whole, best.solution)
        dearer = [_money_of_others(part, best.solution) for part in components(reduced(whole))]
        least = min((more for more in dearer if more is not None), default=None)
        if other is None:
            assert least is None, seed
            none += 1
            continue
        assert least is not None, seed
        assert other.amount == worth(reduced(whole), other.solution)
        assert other.amount.routed == best.amount.routed
        assert other.solution.built != best.solution.built
        assert other.amount.money - best.amount.money == least, seed
        found += 1
    assert found >= 250
    assert none >= 50


def _money_of_others(part: Program, best: Solution) -> int | None:
    """What other structures of one component cost more at the least."""
    mine = within(part, best)
    amount = cheapest_with_others(part, mine.built) if mine.built else None
    before = worth(part, mine)
    return None if amount is None or amount.routed != before.routed else amount.money - before.money
