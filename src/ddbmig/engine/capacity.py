"""Capacity units of single operations, by section A5 of the DynamoDB facts. Pure arithmetic on sizes in bytes."""

from collections.abc import Collection, Mapping
from math import ceil
from typing import Any, Literal

from ddbmig.model.encodings import item_size

READ_BLOCK = 4096
WRITE_BLOCK = 1024
PAGE_BYTES = 1 << 20
"""A Query or Scan page ends at 1 MB read (A6)."""


def read_units(size: float, consistent: bool) -> float:
    """Units to read `size` bytes in one GetItem, Query or Scan call: blocks of 4 KB, at least one; half if eventual."""
    blocks = max(1, ceil(size / READ_BLOCK))
    return float(blocks) if consistent else blocks / 2


def write_units(before: float | None, after: float | None) -> int:
    """Units to write the base item: blocks of 1 KB of the larger image, at least one. None: no such image."""
    return max(1, ceil(max(before or 0, after or 0) / WRITE_BLOCK))


def index_entry(
    item: Mapping[str, Any] | None,
    index_keys: Collection[str],
    table_keys: Collection[str],
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"],
    projected: Collection[str] = (),
) -> dict[str, Any] | None:
    """The entry an index holds for `item`, or None where the item lacks an index key attribute (sparse index)."""
    if item is None or any(name not in item for name in index_keys):
        return None
    if projection == "ALL":
        return dict(item)
    kept = {*index_keys, *table_keys, *(projected if projection == "INCLUDE" else ())}
    return {name: value for name, value in item.items() if name in kept}


def index_write_units(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, keys: Collection[str]) -> int:
    """Units that one index takes to follow a write, from its entry before to its entry after (the table of A5)."""
    if before is None and after is None:
        return 0
    if before is None or after is None:
        return max(1, ceil(item_size(before or after or {}) / WRITE_BLOCK))
    if before == after:
        return 0
    sizes = [max(1, ceil(item_size(entry) / WRITE_BLOCK)) for entry in (before, after)]
    return max(sizes) if all(before[key] == after[key] for key in keys) else sum(sizes)
