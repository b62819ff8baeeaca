"""Where a load writes its items."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from ddbmig.loaders.batch_writer import BatchWriter, Rate, Refused
from ddbmig.loaders.chunks import Tally
from ddbmig.loaders.dynamodb_json import wire_item
from ddbmig.loaders.encoder import EncodedItem
from ddbmig.loaders.endpoint import create_table
from ddbmig.model.contract import ContractEntry
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.errors import UsageError
from ddbmig.validators.engines import client_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OTHERS = "remove it, or name others with --prefix"
_ATTEMPTS = 12
"""Tries to read a batch."""
_THREADS = 8
"""Batches that one process sends at once."""


_client = cache(client_of)


class Sink(Protocol):
    """Takes items in one process."""

    def write(self, entry: ContractEntry, items: Sequence[EncodedItem], first: int) -> Refused:
        """Write the items of a chunk whose first row has this place; those that were refused, by index, and why."""

    def close(self) -> None:
        """Free what is held."""


class Target(Protocol):
    """Where items go; it can be sent to another process, which opens it."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What it is, without credentials."""

    def prepare(
        self, entries: Sequence[ContractEntry], indexes: Sequence[ContractEntry], *, ours: bool, begun: bool,
        done: Mapping[str, int],
    ) -> None:  # fmt: skip
        """Make ready for the items of these entries. `ours`: what is there an earlier load of this state wrote;
        `begun`: part of what is loaded must be there; `done`: the rows of each source table that are finished.

        Raises UsageError where something is in the way.
        """

    def open(self) -> Sink:
        """A sink for this process."""

    def finish(
        self, entries: Sequence[ContractEntry], indexes: Sequence[ContractEntry], tallies: Mapping[str, Tally]
    ) -> None:
        """Hear that everything is loaded, and the counts by the contract's table."""


@dataclass(frozen=True)
class EndpointTarget:
    """Tables of a DynamoDB endpoint. `name` tells it from others, since the port of a local one changes; `rate` is the
    most items that one process may send in a second."""

    name: str
    url: str
    prefix: str = ""
    rate: float | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """The endpoint, and what its tables' names begin with."""
        return {"target": self.name, "prefix": self.prefix}

    def prepare(
        self, entries: Sequence[ContractEntry], indexes: Sequence[ContractEntry], *, ours: bool, begun: bool,
        done: Mapping[str, int],
    ) -> None:  # fmt: skip
        """Create the tables that are not there; those that are must be as the contract says, and empty at first."""
        client = _client(self.url)
        for entry in entries:
            name, design = self.prefix + entry.table, table_design(entry, indexes)
            try:
                found = client.describe_table(TableName=name)["Table"]
            except client.exceptions.ResourceNotFoundException:
                if begun:
                    hint = "load everything again with --restart"
                    raise UsageError("a table that this load had begun is gone", subject=name, hint=hint) from None
                create_table(client, design, name)
                continue
            _check_table(name, design, found)
            if not ours and client.scan(TableName=name, Limit=1)["Items"]:
                raise UsageError("the table holds items that this load did not write", subject=name, hint=_OTHERS)

    def finish(
        self, entries: Sequence[ContractEntry], indexes: Sequence[ContractEntry], tallies: Mapping[str, Tally]
    ) -> None:
        """Nothing more: the items are there."""

    def scan(self, entry: ContractEntry) -> Iterator[Mapping[str, Any]]:
        """Every item of an entry's table, in the form of botocore; consistent reads."""
        client, name = _client(self.url), self.prefix + entry.table
        try:
            for page in client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
                yield from page["Items"]
        except client.exceptions.ResourceNotFoundException:
            raise UsageError("there is no such table", subject=name, hint="load it first: ddbmig load") from None

    def get(self, entry: ContractEntry, keys: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The items with these keys, as far as they are there; at most 100."""
        client, name = _client(self.url), self.prefix + entry.table
        pending: Any = {name: {"Keys": keys, "ConsistentRead": True}}
        for attempt in range(_ATTEMPTS):
            answer = client.batch_get_item(RequestItems=pending)
            yield from answer["Responses"].get(name, ())
            pending = answer.get("UnprocessedKeys") or {}
            if not pending:
                return
            time.sleep(min(2**attempt / 20, 10))
        raise UsageError("the endpoint gives no items", subject=name, hint="raise its read capacity, and verify again")

    def open(self) -> Sink:
        """A client of this process."""
        return _EndpointSink(self.prefix, client_of(self.url), Rate(self.rate))


class _EndpointSink:
    def __init__(self, prefix: str, client: "DynamoDBClient", rate: Rate) -> None:
        self._prefix = prefix
        self._writer = BatchWriter(client, _THREADS, rate)

    def write(self, entry: ContractEntry, items: Sequence[EncodedItem], first: int) -> Refused:
        """In an order that spreads over the partitions; a look-up table's items only where they take nobody's place."""
        order = shuffled(len(items), f"{entry.table}:{first}")
        wire = [wire_item(items[index].text) for index in order]
        name = self._prefix + entry.table
        if entry.enforces is not None:
            found = self._writer.put_new(name, wire, [entry.pk, *([entry.sk] if entry.sk else [])])
        else:
            found = self._writer.put(name, wire)
        return [(order[place], reason) for place, reason in found]

    def close(self) -> None:
        """End the threads."""
        self._writer.close()


def shuffled(count: int, seed: str) -> list[int]:
    """The numbers below `count` in an order that the seed decides."""
    import random

    order = list(range(count))
    random.Random(seed).shuffle(order)  # noqa: S311  # the same order every time, not a secret
    return order


# --- tables ---


def table_design(entry: ContractEntry, indexes: Sequence[ContractEntry]) -> TableDesign:
    """The table of an entry, with its GSIs as the entries of type GSI say; without one, a GSI projects everything."""
    projections = {index.table: index for index in indexes if index.base_table == entry.table}
    found = []
    for gsi in entry.gsis or ():
        told = projections.get(gsi.name)
        found.append(
            IndexDesign(
                name=gsi.name,
                partition=gsi.pk_attributes or (gsi.pk,),
                sort=gsi.sk_attributes or ((gsi.sk,) if gsi.sk else ()),
                projection=(told.projection if told else None) or "ALL",
                projected=(told.projected_attributes if told else None) or (),
                entries=0,
                entry_bytes=0,
            )
        )
    return TableDesign(
        name=entry.table, source_table=entry.source_table, role="lookup" if entry.enforces else "entity", pk=entry.pk,
        sk=entry.sk, attributes=entry.attributes, indexes=tuple(found), items=0, item_bytes=0,
    )  # fmt: skip


def _check_table(name: str, design: TableDesign, found: Mapping[str, Any]) -> None:
    """Raise UsageError where a table that is there has other keys than the contract."""
    types = {one["AttributeName"]: one["AttributeType"] for one in found["AttributeDefinitions"]}
    keys = {name: [key["AttributeName"] for key in found["KeySchema"]]}
    keys |= {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in found.get("GlobalSecondaryIndexes", ())
    }
    due = {name: list(design.keys), **{index.name: list(index.keys) for index in design.indexes}}
    for part, wanted in due.items():
        if keys.get(part) != wanted or any(types[key] != design.attributes[key].type for key in wanted):
            what = "the table" if part == name else "a GSI of the table"
            raise UsageError(f"{what} is there with other keys than the contract's", subject=part,
                             expected=", ".join(wanted), hint=_OTHERS)  # fmt: skip
