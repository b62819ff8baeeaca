"""The cut-over in five phases with the way back from each, in Markdown.

Every criterion stands beside what stage 4 found for it, and is met, not met, or open: what only the real tables can
show. MySQL has every write until the last phase ends, so that there is a way back without loss until then.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from ddbmig.model.design import TableDesign
from ddbmig.model.errors import UsageError
from ddbmig.model.plan import Plan
from ddbmig.model.validation import STATUSES, PatternResult, Validation
from ddbmig.reporters.exports.alarms import LEAST, TWICE
from ddbmig.reporters.exports.material import Material, Peak
from ddbmig.reporters.markdown import Markup, bullets, code, heading, number, percent, table, text
from ddbmig.reporters.pages import marked, page, paragraph, plural, say, section
from ddbmig.reporters.weights import Weights, weights_of

State = Literal["met", "not met", "open"]
SHOWN = 5
"""Access patterns that a criterion names."""
_COUNTED = Markup("counted by the application")
_STATES: dict[str, State] = {"passed": "met", "failed": "not met", "not analysed": "open"}


class Criterion(NamedTuple):
    """What must hold, what is known of it, and whether it holds."""

    what: Markup
    found: Markup
    state: State


def cutover(material: Material) -> str:
    """The page. Raises UsageError where stage 4 has not run the design as it is now."""
    validation = material.validation
    if validation is None:
        raise UsageError("stage 4 has not run this design", expected="its figures, for the criteria",
                         hint="first: ddbmig analyze")  # fmt: skip
    plan = _Plan(material, validation)
    phases = (plan.tables(), plan.load(), plan.both(), plan.reads(), plan.leads())
    limited = any(one.source_rows_limited for one in validation.loads)
    failing = [one for phase in phases for one in phase.entry if one.state == "not met"]
    return page(
        heading(1, "Cut-over"),
        bullets(material.origin.lines()),
        paragraph("Five phases. A phase begins when every entry criterion is met; “open” is what only the real tables "
                  "can show. Figures are those of stage 4, run on {}{}.", validation.engine,
                  " with the first rows of the data" if limited else ""),
        paragraph("{}", validation.engine_warning) if validation.engine_warning else "",
        paragraph("Entry criteria that are not met today: {}.", number(len(failing))),
        bullets(say("{}: {}", one.what, one.found) for one in failing) if failing else "",
        *(_shown(position, phase) for position, phase in enumerate(phases, 1)),
    )  # fmt: skip


class Phase(NamedTuple):
    """One phase."""

    title: str
    entry: Sequence[Criterion]
    steps: Sequence[Markup]
    exit: Sequence[Criterion]
    back: Markup
    detail: Markup = Markup("")


def _shown(position: int, phase: Phase) -> Markup:
    return section(
        f"Phase {position}: {phase.title}",
        section("Entry", _criteria(phase.entry), level=3), section("Steps", bullets(phase.steps), level=3),
        phase.detail, section("Exit", _criteria(phase.exit), level=3), section("Way back", phase.back, level=3),
    )  # fmt: skip


def _criteria(found: Sequence[Criterion]) -> Markup:
    return table(("criterion", "what is known", "state"), [(one.what, one.found, one.state) for one in found])


def _held(holds: bool) -> State:
    return "met" if holds else "not met"


class _Plan:
    """The phases of one design."""

    def __init__(self, material: Material, validation: Validation) -> None:
        self.material, self.validation = material, validation
        self.weights: Weights = weights_of(material.snapshot)
        self.results: dict[str, PatternResult] = {one.pattern: one for one in validation.patterns}
        self.plans: list[Plan] = [one for one in material.alternative.plans if one.pattern in self.weights.patterns]
        self.writes = [one for one in self.plans if self.weights.patterns[one.pattern].kind != "select"]
        self.selects = [one for one in self.plans if self.weights.patterns[one.pattern].kind == "select"]

    def tables(self) -> Phase:
        origin, checks = self.material.origin, self.validation.checks
        gsis = sum(len(one.gsis) for one in self.material.tables)
        entry = [
            Criterion(Markup("the design and its contract are approved"), code(origin.data()["approval"]),
                      _held(origin.approval is not None)),
            *(Criterion(text(one.name), text(one.evidence), _STATES[one.verdict]) for one in checks),
        ]  # fmt: skip
        made = say("{} and {}", plural(len(self.material.tables), "table"), plural(gsis, "GSI"))
        steps = [
            say("Make them: {} or {}.", code("ddbmig export cloudformation"), code("ddbmig export terraform")),
            say("Give the services their rights: {}.", code("ddbmig export iam")),
            say("Show them: {}.", code("ddbmig export dashboard")),
        ]
        leaving = [Criterion(Markup("all are ACTIVE"), made, "open")]
        return Phase("make the tables", entry, steps, leaving,
                     paragraph("Delete them: nothing reads or writes them yet."))  # fmt: skip

    def load(self) -> Phase:
        loads = self.validation.loads
        rejected, rows = sum(one.rejected for one in loads), sum(one.rows for one in loads)
        trips = self.validation.round_trip
        apart = sum(one.missing + one.differing + one.unexpected for one in trips)
        entry = [
            Criterion(Markup("no row is refused by the contract"),
                      say("{} of {} rows were refused", number(rejected), number(rows)) if loads
                      else Markup("no row was loaded"), _held(not rejected) if loads else "open"),
            Criterion(Markup("rows come back from their items with every value"),
                      say("{} of {} rows came back, {}", number(sum(one.recovered for one in trips)),
                          number(sum(one.rows for one in trips)), plural(apart, "difference")) if trips
                      else Markup("not tried"), _held(not apart) if trips else "open"),
        ]  # fmt: skip
        steps = [
            Markup("From the moment of the load on, note the key of every row that the application changes."),
            say("Load the empty tables: {}.", code("ddbmig load")),
            say("Compare: {}.", code("ddbmig verify")),
        ]
        leaving = [Criterion(say("{} says that none of the tables differ from the rows of that moment",
                                 code("ddbmig verify")), self._items(), "open")]  # fmt: skip
        return Phase("load and compare", entry, steps, leaving,
                     paragraph("Delete the tables and make them anew: nothing reads them yet."))  # fmt: skip

    def _items(self) -> Markup:
        """How many items are expected, as sure as the row counts of the source tables."""
        tables = self.material.alternative.tables
        return say("{} in {}", marked(say("about {} items", number(round(sum(one.items for one in tables)))),
                                      "assumed" if any(map(self._assumed, tables)) else "measured"),
                   plural(len(tables), "table"))  # fmt: skip

    def _assumed(self, one: TableDesign) -> bool:
        known = self.material.snapshot.statistics.get(one.source_table)
        return known is None or known.rows.source == "assumed"

    def both(self) -> Phase:
        routed = [one.pattern for one in self.writes if one.routed]
        unproved = [one.pattern for one in self.writes if not one.routed and not self._proved(one.pattern)]
        together = [one for one in self.material.assessment.transactions if len(one.tables_written) > 1]
        entry = [
            Criterion(Markup("every write has a plan"),
                      say("{} of {} have none: {}", number(len(routed)), plural(len(self.writes), "write"),
                          self._labels(routed)), _held(not routed)),
            Criterion(Markup("every planned write does what its SQL does"),
                      say("not shown for {}: {}", number(len(unproved)), self._labels(unproved)), _held(not unproved)),
            self._races(),
        ]  # fmt: skip
        steps = [
            say("Write the items of the noted rows again, then let each of the {} write MySQL first and make the "
                "calls of its plan in {} after it.", plural(len(self.writes) - len(routed), "planned write"),
                code("plans.json")),
            Markup("A call that DynamoDB refuses is noted with the key of its row; the items of that row are written "
                   "again from MySQL."),
            say("Kinds of transactions in the logs that write several tables: {}. Write DynamoDB after their COMMIT.",
                number(len(together))),
        ]  # fmt: skip
        leaving = [
            Criterion(Markup("no noted row is left"), _COUNTED, "open"),
            Criterion(say("{} names no difference that stays", code("ddbmig verify")), self._items(), "open"),
            *self._late(self.writes),
            *self._consumed("writes"),
        ]
        back = paragraph("Stop writing DynamoDB: MySQL has every write, and all reads still go there.")
        return Phase("write both, MySQL first", entry, steps, leaving, back)

    def _races(self) -> Criterion:
        tried = self.validation.consistency
        what = Markup("two clients at once, calls that arrive twice and GSIs that lag leave the data as MySQL would")
        if tried is None:
            return Criterion(what, Markup("not tried"), "open")
        wrong = tried.of("data", "crash", "lag", "repeat")
        found = say("{} in {}", plural(len(wrong), "anomaly", "anomalies"), plural(tried.schedules, "interleaving"))
        return Criterion(what, found, _held(not wrong))

    def _consumed(self, kind: Literal["reads", "writes"]) -> Iterator[Criterion]:
        """What each table and GSI is expected to take at the peak, and from where on its alarm is raised."""
        assumed = self.material.assessment.rates.source
        for table_, index in ((one.name, gsi) for one in self.material.tables
                              for gsi in (None, *(gsi.name for gsi in one.gsis))):  # fmt: skip
            peak = self.material.peaks.get((table_, index), Peak())
            units = peak.reads if kind == "reads" else peak.writes
            if units > 0:
                shown = marked(say("{} expected at the peak", number(units)), assumed)
                limit = number(max(TWICE * units, LEAST))
                name = code(table_ if index is None else f"{table_}/{index}")
                yield Criterion(say("{} takes at most {} units a second of {}", name, limit, kind), shown, "open")

    def reads(self) -> Phase:
        ready = [one.pattern for one in self.selects if self._proved(one.pattern)]
        entry = [
            *self._replayed(),
            Criterion(Markup("reads that may move now"),
                      say("{} of {}, with {} of all calls", number(len(ready)), number(len(self.selects)),
                          percent(self.weights.share(ready))), _held(bool(ready) or not self.selects)),
        ]  # fmt: skip
        steps = [
            Markup("Read both for a part of the calls, answer from MySQL, and count the answers that differ."),
            Markup("Move one access pattern after the other, in the order of the table: those that are proved."),
        ]
        leaving = [
            Criterion(Markup("no answer of a moved access pattern differs"), _COUNTED, "open"),
            *self._late(self.selects),
            *self._consumed("reads"),
        ]
        return Phase("read DynamoDB", entry, steps, leaving,
                     paragraph("Read MySQL again, access pattern by access pattern: it has every write."),
                     self._moving())  # fmt: skip

    def _replayed(self) -> Iterator[Criterion]:
        replay = self.validation.replay
        if replay is not None:
            refused = sum(replay.refused.values())
            yield Criterion(Markup("statements in the mix of the logs are answered"),
                            say("{} of {} were answered, {} refused", number(replay.runs), number(replay.statements),
                                number(refused)), _held(not refused))  # fmt: skip

    def _late(self, plans: Sequence[Plan]) -> Iterator[Criterion]:
        """Of these plans, those of tables with a declared latency."""
        replay, wanted = self.validation.replay, {one.pattern for one in plans}
        for one in replay.patterns if replay is not None else ():
            if one.required_ms is not None and one.pattern in wanted:
                yield Criterion(
                    say("the p99 of {} is at most {} ms", self.weights.label(one.pattern), number(one.required_ms)),
                    say("about {} ms by its round trips", number(one.estimated_ms)), "not met" if one.late else "open",
                )  # fmt: skip

    def _moving(self) -> Markup:
        """Every read, the heaviest first, with whether it may move."""
        plans = {one.pattern: one for one in self.selects}
        rows = [
            (self.weights.label(key), percent(self.weights.share([key])), number(plans[key].round_trips),
             self._status(plans[key]), "yes" if self._proved(key) else "no")
            for key in self.weights.by_calls(plans)
        ]  # fmt: skip
        headers = ("access pattern", "share of calls", "round trips", "stage 4", "moves")
        return section("Reads", table(headers, rows, (1, 2)) if rows else Markup(""), level=3)

    def leads(self) -> Phase:
        counts = {status: sum(one.status == status for one in self.results.values()) for status in STATUSES}
        staying = [one.pattern for one in self.plans if not self._proved(one.pattern)]
        told = ", ".join(f"{count} {status}" for status, count in counts.items())
        found = say("{}; not proved or routed: {}", told, self._labels(staying))
        entry = [Criterion(Markup("no access pattern needs MySQL"), found, _held(not staying))]
        steps = [
            Markup("Write DynamoDB first and MySQL after it, from the item."),
            say("Compare: {}.", code("ddbmig verify")),
            Markup("Keep a last dump, then stop writing MySQL. This step ends the way back."),
        ]
        trips = self.validation.round_trip
        leaving = [
            Criterion(say("{} says that none of the tables differ", code("ddbmig verify")), self._items(), "open")
        ]
        back = paragraph(
            "Until MySQL is no longer written: write and read MySQL first again. After that only items made into rows "
            "lead back; in stage 4 {} of {} rows came back from their items with every value.",
            number(sum(one.recovered for one in trips)), number(sum(one.rows for one in trips)),
        )  # fmt: skip
        return Phase("DynamoDB leads", entry, steps, leaving, back)

    def _proved(self, pattern: str) -> bool:
        result = self.results.get(pattern)
        return result is not None and result.status == "proved"

    def _status(self, plan: Plan) -> str:
        result = self.results.get(plan.pattern)
        return result.status if result is not None else "routed" if plan.routed else "not run"

    def _labels(self, patterns: Sequence[str]) -> Markup:
        """The heaviest of some access patterns, and how many more there are."""
        ordered = self.weights.by_calls(patterns)
        shown = ", ".join(self.weights.label(key) for key in ordered[:SHOWN])
        return Markup(f"{shown} and {number(len(ordered) - SHOWN)} more" if len(ordered) > SHOWN else shown or "none")
