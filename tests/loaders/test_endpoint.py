"""Items into an endpoint: what DynamoDB refuses is counted with its reason, and stops nothing else."""

from ddbmig.loaders.endpoint import count_items, create_table, write_items
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import IndexDesign, TableDesign
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
