"""The section of stage 4 on changes of the design that were tried and taken back."""

from collections.abc import Iterator

from ddbmig.model.evolution import Change, Evolution
from ddbmig.model.prices import Prices
from ddbmig.reporters.markdown import Markup, bullets, code, money, number, table
from ddbmig.reporters.pages import paragraph, plural, say

LINE = "Schema evolution dry runs"
"""The guide's line."""


def evolved(line: str, found: Evolution | None, prices: Prices) -> Iterator[Markup]:
    """What stands in the section of the guide's line; nothing in that of another."""
    if line != LINE or found is None or not found.changes:
        return
    yield paragraph(
        "Each change was made on the loaded tables, the new shape beside the old one, and taken back. Before, in "
        "between and afterwards {} with the most calls answered with the plans of the old design and, where a column "
        "has another name, with those of the new one. Units are those for the design's number of items: each written "
        "once or twice, with the entries of GSIs that project everything, and one Scan to find them.",
        plural(found.probes, "read access pattern"),
    )  # fmt: skip
    headers = ("change", "table", "what", "items changed", "compared", "verdict", "WRU", "RRU", "once")
    yield table(headers, [_row(one, prices) for one in found.changes], (3, 4, 6, 7, 8))
    wrong = [(one.kind, what) for one in found.changes for what in one.wrong]
    if wrong:
        yield paragraph("Not as before:")
        yield bullets(say("{}: {}", kind, what) for kind, what in wrong)
    yield paragraph("Steps, and how far one can go back:")
    yield bullets(say("**{}**: {}. *Back*: {}.", one.kind, "; ".join(one.steps), one.rollback) for one in found.changes)
    if found.left_out:
        yield paragraph("Not tried:")
        yield bullets(say("{}: {}", kind, why) for kind, why in found.left_out.items())


def _row(one: Change, prices: Prices) -> tuple[Markup | str, ...]:
    verdict = Markup("**failed**") if one.wrong else Markup("as before")
    return (one.kind, code(one.table), code(one.subject), number(one.items), number(one.compared), verdict,
            number(round(one.write_units)), number(round(one.read_units)), _usd(one, prices))  # fmt: skip


def _usd(one: Change, prices: Prices) -> Markup:
    """On demand, whatever the terms are; a dash where a price is not known."""
    writes, reads = prices.find("write_per_million"), prices.find("read_per_million")
    if writes is None or reads is None:
        return Markup("–")
    return money((writes * round(one.write_units) + reads * round(one.read_units)) / 1_000_000)
