"""What the public view generator makes of a contract in its dialect, as far as it decides the value of an attribute.

Our own words for the rules that were read in `generate_mysql_views.py` of aws-samples/aws-dynamodb-examples: names and
conditions stand as they are given, one LEFT JOIN for each `target_table`, S is cast to CHAR, N to DECIMAL(38,10), BOOL
to UNSIGNED, entities are united. Without the cast to JSON, which MariaDB does not have.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_CASTS = {"S": "CHAR", "N": "DECIMAL(38,10)", "BOOL": "UNSIGNED"}


def select(table: Mapping[str, Any]) -> str:
    """The query of the view of one table."""
    entities = table["entities"] if table["type"] == "multi-entity" else [table]
    names = dict.fromkeys(attribute["name"] for entity in entities for attribute in entity["attributes"])
    return " UNION ALL ".join(_select(entity, list(names)) for entity in entities)


def _select(entity: Mapping[str, Any], names: list[str]) -> str:
    known = {attribute["name"]: attribute for attribute in entity["attributes"]}
    shown = [f"{_cast(known[name]) if name in known else 'NULL'} AS {name}" for name in names]
    joins = {one["join"]["target_table"]: one["join"]["join_condition"] for one in known.values() if "join" in one}
    return " ".join([f"SELECT {', '.join(shown)} FROM {entity['source_table']}",
                     *(f"LEFT JOIN {target} ON {on}" for target, on in joins.items())])  # fmt: skip


def _cast(attribute: Mapping[str, Any]) -> str:
    kind, value = attribute["type"], _value(attribute)
    return f"CAST({value} AS {_CASTS[kind]})" if kind in _CASTS else value


def _value(attribute: Mapping[str, Any]) -> str:
    if "join" in attribute:
        return str(attribute["join"]["select_column"])
    match attribute.get("transformation"):
        case {"type": "static", "value": value}:
            return f"'{value}'"
        case {"type": "string-format", "format": text}:
            return f"CONCAT({', '.join(_parts(text, attribute['source_table']))})"
        case _:
            return f"{attribute['source_table']}.{attribute['source_column']}"


def _parts(text: str, source: str) -> Iterator[str]:
    for number, part in enumerate(re.split(r"\{([^}]+)\}", text)):
        if part:
            yield f"{source}.{part}" if number % 2 else f"'{part}'"
