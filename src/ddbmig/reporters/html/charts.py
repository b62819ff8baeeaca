"""Charts as positions in percent of their width and height, so that they fit any screen while their texts stay text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from ddbmig.model.analysis import Analysis, CostPoint
from ddbmig.model.assessment import CoAccess
from ddbmig.model.design import Alternative, Cost
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.numbers import Figure, dollars
from ddbmig.reporters.markdown import money, number, percent, visible

PARTS = ("reads (RRU)", "writes (WRU)", "index writes", "transactions", "storage", "index storage")
HEAT = 12
"""Tables in the co-access matrix: more cells cannot be told apart on a phone."""


def _of(value: Decimal | float, whole: Decimal | float) -> float:
    """A position in percent, to a hundredth."""
    return round(float(value) / float(whole) * 100, 2) if whole else 0.0


# --- stacked bars ---


@dataclass(frozen=True)
class Segment:
    """One part of a bar."""

    part: int
    """Which of PARTS."""
    start: float
    width: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One alternative's month."""

    name: str
    chosen: bool
    total: Figure
    segments: tuple[Segment, ...]
    text: str
    """What the bar says, for whoever does not see it."""


def cost_bars(material: Material) -> tuple[Bar, ...]:
    """The alternatives' months, all on one scale."""
    design = material.design
    if design is None:
        return ()
    most = max(one.cost.total_usd for one in design.alternatives)
    return tuple(_bar(material, one, most) for one in design.alternatives)


def _bar(material: Material, one: Alternative, most: Decimal) -> Bar:
    segments, start = [], Decimal(0)
    for number_of, amount in enumerate(_parts(one.cost)):
        label = f"{PARTS[number_of]}: {money(amount)}"
        segments.append(Segment(number_of, _of(start, most), _of(amount, most), label))
        start += amount
    total = dollars(one.cost.total_usd, f"a month; {material.rates_source}")
    text = f"{visible(one.id)}: {total.shown} a month; {'; '.join(segment.label for segment in segments)}"
    chosen = material.chosen is not None and material.chosen.id == one.id
    return Bar(visible(one.id), chosen, total, tuple(part for part in segments if part.width > 0), text)


def _parts(cost: Cost) -> tuple[Decimal, ...]:
    return (cost.reads_usd, cost.writes_usd, cost.index_writes_usd, cost.transactions_usd, cost.storage_usd,
            cost.index_storage_usd)  # fmt: skip


# --- tornado ---


@dataclass(frozen=True)
class Gust:
    """One input of the tornado: where its bar begins and ends, and the texts at both ends."""

    input: str
    start: float
    width: float
    low: str
    high: str
    text: str


@dataclass(frozen=True)
class Tornado:
    """What moves the bill; `today` is the position of today's."""

    today: float
    today_usd: str
    gusts: tuple[Gust, ...]


def tornado(material: Material) -> Tornado | None:
    """The sensitivities, the widest first."""
    analysis, chosen = material.analysis, material.chosen
    if analysis is None or chosen is None or not analysis.sensitivities:
        return None
    today = chosen.cost.total_usd
    ends = [today, *(end for one in analysis.sensitivities for end in (one.low_usd, one.high_usd))]
    low, span = min(ends), (max(ends) - min(ends)) or Decimal(1)
    gusts = []
    for one in sorted(analysis.sensitivities, key=lambda one: -abs(one.high_usd - one.low_usd)):
        left, right = sorted((one.low_usd, one.high_usd))
        texts = f"{visible(one.low_label)}: {money(one.low_usd)}", f"{visible(one.high_label)}: {money(one.high_usd)}"
        gusts.append(Gust(visible(one.input), _of(left - low, span), max(0.4, _of(right - left, span)), *texts,
                          f"{visible(one.input)}; {'; '.join(texts)} a month"))  # fmt: skip
    return Tornado(_of(today - low, span), str(money(today)), tuple(gusts))


# --- growth ---


@dataclass(frozen=True)
class Point:
    """One month of the growth curve."""

    x: float
    y: float
    months: int
    total: Figure


@dataclass(frozen=True)
class Growth:
    """The bill over time."""

    points: tuple[Point, ...]
    curve: tuple[tuple[float, float, float, float], ...]
    """Pieces of the line as x1, y1, x2, y2."""
    text: str


def growth(material: Material) -> Growth | None:
    """The projections of stage 5 as points, joined by straight lines: nothing between them was computed."""
    analysis = material.analysis
    if analysis is None or not analysis.projections:
        return None
    points = tuple(_points(material, analysis.projections))
    curve = tuple((one.x, one.y, other.x, other.y) for one, other in pairwise(points))
    text = "; ".join(f"after {one.months} months {one.total.shown}" for one in points)
    return Growth(points, curve, f"US dollars a month: {text}")


def _points(material: Material, projections: Sequence[CostPoint]) -> Iterator[Point]:
    most = max(one.total_usd for one in projections)
    last = max(one.months for one in projections)
    for one in projections:
        total = dollars(one.total_usd, f"a month; {material.rates_source}")
        x = 18 + _of(one.months, last) * 0.7
        yield Point(round(x, 2), round(88 - _of(one.total_usd, most) * 0.66, 2), one.months, total)


def case_texts(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """The three cases of stage 5."""
    cases = (("best case", analysis.best_usd), ("expected", analysis.expected_usd), ("worst case", analysis.worst_usd))
    return tuple((label, str(money(amount))) for label, amount in cases)


# --- co-access ---


@dataclass(frozen=True)
class Heat:
    """One pair of tables: its shade from 0 to 9, its text and what it means."""

    shade: int
    shown: str
    about: str


@dataclass(frozen=True)
class HeatMap:
    """Joint shares of the heaviest tables; a row for each, with one cell for each table before it."""

    tables: tuple[str, ...]
    rows: tuple[tuple[Heat, ...], ...]


def heat_map(material: Material) -> HeatMap | None:
    """The tables that are read together most, and how much."""
    if material.assessment is None or not material.assessment.co_access:
        return None
    pairs = {frozenset((one.a, one.b)): one for one in material.assessment.co_access}
    joint: dict[str, int] = {}
    for one in material.assessment.co_access:
        for table in (one.a, one.b):
            joint[table] = joint.get(table, 0) + one.joint_calls
    tables = sorted(joint, key=lambda key: (-joint[key], key))[:HEAT]
    rows = tuple(tuple(_heat(pairs, a, b) for b in tables[:place]) for place, a in enumerate(tables))
    return HeatMap(tuple(map(visible, tables)), rows)


def _heat(pairs: Mapping[frozenset[str], CoAccess], a: str, b: str) -> Heat:
    found = pairs.get(frozenset((a, b)))
    if found is None or not found.joint_calls:
        return Heat(0, "", f"{visible(a)} and {visible(b)}: never read together")
    about = (
        f"{visible(a)} and {visible(b)}: {number(found.joint_calls)} of {number(found.either_calls)} calls that read "
        f"either read both ({percent(found.joint_share)}; measured)"
    )
    return Heat(min(9, 1 + int(found.joint_share * 9)), str(number(round(found.joint_share * 100))), about)
