"""Alternatives, each a complete design and the best of its kind, and the one to carry on with.

All are solutions of one program (`engine.program`) under different restrictions. Carried on with is the simplest design
within 1 % of the cheapest one that keeps to the rules' verdicts and the user's choices.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ddbmig.engine.candidates import Copy, Draft, Entity, IndexDraft, new_entities
from ddbmig.engine.comparison import compare
from ddbmig.engine.costs import load_of, monthly_cost, write_amplification
from ddbmig.engine.difference import said
from ddbmig.engine.evaluate import evaluate
from ddbmig.engine.fixings import Fixings, option_costs
from ddbmig.engine.forms import Forms, SortedKey, demands, updated_columns
from ddbmig.engine.paths import Ways
from ddbmig.engine.program.build import Builder, Candidates
from ddbmig.engine.program.choose import Decided, built_entities
from ddbmig.engine.program.model import Program
from ddbmig.engine.program.solve import STAGES, Solved, runner_up, solve
from ddbmig.engine.program.tariff import NANO, Tariff
from ddbmig.engine.reads import Reads, compile_read
from ddbmig.engine.sizes import Sizes
from ddbmig.engine.statement import Frequencies, Statement
from ddbmig.engine.wording import dollars
from ddbmig.engine.writes import compile_write
from ddbmig.model.assessment import Assessment, Choice, Finding, RelationshipAssessment
from ddbmig.model.design import Alternative, Decision, Design, Proof, RelationshipCost, TableDesign
from ddbmig.model.digest import TemplateDigest
from ddbmig.model.errors import DdbmigError, UsageError
from ddbmig.model.plan import Plan
from ddbmig.model.prices import Prices
from ddbmig.model.progress import Progress, silent, stepwise
from ddbmig.model.snapshot import Snapshot

EPSILON = Fraction(1, 100)
"""Designs within this share of the cheapest count as equally cheap; the simplest of them is chosen."""
CERTAIN = Decimal("0.00001")
"""Share by which two counts of one bill may differ: each rounds its own parts."""
DEFAULT_COPY_BYTES = 2_048
"""A copy of more bytes than this is not offered: it would double the item."""

NOT_ANALYSED = (
    "Embedding children in their parent's item and collocating entities in one table are not built: a verdict `embed` "
    "or `collocate` is realised as a child table keyed by its parent, read by one Query.",
    "Transactions are compiled statement by statement: a MySQL transaction over several statements is listed in "
    "stage 2 but not yet compiled to one TransactWriteItems.",
    "Foreign keys: ON DELETE CASCADE and SET NULL are compiled to writes; that a parent is there, that one with "
    "children stays, and ON UPDATE are for the application to see to.",
    "Order of text: texts are compared without case and accents where their collation says so; punctuation is ordered "
    "by code point, which some collations do otherwise.",
    "A binary key column without an empty value in the data is used as a key as it is; DynamoDB would refuse to write "
    "an empty one later.",
    "Counters, write sharding and sparse indexes by a predicate are not among the candidates.",
)

FindAlternative = Callable[[Alternative], tuple[Finding, ...]]
"""Evaluates the rules of the phases `alternative` and `index` on an alternative."""


@dataclass(frozen=True)
class Scenario:
    """What one alternative may build, and what it is the best in."""

    id: str
    title: str
    idea: str
    allows_form: Callable[[Entity], bool] = lambda _: True
    allows_index: Callable[[IndexDraft], bool] = lambda _: True
    epsilon: Fraction = Fraction(0)
    stages: tuple[str, ...] = STAGES


def allowed(scenario: Scenario, candidates: Candidates) -> Program:
    """The program with what a scenario may build."""
    kept = [key for key, form in candidates.forms.items() if scenario.allows_form(form)]
    kept += [key for key, (form, index) in candidates.indexes.items()
             if scenario.allows_form(candidates.forms[form]) and scenario.allows_index(index)]  # fmt: skip
    return candidates.program.only(kept)


LEAST_ALTERNATIVES = 3
"""So many are shown even where some come to the same design."""


class Proposer:
    """Everything the alternatives have in common."""

    def __init__(self, snapshot: Snapshot, assessment: Assessment, prices: Prices) -> None:
        out = {entry.table for entry in snapshot.scoped_out}
        self.snapshot, self.assessment, self.prices = snapshot, assessment, prices
        self.tables = [table for table in snapshot.tables.tables if table.id not in out]
        self.sizes = Sizes(snapshot.tables, snapshot.statistics)
        digests = {t.id: t for t in snapshot.digest.templates}
        self.frequencies = {p.id: _frequencies(digests[p.template]) for p in snapshot.patterns}
        rates = {rate.pattern: rate for rate in assessment.patterns}
        self.calls = {p.id: rates[p.id].calls for p in snapshot.patterns}
        self.load = load_of(rates[p.id] for p in snapshot.patterns)
        self.patterns = sorted(snapshot.patterns, key=lambda p: p.id)
        kept = {table.id for table in self.tables}
        self.relationships = {
            found.relationship.id: found
            for found in assessment.relationships
            if found.relationship.child in kept and found.relationship.parent in kept
        }
        self.tariff = Tariff(self.load, prices)
        self.staying = frozenset(entry.table for entry in snapshot.scoped_out if entry.stays_on_mysql)
        self.copies = self._all_copies()
        self.faithful = new_entities(self.tables)

    # --- candidates ---

    def candidates(self, outcomes: Mapping[str, str]) -> Candidates:
        """Everything that may be built. `outcomes` are the options that the rules and the user fixed."""
        forms = Forms(
            self.sizes, demands(self.patterns, self.calls), updated_columns(self.patterns),
            (found.relationship for found in self.relationships.values()), self.assessment.many_to_many, self.copies,
            self._sorts(),
        )  # fmt: skip
        entities = {table: forms.of(entity, self._together(table, outcomes)) for table, entity in self.faithful.items()}
        draft = Draft(self.faithful, self.sizes, staying=self.staying)
        return Builder(self.patterns, entities, draft, self.frequencies, self.tariff).build()

    def _sorts(self) -> dict[str, dict[SortedKey, int]]:
        """By table, columns that a SELECT fixes with those by which it then wants a range or an order, and calls."""
        draft = Draft(self.faithful, self.sizes, staying=self.staying)
        found: dict[str, dict[SortedKey, int]] = {}
        for pattern in self.patterns:
            if pattern.kind != "select" or pattern.unplanned or {r.table for r in pattern.refs} - set(draft.tables):
                continue
            statement = Statement(pattern, self.sizes, self.frequencies[pattern.id])
            ways = Ways(statement, draft)
            for order in statement.orders()[:1]:
                for reach in statement.reaches(order):
                    entity = self.faithful[statement.table(reach.ref)]
                    fixed = tuple(sorted(reach.terms))
                    if fixed and (sort := ways.wanted_sort(reach, entity, fixed)):
                        mine = found.setdefault(entity.table.id, {})
                        mine[fixed, sort] = mine.get((fixed, sort), 0) + self.calls[pattern.id]
        return found

    def _together(self, table: str, outcomes: Mapping[str, str]) -> list[Copy]:
        """The copies of a table that the verdicts want."""
        return [c for c in self.copies.get(table, ()) if outcomes.get(c.relationship) == "denormalize"]

    # --- one alternative ---

    def build(
        self, scenario: Scenario, candidates: Candidates, outcomes: Mapping[str, str], solved: Solved
    ) -> Alternative:  # fmt: skip
        """The design of a scenario that was solved."""
        draft = Draft(built_entities(candidates, solved.built), self.sizes, staying=self.staying)
        reads = Reads(draft, Decided(draft.entities, solved.solution, self.tariff))
        plans = tuple(
            (compile_read if p.kind == "select" else compile_write)(p, draft, self.frequencies[p.id], reads)
            for p in self.patterns
        )
        copied = frozenset(copy.relationship for entity in draft.entities.values() for copy in entity.copies)
        proof = _proof(candidates, solved, scenario)
        alternative = self._describe(scenario, draft.freeze(), plans, outcomes, copied, proof)
        self._certify(alternative, solved)
        return alternative

    def _certify(self, alternative: Alternative, solved: Solved) -> None:
        """Raise DdbmigError where the evaluator, which shares no code with the program, comes to another bill.

        On demand the program itself must come to it too, unless it gave up patterns whose writes it still counts.
        """
        load, cost = self.load, alternative.cost.total_usd
        again = evaluate(alternative.tables, alternative.plans, self.snapshot, load.calls_per_month,
                         load.peak_per_second, self.prices).cost.total_usd  # fmt: skip
        bills = [("the evaluator", again)]
        if self.prices.terms.mode == "on-demand" and not solved.solution.routed:
            bills.append(("the program", Decimal(solved.amount.money) / NANO))
        for who, bill in bills:
            if abs(bill - cost) > CERTAIN * max(cost, Decimal(1)):
                raise DdbmigError(
                    f"design {alternative.id} costs ${cost:.6f} a month by its plans, ${bill:.6f} by {who}",
                    hint="this is a bug of ddbmig: please report it with the saved snapshot",
                )

    def fixings(self, candidates: Candidates, outcomes: Mapping[str, str]) -> Fixings:
        """What the verdicts and choices leave of the candidates."""
        copyable = frozenset(copy.relationship for copies in self.copies.values() for copy in copies)
        return Fixings(candidates, tuple(self.relationships.values()), copyable, outcomes)

    def _all_copies(self) -> dict[str, list[Copy]]:
        """By child table, the copies that its items may hold."""
        found: dict[str, list[Copy]] = {}
        for key in sorted(self.relationships):
            assessed = self.relationships[key]
            mine = found.setdefault(assessed.relationship.child, [])
            if self.feasible(assessed):
                mine.append(self._copy(assessed, mine))
        return found

    def _copy(self, found: RelationshipAssessment, before: Iterable[Copy]) -> Copy:
        """The short-circuited join of a relationship: the parent columns joint reads take, under names of their own."""
        relationship, names = found.relationship, copied_columns(found)
        parent, child = self.sizes.table(relationship.parent), self.sizes.table(relationship.child)
        taken = {c.name for c in child.columns} | {a for c in before for _, a in c.columns}
        role = relationship.child_columns[0].removesuffix("_id")
        columns = []
        for name in names:
            attribute = f"{role}_{name}"
            while attribute in taken:
                attribute += "_copy"
            taken.add(attribute)
            columns.append((name, attribute))
        share = found.facts.get("reads.joint_share")
        measured = f": {share.value:.0%} of reads touch both" if share and isinstance(share.value, float) else ""
        return Copy(
            relationship=relationship.id,
            parent=parent.id,
            parent_columns=relationship.parent_columns,
            local_columns=relationship.child_columns,
            columns=tuple(columns),
            because=f"short-circuits the join {relationship.id}{measured}",
        )

    def feasible(self, found: RelationshipAssessment) -> bool:
        """Whether a copy can be kept: few bytes, and one column that tells a parent without values from no parent."""
        names, parent = copied_columns(found), self.sizes.table(found.relationship.parent)
        if not names or all(parent.column(n).nullable for n in names):
            return False
        return sum(self.sizes.column_bytes(parent.id, n) for n in names) <= DEFAULT_COPY_BYTES

    def _describe(
        self,
        scenario: Scenario,
        tables: tuple[TableDesign, ...],
        plans: tuple[Plan, ...],
        outcomes: Mapping[str, str],
        copied: frozenset[str],
        proof: Proof,
    ) -> Alternative:
        decisions = tuple(self._decision(key, key in copied, tables) for key in sorted(self.relationships))
        violates = tuple(
            f"{d.relationship}: the verdict is {outcomes[d.relationship]}, here it is {d.outcome}"
            for d in decisions
            if self._violates(d, outcomes)
        )
        total = sum(self.calls.values()) or 1
        return Alternative(
            id=scenario.id,
            title=scenario.title,
            idea=scenario.idea,
            tables=tables,
            plans=plans,
            decisions=decisions,
            cost=monthly_cost(tables, plans, self.load, self.prices),
            routed_calls_share=sum(self.calls[p.pattern] for p in plans if p.routed) / total,
            scan_calls_share=sum(self.calls[p.pattern] for p in plans if p.scans) / total,
            round_trips_average=sum(self.calls[p.pattern] * p.round_trips for p in plans) / total,
            write_amplification=write_amplification(tables, plans, self.load.calls_per_month, self.sizes),
            respects_rules=not violates,
            violates=violates,
            proof=proof,
        )

    def _violates(self, decision: Decision, outcomes: Mapping[str, str]) -> bool:
        """A copy against the verdict, or none where the verdict wants one that is feasible."""
        wanted = outcomes.get(decision.relationship)
        if decision.outcome == "denormalize":
            return wanted not in (None, "denormalize")
        return wanted == "denormalize" and self.feasible(self.relationships[decision.relationship])

    def _decision(self, key: str, copied: bool, tables: tuple[TableDesign, ...]) -> Decision:
        assessed = self.relationships[key]
        relationship = assessed.relationship
        child = next(t for t in tables if t.source_table == relationship.child and t.role == "entity")
        if copied:
            names = ", ".join(copied_columns(assessed))
            return Decision(
                relationship=key,
                outcome="denormalize",
                because=f"copies {names} of {relationship.parent} onto {child.name}",
                trade_off=f"Reads of {child.name} save one look-up; each change of {names} rewrites every "
                f"{child.name} item of that parent, and a reader may see the old value until then.",
                rollback=f"Read {relationship.parent} by key again (the plan of the alternative without copies), then "
                f"remove the copied attributes with an UpdateItem per item; no data is lost, since the parent keeps "
                f"the original.",
                monitoring=f"Compare a daily sample of copied attributes with {relationship.parent}; alarm on "
                f"ConsumedWriteCapacityUnits of {child.name} and on failed fan-out updates.",
            )
        keyed = child.pk in relationship.child_columns or set(child.source_columns(child.pk)) == set(
            relationship.child_columns
        )
        own = f"kept in its own table {child.name}"
        infeasible = ""
        if assessed.verdict == "denormalize" and not self.feasible(assessed):
            infeasible = "; a copy is not feasible (no bounded column of the parent is read with the child)"
        return Decision(
            relationship=key,
            outcome="separate",
            because=f"{own}, keyed by the parent{infeasible}" if keyed else f"{own}{infeasible}",
            trade_off=(
                f"One Query reads the {child.name} items of one parent."
                if keyed
                else f"Reading {relationship.parent} with {child.name} takes a second call; nothing is kept twice."
            ),
            rollback="Nothing to undo: each row is one item, as in MySQL.",
            monitoring=f"ThrottledRequests and SuccessfulRequestLatency of {child.name}, per index.",
        )


def copied_columns(found: RelationshipAssessment) -> tuple[str, ...]:
    """The parent columns that joint reads take beyond the join key: what a copy would hold."""
    fact = found.facts.get("copies.names")
    return fact.value if fact is not None and isinstance(fact.value, tuple) else ()


def scenarios(proposer: Proposer, candidates: Candidates, outcomes: Mapping[str, str]) -> tuple[Scenario, ...]:
    """The named alternatives."""
    keys = {table: set(entity.key_columns) for table, entity in proposer.faithful.items()}
    within = proposer.fixings(candidates, outcomes)
    return (
        Scenario("faithful", "One table per source table", "Every MySQL table becomes one table under its primary "
                 "key; nothing is copied, joins are read one after the other; the cheapest GSIs for that.",
                 allows_form=lambda form: not form.copies and set(form.key_columns) == keys[form.table.id]),
        Scenario("rules", "As the rules recommend", "The cheapest design that keeps to every verdict and choice: "
                 "copies where it is denormalize, none where it is separate, children keyed by their parent where it "
                 "is embed or collocate; what they leave open is decided by cost.", within.allows),
        Scenario("simplest", "The simplest within 1 % of that", "Keeps to every verdict and choice, costs at most 1 % "
                 "more than the cheapest such design in each part, and has the fewest round trips, then the fewest "
                 "tables and GSIs.", within.allows, epsilon=EPSILON),
        Scenario("cheapest", "The cheapest of all", "The cheapest design among all candidates, whatever the rules "
                 "say."),
        Scenario("fewest", "The fewest tables and GSIs", "The fewest structures that answer as much; of those the "
                 "cheapest.", stages=("routed", "structures", "money", "trips", "stored")),
        Scenario("full_projections", "The rules, with whole items in every index", "As the rules recommend, and every "
                 "GSI projects ALL: a new column is in every index at once.", within.allows,
                 lambda index: index.projection == "ALL"),
    )  # fmt: skip


def _frequencies(template: TemplateDigest) -> Frequencies:
    """What the digest says of a template: list lengths, and rows examined where a slow log told them."""
    examined = template.rows_examined
    return Frequencies(
        list_length=max(1.0, template.list_length_sum / template.calls),
        rows_examined=examined / template.timed_calls if examined is not None and template.timed_calls else None,
    )


def fixed_outcomes(assessment: Assessment, user: Mapping[str, str]) -> dict[str, str]:
    """Per relationship the option that holds: the user's choice, else the verdict; undecided ones are left out.

    Raises UsageError for a choice that an error rule forbids.
    """
    found: dict[str, str] = {}
    for assessed in assessment.relationships:
        key = assessed.relationship.id
        option = user.get(key)
        if option is not None and option in assessed.forbidden:
            raise UsageError(
                f"decisions.yaml chooses {option}, which rule {assessed.forbidden[option]} forbids", subject=key,
                hint="choose another option, or change the rule",
            )  # fmt: skip
        if option is not None or assessed.verdict != "undecided":
            found[key] = option or assessed.verdict
    return found


def propose(
    snapshot: Snapshot,
    assessment: Assessment,
    prices: Prices,
    find_alternative: FindAlternative,
    choices: Mapping[str, str],
    wanted: str | None = None,
    progress: Progress = silent,
) -> Design:
    """All alternatives, and the chosen one: `wanted` by the user, else the simplest within 1 % of the cheapest.

    `choices` maps relationship ids to options a person chose. Raises UsageError for an unknown alternative.
    """
    proposer = Proposer(snapshot, assessment, prices)
    outcomes = fixed_outcomes(assessment, choices)
    candidates = proposer.candidates(outcomes)
    named = scenarios(proposer, candidates, outcomes)
    solved = {
        one.id: solve(allowed(one, candidates), one.epsilon, stages=one.stages)
        for one in stepwise(progress, "designing the alternatives", named)
    }
    every = [proposer.build(scenario, candidates, outcomes, solved[scenario.id]) for scenario in named]
    every += second(proposer, candidates, outcomes, solved["rules"], every)
    built = [a.model_copy(update={"findings": find_alternative(a)}) for a in _distinct(every, wanted)]
    chosen, because = choose(every, built)
    costs = option_costs(proposer.fixings(candidates, outcomes), choices)
    if wanted is not None:
        if all(a.id != wanted for a in built):
            raise UsageError(f"decisions.yaml wants design {wanted}, which is no alternative", expected=", ".join(
                a.id for a in built), hint="run `ddbmig choose design ALT`")  # fmt: skip
        chosen, because = wanted, "chosen in decisions.yaml"
    return Design(
        prices=prices,
        alternatives=tuple(built),
        chosen=chosen,
        chosen_because=because,
        chosen_by="user" if wanted else "engine",
        choices=relationship_choices(assessment, choices, next(a for a in built if a.id == chosen), costs),
        relationship_costs=costs,
        comparisons=compare(snapshot, assessment, built),
        thin_margins=thin_margins(every, built),
        not_analysed=NOT_ANALYSED,
    )


def second(
    proposer: Proposer, candidates: Candidates, outcomes: Mapping[str, str], best: Solved,
    alternatives: Sequence[Alternative],
) -> list[Alternative]:  # fmt: skip
    """The second cheapest design under the rules, where there is one, with what it does otherwise and costs more."""
    within = proposer.fixings(candidates, outcomes)
    scenario = Scenario("runner_up", "The second cheapest under the rules", "", within.allows)
    found = runner_up(allowed(scenario, candidates), best.solution)
    if found is None:
        return []
    built = proposer.build(scenario, candidates, outcomes, found)
    rules = next(a for a in alternatives if a.id == "rules")
    idea = f"As the rules recommend, but {said(rules, built)}; it costs {_dearer(rules, built)}."
    return [built.model_copy(update={"idea": idea})]


def thin_margins(alternatives: Sequence[Alternative], kept: Sequence[Alternative]) -> tuple[str, ...]:
    """A sentence where the second cheapest design under the rules is as good as the cheapest."""
    rules, other = (next((a for a in alternatives if a.id == name), None) for name in ("rules", "runner_up"))
    if rules is None or other is None:
        return ()
    more, bill = other.cost.total_usd - rules.cost.total_usd, rules.cost.total_usd
    if more >= bill * Decimal(EPSILON.numerator) / EPSILON.denominator:
        return ()
    name = next(a.id for a in kept if _same(a, other))
    return (
        f"Thin margin: {name} costs {_dearer(rules, other)} under the rules ({dollars(bill)} a month); it differs by "
        f"this: {said(rules, other)}. Take it with: ddbmig choose design {name}",
    )


def _dearer(rules: Alternative, other: Alternative) -> str:
    more = other.cost.total_usd - rules.cost.total_usd
    return f"{dollars(more)} a month more than the cheapest" if more else "as much as the cheapest"


def _same(one: Alternative, other: Alternative) -> bool:
    return (one.tables, one.plans) == (other.tables, other.plans)


def _distinct(alternatives: Sequence[Alternative], wanted: str | None) -> list[Alternative]:
    """The alternatives without those that come to an earlier one's design, but never fewer than three.

    The one that the user wants stays in any case.
    """
    new: list[Alternative] = []
    twins: list[Alternative] = []
    for alternative in alternatives:
        (twins if any(_same(a, alternative) for a in new) else new).append(alternative)
    twins.sort(key=lambda twin: twin.id != wanted)
    kept = [*new, *twins[: max(0, LEAST_ALTERNATIVES - len(new))], *(a for a in twins if a.id == wanted)]
    return [a for a in alternatives if a in kept]


def choose(alternatives: Sequence[Alternative], kept: Sequence[Alternative]) -> tuple[str, str]:
    """Id and reason of the default: `simplest`, or the one of the `kept` that comes to the same design."""
    simplest = next(a for a in alternatives if a.id == "simplest")
    best = next(a for a in kept if _same(a, simplest))
    cheapest = next(a for a in alternatives if a.id == "rules").cost.total_usd
    obeys = "keeps to the rules' verdicts" if best.respects_rules else "keeps to the rules' verdicts where it can be"
    return best.id, (
        f"the simplest design ({complexity(best)} structures) within 1 % of the cheapest "
        f"(${cheapest:.2f} a month) that {obeys} and routes the fewest calls"
    )


def complexity(alternative: Alternative) -> int:
    """Structures somebody must keep right: tables, GSIs, copied attributes."""
    copies = sum(1 for t in alternative.tables for a in t.attributes.values() if a.denormalized)
    return len(alternative.tables) + sum(len(t.indexes) for t in alternative.tables) + copies


def relationship_choices(
    assessment: Assessment, user: Mapping[str, str], chosen: Alternative, costs: Sequence[RelationshipCost]
) -> tuple[Choice, ...]:
    """A choice for each undecided relationship, and for each one that a person decided.

    The default is what the engine found to be the cheapest, or what came of it in the `chosen` design.
    """
    outcomes = {decision.relationship: decision.outcome for decision in chosen.decisions}
    known = {one.relationship: one.costs for one in costs}
    found = []
    for assessed in assessment.relationships:
        key = assessed.relationship.id
        if assessed.verdict != "undecided" and key not in user:
            continue
        options = tuple(o for o in ("separate", "denormalize", "embed", "collocate") if o not in assessed.forbidden)
        found.append(
            Choice(
                id=key,
                question=f"How should {key} live on DynamoDB?",
                options=options,
                default=outcomes.get(key, "separate"),
                chosen=user.get(key),
                why=f"the best two options are {assessed.margin} points apart (15 decide)",
                costs={option: known[key][option] for option in options if option in known.get(key, {})},
            )
        )
    return tuple(found)


def _proof(candidates: Candidates, solved: Solved, scenario: Scenario) -> Proof:
    """What was searched and how far the result is proved."""
    program = candidates.program
    return Proof(
        structures=candidates.tried,
        options=sum(len(step) for d in program.demands for order in d.orders for step in order.steps),
        gaps={name: solved.gap(name) for name in scenario.stages if solved.gap(name)},
        epsilon=float(scenario.epsilon),
    )
