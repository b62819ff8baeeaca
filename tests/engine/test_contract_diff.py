"""Two contracts differ in the words of the contract, and in nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_contract_check import CASES, edited

from ddbmig.engine.contract_diff import contract_changes
from ddbmig.model.contract import Contract

SOUND = Contract.model_validate_json(json.dumps(CASES["contract"]))


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ({}, []),
        ({"0.table": "works"}, [
            "- table books: from books, key author_id, printed__id, 8 attributes",
            "+ table works: from books, key author_id, printed__id, 8 attributes",
        ]),
        ({"0.sk": None}, ["~ books: key author_id, printed__id -> author_id"]),
        ({"0.attributes.id.type": "S"}, ["~ books.id: type N -> S"]),
        ({"0.attributes.author_name": None}, ["- attribute books.author_name: S copied from authors.name"]),
        ({"0.gsis.0.sk_attributes": ["id", "title"]}, [
            "~ books/books_by_title: key title, then id -> title, then id + title",
        ]),
        ({"0.gsis": None}, ["- GSI books/books_by_title: title, then id"]),
        ({"2.filter": None}, ["~ books_isbn_unique: filter `isbn` IS NOT NULL -> none"]),
        ({"0.satisfies": ["count books"]}, [
            "+ access pattern count books: books",
            "- access pattern select books by author_id: books",
        ]),
        ({"0.estimated_item_size_bytes": 4000}, ["~ books: estimated item size 120 B -> 4,000 B"]),
        ({"0.attributes.author_name.join.local_column": "id"}, [
            "~ books.author_name: join local_column author_id, source_column id -> local_column id, source_column id",
        ]),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_changes(edits: dict[str, Any], says: list[str]) -> None:
    new = Contract.model_validate_json(edited(edits))
    assert [str(change) for change in contract_changes(SOUND, new)] == says


@given(st.permutations(range(3)))
def test_the_order_of_entries_is_none(order: list[int]) -> None:
    assert contract_changes(SOUND, Contract(tuple(SOUND.root[n] for n in order))) == ()


@given(st.sampled_from([case["set"] for case in CASES["edits"][1:] if "set" in case]))
def test_back_again_is_the_same_changes_reversed(edits: dict[str, Any]) -> None:
    try:
        new = Contract.model_validate_json(edited(edits))
    except ValueError:
        return
    there, back = contract_changes(SOUND, new), contract_changes(new, SOUND)
    turned = [change.model_copy(update={"before": change.after, "after": change.before}) for change in back]
    assert sorted(map(str, there)) == sorted(map(str, turned))
