"""Published designs beside ours: how they are read and priced, on a small one; and the ratios, on the corpus."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import bench_design
from bench_design import Comparison, compare, mixed, shipped_prices
from ddbmig.engine.operations import EntryWrites, Store
from ddbmig.model.snapshot import Snapshot
from expert_design import COUNTER_BYTES, ExpertDesign, ItemKind
from published_designs import (
    AllRemarks,
    Case,
    ExpertEntity,
    ExpertIndex,
    Items,
    ItemWrite,
    Remarks,
    analysed,
    pattern_id,
    read_cases,
    remarks,
)

DDL = """\
CREATE TABLE author (author_id INT PRIMARY KEY, name VARCHAR(40));
CREATE TABLE book (book_id INT PRIMARY KEY, author_id INT NOT NULL, title VARCHAR(60), status ENUM('in','out'),
  FOREIGN KEY (author_id) REFERENCES author (author_id));
"""
AUTHOR, BOOK = 3 + 9 + 20 + 4, (3 + 7) + (3 + 9) + (30 + 5) + (16 + 6)
"""Bytes of a row: an INT takes 3, a text half of its length, an ENUM 16; and the names."""
KEYS = len("PK" + "B#") + 10 + len("SK" + "B")


def question(name: str, sql: str, rps: float, op: str, index: str | None = None, rows: int | None = None) -> Any:
    kind = "read" if sql.startswith("SELECT") else "write"
    call = {"op": op, "table": "Library", "index": index}
    return {"id": name, "sql": sql, "kind": kind, "rps": rps, "expert_op": call, "expected_rows": rows}


LIBRARY: Mapping[str, Any] = {
    "id": "library",
    "ddl": DDL,
    "row_counts": {"author": 200, "book": 1000},
    "access_patterns": [
        question("of author", "SELECT * FROM book WHERE author_id = ? AND status = ?", 10, "Query", "ByAuthor", 4),
        question("one", "SELECT * FROM book WHERE book_id = ?", 5, "GetItem", rows=1),
        question("again", "SELECT * FROM book WHERE book_id = ?", 0.5, "GetItem", rows=1),
        question("new", "INSERT INTO book (book_id, author_id, title, status) VALUES (?, ?, ?, ?)", 2, "PutItem"),
        question("moved", "UPDATE book SET author_id = ? WHERE book_id = ?", 1, "UpdateItem"),
        question("renamed", "UPDATE book SET title = ? WHERE book_id = ?", 1, "TransactWrite"),
        question("gone", "DELETE FROM book WHERE book_id = ?", 1, "DeleteItem"),
    ],
    "expert": {
        "tables": [
            {
                "name": "Library", "pk": "PK", "sk": "SK",
                "entities": [
                    {"entity": "Author", "source": "author", "pk": "A#{author_id}", "sk": "'A'"},
                    {"entity": "Book", "source": "book", "pk": "B#{book_id}", "sk": "'B'"},
                ],
                "gsis": [
                    {"name": "ByAuthor", "pk": "AuthorId", "sk": "status", "projection": "KEYS_ONLY"},
                    {"name": "Unread", "pk": "status", "sk": "title", "projection": "ALL"},
                ],
            }
        ]
    },
}  # fmt: skip
CASE = Case.model_validate(LIBRARY)

# --- one small design ---


@cache
def library() -> tuple[Snapshot, ExpertDesign]:
    snapshot, _ = analysed(CASE)
    return snapshot, ExpertDesign(CASE, snapshot)


def test_calls_are_counted_by_the_rates_and_equal_sql_is_one_pattern() -> None:
    _, assessment = analysed(CASE)
    found = {rate.pattern: rate.calls_per_month / (730 * 3600) for rate in assessment.patterns}
    one = next(q for q in CASE.access_patterns if q.id == "one")
    assert len(found) == 6
    assert found[pattern_id(one)] == pytest.approx(5.5)


def test_rows_per_value_are_those_that_the_patterns_expect() -> None:
    snapshot, design = library()
    assert snapshot.statistics["book"].rows.value == 1000
    assert design.catalogue.sizes.rows_per_value("book", ["author_id", "status"]) == 4
    assert (
        design.catalogue.sizes.rows_per_value("book", ["author_id"]) == 8
    )  # books that are in, and books that are out


def test_columns_that_the_expert_makes_keys_of_are_not_null_for_us_either() -> None:
    snapshot, _ = library()
    book = next(table for table in snapshot.tables.tables if table.id == "book")
    assert {column.name for column in book.columns if column.nullable} == {"title"}  # its index is read by nobody


def test_a_log_that_is_told_no_rows_tells_none() -> None:
    snapshot, _ = library()
    examined = {template.verb: template.rows_examined for template in snapshot.digest.templates}
    assert examined["insert"] is None
    assert examined["select"] is not None


def test_stores_hold_columns_and_keys_and_only_indexes_that_are_read() -> None:
    _, design = library()
    items, entry = design.stores()
    assert (items.id, items.items) == (("Library", None), 1200)
    assert items.item_bytes == pytest.approx((200 * (AUTHOR + KEYS) + 1000 * (BOOK + KEYS)) / 1200)
    assert entry == Store("Library", "ByAuthor", 1000, 12 + 22 + KEYS)


def test_operations_are_the_calls_with_what_they_do_to_the_index() -> None:
    _, design = library()
    calls = {operation.pattern: operation for operation in design.operations()}
    assert (calls["of author"].kind, calls["of author"].items, calls["of author"].item_bytes) == ("query", 4, 34 + KEYS)
    assert (calls["one"].kind, calls["one"].items, calls["one"].item_bytes) == ("get", 1, BOOK + KEYS)
    entries = {name: call.entries for name, call in calls.items() if name not in ("of author", "one", "again")}
    assert entries == {
        "new": (EntryWrites("ByAuthor", 1, 34 + KEYS),),
        "moved": (EntryWrites("ByAuthor", 2, 34 + KEYS),),
        "renamed": (),
        "gone": (EntryWrites("ByAuthor", 1, 34 + KEYS),),
    }


def test_a_transaction_of_one_item_is_a_plain_write() -> None:
    _, design = library()
    assert not any(operation.transactional for operation in design.operations())


def with_remarks(told: Remarks, monkeypatch: pytest.MonkeyPatch) -> ExpertDesign:
    monkeypatch.setattr("expert_design.remarks", lambda: AllRemarks(faults=(), routed=(), designs={"library": told}))
    return ExpertDesign(CASE, library()[0])


def test_two_items_of_a_transaction_pay_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Remarks(writes={"renamed": (ItemWrite(update="Book", sets=("title",)), ItemWrite(update="Author"))})
    calls = [call for call in with_remarks(told, monkeypatch).operations() if call.pattern == "renamed"]
    assert [(call.kind, call.transactional) for call in calls] == [("update", True), ("update", True)]


def test_a_copy_that_no_compared_pattern_reads_is_neither_stored_nor_written(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Remarks(
        entities={"Author": Items(table="author", serves=("another",))},
        writes={"renamed": (ItemWrite(update="Book", sets=("title",)), ItemWrite(update="Author"))},
    )
    design = with_remarks(told, monkeypatch)
    assert design.stores()[0].items == 1000
    assert [call.transactional for call in design.operations() if call.pattern == "renamed"] == [False]


def test_an_item_pays_for_embedded_rows_and_for_keys_made_for_an_index() -> None:
    (table,), catalogue = CASE.expert.tables, library()[1].catalogue
    entity = ExpertEntity(entity="Author", source="author + book (embedded list)", pk="A#{author_id}", sk="'A'")
    told = Remarks(entries={"Made": {"Author": (("author_id",), ("name", "author_id"))}})
    made = ExpertIndex(name="Made", pk="X", sk="Y", projection="ALL")
    book = BOOK - len("author_id") - 3 + 3 * 1  # a byte for each of three members; the parent is known
    keys = (1 + 10) + (1 + 20 + 1 + 10)
    size, entries = ItemKind(table, entity, told, catalogue).sized([made])
    assert size == AUTHOR + KEYS + keys + len("book") + 3 + 5 * (book + 3 + 1)
    assert entries["Made"].item_bytes == size
    assert [entries["Made"].writes(changed) for changed in (["name"], ["title"], [])] == [2, 1, 0]


def test_a_count_holds_its_key_and_its_numbers() -> None:
    (table,), catalogue = CASE.expert.tables, library()[1].catalogue
    told = Remarks(entities={"Author": Items(table="author", bare=True, counters=2)})
    size, _ = ItemKind(table, table.entities[0], told, catalogue).sized([])
    assert size == KEYS + 2 * COUNTER_BYTES


def test_a_call_that_may_be_about_two_kinds_of_item_is_refused() -> None:
    tables = [{**table, "entities": [{**e, "source": "book"} for e in table["entities"]]}
              for table in LIBRARY["expert"]["tables"]]  # fmt: skip
    case = Case.model_validate({**LIBRARY, "expert": {"tables": tables}})
    with pytest.raises(ValueError, match="pattern of author may be about"):
        ExpertDesign(case, library()[0]).operations()


@pytest.mark.parametrize(("reads", "writes"), [(1000, 1), (1, 10)])
def test_another_mix_keeps_the_number_of_requests(reads: int, writes: int) -> None:
    case = mixed(CASE, reads, writes)
    assert case.rate("read") + case.rate("write") == pytest.approx(20.5)
    assert case.rate("read") / case.rate("write") == pytest.approx(reads / writes)


def run(case: Mapping[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    (folder / "designs").mkdir()
    (folder / "designs" / "library.json").write_text(json.dumps(case))
    monkeypatch.setenv("DDBMIG_CORPUS", str(folder))
    return bench_design.main()


PLAIN: Mapping[str, Any] = {
    **LIBRARY,
    "access_patterns": [q for q in LIBRARY["access_patterns"] if q["id"] in ("one", "new", "gone")],
    "expert": {
        "tables": [
            {"name": "Authors", "pk": "author_id",
             "entities": [{"entity": "Author", "source": "author", "pk": "{author_id}"}]},
            {"name": "Library", "pk": "book_id",
             "entities": [{"entity": "Book", "source": "book", "pk": "{book_id}"}]},
        ]
    },
}  # fmt: skip
"""What any engine must find: a table per table, under its primary key."""


def test_it_prints_a_line_for_the_case_and_its_mixes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(PLAIN, tmp_path, monkeypatch) == 0
    one, mixes = (line for line in capsys.readouterr().out.splitlines() if line.startswith("library"))
    assert "3 of 3" in one
    assert one.endswith("1.000")
    assert mixes.split() == ["library", *["1.000"] * 5]


def test_it_fails_where_ours_is_dearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expert who leaves all authors out stores less than any design may."""
    tables = PLAIN["expert"]["tables"][1:]
    assert run({**PLAIN, "expert": {"tables": tables}}, tmp_path, monkeypatch) == 1


def test_it_says_so_where_the_corpus_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DDBMIG_CORPUS", str(tmp_path))
    assert bench_design.main() == 0
    assert capsys.readouterr().out.startswith("SKIPPED")


# --- the corpus ---

CASES = ("aws_chat", "aws_online_shop", "aws_session_mgmt", "aws_social_network", "debrie_ecommerce", "debrie_github",
         "debrie_session_store", "mcp_gaming_leaderboard", "mcp_package_delivery", "mcp_saas_projects",
         "northwind_trek10")  # fmt: skip


@cache
def published(folder: Path) -> Mapping[str, Case]:
    return {case.id: case for case in read_cases(folder / "designs")}


@cache
def compared(folder: Path, name: str) -> Comparison:
    return compare(published(folder)[name], shipped_prices())


@pytest.mark.corpus
@pytest.mark.parametrize("name", CASES)
def test_ours_is_not_dearer_than_the_experts(corpus: Path, name: str) -> None:
    found = compared(corpus, name)
    assert found.ours.total_usd <= found.expert.total_usd, f"{found.ratio:.3f}"


@pytest.mark.corpus
def test_every_published_case_is_compared(corpus: Path) -> None:
    assert sorted(published(corpus)) == sorted(CASES)


@pytest.mark.corpus
@pytest.mark.parametrize("name", CASES)
def test_what_ours_does_not_answer_is_listed(corpus: Path, name: str) -> None:
    listed = {routed.pattern for routed in remarks().routed if routed.case == name}
    assert set(compared(corpus, name).routed) == listed


@pytest.mark.corpus
@pytest.mark.parametrize("name", CASES)
def test_both_reads_and_writes_are_compared(corpus: Path, name: str) -> None:
    kept = published(corpus)[name].only(compared(corpus, name).compared)
    assert {question.kind for question in kept.access_patterns} == {"read", "write"}


@pytest.mark.corpus
def test_every_remark_is_on_a_pattern_that_exists(corpus: Path) -> None:
    known = {(case.id, question.id) for case in published(corpus).values() for question in case.access_patterns}
    noted = [(fault.case, fault.pattern) for fault in remarks().faults]
    noted += [(routed.case, routed.pattern) for routed in remarks().routed]
    assert set(noted) <= known
    assert len(noted) == len(set(noted))


@pytest.mark.corpus
def test_every_pattern_that_an_expert_does_not_answer_by_a_call_is_left_out(corpus: Path) -> None:
    left_out = {(fault.case, fault.pattern) for fault in remarks().faults if fault.compared is None}
    for case in published(corpus).values():
        for asked in case.access_patterns:
            assert asked.expert_op.op not in ("external", "unsupported") or (case.id, asked.id) in left_out


@pytest.mark.corpus
@pytest.mark.parametrize("name", sorted(remarks().designs))
def test_remarks_name_entities_indexes_and_columns_that_exist(corpus: Path, name: str) -> None:
    case, told = published(corpus)[name], remarks().designs[name]
    entities = {entity.entity for table in case.expert.tables for entity in table.entities}
    indexes = {index.name for table in case.expert.tables for index in table.gsis}
    patterns = {question.id for question in case.access_patterns}
    named = [*told.entities, *(e for held in told.entries.values() for e in held), *_written(told),
             *(e for read in told.reads.values() for e in read)]  # fmt: skip
    assert set(named) <= entities
    assert told.entries.keys() <= indexes
    served = {pattern for held in told.entities.values() for pattern in held.serves}
    assert told.reads.keys() | told.writes.keys() | served <= patterns


def _written(told: Remarks) -> list[str]:
    return [write.kind for writes in told.writes.values() for write in writes]


@pytest.mark.corpus
def test_nothing_of_the_published_files_is_copied_here(corpus: Path, repository: Path) -> None:
    ours = "\n".join(path.read_text() for path in sorted((repository / "benchmarks").glob("*design*")))
    texts = [
        text for path in sorted((corpus / "designs").glob("*.json")) for text in _texts(json.loads(path.read_text()))
    ]
    assert len(texts) > 300
    assert [text for text in texts if len(text) > 25 and text in ours] == []


def _texts(part: Any) -> list[str]:
    if isinstance(part, str):
        return [part]
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [text for one in inner for text in _texts(one)]
