"""Items by ranges of their keys: counts and sums of checksums, which depend on no order, and the items of some ranges.

A key range is a 4,096th of the hashes of items' keys.
"""

import hashlib
from collections.abc import Collection, Sequence

from ddbmig.loaders.dynamodb_json import checksum

RANGES = 4096


def key_range(key: bytes) -> int:
    """The range of an item by the text of its key: 12 bits of a hash."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=2).digest(), "big") % RANGES


class Side:
    """The items of one table on one side. `looked` are the ranges whose items are kept."""

    def __init__(self, looked: Collection[int] = ()) -> None:
        import numpy as np  # heavy

        self.looked = looked
        self._counts = np.zeros(RANGES, np.int64)
        self._sums = np.zeros(RANGES, np.uint64)
        self.kept: dict[bytes, bytes] = {}
        """The texts of items, by the texts of their keys."""

    def add(self, items: Sequence[tuple[bytes, bytes]]) -> None:
        """Take items, each as the text of its key and its own."""
        import numpy as np

        ranges = [key_range(key) for key, _ in items]
        np.add.at(self._counts, ranges, 1)
        np.add.at(self._sums, ranges, np.array([checksum(text) for _, text in items], np.uint64))
        if self.looked:
            self.kept.update(item for item, at in zip(items, ranges, strict=True) if at in self.looked)

    @property
    def count(self) -> int:
        """How many items there are."""
        return int(self._counts.sum())

    def differing(self, other: "Side") -> set[int]:
        """The ranges in which the other side has other items."""
        unlike = (self._counts != other._counts) | (self._sums != other._sums)
        return set(map(int, unlike.nonzero()[0]))
