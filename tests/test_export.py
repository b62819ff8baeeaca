"""`ddbmig export`: of what is approved, to a file or the standard output, the same bytes each time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ddbmig.cli_export import KINDS
from ddbmig.reporters.exports import EXPORTS
from small_shop import ddbmig, write_shop


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop after all six stages."""
    shop = write_shop(tmp_path_factory.mktemp("export") / "shop")
    assert ddbmig("analyze", shop, "--engine", "moto", "--approve", "all").code == 0
    return shop


@pytest.fixture
def shop(analysed: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(analysed, tmp_path / "shop"))


def test_the_command_has_every_kind() -> None:
    assert tuple(EXPORTS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_to_a_file_and_to_the_standard_output_are_the_same(analysed: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "new" / "file"
    done = ddbmig("export", kind, "--project", analysed, "--file", file)
    assert (done.code, done.out, done.err) == (0, f"The file is {file}.\n", "")
    text = file.read_text("utf-8")
    assert ddbmig("export", kind, "--project", analysed).out == text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert str(tmp_path) not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_it_was_made_from(analysed: Path, kind: str) -> None:
    import hashlib

    text = ddbmig("export", kind, "--project", analysed).out
    contract = hashlib.sha256((analysed / "migration" / "migrationContract.json").read_bytes()).hexdigest()
    approvals = (analysed / "approvals.jsonl").read_text().splitlines()
    approval = next(line.split('"decision": "')[1][:64] for line in approvals if '"stage": 3' in line)
    assert contract in text
    assert approval in text
    assert "rules" in text


EVERY = """\
import sys
from pathlib import Path
from ddbmig import exports
from ddbmig.cli_export import KINDS
from ddbmig.project import open_project
project = open_project(Path(sys.argv[1]), None, ())
for kind in KINDS:
    sys.stdout.buffer.write(exports.export(project, kind).encode())
"""


def test_the_bytes_are_those_of_another_hash_seed_and_time_zone(analysed: Path) -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-c", EVERY, analysed], env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True, check=True,
        ).stdout
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"))
    }  # fmt: skip
    assert len(texts) == 1
    assert texts != {b""}


def test_what_is_not_approved_is_refused_or_a_draft(shop: Path) -> None:
    assert ddbmig("reopen", "3", "--project", shop).code == 0
    file = shop / "template.yaml"
    done = ddbmig("export", "cloudformation", "--project", shop, "--file", file)
    assert done.code == 3
    assert done.err == (
        f"ddbmig: {shop}/migration/Stage3_DataModel.md: stage 3 (Data model) is not approved as it is now; read it, "
        f"then: ddbmig approve 3 --project {shop} && ddbmig analyze {shop}; or see a draft with --draft\n"
    )
    assert not file.exists()
    assert ddbmig("export", "cloudformation", "--project", shop, "--file", file, "--draft").code == 0
    assert "# approval: none, a draft\n" in file.read_text()


def test_a_contract_that_was_edited_is_not_the_approved_one(shop: Path) -> None:
    contract = shop / "migration" / "migrationContract.json"
    contract.write_text(contract.read_text().replace('"estimated_item_size_bytes": ', '"estimated_item_size_bytes": 1'))
    done = ddbmig("export", "cloudformation", "--project", shop)
    assert done.code == 3
    assert "stage 6 (Migration contract) is not approved as it is now" in done.err


def test_a_contract_of_another_design_is_refused_even_for_a_draft(shop: Path) -> None:
    assert ddbmig("choose", "design", "faithful", "--project", shop).code == 0
    assert ddbmig("analyze", shop, "--engine", "moto").code == 3
    done = ddbmig("export", "cloudformation", "--project", shop, "--draft")
    assert done.code == 2
    assert "the contract was made from another design than the saved one" in done.err
    assert f"first: ddbmig analyze {shop}" in done.err


def test_without_an_analysis_there_is_nothing_to_export(tmp_path: Path) -> None:
    done = ddbmig("export", "cloudformation", "--project", write_shop(tmp_path / "shop"))
    assert done.code == 2
    assert "no such contract" in done.err
    assert "ddbmig analyze" in done.err


def test_a_file_that_cannot_be_written_is_one_line(analysed: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = ddbmig("export", "cloudformation", "--project", analysed, "--file", tmp_path / "folder")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert str(tmp_path / "folder") in done.err


def test_an_unknown_kind_is_told_what_there_is(analysed: Path) -> None:
    done = ddbmig("export", "cloudfront", "--project", analysed)
    assert done.code == 2
    assert "cloudformation" in done.err
