"""Arguments of the resources that the Terraform export uses, by the provider's documentation (hashicorp/aws 6.x).

A mapping is a block with its arguments; `*` marks what is required. An argument of the type map has none.
"""

from typing import Any

_THROUGHPUT: dict[str, Any] = {"max_read_request_units": {}, "max_write_request_units": {}}
_WARM: dict[str, Any] = {"read_units_per_second": {}, "write_units_per_second": {}}
_METRIC: dict[str, Any] = {
    "*metric_name": {},
    "namespace": {},
    "*period": {},
    "*stat": {},
    "unit": {},
    "dimensions": {},
}

ARGUMENTS: dict[str, dict[str, Any]] = {
    "aws_dynamodb_table": {
        "*name": {}, "billing_mode": {}, "deletion_protection_enabled": {}, "hash_key": {}, "range_key": {},
        "read_capacity": {}, "region": {}, "restore_backup_arn": {}, "restore_date_time": {}, "restore_source_name": {},
        "restore_source_table_arn": {}, "restore_to_latest_time": {}, "stream_enabled": {}, "stream_view_type": {},
        "table_class": {}, "tags": {}, "write_capacity": {},
        "attribute": {"*name": {}, "*type": {}},
        "global_secondary_index": {
            "*name": {}, "*projection_type": {}, "non_key_attributes": {}, "read_capacity": {}, "write_capacity": {},
            "hash_key": {}, "range_key": {}, "key_schema": {"*attribute_name": {}, "*key_type": {}},
            "on_demand_throughput": _THROUGHPUT, "warm_throughput": _WARM,
        },
        "local_secondary_index": {"*name": {}, "*projection_type": {}, "*range_key": {}, "non_key_attributes": {}},
        "on_demand_throughput": _THROUGHPUT,
        "point_in_time_recovery": {"*enabled": {}, "recovery_period_in_days": {}},
        "server_side_encryption": {"*enabled": {}, "kms_key_arn": {}},
        "ttl": {"attribute_name": {}, "enabled": {}},
        "warm_throughput": _WARM,
        "lifecycle": {"prevent_destroy": {}, "create_before_destroy": {}, "ignore_changes": {}},
    },
    "aws_cloudwatch_metric_alarm": {
        "*alarm_name": {}, "*comparison_operator": {}, "*evaluation_periods": {}, "metric_name": {}, "namespace": {},
        "period": {}, "statistic": {}, "threshold": {}, "threshold_metric_id": {}, "actions_enabled": {},
        "alarm_actions": {}, "alarm_description": {}, "datapoints_to_alarm": {}, "dimensions": {},
        "evaluate_low_sample_count_percentiles": {}, "extended_statistic": {}, "insufficient_data_actions": {},
        "ok_actions": {}, "region": {}, "tags": {}, "treat_missing_data": {}, "unit": {},
        "metric_query": {
            "*id": {}, "account_id": {}, "expression": {}, "label": {}, "period": {}, "return_data": {},
            "metric": _METRIC,
        },
    },
    "aws_cloudwatch_dashboard": {"*dashboard_name": {}, "*dashboard_body": {}, "region": {}},
}  # fmt: skip


def wrong(given: dict[str, Any], known: dict[str, Any], place: str = "") -> list[str]:
    """Arguments that are not documented, and required ones that are missing, with their place."""
    names = {name.removeprefix("*"): inner for name, inner in known.items()}
    found = [f"unknown: {place}{name}" for name in given if name not in names]
    found += [f"missing: {place}{name[1:]}" for name in known if name.startswith("*") and name[1:] not in given]
    for name, value in given.items():
        for inner in value if isinstance(value, list) else []:
            if isinstance(inner, dict):
                found += wrong(inner, names.get(name, {}), f"{place}{name}.")
    return found
