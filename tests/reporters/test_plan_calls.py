"""Plans in the guide's form: what the engineer of Tuesday reads."""

import json

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
from ddbmig.model.pattern import Aggregate, Assignment
from ddbmig.model.plan import Distinct, Exists, KeyCondition, Plan, ReadCall, Reduce, WriteCall
from ddbmig.reporters.plan_calls import compact_json, plans_bytes, query_plan
from ddbmig.reporters.terms import namer, parameter_names
from hand_made import (
    BOOKS,
    DESIGN,
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


def test_an_insert_with_a_unique_key_is_the_guides_transaction() -> None:
    plan = query_plan(INSERT, INSERT_PLAN, TABLES, SNAPSHOT.tables)
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
                        "kind key#": "_$default_kind",
                        "all": "'#ALL'",
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


def test_without_the_schema_columns_not_given_are_left_out() -> None:
    item = query_plan(INSERT, INSERT_PLAN, TABLES)["Steps"][1]["TransactWriteItems"][0]["PutItem"]["Item"]
    assert "id" not in item
    assert "kind" not in item


def test_a_read_tells_keys_options_and_what_the_client_does() -> None:
    query, complete, *client = query_plan(SELECT, SELECT_PLAN, TABLES, SNAPSHOT.tables)["Steps"]
    assert query == {
        "Query": {
            "Table": "books",
            "Index": "books_by_author",
            "KeyConditionExpression": 'author_id = $id AND "kind key#" = _$limit AND printed BETWEEN $id AND $limit',
            "ScanIndexForward": False,
            "Limit": 10,
            "As": "b",
            "Copies": {"author_na`me": "b_2.na`me"},
        }
    }
    assert complete == {
        "BatchGetItem": {
            "Table": "books",
            "Keys": {"id": "$b.id"},
            "ConsistentRead": True,
            "PerRow": True,
            "As": "b",
            "Join": "the item behind each entry",
            "Match": "$b.kind = $limit",
        }
    }
    assert client == [
        {"Client": {"Filter": "$b.id = $id AND $b.kind IS NULL"}},
        {"Client": {"Sort": ["$b.printed DESC"]}},
        {"Client": {"Limit": {"rows": "$limit"}}},
    ]


def test_one_call_stands_alone_and_an_update_names_the_attributes_it_changes() -> None:
    assert query_plan(UPDATE, UPDATE_PLAN, TABLES) == {
        "UpdateItem": {
            "Table": "books",
            "Key": {"id": "$id"},
            "UpdateExpression": 'SET author_id = author_id + $p0 REMOVE kind, "kind key#"',
            "ConditionExpression": "attribute_exists(id)",
        }
    }


def test_a_text_key_is_set_with_its_column() -> None:
    write = UPDATE_PLAN.steps[0].model_copy(update={"sets": (Assignment(column="KIND", value=Param(index=0)),)})
    plan = UPDATE_PLAN.model_copy(update={"steps": (write,)})
    assert query_plan(UPDATE, plan, TABLES)["UpdateItem"]["UpdateExpression"] == 'SET kind = $p0, "kind key#" = _$p0'


def test_the_leading_part_of_a_composed_sort_key() -> None:
    pages = TABLES[1].model_copy(
        update={"sk": "kind#isbn", "attributes": {"kind#isbn": attribute("kind", "S", template="{kind}#{isbn}")}}
    )
    key = (
        KeyCondition(attribute="author_id", terms=(("author_id", Param(index=0)),)),
        KeyCondition(attribute="kind#isbn", op="begins_with", terms=(("kind", Param(index=1)),)),
    )
    read = ReadCall(op="Query", table="books", ref=0, key=key, estimate=estimate())
    found = query_plan(SELECT, Plan(pattern=SELECT.id, steps=(read,)), [pages])["Query"]
    assert found["KeyConditionExpression"] == 'author_id = $id AND begins_with("kind#isbn", $limit#)'


def test_an_updated_unique_key_moves_its_look_up_item_only_if_it_changes() -> None:
    moved = [
        WriteCall(op=op, table="books_isbn_unique", source=BOOKS, ref=0, purpose="look-up", estimate=estimate())
        for op in ("DeleteItem", "PutItem")
    ]
    plan = UPDATE_PLAN.model_copy(update={"steps": (*UPDATE_PLAN.steps, *moved)})
    _, delete, put = query_plan(UPDATE, plan, TABLES)["Steps"]
    assert delete["DeleteItem"]["If"] == "the key changes and the old row has `isbn` IS NOT NULL"
    assert put["PutItem"]["If"] == "the key changes and the new row has `isbn` IS NOT NULL"


def test_a_coalesced_attribute_is_dynamodbs_own_function() -> None:
    counted = Arithmetic(
        op="+",
        left=Call(name="COALESCE", arguments=(ColumnRef(ref=0, column="printed"), Param(index=0))),
        right=Constant(value=1),
    )
    write = UPDATE_PLAN.steps[0].model_copy(update={"sets": (Assignment(column="printed", value=counted),)})
    plan = UPDATE_PLAN.model_copy(update={"steps": (write,)})
    found = query_plan(UPDATE, plan, TABLES)["UpdateItem"]["UpdateExpression"]
    assert found == "SET printed = if_not_exists(printed, $p0) + 1"


def test_an_upsert_says_what_happens_to_the_row_that_is_there() -> None:
    upsert = INSERT.model_copy(update={"insert_mode": "upsert"})
    put = WriteCall(
        op="PutItem", table="books_isbn_unique", source=BOOKS, ref=0, existing=1, purpose="base item",
        sets=(Assignment(column="author_id", value=ColumnRef(ref=0, column="author_id")),), estimate=estimate(),
    )  # fmt: skip
    plan = INSERT_PLAN.model_copy(update={"steps": (put,)})
    found = query_plan(upsert, plan, TABLES)["PutItem"]
    assert found["IfPresent"] == "the row $support_1 is kept, with author_id = $support_1.author_id"
    replaced = plan.model_copy(update={"steps": (put.model_copy(update={"sets": ()}),)})
    assert query_plan(upsert, replaced, TABLES)["PutItem"]["IfPresent"] == "the row $support_1 is replaced"


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
    found = query_plan(SELECT, Plan(pattern=SELECT.id, steps=steps), TABLES)["Steps"]
    assert found[0]["Query"]["KeyConditionExpression"] == "all = '#ALL' AND id > each of $id"
    assert found[1:] == [
        {"Client": {"Exists": {"rows of": ["b_2"], "keep": "unmatched"}}},
        {"Client": {"Distinct": True}},
        {"Client": {"GroupBy": ["$b.kind"], "Aggregates": ["COUNT(*)", "SUM(DISTINCT $b.id)"]}},
    ]


def test_a_routed_pattern_has_no_calls_but_its_reason() -> None:
    assert query_plan(SEARCH, ROUTED_PLAN, TABLES) == {}
    entries = {entry["id"]: entry for entry in json.loads(plans_bytes(SNAPSHOT, DESIGN))["plans"]}
    assert entries[SEARCH.id]["routed"] == ["full-text search"]
    assert "ddb_query_plan" not in entries[SEARCH.id]
    assert entries[INSERT.id]["write_request_units"] == 4
    assert sorted(entries) == sorted(plan.pattern for plan in DESIGN.alternatives[1].plans)


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
