"""JSON Schemas (draft 2020-12) of the files that people write, of what `ddbmig check` prints as JSON, of plans.json.

Those of ddbmig.yaml, pack.yaml, waivers.yaml, a price file and a scenario come from the models that check them; what
the models say of each field beside it becomes its description.
"""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import NullableSchema, WithDefaultSchema

from ddbmig.engine.facts import CATALOGUE
from ddbmig.engine.rule_reader import RULE_ID
from ddbmig.engine.rule_schema import WORDS, Schema, fact_description, rule_schema
from ddbmig.model.base import Value, canonical_json
from ddbmig.model.context import PackFile, ProjectConfig
from ddbmig.model.gate import GateReport, Waivers
from ddbmig.model.prices import PRICE_NAMES, PriceList
from ddbmig.model.scenario import Scenario
from ddbmig.reporters.gate.json_report import json_schema
from ddbmig.reporters.plans_file import plans_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS = ("rule", "pack", "waivers", "config", "prices", "scenario", "check", "plans")
"""What there is a schema of; `check` is the JSON output of the gate, the others are files; `plans` is one of ours."""


def schema_text(document: str) -> str:
    """The JSON Schema of one of DOCUMENTS, as canonical JSON with a line end. Raises KeyError for another name."""
    schemas = {
        "rule": rule_schema, "pack": _pack_schema, "waivers": _waivers_schema, "config": _config_schema,
        "prices": _prices_schema, "scenario": _scenario_schema, "check": _check_schema, "plans": plans_schema,
    }  # fmt: skip
    return canonical_json({"$schema": DIALECT, **schemas[document]()}).decode()


def attribute_docstrings(kind: type) -> dict[str, str]:
    """Attribute -> the docstring that stands below it in the class's source, on one line."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    found = {}
    for statement, below in itertools.pairwise(body):
        match statement, below:
            case ((ast.AnnAssign(ast.Name(name)) | ast.Assign([ast.Name(name)])), ast.Expr(ast.Constant(str(text)))):
                found[name] = " ".join(text.split())
    return found


class _ForYaml(GenerateJsonSchema):
    """Without what no YAML file of ours can hold (null), and without titles that only repeat the key."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default") is None or isinstance(found["default"], dict):
            found.pop("default", None)
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _file_schema(model: type[Value], title: str) -> Schema:
    return {**_described(model.model_json_schema(schema_generator=_ForYaml), model), "title": title}


def _config_schema() -> Schema:
    return _with_rule_ids(_file_schema(ProjectConfig, "ddbmig.yaml"))


def _pack_schema() -> Schema:
    return _with_rule_ids(_file_schema(PackFile, "pack.yaml"))


def _with_rule_ids(schema: Schema) -> Schema:
    schema["properties"]["rules"]["propertyNames"] = {"pattern": f"^{RULE_ID.pattern}$"}
    return schema


def _waivers_schema() -> Schema:
    """That of the model, and what `engine/waivers.py` demands beyond it."""
    schema = _file_schema(Waivers, "waivers.yaml")
    entry = schema["$defs"]["Waiver"]["properties"]
    for key in ("rule", "object", "reason", "owner"):
        entry[key] |= WORDS
    entry["expires"]["pattern"] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    entry["tolerance_percent"]["minimum"] = 0
    schema["$defs"]["FactValue"] = entry["accepted"]["additionalProperties"]
    entry["accepted"]["additionalProperties"] = False
    entry["accepted"]["properties"] = {
        name: {"$ref": "#/$defs/FactValue", "description": text} for name, text in _fact_descriptions().items()
    }
    return schema


def _fact_descriptions() -> Mapping[str, str]:
    """By name; a name that several phases have is described by each."""
    found: dict[str, list[str]] = {}
    for fact in CATALOGUE:
        found.setdefault(fact.name, []).append(fact_description(fact))
    return {name: " / ".join(dict.fromkeys(texts)) for name, texts in found.items()}


def _prices_schema() -> Schema:
    """That of the model, and what `engine/prices.py` demands beyond it."""
    schema = _file_schema(PriceList, "A price file")
    schema["$defs"]["PriceEntry"]["anyOf"] = [{"required": [name]} for name in PRICE_NAMES]
    return schema


def _scenario_schema() -> Schema:
    return _file_schema(Scenario, "A scenario of ddbmig simulate")


def _check_schema() -> Schema:
    return {**_described(json_schema(), GateReport), "title": "The JSON output of ddbmig check"}


def _described(schema: Schema, model: type[Value]) -> Schema:
    """The schema of a model with the docstrings of the attributes of all its values."""
    for kind in _values_in(model):
        shape = schema if kind is model else schema["$defs"][kind.__name__]
        for origin in (one for one in kind.__mro__ if issubclass(one, Value) and one is not Value):
            for name, text in attribute_docstrings(origin).items():
                if name in shape["properties"]:
                    shape["properties"][name].setdefault("description", text)
    return schema


def _values_in(kind: Any) -> Iterator[type[Value]]:
    """The classes that a type is made of, from the outside in."""
    if isinstance(kind, type) and issubclass(kind, Value):
        yield kind
        for field in kind.model_fields.values():
            yield from _values_in(field.annotation)
    for inner in get_args(kind):
        yield from _values_in(inner)
