"""What one write is estimated to take in units, index by index. Plans as a whole are in test_plans.py."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.engine.writes import Effect, entry_units
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import IndexDesign, TableDesign
from design_builder import World, design_world, plan_of, snapshot_of

Projection = Literal["ALL", "KEYS_ONLY", "INCLUDE"]


def attribute(column: str, *, copied: bool = False) -> ContractAttribute:
    return ContractAttribute(type="S", source_table="t", source_column=column, encoding="string",
                             denormalized=copied or None)  # fmt: skip


def table(projection: Projection = "INCLUDE", entries: float = 100, entry_bytes: float = 2_000) -> TableDesign:
    """A hundred items with the columns id, kind, made, text and a copy, and a GSI by kind, then year and made."""
    index = IndexDesign(name="by_kind", partition=("kind",), sort=("year", "made"), projection=projection,
                        projected=("text",) if projection == "INCLUDE" else (), entries=entries,
                        entry_bytes=entry_bytes)  # fmt: skip
    columns = {name: attribute(name) for name in ("id", "kind", "year", "made", "text")}
    columns["owner_name"] = attribute("name", copied=True)
    return TableDesign(name="t", source_table="t", role="entity", pk="id", indexes=(index,), items=100,
                       item_bytes=3_000, attributes=columns)  # fmt: skip


def units(table: TableDesign, changed: set[str] | None, absent: frozenset[str] = frozenset()) -> float:
    effect = Effect(
        "t", rows=1, transactional=False, changed=None if changed is None else frozenset(changed), absent=absent
    )
    return entry_units(table, table.indexes[0], effect)


def test_a_new_entry_takes_its_blocks_where_there_is_one() -> None:
    assert units(table(), None) == 2
    assert units(table(entries=25), None) == 0.5  # a sparse index: a quarter of the items


@pytest.mark.parametrize(("absent", "expected"), [({"kind"}, 0), ({"made", "text"}, 0), ({"text"}, 2)])
def test_an_item_without_a_key_of_the_index_has_no_entry(absent: set[str], expected: float) -> None:
    assert units(table(), None, frozenset(absent)) == expected


@pytest.mark.parametrize(
    ("changed", "projection", "expected"),
    [
        ({"kind"}, "KEYS_ONLY", 4),  # a delete and a put
        ({"made"}, "KEYS_ONLY", 4),  # the last attribute of the sort key
        ({"text"}, "INCLUDE", 2),
        ({"text"}, "KEYS_ONLY", 0),
        ({"owner_name"}, "ALL", 2),
        ({"owner_name"}, "INCLUDE", 0),
        (set(), "KEYS_ONLY", 0),
    ],
)
def test_an_update_follows_into_the_index(changed: set[str], projection: Projection, expected: float) -> None:
    assert units(table(projection), changed) == expected


def test_a_sparse_index_follows_the_copies_of_the_items_that_it_holds() -> None:
    assert units(table("ALL", entries=10), {"owner_name"}) == pytest.approx(0.2)


@given(st.sets(st.sampled_from(["kind", "made", "text", "owner_name"])), st.floats(0, 100), st.floats(1, 9_000))
def test_a_wider_projection_never_costs_less(changed: set[str], entries: float, size: float) -> None:
    kinds: tuple[Projection, ...] = ("KEYS_ONLY", "INCLUDE", "ALL")
    found = [units(table(kind, entries, size), changed) for kind in kinds]
    assert 0 <= found[0] <= found[1] <= found[2]


@pytest.mark.parametrize(("statement", "taken"), [
    ("INSERT INTO t (id) VALUES (?)", 0), ("INSERT INTO t (id, kind) VALUES (?, NULL)", 0),
    ("INSERT INTO t (id, kind) VALUES (?, ?)", 1),
])  # fmt: skip
def test_an_insert_that_leaves_the_key_of_an_index_null_makes_no_entry(statement: str, taken: float) -> None:
    schema = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, kind INT, body TEXT);"
    query = "SELECT id FROM t WHERE kind = ?"
    snapshot = snapshot_of(World(schema=schema, statements=[statement, query], rows={"t": 100_000}))
    plan = plan_of(design_world(snapshot), snapshot, statement, "faithful")
    assert plan.index_write_units == taken


def test_a_look_up_item_of_more_than_a_block_pays_for_both() -> None:
    schema = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, " + ", ".join(
        f"{name} VARCHAR(600) NOT NULL" for name in "abcd"
    ) + ", UNIQUE KEY u (a, b, c, d));"  # fmt: skip
    insert = "INSERT INTO t (id, a, b, c, d) VALUES (?, ?, ?, ?, ?)"
    snapshot = snapshot_of(World(schema=schema, statements=[insert]))
    plan = plan_of(design_world(snapshot), snapshot, insert, "faithful")
    # the row, and its look-up item of four texts of 256 bytes and the names: two blocks each, doubled
    assert (plan.write_units, plan.transaction_units) == (8, 4)


def test_what_an_insert_of_three_rows_must_know_is_read_for_each() -> None:
    sql = "INSERT INTO t (id, note) VALUES (?, ?) ON DUPLICATE KEY UPDATE note = ?"
    snapshot = snapshot_of(World(schema="CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(40));",
                                 statements=(sql,), list_length=3))  # fmt: skip
    plan = plan_of(design_world(snapshot), snapshot, sql, "faithful")
    assert (plan.read_units, plan.write_units, plan.round_trips) == (1.5, 3, 2)


def test_the_constant_partition_of_an_index_never_moves() -> None:
    schema = "CREATE TABLE t (note INT NOT NULL, code INT NOT NULL, made DATE NOT NULL, UNIQUE KEY u (code));"
    listing, update = "SELECT code FROM t ORDER BY made LIMIT 9", "UPDATE t SET note = ? WHERE code = ?"
    snapshot = snapshot_of(World(schema=schema, statements=(listing, update), rows={"t": 500_000}))
    design = design_world(snapshot)
    (index,) = design.alternative("faithful").tables[0].indexes
    assert index.partition == ("t__all",)  # a constant that is put down to the first column
    assert plan_of(design, snapshot, update, "faithful").index_write_units == 0
