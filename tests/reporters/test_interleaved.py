"""The section on two clients that write at once."""

from ddbmig.model.consistency import Consistency
from ddbmig.reporters.interleaved import LINE, interleaved, interleavings, stale_reads
from ddbmig.reporters.weights import weights_of
from hand_made import CONSISTENCY, SNAPSHOT

WEIGHTS = weights_of(SNAPSHOT)


def test_only_the_guides_line_has_it() -> None:
    assert list(interleaved("Hot partition simulation", CONSISTENCY, WEIGHTS)) == []
    assert list(interleaved(LINE, None, WEIGHTS)) == []


def test_broken_data_comes_first_with_its_calls_in_order() -> None:
    data, answer, read = interleavings(CONSISTENCY, WEIGHTS).rows
    assert (data[0], answer[0]) == ("data that no order leaves", "both are told it was theirs")
    assert data[3].count(" → ") == 3
    assert read[0] == "a reader sees half of a write"
    assert "; B: " in read[1]


def test_reads_that_may_miss_a_write_name_where() -> None:
    ((write, read, through, calls),) = stale_reads(CONSISTENCY, WEIGHTS).rows
    assert write != read
    assert str(through).startswith("`")
    assert str(calls) == "4"
    assert stale_reads(None, WEIGHTS).rows == []


def test_pairs_left_out_are_said() -> None:
    assert "Not tried: 1 further pair" in "".join(interleaved(LINE, CONSISTENCY, WEIGHTS))


def test_nothing_found_is_said() -> None:
    clean = Consistency(patterns=1, schedules=4)
    assert "Whatever the order" in "".join(interleaved(LINE, clean, WEIGHTS))
    assert "Not tried" not in "".join(interleaved(LINE, clean, WEIGHTS))
    assert "Could not be run" not in "".join(interleaved(LINE, clean, WEIGHTS))
