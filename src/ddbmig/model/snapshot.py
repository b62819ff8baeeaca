"""Stage 1: the MySQL world as evidence."""

from collections.abc import Mapping
from typing import Any, ClassVar

from ddbmig.model.base import Document, Value
from ddbmig.model.context import Context, Pricing, Requirement, Scope, Workload
from ddbmig.model.digest import Digest
from ddbmig.model.pattern import AccessPattern, Skipped
from ddbmig.model.schema import Schema
from ddbmig.model.statistics import TableStatistics


class InputFile(Value):
    """Provenance of one input: base name, role and SHA-256 of the bytes as stored."""

    role: str
    name: str
    sha256: str
    bytes: int


class Connection(Value):
    """The server that was read, without credentials; None in a snapshot made from files only."""

    server_version: str
    settings: Mapping[str, str] = {}
    collected_on: str | None = None
    """The server's day (UTC) when it was read."""
    not_told: tuple[str, ...] = ()
    """What the server did not tell, and why, a sentence each."""


class ScopedOut(Value):
    """A table that is not migrated, and why."""

    table: str
    why: str
    stays_on_mysql: bool


class Snapshot(Document):
    """Everything known of the MySQL side. `patterns` are the understood templates of `digest`; every statement of the
    logs is in a pattern's template or in `skipped`."""

    SCHEMA_VERSION: ClassVar[int] = 1
    PROVENANCE: ClassVar[Mapping[str, Any]] = {
        "inputs": True,
        "connection": {"collected_on"},
        "tables": {
            "tables": {
                "__all__": {
                    "file": True,
                    "line": True,
                    "at_column": True,
                    "indexes": {"__all__": {"at"}},
                    "foreign_keys": {"__all__": {"at"}},
                }
            },
            "objects": {"__all__": {"file", "line"}},
            "problems": {"__all__": {"file", "line"}},
        },
        "digest": {"sources": {"__all__": {"sha256", "bytes"}}, "problems": {"__all__": {"file", "line", "offset"}}},
    }

    schema_version: int = 1
    inputs: tuple[InputFile, ...] = ()
    connection: Connection | None = None
    tables: Schema
    scoped_out: tuple[ScopedOut, ...] = ()
    statistics: Mapping[str, TableStatistics] = {}
    """By table id."""
    digest: Digest
    patterns: tuple[AccessPattern, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    context: Context = Context()
    workload: Workload = Workload()
    pricing: Pricing = Pricing()
    scope: Scope = Scope()

    def requirement_of(self, pattern: AccessPattern) -> Requirement | None:
        """The strictest declared latency of a table that the pattern names."""
        names = {table.id: {"*", table.id, table.name} for table in self.tables.tables}
        wanted = set[str]().union(*(names.get(ref.table, set()) for ref in pattern.refs))
        fitting = [one for one in self.context.requirements if one.table in wanted]
        return min(fitting, key=lambda one: (one.p99_ms, one.table), default=None)
