"""The HTML report in a real browser: it runs, asks nobody for anything, and sums as the engine does."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chromium import PROGRAM, Page, chromium
from ddbmig.engine.costs import load_of
from ddbmig.engine.whatif import Variation, cost_under, write_share
from ddbmig.model.context import Mode
from ddbmig.model.design import Cost
from ddbmig.reporters.html import html_report
from ddbmig.reporters.html.material import Material
from design_builder import PRICES
from html_material import ELSEWHERE, TABLE, TEXT, hostile_material, small_levers, small_world

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here (apt-get install chromium)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile report, and that of the small design."""
    found = tmp_path_factory.mktemp("report")
    snapshot, assessment, design = small_world()
    (found / "hostile.html").write_text(html_report(hostile_material()))
    (found / "small.html").write_text(html_report(Material(snapshot, assessment, design, levers=small_levers())))
    return found


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Page]:
    with chromium(folder) as page:
        yield page


@pytest.fixture
def hostile(browser: Page, folder: Path) -> Iterator[Page]:
    yield from _opened(browser, folder / "hostile.html")


@pytest.fixture
def small(browser: Page, folder: Path) -> Iterator[Page]:
    yield from _opened(browser, folder / "small.html")


def _opened(browser: Page, file: Path) -> Iterator[Page]:
    """A page; after the test it must have complained of nothing and asked for nothing but itself."""
    browser.open("about:blank")
    browser.requests.clear()
    browser.complaints.clear()
    browser.open(file.resolve().as_uri())
    yield browser
    assert browser.complaints == []
    assert set(browser.requests) == {file.resolve().as_uri()}


def test_hostile_names_are_text_and_nothing_of_them_ran(hostile: Page) -> None:
    assert hostile.run("window.hit === undefined && document.querySelectorAll('img, [onerror], [onload]').length") == 0
    text = hostile.run("document.body.textContent")
    assert TABLE in text
    assert TEXT in text


def test_an_injected_script_is_refused_by_the_policy(hostile: Page) -> None:
    hostile.run("document.body.append(Object.assign(document.createElement('script'), {text: 'window.hit = 1'}))")
    assert hostile.run("window.hit === undefined")
    hostile.run("new Promise(done => setTimeout(done, 50))")
    assert len(hostile.complaints) == 1
    assert "Content Security Policy" in hostile.complaints[0]
    hostile.complaints.clear()


def _rows(page: Page, grid: str, column: int = 0) -> list[str]:
    return page.run(  # type: ignore[no-any-return]  # what a browser gives has no type
        f"[...document.querySelectorAll('#{grid} tbody tr')].filter(row => row.checkVisibility())"
        f".map(row => row.cells[{column}].textContent.trim())"
    )


def _type(page: Page, selector: str, text: str) -> None:
    page.run(
        f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.value = {json.dumps(text)};"
        " field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def test_a_table_is_filtered_by_words(small: Page) -> None:
    every = _rows(small, "patterns-table")
    assert len(every) == 6
    _type(small, "#patterns-table [data-filter]", "ORDERS  code")
    left = _rows(small, "patterns-table")
    assert 0 < len(left) < len(every)
    assert all("orders" in row for row in left)
    assert small.run("document.querySelector('#patterns-table .count').textContent") == f"{len(left)} of 6"
    _type(small, "#patterns-table [data-filter]", "no such word")
    assert _rows(small, "patterns-table") == []
    assert small.run("document.querySelector('#patterns-table .none').checkVisibility()")


def test_a_table_is_sorted_by_a_click_and_by_the_keyboard(small: Page) -> None:
    small.run("document.querySelector('#tables-table [data-sort=\"0\"]').click()")
    names = _rows(small, "tables-table")
    assert names == sorted(names)
    small.run("document.querySelector('#tables-table [data-sort=\"0\"]').focus()")
    small.press("Enter", "\r")
    assert _rows(small, "tables-table") == names[::-1]
    assert small.run("document.querySelector('#tables-table th').ariaSort") == "descending"
    small.run("document.querySelector('#tables-table [data-sort=\"7\"]').click()")
    items = [int(row.split()[0].replace(",", "")) for row in _rows(small, "tables-table", 7)]
    assert items == sorted(items, reverse=True)


def test_the_search_holds_for_every_table_and_entry(small: Page) -> None:
    small.press("/", "/")
    assert small.run("document.activeElement.id") == "search"
    _type(small, "#search", "town")
    assert len(_rows(small, "patterns-table")) == 1
    entries = "[...document.querySelectorAll('#patterns details.entry')].filter(one => !one.hidden).length"
    assert small.run(entries) == 1
    assert "hold “town”" in small.run("document.getElementById('found').textContent")


def test_a_link_opens_what_it_leads_to(small: Page) -> None:
    small.run("document.querySelector('#relationships-table tbody a').click()")
    small.run("new Promise(done => setTimeout(done, 50))")
    assert small.run("document.getElementById('relationship-1').open")
    assert small.run("document.activeElement.parentElement.id") == "relationship-1"
    assert small.run("document.querySelector('#relationship-1 .scores').checkVisibility()")


def test_the_keyboard_reaches_the_report_first(small: Page) -> None:
    small.press("Tab")
    assert small.run("document.activeElement.className") == "skip"
    small.press("Enter", "\r")
    assert small.run("document.activeElement.id") == "main"


# --- a table by the keyboard, and what is known of its numbers ---


def _focused(page: Page) -> str:
    """The text of the cell that the keyboard is in."""
    return page.run("document.activeElement.closest('td, th').innerText.trim()")  # type: ignore[no-any-return]


def _tip(page: Page) -> str | None:
    return page.run("tip.checkVisibility() ? tip.textContent : null")  # type: ignore[no-any-return]


def _enter(page: Page, grid: str) -> None:
    """Into a table by the Tab key, from the field above it."""
    page.run(f"document.querySelector('#{grid} [data-filter]').focus()")
    page.press("Tab")


def test_one_tab_enters_a_table_and_the_next_leaves_it(small: Page) -> None:
    _enter(small, "patterns-table")
    assert _focused(small) == "access pattern"
    small.press("ArrowDown")
    assert _focused(small) == _rows(small, "patterns-table")[0]
    small.press("ArrowRight")
    small.press("Tab")
    assert small.run("document.activeElement.closest('#patterns-table')") is None
    small.press("Tab", held="Shift")
    assert _focused(small) == _rows(small, "patterns-table", 1)[0]


def test_every_table_is_one_stop_of_the_tab_key(hostile: Page) -> None:
    stops = "[...document.querySelectorAll('table')].map(one => one.querySelectorAll('[tabindex=\"0\"]').length)"
    inside = "document.querySelectorAll('table :is(a, button):not([tabindex])').length"
    assert set(hostile.run(stops)) == {1}
    assert hostile.run(inside) == 0


KEYS = [
    ("ArrowLeft", "", 0, 0), ("ArrowRight", "", 0, 1), ("ArrowUp", "", -1, 0), ("ArrowDown", "", 1, 0),
    ("End", "", 0, 7), ("Home", "", 0, 0), ("PageDown", "", 5, 0), ("PageUp", "", -1, 0),
    ("End", "Control", 5, 7), ("Home", "Control", -1, 0),
]  # fmt: skip


@pytest.mark.parametrize(("key", "held", "row", "column"), KEYS)
def test_keys_move_within_a_table(key: str, held: str, row: int, column: int, small: Page) -> None:
    _enter(small, "patterns-table")
    small.press("ArrowDown")
    small.press(key, held=held)
    at = "(cell => [cell.parentNode.rowIndex - 1, cell.cellIndex])(document.activeElement.closest('td, th'))"
    assert small.run(at) == [row, column]


def test_the_keyboard_walks_over_the_rows_that_are_shown_only(small: Page) -> None:
    _type(small, "#patterns-table [data-filter]", "orders code")
    shown = _rows(small, "patterns-table")
    _enter(small, "patterns-table")
    walked = []
    for _ in range(len(shown) + 2):
        small.press("ArrowDown")
        walked.append(_focused(small))
    assert walked == [*shown, shown[-1], shown[-1]]
    _type(small, "#patterns-table [data-filter]", "town")
    _enter(small, "patterns-table")
    assert _focused(small) == "access pattern"


def test_a_heading_sorts_and_a_link_leads_on_by_enter(small: Page) -> None:
    _enter(small, "patterns-table")
    small.press("Enter", "\r")
    assert small.run("document.activeElement.closest('th').ariaSort") == "ascending"
    assert _rows(small, "patterns-table") == sorted(_rows(small, "patterns-table"))
    small.press("ArrowDown")
    small.press("Enter", "\r")
    small.run("new Promise(done => setTimeout(done, 50))")
    assert small.run("document.activeElement.parentElement.matches('#patterns details[open]')")


def test_the_cell_that_the_keyboard_is_in_tells_unit_and_source(small: Page) -> None:
    _enter(small, "patterns-table")
    assert _tip(small) is None
    small.press("ArrowDown")
    small.press("ArrowRight")
    small.press("ArrowRight")
    said = small.focused()
    assert said["role"] == "gridcell"
    assert said["name"] == _rows(small, "patterns-table", 2)[0]
    assert said["description"] == _tip(small) == "calls in the logs; measured"
    small.press("Escape")
    assert _tip(small) is None
    small.press("ArrowRight")
    assert "calls a month; rates" in (_tip(small) or "")
    small.press("Tab")
    assert small.run("document.querySelectorAll('table [aria-describedby]').length") == 0


def test_a_row_is_named_by_its_first_cell(small: Page) -> None:
    small.run("document.querySelector('#tables-table [data-sort=\"0\"]').focus()")
    small.press("ArrowDown")
    name = _rows(small, "tables-table")[0]
    assert small.focused() == {"role": "rowheader", "name": name, "description": ""}


def test_a_mouse_is_told_and_may_go_to_what_it_is_told(small: Page) -> None:
    small.point("#patterns-table td .fig")
    assert _tip(small) == "calls in the logs; measured"
    small.point("#tip")
    assert _tip(small)
    small.point("h1")
    assert _tip(small) is None


def test_a_finger_is_told_and_a_tap_elsewhere_ends_it(small: Page) -> None:
    small.size(400)
    small.tap("#patterns-table td .fig")
    assert _tip(small) == "calls in the logs; measured"
    inside = "(box => box.left >= 0 && box.right <= innerWidth)(tip.getBoundingClientRect())"
    assert small.run(inside)
    small.tap("#patterns h2")
    assert _tip(small) is None


def test_a_hostile_text_in_a_tip_stays_text(hostile: Page) -> None:
    said = hostile.run(
        "[...document.querySelectorAll('table :is([title], [data-about])')].map(one => {"
        " const cell = one.closest('td, th'); cell.tabIndex = 0; cell.focus(); return tip.textContent })"
    )
    assert any(TABLE in text for text in said)
    assert hostile.run("window.hit === undefined && tip.children.length") == 0


@pytest.mark.parametrize("name", ["hostile", "small"])
@pytest.mark.parametrize("width", [400, 1440])
def test_no_page_is_wider_than_its_screen(name: str, width: int, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(name)
    page.size(width)
    page.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert page.run("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_and_the_button(scheme: str, small: Page) -> None:
    small.scheme(scheme)
    light = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 127"
    assert small.run(light) is (scheme == "light")
    small.run("document.getElementById('theme').click()")
    assert small.run(light) is (scheme == "dark")


# --- what if ---

WHAT_IFS: list[dict[str, Any]] = [
    {},
    {"months": 12},
    {"months": 36, "growth": 10},
    {"months": 24, "growth": -5},
    {"calls": 2.5},
    {"writes": 60},
    {"writes": 0},
    {"months": 60, "growth": 30, "calls": 10, "writes": 90},
    {"region": "eu-west-1", "months": 7},
    {"mode": "provisioned"},
    {"mode": "provisioned", "months": 36, "calls": 10, "writes": 75, "region": "eu-west-1"},
]


@pytest.mark.parametrize("asked", WHAT_IFS, ids=str)
def test_what_if_sums_as_the_engine_does(asked: dict[str, Any], small: Page) -> None:
    for name, value in asked.items():
        _type(small, f"#levers [name={name}]", str(value))
    shown = json.loads(small.run("document.getElementById('result').dataset.usd"))
    expected = _engine(asked)
    assert shown == {part: pytest.approx(float(usd), rel=1e-9, abs=6e-7) for part, usd in _parts(expected).items()}
    total = small.run("document.querySelector('#result .total').textContent")
    assert total == f"${expected.total_usd.quantize(Decimal('0.01')):,} a month"


def _engine(asked: dict[str, Any]) -> Cost:
    """The same question, answered by the engine."""
    _, assessment, design = small_world()
    chosen, load = design.alternative(design.chosen), load_of(assessment.patterns)
    factor = (1 + asked.get("growth", 5) / 100) ** asked.get("months", 0)
    share = write_share(chosen.plans, load.calls_per_month)
    wanted = asked["writes"] / 100 if "writes" in asked else share
    calls = factor * asked.get("calls", 1)
    change = Variation(reads=calls * (1 - wanted) / (1 - share), writes=calls * wanted / share, data=factor)
    prices = ELSEWHERE if asked.get("region") == "eu-west-1" else PRICES
    mode: Mode = asked.get("mode", "on-demand")
    return cost_under(chosen, load, prices.under(mode, "standard"), change)


def _parts(cost: Cost) -> dict[str, Decimal]:
    return {"reads": cost.reads_usd, "writes": cost.writes_usd, "index writes": cost.index_writes_usd,
            "transactions": cost.transactions_usd, "storage": cost.storage_usd,
            "index storage": cost.index_storage_usd}  # fmt: skip


def test_what_if_says_where_no_price_is_known_and_goes_back(small: Page) -> None:
    today = small.run("document.getElementById('result').textContent")
    _type(small, "#levers [name=table_class]", "standard-ia")
    assert small.run("document.getElementById('result').textContent") == "No price is known for this."
    small.run("document.querySelector('#levers [type=reset]').click()")
    small.run("new Promise(done => setTimeout(done, 20))")
    assert small.run("document.getElementById('result').textContent") == today
