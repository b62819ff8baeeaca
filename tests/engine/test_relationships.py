"""Relationships: declared, joined and named; their direction, cardinality and the join tables among them."""

from collections.abc import Iterable, Mapping, Sequence

import pytest

from ddbmig.engine.relationships import find_relationships, snake_case, stem
from ddbmig.model.assessment import ManyToMany, Relationship
from ddbmig.model.condition import ColumnRef
from ddbmig.model.pattern import AccessPattern, Join, TableRef
from ddbmig.model.schema import Column, ForeignKey, Index, Schema, Table


def table(
    name: str,
    columns: str,
    primary: str = "id",
    unique: Sequence[str] = (),
    foreign: Sequence[tuple[str, str, str]] = (),
) -> Table:
    """`columns`: `id:auto name:varchar born:datetime`, without a type `bigint`."""
    kinds = [(column.partition(":")[0], column.partition(":")[2] or "bigint") for column in columns.split()]
    return Table(
        id=name,
        schema_name="",
        name=name,
        columns=tuple(
            Column(name=column, type="bigint" if kind == "auto" else kind, auto_increment=kind == "auto")
            for column, kind in kinds
        ),
        primary_key=tuple(primary.split()),
        indexes=tuple(Index(name=f"u{n}", columns=tuple(key.split()), kind="unique") for n, key in enumerate(unique)),
        foreign_keys=tuple(
            ForeignKey(name=f"fk{n}", columns=tuple(own.split()), parent=parent, parent_columns=tuple(other.split()))
            for n, (own, parent, other) in enumerate(foreign)
        ),
    )


def joined(key: str, tables: tuple[str, str], *pairs: str) -> AccessPattern:
    """A pattern that joins two tables on `child=parent` column pairs."""
    on = tuple(
        (ColumnRef(ref=1, column=right), ColumnRef(ref=0, column=left)) for left, right in (p.split("=") for p in pairs)
    )
    refs = tuple(TableRef(table=name, alias=name) for name in tables)
    return AccessPattern(id=key, template=key, name=key, kind="select", sql="", refs=refs,
                         joins=(Join(ref=1, kind="inner", on=on),))  # fmt: skip


def find(
    tables: Sequence[Table], patterns: Sequence[AccessPattern] = (), calls: Mapping[str, int] | None = None
) -> tuple[tuple[Relationship, ...], tuple[ManyToMany, ...]]:
    return find_relationships(Schema(tables=tuple(tables)), patterns, calls or {})


def summary(relationships: Iterable[Relationship]) -> dict[str, tuple[str, list[tuple[str, int]]]]:
    return {item.id: (item.cardinality, [(e.kind, e.calls) for e in item.evidence]) for item in relationships}


def test_declared_keys_keep_their_column_order_and_see_joins_and_names_as_further_evidence() -> None:
    tables = [
        table("orders", "id:auto"),
        table("order_lines", "order_id line_no", primary="order_id line_no", foreign=[("order_id", "orders", "id")]),
    ]
    patterns = [joined("Q1", ("orders", "order_lines"), "id=order_id"),
                joined("Q2", ("order_lines", "orders"), "order_id=id")]  # fmt: skip
    found, _ = find(tables, patterns, {"Q1": 5, "Q2": 7})
    assert summary(found) == {
        "order_lines.order_id->orders.id": ("1:N", [("declared", 0), ("join", 12), ("naming", 0)])
    }


def test_a_composite_join_is_one_relationship_on_the_whole_key() -> None:
    tables = [table("orders", "w d o note:text", primary="w d o"), table("lines", "w d o n", primary="w d o n")]
    found, _ = find(tables, [joined("Q1", ("lines", "orders"), "o=o", "w=w", "d=d")], {"Q1": 3})
    assert summary(found) == {"lines.w,d,o->orders.w,d,o": ("1:N", [("join", 3)])}


def test_part_of_a_composite_key_is_no_relationship() -> None:
    tables = [table("stock", "w i", primary="w i"), table("lines", "w i n", primary="w n")]
    assert find(tables, [joined("Q1", ("lines", "stock"), "i=i")])[0] == ()


def test_a_declared_key_to_a_table_that_is_not_there_is_left_out() -> None:
    assert find([table("a", "id:auto x", foreign=[("x", "nosuch", "id")])])[0] == ()


def test_of_two_unique_sides_the_one_that_numbers_its_own_rows_is_the_parent() -> None:
    tables = [table("users", "id:auto"), table("profiles", "owner city:varchar", primary="owner")]
    for order in (("users", "profiles"), ("profiles", "users")):
        pair = "id=owner" if order[0] == "users" else "owner=id"
        found, _ = find(tables, [joined("Q1", order, pair)])
        assert summary(found) == {"profiles.owner->users.id": ("1:1", [("join", 0)])}


def test_a_table_joined_to_itself_on_the_same_column_is_not_related_but_a_parent_column_is() -> None:
    tables = [table("categories", "id:auto above", primary="id")]
    assert find(tables, [joined("Q1", ("categories", "categories"), "id=id")])[0] == ()
    found, _ = find(tables, [joined("Q1", ("categories", "categories"), "above=id")], {"Q1": 2})
    assert summary(found) == {"categories.above->categories.id": ("1:N", [("join", 2)])}


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ("users: id:auto / orders: id:auto user_id", "orders.user_id->users.id"),
        ("Categories: ID:auto / items: id:auto CategoryId", "items.CategoryId->Categories.ID"),
        ("category: id:auto / items: id:auto category_id", "items.category_id->category.id"),
        ("items: id:auto parent_id", "items.parent_id->items.id"),
        ("wp_posts: ID:auto / wp_comments: c:auto comment_post_ID / wp_links: id:auto",
         "wp_comments.comment_post_ID->wp_posts.ID"),
        ("wp_posts: ID:auto post_parent / wp_a: id:auto / wp_b: id:auto", "wp_posts.post_parent->wp_posts.ID"),
        ("shop_product: id:auto / basket_line: id:auto product_id", "basket_line.product_id->shop_product.id"),
        ("categories: id:auto category_parent", "categories.category_parent->categories.id"),
        ("people: person_id:auto / pets: id:auto person_id", "pets.person_id->people.person_id"),
        # what is not related
        ("users: id:auto / orders: id:auto user_id:varchar", None),
        ("a_line: id:auto / b_line: id:auto / c_note: id:auto line_id", None),
        ("users: id:auto / orders: id:auto user", None),
        ("orders: order_id:auto total", None),
        ("users: a b / orders: id:auto user_id", None),
    ],
)  # fmt: skip
def test_names(tables: str, expected: str | None) -> None:
    parsed = [part.strip().split(": ") for part in tables.split("/")]
    made = [
        table(name, columns, primary="a b" if columns == "a b" else columns.split(":")[0]) for name, columns in parsed
    ]
    found, _ = find(made)
    assert [item.id for item in found] == ([expected] if expected else [])
    assert all(item.evidence[0].kind == "naming" for item in found)


def test_a_name_does_not_contradict_a_declared_key() -> None:
    tables = [
        table("users", "id:auto"),
        table("members", "id:auto"),
        table("orders", "id:auto user_id", foreign=[("user_id", "members", "id")]),
    ]
    assert [item.id for item in find(tables)[0]] == ["orders.user_id->members.id"]


@pytest.mark.parametrize(
    ("columns", "primary", "unique", "pure"),
    [
        ("book_id author_id", "book_id author_id", (), True),
        ("id:auto book_id author_id", "id", ("author_id book_id",), True),
        ("id:auto book_id author_id", "id", (), True),
        ("id:auto book_id author_id since:datetime", "id", (), False),
        ("book_id author_id role:varchar", "book_id author_id", (), False),
        ("id:auto book_id author_id role:varchar", "id", (), None),
    ],
)
def test_join_tables(columns: str, primary: str, unique: Sequence[str], pure: bool | None) -> None:
    tables = [table("books", "id:auto"), table("authors", "id:auto"), table("written_by", columns, primary, unique)]
    _, found = find(tables)
    if pure is None:
        assert found == ()
        return
    assert [(item.join_table, item.pure) for item in found] == [("written_by", pure)]
    assert {found[0].left, found[0].right} == {"written_by.author_id->authors.id", "written_by.book_id->books.id"}


@pytest.mark.parametrize(
    "pair",
    ["category categories", "box boxes", "address addresses", "status statuses", "movie movies", "house houses",
     "key keys", "news_item news_items", "s s"],
)  # fmt: skip
def test_singular_and_plural_share_a_stem(pair: str) -> None:
    one, many = pair.split()
    assert stem(one) == stem(many) != ""


def test_snake_case() -> None:
    assert [snake_case(name) for name in ("customerID", "CustomerId", "customer_id")] == ["customer_id"] * 3


def test_the_order_of_input_does_not_matter() -> None:
    tables = [table("users", "id:auto"), table("orders", "id:auto user_id"), table("notes", "id:auto user_id")]
    patterns = [joined(f"Q{n}", ("orders", "users"), "user_id=id") for n in range(3)]
    assert find(tables, patterns) == find(tables[::-1], patterns[::-1])
