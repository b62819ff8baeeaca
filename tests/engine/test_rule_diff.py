"""Two rulebooks compared: what became of each rule, and what that alters on an application analysed before."""

from collections.abc import Mapping
from typing import Any

import pytest
from small_rules import KEYLESS, WIDE, book_of, text_of

from ddbmig.engine.rule_diff import compare
from ddbmig.engine.rulebook import Rulebook
from ddbmig.model.assessment import (
    Assessment,
    Fact,
    FactValue,
    PatternRate,
    Rates,
    Relationship,
    RelationshipAssessment,
)
from ddbmig.model.explanation import RuleDiff

LINK = Relationship(id="line.order_id->orders.id", child="line", child_columns=("order_id",), parent="orders",
                    parent_columns=("id",), cardinality="1:N", evidence=())  # fmt: skip
SCORES = {
    **WIDE, "id": "TT010", "title": "read-much", "applies_to": "relationship", "severity": None,
    "score": {"embed": 30}, "params": {"share": 0.7}, "because": "much",
    "when": {"all": ["is_set(reads.joint_share)", "reads.joint_share > params.share"]},
    "tests": [{"given": {"reads.joint_share": 0.8}, "expect": "fires"}, {"given": {}, "expect": "silent"}],
}  # fmt: skip
SLOW = {
    **WIDE, "id": "TT020", "title": "many-joins", "applies_to": "pattern", "when": "pattern.joins > 3",
    "because": "joins",
    "tests": [{"given": {"pattern.joins": 4}, "expect": "fires"}, {"given": {"pattern.joins": 3}, "expect": "silent"}],
}  # fmt: skip


def facts(**values: FactValue) -> Mapping[str, Fact]:
    return {
        name.replace("__", "."): Fact(value=value, unit="", source="measured", origin="")
        for name, value in values.items()
    }


ANALYSED = Assessment(
    rates=Rates(span_seconds=1, represents="average", source="assumed", factor=1),
    patterns=(PatternRate(pattern="p1", calls=1, calls_per_month=1, peak_per_second=1, complexity=1,
                          facts=facts(pattern__joins=4)),),
    relationships=(RelationshipAssessment(relationship=LINK, facts=facts(reads__joint_share=0.75), ledger=(), points={},
                                          forbidden={}, verdict="undecided", margin=0),),
    table_facts={"orders": facts(table__columns=25, table__has_primary_key=True),
                 "notes": facts(table__columns=3, table__has_primary_key=False)},
)  # fmt: skip


def changes(diff: RuleDiff) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(change.rule, change.change, change.details) for change in diff.changes]


def effects(before: Rulebook, after: Rulebook) -> list[tuple[str, str, str]]:
    return [(e.subject, e.before, e.after) for e in compare(before, after, ANALYSED).effects or ()]


BOTH = book_of(text_of(WIDE), text_of(KEYLESS))


def test_the_same_rules_differ_in_nothing() -> None:
    commented = book_of("# a comment\n" + text_of(KEYLESS), text_of(WIDE))
    assert compare(BOTH, commented, ANALYSED) == RuleDiff(changes=(), effects=())


def test_rules_that_come_and_go() -> None:
    other = book_of(text_of(KEYLESS), text_of(SLOW))
    assert changes(compare(BOTH, other, None)) == [("TT001", "removed", ()), ("TT020", "added", ())]
    assert compare(BOTH, other, None).effects is None


def test_a_rule_that_is_switched_off_is_gone_by_somebody() -> None:
    off = book_of(text_of(WIDE), text_of(KEYLESS), settings="TT001: {enabled: false}\n")
    assert changes(compare(BOTH, off, None)) == [("TT001", "removed", ("switched off by ddbmig.yaml:1",))]
    assert changes(compare(off, BOTH, None)) == [("TT001", "added", ())]


@pytest.mark.parametrize(
    ("changed", "details"),
    [
        ({"severity": "error"}, ("severity: warning -> error",)),
        ({"when": "table.columns > 30"}, ("when: table.columns > 20 -> table.columns > 30",)),
        ({"when": {"any": ["table.columns > 20", {"not": ["table.has_primary_key"]}]}},
         ("when: table.columns > 20 -> any(table.columns > 20, not(table.has_primary_key))",)),
        ({"title": "very-wide", "why": "It is\nwider.\n"},
         ("title: wide-table -> very-wide", "why: It is wide. -> It is wider.")),
        ({"mandatory": True}, ("mandatory: false -> true",)),
        ({"warning": "Beware."}, ("warning: nothing -> Beware.",)),
        ({"when": "table.columns > params.most", "params": {"most": 20}},
         ("params.most: nothing -> 20", "when: table.columns > 20 -> table.columns > params.most")),
        ({"status": "preview", "since": "2.0"}, ("status: stable -> preview",)),
    ],
)  # fmt: skip
def test_what_a_rule_says_otherwise_is_told_key_by_key(changed: dict[str, Any], details: tuple[str, ...]) -> None:
    assert changes(compare(BOTH, book_of(text_of(WIDE, **changed), text_of(KEYLESS)), None)) == [
        ("TT001", "changed", details)
    ]


def test_points_and_params_are_keys_of_their_own() -> None:
    before = book_of(text_of(SCORES))
    after = book_of(text_of(SCORES, score={"embed": -5, "separate": 30}), settings="TT010: {params: {share: 0.8}}\n")
    assert changes(compare(before, after, None)) == [
        ("TT010", "changed", ("params.share: 0.7 -> 0.8", "score.embed: +30 -> -5", "score.separate: nothing -> +30"))
    ]


def test_the_tests_of_a_rule_are_not_what_it_says() -> None:
    more = [*WIDE["tests"], {"given": {"table.columns": 99}, "expect": "fires"}]
    assert changes(compare(BOTH, book_of(text_of(WIDE, tests=more), text_of(KEYLESS)), None)) == []


# --- on an application ---


def test_a_finding_comes_goes_and_changes_its_weight() -> None:
    assert effects(BOTH, book_of(text_of(KEYLESS))) == [("orders", "TT001: warning", "TT001: silent")]
    assert effects(book_of(text_of(KEYLESS)), BOTH) == [("orders", "TT001: silent", "TT001: warning")]
    raised = book_of(text_of(WIDE, severity="error"), text_of(KEYLESS))
    assert effects(BOTH, raised) == [("orders", "TT001: warning", "TT001: error")]
    lower = book_of(text_of(WIDE, when="table.columns > 2"), text_of(KEYLESS))
    assert effects(BOTH, lower) == [("notes", "TT001: silent", "TT001: warning")]


def test_findings_on_access_patterns_are_compared_too() -> None:
    assert effects(BOTH, book_of(text_of(WIDE), text_of(KEYLESS), text_of(SLOW))) == [
        ("p1", "TT020: silent", "TT020: warning")
    ]


def test_a_verdict_that_changes_is_told_with_its_margins() -> None:
    strict = book_of(text_of(SCORES), settings="TT010: {params: {share: 0.8}}\n")
    assert effects(book_of(text_of(SCORES)), strict) == [
        (LINK.id, "embed (margin 30)", "undecided (margin 0)")
    ]  # fmt: skip


def test_a_change_without_effect_has_none() -> None:
    found = compare(BOTH, book_of(text_of(WIDE, when="table.columns > 21"), text_of(KEYLESS)), ANALYSED)
    assert (len(found.changes), found.effects) == (1, ())
