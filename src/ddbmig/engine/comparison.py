"""The figures of the alternatives' comparison that no bill has: sizes, round trips, hot partitions, upkeep.

What nobody measured is counted as such and never taken for zero.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ddbmig.engine.costs import Units, load_of, units_of, writes_of
from ddbmig.engine.effort import operational_score
from ddbmig.engine.evidence import Evidence
from ddbmig.engine.growth import MONTHS, Growth, growth_of
from ddbmig.engine.review import partition_columns, top_item_share
from ddbmig.engine.sizes import Sizes
from ddbmig.engine.skew import top_share
from ddbmig.model.assessment import Assessment
from ddbmig.model.comparison import (
    PARTITION_READS,
    PARTITION_WRITES,
    Comparison,
    Comparisons,
    HotPartition,
    ItemsAt,
    ItemSizes,
    RoundTrips,
)
from ddbmig.model.design import Alternative, IndexDesign, TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan, ReadCall
from ddbmig.model.snapshot import Snapshot


def compare(snapshot: Snapshot, assessment: Assessment, alternatives: Iterable[Alternative]) -> Comparisons:
    """The figures of each alternative. Raises UsageError for a declared growth that no projection can use."""
    growth = growth_of(snapshot.context)
    sizes, skew = Sizes(snapshot.tables, snapshot.statistics), _Skew(snapshot, assessment)
    return Comparisons(
        growth_percent_per_month=growth.percent,
        growth_source=growth.source,
        of={one.id: _comparison(one, sizes, growth, skew) for one in alternatives},
    )


def _comparison(one: Alternative, sizes: Sizes, growth: Growth, skew: "_Skew") -> Comparison:
    entities = [table for table in one.tables if table.role == "entity"]
    partitions = [skew.partition(one, *structure, units, sizes) for structure, units in skew.units(one)]
    return Comparison(
        items=tuple(_items(entities, growth, months) for months in MONTHS),
        sizes=_sizes(entities, sizes),
        round_trips=_round_trips(one.plans),
        hottest=max((p for p in partitions if p), key=lambda p: (p.load, p.share, p.structure), default=None),
        shares_not_measured=partitions.count(None),
        operational=operational_score(one),
    )


# --- items ---


def _items(entities: Iterable[TableDesign], growth: Growth, months: int) -> ItemsAt:
    factor = growth.after(months)
    counted = [(table.items * factor, table.item_bytes) for table in entities]
    return ItemsAt(months=months, items=sum(n for n, _ in counted), bytes=sum(n * size for n, size in counted))


def _sizes(entities: Sequence[TableDesign], sizes: Sizes) -> ItemSizes:
    items = sum(table.items for table in entities)
    longest = {table.name: sizes.longest_item(table.source_table, table.attributes) for table in entities}
    measured = {name: size for name, size in longest.items() if size is not None}
    largest = max(measured, key=lambda name: (measured[name], name), default=None)
    return ItemSizes(
        source="measured" if all(sizes.are_measured(table.source_table) for table in entities) else "assumed",
        average=sum(table.items * table.item_bytes for table in entities) / items if items else None,
        p99_at_most=measured[largest] if largest is not None else None,
        largest_in=largest,
        not_measured=len(longest) - len(measured),
    )


# --- round trips ---


def _round_trips(plans: Iterable[Plan]) -> RoundTrips:
    trips = {plan.pattern: plan.round_trips for plan in plans if not plan.routed}
    worst = min(trips, key=lambda pattern: (-trips[pattern], pattern), default=None)
    return RoundTrips(
        one=sum(n <= 1 for n in trips.values()),
        two=sum(n == 2 for n in trips.values()),
        more=sum(n > 2 for n in trips.values()),
        worst=trips[worst] if worst is not None else 0,
        worst_pattern=worst,
    )


# --- hot partitions ---


@dataclass(frozen=True)
class _Share:
    share: float
    of_requests: bool


class _Skew:
    """How unevenly the partition values of tables and GSIs are asked for and held."""

    def __init__(self, snapshot: Snapshot, assessment: Assessment) -> None:
        self.evidence = Evidence(snapshot=snapshot, rates=assessment.rates, pattern_rates=assessment.patterns)
        self.patterns = {pattern.id: pattern for pattern in snapshot.patterns}
        self.peak = load_of(assessment.patterns).peak_per_second

    def units(self, one: Alternative) -> Iterator[tuple[tuple[TableDesign, IndexDesign | None], Units]]:
        """Every table and GSI with the units that it takes in a second at the peak."""
        tables = {table.name: table for table in one.tables}
        for (name, index), units in units_of(one.tables, one.plans, self.peak).items():
            table = tables[name]
            yield (table, table.index(index) if index is not None else None), units

    def partition(
        self, one: Alternative, table: TableDesign, index: IndexDesign | None, units: Units, sizes: Sizes
    ) -> HotPartition | None:
        """What the most frequent partition value takes; None where nobody measured its share."""
        partition = index.partition if index else (table.pk,)
        shares = (self._of_requests(one, table, index, partition), self._of_items(table, partition, sizes))
        top = max((share for share in shares if share), key=lambda share: share.share, default=None)
        if top is None:
            return None
        reads, writes = top.share * units.reads, top.share * units.writes
        return HotPartition(
            structure=f"{table.name}/{index.name}" if index else table.name,
            share=top.share,
            of="requests" if top.of_requests else "items",
            peak_reads=reads,
            peak_writes=writes,
            load=reads / PARTITION_READS + writes / PARTITION_WRITES,
        )

    def _of_requests(
        self, one: Alternative, table: TableDesign, index: IndexDesign | None, partition: tuple[str, ...]
    ) -> _Share | None:
        """The share of the calls that the logs tell of."""
        columns = partition_columns(table, partition)
        found = top_share(self.evidence, self._using(one.plans, table, index), [(table.source_table, columns)])
        return _Share(found.share, of_requests=True) if found else None

    def _using(self, plans: Iterable[Plan], table: TableDesign, index: IndexDesign | None) -> Iterator[AccessPattern]:
        name = index.name if index else None
        return (self.patterns[plan.pattern] for plan in plans if _uses(plan, table.name, name))

    def _of_items(self, table: TableDesign, partition: tuple[str, ...], sizes: Sizes) -> _Share | None:
        """The share of the rows: one of all where no two rows have the same value."""
        counted, columns = self.evidence.statistics(table.source_table), partition_columns(table, partition)
        digest = any(table.attributes[name].encoding == "row_digest" for name in partition)
        if digest or (columns and sizes.are_unique(table.source_table, columns)):
            rows = counted.rows if counted else None
            return _Share(1 / rows.value, False) if rows and rows.source == "measured" and rows.value >= 1 else None
        share = top_item_share(table, columns, sizes)
        return _Share(share, of_requests=False) if share is not None else None


def _uses(plan: Plan, table: str, index: str | None) -> bool:
    """Whether a plan reads or writes a table, or one of its GSIs."""
    reads = any(isinstance(step, ReadCall) and (step.table, step.index) == (table, index) for step in plan.steps)
    writes = (write for step in plan.steps for write in writes_of(step) if write.table == table)
    return reads or any(index is None or index in write.estimate.index_units for write in writes)
