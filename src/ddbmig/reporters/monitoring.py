"""The monitoring plan: which CloudWatch metrics of DynamoDB to watch, on what, and when to be told.

One list, which stage 3 prints and the exported alarms and dashboard are made from. Names and dimensions are those of
AWS's documentation, "DynamoDB metrics and dimensions".
"""

from typing import Literal, NamedTuple

NAMESPACE = "AWS/DynamoDB"

Kind = Literal["throttled", "consumed", "latency", "errors", "conflicts", "refused", "index build"]


class Watched(NamedTuple):
    """Metrics that are watched together."""

    kind: Kind
    metrics: tuple[str, ...]
    on: str
    """What they are watched on, in words."""
    when: str
    """When to be told, in words."""


WATCHED = (
    Watched("throttled", ("ReadThrottleEvents", "WriteThrottleEvents"), "each table and GSI",
            "any: a hot key, or an index in its table's way"),
    Watched("consumed", ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"), "each table and GSI",
            "twice what is expected"),
    Watched("latency", ("SuccessfulRequestLatency",), "each table, per operation", "the declared p99"),
    Watched("errors", ("SystemErrors", "UserErrors"), "the account's tables", "any that does not pass with a retry"),
    Watched("conflicts", ("TransactionConflict",), "tables with look-ups or transactions",
            "any steady rate: two writers want one item"),
    Watched("refused", ("ConditionalCheckFailedRequests",), "tables with look-ups",
            "a rise: uniqueness is being refused"),
    Watched("index build", ("OnlineIndexPercentageProgress",), "a GSI that is being added", "it does not move"),
)  # fmt: skip


def watched(kind: Kind) -> Watched:
    """The entry of a kind."""
    return next(one for one in WATCHED if one.kind == kind)
