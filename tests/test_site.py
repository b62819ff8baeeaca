"""The documentation as a site: every page is in it, every link leads somewhere, nothing is loaded from elsewhere."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from chromium import PROGRAM, chromium

ROOT = Path(__file__).resolve().parent.parent
LOADS = {("script", "src"), ("link", "href"), ("img", "src"), ("img", "srcset"), ("source", "src"), ("iframe", "src"),
         ("source", "srcset"), ("embed", "src"), ("object", "data"), ("video", "src"), ("video", "poster"),
         ("audio", "src"), ("track", "src"), ("use", "href"), ("image", "href"), ("input", "src")}  # fmt: skip
"""The attributes by which a page makes a browser load something."""
FETCHED_ON_DEMAND = ("mermaid", "glightbox", "pyodide", "ace-editor")
"""What the theme's script would fetch from another host for a page that has an element of this class."""


@dataclass
class Found(HTMLParser):
    """What one page loads, links to, and can be linked to."""

    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    styles: list[str] = field(default_factory=list)
    _style: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        for name, value in attrs:
            if (tag, name) in LOADS:
                self.loads.append(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")
            elif name in ("id", "name"):
                self.ids.add(value or "")
            elif name == "class":
                self.classes |= set((value or "").split())
            elif name == "style":
                self.styles.append(value or "")

    def handle_data(self, data: str) -> None:
        if self._style:
            self.styles.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._style = False


def found_in(html: str) -> Found:
    found = Found()
    found.feed(html)
    return found


def fetched(css: str) -> list[str]:
    """What a style sheet makes a browser load; data of its own is none."""
    plain = re.sub(r"""(['"])data:.*?\1""", "", css)
    urls = re.findall(r"""url\(\s*['"]?([^'")]*)|@import\s+['"]([^'"]*)""", plain)
    return [url for pair in urls for url in pair if url and not url.startswith("data:")]


def is_elsewhere(url: str) -> bool:
    """Whether an address names a host, or a scheme other than that of the page."""
    parts = urlsplit(url)
    return bool(parts.netloc) or (bool(parts.scheme) and parts.scheme != "data")


def target(site: Path, page: Path, url: str) -> Path:
    """The file that an address within the site means; those of 404.html begin at the root."""
    path = unquote(urlsplit(url).path)
    there = (site / path.lstrip("/") if path.startswith("/") else page.parent / path).resolve() if path else page
    return there / "index.html" if there.is_dir() else there


def astray(site: Path, page: Path, found: Found, pages: dict[Path, Found]) -> Iterator[str]:
    """The links of a page within the site that lead nowhere."""
    for link in found.links:
        if is_elsewhere(link):
            continue
        there, anchor = target(site, page, link), unquote(urlsplit(link).fragment)
        if not there.is_file() or (anchor and anchor not in pages[there].ids):
            yield link


def configuration() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    return project


def named(nav: list[Any]) -> Iterator[str]:
    """The pages of the navigation, in their order."""
    for entry in nav:
        inner = next(iter(entry.values())) if isinstance(entry, dict) else entry
        yield from [inner] if isinstance(inner, str) else named(inner)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("the package zensical is not installed (extra docs)")
    folder = tmp_path_factory.mktemp("site")
    for name in ("docs", "overrides"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Found]:
    return {page.resolve(): found_in(page.read_text("utf-8")) for page in sorted(site.rglob("*.html"))}


def test_the_navigation_names_every_page_but_those_of_single_rules() -> None:
    docs = ROOT / "docs"
    wanted = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    rules = {name for name in wanted if name.startswith("rules/") and name != "rules/README.md"}
    listed = list(named(configuration()["nav"]))
    assert sorted(listed) == sorted(wanted - rules)


def test_make_site_builds_it_strictly() -> None:
    (recipe,) = re.findall(r"^site:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert "zensical build --strict" in recipe


def test_every_page_is_built(site: Path) -> None:
    docs = ROOT / "docs"
    wanted = {page.relative_to(docs).with_suffix(".html") for page in docs.rglob("*.md")}
    wanted = {path.with_stem("index") if path.stem == "README" else path for path in wanted}
    built = {page.relative_to(site) for page in site.rglob("*.html")}
    assert built - wanted == {Path("404.html")}
    assert wanted - built == set()


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Found]) -> None:
    for page, found in pages.items():
        assert [url for url in found.loads if is_elsewhere(url)] == [], page
        for url in found.loads:
            assert target(site, page, url).is_file(), f"{page}: {url}"
        assert [url for css in found.styles for url in fetched(css)] == [], page
        assert found.classes.isdisjoint(FETCHED_ON_DEMAND), page
        assert 'http-equiv="Content-Security-Policy"' in page.read_text("utf-8"), page
    sheets = sorted(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        for url in fetched(sheet.read_text("utf-8")):
            assert not is_elsewhere(url), f"{sheet}: {url}"
            assert target(site, sheet, url).is_file(), f"{sheet}: {url}"


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[Path, Found]) -> None:
    assert sum(len(found.links) for found in pages.values()) > 1000
    assert {page.name: lost for page, found in pages.items() if (lost := list(astray(site, page, found, pages)))} == {}


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
def test_a_browser_asks_for_files_of_the_site_only(site: Path, tmp_path: Path) -> None:
    with chromium(tmp_path) as browser:
        for name in ("index.html", "tutorial.html", "rules/index.html", "404.html"):
            browser.open((site / name).as_uri())
            assert browser.run("document.querySelector('h1') !== null || document.title !== ''")
        assert browser.requests
        assert [url for url in browser.requests if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
        browser.run("fetch('http://127.0.0.1:9/').catch(() => null)")
        assert any("Content Security Policy" in said for said in browser.complaints)


@pytest.mark.parametrize(
    ("html", "loads"),
    [
        ('<script src="https://host/a.js"></script>', True),
        ('<link rel="stylesheet" href="//host/a.css">', True),
        ('<img src="http://host/a.png">', True),
        ('<style>@import "https://host/a.css";</style>', True),
        ('<p style="background: url(https://host/a.png)">x</p>', True),
        ('<a href="https://host/">a link is followed by a person</a>', False),
        ('<img src="a.png"><style>p { background: url("data:image/svg+xml,<svg/>") }</style>', False),
    ],
)
def test_what_counts_as_loaded_from_elsewhere(html: str, loads: bool) -> None:
    found = found_in(html)
    urls = [*found.loads, *(url for css in found.styles for url in fetched(css))]
    assert any(is_elsewhere(url) for url in urls) is loads
