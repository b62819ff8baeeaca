"""The dashboard has what the alarms watch, in the form that CloudWatch takes."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from export_material import MATERIAL, many_tables
from jsonschema import Draft202012Validator
from moto import mock_aws

from ddbmig.model.context import Context, Requirement
from ddbmig.reporters.exports.alarms import alarms
from ddbmig.reporters.exports.dashboard import MOST_METRICS, MOST_WIDGETS, dashboard
from ddbmig.reporters.exports.material import Peak
from ddbmig.reporters.monitoring import NAMESPACE, WATCHED

_PLACE = {"x": {"type": "integer", "minimum": 0, "maximum": 23}, "y": {"type": "integer", "minimum": 0},
          "width": {"type": "integer", "minimum": 1, "maximum": 24},
          "height": {"type": "integer", "minimum": 1, "maximum": 1000}}  # fmt: skip
_LINE = {"type": "object", "required": ["value"], "additionalProperties": False,
         "properties": {"label": {"type": "string"}, "value": {"type": "number"}}}  # fmt: skip
_METRIC = {
    "type": "object", "additionalProperties": False, "required": ["metrics", "region"],
    "properties": {
        "title": {"type": "string", "maxLength": 255}, "view": {"enum": ["timeSeries", "singleValue"]},
        "region": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)+-[0-9]$"},
        "period": {"type": "integer", "multipleOf": 60},
        "metrics": {"type": "array", "minItems": 1, "maxItems": 500, "items": {
            "type": "array", "minItems": 3, "prefixItems": [{"type": "string"}, {"type": "string"}]}},
        "annotations": {"type": "object", "additionalProperties": False,
                        "properties": {"horizontal": {"type": "array", "items": _LINE}}},
    },
}  # fmt: skip
SCHEMA = {
    "type": "object", "required": ["widgets"], "additionalProperties": False,
    "properties": {"widgets": {"type": "array", "maxItems": 500, "items": {
        "type": "object", "required": ["type", "properties", *_PLACE], "properties": _PLACE,
        "oneOf": [
            {"properties": {"type": {"const": "metric"}, "properties": _METRIC}},
            {"properties": {"type": {"const": "text"}, "properties": {
                "type": "object", "required": ["markdown"], "additionalProperties": False,
                "properties": {"markdown": {"type": "string"}}}}},
        ],
    }}},
}  # fmt: skip
"""By AWS's documentation, "Dashboard body structure and syntax": of it, what we use."""


def widgets(text: str) -> list[dict[str, Any]]:
    body = json.loads(text)
    Draft202012Validator(SCHEMA).validate(body)
    found: list[dict[str, Any]] = body["widgets"]
    return found


def shown(text: str) -> list[tuple[Any, ...]]:
    """Every metric of every chart: its parts, dimensions as a text, and the statistic."""
    rows = [row for widget in widgets(text)[1:] for row in widget["properties"]["metrics"]]
    return [(*row[:-1], row[-1]["stat"]) for row in rows]


def test_every_metric_that_has_an_alarm_is_shown_once() -> None:
    needs = MATERIAL.snapshot.model_copy(update={"context": Context(requirements=(Requirement(p99_ms=10.0),))})
    material = replace(MATERIAL, snapshot=needs)
    told = {
        (NAMESPACE, one.name, *(part for pair in one.dimensions().items() for part in pair), one.statistic)
        for alarm in alarms(material)
        for one in alarm.metrics
    }
    found = shown(dashboard(material))
    assert told <= set(found)
    assert len(found) == len(set(found))
    assert {row[1] for row in found} == {name for one in WATCHED for name in one.metrics}


def test_the_thresholds_of_the_alarms_are_lines() -> None:
    drawn = [
        line
        for widget in widgets(dashboard(MATERIAL))[1:]
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
    ]
    expected = [{"label": alarm.name, "value": alarm.threshold} for alarm in alarms(MATERIAL) if alarm.threshold]
    assert sorted(drawn, key=lambda line: line["label"]) == sorted(expected, key=lambda line: str(line["label"]))
    assert {"label": "books ConsumedReadCapacityUnits", "value": 1800.0} in drawn


def test_no_two_widgets_lie_on_each_other() -> None:
    taken = set[tuple[int, int]]()
    for one in widgets(dashboard(MATERIAL)):
        cells = {(x, y) for x in range(one["x"], one["x"] + one["width"])
                 for y in range(one["y"], one["y"] + one["height"])}  # fmt: skip
        assert not taken & cells
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_text_says_where_it_came_from() -> None:
    markdown = widgets(dashboard(MATERIAL))[0]["properties"]["markdown"]
    assert markdown.splitlines()[0] == "# DynamoDB tables of the design rules"
    assert f"approval: {'a' * 64}" in markdown
    assert "Rates: assumed." in markdown
    assert "left out" not in markdown
    draft = replace(MATERIAL, origin=replace(MATERIAL.origin, approval=None))
    assert "approval: none, a draft" in widgets(dashboard(draft))[0]["properties"]["markdown"]


def test_a_large_design_keeps_the_tables_with_the_most_load() -> None:
    material = replace(many_tables(200), peaks={("table_199", None): Peak(5.0, 1.0)})
    found = widgets(dashboard(material))
    assert len(found) <= MOST_WIDGETS
    assert len(shown(dashboard(material))) <= MOST_METRICS
    assert found[2]["properties"]["title"].startswith("table_199: ")
    assert "34 of 200 tables are left out" in found[0]["properties"]["markdown"]
    assert "left out" not in widgets(dashboard(many_tables(166)))[0]["properties"]["markdown"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cloudwatch_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        client = boto3.client("cloudwatch", region_name="eu-central-1")
        answer = client.put_dashboard(DashboardName="shop", DashboardBody=dashboard(MATERIAL))
        assert not answer.get("DashboardValidationMessages")
        assert json.loads(client.get_dashboard(DashboardName="shop")["DashboardBody"])["widgets"]
