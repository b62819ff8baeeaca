"""The NoSQL Workbench model has the structure of published ones, and the tables of the contract."""

import json
from dataclasses import replace
from typing import Any

import pytest
from export_material import MATERIAL, PROVISIONED
from jsonschema import Draft202012Validator

from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.workbench import workbench
from hand_made import NAME


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": required | (optional or {}),
            "additionalProperties": False}  # fmt: skip


_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 65535}
_STRUCTURE = {"type": "string", "pattern": "^[A-Za-z0-9_.-]{3,255}$"}
_KEY = _object({"AttributeName": _NAME, "AttributeType": {"enum": ["S", "N", "B"]}})
_KEYS = _object({"PartitionKey": _KEY}, {"SortKey": _KEY})
_ATTRIBUTE = _object({"AttributeName": _NAME, "AttributeType": {"enum": ["S", "N", "B", "BOOL", "L", "M", "SS", "NS"]}})
_PROJECTION = _object({"ProjectionType": {"enum": ["ALL", "KEYS_ONLY", "INCLUDE"]}},
                      {"NonKeyAttributes": {"type": "array", "items": _NAME, "minItems": 1}})  # fmt: skip
_THROUGHPUT = _object({name: {"type": "integer", "minimum": 1} for name in ("ReadCapacityUnits", "WriteCapacityUnits")})
SCHEMA = _object({
    "ModelName": _NAME,
    "ModelMetadata": _object({
        "Author": _TEXT, "DateCreated": {"type": "string", "pattern": "^[A-Z][a-z]{2} [0-9]{2}, [0-9]{4}, "},
        "DateLastModified": _TEXT, "Description": _TEXT, "AWSService": {"const": "Amazon DynamoDB"},
        "Version": {"const": "3.0"},
    }),
    "DataModel": {"type": "array", "minItems": 1, "items": _object(
        {"TableName": _STRUCTURE, "KeyAttributes": _KEYS, "NonKeyAttributes": {"type": "array", "items": _ATTRIBUTE},
         "TableData": {"type": "array"}, "DataAccess": _object({"MySql": {"type": "object"}}),
         "BillingMode": {"enum": ["PROVISIONED", "PAY_PER_REQUEST"]}},
        {"GlobalSecondaryIndexes": {"type": "array", "minItems": 1, "items": _object(
            {"IndexName": _STRUCTURE, "KeyAttributes": _KEYS, "Projection": _PROJECTION})},
         "ProvisionedCapacitySettings": _object({"ProvisionedThroughput": _THROUGHPUT})},
    )},
})  # fmt: skip
"""What ConnectedVehiclesSchema.json and SessionManagementSchema.json of aws-samples/aws-dynamodb-examples have, of it
what we write: names, their places and the kinds of their values."""


def model(material: Material) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(workbench(material))
    Draft202012Validator(SCHEMA).validate(found)
    return found


@pytest.mark.parametrize("material", [MATERIAL, PROVISIONED], ids=["on demand", "provisioned"])
def test_the_structure_is_that_of_published_models(material: Material) -> None:
    names = [table["TableName"] for table in model(material)["DataModel"]]
    assert names == ["authors", "books", "books_isbn_unique"]


def test_every_attribute_is_there_once() -> None:
    for table in model(MATERIAL)["DataModel"]:
        entry = next(one for one in MATERIAL.contract.root if one.table == table["TableName"] and one.type == "Table")
        given = [*table["KeyAttributes"].values(), *table["NonKeyAttributes"]]
        found = {one["AttributeName"]: one["AttributeType"] for one in given}
        assert found == {name: one.type for name, one in entry.attributes.items()}
        assert len(given) == len(found)
    assert NAME in {one["AttributeName"] for one in model(MATERIAL)["DataModel"][0]["NonKeyAttributes"]}


def test_a_gsi_with_a_key_of_several_attributes_is_left_out_and_said() -> None:
    found = model(MATERIAL)
    (gsi,) = found["DataModel"][1]["GlobalSecondaryIndexes"]
    assert gsi == {
        "IndexName": "books_by_all",
        "KeyAttributes": {"PartitionKey": {"AttributeName": "all", "AttributeType": "S"}},
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    assert found["ModelMetadata"]["Description"].splitlines()[-1] == (
        "left out: books/books_by_author, a GSI with a partition key of 2 attributes and a sort key of 2"
    )


def test_what_is_provisioned_is_there() -> None:
    held = model(PROVISIONED)["DataModel"][1]["ProvisionedCapacitySettings"]["ProvisionedThroughput"]
    assert held == {"ReadCapacityUnits": 11, "WriteCapacityUnits": 12}


def test_a_draft_says_so() -> None:
    draft = replace(MATERIAL, origin=replace(MATERIAL.origin, approval=None))
    assert "\napproval: none, a draft\n" in model(draft)["ModelMetadata"]["Description"]
