"""What stage 4 tried on the design: two clients at once, the logs' mix once more, changes of the design."""

from dataclasses import dataclass

from ddbmig.model.consistency import Anomaly
from ddbmig.reporters.html.grids import Grid, grid, subject
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.numbers import Figure, count, name, names, word
from ddbmig.reporters.interleaved import KINDS, ranked
from ddbmig.reporters.markdown import number, visible

MOST_LANES = 6
"""Interleavings that are drawn; all of them are in the table."""
MOST_BARS = 12
"""Access patterns of the replay that are drawn; all of them are in the table."""


@dataclass(frozen=True)
class Lanes:
    """One interleaving: who calls what, one call after the other."""

    title: str
    who: tuple[str, str]
    """What client A runs, and client B; the second is empty where only A calls."""
    calls: tuple[tuple[str, str], ...]
    """In order; each is A's or B's, the other is empty."""


@dataclass(frozen=True)
class Pair:
    """Two bars on one scale, in percent of their width: what was measured and what was planned."""

    label: str
    measured: float
    planned: float
    value: Figure
    text: str
    """What the bars say, for whoever does not see them."""


@dataclass(frozen=True)
class Trials:
    """The pictures, and what is said of them."""

    lanes: tuple[Lanes, ...]
    not_drawn: int
    replayed: str
    pairs: tuple[Pair, ...]


def trials(material: Material) -> Trials | None:
    """The pictures of stage 4's trials; None where none was made."""
    found = material.validation
    if found is None or (found.consistency is None and found.replay is None and found.evolution is None):
        return None
    anomalies = ranked(found.consistency, material.weights)
    drawn = [one for one in anomalies if len({call[0] for call in one.schedule}) > 1 or one.kind == "repeat"]
    lanes = tuple(_lanes(material, one) for one in drawn[:MOST_LANES])
    return Trials(lanes, len(anomalies) - len(lanes), _replayed(material), _pairs(material))


def _lanes(material: Material, one: Anomaly) -> Lanes:
    shown = subject(material)
    calls = tuple((visible(call[3:]), "") if call.startswith("A") else ("", visible(call[3:])) for call in one.schedule)
    others = one.other or (one.pattern if any(b for _, b in calls) else "")
    title = KINDS[one.kind]
    return Lanes(title[0].upper() + title[1:], (shown(one.pattern).shown, shown(others).shown if others else ""), calls)


def _replayed(material: Material) -> str:
    found = material.validation.replay if material.validation else None
    if found is None:
        return ""
    return (f"{number(found.statements)} statements in the proportions of the logs, one after the other; "
            f"{number(sum(found.refused.values()))} were refused. Seed {found.seed} repeats them.")  # fmt: skip


def _pairs(material: Material) -> tuple[Pair, ...]:
    """Units of a run of each access pattern, those with the most runs first."""
    found = material.validation.replay if material.validation else None
    drawn = sorted(found.patterns, key=lambda one: (-one.runs, one.pattern))[:MOST_BARS] if found else []
    units = [(p.read_units + p.write_units, p.planned_read_units + p.planned_write_units) for p in drawn]
    most = max((max(pair) for pair in units), default=0.0) or 1.0
    shown, pairs = subject(material), []
    for one, (measured, planned) in zip(drawn, units, strict=True):
        label = shown(one.pattern).shown
        text = f"{label}: {number(measured)} units a run measured, {number(planned)} planned"
        value = count(measured, "RRU and WRU of a run, on the items that it touched; measured")
        bars = round(measured / most * 100, 2), round(planned / most * 100, 2)
        pairs.append(Pair(label, *bars, value, text))
    return tuple(pairs)


# --- the tables behind the pictures ---


def interleaving_grid(material: Material) -> Grid:
    """Every interleaving that was found."""
    shown = subject(material)
    rows = [
        (word(KINDS[one.kind]), shown(one.pattern), _other(material, one),
         names(one.tables), names(one.schedule))
        for one in ranked(material.validation.consistency, material.weights)
    ] if material.validation else []  # fmt: skip
    return grid("interleaving-table", "What two clients at once can leave",
                "what, access pattern, other client, items, calls in their order", rows)  # fmt: skip


def _other(material: Material, one: Anomaly) -> Figure:
    """What client B runs."""
    if one.other:
        return subject(material)(one.other)
    return word("the same" if any(call.startswith("B") for call in one.schedule) else "–")


def stale_grid(material: Material) -> Grid:
    """Reads that may miss the write before them."""
    found, shown = material.validation.consistency if material.validation else None, subject(material)
    rows = [
        (shown(one.read), shown(one.write), name(one.through),
         count(one.calls, "times on one connection within a second, or in one transaction; measured"))
        for one in found.stale
    ] if found else []  # fmt: skip
    return grid("stale-table", "Reads that may miss the write before them", "read, write, through, #together", rows)


def replay_grid(material: Material) -> Grid:
    """Every access pattern of the replay."""
    found, shown = material.validation.replay if material.validation else None, subject(material)
    planned = "as the bill takes it; computed"
    rows = [
        (shown(one.pattern), count(one.runs, "statements drawn; measured"),
         count(one.trips[0], "sequential round trips at the median; measured"),
         count(one.trips[1], "sequential round trips at the 99th percentile; measured"),
         count(one.planned_trips, f"round trips {planned}"),
         count(one.read_units, "RRU of a run; measured"), count(one.planned_read_units, f"RRU {planned}"),
         count(one.write_units, "WRU of a run; measured"), count(one.planned_write_units, f"WRU {planned}"))
        for one in sorted(found.patterns, key=lambda one: (-one.runs, one.pattern))
    ] if found else []  # fmt: skip
    columns = "access pattern, #runs, #trips, #p99, #planned trips, #RRU, #planned RRU, #WRU, #planned WRU"
    return grid("replay-table", "The logs' mix once more", columns, rows)


def change_grid(material: Material) -> Grid:
    """Every change of the design that was tried and taken back."""
    found = material.validation.evolution if material.validation else None
    rows = [
        (word(one.kind), name(one.table), name(one.subject),
         word("as before" if not one.wrong else f"differs: {'; '.join(one.wrong)}"),
         count(one.compared, "answers and items compared; measured"),
         count(one.items, "items rewritten, of those loaded; measured"),
         count(one.write_units, "WRU for the design's number of items; computed", 0), word(one.rollback))
        for one in found.changes
    ] if found else []  # fmt: skip
    columns = "change, table, what, answers, #compared, #items, #WRU, way back"
    return grid("change-table", "Changes of the design, made and taken back", columns, rows)
