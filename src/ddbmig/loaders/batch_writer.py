"""Items into an endpoint, as quickly as it takes them: batches, what was not processed again, slower when throttled."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ddbmig.loaders.endpoint import BATCH_WRITE, refusal
from ddbmig.model.errors import UsageError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WireItem = Mapping[str, Any]
Refused = list[tuple[int, str]]
"""Items that were refused, by their index, and why."""
_THROTTLED = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded",
                        "LimitExceededException", "InternalServerError", "ServiceUnavailable"})  # fmt: skip
ATTEMPTS = 20
"""Tries of one batch; with the waits between them some minutes."""
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 20.0
"""Seconds."""
_SLOWER, _FASTER = 0.5, 1.05
TAKEN = "another item has this unique key already"


class Rate:
    """How many items a second may be sent: as many as one likes until something is throttled, then half of what was
    sent, and from there 5 % more with every second that nothing is. Never more than `most`."""

    def __init__(self, most: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._allowed = most
        self._lock = threading.Lock()
        self._next = self._since = self._raised = clock()
        self._sent = 0

    @property
    def allowed(self) -> float | None:
        """Items a second; None for no limit."""
        return self._allowed

    def wait_for(self, items: int) -> float:
        """Take a turn for so many items; the seconds to wait before it."""
        with self._lock:
            now = self._clock()
            self._sent += items
            if self._allowed is None:
                return 0.0
            if now - self._raised >= 1:
                self._raised = now
                self._allowed = min(self._allowed * _FASTER, self._most or float("inf"))
            turn = max(now, self._next)
            self._next = turn + items / self._allowed
            return turn - now

    def throttled(self, items: int) -> None:
        """Hear that so many items were not taken."""
        with self._lock:
            now = self._clock()
            if self._allowed is not None and now - self._raised < 1:
                return  # the other batches of this second say the same
            taken = max(self._sent - items, 1) / max(now - self._since, 0.1)
            self._allowed = max(1.0, (taken if self._allowed is None else self._allowed) * _SLOWER)
            self._raised = self._since = self._next = now
            self._sent = 0


class BatchWriter:
    """Writes items with several connections of one client, to be closed."""

    def __init__(
        self, client: "DynamoDBClient", threads: int = 4, rate: Rate | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._client, self._rate, self._sleep = client, rate or Rate(), sleep
        self._pool = ThreadPoolExecutor(threads)
        self._random = random.Random()  # noqa: S311  # spreads waits, decides nothing

    def close(self) -> None:
        """End the connections."""
        self._pool.shutdown(cancel_futures=True)

    def put(self, table: str, items: Sequence[WireItem]) -> Refused:
        """Put items with distinct keys, over what is there; returns those that DynamoDB refused."""
        starts = range(0, len(items), BATCH_WRITE)
        found = self._pool.map(lambda start: self._batch(table, items, start), starts)
        return [refused for part in found for refused in part]

    def put_new(self, table: str, items: Sequence[WireItem], keys: Sequence[str]) -> Refused:
        """Put items whose key nothing else may have: none that is there is replaced, unless it is the same item."""
        found = self._pool.map(lambda index: self._put_new(table, items[index], keys), range(len(items)))
        return [(index, reason) for index, reason in enumerate(found) if reason is not None]

    def _batch(self, table: str, items: Sequence[WireItem], start: int) -> Refused:
        from botocore.exceptions import ClientError

        pending: Any = {table: [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH_WRITE]]}

        def send() -> int:
            nonlocal pending
            pending = self._client.batch_write_item(RequestItems=pending).get("UnprocessedItems") or {}
            return len(pending.get(table, ()))

        try:
            self._until_done(send, lambda: len(pending[table]))
        except ClientError as error:
            if refusal(error) is None:
                raise
            batch = range(start, min(start + BATCH_WRITE, len(items)))
            reasons = ((index, self._put(table, items[index])) for index in batch)
            return [(index, reason) for index, reason in reasons if reason is not None]
        return []

    def _put(self, table: str, item: WireItem, **condition: Any) -> str | None:
        """Put one item; why it was refused, if it was."""
        from botocore.exceptions import ClientError

        def send() -> int:
            self._client.put_item(TableName=table, Item=item, **condition)
            return 0

        try:
            self._until_done(send, lambda: 1)
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                return TAKEN
            reason = refusal(error)
            if reason is None:
                raise
            return reason
        return None

    def _put_new(self, table: str, item: WireItem, keys: Sequence[str]) -> str | None:
        others = [name for name in sorted(item) if name not in keys]
        same = " AND ".join(f"#n{n} = :v{n}" for n, _ in enumerate(others))
        condition: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(#k)" + (f" OR ({same})" if same else "")
        }
        condition["ExpressionAttributeNames"] = {"#k": keys[0], **{f"#n{n}": name for n, name in enumerate(others)}}
        if others:
            condition["ExpressionAttributeValues"] = {f":v{n}": item[name] for n, name in enumerate(others)}
        return self._put(table, item, **condition)

    def _until_done(self, send: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Send until nothing is left. Raises UsageError where the endpoint takes nothing for minutes, or is gone."""
        from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

        in_vain = 0
        while in_vain < ATTEMPTS:
            count = waiting()
            if (pause := self._rate.wait_for(count)) > 0:
                self._sleep(pause)
            try:
                left = send()
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in _THROTTLED:
                    raise
                left = count
            except (ConnectionError, HTTPClientError) as error:
                hint = "start it, and run the same command again: it goes on where it was"
                raise UsageError(f"the endpoint is gone ({type(error).__name__})", hint=hint) from error
            if not left:
                return
            self._rate.throttled(left)
            in_vain = in_vain + 1 if left == count else 0
            self._sleep(self._random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2**in_vain)))
        raise UsageError(
            "the endpoint took nothing for some minutes", hint="raise its capacity, or limit the load with --rate, and "
            "run the same command again: it goes on where it was",
        )  # fmt: skip
