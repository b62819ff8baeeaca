"""The quick encoder makes the items of `ItemBuilder`, as text: for every type, key and copy."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.loaders.dynamodb_json import checksum, item_text, number_text, wire_item
from ddbmig.loaders.encoder import Encoder, copies_of, keys_are_distinct
from ddbmig.loaders.items import ItemBuilder
from ddbmig.model.contract import ContractAttribute, ContractEntry, ContractGsi, JoinColumns
from ddbmig.model.encodings import Cell, attribute_type, encoding_for
from ddbmig.model.errors import InputError

SCHEMA = read_ddl_text(
    """CREATE TABLE parents (id INT NOT NULL PRIMARY KEY, name VARCHAR(40), born DATE);
    CREATE TABLE rows_of_all (
      id BIGINT UNSIGNED NOT NULL PRIMARY KEY, parent_id INT, code VARCHAR(60) NOT NULL, tiny TINYINT(1),
      amount DECIMAL(20,4), huge DECIMAL(60,2), rate DOUBLE, seen DATETIME, exact DATETIME(3), day DATE, at_time TIME,
      y YEAR, doc JSON, kind ENUM('a','b'), flags SET('x','y'), bits BIT(12), raw VARBINARY(40), body LONGTEXT,
      UNIQUE KEY by_code (code));
    CREATE TABLE visits (page VARCHAR(20), ms INT);""",
    "encoder.sql",
)
TABLE = SCHEMA.table("rows_of_all")


def plain(table: str, column: str, **changes: Any) -> ContractAttribute:
    encoding = encoding_for(SCHEMA.table(table).column(column))
    found = ContractAttribute(type=attribute_type(encoding), source_table=table, source_column=column)
    return found.model_copy(update=changes)


def copied(column: str) -> ContractAttribute:
    join = JoinColumns(local_column="parent_id", source_column="id")
    return plain("parents", column, denormalized=True, justification="test", join=join)


def entry(table: str = "rows_of_all", pk: str = "id", **changes: Any) -> ContractEntry:
    attributes = {c.name: plain(table, c.name) for c in SCHEMA.table(table).columns}
    found = ContractEntry(
        table=table, type="Table", source_table=table, pk=pk, attributes=attributes, estimated_item_size_bytes=1
    )
    return found.model_copy(update=changes)


WHOLE = entry(
    attributes={
        **entry().attributes,
        "parent_name": copied("name"),
        "parent_born": copied("born"),
        "kind_of_item": plain("rows_of_all", "id", type="S", value='a "fixed" value'),
        "sorted": plain("rows_of_all", "id", type="S", template="{id}#{code}"),
        "code_64": plain("rows_of_all", "code", encoding="base64"),
        "tiny_bool": plain("rows_of_all", "tiny", type="BOOL", encoding="bool"),
    }
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
CELLS: dict[str, st.SearchStrategy[Cell]] = {
    "id": st.integers(0, 2**64 - 1), "parent_id": st.integers(-(2**31), 2**31 - 1), "code": texts,
    "tiny": st.integers(0, 1), "amount": st.decimals(-(10**15), 10**15, places=4, allow_nan=False),
    "huge": st.decimals(-(10**57), 10**57, places=2, allow_nan=False),
    "rate": st.floats(1e-120, 1e120) | st.just(0.0) | st.floats(-1e120, -1e-120),
    "seen": st.datetimes().map(lambda at: at.isoformat(" ", "seconds")) | st.just("0000-00-00 00:00:00"),
    "exact": st.datetimes().map(lambda at: at.isoformat(" ", "milliseconds")),
    "day": st.dates().map(str), "at_time": st.just("-12:30:00"), "y": st.integers(1901, 2155),
    "doc": st.just('{"a": [1, "é"]}'), "kind": st.sampled_from("ab"), "flags": st.just("x,y"),
    "bits": st.binary(min_size=2, max_size=2), "raw": st.binary(max_size=40), "body": texts,
}  # fmt: skip
ROWS = st.tuples(*(
    st.none() | CELLS[c.name] if c.nullable else CELLS[c.name] for c in TABLE.columns
))  # fmt: skip
PARENTS = st.none() | st.fixed_dictionaries({"name": st.none() | texts, "born": st.none() | st.just("1970-01-02")})


@given(ROWS, PARENTS)
def test_items_are_those_of_the_builder(row: tuple[Cell, ...], parent: dict[str, Cell] | None) -> None:
    encoder = Encoder(WHOLE, SCHEMA, copies_of([WHOLE]))
    cells = {c.name: cell for c, cell in zip(TABLE.columns, row, strict=True)}
    if cells["parent_id"] is None:
        parent = None
    born, name = (parent["born"], parent["name"]) if parent else (None, None)
    made = encoder.item((*row, int(parent is not None), born, name))
    due = ItemBuilder(WHOLE, SCHEMA).item(cells, lambda *_: parent)
    wire = {name: TypeSerializer().serialize(value) for name, value in due.items()}
    assert made.text.decode() == item_text(wire)
    assert item_text(wire_item(made.text)) == made.text.decode()
    assert encoder.orphaned((*row, int(parent is not None), born, name)) == (
        ("parents",) if parent is None and cells["parent_id"] is not None else ()
    )


@given(st.integers(-(10**38) + 1, 10**38 - 1), st.integers(-120, 80), st.integers(0, 5))
def test_a_number_has_one_text(digits: int, exponent: int, zeros: int) -> None:
    number, longer = Decimal(f"{digits}E{exponent}"), Decimal(f"{digits}{'0' * zeros}E{exponent - zeros}")
    text = number_text(number)
    assert Decimal(text) == number
    assert text == number_text(Decimal(text)) == number_text(longer)


def test_thirty_eight_digits_are_kept() -> None:
    assert number_text(Decimal("1234567890123456789012345678901234567.80")) == "1234567890123456789012345678901234567.8"


def row(**cells: Cell) -> tuple[Cell, ...]:
    """A row with nothing in it but these cells, an id and a code."""
    given = {"id": 7, "code": "c", **cells}
    return tuple(given.get(column.name) for column in TABLE.columns)


BY_CODE = entry(pk="code", gsis=(ContractGsi(name="by_body", pk="body"),))


@pytest.mark.parametrize(("cells", "reason"), [
    ({"code": None}, "no value for its key"),
    ({"code": ""}, "no value for its key"),
    ({"code": "é" * 1025}, "a key is longer than 2048 bytes"),
    ({"body": ""}, "a key of an index would be empty"),
    ({"body": "x" * 2049}, "a key is longer than 2048 bytes"),
    ({"code": "\ud800"}, "no Unicode"),
    ({"rate": math.inf}, "encoded as float"),
    ({"doc": "x" * 409_600}, "over 400 KB"),
])  # fmt: skip
def test_a_row_that_cannot_be_an_item_says_why(cells: dict[str, Cell], reason: str) -> None:
    with pytest.raises(InputError, match=reason) as raised:
        Encoder(BY_CODE, SCHEMA, ()).item(row(**cells))
    assert "é" not in str(raised.value)


def test_limits_are_exact() -> None:
    encoder = Encoder(BY_CODE, SCHEMA, ())
    assert encoder.item(row(code="é" * 1024, body="\\" * 2048))
    by_id = Encoder(entry(), SCHEMA, ())
    rest = len("id") + 2 + len("code") + 1 + len("body")
    assert by_id.item(row(body="\n" * (409_600 - rest)))
    with pytest.raises(InputError, match="over 400 KB"):
        by_id.item(row(body="\n" * (409_601 - rest)))


def test_equal_rows_without_a_key_are_numbered() -> None:
    digest = ContractAttribute(type="S", source_table="visits", source_column="page", encoding="row_digest")
    made = entry("visits", "digest", attributes={"digest": digest, "page": plain("visits", "page")})
    encoder = Encoder(made, SCHEMA, ())
    first, second = encoder.item(("/", None)), encoder.item(("/", None), 1)
    digest_of = [json.loads(item.text)["digest"]["S"] for item in (first, second)]
    assert digest_of[1] == f"{digest_of[0]}#1"
    assert first.key != second.key
    assert encoder.numbers_equal_rows
    assert not keys_are_distinct(made, SCHEMA.table("visits"))


def test_the_filter_is_the_entry_s() -> None:
    encoder = Encoder(entry(filter="`parent_id` IS NOT NULL"), SCHEMA, ())
    assert encoder.applies(row(parent_id=1))
    assert not encoder.applies(row())


@pytest.mark.parametrize(("changes", "distinct"), [
    ({"pk": "id"}, True),
    ({"pk": "code"}, True),
    ({"pk": "parent_id", "sk": "id"}, True),
    ({"pk": "parent_id"}, False),
    ({"pk": "kind", "sk": "body"}, False),
    ({"pk": "k", "attributes": {"k": plain("rows_of_all", "id", type="S", template="ROW#{id}")}}, True),
    ({"pk": "k", "attributes": {"k": plain("rows_of_all", "code", type="S", template="_{code}")}}, False),
    ({"pk": "k", "attributes": {"k": plain("rows_of_all", "code", type="S", encoding="collated")}}, False),
])  # fmt: skip
def test_keys_that_hold_a_unique_key_as_it_is_are_distinct(changes: dict[str, Any], distinct: bool) -> None:
    assert keys_are_distinct(entry(**changes), TABLE) is distinct


def test_checksums_are_those_of_the_text() -> None:
    assert checksum(b"{}") == checksum(b"{}") != checksum(b'{"a":{"S":""}}')
