"""The YAML files of another revision of the repository, fetched with git: what the rules were before a change."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ddbmig.model.errors import UsageError

_SUFFIXES = (".yaml", ".yml")


@contextmanager
def at_revision(folder: Path, revision: str) -> Iterator[Path]:
    """A temporary copy of `folder` as it was at a revision, with the YAML files of the whole repository round it.

    Raises UsageError where there is no git, no repository or no such revision.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    name = f"{revision}^{{commit}}"
    commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", name, subject=revision).decode().strip()
    with tempfile.TemporaryDirectory(prefix="ddbmig-") as scratch:
        for path, content in _yaml_files(top, commit):
            target = Path(scratch) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        yield Path(scratch) / folder.resolve().relative_to(top.resolve())


def _yaml_files(top: Path, commit: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every regular YAML file of a commit; links are not followed."""
    listed = _git(top, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")
    files = [entry.partition(b"\t") for entry in listed if entry.startswith(b"100")]
    wanted = [(info.split()[2], name.decode("utf-8", "surrogateescape")) for info, _, name in files]
    wanted = [(blob, name) for blob, name in wanted if name.endswith(_SUFFIXES)]
    answer = _git(top, "cat-file", "--batch", given=b"".join(blob + b"\n" for blob, _ in wanted))
    at = 0
    for _, name in wanted:  # git answers each line with "<blob> blob <size>", the content and a line break
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[2])
        yield name, answer[end + 1 : end + 1 + size]
        at = end + size + 2


def _git(folder: Path, *words: str, subject: str | None = None, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], input=given, capture_output=True, check=False)
    except OSError as error:
        raise UsageError("git cannot be run", hint="install git, or compare with ddbmig:recommended") from error
    if done.returncode == 0:
        return done.stdout
    if subject is not None:
        raise UsageError("git has no such revision", subject=subject, hint="see: git log")
    raise UsageError("not in a git repository", file=str(folder), hint="compare with ddbmig:recommended")
