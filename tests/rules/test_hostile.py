"""Whatever somebody writes into a rule, a pack, a configuration or a condition: it loads, or it is the one error.

It never crashes, never takes long, and never reaches anything outside. The same promises are fuzzed for ten minutes by
`make nightly`.
"""

import json
import os
import random
import re
import secrets
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hostile import TARGETS, Draw, check_condition, condition, facts
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("DDBMIG_FUZZ_SECONDS", "600"))
"""Of fuzzing, over all targets."""
SHARES = {"conditions": 0.3, "condition texts": 0.1, "rules": 0.2, "rule texts": 0.1}
"""Of the time; the other targets share the rest."""


@pytest.mark.parametrize("target", TARGETS)
def test_any_bytes_stand_for_a_text_that_loads_or_is_refused(target: str) -> None:
    @settings(deadline=None, max_examples=150)
    @given(st.binary(max_size=400))
    def holds(data: bytes) -> None:
        TARGETS[target](data)

    holds()


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=120), st.binary(max_size=64))
def test_any_text_is_a_condition_that_can_be_evaluated_or_is_refused(text: str, data: bytes) -> None:
    check_condition(text, facts(Draw(data)))


@pytest.mark.parametrize("target", [target for target in TARGETS if not target.endswith("texts")])
def test_the_generator_makes_good_and_bad_texts(target: str) -> None:
    rng = random.Random(7)
    outcomes = Counter(TARGETS[target](rng.randbytes(300)) for _ in range(150))
    assert outcomes[True] >= 10
    assert outcomes[False] >= 10


def test_the_generator_reaches_every_part_of_the_language() -> None:
    rng = random.Random(7)
    texts = [condition(Draw(rng.randbytes(200))) for _ in range(3000)]
    good = [text for text in texts if check_condition(text, facts(Draw(rng.randbytes(64))))]
    for part in ("is_set(", "like(", "any(", "count(", "not ", " and ", " or ", " in ", "default(", " * ", " / "):
        assert any(part in text for text in good), part


def test_hostile_conditions_reach_nothing_outside() -> None:
    words = [sys.executable, "-W", "error", str(HERE / "audited.py"), "7"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    assert heard["meanwhile"] == ["compile"]  # by ast.parse, which compiles to a tree and runs nothing
    assert "open" in heard["afterwards"]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_minutes_of_fuzzing_find_nothing(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("DDBMIG_FUZZ_SEED") or secrets.randbelow(2**31))
    others = (1 - sum(SHARES.values())) / (len(TARGETS) - len(SHARES))
    seconds = max(1, round(SECONDS * SHARES.get(target, others)))
    words = [sys.executable, "-W", "error", str(HERE / "fuzz_rules.py"), target, str(seconds), str(seed)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr + done.stdout)
    with capsys.disabled():
        print(f"\n{target}: seed {seed}, {seconds} s, {runs.group(1) if runs else 'no'} runs")
    assert done.returncode == 0, done.stderr[-4000:]
    assert runs
    assert int(runs.group(1)) >= seconds
