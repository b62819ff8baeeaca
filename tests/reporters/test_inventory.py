"""What does not map by itself: every kind is found where it is, and nowhere else."""

import pytest

from ddbmig.analyzers.statistics import collect_statistics
from ddbmig.model.schema import Column, ForeignKey, Index, Schema, SchemaObject, Table
from ddbmig.reporters.inventory import keys_of, unmapped
from hand_made import column

PLAIN = column("id")


def table(*columns: Column, **rest: object) -> Table:
    """A table t with a primary key, unless said otherwise."""
    given = {"id": "t", "schema_name": "", "name": "t", "columns": (PLAIN, *columns), "primary_key": ("id",)}
    return Table.model_validate(given | rest)


def foreign(name: str, **rest: str) -> ForeignKey:
    return ForeignKey.model_validate(
        {"name": name, "columns": ("id",), "parent": "p", "parent_columns": ("id",)} | rest
    )


def index(kind: str, *columns: str) -> Index:
    return Index.model_validate({"name": kind, "columns": columns or ("id",), "kind": kind})


TEXT = {"collation": "utf8mb4_0900_ai_ci"}
CASES: list[tuple[Table, dict[str, str]]] = [
    (table(), {}),
    (table(primary_key=()), {"tables without primary key (1)": "`t`"}),
    (table(indexes=(index("fulltext"), index("spatial"), index("index"))),
     {"FULLTEXT indexes (1)": "`t.fulltext`", "SPATIAL indexes (1)": "`t.spatial`"}),
    (table(partition_by="RANGE (id)"), {"partitioned tables (1)": "`t`"}),
    (table(foreign_keys=(foreign("a", on_delete="cascade"), foreign("b", on_delete="NO ACTION"),
                         foreign("c", on_update="SET NULL", on_delete="SET NULL"))),
     {"foreign keys that act (2)": "`t.a ON DELETE cascade`, `t.c ON DELETE SET NULL ON UPDATE SET NULL`"}),
    (table(column("name", "varchar", **TEXT)), {}),
    (table(column("name", "varchar", **TEXT), indexes=(index("unique", "name"),)),
     {"text keys compared without case (1)": "`t.name`"}),
    (table(column("name", "varchar"), primary_key=("name",), **TEXT),
     {"text keys compared without case (1)": "`t.name`"}),
    (table(column("name", "varchar", charset="ascii"), primary_key=("name",)),
     {"text keys compared without case (1)": "`t.name`"}),
    (table(column("name", "varchar"), primary_key=("name",), charset="binary"), {}),
    (table(column("name", "varchar", charset="latin1"), column("n", "int")),
     {"columns in another character set than UTF-8 (1)": "`t.name latin1`"}),
    (table(column("name", "text"), charset="cp1251", engine="InnoDB"),
     {"columns in another character set than UTF-8 (1)": "`t.name cp1251`"}),
    (table(engine="MyISAM"), {"tables of an engine without transactions (1)": "`t MyISAM`"}),
    (table(column("n", "int", auto_increment=True)), {"AUTO_INCREMENT columns (1)": "`t.n`"}),
    (table(column("name", "varchar", collation="utf8mb4_bin"), primary_key=("name",), **TEXT), {}),
    (table(column("a", "int", generated="b + 1")), {"generated columns (1)": "`t.a`"}),
    (table(column("a", "enum"), column("b", "set")), {"ENUM and SET columns (2)": "`t.a`, `t.b`"}),
    (table(column("a", "bigint", unsigned=True), column("b", "bigint"), column("c", "int", unsigned=True)),
     {"unsigned BIGINT columns (1)": "`t.a`"}),
    (table(column("a", "datetime", default="'0000-00-00 00:00:00'"), column("b", "date", default="2000-01-01")),
     {"zero dates as default (1)": "`t.a`"}),
]  # fmt: skip


@pytest.mark.parametrize(("found", "expected"), CASES)
def test_each_kind_is_found(found: Table, expected: dict[str, str]) -> None:
    rows = unmapped(Schema(tables=(found,)))
    assert {kind: where for kind, where, _ in rows} == expected
    assert all(meaning for _, _, meaning in rows)


@pytest.mark.parametrize("kind", ["view", "trigger", "procedure", "function", "event"])
def test_objects_are_listed_by_kind(kind: str) -> None:
    found = SchemaObject.model_validate({"kind": kind, "name": "o", "file": "schema.sql", "line": 1})
    ((what, where, _),) = unmapped(Schema(tables=(), objects=(found,)))
    assert kind in what
    assert where == "`o`"


def test_zero_dates_are_found_in_the_rows() -> None:
    schema = Schema(tables=(table(column("at", "date"), column("d", "datetime")),))
    rows = [("t", (1, "2026-01-01", "0000-00-00 00:00:00")), ("t", (2, None, None))]
    ((what, where, _),) = unmapped(schema, collect_statistics(rows, schema, {}, {}))
    assert (what, where) == ("columns that hold zero dates (1)", "`t.d`")


def test_keys_in_one_cell() -> None:
    found = table(primary_key=("a|b", "c"), indexes=(index("unique"), index("index"), index("index")),
                  foreign_keys=(foreign("x"), foreign("y")))  # fmt: skip
    assert keys_of(found) == "`a|b`, `c`; 1 unique; 2 index; 2 foreign keys"
    assert keys_of(table(primary_key=())) == "no primary key"
