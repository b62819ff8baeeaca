"""The HTML report as text: nothing of the database is markup, nothing comes from elsewhere, the same bytes each time.

What it does in a browser is tested in test_html_browser.py.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from ddbmig.model.digest import Digest
from ddbmig.model.schema import Schema
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import PatternResult, Status, Validation
from ddbmig.reporters.html import html_report
from ddbmig.reporters.html.answers import answers
from ddbmig.reporters.html.grids import grid
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.numbers import word
from ddbmig.reporters.html.proof import WORDS
from html_material import COLUMN, TABLE, TEXT, hostile_material, small_world

VOID = {"meta", "input", "wbr"}
ELEMENTS = {
    "a", "article", "body", "button", "circle", "code", "dd", "details", "div", "dl", "dt", "figcaption",
    "figure", "form", "h1", "h2", "h3", "h4", "head", "header", "html", "input", "label", "li", "line", "main",
    "meta", "nav", "ol", "option", "output", "p", "path", "pre", "rect", "script", "section", "select", "span",
    "strong", "style", "summary", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul",
    "wbr",
}  # fmt: skip
"""All that the page is made of; what loads or runs anything else is not among them."""
SHAPES = {"svg", "rect", "line", "circle", "path", "text", "title"}


class Reader(HTMLParser):
    """Reads a page strictly: whatever is opened is closed in its turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SHAPES, f"<{tag}/>"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, attribute: str) -> Iterator[str]:
        return (found[attribute] or "" for _, found in self.elements if attribute in found)


@cache
def material() -> Material:
    return hostile_material()


@cache
def page() -> str:
    return html_report(material())


@pytest.fixture(scope="module")
def read() -> Reader:
    return _read(page())


def _read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_page_is_well_formed_and_made_of_harmless_elements_only(read: Reader) -> None:
    assert page().startswith("<!DOCTYPE html>\n")
    assert {tag for tag, _ in read.elements} <= ELEMENTS
    names = {name for _, found in read.elements for name in found}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "style", "srcset", "action"}


def test_names_of_the_database_stay_text(read: Reader) -> None:
    texts = "".join(text for tag, text in read.texts if tag not in ("style", "script"))
    attributes = " ".join(value or "" for _, found in read.elements for value in found.values())
    for name in (TABLE, TEXT, COLUMN):
        assert name in texts
    assert TABLE in attributes


def test_what_the_scripts_hold_cannot_end_them(read: Reader) -> None:
    scripts = [text for tag, text in read.texts if tag == "script"]
    assert len([tag for tag, _ in read.elements if tag == "script"]) == len(scripts) == 2
    assert "</script" not in "".join(scripts)
    assert "\\u003c/script\\u003e" in scripts[0]


def test_nothing_comes_from_elsewhere(read: Reader) -> None:
    assert all(link.startswith("#") for link in read.all("href"))
    styles = "".join(text for tag, text in read.texts if tag == "style")
    assert "url(" not in styles
    assert "@import" not in styles
    assert not re.search(r"(?:https?:)?//[a-z]", "".join(text for tag, text in read.texts if tag == "script"))


def test_links_lead_to_places_that_are_there_once(read: Reader) -> None:
    ids = list(read.all("id"))
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in read.all("href")} <= set(ids)
    assert {name for value in read.all("aria-labelledby") for name in value.split()} <= set(ids)


def test_policy_allows_our_own_style_and_script_and_nothing_else(read: Reader) -> None:
    policy = next(found["content"] or "" for _, found in read.elements if "http-equiv" in found)
    style = next(text for tag, text in read.texts if tag == "style")
    script = [text for tag, text in read.texts if tag == "script"][-1]
    sums = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{sums[0]}'; script-src 'sha256-{sums[1]}'; base-uri 'none'; "
        "form-action 'none'"
    )


def test_page_has_landmarks_headings_in_order_and_texts_for_pictures(read: Reader) -> None:
    tags = [tag for tag, _ in read.elements]
    assert {"header", "nav", "main"} <= set(tags)
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    pictures = [found for tag, found in read.elements if tag == "svg"]
    assert pictures
    assert all(found.get("aria-hidden") or (found["role"] == "img" and found["aria-label"]) for found in pictures)
    assert all(found.get("scope") in ("col", "row") for tag, found in read.elements if tag == "th")


def test_first_screen_answers_the_four_questions() -> None:
    first = page()[page().index('id="answers"') : page().index('id="choices"')]
    for said in ("Can we migrate?", "Not as it is: 5 obstacles", "What will it cost?", "$1.38 a month today",
                 "What is risky?", "1 risk", "What do you want from me?", "3 answers"):  # fmt: skip
        assert said in re.sub(r"<[^>]+>", "", first), said


@pytest.mark.parametrize(
    ("status", "routed", "said"),
    [
        ("proved", 0.0, "Nothing found that stands in the way"),
        ("proved", 0.25, "Yes, beside another system for 25.0 % of the calls"),
        ("not proved", 0.0, "Not known: of no access pattern is anything proved"),
        ("mismatched", 0.0, "Not as it is: 4 obstacles"),
    ],
)
def test_first_answer_is_no_better_than_what_was_tried(status: Status, routed: float, said: str) -> None:
    snapshot, assessment, design = small_world()
    alternatives = [one.model_copy(update={"routed_calls_share": routed}) for one in design.alternatives]
    results = [PatternResult(pattern=key, status=status, runs=1, rows_sql=1, rows_plan=1) for key in "abcd"]
    validation = Validation(engine="e", alternative=design.chosen, seed=1, tables_created=1, indexes_created=1,
                            patterns=tuple(results))  # fmt: skip
    tried = design.model_copy(update={"alternatives": tuple(alternatives)})
    assert answers(Material(snapshot, assessment, tried, validation))[0].short == said


@pytest.mark.parametrize("stages", range(1, 5))
def test_stages_that_were_not_run_are_named_and_left_out(stages: int) -> None:
    whole = material()
    values = [whole.assessment, whole.design, whole.validation, whole.analysis]
    given = values[: stages - 1] + [None] * (5 - stages)
    part = Material(whole.snapshot, *given)  # type: ignore[arg-type]  # a list of optional values, in their order
    text = html_report(part)
    _read(text)
    assert len(part.missing) == 5 - stages
    assert f"Not run yet, so not in this report: stage {', stage '.join(part.missing)}." in text


def test_an_application_without_anything_has_a_page() -> None:
    text = html_report(Material(Snapshot(tables=Schema(tables=()), digest=Digest())))
    assert "Not known yet" in text
    _read(text)


def test_a_design_without_hostile_names_has_every_pattern_and_relationship() -> None:
    snapshot, assessment, design = small_world()
    text = html_report(Material(snapshot, assessment, design))
    assert all(f'id="pattern-{place}"' in text for place in range(1, len(snapshot.patterns) + 1))
    assert all(f'id="relationship-{place}"' in text for place in range(1, len(assessment.relationships) + 1))


def test_same_bytes_whatever_the_hash_seed(repository: Path) -> None:
    sums = set()
    for seed in ("1", "2"):
        path = os.pathsep.join([*sys.path, str(repository / "tests")])
        done = subprocess.run(
            [sys.executable, str(repository / "tests/html_material.py")], check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        )  # fmt: skip
        sums.add(done.stdout)
    assert sums == {hashlib.sha256(page().encode()).hexdigest() + "\n"}


def test_every_status_of_stage_4_has_its_word() -> None:
    assert set(WORDS) == set(get_args(Status))


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="another width"):
        grid("x", "X", "one, two", [(word("a"),)])
