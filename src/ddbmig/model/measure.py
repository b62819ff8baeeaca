"""Numbers that a user sees: each knows its unit, where it came from and how sure it is."""

from typing import Literal

from ddbmig.model.base import Value

Source = Literal["measured", "declared", "assumed"]
"""measured from an input, declared by the user, or assumed by default."""


class Measure(Value):
    """A number with its unit, its source and, in `origin`, the input or default it came from."""

    value: float
    unit: str
    source: Source
    origin: str
