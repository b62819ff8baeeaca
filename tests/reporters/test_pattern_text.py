"""An access pattern explained: within 80 columns, complete, and hostile names stay text."""

from decimal import Decimal
from typing import Any

import pytest

from ddbmig.engine.answers import answers, proof_of
from ddbmig.model.explanation import PatternExplanation, Proved
from ddbmig.model.validation import PatternResult, Validation
from ddbmig.reporters.explanation import explanation_text
from ddbmig.reporters.plans_file import plan_entries
from hand_made import ASSESSMENT, DESIGN, INSERT, SEARCH, SELECT, SNAPSHOT, UPDATE

CHOSEN = DESIGN.alternative(DESIGN.chosen)
ENTRIES = dict(plan_entries(SNAPSHOT, ASSESSMENT, CHOSEN, {SELECT.id: Decimal("1234.5")}))
PROOF = Proved(status="proved", why="", engine="DynamoDB Local", current=False, runs=3, consumed_read_units=4.5,
               consumed_write_units=0)  # fmt: skip


def explained(pattern: str, proof: Proved | None = PROOF, **more: Any) -> str:
    entry = {**ENTRIES[pattern], **more}
    ways = answers(DESIGN, pattern, 1000)
    return explanation_text(
        PatternExplanation(alternative=CHOSEN.id, plan=entry, rates="assumed", answers=ways, proof=proof)
    )


@pytest.mark.parametrize("pattern", [SELECT.id, INSERT.id, UPDATE.id, SEARCH.id])
def test_it_fits_a_terminal_and_no_control_character_gets_there(pattern: str) -> None:
    text = explained(pattern, sql="SELECT \x1b[31m\u202e " + "x" * 200, relies_on="a\nb")
    assert max(map(len, text.splitlines())) <= 80
    assert all(char.isprintable() or char == "\n" for char in text)


def test_every_call_says_where_how_often_and_what_it_takes() -> None:
    text = explained(SELECT.id)
    assert "3,504,000 calls a month (assumed)\n  cost $1,234.50 on demand.\n" in text
    for line in (
        " 1. Query books/books_by_author: 1 item, 1.5 RRU", " 2. BatchGetItem books: 1 item, 1 RRU",
        " 3. client: keep the rows with $b.id = $id AND $b.kind IS NULL", " 5. client: keep the first $limit rows",
        "      Match: $b.kind = $limit",
        " $id is parameter 1 of the statement (bo|oks.id: N, integer)", "Relies on: relies on `x` | y",
        "Stage 4: proved on DynamoDB Local, 3 runs, 4.5 RRU consumed.",
        "The design has been made anew since: run stage 4 again.",
    ):  # fmt: skip
        assert f"\n{line}\n" in text, line


def test_a_transaction_shows_each_write() -> None:
    text = explained(INSERT.id, None)
    assert " 2. TransactWriteItems, all or nothing\n    - PutItem books: 1 item, 2 WRU\n" in text
    assert text.endswith("\nStage 4 has not been run on this design.\n")


def test_a_routed_pattern_says_who_must_answer_it() -> None:
    text = explained(SEARCH.id)
    assert "No plan in rules: full-text search (MATCH needs a search index).\n" in text
    assert "Another system must answer its" in text


def test_alternatives_that_do_the_same_are_one_answer_and_the_chosen_is_first() -> None:
    found = answers(DESIGN, SELECT.id, 1000)
    assert [one.chosen for one in found] == [True] + [False] * (len(found) - 1)
    assert sorted(name for one in found for name in one.alternatives) == sorted(
        one.id for one in DESIGN.alternatives if any(plan.pattern == SELECT.id for plan in one.plans)
    )
    (mine,) = [one for one in found if one.chosen]
    assert mine.calls == ("Query books/books_by_author", "BatchGetItem books")


def test_the_proof_of_a_pattern_is_that_of_its_result() -> None:
    result = PatternResult(pattern=SELECT.id, status="not proved", runs=0, rows_sql=0, rows_plan=0, why="no data")
    validation = Validation(engine="E", alternative=CHOSEN.id, seed=1, tables_created=0, indexes_created=0,
                            patterns=(result,))  # fmt: skip
    found = proof_of(validation, SELECT.id, current=True)
    assert found is not None
    assert (found.status, found.why, found.current) == ("not proved", "no data", True)
    assert proof_of(validation, "Q0", current=True) is None
