"""Rows to items by the contract: keys, NULLs, filters, copies, tables without a key."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.contract import ContractAttribute, ContractEntry, JoinColumns
from ddbmig.model.encodings import Cell, attribute_type, encoding_for
from ddbmig.model.errors import InputError

SCHEMA = read_ddl_text(
    """CREATE TABLE authors (id INT NOT NULL PRIMARY KEY, name VARCHAR(40));
    CREATE TABLE books (
      id INT NOT NULL PRIMARY KEY, author_id INT, isbn VARCHAR(13), price DECIMAL(8,2), `odd ``name` INT);
    CREATE TABLE visits (page VARCHAR(20), ms INT);""",
    "items.sql",
)


def plain(table: str, column: str) -> ContractAttribute:
    encoding = encoding_for(SCHEMA.table(table).column(column))
    return ContractAttribute(type=attribute_type(encoding), source_table=table, source_column=column, encoding=encoding)


AUTHOR_NAME = plain("authors", "name").model_copy(
    update={
        "denormalized": True,
        "justification": "test",
        "join": JoinColumns(local_column="author_id", source_column="id"),
    }
)


def builder(table: str = "books", pk: str = "id", **changes: Any) -> ItemBuilder:
    columns = {c.name: plain(table, c.name) for c in SCHEMA.table(table).columns}
    entry = ContractEntry(
        table=table, type="Table", source_table=table, pk=pk, attributes=columns, estimated_item_size_bytes=1
    )
    return ItemBuilder(entry.model_copy(update=changes), SCHEMA)


def with_attribute(name: str, attribute: ContractAttribute, **changes: Any) -> ItemBuilder:
    return builder(attributes={"id": plain("books", "id"), name: attribute}, **changes)


BOOK: Mapping[str, Cell] = {"id": 7, "author_id": 3, "isbn": "978", "price": Decimal("9.50"), "odd `name": None}


def test_null_is_absent() -> None:
    assert builder().item(BOOK) == {"id": 7, "author_id": 3, "isbn": "978", "price": Decimal("9.50")}


def test_a_composed_key_is_padded_and_absent_where_a_part_is_null() -> None:
    key = plain("books", "author_id").model_copy(update={"type": "S", "template": "{author_id}#{isbn}"})
    found = with_attribute("author_id__isbn", key)
    assert found.item(BOOK)["author_id__isbn"] == "2147483651#978"  # 3 shifted by 2^31
    assert found.item({**BOOK, "isbn": None}) == {"id": 7}


def test_a_copy_comes_from_the_parent() -> None:
    asked: list[object] = []

    def find(table: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Mapping[str, Cell] | None:
        asked.append((table, columns, values))
        return {"id": 3, "name": "Le Guin"} if values == (3,) else None

    found = with_attribute("author_name", AUTHOR_NAME)
    assert found.parents() == (("authors", ("id",)),)
    assert found.item(BOOK, find)["author_name"] == "Le Guin"
    assert asked == [("authors", ("id",), (3,))]
    assert found.item({**BOOK, "author_id": 4}, find) == {"id": 7}, "an orphan has no copy"
    assert found.item({**BOOK, "author_id": None}, find) == {"id": 7}
    assert found.item(BOOK) == {"id": 7}


@pytest.mark.parametrize("isbn", [None, ""])
def test_a_row_without_its_key_is_refused(isbn: str | None) -> None:
    with pytest.raises(InputError, match="no value for its key") as error:
        builder(pk="isbn").item({**BOOK, "isbn": isbn})
    assert error.value.subject == "books.isbn"


def test_a_filter_leaves_rows_out() -> None:
    found = builder(filter="`isbn` IS NOT NULL AND `odd ``name` IS NOT NULL")
    assert not found.applies(BOOK)
    assert found.applies({**BOOK, "odd `name": 1})
    assert builder().applies(BOOK)


def test_a_filter_that_is_not_understood_is_refused() -> None:
    with pytest.raises(InputError, match="filter"):
        builder(filter="`isbn` = 1")


def test_equal_rows_without_a_key_are_told_apart() -> None:
    digest = ContractAttribute(type="S", source_table="visits", source_column="page", encoding="row_digest")
    found = builder("visits", "row_digest", attributes={"row_digest": digest})
    row: Mapping[str, Cell] = {"page": "/", "ms": None}
    first = found.item(row)["row_digest"]
    assert found.item(row) == {"row_digest": first}
    assert found.item(row, duplicate=2) == {"row_digest": f"{first}#2"}
    assert found.item({**row, "ms": 0})["row_digest"] != first


def test_a_fixed_value_is_fixed() -> None:
    kind = ContractAttribute(type="S", source_table="books", source_column="id", value="book")
    assert with_attribute("kind", kind).item(BOOK) == {"id": 7, "kind": "book"}


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_composed_keys_sort_as_their_numbers(a: int, b: int) -> None:
    key = plain("books", "author_id").model_copy(update={"type": "S", "template": "{author_id}#{id}"})
    found = with_attribute("key", key)
    one, other = (found.item({**BOOK, "author_id": n})["key"] for n in (a, b))
    assert (one < other) == (a < b)
