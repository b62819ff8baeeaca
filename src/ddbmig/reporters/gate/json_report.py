"""The gate's report as JSON for programs: the value itself, with the fingerprint of each violation."""

from typing import Any

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.wording import json_text

SCHEMA_ID = f"urn:ddbmig:gate-report:{GateReport.SCHEMA_VERSION}"


def json_report(report: GateReport) -> str:
    """The canonical JSON of the report; `fingerprint` names a violation across runs, wherever it has moved to."""
    data = report.model_dump(mode="json")
    for entry, violation in zip(data["violations"], report.violations, strict=True):
        entry["fingerprint"] = violation.fingerprint
    return json_text(data)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `json_report` writes: every field is there, and no other."""
    schema = GateReport.model_json_schema(mode="serialization")
    schema["properties"]["schema_version"]["const"] = GateReport.SCHEMA_VERSION
    schema["$defs"]["Violation"]["properties"]["fingerprint"] = {
        "description": "16 hex digits of rule and object: the same finding in every run, wherever it has moved to.",
        "pattern": "^[0-9a-f]{16}$",
        "type": "string",
    }
    for shape in (schema, *schema["$defs"].values()):
        shape["required"] = list(shape["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
