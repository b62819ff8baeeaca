"""A small shop with skew, NULLs, equal rows and rows of every kind: its statements, and its data."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from ddbmig.model.encodings import Cell
from ddbmig.model.snapshot import Snapshot
from design_builder import World, snapshot_of

DATA = Path(__file__).parent / "data"
STATEMENTS = tuple((DATA / "shop_statements.sql").read_text().splitlines())
AUTHORS, BOOKS, TAGS, ORDERS, PAGES = 12, 90, 15, 30, 8
ROWS = {"authors": 10_000, "books": 100_000, "tags": 300, "book_tags": 300_000, "order_lines": 500_000,
        "visits": 1_000_000, "shelves": 50_000, "loans": 1_000_000}  # fmt: skip
"""What the design is made for; the data below is a sample."""
GROUPS = {
    "books": {"author_id": 10_000, "genre": 1_000, "sequel_of": 50_000},
    "book_tags": {"book_id": 100_000, "tag_id": 10_000},
    "order_lines": {"order_id": 100_000, "book_id": 100_000},
    "visits": {"page": 100_000},
    "loans": {"branch": 50, "state": 5, "branch,state": 250, "due": 300, "reader": 500, "lent": 1_000_000},
}


def shop(*more: str) -> Snapshot:
    return snapshot_of(
        World(
            schema=(DATA / "shop.sql").read_text(),
            statements=(*STATEMENTS, *more),
            rows=ROWS,
            groups=GROUPS,
            list_length=2,
        )
    )


def shop_rows() -> Iterator[tuple[str, tuple[Cell, ...]]]:
    for n in range(1, AUTHORS + 1):
        yield "authors", (n, f"Author {'É' if n % 3 else 'e'} {n % 7}", "DE" if n % 2 else "FR", None)
    for n in range(1, BOOKS + 1):
        ean = f"ean-{n}" if n % 4 else None
        genre = None if n % 5 == 0 else f"Genre {n % 6}"
        price, day = Decimal(n % 40) + Decimal("0.95"), f"20{n % 25:02d}-{1 + n % 12:02d}-{1 + n % 28:02d}"
        sequel = n - 3 if n % 6 == 0 else None
        yield "books", (n, 1 + n * n % AUTHORS, f"{9780000000000 + n}", ean, f"Title {n % 30}", genre, price, day,
                        n % 9, sequel, '{"pages": 100}')  # fmt: skip
    for n in range(1, TAGS + 1):
        yield "tags", (n, f"tag {n}")
    for n in range(1, BOOKS + 1):
        for tag in {1, 1 + n % TAGS, 1 + n * 7 % TAGS}:
            yield "book_tags", (n, tag, f"2026-01-{1 + n % 28:02d} 10:00:00")
    for n in range(1, ORDERS + 1):
        for line in range(1, 2 + n % 5):
            yield "order_lines", (n, line, 1 + n * line % BOOKS, line, "gift" if line == 2 else None)
    for n in range(1, 25):
        yield "shelves", (f"S{n}", f"Shelf {n}", n % AUTHORS or None)
    for n in range(1, 70):
        state, due, lent = ("out", "", "back")[n % 3], f"2026-03-{1 + n % 5:02d}", f"2026-02-01 10:{n * 7 % 60:02d}:00"
        yield "loans", (n, 1 + n % 4, state, due, lent, None if n % 2 else n % 8, f"note {n}")
    for n in range(60):
        yield "visits", (f"2026-02-01 00:00:{n % 10:02d}", f"/page/{n % PAGES}", None if n % 3 else n % 4, 0.5)
