"""Access patterns: one query template with its frequency, in a normal form that the engine can plan."""

from typing import Literal

from ddbmig.model.base import Value
from ddbmig.model.condition import All, ColumnRef, Condition, Param, Term

PatternKind = Literal["select", "insert", "update", "delete"]

Reason = Literal[
    "full-text search", "unbounded aggregate", "unbounded join", "unbounded read", "leading wildcard",
    "cross-partition order", "server function", "subquery", "user variable", "set operation", "derived table",
    "window function", "not understood", "unknown table", "unknown column", "outside the scope",
    "read of another system", "no key for the write",
]  # fmt: skip
"""The closed list of reasons why a statement has no bounded plan."""


class TableRef(Value):
    """The n-th table of the statement, by table id; the same table may occur twice under two aliases."""

    table: str
    alias: str


class Join(Value):
    """How table reference `ref` is joined to the references before it: equal columns, and what else ON says.

    For `kind` semi and anti the reference only tests existence (EXISTS, IN (SELECT …), and their negations); for mark
    the test is an output column (SELECT EXISTS(…) AS x) and drops no row. References that belong to one such test share
    `group`, the first of them carries the kind: the test holds when rows of the whole group satisfy all their joins.
    """

    ref: int
    kind: Literal["inner", "left", "semi", "anti", "mark"]
    on: tuple[tuple[ColumnRef, ColumnRef], ...]
    """Pairs (column of `ref`, column of an earlier reference)."""
    extra: Condition = All()
    group: int | None = None
    """The first reference of the existence test that `ref` belongs to (the first names itself); None outside of one."""


class OrderTerm(Value):
    """One ORDER BY term."""

    column: ColumnRef
    descending: bool = False


class Aggregate(Value):
    """COUNT(*) has no column; `distinct` as in COUNT(DISTINCT …)."""

    function: Literal["count", "sum", "min", "max", "avg"]
    column: ColumnRef | None = None
    distinct: bool = False


class Assignment(Value):
    """`column = value` of an INSERT or UPDATE."""

    column: str
    value: Term


class Limit(Value):
    """LIMIT: the largest seen in the log, and whether an OFFSET was used."""

    rows: int | None
    offset_calls: int = 0
    row_param: int | None = None
    """The placeholder that holds the row count, if it is one."""
    offset_param: int | None = None


class AccessPattern(Value):
    """One template as the engine sees it.

    `id` is stable: `Q` and the template's id. `refs[0]` is the written table of a write. For a SELECT `reads` are the
    output columns (all columns of a `*`), `where` the whole WHERE (and HAVING-free) condition. `unplanned` names why
    the statement as a whole is outside the normal form; then the fields beside it hold what was understood.
    """

    id: str
    template: str
    name: str
    """Readable: `select orders by customer_id order by created_at desc`."""
    kind: PatternKind
    sql: str
    refs: tuple[TableRef, ...]
    joins: tuple[Join, ...] = ()
    where: Condition = All()
    reads: tuple[ColumnRef, ...] = ()
    order: tuple[OrderTerm, ...] = ()
    limit: Limit | None = None
    distinct: bool = False
    aggregates: tuple[Aggregate, ...] = ()
    group_by: tuple[ColumnRef, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    """INSERT: one per column given; UPDATE: the SET list."""
    on_duplicate: tuple[Assignment, ...] = ()
    insert_mode: Literal["insert", "ignore", "replace", "upsert"] | None = None
    locking: bool = False
    """FOR UPDATE or LOCK IN SHARE MODE / FOR SHARE."""
    params: tuple[ColumnRef | None, ...] = ()
    """Per placeholder the column that its value is compared with or stored in, where there is one."""
    unplanned: tuple[Reason, ...] = ()

    def tables_read(self) -> tuple[str, ...]:
        """Ids of the tables whose rows the statement reads (an INSERT reads those of its SELECT only), sorted."""
        read = self.refs[1:] if self.kind == "insert" else self.refs
        return tuple(sorted({ref.table for ref in read}))

    def param(self, index: int) -> Param:
        """The placeholder with this index."""
        return Param(index=index)


class Skipped(Value):
    """Statements that are no access pattern or were not understood, under a named reason."""

    reason: str
    calls: int
    templates: int
    example: str = ""
    """One template's SQL, its literals redacted."""
