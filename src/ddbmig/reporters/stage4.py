"""Stage4_Validation.md: what running the design showed, what differed, and what was not tried."""

from collections.abc import Iterable, Iterator, Sequence

from ddbmig.model.design import Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import STATUSES, Check, Difference, PatternResult, Status, Validation
from ddbmig.reporters.evolved import evolved
from ddbmig.reporters.interleaved import interleaved, interleavings, stale_reads
from ddbmig.reporters.markdown import Markup, bullets, code, heading, number, percent, table
from ddbmig.reporters.pages import (
    HEAVIEST,
    LongTable,
    all_tables,
    finding_table,
    names,
    next_step,
    page,
    paragraph,
    plural,
    say,
    section,
    warnings,
)
from ddbmig.reporters.replayed import replayed, replays
from ddbmig.reporters.simulated import simulated
from ddbmig.reporters.weights import Weights, weights_of

GUIDE = (
    "Hot partition simulation",
    "GSI throttling scenarios",
    "Write amplification verification",
    "Consistency edge case testing",
    "Performance under load testing",
    "Schema evolution dry runs",
)
"""The guide's lines for this stage; a check belongs to the line that its name starts with."""


def stage4(snapshot: Snapshot, design: Design, validation: Validation) -> str:
    """The page of stage 4."""
    weights = weights_of(snapshot)
    found = finding_table("Findings", validation.findings)
    mismatched, unproved = _mismatched(validation, weights), _unproved(validation, weights)
    routed, limits = _routed(validation, weights), _limits(validation, weights)
    every = _every_pattern(validation, weights)
    trips, loads, capacity = _trips(validation), _load_table(validation), _capacity_table(validation, weights)
    return page(
        *_engine(validation),
        heading(1, "Stage 4: validation and stress"),
        warnings(validation.findings),
        section("Summary", *_outcomes(validation, weights), _summary(validation)),
        section("What needs a decision", *_decisions(validation)),
        section("Verdicts", _verdicts(validation.checks)),
        section(
            "Access patterns: plan beside SQL",
            _meaning(),
            *_sql_side(validation),
            mismatched.head(_agreement(validation)),
            *_smallest(validation, weights),
        ),
        section("Patterns not proved", unproved.head(paragraph("None."))),
        section("Patterns routed", routed.head(paragraph("None."))),
        section("Limits of the proof", *_limit_notes(validation), limits.head(paragraph("None was met."))),
        section("Every pattern", every.head()),
        section("Data loaded", *_load_notes(validation), loads.head()),
        section("Data round trip", _round_trip(validation), trips.head(Markup(""))),
        section("Capacity", *_capacity(validation), capacity.head()),
        *(
            section(
                line,
                *_of_guide(line, validation),
                *simulated(line, validation.simulation, weights),
                *interleaved(line, validation.consistency, weights),
                *replayed(line, validation.replay, weights),
                *evolved(line, validation.evolution, design.prices),
            )
            for line in GUIDE
        ),
        section("Findings", found.head()),
        all_tables(
            mismatched, unproved, routed, limits, every, loads, trips, capacity,
            interleavings(validation.consistency, weights), stale_reads(validation.consistency, weights),
            replays(validation.replay, weights), found,
        ),
        next_step("ddbmig approve 4"),
    )  # fmt: skip


def _agreement(validation: Validation) -> Markup:
    """What is said where no compared pattern differs."""
    compared = any(one.status == "proved" for one in validation.patterns)
    return paragraph("No plan that was compared differs from its SQL." if compared else "No pattern was compared.")


def _engine(validation: Validation) -> Iterator[Markup]:
    yield paragraph("Engine: **{}**.", validation.engine)
    if validation.engine_warning:
        yield paragraph("**{}**", validation.engine_warning)


def _summary(validation: Validation) -> Markup:
    failed = [one for one in validation.checks if one.verdict == "failed"]
    unseen = [one for one in validation.checks if one.verdict == "not analysed"]
    passed = sum(one.verdict == "passed" for one in validation.checks)
    items = sum(load.items_found for load in validation.loads)
    return bullets((
        say("Checks: {} passed, {} failed, {} not analysed.", number(passed), number(len(failed)),
            number(len(unseen))),
        say("{} and {} created; {} loaded and counted.", plural(validation.tables_created, "table"),
            plural(validation.indexes_created, "GSI"), plural(items, "item")),
        say("Design {}; parameters sampled with seed {}.", code(validation.alternative), str(validation.seed)),
    ))  # fmt: skip


def _decisions(validation: Validation) -> Iterator[Markup]:
    failed = [one for one in validation.checks if one.verdict == "failed"]
    if failed:
        yield paragraph("Failed, and to be understood before the next stage is approved:")
        yield bullets(say("**{}**: {}", one.name, one.evidence) for one in failed)
    elif not any(one.verdict == "passed" for one in validation.checks):
        yield paragraph("Nothing was checked: whether to go on without proof is for a person to say.")
    else:
        yield paragraph("No check failed. Whether what was not analysed may stay so is for a person to say.")


def _verdicts(checks: Sequence[Check]) -> Markup:
    rows = [(one.name, _bold(one.verdict), one.evidence) for one in checks]
    return table(("check", "verdict", "evidence"), rows) if rows else Markup("")


def _bold(verdict: str) -> Markup:
    return Markup(f"**{verdict}**" if verdict == "failed" else verdict)


# --- patterns ---


def _outcomes(validation: Validation, weights: Weights) -> Iterator[Markup]:
    """How many patterns, and what share of the calls, came to which status."""
    groups = {status: [one.pattern for one in validation.patterns if one.status == status] for status in STATUSES}
    rows = [
        (status, number(len(found)), number(sum(weights.calls.get(key, 0) for key in found)),
         percent(weights.share(found)))
        for status, found in groups.items()
    ]  # fmt: skip
    yield table(("status", "access patterns", "calls", "share of calls"), rows, (1, 2, 3))
    made = [one.pattern for one in validation.patterns if one.status == "proved" and one.generated]
    if made:
        yield paragraph("{} proved on generated rows ({} of the calls): the data holds none of a table that they name.",
                        plural(len(made), "pattern is", "patterns are"), percent(weights.share(made)))  # fmt: skip
    limited = [one.pattern for one in validation.patterns if one.status == "proved" and one.limits]
    if limited:
        yield paragraph("{} proved within limits that the design declares ({} of the calls): see “Limits of the "
                        "proof”.", plural(len(limited), "pattern is", "patterns are"),
                        percent(weights.share(limited)))  # fmt: skip


def _meaning() -> Markup:
    return paragraph(
        "*Proved*: with every sampled and boundary parameter set the plan gave what SQL promises – reads row by row "
        "and column by column, in SQL's order as far as ORDER BY names it; after each write every item that it "
        "touched, on either side, was as the rows now make it. *Mismatched*: once it did not. *Not proved*: it could "
        "not be told. *Routed*: there is no plan, for a reason of the closed list. An expression in an output list is "
        "compared by the columns and aggregates that the client computes it from."
    )


def _sql_side(validation: Validation) -> Iterator[Markup]:
    if not validation.sql_side:
        return
    runs = sum(one.runs for one in validation.patterns)
    edges = sum(one.boundary_runs for one in validation.patterns)
    yield paragraph("SQL ran on {}; {} with sampled and {} with boundary parameters.", validation.sql_side,
                    plural(runs, "run"), number(edges))  # fmt: skip
    if validation.sql_differences:
        yield paragraph("In what it may differ from the application's MySQL:")
        yield bullets(validation.sql_differences)


def _by_calls(results: Iterable[PatternResult], weights: Weights) -> list[PatternResult]:
    return sorted(results, key=lambda one: (-weights.calls.get(one.pattern, 0), one.pattern))


def _with_status(validation: Validation, weights: Weights, status: Status) -> list[PatternResult]:
    return _by_calls((one for one in validation.patterns if one.status == status), weights)


def _share(one: PatternResult, weights: Weights) -> Markup:
    return percent(weights.share([one.pattern]))


def _mismatched(validation: Validation, weights: Weights) -> LongTable:
    rows = [
        (weights.label(one.pattern), number(one.rows_sql), number(one.rows_plan), one.why or "–", _share(one, weights))
        for one in _with_status(validation, weights, "mismatched")
    ]
    headers = ("mismatched", "rows by SQL", "rows by plan", "why", "share of calls")
    return LongTable("Patterns mismatched", headers, rows, (1, 2, 4))


def _smallest(validation: Validation, weights: Weights) -> Iterator[Markup]:
    """The smallest parameter set of each mismatch, and what repeats it."""
    found = [one for one in _with_status(validation, weights, "mismatched") if one.difference][:HEAVIEST]
    if found:
        yield paragraph("The smallest parameter set found for each; the same inputs and seed repeat it:")
        yield bullets(_repeated(one.difference, weights.label(one.pattern)) for one in found if one.difference)


def _repeated(one: Difference, label: Markup) -> Markup:
    return say("{}: {}, run {} of seed {}; parameters {}; {}", label, one.case, str(one.run), code(one.seed),
               "; ".join(one.parameters) or "none", one.what)  # fmt: skip


def _unproved(validation: Validation, weights: Weights) -> LongTable:
    """What says nothing for or against a plan, and why."""
    rows = [
        (weights.label(one.pattern), one.why, _share(one, weights))
        for one in _with_status(validation, weights, "not proved")
    ]
    return LongTable("Patterns not proved", ("access pattern", "why", "share of calls"), rows, (2,))


def _routed(validation: Validation, weights: Weights) -> LongTable:
    rows = [
        (weights.label(one.pattern), one.reason or "–", one.why or "–", _share(one, weights))
        for one in _with_status(validation, weights, "routed")
    ]
    return LongTable("Patterns routed", ("access pattern", "reason", "detail", "share of calls"), rows, (3,))


def _limit_notes(validation: Validation) -> Iterator[Markup]:
    if any(one.limits for one in validation.patterns):
        yield paragraph("Boundary cases on which plan and SQL differ because the design says beforehand that they may:")


def _limits(validation: Validation, weights: Weights) -> LongTable:
    rows = [
        (weights.label(one.pattern), said, _share(one, weights))
        for one in _by_calls(validation.patterns, weights)
        for said in one.limits
    ]
    return LongTable("Limits of the proof", ("access pattern", "limit", "share of calls"), rows, (2,))


def _on_generated(one: PatternResult) -> str:
    """The mark of what was seen on generated rows."""
    return " (generated rows)" if one.generated and one.status != "routed" else ""


def _every_pattern(validation: Validation, weights: Weights) -> LongTable:
    rows = [
        (weights.label(one.pattern), say("{}{}", one.status, _on_generated(one)), number(one.runs),
         number(one.boundary_runs), number(one.rows_sql),
         number(len(one.untried)), _share(one, weights))
        for one in _by_calls(validation.patterns, weights)
    ]  # fmt: skip
    headers = ("access pattern", "status", "sampled runs", "boundary runs", "rows by SQL", "boundary cases not run",
               "share of calls")  # fmt: skip
    return LongTable("Every pattern", headers, rows, (2, 3, 4, 5, 6))


# --- data and capacity ---


def _load_notes(validation: Validation) -> Iterator[Markup]:
    if validation.generated_tables:
        yield paragraph(
            "**Generated**: {} had no rows; rows were made from schema and statistics with seed {}: {}.",
            plural(len(validation.generated_tables), "table"), str(validation.seed), names(validation.generated_tables),
        )  # fmt: skip
    limited = [load.source_table for load in validation.loads if load.source_rows_limited]
    if limited:
        yield paragraph("Only the first rows were loaded of {}.", names(sorted(set(limited))))
    reasons = sorted({(load.table, why) for load in validation.loads for why in load.reject_reasons})
    if reasons:
        yield paragraph("Rejected:")
        yield bullets(say("{}: {}", code(name), why) for name, why in reasons)


def _load_table(validation: Validation) -> LongTable:
    """Troubled tables first: rejected rows, then items that are not as many as they should be."""
    ordered = sorted(
        validation.loads,
        key=lambda one: (-one.rejected, -abs(one.items_written - one.items_found), -one.rows, one.table),
    )
    rows = [
        (code(one.table), code(one.source_table), number(one.rows), number(one.filtered), number(one.rejected),
         number(one.items_written), number(one.items_found))
        for one in ordered
    ]  # fmt: skip
    headers = ("table", "from", "rows", "without item", "rejected", "written", "found")
    return LongTable("Data loaded", headers, rows, (2, 3, 4, 5, 6), "rejected rows, then rows")


def _round_trip(validation: Validation) -> Markup:
    trips = validation.round_trip
    if not trips:
        return paragraph("Not analysed: no data was given.")
    return paragraph(
        "{} of {} recovered from the items of {}, value for value; {} missing, {} with other values; {} that no row "
        "made. {} without the parent that a foreign key names, and {} with NULL in a unique key, are migrated as they "
        "are.",
        number(sum(one.recovered for one in trips)), plural(sum(one.rows for one in trips), "row"),
        plural(len(trips), "table"), number(sum(one.missing for one in trips)),
        number(sum(one.differing for one in trips)), plural(sum(one.unexpected for one in trips), "item"),
        plural(sum(one.orphans for one in trips), "row"), number(sum(one.null_keys for one in trips)),
    )  # fmt: skip


def _trips(validation: Validation) -> LongTable:
    """Tables that did not come back whole first, then those with orphans or NULL keys."""
    told = [one for one in validation.round_trip
            if one.recovered != one.rows or one.unexpected or one.orphans or one.null_keys]  # fmt: skip
    ordered = sorted(told, key=lambda one: (one.recovered - one.rows, -one.unexpected, -one.orphans, one.table))
    rows = [
        (code(one.table), code(one.source_table), number(one.rows), number(one.recovered), number(one.missing),
         number(one.differing), names(one.columns) if one.columns else Markup("–"), number(one.unexpected),
         number(one.orphans), number(one.null_keys))
        for one in ordered
    ]  # fmt: skip
    headers = ("table", "from", "rows", "recovered", "missing", "other values", "in columns", "items of no row",
               "orphans", "NULL keys")  # fmt: skip
    return LongTable("Data round trip", headers, rows, (2, 3, 4, 5, 7, 8, 9), "rows not recovered, then orphans")


def _capacity(validation: Validation) -> Iterator[Markup]:
    if not validation.capacity_operations:
        yield paragraph("Not analysed: no operation's consumed capacity was measured.")
    else:
        differing = sum(one.capacity_differs for one in validation.patterns)
        yield paragraph("{} measured; {} from the prediction.", plural(validation.capacity_operations, "operation"),
                        plural(differing, "differs", "differ"))  # fmt: skip
        yield _totals(validation)
    if validation.capacity_known_differences:
        yield paragraph("Known differences of the engine, not counted:")
        yield bullets(validation.capacity_known_differences)


def _totals(validation: Validation) -> Markup:
    """Units over all operations; where none differs, the engine's known differences account for what is left."""
    found = validation.patterns
    rows = [
        ("RRU", number(sum(one.predicted_read_units for one in found)),
         number(sum(one.consumed_read_units for one in found))),
        ("WRU", number(sum(one.predicted_write_units for one in found)),
         number(sum(one.consumed_write_units for one in found))),
    ]  # fmt: skip
    return table(("units in all", "predicted", "consumed"), rows, (1, 2))


def _capacity_table(validation: Validation, weights: Weights) -> LongTable:
    measured = [one for one in validation.patterns if one.calls and validation.capacity_operations]
    ordered = sorted(measured, key=lambda one: (-one.capacity_differs, -weights.calls.get(one.pattern, 0), one.pattern))
    rows = [
        (weights.label(one.pattern), number(one.calls), number(one.predicted_read_units),
         number(one.consumed_read_units), number(one.predicted_write_units), number(one.consumed_write_units),
         number(one.capacity_differs))
        for one in ordered
    ]  # fmt: skip
    headers = ("access pattern", "operations", "RRU predicted", "RRU consumed", "WRU predicted", "WRU consumed",
               "operations that differ")  # fmt: skip
    return LongTable("Capacity", headers, rows, (1, 2, 3, 4, 5, 6), "operations that differ, then calls")


# --- the guide's lines ---


def _of_guide(line: str, validation: Validation) -> Iterator[Markup]:
    checks = [one for one in validation.checks if one.name.startswith(line)]
    if not checks:
        yield paragraph("**not analysed**: no check of this run covers it.")
    for one in checks:
        yield paragraph("**{}**: {}", one.verdict, one.evidence)
