"""Stage 4: what running the design showed."""

from typing import ClassVar, Literal

from ddbmig.model.assessment import Finding
from ddbmig.model.base import Document, Value
from ddbmig.model.consistency import Consistency
from ddbmig.model.simulation import Simulation

Status = Literal["passed", "failed", "not compared", "not run"]


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


class PatternResult(Value):
    """One plan run with sampled parameters, beside its SQL run on the source rows."""

    pattern: str
    status: Status
    runs: int
    rows_sql: int
    """Rows returned or affected by SQL, over all runs."""
    rows_plan: int
    why: str = ""
    values_compared: bool = False
    """Whether the returned values were compared too, in at least one run, and not only their number."""
    calls: int = 0
    predicted_read_units: float = 0.0
    consumed_read_units: float = 0.0
    predicted_write_units: float = 0.0
    consumed_write_units: float = 0.0
    capacity_differs: int = 0
    """Operations whose consumed units differ from the arithmetic of A5, known differences of the engine apart."""


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
    patterns: tuple[PatternResult, ...] = ()
    state: tuple[StateResult, ...] = ()
    capacity_operations: int = 0
    capacity_known_differences: tuple[str, ...] = ()
    simulation: Simulation | None = None
    consistency: Consistency | None = None
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
