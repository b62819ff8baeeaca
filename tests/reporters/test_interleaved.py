"""The section on two clients that write at once."""

from ddbmig.model.consistency import Consistency
from ddbmig.reporters.interleaved import LINE, interleaved, interleavings
from ddbmig.reporters.weights import weights_of
from hand_made import CONSISTENCY, SNAPSHOT

WEIGHTS = weights_of(SNAPSHOT)


def test_only_the_guides_line_has_it() -> None:
    assert list(interleaved("Hot partition simulation", CONSISTENCY, WEIGHTS)) == []
    assert list(interleaved(LINE, None, WEIGHTS)) == []


def test_broken_data_comes_first_with_its_calls_in_order() -> None:
    data, answer = interleavings(CONSISTENCY, WEIGHTS).rows
    assert (data[0], answer[0]) == ("data that no order leaves", "both are told it was theirs")
    assert data[3].count(" → ") == 3


def test_nothing_found_is_said() -> None:
    clean = Consistency(patterns=1, schedules=4)
    assert "Whatever the order" in "".join(interleaved(LINE, clean, WEIGHTS))
    assert "Could not be run" not in "".join(interleaved(LINE, clean, WEIGHTS))
