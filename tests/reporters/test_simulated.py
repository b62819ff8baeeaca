"""The sections on simulated throttling."""

from ddbmig.reporters.simulated import HOT, INDEXES, bars, cures, simulated
from ddbmig.reporters.weights import weights_of
from hand_made import SIMULATION, SNAPSHOT

WEIGHTS = weights_of(SNAPSHOT)


def test_what_is_not_simulated_has_no_section() -> None:
    assert list(simulated(HOT, None, WEIGHTS)) == []
    assert list(simulated("Schema evolution dry runs", SIMULATION, WEIGHTS)) == []
    assert list(simulated(INDEXES, SIMULATION.model_copy(update={"indexes": ()}), WEIGHTS)) == []


def test_bars_show_the_share_of_the_limit_and_are_full_above_it() -> None:
    assert bars((0.0, 0.5, 0.999, 1.0, 7.0)) == "▁▄▇██"


def test_a_run_without_a_refusing_gsi_says_so() -> None:
    calm = SIMULATION.model_copy(update={"runs": SIMULATION.runs[:1]})
    assert "In no run a GSI refused a write of its table." in "".join(simulated(INDEXES, calm, WEIGHTS))
    assert "50" not in "".join(simulated(INDEXES, calm, WEIGHTS))


def test_a_write_refused_by_a_gsi_is_counted_for_the_gsi() -> None:
    assert "| 40.0 % |" in "".join(simulated(INDEXES, SIMULATION, WEIGHTS))  # 2,000 of 5,000, not the table's own 500


def test_many_remedies_are_counted() -> None:
    many = SIMULATION.cures[0].model_copy(update={"remedies": SIMULATION.cures[0].remedies[:1] * 13, "cured": True})
    text = "".join(cures([many]))
    assert text.count("warm throughput") == 10
    assert "and 3 more" in text
    assert "another design" not in text
    assert "another design" in "".join(cures(SIMULATION.cures))
