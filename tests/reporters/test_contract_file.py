"""The bytes of the contract, and the schema that says what a contract is."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, get_args

import jsonschema
import pytest

from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry, ContractGsi, Enforces, JoinColumns
from ddbmig.model.contract import Encoding as EncodingName
from ddbmig.reporters.contract_file import contract_bytes, contract_schema
from hand_made import TABLES

VALIDATOR = jsonschema.Draft202012Validator(contract_schema())
ENTRY = ContractEntry(
    table="Books", type="Table", source_table="books", pk="id", sk="year",
    gsis=(ContractGsi(name="books_by_year", pk="year", sk="id"),),
    attributes={
        "year": ContractAttribute(type="N", source_table="books", source_column="year"),
        "id": ContractAttribute(type="S", source_table="books", source_column="id", template="{year}#{id}"),
        "author": ContractAttribute(
            type="S", source_table="authors", source_column="name", denormalized=True, justification="one look-up less",
            join=JoinColumns(local_column="author_id", source_column="id"),
        ),
    },
    satisfies=("select books by id",), estimated_item_size_bytes=100,
)  # fmt: skip
GSI = ContractEntry(
    table="books_by_year", type="GSI", source_table="books", pk="year", base_table="Books", projection="INCLUDE",
    projected_attributes=("author",), attributes={"year": ENTRY.attributes["year"]}, estimated_item_size_bytes=20,
)  # fmt: skip
LOOKUP = ContractEntry(
    table="books_isbn_unique", type="Table", source_table="books", pk="isbn", filter="`isbn` IS NOT NULL",
    enforces=Enforces(table="books", unique_key="isbn"), estimated_item_size_bytes=20,
    attributes={"isbn": ContractAttribute(type="S", source_table="books", source_column="isbn", encoding="string")},
)  # fmt: skip


def data() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(contract_bytes(Contract((ENTRY, GSI, LOOKUP))))
    return entries


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(contract_schema())


def test_keys_stand_in_the_guides_order_and_empty_ones_are_left_out() -> None:
    entry = data()[0]
    assert list(entry) == [
        "table", "type", "source_table", "pk", "sk", "gsis", "attributes", "satisfies", "estimated_item_size_bytes",
    ]  # fmt: skip
    assert entry["gsis"] == [{"name": "books_by_year", "pk": "year", "sk": "id"}]
    assert list(entry["attributes"]) == ["author", "id", "year"]
    assert entry["attributes"]["author"] == {
        "type": "S", "source_table": "authors", "source_column": "name", "denormalized": True,
        "justification": "one look-up less", "join": {"local_column": "author_id", "source_column": "id"},
    }  # fmt: skip
    assert "sk" not in data()[2]


def test_the_same_contract_has_the_same_bytes_whatever_order_it_was_made_in() -> None:
    turned = ENTRY.model_copy(
        update={"attributes": {name: ENTRY.attributes[name] for name in reversed(list(ENTRY.attributes))}}
    )
    assert contract_bytes(Contract((turned,))) == contract_bytes(Contract((ENTRY,)))
    assert contract_bytes(Contract(())) == b"[]\n"


def test_what_we_write_is_a_contract() -> None:
    VALIDATOR.validate(data())
    for table in TABLES:
        VALIDATOR.validate(json.loads(contract_bytes(Contract((ENTRY.model_copy(update={
            "attributes": table.attributes, "pk": table.pk, "gsis": None}),)))))  # fmt: skip


@pytest.mark.parametrize("entry", [0, 1])
def test_a_key_of_several_attributes_is_listed_beside_its_first(entry: int) -> None:
    lists = {"sk": "id", "pk_attributes": ["year", "kind"], "sk_attributes": ["id", "nr", "page", "line"]}
    found = data()
    (found[0]["gsis"][0] if entry == 0 else found[1]).update(lists)
    VALIDATOR.validate(found)
    for wrong in ({"pk_attributes": ["year"]}, {"sk_attributes": ["id", "a", "b", "c", "d"]}, {"sk_attributes": "id"}):
        broken = deepcopy(found)
        (broken[0]["gsis"][0] if entry == 0 else broken[1]).update(wrong)
        assert not VALIDATOR.is_valid(broken)
    assert not VALIDATOR.is_valid([found[0] | {"pk_attributes": ["year", "kind"]}, *found[1:]])  # a table has one


def test_the_encodings_are_those_of_the_model() -> None:
    listed = contract_schema()["$defs"]["attribute"]["properties"]["encoding"]["enum"]
    assert listed == list(get_args(EncodingName))


def _drop(index: int, *path: str) -> Callable[[list[dict[str, Any]]], None]:
    def change(entries: list[dict[str, Any]]) -> None:
        found: Any = entries[index]
        for key in path[:-1]:
            found = found[key]
        del found[path[-1]]

    return change


def _put(index: int, value: object, *path: str) -> Callable[[list[dict[str, Any]]], None]:
    def change(entries: list[dict[str, Any]]) -> None:
        found: Any = entries[index]
        for key in path[:-1]:
            found = found[key]
        found[path[-1]] = value

    return change


AUTHOR = ("attributes", "author")
BAD = {
    "no justification": _drop(0, *AUTHOR, "justification"),
    "empty justification": _put(0, "", *AUTHOR, "justification"),
    "no join": _drop(0, *AUTHOR, "join"),
    "a join without a column": _drop(0, *AUTHOR, "join", "local_column"),
    "a hop without its table": _put(0, [{"local_column": "a", "source_column": "b"}], *AUTHOR, "join"),
    "no source column": _drop(0, "attributes", "id", "source_column"),
    "source_table is null": _put(0, None, "source_table"),
    "unknown type": _put(0, "X", "attributes", "id", "type"),
    "unknown encoding": _put(0, "rot13", "attributes", "id", "encoding"),
    "template and value": _put(0, "x", "attributes", "id", "value"),
    "a template of no column": _put(0, "#", "attributes", "id", "template"),
    "unknown key in an attribute": _put(0, 1, "attributes", "id", "note"),
    "unknown key in an entry": _put(0, 1, "note"),
    "unknown kind of entry": _put(0, "View", "type"),
    "a size below zero": _put(0, -1, "estimated_item_size_bytes"),
    "no size": _drop(0, "estimated_item_size_bytes"),
    "no satisfies": _drop(0, "satisfies"),
    "no attributes": _put(0, {}, "attributes"),
    "a name DynamoDB refuses": _put(0, "bo oks", "table"),
    "a base table of a table": _put(0, "Other", "base_table"),
    "a GSI without its base table": _drop(1, "base_table"),
    "a GSI with GSIs": _put(1, [], "gsis"),
    "INCLUDE without attributes": _drop(1, "projected_attributes"),
    "ALL with attributes": _put(1, "ALL", "projection"),
    "enforces without its key": _drop(2, "enforces", "unique_key"),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_what_is_no_contract_is_refused(change: Callable[[list[dict[str, Any]]], None]) -> None:
    entries = deepcopy(data())
    change(entries)
    assert not VALIDATOR.is_valid(entries)


GOOD = {
    "a join over two hops": _put(0, [
        {"local_column": "a", "source_table": "t", "source_column": "b"},
        {"local_column": ["a", "b"], "source_table": "u", "source_column": ["c", "d"]}], *AUTHOR, "join"),
    "denormalized is false": _put(0, False, "attributes", "id", "denormalized"),
    "children inside the item": _put(0, {
        "type": "L", "source_table": "lines", "source_column": "id", "fields": {"n": "n"},
        "join": {"local_column": "id", "source_column": "book_id"}}, "attributes", "lines"),
    "an entity of several in one table": _put(0, "BOOK", "entity"),
    "no gsis": _drop(0, "gsis"),
}  # fmt: skip


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD.keys())
def test_what_the_format_allows_is_accepted(change: Callable[[list[dict[str, Any]]], None]) -> None:
    entries = deepcopy(data())
    change(entries)
    VALIDATOR.validate(entries)
