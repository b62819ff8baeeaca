"""A shop small enough to count by hand: what the facts of relationships, tables and patterns are tested against."""

from ddbmig.engine.coaccess import co_access, pattern_rates, rates, transactions
from ddbmig.engine.evidence import Evidence
from ddbmig.model.assessment import EvidenceSource, ManyToMany, Relationship
from ddbmig.model.condition import ColumnRef, Compare, Param
from ddbmig.model.context import Context, Represents, Workload
from ddbmig.model.digest import Digest, DigestSource, KeyValues, NPlusOne, TemplateDigest, Unit
from ddbmig.model.measure import Measure
from ddbmig.model.pattern import AccessPattern, Assignment, Join, TableRef
from ddbmig.model.schema import Column, Index, Schema, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import ColumnStatistics, GroupStatistics, TableStatistics

MINUTES = {"100": 10, "104": 10}


def table(name: str, *columns: str, key: tuple[str, ...] = ("id",)) -> Table:
    return Table(
        id=name,
        schema_name="",
        name=name,
        primary_key=key,
        columns=tuple(Column(name=column, type="json" if column == "tags" else "int") for column in columns),
        indexes=(Index(name="by_state", columns=("state",), kind="index"),) if "state" in columns else (),
    )


def equals(column: str, ref: int = 0, index: int = 0) -> Compare:
    return Compare(op="=", left=ColumnRef(ref=ref, column=column), right=(Param(index=index),))


def select(
    name: str, *tables: str, where: Compare, reads: str = "", join: tuple[str, str] | None = None
) -> AccessPattern:
    refs = tuple(TableRef(table=one, alias=one) for one in tables)
    on = ((ColumnRef(ref=1, column=join[1]), ColumnRef(ref=0, column=join[0])),) if join else ()
    columns = tuple(ColumnRef(ref=int(part[0]), column=part[2:]) for part in reads.split())
    assert isinstance(where.left, ColumnRef)
    return AccessPattern(
        id=f"Q{name}",
        template=name,
        name=name,
        kind="select",
        sql=name,
        refs=refs,
        where=where,
        reads=columns,
        joins=(Join(ref=1, kind="inner", on=on),) if join else (),
        params=(where.left,),
    )


def update(name: str, of: str, column: str) -> AccessPattern:
    key = equals("id", index=1)
    return AccessPattern(
        id=f"Q{name}",
        template=name,
        name=name,
        kind="update",
        sql=name,
        refs=(TableRef(table=of, alias=of),),
        where=key,
        assignments=(Assignment(column=column, value=Param(index=0)),),
        params=(ColumnRef(ref=0, column=column), ColumnRef(ref=0, column="id")),
    )


# calls: 40 books with their author's name, 10 authors, 5 renames, 50 lists of an order's lines, 10 N+1 look-ups
PATTERNS = (
    select("a1", "book", "author", where=equals("id"), reads="0.title 1.NAME 1.id", join=("author_id", "id")),
    select("a2", "author", where=equals("id"), reads="0.name"),
    update("a3", "author", "name"),
    select("l1", "line", where=equals("order_id"), reads="0.price"),
    select("l2", "line", where=equals("id"), reads="0.price"),
    select("o1", "orders", where=equals("id"), reads="0.state"),
    update("o2", "orders", "state"),
    update("l3", "line", "price"),
)
CALLS = {"a1": 40, "a2": 10, "a3": 5, "l1": 50, "l2": 10, "o1": 30, "o2": 20, "l3": 20}
UNITS = (
    Unit(kind="transaction", calls={"l1": 20, "o1": 20}, count=20),
    Unit(kind="transaction", calls={"o2": 12, "l3": 12}, count=12),
    Unit(kind="transaction", outcome="rollback", calls={"o2": 3, "l3": 3}, count=3),
    Unit(kind="n_plus_1", calls={"l1": 5, "o1": 10}, count=5),
)
SCHEMA = Schema(
    tables=(
        table("author", "id", "name"),
        table("book", "id", "title", "author_id", "tags"),
        table("line", "id", "order_id", "price"),
        table("orders", "id", "state"),
    )
)


def statistics(rows: int, size: float, **columns: float) -> TableStatistics:
    return TableStatistics(
        rows=Measure(value=rows, unit="rows", source="measured", origin="data"),
        item_bytes=Measure(value=size, unit="bytes", source="measured", origin="data"),
        max_item_bytes=int(size) * 2,
        columns={
            name: ColumnStatistics(average_bytes=n, max_bytes=int(n), null_share=0, distinct=3)
            for name, n in columns.items()
        },
    )


def group(column: str, average: float, p99: int, most: int) -> tuple[GroupStatistics, ...]:
    return (GroupStatistics(columns=(column,), groups=10, average=average, p99=p99, max=most, orphans=0),)


STATISTICS = {
    "author": statistics(10, 100, id=2, name=20),
    "book": statistics(100, 200).model_copy(update={"groups": group("author_id", 4, 9, 20)}),
    "line": statistics(1000, 1000).model_copy(update={"groups": group("order_id", 5, 8, 400)}),
    "orders": statistics(200, 50, state=5),
}


def template(name: str, calls: int) -> TemplateDigest:
    return TemplateDigest(
        id=name,
        schema_name="",
        sql=name,
        verb="select",
        calls=calls,
        minutes=MINUTES if name == "a1" else {},
        peak_second_calls=4,
        values={"0": KeyValues(total=calls, top={"x": calls // 2})},
        latency={"300": calls - 2, "520": 2},
        rows_examined=calls * 3,
        rows_sent=calls * 2,
        timed_calls=calls,
    )


LOG = DigestSource(
    kind="general",
    name="log",
    sha256="0",
    bytes=1,
    events=1,
    statements=sum(CALLS.values()),
    first_us=0,
    last_us=60_000_000,
)
DIGEST = Digest(
    sources=(LOG,),
    templates=tuple(template(name, calls) for name, calls in CALLS.items()),
    units=UNITS,
    runs=(NPlusOne(outer="l1", inner="o1", times=5, executions=10, rows_matched=5),),
)


def shop(context: Context | None = None, represents: Represents | None = 730 * 60, **changed: object) -> Evidence:
    """The log stands for 60 logs an hour unless told otherwise; `changed` are other parts of the snapshot."""
    snapshot = Snapshot(
        tables=SCHEMA,
        digest=DIGEST,
        patterns=PATTERNS,
        statistics=STATISTICS,
        context=context or Context(),
        workload=Workload(represents=represents),
    ).model_copy(update=changed)
    found = rates(snapshot)
    return Evidence(
        snapshot=snapshot,
        rates=found,
        pattern_rates=pattern_rates(snapshot, found),
        relationships=(WRITTEN, LINES),
        many_to_many=(ManyToMany(join_table="book", left=WRITTEN.id, right="x", pure=True),),
        co_access=co_access(snapshot),
        transactions=transactions(snapshot),
    )


def digest(**changed: object) -> Digest:
    """The shop's digest with other parts."""
    return DIGEST.model_copy(update=changed)


def relation(child: str, column: str, parent: str) -> Relationship:
    return Relationship(
        id=f"{child}.{column}->{parent}.id",
        child=child,
        child_columns=(column,),
        parent=parent,
        parent_columns=("id",),
        cardinality="1:N",
        evidence=(EvidenceSource(kind="declared", detail="fk"),),
    )


WRITTEN = relation("book", "author_id", "author")
LINES = relation("line", "order_id", "orders")
