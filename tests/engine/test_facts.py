"""The published catalogue of facts."""

import re

import pytest

from ddbmig.engine.expressions import compile_condition
from ddbmig.engine.facts import BY_PHASE, CATALOGUE, PHASES, FactDefinition


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


def test_what_other_rooms_supply_may_always_be_missing() -> None:
    for phase in ("alternative", "index", "validation"):
        assert all(fact.may_be_missing for fact in CATALOGUE if fact.applies_to == phase)
