"""Progress: an estimate by a fake clock, and what a person at a terminal sees of a whole run."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from ddbmig.cli_progress import FIRST_ESTIMATE, Estimate, TerminalProgress, duration
from ddbmig.model.progress import stepwise
from small_shop import ddbmig_process, write_shop


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal:
    """What was written, and the line that a person sees at the end."""

    def __init__(self, width: int = 80) -> None:
        self.clock, self.written = Clock(), ""
        self.progress = TerminalProgress(self._write, width, self.clock)

    def _write(self, text: str) -> None:
        self.written += text

    @property
    def line(self) -> str:
        return re.split(r"\r\x1b\[K", self.written.rsplit("\n", 1)[-1])[-1]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (150, "2 min"), (3600, "60 min"), (5400, "1.5 h"), (36000, "10.0 h")],
)
def test_time_is_told_as_a_person_says_it(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_a_steady_step_is_estimated_from_its_share() -> None:
    estimate = Estimate(0.0)
    assert estimate.words(0, 100, 0.0) == "0 %"
    assert estimate.words(1, 100, FIRST_ESTIMATE / 2) == "1 %"
    assert estimate.words(20, 100, 20.0) == "20 %, about 80 s left"
    assert estimate.words(99, 100, 99.0) == "99 %, about 1 s left"


def test_the_time_left_never_grows_and_says_when_it_was_too_short() -> None:
    estimate = Estimate(0.0)
    assert estimate.words(50, 100, 10.0) == "50 %, about 10 s left"
    assert estimate.words(55, 100, 60.0) == "55 %, over 10 s left"
    assert estimate.words(90, 100, 62.0) == "90 %, about 7 s left"


@pytest.mark.parametrize("speeds", [(1, 1, 1, 1), (5, 1, 9, 2), (1, 30, 1, 30)])
def test_shares_and_times_are_monotone_whatever_the_speed(speeds: tuple[int, ...]) -> None:
    terminal, seen = Terminal(), list[str]()
    for number in range(100):
        terminal.progress("loading", number, 100)
        seen.append(terminal.line)
        terminal.clock.now += speeds[number % len(speeds)]
    shares = [int(line.split(": ")[1].split(" %")[0]) for line in seen]
    assert all(one <= other for one, other in pairwise(shares))
    units = {"s": 1, "min": 60, "h": 3600}
    left = [
        float(found[1]) * units[found[2]] for line in seen if (found := re.search(r"([\d.]+) (s|min|h) left", line))
    ]
    assert len(left) > 90
    assert all(one + 30 >= other for one, other in pairwise(left))  # a minute and a half is shown as 2 min
    assert left[-1] < left[0]


def test_a_line_of_counts_vanishes_with_its_step() -> None:
    terminal = Terminal()
    terminal.progress("loading")
    terminal.progress("loading", 1, 2)
    assert terminal.line == "… loading: 50 %"
    terminal.progress("loading", 2, 2)
    assert terminal.line == ""
    terminal.progress("running the plans", 1, 4)
    terminal.progress("comparing")
    assert terminal.written.endswith("\r\x1b[K… comparing\n")


def test_a_step_that_is_begun_again_is_estimated_anew() -> None:
    terminal = Terminal()
    terminal.progress("reading a", 50, 100)
    terminal.clock.now += 100
    terminal.progress("reading b", 50, 100)
    assert terminal.line == "… reading b: 50 %"


def test_what_a_name_holds_is_text_and_the_line_fits() -> None:
    terminal = Terminal(width=40)
    terminal.progress("reading \x1b[2J\n" + "a" * 100, 1, 2)
    assert len(terminal.line) < 40
    assert "\x1b" not in terminal.line
    assert "\n" not in terminal.written


def test_it_is_drawn_at_most_some_times_a_second() -> None:
    terminal = Terminal()
    for number in range(10_000):
        terminal.progress("loading", number, 10_000)
        terminal.clock.now += 0.001
    assert terminal.written.count("loading") <= 10 / 0.2 + 1


def test_things_are_counted_before_and_after() -> None:
    heard: list[tuple[str, int, int]] = []
    assert list(stepwise(lambda text, done=0, of=0: heard.append((text, done, of)), "x", "ab")) == ["a", "b"]
    assert heard == [("x", 0, 2), ("x", 1, 2), ("x", 2, 2)]


def at_a_terminal(arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """What a command that has a terminal for all three streams shows there, as it was written."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from ddbmig.cli import main; main()", *arguments]
    variables = {**{k: v for k, v in os.environ.items() if k != "CI"}, "TERM": "xterm", "COLUMNS": "80", **environment}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables) as process:
        os.close(theirs)
        shown = b""
        while True:
            ready, _, _ = select.select([ours], [], [], 120)
            assert ready, shown
            try:
                data = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other side is closed
                break
            if not data:
                break
            shown += data
    os.close(ours)
    return process.returncode, shown.decode()


@pytest.mark.parametrize(
    ("extra", "environment", "heard"),
    [((), {}, True), (("--quiet",), {}, False), ((), {"CI": "true"}, False)],
    ids=["a person", "quiet", "CI"],
)
def test_a_terminal_shows_it_and_ci_does_not(
    tmp_path: Path, extra: tuple[str, ...], environment: dict[str, str], heard: bool
) -> None:
    shop = write_shop(tmp_path / "shop")
    code, shown = at_a_terminal(["check", str(shop), "--design", *extra], environment)
    assert code == 0, shown
    assert ("… " in shown) == heard
    assert ("designing the alternatives: " in shown) == heard
    assert ("\x1b[K" in shown) == heard


def test_a_pipe_hears_nothing_and_nothing_is_in_the_files(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop")
    done = ddbmig_process("analyze", shop, "--approve", "1")
    assert done.code == 3
    assert "…" not in done.err
    for file in (shop / "migration").glob("*.md"):
        assert "left" not in file.read_text().splitlines()[0]
        assert "\x1b" not in file.read_text()
