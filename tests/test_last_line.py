"""A person at a terminal who does nothing but what the last line says reaches the contract."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from small_shop import write_shop

PROMPT = "ready> "
MOST_STEPS = 20


class Shell:
    """A shell on a pseudo-terminal, typed at and read like one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def shown(self) -> str:
        """What is shown until somebody is asked for something: the shell's prompt, or a question of ours."""
        shown = ""
        while not shown.endswith((PROMPT, "[y/N]: ")):
            ready, _, _ = select.select([self._descriptor], [], [], 120)
            assert ready, f"nothing more after: {shown}"
            shown += os.read(self._descriptor, 65536).decode()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r\n", "\n")

    def type(self, line: str) -> str:
        """Type a line and press Enter; what is shown then."""
        os.write(self._descriptor, f"{line}\n".encode())
        return self.shown()


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    ours, theirs = pty.openpty()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "PS1": PROMPT, "TERM": "xterm", "HOME": os.environ.get("HOME", "/"), "COLUMNS": "80"}
    with subprocess.Popen(["sh", "-i"], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=variables,
                          start_new_session=True) as process:  # fmt: skip
        os.close(theirs)
        try:
            person = Shell(ours)
            person.shown()
            yield person
        finally:
            process.kill()
            os.close(ours)


def said_to_type(last_line: str) -> str | None:
    """The command at the end of a line that tells what to do next."""
    found = re.search(r"(?:then|Next): (ddbmig .*)$", last_line)
    return found[1] if found else None


def followed(person: Shell, answer: str) -> tuple[list[str], str]:
    """Type what each last line says, and answer every question alike: the commands, and the last line of all."""
    command: str | None = "ddbmig analyze shop --engine moto"
    typed = []
    while command is not None:
        typed.append(command)
        assert len(typed) < MOST_STEPS, typed
        shown = person.type(command)
        while shown.endswith("[y/N]: "):
            shown = person.type(answer)
        last = shown.removesuffix(PROMPT).strip().splitlines()[-1]
        command = said_to_type(last)
    return typed, last


@pytest.mark.parametrize(("answer", "steps"), [("n", 7), pytest.param("y", 1, marks=pytest.mark.slow)])
def test_the_last_line_leads_to_the_contract(tmp_path: Path, answer: str, steps: int) -> None:
    write_shop(tmp_path / "shop")
    with shell(tmp_path) as person:
        typed, last = followed(person, answer)
    assert last == "The contract is shop/migration/migrationContract.json; the reports are beside it."
    assert len(typed) == steps
    assert (tmp_path / "shop" / "migration" / "migrationContract.json").is_file()
    approved = (tmp_path / "shop" / "approvals.jsonl").read_text().splitlines()
    assert len(approved) == 6


@pytest.mark.slow
def test_a_stage_that_is_opened_again_leads_there_too(tmp_path: Path) -> None:
    write_shop(tmp_path / "shop")
    with shell(tmp_path) as person:
        followed(person, "y")
        last = person.type("ddbmig reopen 3 --project shop").removesuffix(PROMPT).strip().splitlines()[-1]
        command = said_to_type(last)
        assert command is not None, last
        while command is not None:
            shown = person.type(command)
            while shown.endswith("[y/N]: "):
                shown = person.type("y")
            last = shown.removesuffix(PROMPT).strip().splitlines()[-1]
            command = said_to_type(last)
    assert last.startswith("The contract is shop/migration/migrationContract.json")
