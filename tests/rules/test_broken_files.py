"""Nothing fails open: every broken file and command line is refused with all of its mistakes, and quickly."""

import time
from pathlib import Path

import pytest
from broken_files import GOOD, KINDS, WITH_RULES, Case, cases, load, mistakes_of

from ddbmig.engine.strict_yaml import MAX_CHARACTERS, MAX_MISTAKES
from ddbmig.model.errors import ExitCode, RuleError, UsageError
from small_shop import CONFIG, contents, ddbmig, write_shop

CASES = cases()
SECONDS = 1.0
"""Of CPU; the built-in pack is loaded in it."""


def names(case: Case) -> str:
    return f"{case.kind}: {case.name}"


@pytest.mark.parametrize("case", CASES, ids=names)
def test_every_mistake_is_told_in_one_line_with_its_place_and_a_way_out(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = time.process_time()
    with pytest.raises(UsageError) as caught:
        load(case, tmp_path)
    assert time.process_time() - started < SECONDS
    found = mistakes_of(caught.value)
    assert tuple(str(mistake).replace(f"{tmp_path}/", "") for mistake in found) == case.says
    assert all(mistake.exit_code == ExitCode.USAGE for mistake in found)
    if case.kind in KINDS:
        assert all(mistake.line and mistake.column for mistake in found)
    lines = case.data.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    assert all(mistake.source in lines for mistake in found if mistake.source is not None)


@pytest.mark.parametrize("case", [case for case in CASES if case.by_command], ids=names)
def test_the_command_line_exits_with_2_tells_all_and_writes_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = write_shop(tmp_path / "shop")
    if case.kind in ("rule", "pack"):
        (shop / "ddbmig.yaml").write_text(WITH_RULES + CONFIG)
    case.write(shop)
    monkeypatch.chdir(tmp_path)
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    option = {"set": "--set", "output": "--output"}.get(case.kind, "")
    before = contents(tmp_path)
    done = ddbmig("check", "shop", "--output", "json=out.json", *(w for word in case.words for w in (option, word)))
    told = [line for line in done.err.splitlines() if line.startswith("ddbmig: ")]
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert [line.removeprefix("ddbmig: ").replace("shop/", "", 1) for line in told] == list(case.says)
    assert contents(tmp_path) == before


FULL = {
    "unknown keys": ("rule", GOOD["rule"], "k{}: 1\n"),
    "tests of unknown facts": ("rule", GOOD["rule"], "  - {{given: {{reads.joint_shar{}: 1}}, expect: fire}}\n"),
    "unused params": ("rule", "params:\n", "  p{}: 1\n"),
    "surprises": ("rule", "", "k{}: no\n"),
    "unknown rules": ("pack", "rules:\n", "  ZZ{}: {{enabled: false}}\n"),
    "keys of a configuration": ("config", "", "k{}: 1\n"),
    "facts of a waiver": ("waivers", "waivers:\n  - rule: R\n    accepted:\n", "      k{}: 1\n"),
}


@pytest.mark.parametrize("shape", FULL)
def test_a_file_that_is_full_of_mistakes_is_refused_soon(shape: str, tmp_path: Path) -> None:
    kind, head, line = FULL[shape]
    text = head + "".join(map(line.format, range(MAX_CHARACTERS // len(line))))
    case = Case(kind, shape, text[:MAX_CHARACTERS].rpartition("\n")[0].encode(), (), {}, (), by_command=False)
    started = time.process_time()
    with pytest.raises(RuleError) as caught:
        load(case, tmp_path)
    assert time.process_time() - started < 10 * SECONDS  # linear takes 2 to 5 s, quadratic minutes
    assert len(caught.value.mistakes) <= MAX_MISTAKES


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 80
    assert len([case for case in CASES if case.by_command]) >= 20
    assert {case.kind for case in CASES} == {*KINDS, "set", "output"}
