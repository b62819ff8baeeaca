"""How long the partition simulator takes.

    make bench-stress

One simulated hour of 10,000 requests a second over 10,000 keys and 50 partitions, under constant traffic and under
traffic that is another in every second, on demand and provisioned; and the same with a key that throttles. CPU time.
"""

import resource
import sys
import time
from math import pi, sin

import numpy

from ddbmig.model.scenario import Throughput
from ddbmig.validators.stress.limits import Limits
from ddbmig.validators.stress.simulator import Outcome, Simulation, Stream, Touch

SECONDS, REQUESTS, KEYS, PARTITIONS = 3_600, 10_000, 10_000, 50
CPU_SECONDS, MIB = 20.0, 500
SEED = 1
HELD = {False: Throughput(reads=150_000, writes=50_000), True: Throughput(reads=60_000, writes=30_000)}
"""On demand and provisioned, what takes so many partitions."""
SHAPES = {
    "constant": [1.0] * SECONDS,
    "changing": [0.5 + 0.5 * sin(pi * second / SECONDS) ** 2 for second in range(SECONDS)],
}


def simulate(shape: list[float], provisioned: bool, exponent: float) -> Outcome:
    """Reads and writes, 7 to 3, on keys whose weights fall with their rank to the power of the exponent (Zipf)."""
    weights = numpy.arange(1, KEYS + 1) ** -exponent
    keys = numpy.random.default_rng(SEED).random(KEYS)
    streams = [
        Stream(REQUESTS * share, weights / weights.sum(), (Touch(0, 1.0, write, keys),))
        for share, write in ((0.7, False), (0.3, True))
    ]
    return Simulation(streams, Limits([HELD[provisioned]], provisioned, None), [0.0], shape).run()


def main() -> int:
    """Print the table; 1 where a limit is broken."""
    print(f"one hour of {REQUESTS:,} requests/s over {KEYS:,} keys and {PARTITIONS} partitions, seed {SEED}")
    print(f"{'traffic':<10}{'capacity':<13}{'skew':>6}{'throttled':>11}{'partitions':>12}{'CPU s':>8}{'MiB':>6}")
    held = True
    for name, shape in SHAPES.items():
        for provisioned in (False, True):
            for exponent in (0.8, 2.0):
                begin = time.process_time()
                found = simulate(shape, provisioned, exponent)
                taken = time.process_time() - begin
                mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                share = found.throttled.sum() / found.offered.sum()
                print(f"{name:<10}{'provisioned' if provisioned else 'on-demand':<13}{exponent:6.1f}{share:11.1%}"
                      f"{found.partitions[0]:12}{taken:8.2f}{mib:6}")  # fmt: skip
                held &= taken <= CPU_SECONDS and mib <= MIB
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
