"""Progress on the terminal: what is being done, how much of it, and how much time is left.

It goes to the standard error, to a terminal only, and not where CI is set or `--quiet` was given. What is counted is
shown in one line that is overwritten and vanishes with its step.
"""

import os
import shutil
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import click

FIRST_ESTIMATE = 2.0
"""Seconds after which a step's time left is estimated: before, it would be noise, and most steps are over by then."""
EVERY = 0.2
"""Seconds between two looks of one line."""
OVER = 1.5
"""An estimate by which a step takes so many times longer than was shown makes the shown one a lower bound."""
_QUIET = "ddbmig.quiet"
_CLEAR = "\r\x1b[K"


def in_ci() -> bool:
    """Whether this is a pipeline: nobody watches there, and no model is asked unless the command itself says so."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _be_quiet(context: click.Context, _option: click.Parameter, quiet: bool) -> None:
    if quiet:
        context.meta[_QUIET] = True


def with_quiet(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--quiet`, for commands that show progress."""
    return click.option(
        "--quiet", "-q", is_flag=True, expose_value=False, callback=_be_quiet, help="Show no progress."
    )(command)


class Estimate:
    """The time left of one step, from the share that is done: a figure that never grows."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._shown: float | None = None

    def words(self, done: int, of: int, now: float) -> str:
        """E.g. "42 %, about 3 min left"; without a time while there is nothing to tell it from."""
        share = min(done / of, 1.0)
        percent, elapsed = f"{int(share * 100)} %", now - self._began
        if not done or elapsed < FIRST_ESTIMATE:
            return percent
        left = elapsed * (1 - share) / share
        before = self._shown
        self._shown = left if before is None else min(before, left)
        word = "about" if before is None or left <= before * OVER else "over"
        return f"{percent}, {word} {duration(self._shown)} left"


def duration(seconds: float) -> str:
    """Time as a person says it: whole seconds up to a minute and a half, then minutes, then hours."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class TerminalProgress:
    """Lines for somebody who waits at a terminal."""

    def __init__(self, write: Callable[[str], None], width: int, clock: Callable[[], float] = monotonic) -> None:
        self._write, self._width, self._clock = write, width, clock
        self._counted: str | None = None
        self._estimate = Estimate(0.0)
        self._drawn = float("-inf")
        self._open = False

    def __call__(self, text: str, done: int = 0, of: int = 0) -> None:
        from ddbmig.reporters.markdown import visible

        text = visible(text)
        if of <= 0:
            self.clear()
            self._counted = None
            self._write(f"… {text}\n")
            return
        now = self._clock()
        if text != self._counted:
            self._counted, self._estimate, self._drawn = text, Estimate(now), float("-inf")
        if done >= of:
            self.clear()
        elif now - self._drawn >= EVERY:
            line = f"… {text}: {self._estimate.words(done, of, now)}"
            self._write(_CLEAR + (line if len(line) < self._width else line[: self._width - 2] + "…"))
            self._drawn, self._open = now, True

    def clear(self) -> None:
        """Take the line of counts away."""
        if self._open:
            self._write(_CLEAR)
            self._open = False


def progress(text: str, done: int = 0, of: int = 0) -> None:
    """What the running command does, to somebody who waits at a terminal."""
    context = click.get_current_context(silent=True)
    if context is None or context.meta.get(_QUIET) or in_ci() or not sys.stderr.isatty():
        return
    shown = context.meta.get(__name__)
    if shown is None:
        width = shutil.get_terminal_size().columns
        shown = context.meta[__name__] = TerminalProgress(lambda text: click.echo(text, nl=False, err=True), width)
        context.call_on_close(shown.clear)
    shown(text, done, of)
