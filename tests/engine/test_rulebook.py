"""Rule files: every mistake at once with its place; overrides; a rule's own tests."""

from typing import Any

import pytest
import yaml

from ddbmig.engine.overrides import settings_in
from ddbmig.engine.rule_tests import run_rule_tests
from ddbmig.engine.rulebook import Pack, Rulebook, load_rules
from ddbmig.engine.strict_yaml import read_yaml
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


Overrides = dict[str, dict[str, Any]]


def book(*texts: str, overrides: Overrides | None = None) -> Rulebook:
    """The rules of these files as the product's own pack, with overrides as ddbmig.yaml has them."""
    tree, wrong = read_yaml("ddbmig.yaml", yaml.safe_dump(overrides or {}))
    assert not wrong
    files = tuple((f"r{index}.yaml", text) for index, text in enumerate(texts))
    return load_rules([Pack("ddbmig:test", files)], settings_in("ddbmig.yaml", tree, ""))


def mistakes(*texts: str, overrides: Overrides | None = None) -> tuple[DdbmigError, ...]:
    with pytest.raises(RuleError) as caught:
        book(*texts, overrides=overrides)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.mistakes


def test_the_example_of_the_specification_loads_and_fires() -> None:
    rule = book(GOOD).rule("DM003")
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
        ("id: DM003", "id: dm3", 1, 5, "three digits"),
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
        ("score: {denormalize: +30}", "score: {denormalize: +30}\nseverity: error", 12, 11, "not both"),
        ("score: {denormalize: +30}", "severity: fatal", 11, 11, "error"),
        ("score: {denormalize: +30}", "severity: warning\nforbids: embed", 12, 10, "only an error"),
        ("score: {denormalize: +30}", "severity: error\nforbids: embedd", 12, 10, "did you mean embed?"),
        ("{reads.joint_share:percent} of", "{reads.join_share} of", 12, 12, "did you mean reads.joint_share?"),
        ("{reads.joint_share:percent} of", "{reads.joint_share:per} of", 12, 30, "percent, bytes"),
        ("{reads.joint_share:percent} of", "{reads.joint_share of", 12, 11, "brace stands alone"),
        ("params: {joint_share: 0.70}", "params: {joint_share: 0.70, other: 1}", 5, 29, "not used"),
        ("params: {joint_share: 0.70}", "params: {joint_share: {a: 1}}", 5, 23, "not a param"),
        ("why: |\n  Two requests for one answer.\n", "why: 3\n", 13, 6, "not a text"),
        ("why: |\n  Two requests for one answer.\n", "", 1, 1, "a key is missing (why)"),
        ("reads.calls_per_day: 100}", "reads.calls_per_dy: 100}", 19, 39, "did you mean reads.calls_per_day?"),
        ("reads.calls_per_day: 100}", "reads.calls_per_day: many}", 19, 60, "a number of calls/day"),
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
    assert found.with_caret().splitlines() == [
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
        ({"updates.paths": 1}, ("updates.paths is 1 pattern (not > 1 pattern)",)),
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
    rulebook = book(yaml.safe_dump(data))
    assert rulebook.rules[0].fires(facts) == because
    assert run_rule_tests(rulebook) == ()


def test_a_guard_in_an_any_does_not_reach_its_siblings() -> None:
    data = yaml.safe_load(FINDING) | {"when": {"any": ["is_set(children.p99)", "children.p99 > 5"]}}
    data.pop("params")
    assert "may be missing" in str(mistakes(yaml.safe_dump(data))[0])


def test_overrides_change_params_severity_and_whether_a_rule_is_there() -> None:
    overrides: Overrides = {"DM003": {"params": {"joint_share": 0.9}}, "AB001": {"severity": "error"}}
    changed = book(GOOD, FINDING, overrides=overrides)
    assert changed.rule("DM003").fires({"reads.joint_share": 0.81, "reads.calls_per_day": 120}) is None
    assert changed.rule("AB001").severity == "error"
    assert {key: str(who) for key, who in changed.rule("DM003").overridden.items()} == {
        "params.joint_share": "ddbmig.yaml:5"
    }
    assert run_rule_tests(changed) == ()


def test_a_rule_that_is_switched_off_is_remembered_with_who_did_it() -> None:
    found = book(GOOD, FINDING, overrides={"AB001": {"enabled": False}})
    assert [rule.id for rule in found.rules] == ["DM003"]
    assert [(rule.id, str(who)) for rule, who in found.off] == [("AB001", "ddbmig.yaml:2")]
    with pytest.raises(UsageError, match=r"switched off.*see ddbmig\.yaml:2"):
        found.rule("AB001")


def test_the_fingerprint_is_that_of_what_the_rules_say() -> None:
    plain = book(GOOD, FINDING)
    assert plain.fingerprint() == book(FINDING, GOOD).fingerprint()
    assert plain.fingerprint() == book("# a comment\n" + GOOD, FINDING).fingerprint()
    assert plain.fingerprint() != book(GOOD, FINDING, overrides={"AB001": {"severity": "error"}}).fingerprint()
    assert plain.fingerprint("relationship") == plain.fingerprint()
    assert plain.fingerprint("index") == book(GOOD).fingerprint("index")


@pytest.mark.parametrize(
    ("override", "line", "message"),
    [
        ({"DM03": {"enabled": False}}, 1, "did you mean DM003?"),
        ({"DM003": {"severity": "error"}}, 2, "this rule scores"),
        ({"DM003": {"params": {"joint_shar": 0.9}}}, 3, "did you mean joint_share?"),
        ({"DM003": {"params": {"joint_share": "0.9"}}}, 3, "another type (rules.DM003.params.joint_share); expected"),
        ({"AB001": {"severity": "info"}}, 2, "mandatory and cannot be lowered"),
        ({"AB001": {"enabled": False}}, 2, "mandatory and cannot be switched off"),
        ({"AB001": {"params": {"joint_share": 0.99}}}, 3, "its params stay"),
    ],
)
def test_an_override_that_does_not_fit_is_refused_at_its_place(override: Overrides, line: int, message: str) -> None:
    found = mistakes(GOOD, FINDING + "mandatory: true\n", overrides=override)
    assert message in str(found[0])
    assert (found[0].file, found[0].line) == ("ddbmig.yaml", line)


def test_a_mandatory_rule_can_be_raised() -> None:
    raised = book(FINDING + "mandatory: true\n", overrides={"AB001": {"severity": "error"}})
    assert raised.rule("AB001").severity == "error"


# --- packs ---


OWN = FINDING.replace("AB001", "ACME001").replace("a-finding", "a-rule-of-acme")


def packs(pack_file: str, own: str = OWN, overrides: Overrides | None = None) -> Rulebook:
    """A built-in pack, an organisation's pack over it, and overrides of a project."""
    tree, _ = read_yaml("ddbmig.yaml", yaml.safe_dump(overrides or {}))
    return load_rules(
        [Pack("ddbmig:test", (("a.yaml", GOOD), ("b.yaml", FINDING))),
         Pack("ours", (("ours/ACME001.yaml", own), ("ours/pack.yaml", pack_file)))],
        settings_in("ddbmig.yaml", tree, ""),
    )  # fmt: skip


def test_a_pack_sets_what_the_packs_before_it_say_and_the_project_has_the_last_word() -> None:
    text = "rules:\n  DM003: {params: {joint_share: 0.8}}\n  AB001: {severity: error, mandatory: true}\n"
    found = packs(text, overrides={"DM003": {"params": {"joint_share": 0.75}}})
    assert found.rule("DM003").params == {"joint_share": 0.75}
    assert str(found.rule("AB001").overridden["severity"]) == "ours/pack.yaml:3"
    assert found.rule("ACME001").pack == "ours"
    with pytest.raises(RuleError, match="mandatory and cannot be lowered"):
        packs(text, overrides={"AB001": {"severity": "warning"}})


def test_the_project_may_switch_on_again_what_a_pack_switched_off() -> None:
    assert packs("rules:\n  AB001: {enabled: false}\n").off
    again = packs("rules:\n  AB001: {enabled: false}\n", overrides={"AB001": {"enabled": True}})
    assert (again.off, again.rule("AB001").id) == ((), "AB001")


@pytest.mark.parametrize(
    ("pack_file", "own", "message"),
    [
        ("rules:\n  AB001: {severty: error}\n", OWN, "ours/pack.yaml:2:11: unknown key (rules.AB001.severty); did you"),
        ("rule:\n  AB001: {}\n", OWN, "ours/pack.yaml:1:1: unknown key (rule); did you mean rules?"),
        ("rules:\n  AB01: {severity: error}\n", OWN, "ours/pack.yaml:2:3: no such rule (rules.AB01); did you"),
        ("rules:\n  AB001: {mandatory: false}\n", OWN, "2:22: this value is not allowed (rules.AB001.mandatory); "),
        ("rules:\n  AB001: {params: {joint_share: true}}\n", OWN, "ours/pack.yaml:2:33: this value is not allowed"),
        ("description: x\n", OWN.replace("ACME001", "AB001"), "to change that rule, name it under `rules:`"),
        ("description: x\n", OWN.replace("ACME001", "DM999"), "this prefix is kept for ddbmig's own rules"),
    ],
)
def test_a_pack_with_a_mistake_is_refused_at_its_place(pack_file: str, own: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        packs(pack_file, own)
    assert message in str(caught.value.mistakes[0])


def test_a_failing_own_test_is_reported_with_its_line() -> None:
    text = GOOD.replace("{reads.joint_share: 0.70, ", "{reads.joint_share: 0.72, ")
    (failure,) = run_rule_tests(book(text))
    assert str(failure) == "r0.yaml:20:1: DM003 fires on its own test; expected silent"
    lacking = GOOD.replace("reads.joint_share: 0.71, reads.calls_per_day: 100", "reads.joint_share: 0.71")
    (failure,) = run_rule_tests(book(lacking))
    assert "not supplied (reads.calls_per_day)" in str(failure)


def test_an_unknown_rule_is_asked_for() -> None:
    with pytest.raises(UsageError, match="did you mean DM003"):
        book(GOOD).rule("DM033")
