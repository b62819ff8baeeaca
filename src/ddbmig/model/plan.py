"""Plans: the DynamoDB calls, in order, that answer one access pattern, and the bounded steps done by the client.

A plan works on a growing relation. Each read call adds the rows of one table reference; filters, sorts, limits and
aggregates then work on the relation as SQL would. Writes address the rows of the relation, or one key given by the
parameters. References beyond those of the pattern (`support`) are rows that a write must look up first.
"""

from collections.abc import Mapping
from math import fsum
from typing import Annotated, Literal

from pydantic import Field

from ddbmig.model.base import Value
from ddbmig.model.condition import All, Arithmetic, Call, ColumnRef, Condition, Constant, Param, Term
from ddbmig.model.pattern import Aggregate, Assignment, OrderTerm, Reason, TableRef

KeyOperator = Literal["=", "<", "<=", ">", ">=", "between", "begins_with"]


class KeyCondition(Value):
    """A condition on one key attribute. `terms` gives per source column of the attribute the value(s) it takes.

    A plain attribute has one source column; a composed one is rendered from several. A term that is a list parameter
    makes one call per member. `between` has two terms for its one column. A range of a composed attribute is one of its
    first column: see `range_bound`.
    """

    attribute: str
    op: KeyOperator = "="
    terms: tuple[tuple[str, Term], ...]


def range_bound(text: str, op: KeyOperator, *, upper: bool) -> str:
    """The text that bounds a composed key whose first column has the text `text`.

    In the key the column is followed by `#`. A bound that must lie behind all such keys ends in `$`, the character
    after it: that of `>` and `<=`, and the upper one of `between`.
    """
    behind = upper if op == "between" else op in (">", "<=")
    return f"{text}$" if behind else text


def in_place(term: Term, ref: int = 0) -> bool:
    """Whether an UpdateExpression can compute a term for the row of `ref`: an operand, or the sum or difference of two.

    An operand is a value, an attribute of the item, or `if_not_exists` of one with a value (AWS developer guide,
    "Update expressions").
    """
    if isinstance(term, Arithmetic):
        return term.op in ("+", "-") and all(_is_operand(one, ref) for one in (term.left, term.right))
    return _is_operand(term, ref)


def _is_operand(term: Term, ref: int) -> bool:
    match term:
        case Param():
            return not term.many
        case ColumnRef():
            return term.ref == ref
        case Call(name="COALESCE", arguments=(ColumnRef(ref=of), Param() | Constant() as other)):
            return of == ref and other != Constant(value=None)
        case _:
            return isinstance(term, Constant) and term.value is not None


class Estimate(Value):
    """What one execution of the pattern is expected to cost at this step, by measured or assumed averages."""

    calls: float
    items: float
    """Items read or written per call."""
    read_units: float = 0.0
    write_units: float = 0.0
    transaction_units: float = 0.0
    """The part of write_units that is there only because the write is transactional."""
    index_units: Mapping[str, float] = {}
    """By GSI of the table, the part of write_units that maintains it."""

    @property
    def index_write_units(self) -> float:
        """The part of write_units that maintains GSIs."""
        return fsum(self.index_units.values())


class Copied(Value):
    """Columns of another reference that this call delivers as denormalized copies: column -> attribute."""

    ref: int
    columns: Mapping[str, str]


class ReadCall(Value):
    """One read API call (or one per distinct key, `per_row`) that fetches the rows of reference `ref`."""

    kind: Literal["read"] = "read"
    op: Literal["GetItem", "BatchGetItem", "Query", "Scan"]
    table: str
    index: str | None = None
    ref: int
    key: tuple[KeyCondition, ...] = ()
    consistent: bool = False
    per_row: bool = False
    """Once for each distinct key of the rows found so far, not once for the whole pattern."""
    join: Literal["first", "inner", "left", "complete"] = "first"
    """How the fetched rows meet the relation; `complete` fetches the base item behind an index entry of `ref`."""
    match: Condition = All()
    """What a fetched row must satisfy, beyond the key, to be joined."""
    limit: int | None = None
    forward: bool = True
    copied: tuple[Copied, ...] = ()
    estimate: Estimate


class Filter(Value):
    """Keep rows of the relation for which the condition is true."""

    kind: Literal["filter"] = "filter"
    condition: Condition


class Exists(Value):
    """Reduce the relation to the rows it had before `refs` were joined: those that have a match, lack one, or all."""

    kind: Literal["exists"] = "exists"
    refs: tuple[int, ...]
    keep: Literal["matched", "unmatched", "all"] = "matched"


class Sort(Value):
    """Order the relation as MySQL would (NULLs first)."""

    kind: Literal["sort"] = "sort"
    order: tuple[OrderTerm, ...]


class Slice(Value):
    """LIMIT: first rows only. The count is the parameter, or the largest LIMIT of the log."""

    kind: Literal["slice"] = "slice"
    rows: int | None
    row_param: int | None = None
    offset_param: int | None = None


class Distinct(Value):
    """DISTINCT over the output columns."""

    kind: Literal["distinct"] = "distinct"


class Reduce(Value):
    """GROUP BY and aggregates over the (bounded) relation."""

    kind: Literal["reduce"] = "reduce"
    aggregates: tuple[Aggregate, ...]
    group_by: tuple[ColumnRef, ...]


class WriteCall(Value):
    """One write API call for the row of reference `ref` (or for each row found, `per_row`).

    PutItem writes the item of the new row; UpdateItem sets the attributes that `sets` changes; DeleteItem removes the
    item of the old row. The item of a row in `table` is what the contract's entry for `table` and `source` says.
    """

    kind: Literal["write"] = "write"
    op: Literal["PutItem", "UpdateItem", "DeleteItem"]
    table: str
    source: str
    """Id of the MySQL table whose row is written."""
    ref: int
    key: tuple[KeyCondition, ...] = ()
    """The key where the parameters give it; empty where it comes from the row that was read or is inserted."""
    sets: tuple[Assignment, ...] = ()
    existing: int | None = None
    """PutItem of an upsert or REPLACE: the reference that holds the row already there, if any; `sets` then apply."""
    condition: Literal["exists", "not exists", "as read"] | None = None
    """Of the item. `as read`: it exists where `existing` was found, and does not where it was not."""
    unchanged: tuple[str, ...] | None = None
    """Columns of the row that was read which must be as they were, because the write was decided by them. Where the
    condition is refused the row is read and decided anew. None: nothing was read, and a refusal is final."""
    per_row: bool = False
    purpose: str
    """`base item`, `look-up of books.isbn`, `copy of authors.name`."""
    estimate: Estimate


class Transaction(Value):
    """TransactWriteItems over these writes: all or nothing."""

    kind: Literal["transaction"] = "transaction"
    writes: tuple[WriteCall, ...]


Step = Annotated[
    ReadCall | Filter | Exists | Sort | Slice | Distinct | Reduce | WriteCall | Transaction, Field(discriminator="kind")
]


class Plan(Value):
    """How one access pattern is answered: by `steps`, or routed for `reasons`."""

    pattern: str
    steps: tuple[Step, ...] = ()
    support: tuple[TableRef, ...] = ()
    """References numbered after those of the pattern."""
    routed: tuple[Reason, ...] = ()
    detail: str = ""
    """One sentence: why it is routed, or what the plan relies on."""
    uses: tuple[str, ...] = ()
    """`table` or `table/index` of every structure that the plan reads or writes by name."""
    round_trips: int = 0
    """Sequential calls: a batch or parallel fan-out counts once, each page of a Query by itself."""
    read_units: float = 0.0
    write_units: float = 0.0
    index_write_units: float = 0.0
    transaction_units: float = 0.0
    scans: bool = False
    """Answered by a Scan of one page of a small table: said, never silent."""
