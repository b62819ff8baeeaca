"""Material for the HTML report: the hand-made application with worse names yet, and a small real design with levers."""

import hashlib
from typing import TypeVar

from ddbmig.engine.costs import load_of
from ddbmig.engine.levers import levers_of
from ddbmig.model.assessment import Assessment, RelationshipAssessment
from ddbmig.model.base import Document
from ddbmig.model.context import Pricing
from ddbmig.model.design import Design
from ddbmig.model.explanation import Explanation, Flip, KnownFact
from ddbmig.model.levers import Levers
from ddbmig.model.prices import Prices
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.html import html_report
from ddbmig.reporters.html.material import Material
from design_builder import PRICES, World, assess_world, design_world, snapshot_of
from hand_made import ANALYSIS, ASSESSMENT, BOOKS, DESIGN, MARK, NAME, SNAPSHOT, VALIDATION

TABLE = "<img src=x onerror=window.hit=1>"
TEXT = "</script><script>window.hit=1</script>"
COLUMN = "\"'><svg onload=window.hit=1>"
Saved = TypeVar("Saved", bound=Document)


def hostile(value: Saved) -> Saved:
    """The value with names that are markup wherever somebody forgets to escape them."""
    text = value.model_dump_json()
    for harmless, worse in ((BOOKS, TABLE), (MARK, TEXT), (NAME, COLUMN)):
        text = text.replace(_inside(harmless), _inside(worse))
    return type(value).model_validate_json(text)


def _inside(text: str) -> str:
    """A text as it stands inside of a JSON string."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def hostile_material() -> Material:
    """Every stage, every name as bad as can be; the comment of every column ends a script."""
    snapshot = hostile(SNAPSHOT)
    tables = tuple(
        table.model_copy(
            update={"columns": tuple(column.model_copy(update={"comment": TEXT}) for column in table.columns)}
        )
        for table in snapshot.tables.tables
    )
    snapshot = snapshot.model_copy(update={"tables": snapshot.tables.model_copy(update={"tables": tables})})
    assessment, design = hostile(ASSESSMENT), hostile(DESIGN)
    return Material(
        snapshot, assessment, design, hostile(VALIDATION), hostile(ANALYSIS),
        {one.relationship.id: _explained(one) for one in assessment.relationships},
        small_levers().model_copy(update={"alternative": TEXT}),
    )  # fmt: skip


def _explained(one: RelationshipAssessment) -> Explanation:
    """An explanation with hostile words in every place that takes any."""
    known = KnownFact(name="reads.joint_share", shown=TEXT, source="measured", origin=TABLE, confidence="high")
    flip = Flip(fact="reads.joint_share", now=TABLE, change=TEXT, value=0.1, verdict="separate", margin=20,
                rules=("DM013",))  # fmt: skip
    return Explanation(
        relationship=one.relationship.id, verdict=one.verdict, margin=one.margin, points=one.points, forbidden={},
        ledger=one.ledger, findings=(), facts=(known,), flips=(flip,),
    )  # fmt: skip


# --- a small design with GSIs, transactions, Scans ---

WORLD = World(
    schema="""
    CREATE TABLE shops (id INT PRIMARY KEY, name VARCHAR(40), town VARCHAR(40));
    CREATE TABLE orders (id INT PRIMARY KEY, shop_id INT NOT NULL, code VARCHAR(20), total INT, UNIQUE KEY (code),
      FOREIGN KEY (shop_id) REFERENCES shops (id));
    """,
    statements=(
        "SELECT name FROM shops WHERE id = ?",
        "SELECT id, name FROM shops WHERE town LIKE ?",
        "SELECT id, total FROM orders WHERE shop_id = ?",
        "SELECT id FROM orders WHERE code = ?",
        "INSERT INTO orders (id, shop_id, code, total) VALUES (?, ?, ?, ?)",
        "UPDATE orders SET total = ? WHERE code = ?",
    ),
    rows={"shops": 300, "orders": 50_000},
    groups={"orders": {"shop_id": 300}},
)
ELSEWHERE = Prices(
    terms=Pricing(region="eu-west-1"),
    entries=tuple(entry.times(entry.usd("storage_gb_month") * 5).model_copy(update={"region": "eu-west-1"})
                  for entry in PRICES.entries),
)  # fmt: skip


def small_world() -> tuple[Snapshot, Assessment, Design]:
    """The first three stages of a small application."""
    snapshot = snapshot_of(WORLD)
    return snapshot, assess_world(snapshot), design_world(snapshot)


def small_levers() -> Levers:
    """Its levers."""
    snapshot, assessment, design = small_world()
    chosen = design.alternative(design.chosen)
    return levers_of(chosen, load_of(assessment.patterns), PRICES, [PRICES, ELSEWHERE], snapshot.context)


if __name__ == "__main__":
    print(hashlib.sha256(html_report(hostile_material()).encode()).hexdigest())
