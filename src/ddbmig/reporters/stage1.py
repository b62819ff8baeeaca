"""Stage1_MySQLAnalysis.md: what was read, what of it was understood, and what only people know."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ddbmig.model.digest import DigestSource
from ddbmig.model.schema import InputProblem, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.statistics import TableStatistics
from ddbmig.reporters.concerns import concern, latency_table, requirement_table
from ddbmig.reporters.inventory import keys_of, unmapped
from ddbmig.reporters.markdown import Markup, bullets, bytes_, code, heading, number, table
from ddbmig.reporters.pages import (
    LongTable,
    all_tables,
    marked,
    measure,
    names,
    next_step,
    page,
    paragraph,
    plural,
    say,
    section,
)
from ddbmig.reporters.weights import Weights, weights_of

NOT_CONNECTED = "**NOT CONNECTED: from files only**"
NOT_ANSWERED = Markup("not answered")
_GAPS = 50


def stage1(snapshot: Snapshot) -> str:
    """The page of stage 1."""
    weights = weights_of(snapshot)
    inventory, skipped = _schema_table(snapshot, weights), _skipped_table(snapshot)
    latency, growth = latency_table(snapshot, weights), _growth_table(snapshot, weights)
    problems, owners, left_out = _problem_table(snapshot), _owner_table(snapshot), _scope_table(snapshot)
    return page(
        _connection(snapshot),
        heading(1, "Stage 1: MySQL analysis and context"),
        section("Summary", _summary(snapshot, weights)),
        section("What needs a decision", _decisions(snapshot)),
        section("Schema", inventory.head()),
        section("What does not map by itself", _unmapped(snapshot)),
        section("Scope", _scope(snapshot), left_out.head(Markup(""))),
        section("Application lifecycle stage assessment", _lifecycle(snapshot)),
        section("Team expertise evaluation", _team(snapshot), owners.head(_NO_OWNERS)),
        section("Performance requirements validation", *_performance(snapshot, latency)),
        section("Growth projections and business roadmap", _growth(snapshot), growth.head(_NO_GROWTH)),
        section("Current pain points and migration drivers", _pains(snapshot, weights)),
        section("Inputs", _inputs(snapshot), _sources(snapshot)),
        section("Every statement accounted for", _accounts(snapshot, weights), skipped.head()),
        section("What was not understood", problems.head(), _notes(snapshot)),
        all_tables(inventory, left_out, owners, latency, growth, skipped, problems),
        next_step("ddbmig approve 1"),
    )  # fmt: skip


# --- opening and summary ---


def _connection(snapshot: Snapshot) -> Markup:
    if snapshot.connection is None:
        return Markup(
            f"{NOT_CONNECTED}\n\nNo server was asked. Rows, sizes and rates are those of the files listed under "
            "“Inputs”; settings of the server, its statistics and whatever the logs missed are not known. "
            "`--mysql URL` reads the server itself.\n"
        )
    settings = [say("{} = {}", code(key), code(value)) for key, value in sorted(snapshot.connection.settings.items())]
    day = snapshot.connection.collected_on
    connected = paragraph("Connected to MySQL {}{}.", code(snapshot.connection.server_version),
                          say(" on {}", day) if day else "")  # fmt: skip
    return Markup(page(connected, bullets(settings), _not_told(snapshot.connection.not_told)))


def _not_told(gaps: Sequence[str]) -> Markup:
    """What a missing privilege or a time limit cost; the rest of a long list is in the value."""
    if not gaps:
        return Markup("")
    more = [say("… and {} more, in snapshot.json", number(len(gaps) - _GAPS))] if len(gaps) > _GAPS else []
    return Markup(page(paragraph("What the server did not tell:"), bullets([*gaps[:_GAPS], *more])))


def _summary(snapshot: Snapshot, weights: Weights) -> Markup:
    tables = snapshot.tables.tables
    outside = sum(1 for p in snapshot.patterns if p.unplanned)
    lines = [
        say("{}, {} of them in scope; {}.", plural(len(tables), "table"),
            number(len(tables) - len(snapshot.scoped_out)), _objects(snapshot)),
        say("Data: {}.", _volume(snapshot)),
        say("{} in {}, from {} over {}.", plural(weights.total, "call"),
            plural(len(snapshot.patterns), "access pattern"), _logs(snapshot), _span(snapshot)),
        say("{} of the access patterns cannot be answered as they stand and are looked at in stage 2.", number(outside))
        if outside else Markup(""),
        say("{} of the inputs could not be understood: see “What was not understood”.",
            plural(len(_problems(snapshot)), "piece")) if _problems(snapshot)
        else Markup("Every piece of the inputs was understood."),
    ]  # fmt: skip
    return bullets(line for line in lines if line)


def _objects(snapshot: Snapshot) -> Markup:
    count = len(snapshot.tables.objects)
    if not count:
        return Markup("no view, trigger, routine or event")
    return plural(count, "view, trigger, routine or event", "views, triggers, routines and events")


def _volume(snapshot: Snapshot) -> Markup:
    """Rows and bytes summed over the tables, with how many of the row counts were assumed."""
    found = list(snapshot.statistics.values())
    if not found:
        return Markup("not known")
    rows = sum(one.rows.value for one in found)
    size = sum(one.rows.value * one.item_bytes.value for one in found)
    guessed = [one for one in found if one.rows.value and "assumed" in (one.rows.source, one.item_bytes.source)]
    assumed = len(guessed)
    sure = say(" ({} of {} tables assumed)", number(assumed), number(len(found))) if assumed else Markup("")
    return say("{} rows, {} as DynamoDB items{}", number(rows), bytes_(size), sure)


def _logs(snapshot: Snapshot) -> Markup:
    return plural(len(snapshot.digest.sources), "log") if snapshot.digest.sources else Markup("no log")


def _span(snapshot: Snapshot) -> Markup:
    starts = [source.first_us for source in snapshot.digest.sources if source.first_us is not None]
    ends = [source.last_us for source in snapshot.digest.sources if source.last_us is not None]
    if not starts or not ends:
        return Markup("an unknown time")
    return say("{} s", number((max(ends) - min(starts)) / 1_000_000))


# --- decisions and context ---


def _decisions(snapshot: Snapshot) -> Markup:
    context = snapshot.context
    unanswered = {
        "context.lifecycle": context.lifecycle,
        "context.team_expertise": context.team_expertise,
        "context.requirements": context.requirements or None,
        "context.growth_percent_per_month": context.growth_percent_per_month,
        "context.owners": context.owners or None,
        "context.roadmap": context.roadmap or None,
        "context.mysql_cost_per_month_usd": context.mysql_cost_per_month_usd,
        "workload.represents": snapshot.workload.represents,
    }
    open_questions = [key for key, value in unanswered.items() if value is None]
    lines = []
    if open_questions:
        lines.append(say("Not answered in ddbmig.yaml, and open until then: {}.", names(open_questions, 20)))
    if unmapped(snapshot.tables, snapshot.statistics):
        lines.append(Markup("What becomes of the objects under “What does not map by itself”."))
    lines.append(Markup("Whether the scope is right: which tables move, which stay on MySQL (`scope` in ddbmig.yaml)."))
    return bullets(lines)


def _lifecycle(snapshot: Snapshot) -> Markup:
    return _answer("Lifecycle", snapshot.context.lifecycle, "nothing, so no rule on it fires")


def _team(snapshot: Snapshot) -> Markup:
    return _answer("Experience with DynamoDB", snapshot.context.team_expertise, "nothing, so no rule on it fires")


def _answer(question: str, value: str | None, otherwise: str) -> Markup:
    if value is None:
        return paragraph("{}: not answered; assumed: {}.", question, otherwise)
    return paragraph("{}: **{}** (declared).", question, value)


_NO_OWNERS = paragraph("Owners and security contexts: {}.", NOT_ANSWERED)


def _owner_table(snapshot: Snapshot) -> LongTable:
    context = snapshot.context
    rows = [
        (code(name), context.owners.get(name, "–"), context.security_contexts.get(name, "–"))
        for name in sorted({*context.owners, *context.security_contexts})
    ]
    return LongTable("Owners", ("table", "owner (declared)", "security context (declared)"), rows, by="name")


def _performance(snapshot: Snapshot, latency: LongTable) -> Iterator[Markup]:
    if not snapshot.context.requirements:
        yield paragraph("Required latency: {}.", NOT_ANSWERED)
    else:
        yield requirement_table(snapshot)
        yield latency.head(Markup(""))
        yield paragraph(
            "Measured in the slow log's execution times, to 2 % and never below the true value. It is MySQL's latency "
            "as logged, not that of DynamoDB, and statements that the slow log left out are not in it."
        )
    asked = {"Performance critical": snapshot.context.performance_critical,
             "Flexible analytics required": snapshot.context.analytics_required}  # fmt: skip
    yield bullets(
        say("{}: {}", name, NOT_ANSWERED if value is None else f"{'yes' if value else 'no'} (declared)")
        for name, value in asked.items()
    )


def _growth(snapshot: Snapshot) -> Markup:
    growth, roadmap = snapshot.context.growth_percent_per_month, snapshot.context.roadmap
    assumed = Markup("not answered; assumed: no growth in the verdicts, and the figure that stage 5 names in its costs")
    cost = snapshot.context.mysql_cost_per_month_usd
    return bullets(
        (
            say("Growth: {}.", assumed if growth is None else say("{} % a month (declared)", number(growth))),
            say("Roadmap: {}", roadmap or NOT_ANSWERED),
            say("What the log stands for: {}.", _represents(snapshot)),
            say("What MySQL costs today: {}.",
                NOT_ANSWERED if cost is None else say("${} a month (declared)", number(cost, 2))),
        )
    )  # fmt: skip


_NO_GROWTH = paragraph("Measured growth: not known. It takes rows with a date of their own (such as `created_at`), or "
                       "two collections of different days (`ddbmig collect --since`).")  # fmt: skip


def _growth_table(snapshot: Snapshot, weights: Weights) -> LongTable:
    found = {key: one.growth for key, one in snapshot.statistics.items() if one.growth is not None}
    rows = [
        (code(key), say("{} %", number(found[key].value, 2)), found[key].origin)
        for key in weights.tables_by_calls(found)
    ]
    return LongTable("Measured growth", ("table", "rows a month", "from"), rows, (1,))


def _represents(snapshot: Snapshot) -> Markup:
    declared = snapshot.workload.represents
    if declared is None:
        return Markup("not answered; assumed: an average span")
    if isinstance(declared, int):
        return say("{} calls a month (declared)", number(declared))
    return say("{} (declared)", {"average": "an average span", "peak": "the peak"}[declared])


def _pains(snapshot: Snapshot, weights: Weights) -> Markup:
    context = snapshot.context
    said = (
        ("Pain points (declared)", context.pain_points),
        ("Migration drivers (declared)", context.migration_drivers),
    )
    blocks = []
    for title, lines in said:
        if lines:
            blocks += [paragraph("{}:", title), bullets(concern(line, snapshot, weights) for line in lines)]
        else:
            blocks.append(paragraph("{}: {}.", title, NOT_ANSWERED))
    return Markup(page(*blocks))


# --- schema and scope ---


def _schema_table(snapshot: Snapshot, weights: Weights) -> LongTable:
    by_id = {one.id: one for one in snapshot.tables.tables}
    rows = [_schema_row(snapshot, weights, by_id[key]) for key in weights.tables_by_calls(by_id)]
    headers = ("table", "calls", "rows", "row as item", "from", "columns", "keys")
    return LongTable("Schema", headers, rows, right=(1, 2, 3, 5))


def _schema_row(snapshot: Snapshot, weights: Weights, one: Table) -> tuple[str, ...]:
    found = snapshot.statistics.get(one.id)
    data: tuple[str, ...] = ("–", "–", "no data")
    if found is not None:
        data = (marked(number(found.rows.value), found.rows.source), measure(found.item_bytes), _origin(found))
    return (code(one.id), number(weights.table_calls[one.id]), *data, number(len(one.columns)), keys_of(one))


def _origin(found: TableStatistics) -> str:
    """Where the row count comes from, and the sizes where those were sampled."""
    rows, sizes = found.rows.origin, found.item_bytes.origin
    return rows if found.sample_rows is None else f"rows: {rows}; sizes: {sizes}"


def _unmapped(snapshot: Snapshot) -> Markup:
    rows = unmapped(snapshot.tables, snapshot.statistics)
    return table(("what", "where", "what it means"), rows) if rows else Markup("")


def _scope(snapshot: Snapshot) -> Markup:
    if not snapshot.scoped_out:
        return paragraph("Every table is to be migrated.")
    kept, out = len(snapshot.tables.tables) - len(snapshot.scoped_out), len(snapshot.scoped_out)
    return paragraph("{} to be migrated; {} left out.", plural(kept, "table"), number(out))


def _scope_table(snapshot: Snapshot) -> LongTable:
    rows = [(code(one.table), one.why, "yes" if one.stays_on_mysql else "no") for one in snapshot.scoped_out]
    return LongTable("Scope", ("left out", "why", "stays on MySQL"), rows, by="name")


# --- inputs and accounts ---


def _inputs(snapshot: Snapshot) -> Markup:
    rows = [(one.role, code(one.name), bytes_(one.bytes), code(one.sha256)) for one in snapshot.inputs]
    return table(("role", "file", "size", "SHA-256"), rows, (2,)) if rows else paragraph("No input is recorded.")


def _sources(snapshot: Snapshot) -> Markup:
    rows = [
        (source.kind, code(source.name), source.flavour or "not said", number(source.events),
         number(source.statements), _source_span(source))
        for source in snapshot.digest.sources
    ]  # fmt: skip
    return table(("log", "file", "server", "events", "statements", "span"), rows, (3, 4, 5)) if rows else Markup("")


def _source_span(source: DigestSource) -> Markup:
    if source.first_us is None or source.last_us is None:
        return Markup("no times")
    return say("{} s", number((source.last_us - source.first_us) / 1_000_000))


def _accounts(snapshot: Snapshot, weights: Weights) -> Markup:
    """Statements of the logs that calls are counted from = calls of patterns + skipped, with nothing left over."""
    if not snapshot.digest.sources:
        return paragraph("No log was given: there are no access patterns, and no rates.")
    counted = _counted(snapshot.digest.sources)
    statements = sum(source.statements for source in counted)
    early = _early(counted)
    late = sum(one.calls for one in snapshot.skipped)
    more = weights.total + late + sum(early.values()) - statements
    rows: list[tuple[str, str]] = [
        (say("statements in {}", names(source.name for source in counted)), number(statements))
    ]
    if more:
        rows.append(("calls of templates that only the other log holds", number(more)))
    rows += [
        (Markup("= in access patterns"), number(weights.total)),
        (Markup("+ skipped as no access pattern"), number(sum(early.values()))),
        (Markup("+ skipped after reading (below)"), number(late)),
    ]
    return Markup(page(table(("statements", "count"), rows, (1,)), _early_table(early)))


def _counted(sources: Iterable[DigestSource]) -> list[DigestSource]:
    """The logs that calls are counted from: the general logs, where there are any."""
    every = list(sources)
    return [source for source in every if source.kind == "general"] or every


def _early(sources: Iterable[DigestSource]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for source in sources:
        for reason, count in source.skipped.items():
            found[reason] = found.get(reason, 0) + count
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _early_table(early: Mapping[str, int]) -> Markup:
    rows = [(reason, number(count)) for reason, count in early.items()]
    return table(("skipped as no access pattern", "statements"), rows, (1,)) if rows else Markup("")


def _skipped_table(snapshot: Snapshot) -> LongTable:
    ordered = sorted(snapshot.skipped, key=lambda one: (-one.calls, one.reason))
    rows = [
        (one.reason, number(one.calls), number(one.templates), code(one.example) if one.example else "–")
        for one in ordered
    ]
    return LongTable("Skipped after reading", ("reason", "calls", "templates", "example"), rows, (1, 2))


def _problems(snapshot: Snapshot) -> tuple[InputProblem, ...]:
    return (*snapshot.tables.problems, *snapshot.digest.problems)


def _problem_table(snapshot: Snapshot) -> LongTable:
    rows = [(code(_place(one)), one.subject or "–", one.message) for one in _problems(snapshot)]
    return LongTable("What was not understood", ("where", "what", "why"), rows, by="place")


def _place(one: InputProblem) -> str:
    place = one.file if one.line is None else f"{one.file}:{one.line}"
    return place if one.offset is None else f"{place} at byte {one.offset}"


def _notes(snapshot: Snapshot) -> Markup:
    if not snapshot.digest.notes:
        return Markup("")
    return Markup(page(paragraph("What these logs cannot know:"), bullets(snapshot.digest.notes)))
