"""What our designs cost beside published ones of experts, both priced by the independent evaluator.

    make bench-design        (DDBMIG_CORPUS)

For each case: the access patterns compared, the month's bill of the expert's design and of ours (the one that is chosen
and the cheapest), their ratio, and what is left out on both sides and why. Then the ratio where reads and writes are
mixed otherwise at the same number of requests. Ours is designed for the patterns that the expert's design answers; of
the expert's, an index or copy that only patterns left out would read is not charged. Every row of the source is stored
on both sides. The exit code is not 0 where ours is dearer than a design that answers all compared patterns as they are.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources

from ddbmig.engine.choice import propose
from ddbmig.engine.evaluate import evaluate
from ddbmig.engine.operations import price
from ddbmig.engine.prices import prices_of, read_price_list
from ddbmig.engine.review import review
from ddbmig.model.context import Pricing
from ddbmig.model.design import Alternative, Cost, Design
from ddbmig.model.prices import Prices
from ddbmig.model.snapshot import Snapshot
from expert_design import ExpertDesign
from published_designs import Case, Fault, analysed, corpus, pattern_id, rates, read_cases, remarks, rulebook

MIXES = ((1000, 1), (100, 1), (10, 1), (1, 1), (1, 10))
"""Reads to writes."""


@dataclass(frozen=True)
class Comparison:
    """Both designs of one case."""

    case: str
    patterns: int
    """All that the file has."""
    compared: tuple[str, ...]
    faults: tuple[Fault, ...]
    routed: Mapping[str, str]
    """Patterns that our chosen design does not answer, each with what it says."""
    expert: Cost
    chosen: str
    ours: Cost
    cheapest: str
    least: Cost

    @property
    def ratio(self) -> Decimal:
        """Ours, as chosen, over the expert's."""
        return self.ours.total_usd / self.expert.total_usd

    @property
    def forgiven(self) -> tuple[Fault, ...]:
        """Faults of the expert's on patterns that are compared all the same."""
        return tuple(fault for fault in self.faults if fault.pattern in self.compared)

    @property
    def held(self) -> bool:
        """Whether ours is not dearer, or the expert's does not answer all that is compared as it is."""
        return self.ours.total_usd <= self.expert.total_usd or bool(self.forgiven)


def main() -> int:
    """0 where every case held."""
    folder = corpus()
    if folder is None:
        print("SKIPPED: the published designs are not here (set DDBMIG_CORPUS)")
        return 0
    cases, prices = read_cases(folder), shipped_prices()
    found = [compare(case, prices) for case in cases]
    print_table(found)
    print_left_out(found)
    print_mixes(cases, prices)
    return not all(one.held for one in found)


def shipped_prices() -> Prices:
    """The prices that ship with the product, under its default terms."""
    name = "prices.yaml"
    return prices_of(read_price_list(name, resources.files("ddbmig.engine").joinpath(name).read_text()), Pricing())


# --- both sides ------------------------------------------------------------------------------------------------------


def answered(case: Case) -> Case:
    """The case with the patterns that the expert answers, and those whose fault is forgiven."""
    out = {fault.pattern for fault in remarks().faults if fault.case == case.id and fault.compared is None}
    return case.only(question.id for question in case.access_patterns if question.id not in out)


def compare(case: Case, prices: Prices) -> Comparison:
    """Design the case, and price both sides for the patterns that both answer."""
    kept = answered(case)
    snapshot, assessment = analysed(kept)
    found = propose(snapshot, assessment, prices, lambda a: review(snapshot, assessment, a, rulebook()), {})
    chosen = found.alternative(found.chosen)
    names = {pattern_id(question): question.id for question in kept.access_patterns}
    routed = {names[plan.pattern]: plan.detail for plan in chosen.plans if plan.routed}
    compared = kept.only(question.id for question in kept.access_patterns if pattern_id(question) not in
                         {plan.pattern for plan in chosen.plans if plan.routed})  # fmt: skip
    bills = {a.id: our_bill(kept, snapshot, a, prices) for a in answering(found)}
    cheapest = min(bills, key=lambda name: (bills[name].total_usd, name))
    return Comparison(
        case=case.id,
        patterns=len(case.access_patterns),
        compared=tuple(question.id for question in compared.access_patterns),
        faults=tuple(fault for fault in remarks().faults if fault.case == case.id),
        routed=routed,
        expert=expert_bill(compared, snapshot, prices),
        chosen=chosen.id,
        ours=bills[chosen.id],
        cheapest=cheapest,
        least=bills[cheapest],
    )


def answering(design: Design) -> Iterable[Alternative]:
    """The alternatives that answer whatever the chosen one does."""
    routed = _routed(design.alternative(design.chosen))
    return [alternative for alternative in design.alternatives if _routed(alternative) <= routed]


def _routed(alternative: Alternative) -> set[str]:
    return {plan.pattern for plan in alternative.plans if plan.routed}


def our_bill(case: Case, snapshot: Snapshot, alternative: Alternative, prices: Prices) -> Cost:
    """A month of one of our alternatives; a pattern that is routed costs nothing."""
    second = rates(case.access_patterns)
    month = {pattern: rate * prices.terms.seconds_per_month for pattern, rate in second.items()}
    return evaluate(alternative.tables, alternative.plans, snapshot, month, second, prices).cost


def expert_bill(case: Case, snapshot: Snapshot, prices: Prices) -> Cost:
    """A month of the expert's design."""
    expert = ExpertDesign(case, snapshot)
    second = {question.id: question.rps for question in case.access_patterns}
    month = {pattern: rate * prices.terms.seconds_per_month for pattern, rate in second.items()}
    return price(expert.stores(), expert.operations(), month, second, prices).cost


# --- what is printed -------------------------------------------------------------------------------------------------


def print_table(found: Sequence[Comparison]) -> None:
    """A line per case."""
    columns = ("case", "compared", "expert $", "ours $", "chosen", "cheapest $", "ratio")
    print("{:24}{:>10}{:>11}{:>11}  {:20}{:>11}{:>8}".format(*columns))
    for one in found:
        patterns = f"{len(one.compared)} of {one.patterns}"
        bills = f"{one.expert.total_usd:>11,.2f}{one.ours.total_usd:>11,.2f}"
        note = "" if one.ratio <= 1 else "  dearer, a fault is forgiven" if one.held else "  DEARER"
        print(
            f"{one.case:24}{patterns:>10}{bills}  {one.chosen:20}{one.least.total_usd:>11,.2f}{one.ratio:>8.3f}{note}"
        )


def print_left_out(found: Sequence[Comparison]) -> None:
    """What is not compared, or compared in spite of a fault, and why."""
    for one in found:
        if one.faults or one.routed:
            print(f"\n{one.case}")
        for fault in one.faults:
            if fault.pattern in one.compared:
                print(f"  {fault.pattern:>4} compared all the same: {fault.reason} {fault.compared}")
            else:
                print(f"  {fault.pattern:>4} left out, the expert: {fault.reason}")
        for pattern, detail in sorted(one.routed.items()):
            print(f"  {pattern:>4} left out, ours is routed: {detail}")


def print_mixes(cases: Sequence[Case], prices: Prices) -> None:
    """The ratio by the mix of reads and writes, the requests a second kept as they are in all."""
    print("\nratio by reads to writes")
    print(f"{'case':24}" + "".join(f"{f'{reads}:{writes}':>9}" for reads, writes in MIXES))
    for case in cases:
        ratios = [compare(mixed(case, *mix), prices).ratio for mix in MIXES]
        print(f"{case.id:24}" + "".join(f"{ratio:>9.3f}" for ratio in ratios))


def mixed(case: Case, reads: int, writes: int) -> Case:
    """The patterns that the expert answers, with so many reads for so many writes."""
    kept = answered(case)
    part = (kept.rate("read") + kept.rate("write")) / (reads + writes)
    scaled = kept.scaled(part * reads / kept.rate("read"), part * writes / kept.rate("write"))
    return case.model_copy(update={"access_patterns": scaled.access_patterns})


if __name__ == "__main__":
    sys.exit(main())
