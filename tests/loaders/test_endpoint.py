"""Items into an endpoint: what DynamoDB refuses is counted with its reason, and stops nothing else."""

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from ddbmig.loaders.endpoint import count_items, create_table, write_items
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.errors import UsageError
from ddbmig.validators.engines import Engine

TEXT = ContractAttribute(type="S", source_table="t", source_column="k")
TABLE = TableDesign(
    name="notes",
    source_table="notes",
    role="entity",
    pk="k",
    attributes={"k": TEXT, "g": TEXT},
    indexes=(IndexDesign(name="notes_by_g", partition=("g",), projection="ALL", entries=1, entry_bytes=10),),
    items=1,
    item_bytes=10,
)


def test_refused_items_are_counted_and_the_others_written(dynamodb_local: Engine) -> None:
    client = dynamodb_local.client
    refused: list[str] = []
    create_table(client, TABLE, TABLE.name)
    good = [{"k": str(number), "g": "x"} for number in range(60)]
    bad = [{"k": "empty", "g": ""}, {"k": "large", "g": "x", "v": "y" * 500_000}, {"k": "long" * 600, "g": "x"}]
    assert write_items(client, TABLE.name, [*good[:30], *bad, *good[30:]], refused.append) == 60
    assert count_items(client, TABLE.name) == 60
    assert refused == [
        "a key of the table or of an index would be empty",
        "the item is over 400 KB",
        "DynamoDB refuses the item as invalid",
    ]
    client.delete_table(TableName=TABLE.name)


WIDE = IndexDesign(name="loans_by_branch_and_state_then_due_and_lent", partition=("branch", "state"),
                   sort=("due", "lent"), projection="KEYS_ONLY", entries=1, entry_bytes=10)  # fmt: skip
LOANS = TABLE.model_copy(
    update={"name": "loans", "attributes": dict.fromkeys(("k", *WIDE.keys), TEXT), "indexes": (WIDE,)}
)


def test_a_key_of_several_attributes_is_asked_from_the_left(dynamodb_local: Engine) -> None:
    client = dynamodb_local.client
    create_table(client, LOANS, LOANS.name)
    loans = [("1", "a", "x", "01", "07"), ("2", "a", "x", "01", "05"), ("3", "a", "x", "02", "01"),
             ("4", "a", "y", "01", "06"), ("5", "b", "x", "01", "06")]  # fmt: skip
    items = [dict(zip(("k", *WIDE.keys), loan, strict=True)) for loan in loans]
    without = {"k": "6", "branch": "a", "state": "x", "due": "01"}
    assert write_items(client, LOANS.name, [*items, without], pytest.fail) == 6

    def asked(*conditions: str) -> list[str]:
        parts = [condition.split() for condition in conditions]
        answer = client.query(
            TableName=LOANS.name, IndexName=WIDE.name,
            KeyConditionExpression=" AND ".join(f"#n{n} {op} :v{n}" for n, (_, op, _) in enumerate(parts)),
            ExpressionAttributeNames={f"#n{n}": name for n, (name, _, _) in enumerate(parts)},
            ExpressionAttributeValues={f":v{n}": {"S": value} for n, (_, _, value) in enumerate(parts)},
        )  # fmt: skip
        return [item["k"]["S"] for item in answer["Items"]]

    whole = ("branch = a", "state = x")
    assert asked(*whole) == ["2", "1", "3"]  # in the order of due, then lent; 6 has no lent
    assert asked(*whole, "due = 01", "lent < 07") == ["2"]
    assert asked(*whole, "due < 02") == ["2", "1"]
    for refused in (whole[:1], (*whole, "lent = 07"), (*whole, "due < 02", "lent = 07")):
        with pytest.raises(ClientError, match="ValidationException"):
            asked(*refused)
    client.delete_table(TableName=LOANS.name)


def test_an_endpoint_too_old_for_such_a_key_is_named(dynamodb_local: Engine) -> None:
    with Stubber(dynamodb_local.client) as old:
        old.add_client_error("create_table", "ValidationException", "Too many KeySchema elements")
        with pytest.raises(UsageError, match=r"several attributes \(GSI loans_by_branch.*3\.3\.0"):
            create_table(dynamodb_local.client, LOANS, LOANS.name)
        old.add_client_error("create_table", "ValidationException", "One or more parameter values were invalid")
        with pytest.raises(ClientError):
            create_table(dynamodb_local.client, TABLE, TABLE.name)
