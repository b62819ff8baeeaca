"""Capacity by section A5, row by row; sizes by A4. The examples are in data/capacity.yaml."""

from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.engine import capacity
from ddbmig.engine.capacity import (
    average_pages,
    average_query_units,
    batch_get_units,
    index_entry,
    index_write_units,
    page_sizes,
    query_units,
    read_units,
    transactional_write_units,
    write_units,
)
from ddbmig.model.encodings import item_size, size_of

EXAMPLES = yaml.safe_load((Path(__file__).parent / "data" / "capacity.yaml").read_text("utf-8"))


def examples(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", EXAMPLES[kind], ids=[case["name"] for case in EXAMPLES[kind]])


def plain(value: dict[str, Any]) -> Any:
    """A value in DynamoDB's notation as the Python type that boto3 makes of it."""
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return Decimal(inner)
        case "B":
            return inner.encode()
        case "NULL":
            return None
        case "L":
            return [plain(one) for one in inner]
        case "M":
            return {name: plain(one) for name, one in inner.items()}
        case "SS":
            return set(inner)
        case "NS":
            return {Decimal(one) for one in inner}
        case _:
            return inner


@examples("sizes")
def test_sizes(case: dict[str, Any]) -> None:
    assert size_of(plain(case["value"])) == case["bytes"]


@examples("operations")
def test_operations(case: dict[str, Any]) -> None:
    assert getattr(capacity, case["call"])(**case["given"]) == case["units"]


def entry(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """An index entry of just so many bytes: k, id and v are five bytes of names, key and id one each."""
    if given is None:
        return None
    found = {"k": given["k"], "id": "1", "v": "x" * (given["bytes"] - 6)}
    assert item_size(found) == given["bytes"]
    return found


@examples("index_writes")
def test_index_writes(case: dict[str, Any]) -> None:
    assert index_write_units(entry(case["before"]), entry(case["after"]), ("k", "id")) == case["units"]


@examples("writes_with_indexes")
def test_a_write_with_its_indexes(case: dict[str, Any]) -> None:
    item = entry({"k": "a", "bytes": case["item"]})
    entries = [index_entry(item, ("k",), ("id",), projection) for projection in case["projections"]]
    write = transactional_write_units if case["transactional"] else write_units
    found = [write(None, case["item"]), *(index_write_units(None, one, ("k", "id")) for one in entries)]
    assert found == case["units"]


def test_the_order_of_a_set_does_not_count() -> None:
    before, after = ({"k": "a", "id": "1", "v": members} for members in ({"x", "y"}, {"y", "x"}))
    assert index_write_units(before, after, ("k", "id")) == 0


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


# --- properties ---

SIZES = st.integers(0, 409_600)


@given(SIZES, SIZES)
def test_more_bytes_never_cost_less(a: int, b: int) -> None:
    small, large = sorted((a, b))
    assert read_units(small, consistent=False) <= read_units(large, consistent=False)
    assert write_units(None, small) <= write_units(small, large)
    assert read_units(small, consistent=True) == 2 * read_units(small, consistent=False)


@given(st.lists(SIZES.filter(bool), max_size=40), st.booleans())
def test_a_query_never_costs_more_than_its_items_one_by_one(sizes: list[int], consistent: bool) -> None:
    pages = list(page_sizes(sizes))
    assert sum(pages) == sum(sizes)
    assert all(page >= capacity.PAGE_BYTES for page in pages[:-1])
    assert query_units(sizes, consistent) <= max(batch_get_units(sizes, consistent), read_units(0, consistent))
    assert query_units(sizes, consistent) >= read_units(sum(sizes), consistent)


@given(st.integers(1, 3_000), st.integers(1, 409_600), st.booleans())
def test_equal_items_cost_what_their_average_does(items: int, size: int, consistent: bool) -> None:
    assert average_query_units(items, size, consistent) == query_units([size] * items, consistent)
    assert average_pages(items, size) == len(list(page_sizes([size] * items)))


@given(st.floats(0, 50), st.floats(1, 5_000))
def test_less_than_a_page_of_averages_is_rounded_once(items: float, size: float) -> None:
    assert average_query_units(items, size, consistent=True) == max(1, ceil(items * size / 4096))


WORDS = st.text("ab", max_size=2) | st.integers(0, 2_000).map(lambda n: "x" * n)
ITEMS = st.none() | st.fixed_dictionaries({"id": st.just("1")}, optional={"k": st.sampled_from("ab"), "v": WORDS,
                                                                        "w": WORDS})  # fmt: skip


@given(ITEMS, ITEMS)
def test_a_wider_projection_never_costs_less(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    def units(projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]) -> int:
        entries = [index_entry(item, ("k",), ("id",), projection, ("v",)) for item in (before, after)]
        return index_write_units(entries[0], entries[1], ("k", "id"))

    assert 0 <= units("KEYS_ONLY") <= units("INCLUDE") <= units("ALL")


@given(ITEMS, ITEMS)
def test_an_index_costs_no_more_than_a_delete_and_a_put(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    entries = [index_entry(item, ("k",), ("id",), "ALL") for item in (before, after)]
    apart = index_write_units(entries[0], None, ("k", "id")) + index_write_units(None, entries[1], ("k", "id"))
    assert index_write_units(entries[0], entries[1], ("k", "id")) <= apart
