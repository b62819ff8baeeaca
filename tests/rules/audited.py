"""Compile and evaluate hostile conditions and rules under an audit hook: `audited.py SEED`.

Prints, as JSON, the names of Python's audit events (opening a file, importing, executing, starting a process, …) that
occurred meanwhile, and those of opening one file afterwards, which show that the hook hears. A hook cannot be taken off
again, so this is a process of its own.
"""

import json
import random
import sys
from pathlib import Path

import yaml
from hostile import GOOD, NAMES, TARGETS, check_condition, check_rule

from ddbmig.engine.expressions import compile_condition
from ddbmig.model.errors import UsageError

REFUSED = Path(__file__).parent.parent / "engine" / "data" / "refused_conditions.yaml"
ESCAPES = (
    "().__class__.__base__.__subclasses__()", "__import__('os').system('id')", "open('/etc/passwd')", "eval('1')",
    "exec('import os')", "getattr(reads, 'x')", "globals()", "breakpoint()", "print(1)", "compile('1', 'a', 'eval')",
    "reads.__class__.__init__.__globals__", "(lambda: open('x'))()", "[x for x in ().__class__.__mro__]",
    "f'{open(1)}'", "'{0.__class__}'.format(1)", "like('a', open('x'))", "default(open('x'), 1)", "is_set(open('x'))",
    "any(open(q) for q in relationship.child_columns)", "count(c for c in open('x'))", "1 if open('x') else 2",
)  # fmt: skip


def run(seed: int, runs: int) -> None:
    """Everything once; what is refused is meant to be."""
    rng = random.Random(seed)
    for text in (*ESCAPES, *(case["text"] for case in REFUSED_CASES)):
        try:
            compile_condition(text, NAMES)
        except UsageError:
            continue
        check_condition(text, {})
    for target in ("conditions", "rules"):
        for _ in range(runs):
            TARGETS[target](rng.randbytes(300))
    check_rule(GOOD["rule"], {"reads.joint_share": 0.9, "reads.calls_per_day": 200})


if __name__ == "__main__":
    REFUSED_CASES = yaml.safe_load(REFUSED.read_text("utf-8"))
    run(int(sys.argv[1]), 20)  # what is imported on first use is imported now
    events: list[str] = []
    sys.addaudithook(lambda name, _: events.append(name))
    run(int(sys.argv[1]), 1500)
    meanwhile = sorted(set(events))
    events.clear()
    REFUSED.open().close()
    print(json.dumps({"meanwhile": meanwhile, "afterwards": sorted(set(events))}))
