"""Pages: our words stay ours, values stay text, long tables lose nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ddbmig.model.assessment import Fact, Finding
from ddbmig.model.measure import Measure
from ddbmig.reporters import pages
from ddbmig.reporters.markdown import Markup, code, visible

GITHUB = MarkdownIt("gfm-like", {"linkify": False, "html": True})
hostile = st.one_of(
    st.text(),
    st.text(alphabet="|\\`*_[]()<>&#;~-+.1 \n\tab!$"),
    st.sampled_from(["1. x", "- x", "# x", "_a_", "60.2 %"]),
)


def shown(page: str) -> str:
    """The text that a browser shows."""
    found = re.sub(r"<[^>]*>", "", GITHUB.render(page))
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        found = found.replace(entity, character)
    return found.rstrip("\n")


@given(hostile, hostile)
def test_values_in_our_words_render_as_themselves(first: str, second: str) -> None:
    assert (
        shown(pages.paragraph("It is {}, then {}.", first, second))
        == f"It is {visible(first)}, then {visible(second)}."
    )


@given(hostile)
def test_a_value_that_opens_a_line_opens_nothing_else(value: str) -> None:
    assert shown(pages.paragraph("{} it is.", value)).strip() == f"{visible(value)} it is.".strip()


def test_a_number_in_the_middle_of_a_line_needs_no_backslash() -> None:
    assert pages.say("a: {}", "60.2 % of it") == "a: 60.2 % of it"
    assert pages.say("{}", "60.2 % of it") == "60\\.2 % of it"
    assert pages.say("{} {}", "", "> of it") == " \\> of it"


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (None, "not known"),
        (Fact(value=None, unit="", source="measured", origin=""), "not known"),
        (Fact(value=True, unit="", source="measured", origin=""), "yes"),
        (Fact(value=False, unit="", source="assumed", origin=""), "no"),
        (Fact(value=(), unit="", source="measured", origin=""), "none"),
        (Fact(value=("a|b", "c"), unit="", source="measured", origin=""), "`a|b`, `c`"),
        (Fact(value="some", unit="", source="declared", origin=""), "some"),
        (Fact(value=0.125, unit="share", source="measured", origin=""), "12.5 %"),
        (Fact(value=4.0, unit="percent", source="declared", origin=""), "4 %"),
        (Fact(value=2048, unit="bytes", source="assumed", origin=""), "2 KB (assumed)"),
        (Fact(value=12345.6, unit="calls/day", source="assumed", origin=""), "12,346 calls/day (assumed)"),
    ],
)
def test_a_fact_bears_its_unit_and_its_mark(fact: Fact | None, expected: str) -> None:
    assert pages.fact(fact) == expected


def test_a_fact_under_a_head_that_says_the_unit() -> None:
    calls = Fact(value=3, unit="calls/day", source="assumed", origin="")
    assert pages.fact(calls, unit=False) == "3 (assumed)"
    assert pages.fact(Fact(value=0.5, unit="share", source="measured", origin=""), unit=False) == "50.0 %"


def test_a_measure_bears_its_mark() -> None:
    assert pages.measure(Measure(value=7, unit="rows", source="assumed", origin="default")) == "7 rows (assumed)"


def test_names_beyond_the_limit_are_counted() -> None:
    assert pages.names(["a", "b", "c"], 2) == "`a`, `b` and 1 more"
    assert pages.names([]) == "none"


def test_a_short_table_has_no_rest_and_a_very_long_one_says_where_it_is() -> None:
    short = pages.LongTable("T", ("a",), [("1",)] * pages.HEAVIEST)
    assert short.rest() == ""
    assert "All tables" not in short.head()
    assert pages.all_tables(short) == ""
    long = pages.LongTable("T", ("a",), [("1",)] * (pages.LONGEST + 7))
    assert long.rest().count("\n| 1 |") == pages.LONGEST - pages.HEAVIEST
    assert long.rest().endswith("7 more in the stage's JSON file.\n")
    assert pages.LongTable("T", ("a",), []).head() == pages.NOTHING
    assert pages.LongTable("T", ("a",), []).head(Markup("x")) == "x"


def test_findings_stand_by_severity_with_their_place() -> None:
    def finding(rule: str, severity: str, **rest: object) -> Finding:
        return Finding.model_validate({"rule": rule, "title": "t", "severity": severity, "subject": "s", "message": "m"}
                                      | rest)  # fmt: skip

    rows = pages.finding_table("F", [finding("B", "info"), finding("A", "error", file="s.sql", line=3)]).rows
    assert [row[0] for row in rows] == ["error", "info"]
    assert rows[0][3] == "m (s.sql:3)"


def test_many_objects_under_one_warning_are_cut_and_counted() -> None:
    found = [
        Finding(rule="PW002", title="t", severity="warning", subject=f"s{n:02d}", message="m", warning="Warning: w.")
        for n in range(13)
    ]
    page = pages.warnings(found, code)
    assert page.count("(PW002)") == 10
    assert "- and 3 more, listed with the findings" in page
    assert pages.warnings([found[0].model_copy(update={"warning": ""})]) == ""
