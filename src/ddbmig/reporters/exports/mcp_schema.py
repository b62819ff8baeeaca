"""schema.json: what the code generator of AWS's DynamoDB MCP server makes entities and repositories from.

The form is that of schema_definitions.py in `awslabs-dynamodb-mcp-server` 2.1.8: an entity for each table, keyed by the
attributes themselves. Its field names become names in Python, and it knows no binary field; what cannot be one is left
out and listed. Access patterns are in `mcp` and plans.json: the form has none of several calls.
"""

import json
import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ddbmig.model.contract import ContractAttribute
from ddbmig.reporters.exports.cloudformation import logical_ids
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.structures import Gsi, Table

Json = dict[str, Any]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_TYPES = {"S": "string", "N": "decimal", "BOOL": "boolean", "L": "array", "M": "object", "SS": "array", "NS": "array"}
_MEMBERS = {"L": "object", "SS": "string", "NS": "decimal"}


def mcp_schema(material: Material) -> str:
    """The file as JSON."""
    left_out, tables = list[str](), list[Json]()
    entities = logical_ids(table.name for table in material.tables)
    for table in material.tables:
        attributes = {name: one for entry in material.contract.root if entry.table == table.name
                      and entry.type == "Table" for name, one in entry.attributes.items()}  # fmt: skip
        fields = {name: one for name, one in attributes.items() if _is_field(name, one)}
        if not fields.keys() >= set(table.keys):
            left_out.append(table.name)
            continue
        gsis = [gsi for gsi in table.gsis if fields.keys() >= {*gsi.keys, *gsi.projected}]
        left_out += [f"{table.name}/{gsi.name}" for gsi in table.gsis if gsi not in gsis]
        left_out += [f"{table.name}: {name}" for name in attributes if name not in fields]
        tables.append(_table(table, entities[table.name], fields, gsis))
    return json.dumps({"ddbmig": material.origin.data() | {"left_out": left_out}, "tables": tables}, indent=2) + "\n"


def _is_field(name: str, attribute: ContractAttribute) -> bool:
    return bool(_NAME.match(name)) and not keyword.iskeyword(name) and attribute.type in _TYPES


def _table(table: Table, entity: str, fields: Mapping[str, ContractAttribute], gsis: Sequence[Gsi]) -> Json:
    config = {"table_name": table.name, "partition_key": table.pk} | ({"sort_key": table.sk} if table.sk else {})
    described: Json = {
        "entity_type": table.name.upper(),
        "pk_template": _template(table.pk),
        **({"sk_template": _template(table.sk)} if table.sk else {}),
        "fields": [_field(name, one, required=name in table.keys) for name, one in fields.items()],
        "access_patterns": [],
    }
    found: Json = {"table_config": config}
    if gsis:
        found["gsi_list"] = [_gsi(gsi) for gsi in gsis]
        described["gsi_mappings"] = [_mapping(gsi) for gsi in gsis]
    return found | {"entities": {entity: described}}


def _template(attribute: str) -> str:
    return f"{{{attribute}}}"


def _field(name: str, attribute: ContractAttribute, *, required: bool) -> Json:
    whole = attribute.encoding in ("integer", "year")
    found: Json = {"name": name, "type": "integer" if whole else _TYPES[attribute.type], "required": required}
    return found | ({"item_type": _MEMBERS[attribute.type]} if attribute.type in _MEMBERS else {})


def _one_or_more(names: Sequence[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _gsi(gsi: Gsi) -> Json:
    found: Json = {"name": gsi.name, "partition_key": _one_or_more(gsi.partition), "projection": gsi.projection}
    if gsi.sort:
        found["sort_key"] = _one_or_more(gsi.sort)
    if gsi.projected:
        found["included_attributes"] = list(gsi.projected)
    return found


def _mapping(gsi: Gsi) -> Json:
    found: Json = {"name": gsi.name, "pk_template": _one_or_more([_template(name) for name in gsi.partition])}
    return found | ({"sk_template": _one_or_more([_template(name) for name in gsi.sort])} if gsi.sort else {})
