"""The policies allow what the plans call, and are such that IAM takes them."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from export_material import MATERIAL
from test_cloudformation import mistakes

from ddbmig.model.errors import UsageError
from ddbmig.model.plan import ReadCall
from ddbmig.reporters.exports.iam import LONGEST_POLICY, Grant, grants, iam, packed, size, statements
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.plan_calls import query_plan
from hand_made import BOOKS_TABLE, CHOSEN, INSERT, INSERT_PLAN, SELECT, SELECT_PLAN, UPDATE, UPDATE_PLAN, pattern

ACTIONS = {"GetItem", "BatchGetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem"}


def policies(material: Material = MATERIAL) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(iam(material))["Resources"]
    return {name: one["Properties"] for name, one in found.items()}


def allowed(name: str) -> list[tuple[list[str], str, dict[str, Any]]]:
    """Actions, the end of the ARN and the conditions of each statement."""
    return [
        (one["Action"], one["Resource"]["Fn::Sub"].split(":")[-1], one.get("Condition", {}))
        for one in policies()[name]["PolicyDocument"]["Statement"]
    ]


def test_cfn_lint_finds_nothing() -> None:
    assert mistakes(iam(MATERIAL)) == []


def test_cfn_lint_would_find_something() -> None:
    text = iam(MATERIAL)
    for was, wrong in (("Effect: Allow", "Effect: Permit"), ("Resource:", "Resources:")):
        assert mistakes(text.replace(was, wrong, 1)), was


def test_each_planned_pattern_has_a_policy_that_is_called_so() -> None:
    found = policies()
    assert list(found) == ["SelectBoOksByIdQaaPolicy", "InsertBooksQbbPolicy", "UpdateBooksQccPolicy"]
    assert found["InsertBooksQbbPolicy"]["Description"] == "insert books (Qbb)"


def test_an_insert_reads_its_parent_and_keeps_the_unique_key_in_transactions() -> None:
    none = {"StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"}}
    put = ["dynamodb:PutItem"]
    assert allowed("InsertBooksQbbPolicy") == [
        (["dynamodb:GetItem"], "table/authors", {}),
        (put, "table/books",
         {"ForAllValues:StringEquals": {"dynamodb:Attributes": sorted(BOOKS_TABLE.attributes)}} | none),
        (put, "table/books_isbn_unique",
         {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["id", "isbn"]}} | none
         | {"ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}}),
    ]  # fmt: skip


def test_an_update_names_what_it_changes() -> None:
    ((actions, arn, condition),) = allowed("UpdateBooksQccPolicy")
    assert (actions, arn) == (["dynamodb:UpdateItem"], "table/books")
    assert condition["ForAllValues:StringEquals"] == {"dynamodb:Attributes": ["author_id", "id", "kind", "kind key#"]}


def test_a_query_of_a_gsi_is_allowed_on_the_gsi_alone() -> None:
    arns = {tuple(actions): arn for actions, arn, _ in allowed("SelectBoOksByIdQaaPolicy")}
    assert arns == {("dynamodb:BatchGetItem",): "table/books",
                    ("dynamodb:Query",): "table/books/index/books_by_author"}  # fmt: skip


def calls(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every call of a plan as plans.json shows it."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        if name in ACTIONS:
            yield name, inner
        else:
            yield from calls(inner)
    for one in value if isinstance(value, list) else ():
        yield from calls(one)


def named(call: dict[str, Any]) -> set[str]:
    """The attributes that a call names."""
    text = " ".join(one for key, one in call.items() if key.endswith("Expression"))
    bare = {word for word in re.findall(r"(?<![#:\w])[a-z]\w*", text) if not word.startswith(("attribute_", "if_not_"))}
    bare -= {"begins_with"}
    keys = set().union(*(set(one) for one in (call.get("Key", {}), call.get("Item", {}), *call.get("Keys", []))))
    return bare | set(call.get("ExpressionAttributeNames", {}).values()) | keys


@pytest.mark.parametrize(("asked", "plan"), [(SELECT, SELECT_PLAN), (INSERT, INSERT_PLAN), (UPDATE, UPDATE_PLAN)])
def test_what_the_calls_name_is_allowed_and_nothing_else_is(asked: Any, plan: Any) -> None:
    given = {(one.action, *one.on): one for one in grants(MATERIAL, asked, plan)}
    made = dict[tuple[str, str, str | None], set[str]]()
    for action, call in calls(query_plan(asked, plan, CHOSEN.tables, MATERIAL.snapshot.tables).calls):
        made.setdefault((action, call["Table"], call.get("Index")), set()).update(named(call))
    assert given.keys() == made.keys()
    for key, grant in given.items():
        assert grant.attributes is None or made[key] <= grant.attributes, key


def test_a_read_with_a_projection_may_name_nothing_else() -> None:
    lean = pattern("ee", "one isbn", "select", "SELECT isbn FROM `bo|oks` WHERE id = ?", reads=())
    read = ReadCall.model_validate(SELECT_PLAN.steps[1].model_dump() | {"join": "first", "match": {"kind": "all"}})
    plan = SELECT_PLAN.model_copy(update={"pattern": lean.id, "steps": (read,)})
    (grant,) = grants(MATERIAL, lean, plan)
    assert grant == Grant("BatchGetItem", ("books", None), frozenset({"id"}))
    (statement,) = statements([grant])
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["id"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }


def test_a_variable_of_iam_in_a_name_stays_text() -> None:
    (one,) = statements([Grant("PutItem", ("t", None), frozenset({"${aws:username}", "*"}))])
    names = one["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
    assert names == ["${$}{aws:username}", "*"]


def test_a_policy_is_within_the_size_that_iam_takes() -> None:
    wide = [Grant("PutItem", (f"t{n}", None), frozenset(f"attribute_{k:03}" for k in range(100))) for n in range(9)]
    parts = packed(statements(wide))
    assert len(parts) > 1
    assert [one for part in parts for one in part] == statements(wide)
    assert all(size(part) <= LONGEST_POLICY for part in parts)
    (too_wide,) = packed(statements([Grant("PutItem", ("t", None), frozenset(str(n) * 60 for n in range(200)))]))
    assert size(too_wide) <= LONGEST_POLICY
    assert "dynamodb:Attributes" not in json.dumps(too_wide)
    assert "dynamodb:ReturnValues" in json.dumps(too_wide)


def test_too_many_policies_are_one_clear_line() -> None:
    several = [pattern(f"x{n}", f"update {n}", "update", "UPDATE") for n in range(501)]
    plans = tuple(UPDATE_PLAN.model_copy(update={"pattern": one.id}) for one in several)
    material = replace(
        MATERIAL, snapshot=MATERIAL.snapshot.model_copy(update={"patterns": tuple(several)}),
        alternative=CHOSEN.model_copy(update={"plans": plans}),
    )  # fmt: skip
    with pytest.raises(UsageError, match="501 resources; expected at most 500"):
        iam(material)
