"""Every requirement line of the guide is mapped to a rule, a report section or a test."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.packs import recommended

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIREMENT = re.compile(r"- |\d+\. |\|(?!-)|.*(MUST|ONLY|prominently)")
WAIVERS = "docs/how-to/waive-a-finding.md"
"""The source of the rules on waivers, of which the guide says nothing."""
MATRIX = {
    "Critical Evaluation Factors": 7, "Favor Separate Tables When": 8, "Consider Denormalization When": 9,
    "Hot Partition Vulnerability": 4, "GSI Complications": 4, "Operational Overhead": 4, "Migration Complexity": 4,
    "Anti-Pattern Prevention": 4, "Critical Production Warnings": 5,
}  # fmt: skip


@pytest.fixture(scope="module")
def mapping() -> Any:
    return yaml.safe_load((ROOT / "tests" / "guide.yaml").read_text())


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rules([recommended()])


@pytest.fixture(scope="module")
def guide(corpus: Path) -> dict[str, list[str]]:
    path = corpus.parent / "spec" / "migration-guide.md"
    if not path.is_file():
        pytest.skip("the guide is not beside the recorded applications")
    return requirements(path.read_text())


def requirements(text: str) -> dict[str, list[str]]:
    """Section heading -> its requirement lines, fenced blocks and table headings apart."""
    found: dict[str, list[str]] = {}
    section, fenced = "", False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#"):
            section = re.sub(r"^#+ (\d+\. )?", "", line).rstrip(": ")
        elif not fenced and REQUIREMENT.match(line):
            found.setdefault(section, []).append(line)
    return {name: [line for line in lines if not line.startswith("| Factor |")] for name, lines in found.items()}


def targets(line: dict[str, Any]) -> list[str]:
    by = line["by"]
    return list(by) if isinstance(by, list) else [str(by)]


@pytest.mark.corpus
def test_every_line_of_the_guide_is_mapped(guide: dict[str, list[str]], mapping: dict[str, Any]) -> None:
    wanted = {section: len(lines) for section, lines in guide.items()}
    assert {section: len(lines) for section, lines in mapping["sections"].items()} == wanted


@pytest.mark.corpus
def test_the_report_headings_are_the_guides_bullets(guide: dict[str, list[str]], mapping: dict[str, Any]) -> None:
    for file, headings in mapping["reports"].items():
        section = next(name for name in guide if name.startswith(f"Stage {file[5]}:"))
        bullets = [line[2:] for line in guide[section] if line.startswith("- ") and "MUST" not in line]
        assert headings == bullets, file


@pytest.mark.corpus
def test_the_five_warnings_are_the_guides_words(guide: dict[str, list[str]], rulebook: Rulebook) -> None:
    texts = [
        match[1] for line in guide["Critical Production Warnings"] if (match := re.search(r'"(Warning: .*)"', line))
    ]
    assert [rulebook.rule(f"PW00{n}").warning for n in range(1, 6)] == texts
    assert len(texts) == 5


def test_what_a_line_is_mapped_to_exists(mapping: dict[str, Any], rulebook: Rulebook) -> None:
    headings = {f"{file}#{heading}" for file, names in mapping["reports"].items() for heading in names}
    for section, lines in mapping["sections"].items():
        for line in lines:
            for target in targets(line):
                kind, _, name = target.partition(": ")
                if kind == "report":
                    assert name in headings, (section, target)
                elif kind == "test":
                    assert re.fullmatch(r"tests/(\w+/)*test_\w+\.py", name), (section, target)
                    assert (ROOT / name).is_file(), (section, target)
                else:
                    assert rulebook.rule(target), (section, target)


def test_the_matrix_and_the_risk_assessment_are_rules_with_their_line_as_source(
    mapping: dict[str, Any], rulebook: Rulebook
) -> None:
    for section, count in MATRIX.items():
        lines = [line for line in mapping["sections"][section] if not str(line["by"]).startswith("test:")]
        assert len(lines) == count
        for position, line in enumerate(lines, 1):
            sources = {rulebook.rule(target).source for target in targets(line)}
            assert sources == {f"guide: {section}, {position}"}, (section, position)


def test_every_rule_is_mapped_from_the_line_it_names(mapping: dict[str, Any], rulebook: Rulebook) -> None:
    for rule in rulebook.rules:
        if rule.source == WAIVERS:
            continue
        section, _, position = rule.source.removeprefix("guide: ").rpartition(", ")
        lines = [line for line in mapping["sections"][section] if not str(line["by"]).startswith("test:")]
        assert rule.id in targets(lines[int(position) - 1]), rule.id


def test_only_the_rules_on_waivers_stand_on_no_line_of_the_guide(rulebook: Rulebook) -> None:
    on_waivers = {rule.id for rule in rulebook.rules if rule.applies_to == "waiver"}
    assert on_waivers == {"WA001", "WA002", "WA003", "WA004", "WA005"}
    assert on_waivers == {rule.id for rule in rulebook.rules if not rule.source.startswith("guide: ")}
    assert {rulebook.rule(name).source for name in on_waivers} == {WAIVERS}
