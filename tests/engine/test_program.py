"""The solver against every solution there is, and against another solver."""

from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from ddbmig.engine.choice import Proposer
from ddbmig.engine.program.model import Amount, Program, Solution, Structure, Unsolved, components, within, worth
from ddbmig.engine.program.reduce import reduced
from ddbmig.engine.program.solve import runner_up, solve
from design_builder import PRICES, World, assess_world, snapshot_of
from random_programs import brute_force, cheapest_with_others, random_program
from second_opinion import best_amount

WORLDS = sorted((Path(__file__).parent / "data" / "plans").glob("*.yaml"))
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


@pytest.mark.parametrize("file", WORLDS, ids=lambda file: file.stem)
def test_another_solver_comes_to_the_same_amount_to_the_nano_dollar(file: Path) -> None:
    world = yaml.safe_load(file.read_text())
    statements = sorted({case["sql"] for case in world["cases"]})
    snapshot = snapshot_of(World(world["schema"], statements, rows=world["rows"], groups=world["groups"]))
    program = Proposer(snapshot, assess_world(snapshot), PRICES).candidates({}).program
    for part in components(program):
        for epsilon in (Fraction(0), Fraction(1, 100)):
            assert solve(part, epsilon).amount == best_amount(part, epsilon)


def test_of_equals_the_plainer_is_built_whatever_its_name() -> None:
    for order in ("abc", "bca", "cab"):
        same = {name: Structure(name, Amount(money=5), group="one", rank=rank) for rank, name in enumerate(order)}
        assert solve(Program(same, ())).solution.built == {order[0]}


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
