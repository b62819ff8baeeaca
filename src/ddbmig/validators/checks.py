"""The verdicts of stage 4: what was run passes or fails on its figures; what was not built says so."""

from collections import Counter
from collections.abc import Sequence

from ddbmig.model.validation import Check, Validation


def checks(value: Validation, moto: bool, differing: Sequence[str]) -> tuple[Check, ...]:
    """The verdicts of a validation; `differing` are the operations whose capacity is not as predicted."""
    created = f"{value.tables_created} tables and {value.indexes_created} GSIs created on {value.engine}"
    return (
        Check(name="Tables and indexes can be created", verdict="passed", evidence=created),
        _loaded(value),
        _recovered(value),
        _proved(value),
        _written(value),
        _capacity(value, moto, differing),
    )


def _verdict(name: str, failed: bool, evidence: str) -> Check:
    return Check(name=name, verdict="failed" if failed else "passed", evidence=evidence)


def _unseen(name: str, why: str = "no data given") -> Check:
    return Check(name=name, verdict="not analysed", evidence=why)


def _loaded(value: Validation) -> Check:
    name, loads = "Data loads through the contract", value.loads
    if not loads:
        return _unseen(name)
    rejected = sum(load.rejected for load in loads)
    lost = [load.table for load in loads if load.items_found != load.rows - load.filtered - load.rejected]
    evidence = (
        f"{sum(load.items_found for load in loads)} items found in the tables from {sum(load.rows for load in loads)} "
        f"rows; {sum(load.filtered for load in loads)} rows have no item by the contract, {rejected} rejected"
    )
    if value.generated_tables:
        evidence += f"; the rows of {len(value.generated_tables)} tables are generated"
    return _verdict(name, bool(rejected or lost), evidence + (f"; counts differ in {', '.join(lost)}" if lost else ""))


def _recovered(value: Validation) -> Check:
    name, trips = "Every row comes back from the items", value.round_trip
    if not trips:
        return _unseen(name)
    wrong = [trip.source_table for trip in trips if trip.missing or trip.differing or trip.unexpected]
    evidence = (
        f"{sum(t.recovered for t in trips)} of {sum(t.rows for t in trips)} rows recovered value for value; "
        f"{sum(t.orphans for t in trips)} rows without their parent, {sum(t.null_keys for t in trips)} with NULL in a "
        "unique key"
    )
    return _verdict(name, bool(wrong), evidence + (f"; not so {', '.join(wrong)}" if wrong else ""))


def _proved(value: Validation) -> Check:
    name, counts = "Plans answer as their SQL", Counter(p.status for p in value.patterns)
    if not counts["proved"] and not counts["mismatched"]:
        return _unseen(name, "no data given" if not value.loads else "no pattern could be compared")
    runs = sum(p.runs for p in value.patterns), sum(p.boundary_runs for p in value.patterns)
    evidence = (
        f"{counts['proved']} patterns proved, {counts['mismatched']} mismatched, {counts['not proved']} not proved, "
        f"{counts['routed']} routed; {runs[0]} runs with sampled and {runs[1]} with boundary parameters"
    )
    return _verdict(name, bool(counts["mismatched"]), evidence)


def _written(value: Validation) -> Check:
    name = "Writes leave the same data as SQL"
    if not value.state:
        return _unseen(name)
    strayed = [s.table for s in value.state if s.missing or s.unexpected]
    evidence = (
        f"{sum(s.items for s in value.state)} items of {len(value.state)} tables compared after all writes, and what "
        "each write touched after it"
    )
    return _verdict(name, bool(strayed), evidence + (f"; {', '.join(strayed)} differ" if strayed else ""))


def _capacity(value: Validation, moto: bool, differing: Sequence[str]) -> Check:
    name = "Write amplification verification: consumed capacity equals the prediction"
    if moto:
        return _unseen(name, "moto does not account for capacity")
    if not value.capacity_operations:
        return _unseen(name)
    measured = f"{value.capacity_operations} operations, {len(differing)} differ"
    return _verdict(name, bool(differing), measured + (f"; first: {differing[0]}" if differing else ""))
