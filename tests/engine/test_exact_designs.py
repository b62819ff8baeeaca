"""The design that the program finds is the best of all that its candidates allow, by trying every one of them."""

from random import Random

import pytest

from all_designs import SmallWorld
from ddbmig.engine.program.solve import solve
from made_up_applications import Application, make_up

FEW, MANY = 500, 5_000
DESIGNS = 48
"""So many designs are tried of one application at the most."""


def small(seed: int) -> Application:
    """One to three tables, one to five statements."""
    return make_up(seed, 1 + seed % 3, 1 + seed // 3 % 5, foreign_keys=1.5, columns=4)


def check(seed: int) -> int:
    """Compare the program with every design; gives how many there are."""
    world = SmallWorld(small(seed))
    kept = world.some(Random(seed), DESIGNS)
    designs = list(world.designs(kept))
    best = min(designs, key=lambda design: (design.routed, design.money))
    found = solve(world.candidates.program.only(kept))
    assert found.amount.routed == best.routed, seed
    terms = len(world.candidates.program.structures) + len(world.candidates.program.demands)
    # each structure and option of the program is rounded to a whole nano-dollar, the evaluator's floats are not
    assert abs(found.amount.money - best.money) <= terms + best.money / 10**12, seed
    return len(designs)


def test_nothing_is_cheaper_than_what_the_program_finds() -> None:
    tried = [check(seed) for seed in range(FEW)]
    assert sum(tried) > 10 * FEW


@pytest.mark.slow
def test_nothing_is_cheaper_than_what_the_program_finds_in_many_more() -> None:
    tried = [check(seed) for seed in range(FEW, FEW + MANY)]
    assert sum(tried) > 10 * MANY
