"""The project folder: its configuration, its key, what people decided, and writes that are whole or not at all."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.model.context import ProjectConfig
from ddbmig.model.errors import RuleError, UsageError
from ddbmig.project import (
    FIXED_KEY,
    Decisions,
    Project,
    check_writable,
    file_sha,
    open_project,
    price_file,
    read_prices,
    write_file,
)
from small_shop import contents


def project(folder: Path, text: str = "context: {lifecycle: growing}\n") -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ddbmig.yaml").write_text(text)
    return open_project(folder, None)


def loose(folder: Path) -> Project:
    return open_project(None, folder)


# --- opening ---


def test_a_project_is_a_folder_with_its_configuration(tmp_path: Path) -> None:
    found = project(tmp_path, "context: {lifecycle: mature}\nout: results\n")
    assert (found.folder, found.out, found.is_project) == (tmp_path, tmp_path / "results", True)
    assert found.config.context.lifecycle == "mature"
    assert open_project(tmp_path, Path("elsewhere")).out == Path("elsewhere")


def test_without_a_project_everything_lies_in_the_output() -> None:
    found = open_project(None, None)
    assert (found.folder, found.out, found.is_project) == (Path("migration"), Path("migration"), False)
    assert found.config == ProjectConfig()


@pytest.mark.parametrize("folder", ["nothing", "mysql://me:hunter2@host/db", "http://host:8000"])
def test_what_is_no_project_is_refused(folder: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_project(Path(folder), None)
    assert "hunter2" not in str(caught.value)
    assert caught.value.hint is not None


def test_every_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    text = "contexts: {}\ninputs:\n  data: one.sql\nworkload:\n  represents: seldom\npricing:\n  mode: provisoned\n"
    with pytest.raises(RuleError) as caught:
        project(tmp_path, text)
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "ddbmig.yaml:1:1: unknown key (contexts); did you mean context?",
        "ddbmig.yaml:3:9: not a list (inputs.data); expected [a, b]",
        "ddbmig.yaml:5:15: this value is not allowed (workload.represents); expected 'average' or 'peak', or a whole "
        "number",
        "ddbmig.yaml:7:9: this value is not allowed (pricing.mode); expected 'on-demand' or 'provisioned'; did you "
        "mean provisioned?",
    ]


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_configuration_or_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / "ddbmig.yaml").write_bytes(content)
    try:
        config = open_project(folder, None).config
    except UsageError as error:
        said = str(error)
    else:
        said = type(config).__name__
    assert said
    assert "\n" not in said


# --- decisions ---


NAMES = st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable())


@given(st.dictionaries(NAMES, NAMES, max_size=4), NAMES)
def test_decisions_come_back_as_they_were_taken(
    tmp_path_factory: pytest.TempPathFactory, choices: dict[str, str], design: str
) -> None:
    found = loose(tmp_path_factory.mktemp("decisions"))
    for choice in choices.items():
        found.decide(choice=choice)
    found.decide(design=design)
    assert found.decisions() == Decisions(design=design, choices=choices)


def test_decisions_always_name_the_design(tmp_path: Path) -> None:
    found = loose(tmp_path)
    found.decide(choice=("a.b->c.d", "separate"))
    assert found.decisions_file.read_text() == (
        '# Decisions of people; `ddbmig choose` writes here.\ndesign: "default"\nchoices:\n  "a.b->c.d": "separate"\n'
    )


# --- the key of hashed values ---


def test_a_project_keeps_a_key_that_git_ignores(tmp_path: Path) -> None:
    found = project(tmp_path)
    (tmp_path / ".gitignore").write_text("build\n")
    (tmp_path / "log").write_text("one")
    key = found.hash_key([tmp_path / "log"])
    assert sorted(contents(tmp_path)) == [".gitignore", "ddbmig.yaml", "log"]
    found.keep_key(key)
    (tmp_path / "log").write_text("another")
    assert found.hash_key([tmp_path / "log"]) == key != FIXED_KEY
    assert stat.S_IMODE((tmp_path / ".ddbmig-key").stat().st_mode) == 0o600
    assert (tmp_path / ".gitignore").read_text() == "build\n.ddbmig-key\n"


def test_the_key_is_made_from_the_inputs(tmp_path: Path) -> None:
    keys = []
    for name, content in (("a", "one"), ("b", "one"), ("c", "another")):
        folder = project(tmp_path / name)
        (folder.folder / "log").write_text(content)
        keys.append(folder.hash_key([folder.folder / "log"]))
    assert keys[0] == keys[1] != keys[2]


def test_without_inputs_the_key_is_random(tmp_path: Path) -> None:
    found = project(tmp_path)
    assert found.hash_key() != found.hash_key([tmp_path, tmp_path / "missing"])


def test_without_a_project_the_key_is_fixed_and_nothing_is_written(tmp_path: Path) -> None:
    found = loose(tmp_path)
    assert found.hash_key([tmp_path]) == FIXED_KEY
    found.keep_key(FIXED_KEY)
    assert contents(tmp_path) == {}


# --- writing ---


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "below" / "value.json"
    write_file(path, b"one")
    write_file(path, b"two")
    assert contents(tmp_path) == {"below/value.json": b"two"}


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "value.json"
    write_file(path, b"one")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"value\.json: cannot be written \(No space left on device\); make room"):
        write_file(path, b"two")
    assert contents(tmp_path) == {"value.json": b"one"}


def test_an_interrupt_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "value.json"
    write_file(path, b"one")

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, b"two")
    assert contents(tmp_path) == {"value.json": b"one"}


def test_a_folder_that_can_be_made_is_writable_and_is_not_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["file", "file/a/b"])
def test_a_file_in_the_way_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file: is a file; expected a folder; name another folder with --out"):
        check_writable(tmp_path / below)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="nothing can be written in this folder"):
        check_writable(tmp_path / "a")


# --- what is read beside it ---


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert file_sha(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha(tmp_path / "y") == "missing"
    assert file_sha(tmp_path) == "missing"


OWN_PRICES = """\
prices:
- {region: mars-1, table_class: standard, as_of: "2026-11", source: our contract, read_per_million: 0.1,
   write_per_million: 0.5, storage_gb_month: 0.2}
"""


def test_prices_are_those_that_ship_unless_a_file_is_named(tmp_path: Path) -> None:
    shipped = read_prices(project(tmp_path, "pricing: {region: eu-west-1}\n"))
    assert {entry.region for entry in shipped.entries} == {"eu-west-1"}
    (tmp_path / "ours.yaml").write_text(OWN_PRICES)
    own = project(tmp_path, "pricing: {region: mars-1, file: ours.yaml}\n")
    assert price_file(own) == ("ours.yaml", OWN_PRICES)
    assert [entry.source for entry in read_prices(own).entries] == ["our contract"]
    with pytest.raises(UsageError, match="no prices for region us-east-1; expected mars-1"):
        read_prices(project(tmp_path, "pricing: {file: ours.yaml}\n"))


def test_a_price_file_that_is_not_there_or_has_mistakes(tmp_path: Path) -> None:
    named = project(tmp_path, "pricing: {region: mars-1, file: prices/ours.yaml}\n")
    with pytest.raises(UsageError, match=r"prices/ours.yaml: no such file \(pricing.file\)"):
        read_prices(named)
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "ours.yaml").write_text(OWN_PRICES.replace("source", "sauce"))
    with pytest.raises(
        RuleError, match=r"prices/ours.yaml:2:61: unknown key \(prices.0.sauce\); did you mean source\?"
    ):
        read_prices(named)
