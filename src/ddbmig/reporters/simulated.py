"""The sections of stage 4 on simulated throttling: figures of each run, what narrows, and what was shown to cure it."""

from collections.abc import Iterable, Iterator, Sequence

from ddbmig.model.simulation import Comparison, Cure, Remedy, Run, Simulation, StructureLoad
from ddbmig.reporters.markdown import Markup, bullets, code, heading, joined, number, percent, table
from ddbmig.reporters.pages import page, paragraph, plural, say, section
from ddbmig.reporters.weights import Weights

HOT, INDEXES = "Hot partition simulation", "GSI throttling scenarios"
"""The guide's lines."""
MOST_ROWS, MOST_REMEDIES = 8, 10
_BARS = "▁▂▃▄▅▆▇█"


def simulated(line: str, found: Simulation | None, weights: Weights) -> Iterator[Markup]:
    """What stands in the section of one of the guide's lines; nothing where it is not simulated."""
    if found is None:
        return
    if line == HOT:
        yield from _hot(found, weights)
    elif line == INDEXES and found.indexes:
        yield from _indexes(found)


def _hot(found: Simulation, weights: Weights) -> Iterator[Markup]:
    yield paragraph(
        "A simulation: no emulator throttles. {} on new {} tables: the average rate, for the middle third each access "
        "pattern at its busiest second. Keys lie by seed {}; nobody tries again. docs/how-the-simulation-works.md says "
        "what is AWS's statement and what is assumed.", plural(found.minutes, "minute"), found.mode, str(found.seed),
    )  # fmt: skip
    yield runs_table(found.runs, weights)
    shown = next((run for run in found.runs if run.throttled), found.runs[-1])
    yield paragraph("The tables and GSIs asked for most at {}:", shown.name)
    yield structures_table(shown.structures[:MOST_ROWS])
    yield from cures(found.cures)


def _indexes(found: Simulation) -> Iterator[Markup]:
    yield paragraph(
        "A write that a GSI cannot follow is refused at its table, with the GSI as the reason. Each GSI is given no "
        "backlog, the worst case. How much more of the logs' traffic each bears before it refuses writes:"
    )
    rows = [
        (code(room.structure), code(room.key) if room.key else "none stands out", percent(room.key_share),
         say("×{}", number(room.from_scale)))
        for room in found.indexes[:MOST_ROWS]
    ]  # fmt: skip
    yield table(("GSI", "key written most", "of a partition's writes", "refuses from about"), rows, (2, 3))
    refusing = [
        (run.name, code(name), percent(share)) for run in (*found.runs, *found.index_runs)
        for name, share in run.cascade.items()
    ]  # fmt: skip
    if not refusing:
        yield paragraph("In no run a GSI refused a write of its table.")
        return
    yield paragraph("Writes refused at the table, by run:")
    yield table(("run", "refused by", "share of those writes"), refusing[: 2 * MOST_ROWS], (2,))


def runs_table(runs: Iterable[Run], weights: Weights) -> Markup:
    """One line for each run: how many calls were throttled, and where it was worst."""
    rows = [
        (run.name, number(round(run.offered)), percent(run.share), *_worst(run, weights)) for run in runs
    ]  # fmt: skip
    headers = ("run", "calls", "throttled", "most throttled access pattern", "its share", "refused by", "reason")
    return table(headers, rows, (1, 2, 4))


def _worst(run: Run, weights: Weights) -> tuple[str, str, str, str]:
    if not run.patterns or not run.patterns[0].causes:
        return "none", "–", "–", "–"
    worst = run.patterns[0]
    cause = worst.causes[0]
    return weights.label(worst.pattern), percent(worst.share), code(cause.structure), cause.reason


def structures_table(structures: Sequence[StructureLoad]) -> Markup:
    """Tables and GSIs of a run with their partitions, hottest keys and their hottest partition over time."""
    rows = [
        (code(one.structure), say("{} → {}", number(one.partitions), number(one.partitions_after)),
         number(round(one.reads, 1)), number(round(one.writes, 1)), number(round(one.throttled)), _keys(one),
         percent(one.hottest, 0), bars(one.heat))
        for one in structures
    ]  # fmt: skip
    headers = ("table or GSI", "partitions", "reads/s", "writes/s", "calls refused", "hottest keys",
               "hottest partition", "over time")  # fmt: skip
    return table(headers, rows, (1, 2, 3, 4, 6))


def _keys(load: StructureLoad) -> Markup:
    hot = [say("{} {}", code(key.key), percent(key.limit_share, 0)) for key in load.keys if key.limit_share >= 0.01]
    return joined(*hot, separator=", ") if hot else Markup("none stands out")


def bars(heat: Iterable[float]) -> str:
    """Heat over time as a row of bars: the full one stands for the limit and all above it."""
    return "".join(_BARS[min(len(_BARS) - 1, int(value * (len(_BARS) - 1)))] for value in heat)


def cures(found: Sequence[Cure]) -> Iterator[Markup]:
    """What was tried against throttling, and what running again with it showed."""
    for cure in found:
        yield paragraph(
            "{}: run again with all of this, the worst access pattern has {} of its calls throttled instead of {}{}:",
            cure.run, percent(cure.after), percent(cure.before),
            "" if cure.cured else ", so it takes another design as well",
        )  # fmt: skip
        more = len(cure.remedies) - MOST_REMEDIES
        yield bullets([
            *(_remedy(one) for one in cure.remedies[:MOST_REMEDIES]),
            *([say("and {} more of the kind, in the stage's JSON file", number(more))] if more > 0 else []),
        ])  # fmt: skip


def _remedy(remedy: Remedy) -> Markup:
    name = code(remedy.structure)
    if remedy.kind == "shards":
        return say("{}: spread each partition key over {} suffixes; a Query then asks all of them", name,
                   number(remedy.amount))  # fmt: skip
    if remedy.kind == "cache":
        return say("{}: let a cache answer {} of the eventually consistent reads", name, percent(remedy.amount, 0))
    kind = "a warm throughput" if remedy.kind == "warm throughput" else "a provisioned capacity"
    return say("{}: {} of {} read and {} write units a second", name, kind, number(remedy.reads),
               number(remedy.writes))  # fmt: skip


def comparison_text(found: Comparison, weights: Weights) -> str:
    """A scenario and its alternatives side by side, as Markdown for a terminal or a file."""
    scenario = found.scenario
    head = paragraph(
        "{}: ×{} of the logs' traffic for {}, shape {}, seed {}. A simulation: new tables, expected numbers of calls, "
        "nobody tries again.", scenario.name, number(scenario.scale), plural(scenario.minutes, "minute"),
        scenario.shape, str(scenario.seed),
    )  # fmt: skip
    blocks = [heading(1, scenario.name), head, runs_table(found.runs, weights)]
    for run in found.runs:
        blocks.append(section(run.name, structures_table(run.structures[:MOST_ROWS])))
    blocks += [section("What cures it", *cures(found.cures))] if found.cures else []
    return page(*blocks)
