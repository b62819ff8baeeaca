"""The JSON Schemas of what people write: canonical, described, and of one mind with the loaders."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ddbmig.config import configure
from ddbmig.engine.prices import read_price_list
from ddbmig.engine.rule_schema import rule_schema
from ddbmig.engine.rulebook import Pack, load_rules
from ddbmig.engine.typed_yaml import read_model
from ddbmig.engine.waivers import read_waivers
from ddbmig.model.base import Value, canonical_json
from ddbmig.model.context import ProjectConfig
from ddbmig.model.errors import RuleError
from ddbmig.model.gate import GateReport
from ddbmig.model.scenario import Scenario
from ddbmig.packs import recommended
from ddbmig.reporters.gate.json_report import json_schema
from ddbmig.schemas import DIALECT, DOCUMENTS, attribute_docstrings, schema_text
from small_shop import ddbmig

CONFIG = """\
inputs: {schema_files: [schema.sql], queries: ["queries/*.sql"]}
context:
  lifecycle: growing
  owners: {orders: checkout}
  requirements: [{table: orders, p99_ms: 20}]
  growth_percent_per_month: 4
  analytics_required: false
workload: {represents: 1000000}
pricing: {region: us-east-1}
scope: {exclude: ["tmp_*"]}
tolerance: {statements_not_understood: 0.1}
extends: [ddbmig:recommended]
rules:
  DM003: {params: {joint_share: 0.8}}
  AP001: {severity: error, mandatory: true}
  PR001: {enabled: false}
gate: {fail_on: warning, new_only: true, baseline: known.json, waivers: accepted.yaml}
narrative: {by: anthropic, audience: executive, budget_usd: 0.5, price: {input: 2, output: 10}}
out: results
"""
PACK = """\
description: What our applications keep to.
rules:
  AP001: {severity: error, mandatory: true}
  DM003: {params: {joint_share: 0.8}}
"""
WAIVERS = """\
waivers:
  - rule: AP001
    object: "orders"
    reason: small until the archive moves out
    owner: checkout
    expires: "2027-03-31"
    accepted: {table.item_bytes_max: 500000}
    tolerance_percent: 10
"""
PRICES = """\
prices:
  - region: eu-west-1
    table_class: standard
    as_of: "2026-11-01"
    source: our contract
    confirmed: false
    read_per_million: "0.1"
    write_per_million: 0.5
"""
SCENARIO = """\
name: a sale
scale: 10
minutes: 30
shape: ramp
celebrity: {share: 0.2, table: books}
alternatives:
  - name: sharded
    shards: {books: 4}
    warm_throughput: {books: {reads: 80000, writes: 8000}}
  - name: cached
    cached_reads: {books: 0.5}
    auto_scaling: false
"""


FEW = Pack("ddbmig:few", tuple(file for file in recommended().files if re.search(r"AP001|DM003|PR001", file[0])))
"""The rules that the files above name."""


def load_config(text: str) -> None:
    load_rules([FEW], configure(text).settings)


def load_pack(text: str) -> None:
    load_rules([FEW, Pack("ours", (("ours/pack.yaml", text),))])


def load_prices(text: str) -> None:
    read_price_list("prices.yaml", text)


def load_scenario(text: str) -> None:
    read_model("sale.yaml", text, Scenario)


def load_waivers(text: str) -> None:
    read_waivers("waivers.yaml", text)


GOOD: dict[str, tuple[str, Callable[[str], None]]] = {
    "config": (CONFIG, load_config), "pack": (PACK, load_pack), "waivers": (WAIVERS, load_waivers),
    "prices": (PRICES, load_prices), "scenario": (SCENARIO, load_scenario),
}  # fmt: skip
MISTAKES = [
    ("config", "context:", "contexts:"),
    ("config", "lifecycle: growing", "lifecycle: old"),
    ("config", "lifecycle: growing", "life: growing"),
    ("config", "[schema.sql]", "schema.sql"),
    ("config", "{orders: checkout}", "[orders]"),
    ("config", "{table: orders, p99_ms: 20}", "{table: orders}"),
    ("config", "p99_ms: 20", "p99_ms: fast"),
    ("config", "p99_ms: 20", 'p99_ms: "20"'),
    ("config", "new_only: true", "new_only: 1"),
    ("config", "analytics_required: false", "analytics_required: [a]"),
    ("config", "represents: 1000000", "represents: sometimes"),
    ("config", "represents: 1000000", "represents: 0"),
    ("config", "statements_not_understood: 0.1", "statements_not_understood: 1.5"),
    ("config", "DM003:", "dm003:"),
    ("config", "joint_share: 0.8", "joint_share: true"),
    ("config", "severity: error", "severity: fatal"),
    ("config", "mandatory: true", "mandatory: false"),
    ("config", "enabled: false", 'enabled: "false"'),
    ("config", "enabled: false", "enabeld: false"),
    ("config", "fail_on: warning", "fail_on: info"),
    ("config", "out: results", "out: [results]"),
    ("pack", "description: ", "descriptions: "),
    ("pack", "mandatory: true", 'mandatory: "yes"'),
    ("pack", "DM003:", "DM3:"),
    ("pack", "params: {joint_share: 0.8}", "params: [joint_share]"),
    ("waivers", "rule: AP001", "rules: AP001"),
    ("waivers", "    owner: checkout\n", ""),
    ("waivers", "owner: checkout", 'owner: " "'),
    ("waivers", '"2027-03-31"', '"31.03.2027"'),
    ("waivers", "table.item_bytes_max:", "table.item_byte_max:"),
    ("waivers", "500000", "{bytes: 500000}"),
    ("waivers", "tolerance_percent: 10", "tolerance_percent: -1"),
    ("waivers", "waivers:", "waiver:"),
    ("config", "region: us-east-1", "region: us-east-1, mode: on demand"),
    ("config", "region: us-east-1", "region: us-east-1, table_class: ia"),
    ("config", "region: us-east-1", "region: us-east-1, target_utilisation: 0"),
    ("config", "region: us-east-1", "region: us-east-1, month_hours: 744"),
    ("config", "region: us-east-1", "region: us-east-1, gigabyte: 2^20"),
    ("config", "region: us-east-1", "region: us-east-1, file: [a.yaml]"),
    ("prices", "prices:", "price:"),
    ("prices", "table_class: standard", "table_class: rare"),
    ("prices", "    source: our contract\n", ""),
    ("prices", "source: our contract", 'source: ""'),
    ("prices", '"2026-11-01"', '"1 November"'),
    ("prices", "confirmed: false", "confirmed: 1"),
    ("prices", '"0.1"', '"0.1 USD"'),
    ("prices", "0.5", "0"),
    ("prices", "0.5", "-0.5"),
    ("prices", "read_per_million", "read_per_milion"),
    ("prices", '    read_per_million: "0.1"\n    write_per_million: 0.5\n', ""),
    ("scenario", "name: a sale\n", ""),
    ("scenario", "scale: 10", "scale: 0"),
    ("scenario", "scale: 10", "scale: ten"),
    ("scenario", "minutes: 30", "minutes: 1.5"),
    ("scenario", "minutes: 30", "minutes: 100000"),
    ("scenario", "shape: ramp", "shape: steep"),
    ("scenario", "shape: ramp", "shapes: ramp"),
    ("scenario", "share: 0.2", "share: 1"),
    ("scenario", "books: 4", "books: 1"),
    ("scenario", "writes: 8000", "writes: 0"),
    ("scenario", "books: 0.5", "books: half"),
    ("scenario", "auto_scaling: false", 'auto_scaling: "no"'),
    ("scenario", "name: cached", 'name: ""'),
]


def schema(document: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schema_text(document))
    return found


VALIDATORS = {document: Draft202012Validator(schema(document)) for document in GOOD}


def verdicts(document: str, text: str) -> tuple[bool, bool]:
    """Whether the schema and the loader take a file."""
    valid = VALIDATORS[document].is_valid(yaml.safe_load(text))
    try:
        GOOD[document][1](text)
    except RuleError:
        return valid, False
    return valid, True


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_schema_is_canonical_and_speaks_for_itself(document: str) -> None:
    text, found = schema_text(document), schema(document)
    Draft202012Validator.check_schema(found)
    assert canonical_json(found).decode() == text
    assert found["$schema"] == DIALECT
    assert found["title"]
    assert found["description"]
    assert "://" not in text.replace(DIALECT, "")


@pytest.mark.parametrize("document", ["rule", "config", "pack", "waivers", "prices", "scenario"])
def test_no_key_is_open_to_anything(document: str) -> None:
    shapes = [schema(document), *schema(document)["$defs"].values()]
    objects = [shape for shape in shapes if "properties" in shape]
    assert objects
    assert all(shape["additionalProperties"] is False for shape in objects)
    assert '"null"' not in schema_text(document)


def test_a_field_is_described_by_the_docstring_below_it() -> None:
    gate = schema("config")["$defs"]["Gate"]["properties"]
    assert gate["fail_on"]["description"] == "The lightest severity that fails the gate."
    assert schema("config")["properties"]["extends"]["description"].startswith("Rule packs, later ones over earlier")
    assert schema("waivers")["$defs"]["Waiver"]["properties"]["expires"]["description"] == "The last day, `2027-03-31`."
    assert schema("check")["properties"]["version"]["description"] == "Of ddbmig."
    price = schema("prices")["$defs"]["PriceEntry"]["properties"]["import_gb"]
    assert price["description"] == "A GB imported from S3, uncompressed."


def test_that_of_the_gate_demands_what_its_reporter_writes() -> None:
    def bare(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: bare(value) for key, value in data.items() if key not in ("title", "description", "$schema")}
        return [bare(item) for item in data] if isinstance(data, list) else data

    assert bare(schema("check")) == json.loads(canonical_json(bare(json_schema())))


class Example(Value):
    """A value."""

    first: int = 0
    """One
    sentence."""
    second: int = 0
    third: tuple[str, ...] = ()
    """Another."""


def test_docstrings_are_those_of_the_line_above() -> None:
    assert attribute_docstrings(Example) == {"first": "One sentence.", "third": "Another."}
    assert "fail_on" in attribute_docstrings(GateReport)


# --- schema and loader ---


@pytest.mark.parametrize("document", GOOD)
def test_a_good_file_validates(document: str) -> None:
    assert verdicts(document, GOOD[document][0]) == (True, True)


def test_the_good_project_file_says_something_of_every_part() -> None:
    assert set(configure(CONFIG).config.model_dump(exclude_unset=True)) == set(ProjectConfig.model_fields)


@pytest.mark.parametrize(("document", "old", "new"), MISTAKES)
def test_both_refuse_a_mistake(document: str, old: str, new: str) -> None:
    good, _ = GOOD[document]
    assert old in good
    assert verdicts(document, good.replace(old, new, 1)) == (False, False)


PATHS = [
    ("inputs",), ("inputs", "schema_files"), ("context", "lifecycle"), ("context", "owners"),
    ("context", "requirements"), ("context", "growth_percent_per_month"), ("workload", "represents"), ("scope",),
    ("tolerance", "statements_not_understood"), ("extends",), ("rules",), ("rules", "DM003"),
    ("rules", "DM003", "params"), ("rules", "AP001", "severity"), ("rules", "PR001", "enabled"), ("gate", "fail_on"),
    ("gate", "baseline"), ("out",),
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(["error", "warning", "average", "early", "a word", "*"]), st.booleans(), st.integers(2, 9),
    st.just(0.5), st.just([]), st.just({}), st.just(["a word"]), st.just([2]), st.just({"key": "a word"}),
)  # fmt: skip


@given(st.sampled_from(PATHS), VALUES)
def test_what_the_schema_of_the_project_file_refuses_the_loader_refuses(path: tuple[str, ...], value: Any) -> None:
    data = inside = yaml.safe_load(CONFIG)
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    by_schema, by_loader = verdicts("config", json.dumps(data))
    assert by_schema or not by_loader


# --- the commands ---


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_command_prints_it(document: str) -> None:
    words = {"config": ["config", "schema"], "prices": ["config", "schema", "prices"],
             "scenario": ["config", "schema", "scenario"], "plans": ["config", "schema", "plans"]}  # fmt: skip
    done = ddbmig(*words.get(document, ["rules", "schema", document]))
    assert (done.code, done.out, done.err) == (0, schema_text(document), "")


def test_the_rule_is_what_is_printed_by_default() -> None:
    assert ddbmig("rules", "schema").out == schema_text("rule")
    assert schema("rule") == {"$schema": DIALECT, **json.loads(canonical_json(rule_schema()))}


def test_the_models_do_not_read_their_source_when_they_are_imported() -> None:
    assert ProjectConfig.model_fields["extends"].description is None
