"""Rows of a dump come out as the values that went in, and every row that is not read is counted."""

import bz2
import gzip
import json
import re
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddbmig.analyzers.ddl import read_ddl
from ddbmig.analyzers.dump import DumpReader, Row
from ddbmig.model.errors import InputError
from ddbmig.model.schema import Column, Schema, Table


def schema_of(**columns: Column) -> Schema:
    """One table `t`; the keyword is the column's name."""
    made = tuple(column.model_copy(update={"name": name}) for name, column in columns.items())
    return Schema(tables=(Table(id="t", schema_name="", name="t", columns=made),))


def column(kind: str, **fields: object) -> Column:
    return Column.model_validate({"name": "c", "type": kind, **fields})


def read(folder: Path, schema: Schema, sql: str | bytes) -> tuple[list[tuple[str, Row]], DumpReader]:
    path = folder / "data.sql"
    path.write_bytes(sql if isinstance(sql, bytes) else sql.encode())
    reader = DumpReader([(path, "data.sql")], schema)
    return list(reader.rows()), reader


LITERALS = [
    ("int", "NULL", None), ("int", "-7", -7), ("int", "'12'", 12), ("bigint", "18446744073709551615", 2**64 - 1),
    ("tinyint", "TRUE", 1), ("year", "2026", 2026), ("decimal", "-0.10", Decimal("-0.10")),
    ("decimal", "'12345678901234567890.5'", Decimal("12345678901234567890.5")), ("double", "1.5e-7", 1.5e-7),
    ("float", "-3", -3.0), ("varchar", "''", ""), ("varchar", "'NULL'", "NULL"), ("varchar", "null", None),
    ("varchar", r"'it\'s'", "it's"), ("varchar", "'it''s'", "it's"), ("varchar", "'a\"\"b'", 'a""b'),
    ("varchar", '"say ""hi"" \'x\'"', "say \"hi\" 'x'"), ("text", r"'\0\n\r\t\Z\b\\\"\%\q'", '\0\n\r\t\x1a\b\\"\\%q'),
    ("varchar", "'),(;--#/*'", "),(;--#/*"), ("varchar", "_utf8mb4'é'", "é"), ("varchar", "0x616263", "abc"),
    ("varchar", "5", "5"), ("text", "'line\nbreak'", "line\nbreak"), ("enum", "'a'", "a"), ("set", "'a,b'", "a,b"),
    ("json", r"""'{\"a\": \"x\\\"y\"}'""", '{"a": "x\\"y"}'), ("date", "'0000-00-00'", "0000-00-00"),
    ("datetime", "'2026-11-22 13:41:19.500000'", "2026-11-22 13:41:19.500000"), ("time", "'-12:00:00'", "-12:00:00"),
    ("blob", "0xDEADbeef", b"\xde\xad\xbe\xef"), ("blob", "x'00ff'", b"\x00\xff"), ("blob", "''", b""),
    ("varbinary", r"_binary '\0\'a'", b"\0'a"), ("binary", "_binary 0x00FF", b"\x00\xff"), ("point", "0x01", b"\x01"),
    ("bit", "b'101'", b"\x05"), ("bit", "0x05", b"\x05"), ("bit", "5", b"\x05"), ("bit", r"_binary '\0'", b"\0"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "literal", "cell"), LITERALS, ids=[f"{k} {v!r}" for k, v, _ in LITERALS])
def test_literals(tmp_path: Path, kind: str, literal: str, cell: object) -> None:
    rows, reader = read(tmp_path, schema_of(c=column(kind, length=8)), f"INSERT INTO `t` VALUES ({literal});")
    assert rows == [("t", (cell,))]
    assert type(rows[0][1][0]) is type(cell)
    assert reader.problems == ()


AB = schema_of(a=column("int"), b=column("varchar", length=9), g=column("int", generated="(a + 1)"))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO `t` VALUES (1,'x',2),(2,'y',3);",
        "INSERT INTO t VALUES(1,'x'),(2,'y');",
        "insert into `t` (`b`, `a`) values\n('x', 1),\n( 'y' , 2 );",
        "REPLACE  INTO db.`t` (a,b) VALUES (1,'x');\nINSERT IGNORE INTO `t` (`A`,`B`) VALUE (2,'y');",
        "USE db; INSERT LOW_PRIORITY t (a, b) VALUES (1,'x'),(2,'y') ON DUPLICATE KEY UPDATE b = VALUES(b);",
        "/*!50000 INSERT INTO t (a,b) VALUES (1,'x'),(2,'y') */;",
    ],
)
def test_forms_of_insert(tmp_path: Path, sql: str) -> None:
    rows, reader = read(tmp_path, AB, sql)
    assert [row[:2] for _, row in rows] == [(1, "x"), (2, "y")]
    assert reader.problems == ()


LOSSES = [
    ("INSERT INTO other VALUES (1),(2),('(');", 0, {"other": 3}, "a table that the schema does not have: 3"),
    ("INSERT INTO t VALUES (1,'a'),\n(2),(3,'c','d','e'),\n(4,'d');", 2, {"t": 2}, "another number of values"),
    ("INSERT INTO t VALUES (1,'a'),(NOW(),'b');", 1, {"t": 1}, "with an expression: 1"),
    ("INSERT INTO t VALUES ('one','a'),(2,DEFAULT),(3,'c');", 1, {"t": 2}, "does not fit: 2"),
    ("INSERT INTO t (a,nope) VALUES (1,2);", 0, {"t": 1}, "another number of values"),
    ("INSERT INTO t SELECT 1, 'a';", 0, {"t": 1}, "statements without VALUES"),
    ("INSERT INTO t VALUES (1,'a'),(2,'b", 1, {}, "not understood"),
    ("INSERT INTO t VALUES (1,'a'),;2,'b');", 1, {}, "not understood"),
    ("INSERT INTO t VALUES ;", 0, {}, "not understood"),
    ("INSERT (1,'a');", 0, {}, "statements that are not understood: 1"),
    ("UPDATE t SET a = 1;", 0, {}, "no INSERT statement"),
]


@pytest.mark.parametrize(("sql", "rows", "lost", "message"), LOSSES)
def test_losses_are_counted(tmp_path: Path, sql: str, rows: int, lost: dict[str, int], message: str) -> None:
    found, reader = read(tmp_path, AB, "\n" + sql)
    assert len(found) == rows
    assert reader.lost == lost
    assert any(message in problem.message for problem in reader.problems), reader.problems


@pytest.mark.parametrize(
    ("kind", "literal"),
    [
        ("double", "1e999"),
        ("decimal", "'NaN'"),
        ("bit", "512"),
        ("blob", "0xabc"),
        ("datetime", "NOW"),
        ("int", "'1.5'"),
    ],
)
def test_values_that_no_column_can_hold(tmp_path: Path, kind: str, literal: str) -> None:
    rows, reader = read(tmp_path, schema_of(c=column(kind)), f"INSERT INTO t VALUES ({literal});")
    assert (rows, reader.lost) == ([], {"t": 1})


def test_a_problem_tells_the_first_line_and_no_value(tmp_path: Path) -> None:
    _, reader = read(tmp_path, AB, "INSERT INTO t VALUES (1,'a'),\n(2,'b'),\n('secret','c'),\n('secret','d');")
    (problem,) = reader.problems
    assert (problem.file, problem.line, problem.subject) == ("data.sql", 3, "t")
    assert "secret" not in problem.message


def test_numbers_and_defaults_of_columns_that_are_left_out(tmp_path: Path) -> None:
    schema = schema_of(
        id=column("int", auto_increment=True),
        n=column("int", default="7"),
        at=column("datetime", default="CURRENT_TIMESTAMP"),
        b=column("varchar"),
    )
    rows, reader = read(
        tmp_path, schema, "INSERT INTO t VALUES (5,1,'2026-01-01','x');INSERT INTO t (b) VALUES ('y'),('z');"
    )
    assert [row for _, row in rows][1:] == [(6, 7, None, "y"), (7, 7, None, "z")]
    assert "column at is left out" in reader.problems[0].message


def test_the_schema_in_use_chooses_among_tables_of_one_name(tmp_path: Path) -> None:
    ddl = tmp_path / "schema.sql"
    ddl.write_text("USE a; CREATE TABLE t (x int); USE b; CREATE TABLE t (x int); CREATE TABLE u (x int);")
    schema = read_ddl([(ddl, "schema.sql")])
    sql = (
        "INSERT INTO t VALUES (0);USE b;INSERT INTO t VALUES (1);INSERT INTO a.t VALUES (2);INSERT INTO c.u VALUES (3);"
    )
    rows, reader = read(tmp_path, schema, sql)
    assert rows == [("b.t", (1,)), ("a.t", (2,)), ("b.u", (3,))]
    assert reader.lost == {"t": 1}


def test_the_character_set_of_the_dump(tmp_path: Path) -> None:
    schema = schema_of(b=column("varchar"))
    assert read(tmp_path, schema, b"/*!40101 SET NAMES latin1 */;INSERT INTO t VALUES ('\xe9');")[0] == [("t", ("é",))]
    rows, reader = read(tmp_path, schema, b"INSERT INTO t VALUES ('\xe9');")
    assert (rows, reader.lost) == ([], {"t": 1})


def test_compressed_and_damaged_dumps(tmp_path: Path) -> None:
    content = b"INSERT INTO t VALUES (1,'x',2);\n" * 5000
    path = tmp_path / "data.sql.gz"
    for packed in (gzip.compress(content), bz2.compress(content)):
        path.write_bytes(packed)
        assert sum(1 for _ in DumpReader([(path, "data.sql.gz")], AB).rows()) == 5000
    path.write_bytes(gzip.compress(content)[:-40])
    with pytest.raises(InputError, match=r"data\.sql\.gz: .*damaged"):
        list(DumpReader([(path, "data.sql.gz")], AB).rows())


def literal(cell: object) -> str:
    """As mysqldump writes it, strings by mysql_real_escape_string and bytes by --hex-blob."""
    if isinstance(cell, bytes):
        return f"0x{cell.hex()}" if cell else "''"
    if isinstance(cell, str):
        escapes = {"\0": r"\0", "\n": r"\n", "\r": r"\r", "\\": r"\\", "'": r"\'", '"': r"\"", "\x1a": r"\Z"}
        return "'" + "".join(escapes.get(character, character) for character in cell) + "'"
    return "NULL" if cell is None else str(cell)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**31), 2**31), st.text() | st.none(), st.binary()), min_size=1, max_size=5))
def test_rows_come_back_as_they_went_in(tmp_path: Path, rows: list[Row]) -> None:
    schema = schema_of(a=column("int"), b=column("text"), c=column("blob"))
    written = ",".join(f"({','.join(literal(cell) for cell in row)})" for row in rows)
    found, reader = read(tmp_path, schema, f"INSERT INTO `t` VALUES {written};\n")
    assert [row for _, row in found] == rows
    assert reader.problems == ()


@pytest.mark.slow
def test_speed_is_that_of_a_hundred_megabytes_a_minute(tmp_path: Path) -> None:
    values = ",".join(f"({n},'customer {n} of the shop with a longer text',{n % 97})" for n in range(10_000))
    path = tmp_path / "data.sql"
    path.write_text(f"INSERT INTO t VALUES {values};\n" * 20)
    start = time.process_time()
    assert sum(1 for _ in DumpReader([(path, "data.sql")], AB).rows()) == 200_000
    assert path.stat().st_size / (time.process_time() - start) > 100e6 / 60


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["oscar_mysql97", "wordpress_mysql57", "tpcc_mysql97", "sysbench_ps_mysql57"])
def test_recorded_rows_are_read_one_and_all(corpus: Path, name: str) -> None:
    folder = corpus / "workloads" / name
    schema = read_ddl([(folder / "schema.sql", "schema.sql")])
    reader = DumpReader([(folder / "data.sql.gz", "data.sql.gz")], schema)
    found = Counter(table for table, _ in reader.rows())
    assert (reader.problems, reader.lost) == ((), {})
    text = gzip.decompress((folder / "data.sql.gz").read_bytes()).decode()
    # Another way to count: without quoted strings, every row is one pair of parentheses.
    bare = re.sub(r"'(?:[^'\\]|\\.)*'", "", text, flags=re.DOTALL)
    counted = Counter[str]()
    for table, rows in re.findall(r"^INSERT INTO `(\w+)` VALUES([^;]*);", bare, re.MULTILINE):
        counted[table] += rows.count("(")
    assert found == counted
    assert json.loads((folder / "stats.json").read_text())["case"] == name
