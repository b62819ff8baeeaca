"""The files for AWS's MCP server: its own code takes them, and DynamoDB Local runs every command."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from export_material import MATERIAL, PROVISIONED

from ddbmig.model.plan import ReadCall
from ddbmig.reporters.exports.material import Material
from ddbmig.reporters.exports.mcp import command, example, mcp
from ddbmig.reporters.exports.mcp_schema import mcp_schema
from ddbmig.validators.engines import Engine
from hand_made import CHOSEN, SELECT_PLAN
from pip_packages import installed

WHEELS = {
    "awslabs-dynamodb-mcp-server==2.1.8": "b640a57df2b689ad6c085168a62702abe184c57f954fc3a05b3d2914ffe5e1f7",
    "loguru==0.7.3": "31a33c10c8e1e10422bfd431aeb5d351c7cf7fa671e3c4df004162264b28220c",
}
PARSER = """\
import json, sys
from awslabs.dynamodb_mcp_server.cdk_generator.models import DataModel
model = DataModel.from_json(json.load(open(sys.argv[1], encoding="utf-8")))
print(json.dumps([[t.table_name, [g.index_name for g in t.global_secondary_indexes]] for t in model.tables]))
"""


@pytest.fixture(scope="module")
def server() -> Path:
    return installed(WHEELS, "awslabs-dynamodb-mcp-server-2.1.8")


def run(server: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A piece of the server's code, in a process of its own."""
    env = os.environ | {"PYTHONPATH": str(server), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, timeout=60, check=False)


assert isinstance(SELECT_PLAN.steps[0], ReadCall)
_QUERY = SELECT_PLAN.steps[0].model_copy(update={"key": SELECT_PLAN.steps[0].key[:2]})
_PLAN = SELECT_PLAN.model_copy(update={"steps": (_QUERY, *SELECT_PLAN.steps[1:])})
RUNNABLE = replace(MATERIAL, alternative=CHOSEN.model_copy(update={"plans": (_PLAN, *CHOSEN.plans[1:])}))
"""Without the range that holds one parameter against attributes of two types."""


def model(material: Material = MATERIAL) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(mcp(material))
    return found


@pytest.mark.parametrize("material", [MATERIAL, PROVISIONED], ids=["on demand", "provisioned"])
def test_the_parser_of_the_server_takes_it(server: Path, tmp_path: Path, material: Material) -> None:
    file = tmp_path / "dynamodb_data_model.json"
    file.write_text(mcp(material), "utf-8")
    done = run(server, "-c", PARSER, file)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [
        ["authors", []], ["books", ["books_by_author", "books_by_all"]], ["books_isbn_unique", []],
    ]  # fmt: skip


def test_the_parser_would_refuse_something(server: Path, tmp_path: Path) -> None:
    file = tmp_path / "dynamodb_data_model.json"
    file.write_text(mcp(MATERIAL).replace('"AttributeType": "N"', '"AttributeType": "NUMBER"'), "utf-8")
    assert "AttributeType must be" in run(server, "-c", PARSER, file).stderr


def test_the_keys_are_those_that_the_server_wants() -> None:
    assert {"tables", "items", "access_patterns"} <= model().keys()
    assert model()["ddbmig"] == {"alternative": "rules", "approval": "a" * 64, "contract": "c" * 64}
    assert model(replace(MATERIAL, origin=replace(MATERIAL.origin, approval=None)))["ddbmig"]["approval"] == (
        "none, a draft"
    )


def test_every_call_is_an_access_pattern_and_a_routed_one_has_its_reason() -> None:
    shown = [(one["pattern"], one.get("dynamodb_operation")) for one in model()["access_patterns"]]
    assert shown == [("Qaa-1", "Query"), ("Qaa-2", "BatchGetItem"), ("Qbb-1", "GetItem"),
                     ("Qbb-2", "TransactWriteItems"), ("Qcc", "UpdateItem"), ("Qdd", None)]  # fmt: skip
    assert model()["access_patterns"][-1]["reason"] == "full-text search"


def request(implementation: str) -> tuple[str, dict[str, Any]]:
    """The method of boto3 and its parameters that a command of the AWS CLI stands for."""
    aws, service, operation, *options = shlex.split(implementation)
    assert (aws, service) == ("aws", "dynamodb")
    api = botocore.session.get_session().get_service_model("dynamodb")
    (name,) = (one for one in api.operation_names if xform_name(one, "-") == operation)
    shape = api.operation_model(name).input_shape
    assert shape is not None
    members = {xform_name(one, "-"): one for one in shape.members}
    found = dict[str, Any]()
    while options:
        option = options.pop(0).removeprefix("--")
        if option.startswith("no-") and option.removeprefix("no-") in members:
            found[members[option.removeprefix("no-")]] = False
        elif not options or options[0].startswith("--"):
            found[members[option]] = True
        else:
            text = options.pop(0)
            kind = shape.members[members[option]].type_name
            found[members[option]] = text if kind == "string" else json.loads(text)
    return xform_name(name), found


@pytest.mark.engine
def test_dynamodb_local_runs_every_command(dynamodb_local: Engine) -> None:
    client = dynamodb_local.client
    text = mcp(RUNNABLE)
    for name in ("authors", "books_isbn_unique", "books"):
        text = text.replace(f'"{name}"', f'"mcp_{name}"').replace(f"--table-name {name} ", f"--table-name mcp_{name} ")
        text = text.replace(f'\\"{name}\\"', f'\\"mcp_{name}\\"')
    found = json.loads(text)
    try:
        for table in found["tables"]:
            client.create_table(**table)
        for table, items in found["items"].items():
            client.batch_write_item(RequestItems={table: items})
        answers = dict[str, Any]()
        for one in found["access_patterns"]:
            if "implementation" in one:
                method, parameters = request(one["implementation"])
                answers[one["pattern"]] = getattr(client, method)(**parameters)
        assert answers["Qaa-1"]["Count"] == 1
        assert len(answers["Qaa-2"]["Responses"]["mcp_books"]) == 1
    finally:
        for table in found["tables"]:
            client.delete_table(TableName=table["TableName"])


def test_a_command_is_one_of_the_shell_whatever_the_names_are() -> None:
    key = {"it's; rm -rf $(x) | `y` && z": example("S", 1)}
    shown = command("GetItem", {"TableName": "t", "Key": key, "ConsistentRead": True})
    assert request(shown) == ("get_item", {"TableName": "t", "Key": key, "ConsistentRead": True})
    assert "\n" not in shown


GENERATOR = ("-m", "awslabs.dynamodb_mcp_server.repo_generation_tool.codegen", "--no-lint")


def test_the_code_generator_of_the_server_takes_the_schema(server: Path, tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text(mcp_schema(MATERIAL), "utf-8")
    done = run(server, *GENERATOR, "--schema", file, "--validate-only")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation completed successfully" in done.stdout
    file.write_text(mcp_schema(MATERIAL).replace('"string"', '"text"'), "utf-8")
    assert run(server, *GENERATOR, "--schema", file, "--validate-only").returncode == 1


def test_what_can_be_no_name_in_python_is_left_out_of_the_schema() -> None:
    found = json.loads(mcp_schema(MATERIAL))
    assert found["ddbmig"]["left_out"] == [
        "authors: na`me", "books/books_by_author", "books: kind key#", "books: author_na`me",
    ]  # fmt: skip
    assert [table["table_config"]["table_name"] for table in found["tables"]] == [
        "authors", "books", "books_isbn_unique",
    ]  # fmt: skip
