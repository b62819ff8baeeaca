"""Settings on rules: later ones win, mandatory rules can only be raised, and what does not fit changes nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_rules import KEYLESS, WIDE, book_of, settings_of, text_of

from ddbmig.engine.overrides import Setting, settings_in
from ddbmig.engine.rule import SEVERITIES
from ddbmig.engine.rulebook import Pack, Rulebook, load_rules
from ddbmig.engine.strict_yaml import read_yaml
from ddbmig.model.errors import RuleError

TEXT = text_of(WIDE, when="table.columns > params.most and not table.name in params.names",
               params={"most": 20, "names": ["log"]})  # fmt: skip
FORBIDS = text_of(
    KEYLESS, id="TT003", title="never-alone", applies_to="relationship", when="cardinality.declared",
    because="declared", forbids=["embed"], tests=[
        {"given": {"cardinality.declared": True}, "expect": "fires"},
        {"given": {"cardinality.declared": False}, "expect": "silent"},
    ],
)  # fmt: skip
SCORES = text_of(
    WIDE, id="TT004", title="scores", applies_to="relationship", when="cardinality.declared", because="declared",
    severity=None, score={"embed": 5}, tests=[
        {"given": {"cardinality.declared": True}, "expect": "fires"},
        {"given": {"cardinality.declared": False}, "expect": "silent"},
    ],
)  # fmt: skip


def under(settings: str, *texts: str) -> Rulebook:
    return book_of(TEXT, text_of(KEYLESS), FORBIDS, SCORES, *texts, settings=settings)


def refused(settings: str, mandatory: bool = False) -> list[str]:
    texts = [TEXT, text_of(KEYLESS, mandatory=mandatory or None), FORBIDS, SCORES]
    with pytest.raises(RuleError) as caught:
        book_of(*texts, settings=settings)
    return [str(mistake).removeprefix("ddbmig.yaml:") for mistake in caught.value.mistakes]


# --- settings as they are written ---


def test_a_setting_knows_every_word_of_its_own() -> None:
    first, second, third = settings_of("TT001:\n  severity: error\n  params:\n    most: 5\nTT002: {enabled: false}\n")
    assert [(one.rule, one.key, one.value) for one in (first, second, third)] == [
        ("TT001", "severity", "error"), ("TT001", "params.most", 5), ("TT002", "enabled", False)
    ]  # fmt: skip
    places = [(spot.origin.line, spot.origin.column) for spot in (second.rule_at, second.key_at, second.value_at)]
    assert places == [(1, 1), (4, 5), (4, 11)]
    assert (second.value_at.source, second.rule_at.source) == ("    most: 5", "TT001:")
    assert str(second.origin) == "ddbmig.yaml:4"


def test_an_option_has_no_place() -> None:
    tree, _ = read_yaml("", "TT001: {severity: error}\n")
    (setting,) = settings_in("--set rules.TT001.severity=error", tree, None)
    assert str(setting.origin) == "--set rules.TT001.severity=error"
    assert (setting.origin.line, setting.value_at.source) == (None, None)


ODD = ("3", "{severty: error}", "{severity: fatal}", "{params: {most: true}}", "{params: [5]}", "[error]")


@pytest.mark.parametrize("entry", ODD)
def test_an_entry_of_another_shape_is_left_out_and_the_others_stay(entry: str) -> None:
    """Its mistakes are told by the check of the whole file."""
    found = settings_of(f"TT001: {entry}\nTT002: {{enabled: false}}\n")
    assert [setting.rule for setting in found] == ["TT002"]


# --- settings that fit ---


def test_what_is_set_is_in_force_and_says_who_did_it() -> None:
    rule = under("TT001: {severity: error, params: {most: 5, names: [a, b]}}\n").rule("TT001")
    assert (rule.severity, rule.params, rule.own_params) == (
        "error", {"most": 5, "names": ("a", "b")}, {"most": 20, "names": ("log",)}
    )  # fmt: skip
    assert {key: str(by) for key, by in rule.overridden.items()} == {
        "severity": "ddbmig.yaml:1", "params.most": "ddbmig.yaml:1", "params.names": "ddbmig.yaml:1"
    }  # fmt: skip
    assert rule.fires({"table.columns": 6, "table.name": "orders"})
    assert rule.fires({"table.columns": 6, "table.name": "a"}) is None


def test_a_number_may_become_a_fraction() -> None:
    assert under("TT001: {params: {most: 5.5}}\n").rule("TT001").params["most"] == 5.5


def test_a_rule_that_is_off_keeps_what_is_set_on_it() -> None:
    off = under("TT001: {enabled: false, severity: error}\n")
    assert "TT001" not in off.by_id
    (rule, by), *_ = off.off
    assert (rule.severity, str(by)) == ("error", "ddbmig.yaml:1")


def test_a_later_setting_wins() -> None:
    text = "TT001: {severity: error}\n"
    tree, _ = read_yaml("ddbmig.yaml", text)
    more, _ = read_yaml("--set", "TT001: {severity: info, enabled: true}\n")
    settings: list[Setting] = [*settings_in("ddbmig.yaml", tree, text), *settings_in("--set", more, None)]
    rule = load_rules([Pack("ddbmig:test", (("r.yaml", TEXT),))], settings).rule("TT001")
    assert (rule.severity, str(rule.overridden["severity"])) == ("info", "--set")


@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_the_last_word_says_whether_a_rule_is_in_force(words: list[bool]) -> None:
    settings: list[Setting] = []
    for number, word in enumerate(words):
        tree, _ = read_yaml("x", f"TT002: {{enabled: {str(word).lower()}}}\n")
        settings += settings_in(f"--set {number}", tree, None)
    book = load_rules([Pack("ddbmig:test", (("r.yaml", text_of(KEYLESS)),))], settings)
    assert ("TT002" in book.by_id) is words[-1]
    assert [str(by) for _, by in book.off] == ([] if words[-1] else [f"--set {len(words) - 1}"])


# --- mandatory rules ---


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("given_severity", SEVERITIES)
def test_a_mandatory_rule_can_be_raised_only(severity: str, given_severity: str) -> None:
    text = text_of(WIDE, severity=severity, mandatory=True)
    settings = f"TT001: {{severity: {given_severity}}}\n"
    ranks: list[Any] = list(SEVERITIES)
    if ranks.index(given_severity) >= ranks.index(severity):
        assert book_of(text, settings=settings).rule("TT001").severity == given_severity
    else:
        with pytest.raises(RuleError, match="mandatory and cannot be lowered"):
            book_of(text, settings=settings)


def test_a_rule_made_mandatory_is_so_from_there_on() -> None:
    assert under("TT002: {severity: warning, mandatory: true}\n").rule("TT002").mandatory
    assert refused("TT002: {mandatory: true, severity: warning}\n") == [
        "1:36: this rule is mandatory and cannot be lowered (rules.TT002.severity); expected at least error"
    ]
    assert under("TT002: {mandatory: true, enabled: true}\n").rule("TT002").mandatory


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("TT002: {enabled: false}\n",
         "1:18: this rule is mandatory and cannot be switched off (rules.TT002.enabled); expected true"),
        ("TT002: {severity: info}\n",
         "1:19: this rule is mandatory and cannot be lowered (rules.TT002.severity); expected at least error"),
    ],
)  # fmt: skip
def test_a_mandatory_rule_is_neither_lowered_nor_switched_off(settings: str, message: str) -> None:
    assert refused(settings, mandatory=True) == [message]


def test_the_params_of_a_mandatory_rule_stay() -> None:
    text = text_of(WIDE, when="table.columns > params.most", params={"most": 20}, mandatory=True)
    with pytest.raises(RuleError, match="this rule is mandatory: its params stay"):
        book_of(text, settings="TT001: {params: {most: 30}}\n")


# --- settings that do not fit ---


@pytest.mark.parametrize(
    ("settings", "messages"),
    [
        ("TT01: {severity: error, enabled: true}\n", ["1:1: no such rule (rules.TT01); did you mean TT001?"]),
        ("ZZ: {enabled: false}\n", ["1:1: no such rule (rules.ZZ); see: ddbmig rules list"]),
        ("TT001: {params: {mots: 5}}\n",
         ["1:18: no such param (rules.TT001.params.mots); did you mean most?"]),
        ("TT001: {params: {zzzz: 5}}\n",
         ["1:18: no such param (rules.TT001.params.zzzz); known: most, names"]),
        ("TT002: {params: {most: 5}}\n",
         ["1:18: no such param (rules.TT002.params.most); this rule has no params"]),
        ('TT001: {params: {most: "5"}}\n',
         ["1:24: this param has another type (rules.TT001.params.most); expected a number"]),
        ("TT001: {params: {names: log}}\n",
         ["1:25: this param has another type (rules.TT001.params.names); expected a list"]),
        ("TT001: {params: {names: []}}\n", ["1:25: an empty list (rules.TT001.params.names); expected - text, one at "
                                            "least"]),
        ("TT003: {severity: warning}\n",
         ["1:19: a rule that forbids an option is an error (rules.TT003.severity); expected error; switch it off: "
          "enabled: false"]),
        ("TT004: {severity: error}\n",
         ["1:19: this rule scores and has no severity (rules.TT004.severity); change its params, or switch it off"]),
        ("TT001: {severity: error, params: {most: x, mots: 1}}\nTT9: {enabled: false}\n",
         ["1:41: this param has another type (rules.TT001.params.most); expected a number",
          "1:44: no such param (rules.TT001.params.mots); did you mean most?",
          "2:1: no such rule (rules.TT9); see: ddbmig rules list"]),
    ],
)  # fmt: skip
def test_a_setting_that_does_not_fit_is_refused_at_its_place(settings: str, messages: list[str]) -> None:
    assert refused(settings) == messages
