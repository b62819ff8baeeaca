"""Items into a DynamoDB endpoint: tables from the design, items by BatchWriteItem."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ddbmig.model.design import TableDesign
from ddbmig.model.errors import UsageError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WaiterConfigTypeDef

Item = TypeVar("Item")
BATCH_WRITE = 25
"""Requests in one BatchWriteItem (A6)."""

PATIENCE: "WaiterConfigTypeDef" = {"Delay": 2, "MaxAttempts": 150}
"""Seconds between two looks at a new table, and how many: DynamoDB takes some, DynamoDB Local none."""


def create_table(client: "DynamoDBClient", table: TableDesign, name: str) -> None:
    """Create one on-demand table with its GSIs under `name`, and wait until it can be used.

    Raises UsageError where the endpoint is too old for keys of several attributes.
    """
    from botocore.exceptions import ClientError  # heavy

    request = table_request(table, name)
    try:
        client.create_table(**request)
    except ClientError as error:
        wide = next((i.name for i in table.indexes if max(len(i.partition), len(i.sort)) > 1), None)
        if wide is None or error.response.get("Error", {}).get("Code") != "ValidationException":
            raise
        fact, hint = (
            "the endpoint refuses a table with a key of several attributes",
            "DynamoDB Local has them from 3.3.0",
        )
        raise UsageError(fact, subject=f"GSI {wide}", hint=hint) from error
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=PATIENCE)


def table_request(table: TableDesign, name: str) -> dict[str, Any]:
    """The parameters of CreateTable, which are those of ImportTable too, for an on-demand table with its GSIs."""
    keys = {*table.keys, *(key for index in table.indexes for key in index.keys)}
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": table.attributes[key].type} for key in sorted(keys)
        ],
        "KeySchema": _key_schema(table.keys[:1], table.keys[1:]),
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.partition, index.sort),
                "Projection": {"ProjectionType": index.projection}
                | ({"NonKeyAttributes": list(index.projected)} if index.projection == "INCLUDE" else {}),
            }
            for index in table.indexes
        ]
    return request


def _key_schema(partition: Iterable[str], sort: Iterable[str]) -> list[dict[str, str]]:
    """A key of several attributes repeats the element of its type."""
    found = [{"AttributeName": name, "KeyType": "HASH"} for name in partition]
    return [*found, *({"AttributeName": name, "KeyType": "RANGE"} for name in sort)]


def write_items(
    client: "DynamoDBClient", name: str, items: Iterable[Mapping[str, Any]], reject: Callable[[str], None]
) -> int:
    """Write items in batches of 25, sending again what was not processed; returns how many were written.

    Keys must be distinct within the input: the caller counts rows that share a key. An item that DynamoDB refuses is
    told to `reject` with the reason, and the others are written all the same.
    """
    from boto3.dynamodb.types import TypeSerializer  # heavy
    from botocore.exceptions import ClientError

    serializer, written = TypeSerializer(), 0
    for batch in batches(items, BATCH_WRITE):
        wire = [{k: serializer.serialize(v) for k, v in item.items()} for item in batch]
        try:
            pending: Any = {name: [{"PutRequest": {"Item": item}} for item in wire]}
            while pending:
                pending = client.batch_write_item(RequestItems=pending).get("UnprocessedItems") or {}
            written += len(wire)
        except ClientError as error:
            if refusal(error) is None:
                raise
            written += sum(_put(client, name, item, reject) for item in wire)
    return written


def _put(client: "DynamoDBClient", name: str, item: Any, reject: Callable[[str], None]) -> bool:
    from botocore.exceptions import ClientError

    try:
        client.put_item(TableName=name, Item=item)
    except ClientError as error:
        reason = refusal(error)
        if reason is None:
            raise
        reject(reason)
        return False
    return True


_REFUSALS = (
    ("empty string value", "a key of the table or of an index would be empty"),
    ("empty binary value", "a key of the table or of an index would be empty"),
    ("Item size", "the item is over 400 KB"),
    ("larger than", "the item is over 400 KB"),
    ("has exceeded the", "a key is too long, or the item too large"),
    ("Type mismatch", "a key has another type than its table or index declares"),
)


def refusal(error: "ClientError") -> str | None:
    """Why DynamoDB refuses an item, in words that hold no data; None where it is no refusal of the item."""
    detail = error.response.get("Error", {})
    if detail.get("Code") != "ValidationException":
        return None
    message = detail.get("Message", "")
    return next((words for part, words in _REFUSALS if part in message), "DynamoDB refuses the item as invalid")


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """`size` items at a time, and what is left of them."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def count_items(client: "DynamoDBClient", name: str) -> int:
    """Items in a table, counted by a Scan."""
    total = 0
    request: dict[str, Any] = {"TableName": name, "Select": "COUNT", "ConsistentRead": True}
    while True:
        answer = client.scan(**request)
        total += answer["Count"]
        if "LastEvaluatedKey" not in answer:
            return total
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
