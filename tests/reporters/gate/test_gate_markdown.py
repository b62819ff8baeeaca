"""The report in a pull request: every finding in its row, names as text, nothing else rendered."""

import re

import pytest
from drawn_reports import reports
from gate_reports import FAILED, IMAGE, WARNING, violation
from hypothesis import given
from markdown_it import MarkdownIt

from ddbmig.model.gate import GateReport
from ddbmig.reporters.gate.markdown import MOST, markdown_report
from ddbmig.reporters.gate.wording import verdict

GITHUB = MarkdownIt("gfm-like", {"linkify": False, "html": True})
TAG = re.compile(r"</?([a-z]+[1-6]?)\b")
OURS = {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "br", "strong", "ul", "li", "details",
        "summary"}  # fmt: skip


@given(reports())
def test_each_finding_is_one_row_and_no_name_is_markup(report: GateReport) -> None:
    html = GITHUB.render(markdown_report(report))
    assert set(TAG.findall(html)) <= OURS
    assert html.count("<tr>") == len(report.violations) + html.count("<table>")
    assert html.count("<details>") == html.count("</details>") <= 2


def test_first_what_fails_then_what_does_not_then_what_is_accepted() -> None:
    page = markdown_report(FAILED)
    assert page.startswith(f"## ddbmig check: failed\n\n{verdict(FAILED)}\n\n### Fails the gate\n")
    failing, others, accepted, _ = re.split(r"^### Does.*$|^<details>$", page, flags=re.MULTILINE)
    assert re.findall(r"\| (\w+) \| (PR012)", failing) == [("error", "PR012")] * 2
    assert f"`{IMAGE}`" in failing
    assert re.findall(r"^\| (error|warning|info) \| (\w+)", others, re.MULTILINE) == [
        ("error", "PR030"), ("warning", "PR001"), ("warning", "PW001"), ("info", "AP009"),
    ]  # fmt: skip
    assert f"**{WARNING}**" in others
    assert re.findall(r"^\| (known|waived) \| \w+ \| (\w+)", accepted, re.MULTILINE) == [
        ("waived", "AP001"), ("known", "AP002"), ("known", "PW003"),
    ]  # fmt: skip


@pytest.mark.parametrize("standing", ["open", "known"])
def test_a_long_table_is_cut_and_says_so(standing: str) -> None:
    many = tuple(violation("PR001", f"pattern {n}", "few keys", standing=standing) for n in range(MOST + 3))
    page = markdown_report(FAILED.model_copy(update={"violations": many}))
    assert page.count("few-partition-keys") == MOST
    assert "\n3 more: the formats text and json have them.\n" in page
