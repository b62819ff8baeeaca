"""The facts of alternatives and of their indexes, on a design small enough to count by hand."""

import pytest

from ddbmig.engine.facts import BY_PHASE
from ddbmig.engine.review import alternative_facts, index_facts, review
from ddbmig.engine.rule_reader import fits
from ddbmig.engine.rulebook import Pack, Rulebook, load_rules
from ddbmig.engine.sizes import Sizes
from ddbmig.model.assessment import FactValue
from ddbmig.model.design import IndexDesign
from ddbmig.model.snapshot import Snapshot
from design_builder import World, assess_world, design_world, snapshot_of

SCHEMA = """
CREATE TABLE authors (id int NOT NULL, name varchar(60) NOT NULL, PRIMARY KEY (id));
CREATE TABLE books (id int NOT NULL, author_id int NOT NULL, isbn char(13) NOT NULL, title varchar(120) NOT NULL,
  year int NOT NULL, PRIMARY KEY (id), UNIQUE KEY isbn (isbn), KEY by_author (author_id, year),
  CONSTRAINT a FOREIGN KEY (author_id) REFERENCES authors (id));
CREATE TABLE pages (book_id int NOT NULL, chapter int NOT NULL, page int NOT NULL, text varchar(100),
  PRIMARY KEY (book_id, chapter, page));
"""
STATEMENTS = (
    "SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?",
    "SELECT title FROM books WHERE author_id = ? ORDER BY year",
    "SELECT text FROM pages WHERE book_id = ?",
    "UPDATE authors SET name = ? WHERE id = ?",
    "UPDATE books SET title = ? WHERE id = ?",
    "UPDATE books SET year = ? WHERE id = ?",
    "INSERT INTO books (id, author_id, isbn, title, year) VALUES (?, ?, ?, ?, ?)",
)
SHOP = snapshot_of(
    World(
        schema=SCHEMA,
        statements=STATEMENTS,
        rows={"authors": 100, "books": 2000, "pages": 50_000},
        groups={"books": {"author_id": 100}},
        calls=dict.fromkeys(STATEMENTS[:3], 100_000_000),
    )
)
ASSESSMENT = assess_world(SHOP)
DESIGN = design_world(SHOP, {"books.author_id->authors.id": "denormalize"})


def with_largest_rows(snapshot: Snapshot) -> Snapshot:
    sizes = {"authors": 900, "books": 700, "pages": None}
    changed = {name: one.model_copy(update={"max_item_bytes": sizes[name]})
               for name, one in snapshot.statistics.items()}  # fmt: skip
    return snapshot.model_copy(update={"statistics": changed})


@pytest.mark.parametrize(
    ("alternative", "expected"),
    [
        # each write a million times: 5 writes of a row, a transaction of 2 at twice the units, 3 index entries
        pytest.param(
            "faithful",
            {
                "alternative.gsis": 1, "alternative.max_gsis_per_table": 1, "alternative.composed_keys": 2,
                "alternative.copies": 0, "alternative.tables": 3, "alternative.lookup_tables": 1,
                "alternative.operational_score": 1 + 2 + 1, "alternative.write_amplification": 2.5,
                "alternative.index_write_share": 3 / 10,
                "alternative.write_units_per_second": 10e6 / (730 * 3600), "item.bytes_max": 900,
            },
            id="nothing copied",
        ),
        # a rename reaches the 20 books of an author, but no entry of the index, which leaves the copy out
        pytest.param(
            "rules",
            {
                "alternative.copies": 1, "alternative.operational_score": 1 + 2 + 1 + 1 + 1,
                "alternative.index_write_share": 3 / (10 + 20),
                "alternative.write_units_per_second": 30e6 / (730 * 3600),
            },
            id="the author's name on each book",
        ),
        # with whole items in the index each of them has an entry to follow
        pytest.param(
            "full_projections",
            {
                "alternative.index_write_share": (3 + 20) / (10 + 20 * 2),
                "alternative.write_units_per_second": 50e6 / (730 * 3600),
            },
            id="the author's name in each index entry",
        ),
        pytest.param(
            "fewest", {"alternative.gsis": 0, "alternative.index_write_share": 0.0}, id="without any GSI"
        ),
    ],
)  # fmt: skip
def test_an_alternative(alternative: str, expected: dict[str, FactValue]) -> None:
    facts = alternative_facts(DESIGN.alternative(alternative), with_largest_rows(SHOP))
    assert facts["alternative.id"] == alternative
    for name, value in expected.items():
        assert facts[name] == (pytest.approx(value) if isinstance(value, float) else value), name


def test_without_writes_nothing_is_their_share() -> None:
    reads = snapshot_of(World(schema=SCHEMA, statements=STATEMENTS[:3]))
    facts = alternative_facts(design_world(reads).alternative("faithful"), reads)
    assert facts["alternative.index_write_share"] is None
    assert facts["alternative.write_units_per_second"] == 0
    assert facts["item.bytes_max"] is None


SIZES = Sizes(SHOP.tables, SHOP.statistics)


def facts_of(index: IndexDesign, snapshot: Snapshot = SHOP) -> dict[str, FactValue | None]:
    chosen = DESIGN.alternative("faithful")
    books = next(table for table in chosen.tables if table.name == "books")
    sizes = Sizes(snapshot.tables, snapshot.statistics)
    return dict(index_facts(snapshot, ASSESSMENT, chosen, books, index, sizes))


BY_AUTHOR = next(table for table in DESIGN.alternative("faithful").tables if table.name == "books").indexes[0]


def test_an_index() -> None:
    facts = facts_of(BY_AUTHOR, with_largest_rows(SHOP))
    assert (facts["index.name"], facts["index.table"]) == ("books_by_author_id", "books")
    assert facts["index.partition_cardinality"] == 100
    assert facts["index.write_share"] == 1
    assert (facts["index.entry_bytes"], facts["item.bytes_average"]) == (BY_AUTHOR.entry_bytes, 99)
    assert facts["index.projection_share"] == (99 - 10) / 99  # all but isbn, with its name
    assert facts["item.bytes_max"] == 700
    assert facts["index.peak_writes_per_second"] == pytest.approx(3e6 / (730 * 3600))
    assert facts_of(BY_AUTHOR)["item.bytes_max"] is None


def test_a_partition_key_of_several_attributes_has_the_values_of_all() -> None:
    wide = BY_AUTHOR.model_copy(update={"partition": ("author_id", "year")})
    assert facts_of(wide)["index.partition_cardinality"] == SIZES.distinct("books", ("author_id", "year")) == 2000


@pytest.mark.parametrize(
    ("changed", "attributes"),
    [
        pytest.param({"projection": "ALL"}, 5 - 3, id="all but id, author_id and year"),
        pytest.param({"projection": "KEYS_ONLY"}, 0, id="keys only"),
        pytest.param({"projection": "INCLUDE", "projected": ("title", "isbn")}, 2, id="two included"),
        pytest.param({"projection": "INCLUDE", "projected": ("title", "id")}, 1, id="a key is there anyway"),
    ],
)
def test_what_an_index_repeats(changed: dict[str, object], attributes: int) -> None:
    index = BY_AUTHOR.model_copy(update={"sort": ("year",), **changed})
    assert facts_of(index)["index.projected_attributes"] == attributes


@pytest.mark.parametrize(
    ("name", "generic"),
    [("GSI1", True), ("gsi_2", True), ("index", True), ("idx-3", True), ("books_by_author_id", False),
     ("indexed_books", False), ("gsi_books_by_author", False)],
)  # fmt: skip
def test_a_name_that_says_nothing(name: str, generic: bool) -> None:
    assert facts_of(BY_AUTHOR.model_copy(update={"name": name}))["index.name_generic"] is generic


def test_every_fact_of_the_catalogue_is_supplied_with_its_type() -> None:
    snapshot = with_largest_rows(SHOP)
    sheets = {
        "alternative": dict(alternative_facts(DESIGN.alternative("rules"), snapshot)),
        "index": facts_of(BY_AUTHOR, snapshot),
    }
    for phase in ("alternative", "index"):
        definitions = BY_PHASE["alternative" if phase == "alternative" else "index"]
        assert set(sheets[phase]) == set(definitions)
        for name, value in sheets[phase].items():
            assert value is None or fits(value, definitions[name]), name
            assert value is not None or definitions[name].may_be_missing, name


RULE = """
id: ACME001
title: named-after-its-table
applies_to: index
status: stable
when:
  all:
    - not like(index.name, "books_*")
severity: warning
because: "{index.name} of {index.table} is not named after it"
why: so
instead: so
source: ours
tests:
  - {given: {index.name: by_year}, expect: fires}
  - {given: {index.name: books_by_year}, expect: silent}
"""


def rulebook(*texts: str) -> Rulebook:
    return load_rules([Pack("ours", tuple((f"{number}.yaml", text) for number, text in enumerate(texts)))])


def test_an_organisation_has_rules_on_its_own_names() -> None:
    chosen = DESIGN.alternative("faithful")
    assert review(SHOP, ASSESSMENT, chosen, rulebook(RULE)) == ()
    other = RULE.replace("books_*", "acme_*")
    (finding,) = review(SHOP, ASSESSMENT, chosen, rulebook(other))
    assert (finding.subject, finding.message) == (
        "books/books_by_author_id", "books_by_author_id of books is not named after it",
    )  # fmt: skip
