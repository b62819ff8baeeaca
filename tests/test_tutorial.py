"""The tutorial is walked as a reader would, in a folder that holds examples/bookshop; what it prints is what is shown.

The first two stages in every test run; the whole, with DynamoDB Local, at night.
"""

import re
import shutil
from pathlib import Path

import pytest

from transcripts import walk

THIRD = "\n## Stage 3"
"""Where the part ends that needs no solver and no DynamoDB."""


@pytest.fixture
def page(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    own = shutil.ignore_patterns("migration", "*.jsonl", "decisions.yaml", ".*", "__pycache__")
    shutil.copytree(repository / "examples" / "bookshop", tmp_path / "examples" / "bookshop", ignore=own)
    monkeypatch.chdir(tmp_path)
    return (repository / "docs" / "tutorial.md").read_text("utf-8")


def test_the_first_two_stages(page: str) -> None:
    first, found, _ = page.partition(THIRD)
    assert found
    walk(first)


@pytest.mark.slow
@pytest.mark.usefixtures("dynamodb_local")
def test_the_whole_way_to_the_contract(page: str, repository: Path, tmp_path: Path) -> None:
    walk(page)
    assert [path.name for path in tmp_path.iterdir()] == ["examples"]


def test_every_stage_has_its_section(page: str) -> None:
    assert re.findall(r"^## Stage (\d): ", page, re.MULTILINE) == list("123456")
