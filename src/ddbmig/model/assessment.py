"""Stage 2: relationships with their measured factors, scores and findings that need no design."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from ddbmig.model.base import Document, Value
from ddbmig.model.measure import Source

Verdict = Literal["separate", "denormalize", "embed", "collocate", "undecided"]
Option = Literal["separate", "denormalize", "embed", "collocate"]
Severity = Literal["error", "warning", "info"]
Phase = Literal["relationship", "table", "pattern", "alternative", "index", "validation", "waiver"]
"""What a rule looks at. The first three run before the design, the next two on each alternative, then one after stage
4; rules on waivers run in the gate."""
FactValue = bool | int | float | str | tuple[str, ...]
Confidence = Literal["high", "medium", "low"]


class Fact(Value):
    """One measured, declared or assumed fact of the catalogue. `value` None means: missing."""

    value: FactValue | None
    unit: str
    source: Source
    origin: str
    confidence: Confidence = "low"
    """How sure it is, by the one definition in engine/evidence.py; low unless whoever makes the fact knows more."""


class EvidenceSource(Value):
    """Why we hold two tables to be related."""

    kind: Literal["declared", "join", "naming"]
    detail: str
    calls: int = 0


class Relationship(Value):
    """Child columns → parent columns. `id` is `child.columns->parent.columns`."""

    id: str
    child: str
    child_columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    cardinality: Literal["1:1", "1:N"]
    evidence: tuple[EvidenceSource, ...]


class ManyToMany(Value):
    """A join table and the two relationships it resolves."""

    join_table: str
    left: str
    right: str
    pure: bool
    """The join table holds nothing but its keys and ids."""


class LedgerLine(Value):
    """One scoring rule that fired."""

    rule: str
    title: str
    option: Option
    points: int
    because: tuple[str, ...]


class Finding(Value):
    """A rule that fired on an object. `because` are the lines that held; `message` is the rule's own sentence."""

    rule: str
    title: str
    severity: Severity
    subject: str
    message: str
    because: tuple[str, ...] = ()
    facts: Mapping[str, FactValue] = {}
    """The values of the facts that the rule's conditions look at; what is missing is left out."""
    instead: str = ""
    warning: str = ""
    """The guide's production warning, verbatim, where the rule carries one."""
    file: str = ""
    line: int = 0


class RelationshipAssessment(Value):
    """One relationship, its facts, the points per option and the verdict that follows."""

    relationship: Relationship
    facts: Mapping[str, Fact]
    ledger: tuple[LedgerLine, ...]
    points: Mapping[str, int]
    forbidden: Mapping[str, str]
    """Option -> the error rule that forbids it."""
    verdict: Verdict
    margin: int
    """Points between the best and the second option."""


class TransactionMap(Value):
    """One kind of transaction seen: the set of templates, tables written and read in it, how often it ran."""

    id: str
    patterns: tuple[str, ...]
    tables_written: tuple[str, ...]
    tables_read: tuple[str, ...]
    locking: bool
    count: int
    rolled_back: int


class CoAccess(Value):
    """Two tables' joint share: calls reading both ÷ calls reading either; and the directional shares.

    The joint calls are of three kinds, each call of one: a statement that reads both, alone or in a transaction or N+1
    run; else a transaction; else an N+1 run outside of a transaction.
    """

    a: str
    b: str
    joint_calls: int
    one_statement: int = 0
    same_transaction: int = 0
    per_row: int = 0
    either_calls: int
    joint_share: float
    share_of_a: float
    share_of_b: float
    within_one_second: int
    """Calls of both on one connection within a second but in different units: a fact of its own."""


class PatternRate(Value):
    """How often a pattern runs: as logged, and a month's calls by what the log stands for."""

    pattern: str
    calls: int
    calls_per_month: float
    peak_per_second: float
    complexity: int
    """Query complexity score, 1 (one key look-up) and up."""
    complexity_parts: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = {}


class Rates(Value):
    """How logged calls became monthly calls."""

    span_seconds: float
    represents: str
    source: Source
    factor: float
    """Monthly calls per logged call."""


class Choice(Value):
    """A decision that a person may take; the engine goes on with `default` until then."""

    id: str
    question: str
    options: tuple[str, ...]
    default: str
    chosen: str | None = None
    why: str = ""
    costs: Mapping[str, Decimal] = {}
    """By option, USD a month that it costs more than what is carried on with; where that is known."""


class Assumption(Value):
    """Something nobody told us; `moves` says what would change with it."""

    name: str
    assumed: str
    moves: str


class Assessment(Document):
    """What stage 2 says of the workload, and the verdicts that go into stage 3."""

    SCHEMA_VERSION: ClassVar[int] = 1

    schema_version: int = 1
    rates: Rates
    patterns: tuple[PatternRate, ...]
    relationships: tuple[RelationshipAssessment, ...]
    many_to_many: tuple[ManyToMany, ...] = ()
    transactions: tuple[TransactionMap, ...] = ()
    co_access: tuple[CoAccess, ...] = ()
    table_facts: Mapping[str, Mapping[str, Fact]] = {}
    findings: tuple[Finding, ...] = ()
    choices: tuple[Choice, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    not_analysed: tuple[str, ...] = ()
