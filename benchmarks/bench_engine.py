"""How long designs take to find, how far they are proved, and how another solver does on the same programs.

    make bench-engine

Made-up applications of growing size, from a seed: tables with 1.3 foreign keys on average, statements as in ordinary
logs. Each is built and solved for the `simplest` design in a process of its own. CPU time throughout.
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from fractions import Fraction

from ddbmig.engine.assess import assess_workload
from ddbmig.engine.choice import Proposer, allowed, scenarios
from ddbmig.engine.program.model import components
from ddbmig.engine.program.solve import STAGES, solve
from design_builder import NO_RULES, PRICES
from made_up_applications import make_up
from second_opinion import best_amount

SEED = 1
SIZES = {(100, 300): 120.0, (173, 500): 300.0, (300, 600): 300.0, (1_000, 1_000): 300.0}
"""Tables and statements, with the CPU seconds allowed."""
GAP, MIB = 0.01, 2_048
SMALL = (20, 60)
"""For the peer, which proves too little on larger ones."""


@dataclass(frozen=True)
class Run:
    """What one application took."""

    build: float
    solve: float
    tried: int
    options: int
    gap: float
    mib: int


def run(tables: int, statements: int) -> Run:
    """Find the `simplest` design of a made-up application."""
    proposer, begin = _proposer(tables, statements), time.process_time()
    candidates = proposer.candidates({})
    built = time.process_time()
    scenario = next(one for one in scenarios(proposer, candidates, {}) if one.id == "simplest")
    found = solve(allowed(scenario, candidates), scenario.epsilon, stages=scenario.stages)
    solved = time.process_time()
    return Run(
        build=built - begin,
        solve=solved - built,
        tried=candidates.tried,
        options=sum(len(s) for d in candidates.program.demands for o in d.orders for s in o.steps),
        gap=max(found.gap(name) for name in STAGES),
        mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _proposer(tables: int, statements: int) -> Proposer:
    snapshot = make_up(SEED, tables, statements).snapshot()
    return Proposer(snapshot, assess_workload(snapshot, NO_RULES), PRICES)


def beside_the_peer() -> tuple[float, float]:
    """CPU seconds of both solvers on one program, part by part, all stages. Raises ValueError where they differ."""
    program = _proposer(*SMALL).candidates({}).program
    ours = theirs = 0.0
    for part in components(program):
        begin = time.process_time()
        mine = solve(part, Fraction(0)).amount
        middle = time.process_time()
        if best_amount(part) != mine:
            raise ValueError("the solvers do not agree")
        ours, theirs = ours + middle - begin, theirs + time.process_time() - middle
    return ours, theirs


def main() -> int:
    """Print the table; 1 where a limit is broken."""
    if len(sys.argv) == 3:
        print(json.dumps(asdict(run(int(sys.argv[1]), int(sys.argv[2])))))
        return 0
    print(f"seed {SEED}\n{'tables':>7}{'patterns':>9}{'tried':>8}{'options':>9}{'build s':>9}{'solve s':>9}"
          f"{'limit s':>9}{'gap':>7}{'MiB':>6}")  # fmt: skip
    held = True
    for (tables, statements), limit in SIZES.items():
        command = [sys.executable, __file__, str(tables), str(statements)]
        one = Run(**json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        print(f"{tables:7,}{statements:9,}{one.tried:8,}{one.options:9,}{one.build:9.1f}{one.solve:9.1f}"
              f"{limit:9.0f}{one.gap:7.2%}{one.mib:6}")  # fmt: skip
        held &= one.build + one.solve <= limit and one.gap <= GAP and one.mib <= MIB
    ours, theirs = beside_the_peer()
    print(f"\n{SMALL[0]} tables, {SMALL[1]} patterns, to the last stage, the same amounts: ours (HiGHS) {ours:.2f} s, "
          f"CP-SAT {theirs:.2f} s: {theirs / ours:.1f} × as long")  # fmt: skip
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
