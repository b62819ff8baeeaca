"""The example of an installable rule pack: installed with pip, it is found, raises rules, and runs no code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from small_shop import CONFIG, Done, ddbmig_process, write_shop


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the pack, and nothing else."""
    target = tmp_path_factory.mktemp("site")
    copy = tmp_path_factory.mktemp("source")
    subprocess.run(["cp", "-r", f"{repository / 'examples' / 'rule-pack'}/.", str(copy)], check=True)
    words = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *words, str(copy)], check=True)
    return target


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project whose rules are the built-in ones and the pack's."""
    folder = write_shop(tmp_path / "shop")
    extends = "extends: [ddbmig:recommended, pkg:acme-ddbmig-rules]\n"
    (folder / "ddbmig.yaml").write_text(f"{CONFIG}  owners: {{books: catalogue, authors: catalogue}}\n{extends}")
    return folder


def run(site: Path, *words: str | Path) -> Done:
    """A command in an environment in which the pack is installed."""
    return ddbmig_process(*words, env={"PYTHONPATH": str(site)})


def test_the_pack_holds_data_only(site: Path) -> None:
    assert sorted(path.name for path in site.rglob("*.yaml")) == [
        "ACME001-table-without-owner.yaml", "ACME002-paging-by-offset.yaml", "ACME003-audit-trail-denormalized.yaml",
        "pack.yaml",
    ]  # fmt: skip
    assert not list(site.rglob("*.py"))


def test_the_installed_pack_is_found_and_its_tests_notice_everything(site: Path, shop: Path) -> None:
    checked = run(site, "rules", "check", "--project", shop)
    assert checked.out.rstrip().endswith("3 of pkg:acme-ddbmig-rules")
    tested = run(site, "rules", "test", "--project", shop)
    assert (tested.code, tested.err) == (0, "")
    assert " 0 failed; " in tested.out
    assert tested.out.endswith(" 0 not noticed\n")


def test_its_rules_fail_the_gate(site: Path, shop: Path) -> None:
    done = run(site, "check", shop, "--json")
    report = json.loads(done.out)
    found = [v for v in report["violations"] if v["finding"]["rule"] == "ACME001"]
    assert [v["finding"]["subject"] for v in found] == ["order_lines", "orders"]
    assert [v["location"]["line"] for v in found] == [24, 17]
    assert (done.code, report["passed"]) == (1, False)
    assert {rule["pack"] for rule in report["rules"]} == {"ddbmig:recommended", "pkg:acme-ddbmig-rules"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("rules.PW003.enabled=false", "this rule is mandatory and cannot be switched off"),
        ("rules.PW003.severity=warning", "this rule is mandatory and cannot be lowered"),
        ("rules.ACME001.enabled=false", "this rule is mandatory and cannot be switched off"),
    ],
)
def test_a_project_cannot_lower_what_the_pack_makes_mandatory(site: Path, shop: Path, setting: str, said: str) -> None:
    done = run(site, "check", shop, "--set", setting)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"ddbmig: --set {setting}: {said}")


def test_the_origin_of_what_the_pack_sets_is_shown(site: Path, shop: Path) -> None:
    shown = run(site, "config", "show", "--origin", "--project", shop, "--set", "rules.DM003.params.joint_share=0.6")
    lines = [line for line in shown.out.splitlines() if line.startswith("rules.")]
    assert [(line.split(" = ")[0], line.split("# ")[1]) for line in lines] == [
        ("rules.DM003.params.joint_share", "--set rules.DM003.params.joint_share=0.6"),
        ("rules.PR006.severity", "pkg:acme-ddbmig-rules/pack.yaml:7"),
        ("rules.PR006.params.top_share", "pkg:acme-ddbmig-rules/pack.yaml:7"),
        ("rules.PW003.severity", "pkg:acme-ddbmig-rules/pack.yaml:5"),
        ("rules.PW003.mandatory", "pkg:acme-ddbmig-rules/pack.yaml:5"),
    ]


def test_without_the_package_the_project_says_what_is_missing(shop: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = ddbmig_process("check", shop, env=environment)
    assert done.code == 2
    assert "no installed package offers these rules (pkg:acme-ddbmig-rules); pip install it first" in done.err
