"""The pages of an application of 150 tables: what matters first, the rest by weight, and no picture of everything."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from large_shop import DEPARTMENTS, TABLES, write_large_shop
from small_shop import ddbmig

MOST_LINES = 600
"""Of a page before its long tables: some ten screens."""
MOST_ROWS = 20
MOST_DRAWN = 12
"""Tables in one diagram."""
PAGES = ("Stage1_MySQLAnalysis.md", "Stage2_AccessPatterns.md")
DESIGNED = pytest.param("Stage3_DataModel.md", marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application after stages 1 and 2."""
    folder = write_large_shop(tmp_path_factory.mktemp("large") / "shop")
    done = ddbmig("analyze", folder, "--approve", "1")
    assert done.code == 3, done.err
    assert f"{DEPARTMENTS * TABLES} tables, 150,000 rows (assumed in 150 of 150 tables)" in done.out
    return folder


@pytest.fixture
def page(large: Path, request: pytest.FixtureRequest) -> str:
    """A page by its name."""
    file: Path = large / "migration" / request.param
    if not file.exists():
        assert ddbmig("analyze", large, "--approve", "2").code == 3
    return file.read_text()


def first_part(page: str) -> str:
    """What stands before the long tables."""
    return page.split("\n## All tables\n", maxsplit=1)[0]


@pytest.mark.parametrize("page", [*PAGES, DESIGNED], indirect=True)
def test_a_person_reads_some_screens_and_the_rest_is_at_the_end(page: str) -> None:
    first = first_part(page)
    assert len(first.splitlines()) < MOST_LINES
    headings = [title for title in re.findall(r"^## (.*)$", page, re.M) if title != "Production warnings"]
    assert headings[:2] == ["Summary", "What needs a decision"]
    assert headings[-1] == "All tables"
    for rows in re.findall(r"(?:^\|.*\n)+", first, re.M):
        assert rows.count("\n") <= MOST_ROWS + 2
    assert "The first 20 of 150, by " in first


@pytest.mark.parametrize("page", [*PAGES, DESIGNED], indirect=True)
def test_every_table_is_somewhere(page: str) -> None:
    for department in range(DEPARTMENTS):
        for table in range(TABLES):
            assert f"d{department:02}_t{table}" in page


@pytest.mark.parametrize("page", PAGES[:1], indirect=True)
def test_the_heaviest_stand_first(page: str) -> None:
    rows = re.findall(r"^\| `d\d\d_t\d` \| ([\d,]+) \|", page, re.M)
    calls = [int(row.replace(",", "")) for row in rows]
    assert len(calls) == DEPARTMENTS * TABLES
    assert all(one >= other for one, other in pairwise(calls))


@pytest.mark.parametrize("page", PAGES[1:], indirect=True)
def test_each_picture_is_a_neighbourhood(page: str) -> None:
    pictures = re.findall(r"```mermaid\n(.*?)```", page, re.S)
    assert 1 < len(pictures) <= 8
    for picture in pictures:
        drawn = re.findall(r'^    "(\w+)" \{', picture, re.M)
        assert 1 < len(drawn) <= MOST_DRAWN
