"""plans.json: of one mind with its published schema, and complete."""

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ddbmig.reporters.plans_file import plans_bytes, plans_schema
from hand_made import ASSESSMENT, DESIGN, INSERT, SEARCH, SELECT, SNAPSHOT, UPDATE

USD = {SELECT.id: Decimal("1.250000"), INSERT.id: Decimal("0.000001")}
FILE: dict[str, Any] = json.loads(plans_bytes(SNAPSHOT, ASSESSMENT, DESIGN, USD))
VALIDATOR = Draft202012Validator(plans_schema())


def test_it_satisfies_its_schema() -> None:
    Draft202012Validator.check_schema(plans_schema())
    VALIDATOR.validate(FILE)


def test_it_holds_every_pattern_of_the_chosen_alternative() -> None:
    entries = {entry["id"]: entry for entry in FILE["plans"]}
    assert (FILE["schema_version"], FILE["alternative"]) == (1, DESIGN.chosen)
    assert sorted(entries) == sorted(plan.pattern for plan in DESIGN.alternative(DESIGN.chosen).plans)
    assert entries[SEARCH.id]["routed"] == ["full-text search"]
    assert "ddb_query_plan" not in entries[SEARCH.id]
    assert entries[SELECT.id]["usd_per_month"] == "1.250000"
    assert "usd_per_month" not in entries[UPDATE.id]
    assert entries[INSERT.id]["write_request_units"] == 4
    assert [call["call"] for call in entries[INSERT.id]["calls"]] == [
        "GetItem", "TransactWriteItems: PutItem", "TransactWriteItems: PutItem",
    ]  # fmt: skip
    assert [call["on"] for call in entries[SELECT.id]["calls"]] == ["books/books_by_author", "books"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema_version"], 2),
        (["plans", 0, "kind"], "merge"),
        (["plans", 0, "round_trips"], None),
        (["plans", 0, "surprise"], 1),
        (["plans", 0, "ddb_query_plan", "Steps", 0], {"Querry": {}}),
        (["plans", 0, "ddb_query_plan", "Steps", 0, "Query", "KeyConditionExpression"], None),
        (["plans", 0, "ddb_query_plan", "Steps", 0, "Query", "Item"], {"a": "b"}),
        (["plans", 0, "ddb_query_plan", "Steps", 0, "Query", "ExpressionAttributeValues"], {"id": "$id"}),
        (["plans", 0, "ddb_query_plan", "Steps", 1, "BatchGetItem", "Keys"], []),
        (["plans", 0, "ddb_query_plan", "Steps", 2, "Client"], {"Filter": "x"}),
        (["plans", 0, "placeholders", "id", "is"], None),
        (["plans", 0, "usd_per_month"], 1.25),
        (["plans", 0, "routed"], ["full-text search"]),
    ],
)
def test_the_schema_refuses_a_mistake(path: list[str | int], value: Any) -> None:
    assert FILE["plans"][0]["id"] == SELECT.id
    changed = copy.deepcopy(FILE)
    inside: Any = changed
    for key in path[:-1]:
        inside = inside[key]
    if value is None:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    assert not VALIDATOR.is_valid(changed)
