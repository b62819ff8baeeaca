"""Stage 3: designs for DynamoDB."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from ddbmig.model.assessment import Choice, Finding
from ddbmig.model.base import Document, Value
from ddbmig.model.comparison import Comparisons
from ddbmig.model.context import Mode, TableClass
from ddbmig.model.contract import ContractAttribute, Enforces
from ddbmig.model.encodings import template_columns
from ddbmig.model.plan import Plan
from ddbmig.model.prices import Prices

MAX_KEY_ATTRIBUTES = 4
"""Attributes in the partition key of a GSI, and in its sort key (A3); a table's own keys have one each."""


class IndexDesign(Value):
    """One GSI. `because` names the patterns or the rule that asked for it."""

    name: str
    partition: tuple[str, ...] = Field(min_length=1, max_length=MAX_KEY_ATTRIBUTES)
    """The attributes of the partition key: a Query gives a value for each."""
    sort: tuple[str, ...] = Field(default=(), max_length=MAX_KEY_ATTRIBUTES)
    """Those of the sort key: a Query gives values from the left, none skipped, and a range for the last at most."""
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    projected: tuple[str, ...] = ()
    """The non-key attributes of an INCLUDE projection."""
    because: tuple[str, ...] = ()
    entries: float
    entry_bytes: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The attributes of both keys; an item that lacks one of them has no entry."""
        return self.partition + self.sort


class TableDesign(Value):
    """One DynamoDB table holding the items of one MySQL table (or the look-up items of one of its unique keys)."""

    name: str
    source_table: str
    role: Literal["entity", "lookup"]
    pk: str
    sk: str | None = None
    attributes: Mapping[str, ContractAttribute]
    indexes: tuple[IndexDesign, ...] = ()
    filter: str | None = None
    enforces: Enforces | None = None
    because: tuple[str, ...] = ()
    items: float
    item_bytes: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The attributes of the primary key."""
        return (self.pk,) if self.sk is None else (self.pk, self.sk)

    def source_columns(self, attribute: str) -> tuple[str, ...]:
        """The MySQL columns an attribute is made of, in template order."""
        found = self.attributes[attribute]
        return (found.source_column,) if found.template is None else template_columns(found.template)

    def index(self, name: str) -> IndexDesign:
        """The GSI with this name. Raises KeyError."""
        for index in self.indexes:
            if index.name == name:
                return index
        raise KeyError(name)


class Capacity(Value):
    """Provisioned capacity of a table or of one of its GSIs, in units a second."""

    table: str
    index: str | None = None
    peak_reads: float
    """Read units that the plans take in a second at the peak."""
    peak_writes: float
    """Write units that they take; those of a table without its indexes."""
    read_units: int
    write_units: int
    transaction_units: int = 0
    """The part of write_units that is there only because writes are transactional."""


class Cost(Value):
    """Money per month in USD under one mode and table class, split as the guide asks, and the units behind it.

    The request units of the month are the same in every mode; under `provisioned` the capacity is what is paid for.
    """

    mode: Mode
    table_class: TableClass
    read_request_units: float
    write_request_units: float
    index_write_units: float
    transaction_units: float
    storage_gib: float
    index_storage_gib: float
    capacity: tuple[Capacity, ...] = ()
    """What is provisioned; empty on demand."""
    reads_usd: Decimal
    """Of tables and indexes."""
    writes_usd: Decimal
    """Base-table writes without what indexes and transactions add."""
    index_writes_usd: Decimal
    transactions_usd: Decimal
    storage_usd: Decimal
    index_storage_usd: Decimal

    @property
    def total_usd(self) -> Decimal:
        """The month's bill before free tier and taxes."""
        return (
            self.reads_usd
            + self.writes_usd
            + self.index_writes_usd
            + self.transactions_usd
            + self.storage_usd
            + self.index_storage_usd
        )


class Decision(Value):
    """What became of one relationship in an alternative, and how to live with it."""

    relationship: str
    outcome: Literal["separate", "denormalize", "embed", "collocate"]
    because: str
    trade_off: str
    rollback: str
    monitoring: str


class RelationshipCost(Value):
    """What the ways to live with one relationship cost, each with everything else free that is not fixed."""

    relationship: str
    outcome: str | None
    """The way that is fixed; None where cost decides."""
    decided_by: str
    """`the verdict`, `your choice` or `cost`."""
    forbidden: Mapping[str, str] = {}
    """By option, the error rule that forbids it."""
    costs: Mapping[str, Decimal]
    """By option, USD a month that the cheapest design with it costs more than the cheapest with what is fixed."""


class Proof(Value):
    """What was searched for an alternative, and how far it is proved to be the best of its kind."""

    structures: int
    """Forms of tables and GSIs that might have been built."""
    options: int
    """Ways to take the steps of plans."""
    gaps: Mapping[str, float] = {}
    """By part of the objective, the share by which a better design is not ruled out; empty: proved to be optimal."""
    epsilon: float = 0.0
    """The share by which it may cost more than the cheapest for being simpler."""


class Alternative(Value):
    """One complete design, priced."""

    id: str
    title: str
    idea: str
    tables: tuple[TableDesign, ...]
    plans: tuple[Plan, ...]
    decisions: tuple[Decision, ...]
    cost: Cost
    routed_calls_share: float
    scan_calls_share: float
    round_trips_average: float
    write_amplification: float
    """Write request units of the design ÷ those of one item per row, no index, no copy, no transaction."""
    proof: Proof
    findings: tuple[Finding, ...] = ()
    respects_rules: bool = True
    violates: tuple[str, ...] = ()
    """Fixings of the rules that this alternative does not follow."""


class Design(Document):
    """All alternatives and the one to carry on with."""

    SCHEMA_VERSION: ClassVar[int] = 3

    schema_version: int = 3
    prices: Prices
    alternatives: tuple[Alternative, ...]
    chosen: str
    chosen_because: str
    chosen_by: Literal["engine", "user"]
    choices: tuple[Choice, ...] = ()
    relationship_costs: tuple[RelationshipCost, ...] = ()
    """Of the relationships that can be lived with in more than one way."""
    comparisons: Comparisons = Comparisons()
    thin_margins: tuple[str, ...] = ()
    """Sentences: which other design is as good as the cheapest under the rules."""
    not_analysed: tuple[str, ...] = ()

    def alternative(self, alternative_id: str) -> Alternative:
        """The alternative with this id. Raises KeyError."""
        for alternative in self.alternatives:
            if alternative.id == alternative_id:
                return alternative
        raise KeyError(alternative_id)
