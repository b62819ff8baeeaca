"""What was consumed is reported as consumed; only what the known differences explain passes."""

import pytest

from ddbmig.validators.operations import Meter


@pytest.mark.parametrize(
    ("consumed", "known", "differs"),
    [
        (6, None, 0),
        (5, None, 1),
        (4, (4.0, 8.0), 0),
        (8, (4.0, 8.0), 0),
        (3, (4.0, 8.0), 1),
        (9, (4.0, 8.0), 1),
        (0, (4.0, 8.0), 1),
    ],
)
def test_a_write_beyond_the_known_differences_differs(
    consumed: float, known: tuple[float, float] | None, differs: int
) -> None:
    meter = Meter()
    meter.write("write books", 6, consumed, known)
    assert (meter.predicted_writes, meter.consumed_writes, len(meter.differing)) == (6, consumed, differs)
