"""The calls of plans.json are ones that DynamoDB takes: each is made as it is written, against DynamoDB Local."""

import copy
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator
from shop import shop, shop_rows

from ddbmig.analyzers.snapshot import Sources, build_snapshot, with_names
from ddbmig.config import configure
from ddbmig.engine.assess import assess_workload
from ddbmig.engine.choice import propose
from ddbmig.engine.contract import contract_of
from ddbmig.engine.rulebook import load_rules
from ddbmig.loaders.endpoint import create_table, write_items
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.assessment import Assessment
from ddbmig.model.design import Alternative
from ddbmig.model.encodings import Cell
from ddbmig.model.snapshot import Snapshot
from ddbmig.packs import recommended
from ddbmig.reporters.plans_file import plan_entries, plans_schema
from ddbmig.validators.engines import Engine
from design_builder import PRICES, design_world
from plan_runner import Fields, Runner, calls_of

pytestmark = pytest.mark.engine
SHOP = shop()
DESIGN = design_world(SHOP)
ALTERNATIVES = [alternative.id for alternative in DESIGN.alternatives]
CONDITIONS = ("ConditionalCheckFailedException", "TransactionCanceledException")
"""What DynamoDB answers to a call that it understood."""
EXPRESSIONS = {"KeyConditionExpression", "FilterExpression", "ProjectionExpression", "ConditionExpression",
               "UpdateExpression"}  # fmt: skip


def entries_of(snapshot: Snapshot, alternative: Alternative) -> list[Fields]:
    rates = Assessment.model_construct(patterns=())
    return [entry for _, entry in plan_entries(snapshot, rates, alternative, {})]


Rows = Mapping[str, list[dict[str, Cell]]]


def rows_of(snapshot: Snapshot, data: Iterable[tuple[str, Sequence[Cell]]]) -> Rows:
    """The source rows by table, each by column."""
    found: dict[str, list[dict[str, Cell]]] = {table.id: [] for table in snapshot.tables.tables}
    for table_id, cells in data:
        columns = snapshot.tables.table(table_id).columns
        found[table_id].append({column.name: cell for column, cell in zip(columns, cells, strict=True)})
    return found


@contextmanager
def loaded(snapshot: Snapshot, alternative: Alternative, rows: Rows, engine: Engine) -> Iterator[Callable[[str], str]]:
    """The tables of an alternative with some items each; gives what they are called."""
    prefix = f"written-{uuid.uuid4().hex[:8]}-"
    entries = {entry.table: entry for entry in contract_of(alternative, {}).root if entry.type == "Table"}
    for table in alternative.tables:
        builder = ItemBuilder(entries[table.name], snapshot.tables)
        create_table(engine.client, table, prefix + table.name)
        few = [row for row in rows[table.source_table][:40] if builder.applies(row)]
        items = [builder.item(row, lambda table_id, columns, values: rows[table_id][0]) for row in few]
        distinct = {tuple(item[key] for key in table.keys): item for item in items}
        write_items(engine.client, prefix + table.name, distinct.values(), lambda _: None)
    try:
        yield lambda name: prefix + name
    finally:
        for table in alternative.tables:
            engine.client.delete_table(TableName=prefix + table.name)


def make_all(runner: Runner) -> tuple[list[str], int]:
    """What DynamoDB refuses of the calls of an entry, and how many of its reads found something."""
    refused, found = [], 0
    for call in calls_of(runner.entry["ddb_query_plan"]):
        try:
            found += bool(runner.make(call))
        except ClientError as error:
            if error.response["Error"]["Code"] not in CONDITIONS:
                refused.append(f"{call}: {error.response['Error']['Message']}")
    return refused, found


def check_all(snapshot: Snapshot, alternative: Alternative, rows: Rows, engine: Engine) -> int:
    """Make every call of an alternative; how many of the reads found something."""
    entries = [one for one in entries_of(snapshot, alternative) if "routed" not in one]
    entries.sort(key=lambda entry: entry["kind"] == "delete")
    rates = {"represents": "average", "source": "assumed"}
    file = {"schema_version": 1, "alternative": alternative.id, "rates": rates, "plans": entries}
    Draft202012Validator(plans_schema()).validate(file)
    some, others = ({table: found[n % len(found)] for table, found in rows.items() if found} for n in (3, 5))
    found = 0
    with loaded(snapshot, alternative, rows, engine) as rename:
        for entry in entries:
            refused, hits = make_all(Runner(engine.client, entry, snapshot.tables, some, others, rename))
            assert refused == [], entry["sql"]
            found += hits
    return found


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_every_call_is_one_that_dynamodb_takes(name: str, dynamodb_local: Engine) -> None:
    found = check_all(SHOP, DESIGN.alternative(name), rows_of(SHOP, shop_rows()), dynamodb_local)
    assert found > len(SHOP.patterns) / 3


@pytest.mark.slow
def test_every_call_of_the_bookshop_too(repository: Path, tmp_path: Path, dynamodb_local: Engine) -> None:
    folder, names = repository / "examples" / "bookshop", ("schema_files", "slow_logs", "general_logs", "data")
    config = configure((folder / "ddbmig.yaml").read_text()).config
    given = {role: tuple(folder / name for name in getattr(config.inputs, role)) for role in names}
    sources = Sources(**with_names(given), hash_key=b"a test")
    snapshot = build_snapshot(sources, config)
    design = propose(snapshot, assess_workload(snapshot, load_rules([recommended()])), PRICES, lambda _: (), {}, None)
    data = sources.data_rows(snapshot.tables)
    assert data is not None
    found = check_all(snapshot, design.alternative(design.chosen), rows_of(snapshot, data), dynamodb_local)
    assert found > len(snapshot.patterns) / 3


# --- what it would notice ---


def _names_as_they_are(fields: Fields) -> None:
    """Reserved words and odd names without `#`."""
    for name in EXPRESSIONS & fields.keys():
        fields[name] = re.sub(r"#\w+", lambda found: fields["ExpressionAttributeNames"][found[0]], fields[name])
    del fields["ExpressionAttributeNames"]


def _a_value_is_missing(fields: Fields) -> None:
    fields["ExpressionAttributeValues"].popitem()


def _a_name_is_not_used(fields: Fields) -> None:
    fields["ExpressionAttributeNames"]["#nowhere"] = "nowhere"


def _not_a_key(fields: Fields) -> None:
    fields["KeyConditionExpression"] = re.sub(r"[#\w]+ =", "nowhere =", fields["KeyConditionExpression"], count=1)


def _old_placeholders(fields: Fields) -> None:
    fields["KeyConditionExpression"] = fields["KeyConditionExpression"].replace(":", "$")


def _no_set(fields: Fields) -> None:
    fields["UpdateExpression"] = fields["UpdateExpression"].removeprefix("SET ").removeprefix("REMOVE ")


def _another_index(fields: Fields) -> None:
    fields["Index"] += "_2"


def _a_key_in_sql(fields: Fields) -> None:
    key = next(iter(fields["Key"]))
    fields["Key"][f"{key} = "] = fields["Key"].pop(key)


def _a_misspelt_function(fields: Fields) -> None:
    fields["ConditionExpression"] = fields["ConditionExpression"].replace("_exists", "_exist")


def _a_twice_named_attribute(fields: Fields) -> None:
    fields["ProjectionExpression"] += ", " + fields["ProjectionExpression"].split(", ")[0]


@pytest.mark.parametrize(
    ("mutate", "needs"),
    [
        (_names_as_they_are, "ExpressionAttributeNames"),
        (_a_value_is_missing, "ExpressionAttributeValues"),
        (_a_name_is_not_used, "ExpressionAttributeNames"),
        (_not_a_key, "KeyConditionExpression"),
        (_old_placeholders, "KeyConditionExpression"),
        (_no_set, "UpdateExpression"),
        (_another_index, "Index"),
        (_a_key_in_sql, "Key"),
        (_a_misspelt_function, "ConditionExpression"),
        (_a_twice_named_attribute, "ProjectionExpression"),
    ],
)
def test_a_change_of_any_such_expression_is_noticed(
    mutate: Callable[[Fields], None], needs: str, tables: Callable[[str], str], dynamodb_local: Engine
) -> None:
    tried, unnoticed = 0, []
    for entry in entries_of(SHOP, DESIGN.alternative(DESIGN.chosen)):
        for call in calls_of(copy.deepcopy(entry.get("ddb_query_plan", {"Steps": []}))):
            for fields in _bodies(call):
                if needs not in fields or fields.get("If", "").startswith("its key changes"):  # not made here
                    continue
                mutate(fields)
                tried += 1
                one = {"rows": entry["rows"], "placeholders": entry["placeholders"], "ddb_query_plan": call}
                refused, _ = make_all(Runner(dynamodb_local.client, one, SHOP.tables, {}, {}, tables))
                unnoticed += [] if refused else [call]
                break
    assert tried
    assert unnoticed == []


def _bodies(call: Fields) -> list[Fields]:
    """The fields of a call, or of each write in a transaction."""
    ((_, fields),) = call.items()
    return [body for one in fields for body in one.values()] if isinstance(fields, list) else [fields]


@pytest.fixture(scope="module")
def tables(dynamodb_local: Engine) -> Iterator[Callable[[str], str]]:
    with loaded(SHOP, DESIGN.alternative(DESIGN.chosen), rows_of(SHOP, shop_rows()), dynamodb_local) as rename:
        yield rename
