"""The section of stage 4 on the logs' mix of statements, made again as DynamoDB calls."""

from collections.abc import Iterator

from ddbmig.model.replay import ROUND_TRIP_MS, PatternReplay, Replay
from ddbmig.reporters.markdown import Markup, bullets, number
from ddbmig.reporters.pages import LongTable, names, paragraph, plural, say
from ddbmig.reporters.weights import Weights

LINE = "Performance under load testing"
"""The guide's line."""


def replayed(line: str, found: Replay | None, weights: Weights) -> Iterator[Markup]:
    """What stands in the section of the guide's line; nothing in that of another."""
    if line != LINE or found is None or not found.runs:
        return
    yield paragraph(
        "{} were drawn by their calls in the logs (seed {}) and answered by their plans, one after the other. Round "
        "trips and units are DynamoDB's; times are not measured here, because an emulator's speed is not that of "
        "DynamoDB. A round trip is taken to last {} ms at most: AWS promises single-digit milliseconds, without the "
        "network between.",
        plural(found.statements, "statement"), str(found.seed), number(ROUND_TRIP_MS),
    )  # fmt: skip
    if found.refused:
        yield paragraph("Refused:")
        yield bullets(say("{}: {}", why, plural(count, "statement")) for why, count in found.refused.items())
    if found.not_run:
        yield paragraph("Could not be run with sampled parameters: {}.", names(found.not_run))
    yield replays(found, weights).head()


def replays(found: Replay | None, weights: Weights) -> LongTable:
    """Each pattern that was drawn: those that may be too late first, then by calls."""
    ordered = sorted(found.patterns if found else (), key=lambda one: (not one.late, -weights.calls.get(one.pattern, 0),
                                                                     one.pattern))  # fmt: skip
    rows = [
        (weights.label(one.pattern), number(one.runs), number(one.rows), " / ".join(map(str, one.trips)),
         number(one.planned_trips), number(one.read_units, 3), number(one.planned_read_units, 3),
         number(one.write_units, 3), number(one.planned_write_units, 3), *_time(one))
        for one in ordered
    ]  # fmt: skip
    headers = ("access pattern", "runs", "rows", "round trips p50 / p99 / most", "planned", "RRU a run", "planned RRU",
               "WRU a run", "planned WRU", "p99 at most", "required")  # fmt: skip
    return LongTable("Statements replayed", headers, rows, (1, 2, 4, 5, 6, 7, 8, 9, 10), "lateness and calls")


def _time(one: PatternReplay) -> tuple[Markup, Markup]:
    estimated = say("{} ms", number(one.estimated_ms))
    if one.required_ms is None:
        return estimated, Markup("–")
    return say("**{}**", estimated) if one.late else estimated, say("{} ms", number(one.required_ms))
