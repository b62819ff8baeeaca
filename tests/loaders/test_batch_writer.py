"""Batches against an endpoint that is busy, fussy or gone: everything is sent again until it is taken or refused."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ddbmig.loaders.batch_writer import ATTEMPTS, TAKEN, BatchWriter, Rate
from ddbmig.model.errors import UsageError

ITEMS = [{"id": {"N": str(number)}} for number in range(60)]


class Endpoint:
    """Takes as many items of a batch as `takes` says, in turn; puts one by one are asked of `refuses`."""

    def __init__(self, takes: Iterator[int | Exception], refuses: Callable[[Any], Exception | None] | None = None):
        self._takes, self._refuses = takes, refuses
        self.stored: list[str] = []
        self.conditions: list[dict[str, Any]] = []

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((table, requests),) = RequestItems.items()
        taken = next(self._takes)
        if isinstance(taken, Exception):
            raise taken
        self.stored += [request["PutRequest"]["Item"]["id"]["N"] for request in requests[:taken]]
        return {"UnprocessedItems": {table: requests[taken:]} if requests[taken:] else {}}

    def put_item(self, TableName: str, Item: Any, **condition: Any) -> None:
        self.conditions.append(condition)
        if self._refuses and (error := self._refuses(Item)):
            raise error
        self.stored.append(Item["id"]["N"])


def error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "BatchWriteItem")


def writer(endpoint: Endpoint, sleeps: list[float] | None = None) -> BatchWriter:
    return BatchWriter(endpoint, 1, sleep=(sleeps if sleeps is not None else []).append)  # type: ignore[arg-type]


def forever(*takes: int | Exception) -> Iterator[int | Exception]:
    yield from takes
    while True:
        yield 25


def test_what_was_not_processed_is_sent_again_after_a_wait() -> None:
    sleeps: list[float] = []
    endpoint = Endpoint(forever(10, 0, 5, error("ProvisionedThroughputExceededException")))
    assert writer(endpoint, sleeps).put("t", ITEMS) == []
    assert sorted(endpoint.stored, key=int) == [str(number) for number in range(60)]
    assert len([one for one in sleeps if one >= 0]) >= 4


def test_an_item_that_is_refused_does_not_take_its_batch_with_it() -> None:
    refused = error("ValidationException", "Item size has exceeded the maximum allowed size")
    endpoint = Endpoint(forever(25, refused), lambda item: refused if item["id"]["N"] == "30" else None)
    assert writer(endpoint).put("t", ITEMS) == [(30, "the item is over 400 KB")]
    assert sorted(endpoint.stored, key=int) == [str(number) for number in range(60) if number != 30]


def test_a_new_item_takes_nobody_s_place() -> None:
    taken = error("ConditionalCheckFailedException")
    endpoint = Endpoint(forever(), lambda item: taken if item["id"]["N"] == "1" else None)
    items = [{"id": {"N": str(number)}, "of": {"S": "x"}} for number in range(3)]
    assert writer(endpoint).put_new("t", items, ["id"]) == [(1, TAKEN)]
    assert endpoint.conditions[0] == {
        "ConditionExpression": "attribute_not_exists(#k) OR (#n0 = :v0)",
        "ExpressionAttributeNames": {"#k": "id", "#n0": "of"},
        "ExpressionAttributeValues": {":v0": {"S": "x"}},
    }


def test_an_endpoint_that_takes_nothing_or_is_gone_ends_the_load_with_a_way_out() -> None:
    sleeps: list[float] = []
    with pytest.raises(UsageError, match="took nothing for some minutes; raise its capacity"):
        writer(Endpoint(iter([0] * 2 * ATTEMPTS)), sleeps).put("t", ITEMS[:25])
    gone = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"is gone.*run the same command again"):
        writer(Endpoint(iter([gone]))).put("t", ITEMS[:25])
    with pytest.raises(ClientError):
        writer(Endpoint(iter([error("AccessDeniedException")]))).put("t", ITEMS[:25])


def test_the_rate_halves_when_throttled_and_grows_slowly() -> None:
    now = [0.0]
    rate = Rate(clock=lambda: now[0])
    assert rate.wait_for(25) == 0
    assert rate.allowed is None
    now[0] = 1.0
    rate.wait_for(75)
    rate.throttled(20)
    assert rate.allowed == 40  # half of the 80 that were taken in a second
    rate.throttled(20)
    assert rate.allowed == 40  # of the same moment
    assert rate.wait_for(20) == 0
    assert rate.wait_for(20) == 0.5
    now[0] = 2.5
    rate.wait_for(1)
    assert rate.allowed == pytest.approx(42)


def test_the_rate_keeps_to_the_most_that_was_asked_for() -> None:
    now = [0.0]
    rate = Rate(100, clock=lambda: now[0])
    assert [rate.wait_for(50) for _ in range(4)] == [0, 0.5, 1.0, 1.5]
    now[0] = 60.0
    rate.wait_for(1)
    assert rate.allowed == 100
