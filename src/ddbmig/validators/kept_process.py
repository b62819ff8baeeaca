"""A server process that never outlives us, however we die.

The server is started by a keeper (this file, run as a script), which holds the reading end of a pipe. Whatever ends
us - the end of a `with` block, Ctrl-C, SIGTERM, even SIGKILL - closes the writing end, and the keeper kills the
server. Signals of the terminal do not reach either: they have a session of their own.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_SECONDS = 10


@contextmanager
def kept(
    command: Sequence[str], *, log: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the length of a `with` block; its output goes to the file `log`."""
    with log.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-I", __file__, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
    try:
        yield keeper
    finally:
        _stop(keeper)


def _stop(keeper: subprocess.Popen[bytes]) -> None:
    """Close the pipe, whereupon the keeper kills and reaps the server; where that fails kill the whole group."""
    if keeper.stdin:
        keeper.stdin.close()
    try:
        keeper.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()


def free_port() -> int:
    """A loopback TCP port that is free now. Another process may take it first: be ready to try again."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(answers: Callable[[], bool], process: subprocess.Popen[bytes], *, seconds: float) -> bool:
    """Ask `answers` until it says yes (True), the process ends or the time is over (False)."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if answers():
            return True
        time.sleep(0.05)
    return False


def _keep(command: Sequence[str]) -> int:
    """Run the command until it ends or standard input closes."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def kill_when_alone() -> None:
        sys.stdin.buffer.read()
        server.kill()

    threading.Thread(target=kill_when_alone, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    # os._exit: a daemon thread that still reads standard input must not disturb the interpreter's shutdown
    os._exit(_keep(sys.argv[1:]) & 0xFF)
