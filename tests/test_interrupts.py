"""A Ctrl-C that comes inside a destructor still ends the command."""

import signal
import sys
import threading
import time

import pytest

from ddbmig.interrupts import interrupts_kept


class Raising:
    """Raises in its destructor, where Python cannot pass an error on."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __del__(self) -> None:
        raise self.error


def lose(error: BaseException) -> None:
    with interrupts_kept():
        Raising(error)
        time.sleep(5)


def test_a_lost_interrupt_comes_again() -> None:
    before = signal.getsignal(signal.SIGALRM), sys.unraisablehook
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lose(KeyboardInterrupt())
    assert time.monotonic() - started < 5
    assert (signal.getsignal(signal.SIGALRM), sys.unraisablehook) == before


def test_other_errors_go_where_they_went(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: seen.append(lost.exc_value))
    error = ValueError("x")
    with interrupts_kept():
        Raising(error)
    assert seen == [error]


def test_threads_have_no_signals_to_keep() -> None:
    hooks: list[object] = []

    def run() -> None:
        with interrupts_kept():
            hooks.append(sys.unraisablehook)

    hook = sys.unraisablehook
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert hooks == [hook]
