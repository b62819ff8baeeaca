"""dynamodb_data_model.json: what AWS's DynamoDB MCP server (`awslabs-dynamodb-mcp-server`) validates and builds from.

The form is that of the server's own guide (json_generation_guide.md in its package, version 2.1.8): `tables` as
CreateTable takes them, `items` to try them with, and `access_patterns` with one AWS CLI command for each call. Items
and commands hold examples of our making and no value of the data.
"""

import base64
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.structures import Gsi, Table, key_schema, projection_of
from ddbmig.reporters.markdown import visible
from ddbmig.reporters.plan_calls import query_plan

Json = dict[str, Any]
OPERATIONS = {"GetItem": "get-item", "BatchGetItem": "batch-get-item", "Query": "query", "Scan": "scan",
              "PutItem": "put-item", "UpdateItem": "update-item", "DeleteItem": "delete-item",
              "TransactWriteItems": "transact-write-items"}  # fmt: skip
"""API operation -> command of the AWS CLI."""
ACTIONS = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
EXPRESSIONS = ("KeyConditionExpression", "FilterExpression", "ProjectionExpression", "UpdateExpression",
               "ConditionExpression")  # fmt: skip
"""Fields of a call that are those of the API."""
READ = 1
"""The number of the example that reads look for."""


def mcp(material: Material) -> str:
    """The file as JSON."""
    writer = _Writer(material)
    patterns = list(writer.access_patterns())
    model = {
        "ddbmig": material.origin.data(),
        "tables": [_table(material, table) for table in material.tables],
        "items": {table.name: writer.items(table.name) for table in material.tables},
        "access_patterns": patterns,
    }
    return json.dumps(model, indent=2) + "\n"


# --- tables ---


def _table(material: Material, table: Table) -> Json:
    found: Json = {
        "TableName": table.name,
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in table.types.items()
        ],
        "KeySchema": key_schema(table.keys[:1], table.keys[1:]),
    }  # fmt: skip
    if table.gsis:
        found["GlobalSecondaryIndexes"] = [_gsi(material, table, gsi) for gsi in table.gsis]
    if material.alternative.cost.mode == "on-demand":
        return found | {"BillingMode": "PAY_PER_REQUEST"}
    return found | {"BillingMode": "PROVISIONED"} | material.throughput(table.name, None)


def _gsi(material: Material, table: Table, gsi: Gsi) -> Json:
    found = {"IndexName": gsi.name, "KeySchema": key_schema(gsi.partition, gsi.sort), "Projection": projection_of(gsi)}
    on_demand = material.alternative.cost.mode == "on-demand"
    return found if on_demand else found | material.throughput(table.name, gsi.name)


# --- items and access patterns ---


def example(kind: str, number: int) -> Json:
    """A value of a type, as the wire has it."""
    text = f"example {number}"
    return {kind: {
        "S": text, "N": str(number), "B": base64.b64encode(text.encode()).decode(), "BOOL": True, "L": [], "M": {},
        "SS": [text], "NS": [str(number)],
    }[kind]}  # fmt: skip


class _Writer:
    """Writes the access patterns, and remembers the items that their calls want to find."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.designs = {table.name: table for table in material.alternative.tables}
        self.patterns = {one.id: one for one in material.snapshot.patterns}
        self.numbers = count(READ + 1)
        self.there: dict[str, list[int]] = {name: [READ] for name in self.designs}
        """By table the numbers of the examples that are in it beforehand."""

    def items(self, table: str) -> list[Json]:
        """The examples of a table, as BatchWriteItem takes them."""
        attributes = self.designs[table].attributes
        return [
            {"PutRequest": {"Item": {name: example(one.type, number) for name, one in attributes.items()}}}
            for number in self.there[table]
        ]

    def access_patterns(self) -> Iterator[Json]:
        """One for each call, numbered where a plan has several; of a routed pattern the reason."""
        for plan in self.material.alternative.plans:
            if (pattern := self.patterns.get(plan.pattern)) is None:
                continue
            if plan.routed:
                yield {"pattern": pattern.id, "description": _description(pattern), "reason": ", ".join(plan.routed)}
                continue
            yield from self._calls(pattern, plan)

    def _calls(self, pattern: AccessPattern, plan: Plan) -> Iterator[Json]:
        shown = query_plan(pattern, plan, self.designs.values(), self.material.snapshot.tables)
        steps = shown.calls.get("Steps", [shown.calls])
        calls = [(name, call) for step in steps for name, call in step.items() if name != "Client"]
        for number, (operation, call) in enumerate(calls, 1):
            first = call if isinstance(call, dict) else next(iter(call[0].values()))
            yield {
                "pattern": pattern.id if len(calls) == 1 else f"{pattern.id}-{number}",
                "description": _description(pattern),
                "table": first["Table"],
                **({"index": first["Index"]} if "Index" in first else {}),
                "dynamodb_operation": operation,
                "implementation": command(operation, self._request(operation, call)),
            }

    def _request(self, operation: str, call: Any) -> Json:
        """The fields of the API's request, with examples for values."""
        if operation == "TransactWriteItems":
            writes = [(name, write) for one in call for name, write in one.items()]
            return {"TransactItems": [{ACTIONS[name]: self._write(name, write)} for name, write in writes]}
        if operation in ACTIONS:
            return self._write(operation, call)
        fields = self._fields(call, READ)
        keys = self._key(call, READ)
        if call.get("ConsistentRead"):
            fields["ConsistentRead"] = True
        if operation == "BatchGetItem":
            return {"RequestItems": {call["Table"]: {"Keys": [keys]} | fields}}
        found: Json = {"TableName": call["Table"]}
        if "Index" in call:
            found["IndexName"] = call["Index"]
        if operation == "GetItem":
            found["Key"] = keys
        if "ScanIndexForward" in call:
            found["ScanIndexForward"] = False
        if "Limit" in call:
            found["Limit"] = call["Limit"] if isinstance(call["Limit"], int) else 1
        return found | fields

    def _write(self, operation: str, call: Json) -> Json:
        number = next(self.numbers)
        found: Json = {"TableName": call["Table"]}
        if operation == "PutItem":
            attributes = self.designs[call["Table"]].attributes
            found["Item"] = {name: example(attributes[name].type, number) for name in call["Item"]}
        else:
            self.there[call["Table"]].append(number)
            found["Key"] = self._key(call, number)
        return found | self._fields(call, number)

    def _key(self, call: Json, number: int) -> Json:
        table: TableDesign = self.designs[call["Table"]]
        return {name: example(table.attributes[name].type, number) for name in table.keys}

    def _fields(self, call: Json, number: int) -> Json:
        found = {name: call[name] for name in (*EXPRESSIONS, "ExpressionAttributeNames") if name in call}
        if "ExpressionAttributeValues" in call:
            types = value_types(call, self.designs[call["Table"]].attributes)
            found["ExpressionAttributeValues"] = {
                name: example(types[name], number) for name in call["ExpressionAttributeValues"]
            }
        return found


def value_types(call: Json, attributes: Mapping[str, ContractAttribute]) -> dict[str, str]:
    """`:name` -> its type in a call: that of the attribute that stands last before it."""
    named, found = call.get("ExpressionAttributeNames", {}), dict[str, str]()
    for expression in EXPRESSIONS:
        kind = "S"
        for token in re.findall(r"[#:]?\w+", call.get(expression, ""), re.ASCII):
            if token.startswith(":"):
                found[token] = kind
            elif (name := named.get(token, token)) in attributes:
                kind = attributes[name].type
    return found


def _description(pattern: AccessPattern) -> str:
    return visible(pattern.name) or pattern.id


def command(operation: str, request: Mapping[str, Any]) -> str:
    """A request as a command of the AWS CLI, one line for a POSIX shell."""
    words = ["aws", "dynamodb", OPERATIONS[operation]]
    for name, value in request.items():
        option = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", value if isinstance(value, str) else json.dumps(value)]
    return shlex.join(words)
