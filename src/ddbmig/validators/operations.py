"""Single DynamoDB operations of a design, metered.

Every operation's consumed capacity is compared with the arithmetic of section A5 on the very items it touched.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ddbmig.engine.capacity import index_entry, index_write_units, read_units, write_units
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.design import TableDesign
from ddbmig.model.encodings import Cell, decode, item_size
from ddbmig.model.plan import ReadCall
from ddbmig.model.schema import Column, Schema

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_GET = 100
"""Keys in one BatchGetItem (A6)."""
KNOWN_DIFFERENCES = (
    "DynamoDB Local charges 0.0 for a Query or Scan that reads nothing; DynamoDB charges 0.5 (1.0 consistent).",
    "DynamoDB Local charges nothing for keys of a BatchGetItem that are not there; we predict the minimum of each.",
    "DynamoDB Local rounds the writes of one transaction to one table together; DynamoDB rounds each item.",
    "DynamoDB Local doubles index writes inside a transaction; DynamoDB doubles the base table only.",
)


@dataclass
class Meter:
    """Operations counted: units predicted by A5 and units consumed."""

    operations: int = 0
    predicted_reads: float = 0.0
    consumed_reads: float = 0.0
    predicted_writes: float = 0.0
    consumed_writes: float = 0.0
    differing: list[str] = field(default_factory=list)

    def read(self, what: str, predicted: float, consumed: float, uncharged: float = 0.0) -> None:
        """Note one read; `uncharged` is the part of the prediction that DynamoDB Local does not charge."""
        self.operations += 1
        self.predicted_reads += predicted
        self.consumed_reads += consumed
        if abs(predicted - consumed) > 1e-9 and abs(predicted - uncharged - consumed) > 1e-9:
            self.differing.append(f"{what}: {consumed:g} read units consumed, {predicted:g} predicted")

    def write(self, what: str, predicted: float, consumed: float, known: tuple[float, float] | None = None) -> None:
        """Note one write; `known` is the least and most that DynamoDB Local's known differences explain."""
        self.operations += 1
        self.predicted_writes += predicted
        self.consumed_writes += consumed
        explained = known is not None and known[0] - 1e-9 <= consumed <= known[1] + 1e-9
        if abs(predicted - consumed) > 1e-9 and not explained:
            self.differing.append(f"{what}: {consumed:g} write units consumed, {predicted:g} predicted")


class ConditionFailed(Exception):
    """The conditions of some writes did not hold, and nothing was written; `refused` are their positions."""

    def __init__(self, refused: Iterable[int] = ()) -> None:
        super().__init__()
        self.refused = tuple(refused)


@dataclass(frozen=True)
class ItemWrite:
    """One item before and after a write; None: it was not there, or is not any more."""

    table: TableDesign
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    condition: str | None = None
    unchanged: Mapping[str, Any] | None = None
    """Attributes that must still have the value that was read, None where there was none. See WriteCall.unchanged."""


class Operations:
    """The operations on one design's tables. `builders` make the items of each; `prefix` precedes its name."""

    def __init__(
        self, client: "DynamoDBClient", tables: Iterable[TableDesign], builders: Mapping[str, ItemBuilder],
        schema: Schema, prefix: str = "",
    ) -> None:  # fmt: skip
        from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer  # heavy

        self._client, self._schema, self._prefix = client, schema, prefix
        self._tables = {t.name: t for t in tables}
        self._entities = {t.source_table: t for t in self._tables.values() if t.role == "entity"}
        self._builders = builders
        self._serializer, self._deserializer = TypeSerializer(), TypeDeserializer()
        self._binary: type[Any] = Binary
        self.meter = Meter()
        self.written: list[ItemWrite] = []
        """Every write so far, in order; whoever looks at it empties it."""
        self.new_keys: dict[tuple[str, str], int] = {}
        """Next AUTO_INCREMENT value per (table id, column), as MySQL would give it."""

    # --- items and calls ---

    def plain(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """An item of the low-level client in Python types, binary as bytes."""
        found = {name: self._deserializer.deserialize(value) for name, value in item.items()}
        return {name: bytes(v) if isinstance(v, self._binary) else v for name, v in found.items()}

    def wire(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """An item in the low-level client's types."""
        return {name: self._serializer.serialize(value) for name, value in item.items()}

    def row(self, table: TableDesign, item: Mapping[str, Any]) -> dict[str, Cell]:
        """The source row (or what of it the item holds): plain columns only; absent attributes are NULL.

        What a key is composed of, or the digest, is kept beside them under its name: an index entry or a look-up item
        may lack the columns.
        """
        source = self._schema.table(table.source_table)
        own = {
            name: item[name]
            for name, attribute in table.attributes.items()
            if name in item and not attribute.denormalized and not source.has_column(name)
        }
        return own | {
            a.source_column: decode(item.get(name), a.encoding or "string", source.column(a.source_column))
            for name, a in table.attributes.items()
            if a.plain
        }

    def get(self, table: TableDesign, key: Mapping[str, Any], consistent: bool) -> dict[str, Any] | None:
        """GetItem."""
        answer = self._client.get_item(
            TableName=self._prefix + table.name, Key=self.wire(key), ConsistentRead=consistent,
            ReturnConsumedCapacity="INDEXES",
        )  # fmt: skip
        item = self.plain(answer["Item"]) if "Item" in answer else None
        units = answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
        self.meter.read(f"GetItem {table.name}", read_units(item_size(item or {}), consistent), units)
        return item

    def batch_get(self, table: TableDesign, keys: list[dict[str, Any]], consistent: bool) -> list[dict[str, Any]]:
        """BatchGetItem of distinct keys, in pages of 100."""
        found: list[dict[str, Any]] = []
        name = self._prefix + table.name
        for start in range(0, len(keys), BATCH_GET):
            asked = [self.wire(key) for key in keys[start : start + BATCH_GET]]
            pending: Any = {name: {"Keys": asked, "ConsistentRead": consistent}}
            while pending:
                answer = self._client.batch_get_item(RequestItems=pending, ReturnConsumedCapacity="INDEXES")
                items = [self.plain(item) for item in answer["Responses"].get(name, [])]
                left: Any = answer.get("UnprocessedKeys") or {}
                unread = len(left[name]["Keys"]) if name in left else 0
                missing = len(pending[name]["Keys"]) - len(items) - unread
                present = sum(read_units(item_size(i), consistent) for i in items)
                nothing = missing * read_units(0, consistent)
                units = sum(c.get("CapacityUnits", 0.0) for c in answer.get("ConsumedCapacity", []))
                self.meter.read(f"BatchGetItem {table.name}", present + nothing, units, uncharged=nothing)
                found += items
                pending = left
        return found

    def pages(
        self, call: ReadCall, condition: str, names: Mapping[str, str], values: Mapping[str, Any], limit: int | None
    ) -> list[dict[str, Any]]:
        """Query or Scan, page by page, until the end or `limit` items."""
        table = self.table(call.table)
        request: dict[str, Any] = {"TableName": self._prefix + table.name, "ReturnConsumedCapacity": "INDEXES"}
        if call.index:
            request["IndexName"] = call.index
        else:
            request["ConsistentRead"] = call.consistent
        if call.op == "Query":
            request["KeyConditionExpression"] = condition
            request["ExpressionAttributeNames"] = dict(names)
            request["ExpressionAttributeValues"] = self.wire(values)
            request["ScanIndexForward"] = call.forward
        what = f"{call.op} {table.name}{'/' + call.index if call.index else ''}"
        found: list[dict[str, Any]] = []
        while True:
            if limit is not None:
                request["Limit"] = max(1, limit - len(found))
            answer: Any = self._client.query(**request) if call.op == "Query" else self._client.scan(**request)
            items = [self.plain(item) for item in answer["Items"]]
            size = sum(item_size(item) for item in items)
            units = answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
            predicted = read_units(size, call.consistent)
            self.meter.read(what, predicted, units, uncharged=0.0 if items else predicted)
            found += items
            if "LastEvaluatedKey" not in answer or (limit is not None and len(found) >= limit):
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def peek(self, table: TableDesign, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """An item read for the comparison only: not metered, not part of any plan."""
        answer = self._client.get_item(TableName=self._prefix + table.name, Key=self.wire(key), ConsistentRead=True)
        return self.plain(answer["Item"]) if "Item" in answer else None

    def scan(self, table: TableDesign) -> Iterator[dict[str, Any]]:
        """Every item of a table, for the comparison only: not metered, not part of any plan."""
        return self.items_of(self._prefix + table.name)

    def items_of(self, name: str) -> Iterator[dict[str, Any]]:
        """Every item of the table that the engine calls so, for the comparison only."""
        pages = self._client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
        for page in pages:
            yield from (self.plain(item) for item in page["Items"])

    def restore(self, write: ItemWrite) -> None:
        """Put an item back as it was before a write, for the comparison only: not metered, not part of any plan."""
        name = self._prefix + write.table.name
        if write.before is None:
            self._client.delete_item(TableName=name, Key=self.wire(write.key))
        else:
            self._client.put_item(TableName=name, Item=self.wire(write.before))

    def write(self, writes: list[ItemWrite]) -> None:
        """One write, or several as TransactWriteItems. Raises ConditionFailed; nothing is then written."""
        try:
            if len(writes) == 1:
                name, request = self._request(writes[0])
                calls: dict[str, Any] = {"Put": self._client.put_item, "Delete": self._client.delete_item}
                call = calls.get(name, self._client.update_item)
                answer: Any = call(**request, ReturnConsumedCapacity="INDEXES")
                capacities = [answer.get("ConsumedCapacity", {})]
            else:
                actions: Any = [dict([self._request(write)]) for write in writes]
                answer = self._client.transact_write_items(TransactItems=actions, ReturnConsumedCapacity="INDEXES")
                capacities = answer.get("ConsumedCapacity", [])
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise ConditionFailed([0]) from error
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = enumerate(error.response["CancellationReasons"])
            raise ConditionFailed(n for n, why in reasons if why.get("Code") == "ConditionalCheckFailed") from error
        self.written += writes
        self._measure(writes, sum(c.get("CapacityUnits", 0.0) for c in capacities))

    def _request(self, write: ItemWrite) -> tuple[str, dict[str, Any]]:
        """The action's name and request: Put of a new item, Delete of a gone one, Update of one that must be there."""
        table = write.table
        request: dict[str, Any] = {"TableName": self._prefix + table.name}
        if write.condition:
            request |= self._condition(write)
        if write.after is None:
            return "Delete", request | {"Key": self.wire(write.key)}
        if write.condition != "exists":
            return "Put", request | {"Item": self.wire(write.after)}
        return "Update", request | {"Key": self.wire(write.key)} | self._changes(write, request)

    def _changes(self, write: ItemWrite, request: Mapping[str, Any]) -> dict[str, Any]:
        """SET and REMOVE of what differs between the two images; where nothing does, one attribute is set as it was."""
        before, after = write.before or {}, write.after or {}
        names = dict(request.get("ExpressionAttributeNames", {}))
        values, sets, removes = dict[str, Any](), [], []
        differing = [name for name in sorted({*before, *after} - {*write.key}) if before.get(name) != after.get(name)]
        for number, name in enumerate(differing or sorted({*after} - {*write.key})[:1]):
            names[f"#a{number}"] = name
            if name in after:
                values[f":v{number}"] = after[name]
                sets.append(f"#a{number} = :v{number}")
            else:
                removes.append(f"#a{number}")
        found: dict[str, Any] = {"ExpressionAttributeNames": names}
        clauses = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removes)}" if removes else ""]
        if any(clauses):
            found["UpdateExpression"] = " ".join(filter(None, clauses))
        if values or "ExpressionAttributeValues" in request:
            found["ExpressionAttributeValues"] = request.get("ExpressionAttributeValues", {}) | self.wire(values)
        return found

    def _condition(self, write: ItemWrite) -> dict[str, Any]:
        """Whether the item is there, and its attributes are as they were read."""
        names, values = {"#k": write.table.pk}, {}
        clauses = ["attribute_exists(#k)" if write.condition == "exists" else "attribute_not_exists(#k)"]
        for number, (name, value) in enumerate((write.unchanged or {}).items()):
            names[f"#u{number}"] = name
            if value is None:
                clauses.append(f"attribute_not_exists(#u{number})")
            else:
                clauses.append(f"#u{number} = :u{number}")
                values[f":u{number}"] = value
        found: dict[str, Any] = {"ConditionExpression": " AND ".join(clauses), "ExpressionAttributeNames": names}
        return found | ({"ExpressionAttributeValues": self.wire(values)} if values else {})

    def _measure(self, writes: list[ItemWrite], consumed: float) -> None:
        transactional = len(writes) > 1
        base = index = 0.0
        for write in writes:
            table, before, after = write.table, write.before, write.after
            sizes = [item_size(image) if image else None for image in (before, after)]
            base += write_units(*sizes) * (2 if transactional else 1)
            for gsi in table.indexes:
                shape = (gsi.keys, table.keys, gsi.projection, gsi.projected)
                entries = [index_entry(image, *shape) for image in (before, after)]
                index += index_write_units(entries[0], entries[1], [*gsi.keys, *table.keys])
        what = " + ".join(dict.fromkeys(w.table.name for w in writes))
        known = (self._rounded_together(writes), base + 2 * index) if transactional else None
        if transactional and len({w.table.name for w in writes}) == len(writes):
            known = (base + 2 * index, base + 2 * index)
        self.meter.write(f"write {what}", base + index, consumed, known)

    def _rounded_together(self, writes: list[ItemWrite]) -> float:
        """What DynamoDB Local charges for a transaction at least: per table its items' bytes rounded as one."""
        sizes: dict[str, int] = {}
        for write in writes:
            size = max(item_size(image) if image else 0 for image in (write.before, write.after))
            sizes[write.table.name] = sizes.get(write.table.name, 0) + size
        return float(sum(2 * write_units(size, None) for size in sizes.values()))

    def table(self, name: str) -> TableDesign:
        """A table of the design by name."""
        return self._tables[name]

    def entity(self, table_id: str) -> TableDesign:
        """The entity table of a MySQL table."""
        return self._entities[table_id]

    def builder(self, name: str) -> ItemBuilder:
        """The item builder of a table."""
        return self._builders[name]

    def columns(self, table_id: str) -> tuple[Column, ...]:
        """The source columns of a MySQL table."""
        return self._schema.table(table_id).columns
