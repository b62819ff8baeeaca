"""The YAML files of another revision of the repository, fetched with git: what the rules were before a change."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ddbmig.model.errors import UsageError

_YAML = (":(top,glob)**/*.yaml", ":(top,glob)**/*.yml")


@contextmanager
def at_revision(folder: Path, revision: str) -> Iterator[Path]:
    """A temporary copy of `folder` as it was at a revision, with the YAML files of the whole repository round it.

    Raises UsageError where there is no git, no repository or no such revision.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}",
                  subject=revision).decode().strip()  # fmt: skip
    archive = _git(top, "archive", "--format=tar", commit, "--", *_YAML, subject=revision)
    with tempfile.TemporaryDirectory(prefix="ddbmig-") as scratch:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None  # links are not followed
                if content is not None:
                    path = Path(scratch) / member.name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())
        yield Path(scratch) / folder.resolve().relative_to(top.resolve())


def _git(folder: Path, *words: str, subject: str | None = None) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except OSError as error:
        raise UsageError("git cannot be run", hint="install git, or compare with ddbmig:recommended") from error
    if done.returncode != 0:
        if subject is None:
            raise UsageError("not in a git repository", file=str(folder), hint="compare with ddbmig:recommended")
        raise UsageError("git has no such revision with YAML files", subject=subject, hint="see: git log")
    return done.stdout
