"""Rule packs: the built-in one, folders, and installed packages whose code is never run."""

import sys
from pathlib import Path

import pytest

from ddbmig.engine.rule import Origin
from ddbmig.engine.rulebook import PACK_FILE
from ddbmig.model.errors import UsageError
from ddbmig.packs import read_packs, recommended

RECOMMENDED = "ddbmig:recommended"


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    return folder


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution `acme-ddbmig-rules` whose package raises when it is imported."""
    site = write(tmp_path / "site", "acme_rules/pack/ACME002.yaml", "acme_rules/pack/sub/ACME001.yml")
    (site / "acme_rules" / "__init__.py").write_text("raise SystemExit('the package was imported')\n")
    info = site / "acme_ddbmig_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ddbmig-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ddbmig.rules]\nacme = acme_rules.pack\n")
    monkeypatch.syspath_prepend(str(site))
    return site


def test_the_built_in_pack_is_read_by_its_name(tmp_path: Path) -> None:
    (pack,) = read_packs((RECOMMENDED,), tmp_path)
    assert pack == recommended()
    assert pack.is_built_in
    assert len(pack.files) > 60


def test_a_folder_is_read_with_all_below_it_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path / "rules", "b.yaml", "a.yml", "sub/c.yaml", "README.md", PACK_FILE)
    _, pack = read_packs((RECOMMENDED, "./rules/"), tmp_path)
    assert pack.name == "rules"
    assert [name for name, _ in pack.files] == ["rules/a.yml", "rules/b.yaml", "rules/pack.yaml", "rules/sub/c.yaml"]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["acme", "acme-ddbmig-rules"])
def test_an_installed_pack_is_read_without_importing_it(tmp_path: Path, name: str) -> None:
    (pack,) = read_packs((f"pkg:{name}",), tmp_path)
    assert pack.files == (
        (f"pkg:{name}/ACME002.yaml", "# acme_rules/pack/ACME002.yaml\n"),
        (f"pkg:{name}/sub/ACME001.yml", "# acme_rules/pack/sub/ACME001.yml\n"),
    )
    assert "acme_rules" not in sys.modules


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("references", "message"),
    [
        ((), "no rule pack: every gate would be passed"),
        ((RECOMMENDED, RECOMMENDED), "this rule pack is named twice (ddbmig:recommended)"),
        (("ddbmig:recommend",), "no such built-in rule pack (ddbmig:recommend); expected ddbmig:recommended"),
        (("ddbmg:recommended",), "no such rule pack (ddbmg:recommended); did you mean ddbmig:recommended?"),
        (("pkg:acne",), "no installed package offers these rules (pkg:acne); did you mean acme?"),
        (("pkg:nothing-like-it",), "installed: acme, acme-ddbmig-rules"),
        (("./rule/",), "no such rule pack (./rule/); a pack is ddbmig:recommended, pkg:NAME or a fol"),
        (("empty",), "a rule pack holds no .yaml file (empty)"),
        (("odd",), "odd/x.yaml:1:1: this is not UTF-8 (byte 0xff); save the file as UTF-8"),
    ],
)
def test_a_pack_that_cannot_be_used_is_named(tmp_path: Path, references: tuple[str, ...], message: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "odd", "x.yaml")
    (tmp_path / "odd" / "x.yaml").write_bytes(b"\xff")
    with pytest.raises(UsageError) as caught:
        read_packs(references, tmp_path)
    assert message in str(caught.value)


def test_the_place_that_named_the_pack_is_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^ddbmig\.yaml:3:1: no such rule pack \(nowhere\)"):
        read_packs(("nowhere",), tmp_path, Origin("ddbmig.yaml", 3, 1))
