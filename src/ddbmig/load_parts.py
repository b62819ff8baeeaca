"""A load into files: DynamoDB-JSON parts for S3, with the ImportTable request and the totals of each table.

One part holds the items of one chunk of rows in an order that spreads over the partitions, and is replaced as a whole:
a load that goes on writes the same bytes under the same name.
"""

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ddbmig.load_targets import Sink, shuffled, table_design
from ddbmig.loaders.batch_writer import Refused
from ddbmig.loaders.chunks import Tally
from ddbmig.loaders.encoder import EncodedItem
from ddbmig.loaders.endpoint import table_request
from ddbmig.model.contract import ContractEntry
from ddbmig.model.errors import UsageError
from ddbmig.project import write_file

Compression = Literal["gzip", "zstd"]
MOST_PARTS = 50_000
"""Objects that one ImportTable request takes."""
BUCKET = "BUCKET"
"""Stands in a request for the bucket that nobody has named yet."""
REQUEST, TOTALS = "import-table.json", "totals.json"
_DATA = "data"
_ENDINGS: Final[Mapping[Compression, str]] = {"gzip": ".json.gz", "zstd": ".json.zst"}
_GZIP_LEVEL, _ZSTD_LEVEL = 1, 1
"""Quick ones: parts are read once."""


@dataclass(frozen=True)
class PartsTarget:
    """A folder with a folder for each table. `bucket` and `below` are where its content will be in S3."""

    folder: Path
    compression: Compression = "gzip"
    bucket: str = BUCKET
    below: str = ""
    prefix: str = ""

    @property
    def identity(self) -> Mapping[str, Any]:
        """The folder, and how its parts are packed."""
        return {"target": str(self.folder.resolve()), "prefix": self.prefix, "compression": self.compression}

    def prepare(
        self, entries: Sequence[ContractEntry], indexes: Sequence[ContractEntry], *, ours: bool, begun: bool,
        done: Mapping[str, int],
    ) -> None:  # fmt: skip
        """Take away the parts of an earlier load of ours beyond what it had finished; refuse those of others."""
        for entry in entries:
            for part in self._parts(entry):
                if not ours:
                    hint = "remove them, or name another folder with --export"
                    raise UsageError("the folder holds parts that this load did not write",
                                     file=str(part.parent), hint=hint)  # fmt: skip
                if not begun or _first_row(part) > done.get(entry.source_table, 0):
                    part.unlink()
            self.data_of(entry).mkdir(parents=True, exist_ok=True)

    def open(self) -> Sink:
        """What packs and writes parts in this process."""
        return _PartsSink(self)

    def finish(
        self, entries: Sequence[ContractEntry], indexes: Sequence[ContractEntry], tallies: Mapping[str, Tally]
    ) -> None:
        """Write the request and the totals of each table. Raises UsageError where a request cannot take all parts."""
        for entry in entries:
            for torn in self.data_of(entry).glob(".*.tmp"):  # what a killed process had not written to its end
                torn.unlink(missing_ok=True)
            parts = sorted(self._parts(entry))
            if len(parts) > MOST_PARTS:
                hint = "make a new snapshot, whose counts of rows say how many go into a part, and load with --restart"
                raise UsageError(f"{len(parts):,} parts are more than one ImportTable request takes",
                                 subject=entry.table, expected=f"at most {MOST_PARTS:,}", hint=hint)  # fmt: skip
            folder = self.data_of(entry).parent
            write_file(folder / REQUEST, _json(self.import_request(entry, indexes)))
            write_file(folder / TOTALS, _json(self._totals(entry, tallies[entry.table], parts)))

    def import_request(self, entry: ContractEntry, indexes: Sequence[ContractEntry]) -> dict[str, Any]:
        """The parameters of ImportTable for a table, as `aws dynamodb import-table --cli-input-json` takes them."""
        keys = f"{self.below}/" if self.below else ""
        return {
            "S3BucketSource": {"S3Bucket": self.bucket, "S3KeyPrefix": f"{keys}{self.prefix}{entry.table}/{_DATA}/"},
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": self.compression.upper(),
            "TableCreationParameters": table_request(table_design(entry, indexes), self.prefix + entry.table),
        }

    def _totals(self, entry: ContractEntry, tally: Tally, parts: Sequence[Path]) -> dict[str, Any]:
        """What must come out of an import: its ImportedItemCount is `items`, its ErrorCount 0."""
        counted = asdict(tally)
        counted["checksum"] = f"{tally.checksum:016x}"
        return {
            "table": self.prefix + entry.table, "source_table": entry.source_table, **counted, "objects": len(parts),
            "object_bytes": sum(part.stat().st_size for part in parts),
        }  # fmt: skip

    def data_of(self, entry: ContractEntry) -> Path:
        """The folder of a table's parts."""
        return self.folder / (self.prefix + entry.table) / _DATA

    def part_of(self, entry: ContractEntry, first: int) -> Path:
        """The part of the chunk whose first row has this place. Names of neighbours are far apart, since an import
        that goes by names would else meet the partitions one after the other."""
        spread = hashlib.blake2b(str(first).encode(), digest_size=3).hexdigest()
        return self.data_of(entry) / f"{spread}-{first:012}{_ENDINGS[self.compression]}"

    def _parts(self, entry: ContractEntry) -> Iterator[Path]:
        found = self.data_of(entry)
        return (path for path in found.glob("*.json.*") if found.is_dir() and not path.name.startswith("."))


def _first_row(part: Path) -> int:
    digits = part.name.partition("-")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() else 0


class _PartsSink:
    def __init__(self, target: PartsTarget) -> None:
        self._target = target
        self._pack = _gzip if target.compression == "gzip" else _zstd

    def write(self, entry: ContractEntry, items: Sequence[EncodedItem], first: int) -> Refused:
        """One part; nothing is ever refused."""
        if items:
            order = shuffled(len(items), f"{entry.table}:{first}")
            lines = b"".join([b'{"Item":%b}\n' % items[index].text for index in order])
            write_file(self._target.part_of(entry, first), self._pack(lines))
        return []

    def close(self) -> None:
        """Nothing is held."""


def _gzip(data: bytes) -> bytes:
    """Without the time of day."""
    return gzip.compress(data, _GZIP_LEVEL, mtime=0)


if sys.version_info >= (3, 14):

    def _zstd(data: bytes) -> bytes:
        from compression.zstd import compress

        return compress(data, _ZSTD_LEVEL)

else:

    def _zstd(data: bytes) -> bytes:
        from zstandard import ZstdCompressor

        return ZstdCompressor(level=_ZSTD_LEVEL).compress(data)


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
