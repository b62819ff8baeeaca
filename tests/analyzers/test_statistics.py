"""Statistics are what a plain count over all rows says, and stay close to it where memory is bounded."""

import math
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers import statistics
from ddbmig.analyzers.ddl import read_ddl, read_ddl_text
from ddbmig.analyzers.dump import DumpReader
from ddbmig.analyzers.statistics import collect_statistics, declared_groups, sizer, statistics_without_data
from ddbmig.model.encodings import encode, encoding_for, item_size, size_of
from ddbmig.model.schema import Column, Schema

SHOP = read_ddl_text(
    """
    CREATE TABLE customer (id int PRIMARY KEY, code char(2), UNIQUE KEY (code));
    CREATE TABLE line (a int, b varchar(9), customer_id int, text varchar(300), PRIMARY KEY (a, b),
      FOREIGN KEY (customer_id) REFERENCES customer (id));
    CREATE TABLE empty (id int PRIMARY KEY) AUTO_INCREMENT=101;
    CREATE TABLE part (a int, b varchar(9), n int, FOREIGN KEY (a, b) REFERENCES line (a, b));
    """,
    "shop.sql",
)

ROWS: list[tuple[str, tuple[Any, ...]]] = [
    ("customer", (1, "aa")),
    ("customer", (2, None)),
    ("line", (1, "x", 1, "é")),
    ("line", (1, "y", 1, None)),
    ("line", (2, "x", 9, "é")),
    ("line", (3, "x", None, "t" * 200)),
    ("part", (1, "x", 1)),
    ("part", (1, "x", 2)),
    ("part", (1, "z", 3)),
    ("part", (1, None, 4)),
]


def test_one_row_after_the_other_by_hand() -> None:
    found = collect_statistics(ROWS, SHOP, *declared_groups(SHOP))
    line = found["line"]
    assert (line.rows.value, line.rows.source, line.rows.origin) == (4, "measured", "data dump, every row counted")
    # a 1+2, b 1+1, customer_id 11+2, text 4+2
    assert line.item_bytes.value == (24 + 18 + 24 + 209) / 4
    assert line.max_item_bytes == 209
    text = line.columns["text"]
    assert (text.average_bytes, text.max_bytes, text.null_share) == (204 / 3, 200, 0.25)
    assert (text.distinct, text.top_share) == (2, 0.5)
    assert found["customer"].columns["code"].distinct == 1
    group = line.group(("customer_id",))
    assert group
    assert (group.groups, group.average, group.p99, group.max, group.orphans) == (2, 1.5, 2, 2, 1)
    composite = found["part"].group(("a", "b"))
    assert composite
    assert (composite.groups, composite.max, composite.orphans) == (2, 2, 1)


def test_a_table_without_rows_is_measured_as_empty_with_an_assumed_size() -> None:
    empty = collect_statistics(ROWS, SHOP, {}, {})["empty"]
    assert (empty.rows.value, empty.rows.source) == (0, "measured")
    assert (empty.item_bytes.source, dict(empty.columns)) == ("assumed", {})


def test_groups_are_only_what_was_wanted() -> None:
    found = collect_statistics(ROWS, SHOP, {"line": [("text",), ("a",)]}, {})
    assert [(group.columns, group.groups, group.orphans) for group in found["line"].groups] == [
        (("a",), 3, None),
        (("text",), 2, None),
    ]


def test_rows_that_come_in_turns_are_counted_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = sorted(ROWS, key=lambda row: str(row[1][::-1]))
    groups = declared_groups(SHOP)
    assert collect_statistics(turns, SHOP, *groups) == collect_statistics(ROWS, SHOP, *groups)
    monkeypatch.setattr(statistics, "KEPT_BETWEEN_TABLES", 0)
    together = collect_statistics(ROWS, SHOP, *groups)
    assert together["line"].columns["text"].distinct == 2
    again = collect_statistics([*ROWS, *ROWS[2:3]], SHOP, *groups)["line"].columns["text"]
    assert (again.distinct, again.top_share) == (None, None)


COLUMNS: dict[str, tuple[Column, st.SearchStrategy[Any]]] = {
    "int": (Column(name="c", type="int"), st.integers(-(2**63), 2**64)),
    "decimal": (
        Column(name="c", type="decimal", precision=30, scale=9),
        st.integers(-(10**30) + 1, 10**30 - 1).map(lambda n: Decimal(f"{n}E-9")),
    ),
    "double": (Column(name="c", type="double"), st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)),
    "text": (Column(name="c", type="text"), st.text()),
    "blob": (Column(name="c", type="blob"), st.binary()),
    "bit": (Column(name="c", type="bit", length=8), st.binary(min_size=1, max_size=1)),
    "datetime": (
        Column(name="c", type="datetime"),
        st.datetimes().map(lambda at: f"{at:%Y-%m-%d %H:%M:%S}".rjust(19, "0")),
    ),
}


@pytest.mark.parametrize("case", COLUMNS)
@given(data=st.data())
def test_sizes_are_those_of_the_encoded_values(case: str, data: st.DataObject) -> None:
    column, cells = COLUMNS[case]
    cell = data.draw(cells)
    assert sizer(column)(cell) == size_of(encode(cell, encoding_for(column), column))


PAIRS = read_ddl_text("CREATE TABLE t (a int, b varchar(40)); CREATE TABLE p (a int PRIMARY KEY);", "pairs.sql")


@given(st.lists(st.tuples(st.integers(0, 9) | st.none(), st.text(max_size=3) | st.none()), min_size=1, max_size=60))
def test_counts_are_those_of_a_plain_count(pairs: list[tuple[int | None, str | None]]) -> None:
    parents = [("p", (number,)) for number in range(5)]
    rows: list[tuple[str, tuple[Any, ...]]] = [*parents, *(("t", pair) for pair in pairs)]
    found = collect_statistics(rows, PAIRS, {"t": [("a",)]}, {("t", ("a",)): ("p", ("a",))})["t"]
    numbers = Counter(a for a, _ in pairs if a is not None)
    texts = Counter(b for _, b in pairs if b is not None)
    group = found.groups[0]
    ranked = sorted(numbers.values())
    assert group.groups == len(numbers)
    assert group.max == max(ranked, default=0)
    assert group.p99 == (ranked[math.ceil(0.99 * len(ranked)) - 1] if ranked else 0)
    assert group.orphans == sum(count for a, count in numbers.items() if a >= 5)
    assert found.columns["b"].distinct == len(texts)
    assert found.columns["b"].top_share == max(texts.values(), default=0) / len(pairs)
    items = [{"a": a if a is None else Decimal(a), "b": b} for a, b in pairs]
    sizes = [item_size({name: value for name, value in item.items() if value is not None}) for item in items]
    assert (found.item_bytes.value, found.max_item_bytes) == (sum(sizes) / len(sizes), max(sizes))


def test_bounded_memory_keeps_counts_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "GROUP_LIMIT", 1000)
    monkeypatch.setattr(statistics, "DISTINCT_LIMIT", 1000)
    rows: list[tuple[str, tuple[Any, ...]]] = [
        ("t", (n // 3, "hot" if n % 4 == 0 else f"value {n}")) for n in range(60_000)
    ]
    rows += [("p", (n,)) for n in range(0, 20_000, 2)]
    found = collect_statistics(rows, PAIRS, {"t": [("a",)]}, {("t", ("a",)): ("p", ("a",))})["t"]
    group = found.groups[0]
    assert group.groups == pytest.approx(20_000, rel=0.15)
    assert group.average == pytest.approx(3, rel=0.15)
    assert (group.p99, group.max) == (3, 3)
    assert group.orphans == pytest.approx(30_000, rel=0.25)
    assert found.columns["b"].distinct is None
    assert found.columns["b"].top_share == pytest.approx(0.25, rel=0.01)


def test_without_data_the_source_is_told() -> None:
    found = statistics_without_data(SHOP, {"line": 42, "empty": 7})
    assert [(name, each.rows.value, each.rows.source) for name, each in found.items()] == [
        ("customer", 1000, "assumed"),
        ("empty", 100, "measured"),
        ("line", 42, "measured"),
        ("part", 1000, "assumed"),
    ]
    assert "AUTO_INCREMENT" in found["empty"].rows.origin
    assert all(each.item_bytes.source == "assumed" and each.item_bytes.value > 0 for each in found.values())


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["oscar_mysql97", "wordpress_mysql57", "tpcc_mysql97", "sysbench_ps_mysql57"])
def test_recorded_applications(corpus: Path, name: str) -> None:
    folder = corpus / "workloads" / name
    schema: Schema = read_ddl([(folder / "schema.sql", "schema.sql")])
    reader = DumpReader([(folder / "data.sql.gz", "data.sql.gz")], schema)
    found = collect_statistics(reader.rows(), schema, *declared_groups(schema))
    assert list(found) == [table.id for table in schema.tables]
    assert sum(each.rows.value for each in found.values()) > 2000
    groups = [group for each in found.values() for group in each.groups]
    assert all(group.orphans == 0 for group in groups)
    assert all(group.average <= group.max for group in groups)
