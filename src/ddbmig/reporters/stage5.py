"""Stage5_MigrationAnalysis.md: what it costs, what it takes, what can go wrong, and what people must sign."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment, Finding
from ddbmig.model.design import Alternative, Capacity, Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.reporters.markdown import Markup, bullets, code, heading, money, number, percent, table
from ddbmig.reporters.pages import (
    LongTable,
    all_tables,
    finding_table,
    next_step,
    page,
    paragraph,
    plural,
    say,
    section,
    unsaid,
    warnings,
)
from ddbmig.reporters.weights import weights_of


def stage5(
    snapshot: Snapshot, assessment: Assessment, design: Design, validation: Validation, analysis: Analysis
) -> str:
    """The page of stage 5."""
    chosen = design.alternative(analysis.alternative)
    every = (*assessment.findings, *chosen.findings, *validation.findings, *analysis.findings)
    risks, found = _risk_table(analysis), finding_table("Findings", analysis.findings)
    separate = {one.relationship for one in chosen.decisions if one.outcome == "separate"}
    elsewhere = len(every) - len(analysis.findings)
    capacity = _capacity_table(chosen)
    return page(
        heading(1, "Stage 5: results"),
        warnings((_as_built(one, separate) for one in every), weights_of(snapshot).label),
        section("Summary", summary_lines(snapshot, assessment, chosen, validation, analysis)),
        section("What needs a decision", *_decisions(assessment, design, validation, analysis)),
        section("Total cost of ownership projections", *_projections(snapshot, analysis, assessment, chosen)),
        section("How the cost is computed", *_computed(analysis, capacity, _rates(assessment))),
        section("Operational complexity metrics", _metrics(analysis), *_efforts(analysis)),
        section("Risk mitigation recommendations", risks.head()),
        section("Denormalization risk acknowledgments", *_acknowledgments(analysis)),
        section("Schema evolution guidelines", bullets(analysis.evolution)),
        section(
            "Findings",
            paragraph(
                "Of this stage; {} of stages 2 to 4 stand there, and above as warnings and risks.",
                plural(elsewhere, "finding"),
            )
            if elsewhere
            else Markup(""),
            found.head(),
        ),
        unsaid((*analysis.not_analysed, *_unproved(validation))),
        all_tables(capacity, risks, found),
        next_step("ddbmig approve 5"),
    )


def _as_built(finding: Finding, separate: AbstractSet[str]) -> Finding:
    """A warning on a relationship was raised before the design: where that keeps both tables apart, it says so."""
    if finding.subject not in separate:
        return finding
    return finding.model_copy(update={"message": f"{finding.message}; this design keeps them in separate tables"})


def _rates(assessment: Assessment) -> Markup:
    return Markup(" (assumed rates)" if assessment.rates.source == "assumed" else "")


def _growth(snapshot: Snapshot) -> Markup:
    return Markup(" (assumed growth)" if snapshot.context.growth_percent_per_month is None else "")


def summary_lines(
    snapshot: Snapshot, assessment: Assessment, chosen: Alternative, validation: Validation, analysis: Analysis
) -> Markup:
    proved = sum(one.status == "proved" for one in validation.patterns)
    mismatched = sum(one.status == "mismatched" for one in validation.patterns)
    low = sum(one.low_days for one in analysis.efforts)
    high = sum(one.high_days for one in analysis.efforts)
    mysql = snapshot.context.mysql_cost_per_month_usd
    lines = [
        say("{} a month today{}, design {}.", money(chosen.cost.total_usd), _rates(assessment), code(chosen.id)),
        say("Later: best case {}, expected {}, worst {}{}{}.", money(analysis.best_usd), money(analysis.expected_usd),
            money(analysis.worst_usd), _rates(assessment), _growth(snapshot)),
        say("MySQL today: {}.", say("${} a month (declared)", number(mysql, 2)) if mysql is not None
            else "cost not answered"),
        say("{}–{} person-days of work in the first year (days per thing assumed).", number(low), number(high)),
        say("Proof: {} on {}, {} mismatched.", plural(proved, "access pattern proved", "access patterns proved"),
            validation.engine, number(mismatched)),
        say("{} of the calls stay with another system.", percent(chosen.routed_calls_share)),
    ]  # fmt: skip
    return bullets(lines)


def _decisions(assessment: Assessment, design: Design, validation: Validation, analysis: Analysis) -> Iterator[Markup]:
    still_open = [one for one in design.choices if one.chosen is None]
    mismatched = sum(one.status == "mismatched" for one in validation.patterns)
    lines = [
        say("{} at the default (stage 3).", plural(len(still_open), "open choice goes on", "open choices go on"))
        if still_open else Markup(""),
        say("{} in stage 4 to be understood.", plural(mismatched, "mismatched access pattern"))
        if mismatched else Markup(""),
        say("{} to be ticked below, each by the role that it names.",
            plural(len(analysis.acknowledgments), "acknowledgment")) if analysis.acknowledgments else Markup(""),
        say("{} listed in stage 2; the sensitivity table below shows what moves most.",
            plural(len(assessment.assumptions), "assumption is", "assumptions are"))
        if assessment.assumptions else Markup(""),
    ]  # fmt: skip
    said = [line for line in lines if line]
    yield bullets(said) if said else paragraph("Nothing is open.")


# --- money ---


def _projections(
    snapshot: Snapshot, analysis: Analysis, assessment: Assessment, chosen: Alternative
) -> Iterator[Markup]:
    """Today's bill, the bill to come, what moves it, and where designs cost the same."""
    mark = _rates(assessment)
    later = _growth(snapshot)
    cost = chosen.cost
    yield paragraph("US dollars a month{}; today's bill by what it pays for:", mark)
    yield table(
        ("reads", "writes", "index writes", "transactions", "storage", "index storage", "total"),
        [tuple(money(one) for one in (cost.reads_usd, cost.writes_usd, cost.index_writes_usd, cost.transactions_usd,
                                      cost.storage_usd, cost.index_storage_usd, cost.total_usd))],
        range(7),
    )  # fmt: skip
    yield paragraph("The months to come{}{}, and three cases:", mark, later)
    yield table(
        ("after months", "requests", "storage", "total"),
        [(number(one.months), money(one.requests_usd), money(one.storage_usd), money(one.total_usd))
         for one in analysis.projections], range(4),
    )  # fmt: skip
    cases = tuple(money(amount) for amount in (analysis.best_usd, analysis.expected_usd, analysis.worst_usd))
    yield table(("best case", "expected", "worst case"), [cases], range(3))
    yield bullets(analysis.case_assumptions)
    yield paragraph("What moves the bill, each input alone{}:", mark)
    yield table(
        ("input", "down", "US dollars a month", "up", "US dollars a month"),
        [(one.input, one.low_label, money(one.low_usd), one.high_label, money(one.high_usd))
         for one in analysis.sensitivities], (2, 4),
    )  # fmt: skip
    yield paragraph("Break-even{}:", mark)
    yield bullets(analysis.break_even)
    yield paragraph("The month in each mode and table class with prices in the region{}:", mark)
    yield _modes(chosen, analysis)
    yield bullets(analysis.mode_break_even)
    yield paragraph("Not in every month:")
    yield table(
        ("what", "US dollars", "made of"),
        [(one.name, money(one.usd) if one.usd is not None else "price not known", one.formula)
         for one in analysis.one_off], (1,),
    )  # fmt: skip


def _modes(chosen: Alternative, analysis: Analysis) -> Markup:
    """The chosen alternative under every mode and table class; the one that the bill is made in stands out."""
    rows = []
    for cost in analysis.modes:
        current = (cost.mode, cost.table_class) == (chosen.cost.mode, chosen.cost.table_class)
        storage = cost.storage_usd + cost.index_storage_usd
        name = say("**{}, {}** (as billed here)" if current else "{}, {}", cost.mode, cost.table_class)
        rows.append((name, *(money(amount) for amount in (cost.total_usd - storage, storage, cost.total_usd))))
    return table(("mode and table class", "requests", "storage", "total"), rows, (1, 2, 3))


def _computed(analysis: Analysis, capacity: LongTable, mark: Markup) -> Iterator[Markup]:
    """Each part of the bill as a product, the conventions, and the capacity where it is provisioned."""
    yield paragraph("A month{}, part by part:", mark)
    yield bullets(analysis.formulas)
    yield paragraph("Conventions:")
    yield bullets(analysis.conventions)
    if capacity.rows:
        yield paragraph("Provisioned, in units a second:")
        yield capacity.head()


def _capacity_table(chosen: Alternative) -> LongTable:
    ordered = sorted(chosen.cost.capacity, key=lambda one: (-one.read_units - one.write_units, *_structure(one)))
    rows = [
        (code("/".join(_structure(one))), number(one.peak_reads), number(one.read_units), number(one.peak_writes),
         number(one.write_units)) for one in ordered
    ]  # fmt: skip
    headers = ("table or GSI", "reads at the peak", "RCU", "writes at the peak", "WCU")
    return LongTable("Provisioned capacity", headers, rows, (1, 2, 3, 4), by="capacity")


def _structure(one: Capacity) -> tuple[str, ...]:
    return (one.table, one.index) if one.index else (one.table,)


# --- work and risk ---


def _metrics(analysis: Analysis) -> Markup:
    rows = [(one.name, say("{} {}", number(one.value), one.unit), one.meaning) for one in analysis.metrics]
    return table(("metric", "value", "meaning"), rows, (1,)) if rows else Markup("")


def _efforts(analysis: Analysis) -> Iterator[Markup]:
    if analysis.efforts:
        yield paragraph("Work, in person-days (assumed per thing, counted from the design):")
        rows = [(one.name, number(one.low_days), number(one.high_days), one.formula) for one in analysis.efforts]
        yield table(("what", "low", "high", "made of"), rows, (1, 2))


def _risk_table(analysis: Analysis) -> LongTable:
    rows = [(one.risk, one.raised_by, one.mitigation) for one in analysis.risks]
    return LongTable("Risks", ("risk", "raised by", "what helps"), rows, by="severity")


def _acknowledgments(analysis: Analysis) -> Iterator[Markup]:
    if not analysis.acknowledgments:
        yield paragraph("Nothing to acknowledge.")
        return
    yield paragraph("To be ticked by the role named, before the migration starts.")
    yield Markup("".join(say("- [ ] {}\n", line) for line in analysis.acknowledgments))


def _unproved(validation: Validation) -> list[str]:
    """The checks of stage 4 that were not made."""
    return [f"{one.name}: {one.evidence}" for one in validation.checks if one.verdict == "not analysed"]
