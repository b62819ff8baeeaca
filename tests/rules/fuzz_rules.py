"""Fuzz one target of `hostile` for a while, guided by coverage: `fuzz_rules.py TARGET SECONDS SEED`.

The first input that breaks a promise ends it with a traceback, the input's bytes and an exit code other than 0. Where
atheris is not installed (it has wheels for Linux on x86-64 only) the bytes are drawn at random.
"""

import random
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

LONGEST = 400
"""Bytes of an input."""


def guided(target: str, seconds: int, seed: int) -> None:
    """Run libFuzzer through atheris; it prints what it did and ends the process."""
    atheris: Any = import_module("atheris")  # by name, since type checkers find it on some machines only
    with atheris.instrument_imports(include=["ddbmig.engine", "ddbmig.config", "hostile"]):
        from hostile import TARGETS

    check = TARGETS[target]
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20"]
    atheris.Setup([sys.argv[0], *limits, f"-seed={seed}", "-print_final_stats=1"], lambda data: shown(check, data))
    atheris.Fuzz()


def at_random(target: str, seconds: int, seed: int) -> None:
    """Draw bytes until the time is up."""
    from hostile import TARGETS

    rng, until, runs = random.Random(seed), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        shown(TARGETS[target], rng.randbytes(rng.randrange(LONGEST)))
        runs += 1
    print(f"stat::number_of_executed_units: {runs}")


def shown(check: Callable[[bytes], bool], data: bytes) -> None:
    """Check one input; a failure says which bytes repeat it."""
    try:
        check(data)
    except BaseException:
        print(f"fails on: {data.hex()}", file=sys.stderr)
        raise


if __name__ == "__main__":
    fuzz = guided if find_spec("atheris") else at_random
    fuzz(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
