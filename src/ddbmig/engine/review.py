"""The rules that look at a finished design: facts of an alternative and of its indexes, and what they find."""

import re
from collections.abc import Iterable, Mapping

from ddbmig.engine.costs import base_writes
from ddbmig.engine.effort import count
from ddbmig.engine.evidence import ratio
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import find
from ddbmig.engine.sizes import Sizes
from ddbmig.model.assessment import Assessment, FactValue, Finding
from ddbmig.model.consistency import Consistency, Kind
from ddbmig.model.design import Alternative, IndexDesign, TableDesign
from ddbmig.model.simulation import Simulation
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import TableStatistics
from ddbmig.model.validation import Validation

_GENERIC = re.compile(r"(gsi|idx|index)[-_]?\d*", re.IGNORECASE)

Facts = Mapping[str, FactValue | None]


def review(snapshot: Snapshot, assessment: Assessment, alternative: Alternative, rulebook: Rulebook) -> tuple[
    Finding, ...
]:  # fmt: skip
    """Findings of the rules of the phases `alternative` and `index`, by subject."""
    sizes = Sizes(snapshot.tables, snapshot.statistics)
    found = list(find(rulebook, "alternative", alternative.id, alternative_facts(alternative, snapshot)))
    for table in alternative.tables:
        for index in table.indexes:
            facts = index_facts(snapshot, assessment, alternative, table, index, sizes)
            found += find(rulebook, "index", f"{table.name}/{index.name}", facts)
    return tuple(found)


def alternative_facts(alternative: Alternative, snapshot: Snapshot) -> Facts:
    """The facts of the phase `alternative`."""
    number, cost = count(alternative), alternative.cost
    entities = [table for table in alternative.tables if table.role == "entity"]
    places = number.composed + number.copies + number.lookups + number.indexes + number.copy_updates
    largest = [_largest_row(snapshot.statistics.get(table.source_table)) for table in entities]
    return {
        "alternative.id": alternative.id,
        "alternative.write_amplification": alternative.write_amplification,
        "alternative.write_units_per_second": cost.write_request_units / snapshot.pricing.seconds_per_month,
        "alternative.index_write_share": ratio(cost.index_write_units, cost.write_request_units),
        "alternative.gsis": number.indexes,
        "alternative.max_gsis_per_table": number.indexes_of_one,
        "alternative.composed_keys": number.composed,
        "alternative.copies": number.copies,
        "alternative.tables": number.tables,
        "alternative.lookup_tables": number.lookups,
        "alternative.operational_score": places,
        "item.bytes_average": max((table.item_bytes for table in entities), default=None),
        "item.bytes_max": max((size for size in largest if size is not None), default=None),
    }


def index_facts(
    snapshot: Snapshot, assessment: Assessment, alternative: Alternative, table: TableDesign, index: IndexDesign,
    sizes: Sizes,
) -> Facts:  # fmt: skip
    """The facts of the phase `index`."""
    columns = partition_columns(table, index.partition)
    return {
        "index.name": index.name,
        "index.table": table.name,
        "index.partition_cardinality": sizes.distinct(table.source_table, columns),
        "index.top_share": top_item_share(table, columns, sizes),
        "index.write_share": _write_share(alternative, table, index, assessment),
        "index.peak_writes_per_second": _peak_writes(alternative, table, index, assessment),
        "index.entry_bytes": index.entry_bytes,
        "index.projected_attributes": len(_repeated(table, index)),
        "index.projection_share": ratio(index.entry_bytes, table.item_bytes),
        "index.name_generic": _GENERIC.fullmatch(index.name) is not None,
        "item.bytes_average": table.item_bytes,
        "item.bytes_max": _largest_row(snapshot.statistics.get(table.source_table)),
    }


def partition_columns(table: TableDesign, partition: Iterable[str]) -> tuple[str, ...]:
    """The source columns of the attributes of a partition key; none where it is the constant."""
    plain = (name for name in partition if table.attributes[name].value is None)
    return tuple(column for name in plain for column in table.source_columns(name))


def _largest_row(statistics: TableStatistics | None) -> int | None:
    return statistics.max_item_bytes if statistics else None


def _repeated(table: TableDesign, index: IndexDesign) -> frozenset[str]:
    """The attributes that an index repeats beyond the keys, which are in every entry."""
    attributes = index.projected if index.projection == "INCLUDE" else table.attributes
    keys = {*table.keys, *index.keys}
    return frozenset[str]() if index.projection == "KEYS_ONLY" else frozenset(attributes) - keys


def top_item_share(table: TableDesign, columns: tuple[str, ...], sizes: Sizes) -> float | None:
    """Share of the items under the most frequent partition value; of several columns the least, which bounds it."""
    if not columns:
        return 1.0
    counted = [sizes.column_statistics(table.source_table, column) for column in columns]
    shares = [c.top_share for c in counted if c is not None and c.top_share is not None]
    return min(shares) if len(shares) == len(columns) else None


def _touching(alternative: Alternative, table: TableDesign, index: IndexDesign) -> list[tuple[str, bool]]:
    """(pattern, writes the index) for every plan that writes items of the table."""
    watched = {*index.keys, *index.projected}
    found = []
    for plan in alternative.plans:
        for write in base_writes(plan):
            if write.table != table.name:
                continue
            columns = {a.column for a in write.sets}
            touched = {n for n in table.attributes if columns & set(table.source_columns(n))}
            hits = write.op != "UpdateItem" or index.projection == "ALL" or bool(touched & watched)
            found.append((plan.pattern, hits))
    return found


def _write_share(
    alternative: Alternative, table: TableDesign, index: IndexDesign, assessment: Assessment
) -> float | None:
    calls = {rate.pattern: rate.calls for rate in assessment.patterns}
    touching = _touching(alternative, table, index)
    total = sum(calls[pattern] for pattern, _ in touching)
    return sum(calls[pattern] for pattern, hits in touching if hits) / total if total else None


def _peak_writes(
    alternative: Alternative, table: TableDesign, index: IndexDesign, assessment: Assessment
) -> float | None:
    """Peak calls a second of the statements that write the index, one unit each: a lower bound."""
    peak = {rate.pattern: rate.peak_per_second for rate in assessment.patterns}
    hits = [peak[pattern] for pattern, hit in _touching(alternative, table, index) if hit]
    return sum(hits) if hits else None


def validation_facts(validation: Validation) -> dict[str, FactValue]:
    """The facts of the phase `validation`; one that stage 4 could not measure is missing."""
    facts: dict[str, FactValue] = {}
    if any(p.status in ("proved", "mismatched") for p in validation.patterns):
        facts["validation.mismatched_patterns"] = sum(p.status == "mismatched" for p in validation.patterns)
    if validation.capacity_operations:
        facts["validation.capacity_mismatches"] = sum(p.capacity_differs > 0 for p in validation.patterns)
    if validation.loads:
        facts["validation.load_rejects"] = sum(load.rejected for load in validation.loads)
    raced = validation.consistency
    if raced is not None and raced.patterns:
        facts["validation.racing_writes"] = _patterns_of(raced, "data", "crash")
        facts["validation.repeated_writes"] = _patterns_of(raced, "repeat")
        facts["validation.lagging_writes"] = _patterns_of(raced, "lag")
        facts["validation.stale_index_reads"] = len({one.read for one in raced.stale if "/" in one.through})
    return facts | _simulated_facts(validation.simulation)


def _patterns_of(raced: Consistency, *kinds: Kind) -> int:
    """Access patterns, and pairs of different ones, that show anomalies of these kinds."""
    return len({(one.pattern, one.other) for one in raced.of(*kinds)})


def _simulated_facts(simulation: Simulation | None) -> dict[str, FactValue]:
    """Shares at the traffic of the logs and at ten times of it, and the structures that refuse most there."""
    facts: dict[str, FactValue] = {}
    for scale, suffix in ((1, ""), (10, "_10x")) if simulation else ():
        run = simulation.at(scale) if simulation else None
        if run is None or not run.offered:
            continue
        facts[f"validation.throttled_share{suffix}"] = run.worst
        facts[f"validation.cascade_share{suffix}"] = max(run.cascade.values(), default=0.0)
        refusing = max(run.structures, key=lambda one: one.throttled, default=None)
        if refusing is not None and refusing.throttled:
            facts["validation.throttled_by"] = refusing.structure
            facts["validation.hot_key_limit_share"] = max((key.limit_share for key in refusing.keys), default=0.0)
        if run.cascade:
            facts["validation.cascade_by"] = next(iter(run.cascade))
    return facts
