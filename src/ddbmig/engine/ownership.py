"""Stage 5: what the chosen design comes to over its life - money now and later, people's time, risks, agreements.

Everything is derived from the values of the earlier stages; each figure that rests on an assumption says so.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ddbmig.engine.bill import conventions, formulas, mode_break_even
from ddbmig.engine.costs import MICRODOLLAR, Load, cost_by_mode, load_of
from ddbmig.engine.counsel import acknowledgments, evolution, risks
from ddbmig.engine.effort import efforts, metrics
from ddbmig.engine.growth import MONTHS, Growth, growth_of
from ddbmig.engine.one_off import one_off_costs
from ddbmig.engine.review import validation_facts
from ddbmig.engine.whatif import Variation, cost_under, write_share
from ddbmig.engine.wording import dollars, number, show
from ddbmig.model.analysis import Analysis, CostPoint, RiskItem, Sensitivity
from ddbmig.model.assessment import Assessment, FactValue, Finding
from ddbmig.model.design import Alternative, Cost, Design
from ddbmig.model.prices import Prices
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation

HORIZON = 12
"""Months after which the cases are compared."""
FAR = 100
"""A break-even at more than this factor from today's calls is out of sight."""

FindValidation = Callable[[Mapping[str, FactValue]], tuple[Finding, ...]]
"""Evaluates the rules of the phase `validation` on its facts."""

NOT_ANALYSED = (
    "Person-days are not turned into money: no day rate is declared.",
    "Free tier, taxes, reserved capacity, savings plans, backups, streams, data transfer and support plans are not in "
    "the cost.",
    "What answers the routed patterns is not priced: search, analytics or the MySQL that stays.",
    "Growth moves calls and items alike; that queries find more per call as data grows is not modelled, Scans apart.",
)


@dataclass(frozen=True)
class _Money:
    """Prices an alternative under variations of today's inputs."""

    load: Load
    prices: Prices

    def of(self, alternative: Alternative, change: Variation) -> Cost:
        return cost_under(alternative, self.load, self.prices, change)

    def total(self, alternative: Alternative, change: Variation) -> Decimal:
        return self.of(alternative, change).total_usd.quantize(MICRODOLLAR)


def analyse(
    snapshot: Snapshot, assessment: Assessment, design: Design, validation: Validation, find_validation: FindValidation
) -> Analysis:
    """Stage 5's value for the chosen alternative.

    `find_validation` evaluates the rules on the validation's facts. Money is USD a month, rounded to a millionth.
    Raises UsageError for a declared growth that no projection can use.
    """
    chosen = design.alternative(design.chosen)
    money = _Money(load_of(assessment.patterns), design.prices)
    growth = growth_of(snapshot.context)
    found = find_validation(validation_facts(validation))
    best, expected, worst = (money.total(chosen, change) for change in _cases(growth))
    modes = cost_by_mode(chosen.tables, chosen.plans, money.load, design.prices)
    findings = (*assessment.findings, *chosen.findings, *validation.findings, *found)
    return Analysis(
        alternative=chosen.id,
        metrics=metrics(chosen),
        projections=tuple(_projection(money, chosen, growth, months) for months in MONTHS),
        best_usd=best,
        expected_usd=expected,
        worst_usd=worst,
        case_assumptions=_case_assumptions(chosen, assessment, growth),
        formulas=formulas(chosen.cost, design.prices),
        conventions=conventions(design.prices),
        one_off=one_off_costs(chosen.tables, design.prices),
        modes=modes,
        mode_break_even=mode_break_even(modes, design.prices),
        efforts=efforts(chosen),
        sensitivities=_sensitivities(money, chosen, growth, assessment),
        break_even=tuple(_break_even(money, design, snapshot.context.mysql_cost_per_month_usd)),
        risks=(*risks(findings, {p.id: p.name for p in snapshot.patterns}), *_design_risks(chosen)),
        acknowledgments=acknowledgments(snapshot, assessment, chosen, validation),
        evolution=evolution(chosen, design.prices),
        findings=found,
        not_analysed=NOT_ANALYSED,
    )


def _all(factor: float) -> Variation:
    """Calls and items alike."""
    return Variation(reads=factor, writes=factor, data=factor)


def _projection(money: _Money, chosen: Alternative, growth: Growth, months: int) -> CostPoint:
    cost = money.of(chosen, _all(growth.after(months)))
    storage = cost.storage_usd + cost.index_storage_usd
    return CostPoint(
        months=months, requests_usd=cost.total_usd - storage, storage_usd=storage, total_usd=cost.total_usd
    )


def _cases(growth: Growth) -> tuple[Variation, Variation, Variation]:
    """Best, expected and worst case after the horizon."""
    low = growth.after(HORIZON) if growth.percent < 0 else 1.0
    middle = growth.after(HORIZON)
    high = growth.after(HORIZON, 2.0) if growth.percent > 0 else 1.0
    return (
        Variation(reads=0.5 * low, writes=0.5 * low, data=low),
        _all(middle),
        Variation(reads=2.0 * high, writes=2.0 * high, data=high, strong=True),
    )


def _case_assumptions(chosen: Alternative, assessment: Assessment, growth: Growth) -> tuple[str, ...]:
    rates = assessment.rates
    stands_for = rates.represents if "(assumed)" in rates.represents else f"{rates.represents} ({rates.source})"
    percent, double = show(growth.percent, "percent"), show(2 * max(0.0, growth.percent), "percent")
    share = show(chosen.scan_calls_share, "share")
    scans = (f"Scans ({share} of calls) pay for growth twice: in calls and in what each reads.",)
    return (
        f"All cases are the month after {HORIZON} months; growth of calls and items is {percent} a month "
        f"({growth.source}).",
        *(scans if chosen.scan_calls_share else ()),
        f"Best: half of today's calls, {'that shrinking' if growth.percent < 0 else 'no growth'}.",
        f"Expected: today's calls, growing {percent} a month; the log stands for {stands_for}.",
        f"Worst: twice today's calls, growing {double} a month, every read of a base table strongly consistent.",
    )


def _sensitivities(
    money: _Money, chosen: Alternative, growth: Growth, assessment: Assessment
) -> tuple[Sensitivity, ...]:
    """Each input moved alone, this month's cost; most moving first, an assumed workload rate before all."""

    def both(name: str, low: tuple[str, Variation], high: tuple[str, Variation]) -> Sensitivity:
        return Sensitivity(
            input=name, low_label=low[0], high_label=high[0],
            low_usd=money.total(chosen, low[1]), high_usd=money.total(chosen, high[1]),
        )  # fmt: skip

    assumed = assessment.rates.source == "assumed"
    rate = both(
        "workload rate" + (" (assumed)" if assumed else ""),
        ("×0.5", Variation(reads=0.5, writes=0.5)),
        ("×2", Variation(reads=2.0, writes=2.0)),
    )
    mark = " (assumed)" if growth.source == "assumed" else ""
    others = [
        both("share of writes, as many calls in all", *_mixes(money, chosen)),
        both("item size", ("−50 %", Variation(item_bytes=0.5)), ("+50 %", Variation(item_bytes=1.5))),
        both("price", ("−20 %", Variation(price=Decimal("0.8"))), ("+20 %", Variation(price=Decimal("1.2")))),
        both(
            f"growth{mark}, after {HORIZON} months",
            (f"{show(growth.percent / 2, 'percent')} a month", _all(growth.after(HORIZON, 0.5))),
            (f"{show(growth.percent * 2, 'percent')} a month", _all(growth.after(HORIZON, 2.0))),
        ),
        both("read consistency of base tables", ("as planned", Variation()), ("all strong", Variation(strong=True))),
    ]
    listed = sorted([*others, *([] if assumed else [rate])], key=lambda s: (-abs(s.high_usd - s.low_usd), s.input))
    return (rate, *listed) if assumed else tuple(listed)


def _mixes(money: _Money, chosen: Alternative) -> tuple[tuple[str, Variation], tuple[str, Variation]]:
    """Half and twice the share of writing calls, the calls in all unchanged."""
    share = write_share(chosen.plans, money.load.calls_per_month)

    def mix(wanted: float) -> tuple[str, Variation]:
        reads = (1 - wanted) / (1 - share) if share < 1 else 1.0
        return f"{show(wanted, 'share')} writes", Variation(reads=reads, writes=wanted / share if share else 1.0)

    return mix(share / 2), mix(min(1.0, share * 2))


def _break_even(money: _Money, design: Design, mysql_usd: float | None) -> Iterator[str]:
    chosen = design.alternative(design.chosen)
    others = [other for other in design.alternatives if other.id != chosen.id]
    yield from (_against(money, chosen, other) for other in others)
    if not others:
        yield "There is no other alternative to break even with."
    if mysql_usd is None:
        yield "MySQL: its cost is not given (context.mysql_cost_per_month_usd), so there is no break-even with it."
    else:
        yield _against_mysql(*_line(money, chosen), Decimal(repr(float(mysql_usd))))
    if money.prices.terms.mode == "provisioned":
        yield "Provisioned capacity comes in whole units; these break-evens take it as proportional to the calls."


def _line(money: _Money, alternative: Alternative) -> tuple[Decimal, Decimal]:
    """Requests and storage in USD: the cost at k times today's calls is k × requests + storage."""
    cost = money.of(alternative, Variation())
    storage = cost.storage_usd + cost.index_storage_usd
    return cost.total_usd - storage, storage


def _against(money: _Money, chosen: Alternative, other: Alternative) -> str:
    (requests, storage), (their_requests, their_storage) = _line(money, chosen), _line(money, other)
    mine, theirs = requests + storage, their_requests + their_storage
    start = f"{other.id}: {dollars(theirs)} a month against {dollars(mine)}"
    if other.routed_calls_share != chosen.routed_calls_share:
        start += (
            f" (it routes {show(other.routed_calls_share, 'share')} of calls, {chosen.id} "
            f"{show(chosen.routed_calls_share, 'share')})"
        )
    if requests == their_requests:
        return f"{start}; requests cost the same, so the difference stays whatever the number of calls."
    factor = (their_storage - storage) / (requests - their_requests)
    above, below = ("cheaper", "dearer") if requests < their_requests else ("dearer", "cheaper")
    if factor <= 0:
        return f"{start}; {chosen.id} is {above} at any number of calls."
    if factor < 1 / FAR:
        return f"{start}; {chosen.id} is {above} from 1/{FAR} of today's calls up."
    if factor > FAR:
        return f"{start}; {chosen.id} is {below} up to {FAR} times today's calls."
    return (
        f"{start}; they cost the same at {number(float(factor))} times today's calls, and {chosen.id} is {above} above."
    )


def _against_mysql(requests: Decimal, storage: Decimal, mysql_usd: Decimal) -> str:
    start = f"MySQL: {dollars(mysql_usd)} a month (declared) against {dollars(requests + storage)}"
    if storage >= mysql_usd:
        return f"{start}; DynamoDB's storage alone costs as much, so there is no break-even."
    if not requests:
        return f"{start}; no call is priced, so DynamoDB is cheaper at any number of calls."
    factor = (mysql_usd - storage) / requests
    return f"{start}; they cost the same at {number(float(factor))} times today's calls, DynamoDB is cheaper below."


def _design_risks(chosen: Alternative) -> tuple[RiskItem, ...]:
    """What the plans themselves say, beyond the rules."""
    found = []
    if chosen.routed_calls_share:
        found.append(
            RiskItem(
                risk=f"{show(chosen.routed_calls_share, 'share')} of calls have no bounded plan on DynamoDB",
                raised_by="stage 3: routed patterns",
                mitigation="Keep these statements on MySQL, fed by a stream, or move them to a search or analytics "
                "system; decide which before the migration starts.",
            )
        )
    if chosen.scan_calls_share:
        found.append(
            RiskItem(
                risk=f"{show(chosen.scan_calls_share, 'share')} of calls read a whole table, whose cost grows with it",
                raised_by="stage 3: plans that scan",
                mitigation="Cache these small tables in the application, and alarm when one outgrows a page of 1 MB.",
            )
        )
    return tuple(found)
