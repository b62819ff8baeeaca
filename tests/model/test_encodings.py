"""Encodings lose nothing, keys sort as their values do, and sizes are those of the facts file."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.model import encodings as e
from ddbmig.model.contract import Encoding
from ddbmig.model.errors import InputError
from ddbmig.model.schema import Column

FACTS_FILE = {
    "0": 1, "-0": 1, "1": 2, "12": 2, "123": 3, "12345": 4, "100": 2, "1010": 3, "0.15": 2, "1.5": 3, "3.14159": 5,
    "100.5": 4, "1E125": 2, "-42": 3, "-12345": 5, "9" * 38: 20,
}  # fmt: skip

MEASURED = {  # the largest item that DynamoDB Local 3.3.1 accepts, by bisection
    "120": 3, "0.015": 3, "0.0015": 2, "1000": 2, "1200": 2, "12000": 3, "12.01": 3, "0.01": 2, "100.05": 4, "10.5": 3,
    "1.005": 4, "12345.678": 6, "1E-130": 2, "1.5E-7": 2, "123E10": 3, "-0.015": 4, "1234E20": 3, "1010.0101": 5,
    "12345E-9": 4, "123456E-9": 5,
}  # fmt: skip

ATTRIBUTE_SIZES = [
    ("é", 2), ("abc", 3), ("", 0), (b"\x00\xff", 2), (True, 1), (None, 1), ([], 3), ({}, 3), (["ab", Decimal(1)], 9),
    ({"k": "ab"}, 7), ({"a", "bcd"}, 4), ({Decimal(1), Decimal(123)}, 5), ([[True]], 9),
]  # fmt: skip

ENCODINGS: list[tuple[Column, Encoding, str]] = [
    (Column(name="c", type="int"), "integer", "N"),
    (Column(name="c", type="tinyint", length=1), "integer", "N"),
    (Column(name="c", type="decimal", precision=12, scale=2), "decimal", "N"),
    (Column(name="c", type="decimal", precision=39, scale=2), "string", "S"),
    (Column(name="c", type="float", unsigned=True), "float", "N"),
    (Column(name="c", type="double"), "float", "N"),
    (Column(name="c", type="date"), "iso8601_date", "S"),
    (Column(name="c", type="timestamp"), "iso8601_datetime", "S"),
    (Column(name="c", type="time"), "time", "S"),
    (Column(name="c", type="year"), "year", "N"),
    (Column(name="c", type="varchar", length=9), "string", "S"),
    (Column(name="c", type="longtext"), "string", "S"),
    (Column(name="c", type="enum", values=("a", "b")), "enum", "S"),
    (Column(name="c", type="set", values=("a", "b")), "set", "S"),
    (Column(name="c", type="json"), "json", "S"),
    (Column(name="c", type="varbinary", length=9), "binary", "B"),
    (Column(name="c", type="bit", length=9), "bit", "B"),
    (Column(name="c", type="point"), "binary", "B"),
    (Column(name="c", type="unheard_of"), "string", "S"),
]


@pytest.mark.parametrize(("literal", "size"), [*FACTS_FILE.items(), *MEASURED.items()])
def test_number_sizes(literal: str, size: int) -> None:
    assert e.number_size(Decimal(literal)) == size


@pytest.mark.parametrize(("value", "size"), ATTRIBUTE_SIZES, ids=[type(value).__name__ for value, _ in ATTRIBUTE_SIZES])
def test_value_sizes_of_the_facts_file(value: Any, size: int) -> None:
    assert e.size_of(value) == size


def test_an_item_is_the_sum_of_its_names_and_values() -> None:
    assert e.item_size({"id": Decimal(12), "näme": "é"}) == 2 + 2 + 5 + 2


def test_a_float_is_no_dynamodb_value() -> None:
    with pytest.raises(TypeError):
        e.size_of(1.5)


@pytest.mark.parametrize(("column", "encoding", "attribute"), ENCODINGS, ids=lambda case: str(case)[:40])
def test_every_type_has_its_encoding(column: Column, encoding: Encoding, attribute: str) -> None:
    assert e.encoding_for(column) == encoding
    assert e.attribute_type(e.encoding_for(column)) == attribute


TIMES = st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0"))
CELLS: dict[str, tuple[Column, st.SearchStrategy[Any]]] = {
    "integer": (Column(name="c", type="bigint", unsigned=True), st.integers(0, 2**64 - 1)),
    "tinyint": (Column(name="c", type="tinyint"), st.integers(-128, 127)),
    "decimal": (
        Column(name="c", type="decimal", precision=30, scale=4),
        st.integers(-(10**30) + 1, 10**30 - 1).map(lambda n: Decimal(f"{n}E-4")),
    ),
    "wide decimal": (
        Column(name="c", type="decimal", precision=65, scale=30),
        st.integers(0, 10**27).map(lambda n: Decimal(f"{n}E-30")),
    ),
    "double": (
        Column(name="c", type="double"),
        st.floats(-1e125, 1e125, allow_nan=False).filter(lambda x: x == 0 or abs(x) >= 1e-130),
    ),
    "datetime(6)": (Column(name="c", type="datetime", precision=6), TIMES),
    "date": (Column(name="c", type="date"), st.dates().map(str)),
    "time": (Column(name="c", type="time"), st.sampled_from(["-838:59:59", "00:00:00", "12:34:56"])),
    "year": (Column(name="c", type="year"), st.integers(1901, 2155)),
    "text": (Column(name="c", type="text"), st.text()),
    "set": (Column(name="c", type="set"), st.sampled_from(["", "a", "a,b"])),
    "blob": (Column(name="c", type="blob"), st.binary()),
    "bit": (Column(name="c", type="bit", length=16), st.binary(min_size=2, max_size=2)),
}


@pytest.mark.parametrize("case", CELLS)
@given(data=st.data())
def test_a_cell_comes_back_as_it_was(case: str, data: st.DataObject) -> None:
    column, cells = CELLS[case]
    cell = data.draw(cells)
    encoding = e.encoding_for(column)
    back = e.decode(e.encode(cell, encoding, column), encoding, column)
    assert back == cell
    assert type(back) is type(cell)
    if isinstance(back, Decimal):
        assert format(back, "f") == format(cell, "f")


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    assert e.decode(e.encode(data, "base64"), "base64") == data


def test_null_is_an_absent_attribute() -> None:
    assert e.encode(None, "integer") is None
    assert e.decode(None, "integer") is None


def test_zero_dates_are_kept() -> None:
    assert e.encode("0000-00-00 00:00:00", "iso8601_datetime") == "0000-00-00T00:00:00"


@pytest.mark.parametrize(
    ("written", "precision", "encoded"),
    [
        ("2026-11-22", 0, "2026-11-22T00:00:00"),
        ("2026-11-22 13:41", 0, "2026-11-22T13:41:00"),
        ("2026-11-22 13:41:19.5", 3, "2026-11-22T13:41:19.500"),
        ("2026-11-22 13:41:19", 6, "2026-11-22T13:41:19.000000"),
    ],
)
def test_times_are_completed_to_the_declared_fraction(written: str, precision: int, encoded: str) -> None:
    column = Column(name="c", type="datetime", precision=precision)
    assert e.encode(written, "iso8601_datetime", column) == encoded


@pytest.mark.parametrize(
    ("value", "encoding"),
    [(1.5e300, "float"), (1e-200, "float"), (Decimal("1." + "1" * 38), "decimal"), (2, "bool"), ("x", "integer"),
     (Decimal("1.5"), "integer"), (b"x", "string")],
)  # fmt: skip
def test_what_dynamodb_cannot_hold_is_refused_without_showing_it(value: Any, encoding: Encoding) -> None:
    with pytest.raises(InputError) as caught:
        e.encode(value, encoding, Column(name="price", type="x"))
    assert "price" in str(caught.value)
    assert str(value) not in caught.value.message


ORDERED: dict[str, tuple[Column, st.SearchStrategy[Any]]] = {
    "signed": (Column(name="c", type="int"), st.integers(-(2**31), 2**31 - 1)),
    "unsigned": (Column(name="c", type="bigint", unsigned=True), st.integers(0, 2**64 - 1)),
    "decimal": (
        Column(name="c", type="decimal", precision=10, scale=2),
        st.integers(-(10**10) + 1, 10**10 - 1).map(lambda n: Decimal(f"{n}E-2")),
    ),
    "double": (Column(name="c", type="double"), st.floats(allow_nan=False, allow_infinity=False)),
    "year": (Column(name="c", type="year"), st.integers(0, 2155)),
    "bytes": (Column(name="c", type="varbinary"), st.binary()),
    "date": (Column(name="c", type="date"), st.dates().map(str)),
}


@pytest.mark.parametrize("case", ORDERED)
@given(data=st.data())
def test_key_parts_sort_as_their_values(case: str, data: st.DataObject) -> None:
    column, cells = ORDERED[case]
    a, b = data.draw(cells), data.draw(cells)
    left, right = e.render_key_part(a, column), e.render_key_part(b, column)
    assert (left < right, left == right) == (a < b, a == b)
    assert "#" not in left


@given(st.integers(-(838 * 3600), 838 * 3600), st.integers(-(838 * 3600), 838 * 3600))
def test_times_sort_across_zero(a: int, b: int) -> None:
    def text(seconds: int) -> str:
        hours, rest = divmod(abs(seconds), 3600)
        return f"{'-' if seconds < 0 else ''}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"

    column = Column(name="c", type="time")
    assert (e.render_key_part(text(a), column) < e.render_key_part(text(b), column)) == (a < b)


@given(st.text(), st.text(), st.text(), st.text())
def test_composed_keys_never_collide(a: str, b: str, c: str, d: str) -> None:
    columns = {"a": Column(name="a", type="text"), "b": Column(name="b", type="text")}
    left = e.render_key("{a}#{b}", {"a": a, "b": b}, columns)
    right = e.render_key("{a}#{b}", {"a": c, "b": d}, columns)
    assert (left == right) == ((a, b) == (c, d))


@given(st.text(min_size=1))
def test_a_template_can_name_any_column(name: str) -> None:
    template = "X#" + e.template_field(name)
    assert e.template_columns(template) == (name,)
    assert e.render_template(template, {name: "v"}) == "X#v"


def test_key_parts_by_example() -> None:
    columns = {"id": Column(name="id", type="int", unsigned=True), "name": Column(name="name", type="varchar")}
    assert e.render_key("ORDER#{id}#{name}", {"id": 7, "name": "a#b%"}, columns) == "ORDER#0000000007#a%23b%25"
    assert e.render_key_part(None, columns["id"]) == ""


def test_a_value_outside_its_type_is_refused() -> None:
    with pytest.raises(InputError, match="does not fit"):
        e.render_key_part(300, Column(name="c", type="tinyint"))


def test_row_digests_tell_null_from_empty_and_follow_the_cells() -> None:
    assert e.row_digest([None, "a"]) != e.row_digest(["", "a"])
    assert e.row_digest(["a", "b"]) != e.row_digest(["ab", ""])
    assert e.row_digest([1, b"x"]) == e.row_digest([1, b"x"])
