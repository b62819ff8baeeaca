"""Microsoft's SARIF validator and the schema of SARIF 2.1.0, as an npm package ships them.

The validator knows what the schema cannot say, and what GitHub refuses. It is silent on a file that it cannot read,
such as one with a level of another name; the schema is not.
"""

import json
import platform
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest

from npm_packages import unpacked

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


def fetched_validator() -> Path:
    """The folder in the cache that holds both; fetched by npm the first time."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the SARIF validator is fetched for Linux on x86-64")
    folder = unpacked(PACKAGE, SHA256, "", "sarif-multitool-5.7.0")
    (folder / PROGRAM).chmod(0o755)
    return folder
