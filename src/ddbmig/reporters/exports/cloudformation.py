"""A CloudFormation template: the tables with their GSIs, protected and tagged, and the alarms of the monitoring plan.

Properties are those of AWS::DynamoDB::Table and AWS::CloudWatch::Alarm in AWS's published resource schemas.
"""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from ddbmig.model.errors import UsageError
from ddbmig.reporters.exports.alarms import PERIOD, Alarm, Metric, alarms
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.origin import Origin
from ddbmig.reporters.exports.structures import Gsi, Table, key_schema, projection_of
from ddbmig.reporters.monitoring import NAMESPACE

MOST_RESOURCES = 500
"""In one template (AWS documentation, "CloudFormation quotas")."""

Template = dict[str, Any]


def cloudformation(material: Material) -> str:
    """The template as YAML. Raises UsageError where it would have more resources than CloudFormation takes."""
    names = logical_ids(table.name for table in material.tables)
    resources = {names[table.name]: _table(material, table) for table in material.tables}
    found = alarms(material)
    ids = logical_ids((alarm.name for alarm in found), ending="Alarm", taken=resources)
    resources |= {ids[alarm.name]: _alarm(alarm, names) for alarm in found}
    check_size(resources, "export terraform, which has no such limit, or migrate in parts: see scope in ddbmig.yaml")
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"DynamoDB tables of the design {material.origin.alternative}, with alarms",
        "Metadata": {"ddbmig": material.origin.data()},
        "Parameters": _PARAMETERS,
        "Conditions": {
            "HasTopic": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]},
            "HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "KmsKeyArn"}, ""]}]},
        },
        "Resources": resources,
    }
    return yaml_template(template, material.origin)


_PARAMETERS = {
    "AlarmTopicArn": {
        "Type": "String", "Default": "",
        "Description": "ARN of the SNS topic that alarms go to; empty for none",
    },
    "KmsKeyArn": {
        "Type": "String", "Default": "",
        "Description": "ARN of your own KMS key for the tables; empty for the key that AWS manages",
    },
    "DeletionProtection": {
        "Type": "String", "Default": "true", "AllowedValues": ["true", "false"],
        "Description": "Whether DynamoDB refuses to delete the tables",
    },
    "PointInTimeRecovery": {
        "Type": "String", "Default": "true", "AllowedValues": ["true", "false"],
        "Description": "Whether the tables can be restored to any second of the last 35 days",
    },
}  # fmt: skip


def check_size(resources: Template, way_out: str) -> None:
    """Raise UsageError for more resources than one template may have; `way_out` says what to do then."""
    if len(resources) > MOST_RESOURCES:
        raise UsageError(
            f"the template would have {len(resources)} resources",
            expected=f"at most {MOST_RESOURCES}, CloudFormation's limit",
            hint=way_out,
        )  # fmt: skip


# --- tables ---


def _table(material: Material, table: Table) -> Template:
    classes = {"standard": "STANDARD", "standard-ia": "STANDARD_INFREQUENT_ACCESS"}
    properties: Template = {
        "TableName": table.name,
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in table.types.items()
        ],
        "KeySchema": key_schema(table.keys[:1], table.keys[1:]),
        **_billing(material, table),
        "TableClass": classes[material.alternative.cost.table_class],
    }  # fmt: skip
    if table.gsis:
        properties["GlobalSecondaryIndexes"] = [_gsi(material, table, gsi) for gsi in table.gsis]
    properties |= {
        "DeletionProtectionEnabled": {"Ref": "DeletionProtection"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": {"Ref": "PointInTimeRecovery"}},
        "SSESpecification": {
            "SSEEnabled": True, "SSEType": "KMS",
            "KMSMasterKeyId": {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]},
        },
        "Tags": [{"Key": key, "Value": value} for key, value in material.origin.tags().items()],
    }  # fmt: skip
    return {
        "Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    }  # fmt: skip


def _billing(material: Material, table: Table) -> Template:
    if material.alternative.cost.mode == "on-demand":
        return {"BillingMode": "PAY_PER_REQUEST"}
    return {"BillingMode": "PROVISIONED"} | material.throughput(table.name, None)


def _gsi(material: Material, table: Table, gsi: Gsi) -> Template:
    found: Template = {
        "IndexName": gsi.name, "KeySchema": key_schema(gsi.partition, gsi.sort), "Projection": projection_of(gsi),
    }  # fmt: skip
    if material.alternative.cost.mode == "provisioned":
        found |= material.throughput(table.name, gsi.name)
    return found


# --- alarms ---


def _alarm(alarm: Alarm, tables: dict[str, str]) -> Template:
    properties: Template = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "EvaluationPeriods": alarm.periods,
        "TreatMissingData": "notBreaching",
        "AlarmActions": {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]},
    }
    if alarm.threshold is None:
        properties |= {"ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "e1"}
    else:
        properties |= {"ComparisonOperator": "GreaterThanThreshold", "Threshold": alarm.threshold}
    if alarm.expression is None:
        (metric,) = alarm.metrics
        properties |= _metric(metric, tables) | {"Period": PERIOD}
        properties["Statistic" if metric.statistic == "Sum" else "ExtendedStatistic"] = metric.statistic
    else:
        properties["Metrics"] = list(_queries(alarm, tables))
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _queries(alarm: Alarm, tables: dict[str, str]) -> Iterable[Template]:
    banded = alarm.threshold is None
    for number, metric in enumerate(alarm.metrics, 1):
        stat = {"Metric": _metric(metric, tables), "Period": PERIOD, "Stat": metric.statistic}
        yield {"Id": f"m{number}", "MetricStat": stat, "ReturnData": banded}
    yield {"Id": "e1", "Expression": alarm.expression, "Label": "expected" if banded else "sum", "ReturnData": True}


def _metric(metric: Metric, tables: dict[str, str]) -> Template:
    """A metric; its table is the resource, so that the alarm is made after it."""
    dimensions = [
        {"Name": name, "Value": {"Ref": tables[value]} if name == "TableName" else value}
        for name, value in metric.dimensions().items()
    ]
    found: Template = {"Namespace": NAMESPACE, "MetricName": metric.name}
    return found | ({"Dimensions": dimensions} if dimensions else {})


# --- names and text ---


def logical_ids(names: Iterable[str], ending: str = "", taken: Iterable[str] = ()) -> dict[str, str]:
    """Logical ids (letters and digits, unique in a template) by name: `order_lines/by_book` is `OrderLinesByBook`."""
    found, used = dict[str, str](), {*taken}
    for name in names:
        words = re.findall(r"[A-Za-z0-9]+", name)
        base = "".join(word[:1].upper() + word[1:] for word in words)[:200] or "Resource"
        number, unique = 1, f"{base}{ending}"
        while unique in used:
            number += 1
            unique = f"{base}{number}{ending}"
        used.add(unique)
        found[name] = unique
    return found


class _Dumper(yaml.SafeDumper):
    """Writes what occurs twice twice: CloudFormation knows no aliases."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def yaml_template(template: Template, origin: Origin) -> str:
    """A template as YAML, its keys in the order given, what is not ASCII escaped."""
    comment = "".join(f"# {line}\n" for line in origin.lines())
    return comment + yaml.dump(template, Dumper=_Dumper, sort_keys=False, width=110)
