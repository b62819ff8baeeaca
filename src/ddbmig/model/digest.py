"""The digest of a query log: what was asked, how often, with what effect. Holds no literal value.

A digest is a monoid: merging the digests of the parts of a log, in order and in any grouping, gives the same bytes.
Times are whole microseconds since 1970 (UTC), because sums of floats depend on grouping.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from ddbmig.model.base import Document, Value
from ddbmig.model.schema import InputProblem

Verb = Literal["select", "insert", "replace", "update", "delete", "call", "set", "show", "transaction", "ddl", "admin",
               "other"]  # fmt: skip


class KeyValues(Value):
    """The values asked for through one placeholder: total, and the heaviest as {keyed hash: calls}.

    `top` is exact while `floor` is 0, else estimated from `sample`, which holds the calls whose own hash ends in at
    least `floor` zero bits: per value the calls by number of zero bits, from `floor` up. Two samples merge exactly.
    """

    total: int
    top: Mapping[str, int]
    floor: int = 0
    sample: Mapping[str, tuple[int, ...]] = {}


class TemplateDigest(Value):
    """One normalised statement in one database.

    `id` is the first 12 hex digits of SHA-256 of `schema_name`, a newline and `sql`. In `sql` every literal is `?`, a
    list of literals in IN or VALUES is one `(?)` or one row, keywords and identifiers stand as first written,
    comments are gone and white space is folded.
    """

    id: str
    schema_name: str
    sql: str
    verb: Verb
    calls: int
    first_us: int | None = None
    last_us: int | None = None
    minutes: Mapping[str, int] = {}
    """Calls per minute since 1970, the key in decimal."""
    peak_second_calls: int = 0
    """The longest run of calls that carry the same second, in log order."""
    edge_seconds: tuple[int, ...] = ()
    """Second and run length of the first and of the last such run: what `merge` needs to join them at a border."""
    users: tuple[str, ...] = ()
    query_us: int | None = None
    """Sum of execution times; None where the source does not tell."""
    latency: Mapping[str, int] = {}
    """Histogram of execution times: bucket n (decimal) counts times in (1.02^(n-1), 1.02^n] microseconds."""
    rows_sent: int | None = None
    rows_examined: int | None = None
    rows_affected: int | None = None
    timed_calls: int = 0
    """How many of the calls had times and row counts (those from a slow log)."""
    list_length_sum: int = 0
    list_length_max: int = 0
    """Members of the collapsed IN list, or rows of the collapsed VALUES, summed over the calls."""
    limit_max: int | None = None
    """The largest LIMIT seen."""
    offset_calls: int = 0
    """Calls with a LIMIT offset above 0."""
    values: Mapping[str, KeyValues] = {}
    """Per placeholder index (decimal) the values asked for."""


class Unit(Value):
    """Statements that belong together: one transaction, or one N+1 run (a statement and its per-row follow-ups).

    `calls` maps the template ids of the set to the number of calls summed over all `count` occurrences. A statement
    outside of any unit is a unit of its own and is not listed.
    """

    kind: Literal["transaction", "n_plus_1"]
    outcome: Literal["commit", "rollback", "open"] = "commit"
    calls: Mapping[str, int]
    count: int


class NPlusOne(Value):
    """Template `inner` ran once for each row of `outer`'s result, on the same connection, `times` times."""

    outer: str
    inner: str
    times: int
    executions: int
    """Calls of `inner` in those runs."""
    rows_matched: int
    """How many of the runs were as long as `outer` had sent rows (known from a slow log only)."""


class Neighbours(Value):
    """`calls` of template `first` and of `second` on one connection within one second, in different units."""

    first: str
    second: str
    calls: int


class DigestSource(Value):
    """One log that went in. `skipped` counts statements that are no access pattern, per named reason."""

    kind: Literal["slow", "general", "performance_schema", "declared"]
    name: str
    """The file's base name."""
    sha256: str
    bytes: int
    events: int
    statements: int
    """Query and Execute events, or slow-log events that are SQL: every one is in a template or in `skipped`."""
    skipped: Mapping[str, int] = {}
    first_us: int | None = None
    last_us: int | None = None
    flavour: str = ""
    """What the header said of the server, e.g. `MySQL 9.7.4`."""


class Digest(Document):
    """What one or more logs say. Templates are ordered by id, units and runs canonically."""

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = 1
    sources: tuple[DigestSource, ...] = ()
    templates: tuple[TemplateDigest, ...] = ()
    units: tuple[Unit, ...] = ()
    runs: tuple[NPlusOne, ...] = ()
    neighbours: tuple[Neighbours, ...] = ()
    problems: tuple[InputProblem, ...] = ()
    notes: tuple[str, ...] = ()
    """What these sources cannot know, in sentences for the report."""
