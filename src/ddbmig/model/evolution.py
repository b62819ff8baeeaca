"""Stage 4: changes of the loaded design, tried and taken back, with the old plans running beside the new shape."""

from collections.abc import Mapping
from typing import Literal

from ddbmig.model.base import Value

Kind = Literal["add a column", "remove a column", "rename a column", "retype a column", "add an access pattern",
               "split a copy", "change a key"]  # fmt: skip
"""The changes that are tried; each that rewrites items is a backfill."""


class Change(Value):
    """One change that was made and undone on the engine."""

    kind: Kind
    table: str
    subject: str
    """What changes: `title -> title_2`."""
    steps: tuple[str, ...]
    """In order; where readers and writers are released between them, it is said."""
    rollback: str
    """How to go back, and until when."""
    items: int
    """Items that were rewritten, copied or entered in the index, of those loaded."""
    compared: int
    """Answers and items that were compared on the way."""
    wrong: tuple[str, ...] = ()
    """What was not as before the change; empty: everything."""
    write_units: float
    """WRU for the design's number of items."""
    read_units: float
    """RRU of the Scan that finds them."""


class Evolution(Value):
    """All changes that were tried, and why others were not."""

    seed: int
    probes: int = 0
    """Access patterns whose answers were compared before, in between and after."""
    changes: tuple[Change, ...] = ()
    left_out: Mapping[Kind, str] = {}
