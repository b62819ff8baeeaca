"""What a transcript of commands needs: run one as a reader would, and compare what it prints.

In what is expected `…` stands for the rest of a word or line, and on a line of its own for any lines.

In a page a block `sh` is run line by line; the block `text` right below it is what it prints. A line ends with
`# exit code N` where that is not 0. A block `yaml` or `python` that begins with `# path` is written to that file.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from small_shop import Done, ddbmig


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    lines: list[str]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of Markdown, in their order."""
    found = re.findall(r"^(`{3,})(\w*)\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)
    return [Block(language, body.splitlines()) for _, language, body in found]


def steps(block: Block) -> Iterator[tuple[str, int]]:
    """The commands of a block, each with the exit code that it ends with."""
    for line in block.lines:
        command, _, code = line.partition("# exit code ")
        yield command.strip(), int(code or 0)


def walk(text: str) -> None:
    """Do what a page says, in the working folder; fails at the first command that ends or prints otherwise."""
    found = blocks(text)
    assert any(block.language == "sh" for block in found)
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.language in ("yaml", "python") and block.lines[0].startswith("# "):
            Path(block.lines[0].removeprefix("# ")).write_text(block.text)
        if block.language != "sh":
            continue
        printed = ""
        for command, code in steps(block):
            done = run(command)
            assert done.code == code, f"{command}\n{done.out}{done.err}"
            printed += done.out + done.err
        if following is not None and following.language == "text":
            assert re.fullmatch(pattern(following.lines), printed), f"{block.text}\n{printed}"


def pattern(expected: list[str]) -> str:
    """What is expected as a regular expression."""
    lines = (r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in expected)
    return "".join(lines)


def run(command: str) -> Done:
    """Run a line of a shell in the working folder: in this process where it is one command of ours, which is quick."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    if words[0] == "ddbmig" and "$(" not in command and not any(set(word) <= set("();<>|&") for word in words):
        return ddbmig(*words[1:])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", command], capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    return Done(done.returncode, done.stdout, done.stderr)
