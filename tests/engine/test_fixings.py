"""What the options of a relationship are said to cost: the same as designs that are made with each of them."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from ddbmig.engine.choice import propose
from ddbmig.model.design import Design
from ddbmig.model.snapshot import Snapshot
from design_builder import PRICES, World, assess_world, snapshot_of

SCHEMA = """
CREATE TABLE authors (id INT NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL);
CREATE TABLE books (id INT NOT NULL PRIMARY KEY, author_id INT NOT NULL, title VARCHAR(100) NOT NULL,
  FOREIGN KEY (author_id) REFERENCES authors (id));
"""
RELATIONSHIP = "books.author_id->authors.id"
JOIN = "SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?"
LIST = "SELECT id FROM books WHERE author_id = ?"
RENAME = "UPDATE authors SET name = ? WHERE id = ?"
READ_MOSTLY, RENAMED = (
    {JOIN: 50_000_000, LIST: 1_000_000, RENAME: 10},
    {JOIN: 1_000, LIST: 1_000_000, RENAME: 5_000_000},
)


def shop(calls: Mapping[str, int]) -> Snapshot:
    return snapshot_of(World(SCHEMA, tuple(calls), rows={"authors": 10_000, "books": 100_000},
                             groups={"books": {"author_id": 10_000}}, calls=calls))  # fmt: skip


def design(snapshot: Snapshot, verdict: str, choice: str | None = None, **changes: object) -> Design:
    assessment = assess_world(snapshot, {RELATIONSHIP: verdict})  # type: ignore[dict-item]  # a verdict
    changed = tuple(one.model_copy(update=changes) for one in assessment.relationships)
    assessment = assessment.model_copy(update={"relationships": changed})
    return propose(snapshot, assessment, PRICES, lambda _: (), {RELATIONSHIP: choice} if choice else {})


def cheapest(found: Design) -> Decimal:
    return found.alternative("rules" if any(a.id == "rules" for a in found.alternatives) else "faithful").cost.total_usd


@pytest.mark.parametrize("calls", [READ_MOSTLY, RENAMED], ids=["read mostly", "often renamed"])
@pytest.mark.parametrize("verdict", ["separate", "denormalize", "embed"])
def test_an_option_costs_what_a_design_with_it_does(calls: Mapping[str, int], verdict: str) -> None:
    snapshot = shop(calls)
    found = design(snapshot, verdict)
    (one,) = found.relationship_costs
    assert (one.outcome, one.decided_by) == (verdict, "the verdict")
    assert one.costs[verdict] == 0
    assert one.costs.keys() == {"separate", "denormalize", "embed", "collocate"}
    for option, more in one.costs.items():
        made = cheapest(design(snapshot, verdict, option))
        assert made - cheapest(found) == pytest.approx(more, abs=Decimal("0.00001")), option


def test_which_is_dearer_follows_from_the_calls() -> None:
    (read, renamed) = (design(shop(calls), "separate").relationship_costs[0] for calls in (READ_MOSTLY, RENAMED))
    assert read.costs["denormalize"] < 0 < renamed.costs["denormalize"]


def test_what_a_rule_forbids_is_priced_and_the_rule_named() -> None:
    found = design(shop(READ_MOSTLY), "separate", forbidden={"denormalize": "DM999"})
    (one,) = found.relationship_costs
    assert one.forbidden == {"denormalize": "DM999"}
    assert one.costs["denormalize"] < 0


def test_a_choice_says_what_each_option_costs_and_who_took_it() -> None:
    snapshot = shop(READ_MOSTLY)
    open_ = design(snapshot, "undecided")
    (choice,) = open_.choices
    assert choice.default == "denormalize"  # by cost
    assert choice.costs["denormalize"] == 0 < choice.costs["separate"]
    assert design(snapshot, "undecided", "separate").relationship_costs[0].decided_by == "your choice"
