"""What verdicts and choices fix of the program, and what that costs: every other option is solved for as well."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property

from ddbmig.engine.candidates import Entity
from ddbmig.engine.costs import MICRODOLLAR
from ddbmig.engine.program.build import Candidates
from ddbmig.engine.program.model import Amount, Program, Unsolved, components
from ddbmig.engine.program.solve import solve
from ddbmig.engine.program.tariff import NANO
from ddbmig.model.assessment import RelationshipAssessment
from ddbmig.model.design import RelationshipCost

TOGETHER = ("embed", "collocate")
"""Options that are built as a child table keyed by its parent."""


class Fixings:
    """Which forms the verdicts and choices leave to each table. What no form of the table can follow is not asked."""

    def __init__(
        self,
        candidates: Candidates,
        relationships: Sequence[RelationshipAssessment],
        copyable: Collection[str],
        outcomes: Mapping[str, str],
    ) -> None:
        self.candidates, self.copyable, self.outcomes = candidates, copyable, outcomes
        self.relationships = tuple(sorted(relationships, key=lambda found: found.relationship.id))

    @cached_property
    def _by_child(self) -> Mapping[str, Sequence[RelationshipAssessment]]:
        found: dict[str, list[RelationshipAssessment]] = {}
        for one in self.relationships:
            found.setdefault(one.relationship.child, []).append(one)
        return found

    @cached_property
    def _keys(self) -> frozenset[tuple[str, frozenset[str]]]:
        """Tables with the columns that may be their partition key."""
        return frozenset((form.table.id, frozenset(form.pk)) for form in self.candidates.forms.values())

    @cached_property
    def _keyed(self) -> Mapping[str, frozenset[str]]:
        """By table, the columns that must be its partition key: those of the first relationship to be read together."""
        found: dict[str, frozenset[str]] = {}
        for one in self.relationships:
            if self.outcomes.get(one.relationship.id) in TOGETHER and self.may_be_keyed(one):
                found.setdefault(one.relationship.child, frozenset(one.relationship.child_columns))
        return found

    def may_be_keyed(self, one: RelationshipAssessment) -> bool:
        """Whether the child of a relationship may be keyed by its parent."""
        return (one.relationship.child, frozenset(one.relationship.child_columns)) in self._keys

    def allows(self, form: Entity) -> bool:
        """Whether a form keeps to what is fixed of the relationships to its parents."""
        copied = {copy.relationship for copy in form.copies}
        keyed = self._keyed.get(form.table.id)
        mine = self._by_child.get(form.table.id, ())
        return keyed in (None, frozenset(form.pk)) and all(self._allows(found, copied) for found in mine)

    def _allows(self, found: RelationshipAssessment, copied: Collection[str]) -> bool:
        key = found.relationship.id
        outcome = self.outcomes.get(key)
        if outcome is None:
            return key not in copied or "denormalize" not in found.forbidden
        if outcome == "denormalize":
            return key in copied or key not in self.copyable
        return key not in copied

    def with_option(self, relationship: str, option: str) -> "Fixings":
        """The same with one relationship fixed to an option."""
        outcomes = {**self.outcomes, relationship: option}
        return Fixings(self.candidates, self.relationships, self.copyable, outcomes)

    def options(self, one: RelationshipAssessment) -> list[str]:
        """The options that differ in what can be built."""
        copied = ["denormalize"] if one.relationship.id in self.copyable else []
        together = [option for option in TOGETHER if self.may_be_keyed(one)]
        return ["separate", *copied, *together] if copied or together else []


def option_costs(fixings: Fixings, user: Mapping[str, str]) -> tuple[RelationshipCost, ...]:
    """What each option of each relationship costs against what is fixed. `user` are the choices that a person made."""
    solver = _ByComponent(fixings.candidates)
    return tuple(
        cost for one in fixings.relationships if (cost := _costs(one, fixings, user, solver)) is not None
    )  # fmt: skip


def _costs(
    one: RelationshipAssessment, fixings: Fixings, user: Mapping[str, str], solver: "_ByComponent"
) -> RelationshipCost | None:
    key, table = one.relationship.id, one.relationship.child
    base = solver.amount(table, fixings) if fixings.options(one) else None
    if base is None:
        return None
    amounts = _amounts(one, fixings, solver)
    costs = {option: amount.money - base.money for option, amount in amounts if amount.routed == base.routed}
    if len(costs) < 2:
        return None
    return RelationshipCost(
        relationship=key,
        outcome=fixings.outcomes.get(key),
        decided_by="your choice" if key in user else "the verdict" if key in fixings.outcomes else "cost",
        forbidden=one.forbidden,
        costs={option: (Decimal(nano) / NANO).quantize(MICRODOLLAR) for option, nano in costs.items()},
    )


def _amounts(
    one: RelationshipAssessment, fixings: Fixings, solver: "_ByComponent"
) -> Iterator[tuple[str, Amount]]:  # fmt: skip
    for option in fixings.options(one):
        amount = solver.amount(one.relationship.child, fixings.with_option(one.relationship.id, option))
        if amount is not None:
            yield option, amount


class _ByComponent:
    """Solves that part of the program in which a table is."""

    def __init__(self, candidates: Candidates) -> None:
        self.candidates = candidates
        self.parts = components(candidates.program)
        self.part_of = {
            structure.group: part for part in self.parts for structure in part.structures.values() if structure.group
        }
        self.known: dict[frozenset[str], Amount | None] = {}

    def amount(self, table: str, fixings: Fixings) -> Amount | None:
        """The least that the table's part costs under these fixings; None where they leave no design."""
        part = self.part_of[table]
        kept = frozenset(self._kept(part, fixings))
        if kept not in self.known:
            try:
                self.known[kept] = solve(part.only(kept), stages=("routed", "money"), canonical=False).amount
            except Unsolved:
                self.known[kept] = None
        return self.known[kept]

    def _kept(self, part: Program, fixings: Fixings) -> Iterator[str]:
        """The forms that are left, and what belongs to them."""
        for key, one in part.structures.items():
            if not one.of and fixings.allows(self.candidates.forms[key]):
                yield key
            yield from (id_ for form, id_ in one.of.items() if fixings.allows(self.candidates.forms[form]))
