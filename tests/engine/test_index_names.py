"""Names of GSIs: `<entity>_by_<attributes>`, unique in their table, legal for DynamoDB."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from ddbmig.engine.candidates import table_name
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.snapshot import Snapshot
from design_builder import World, design_world, snapshot_of

FILES = sorted((Path(__file__).parent / "data" / "plans").glob("*.yaml"))


def check_names(entity: str, tables: Iterable[TableDesign]) -> int:
    """Fail for a name of a GSI of an entity that says nothing, occurs twice or is not legal; how many were checked."""
    checked = 0
    for table in tables:
        names = [index.name for index in table.indexes]
        assert len(set(names)) == len(names)
        for index in table.indexes:
            assert re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", index.name)
            said = table_name(f"{entity}_by_{_attributes(table, index)}")
            assert re.fullmatch(rf"{re.escape(said[:240])}.*", index.name), index.name
            checked += 1
    return checked


def _attributes(table: TableDesign, index: IndexDesign) -> str:
    """The columns of the partition key and the first one to sort by."""
    constant = table.attributes[index.partition[0]].value is not None
    named = ["all"] if constant else [column for name in index.partition for column in table.source_columns(name)]
    return "_and_".join(named) + "".join(f"_then_{table.source_columns(name)[0]}" for name in index.sort[:1])


def check_design(snapshot: Snapshot) -> int:
    entities = {table.id: table.name for table in snapshot.tables.tables}
    return sum(
        check_names(entities[table.source_table], [table])
        for alternative in design_world(snapshot).alternatives
        for table in alternative.tables
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_alternative_names_its_indexes_by_what_they_answer(file: Path) -> None:
    world = yaml.safe_load(file.read_text())
    statements = sorted({case["sql"] for case in world["cases"]})
    snapshot = snapshot_of(
        World(schema=world["schema"], rows=world["rows"], groups=world["groups"], statements=statements)
    )
    assert check_design(snapshot) >= 5


def test_columns_that_read_alike_get_two_names() -> None:
    schema = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, `a b` INT NOT NULL, a_b INT NOT NULL, note TEXT NOT NULL);"
    statements = ("SELECT note FROM t WHERE `a b` = ?", "SELECT note FROM t WHERE a_b = ?")
    snapshot = snapshot_of(World(schema=schema, statements=statements, groups={"t": {"a b": 5000, "a_b": 5000}}))
    names = {i.name for t in design_world(snapshot).alternatives[0].tables for i in t.indexes}
    assert names == {"t_by_a_b", "t_by_a_b_2"}


def test_a_long_name_stays_legal_and_its_own() -> None:
    entity, columns = "t" * 60, [f"{letter * 63}" for letter in "abcd"]
    fields = ", ".join(f"{name} INT NOT NULL" for name in columns)
    schema = f"CREATE TABLE {entity} (id INT NOT NULL PRIMARY KEY, {fields}, note TEXT NOT NULL);"
    where = " AND ".join(f"{name} = ?" for name in columns)
    statements = (f"SELECT note FROM {entity} WHERE {where}",)
    snapshot = snapshot_of(
        World(schema, statements, rows={entity: 1_000_000}, groups={entity: {",".join(columns): 1_000_000}})
    )
    assert check_design(snapshot) >= 1


@pytest.mark.parametrize("name", ["GSI1", "gsi_2", "index1", "books_by_title", "books", "b", "authors_by_author_id"])
def test_a_name_that_says_nothing_or_something_else_fails(name: str) -> None:
    schema = "CREATE TABLE books (id INT NOT NULL PRIMARY KEY, author_id INT NOT NULL, title VARCHAR(20) NOT NULL);"
    snapshot = snapshot_of(World(schema=schema, statements=("SELECT title FROM books WHERE author_id = ?",)))
    (table,) = design_world(snapshot).alternatives[0].tables
    (index,) = table.indexes
    assert check_names("books", [table]) == 1
    renamed = table.model_copy(update={"indexes": (index.model_copy(update={"name": name}),)})
    with pytest.raises(AssertionError):
        check_names("books", [renamed])


def test_a_name_twice_in_a_table_fails() -> None:
    schema = "CREATE TABLE books (id INT NOT NULL PRIMARY KEY, author_id INT NOT NULL, title VARCHAR(20) NOT NULL);"
    snapshot = snapshot_of(World(schema=schema, statements=("SELECT title FROM books WHERE author_id = ?",)))
    (table,) = design_world(snapshot).alternatives[0].tables
    with pytest.raises(AssertionError):
        check_names("books", [table.model_copy(update={"indexes": table.indexes * 2})])
