"""Ctrl-C that reaches us also when it comes where Python cannot raise it.

CPython runs a signal's handler between two instructions of the main thread, whatever these belong to. Inside a
`__del__`, a weak reference's callback or a foreign library's callback the KeyboardInterrupt is printed and forgotten
(https://docs.python.org/3/library/sys.html#sys.unraisablehook), and the command goes on as if nobody had asked.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_AFTER = 0.01
"""Seconds until a lost interrupt is raised once more: by then the callback that lost it has returned."""


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Raise each KeyboardInterrupt again that was lost inside; other lost errors go to the hook that was there.

    Does nothing outside the main thread, and where the system has no timers (Windows).
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    hook = sys.unraisablehook

    def keep(lost: "sys.UnraisableHookArgs") -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_AFTER)
        else:
            hook(lost)

    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    sys.unraisablehook = keep
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
