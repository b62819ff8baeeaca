"""The rules that look at a finished design: facts of an alternative and of its indexes, and what they find."""

from collections.abc import Mapping

from ddbmig.engine.costs import base_writes
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import find
from ddbmig.engine.sizes import Sizes
from ddbmig.model.assessment import Assessment, FactValue, Finding
from ddbmig.model.design import Alternative, IndexDesign, TableDesign
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation


def review(snapshot: Snapshot, assessment: Assessment, alternative: Alternative, rulebook: Rulebook) -> tuple[
    Finding, ...
]:  # fmt: skip
    """Findings of the rules of the phases `alternative` and `index`, by subject."""
    sizes = Sizes(snapshot.tables, snapshot.statistics)
    found = list(find(rulebook, "alternative", alternative.id, alternative_facts(alternative, snapshot)))
    for table in alternative.tables:
        for index in table.indexes:
            facts = index_facts(alternative, table, index, assessment, sizes)
            found += find(rulebook, "index", f"{table.name}/{index.name}", facts)
    return tuple(found)


def alternative_facts(alternative: Alternative, snapshot: Snapshot) -> Mapping[str, FactValue | None]:
    """The facts of the phase `alternative`."""
    entities = [t for t in alternative.tables if t.role == "entity"]
    composed = {(t.name, n) for t in alternative.tables for n, a in t.attributes.items() if a.template is not None}
    largest = [s.max_item_bytes for s in snapshot.statistics.values() if s.max_item_bytes is not None]
    return {
        "alternative.write_amplification": alternative.write_amplification,
        "alternative.max_gsis_per_table": float(max((len(t.indexes) for t in entities), default=0)),
        "alternative.composed_keys": float(len(composed)),
        "alternative.copies": float(sum(1 for t in entities for a in t.attributes.values() if a.denormalized)),
        "alternative.tables": float(len(entities)),
        "alternative.lookup_tables": float(len(alternative.tables) - len(entities)),
        "item.bytes_average": max((t.item_bytes for t in entities), default=None),
        "item.bytes_max": float(max(largest)) if largest else None,
    }


def index_facts(
    alternative: Alternative, table: TableDesign, index: IndexDesign, assessment: Assessment, sizes: Sizes
) -> Mapping[str, FactValue | None]:
    """The facts of the phase `index`."""
    columns = () if table.attributes[index.pk].value is not None else table.source_columns(index.pk)
    return {
        "index.partition_cardinality": sizes.distinct(table.source_table, columns),
        "index.top_share": _top_share(table, columns, sizes),
        "index.write_share": _write_share(alternative, table, index, assessment),
        "index.peak_writes_per_second": _peak_writes(alternative, table, index, assessment),
        "index.projection_share": index.entry_bytes / table.item_bytes if table.item_bytes else None,
        "index.name_generic": index.name.lower().startswith(("gsi", "index")),
        "item.bytes_average": table.item_bytes,
        "item.bytes_max": None,
    }


def _top_share(table: TableDesign, columns: tuple[str, ...], sizes: Sizes) -> float | None:
    """Entries under the most frequent partition value; the least of the columns' shares bounds a composed key."""
    if not columns:
        return 1.0
    counted = [sizes.column_statistics(table.source_table, column) for column in columns]
    shares = [c.top_share for c in counted if c is not None and c.top_share is not None]
    return min(shares) if len(shares) == len(columns) else None


def _touching(alternative: Alternative, table: TableDesign, index: IndexDesign) -> list[tuple[str, bool]]:
    """(pattern, writes the index) for every plan that writes items of the table."""
    watched = {index.pk, index.sk, *index.projected}
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
    if any(p.status in ("passed", "failed") for p in validation.patterns):
        facts["validation.mismatched_patterns"] = sum(p.status == "failed" for p in validation.patterns)
    if validation.capacity_operations:
        facts["validation.capacity_mismatches"] = sum(p.capacity_differs > 0 for p in validation.patterns)
    if validation.loads:
        facts["validation.load_rejects"] = sum(load.rejected for load in validation.loads)
    return facts
