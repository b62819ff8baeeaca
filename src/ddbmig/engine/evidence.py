"""What the facts are computed from, and the sheet that they are written on.

Every fact knows whether it was measured, declared or assumed, from what, and how sure it is. What cannot be known is
missing (value None), never zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ddbmig.engine.coaccess import ReadUnit, read_units, table_written, tables_queried
from ddbmig.engine.facts import BY_PHASE
from ddbmig.model.assessment import (
    CoAccess,
    Confidence,
    Fact,
    FactValue,
    ManyToMany,
    PatternRate,
    Phase,
    Rates,
    Relationship,
    TransactionMap,
)
from ddbmig.model.digest import TemplateDigest
from ddbmig.model.measure import Measure, Source
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import TableStatistics

FEW = 30
"""A share of fewer observations is off by up to nine percentage points (standard error 0.5/√n)."""
SOME = 300
"""A share of fewer observations is off by up to three percentage points."""

Facts = dict[str, Fact]


@dataclass(frozen=True)
class Evidence:
    """The snapshot and what was derived from it, looked up by name."""

    snapshot: Snapshot
    rates: Rates
    pattern_rates: tuple[PatternRate, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    many_to_many: tuple[ManyToMany, ...] = ()
    co_access: tuple[CoAccess, ...] = ()
    transactions: tuple[TransactionMap, ...] = ()

    @cached_property
    def by_template(self) -> Mapping[str, AccessPattern]:
        """By template id."""
        return {pattern.template: pattern for pattern in self.snapshot.patterns}

    @cached_property
    def templates(self) -> Mapping[str, TemplateDigest]:
        """By template id."""
        return {template.id: template for template in self.snapshot.digest.templates}

    @cached_property
    def rate_of(self) -> Mapping[str, PatternRate]:
        """By pattern id."""
        return {rate.pattern: rate for rate in self.pattern_rates}

    @cached_property
    def pairs(self) -> Mapping[frozenset[str], CoAccess]:
        """By the two tables."""
        return {frozenset((pair.a, pair.b)): pair for pair in self.co_access}

    @cached_property
    def touching(self) -> Mapping[str, tuple[AccessPattern, ...]]:
        """The access patterns that use a table, by table id."""
        found: dict[str, list[AccessPattern]] = {}
        for pattern in self.snapshot.patterns:
            for table in sorted({ref.table for ref in pattern.refs}):
                found.setdefault(table, []).append(pattern)
        return {table: tuple(patterns) for table, patterns in found.items()}

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """By table id."""
        return {table.id: table for table in self.snapshot.tables.tables}

    @cached_property
    def read_units(self) -> tuple[ReadUnit, ...]:
        """What counts as one call where tables are read together."""
        return tuple(read_units(self.snapshot))

    @cached_property
    def units_reading(self) -> Mapping[str, int]:
        """How many of those calls read a table, by table id."""
        found: dict[str, int] = {}
        for unit in self.read_units:
            for table in unit.tables:
                found[table] = found.get(table, 0) + unit.count
        return found

    @cached_property
    def calls_in_transactions(self) -> Mapping[str, int]:
        """Calls inside of transactions, by template id."""
        found: dict[str, int] = {}
        for unit in self.snapshot.digest.units:
            for template, calls in unit.calls.items() if unit.kind == "transaction" else ():
                found[template] = found.get(template, 0) + calls
        return found

    @cached_property
    def knows_order(self) -> bool:
        """Whether a log tells which statements followed each other, and so of transactions, N+1 runs and neighbours."""
        return any(source.kind in ("general", "slow") for source in self.snapshot.digest.sources)

    @cached_property
    def logged_calls(self) -> int:
        """Calls of all statements that may be access patterns."""
        return sum(template.calls for template in self.snapshot.digest.templates)

    @cached_property
    def minutes_of_log(self) -> int:
        """From the first to the last minute of the logs, both counted."""
        seen = [int(minute) for template in self.snapshot.digest.templates for minute in template.minutes]
        return max(seen) - min(seen) + 1 if seen else 0

    @cached_property
    def schema_changes(self) -> int | None:
        """Schema changes in the logs, of whatever table: the digest keeps no more. None where no log tells."""
        logs = [source for source in self.snapshot.digest.sources if source.kind in ("general", "slow")]
        told = [source for source in logs if source.kind == "general"] or logs
        return sum(source.skipped.get("schema change", 0) for source in told) if told else None

    def statistics(self, table: str) -> TableStatistics | None:
        """The numbers of a table's data, where there are any."""
        return self.snapshot.statistics.get(table)

    def using(self, *tables: str) -> tuple[AccessPattern, ...]:
        """The access patterns that use any of these tables, by id."""
        found = {pattern.id: pattern for table in tables for pattern in self.touching.get(table, ())}
        return tuple(found[key] for key in sorted(found))

    def reading(self, *tables: str) -> tuple[AccessPattern, ...]:
        """The access patterns that ask for rows of any of these tables, in the sense of co-access."""
        return tuple(pattern for pattern in self.using(*tables) if set(tables) & tables_queried(pattern))

    def writing(self, table: str) -> tuple[AccessPattern, ...]:
        """The access patterns that write this table."""
        return tuple(pattern for pattern in self.using(table) if table_written(pattern) == table)

    def calls(self, patterns: Iterable[AccessPattern]) -> int:
        """Logged calls."""
        return sum(self.rate_of[pattern.id].calls for pattern in patterns if pattern.id in self.rate_of)

    def per_day(self, calls: float) -> float:
        """Logged calls as calls a day."""
        return calls * self.rates.factor / (self.snapshot.pricing.month_hours / 24)

    def knows_peak(self, pattern: AccessPattern) -> bool:
        """Whether the logs tell the pattern's busiest second; its peak is its average otherwise."""
        template = self.templates.get(pattern.template)
        return template is not None and template.peak_second_calls > 0


class Sheet:
    """Collects facts under the names of one phase; the unit comes from the catalogue."""

    def __init__(self, phase: Phase, evidence: Evidence) -> None:
        self._phase, self._evidence = phase, evidence
        self.facts: Facts = {}

    def put(
        self, name: str, value: FactValue | None, origin: str, source: Source = "measured", *,
        observed: int | None = None, estimated: bool = False,
    ) -> None:  # fmt: skip
        """Write down one fact. `observed` and `estimated` as in `confidence`."""
        sure = confidence(value, source, observed, estimated)
        self._write(name, value, origin, source, sure)

    def share(self, name: str, part: float, whole: int) -> None:
        """`part ÷ whole` of the logs' calls; missing where there is no whole."""
        self.put(name, ratio(part, whole), "query logs", observed=whole)

    def measure(self, name: str, measure: Measure | None) -> None:
        """A number of the statistics, as sure as it is there."""
        if measure:
            self.put(name, measure.value, measure.origin, measure.source)
        else:
            self.put(name, None, "no statistics")

    def rate(self, name: str, per_day: float | None, *, assumed: bool = False) -> None:
        """A number a day, scaled from the whole of the logs by what they stand for; `assumed` where a size in it is."""
        rates = self._evidence.rates
        scaled: Source = "assumed" if assumed else rates.source
        sure = confidence(
            per_day, "assumed" if assumed else "measured", self._evidence.logged_calls, rates.source == "assumed"
        )
        self._write(name, per_day, f"query logs, standing for: {rates.represents}", scaled, sure)

    def declared(self, name: str, value: FactValue | None) -> None:
        """What a person has said in the context."""
        self.put(name, value, "context in ddbmig.yaml" if value is not None else "not declared", "declared")

    def number(self, name: str) -> float | None:
        """A number that stands on the sheet already."""
        value = self.facts[name].value
        return float(value) if isinstance(value, int | float) else None

    def done(self) -> Facts:
        """The facts by name."""
        return dict(sorted(self.facts.items()))

    def _write(self, name: str, value: FactValue | None, origin: str, source: Source, sure: Confidence) -> None:
        unit = BY_PHASE[self._phase][name].unit
        self.facts[name] = Fact(value=value, unit=unit, source=source, origin=origin, confidence=sure)


def means(name: str, table: str) -> bool:
    """Whether a person's table name, with or without its schema, means this table id."""
    return name in (table, _bare(table))


def said_of(declared: Mapping[str, str], table: str) -> str | None:
    """What a person has declared of a table, under its id or else under its name without the schema."""
    return declared.get(table, declared.get(_bare(table)))


def _bare(table: str) -> str:
    return table.rpartition(".")[2]


def confidence(
    value: FactValue | None, source: Source, observed: int | None = None, estimated: bool = False
) -> Confidence:
    """How sure a fact is.

    low: missing, assumed by default, or a share of fewer than FEW observations. medium: a share of fewer than SOME
    observations, or `estimated` (from a thinned sample, scaled by an assumed rate, known as a bound only). high:
    counted in full, or declared by a person. `observed` is None for what is no share.
    """
    if value is None or source == "assumed" or (observed is not None and observed < FEW):
        return "low"
    return "medium" if estimated or (observed is not None and observed < SOME) else "high"


def ratio(part: float, whole: float) -> float | None:
    """`part ÷ whole`, or missing."""
    return part / whole if whole else None
