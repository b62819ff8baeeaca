"""The published catalogue of facts."""

import re

import pytest

from ddbmig.engine.expressions import compile_condition
from ddbmig.engine.facts import BY_PHASE, CATALOGUE, CATALOGUE_VERSION, PHASES, FactDefinition


@pytest.mark.parametrize("fact", CATALOGUE, ids=lambda fact: f"{fact.applies_to}-{fact.name}")
def test_a_fact_is_named_and_described(fact: FactDefinition) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", fact.name)
    assert fact.meaning
    assert fact.measured
    assert not fact.values or fact.kind == "text"
    names = {name: definition.type() for name, definition in BY_PHASE[fact.applies_to].items()}
    guard = compile_condition(f"is_set({fact.name})", names)
    assert guard.known_if_true == {fact.name}


def test_every_phase_has_facts_under_unique_names() -> None:
    assert set(BY_PHASE) == set(PHASES)
    assert sum(len(facts) for facts in BY_PHASE.values()) == len(CATALOGUE)
    assert all(BY_PHASE.values())


def test_numbers_of_a_design_and_its_proof_may_be_missing_and_names_may_not() -> None:
    given = {fact.name for fact in CATALOGUE if fact.applies_to in ("alternative", "index", "validation")
             and not fact.may_be_missing}  # fmt: skip
    assert given == {"alternative.id", "index.name", "index.table"}


def test_the_gate_knows_everything_of_a_waiver() -> None:
    assert {fact.name: (fact.kind, fact.may_be_missing, fact.measured) for fact in BY_PHASE["waiver"].values()} == {
        "waiver.days_left": ("number", False, "waivers.yaml"),
        "waiver.findings": ("number", True, "waivers.yaml"),
        "waiver.evidence_worse": ("bool", False, "waivers.yaml"),
        "waiver.rule_known": ("bool", False, "waivers.yaml"),
    }


def test_the_catalogue_is_numbered_by_what_a_rule_can_rely_on() -> None:
    assert CATALOGUE_VERSION == 2
    levels = BY_PHASE["relationship"]["transactions.isolation"].values
    assert levels == ("read_uncommitted", "read_committed", "repeatable_read", "serializable")
