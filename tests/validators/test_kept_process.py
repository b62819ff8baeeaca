"""A kept process ends with us, however we end."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ddbmig.validators.kept_process import free_port, kept, wait_until

SERVER = ["sh", "-c", "echo $$ > pid; exec sleep 600"]


def pid_in(folder: Path) -> int:
    """The pid the server wrote down, as soon as it did."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        text = (folder / "pid").read_text() if (folder / "pid").exists() else ""
        if text.endswith("\n"):
            return int(text)
        time.sleep(0.01)
    raise AssertionError("the server did not start")


def ends(pid: int) -> bool:
    """Whether a process is gone, or a zombie nobody has buried, within some seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_it_ends_with_the_block(tmp_path: Path) -> None:
    with kept(SERVER, log=tmp_path / "log", cwd=tmp_path):
        pid = pid_in(tmp_path)
        os.kill(pid, 0)
    assert ends(pid)


def test_it_ends_with_an_exception(tmp_path: Path) -> None:
    def interrupted() -> None:
        with kept(SERVER, log=tmp_path / "log", cwd=tmp_path):
            pid_in(tmp_path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ends(pid_in(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_it_ends_when_a_signal_ends_us(number: signal.Signals, tmp_path: Path) -> None:
    program = f"""
        import pathlib, signal, time
        from ddbmig.validators.kept_process import kept
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which whoever started the tests may have had ignored
        folder = pathlib.Path({str(tmp_path)!r})
        with kept({SERVER!r}, log=folder / "log", cwd=folder):
            time.sleep(600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stderr=subprocess.DEVNULL) as process:
        pid = pid_in(tmp_path)
        process.send_signal(number)
        assert process.wait(60) != 0
    assert ends(pid)


def test_its_end_is_noticed_and_its_output_kept(tmp_path: Path) -> None:
    with kept(["sh", "-c", "echo output; exit 3"], log=tmp_path / "log") as process:
        assert not wait_until(lambda: False, process, seconds=10)
        assert process.returncode == 3
    assert (tmp_path / "log").read_text() == "output\n"


def test_waiting_ends(tmp_path: Path) -> None:
    with kept(SERVER, log=tmp_path / "log", cwd=tmp_path) as process:
        assert wait_until(lambda: True, process, seconds=10)
        assert not wait_until(lambda: False, process, seconds=0.1)


def test_a_free_port_is_a_port() -> None:
    assert 1024 <= free_port() <= 65535
