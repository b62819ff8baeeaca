"""Rule files: every mistake at once with its place; overrides; a rule's own tests."""

from typing import Any

import pytest
import yaml

from ddbmig.engine.rulebook import Overrides, load_rules, run_rule_tests, show_mistake
from ddbmig.model.errors import DdbmigError, ExitCode, RuleError, UsageError

GOOD = """\
id: DM003
title: high-read-correlation
applies_to: relationship
status: stable
params: {joint_share: 0.70}
when:
  all:
    - is_set(reads.joint_share)
    - reads.joint_share > params.joint_share
    - reads.calls_per_day >= 100
score: {denormalize: +30}
because: "{reads.joint_share:percent} of reads touch both"
why: |
  Two requests for one answer.
instead: |
  Read both with one BatchGetItem.
source: "guide: Consider Denormalization When, 3"
tests:
  - {given: {reads.joint_share: 0.71, reads.calls_per_day: 100}, expect: fires}
  - {given: {reads.joint_share: 0.70, reads.calls_per_day: 1000}, expect: silent}
"""
FINDING = (
    GOOD.replace("DM003", "AB001").replace("high-read-correlation", "a-finding")
    .replace("score: {denormalize: +30}", "severity: warning")
)  # fmt: skip


def mistakes(*texts: str, overrides: Overrides | None = None) -> tuple[DdbmigError, ...]:
    with pytest.raises(RuleError) as caught:
        load_rules([(f"r{index}.yaml", text) for index, text in enumerate(texts)], overrides)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.mistakes


def test_the_example_of_the_specification_loads_and_fires() -> None:
    rule = load_rules([("r.yaml", GOOD)]).rule("DM003")
    assert rule.fires({"reads.joint_share": 0.81, "reads.calls_per_day": 120}) == (
        "reads.joint_share is 81 % (> 70 %)",
        "reads.calls_per_day is 120 calls/day (>= 100 calls/day)",
    )
    assert rule.because.render({"reads.joint_share": 0.81}) == "81 % of reads touch both"
    assert rule.fires({"reads.joint_share": 0.81, "reads.calls_per_day": 99}) is None
    assert rule.fires({"reads.calls_per_day": 99}) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("applies_to: relationship", "applies_too: relationship", 4 - 1, 1, "did you mean applies_to?"),
        ("applies_to: relationship", "applies_to: relation", 3, 13, "did you mean relationship?"),
        ("id: DM003", "id: dm3", 1, 5, "DM003"),
        ("title: high-read-correlation", "title: High read", 2, 8, "lower-case"),
        ("status: stable", "status: done", 4, 9, "preview | stable | deprecated"),
        ("reads.joint_share > params", "reads.join_share > params", 9, 7, "did you mean reads.joint_share?"),
        ("> params.joint_share", "> params.joint_shar", 9, 27, "did you mean params.joint_share?"),
        ("    - is_set(reads.joint_share)\n", "", 8, 7, "may be missing"),
        ("    - reads.calls_per_day >= 100", "    - 'reads.call_per_day >= 100'", 10, 8, "unknown name"),
        ("  all:", "  al:", 7, 3, "did you mean all?"),
        ("  all:\n", "  any: []\n  all:\n", 7, 3, "one of all, any, not"),
        ("score: {denormalize: +30}", "score: {denormalise: +30}", 11, 9, "did you mean denormalize?"),
        ("score: {denormalize: +30}", "score: {denormalize: 0}", 11, 8, "no points"),
        ("score: {denormalize: +30}", "score: {denormalize: 1.5}", 11, 22, "not points"),
        ("score: {denormalize: +30}", "score: {denormalize: 1000}", 11, 22, "not points"),
        ("score: {denormalize: +30}", "score: {denormalize: true}", 11, 22, "not points"),
        ("score: {denormalize: +30}\n", "", 1, 1, "either score or severity"),
        ("score: {denormalize: +30}", "score: {denormalize: +30}\nseverity: error", 1, 1, "either score or severity"),
        ("score: {denormalize: +30}", "severity: fatal", 11, 11, "error"),
        ("score: {denormalize: +30}", "severity: warning\nforbids: embed", 12, 10, "only an error"),
        ("score: {denormalize: +30}", "severity: error\nforbids: embedd", 12, 10, "did you mean embed?"),
        ("{reads.joint_share:percent} of", "{reads.join_share} of", 12, 12, "did you mean reads.joint_share?"),
        ("{reads.joint_share:percent} of", "{reads.joint_share:per} of", 12, 12, "percent, bytes"),
        ("{reads.joint_share:percent} of", "{reads.joint_share of", 12, 11, "sentence"),
        ("params: {joint_share: 0.70}", "params: {joint_share: 0.70, other: 1}", 5, 29, "not used"),
        ("params: {joint_share: 0.70}", "params: {joint_share: {a: 1}}", 5, 23, "not a param"),
        ("why: |\n  Two requests for one answer.\n", "why: 3\n", 13, 6, "not a text"),
        ("why: |\n  Two requests for one answer.\n", "", 1, 1, "a key is missing (why)"),
        ("reads.calls_per_day: 100}", "reads.calls_per_dy: 100}", 19, 39, "did you mean reads.calls_per_day?"),
        ("reads.calls_per_day: 100}", "reads.calls_per_day: many}", 19, 60, "a number in calls/day"),
        ("expect: silent", "expect: quiet", 20, 75, "fires | silent"),
        ("expect: silent", "expect: fires", 19, 3, "tests are missing"),
    ],
)
def test_a_mistake_has_its_place_and_a_way_out(old: str, new: str, line: int, column: int, message: str) -> None:
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new, 1))
    texts = [str(mistake) for mistake in found]
    assert any(m.line == line and m.column == column and message in str(m) for m in found), texts


def test_all_mistakes_of_all_files_come_at_once_in_order() -> None:
    found = mistakes(GOOD.replace("status: stable", "status: done").replace("+30", "0"), "a: no\n", FINDING)
    assert [(m.file, m.line) for m in found][:2] == [("r0.yaml", 4), ("r0.yaml", 11)]
    assert {m.file for m in found} == {"r0.yaml", "r1.yaml"}


def test_ids_and_titles_are_unique() -> None:
    assert "two rules have this id" in str(mistakes(GOOD, GOOD)[0])
    assert "two rules have this title" in str(mistakes(GOOD, GOOD.replace("DM003", "DM004"))[0])


def test_a_mistake_is_shown_with_a_caret() -> None:
    text = GOOD.replace("reads.joint_share > params", "reads.join_share > params")
    (found,) = mistakes(text)
    assert show_mistake(found, text).splitlines() == [
        "r0.yaml:9:7: unknown name (reads.join_share); did you mean reads.joint_share?",
        "        - reads.join_share > params.joint_share",
        "          ^",
    ]


def test_a_rule_on_another_object_makes_findings_only() -> None:
    text = yaml.safe_dump({
        **yaml.safe_load(GOOD), "applies_to": "table", "when": "not table.has_primary_key", "because": "no key",
        "tests": [{"given": {"table.has_primary_key": False}, "expect": "fires"},
                  {"given": {"table.has_primary_key": True}, "expect": "silent"}],
    })  # fmt: skip
    texts = [str(mistake) for mistake in mistakes(text)]
    assert any("only rules on relationships score" in text for text in texts)


NESTED = {
    "any": [{"all": ["is_set(children.p99)", "children.p99 > 5"]}, {"not": {"all": ["updates.paths > 1"]}}]
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        ({"children.p99": 9, "updates.paths": 2},
         ("children.p99 is 9 rows (> 5 rows)",)),
        ({"updates.paths": 1}, ("updates.paths is 1 patterns (not > 1 patterns)",)),
        ({"children.p99": 2, "updates.paths": 2}, None),
        ({"updates.paths": 2}, None),
    ],
)  # fmt: skip
def test_groups_nest_and_each_condition_that_held_is_a_line(
    facts: dict[str, Any], because: tuple[str, ...] | None
) -> None:
    data = yaml.safe_load(FINDING) | {"when": NESTED}
    data.pop("params")
    data["tests"] = [
        {"given": {"updates.paths": 1}, "expect": "fires"},
        {"given": {"updates.paths": 2}, "expect": "silent"},
    ]
    rulebook = load_rules([("r.yaml", yaml.safe_dump(data))])
    assert rulebook.rules[0].fires(facts) == because
    assert run_rule_tests(rulebook) == ()


def test_a_guard_in_an_any_does_not_reach_its_siblings() -> None:
    data = yaml.safe_load(FINDING) | {"when": {"any": ["is_set(children.p99)", "children.p99 > 5"]}}
    data.pop("params")
    assert "may be missing" in str(mistakes(yaml.safe_dump(data))[0])


def test_overrides_change_params_severity_and_whether_a_rule_is_there() -> None:
    files = [("a.yaml", GOOD), ("b.yaml", FINDING)]
    book = load_rules(files, {"DM003": {"params": {"joint_share": 0.9}}, "AB001": {"severity": "error"}})
    assert book.rule("DM003").fires({"reads.joint_share": 0.81, "reads.calls_per_day": 120}) is None
    assert book.rule("AB001").severity == "error"
    assert run_rule_tests(book) == ()
    assert [rule.id for rule in load_rules(files, {"AB001": {"enabled": False}}).rules] == ["DM003"]
    assert book.fingerprint != load_rules(files).fingerprint
    assert load_rules(files).fingerprint == load_rules(files[::-1]).fingerprint


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"DM03": {"enabled": False}}, "did you mean DM003?"),
        ({"DM003": {"enable": False}}, "did you mean enabled?"),
        ({"DM003": {"enabled": "no"}}, "not a truth value"),
        ({"DM003": {"severity": "error"}}, "cannot be set"),
        ({"DM003": {"params": {"joint_shar": 0.9}}}, "did you mean joint_share?"),
        ({"DM003": {"params": {"joint_share": "0.9"}}}, "another type"),
        ({"DM003": {"params": 3}}, "not a mapping"),
        ({"AB001": {"severity": "fatal"}}, "cannot be set"),
        ({"AB001": {"severity": "info"}}, "mandatory"),
        ({"AB001": {"enabled": False}}, "mandatory"),
        ({"AB001": {"params": {"joint_share": 0.99}}}, "its params stay"),
    ],
)
def test_an_override_that_does_not_fit_is_refused(override: dict[str, Any], message: str) -> None:
    found = mistakes(GOOD, FINDING + "mandatory: true\n", overrides=override)
    assert message in str(found[0])
    assert found[0].file == "ddbmig.yaml"


def test_a_mandatory_rule_can_be_raised() -> None:
    book = load_rules([("b.yaml", FINDING + "mandatory: true\n")], {"AB001": {"severity": "error"}})
    assert book.rule("AB001").severity == "error"


def test_a_failing_own_test_is_reported_with_its_line() -> None:
    text = GOOD.replace("{reads.joint_share: 0.70, ", "{reads.joint_share: 0.72, ")
    (failure,) = run_rule_tests(load_rules([("r.yaml", text)]))
    assert str(failure) == "r.yaml:20:1: DM003 fires on its own test; expected silent"
    lacking = GOOD.replace("reads.joint_share: 0.71, reads.calls_per_day: 100", "reads.joint_share: 0.71")
    (failure,) = run_rule_tests(load_rules([("r.yaml", lacking)]))
    assert "not supplied (reads.calls_per_day)" in str(failure)


def test_an_unknown_rule_is_asked_for() -> None:
    with pytest.raises(UsageError, match="did you mean DM003"):
        load_rules([("r.yaml", GOOD)]).rule("DM033")
