"""Makes the calls of a plans.json as they are written: values for the placeholders, and nothing else."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from ddbmig.model.encodings import Cell, attribute_type, encode, encoding_for
from ddbmig.model.schema import Schema

Fields = dict[str, Any]
Rows = Mapping[str, Mapping[str, Cell]]
OURS = {"As", "Join", "Match", "Copies", "PerRow", "ForEach", "If", "ConditionIf", "ConditionElse", "IfNull",
        "IfRefused", "IfPresent", "IfAbsent", "Purpose"}  # fmt: skip
"""What a plan says beyond the fields of DynamoDB."""
SAMPLES: Mapping[str, Any] = {"N": 7, "S": "seven", "B": b"7"}
NAMED = {"Table": "TableName", "Index": "IndexName"}
_SERIALIZER = TypeSerializer()


def calls_of(plan: Fields) -> Iterator[Fields]:
    """The calls of a `ddb_query_plan`, each `{operation: fields}`; those of the client are not DynamoDB's."""
    for step in plan.get("Steps", [plan]):
        if "Client" not in step:
            yield step


@dataclass(frozen=True)
class Runner:
    """Makes the calls of one entry against a client.

    `rows` gives by table a row that `$alias.column` is taken from, `others` one for the parameters of the statement.
    """

    client: Any
    entry: Fields
    schema: Schema
    rows: Rows
    others: Rows
    rename: Callable[[str], str] = lambda name: name

    def make(self, call: Fields) -> list[Fields]:
        """Make one call; the items that it found. Raises what the client raises."""
        ((operation, fields),) = call.items()
        match operation:
            case "TransactWriteItems":
                self.client.transact_write_items(TransactItems=list(self._actions(fields)))
                return []
            case "BatchGetItem":
                request = self._request(fields)
                table = request.pop("TableName")
                return list(self.client.batch_get_item(RequestItems={table: request})["Responses"][table])
            case "GetItem":
                found = self.client.get_item(**self._request(fields)).get("Item")
                return [found] if found else []
            case "Query" | "Scan":
                return list(getattr(self.client, operation.lower())(**self._request(fields))["Items"])
            case "PutItem" | "UpdateItem" | "DeleteItem":
                getattr(self.client, f"{operation.removesuffix('Item').lower()}_item")(**self._request(fields))
                return []
        raise AssertionError(operation)

    def _actions(self, writes: list[Fields]) -> Iterator[Fields]:
        """The actions of a transaction; an item that stays under its key is not deleted before."""
        made = [(name, body, self._request(body)) for one in writes for name, body in one.items()]
        for name, body, request in made:
            stays = [put for _, _, put in made if put["TableName"] == request["TableName"] and "Item" in put
                     and request.get("Key", {}).items() <= put["Item"].items()]  # fmt: skip
            if not (name == "DeleteItem" and stays and body.get("If", "").startswith("its key changes")):
                yield {name.removesuffix("Item"): request}

    def _request(self, fields: Fields) -> Fields:
        request = {NAMED.get(name, name): value for name, value in fields.items() if name not in OURS}
        request["TableName"] = self.rename(request["TableName"])
        for name in ("Key", "Item", "ExpressionAttributeValues"):
            if name in request:
                request[name] = self._wire(request[name])
        if "Keys" in request:
            request["Keys"] = [self._wire(key) for key in request["Keys"]]
        if isinstance(request.get("Limit"), str):
            request["Limit"] = 5
        return request

    def _wire(self, values: Fields) -> Fields:
        return {name: _SERIALIZER.serialize(self.value(shown)) for name, shown in values.items()}

    def value(self, shown: Any) -> Any:
        """The value of what stands in a plan."""
        if not isinstance(shown, str):
            return shown
        if re.fullmatch(r"\$[^{}]+", shown):
            return self._placeholder(shown[1:])
        return re.sub(r"\{\$([^{}]+)\}", lambda found: str(self._placeholder(found[1])), shown)

    def _placeholder(self, name: str) -> Any:
        alias, dot, column = name.partition(".")
        if dot:
            return self._of_row(self.rows, self.entry["rows"][alias], column)
        described = self.entry["placeholders"][name]
        if "column" in described:
            table, _, column = described["column"].rpartition(".")
            return self._of_row(self.others, table, column)
        return SAMPLES[described.get("type", "S")]

    def _of_row(self, rows: Rows, table: str, name: str) -> Any:
        column = self.schema.table(table).column(name)
        encoding = encoding_for(column)
        value = encode(rows.get(table, {}).get(column.name), encoding, column)
        return SAMPLES[attribute_type(encoding)] if value is None else value
