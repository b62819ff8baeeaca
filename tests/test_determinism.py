"""Same inputs, same bytes: under another hash seed, from another working folder, into another output folder."""

import shutil
from pathlib import Path

import pytest

from small_shop import contents, ddbmig_process, write_shop


def outputs(project: Path, out: Path, seed: str, *words: str) -> dict[str, bytes]:
    """What a whole run writes into `out`; run from the folder above the project, whose path is then relative."""
    done = ddbmig_process(
        "analyze", project.name, "--approve", "all", "--out", out, *words,
        cwd=project.parent, env={"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "1" else "UTC"}
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    return contents(out)


def in_another_place(project: Path, folder: Path) -> Path:
    """The project's inputs, without what a run wrote, under another path."""
    inputs = shutil.ignore_patterns("migration", "approvals.jsonl", "__pycache__", "*.py")
    return Path(shutil.copytree(project, folder / project.name, ignore=inputs))


@pytest.mark.parametrize("engine", ["moto", pytest.param("jar", marks=pytest.mark.engine)])
def test_a_small_application_gives_the_same_bytes(tmp_path: Path, engine: str) -> None:
    one = write_shop(tmp_path / "one" / "shop")
    other = write_shop(tmp_path / "another folder" / "below" / "shop")
    first = outputs(one, tmp_path / "first", "0", "--engine", engine)
    second = outputs(other, tmp_path / "two" / "second", "1", "--engine", engine)
    assert len(first) == 19
    assert first == second


def test_no_file_holds_a_path_or_the_time(tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "here" / "shop")
    found = outputs(shop, tmp_path / "out", "0", "--engine", "moto")
    assert [name for name, text in found.items() if str(tmp_path).encode() in text] == []


@pytest.mark.engine
@pytest.mark.slow
def test_the_example_gives_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    example = repository / "examples" / "bookshop"
    one, other = (in_another_place(example, tmp_path / name) for name in ("one", "other"))
    for project in (one, other):
        (project / ".ddbmig-key").write_text("a key of tests\n")
    assert outputs(one, tmp_path / "first", "0") == outputs(other, tmp_path / "second", "1")


@pytest.mark.engine
@pytest.mark.slow
def test_the_example_goes_through_to_the_contract(repository: Path, tmp_path: Path) -> None:
    project = in_another_place(repository / "examples" / "bookshop", tmp_path)
    found = outputs(project, tmp_path / "out", "0")
    assert len(found) == 19
    assert b"moto" not in found["validation.json"]
