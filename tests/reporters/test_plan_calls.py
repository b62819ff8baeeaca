"""Plans in the guide's form: what the engineer of Tuesday reads."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from ddbmig.model.condition import (
    AnyOf,
    Arithmetic,
    Call,
    ColumnRef,
    Compare,
    Constant,
    Not,
    OpaqueCondition,
    OpaqueTerm,
    Param,
)
from ddbmig.model.design import TableDesign
from ddbmig.model.pattern import AccessPattern, Aggregate, Assignment
from ddbmig.model.plan import Distinct, Exists, KeyCondition, Plan, ReadCall, Reduce, WriteCall, in_place
from ddbmig.reporters.plan_calls import QueryPlan, compact_json, query_plan
from ddbmig.reporters.terms import namer, parameter_names
from hand_made import (
    AUTHORS,
    BOOKS,
    INSERT,
    INSERT_PLAN,
    ROUTED_PLAN,
    SEARCH,
    SELECT,
    SELECT_PLAN,
    SNAPSHOT,
    TABLES,
    UPDATE,
    UPDATE_PLAN,
    attribute,
    estimate,
)


def written(pattern: AccessPattern, plan: Plan, tables: Iterable[TableDesign] = TABLES) -> QueryPlan:
    return query_plan(pattern, plan, tables, SNAPSHOT.tables)


def calls(pattern: AccessPattern, plan: Plan, tables: Iterable[TableDesign] = TABLES) -> dict[str, Any]:
    return written(pattern, plan, tables).calls


def test_an_insert_with_a_unique_key_is_the_guides_transaction() -> None:
    plan = calls(INSERT, INSERT_PLAN)
    assert plan["Steps"][1] == {
        "TransactWriteItems": [
            {
                "PutItem": {
                    "Table": "books",
                    "Item": {
                        "id": "$generated_id",
                        "isbn": "$isbn",
                        "author_id": "$author_id",
                        "kind": "$default_kind",
                        "printed": "$default_printed",
                        "kind key#": "_{$default_kind}",
                        "all": "#ALL",
                        "author_na`me": "$support_1.na`me",
                    },
                    "ConditionExpression": "attribute_not_exists(id)",
                }
            },
            {
                "PutItem": {
                    "Table": "books_isbn_unique",
                    "Item": {"isbn": "$isbn", "id": "$generated_id"},
                    "ConditionExpression": "attribute_not_exists(isbn)",
                    "If": "the new row has `isbn` IS NOT NULL",
                    "Purpose": "look-up of unique key isbn",
                }
            },
        ]
    }
    assert plan["Steps"][0]["GetItem"]["Key"] == {"id": "$author_id"}


def test_what_stands_behind_each_name_is_told() -> None:
    found = written(INSERT, INSERT_PLAN)
    assert found.rows == {"b": BOOKS, "support_1": AUTHORS}
    assert found.placeholders == {
        "isbn": {"is": "parameter 1 of the statement", "column": f"{BOOKS}.isbn", "type": "S", "encoding": "string"},
        "author_id": {"is": "parameter 2 of the statement", "column": f"{BOOKS}.author_id", "type": "N",
                      "encoding": "integer"},
        "generated_id": {"is": "a new value that the client makes, as AUTO_INCREMENT did", "column": f"{BOOKS}.id",
                         "type": "N", "encoding": "integer"},
        "default_kind": {"is": "the DEFAULT that the schema gives the column", "column": f"{BOOKS}.kind", "type": "S",
                         "encoding": "enum"},
        "default_printed": {"is": "the DEFAULT that the schema gives the column", "column": f"{BOOKS}.printed",
                            "type": "S", "encoding": "iso8601_date"},
    }  # fmt: skip


def test_a_read_tells_keys_options_and_what_the_client_does() -> None:
    query, complete, *client = calls(SELECT, SELECT_PLAN)["Steps"]
    assert query == {
        "Query": {
            "Table": "books",
            "Index": "books_by_author",
            "KeyConditionExpression": "author_id = :id AND #kind_key = :kind_key AND printed BETWEEN :id AND :limit",
            "ProjectionExpression": "author_id, printed, id, kind",
            "ExpressionAttributeNames": {"#kind_key": "kind key#"},
            "ExpressionAttributeValues": {":id": "$id", ":kind_key": "_{$limit}", ":limit": "$limit"},
            "ScanIndexForward": False,
            "Limit": "$limit",
            "As": "b",
            "Copies": {"author_na`me": "b_2.na`me"},
        }
    }
    assert complete == {
        "BatchGetItem": {
            "Table": "books",
            "Keys": [{"id": "$b.id"}],
            "ProjectionExpression": "id, author_id, kind, printed",
            "ConsistentRead": True,
            "PerRow": True,
            "As": "b",
            "Join": "the item behind each entry",
            "Match": "$b.kind = $limit",
        }
    }
    assert client == [
        {"Client": "keep the rows with $b.id = $id AND $b.kind IS NULL"},
        {"Client": "sort by $b.printed descending"},
        {"Client": "keep the first $limit rows"},
    ]


def test_one_call_stands_alone_and_an_update_names_the_attributes_it_changes() -> None:
    assert calls(UPDATE, UPDATE_PLAN) == {
        "UpdateItem": {
            "Table": "books",
            "Key": {"id": "$id"},
            "UpdateExpression": "SET author_id = author_id + :p0 REMOVE kind, #kind_key",
            "ConditionExpression": "attribute_exists(id)",
            "ExpressionAttributeNames": {"#kind_key": "kind key#"},
            "ExpressionAttributeValues": {":p0": "$p0"},
        }
    }


def test_a_text_key_is_set_with_its_column() -> None:
    write = UPDATE_PLAN.steps[0].model_copy(update={"sets": (Assignment(column="KIND", value=Param(index=0)),)})
    plan = UPDATE_PLAN.model_copy(update={"steps": (write,)})
    found = calls(UPDATE, plan)["UpdateItem"]
    assert found["UpdateExpression"] == "SET kind = :p0, #kind_key = :kind_key"
    assert found["ExpressionAttributeValues"] == {":p0": "$p0", ":kind_key": "_{$p0}"}


def test_the_leading_part_of_a_composed_sort_key() -> None:
    pages = TABLES[1].model_copy(
        update={
            "sk": "kind#isbn",
            "attributes": {
                "author_id": attribute("author_id"),
                "kind#isbn": attribute("kind", "S", template="{kind}#{isbn}"),
            },
        }
    )
    key = (
        KeyCondition(attribute="author_id", terms=(("author_id", Param(index=0)),)),
        KeyCondition(attribute="kind#isbn", op="begins_with", terms=(("kind", Param(index=1)),)),
    )
    read = ReadCall(op="Query", table="books", ref=0, key=key, estimate=estimate())
    found = calls(SELECT, Plan(pattern=SELECT.id, steps=(read,)), [pages])["Query"]
    assert found["KeyConditionExpression"] == "author_id = :id AND begins_with(#kind_isbn, :kind_isbn)"
    assert found["ExpressionAttributeValues"] == {":id": "$id", ":kind_isbn": "{$limit}#"}
    between = key[1].model_copy(update={"op": "between", "terms": key[1].terms * 2})
    read = read.model_copy(update={"key": (key[0], between)})
    found = calls(SELECT, Plan(pattern=SELECT.id, steps=(read,)), [pages])["Query"]
    assert found["KeyConditionExpression"] == "author_id = :id AND #kind_isbn BETWEEN :kind_isbn AND :kind_isbn_2"
    assert found["ExpressionAttributeValues"] == {":id": "$id", ":kind_isbn": "{$limit}", ":kind_isbn_2": "{$limit}$"}


def test_an_updated_unique_key_moves_its_look_up_item_only_if_it_changes() -> None:
    moved = [
        WriteCall(op=op, table="books_isbn_unique", source=BOOKS, ref=0, purpose="look-up", estimate=estimate())
        for op in ("DeleteItem", "PutItem")
    ]
    plan = UPDATE_PLAN.model_copy(update={"steps": (*UPDATE_PLAN.steps, *moved)})
    _, delete, put = calls(UPDATE, plan)["Steps"]
    assert "ConditionIf" not in put["PutItem"]
    assert delete["DeleteItem"]["If"] == "its key changes and the old row has `isbn` IS NOT NULL"
    assert put["PutItem"]["If"] == "the item changes and the new row has `isbn` IS NOT NULL"


def test_an_item_that_stays_under_its_key_is_not_refused_for_being_there() -> None:
    put = WriteCall(op="PutItem", table="books", source=BOOKS, ref=0, condition="not exists", purpose="base item",
                    estimate=estimate())  # fmt: skip
    found = calls(UPDATE, UPDATE_PLAN.model_copy(update={"steps": (put,)}))["PutItem"]
    assert (found["ConditionExpression"], found["ConditionIf"]) == ("attribute_not_exists(id)", "its key changes")


def test_a_coalesced_attribute_is_dynamodbs_own_function() -> None:
    counted = Arithmetic(
        op="+",
        left=Call(name="COALESCE", arguments=(ColumnRef(ref=0, column="printed"), Param(index=0))),
        right=Constant(value=1),
    )
    write = UPDATE_PLAN.steps[0].model_copy(update={"sets": (Assignment(column="printed", value=counted),)})
    plan = UPDATE_PLAN.model_copy(update={"steps": (write,)})
    found = calls(UPDATE, plan)["UpdateItem"]
    assert found["UpdateExpression"] == "SET printed = if_not_exists(printed, :p0) + :printed"
    assert found["ExpressionAttributeValues"] == {":p0": "$p0", ":printed": 1}


PRINTED = ColumnRef(ref=0, column="printed")


@pytest.mark.parametrize(
    ("term", "can"),
    [
        (Param(index=0), True),
        (Param(index=0, many=True), False),
        (Constant(value=None), False),
        (PRINTED, True),
        (ColumnRef(ref=1, column="printed"), False),
        (Arithmetic(op="-", left=PRINTED, right=Param(index=0)), True),
        (Arithmetic(op="*", left=PRINTED, right=Param(index=0)), False),
        (Arithmetic(op="+", left=Arithmetic(op="+", left=PRINTED, right=PRINTED), right=PRINTED), False),
        (Call(name="COALESCE", arguments=(PRINTED, Constant(value=None))), False),
        (Call(name="COALESCE", arguments=(PRINTED, PRINTED)), False),
        (Call(name="NOW"), False),
    ],
)
def test_what_an_update_expression_can_compute(term: Any, can: bool) -> None:
    assert in_place(term) is can


def test_a_parameter_that_is_added_is_of_the_kind_of_its_column() -> None:
    assert written(UPDATE, UPDATE_PLAN).placeholders["p0"] == {
        "is": "parameter 1 of the statement", "column": f"{BOOKS}.author_id", "type": "N", "encoding": "integer",
    }  # fmt: skip


def test_what_it_cannot_is_computed_by_the_client() -> None:
    product = Arithmetic(op="*", left=ColumnRef(ref=0, column="author_id"), right=Param(index=0))
    write = UPDATE_PLAN.steps[0].model_copy(update={"sets": (Assignment(column="author_id", value=product),)})
    found = written(UPDATE, UPDATE_PLAN.model_copy(update={"steps": (write,)}))
    assert found.calls["UpdateItem"]["UpdateExpression"] == "SET author_id = :author_id"
    assert found.calls["UpdateItem"]["ExpressionAttributeValues"] == {":author_id": "$author_id"}
    assert found.placeholders["author_id"]["is"] == "computed by the client: $b.author_id * $p0"
    assert found.placeholders["p0"] == {"is": "parameter 1 of the statement"}


def test_what_mysql_leaves_null_is_said_since_dynamodb_refuses_it() -> None:
    def update(column: str) -> dict[str, Any]:
        more = Arithmetic(op="+", left=ColumnRef(ref=0, column=column), right=Param(index=0))
        write = UPDATE_PLAN.steps[0].model_copy(update={"sets": (Assignment(column=column, value=more),)})
        found: dict[str, Any] = calls(UPDATE, UPDATE_PLAN.model_copy(update={"steps": (write,)}))["UpdateItem"]
        return found

    assert update("title_length")["IfAbsent"] == "MySQL leaves NULL in title_length: make the call without it"
    assert "IfAbsent" not in update("author_id")


def test_an_upsert_says_what_happens_to_the_row_that_is_there() -> None:
    upsert = INSERT.model_copy(update={"insert_mode": "upsert"})
    put = WriteCall(
        op="PutItem", table="books_isbn_unique", source=BOOKS, ref=0, existing=1, purpose="base item",
        sets=(Assignment(column="author_id", value=ColumnRef(ref=0, column="author_id")),), estimate=estimate(),
    )  # fmt: skip
    plan = INSERT_PLAN.model_copy(update={"steps": (put,)})
    found = calls(upsert, plan)["PutItem"]
    assert found["IfPresent"] == "the row $support_1 is kept, with author_id = $support_1.author_id"
    guarded = put.model_copy(update={"condition": "as read", "unchanged": ("isbn", "author_id")})
    careful = calls(upsert, plan.model_copy(update={"steps": (guarded,)}))["PutItem"]
    as_read = ", while it is there and $support_1.isbn is as it was read and $support_1.author_id is as it was read"
    assert careful["IfPresent"] == found["IfPresent"] + as_read
    assert (careful["ConditionExpression"], careful["ConditionIf"]) == (
        "attribute_not_exists(isbn)",
        "no row was found",
    )
    replaced = plan.model_copy(update={"steps": (put.model_copy(update={"sets": ()}),)})
    assert calls(upsert, replaced)["PutItem"]["IfPresent"] == "the row $support_1 is replaced"


def test_constant_keys_lists_and_the_client_steps() -> None:
    read = ReadCall(
        op="Query", table="books", index="books_by_all", ref=0, estimate=estimate(),
        key=(KeyCondition(attribute="all", terms=()), KeyCondition(attribute="id", op=">", terms=(
            ("id", Param(index=0, many=True)),))),
    )  # fmt: skip
    steps = (
        read,
        Exists(refs=(1,), keep="unmatched"),
        Distinct(),
        Reduce(
            aggregates=(
                Aggregate(function="count"),
                Aggregate(function="sum", column=ColumnRef(ref=0, column="id"), distinct=True),
            ),
            group_by=(ColumnRef(ref=0, column="kind"),),
        ),
    )
    found = calls(SELECT, Plan(pattern=SELECT.id, steps=steps))["Steps"]
    assert found[0]["Query"] == {
        "Table": "books",
        "Index": "books_by_all",
        "KeyConditionExpression": "#all = :all AND id > :id",
        "ProjectionExpression": "id",
        "ExpressionAttributeNames": {"#all": "all"},
        "ExpressionAttributeValues": {":all": "#ALL", ":id": "$id"},
        "ForEach": ["$id"],
        "As": "b",
    }
    assert found[1:] == [
        {"Client": "keep the rows for which no row of b_2 was found, each once, without b_2"},
        {"Client": "keep one of each set of equal output rows"},
        {"Client": "make one row for each $b.kind with COUNT(*), SUM(DISTINCT $b.id)"},
    ]


def test_a_routed_pattern_has_no_calls() -> None:
    assert written(SEARCH, ROUTED_PLAN) == QueryPlan({}, {}, {})


def test_names_of_parameters_differ() -> None:
    twice = SELECT.model_copy(update={"params": (ColumnRef(ref=0, column="id"), ColumnRef(ref=1, column="id"), None)})
    assert parameter_names(twice) == {0: "id", 1: "id_2", 2: "p2"}
    assert parameter_names(SELECT) == {0: "id", 1: "limit"}


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        (AnyOf(), "FALSE"),
        (AnyOf(items=(Compare(op="in", left=Param(index=0), right=(Constant(value=1), Constant(value=None))),)),
         "$id IN (1, NULL)"),
        (Not(item=OpaqueCondition(sql="x = y", why="server function")), "NOT x = y"),
        (Compare(op="not between", left=Call(name="LOWER", arguments=(Param(index=0),)),
                 right=(Constant(value=1), OpaqueTerm(sql="RAND()", why="server function"))),
         "LOWER($id) NOT BETWEEN 1 AND RAND()"),
    ],
)  # fmt: skip
def test_conditions_in_words(condition: AnyOf | Not | Compare, shown: str) -> None:
    assert namer(SELECT, SELECT_PLAN).condition(condition) == shown


def test_compact_json_is_json_and_breaks_long_lines() -> None:
    value = {"a": [1, 2], "b": {"c": ["x" * 60, "y" * 60], "d": None}}
    assert json.loads(compact_json(value)) == value
    assert compact_json(value).splitlines()[1] == '  "a": [1, 2],'
    assert compact_json({"a": 1}) == '{"a": 1}'
