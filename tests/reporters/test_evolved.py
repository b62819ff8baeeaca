"""The section on changes of the design that were tried."""

from ddbmig.model.evolution import Evolution
from ddbmig.reporters.evolved import LINE, evolved
from hand_made import DESIGN, EVOLUTION, MARK


def test_only_the_guides_line_has_it() -> None:
    assert list(evolved("Hot partition simulation", EVOLUTION, DESIGN.prices)) == []
    assert list(evolved(LINE, None, DESIGN.prices)) == []
    assert list(evolved(LINE, Evolution(seed=1), DESIGN.prices)) == []


def test_each_change_has_its_money_its_steps_and_the_way_back() -> None:
    said = "\n".join(evolved(LINE, EVOLUTION, DESIGN.prices))
    (row,) = [line for line in said.splitlines() if line.startswith("| rename a column")]
    assert "| 4,000,000 | 500 |" in row
    assert "**failed**" in row
    assert "*Back*: never" in said
    assert "split a copy: the design keeps no copies" in said
    assert MARK not in said  # a name from outside is escaped


def test_without_a_price_there_is_no_money() -> None:
    prices = DESIGN.prices.model_copy(update={"entries": ()})
    said = "\n".join(evolved(LINE, EVOLUTION, prices))
    assert "| 4,000,000 | 500 | – |" in said
