"""Partition heat over time: for each run of stage 4's simulation the tables and GSIs that are asked for most."""

from dataclasses import dataclass

from ddbmig.model.simulation import Run, Simulation, StructureLoad
from ddbmig.reporters.html.grids import Grid, grid, subject
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.numbers import Figure, count, name, share, word
from ddbmig.reporters.markdown import number, percent, visible
from ddbmig.reporters.simulated import HOT

MOST = 6
"""Strips of one run; all of them are in the table."""
LIMIT = "of what one partition serves (3,000 read or 1,000 write units a second)"
THIN, GAP = 7.0, 0.7
"""In percent: the height of the lowest bar, so that a little is told from nothing; the room between two."""


@dataclass(frozen=True)
class Bar:
    """Some minutes of a strip, in percent of its width and height."""

    start: float
    width: float
    height: float
    over: bool
    """Whether more is asked for than the partition serves."""
    label: str


@dataclass(frozen=True)
class Strip:
    """The hottest partition of one table or GSI over time."""

    structure: str
    bars: tuple[Bar, ...]
    hottest: Figure
    text: str
    """What the strip says, for whoever does not see it."""


@dataclass(frozen=True)
class RunPicture:
    """One run: what came of its calls, and its hottest tables and GSIs."""

    name: str
    said: str
    strips: tuple[Strip, ...]
    more: int
    """Tables and GSIs that are not drawn."""


@dataclass(frozen=True)
class Load:
    """All runs, or why there are none."""

    runs: tuple[RunPicture, ...]
    minutes: int
    about: str


def partition_heat(material: Material) -> Load | None:
    """The runs of stage 4's simulation; None where stage 4 was not run."""
    if material.validation is None:
        return None
    found = material.validation.simulation
    if found is None or not any(run.structures for run in all_runs(found)):
        why = [check.evidence for check in material.validation.checks if check.name == HOT]
        return Load((), 0, f"Stage 4 has no simulation to show{': ' + visible(why[0]) if why else ''}.")
    about = (
        f"Simulated, no emulator throttles: {found.minutes} minutes of the logs' traffic on new {found.mode} tables, "
        "the average rate, and for the middle third each access pattern at its busiest second. Keys lie by seed "
        f"{found.seed}; nobody tries again."
    )
    return Load(tuple(_picture(run, found) for run in all_runs(found)), found.minutes, about)


def all_runs(found: Simulation) -> tuple[Run, ...]:
    """Each scale without and with a key that everybody asks for, then what strains the GSIs."""
    by_scale = sorted(found.runs, key=lambda run: (run.scale, run.celebrity))
    return (*by_scale, *found.index_runs)


def _picture(run: Run, found: Simulation) -> RunPicture:
    throttled = percent(run.share) if run.throttled else "none"
    said = f"{throttled} of {number(round(run.offered))} calls throttled"
    strips = tuple(_strip(one, found) for one in run.structures[:MOST])
    return RunPicture(visible(run.name), said, strips, len(run.structures) - len(strips))


def _strip(one: StructureLoad, found: Simulation) -> Strip:
    width = 100 / len(one.heat) if one.heat else 0.0
    bars = tuple(
        Bar(round(place * width, 2), round(width - GAP, 2), round(max(THIN, min(1.0, heat) * 100), 2) if heat else 0.0,
            heat > 1, f"{_minutes(place, len(one.heat), found.minutes)}: {percent(heat, 0)}")
        for place, heat in enumerate(one.heat)
    )  # fmt: skip
    shown = visible(one.structure)
    text = f"{shown}: percent {LIMIT} asked of its hottest partition; {'; '.join(bar.label for bar in bars)}"
    return Strip(shown, bars, hottest(one), text)


def _minutes(place: int, points: int, minutes: int) -> str:
    step = -(-minutes // points)
    first, last = place * step + 1, min(minutes, (place + 1) * step)
    return f"minute {first}" if first == last else f"minutes {first} to {last}"


def hottest(one: StructureLoad) -> Figure:
    """The highest heat of a table or GSI."""
    return share(one.hottest, f"percent {LIMIT}, asked of the hottest one; simulated", 0)


# --- the tables behind the pictures ---


def heat_grid(material: Material) -> Grid:
    """Every table and GSI of every run."""
    found, units = _simulation(material), "units a second asked for at the busiest second; simulated"
    rows = [
        (name(one.structure), word(run.name), count(one.partitions, "partitions at the start; simulated"),
         count(one.partitions_after, "partitions at the end; simulated"), count(one.reads, f"read {units}"),
         count(one.writes, f"write {units}"), count(one.throttled, "calls refused because of it; simulated", 0),
         hottest(one), Figure(" ".join(str(number(heat * 100, 0)) for heat in one.heat), one.hottest))
        for run in all_runs(found) for one in run.structures
    ] if found else []  # fmt: skip
    columns = ("table or GSI, run, #partitions, #at the end, #RRU/s, #WRU/s, #calls refused, #hottest partition, "
               "percent over time")  # fmt: skip
    return grid("heat-table", "Every table and GSI of every run", columns, rows)


def throttled_grid(material: Material) -> Grid:
    """The access patterns of which calls were throttled, run by run."""
    found, shown = _simulation(material), subject(material)
    rows = [
        (shown(one.pattern), word(run.name), count(one.offered, "calls in the run; simulated", 0),
         share(one.share, "of its calls throttled; simulated"),
         word("; ".join(f"{cause.structure}: {cause.reason}" for cause in one.causes)))
        for run in all_runs(found) for one in run.patterns
    ] if found else []  # fmt: skip
    return grid("throttled-table", "Access patterns that are throttled",
                "access pattern, run, #calls, #throttled, refused by", rows)  # fmt: skip


def _simulation(material: Material) -> Simulation | None:
    return material.validation.simulation if material.validation else None
