"""Published DynamoDB designs, each with the MySQL application it is for: read from the corpus, put through our stages.

A file holds DDL, row counts, access patterns as SQL with rates, and the expert's tables. The application becomes a
schema file and a slow log in a temporary folder, which stages 1 and 2 read as they read anything else. What such a log
cannot tell is then set from the file: calls by the rates, rows per table, and rows per value as the patterns expect
them. What an expert takes for granted of the columns in keys, that they are never NULL nor empty, ours is told too.
`published_designs.yaml` says in our words what the files leave open, and which patterns an expert's design does
not answer.
"""

import json
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ddbmig.analyzers.digest import template_id
from ddbmig.analyzers.normalize import Normalizer
from ddbmig.analyzers.snapshot import Sources, build_snapshot
from ddbmig.engine.assess import assess_workload
from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.engine.sizes import assumed_bytes
from ddbmig.engine.statement import conjuncts
from ddbmig.engine.typed_yaml import read_model
from ddbmig.model.assessment import Assessment
from ddbmig.model.base import Value
from ddbmig.model.condition import ColumnRef, Compare, Param
from ddbmig.model.context import ProjectConfig
from ddbmig.model.digest import Digest, TemplateDigest
from ddbmig.model.measure import Measure
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import ColumnStatistics, GroupStatistics, TableStatistics
from ddbmig.packs import recommended

FOLDER = "designs"
REMARKS = Path(__file__).with_name("published_designs.yaml")
SPAN_SECONDS = 1_000_000
"""What the calls are counted over: a rate of 0.001 a second is a thousand of them."""
FIELD = re.compile(r"\{(\w+)[^}]*\}")
"""A column in the template of a key."""
SOURCE = re.compile(r"(\w+)(?: \+ (\w+) \(embedded \w+\))?")
"""What an item is made of: a table, and one whose rows it holds in a list or map."""
RANGES = frozenset({"<", "<=", ">", ">=", "between"})

# --- the files of the corpus -----------------------------------------------------------------------------------------


class Part(BaseModel):
    """A part of a file; what we do not use of it is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ExpertCall(Part):
    """How the expert answers a pattern."""

    op: Literal["GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "TransactWrite", "external",
                "unsupported"]  # fmt: skip
    table: str | None = None
    index: str | None = None
    pk: str | None = None


class Question(Part):
    """An access pattern: its SQL and how often a second it runs."""

    id: str
    sql: str
    kind: Literal["read", "write"]
    rps: float
    expert_op: ExpertCall
    expected_rows: float | None = None


class ExpertEntity(Part):
    """One kind of item; keys are templates over columns."""

    entity: str
    source: str
    pk: str
    sk: str | None = None


class ExpertIndex(Part):
    """A GSI; the sort key may be several attributes."""

    name: str
    pk: str
    sk: str | tuple[str, ...] | None = None
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"]
    include: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All key attributes."""
        sort = (self.sk,) if isinstance(self.sk, str) else self.sk or ()
        return (self.pk, *sort)


class ExpertTable(Part):
    """A table of the expert's."""

    name: str
    pk: str
    sk: str | None = None
    entities: tuple[ExpertEntity, ...]
    gsis: tuple[ExpertIndex, ...] = ()


class ExpertTables(Part):
    """The expert's design."""

    tables: tuple[ExpertTable, ...]


class Case(Part):
    """One published design with its application."""

    id: str
    ddl: str
    row_counts: Mapping[str, int]
    access_patterns: tuple[Question, ...]
    expert: ExpertTables

    def only(self, ids: Iterable[str]) -> "Case":
        """The same with some of the access patterns."""
        kept = set(ids)
        return self.model_copy(update={"access_patterns": tuple(q for q in self.access_patterns if q.id in kept)})

    def scaled(self, reads: float, writes: float) -> "Case":
        """The same with other rates."""
        factor = {"read": reads, "write": writes}
        found = [q.model_copy(update={"rps": q.rps * factor[q.kind]}) for q in self.access_patterns]
        return self.model_copy(update={"access_patterns": tuple(found)})

    def rate(self, kind: Literal["read", "write"]) -> float:
        """Requests a second of one kind."""
        return sum(q.rps for q in self.access_patterns if q.kind == kind)


def corpus() -> Path | None:
    """The folder of published designs, if it is here."""
    folder = Path(os.environ.get("DDBMIG_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "data") / FOLDER
    return folder if folder.is_dir() else None


def read_cases(folder: Path) -> tuple[Case, ...]:
    """All published designs, by id."""
    return tuple(Case.model_validate(json.loads(path.read_bytes())) for path in sorted(folder.glob("*.json")))


# --- our remarks on them ---------------------------------------------------------------------------------------------


class Fault(Value):
    """Why an expert's design does not answer a pattern."""

    case: str
    pattern: str
    reason: str
    compared: str | None = None
    """Why the pattern is compared all the same; None where it is left out on both sides."""


class Routed(Value):
    """Why we do not answer a pattern."""

    case: str
    pattern: str
    reason: str


class Items(Value):
    """What is in an entity whose source is not simply a table."""

    table: str
    share: float = 1.0
    """Of the rows of the table, those with such an item."""
    bare: bool = False
    """Nothing but the key."""
    counters: int = 0
    """Counted numbers kept beside the key."""
    serves: tuple[str, ...] = ()
    """The patterns that read it, where it is a copy or a count: without one of them nobody keeps it."""


class ItemWrite(Value):
    """One item that an execution of a pattern writes."""

    put: str | None = None
    update: str | None = None
    delete: str | None = None
    sets: tuple[str, ...] = ()
    """Columns that an update changes."""

    @property
    def kind(self) -> str:
        """The entity of the item."""
        return self.put or self.update or self.delete or ""


class Remarks(Value):
    """What the files leave open of one case."""

    entities: Mapping[str, Items] = {}
    entries: Mapping[str, Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    """By GSI the entities with an entry, each with the columns in the partition key and in the sort key where these are
    attributes made for the index."""
    reads: Mapping[str, Mapping[str, float]] = {}
    """By pattern the items that its call reads, by entity."""
    writes: Mapping[str, tuple[ItemWrite, ...]] = {}
    """By pattern the items that it writes, where that is not one item of the table of the SQL."""


class AllRemarks(Value):
    """The file `published_designs.yaml`."""

    faults: tuple[Fault, ...]
    routed: tuple[Routed, ...]
    designs: Mapping[str, Remarks]


@cache
def remarks() -> AllRemarks:
    """Our remarks. Raises RuleError with every mistake in the file."""
    return read_model(REMARKS.name, REMARKS.read_text("utf-8"), AllRemarks).value


BYTES = "utf8mb4_0900_bin"
"""A collation by which two texts are equal only where their bytes are."""


# --- the application, put through stages 1 and 2 ---------------------------------------------------------------------


def pattern_id(question: Question) -> str:
    """The id of the access pattern that our stage 1 makes of a question; equal SQL is one pattern."""
    template, _, _ = Normalizer().normalize(_logged(question.sql).encode())
    return f"Q{template_id('', template.sql)}"


def analysed(case: Case) -> tuple[Snapshot, Assessment]:
    """The snapshot of a case and its assessment under the recommended rules."""
    with tempfile.TemporaryDirectory() as folder:
        schema, log = Path(folder, "schema.sql"), Path(folder, "slow.log")
        schema.write_text(case.ddl)
        log.write_text("".join(_slow_log(case.access_patterns)))
        sources = Sources(schema_files=((schema, schema.name),), slow_logs=((log, log.name),))
        snapshot = build_snapshot(sources, ProjectConfig())
    snapshot = snapshot.model_copy(update={"tables": _with_keys(snapshot.tables, case)})
    statistics = _statistics(case, snapshot.tables, {pattern.id: pattern for pattern in snapshot.patterns})
    update = {"digest": _with_calls(snapshot.digest, case.access_patterns), "statistics": statistics}
    snapshot = snapshot.model_copy(update=update)
    return snapshot, assess_workload(snapshot, rulebook())


@cache
def rulebook() -> Rulebook:
    """The recommended rules."""
    return load_rules([recommended()])


def _with_keys(schema: Schema, case: Case) -> Schema:
    """The schema as the expert takes it: NOT NULL on the columns that are made keys of, and text compared as bytes.

    An expert's keys hold texts as they are written; with MySQL's usual collations ours would hold a second form too.
    """
    keys = _key_columns(case)
    return schema.model_copy(update={"tables": tuple(_as_taken(table, keys[table.id]) for table in schema.tables)})


def _as_taken(table: Table, names: Collection[str]) -> Table:
    columns = (
        column.model_copy(update={"collation": BYTES, "nullable": column.nullable and plain(column.name) not in names})
        for column in table.columns
    )
    return table.model_copy(update={"columns": tuple(columns)})


def _key_columns(case: Case) -> Mapping[str, set[str]]:
    """By MySQL table the names in keys of its own items, and of their entries in indexes that are read."""
    told = remarks().designs.get(case.id, Remarks())
    read = {(question.expert_op.table, question.expert_op.index) for question in case.access_patterns}
    found = defaultdict[str, set[str]](set)
    for table in case.expert.tables:
        indexes = [index for index in table.gsis if (table.name, index.name) in read]
        for entity in table.entities:
            held, source = told.entities.get(entity.entity), SOURCE.fullmatch(entity.source)
            if source is not None and not (held and held.serves):
                found[source[1]] |= {plain(name) for name in _names_in_keys(entity, indexes, told)}
    return found


def _names_in_keys(entity: ExpertEntity, indexes: Iterable[ExpertIndex], told: Remarks) -> Iterator[str]:
    """Columns and attributes; an attribute that is no column does no harm."""
    yield from FIELD.findall(f"{entity.pk} {entity.sk}")
    for index in indexes:
        yield from index.keys
        for columns in told.entries.get(index.name, {}).get(entity.entity, ()):
            yield from columns


def plain(name: str) -> str:
    """A name without what spellings of one name differ in."""
    return name.lower().replace("_", "")


def _logged(sql: str) -> str:
    """A statement as a log has it: values in place of placeholders."""
    return sql.replace("LIKE ?", "LIKE 'a%'").replace("?", "2")


def _slow_log(questions: Iterable[Question]) -> Iterator[str]:
    """Each statement once, on a connection of its own, minutes apart: no two of them belong together."""
    yield "/usr/sbin/mysqld, Version: 8.4.2 (MySQL Community Server - GPL). started with:\n"
    for number, question in enumerate(questions):
        rows = round(question.expected_rows or 1)
        yield (
            f"# Time: 2026-01-01T{number // 6:02}:{number % 6}0:00.000000Z\n"
            f"# User@Host: app[app] @ localhost []  Id: {number}\n"
            f"# Query_time: 0.000100  Lock_time: 0.000002 Rows_sent: {rows}  Rows_examined: {rows}\n"
            f"SET timestamp={1767225600 + 600 * number};\n{_logged(question.sql)};\n"
        )


def rates(questions: Iterable[Question]) -> dict[str, float]:
    """Calls a second by the id of our access pattern."""
    found: dict[str, float] = {}
    for question in questions:
        name = pattern_id(question)
        found[name] = found.get(name, 0.0) + question.rps
    return found


def _with_calls(digest: Digest, questions: Sequence[Question]) -> Digest:
    """The digest as if each template had been called at its rate, evenly over the span."""
    calls = rates(questions)
    told = {pattern_id(question) for question in questions if question.expected_rows is not None}
    templates = tuple(
        _called(template, round(calls[f"Q{template.id}"] * SPAN_SECONDS), f"Q{template.id}" in told)
        for template in digest.templates
    )
    span = {"first_us": 0, "last_us": SPAN_SECONDS * 1_000_000}
    sources = tuple(source.model_copy(update=span) for source in digest.sources)
    return digest.model_copy(update={"templates": templates, "sources": sources})


def _called(template: TemplateDigest, calls: int, rows_told: bool) -> TemplateDigest:
    """A template with other calls; where the file does not tell its rows, the log does not either."""
    rows = ("rows_sent", "rows_examined") if rows_told else ()
    sums = {name: getattr(template, name) * calls // template.calls for name in ("list_length_sum", *rows)}
    nothing = {"query_us": None, "rows_sent": None, "rows_examined": None, "peak_second_calls": 0, "edge_seconds": ()}
    by_time: dict[str, object] = {"latency": {}, "minutes": {}}
    timed = calls if rows_told else 0
    return template.model_copy(update={**nothing, **by_time, **sums, "calls": calls, "timed_calls": timed})


# --- statistics ------------------------------------------------------------------------------------------------------

RowsPerValue = dict[frozenset[str], float]


def _statistics(
    case: Case, schema: Schema, patterns: Mapping[str, AccessPattern]
) -> dict[str, TableStatistics]:  # fmt: skip
    """Rows from the file, sizes by the columns' types, rows per value from foreign keys and what the patterns expect.

    No value is empty or NULL: the experts take that for granted where they make keys of columns.
    """
    per_value = {table.id: _rows_per_parent(case, table) for table in schema.tables}
    for question in case.access_patterns:
        pattern = patterns[pattern_id(question)]
        if question.expected_rows is not None and pattern.kind == "select" and len(pattern.refs) == 1:
            table = next(t for t in schema.tables if t.id == pattern.refs[0].table)
            _expect(per_value[table.id], table, pattern, question.expected_rows)
    return {table.id: _of_table(case.row_counts[table.id], table, per_value[table.id]) for table in schema.tables}


def _rows_per_parent(case: Case, table: Table) -> RowsPerValue:
    """Rows per value of each foreign key, as if every parent had as many children."""
    rows = case.row_counts
    return {frozenset(key.columns): max(1.0, rows[table.id] / rows[key.parent]) for key in table.foreign_keys}


def _expect(found: RowsPerValue, table: Table, pattern: AccessPattern, rows: float) -> None:
    """Note the rows that a pattern finds for its values. A LIMIT that is reached only says that there are as many.

    A column of few possible values splits what there is for the others: open and closed issues of one project.
    """
    fixed = fixed_columns(pattern)
    if not fixed or is_ranged(pattern):
        return
    if pattern.limit is not None and pattern.limit.rows is not None and rows >= pattern.limit.rows:
        rows = max(rows, found.get(fixed, rows))
    few = [name for name in sorted(fixed) if possible_values(table.column(name))]
    for size in range(len(few) + 1):
        for left in combinations(few, size):
            rest = fixed - set(left)
            there = rows * prod(possible_values(table.column(name)) for name in left)
            if rest:
                found[rest] = max(there, found.get(rest, 0.0)) if left else there


def _of_table(rows: int, table: Table, per_value: RowsPerValue) -> TableStatistics:
    size = sum(len(column.name) + assumed_bytes(column) for column in table.columns)
    groups = tuple(
        GroupStatistics(columns=tuple(sorted(columns)), groups=max(1, round(rows / n)), average=n, p99=round(n),
                        max=round(n))
        for columns, n in sorted(per_value.items(), key=lambda one: sorted(one[0]))
    )  # fmt: skip
    distinct = {group.columns[0]: group.groups for group in groups if len(group.columns) == 1}
    columns = {
        column.name: ColumnStatistics(
            average_bytes=assumed_bytes(column),
            max_bytes=round(assumed_bytes(column)),
            null_share=0.0,
            distinct=distinct.get(column.name) or possible_values(column) or None,
        )
        for column in table.columns
    }
    return TableStatistics(
        rows=_declared(rows, "rows"), item_bytes=_declared(size, "bytes"), columns=columns, groups=groups
    )


def _declared(value: float, unit: str) -> Measure:
    return Measure(value=value, unit=unit, source="declared", origin="the published design's file")


def possible_values(column: Column) -> int:
    """How many values the type of a column allows, where these are few: ENUM, TINYINT(1); else 0."""
    if column.type == "enum":
        return len(column.values)
    return 2 if (column.type, column.length) == ("tinyint", 1) else 0


def fixed_columns(pattern: AccessPattern) -> frozenset[str]:
    """The columns of the first table that the WHERE sets equal to a value."""
    return frozenset(
        part.left.column
        for part in conjuncts(pattern.where)
        if isinstance(part, Compare) and part.op == "=" and isinstance(part.left, ColumnRef) and part.left.ref == 0
        and isinstance(part.right[0], Param)
    )  # fmt: skip


def is_ranged(pattern: AccessPattern) -> bool:
    """Whether the WHERE keeps a range."""
    return any(isinstance(part, Compare) and part.op in RANGES for part in conjuncts(pattern.where))
