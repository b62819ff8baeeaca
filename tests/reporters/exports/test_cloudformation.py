"""The template is one that CloudFormation takes: held against AWS's resource schemas by cfn-lint."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml
from cfnlint.api import ManualArgs, lint
from export_material import MATERIAL, ORIGIN, PROVISIONED, many_tables
from test_structures import created

from ddbmig.model.errors import UsageError
from ddbmig.reporters.exports.alarms import alarms
from ddbmig.reporters.exports.cloudformation import cloudformation, logical_ids
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.origin import Origin
from hand_made import TABLES

REGIONS = ["us-east-1", "eu-central-1"]


def mistakes(text: str) -> list[str]:
    """What cfn-lint says of a template, warnings too."""
    return [str(match) for match in lint(text, config=ManualArgs(regions=REGIONS))]


def resources(material: Material, kind: str) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(cloudformation(material))["Resources"]
    return {name: one["Properties"] for name, one in found.items() if one["Type"] == kind}


@pytest.mark.parametrize("material", [MATERIAL, PROVISIONED, replace(MATERIAL, origin=replace(ORIGIN, approval=None))],
                         ids=["on demand", "provisioned", "draft"])  # fmt: skip
def test_cfn_lint_finds_nothing(material: Material) -> None:
    assert mistakes(cloudformation(material)) == []


def test_cfn_lint_would_find_something() -> None:
    text = cloudformation(MATERIAL)
    assert mistakes(text.replace("AttributeType: N", "AttributeType: NUMBER"))
    assert mistakes(text.replace("PAY_PER_REQUEST", "PAY"))
    assert mistakes(text.replace("TableClass", "TableKind"))
    assert mistakes(text.replace("Ref: KmsKeyArn", "Ref: KmsKey"))


def test_the_tables_are_those_that_were_validated() -> None:
    asked = ("TableName", "AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    found = list(resources(MATERIAL, "AWS::DynamoDB::Table").values())
    assert [{key: one[key] for key in asked if key in one} for one in found] == [created(table) for table in TABLES]


def test_every_table_is_protected_encrypted_and_says_where_it_came_from() -> None:
    for one in yaml.safe_load(cloudformation(MATERIAL))["Resources"].values():
        if one["Type"] != "AWS::DynamoDB::Table":
            continue
        given = one["Properties"]
        assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert given["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
        assert given["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": {"Ref": "PointInTimeRecovery"}
        }
        assert given["SSESpecification"]["SSEEnabled"] is True
        assert {tag["Key"]: tag["Value"] for tag in given["Tags"]} == {
            "ddbmig:alternative": "rules", "ddbmig:approval": "a" * 64, "ddbmig:contract": "c" * 64,
        }  # fmt: skip


def test_what_is_provisioned_is_held_by_table_and_gsi() -> None:
    found = resources(PROVISIONED, "AWS::DynamoDB::Table")["Books"]
    held = [found["ProvisionedThroughput"], *(gsi["ProvisionedThroughput"] for gsi in found["GlobalSecondaryIndexes"])]
    assert [(one["ReadCapacityUnits"], one["WriteCapacityUnits"]) for one in held] == [(11, 12), (12, 13), (13, 14)]
    assert (found["BillingMode"], found["TableClass"]) == ("PROVISIONED", "STANDARD_INFREQUENT_ACCESS")


def test_every_alarm_is_there_and_goes_to_the_topic() -> None:
    found = resources(MATERIAL, "AWS::CloudWatch::Alarm")
    assert [one["AlarmName"] for one in found.values()] == [alarm.name for alarm in alarms(MATERIAL)]
    for one in found.values():
        assert one["AlarmActions"] == {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
        assert ("Metrics" in one) is ("MetricName" not in one)
    band = found["BooksIsbnUniqueRefusedAlarm"]
    assert band["ThresholdMetricId"] == band["Metrics"][-1]["Id"]


def test_a_template_of_too_many_resources_is_one_clear_line() -> None:
    cloudformation(many_tables(249))
    with pytest.raises(UsageError) as refused:
        cloudformation(many_tables(250))
    assert str(refused.value) == (
        "the template would have 501 resources; expected at most 500, CloudFormation's limit; export terraform, which "
        "has no such limit, or migrate in parts: see scope in ddbmig.yaml"
    )


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["orders", "order_lines"], ["Orders", "OrderLines"]),
        (["a-b", "a_b", "a.b"], ["AB", "AB2", "AB3"]),
        (["___"], ["Resource"]),
        (["2024_orders"], ["2024Orders"]),
    ],
)
def test_logical_ids_are_letters_and_digits_and_unique(names: list[str], ids: list[str]) -> None:
    assert list(logical_ids(names).values()) == ids


def test_what_is_hostile_stays_text() -> None:
    """Names of attributes are whatever MySQL allows."""
    text = cloudformation(MATERIAL)
    assert text.isascii()
    given: Mapping[str, Any] = resources(MATERIAL, "AWS::DynamoDB::Table")["Books"]
    assert {"AttributeName": "kind key#", "AttributeType": "S"} in given["AttributeDefinitions"]


def test_a_draft_says_so() -> None:
    text = cloudformation(replace(MATERIAL, origin=Origin("rules", None, "c" * 64)))
    assert "\n# approval: none, a draft\n" in text
    assert yaml.safe_load(text)["Metadata"]["ddbmig"]["approval"] == "none, a draft"
