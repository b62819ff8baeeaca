"""The section of stage 4 on two clients that write at once."""

from collections.abc import Iterator, Mapping

from ddbmig.model.consistency import Anomaly, Consistency
from ddbmig.reporters.markdown import Markup, code, joined
from ddbmig.reporters.pages import LongTable, names, paragraph, plural
from ddbmig.reporters.weights import Weights

LINE = "Consistency edge case testing"
"""The guide's line."""
KINDS: Mapping[str, str] = {
    "data": "data that no order leaves", "crash": "half of the work left", "answer": "both are told it was theirs",
}  # fmt: skip


def interleaved(line: str, found: Consistency | None, weights: Weights) -> Iterator[Markup]:
    """What stands in the section of the guide's line; nothing in that of another."""
    if line != LINE or found is None:
        return
    yield paragraph(
        "Two clients, A and B, ran each write of the logs at once on made-up rows, their calls in many orders; and one "
        "of them stopped between two calls. Held against is what remains when one runs after the other. {} of {} were "
        "run. Not tried: different access patterns against each other, calls that arrive twice, GSIs that lag behind.",
        plural(found.schedules, "interleaving"), plural(found.patterns, "access pattern"),
    )  # fmt: skip
    if found.not_run:
        yield paragraph("Could not be run on made-up rows: {}.", names(found.not_run))
    yield interleavings(found, weights).head(
        paragraph("Whatever the order, what remained was what remains of one after the other.")
    )


def interleavings(found: Consistency | None, weights: Weights) -> LongTable:
    """The shortest interleaving of each anomaly, broken data first."""
    anomalies = found.anomalies if found else ()
    ordered = sorted(anomalies, key=lambda one: (list(KINDS).index(one.kind), -weights.calls.get(one.pattern, 0),
                                                       one.pattern))  # fmt: skip
    rows = [(KINDS[one.kind], weights.label(one.pattern), names(one.tables), _schedule(one)) for one in ordered]
    headers = ("what", "access pattern", "items that are others", "shortest interleaving")
    return LongTable("Interleavings", headers, rows, by="kind and calls")


def _schedule(one: Anomaly) -> Markup:
    return joined(*(code(call) for call in one.schedule), separator=" → ")
