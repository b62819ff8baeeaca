"""The ready-made pipelines: valid for their consumers, and every ddbmig command in them does what it says."""

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from small_shop import Done, ddbmig, write_shop

CHECK = "check-jsonschema"


def tool(name: str, *words: str | Path) -> Done:
    """A command of the environment that the tests run in."""
    command = [str(Path(sys.executable).with_name(name)), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("file", "schema"),
    [("github-actions.yml", "vendor.github-workflows"), ("gitlab-ci.yml", "vendor.gitlab-ci")],
)
def test_a_pipeline_is_one_by_its_published_schema(repository: Path, tmp_path: Path, file: str, schema: str) -> None:
    good = repository / "examples" / "ci" / file
    done = tool(CHECK, "--builtin-schema", schema, good)
    assert (done.code, done.err) == (0, "")
    (tmp_path / file).write_text(
        good.read_text().replace("script:", "script: {a: b}\n    scripts:").replace("on:", "n:")
    )
    assert tool(CHECK, "--builtin-schema", schema, tmp_path / file).code == 1


def test_pre_commit_takes_our_hooks_and_the_example(repository: Path, tmp_path: Path) -> None:
    hooks, example = repository / ".pre-commit-hooks.yaml", repository / "examples" / "ci" / "pre-commit-config.yaml"
    assert tool("pre-commit", "validate-manifest", hooks).code == 0
    assert tool("pre-commit", "validate-config", example).code == 0
    offered = {hook["id"] for hook in yaml.safe_load(hooks.read_text())}
    assert {hook["id"] for repo in yaml.safe_load(example.read_text())["repos"] for hook in repo["hooks"]} == offered
    (tmp_path / "hooks.yaml").write_text(hooks.read_text().replace("entry:", "entrance:"))
    assert tool("pre-commit", "validate-manifest", tmp_path / "hooks.yaml").code == 1


# --- the commands in them ---


def scripts(value: Any) -> Iterator[str]:
    """Every `run` and `script` line of a pipeline."""
    if isinstance(value, dict):
        for key, inner in value.items():
            lines = inner if isinstance(inner, list) else [inner]
            yield from (line for line in lines if key in ("run", "script") and isinstance(line, str))
            yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def hook_commands(repository: Path) -> Iterator[str]:
    """What pre-commit would run: the entry of each hook with the arguments of the example."""
    hooks = {hook["id"]: hook for hook in yaml.safe_load((repository / ".pre-commit-hooks.yaml").read_text())}
    config = yaml.safe_load((repository / "examples" / "ci" / "pre-commit-config.yaml").read_text())
    for repo in config["repos"]:
        for hook in repo["hooks"]:
            yield shlex.join([*shlex.split(hooks[hook["id"]]["entry"]), *hook.get("args", [])])


def commands(repository: Path, source: str) -> list[str]:
    if source == "pre-commit":
        return list(hook_commands(repository))
    pipeline = yaml.safe_load((repository / "examples" / "ci" / source).read_text())
    return [line for line in scripts(pipeline) if line.startswith("ddbmig ")]


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a project in dynamodb/, analysed once, its baseline committed, without logs and data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    folder = write_shop(tmp_path / "dynamodb")
    ddbmig("analyze", folder, "--engine", "moto", "--approve", "all")
    assert ddbmig("check", folder, "--write-baseline").code == 0
    for name in ("general.log", "slow.log", "data.sql"):
        (folder / name).unlink()
    return tmp_path


@pytest.mark.parametrize("source", ["github-actions.yml", "gitlab-ci.yml", "pre-commit"])
def test_the_commands_pass_a_clean_repository_and_fail_a_violation(repository: Path, repo: Path, source: str) -> None:
    lines = commands(repository, source)
    assert any(line.startswith("ddbmig check") for line in lines)
    for line in lines:
        done = ddbmig(*shlex.split(line)[1:])
        assert done.code == 0, f"$ {line}\n{done.out}{done.err}"
    append(repo / "dynamodb" / "ddbmig.yaml", "gate: {fail_on: warning}\n")
    append(repo / "dynamodb" / "schema.sql", "CREATE TABLE keyless (a int);\n")
    codes = {line.split()[1]: ddbmig(*shlex.split(line)[1:]).code for line in lines}
    assert codes["check"] == 1


def test_what_the_pipelines_collect_is_written(repository: Path, repo: Path) -> None:
    for source in ("github-actions.yml", "gitlab-ci.yml"):
        for line in commands(repository, source):
            ddbmig(*shlex.split(line)[1:])
    sarif = json.loads((repo / "ddbmig.sarif").read_text())
    uris = {
        location["physicalLocation"]["artifactLocation"]["uri"]
        for result in sarif["runs"][0]["results"]
        for location in result["locations"]
    }
    assert uris
    assert all((repo / uri).is_file() for uri in uris)
    assert {path.name for path in repo.iterdir() if path.is_file()} == {
        "ddbmig.sarif", "ddbmig.md", "ddbmig-quality.json", "ddbmig-junit.xml"
    }  # fmt: skip
