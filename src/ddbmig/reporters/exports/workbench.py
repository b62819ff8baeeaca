"""A NoSQL Workbench model: the tables with their attributes and GSIs, without items.

The form is that of AWS's published models (aws-samples/aws-dynamodb-examples, `schema_design`), version 3.0. A key
there has one attribute, so that a GSI whose key has several is left out, and named in the description.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.structures import Gsi, Table, projection_of

NO_DATE = "Jan 01, 1970, 12:00 AM"
"""The form wants dates; one of today would make every export another file."""

Json = dict[str, Any]


def workbench(material: Material) -> str:
    """The model as JSON, for "Import data model" in NoSQL Workbench."""
    model = {
        "ModelName": f"ddbmig {material.origin.alternative}",
        "ModelMetadata": {
            "Author": "ddbmig",
            "DateCreated": NO_DATE,
            "DateLastModified": NO_DATE,
            "Description": "\n".join((*material.origin.lines(), *_left_out(material))),
            "AWSService": "Amazon DynamoDB",
            "Version": "3.0",
        },
        "DataModel": [_table(material, table) for table in material.tables],
    }
    return json.dumps(model, indent=2) + "\n"


def _left_out(material: Material) -> Iterator[str]:
    for table in material.tables:
        for gsi in table.gsis:
            if not _single(gsi):
                yield (
                    f"left out: {table.name}/{gsi.name}, a GSI with a partition key of {len(gsi.partition)} attributes "
                    f"and a sort key of {len(gsi.sort)}"
                )


def _single(gsi: Gsi) -> bool:
    return len(gsi.partition) == 1 and len(gsi.sort) <= 1


def _table(material: Material, table: Table) -> Json:
    entries = [one for one in material.contract.root if one.type == "Table" and one.table == table.name]
    attributes = {name: one.type for entry in entries for name, one in entry.attributes.items()}
    found: Json = {
        "TableName": table.name,
        "KeyAttributes": _keys(table.types, table.keys),
        "NonKeyAttributes": [_attribute(attributes, name) for name in attributes if name not in table.keys],
    }
    if gsis := [_gsi(table, gsi) for gsi in table.gsis if _single(gsi)]:
        found["GlobalSecondaryIndexes"] = gsis
    return found | {"TableData": [], "DataAccess": {"MySql": {}}} | _billing(material, table)


def _keys(types: Mapping[str, str], names: tuple[str, ...]) -> Json:
    return {role: _attribute(types, name) for role, name in zip(("PartitionKey", "SortKey"), names, strict=False)}


def _attribute(types: Mapping[str, str], name: str) -> Json:
    return {"AttributeName": name, "AttributeType": types[name]}


def _gsi(table: Table, gsi: Gsi) -> Json:
    return {"IndexName": gsi.name, "KeyAttributes": _keys(table.types, gsi.keys), "Projection": projection_of(gsi)}


def _billing(material: Material, table: Table) -> Json:
    if material.alternative.cost.mode == "on-demand":
        return {"BillingMode": "PAY_PER_REQUEST"}
    return {"BillingMode": "PROVISIONED", "ProvisionedCapacitySettings": material.throughput(table.name, None)}
