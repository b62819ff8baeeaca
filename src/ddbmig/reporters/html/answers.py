"""The first screen: can we migrate, what will it cost, what is risky, what do you want from me."""

from collections.abc import Iterator
from dataclasses import dataclass

from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.numbers import Figure, count, dollars, share, word
from ddbmig.reporters.html.proof import MISMATCHED, OPEN, PROVED, proof_of
from ddbmig.reporters.markdown import money, number, percent, visible
from ddbmig.reporters.pages import plural

RISKS = 3
"""Risks on the first screen; all of them stand below."""


@dataclass(frozen=True)
class Line:
    """One figure of an answer and what it is."""

    figure: Figure
    text: str
    link: str = ""
    obstacle: bool = False
    """Whether anything but none of it stands in the way."""


@dataclass(frozen=True)
class Answer:
    """A question, its answer in a few words, and what that rests on."""

    question: str
    short: str
    look: str
    """`good`, `bad` or `open`."""
    lines: tuple[Line, ...]
    mark: str = ""
    """What the answer rests on, where that is assumed."""


def answers(material: Material) -> tuple[Answer, ...]:
    """The four answers, as far as the stages that were run give them."""
    return _can_we(material), _cost(material), _risk(material), _wanted(material)


def _can_we(material: Material) -> Answer:
    lines = tuple(_obstacles(material))
    short, look = _verdict(material, sum(int(line.figure.order) for line in lines if line.obstacle))
    return Answer("Can we migrate?", short, look, lines)


def _verdict(material: Material, obstacles: int) -> tuple[str, str]:
    """The answer in a few words, no better than what was tried."""
    if material.chosen is None or material.validation is None:
        return "Not known yet: stages 3 and 4 have not both been run", "open"
    if obstacles:
        return f"Not as it is: {plural(obstacles, 'obstacle')}", "bad"
    if not proof_of(material.validation).proved:
        return "Not known: of no access pattern is anything proved", "open"
    if routed := material.chosen.routed_calls_share:
        return f"Yes, beside another system for {percent(routed)} of the calls", "open"
    return "Nothing found that stands in the way", "good"


def _obstacles(material: Material) -> Iterator[Line]:
    if material.validation is not None:
        proof, engine = proof_of(material.validation), visible(material.validation.engine)
        yield Line(count(proof.proved), f"of {number(proof.all)} access patterns {PROVED} {engine}", "proof")
        yield Line(count(proof.mismatched), MISMATCHED, "patterns", obstacle=True)
        yield Line(count(proof.open), OPEN, "proof")
        failed = sum(check.verdict == "failed" for check in material.validation.checks)
        yield Line(count(failed), "of the checks failed", "proof", obstacle=True)
    if material.chosen is not None:
        yield Line(share(material.chosen.routed_calls_share), "of the calls need another system beside DynamoDB",
                   "patterns")  # fmt: skip
    errors = sum(one.severity == "error" for one in material.findings)
    yield Line(count(errors), "finding is an error" if errors == 1 else "findings are errors", "risks", obstacle=True)


def _cost(material: Material) -> Answer:
    question, about, assumed = "What will it cost?", material.rates_source, material.assumed_rates
    chosen, analysis = material.chosen, material.analysis
    if chosen is None:
        return Answer(question, "Not known yet: stage 3 has not been run", "open", ())
    lines = []
    if analysis is not None:
        lines = [Line(dollars(one.total_usd, about, assumed), f"a month in {one.months} months", "growth")
                 for one in analysis.projections if one.months]  # fmt: skip
        lines.append(Line(
            Figure(f"{money(analysis.best_usd)} – {money(analysis.worst_usd)}", 0, about, assumed),
            "a month, best and worst case after a year", "growth",
        ))  # fmt: skip
        low, high = (sum(one.low_days for one in analysis.efforts), sum(one.high_days for one in analysis.efforts))
        lines.append(Line(Figure(f"{number(low)} – {number(high)}", 0, "days per thing assumed", True),
                          "person-days of work in the first year", "effort"))  # fmt: skip
    mysql = material.snapshot.context.mysql_cost_per_month_usd
    if mysql is not None:
        lines.append(Line(Figure(f"${number(mysql, 2)}", mysql, "declared"), "a month for MySQL today"))
    mark = "assumed rates" if assumed else ""
    return Answer(question, f"{money(chosen.cost.total_usd)} a month today", "plain", tuple(lines), mark)


def _risk(material: Material) -> Answer:
    question, analysis = "What is risky?", material.analysis
    if analysis is None:
        return Answer(question, "Not known yet: stage 5 has not been run", "open", ())
    lines = [Line(word(f"{number + 1}."), visible(one.risk), "risks")
             for number, one in enumerate(analysis.risks[:RISKS])]  # fmt: skip
    more = len(analysis.risks) - RISKS
    if more > 0:
        lines.append(Line(count(more), "more, each with what helps", "risks"))
    return Answer(question, str(plural(len(analysis.risks), "risk")), "plain", tuple(lines))


def _wanted(material: Material) -> Answer:
    lines = tuple(line for line in _wishes(material) if line.figure.order)
    short = str(plural(sum(int(line.figure.order) for line in lines), "answer")) if lines else "Nothing is open"
    return Answer("What do you want from me?", short, "open" if lines else "good", lines)


def _wishes(material: Material) -> Iterator[Line]:
    choices = material.design or material.assessment
    if choices is not None:
        still_open = sum(one.chosen is None for one in choices.choices)
        yield _wish(still_open, "choice", "to take, or to leave at the default", "choices")
    if material.analysis is not None:
        yield _wish(len(material.analysis.acknowledgments), "acknowledgment", "to sign", "acknowledgments")
    if material.assessment is not None:
        yield _wish(len(material.assessment.assumptions), "assumption", "to confirm or correct", "assumptions")


def _wish(number_of: int, noun: str, todo: str, link: str) -> Line:
    return Line(count(number_of), f"{noun if number_of == 1 else noun + 's'} {todo}", link)
