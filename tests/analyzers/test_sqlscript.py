"""A script falls into the same statements wherever its stream is cut."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers import sqlscript
from ddbmig.model.location import Location


@given(st.text(alphabet="CREATE TABLE t(`'\",;)-/*#!int key\\\n", max_size=60))
def test_no_text_breaks_the_splitter(text: str) -> None:
    lines = [each.line for each in sqlscript.statements([text.encode()], lambda head: True)]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


SCRIPT = b"""/*M!999999\\- enable the sandbox mode */
-- Host: a    Database: b
SELECT 'a;b', "x;\\"", `q;`, 1--1, 3 - 2 /* ; ' */ # ; '
, 4/2;
DELIMITER ;;
/*!50003 CREATE*/ /*!50003 TRIGGER x BEGIN a; b '*/'; END */;;
delimiter ;
insert into x values ('it''s', 'a\\'b');
select 'unterminated"""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 31, 1000])
def test_statements_do_not_depend_on_where_the_input_is_cut(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlscript, "CHUNK", 1)
    stream = io.BytesIO(SCRIPT)
    found = list(sqlscript.statements(iter(lambda: stream.read(size), b""), lambda head: True))
    assert [(each.line, each.text.split()[0], each.complete) for each in found] == [
        (2, b"--", True),
        (3, b"SELECT", True),
        (6, b"/*!50003", True),
        (8, b"insert", True),
        (9, b"select", False),
    ]


PLACES = """\ufeff  use é; /* 漢 */\tuse b;\r
\t\tuse c; insert into x values ('
é😀'); use d; /*!40101 use e */; -- 漢
-- é
 use f"""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_places_count_characters(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlscript, "CHUNK", 4)
    stream = io.BytesIO(PLACES.encode())
    found = sqlscript.statements(iter(lambda: stream.read(size), b""), lambda head: head.startswith((b"use", b"/*!")))
    assert [(each.line, each.column) for each in found if not each.text.startswith(b"--")] == [
        (1, 3), (1, 18), (2, 3), (3, 7), (3, 14), (5, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("delimiter", ["//", "$$", ";;", "|", "--|", "#", "END_"])
def test_any_delimiter_ends_statements(delimiter: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlscript, "CHUNK", 1)
    script = f"DELIMITER {delimiter}\nBEGIN a; b '{delimiter}'; 4/2 - 1 /* ; */; END {delimiter} use b{delimiter}\n"
    stream = io.BytesIO((script + "delimiter ;\nuse c;").encode())
    found = sqlscript.statements(iter(lambda: stream.read(size), b""), lambda head: True)
    texts = [f"BEGIN a; b '{delimiter}'; 4/2 - 1 /* ; */; END ", "use b", "use c"]
    assert [each.text.decode() for each in found] == texts


def test_a_place_inside_a_text_counts_from_its_start() -> None:
    start = Location(file="a.sql", line=3, column=5)
    found = [sqlscript.place_in("ab\nc\n\nd", at, start) for at in range(7)]
    assert [(at.line, at.column) for at in found] == [(3, 5), (3, 6), (3, 7), (4, 1), (4, 2), (5, 1), (6, 1)]
    assert {at.file for at in found} == {"a.sql"}


def test_unwanted_statements_leave_no_text() -> None:
    chunks = [b"INSERT INTO t VALUES ('" + b"x" * 1000 + b"');", b"USE a;"]
    found = list(sqlscript.statements(chunks, lambda head: head.startswith(b"USE")))
    assert [each.text for each in found] == [b"USE a"]


def test_comments_are_blanked_in_place() -> None:
    sql = "CREATE /*!50100 x */ '/* kept */' /* gone */ `-- kept` -- gone"
    blanked = sqlscript.without_comments(sql)
    assert len(blanked) == len(sql)
    assert blanked.split() == ["CREATE", "x", "'/*", "kept", "*/'", "`--", "kept`"]
