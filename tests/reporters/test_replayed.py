"""The section on the logs' mix of statements made again."""

from ddbmig.model.replay import Replay
from ddbmig.reporters.replayed import LINE, replayed, replays
from ddbmig.reporters.weights import weights_of
from hand_made import MARK, REPLAY, SNAPSHOT

WEIGHTS = weights_of(SNAPSHOT)


def test_only_the_guides_line_has_it() -> None:
    assert list(replayed("Hot partition simulation", REPLAY, WEIGHTS)) == []
    assert list(replayed(LINE, None, WEIGHTS)) == []
    assert list(replayed(LINE, Replay(seed=1, statements=0), WEIGHTS)) == []


def test_what_may_be_late_comes_first_and_stands_out() -> None:
    late, other = replays(REPLAY, WEIGHTS).rows
    assert (late[3], late[9], late[10]) == ("2 / 3 / 3", "**30 ms**", "25 ms")
    assert (other[3], other[9], other[10]) == ("1 / 1 / 2", "10 ms", "–")


def test_refusals_and_what_was_not_run_are_said() -> None:
    said = "".join(replayed(LINE, REPLAY, WEIGHTS))
    assert "1 statement" in said
    assert MARK not in said  # a name from outside is escaped
    assert "Could not be run" in said
