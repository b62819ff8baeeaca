"""waivers.yaml: what is written into it is read back as it was, whatever the names and values are."""

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbmig.engine.facts import CATALOGUE
from ddbmig.engine.waivers import read_waivers, waiver_text
from ddbmig.engine.wording import number
from ddbmig.model.gate import Waiver

KEYLESS = Waiver(rule="PR012", object="shop.orders", reason="an archive", owner="team orders", expires="2027-03-31",
                 accepted={"table.has_primary_key": False, "table.rows": 1234567, "table.name": "orders",
                           "table.column_names": ("id", "a, b")})  # fmt: skip
TEXT = """\
  - rule: "PR012"
    object: "shop.orders"
    reason: "an archive"
    owner: "team orders"
    expires: "2027-03-31"
    accepted:
      table.column_names: ["id", "a, b"]
      table.has_primary_key: false
      table.name: "orders"
      table.rows: 1234567
"""


def test_a_waiver_is_written_for_people_to_read() -> None:
    assert waiver_text(KEYLESS) == TEXT
    assert waiver_text(KEYLESS.model_copy(update={"accepted": {}})).endswith("    accepted: {}\n")


def test_a_waiver_knows_its_place_and_its_days() -> None:
    first, second = read_waivers("waivers.yaml", f"waivers:\n{TEXT}{TEXT.replace('orders', 'books')}")
    assert (first.line, first.column, second.line) == (2, 5, 12)
    assert first.waiver == KEYLESS
    assert first.days_left(datetime.date(2027, 3, 31)) == 0
    assert first.days_left(datetime.date(2027, 3, 1)) == 30
    assert first.days_left(datetime.date(2027, 4, 2)) == -2


def test_a_file_without_waivers_is_one() -> None:
    assert read_waivers("waivers.yaml", "waivers: []\n") == ()


HOSTILE = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["no", "12:30", "~", "- x", "# a comment", "a: b", "{a}", "'", '"', "\\", "*a", "&a", "!!python/name:x", "\n---\n",
     "\x1b[31m", "\u202eevil", "\u2028", "\ufeff", "\x00", "\ud800", "é😀", "%d", "`rm`", "<<", "2027-03-31"]
)  # fmt: skip
WORDS = HOSTILE.filter(lambda text: bool(text.strip()))
NUMBERS = st.integers(0, 10**15) | st.floats(0, 1e15).filter(lambda value: value == 0 or value > 1e-4)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS, "bool": st.booleans(), "text": HOSTILE, "list": st.lists(HOSTILE, max_size=3).map(tuple)
}  # fmt: skip
ACCEPTED = st.lists(st.sampled_from(CATALOGUE), max_size=4, unique_by=lambda fact: fact.name).flatmap(
    lambda facts: st.fixed_dictionaries({fact.name: VALUES[fact.kind] for fact in facts})
)
WAIVERS = st.builds(
    Waiver, rule=WORDS, object=WORDS, reason=WORDS, owner=WORDS, expires=st.dates().map(str), accepted=ACCEPTED
)


def as_shown(value: Any) -> Any:
    """A value with the digits that people see."""
    return float(number(value).replace(",", "")) if isinstance(value, int | float) and value is not True else value


@settings(deadline=None)
@given(st.lists(WAIVERS, min_size=1, max_size=3, unique_by=lambda waiver: (waiver.rule, waiver.object)))
def test_what_is_written_is_read_back_as_it_was(waivers: list[Waiver]) -> None:
    text = "waivers:\n" + "".join(map(waiver_text, waivers))
    found = [placed.waiver for placed in read_waivers("waivers.yaml", text)]
    for waiver, back in zip(waivers, found, strict=True):
        assert back.model_copy(update={"accepted": {}}) == waiver.model_copy(update={"accepted": {}})
        assert set(back.accepted) == set(waiver.accepted)
        for name, value in waiver.accepted.items():
            assert as_shown(back.accepted[name]) == as_shown(value)
            assert isinstance(back.accepted[name], bool) is isinstance(value, bool)
    assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("value", [0, 1, 0.1, 0.123456, 1e-5, 12345.678, 409_600, 10**15, 10**17, 1e-12])
def test_a_number_is_written_as_it_is_shown(value: float) -> None:
    text = waiver_text(KEYLESS.model_copy(update={"accepted": {"table.rows": value}}))
    (placed,) = read_waivers("waivers.yaml", f"waivers:\n{text}")
    assert as_shown(placed.waiver.accepted["table.rows"]) == as_shown(value)
