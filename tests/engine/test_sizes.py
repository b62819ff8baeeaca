"""Averages: counted where they were counted, by the column's type where not."""

import pytest

from ddbmig.analyzers.ddl import read_ddl_text
from ddbmig.engine.sizes import Sizes, assumed_bytes
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.encodings import Cell, render_key_part
from ddbmig.model.measure import Measure
from ddbmig.model.schema import Column
from ddbmig.model.statistics import ColumnStatistics, GroupStatistics, TableStatistics

SCHEMA = read_ddl_text(
    "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, a INT NOT NULL, b VARCHAR(40), c INT, UNIQUE KEY (a, c));", "t.sql"
)


def measure(value: float) -> Measure:
    return Measure(value=value, unit="", source="measured", origin="test")


STATISTICS = TableStatistics(
    rows=measure(1000),
    item_bytes=measure(80),
    columns={
        "b": ColumnStatistics(average_bytes=12, max_bytes=30, null_share=0.25, distinct=50),
        "c": ColumnStatistics(average_bytes=2, max_bytes=3, null_share=0.5),
    },
    groups=(GroupStatistics(columns=("a", "b"), groups=400, average=2.5, p99=4, max=9),),
)
SIZES = Sizes(SCHEMA, {"t": STATISTICS})


@pytest.mark.parametrize(
    ("columns", "distinct"),
    [
        (("id",), 1000),  # the primary key
        (("id", "b"), 1000),  # more than a key
        (("a", "c"), 1000),  # a unique key
        (("b", "a"), 400),  # counted as a group, in any order
        (("b",), 50),  # counted
        (("a",), 100),  # not counted: assumed ten rows per value
        (("b", "c"), 1000),  # 50 × 100 values, but there are only so many rows
    ],
)
def test_distinct_values(columns: tuple[str, ...], distinct: float) -> None:
    assert SIZES.distinct("t", columns) == distinct
    assert SIZES.rows_per_value("t", columns) == 1000 / distinct


def test_an_attribute_is_its_name_and_its_value_where_there_is_one() -> None:
    plain = ContractAttribute(type="S", source_table="t", source_column="b", encoding="string")
    assert SIZES.attribute_bytes("bb", plain) == 0.75 * (2 + 12)
    composed = plain.model_copy(update={"template": "{id}#{a}"})
    assert SIZES.attribute_bytes("id__a", composed) == 5 + 10 + 1 + 10
    prefixed = plain.model_copy(update={"template": "_{b}"})
    assert SIZES.attribute_bytes("b__key", prefixed) == 0.75 * (6 + 1 + 12)  # the text as measured, where there is one
    digest = plain.model_copy(update={"encoding": "row_digest"})
    assert SIZES.attribute_bytes("row_digest", digest) == 10 + 64
    assert SIZES.item_bytes({"bb": plain, "id__a": composed}) == 0.75 * 14 + 26


def test_an_entry_has_the_columns_of_its_key() -> None:
    plain = ContractAttribute(type="S", source_table="t", source_column="b", encoding="string")
    other = plain.model_copy(update={"source_column": "c"})
    copied = plain.model_copy(update={"denormalized": True})  # a column of another row, whatever its name
    assert SIZES.item_bytes({"b": plain, "c": other, "x": copied}, {"b"}) == 13 + 0.5 * 3 + 0.75 * 13


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("TINYINT", -7),
        ("BIGINT UNSIGNED", 7),
        ("DECIMAL(8,2)", "-12.50"),
        ("DECIMAL(8,2) UNSIGNED", "12.50"),
        ("DOUBLE", 2.5),
        ("YEAR", 2026),
        ("TIME", "10:00:00"),
        ("DATE", "2026-01-01"),
        ("DATETIME", "2026-01-01 10:00:00"),
        ("VARBINARY(16)", b"12345678"),
        ("VARCHAR(8)", "abcd"),
    ],
)
def test_a_part_of_a_composed_key_is_as_long_as_it_is_written(column: str, cell: Cell) -> None:
    schema = read_ddl_text(f"CREATE TABLE k (c {column} NOT NULL);", "k.sql")
    written = render_key_part(cell, schema.table("k").column("c"))
    assert Sizes(schema, {}).key_part_bytes("k", "c") == len(written.encode())


@pytest.mark.parametrize(
    ("column", "size"),
    [
        (Column(name="c", type="int"), 3),
        (Column(name="c", type="bigint"), 5),
        (Column(name="c", type="varchar", length=200), 100),
        (Column(name="c", type="varchar", length=4000), 256),
        (Column(name="c", type="char", length=1), 1),
        (Column(name="c", type="datetime"), 19),
        (Column(name="c", type="json"), 256),
    ],
)
def test_sizes_by_type(column: Column, size: float) -> None:
    assert assumed_bytes(column) == size


def test_a_table_that_nobody_counted_is_empty() -> None:
    nothing = Sizes(SCHEMA, {})
    assert (nothing.rows("t"), nothing.row_bytes("t"), nothing.rows_per_value("t", ("b",))) == (0, 0, 1)
