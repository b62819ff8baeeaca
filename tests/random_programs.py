"""Small random programs, and their best solution found by trying every one."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, combinations, product
from math import floor
from random import Random

from ddbmig.engine.program.model import (
    Amount,
    Demand,
    Infeasible,
    Limit,
    Option,
    Order,
    Pick,
    Program,
    Solution,
    Structure,
    worth,
)


def random_program(seed: int) -> Program:
    """Up to two groups of forms with GSIs of their own, and up to three demands."""
    random = Random(seed)
    return _program(random, tables=random.randint(1, 2), forms=2, indexes=2, demands=random.randint(1, 3))


def larger_program(seed: int) -> Program:
    """Six to ten groups of forms with GSIs of their own, and ten to twenty demands: too many to try every solution."""
    random = Random(seed)
    return _program(random, tables=random.randint(6, 10), forms=3, indexes=4, demands=random.randint(10, 20))


def _program(random: Random, *, tables: int, forms: int, indexes: int, demands: int) -> Program:
    """So many groups with up to so many forms, each of those with up to so many GSIs."""
    structures: dict[str, Structure] = {}
    for table in range(tables):
        for form in range(random.randint(1, forms)):
            name = f"t{table}.f{form}"
            structures[name] = Structure(name, _amount(random, structures=1), group=f"t{table}")
            for index in range(random.randint(0, indexes)):
                key = f"{name}.g{index}"
                structures[key] = Structure(key, _amount(random, structures=1), of={name: key})
    asked = tuple(_demand(random, f"d{number}", sorted(structures), max(3, demands // 3)) for number in range(demands))
    limits = (
        Limit("quota", {key: random.randint(1, 3) for key in structures}, random.randint(3, 9) * max(1, tables // 2)),
    )
    rates = {demand.pattern: random.randint(1, 9) for demand in asked}
    program = Program(structures, asked, limits if random.random() < 0.5 else (), rates)
    return _with_twins(program, random) if random.random() < 0.5 else program


def _with_twins(program: Program, random: Random) -> Program:
    """The program with each GSI of a table's first form under its second one as well, the same in nearly all it does:
    some options have the one only."""
    twins = {
        key: f"{key}.twin"
        for key, one in program.structures.items()
        if one.of and key.split(".")[1] == "f0" and f"{key.split('.')[0]}.f1" in program.structures
    }
    structures = dict(program.structures)
    for key, twin in twins.items():
        form = f"{key.split('.')[0]}.f1"
        structures[twin] = Structure(twin, structures[key].amount, of={form: twin})

    def both(keys: frozenset[str]) -> frozenset[str]:
        return keys | {twins[key] for key in sorted(keys) if key in twins and random.random() < 0.9}

    return replace(
        program,
        structures=structures,
        demands=tuple(
            replace(d, orders=tuple(
                replace(o, steps=tuple(tuple(replace(x, any_of=both(x.any_of)) for x in step) for step in o.steps))
                for o in d.orders
            ))
            for d in program.demands
        ),
        limits=tuple(
            replace(limit, weights={**limit.weights, **{twins[key]: limit.weights[key] for key in twins}})
            for limit in program.limits
        ),
    )  # fmt: skip


def _amount(random: Random, structures: int = 0) -> Amount:
    return Amount(0, random.randint(0, 300), random.randint(0, 3), structures, random.randint(0, 50))


def _demand(random: Random, name: str, structures: list[str], patterns: int) -> Demand:
    orders = []
    for order in range(random.randint(1, 2)):
        steps = [_step(random, f"o{order}s{step}", structures) for step in range(random.randint(1, 2))]
        if len(steps) == 2 and random.random() < 0.5:
            steps[0] = tuple(
                Option(o.id, o.any_of, o.amount, frozenset({"copy"}) if random.random() < 0.5 else o.delivers)
                for o in steps[0]
            )
            steps[1] = (*steps[1], Option("copied", frozenset(), Amount(), wants="copy"))
        orders.append(Order(f"o{order}", tuple(steps)))
    when = frozenset(random.sample(structures, 1)) if random.random() < 0.3 else frozenset[str]()
    return Demand(name, f"p{random.randrange(patterns)}", tuple(orders), when)


def _step(random: Random, name: str, structures: list[str]) -> tuple[Option, ...]:
    return tuple(
        Option(f"{name}x{n}", frozenset(random.sample(structures, random.randint(1, min(2, len(structures))))),
               _amount(random))
        for n in range(random.randint(1, 2))
    )  # fmt: skip


def brute_force(program: Program, epsilon: Fraction) -> list[Solution]:
    """All best solutions of a program that is one component, by trying every choice; none where there is none."""
    found = [(worth(program, one), one) for one in _solutions(program)]
    room = {"money": 1 + epsilon}  # the first time; in the end the cheapest of what is left
    for stage in ("routed", "money", "trips", "structures", "stored", "money"):
        if not found:
            return []
        least = min(getattr(amount, stage) for amount, _ in found)
        most = floor(least * room.pop(stage, 1))
        found = [(amount, one) for amount, one in found if getattr(amount, stage) <= most]
    return [one for _, one in found]


def cheapest_with_others(program: Program, best: frozenset[str]) -> Amount | None:
    """The least calls routed, then money, with other structures than the best ones, by trying every choice.

    The best ones and others besides do not count where one of those, alone beside the best, lowers no demand's money.
    """
    least: dict[frozenset[str], Amount] = {}
    for one in _solutions(program):
        amount = worth(program, one)
        least[one.built] = min(amount, least.get(one.built, amount))
    serving = {key for key in program.structures if _saves(program, best, key)}
    others = [
        amount for built, amount in least.items() if built != best and not (best < built and built - best - serving)
    ]
    return min(others, default=None)


def _saves(program: Program, best: frozenset[str], key: str) -> bool:
    """Whether one more structure lowers the money of a demand that is met with the best ones."""
    for demand in program.demands:
        if not demand.when or demand.when & best:
            before, after = _picks(demand, best), _picks(demand, best | {key})
            if before and min(p.amount.money for p in after) < min(p.amount.money for p in before):
                return True
    return False


def _solutions(program: Program) -> Iterator[Solution]:
    patterns = sorted({d.pattern for d in program.demands})
    keys = sorted(program.structures)
    for built in map(frozenset, _subsets(keys)):
        for routed in map(frozenset, _subsets(patterns)):
            asked = [d for d in program.demands if d.pattern not in routed and (not d.when or d.when & built)]
            for picks in product(*(_picks(d, built) for d in asked)):
                solution = Solution(built, {d.id: p for d, p in zip(asked, picks, strict=True)}, routed)
                try:
                    worth(program, solution)
                except Infeasible:
                    break
                yield solution


def _picks(demand: Demand, built: frozenset[str]) -> list[Pick]:
    """Every way to meet a demand with these structures."""
    found = []
    for order in demand.orders:
        for options in product(*order.steps):
            delivered = {token for option in options for token in option.delivers}
            if all((not o.any_of or o.any_of & built) and (o.wants is None or o.wants in delivered) for o in options):
                found.append(Pick(order, options))
    return found


def _subsets(items: list[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))
