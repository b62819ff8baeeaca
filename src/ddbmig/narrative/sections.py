"""The sections of the narrative: for each its facts, and the text of ours that stands there without a model.

No text of a log or of a row enters: only figures, sentences of the engine and names of the schema and the designs.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment, RelationshipAssessment
from ddbmig.model.context import Audience
from ddbmig.model.design import Alternative, Decision, Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.narrative.facts import Certain, Facts, Figure, Statement, facts_of
from ddbmig.reporters.markdown import Markup, bullets, code, money, number
from ddbmig.reporters.pages import NOTHING, page, paragraph, say
from ddbmig.reporters.relations import by_weight
from ddbmig.reporters.stage3 import chosen_line, summary_lines
from ddbmig.reporters.stage5 import summary_lines as final_lines
from ddbmig.reporters.weights import weights_of

RELATIONSHIPS = 10
"""Relationships that have a section of their own: undecided ones and copies first, then the heaviest."""
_LIMIT = re.compile(r" \((?:[<>]=?|==|!=) [^)]*\)")
"""What a rule compares a fact with: no fact, and so not told."""
RISKS = 12
"""Risks that are told to a model; the template has them all."""


@dataclass(frozen=True)
class Saved:
    """The values of an analysis as far as its stages have been run; the first three at least."""

    snapshot: Snapshot
    assessment: Assessment
    design: Design
    validation: Validation | None = None
    analysis: Analysis | None = None

    @property
    def chosen(self) -> Alternative:
        """The design that is carried on with."""
        return self.design.alternative(self.design.chosen)


@dataclass(frozen=True)
class Section:
    """What a section says, as facts and as our own text."""

    facts: Facts
    template: Markup


def sections(saved: Saved, audience: Audience) -> tuple[Section, ...]:
    """The sections for an audience: an executive is spared the relationships one by one."""
    known = _names(saved)
    found = [_summary(saved, known), _trade_offs(saved, known)]
    if audience == "engineer":
        found += _rationales(saved, known)
    return (*found, _risks(saved, known))


def _names(saved: Saved) -> frozenset[str]:
    """Every name that prose could have to say."""
    names = {one.id for one in saved.design.alternatives}
    for table in saved.snapshot.tables.tables:
        names |= {table.id, table.name, *(column.name for column in table.columns)}
    names |= {one.relationship.id for one in saved.assessment.relationships}
    for made in (table for one in saved.design.alternatives for table in one.tables):
        names |= {made.name, *made.attributes, *(index.name for index in made.indexes)}
    return frozenset(names)


# --- summary ---


def _summary(saved: Saved, known: Iterable[str]) -> Section:
    design, chosen, analysis, validation = saved.design, saved.chosen, saved.analysis, saved.validation
    statements = [
        Statement(name="what the chosen design is", text=chosen.idea, of=chosen.id),
        Statement(name="why it is chosen", text=f"{design.chosen_because}.", of=chosen.id),
    ]
    figures = [*_design_figures(saved, chosen), *_schema_figures(saved)]
    template = Markup(page(chosen_line(design, chosen), summary_lines(chosen, saved.assessment)))
    if validation is not None:
        figures += _proof_figures(validation)
    if validation is not None and analysis is not None:
        figures += _outlook(saved, analysis)
        lines = final_lines(saved.snapshot, saved.assessment, chosen, validation, analysis)
        template = Markup(page(chosen_line(design, chosen), lines))
    facts = facts_of("summary", "Summary", known, about=chosen.id, figures=tuple(figures), statements=tuple(statements),
                     certain=tuple(_certain(chosen, validation)))  # fmt: skip
    return Section(facts, template)


def _design_figures(saved: Saved, one: Alternative) -> list[Figure]:
    tables = sum(table.role == "entity" for table in one.tables)
    rates = saved.assessment.rates.source
    return [
        _money("cost today", one.cost.total_usd, one.id, assumed=rates == "assumed"),
        _count("tables", tables, one.id),
        _count("look-up tables", len(one.tables) - tables, one.id),
        _count("GSIs", sum(len(table.indexes) for table in one.tables), one.id),
        _share("calls that another system must answer", one.routed_calls_share, one.id),
        _share("calls that scan a table", one.scan_calls_share, one.id),
        Figure(name="average of a call", value=_shown(one.round_trips_average), unit="round trips", of=one.id),
        Figure(name="write amplification", value=_shown(one.write_amplification), unit="×", of=one.id),
    ]


def _schema_figures(saved: Saved) -> list[Figure]:
    return [
        _count("tables", len(saved.snapshot.tables.tables), "MySQL"),
        _count("access patterns", len(saved.snapshot.patterns)),
        _count("relationships", len(saved.assessment.relationships)),
    ]


def _proof_figures(validation: Validation) -> list[Figure]:
    statuses = [one.status for one in validation.patterns]
    return [
        Figure(name="proved by running", value=Decimal(statuses.count("proved")), unit="access patterns"),
        Figure(name="with another answer than SQL", value=Decimal(statuses.count("mismatched")),
               unit="access patterns"),
    ]  # fmt: skip


def _outlook(saved: Saved, analysis: Analysis) -> list[Figure]:
    known = saved.snapshot.context.mysql_cost_per_month_usd
    mysql = [] if known is None else [_money("cost of MySQL today", Decimal(str(known)), "MySQL", source="declared")]
    low, high = (sum(days) for days in zip(*((e.low_days, e.high_days) for e in analysis.efforts), strict=True)
                 ) if analysis.efforts else (0.0, 0.0)  # fmt: skip
    return [
        _money("best case after growth", analysis.best_usd, assumed=True),
        _money("expected after growth", analysis.expected_usd, assumed=True),
        _money("worst case after growth", analysis.worst_usd, assumed=True),
        *mysql,
        Figure(name="least work in the first year", value=_shown(low), unit="person-days", source="assumed"),
        Figure(name="most work in the first year", value=_shown(high), unit="person-days", source="assumed"),
        _count("acknowledgments", len(analysis.acknowledgments)),
        _count("risks", len(analysis.risks)),
    ]


def _certain(chosen: Alternative, validation: Validation | None) -> Iterator[Certain]:
    if not chosen.proof.gaps and not chosen.proof.epsilon:
        yield "optimal"
    statuses = {one.status for one in validation.patterns} if validation is not None else set()
    if statuses == {"proved"}:
        yield "proved"
    elif "proved" in statuses:
        yield "proved in part"


# --- trade-offs ---


def _trade_offs(saved: Saved, known: Iterable[str]) -> Section:
    design, figures = saved.design, list[Figure]()
    for one in design.alternatives:
        figures += _design_figures(saved, one)
    statements = (
        *(Statement(name="idea", text=one.idea, of=one.id) for one in design.alternatives),
        Statement(name="the design that is chosen", text=f"{design.chosen_because}.", of=design.chosen),
        *(Statement(name="thin margin", text=line) for line in design.thin_margins),
    )
    lines = [say("{}, {} a month: {}", code(one.id), money(one.cost.total_usd), one.idea)
             for one in design.alternatives]  # fmt: skip
    because = paragraph("Chosen is {}: {}.", code(design.chosen), design.chosen_because)
    facts = facts_of("trade-offs", "Trade-offs between the designs", known, figures=tuple(figures),
                     statements=statements)  # fmt: skip
    return Section(facts, Markup(page(bullets(lines), because, bullets(design.thin_margins))))


# --- relationships ---


def _rationales(saved: Saved, known: Iterable[str]) -> list[Section]:
    decided = {one.relationship: one for one in saved.chosen.decisions}
    rank = {"undecided": 0, "separate": 2}
    weighed = [one for one in by_weight(saved.assessment, weights_of(saved.snapshot))
               if one.relationship.id in decided]  # fmt: skip
    ordered = sorted(weighed, key=lambda one: rank.get(one.verdict, 1))
    return [_rationale(one, decided[one.relationship.id], known) for one in ordered[:RELATIONSHIPS]]


def _rationale(one: RelationshipAssessment, decision: Decision, known: Iterable[str]) -> Section:
    name = one.relationship.id
    told = (("outcome", decision.outcome), ("how it is built", decision.because), ("trade-off", decision.trade_off),
            ("way back", decision.rollback), ("what to watch", decision.monitoring))  # fmt: skip
    reasons = [
        Statement(name=f"{line.rule} {line.title}", text="; ".join(_facts(line.because)))
        for line in one.ledger if line.option == decision.outcome
    ]  # fmt: skip
    figures = [Figure(name="margin of the verdict", value=Decimal(one.margin), unit="points")]
    facts = facts_of(
        f"relationship {name}", f"Relationship {name}", known, about=name, figures=tuple(figures),
        statements=(*(Statement(name=label, text=text) for label, text in told), *reasons),
    )  # fmt: skip
    template = page(
        paragraph("{}: {}. {}", decision.outcome, decision.because, decision.trade_off),
        paragraph("The way back: {} What to watch: {}", decision.rollback, decision.monitoring),
        bullets(say("{}: {}", reason.name, reason.text) for reason in reasons),
    )
    return Section(facts, Markup(template))


def _facts(because: Iterable[str]) -> Iterable[str]:
    """What was measured, each thing once."""
    return dict.fromkeys(_LIMIT.sub("", line) for line in because)


# --- risks ---


def _risks(saved: Saved, known: Iterable[str]) -> Section:
    if saved.analysis is not None:
        found = [(one.risk, one.raised_by, one.mitigation) for one in saved.analysis.risks]
    else:
        found = [(one.message, f"{one.rule} {one.title} on {one.subject}", one.instead)
                 for one in saved.chosen.findings]  # fmt: skip
    statements = [
        Statement(name=f"risk {n}", text=" ".join(filter(None, (_sentence(risk), f"Raised by: {by}.", help_))))
        for n, (risk, by, help_) in enumerate(found[:RISKS], 1)
    ]
    figures = (_count("risks", len(found)),)
    lines = [say("{} ({}). {}", risk.rstrip("."), by, help_) for risk, by, help_ in found]
    facts = facts_of("risks", "Risks", known, figures=figures, statements=tuple(statements))
    return Section(facts, bullets(lines) if lines else NOTHING)


# --- figures ---


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _shown(value: float) -> Decimal:
    return Decimal(number(value).replace(",", ""))


def _count(what: str, value: int, of: str = "") -> Figure:
    return Figure(name=f"number of {what}", value=Decimal(value), unit=what, of=of)


def _share(name: str, share: float, of: str) -> Figure:
    """In percent; as many places as it takes to be none of a rounded zero or whole."""
    percent = Decimal(repr(share)) * 100
    places = 1 if percent in (0, 100) or Decimal("0.05") <= percent <= Decimal("99.94") else 3
    return Figure(name=f"share of {name}", value=Decimal(number(percent, places).replace(",", "")), unit="%", of=of)


def _money(name: str, usd: Decimal, of: str = "", *, assumed: bool = False,
           source: Literal["declared"] | None = None) -> Figure:  # fmt: skip
    value = Decimal(money(usd).replace("$", "").replace(",", ""))
    return Figure(name=name, value=value, unit="USD a month", of=of, source="assumed" if assumed else source)
