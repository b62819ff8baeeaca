"""A table and what it is related to, before and after: two pictures of one neighbourhood, never the whole schema."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ddbmig.model.assessment import RelationshipAssessment
from ddbmig.model.design import TableDesign
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.markdown import MERMAID_NEIGHBOURS, visible
from ddbmig.reporters.pages import plural

PANELS = 6
"""Neighbourhoods drawn: those of the heaviest tables, none inside another."""
WIDE = 44
"""Characters that fit a box."""
STEP = 46
"""Height of a box with the room below it."""
Line = Callable[[RelationshipAssessment], tuple[str, str]]
"""What the line of a relationship says, and how it looks."""


@dataclass(frozen=True)
class Box:
    """A related table: where it stands, its name, what the line says, and how the line looks."""

    y: int
    name: str
    text: str
    look: str


@dataclass(frozen=True)
class Picture:
    """Parents above the table in the middle, children below."""

    title: str
    focus: str
    focus_text: str
    focus_y: int
    boxes: tuple[Box, ...]
    height: int
    text: str


@dataclass(frozen=True)
class Panel:
    """One neighbourhood."""

    table: str
    before: Picture
    after: Picture | None
    more: int
    """Related tables that are not drawn."""


def panels(material: Material) -> tuple[Panel, ...]:
    """The neighbourhoods of the heaviest tables."""
    drawn: list[Panel] = []
    covered: set[str] = set()
    for focus in material.weights.tables_by_calls(material.weights.table_calls):
        touching = [one for one in material.relationships if focus in (one.relationship.child, one.relationship.parent)]
        if len(drawn) == PANELS:
            break
        if focus not in covered and touching:
            drawn.append(_panel(material, focus, touching))
            covered |= {end for one in touching for end in (one.relationship.child, one.relationship.parent)}
    return tuple(drawn)


def _panel(material: Material, focus: str, touching: list[RelationshipAssessment]) -> Panel:
    shown = touching[:MERMAID_NEIGHBOURS]
    before = _picture("MySQL", focus, _primary_key(material, focus), shown, focus, _before)
    table = _entity(material, focus)
    after = None
    if table is not None:
        after = _picture("DynamoDB", table.name, _design(table), shown, focus, partial(_after, material))
    return Panel(visible(focus), before, after, len(touching) - len(shown))


def _primary_key(material: Material, focus: str) -> str:
    key = material.snapshot.tables.table(focus).primary_key
    return f"key {', '.join(map(visible, key))}" if key else "no primary key"


def _entity(material: Material, source: str) -> TableDesign | None:
    tables = material.chosen.tables if material.chosen else ()
    return next((one for one in tables if one.source_table == source and one.role == "entity"), None)


def _design(table: TableDesign) -> str:
    copies = sum(bool(one.denormalized) for one in table.attributes.values())
    parts = [f"key {' + '.join(map(visible, table.keys))}"]
    parts += [str(plural(len(table.indexes), "GSI"))] if table.indexes else []
    parts += [str(plural(copies, "copy", "copies"))] if copies else []
    return ", ".join(parts)


def _before(one: RelationshipAssessment) -> tuple[str, str]:
    declared = any(source.kind == "declared" for source in one.relationship.evidence)
    columns = ", ".join(map(visible, one.relationship.child_columns))
    return f"{columns}, {one.relationship.cardinality}{'' if declared else ', inferred'}", (
        "declared" if declared else "inferred"
    )


def _after(material: Material, one: RelationshipAssessment) -> tuple[str, str]:
    decision = material.decisions.get(one.relationship.id)
    if decision is None:
        return "not in the design", "inferred"
    copies = _copies(material, one) if decision.outcome == "denormalize" else ()
    return f"{decision.outcome}{': ' + ', '.join(copies) if copies else ''}", decision.outcome


def _copies(material: Material, one: RelationshipAssessment) -> tuple[str, ...]:
    """The attributes of the child's table that copy columns of the parent."""
    table = _entity(material, one.relationship.child)
    found = table.attributes.items() if table else ()
    parent = one.relationship.parent
    return tuple(visible(key) for key, attribute in sorted(found)
                 if attribute.denormalized and attribute.source_table == parent)  # fmt: skip


def _picture(
    title: str, focus: str, focus_text: str, touching: list[RelationshipAssessment], of: str, line: Line
) -> Picture:
    """Boxes from top to bottom: parents, the table itself, children."""
    parents = [one for one in touching if one.relationship.child == of]
    children = [one for one in touching if one.relationship.child != of]
    boxes, y = [], 0
    for one in parents:
        boxes.append(Box(y, _clipped(one.relationship.parent), *_line(one, line)))
        y += STEP
    middle, y = y, y + STEP
    for one in children:
        boxes.append(Box(y, _clipped(one.relationship.child), *_line(one, line)))
        y += STEP
    said = "; ".join(f"{box.name} ({box.text})" for box in boxes)
    return Picture(title, _clipped(focus), _clipped(focus_text), middle, tuple(boxes), y,
                   f"{title}: {visible(focus)}, {focus_text}; parents above and children below: {said}")  # fmt: skip


def _line(one: RelationshipAssessment, line: Line) -> tuple[str, str]:
    text, look = line(one)
    return _clipped(text), look


def _clipped(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= WIDE else f"{shown[: WIDE - 1]}…"
