"""DDL becomes the schema that a server would have, and nothing is dropped unseen. Cases are in data/ddl/."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ddbmig.analyzers.ddl import read_ddl
from ddbmig.model.digest import Digest
from ddbmig.model.errors import DdbmigError, InputError
from ddbmig.model.location import Location
from ddbmig.model.schema import Column, Schema, Table
from ddbmig.model.snapshot import Snapshot

DATA = Path(__file__).parent / "data" / "ddl"
CASES: list[dict[str, Any]] = yaml.safe_load((DATA / "statements.yaml").read_text())
PLACES: list[dict[str, Any]] = yaml.safe_load((DATA / "places.yaml").read_text("utf-8"))
COLUMN_LINES = [line for line in (DATA / "columns.sql").read_text().splitlines() if "-- {" in line]


def read(folder: Path, sql: str | bytes) -> Schema:
    path = folder / "schema.sql"
    path.write_bytes(sql if isinstance(sql, bytes) else sql.encode())
    return read_ddl([(path, "schema.sql")])


@pytest.fixture(scope="module")
def typed() -> Table:
    schema = read_ddl([(DATA / "columns.sql", "columns.sql")])
    assert schema.problems == ()
    return schema.table("types")


@pytest.mark.parametrize("line", COLUMN_LINES, ids=lambda line: line.split(", --")[0].strip()[:60])
def test_columns(typed: Table, line: str) -> None:
    column = typed.columns[COLUMN_LINES.index(line)]
    fields = json.loads(line[line.index("-- {") + 3 :])
    expected = Column.model_validate_json(json.dumps({"name": column.name, **fields}))
    ignored = {"charset", "collation"} - fields.keys()
    assert column.model_dump(exclude=ignored) == expected.model_dump(exclude=ignored)


def described(table: Table, wanted: dict[str, Any]) -> dict[str, Any]:
    """The table in the words of the cases."""
    words = {
        **table.model_dump(mode="json"),
        "columns": [column.name for column in table.columns],
        "indexes": {index.name: [index.kind, list(index.columns)] for index in table.indexes},
        "foreign_keys": {
            key.name: [list(key.columns), key.parent, list(key.parent_columns), key.on_delete, key.on_update]
            for key in table.foreign_keys
        },
    }
    return {name: words[name] for name in wanted}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_statements(case: dict[str, Any], tmp_path: Path) -> None:
    schema = read(tmp_path, case["sql"])
    assert {table.id: described(table, case["tables"].get(table.id, {})) for table in schema.tables} == case["tables"]
    problems = sorted((problem.line, problem.message) for problem in schema.problems)
    expected = case.get("problems", [])
    assert [line for line, _ in problems] == [line for line, _ in expected], problems
    assert all(part in message for (_, message), (_, part) in zip(problems, expected, strict=True)), problems
    objects = [f"{each.kind} {each.name} {each.line}" for each in schema.objects]
    assert objects == case.get("objects", [])


@pytest.mark.parametrize("content", ["SELECT 1;", "-- nothing", "\x00\x01\x02'", "CREATE VIEW v AS SELECT 1;"])
def test_a_file_without_tables_is_refused_by_name(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match=r"schema\.sql: no CREATE TABLE"):
        read(tmp_path, content)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DdbmigError, match="empty"):
        read(tmp_path, "")


def test_an_unclosed_quote_is_reported_and_the_rest_kept(tmp_path: Path) -> None:
    schema = read(tmp_path, "CREATE TABLE a (id int);\nCREATE TABLE b (id int COMMENT 'oops);\n")
    assert [table.id for table in schema.tables] == ["a"]
    assert [problem.line for problem in schema.problems] == [2, 2]


def test_bytes_that_are_not_utf8_are_reported(tmp_path: Path) -> None:
    schema = read(tmp_path, b"CREATE TABLE a (id int COMMENT '\xe9');")
    assert "not UTF-8" in schema.problems[0].message


def test_files_are_one_schema(tmp_path: Path) -> None:
    (tmp_path / "b.sql").write_text(
        "CREATE TABLE b (id int PRIMARY KEY, a_id int, FOREIGN KEY (a_id) REFERENCES a (id));"
    )
    (tmp_path / "a.sql").write_text("CREATE TABLE a (id int PRIMARY KEY);")
    schema = read_ddl([(tmp_path / name, name) for name in ("b.sql", "a.sql")])
    assert [table.file for table in schema.tables] == ["a.sql", "b.sql"]
    assert schema.table("b").foreign_keys[0].parent == "a"


def places(schema: Schema) -> dict[str, Location | None]:
    """The place of every table and key."""
    found: dict[str, Location | None] = {table.id: table.at for table in schema.tables}
    for table in schema.tables:
        found |= {f"{table.id}.{index.name}": index.at for index in table.indexes}
        found |= {f"{table.id}.{key.name}": key.at for key in table.foreign_keys}
    return found


@pytest.mark.parametrize("case", PLACES, ids=lambda case: case["case"])
def test_tables_and_keys_stand_where_they_are_written(case: dict[str, Any], tmp_path: Path) -> None:
    for name, sql in case["files"].items():
        (tmp_path / name).write_bytes(sql.encode())
    schema = read_ddl([(tmp_path / name, name) for name in case["files"]])
    found = {name: f"{at.file}:{at.line}:{at.column}" for name, at in places(schema).items() if at}
    assert found == case["places"]
    assert schema.problems == ()


def test_a_key_of_another_file_is_a_problem_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text("CREATE TABLE t (id int);")
    (tmp_path / "keys.sql").write_text("\nALTER TABLE t ADD KEY (gone), ADD FOREIGN KEY (id) REFERENCES nowhere (id);")
    schema = read_ddl([(tmp_path / name, name) for name in ("tables.sql", "keys.sql")])
    assert [(problem.file, problem.line) for problem in schema.problems] == [("keys.sql", 2), ("keys.sql", 2)]


def test_where_tables_stand_is_no_part_of_the_decision(tmp_path: Path) -> None:
    parent = "CREATE TABLE p (id int PRIMARY KEY, code int, UNIQUE KEY (code));\n"
    child = "CREATE TABLE c (id int, KEY k (id), CONSTRAINT f FOREIGN KEY (id) REFERENCES p (id));\n"
    moved = "\n\n  " + (child + parent).replace(", ", ",\n\t")
    before, after, other = (
        Snapshot(tables=read(tmp_path, sql), digest=Digest())
        for sql in (parent + child, moved, moved.replace("KEY k", "KEY kk"))
    )
    own, new = places(before.tables), places(after.tables)
    assert own.keys() == new.keys()
    assert all(at and at != new[name] for name, at in own.items())
    assert before.decision_hash() == after.decision_hash() != other.decision_hash()


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["oscar_mysql97", "wordpress_mysql57", "tpcc_mysql97", "sysbench_ps_mysql57"])
def test_recorded_schemas_are_understood_whole(corpus: Path, name: str) -> None:
    folder = corpus / "workloads" / name
    stats = json.loads((folder / "stats.json").read_text())
    schema = read_ddl([(folder / "schema.sql", "schema.sql")])
    assert schema.problems == ()
    assert len(schema.tables) == stats["tables"]
    assert sum(len(table.foreign_keys) for table in schema.tables) == stats["fks"]
    assert sum(len(table.indexes) for table in schema.tables) == stats["secondary_keys"]
