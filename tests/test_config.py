"""The configuration: who said what, who wins, and every mistake of every source at once."""

import pytest

from ddbmig.config import Assignment, assignments, configure
from ddbmig.model.context import ProjectConfig
from ddbmig.model.errors import RuleError, UsageError

TEXT = """\
context:
  lifecycle: growing
  owners: {"shop.orders": checkout}
gate: {fail_on: warning}
rules:
  DM003:
    params: {joint_share: 0.8}
  PR001: {enabled: false}
"""


def given(*words: str) -> tuple[Assignment, ...]:
    return assignments(words, {})


def test_without_anything_all_is_default() -> None:
    found = configure(None)
    assert (found.config, found.settings, found.origins) == (ProjectConfig(), (), {})


def test_every_value_knows_who_said_it() -> None:
    found = configure(TEXT)
    assert {key: str(origin) for key, origin in found.origins.items()} == {
        "context.lifecycle": "ddbmig.yaml:2",
        "context.owners.shop.orders": "ddbmig.yaml:3",
        "gate.fail_on": "ddbmig.yaml:4",
        "rules.DM003.params.joint_share": "ddbmig.yaml:7",
        "rules.PR001.enabled": "ddbmig.yaml:8",
    }
    assert [(s.rule, s.key, s.value, str(s.origin)) for s in found.settings] == [
        ("DM003", "params.joint_share", 0.8, "ddbmig.yaml:7"),
        ("PR001", "enabled", False, "ddbmig.yaml:8"),
    ]


def test_an_option_wins_over_the_environment_and_that_over_the_file() -> None:
    variables = {"DDBMIG_SET": "gate.fail_on=error context.roadmap='two words' pricing.region=eu-west-1"}
    found = configure(TEXT, assignments(["pricing.region=us-west-2", "rules.DM003.params.joint_share=0.9"], variables))
    assert found.config.gate.fail_on == "error"
    assert found.config.context.lifecycle == "growing"
    assert found.config.context.roadmap == "two words"
    assert found.config.pricing.region == "us-west-2"
    assert str(found.origins["gate.fail_on"]) == "DDBMIG_SET gate.fail_on=error"
    assert str(found.origins["pricing.region"]) == "--set pricing.region=us-west-2"
    assert [s.value for s in found.settings] == [0.8, False, 0.9]


def test_a_list_is_replaced_as_a_whole() -> None:
    found = configure("extends: [ddbmig:recommended, ./a/]\n", given("extends=[ddbmig:recommended, ./b/]"))
    assert found.config.extends == ("ddbmig:recommended", "./b/")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("gate.fail_on", "--set gate.fail_on: not an assignment; expected key.key=value"),
        ("gate..x=1", "--set gate..x=1: not an assignment"),
        ("=1", "--set =1: not an assignment"),
        ("gate.fail_no=error", "--set gate.fail_no=error: unknown key (gate.fail_no); did you mean fail_on?"),
        ("gate.fail_on=eror", "--set gate.fail_on=eror: this value is not allowed (gate.fail_on); expected 'error' or"),
        ("gate.new_only=yes", 'YAML reads this as a bool (yes); write true or false, or "yes" in quotes'),
        ("gate=warning", "--set gate=warning: not a mapping (gate); expected key: value lines below it"),
        ("gate.fail_on=", "--set gate.fail_on=: not an assignment"),
        ("gate.fail_on=[", "not YAML"),
        ("rules.DM003.enabeld=false", "unknown key (rules.DM003.enabeld); did you mean enabled?"),
    ],
)
def test_an_assignment_with_a_mistake_is_named_and_has_no_line(word: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        configure(TEXT, given(word))
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (None, None)


def test_the_mistakes_of_all_sources_come_at_once() -> None:
    with pytest.raises(RuleError) as caught:
        configure("gate: {fail_on: no}\nscop: {}\n", given("gate.fail_on=eror", "outt=x"))
    assert [str(m).partition(": ")[0] for m in caught.value.mistakes] == [
        "ddbmig.yaml:1:17", "ddbmig.yaml:2:1", "--set gate.fail_on=eror", "--set outt=x"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["DDBMIG_SETS", "DDBMIG_STE", "DDBMIG_ST"])
def test_a_misspelt_variable_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=rf"no such environment variable \({name}\); did you mean DDBMIG_SET\?"):
        assignments([], {name: "gate.fail_on=warning"})


def test_other_variables_are_nobodys_business() -> None:
    assert assignments([], {"DDBMIG_CACHE": "/x", "DDBMIG_CORPUS": "/y", "HOME": "/z"}) == ()


def test_a_variable_that_is_no_words_is_refused() -> None:
    with pytest.raises(UsageError, match="DDBMIG_SET cannot be read"):
        assignments([], {"DDBMIG_SET": "context.roadmap='open"})
