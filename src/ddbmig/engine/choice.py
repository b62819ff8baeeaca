"""Alternatives, each a complete design, and the one to carry on with.

The first proposal: every alternative is built greedily, pattern by pattern in order of calls, and priced the same way.
Chosen is, among the alternatives that keep to the rules' verdicts, the one that leaves fewest calls unanswered, then
the simplest within 1 % of the cheapest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ddbmig.engine.candidates import Copy, Draft, Entity, new_entities
from ddbmig.engine.costs import load_of, monthly_cost, write_amplification
from ddbmig.engine.keys import (
    Demand,
    demands,
    fold_join_table,
    key_by_parent,
    split_composite,
    updated_columns,
)
from ddbmig.engine.reads import Frequencies, compile_read
from ddbmig.engine.sizes import Sizes
from ddbmig.engine.writes import compile_write
from ddbmig.model.assessment import Assessment, Choice, Finding, RelationshipAssessment
from ddbmig.model.design import Alternative, Decision, Design, TableDesign
from ddbmig.model.digest import TemplateDigest
from ddbmig.model.errors import UsageError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.prices import Prices
from ddbmig.model.snapshot import Snapshot

EPSILON = Decimal("0.01")
"""Designs within this share of the cheapest count as equally cheap; the simplest of them is chosen."""
DEFAULT_COPY_BYTES = 2_048
"""A copy of more bytes than this is not offered: it would double the item."""

NOT_ANALYSED = (
    "Embedding children in their parent's item and collocating entities in one table are not built: a verdict `embed` "
    "or `collocate` is realised as a child table keyed by its parent, read by one Query.",
    "Transactions are compiled statement by statement: a MySQL transaction over several statements is listed in "
    "stage 2 but not yet compiled to one TransactWriteItems.",
    "ON DELETE and ON UPDATE actions are not compiled: the application must delete or change children itself.",
    "Case- and accent-insensitive comparison: DynamoDB keys compare bytes, MySQL's collations do not; equality on text "
    "keys holds for values written the same way.",
    "A text key column without an empty string in the data is used as a key as it is; DynamoDB would refuse to write "
    "an empty one later.",
    "Counters, write sharding and the exact search over all candidates are not analysed: designs are built greedily, "
    "pattern by pattern.",
)

FindAlternative = Callable[[Alternative], tuple[Finding, ...]]
"""Evaluates the rules of the phases `alternative` and `index` on an alternative."""


@dataclass(frozen=True)
class Scenario:
    """What one alternative does with the relationships."""

    id: str
    title: str
    idea: str
    copies: frozenset[str]
    """Relationships whose parent columns are copied to the child."""
    by_parent: frozenset[str]
    """Relationships whose child is keyed by its parent where that serves more calls."""
    fold: bool
    allow_indexes: bool = True
    full_projections: bool = False


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
        self.patterns = sorted(snapshot.patterns, key=lambda p: (-self.calls[p.id], p.id))
        self.demands = demands(self.patterns, self.calls)
        self.updated = updated_columns(self.patterns)
        kept = {table.id for table in self.tables}
        self.relationships = {
            found.relationship.id: found
            for found in assessment.relationships
            if found.relationship.child in kept and found.relationship.parent in kept
        }

    # --- one alternative ---

    def build(self, scenario: Scenario, outcomes: Mapping[str, str]) -> Alternative:
        """The complete design of a scenario; `outcomes` are the options the rules and the user fixed."""
        draft = Draft(
            new_entities(self.tables),
            self.sizes,
            allow_indexes=scenario.allow_indexes,
            full_projections=scenario.full_projections,
            staying=frozenset(entry.table for entry in self.snapshot.scoped_out if entry.stays_on_mysql),
        )
        self._keys(draft, scenario)
        self._copies(draft, scenario)
        plans = self._compile(draft)
        copied = frozenset(copy.relationship for entity in draft.entities.values() for copy in entity.copies)
        return self._describe(scenario, draft.freeze(), plans, outcomes, copied)

    def _keys(self, draft: Draft, scenario: Scenario) -> None:
        for table_id in sorted(draft.entities):
            entity, wanted = draft.entities[table_id], self.demands.get(table_id, [])
            if not self._fold(entity, scenario, wanted) and not self._by_parent(entity, scenario, wanted):
                split_composite(entity, wanted, self.sizes)

    def _fold(self, entity: Entity, scenario: Scenario, wanted: Sequence[Demand]) -> bool:
        sides = {key: found.relationship for key, found in self.relationships.items()}
        updated = self.updated.get(entity.table.id, frozenset())
        return scenario.fold and any(
            fold_join_table(entity, found, sides, wanted, updated)
            for found in self.assessment.many_to_many
            if found.join_table == entity.table.id and found.left in sides and found.right in sides
        )

    def _by_parent(self, entity: Entity, scenario: Scenario, wanted: Sequence[Demand]) -> bool:
        updated = self.updated.get(entity.table.id, frozenset())
        mine = [
            found.relationship
            for key, found in sorted(self.relationships.items())
            if key in scenario.by_parent and found.relationship.child == entity.table.id
        ]
        mine.sort(key=lambda r: -sum(d.calls for d in wanted if set(r.child_columns) <= d.columns))
        return any(key_by_parent(entity, relationship, wanted, updated, self.sizes) for relationship in mine)

    def _copies(self, draft: Draft, scenario: Scenario) -> None:
        for key in sorted(scenario.copies):
            found = self.relationships[key]
            copy = self._copy(draft, found)
            if copy is not None:
                draft.entities[found.relationship.child].copies.append(copy)

    def _copy(self, draft: Draft, found: RelationshipAssessment) -> Copy | None:
        """The short-circuited join of a relationship: the parent columns joint reads take; None if not feasible."""
        if not self.feasible(found):
            return None
        relationship, names = found.relationship, copied_columns(found)
        parent = self.sizes.table(relationship.parent)
        child = draft.entities[relationship.child]
        taken = {c.name for c in child.table.columns} | {a for c in child.copies for _, a in c.columns}
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

    def _compile(self, draft: Draft) -> tuple[Plan, ...]:
        """Compile all patterns until the indexes stand still: grow, keep what is used, compile against that."""
        for _ in range(2):
            for entity in draft.entities.values():
                for index in entity.indexes:
                    index.needed, index.because = set(), []
            for pattern in self.patterns:
                self._plan(pattern, draft, may_add=True)
            for entity in draft.entities.values():
                entity.indexes = [index for index in entity.indexes if index.because]
        plans = [self._plan(pattern, draft, may_add=False) for pattern in self.patterns]
        return tuple(sorted(plans, key=lambda plan: plan.pattern))

    def _plan(self, pattern: AccessPattern, draft: Draft, *, may_add: bool) -> Plan:
        compiler = compile_read if pattern.kind == "select" else compile_write
        return compiler(pattern, draft, self.frequencies[pattern.id], may_add=may_add)

    def _describe(
        self,
        scenario: Scenario,
        tables: tuple[TableDesign, ...],
        plans: tuple[Plan, ...],
        outcomes: Mapping[str, str],
        copied: frozenset[str],
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


def scenarios(proposer: Proposer, outcomes: Mapping[str, str]) -> tuple[Scenario, ...]:
    """The named alternatives."""
    every = frozenset(proposer.relationships)
    copyable = frozenset(k for k, found in proposer.relationships.items() if proposer.feasible(found))
    denormalized = frozenset(k for k in copyable if outcomes.get(k) == "denormalize")
    undecided = frozenset(k for k in copyable if k not in outcomes and "denormalize" not in
                          proposer.relationships[k].forbidden)  # fmt: skip
    together = frozenset(k for k, option in outcomes.items() if option in ("embed", "collocate")) & every
    return (
        Scenario("faithful", "One table per source table", "Every MySQL table becomes one table under its primary "
                 "key; nothing is copied, joins are read one after the other.", frozenset(), frozenset(), False),
        Scenario("rules", "As the rules recommend", "Copies where the verdict is denormalize; children keyed by their "
                 "parent where it is embed or collocate; join tables folded.", denormalized, together, True),
        Scenario("rules_by_parent", "The rules, and children keyed by their parents", "As the rules recommend, and "
                 "every child is keyed by the parent that it is most often reached through.", denormalized, every,
                 True),
        Scenario("rules_with_copies", "The rules, and a copy wherever they leave it open", "As the rules recommend; "
                 "undecided relationships get a copy too; children keyed by their parents.", denormalized | undecided,
                 every, True),
        Scenario("collections", "Children keyed by their parents", "No copies; every child is keyed by the parent "
                 "that it is most often reached through; join tables folded.", frozenset(), every, True),
        Scenario("copies", "Every join short-circuited", "A copy for every joint read, whatever the rules say; "
                 "children keyed by their parents.", copyable, every, True),
        Scenario("full_projections", "The rules, with whole items in every index", "As the rules recommend, and every "
                 "GSI projects ALL: a new column is in every index at once.", denormalized, together, True,
                 full_projections=True),
        Scenario("no_indexes", "The rules, without any GSI", "As the rules recommend, but only keys and look-up "
                 "tables: what they do not answer is scanned or routed.", denormalized, together, True,
                 allow_indexes=False),
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
) -> Design:
    """All alternatives, and the chosen one: `wanted` by the user, else the simplest within 1 % of the cheapest.

    `choices` maps relationship ids to options a person chose. Raises UsageError for an unknown alternative.
    """
    proposer = Proposer(snapshot, assessment, prices)
    outcomes = fixed_outcomes(assessment, choices)
    built = _distinct([proposer.build(scenario, outcomes) for scenario in scenarios(proposer, outcomes)])
    built = [a.model_copy(update={"findings": find_alternative(a)}) for a in built]
    chosen, because = choose(built)
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
        choices=relationship_choices(assessment, choices),
        not_analysed=NOT_ANALYSED,
    )


def _distinct(alternatives: Sequence[Alternative]) -> list[Alternative]:
    """The alternatives without those that come to an earlier one's design, but never fewer than three."""
    new: list[Alternative] = []
    same: list[Alternative] = []
    for alternative in alternatives:
        twin = any((a.tables, a.plans) == (alternative.tables, alternative.plans) for a in new)
        (same if twin else new).append(alternative)
    kept = [*new, *same[: max(0, LEAST_ALTERNATIVES - len(new))]]
    return [a for a in alternatives if a in kept]


def choose(alternatives: Sequence[Alternative]) -> tuple[str, str]:
    """Id and reason of the default: rules kept, fewest calls routed, then the simplest within 1 % of the cheapest."""
    allowed = [a for a in alternatives if a.respects_rules] or list(alternatives)
    least = min(a.routed_calls_share for a in allowed)
    answering = [a for a in allowed if a.routed_calls_share <= least + 1e-12]
    cheapest = min(a.cost.total_usd for a in answering)
    near = [a for a in answering if a.cost.total_usd <= cheapest * (1 + EPSILON)]
    best = min(near, key=lambda a: (complexity(a), a.cost.total_usd, a.id))
    kept = "keeps to the rules' verdicts" if best.respects_rules else "no alternative keeps to every verdict"
    return best.id, (
        f"the simplest design ({complexity(best)} structures) within 1 % of the cheapest "
        f"(${cheapest:.2f} a month) that {kept} and routes the fewest calls"
    )


def complexity(alternative: Alternative) -> int:
    """Structures somebody must keep right: tables, GSIs, copied attributes."""
    copies = sum(1 for t in alternative.tables for a in t.attributes.values() if a.denormalized)
    return len(alternative.tables) + sum(len(t.indexes) for t in alternative.tables) + copies


def relationship_choices(assessment: Assessment, user: Mapping[str, str]) -> tuple[Choice, ...]:
    """A choice for each undecided relationship, and for each one that a person decided."""
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
                default="separate",
                chosen=user.get(key),
                why=f"the best two options are {assessed.margin} points apart (15 decide)",
            )
        )
    return tuple(found)
