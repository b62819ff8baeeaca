"""Templates to access patterns: each case of data/patterns.yaml, and what holds for all of them."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pattern_notation import show_pattern

from ddbmig.analyzers.ddl import read_ddl
from ddbmig.analyzers.patterns import read_patterns
from ddbmig.model.condition import AnyOf
from ddbmig.model.digest import Digest, TemplateDigest, Verb
from ddbmig.model.pattern import AccessPattern, Skipped
from ddbmig.model.placeholders import number_placeholders
from ddbmig.model.schema import Schema

DATA = Path(__file__).parent / "data"
CASES = yaml.safe_load((DATA / "patterns.yaml").read_text())
SCHEMA = read_ddl([(DATA / "patterns.sql", "patterns.sql")])
VERBS: dict[str, Verb] = {"select": "select", "with": "select", "insert": "insert", "replace": "replace",
                          "update": "update", "delete": "delete", "call": "call"}  # fmt: skip


def template(sql: str, schema_name: str = "", calls: int = 1) -> TemplateDigest:
    verb = VERBS.get(sql.split(maxsplit=1)[0].lower(), "other")
    key = hashlib.sha256(f"{schema_name}\n{sql}".encode()).hexdigest()[:12]
    return TemplateDigest(id=key, schema_name=schema_name, sql=sql, verb=verb, calls=calls, limit_max=20)


def read_one(sql: str, schema: Schema = SCHEMA, schema_name: str = "") -> AccessPattern | Skipped:
    patterns, skipped = read_patterns(Digest(templates=(template(sql, schema_name),)), schema)
    assert len(patterns) + len(skipped) == 1
    return patterns[0] if patterns else skipped[0]


@pytest.mark.parametrize("case", CASES, ids=[case["sql"][:90] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    found = read_one(case["sql"])
    if "skipped" in case:
        assert isinstance(found, Skipped)
        assert (found.reason, found.calls, found.example) == (case["skipped"], 1, case["sql"])
        return
    assert isinstance(found, AccessPattern)
    shown = show_pattern(found)
    wanted = {key: value for key, value in case.items() if key not in ("sql", "absent")}
    assert {key: shown.get(key) for key in wanted} == wanted
    assert not set(case.get("absent", ())) & shown.keys()


def test_every_call_is_a_pattern_or_counted() -> None:
    digest = Digest(templates=tuple(template(case["sql"], calls=number) for number, case in enumerate(CASES, 1)))
    patterns, skipped = read_patterns(digest, SCHEMA)
    calls = {item.id: item.calls for item in digest.templates}
    assert sum(calls[item.template] for item in patterns) + sum(item.calls for item in skipped) == sum(calls.values())
    assert len(patterns) + sum(item.templates for item in skipped) == len(digest.templates)
    assert [item.id for item in patterns] == sorted(item.id for item in patterns)
    assert len({item.name for item in patterns}) == len(patterns)
    assert all(len(item.params) == item.sql.count("?") for item in patterns)


def test_the_limit_comes_from_the_digest() -> None:
    found = read_one("SELECT id FROM books LIMIT ?")
    assert isinstance(found, AccessPattern)
    assert found.limit is not None
    assert found.limit.rows == 20


def test_equal_names_are_numbered_in_the_order_of_ids() -> None:
    templates = [template(f"SELECT {column} FROM books WHERE id = ?") for column in ("title", "price", "stock")]
    patterns, _ = read_patterns(Digest(templates=tuple(templates)), SCHEMA)
    assert [item.name for item in patterns] == [
        "select books by id",
        "select books by id (2)",
        "select books by id (3)",
    ]


def two_schemas() -> Schema:
    table = SCHEMA.table("books")
    return Schema(tables=tuple(
        table.model_copy(update={"id": f"{name}.books", "schema_name": name}) for name in ("archive", "shop")
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "current", "table"),
    [
        ("SELECT id FROM books", "shop", "shop.books"),
        ("SELECT id FROM archive.books", "shop", "archive.books"),
        ("SELECT archive.books.id FROM archive.books", "", "archive.books"),
        ("SELECT id FROM books", "", None),
        ("SELECT id FROM other.books", "shop", None),
    ],
)
def test_the_database_decides_between_tables_of_one_name(sql: str, current: str, table: str | None) -> None:
    found = read_one(sql, two_schemas(), current)
    assert (found.refs[0].table if isinstance(found, AccessPattern) else found.reason) == (table or "unknown table")


def test_placeholders_in_names_are_no_placeholders() -> None:
    assert number_placeholders("SELECT `a?b` FROM t WHERE x = ? AND y IN (?)") == (
        "SELECT `a?b` FROM t WHERE x = :p0 AND y IN (:p1)",
        2,
    )


FRAGMENTS = ["SELECT", "id", "FROM", "books", "WHERE", "=", "?", "(", ")", "IN", "NOT", "EXISTS", "JOIN", "ON", "LEFT",
             "reviews", "AND", "OR", "*", ",", "ORDER BY", "LIMIT", "UPDATE", "SET", "INSERT INTO", "VALUES", "DELETE",
             "COUNT(*)", "AS", "`", "NULL", "UNION", "b", ".", "GROUP BY", "DISTINCT", "CASE", "@x", "🙂"]  # fmt: skip


@given(
    st.sampled_from(["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE"]),
    st.lists(st.sampled_from(FRAGMENTS), max_size=25),
)
def test_any_text_is_a_pattern_or_counted(verb: str, words: list[str]) -> None:
    read_one(" ".join([verb, *words]))


def test_a_condition_nested_too_deeply_is_counted() -> None:
    found = read_one(f"SELECT id FROM books WHERE {'(' * 5000}id = ?{')' * 5000}")
    assert isinstance(found, Skipped)
    assert found.reason == "not understood: select"


def test_thousands_of_alternatives_are_read() -> None:
    found = read_one("SELECT id FROM books WHERE " + " OR ".join(["(id = ? AND stock > ?)"] * 1000))
    assert isinstance(found, AccessPattern)
    assert isinstance(found.where, AnyOf)
    assert len(found.where.items) == 1000
