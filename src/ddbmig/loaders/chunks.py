"""A chunk of rows to the items of one contract entry: what becomes of every row is counted, and said where it has none.

Rejected rows have no item, rows that the entry's filter leaves out are meant to have none, and incomplete ones have an
item without what was to be copied from a row that is not there.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Self

from ddbmig.loaders.dynamodb_json import checksum
from ddbmig.loaders.encoder import EncodedItem, Encoder, Row
from ddbmig.model.encodings import row_digest
from ddbmig.model.errors import InputError

_WRAP = 1 << 64
Earlier = Callable[[bytes], int]
"""Notes the key of an item, and says how many earlier rows had it."""


class Reject(NamedTuple):
    """A row that was rejected, or whose item is incomplete; nothing of its content."""

    entry: str
    """The contract's table."""
    source: str
    """The MySQL table."""
    row: int
    """Its place in the order of the primary key, from 1."""
    key: str
    """A keyed hash of its primary key."""
    reason: str
    written: bool
    """Whether it has an item, which is then incomplete."""


@dataclass
class Tally:
    """What became of rows, in numbers: rows = items + rejected + filtered."""

    rows: int = 0
    filtered: int = 0
    rejected: int = 0
    incomplete: int = 0
    items: int = 0
    bytes: int = 0
    """Of the items as DynamoDB JSON."""
    checksum: int = 0
    """The sum of the items' checksums modulo 2^64."""

    def __add__(self, other: Self) -> "Tally":
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return Tally(**{**sums, "checksum": sums["checksum"] % _WRAP})


@dataclass
class Made:
    """The items of a chunk, each with the place of its row in the chunk."""

    places: list[int] = field(default_factory=list)
    items: list[EncodedItem] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


class RowKeys:
    """Names rows without saying anything of them: a hash of the primary key, keyed with the project's key."""

    def __init__(self, encoder: Encoder, secret: bytes) -> None:
        table = encoder.table
        names = [column.name.lower() for column in table.columns]
        self._places = [names.index(name.lower()) for name in table.primary_key] or list(range(len(names)))
        self._secret = secret[: hashlib.blake2b.MAX_KEY_SIZE]

    def name(self, row: Row) -> str:
        """32 hexadecimal digits."""
        cells = [row[place] for place in self._places]
        return hashlib.blake2b(row_digest(cells).encode(), digest_size=16, key=self._secret).hexdigest()


def make_items(
    encoder: Encoder, rows: Sequence[Row], first: int, keys: RowKeys, earlier: Earlier | None = None
) -> Made:
    """The items of rows, the first of which has the place `first` in its table.

    `earlier` is asked where two rows can have one key: the first of them has the item.
    """
    made = Made()
    tally, filters = made.tally, bool(encoder.entry.filter)
    tally.rows = len(rows)
    for place, row in enumerate(rows):
        if filters and not encoder.applies(row):
            tally.filtered += 1
            continue
        try:
            item = encoder.item(row)
            if earlier is not None and (before := earlier(item.key)):
                if not encoder.numbers_equal_rows:
                    raise InputError("another row has the same key")
                item = encoder.item(row, before)
        except InputError as error:
            made.rejects.append(_reject(encoder, row, first + place, keys, _why(error), False))
            tally.rejected += 1
            continue
        missing = encoder.orphaned(row)
        if missing:
            tally.incomplete += 1
            for table in missing:
                reason = f"no row of {table} to copy from"
                made.rejects.append(_reject(encoder, row, first + place, keys, reason, True))
        made.places.append(place)
        made.items.append(item)
        tally.items += 1
        tally.bytes += len(item.text)
        tally.checksum += checksum(item.text)
    tally.checksum %= _WRAP
    return made


def refuse(made: Made, encoder: Encoder, rows: Sequence[Row], first: int, keys: RowKeys,
           refused: Sequence[tuple[int, str]]) -> None:  # fmt: skip
    """Count items, by their index, as rejected that DynamoDB refused, with the reasons."""
    tally = made.tally
    for index, reason in refused:
        place, item = made.places[index], made.items[index]
        made.rejects.append(_reject(encoder, rows[place], first + place, keys, reason, False))
        tally.rejected += 1
        tally.items -= 1
        tally.bytes -= len(item.text)
        tally.checksum = (tally.checksum - checksum(item.text)) % _WRAP


def _reject(encoder: Encoder, row: Row, number: int, keys: RowKeys, reason: str, written: bool) -> Reject:
    return Reject(encoder.entry.table, encoder.entry.source_table, number, keys.name(row), reason, written)


def _why(error: InputError) -> str:
    return f"{error.message} ({error.subject})" if error.subject else error.message
