"""Terraform: the tables with their GSIs, protected and tagged, and the alarms of the monitoring plan.

Arguments are those of the resources aws_dynamodb_table and aws_cloudwatch_metric_alarm in the documentation of the
provider hashicorp/aws. The keys of a GSI are `key_schema` blocks, which may repeat; they came with 6.29 and had their
last mistake with several sort keys or removed GSIs mended in 6.37 (the provider's change log).
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from ddbmig.reporters.exports.alarms import PERIOD, Alarm, Metric, alarms
from ddbmig.reporters.exports.hcl import Block, Expression, Hcl, block, hcl_text
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.structures import Gsi, Table
from ddbmig.reporters.monitoring import NAMESPACE

PROVIDER = ">= 6.37"
Body = list[tuple[str, Hcl] | Block]


def terraform(material: Material) -> str:
    """A file that makes a module by itself, or a part of one."""
    names = local_names(table.name for table in material.tables)
    found = alarms(material)
    ids = local_names(alarm.name for alarm in found)
    blocks = [
        *_head(material),
        *(_table(material, table, names[table.name]) for table in material.tables),
        *(_alarm(alarm, ids[alarm.name], names) for alarm in found),
    ]
    comment = "".join(f"# {line}\n" for line in material.origin.lines())
    return f"{comment}\n{hcl_text(blocks)}"


def _head(material: Material) -> Iterator[Block]:
    provider: dict[str, Hcl] = {"source": "hashicorp/aws", "version": PROVIDER}
    yield block("terraform", body=[block("required_providers", body=[("aws", provider)])])
    yield _variable("alarm_topic_arn", "string", Expression("null"), "SNS topic that alarms go to; null for none")
    yield _variable("kms_key_arn", "string", Expression("null"),
                    "Your own KMS key for the tables; null for the key that AWS manages")  # fmt: skip
    yield _variable("deletion_protection", "bool", True, "Whether DynamoDB refuses to delete the tables")
    yield _variable("point_in_time_recovery", "bool", True,
                    "Whether the tables can be restored to any second of the last 35 days")  # fmt: skip
    actions = Expression("var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn]")
    yield block("locals", body=[("alarm_actions", actions), ("tags", material.origin.tags())])


def _variable(name: str, kind: str, default: Hcl, description: str) -> Block:
    body: Body = [("type", Expression(kind)), ("default", default), ("description", description)]
    return block("variable", name, body=body)


# --- tables ---


def _table(material: Material, table: Table, name: str) -> Block:
    cost = material.alternative.cost
    on_demand = cost.mode == "on-demand"
    body: Body = [
        ("name", table.name),
        ("billing_mode", "PAY_PER_REQUEST" if on_demand else "PROVISIONED"),
        *_capacity(material, table.name, None),
        ("table_class", "STANDARD" if cost.table_class == "standard" else "STANDARD_INFREQUENT_ACCESS"),
        ("hash_key", table.pk),
        *([("range_key", table.sk)] if table.sk is not None else []),
        ("deletion_protection_enabled", Expression("var.deletion_protection")),
        ("tags", Expression("local.tags")),
        *(block("attribute", body=[("name", key), ("type", kind)]) for key, kind in table.types.items()),
        *(_gsi(material, table, gsi) for gsi in table.gsis),
        block("point_in_time_recovery", body=[("enabled", Expression("var.point_in_time_recovery"))]),
        block("server_side_encryption",
              body=[("enabled", True), ("kms_key_arn", Expression("var.kms_key_arn"))]),
        block("lifecycle", body=[("prevent_destroy", True)]),
    ]  # fmt: skip
    return block("resource", "aws_dynamodb_table", name, body=body)


def _capacity(material: Material, table: str, index: str | None) -> Body:
    if material.alternative.cost.mode == "on-demand":
        return []
    held = material.capacity.get((table, index))
    return [("read_capacity", held.read_units if held else 1), ("write_capacity", held.write_units if held else 1)]


def _gsi(material: Material, table: Table, gsi: Gsi) -> Block:
    keys = [*((name, "HASH") for name in gsi.partition), *((name, "RANGE") for name in gsi.sort)]
    body: Body = [
        ("name", gsi.name),
        *_capacity(material, table.name, gsi.name),
        ("projection_type", gsi.projection),
        *([("non_key_attributes", list(gsi.projected))] if gsi.projected else []),
        *(block("key_schema", body=[("attribute_name", name), ("key_type", kind)]) for name, kind in keys),
    ]  # fmt: skip
    return block("global_secondary_index", body=body)


# --- alarms ---


def _alarm(alarm: Alarm, name: str, tables: Mapping[str, str]) -> Block:
    body: Body = [
        ("alarm_name", alarm.name),
        ("alarm_description", alarm.description),
        ("evaluation_periods", alarm.periods),
        ("treat_missing_data", "notBreaching"),
        ("alarm_actions", Expression("local.alarm_actions")),
    ]
    if alarm.threshold is None:
        body += [("comparison_operator", "GreaterThanUpperThreshold"), ("threshold_metric_id", "e1")]
    else:
        body += [("comparison_operator", "GreaterThanThreshold"), ("threshold", alarm.threshold)]
    if alarm.expression is None:
        (metric,) = alarm.metrics
        statistic = "statistic" if metric.statistic == "Sum" else "extended_statistic"
        body += [*_metric(metric, tables), (statistic, metric.statistic)]
    else:
        body += list(_queries(alarm, alarm.expression, tables))
    return block("resource", "aws_cloudwatch_metric_alarm", name, body=body)


def _queries(alarm: Alarm, expression: str, tables: Mapping[str, str]) -> Iterator[Block]:
    banded = alarm.threshold is None
    for number, metric in enumerate(alarm.metrics, 1):
        inner = block("metric", body=[*_metric(metric, tables), ("stat", metric.statistic)])
        yield block("metric_query", body=[("id", f"m{number}"), ("return_data", banded), inner])
    yield block("metric_query", body=[
        ("id", "e1"), ("expression", expression), ("label", "expected" if banded else "sum"), ("return_data", True),
    ])  # fmt: skip


def _metric(metric: Metric, tables: Mapping[str, str]) -> Body:
    """A metric; its table is named by the resource, so that the alarm is made after it."""
    dimensions: dict[str, Hcl] = {
        name: Expression(f"aws_dynamodb_table.{tables[value]}.name") if name == "TableName" else value
        for name, value in metric.dimensions().items()
    }
    found: Body = [("namespace", NAMESPACE), ("metric_name", metric.name), ("period", PERIOD)]
    return [*found, *([("dimensions", dimensions)] if dimensions else [])]


def local_names(names: Iterable[str]) -> dict[str, str]:
    """Names that Terraform knows the resources by, unique: letters, digits and underscores, no digit first."""
    found, used = dict[str, str](), set[str]()
    for name in names:
        base = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower() or "resource"
        base = f"_{base}" if base[0].isdigit() else base
        number, unique = 1, base
        while unique in used:
            number += 1
            unique = f"{base}_{number}"
        used.add(unique)
        found[name] = unique
    return found
