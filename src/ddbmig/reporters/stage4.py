"""Stage4_Validation.md: what running the design showed, what differed, and what was not tried."""

from collections.abc import Iterator, Sequence

from ddbmig.model.design import Alternative, Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check, PatternResult, Validation
from ddbmig.reporters.interleaved import interleaved, interleavings
from ddbmig.reporters.markdown import Markup, bullets, code, heading, number, percent, table
from ddbmig.reporters.pages import (
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
OUTCOMES = ("passed", "failed", "not compared", "routed", "not run")


def stage4(snapshot: Snapshot, design: Design, validation: Validation) -> str:
    """The page of stage 4."""
    weights, chosen = weights_of(snapshot), design.alternative(validation.alternative)
    differing, silent = _differing(validation, weights), _silent(validation, weights, chosen)
    remarks = silent.head(Markup(""))
    loads, capacity = _load_table(validation), _capacity_table(validation, weights)
    found = finding_table("Findings", validation.findings)
    return page(
        *_engine(validation),
        heading(1, "Stage 4: validation and stress"),
        warnings(validation.findings),
        section("Summary", _summary(validation, weights, chosen)),
        section("What needs a decision", *_decisions(validation)),
        section("Verdicts", _verdicts(validation.checks)),
        section(
            "Access patterns compared",
            *_outcomes(validation, weights, chosen),
            differing.head(_agreement(validation)),
            remarks,
        ),
        section("Data loaded", *_load_notes(validation), loads.head()),
        section("Capacity", *_capacity(validation), capacity.head()),
        *(
            section(
                line,
                *_of_guide(line, validation),
                *simulated(line, validation.simulation, weights),
                *interleaved(line, validation.consistency, weights),
            )
            for line in GUIDE
        ),
        section("Findings", found.head()),
        all_tables(differing, silent, loads, capacity, interleavings(validation.consistency, weights), found),
        next_step("ddbmig approve 4"),
    )


def _agreement(validation: Validation) -> Markup:
    """What is said where no compared pattern differs."""
    compared = any(one.status == "passed" for one in validation.patterns)
    return paragraph("No plan that was compared differs from its SQL." if compared else "No pattern was compared.")


def _engine(validation: Validation) -> Iterator[Markup]:
    yield paragraph("Engine: **{}**.", validation.engine)
    if validation.engine_warning:
        yield paragraph("**{}**", validation.engine_warning)


def _outcome(result: PatternResult, routed: frozenset[str]) -> str:
    return "routed" if result.pattern in routed else result.status


def _routed(chosen: Alternative) -> frozenset[str]:
    return frozenset(plan.pattern for plan in chosen.plans if plan.routed)


def _summary(validation: Validation, weights: Weights, chosen: Alternative) -> Markup:
    failed = [one for one in validation.checks if one.verdict == "failed"]
    unseen = [one for one in validation.checks if one.verdict == "not analysed"]
    passed = sum(one.verdict == "passed" for one in validation.checks)
    items = sum(load.items_found for load in validation.loads)
    good = [one.pattern for one in validation.patterns if _outcome(one, _routed(chosen)) == "passed"]
    return bullets((
        say("Checks: {} passed, {} failed, {} not analysed.", number(passed), number(len(failed)),
            number(len(unseen))),
        say("Plan and SQL agree for {} with {} of the calls.", plural(len(good), "access pattern"),
            percent(weights.share(good))),
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


def _outcomes(validation: Validation, weights: Weights, chosen: Alternative) -> Iterator[Markup]:
    routed = _routed(chosen)
    groups: dict[str, list[str]] = {outcome: [] for outcome in OUTCOMES}
    for one in validation.patterns:
        groups[_outcome(one, routed)].append(one.pattern)
    rows = [
        (outcome, number(len(found)), number(sum(weights.calls.get(key, 0) for key in found)),
         percent(weights.share(found)))
        for outcome, found in groups.items()
    ]  # fmt: skip
    yield table(("outcome", "access patterns", "calls", "share of calls"), rows, (1, 2, 3))
    yield paragraph(
        "A pattern passes when its plan returns or changes as many rows as its SQL in every run, with the same values "
        "where SQL promises which rows come back. “Not compared” ones could not be run on one of the two sides, or "
        "found no row on either; “routed” ones have no plan to run."
    )


def _by_calls(results: Sequence[PatternResult], weights: Weights) -> list[PatternResult]:
    return sorted(results, key=lambda one: (-weights.calls.get(one.pattern, 0), one.pattern))


def _differing(validation: Validation, weights: Weights) -> LongTable:
    failed = [one for one in validation.patterns if one.status == "failed"]
    rows = [
        (weights.label(one.pattern), number(one.runs), number(one.rows_sql), number(one.rows_plan), one.why or "–",
         percent(weights.share([one.pattern])))
        for one in _by_calls(failed, weights)
    ]  # fmt: skip
    headers = ("failed", "runs", "rows by SQL", "rows by plan", "why", "share of calls")
    return LongTable("Patterns that differ", headers, rows, (1, 2, 3, 5))


def _silent(validation: Validation, weights: Weights, chosen: Alternative) -> LongTable:
    """What says nothing for or against a plan: not compared, not run, or compared on no rows."""
    routed = _routed(chosen)
    found = [one for one in validation.patterns if one.status != "failed" and one.why and one.pattern not in routed]
    rows = [
        (weights.label(one.pattern), one.status, one.why, percent(weights.share([one.pattern])))
        for one in _by_calls(found, weights)
    ]
    return LongTable("Patterns with a remark", ("access pattern", "status", "why", "share of calls"), rows, (3,))


# --- data and capacity ---


def _load_notes(validation: Validation) -> Iterator[Markup]:
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
