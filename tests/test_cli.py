"""The command line as people see it: transcripts, a terminal, a pipe, Ctrl-C, and a quick `--help`.

A transcript in data/cli/ is a case: lines `$ ddbmig …` with what they print and `[exit N]`, run in a folder that holds
the project `shop`. Other `$` lines are run by the shell. What is expected is compared as in transcripts.py.
"""

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ddbmig.cli import cli
from small_shop import command_line, contents, ddbmig, ddbmig_process, write_shop
from transcripts import pattern

TRANSCRIPTS = Path(__file__).parent / "data" / "cli"


def steps(text: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of a transcript, each with the lines that follow it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *expected = part.rstrip("\n").split("\n")
        yield command, expected


@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_shop(tmp_path / "shop")
    for command, expected in steps(path.read_text()):
        if not command.startswith("ddbmig "):
            subprocess.run(["sh", "-ec", command], check=True)
            continue
        done = ddbmig(*shlex.split(command)[1:])
        printed = f"{done.out}{done.err}[exit {done.code}]\n"
        assert re.fullmatch(pattern(expected), printed), f"$ {command}\n{printed}"


# --- a terminal ---


def on_a_terminal(folder: Path, answers: list[str]) -> tuple[int, str]:
    """Run analyze on a pseudo-terminal and answer each prompt; gives the exit code and what was shown."""
    ours, theirs = pty.openpty()
    words = command_line("analyze", folder, "--engine", "moto")
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        shown, asked = b"", 0
        while chunk := read(ours):
            shown += chunk
            if shown.count(b"[y/N]: ") > asked:
                os.write(ours, answers[asked].encode() + b"\n")
                asked += 1
        os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def read(descriptor: int) -> bytes:
    """What the terminal shows next; nothing once the other side is closed."""
    ready, _, _ = select.select([descriptor], [], [], 60)
    try:
        return os.read(descriptor, 65536) if ready else b""
    except OSError:  # Linux: EIO when nobody holds the other side any more
        return b""


def test_a_terminal_shows_the_summary_and_asks(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    code, shown = on_a_terminal(folder, ["y", "n"])
    assert code == 3
    assert "Stage 1  MySQL analysis and context\n         4 tables, 43 rows\n" in shown
    assert "Approve stage 1 and go on? [y/N]: y\n" in shown
    assert "\nStage 2  Access patterns\n         3 relationships: " in shown
    assert "Approve stage 2 and go on? [y/N]: n\n" in shown
    assert shown.splitlines()[-1].endswith(f"ddbmig approve 2 --project {folder} && ddbmig analyze {folder}")
    assert not (folder / "migration" / "design.json").exists()


def test_yes_to_every_prompt_leads_to_the_end(tmp_path: Path) -> None:
    code, shown = on_a_terminal(write_shop(tmp_path / "shop"), ["y"] * 6)
    assert (code, shown.count("[y/N]: y")) == (0, 6)
    assert shown.splitlines()[-1].startswith("The contract is ")


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_the_gate_is_coloured_on_a_terminal_only(
    tmp_path: Path, variables: dict[str, str], coloured: bool
) -> None:  # fmt: skip
    folder = write_shop(tmp_path / "shop")
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | variables
    words = command_line("check", folder, "--today", "2026-11-25")
    with subprocess.Popen(words, stdout=theirs, stderr=theirs, env=environment, start_new_session=True) as process:
        os.close(theirs)
        shown = b""
        while chunk := read(ours):
            shown += chunk
        os.close(ours)
    assert process.returncode == 0
    assert (b"\x1b[1;32mGate passed" in shown) is coloured
    assert b"\x1b" not in ddbmig("check", folder).out.encode()


# --- being stopped ---


def marked_processes(mark: str) -> list[int]:
    """The processes that carry a mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:  # ended meanwhile, or not ours
            continue
    return found


def interrupt(folder: Path, sign: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Start analyze, send Ctrl-C once the file `sign` is there; gives how it ended and the mark of its processes."""
    mark = f"ddbmig-test-{uuid.uuid4()}"
    process = subprocess.Popen(
        command_line("analyze", folder, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "MARK": mark}, start_new_session=True
    )  # fmt: skip
    end = time.monotonic() + 60
    while not sign.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, out, err), mark


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.engine
def test_ctrl_c_leaves_whole_files_and_no_server(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    done, mark = interrupt(folder, folder / "migration" / "plans.json", "--approve", "all", "--engine", "jar")
    assert (done.returncode, done.stderr.strip()) == (130, "ddbmig: interrupted")
    end = time.monotonic() + 15
    while marked_processes(mark) and time.monotonic() < end:
        time.sleep(0.1)
    assert marked_processes(mark) == []
    assert [name for name in contents(folder) if name.endswith(".tmp")] == []
    again = ddbmig("analyze", folder, "--approve", "all", "--engine", "moto")
    fresh = write_shop(tmp_path / "fresh")
    assert ddbmig("analyze", fresh, "--approve", "all", "--engine", "moto").code == again.code == 0
    assert contents(folder / "migration") == contents(fresh / "migration")


PRINTING = (
    ["--help"], ["doctor"], ["status", "--project", "shop"], ["check", "shop"], ["check", "shop", "--json"],
    ["rules", "list"], ["rules", "facts"], ["config", "show"],
)  # fmt: skip


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_a_closed_pipe_is_no_error(tmp_path: Path, words: list[str]) -> None:
    folder = write_shop(tmp_path / "shop")
    ddbmig("analyze", folder)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            command_line(*words), cwd=tmp_path, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")


# --- quickness ---


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    program = """
import resource, sys
from ddbmig.cli import main
sys.argv = ["ddbmig", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code
usage = resource.getrusage(resource.RUSAGE_SELF)
print(usage.ru_utime + usage.ru_stime, *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, *modules = done.stdout.splitlines()[-1].split()
    heavy = {"sqlglot", "boto3", "botocore", "moto", "pydantic", "yaml", "pymysql", "docker", "jinja2", "anthropic",
             "numpy", "highspy"}  # fmt: skip
    assert heavy.isdisjoint(modules)
    assert float(seconds) < 0.3


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, with the groups that lead to it."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", list(commands(cli)), ids=" ".join)
def test_every_command_has_help_for_every_option(command: tuple[str, ...]) -> None:
    done = ddbmig(*command, "--help")
    assert done.code == 0
    assert re.search(r"^  \S+ \S+ \S+", done.out, re.MULTILINE)
    options = re.findall(r"^  (?:-\w, )?--\S+.*$(?:\n {10,}\S.*$)*", done.out, re.MULTILINE)
    assert options
    assert all(re.search(r"\s{2,}\S+ \S+", option) for option in options)


def groups(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every group of commands, with the groups that lead to it."""
    yield path
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from groups(command, (*path, name))


@pytest.mark.parametrize("group", list(groups(cli)), ids=" ".join)
def test_no_line_of_a_list_of_commands_is_cut(group: tuple[str, ...]) -> None:
    listed = ddbmig(*group, "--help").out.partition("Commands:\n")[2]
    assert listed
    assert "..." not in listed


@pytest.mark.parametrize(
    ("words", "expected"),
    [("ddbmig sim", "simulate"), ("ddbmig contract pre", "preview"), ("ddbmig analyze --eng", "--engine")],
)
def test_bash_completes_commands_and_options(words: str, expected: str, tmp_path: Path) -> None:
    command = tmp_path / "ddbmig"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(command_line())} "$@"\n')
    command.chmod(0o755)
    script = f"""{ddbmig("completion", "bash").out}
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _ddbmig_completion {command}; echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [expected]


def test_the_installed_command_and_its_version() -> None:
    done = ddbmig_process("--version")
    assert re.fullmatch(r"ddbmig, version \d+\.\d+\.\d+\n", done.out)
