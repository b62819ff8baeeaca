"""Names and values in expressions: reserved words and odd names never stand there as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.model.condition import All, ColumnRef, Compare, Condition, Param
from ddbmig.model.plan import Copied, Filter, Plan, ReadCall
from ddbmig.reporters.expressions import Expressions, is_bare, reserved_words
from ddbmig.reporters.read_expressions import filters, projected
from ddbmig.validators.engines import Engine
from hand_made import BOOKS_TABLE, NAME, SELECT, SNAPSHOT


def test_there_are_573_reserved_words() -> None:
    assert len(reserved_words()) == 573
    assert {"ABORT", "STATUS", "TOTAL", "TTL", "ZONE"} <= reserved_words()


@pytest.mark.engine
def test_dynamodb_refuses_each_of_them_and_takes_what_is_bare(dynamodb_local: Engine) -> None:
    client = dynamodb_local.client
    client.create_table(
        TableName="reserved-words", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )  # fmt: skip

    def refused(name: str) -> bool:
        try:
            client.get_item(TableName="reserved-words", Key={"pk": {"S": "a"}}, ProjectionExpression=name)
        except client.exceptions.ClientError as error:
            return error.response["Error"]["Code"] == "ValidationException"
        return False

    assert [word for word in sorted(reserved_words()) if not refused(word.lower())] == [
        "CONVERT",
        "SIZE",
    ]  # Local's own
    bare = ("book_id", "Title", "x1", "statuses", "ref0", "SUPPLIER")
    assert [name for name in bare if not is_bare(name) or refused(name)] == []
    odd = ("na`me", "a b", "1st", "a.b", "kind#", "_x", "é", "", "a\n")
    assert [name for name in odd if is_bare(name)] == []


@given(st.lists(st.text(min_size=1, max_size=6), max_size=8), st.lists(st.sampled_from(["$a.b", "$b", 1, "x", True])))
def test_a_name_and_a_value_come_back_as_they_were(attributes: list[str], values: list[str | int]) -> None:
    expressions = Expressions()
    shown = [expressions.name(attribute) for attribute in attributes]
    keys = [expressions.value(value, "x y") for value in values]
    assert [expressions.names.get(name, name) for name in shown] == attributes
    assert [expressions.values[key] for key in keys] == values
    fields = expressions.fields()
    assert set(fields.get("ExpressionAttributeNames", {})) == {name for name in shown if name.startswith("#")}
    assert len(fields.get("ExpressionAttributeValues", {})) == len({(type(value), value) for value in values})


# --- what a read leaves on the server ---


def compare(op: str, column: str, *params: int) -> Compare:
    right = tuple(Param(index=index) for index in params)
    return Compare.model_validate({"op": op, "left": ColumnRef(ref=0, column=column), "right": right})


def scan(*conditions: Condition, **more: object) -> tuple[ReadCall, Plan]:
    given = {"op": "Scan", "table": "books", "ref": 0, "estimate": {"calls": 1, "items": 1}}
    read = ReadCall.model_validate(given | more)
    return read, Plan(pattern=SELECT.id, steps=(read, Filter(condition=All(items=conditions))))


@pytest.mark.parametrize(
    ("condition", "checked"),
    [
        (compare("=", "author_id", 0), True),
        (compare("between", "id", 0, 1), True),
        (compare("is null", "kind"), True),
        (compare("is not null", "isbn"), True),
        (compare("!=", "author_id", 0), False),
        (compare("=", "isbn", 0), False),  # a text: its collation is MySQL's
        (compare("=", "printed", 0), False),
        (compare("=", "title_length", 0), False),  # no attribute keeps it
        (compare("<=>", "author_id", 0), False),
        (Compare(op="=", left=ColumnRef(ref=0, column="id"), right=(ColumnRef(ref=1, column="id"),)), False),
        (Compare(op="=", left=ColumnRef(ref=1, column="id"), right=(Param(index=0),)), False),
        (Compare(op="=", left=ColumnRef(ref=0, column="id"), right=(Param(index=0, many=True),)), False),
    ],
)
def test_what_dynamodb_checks_as_mysql_does(condition: Compare, checked: bool) -> None:
    call, plan = scan(condition)
    assert filters(plan, call, BOOKS_TABLE, SNAPSHOT.tables) == ((condition,) if checked else ())


@pytest.mark.parametrize(
    "more",
    [
        {"join": "left"},
        {"limit": 3},
        {"op": "GetItem"},
        {"op": "Query", "index": "books_by_author"},  # its key
        {"op": "Query", "index": "books_by_all"},  # not in the index
    ],
)
def test_where_nothing_may_be_left_out(more: dict[str, object]) -> None:
    call, plan = scan(compare("=", "author_id", 0), **more)
    assert filters(plan, call, BOOKS_TABLE, SNAPSHOT.tables) == ()


def test_a_statement_that_needs_everything_projects_nothing() -> None:
    call, plan = scan()
    everything = tuple(ColumnRef(ref=0, column=name) for name in ("id", "isbn", "author_id", "kind", "printed"))
    few = SELECT.model_copy(update={"reads": everything[:1], "joins": (), "order": ()})
    assert projected(few, plan, call, BOOKS_TABLE) == ("id",)
    assert projected(few.model_copy(update={"kind": "update"}), plan, call, BOOKS_TABLE) == ()
    odd = ColumnRef(ref=0, column="title_length")
    assert projected(few.model_copy(update={"reads": (odd,)}), plan, call, BOOKS_TABLE) == ()
    by_all = call.model_copy(update={"index": "books_by_all"})
    assert projected(few, plan, by_all, BOOKS_TABLE) == ("id",)
    copied = call.model_copy(update={"copied": (Copied(ref=1, columns={NAME: "author_na`me"}),)})
    assert projected(few, plan, copied, BOOKS_TABLE) == ("id", "author_na`me")
