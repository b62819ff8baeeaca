"""One small application of every stage's values, made by hand: its names are what nobody should name anything."""

from decimal import Decimal

from ddbmig.model.analysis import Analysis, CostPoint, Effort, Metric, OneOff, RiskItem, Sensitivity
from ddbmig.model.assessment import (
    Assessment,
    Assumption,
    Choice,
    CoAccess,
    EvidenceSource,
    Fact,
    Finding,
    LedgerLine,
    ManyToMany,
    PatternRate,
    Rates,
    Relationship,
    RelationshipAssessment,
    TransactionMap,
)
from ddbmig.model.comparison import Comparison, Comparisons, HotPartition, ItemsAt, ItemSizes, RoundTrips, Score
from ddbmig.model.condition import All, Arithmetic, ColumnRef, Compare, Constant, Param
from ddbmig.model.consistency import Anomaly, Consistency, StaleRead
from ddbmig.model.context import Context, Pricing, Requirement
from ddbmig.model.contract import ContractAttribute, Enforces, JoinColumns
from ddbmig.model.design import Alternative, Cost, Decision, Design, IndexDesign, Proof, TableDesign
from ddbmig.model.digest import Digest, DigestSource, NPlusOne, TemplateDigest
from ddbmig.model.evolution import Change, Evolution
from ddbmig.model.measure import Measure
from ddbmig.model.pattern import AccessPattern, Assignment, Join, Limit, OrderTerm, Skipped, TableRef
from ddbmig.model.plan import (
    Copied,
    Estimate,
    Filter,
    KeyCondition,
    Plan,
    ReadCall,
    Slice,
    Sort,
    Transaction,
    WriteCall,
)
from ddbmig.model.prices import PriceEntry, Prices
from ddbmig.model.replay import PatternReplay, Replay
from ddbmig.model.schema import Column, ForeignKey, Index, InputProblem, Schema, SchemaObject, Table
from ddbmig.model.simulation import (
    Cause,
    Cure,
    IndexRoom,
    KeyHeat,
    PatternLoad,
    Remedy,
    Run,
    Simulation,
    StructureLoad,
)
from ddbmig.model.snapshot import InputFile, ScopedOut, Snapshot
from ddbmig.model.statistics import TableStatistics
from ddbmig.model.validation import Check, Difference, LoadResult, PatternResult, RoundTrip, Validation

BOOKS = "bo|oks"
AUTHORS = "<script>alert(1)</script>"
NAME = "na`me"
RELATIONSHIP = f"{BOOKS}.author_id->{AUTHORS}.id"
MARK = "**bold** [link](javascript:x) | {brace} $tex$"

# --- stage 1 ---


def column(name: str, kind: str = "int", **rest: object) -> Column:
    """A column; NOT NULL unless said."""
    return Column.model_validate({"name": name, "type": kind, "nullable": False} | rest)


_BOOKS = Table(
    id=BOOKS,
    schema_name="",
    name=BOOKS,
    columns=(
        column("id", "bigint", unsigned=True, auto_increment=True),
        column("isbn", "char", length=13, collation="utf8mb4_general_ci"),
        column("author_id"),
        column("kind", "enum", values=("novel", "other"), default="novel"),
        column("printed", "date", default="0000-00-00"),
        column("title_length", "int", generated="char_length(`title`)", nullable=True),
    ),
    primary_key=("id",),
    indexes=(
        Index(name="isbn", columns=("isbn",), kind="unique"),
        Index(name="words\nin titles", columns=("isbn",), kind="fulltext"),
    ),
    foreign_keys=(
        ForeignKey(name="writes", columns=("author_id",), parent=AUTHORS, parent_columns=("id",), on_delete="CASCADE"),
    ),
    file="schema.sql",
    line=3,
)
_AUTHORS = Table(id=AUTHORS, schema_name="", name=AUTHORS, columns=(column("id"), column(NAME, "text", nullable=True)))
_OLD = Table(id="old", schema_name="", name="old", columns=(column("id"),), primary_key=("id",))


def pattern(template: str, name: str, kind: str, sql: str, **rest: object) -> AccessPattern:
    """An access pattern of the table of books, unless said otherwise."""
    given = {"id": f"Q{template}", "template": template, "name": name, "kind": kind, "sql": sql,
             "refs": (TableRef(table=BOOKS, alias="b"),)}  # fmt: skip
    return AccessPattern.model_validate(given | rest)


def _equal(ref: int, name: str, index: int) -> Compare:
    return Compare(op="=", left=ColumnRef(ref=ref, column=name), right=(Param(index=index),))


SELECT = pattern(
    "aa", f"select {BOOKS} by id", "select", "SELECT b.*, a.`na``me` FROM `bo|oks` b /* ``` */ JOIN a LIMIT ?",
    refs=(TableRef(table=BOOKS, alias="b"), TableRef(table=AUTHORS, alias="b")),
    joins=(Join(ref=1, kind="inner", on=((ColumnRef(ref=1, column="id"), ColumnRef(ref=0, column="author_id")),)),),
    where=_equal(0, "id", 0), order=(OrderTerm(column=ColumnRef(ref=0, column="printed"), descending=True),),
    limit=Limit(rows=10, row_param=1), params=(ColumnRef(ref=0, column="id"), None),
)  # fmt: skip
INSERT = pattern(
    "bb", "insert books", "insert", "INSERT INTO `bo|oks` (isbn, author_id) VALUES (?, ?)", insert_mode="insert",
    assignments=(Assignment(column="isbn", value=Param(index=0)), Assignment(column="author_id", value=Param(index=1))),
    params=(ColumnRef(ref=0, column="isbn"), ColumnRef(ref=0, column="author_id")),
)  # fmt: skip
UPDATE = pattern(
    "cc", "update books", "update", "UPDATE `bo|oks` SET author_id = author_id + ?, kind = NULL WHERE id = ?",
    where=_equal(0, "id", 1), locking=True,
    assignments=(
        Assignment(column="author_id",
                   value=Arithmetic(op="+", left=ColumnRef(ref=0, column="author_id"), right=Param(index=0))),
        Assignment(column="kind", value=Constant(value=None)),
    ),
    params=(None, ColumnRef(ref=0, column="id")),
)  # fmt: skip
SEARCH = pattern(
    "dd", "search <b>words</b>", "select", "SELECT id FROM `bo|oks` WHERE MATCH(title) AGAINST (?)",
    unplanned=("full-text search",), params=(None,),
)  # fmt: skip


def _template(one: AccessPattern, calls: int, **rest: object) -> TemplateDigest:
    given = {"id": one.template, "schema_name": "", "sql": one.sql, "verb": one.kind, "calls": calls}
    return TemplateDigest.model_validate(given | rest)


DIGEST = Digest(
    sources=(
        DigestSource(kind="general", name="general.log", sha256="0" * 64, bytes=2048, events=130, statements=120,
                     skipped={"session setting": 9}, first_us=0, last_us=60_000_000, flavour="MySQL 9.7.4"),
        DigestSource(kind="slow", name="slow.log", sha256="1" * 64, bytes=100, events=50, statements=50),
    ),
    templates=(
        _template(SELECT, 80, latency={"300": 70, "520": 10}, timed_calls=80),
        _template(INSERT, 20, latency={"100": 20}, timed_calls=20),
        _template(UPDATE, 6),
        _template(SEARCH, 3),
    ),
    runs=(NPlusOne(outer="aa", inner="cc", times=2, executions=5, rows_matched=2),),
    problems=(InputProblem(file="general.log", offset=77, subject="line", message="not UTF-8"),),
    notes=("The general log knows no execution times.",),
)  # fmt: skip


def statistics(rows: float, source: str) -> TableStatistics:
    """Row count and size of one table."""
    return TableStatistics.model_validate({
        "rows": {"value": rows, "unit": "rows", "source": source, "origin": "AUTO_INCREMENT" if rows else "default"},
        "item_bytes": Measure(value=150, unit="bytes", source="measured", origin="types"),
    })  # fmt: skip


SNAPSHOT = Snapshot(
    inputs=(InputFile(role="schema", name="schema.sql", sha256="2" * 64, bytes=512),),
    tables=Schema(
        tables=(_AUTHORS, _BOOKS, _OLD),
        objects=(SchemaObject(kind="view", name="v|iew", file="schema.sql", line=30),),
        problems=(InputProblem(file="schema.sql", line=9, subject="odd", message="a clause `X|Y` was not understood"),),
    ),
    scoped_out=(ScopedOut(table="old", why="in scope.exclude", stays_on_mysql=False),),
    statistics={BOOKS: statistics(1000, "measured"), AUTHORS: statistics(500, "assumed")},
    digest=DIGEST,
    patterns=(SELECT, INSERT, UPDATE, SEARCH),
    skipped=(Skipped(reason="no table", calls=2, templates=1, example="SELECT `a|b`"),),
    context=Context(
        lifecycle="growing", requirements=(Requirement(p99_ms=10.0), Requirement(table="old", p99_ms=1.0),
        Requirement(table=BOOKS, p99_ms=50.0)), pain_points=(MARK,), strong_consistency=(BOOKS,),
    ),
)  # fmt: skip

# --- stage 2 ---

FACTS = {
    "children.average": Fact(value=2.0, unit="rows", source="measured", origin="data"),
    "copies.names": Fact(value=(NAME,), unit="", source="measured", origin="query logs"),
    "reads.joint_calls_per_day": Fact(value=12.5, unit="calls/day", source="assumed", origin="query logs"),
    "reads.joint_share": Fact(value=0.8125, unit="share", source="measured", origin="query logs"),
    "writes.amplification": Fact(value=1.5, unit="×", source="measured", origin="query logs"),
    "writes.fan_out_per_day": Fact(value=None, unit="items/day", source="measured", origin="no data"),
}
ASSESSMENT = Assessment(
    rates=Rates(span_seconds=60, represents="average (assumed)", source="assumed", factor=43800),
    patterns=tuple(
        PatternRate(
            pattern=one.id, calls=calls, calls_per_month=calls * 43800, peak_per_second=2, complexity=complexity,
            complexity_parts=("joins +2",) if complexity > 1 else (),
            facts={"keys.top_share": Fact(value=0.4, unit="share", source="measured", origin="query logs"),
                   "pattern.hot_key_per_second": Fact(value=0.8, unit="calls/s", source="measured", origin="logs")},
        )
        for one, calls, complexity in ((SELECT, 80, 3), (INSERT, 20, 1), (UPDATE, 6, 1), (SEARCH, 3, 4))
    ),
    relationships=(
        RelationshipAssessment(
            relationship=Relationship(
                id=RELATIONSHIP, child=BOOKS, child_columns=("author_id",), parent=AUTHORS, parent_columns=("id",),
                cardinality="1:N",
                evidence=(EvidenceSource(kind="declared", detail="foreign key writes"),
                          EvidenceSource(kind="join", detail="joined", calls=80)),
            ),
            facts=FACTS,
            ledger=(LedgerLine(rule="DM003", title="high-read-correlation", option="denormalize", points=30,
                               because=("reads.joint_share is 81.25 % (> 70 %)",)),
                    LedgerLine(rule="DM026", title="schema-evolution-risk", option="denormalize", points=-5,
                               because=("context.lifecycle is growing",))),
            points={"separate": 0, "denormalize": 25, "embed": 0, "collocate": 0},
            forbidden={"embed": "AP003"},
            verdict="denormalize",
            margin=25,
        ),
    ),
    many_to_many=(ManyToMany(join_table=BOOKS, left=RELATIONSHIP, right=RELATIONSHIP, pure=False),),
    transactions=(
        TransactionMap(id="T1", patterns=(UPDATE.id, INSERT.id), tables_written=(BOOKS,), tables_read=(), locking=True,
                       count=4, rolled_back=1),
    ),
    co_access=(
        CoAccess(a=AUTHORS, b=BOOKS, joint_calls=80, one_statement=60, per_row=20, either_calls=100,
                 joint_share=0.8, share_of_a=1.0, share_of_b=0.8, within_one_second=3),
    ),
    findings=(
        Finding(rule="PW002", title="hot-partition-risk", severity="warning", subject=SELECT.id,
                message="one value takes 40 % of 80 calls", instead="Shard the key.",
                warning="Warning: This access pattern may create hot partitions. Consider partition key sharding "
                "strategy."),
        Finding(rule="PR012", title="rows-without-identity", severity="error", subject=AUTHORS, message=MARK,
                file="schema.sql", line=12),
    ),
    choices=(Choice(id=RELATIONSHIP, question="How?", options=("separate", "denormalize"), default="separate",
                    why="5 points apart"),),
    assumptions=(Assumption(name="workload.represents", assumed="average", moves="every rate"),),
    not_analysed=("Triggers | <i>are not traced</i>.",),
)  # fmt: skip

# --- stage 3 ---


def attribute(name: str, kind: str = "N", table: str = BOOKS, **rest: object) -> ContractAttribute:
    """An attribute that keeps one column."""
    return ContractAttribute.model_validate({"type": kind, "source_table": table, "source_column": name} | rest)


BOOKS_TABLE = TableDesign(
    name="books", source_table=BOOKS, role="entity", pk="id", items=1000, item_bytes=180,
    attributes={
        "id": attribute("id"),
        "isbn": attribute("isbn", "S"),
        "author_id": attribute("author_id"),
        "kind": attribute("kind", "S"),
        "printed": attribute("printed", "S"),
        "kind key#": attribute("kind", "S", template="_{kind}"),
        "all": attribute("id", "S", value="#ALL"),
        "author_na`me": attribute(
            NAME, "S", AUTHORS, denormalized=True, justification="short-circuits the join",
            join=JoinColumns(local_column="author_id", source_column="id"),
        ),
    },
    indexes=(
        IndexDesign(name="books_by_author", partition=("author_id", "kind key#"), sort=("printed", "isbn"),
                    projection="INCLUDE", projected=("kind",), because=(SELECT.id,), entries=1000, entry_bytes=60),
        IndexDesign(name="books_by_all", partition=("all",), projection="KEYS_ONLY", because=(), entries=1000,
                    entry_bytes=20),
    ),
)  # fmt: skip
ISBN_TABLE = TableDesign(
    name="books_isbn_unique", source_table=BOOKS, role="lookup", pk="isbn", items=1000, item_bytes=30,
    attributes={"isbn": attribute("isbn", "S"), "id": attribute("id")}, filter="`isbn` IS NOT NULL",
    enforces=Enforces(table=BOOKS, unique_key="isbn"),
)  # fmt: skip
AUTHORS_TABLE = TableDesign(
    name="authors", source_table=AUTHORS, role="entity", pk="row_digest", items=500, item_bytes=90,
    attributes={"row_digest": attribute("id", "S", AUTHORS, encoding="row_digest"), "id": attribute("id"),
                NAME: attribute(NAME, "S", AUTHORS)},
)  # fmt: skip
TABLES = (AUTHORS_TABLE, BOOKS_TABLE, ISBN_TABLE)


def estimate(read: float = 0.0, write: float = 0.0) -> Estimate:
    """One call of so many units."""
    return Estimate(calls=1, items=1, read_units=read, write_units=write)


SELECT_PLAN = Plan(
    pattern=SELECT.id,
    steps=(
        ReadCall(
            op="Query", table="books", index="books_by_author", ref=0, consistent=False, forward=False, limit=10,
            key=(
                KeyCondition(attribute="author_id", terms=(("author_id", Param(index=0)),)),
                KeyCondition(attribute="kind key#", terms=(("kind", Param(index=1)),)),
                KeyCondition(attribute="printed", op="between",
                             terms=(("printed", Param(index=0)), ("printed", Param(index=1)))),
            ),
            copied=(Copied(ref=1, columns={NAME: "author_na`me"}),), estimate=estimate(read=1.5),
        ),
        ReadCall(op="BatchGetItem", table="books", ref=0, join="complete", per_row=True, consistent=True,
                 match=_equal(0, "kind", 1), estimate=estimate(read=1)),
        Filter(condition=All(items=(_equal(0, "id", 0),
                                    Compare(op="is null", left=ColumnRef(ref=0, column="kind"))))),
        Sort(order=SELECT.order),
        Slice(rows=10, row_param=1),
    ),
    uses=("books/books_by_author", "books"), round_trips=2, read_units=2.5, detail="relies on `x` | y",
)  # fmt: skip
INSERT_PLAN = Plan(
    pattern=INSERT.id,
    steps=(
        ReadCall(op="GetItem", table="authors", ref=1, join="left", estimate=estimate(read=0.5),
                 key=(KeyCondition(attribute="id", terms=(("id", ColumnRef(ref=0, column="author_id")),)),)),
        Transaction(
            writes=(
                WriteCall(op="PutItem", table="books", source=BOOKS, ref=0, condition="not exists", purpose="base item",
                          estimate=estimate(write=2)),
                WriteCall(op="PutItem", table="books_isbn_unique", source=BOOKS, ref=0, condition="not exists",
                          per_row=True, purpose="look-up of unique key isbn", estimate=estimate(write=2)),
            )
        ),
    ),
    support=(TableRef(table=AUTHORS, alias="support_1"),),
    uses=("authors", "books", "books_isbn_unique"), round_trips=2, read_units=0.5, write_units=4, transaction_units=2,
)  # fmt: skip
UPDATE_PLAN = Plan(
    pattern=UPDATE.id,
    steps=(
        WriteCall(op="UpdateItem", table="books", source=BOOKS, ref=0, condition="exists", purpose="base item",
                  key=(KeyCondition(attribute="id", terms=(("id", Param(index=1)),)),), sets=UPDATE.assignments,
                  estimate=estimate(write=1)),
    ),
    uses=("books",), round_trips=1, write_units=1,
)  # fmt: skip
ROUTED_PLAN = Plan(pattern=SEARCH.id, routed=("full-text search",), detail="MATCH needs a search index")
COST = Cost(
    mode="on-demand", table_class="standard",
    read_request_units=1e6, write_request_units=2e6, index_write_units=5e5, transaction_units=4e5, storage_gib=0.001,
    index_storage_gib=0.0001, reads_usd=Decimal("0.125"), writes_usd=Decimal("0.6875"),
    index_writes_usd=Decimal("0.3125"), transactions_usd=Decimal("0.25"), storage_usd=Decimal("0.00025"),
    index_storage_usd=Decimal("0.000025"),
)  # fmt: skip
CHOSEN = Alternative(
    id="rules", title="As the rules recommend", idea="Copies where the verdict is denormalize.", tables=TABLES,
    plans=(SELECT_PLAN, INSERT_PLAN, UPDATE_PLAN, ROUTED_PLAN),
    decisions=(
        Decision(relationship=RELATIONSHIP, outcome="denormalize", because=f"copies {NAME}", trade_off="One less.",
                 rollback="Read the parent by key again.", monitoring="Compare a daily sample."),
    ),
    cost=COST, routed_calls_share=3 / 109, scan_calls_share=0.0, round_trips_average=1.5, write_amplification=2.25,
    proof=Proof(structures=12, options=345, gaps={"money": 0.0025, "stored": 0.1}, epsilon=0.01),
    findings=(
        Finding(rule="PW004", title="schema-evolution-trap", severity="warning", subject="rules",
                message="1 attributes are copies",
                warning="Warning: This denormalization will complicate future schema changes. Document migration "
                "strategy."),
    ),
)  # fmt: skip
FAITHFUL = CHOSEN.model_copy(
    update={"id": "faithful", "title": "One table per source table", "idea": "Nothing is copied.", "findings": (),
            "proof": Proof(structures=12, options=300), "respects_rules": False,
            "violates": (f"{RELATIONSHIP}: the verdict is denormalize, here it is separate",)}
)  # fmt: skip
_ITEMS = tuple(ItemsAt(months=months, items=1500 * factor, bytes=225_000 * factor)
               for months, factor in ((0, 1.0), (12, 1.5), (36, 4.0)))  # fmt: skip
DESIGN = Design(
    prices=Prices(
        terms=Pricing(),
        entries=(
            PriceEntry(region="us-east-1", table_class="standard", as_of="2026-10-08", source="price | list",
                       read_per_million=Decimal("0.125"), write_per_million=Decimal("0.625")),
            PriceEntry(region="us-east-1", table_class="standard", as_of="2025", source="an old page", confirmed=False,
                       storage_gb_month=Decimal("0.25")),
        ),
    ),
    alternatives=(FAITHFUL, CHOSEN), chosen="rules", chosen_because="the simplest ($1.38 a month)", chosen_by="engine",
    choices=ASSESSMENT.choices, not_analysed=("ON DELETE actions are not compiled.",),
    comparisons=Comparisons(growth_percent_per_month=5, growth_source="assumed", of={
        "faithful": Comparison(
            items=_ITEMS, sizes=ItemSizes(source="assumed", average=150, p99_at_most=None, largest_in=None,
                                          not_measured=2),
            round_trips=RoundTrips(one=1, two=1, more=1, worst=3, worst_pattern=SELECT.id), hottest=None,
            shares_not_measured=4, operational=Score(points=3, formula="3 tables × 1"),
        ),
        "rules": Comparison(
            items=_ITEMS, sizes=ItemSizes(source="measured", average=150, p99_at_most=2048,
                            largest_in="books", not_measured=1),
            round_trips=RoundTrips(one=1, two=2, more=0, worst=2, worst_pattern=SELECT.id),
            hottest=HotPartition(structure="books/books_by_all", share=1, of="items", peak_reads=600, peak_writes=250,
                                 load=0.45),
            shares_not_measured=3, operational=Score(points=6, formula="3 tables × 1 + 1 copied attributes × 3"),
        ),
    }),
    thin_margins=("Thin margin: faithful costs as much as the cheapest, without the copy <b>of</b> na`me.",),
)  # fmt: skip

# --- stages 4 and 5 ---

SIMULATION = Simulation(
    seed=7, minutes=60, mode="on-demand",
    runs=(
        Run(name="×1", scale=1, offered=1_000, served=1_000),
        Run(
            name="×10", scale=10, offered=10_000, served=7_500,
            patterns=(PatternLoad(
                pattern=INSERT.id, offered=5_000, served=2_500, causes=(
                    Cause(structure=f"{BOOKS}/{MARK}", reason="IndexWriteKeyRangeThroughputExceeded", calls=2_000),
                    Cause(structure=BOOKS, reason="TableWriteKeyRangeThroughputExceeded", calls=500),
                ),
            ),),
            structures=(
                StructureLoad(structure=f"{BOOKS}/{MARK}", partitions=4, partitions_after=6, heat_splits=2, reads=0,
                              writes=4_000, throttled=2_000, heat=(0.2, 3.0, 0.9),
                              keys=(KeyHeat(key=MARK, reads=0, writes=3.0),)),
                StructureLoad(structure=BOOKS, partitions=4, partitions_after=4, heat_splits=0, reads=80, writes=900,
                              throttled=500, heat=(0.1, 1.2, 0.1)),
            ),
        ),
    ),
    indexes=(IndexRoom(structure=f"{BOOKS}/{MARK}", key=MARK, key_share=0.3, from_scale=3.333),),
    cures=(
        Cure(run="×10", before=0.5, after=0.2, cured=False, remedies=(
            Remedy(structure=BOOKS, kind="warm throughput", reads=12_000, writes=5_000),
            Remedy(structure=f"{BOOKS}/{MARK}", kind="shards", amount=4),
            Remedy(structure=BOOKS, kind="cache", amount=0.6),
        )),
    ),
)  # fmt: skip
CONSISTENCY = Consistency(
    patterns=2, pairs=3, pairs_left_out=1, schedules=9, not_run=(SEARCH.id,), anomalies=(
        Anomaly(kind="answer", pattern=UPDATE.id, schedule=("A: GetItem x", "B: GetItem x")),
        Anomaly(kind="read", pattern=UPDATE.id, other=SELECT.id, schedule=("A: PutItem x", "B: GetItem x")),
        Anomaly(kind="data", pattern=UPDATE.id, tables=(BOOKS,),
                schedule=(f"A: GetItem {MARK}", f"B: GetItem {MARK}", f"A: PutItem {MARK}", f"B: PutItem {MARK}")),
    ),
    stale=(StaleRead(write=UPDATE.id, read=SELECT.id, through=f"{MARK}/x", calls=4),),
)  # fmt: skip
REPLAY = Replay(
    seed=7, statements=7, refused={f"no such {MARK}": 1}, not_run=(SEARCH.id,), patterns=(
        PatternReplay(pattern=SELECT.id, runs=4, rows=4, trips=(1, 1, 2), planned_trips=1, read_units=0.5,
                      planned_read_units=0.5, write_units=0, planned_write_units=0),
        PatternReplay(pattern=UPDATE.id, runs=1, rows=1, trips=(2, 3, 3), planned_trips=2, read_units=1.5,
                      planned_read_units=0.5, write_units=2, planned_write_units=2, required_ms=25),
    ),
)  # fmt: skip
EVOLUTION = Evolution(
    seed=7, probes=2, left_out={"split a copy": "the design keeps no copies"}, changes=(
        Change(kind="rename a column", table="books", subject=f"{MARK} -> x", steps=("write both", "REMOVE one"),
               rollback="never", items=18, compared=7, wrong=(f"old plans: {SELECT.id}",), write_units=4_000_000,
               read_units=500),
    ),
)  # fmt: skip
VALIDATION = Validation(
    engine="moto 5.2", engine_warning="moto stands in for DynamoDB: its capacity is no measure", alternative="rules",
    seed=7, tables_created=3, indexes_created=2,
    loads=(
        LoadResult(table="books", source_table=BOOKS, rows=10, filtered=0, rejected=1,
                   reject_reasons=("two rows with one key: 1 rows",), items_written=9, items_found=9,
                   source_rows_limited=True),
        LoadResult(table="books_isbn_unique", source_table=BOOKS, rows=10, filtered=2, rejected=0, items_written=8,
                   items_found=8),
    ),
    patterns=(
        PatternResult(pattern=SELECT.id, status="proved", runs=3, boundary_runs=7, rows_sql=6, rows_plan=6, calls=9,
                      predicted_read_units=4.5, consumed_read_units=4.5,
                      limits=("text | that differs in case only",), untried=("LIMIT 0: not run",)),
        PatternResult(pattern=INSERT.id, status="mismatched", runs=3, rows_sql=3, rows_plan=2,
                      why="items of bo|oks: 1 missing", calls=6, predicted_write_units=12, consumed_write_units=10,
                      capacity_differs=1,
                      difference=Difference(case="parameter 2 (na`me): NULL", run=1, seed="7:Qbb",
                                            parameters=("1 (id): a number of 2 digits", "2 (na`me): NULL"),
                                            what="items of bo|oks: 1 missing")),
        PatternResult(pattern=UPDATE.id, status="not proved", runs=0, rows_sql=0, rows_plan=0, why="no such value"),
        PatternResult(pattern=SEARCH.id, status="routed", runs=0, rows_sql=0, rows_plan=0, reason="full-text search",
                      why="MATCH has no key"),
    ),
    sql_side="SQLite (embedded)", sql_differences=("TIME is ordered | as text.",),
    round_trip=(
        RoundTrip(table="books", source_table=BOOKS, rows=10, recovered=8, missing=1, differing=1, columns=("na`me",),
                  unexpected=2, orphans=3, null_keys=2),
        RoundTrip(table="authors", source_table="authors", rows=4, recovered=4, missing=0, differing=0),
    ),
    capacity_operations=15, capacity_known_differences=("Local charges 0.0 for a Query of nothing.",),
    checks=(
        Check(name="Tables and indexes can be created", verdict="passed", evidence="3 tables"),
        Check(name="Plans answer as their SQL", verdict="failed", evidence="1 of 2 agree"),
        Check(name="Write amplification verification: consumed capacity", verdict="passed", evidence="15 operations"),
        Check(name="Hot partition simulation", verdict="passed", evidence="none of 1,000 calls is throttled at ×1"),
        Check(name="Consistency edge case testing", verdict="passed", evidence="9 interleavings of 2 writes"),
        Check(name="Performance under load testing", verdict="failed", evidence="5 statements answered, 1 refused"),
        Check(name="Schema evolution dry runs", verdict="failed", evidence="1 change made, 1 differs"),
    ),
    simulation=SIMULATION, consistency=CONSISTENCY, replay=REPLAY, evolution=EVOLUTION,
)  # fmt: skip
ANALYSIS = Analysis(
    alternative="rules",
    metrics=(Metric(name="Tables", value=2, unit="tables", meaning="each is watched"),),
    projections=(CostPoint(months=0, requests_usd=Decimal("1.375"), storage_usd=Decimal("0.000275"),
                           total_usd=Decimal("1.375275")),),
    best_usd=Decimal("0.7"), expected_usd=Decimal("2"), worst_usd=Decimal("9.5"),
    case_assumptions=("Best: half of today's calls.",),
    formulas=("reads: 1,000,000 request units × $0.125 per million = $0.12", "total: $1.38"),
    conventions=("A month has 730 hours.", "Free tier is not counted."),
    one_off=(OneOff(name="Load every item", formula="(9 + 8) × $0.625 per million", usd=Decimal("0.0000106")),
             OneOff(name="Or import new tables from S3", formula="0.5 GB of items", usd=None)),
    modes=(COST, COST.model_copy(update={"mode": "provisioned", "reads_usd": Decimal("2.5")})),
    mode_break_even=("standard: provisioned is cheaper above 28.9 %.",),
    efforts=(Effort(name="Development", low_days=1.5, high_days=4, formula="3 patterns × 0.5–1.5 days (assumed)"),),
    sensitivities=(Sensitivity(input="workload rate (assumed)", low_label="×0.5", high_label="×2",
                               low_usd=Decimal("0.69"), high_usd=Decimal("2.75")),),
    break_even=("faithful: $1.38 against $1.38.",),
    risks=(RiskItem(risk=MARK, raised_by="PR012", mitigation="Add a primary key."),),
    acknowledgments=(f"Engineering lead: I accept that {BOOKS} keeps a copy of {NAME}.",),
    evolution=("Add an attribute: write it.",),
    not_analysed=("Person-days are not turned into money.",),
)  # fmt: skip
