"""Cells of rows as one line of JSON, and back: for what is kept between two steps of a load."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ddbmig.model.encodings import Cell


def cells_text(cells: Iterable[Cell]) -> str:
    """Cells as a JSON list."""
    return json.dumps([_plain(cell) for cell in cells])


def cells_of(text: str) -> list[Cell]:
    """The cells that `cells_text` was given."""
    return [_cell(found) for found in json.loads(text)]


def _plain(cell: Cell) -> Any:
    if isinstance(cell, bytes):
        return {"bytes": cell.hex()}
    return {"decimal": str(cell)} if isinstance(cell, Decimal) else cell


def _cell(found: Any) -> Any:
    if not isinstance(found, dict):
        return found
    return Decimal(found["decimal"]) if "decimal" in found else bytes.fromhex(found["bytes"])
