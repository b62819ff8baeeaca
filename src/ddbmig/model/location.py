"""Places in files."""

from ddbmig.model.base import Value


class Location(Value):
    """A place in a text file: its name, or its POSIX path relative to the source root; line and column from 1."""

    file: str
    line: int
    column: int = 1
