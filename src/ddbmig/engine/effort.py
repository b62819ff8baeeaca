"""What a design asks of the people who build and run it: complexity in counts, indirect costs in person-days.

The days and points per thing below are our estimates, not measurements. They stand in one place, and every effort and
score shows its formula, so that a team can put in its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddbmig.engine.whatif import write_calls
from ddbmig.model.analysis import Effort, Metric
from ddbmig.model.comparison import Score
from ddbmig.model.contract import Encoding
from ddbmig.model.design import Alternative
from ddbmig.model.plan import Plan, Transaction

ONE_CALL = (0.25, 0.5)
"""Write, review and unit-test one pattern that is one call: a repository method."""
SEVERAL_CALLS = (0.5, 1.5)
"""The same, plus assembling rows on the client and deciding what happens when they changed in between."""
COORDINATED = (1.0, 2.5)
"""Transactions and copy updates need retries, idempotency and a test of every way they can fail half-way."""
ROUTED = (1.0, 5.0)
"""Another system answers: from a query that is simply kept on MySQL to a new search or analytics path."""
PER_COPY = (0.5, 2.0)
"""A year: finding out once why a copy differs from its source, and repairing the items."""
PER_COMPOSED_KEY = (0.25, 0.5)
"""A year: a console or log reader that takes the key apart, and one mistake in composing it."""
PER_TABLE = (0.5, 1.5)
"""Load job, comparison and cut-over of one table, following the contract."""
PER_TRANSFORMED_COLUMN = (0.1, 0.25)
"""A type that DynamoDB lacks: read and write code on both sides, and its edge cases."""
PER_WRITE_PATTERN = (0.25, 0.75)
"""Writing to both databases during the migration, and reconciling what only one of them took."""
WATCH_TABLE = (0.1, 0.25)
"""Alarms on throttling, latency and errors, and a dashboard line; set up once."""
WATCH_INDEX = (0.05, 0.15)
"""An index throttles on its own and then takes its table with it: alarms of its own."""

POINTS: Mapping[str, tuple[str, float]] = {
    "tables": ("tables", 1.0),
    "lookups": ("look-up tables", 1.0),
    "indexes": ("GSIs", 1.0),
    "copies": ("copied attributes", 3.0),
    "composed": ("composed keys", 0.5),
    "coordinated": ("coordinated patterns", 1.0),
    "scans": ("patterns that scan", 2.0),
    "routed": ("routed patterns", 2.0),
}
"""The operational score in points by count: a table or GSI to watch is 1; a copy can be wrong and must be repaired, a
composed key must be taken apart; a transaction or an update of copies can fail half-way; a Scan grows with its table
and must be moved away one day; a routed pattern needs another system."""
PER_AMPLIFICATION = 2.0
"""Points for each time more that is written than the rows themselves: there is more to throttle and to pay."""

AS_IS: frozenset[Encoding] = frozenset({"string", "integer", "decimal", "float", "binary"})
"""Encodings that keep the value in a type of DynamoDB's own."""


@dataclass(frozen=True)
class Counts:
    """How many of everything a design has."""

    tables: int
    lookups: int
    indexes: int
    indexes_of_one: int
    copies: int
    composed: int
    transformed: int
    patterns: int
    one_call: int
    several_calls: int
    coordinated: int
    copy_updates: int
    routed: int
    scans: int
    writing: int


def count(alternative: Alternative) -> Counts:
    """The counts of an alternative. Every pattern is counted once as one call, several, coordinated or routed."""
    entities = [t for t in alternative.tables if t.role == "entity"]
    attributes = [a for t in entities for a in t.attributes.values()]
    own = [a for a in attributes if not a.denormalized and a.template is None]
    planned = [plan for plan in alternative.plans if not plan.routed]
    coordinated = [plan for plan in planned if is_coordinated(plan)]
    simple = [plan for plan in planned if not is_coordinated(plan)]
    return Counts(
        tables=len(entities),
        lookups=len(alternative.tables) - len(entities),
        indexes=sum(len(t.indexes) for t in alternative.tables),
        indexes_of_one=max((len(t.indexes) for t in alternative.tables), default=0),
        copies=sum(1 for a in attributes if a.denormalized),
        composed=sum(1 for t in alternative.tables for a in t.attributes.values() if a.template is not None),
        transformed=sum(1 for a in own if a.encoding is not None and a.encoding not in AS_IS),
        patterns=len(alternative.plans),
        one_call=sum(1 for plan in simple if plan.round_trips <= 1),
        several_calls=sum(1 for plan in simple if plan.round_trips > 1),
        coordinated=len(coordinated),
        copy_updates=sum(1 for plan in planned if updates_copies(plan)),
        routed=len(alternative.plans) - len(planned),
        scans=sum(1 for plan in planned if plan.scans),
        writing=sum(1 for plan in planned if write_calls(plan)),
    )


def is_coordinated(plan: Plan) -> bool:
    """Whether several items must change together: a transaction, or copies that follow their source."""
    return any(isinstance(step, Transaction) for step in plan.steps) or updates_copies(plan)


def updates_copies(plan: Plan) -> bool:
    """Whether the plan carries a changed column to its copies."""
    return any(write.purpose.startswith("copy of ") for write in write_calls(plan))


def metrics(alternative: Alternative) -> tuple[Metric, ...]:
    """The operational complexity of an alternative, each figure with its meaning."""
    n = count(alternative)
    figures: Iterable[tuple[str, float, str, str]] = (
        ("Tables", n.tables, "tables", "DynamoDB tables that hold rows: each is created, secured, backed up, watched"),
        ("Look-up tables", n.lookups, "tables", "tables that only keep a unique key unique"),
        ("GSIs", n.indexes, "GSIs", "each takes part in writes and can throttle its table"),
        ("Most GSIs on one table", n.indexes_of_one, "GSIs", "20 is the default quota"),
        ("Copied attributes", n.copies, "attributes", "values kept twice: each can differ from its source"),
        ("Composed keys", n.composed, "attributes", "keys that must be put together to ask and taken apart to read"),
        ("Transformed columns", n.transformed, "columns", "columns of types that DynamoDB lacks, encoded on the way"),
        ("Patterns of one call", n.one_call, "patterns", "one request, no coordination"),
        ("Patterns of several calls", n.several_calls, "patterns", "calls one after the other, joined by the client"),
        ("Coordinated patterns", n.coordinated, "patterns", "transactions, or copies that follow their source"),
        ("Patterns that update copies", n.copy_updates, "patterns", "a change of one row is carried to many items"),
        ("Patterns that scan", n.scans, "patterns", "a whole small table is read: the cost grows with the table"),
        ("Routed patterns", n.routed, "patterns", "not answered by DynamoDB: another system must"),
        ("Round trips", alternative.round_trips_average, "calls", "sequential calls per execution, weighted by rate"),
        ("Write amplification", alternative.write_amplification, "×", "write units ÷ those of writing each row once"),
        ("Debugging complexity", n.copies + n.composed + n.lookups, "places",
         "copies, composed keys and look-ups: where a wrong value has its cause elsewhere"),
    )  # fmt: skip
    return tuple(Metric(name=name, value=value, unit=unit, meaning=meaning) for name, value, unit, meaning in figures)


def operational_score(alternative: Alternative) -> Score:
    """What there is to look after in an alternative, in points: the fewer, the easier to run."""
    n, above = count(alternative), max(0.0, alternative.write_amplification - 1)
    parts = [(float(getattr(n, name)), what, points) for name, (what, points) in POINTS.items()]
    parts = [part for part in parts if part[0]]
    points = sum(number * each for number, _, each in parts) + above * PER_AMPLIFICATION
    terms = [f"{number:g} {what} × {each:g}" for number, what, each in parts]
    terms += [f"write amplification above 1 of {above:.3g} × {PER_AMPLIFICATION:g}"] if above else []
    return Score(points=round(points, 2), formula=" + ".join(terms) or "nothing to look after")


def efforts(alternative: Alternative) -> tuple[Effort, ...]:
    """The indirect costs of an alternative in person-days, each with the formula that gives it."""
    n = count(alternative)
    return (
        _effort("Development", (n.one_call, "patterns of one call", ONE_CALL),
                (n.several_calls, "patterns of several calls", SEVERAL_CALLS),
                (n.coordinated, "coordinated patterns", COORDINATED), (n.routed, "routed patterns", ROUTED)),
        _effort("Debugging, a year", (n.copies, "copied attributes", PER_COPY),
                (n.composed, "composed keys", PER_COMPOSED_KEY)),
        _effort("Schema and data migration", (n.tables + n.lookups, "tables", PER_TABLE),
                (n.transformed, "transformed columns", PER_TRANSFORMED_COLUMN)),
        _effort("Dual writes and reconciliation", (n.writing, "patterns that write", PER_WRITE_PATTERN)),
        _effort("Monitoring", (n.tables + n.lookups, "tables", WATCH_TABLE), (n.indexes, "GSIs", WATCH_INDEX)),
    )  # fmt: skip


def _effort(name: str, *parts: tuple[int, str, tuple[float, float]]) -> Effort:
    return Effort(
        name=name,
        low_days=round(sum(number * low for number, _, (low, _) in parts), 2),
        high_days=round(sum(number * high for number, _, (_, high) in parts), 2),
        formula=" + ".join(f"{number} {what} × {low:g}–{high:g} days" for number, what, (low, high) in parts)
        + " (days per thing assumed)",
    )
