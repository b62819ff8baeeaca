"""The choices that a statement leaves: in each of its orders, for each step, the ways to take it.

A way is a path through one form of a table, or nothing at all: the columns came as copies with a row read before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ddbmig.engine.candidates import Copy, Entity
from ddbmig.engine.paths import Path, Ways
from ddbmig.engine.statement import Reach, Statement
from ddbmig.model.condition import All, ColumnRef, Compare

Forms = Callable[[str], Iterable[Entity]]
"""By table id, the forms that it may have."""


@dataclass(frozen=True)
class Copied:
    """The columns of a reference, delivered by the copies that the row of `child` holds."""

    child: int
    copy: Copy


@dataclass(frozen=True)
class Way:
    """One way to take a step. `delivers` are the references after it whose columns come along as copies."""

    path: Path | None
    entity: Entity | None = None
    delivers: tuple[tuple[int, Copied], ...] = ()
    wants: Copied | None = None
    """What must have been delivered, where there is no path."""


@dataclass(frozen=True)
class Step:
    """One step of an order, with its ways."""

    reach: Reach
    ways: tuple[Way, ...]


def steps_of(ways: Ways, reaches: Sequence[Reach], forms: Forms) -> list[Step]:
    """The steps of one sequence, each with all its ways through these forms; a step may have none."""
    statement = ways.statement
    found: list[Step] = []
    for place, reach in enumerate(reaches):
        later = reaches[place + 1 :]
        taken: list[Way] = []
        for entity in forms(statement.table(reach.ref)):
            copied = _copied_later(statement, reach.ref, entity, later)
            wanted = {name for _, one in copied for _, name in one.copy.columns}
            for path in ways.paths(reach, entity, wanted):
                taken.append(Way(path, entity, _delivered(ways, entity, path, copied)))
        wants = {one for step in found for way in step.ways for ref, one in way.delivers if ref == reach.ref}
        taken += [Way(None, wants=one) for one in sorted(wants, key=lambda o: (o.child, o.copy.relationship))]
        found.append(Step(reach, tuple(taken)))
    return found


def _copied_later(
    statement: Statement, child: int, entity: Entity, later: Iterable[Reach]
) -> list[tuple[int, Copied]]:  # fmt: skip
    """The references after `child` that its copies stand for."""
    return [
        (reach.ref, Copied(child, copy))
        for reach in later
        for copy in entity.copies
        if _serves(statement, child, copy, reach)
    ]


def _serves(statement: Statement, child: int, copy: Copy, reach: Reach) -> bool:
    """Whether a copy holds all that is needed of a reference, which is joined by the relationship and nothing else."""
    join = statement.joins.get(reach.ref)
    joined = {(own.column, other.column) for own, other in join_pairs(reach) if other.ref == child}
    delivered = {column for column, _ in copy.columns} | set(copy.parent_columns)
    return (
        copy.parent == statement.table(reach.ref)
        and joined == set(zip(copy.parent_columns, copy.local_columns, strict=True))
        and statement.needed[reach.ref] <= delivered
        and (join is None or (join.extra == All() and join.kind in ("inner", "left")))
        and statement.group(reach.ref) is None
    )


def join_pairs(reach: Reach) -> list[tuple[ColumnRef, ColumnRef]]:
    """Column equalities between a reference and bound ones, its own column first."""
    found = []
    for condition in reach.conditions:
        if isinstance(condition, Compare) and condition.op == "=" and isinstance(condition.left, ColumnRef):
            other = condition.right[0]
            if isinstance(other, ColumnRef):
                for mine, theirs in ((condition.left, other), (other, condition.left)):
                    if mine.ref == reach.ref and theirs.ref in reach.bound:
                        found.append((mine, theirs))
    return found


def _delivered(
    ways: Ways, entity: Entity, path: Path, copied: Iterable[tuple[int, Copied]]
) -> tuple[tuple[int, Copied], ...]:
    """Of the copies those that come with a path: all with a base item, those projected with an index entry."""
    if path.index is None or path.fetch_units is not None:
        return tuple(copied)
    there = ways.draft.in_entry(entity, path.index)
    return tuple((ref, one) for ref, one in copied if {name for _, name in one.copy.columns} <= there)
