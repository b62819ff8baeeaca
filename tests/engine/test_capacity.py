"""Capacity by section A5, row by row; sizes by A4."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.engine.capacity import index_entry, index_write_units, read_units, write_units
from ddbmig.model.encodings import item_size

KB = 1024


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [
        (0, False, 0.5),  # a missing item, or a Query of nothing
        (0, True, 1.0),
        (1, True, 1.0),
        (4096, True, 1.0),
        (4097, True, 2.0),
        (4097, False, 1.0),
        (10 * 512, False, 1.0),  # a Query of ten items of 512 bytes rounds once
        (409_600, True, 100.0),
    ],
)
def test_reads(size: float, consistent: bool, units: float) -> None:
    assert read_units(size, consistent) == units


def test_a_batch_rounds_every_item() -> None:
    assert sum(read_units(512, consistent=False) for _ in range(10)) == 5.0


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, 1, 1),
        (None, 1024, 1),
        (None, 1025, 2),
        (3000, 10, 3),  # an update that shrinks pays for the larger image
        (10, 3000, 3),
        (2049, None, 3),  # a delete pays for the old image
        (None, None, 1),  # a delete of nothing
    ],
)
def test_writes(before: float | None, after: float | None, units: int) -> None:
    assert write_units(before, after) == units


def entry(key: str, size: int) -> dict[str, Any]:
    """An index entry of exactly `size` bytes: k, id and v are five bytes of names, key and id one each."""
    found = {"k": key, "id": "1", "v": "x" * (size - 6)}
    assert item_size(found) == size
    return found


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, None, 0),
        (None, entry("a", 1025), 2),
        (entry("a", 2049), None, 3),
        (entry("a", 3000), entry("a", 3000), 0),
        (entry("a", 100), entry("a", 3000), 3),
        (entry("a", 3000), entry("a", 100), 3),
        (entry("a", 1025), entry("b", 100), 3),
    ],
    ids=["absent", "appears", "disappears", "unchanged", "grows", "shrinks", "key changed"],
)
def test_index_writes(before: dict[str, Any] | None, after: dict[str, Any] | None, units: int) -> None:
    assert index_write_units(before, after, ("k", "id")) == units


@pytest.mark.parametrize(
    ("projection", "kept"),
    [("ALL", {"id", "k", "v", "w"}), ("KEYS_ONLY", {"id", "k"}), ("INCLUDE", {"id", "k", "v"})],
)
def test_index_entries(projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"], kept: set[str]) -> None:
    item = {"id": "1", "k": "a", "v": "x", "w": "y"}
    found = index_entry(item, ("k",), ("id",), projection, ("v",))
    assert found is not None
    assert set(found) == kept


def test_an_index_is_sparse() -> None:
    assert index_entry({"id": "1"}, ("k",), ("id",), "ALL") is None
    assert index_entry(None, ("k",), ("id",), "ALL") is None


@given(st.integers(0, 409_600), st.integers(0, 409_600))
def test_more_bytes_never_cost_less(a: int, b: int) -> None:
    small, large = sorted((a, b))
    assert read_units(small, consistent=False) <= read_units(large, consistent=False)
    assert write_units(None, small) <= write_units(small, large)
    assert read_units(small, consistent=True) == 2 * read_units(small, consistent=False)
