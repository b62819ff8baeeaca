"""What a transcript of commands needs: run one as a reader would, and compare what it prints.

In what is expected `…` stands for the rest of a word or line, and on a line of its own for any lines.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from small_shop import Done, ddbmig


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
