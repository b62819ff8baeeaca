"""Tables and GSIs of a contract are those that the loader creates and the validation ran on."""

from typing import Any

import pytest
from export_material import MATERIAL

from ddbmig.loaders.endpoint import create_table
from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry, ContractGsi
from ddbmig.reporters.exports.structures import Gsi, Table, tables_of
from hand_made import TABLES


class Asked:
    """In place of a client: keeps what would be created."""

    def create_table(self, **request: Any) -> None:
        self.request = request

    def get_waiter(self, _name: str) -> "Asked":
        return self

    def wait(self, **_: Any) -> None:
        return


def created(table: Any) -> dict[str, Any]:
    """What the loader asks DynamoDB for."""
    asked = Asked()
    create_table(asked, table, table.name)  # type: ignore[arg-type]  # only what the loader calls
    return asked.request


@pytest.mark.parametrize("number", range(len(TABLES)), ids=[table.name for table in TABLES])
def test_they_are_those_of_the_design(number: int) -> None:
    design, found = TABLES[number], tables_of(MATERIAL.contract)[number]
    request = created(design)
    assert found.name == request["TableName"]
    assert [{"AttributeName": n, "AttributeType": t} for n, t in found.types.items()] == request["AttributeDefinitions"]
    assert [key["AttributeName"] for key in request["KeySchema"]] == list(found.keys)
    for gsi, index in zip(found.gsis, request.get("GlobalSecondaryIndexes", []), strict=True):
        keys = [("HASH", name) for name in gsi.partition] + [("RANGE", name) for name in gsi.sort]
        assert gsi.name == index["IndexName"]
        assert keys == [(key["KeyType"], key["AttributeName"]) for key in index["KeySchema"]]
        assert gsi.projection == index["Projection"]["ProjectionType"]
        assert list(gsi.projected) == index["Projection"].get("NonKeyAttributes", [])


def test_entries_of_one_table_are_one_and_a_gsi_without_an_entry_projects_all() -> None:
    def entry(source: str, gsis: tuple[ContractGsi, ...] | None) -> ContractEntry:
        return ContractEntry(
            table="shop", type="Table", source_table=source, pk="pk", sk="sk", gsis=gsis, estimated_item_size_bytes=1,
            attributes={
                name: ContractAttribute.model_validate({"type": kind, "source_table": source, "source_column": "id"})
                for name, kind in (("pk", "S"), ("sk", "N"), ("at", "B"), ("other", "S"))
            },
        )  # fmt: skip

    gsi = ContractGsi(name="by_at", pk="at")
    found = tables_of(Contract((entry("orders", None), entry("lines", (gsi,)))))
    assert found == (Table("shop", "pk", "sk", {"at": "B", "pk": "S", "sk": "N"}, (Gsi("by_at", ("at",), (), "ALL"),)),)
