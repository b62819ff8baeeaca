"""Capacity units of single operations, by sections A4 to A6 of the DynamoDB facts. Pure arithmetic on sizes in bytes.

A size is exact where the item is at hand (`encodings.item_size`). A design is estimated with average sizes, and those
are rounded as if every item had just that size: the mean of the true units differs where sizes vary round a block's
edge, to either side. `average_query_units` adds before it rounds, as DynamoDB does.

The sources behind the rules are AWS's documentation, AWS's own DynamoDB skill ("verified against live DynamoDB") and
two independent re-implementations; where they or DynamoDB Local disagree, the function says so.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from math import ceil
from typing import Any, Literal

from ddbmig.model.encodings import item_size

READ_BLOCK = 4096
WRITE_BLOCK = 1024
PAGE_BYTES = 1 << 20
"""A Query or Scan page ends at 1 MB read (A6)."""


def read_blocks(size: float) -> int:
    """Blocks of 4 KB that some bytes fill, at least one."""
    return max(1, ceil(size / READ_BLOCK))


def write_blocks(size: float) -> int:
    """Blocks of 1 KB that some bytes fill, at least one."""
    return max(1, ceil(size / WRITE_BLOCK))


# --- reads ---


def read_units(size: float, consistent: bool) -> float:
    """Units to read `size` bytes in one GetItem, or one page of a Query or Scan: its blocks; half of them if eventual.

    An item that is not there has no bytes and costs the minimum: 1, or 0.5 if eventual.
    """
    return float(read_blocks(size)) if consistent else read_blocks(size) / 2


def transactional_read_units(size: float) -> int:
    """Units to read one item in TransactGetItems: twice those of a strongly consistent read."""
    return 2 * read_blocks(size)


def batch_get_units(sizes: Iterable[float], consistent: bool) -> float:
    """Units of a BatchGetItem: each item is rounded by itself; one that is not there has size 0 and is charged too.

    DynamoDB Local charges nothing for an item that is not there.
    """
    return sum(read_units(size, consistent) for size in sizes)


def query_units(sizes: Iterable[float], consistent: bool) -> float:
    """Units of a Query or Scan over a table that reads items of these sizes, in their order, to the end.

    What counts is what is read, before filter and projection; each page of 1 MB is a call and rounded once. One that
    finds nothing costs the minimum: so AWS's skill and an independent re-implementation; DynamoDB Local reports 0.0.
    """
    return sum(read_units(size, consistent) for size in page_sizes(sizes))


def gsi_query_units(entry_sizes: Iterable[float]) -> float:
    """Units of a Query or Scan over a GSI: the bytes of its entries, and never strongly consistent."""
    return query_units(entry_sizes, consistent=False)


def page_sizes(sizes: Iterable[float]) -> Iterator[float]:
    """The bytes of each page of a Query or Scan; one empty page where nothing is read.

    The item that reaches 1 MB still belongs to its page: measured on DynamoDB Local 3.3.1, where four items of 300,000
    bytes make a page. AWS's documentation says 1 MB or less; the difference is at most a block a page.
    """
    page, open_ = 0.0, True
    for size in sizes:
        page, open_ = page + size, True
        if page >= PAGE_BYTES:
            yield page
            page, open_ = 0.0, False
    if open_:
        yield page


def average_pages(items: float, size: float) -> int:
    """Calls, one after the other, of a Query or Scan that reads so many items of an average size."""
    return max(1, ceil(items / ceil(PAGE_BYTES / size)))


def average_query_units(items: float, size: float, consistent: bool) -> float:
    """Units of a Query or Scan that reads so many items of an average size: their sum is rounded, page by page."""
    per_page = ceil(PAGE_BYTES / size)
    pages = int(items // per_page)
    rest = items - pages * per_page
    last = read_units(rest * size, consistent) if rest or not pages else 0.0
    return pages * read_units(per_page * size, consistent) + last


# --- writes of an item ---


def write_units(before: float | None, after: float | None) -> int:
    """Units to write one item, its indexes apart: blocks of 1 KB of the larger image. None: no such image.

    PutItem and UpdateItem pay for the larger of both images; DeleteItem has the old one only (`delete_units`).
    """
    return write_blocks(max(before or 0, after or 0))


def delete_units(size: float | None, *, expired: bool) -> int:
    """Units to delete one item, its indexes apart: those of the old image; 1 where there is none (size None).

    DynamoDB itself deletes what is past its time to live (`expired`) free of charge in the item's own Region, its index
    entries too.
    """
    return 0 if expired else write_units(size, None)


def failed_write_units(existing: float | None, new: float | None) -> int:
    """Units of a write whose condition does not hold: those of the write that was not made, without its indexes.

    AWS's skill charges the existing item, or the new one where there is none, readers of AWS's documentation the larger
    of both; this takes the larger.
    """
    return write_units(existing, new)


def batch_write_units(images: Iterable[tuple[float | None, float | None]]) -> int:
    """Units of a BatchWriteItem, its indexes apart: each put or delete as if alone; (bytes before, bytes after)."""
    return sum(write_units(before, after) for before, after in images)


def transactional_write_units(before: float | None, after: float | None) -> int:
    """Units to write one item in TransactWriteItems: twice those of the write alone.

    The double price is that of the base table only; index entries cost what they cost elsewhere (`index_write_units`):
    so AWS's skill and an independent capture. AWS's prose, and DynamoDB Local, double the indexes too.
    """
    return 2 * write_units(before, after)


def condition_check_units(size: float | None) -> int:
    """Units of a ConditionCheck in TransactWriteItems on an item of so many bytes (None: it is not there)."""
    return transactional_write_units(size, None)


def replay_units(sizes: Iterable[float]) -> int:
    """READ units of a TransactWriteItems sent again with the same token: a transactional read of each item."""
    return sum(transactional_read_units(size) for size in sizes)


# --- writes of an index ---


def index_entry(
    item: Mapping[str, Any] | None,
    index_keys: Collection[str],
    table_keys: Collection[str],
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"],
    projected: Collection[str] = (),
) -> dict[str, Any] | None:
    """The entry an index holds for `item`, or None where the item lacks an index key attribute (sparse index).

    The keys of the table are in every entry.
    """
    if item is None or any(name not in item for name in index_keys):
        return None
    if projection == "ALL":
        return dict(item)
    kept = {*index_keys, *table_keys, *(projected if projection == "INCLUDE" else ())}
    return {name: value for name, value in item.items() if name in kept}


def index_write_units(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, keys: Collection[str]) -> int:
    """Units that one index takes to follow a write, from its entry before to its entry after; `keys` are all its keys.

    | entry before → after | units |
    |---|---|
    | absent → absent | 0 |
    | absent → present, or present → absent | the entry's blocks |
    | the same content (the order of a set does not count) | 0 |
    | same key, other content | the larger entry's blocks |
    | another key | the blocks of both: a delete and a put |
    """
    if before is None and after is None:
        return 0
    if before is None or after is None:
        return write_blocks(item_size(before or after or {}))
    if before == after:
        return 0
    blocks = [write_blocks(item_size(entry)) for entry in (before, after)]
    return max(blocks) if all(before[key] == after[key] for key in keys) else sum(blocks)
