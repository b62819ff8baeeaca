"""A script falls into the same statements wherever its stream is cut."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers import sqlscript


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


def test_unwanted_statements_leave_no_text() -> None:
    chunks = [b"INSERT INTO t VALUES ('" + b"x" * 1000 + b"');", b"USE a;"]
    found = list(sqlscript.statements(chunks, lambda head: head.startswith(b"USE")))
    assert [each.text for each in found] == [b"USE a"]


def test_comments_are_blanked_in_place() -> None:
    sql = "CREATE /*!50100 x */ '/* kept */' /* gone */ `-- kept` -- gone"
    blanked = sqlscript.without_comments(sql)
    assert len(blanked) == len(sql)
    assert blanked.split() == ["CREATE", "x", "'/*", "kept", "*/'", "`--", "kept`"]
