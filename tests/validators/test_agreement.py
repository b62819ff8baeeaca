"""What SQL promises of an answer, and what it leaves open."""

from decimal import Decimal

import pytest

from ddbmig.model.encodings import Cell
from ddbmig.model.pattern import Aggregate
from ddbmig.model.schema import Column
from ddbmig.validators.agreement import disagreement
from ddbmig.validators.outputs import Answer, Output, Rows, canonical

ID = Output("id", Column(name="id", type="int"))
NAME = Output("name", Column(name="name", type="varchar", collation="utf8mb4_general_ci"))
DAY = Output("day", Column(name="day", type="date"), any_equal=True)
Row = tuple[Cell, ...]


def differs(sql: list[Row], plan: list[Row], choice: list[Row] | None = None, *, ordered: bool = False) -> str | None:
    """Rows are (id, name), and where they are ordered a day behind."""

    def rows(found: list[Row]) -> Rows:
        return Rows(tuple(r[:2] for r in found), tuple(r[2:] for r in found))

    answer = Answer(len(sql), rows(sql), None if choice is None else rows(choice))
    return disagreement(answer, rows(plan), (ID, NAME), (DAY,) if ordered else ())


A, B, C = (1, "a", "2026-01-01"), (2, "b", "2026-01-01"), (3, "c", "2026-01-02")


def test_without_an_order_rows_are_a_multiset() -> None:
    assert differs([A, B, C], [C, A, B]) is None
    assert differs([A, A, B], [A, B, B]) is not None
    assert differs([A, B], [A]) == "2 rows by SQL, 1 row by the plan"


def test_order_by_promises_its_columns_and_ties_are_sets() -> None:
    assert differs([A, B, C], [B, A, C], ordered=True) is None
    assert differs([A, B, C], [C, A, B], ordered=True) == "the order differs from row 1 on (day)"


def test_a_limit_that_cuts_among_ties_takes_any_of_them() -> None:
    assert differs([A], [B], [A, B, C], ordered=True) is None
    assert differs([A], [C], [A, B, C], ordered=True) == "the order differs from row 1 on (day)"
    assert differs([A], [(9, "z", "2026-01-01")], [A, B, C], ordered=True) is not None
    assert differs([A, B], [A, A], [A, B, C], ordered=True) is not None  # one row twice is no choice


def test_a_limit_without_an_order_takes_any_rows_of_the_answer() -> None:
    assert differs([A, B], [C, A], [A, B, C]) is None
    assert differs([A, B], [(4, "d", ""), A], [A, B, C]) is not None


def test_a_difference_names_columns_and_kinds_but_no_value() -> None:
    said = differs([(1, "secret", "")], [(1, "hidden!", "")])
    assert said == "1 row differs in name: 6 characters by SQL, 7 characters by the plan"
    assert differs([(1, None, "")], [(1, "hidden", "")]) == (
        "1 row differs in name: NULL by SQL, 6 characters by the plan"
    )


def test_plain_columns_are_compared_to_the_letter_grouped_ones_as_their_collation_does() -> None:
    grouped = Output("name", NAME.column, any_equal=True)
    assert canonical("Émile ", NAME) != canonical("emile", NAME)
    assert canonical("Émile ", grouped) == canonical("emile", grouped)


@pytest.mark.parametrize(
    ("function", "column", "sql", "plan", "same"),
    [
        ("count", None, 3, 3, True),
        ("count", None, 3, 4, False),
        ("sum", Column(name="p", type="decimal", scale=2), 10.95, Decimal("10.95"), True),
        ("sum", Column(name="p", type="decimal", scale=2), 10.95, Decimal("10.96"), False),
        ("avg", Column(name="n", type="int"), Decimal("3.3333"), Decimal(10) / 3, True),
        ("avg", Column(name="n", type="int"), Decimal("3.3333"), Decimal("3.3334"), False),
        ("sum", Column(name="n", type="int"), None, 0, False),
        ("max", NAME.column, "Zoë", "zoe", True),
    ],
)
def test_aggregates_have_mysqls_digits(function: str, column: Column | None, sql: Cell, plan: Cell, same: bool) -> None:
    aggregate = Aggregate.model_validate({"function": function})
    output = Output(function, column, aggregate, any_equal=True)
    assert (canonical(sql, output) == canonical(plan, output)) is same


def test_json_is_compared_as_a_document_and_bytes_as_bytes() -> None:
    document, raw = Output("j", Column(name="j", type="json")), Output("b", Column(name="b", type="blob"))
    assert canonical('{"a": 1, "b":2}', document) == canonical('{"b": 2, "a": 1}', document)
    assert canonical(b"\x00", raw) != canonical(b"\x01", raw)
