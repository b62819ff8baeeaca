"""Every design that a few candidates allow, each with the cheapest plans, priced by the independent evaluator.

Nothing of the 0/1 program is used: forms and GSIs are taken together in every way, each pattern is compiled against the
tables that come of it with the ways of least units, and the evaluator says what that costs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, combinations, product
from random import Random

from ddbmig.engine.assess import assess_workload
from ddbmig.engine.candidates import INCLUDE_LIMIT, MAX_INDEXES, Draft, Entity, IndexDraft
from ddbmig.engine.choice import Proposer
from ddbmig.engine.evaluate import evaluate
from ddbmig.engine.paths import Ways
from ddbmig.engine.program.build import Candidates
from ddbmig.engine.readings import Step, Way, steps_of
from ddbmig.engine.reads import Reads, Taken, compile_read, unreachable
from ddbmig.engine.rulebook import load_rules
from ddbmig.engine.statement import Reading
from ddbmig.engine.writes import compile_write
from ddbmig.model.design import Cost, TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.snapshot import Snapshot
from design_builder import PRICES
from made_up_applications import Application

NO_RULES = load_rules([])
Built = tuple[str, tuple[IndexDraft, ...]]
"""A form, and its GSIs."""


@dataclass(frozen=True)
class Priced:
    """What a design costs."""

    routed: int
    """Thousandths of calls a month, as in the program."""
    money: Fraction
    """Nano-dollars a month, nothing rounded."""
    cost: Cost
    tables: tuple[TableDesign, ...]
    plans: tuple[Plan, ...]


class CheapestWays:
    """Reads rows in the way of the fewest units, of all that a draft offers."""

    def __init__(self, entities: Mapping[str, Entity]) -> None:
        self.entities = entities

    def choose(self, demand: str, reading: Reading, ways: Ways) -> Sequence[Taken]:
        """The steps of the best order. Raises NotBounded where there is none."""
        found = [
            (sum(way.path.all_units for way in taken if way.path is not None), number, steps, taken)
            for number, sequence in enumerate(reading.sequences)
            for steps in [steps_of(ways, sequence, lambda table: [self.entities[table]])]
            for taken in _possible(steps)
        ]
        if not found:
            raise unreachable(reading.statement)
        _, _, steps, taken = min(found, key=lambda one: one[:2])
        return [Taken(step.reach, way) for step, way in zip(steps, taken, strict=True)]


def _possible(steps: Sequence[Step]) -> Iterator[tuple[Way, ...]]:
    """All ways to take the steps in which what one wants, another delivers."""
    for taken in product(*(step.ways for step in steps)):
        delivered = [one for way in taken for _, one in way.delivers]
        if all(way.wants is None or way.wants in delivered for way in taken):
            yield taken


class SmallWorld:
    """One small application with its candidates, a few of which are kept."""

    def __init__(self, application: Application) -> None:
        self.snapshot: Snapshot = application.snapshot()
        self.proposer = Proposer(self.snapshot, assess_workload(self.snapshot, NO_RULES), PRICES)
        self.candidates: Candidates = self.proposer.candidates({})
        self._plans: dict[tuple[str, tuple[Built, ...]], Plan] = {}
        self._tables: dict[Built, tuple[TableDesign, ...]] = {}

    # --- which candidates ---

    def some(self, random: Random, designs: int) -> frozenset[str]:
        """Candidates of which no more than so many designs can be made: a form of each table, and more at random."""
        kept = {entity.form for entity in self.proposer.faithful.values()}
        forms = sorted(set(self.candidates.forms) - kept)
        indexes = sorted(self.candidates.indexes)
        for one in (*random.sample(forms, len(forms)), *random.sample(indexes, len(indexes))):
            of_kept = one in self.candidates.forms or self.candidates.indexes[one][0] in kept
            if of_kept and self.count(kept | {one}) <= designs:
                kept.add(one)
        return frozenset(kept)

    def count(self, kept: Collection[str]) -> int:
        """How many designs these candidates make, quotas aside."""
        result = 1
        for table in self.proposer.faithful:
            mine = [key for key, form in self.candidates.forms.items() if key in kept and form.table.id == table]
            result *= sum(2 ** len(self._indexes_of(form, kept)) for form in mine)
        return result

    def _indexes_of(self, form: str, kept: Collection[str]) -> list[IndexDraft]:
        return [index for key, (of, index) in self.candidates.indexes.items() if of == form and key in kept]

    # --- every design ---

    def designs(self, kept: Collection[str]) -> Iterator[Priced]:
        """Every design that these candidates allow."""
        for entities in product(*(list(self._entities(table, kept)) for table in sorted(self.proposer.faithful))):
            yield self.price({entity.table.id: entity for entity in entities})

    def _entities(self, table: str, kept: Collection[str]) -> Iterator[Entity]:
        """Every form of a table with every set of its GSIs that the quotas allow."""
        for key, form in self.candidates.forms.items():
            if form.table.id == table and key in kept:
                indexes = self._indexes_of(key, kept)
                for some in chain.from_iterable(combinations(indexes, n) for n in range(len(indexes) + 1)):
                    if len(some) <= MAX_INDEXES and sum(len(index.projected) for index in some) <= INCLUDE_LIMIT:
                        yield replace(form, indexes=some)

    def price(self, entities: Mapping[str, Entity]) -> Priced:
        """What a design costs with the cheapest plans."""
        plans = tuple(self._plan(pattern, entities) for pattern in self.proposer.patterns)
        tables = tuple(table for entity in entities.values() for table in self._frozen(entity))
        load = self.proposer.load
        cost = evaluate(tables, plans, self.snapshot, load.calls_per_month, load.peak_per_second, PRICES).cost
        routed = sum(self.proposer.tariff.calls(plan.pattern) for plan in plans if plan.routed)
        return Priced(routed, nano_dollars(cost), cost, tables, plans)

    def _plan(self, pattern: AccessPattern, entities: Mapping[str, Entity]) -> Plan:
        """The cheapest plan of a pattern, which depends on the tables that it is about and on their relatives only."""
        near = self._near({ref.table for ref in pattern.refs})
        key = (pattern.id, tuple(_built(entities[table]) for table in near if table in entities))
        if key not in self._plans:
            draft = Draft(entities, self.proposer.sizes, staying=self.proposer.staying)
            compiled = compile_read if pattern.kind == "select" else compile_write
            reads = Reads(draft, CheapestWays(draft.entities))
            self._plans[key] = compiled(pattern, draft, self.proposer.frequencies[pattern.id], reads)
        return self._plans[key]

    def _near(self, tables: set[str]) -> list[str]:
        pairs = [(one.relationship.child, one.relationship.parent) for one in self.proposer.relationships.values()]
        return sorted(tables | {table for pair in pairs if tables & set(pair) for table in pair})

    def _frozen(self, entity: Entity) -> tuple[TableDesign, ...]:
        key = _built(entity)
        if key not in self._tables:
            self._tables[key] = Draft({entity.table.id: entity}, self.proposer.sizes).freeze()
        return self._tables[key]


def _built(entity: Entity) -> Built:
    return entity.form, entity.indexes


def nano_dollars(cost: Cost) -> Fraction:
    """A bill on demand without its rounding to micro-dollars."""
    read, write = (Fraction(PRICES.usd(name)) / 10**6 for name in ("read_per_million", "write_per_million"))
    stored = Fraction(cost.storage_gib) + Fraction(cost.index_storage_gib)
    storage = Fraction(PRICES.usd("storage_gb_month")) * 2**30 / PRICES.terms.gigabyte_bytes
    units = Fraction(cost.read_request_units) * read + Fraction(cost.write_request_units) * write
    return (units + stored * storage) * 10**9
