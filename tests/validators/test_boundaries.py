"""Which edges a template is asked for, and how a set that differs is made smaller."""

from decimal import Decimal

import pytest
from shop import shop, shop_rows

from ddbmig.model.encodings import Cell
from ddbmig.model.schema import Column
from ddbmig.validators.boundaries import Case, boundary_cases, described, extremes, simpler, spellings
from ddbmig.validators.sampling import Sampler
from ddbmig.validators.source import SourceRows

SHOP = shop()


def cases(sql: str) -> dict[str, Case]:
    source = SourceRows(SHOP.tables)
    source.load(shop_rows(), 1_000)
    pattern = next(p for p in SHOP.patterns if p.sql == sql)
    sampler = Sampler(pattern, SHOP.tables, source, 7, {})
    return {case.name: case for case in boundary_cases(pattern, SHOP.tables, source, sampler, sampler.sample())}


def test_a_text_that_is_looked_up() -> None:
    found = cases("SELECT * FROM books WHERE ean = ?")
    assert {name.split(": ")[1]: case.kind for name, case in found.items()} == {
        "a value that is not there": "boundary", "NULL": "boundary", "the first value": "boundary",
        "the last value": "boundary", "the longest text": "boundary", "an empty string": "boundary",
        "a row's value with another case": "spelling", "a row's value with an accent": "spelling",
        "a row's value with trailing blanks": "spelling",
    }  # fmt: skip


def test_a_list() -> None:
    found = {name.split(": ")[1]: case.params[0] for name, case in cases("SELECT title, price FROM books WHERE id IN "
                                                                        "(?)").items()}  # fmt: skip
    assert found["an empty list"] == ()
    assert isinstance(found["a list of 90 values"], tuple)
    assert len(found["a list of 90 values"]) == 90
    assert found["a list of one"] == found["a value twice"][:1]  # type: ignore[index]  # a list
    assert 91 in found["a list with a value that is not there"]  # type: ignore[operator]  # a list


def test_limits_and_numbers() -> None:
    found = cases("SELECT * FROM books WHERE author_id = ? ORDER BY published DESC LIMIT ?")
    assert [case.params[1] for name, case in found.items() if name.startswith("LIMIT")] == [0, 1]
    assert [c.params[0] for n, c in found.items() if "of the type" in n] == [-(2**31), 2**31 - 1]


def test_a_stored_value_has_edges_unless_it_is_a_key() -> None:
    found = cases("INSERT INTO authors (name, country) VALUES (?, ?)")
    assert {n.split(": ")[1] for n in found} == {"an empty string", "the longest text"}
    assert cases("INSERT INTO tags (label) VALUES (?)") == {}


@pytest.mark.parametrize(
    ("column", "edges"),
    [
        (Column(name="c", type="tinyint"), [-128, 127]),
        (Column(name="c", type="bigint", unsigned=True), [0, 2**64 - 1]),
        (Column(name="c", type="decimal", precision=5, scale=2), [Decimal("-999.99"), Decimal("999.99")]),
        (Column(name="c", type="varchar", length=3), ["zzz"]),
        (Column(name="c", type="date"), ["1000-01-01", "9999-12-31"]),
        (Column(name="c", type="json"), []),
    ],
)
def test_edges_of_types(column: Column, edges: list[Cell]) -> None:
    assert [value for _, value in extremes(column)] == edges


def test_a_collation_that_does_not_pad_is_not_asked_for_trailing_blanks() -> None:
    padded = Column(name="c", type="varchar", length=9, collation="utf8mb4_general_ci")
    for collation, tried in (("utf8mb4_general_ci", True), ("utf8mb4_0900_ai_ci", False), ("utf8mb4_bin", False)):
        names = [name for name, _, _ in spellings(padded.model_copy(update={"collation": collation}), "Abc")]
        assert any("trailing" in name for name in names) is tried


def test_simpler_sets_come_one_step_at_a_time() -> None:
    pattern = next(p for p in SHOP.patterns if p.sql == "SELECT title, price FROM books WHERE id IN (?)")
    found = list(simpler(Case("a list", {0: (1, 2, 3)}), pattern, {0: (1, 2, 3)}))
    assert {0: (1,)} in found
    assert {0: (2, 3)} in found
    assert list(simpler(Case("a list", {0: (1,)}), pattern, {0: (1,)})) == []


def test_parameters_are_described_without_their_values() -> None:
    assert described({0: "secret", 1: None, 2: (4711,), 3: -5, 4: b"xy"}, ()) == (
        "1: text of 6", "2: NULL", "3: a list of 1, each a number of 4 digits", "4: a negative number of 1 digit",
        "5: bytes of 2",
    )  # fmt: skip
