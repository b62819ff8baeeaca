"""The configuration is one that Terraform reads: parsed back, its arguments those that the provider documents."""

import re
from dataclasses import replace
from typing import Any

import hcl2
import pytest
from export_material import MATERIAL, ORIGIN, PROVISIONED
from hypothesis import given, settings
from hypothesis import strategies as st
from provider_arguments import ARGUMENTS, wrong
from test_structures import created

from ddbmig.reporters.exports.alarms import alarms
from ddbmig.reporters.exports.hcl import Block, Expression, Hcl, block, hcl_text, quoted
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.terraform import local_names, terraform
from hand_made import TABLES

HOSTILE = '"${file("/etc/passwd")}%{ for x in y }\\ \n\t\x00 $${ %%{ \U0001f600 \u202e'


def plain(value: Any) -> Any:
    """What the parser gives without its quotation marks and marks of its own; an expression stays `${…}`."""
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items() if key not in ("__is_block__", "__comments__")}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return unquoted(value) if isinstance(value, str) and value.startswith('"') else value


def unquoted(text: str) -> str:
    """A quoted text as Terraform takes it."""
    return re.sub(r"\\u(....)|\\U(.{8})|\\(.)|([$%])\4\{", _unescaped, text[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    if code := found[1] or found[2]:
        return chr(int(code, 16))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(found[3], found[3]) if found[3] else f"{found[4]}{{"


def resources(material: Material, kind: str) -> dict[str, dict[str, Any]]:
    parsed = plain(hcl2.loads(terraform(material)))
    return {name: body for one in parsed["resource"] for name, body in one.get(kind, {}).items()}


FOUND = {kind: resources(MATERIAL, kind) for kind in ("aws_dynamodb_table", "aws_cloudwatch_metric_alarm")}


@pytest.mark.parametrize("material", [MATERIAL, PROVISIONED], ids=["on demand", "provisioned"])
@pytest.mark.parametrize("kind", list(FOUND))
def test_every_argument_is_documented_and_none_is_missing(material: Material, kind: str) -> None:
    for name, body in resources(material, kind).items():
        assert wrong(body, ARGUMENTS[kind]) == [], name


def test_what_is_not_documented_would_be_noticed() -> None:
    body = {"nam": "x", "attribute": [{"name": "a", "kind": "N"}]}
    assert wrong(body, ARGUMENTS["aws_dynamodb_table"]) == [
        "unknown: nam", "missing: name", "unknown: attribute.kind", "missing: attribute.type",
    ]  # fmt: skip


def test_the_tables_are_those_that_were_validated() -> None:
    tables = list(FOUND["aws_dynamodb_table"].values())
    for body, wanted in zip(tables, map(created, TABLES), strict=True):
        assert (body["name"], body["billing_mode"]) == (wanted["TableName"], wanted["BillingMode"])
        assert [{"AttributeName": one["name"], "AttributeType": one["type"]} for one in body["attribute"]] == (
            wanted["AttributeDefinitions"]
        )
        keys = [("HASH", body["hash_key"]), *([("RANGE", body["range_key"])] if "range_key" in body else [])]
        assert keys == [(key["KeyType"], key["AttributeName"]) for key in wanted["KeySchema"]]
        for gsi, index in zip(
            body.get("global_secondary_index", []), wanted.get("GlobalSecondaryIndexes", []), strict=True
        ):
            assert gsi["name"] == index["IndexName"]
            assert [
                {"AttributeName": key["attribute_name"], "KeyType": key["key_type"]} for key in gsi["key_schema"]
            ] == (index["KeySchema"])
            assert gsi["projection_type"] == index["Projection"]["ProjectionType"]
            assert gsi.get("non_key_attributes", []) == index["Projection"].get("NonKeyAttributes", [])


def test_every_table_is_protected_encrypted_and_tagged() -> None:
    for body in FOUND["aws_dynamodb_table"].values():
        assert body["deletion_protection_enabled"] == "${var.deletion_protection}"
        assert body["point_in_time_recovery"] == [{"enabled": "${var.point_in_time_recovery}"}]
        assert body["server_side_encryption"] == [{"enabled": True, "kms_key_arn": "${var.kms_key_arn}"}]
        assert body["lifecycle"] == [{"prevent_destroy": True}]
        assert body["tags"] == "${local.tags}"
    (local,) = plain(hcl2.loads(terraform(MATERIAL)))["locals"]
    assert local["tags"] == ORIGIN.tags()


def test_what_is_provisioned_is_held_by_table_and_gsi() -> None:
    body = resources(PROVISIONED, "aws_dynamodb_table")["books"]
    held = [body, *body["global_secondary_index"]]
    assert [(one["read_capacity"], one["write_capacity"]) for one in held] == [(11, 12), (12, 13), (13, 14)]
    assert (body["billing_mode"], body["table_class"]) == ("PROVISIONED", "STANDARD_INFREQUENT_ACCESS")
    assert "read_capacity" not in FOUND["aws_dynamodb_table"]["books"]


def test_the_alarms_are_those_of_the_plan_on_the_tables_made_here() -> None:
    found, planned = FOUND["aws_cloudwatch_metric_alarm"], {alarm.name: alarm for alarm in alarms(MATERIAL)}
    assert [body["alarm_name"] for body in found.values()] == list(planned)
    for body in found.values():
        alarm = planned[body["alarm_name"]]
        assert body.get("threshold") == alarm.threshold
        queries = [query["metric"][0] for query in body.get("metric_query", []) if "metric" in query] or [body]
        for query, metric in zip(queries, alarm.metrics, strict=True):
            named = metric.dimensions()
            shown = query.get("dimensions", {})
            assert shown.keys() == named.keys()
            if metric.table is not None:
                assert shown["TableName"] == f"${{aws_dynamodb_table.{local_names([metric.table])[metric.table]}.name}}"


def test_names_that_mean_something_to_terraform_stay_names() -> None:
    table = replace(MATERIAL.tables[1], name="a.b", pk=HOSTILE, types={HOSTILE: "S"}, gsis=())
    material = replace(MATERIAL)
    object.__setattr__(material, "tables", (table,))
    assert resources(material, "aws_dynamodb_table")["a_b"]["hash_key"] == HOSTILE


@settings(max_examples=100)
@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from('$%{}\\"nu'))))
def test_a_quoted_text_is_that_text(value: str) -> None:
    text = quoted(value)
    assert "\n" not in text
    assert plain(hcl2.loads(f"a = {text}\n"))["a"] == value


def test_the_layout_is_that_of_terraform_fmt() -> None:
    inner = block("inner", body=[("long_name", 1), ("x", [True, "y"])])
    outer: list[tuple[str, Hcl] | Block] = [("a", Expression("var.a")), ("map", {"k": "v", "k:2": 2}), inner, inner]
    text = hcl_text([block("resource", "kind", "name", body=outer), block("empty", body=[])])
    assert (
        text
        == """\
resource "kind" "name" {
  a = var.a
  map = {
    k     = "v"
    "k:2" = 2
  }

  inner {
    long_name = 1
    x         = [true, "y"]
  }

  inner {
    long_name = 1
    x         = [true, "y"]
  }
}

empty {
}
"""
    )


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["orders", "Order-Lines"], ["orders", "order_lines"]),
        (["a-b", "a_b", "a.b"], ["a_b", "a_b_2", "a_b_3"]),
        (["2024_orders", "..."], ["_2024_orders", "resource"]),
    ],
)
def test_local_names_are_identifiers_and_unique(names: list[str], found: list[str]) -> None:
    assert list(local_names(names).values()) == found
