"""A solution read back: the forms and GSIs that are built, and each pattern's plan as it was decided."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ddbmig.engine.candidates import Entity, IndexDraft
from ddbmig.engine.paths import Ways
from ddbmig.engine.program.build import Candidates, demand_name, option_of
from ddbmig.engine.program.model import Option, Solution
from ddbmig.engine.program.tariff import Tariff
from ddbmig.engine.readings import Step, Way, steps_of
from ddbmig.engine.reads import Taken, unreachable
from ddbmig.engine.statement import Reading


def built_entities(candidates: Candidates, built: Collection[str]) -> dict[str, Entity]:
    """By table id, its form with its GSIs; `built` are structures of the candidates."""
    indexes: dict[str, list[IndexDraft]] = {}
    for key in sorted(built):
        if key in candidates.indexes:
            form, index = candidates.indexes[key]
            indexes.setdefault(form, []).append(index)
    forms = [candidates.forms[key] for key in sorted(built) if key in candidates.forms]
    return {form.table.id: replace(form, indexes=tuple(indexes.get(form.form, ()))) for form in forms}


class Decided:
    """Reads rows as a solution decided. Of ways that cost the same, the first by name is taken."""

    def __init__(self, entities: Mapping[str, Entity], solution: Solution, tariff: Tariff) -> None:
        self.entities, self.solution, self.tariff = entities, solution, tariff

    def choose(self, demand: str, reading: Reading, ways: Ways) -> Sequence[Taken]:
        """The steps of the order that was picked, each with a way that costs what its option does.

        Raises NotBounded where the demand is not met.
        """
        pick = self.solution.picks.get(demand_name(demand, reading))
        if pick is None:
            raise unreachable(reading.statement)
        sequence = reading.sequences[int(pick.order.id)]
        steps = steps_of(ways, sequence, lambda table: [self.entities[table]])
        pattern = ways.pattern.id
        return [
            Taken(step.reach, self._way(step, option, pattern))
            for step, option in zip(steps, pick.options, strict=True)
        ]

    def _way(self, step: Step, wanted: Option, pattern: str) -> Way:
        """The way that a picked option stands for, which may be one of several merged ones."""
        offered: Iterable[tuple[Option, Way]] = ((option_of(way, pattern, self.tariff), way) for way in step.ways)
        fitting = [
            (option, way)
            for option, way in offered
            if option.amount == wanted.amount and option.wants == wanted.wants and option.delivers >= wanted.delivers
        ]
        return min(fitting, key=lambda pair: (pair[0].id, sorted(pair[0].any_of)))[1]
