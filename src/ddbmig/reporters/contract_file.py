"""The contract as the bytes of migrationContract.json, its keys in the guide's order."""

import json
from importlib.resources import files
from typing import Any

from ddbmig.model.contract import Contract, ContractEntry

SCHEMA_FILE = "contract.schema.json"
"""The published JSON Schema (2020-12) of the format, beside this module."""


def contract_bytes(contract: Contract) -> bytes:
    """migrationContract.json: fields in the guide's order, attributes by name, empty optional fields left out."""
    entries = [_entry(entry) for entry in contract.root]
    text = json.dumps(entries, ensure_ascii=False, indent=2, allow_nan=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def contract_schema() -> dict[str, Any]:
    """The JSON Schema that every contract satisfies."""
    schema: dict[str, Any] = json.loads(files(__package__).joinpath(SCHEMA_FILE).read_text("utf-8"))
    return schema


def _entry(entry: ContractEntry) -> dict[str, Any]:
    """One entry; the model declares its fields in the guide's order, so only the map of attributes needs one."""
    data = entry.model_dump(mode="json", exclude_none=True)
    data["attributes"] = dict(sorted(data["attributes"].items()))
    return data
