"""The alarms of the monitoring plan, on the tables and GSIs of a contract.

Sums are taken over five minutes. Throttles and errors are metrics that are there only when something happens, so that
no data is no alarm, and sums of several take what is missing for 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from ddbmig.model.plan import ReadCall, Transaction, WriteCall
from ddbmig.reporters.exports.material import Material, Peak
from ddbmig.reporters.exports.structures import Table
from ddbmig.reporters.markdown import number
from ddbmig.reporters.monitoring import watched

PERIOD = 300
"""Seconds."""
TWICE = 2
LEAST = 1.0
"""Units a second below which consumption is no alarm, however little was expected."""
LONGEST_NAME = 255
TOTAL = "SUM(FILL(METRICS(), 0))"
BAND = "ANOMALY_DETECTION_BAND(m1, 2)"
"""What CloudWatch has learnt of the metric, two standard deviations to either side."""


@dataclass(frozen=True)
class Metric:
    """A metric of the namespace and its dimensions."""

    name: str
    table: str | None = None
    index: str | None = None
    operation: str | None = None
    statistic: str = "Sum"

    def dimensions(self) -> dict[str, str]:
        """By name, those that it has."""
        found = {"TableName": self.table, "GlobalSecondaryIndexName": self.index, "Operation": self.operation}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Alarm:
    """One alarm: told when the metric, or the expression over several, is over the threshold in each of `periods`."""

    name: str
    description: str
    metrics: tuple[Metric, ...]
    threshold: float | None
    """None: the upper edge of the band that CloudWatch expects."""
    periods: int = 1

    @property
    def expression(self) -> str | None:
        """Over the metrics m1, m2, …; None where there is one only and a number to hold it against."""
        if self.threshold is None:
            return BAND
        return TOTAL if len(self.metrics) > 1 else None


def alarms(material: Material) -> tuple[Alarm, ...]:
    """All alarms, table by table, those of the account last."""
    found = [alarm for table in material.tables for alarm in _of_table(material, table)]
    said = "Requests that DynamoDB refuses as wrong, other than by a condition, in the whole Region."
    errors = Alarm("DynamoDB UserErrors", said, (Metric("UserErrors"),), 0, periods=3)
    return (*found, errors)


def operations(material: Material, table: str) -> tuple[str, ...]:
    """The API operations by which the plans use a table or its GSIs, sorted."""
    found = set[str]()
    for plan in material.alternative.plans:
        for step in plan.steps:
            if isinstance(step, ReadCall | WriteCall) and step.table == table:
                found.add(step.op)
            elif isinstance(step, Transaction) and any(write.table == table for write in step.writes):
                found.add("TransactWriteItems")
    return tuple(sorted(found))


def is_lookup(material: Material, table: Table) -> bool:
    """Whether a table keeps a unique key."""
    return any(one.name == table.name and one.role == "lookup" for one in material.alternative.tables)


def _of_table(material: Material, table: Table) -> Iterator[Alarm]:
    for index in (None, *(gsi.name for gsi in table.gsis)):
        yield _throttled(table.name, index)
        yield from _consumed(material, table.name, index)
    used = operations(material, table.name)
    if used:
        metrics = tuple(Metric("SystemErrors", table.name, operation=operation) for operation in used)
        yield _alarm(table.name, None, "errors", "Failures of DynamoDB itself that retries do not outlive.",
                     metrics, 0, periods=2)  # fmt: skip
    yield from _slow(material, table.name, used)
    if "TransactWriteItems" in used:
        yield _alarm(table.name, None, "conflicts", "Two writers steadily want one item in transactions.",
                     (Metric("TransactionConflict", table.name),), 0, periods=3)  # fmt: skip
    if is_lookup(material, table):
        yield _alarm(table.name, None, "refused", "Uniqueness is refused more often than it used to be.",
                     (Metric("ConditionalCheckFailedRequests", table.name),), None)  # fmt: skip


def _throttled(table: str, index: str | None) -> Alarm:
    about = "an index in its table's way, or a hot key of it" if index else "a hot key, or a table at its limit"
    metrics = tuple(Metric(name, table, index) for name in watched("throttled").metrics)
    return _alarm(table, index, "throttled", f"Requests are throttled: {about}.", metrics, 0)


def _consumed(material: Material, table: str, index: str | None) -> Iterator[Alarm]:
    peak = material.peaks.get((table, index), Peak())
    for name, units in zip(watched("consumed").metrics, (peak.reads, peak.writes), strict=True):
        if units > 0:
            limit = max(TWICE * units, LEAST)
            said = (
                f"Over {number(limit)} units a second in five minutes; expected at the peak: {number(units)} "
                f"(rates: {material.assessment.rates.source})."
            )
            yield _alarm(table, index, name, said, (Metric(name, table, index),), limit * PERIOD)


def _slow(material: Material, table: str, used: tuple[str, ...]) -> Iterator[Alarm]:
    """Where a latency is declared for the MySQL table whose rows the items hold."""
    p99 = _declared_p99(material, table)
    if p99 is not None:
        for operation in used:
            metric = Metric("SuccessfulRequestLatency", table, operation=operation, statistic="p99")
            said = f"The p99 of {operation} is over the {number(p99)} ms declared for the statements that it answers."
            yield _alarm(table, None, f"{operation} slow", said, (metric,), p99, periods=3)


def _declared_p99(material: Material, table: str) -> float | None:
    sources = {entry.source_table for entry in material.contract.root if entry.table == table and entry.type == "Table"}
    names = {name for one in material.snapshot.tables.tables if one.id in sources for name in (one.id, one.name)}
    fitting = [one.p99_ms for one in material.snapshot.context.requirements if one.table in {"*", *names}]
    return min(fitting, default=None)


def _alarm(
    table: str, index: str | None, title: str, description: str, metrics: tuple[Metric, ...], threshold: float | None,
    periods: int = 1,
) -> Alarm:  # fmt: skip
    structure = table if index is None else f"{table}/{index}"
    return Alarm(_fitting(f"{structure} {title}"), description, metrics, threshold, periods)


def _fitting(name: str) -> str:
    """A name within CloudWatch's length; what is cut is told apart by a hash."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]} {sha256(name.encode()).hexdigest()[:8]}"
