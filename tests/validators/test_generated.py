"""Rows made for tables that hold none."""

from shop import shop, shop_rows

from ddbmig.model.schema import Schema
from ddbmig.validators.generated import load_generated, references_of
from ddbmig.validators.source import SourceRows

SHOP = shop()


def made(schema: Schema, seed: int = 7) -> tuple[SourceRows, tuple[str, ...]]:
    source = SourceRows(schema)
    return source, load_generated(schema, SHOP.statistics, references_of(schema, SHOP.patterns), source, seed)


def test_every_empty_table_is_filled_with_rows_that_keep_keys_and_references() -> None:
    source, tables = made(SHOP.tables)
    assert tables == tuple(sorted(t.id for t in SHOP.tables.tables))
    assert min(source.count(table) for table in tables) > 10
    for table in SHOP.tables.tables:
        for key in table.foreign_keys:
            if key.parent != table.id:
                parents = {tuple(r[c] for c in key.parent_columns) for r in source.rows(key.parent)}
                own = [tuple(r[c] for c in key.columns) for r in source.rows(table.id)]
                assert own
                assert {k for k in own if None not in k} <= parents


def test_rows_have_nulls_skew_edges_and_more_than_ascii() -> None:
    source, _ = made(SHOP.tables)
    books = list(source.rows("books"))
    assert any(row["genre"] is None for row in books)
    of_author = [sum(row["author_id"] == a for row in books) for a in {row["author_id"] for row in books}]
    assert max(of_author) >= 3 * min(of_author)
    assert {row["stock"] for row in books} >= {-(2**31), 2**31 - 1}
    assert any(not str(row["title"]).isascii() for row in books)
    assert any(row["title"] == "z" * 200 for row in books)


def test_the_same_seed_makes_the_same_rows() -> None:
    first, second, other = made(SHOP.tables)[0], made(SHOP.tables)[0], made(SHOP.tables, seed=8)[0]
    assert list(first.rows("books")) == list(second.rows("books")) != list(other.rows("books"))


def test_tables_that_hold_rows_stay_as_they_are() -> None:
    source = SourceRows(SHOP.tables)
    source.load((row for row in shop_rows() if row[0] != "shelves"), 1_000)
    before = list(source.rows("books"))
    references = references_of(SHOP.tables, SHOP.patterns)
    assert load_generated(SHOP.tables, {}, references, source, 7) == ("shelves",)
    assert list(source.rows("books")) == before
    assert {row["author_id"] for row in source.rows("shelves")} - {None} <= set(range(1, 13))
