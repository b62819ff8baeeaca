"""A rule's own tests: how they fail, which changes of a rule are tried, and which of them weak tests do not notice."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from small_rules import KEYLESS, WIDE, book_of, rule_of, text_of

from ddbmig.engine.rule import written
from ddbmig.engine.rule_tests import mutants, run_rule_tests, survivors
from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.packs import recommended

CASES = yaml.safe_load((Path(__file__).parent / "data" / "mutants.yaml").read_text())


def tried(fires: bool, **facts: Any) -> dict[str, Any]:
    given = {name.replace("__", "."): value for name, value in facts.items()}
    return {"given": given, "expect": "fires" if fires else "silent"}


# --- the tests themselves ---


def test_tests_that_hold_are_silent() -> None:
    assert run_rule_tests(book_of(text_of(WIDE), text_of(KEYLESS))) == ()


def test_each_failing_test_is_told_with_its_line() -> None:
    wide = text_of(WIDE, tests=[tried(True, table__columns=20), tried(False, table__columns=21)])
    keyless = text_of(KEYLESS, tests=[tried(True, table__has_primary_key=False), tried(False, table__columns=3)])
    lines = {text: [n for n, line in enumerate(text.split("\n"), 1) if "given:" in line] for text in (wide, keyless)}
    assert [str(failure) for failure in run_rule_tests(book_of(wide, keyless))] == [
        f"r0.yaml:{lines[wide][0]}:1: TT001 is silent on its own test; expected fires",
        f"r0.yaml:{lines[wide][1]}:1: TT001 fires on its own test; expected silent",
        f"r1.yaml:{lines[keyless][1]}:1: a fact that is never missing was not supplied (table.has_primary_key); "
        "give it in the test of TT002",
    ]


def test_tests_run_with_the_params_of_the_rules_file() -> None:
    text = text_of(WIDE, when="table.columns > params.most", params={"most": 20})
    changed = book_of(text, settings="TT001: {params: {most: 5}}")
    assert changed.rule("TT001").fires({"table.columns": 6})
    assert run_rule_tests(changed) == ()
    assert [mutant.change for mutant in mutants(changed.rule("TT001"))][-1] == "params.most = 6"
    assert [mutant.change for mutant in survivors(changed.rule("TT001"))] == []


# --- changes of a rule ---


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["when"]))
def test_every_part_of_a_condition_is_changed(case: dict[str, Any]) -> None:
    rule = rule_of(when=case["when"], params=case.get("params"))
    found = list(mutants(rule))
    assert [mutant.change for mutant in found] == case["mutants"]
    for mutant in found:
        assert (written(mutant.rule.when), mutant.rule.params) != (written(rule.when), rule.params)
        assert mutant.rule.tests == rule.tests


def test_a_change_that_the_loader_would_refuse_is_none() -> None:
    """Without the guard the fact could be missing, so that the loader keeps everybody from leaving it out."""
    changes = [mutant.change for mutant in mutants(rule_of(when={"all": ["is_set(table.rows)", "table.rows > 9"]}))]
    assert "without is_set(table.rows)" not in changes
    assert "any instead of all" not in changes


def test_very_many_lines_without_their_guard_are_no_mutant() -> None:
    lines = ["is_set(table.rows)", *(f"table.rows > {number}" for number in range(120))]
    assert "any instead of all" not in [mutant.change for mutant in mutants(rule_of(when={"all": lines}))]


@pytest.mark.parametrize(
    ("when", "tests", "surviving"),
    [
        pytest.param("table.columns > 20", [tried(True, table__columns=21), tried(False, table__columns=20)], [],
                     id="both sides of the threshold"),
        pytest.param("table.columns > 20", [tried(True, table__columns=90), tried(False, table__columns=3)],
                     ["table.columns >= 20 instead of table.columns > 20",
                      "table.columns > 19 instead of table.columns > 20",
                      "table.columns > 21 instead of table.columns > 20"], id="far from the threshold"),
        pytest.param("table.columns > 20", [tried(True, table__columns=22), tried(False, table__columns=20)],
                     ["table.columns > 21 instead of table.columns > 20"], id="not quite at the threshold"),
        pytest.param({"all": ["table.columns > 20", "not table.has_primary_key"]},
                     [tried(True, table__columns=21, table__has_primary_key=False),
                      tried(False, table__columns=20, table__has_primary_key=False)],
                     ["without not table.has_primary_key"], id="a line that no test needs"),
        pytest.param({"all": ["table.columns > 20", "not table.has_primary_key"]},
                     [tried(True, table__columns=21, table__has_primary_key=False),
                      tried(False, table__columns=20, table__has_primary_key=True)],
                     ["any instead of all", "without table.columns > 20", "without not table.has_primary_key",
                      "table.columns >= 20 instead of table.columns > 20",
                      "table.columns > 19 instead of table.columns > 20"], id="both lines fail together"),
        pytest.param("default(table.rows, 0) > 9", [tried(True, table__rows=10), tried(False, table__rows=9)],
                     ["default(table.rows, 1000000000000000.0) > 9 instead of default(table.rows, 0) > 9"],
                     id="nobody tries a fact that is missing"),
        pytest.param({"all": ["is_set(table.rows)", "table.rows > 9"]},
                     [tried(True, table__rows=10), tried(False, table__rows=9), tried(False)], [],
                     id="a guard with its test"),
    ],
)  # fmt: skip
def test_weak_tests_let_exactly_these_changes_pass(when: Any, tests: list[Any], surviving: list[str]) -> None:
    rule = rule_of(when=when, tests=tests)
    assert [mutant.change for mutant in survivors(rule)] == surviving


def test_a_change_that_stops_at_a_missing_fact_is_noticed() -> None:
    """`not` of a guarded line evaluates a fact that is not there: an error is no passed test."""
    rule = rule_of(when="is_set(table.rows) and table.rows > 9",
                   tests=[tried(True, table__rows=10), tried(False, table__rows=9), tried(False)])  # fmt: skip
    assert survivors(rule) == ()


def test_the_mutants_of_the_built_in_pack_are_many() -> None:
    book: Rulebook = load_rules([recommended()])
    assert sum(sum(1 for _ in mutants(rule)) for rule in book.rules) > 500
