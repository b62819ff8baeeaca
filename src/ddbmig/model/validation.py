"""Stage 4: what running the design showed."""

from typing import ClassVar, Literal

from ddbmig.model.assessment import Finding
from ddbmig.model.base import Document, Value
from ddbmig.model.consistency import Consistency
from ddbmig.model.evolution import Evolution
from ddbmig.model.pattern import Reason
from ddbmig.model.replay import Replay
from ddbmig.model.simulation import Simulation

Status = Literal["proved", "mismatched", "not proved", "routed"]
STATUSES: tuple[Status, ...] = ("proved", "mismatched", "not proved", "routed")


class LoadResult(Value):
    """Rows of one MySQL table turned into items of one DynamoDB table."""

    table: str
    source_table: str
    rows: int
    filtered: int
    """Rows that by the contract have no item (a NULL unique key)."""
    rejected: int
    reject_reasons: tuple[str, ...] = ()
    items_written: int
    items_found: int
    """Items counted in the table after loading."""
    source_rows_limited: bool = False
    """True where only the first rows of the source were loaded."""


class Difference(Value):
    """The smallest parameter set found on which plan and SQL differ. Holds no value of the data.

    The same inputs and seed make the same parameters again: run `run` of the pattern, or the boundary case named.
    """

    case: str
    """`sampled parameters`, or what is special about the set."""
    run: int
    """The sampled set, counted from 1, that it is or was made from."""
    seed: str
    parameters: tuple[str, ...]
    """Type and length of each."""
    what: str
    """The two results, described."""


class PatternResult(Value):
    """One plan run beside its SQL, with sampled and boundary parameters.

    `proved`: every run gave what SQL promises. `mismatched`: one did not. `not proved`: it could not be told, and
    `why`. `routed`: there is no plan, for `reason`.
    """

    pattern: str
    status: Status
    runs: int
    """Runs with sampled parameters."""
    boundary_runs: int = 0
    rows_sql: int
    """Rows returned or affected by SQL, over all runs with sampled parameters."""
    rows_plan: int
    why: str = ""
    reason: Reason | None = None
    limits: tuple[str, ...] = ()
    """What the proof does not extend to: differences that the design declares beforehand."""
    untried: tuple[str, ...] = ()
    """Boundary cases that one side could not run, and why."""
    difference: Difference | None = None
    generated: bool = False
    """Whether a table that it names held generated rows only."""
    calls: int = 0
    predicted_read_units: float = 0.0
    consumed_read_units: float = 0.0
    predicted_write_units: float = 0.0
    consumed_write_units: float = 0.0
    capacity_differs: int = 0
    """Operations whose consumed units differ from the arithmetic of A5, known differences of the engine apart."""


class RoundTrip(Value):
    """The rows of one MySQL table, recovered from the items of its entity table and compared value by value."""

    table: str
    source_table: str
    rows: int
    recovered: int
    """Rows that came back with every value."""
    missing: int
    """Rows that have no item."""
    differing: int
    """Rows that came back otherwise."""
    columns: tuple[str, ...] = ()
    """Columns in which they differ."""
    unexpected: int = 0
    """Items that no row made."""
    orphans: int = 0
    """Rows whose declared parent is not there; they are migrated as they are."""
    null_keys: int = 0
    """Rows with NULL in a unique key, which have no item in its look-up table."""


class StateResult(Value):
    """One table after all writes: items due by the SQL side's rows, those missing, and those that should not be."""

    table: str
    items: int
    missing: int
    unexpected: int


class Check(Value):
    """One line of the guide's stage 4: its verdict and the evidence, or why it was not analysed."""

    name: str
    verdict: Literal["passed", "failed", "not analysed"]
    evidence: str


class Validation(Document):
    """Stage 4's value. `seed` reproduces the sampled parameters."""

    SCHEMA_VERSION: ClassVar[int] = 2

    schema_version: int = 2
    engine: str
    engine_warning: str | None = None
    alternative: str
    seed: int
    tables_created: int
    indexes_created: int
    loads: tuple[LoadResult, ...] = ()
    sql_side: str = ""
    """The database that ran the SQL, with its version; empty where none did."""
    sql_differences: tuple[str, ...] = ()
    """In what it may differ from the application's MySQL."""
    patterns: tuple[PatternResult, ...] = ()
    generated_tables: tuple[str, ...] = ()
    """MySQL tables that held no row in the data, or of which none was given: their rows were generated."""
    round_trip: tuple[RoundTrip, ...] = ()
    state: tuple[StateResult, ...] = ()
    capacity_operations: int = 0
    capacity_known_differences: tuple[str, ...] = ()
    simulation: Simulation | None = None
    consistency: Consistency | None = None
    replay: Replay | None = None
    evolution: Evolution | None = None
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
