"""A CloudWatch dashboard: the metrics of the monitoring plan, table by table, with the thresholds of the alarms.

The body has the form of AWS's documentation, "Dashboard body structure and syntax".
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ddbmig.reporters.exports.alarms import PERIOD, Alarm, Metric, alarms, is_lookup, operations
from ddbmig.reporters.exports.material import Material, Peak
from ddbmig.reporters.exports.structures import Table
from ddbmig.reporters.markdown import number
from ddbmig.reporters.monitoring import NAMESPACE, watched

MOST_WIDGETS, MOST_METRICS = 500, 2500
"""On one dashboard (AWS documentation, "CloudWatch service quotas")."""
GRID, HEIGHT = 24, 6
"""Columns of the grid; rows of one chart."""
BESIDE = 3
"""Charts side by side."""
LONGEST_TITLE = 255

Json = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """Metrics in one chart."""

    title: str
    metrics: tuple[Metric, ...]


def dashboard(material: Material) -> str:
    """The body for `aws cloudwatch put-dashboard`, as JSON.

    The tables with the highest expected peak come first; where CloudWatch's limits leave no room for all of them, the
    text above says how many are left out.
    """
    ordered = sorted(material.tables, key=lambda table: (-_load(material, table), table.name))
    shown = _fitting([tuple(charts_of(material, table)) for table in ordered])
    account = Chart("UserErrors of the account", (Metric("UserErrors"),))
    found = alarms(material)
    widgets, row = [_head(material, len(shown), len(ordered))], 0
    for charts in ((account,), *shown):
        for place, chart in enumerate(charts):
            x, y = place % BESIDE * (GRID // BESIDE), (row + place // BESIDE) * HEIGHT + HEIGHT
            widgets.append(_widget(chart, x, y, found, material.region))
        row += -(-len(charts) // BESIDE)
    return json.dumps({"widgets": widgets}, indent=1) + "\n"


def charts_of(material: Material, table: Table) -> Iterator[Chart]:
    """The charts of a table and its GSIs: one for each entry of the monitoring plan that is about it."""
    gsis = tuple(gsi.name for gsi in table.gsis)
    used = operations(material, table.name)
    for name in watched("consumed").metrics:
        yield _chart(table, name, (Metric(name, table.name, index) for index in (None, *gsis)))
    throttled = (Metric(name, table.name, index) for index in (None, *gsis) for name in watched("throttled").metrics)
    yield _chart(table, "throttled requests", throttled)
    if used:
        yield _chart(table, "p99 in ms", (Metric("SuccessfulRequestLatency", table.name, operation=operation,
                                                 statistic="p99") for operation in used))  # fmt: skip
        yield _chart(table, "SystemErrors", (Metric("SystemErrors", table.name, operation=one) for one in used))
    if "TransactWriteItems" in used:
        yield _chart(table, "conflicts", (Metric(name, table.name) for name in watched("conflicts").metrics))
    if is_lookup(material, table):
        yield _chart(table, "refused", (Metric(name, table.name) for name in watched("refused").metrics))
    if gsis:
        built = (Metric(name, table.name, gsi, statistic="Maximum") for gsi in gsis
                 for name in watched("index build").metrics)  # fmt: skip
        yield _chart(table, "GSIs being built, in percent", built)


def _chart(table: Table, title: str, metrics: Iterable[Metric]) -> Chart:
    return Chart(f"{table.name}: {title}"[:LONGEST_TITLE], tuple(metrics))


def _load(material: Material, table: Table) -> float:
    """Units a second that a table and its GSIs are expected to take at the peak."""
    peaks = (material.peaks.get((table.name, index), Peak()) for index in (None, *(gsi.name for gsi in table.gsis)))
    return sum(peak.reads + peak.writes for peak in peaks)


def _fitting(tables: Sequence[tuple[Chart, ...]]) -> list[tuple[Chart, ...]]:
    """The first tables whose charts fit, beside the text and the chart of the account."""
    shown, widgets, metrics = list[tuple[Chart, ...]](), 2, 1
    for charts in tables:
        widgets += len(charts)
        metrics += sum(len(chart.metrics) for chart in charts)
        if widgets > MOST_WIDGETS or metrics > MOST_METRICS:
            break
        shown.append(charts)
    return shown


def _head(material: Material, shown: int, tables: int) -> Json:
    lines = [
        f"# DynamoDB tables of the design {material.origin.alternative}",
        *material.origin.lines(),
        f"Rates: {material.assessment.rates.source}. A line across a chart is the threshold of an alarm.",
        *([f"{tables - shown} of {tables} tables are left out, those with the least expected load: a dashboard holds "
           f"{number(MOST_WIDGETS)} widgets and {number(MOST_METRICS)} metrics."] if shown < tables else []),
    ]  # fmt: skip
    return _placed("text", 0, 0, GRID, {"markdown": "\n\n".join(lines)})


def _widget(chart: Chart, x: int, y: int, found: Iterable[Alarm], region: str) -> Json:
    properties: Json = {
        "title": chart.title, "view": "timeSeries", "region": region, "period": PERIOD,
        "metrics": [_row(metric) for metric in chart.metrics],
    }  # fmt: skip
    lines = [
        {"label": alarm.name, "value": alarm.threshold}
        for alarm in found
        if alarm.threshold and set(alarm.metrics) <= set(chart.metrics)
    ]
    if lines:
        properties["annotations"] = {"horizontal": lines}
    return _placed("metric", x, y, GRID // BESIDE, properties)


def _placed(kind: str, x: int, y: int, width: int, properties: Json) -> Json:
    return {"type": kind, "x": x, "y": y, "width": width, "height": HEIGHT, "properties": properties}


def _row(metric: Metric) -> list[Any]:
    """Namespace, name, and each dimension with its value, as CloudWatch wants a metric."""
    dimensions = [part for pair in metric.dimensions().items() for part in pair]
    return [NAMESPACE, metric.name, *dimensions, {"stat": metric.statistic}]
