"""How fast stage 4 is: items loaded a second, and seconds until everything is proved, per application.

`python benchmarks/bench_validation.py FOLDER…` takes analysed applications: folders with `snapshot.json` and
`design.json`, each followed by `=` and the dump of its rows. Stage 4 runs again on DynamoDB Local, with the embedded
SQLite.
"""

import sys
import time
from pathlib import Path

from ddbmig.analyzers.snapshot import Sources
from ddbmig.model.design import Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import STATUSES
from ddbmig.validators.engines import open_engine
from ddbmig.validators.source import SourceRows
from ddbmig.validators.validate import read_data, validate


def measure(folder: Path, dump: Path) -> None:
    """Validate once and print one row."""
    snapshot = Snapshot.from_file(folder / "snapshot.json")
    design = Design.from_file(folder / "design.json")
    rows = Sources(schema_files=[], data=[(dump, dump.name)]).data_rows(snapshot.tables) or ()
    data = read_data(snapshot, rows, SourceRows(snapshot.tables))
    marks: list[float] = []

    def mark(text: str, done: int = 0, of: int = 0) -> None:
        if not of:  # a step begins
            marks.append(time.monotonic())

    with open_engine("jar") as engine:
        found = validate(snapshot, design.alternative(design.chosen), engine, data, mark)
    items, seconds = sum(load.items_written for load in found.loads), time.monotonic() - marks[0]
    counts = [str(sum(p.status == status for p in found.patterns)) for status in STATUSES]
    print(f"{folder.name:24}{items:>9}{items / (marks[1] - marks[0]):>9.0f}{seconds:>9.1f}  {' '.join(counts)}")


def main() -> int:
    """Measure each application named."""
    print(f"{'application':24}{'items':>9}{'items/s':>9}{'proof s':>9}  {' '.join(STATUSES)}")
    for word in sys.argv[1:]:
        folder, _, dump = word.partition("=")
        measure(Path(folder), Path(dump))
    return 0


if __name__ == "__main__":
    sys.exit(main())
