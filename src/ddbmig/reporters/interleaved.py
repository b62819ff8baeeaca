"""The section of stage 4 on two clients at once."""

from collections.abc import Iterator, Mapping

from ddbmig.model.consistency import Anomaly, Consistency, Kind, StaleRead
from ddbmig.reporters.markdown import Markup, code, joined, number
from ddbmig.reporters.pages import LongTable, names, paragraph, plural
from ddbmig.reporters.weights import Weights

LINE = "Consistency edge case testing"
"""The guide's line."""
KINDS: Mapping[Kind, str] = {
    "data": "data that no order leaves", "crash": "half of the work left", "lag": "such data while a GSI lags behind",
    "repeat": "a call that arrives twice works twice", "answer": "both are told it was theirs",
    "read": "a reader sees half of a write",
}  # fmt: skip


def interleaved(line: str, found: Consistency | None, weights: Weights) -> Iterator[Markup]:
    """What stands in the section of the guide's line; nothing in that of another."""
    if line != LINE or found is None:
        return
    yield paragraph(
        "Two clients, A and B, ran each write of the logs at once on made-up rows, and each pair of a write and what "
        "meets it in a table, their calls in many orders. One of them stopped between two calls, a call arrived twice, "
        "and GSIs did not follow. Held against is what remains when one runs after the other. {} of {} and {} were "
        "run.",
        plural(found.schedules, "interleaving"), plural(found.patterns, "write"), plural(found.pairs, "pair"),
    )  # fmt: skip
    if found.pairs_left_out:
        yield paragraph("Not tried: {} with fewer calls.", plural(found.pairs_left_out, "further pair"))
    if found.not_run:
        yield paragraph("Could not be run on made-up rows: {}.", names(found.not_run))
    yield interleavings(found, weights).head(
        paragraph("Whatever the order, what remained was what remains of one after the other.")
    )
    if found.stale:
        yield paragraph(
            "These reads may miss a write that the logs show just before or after them on one connection: it is not "
            "in the GSI yet, or the read is eventually consistent. Of a table a strongly consistent read shows it, at "
            "twice the read units; of a GSI there is none."
        )
        yield stale_reads(found, weights).head()


def interleavings(found: Consistency | None, weights: Weights) -> LongTable:
    """The shortest interleaving of each anomaly, broken data first."""
    rows = [(KINDS[one.kind], _who(one, weights), names(one.tables), _schedule(one)) for one in ranked(found, weights)]
    headers = ("what", "access pattern", "items that are others", "shortest interleaving")
    return LongTable("Interleavings", headers, rows, by="kind and calls")


def ranked(found: Consistency | None, weights: Weights) -> list[Anomaly]:
    """The anomalies by kind, of each kind the most called first."""
    kinds = list(KINDS)
    return sorted(found.anomalies if found else (), key=lambda one: (
        kinds.index(one.kind), -weights.calls.get(one.pattern, 0), one.pattern, one.other))  # fmt: skip


def stale_reads(found: Consistency | None, weights: Weights) -> LongTable:
    """Writes and the reads that may miss them."""

    def row(one: StaleRead) -> tuple[Markup | str, ...]:
        return (weights.label(one.write), weights.label(one.read), code(one.through), number(one.calls))

    headers = ("write", "read", "through", "calls together")
    return LongTable("Reads that may miss a write", headers, [row(one) for one in found.stale] if found else [],
                     by="calls")  # fmt: skip


def _who(one: Anomaly, weights: Weights) -> Markup:
    """What A runs, and B where it is another."""
    labels = [weights.label(one.pattern), *([weights.label(one.other)] if one.other else [])]
    return joined(*labels, separator="; B: ")


def _schedule(one: Anomaly) -> Markup:
    return joined(*(code(call) for call in one.schedule), separator=" → ")
