"""Markdown blocks: whatever a name holds, it renders as that text, in its place, and as nothing else."""

import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ddbmig.model.assessment import EvidenceSource, Relationship
from ddbmig.model.schema import Column, Index, Table
from ddbmig.reporters import markdown as md

GITHUB = MarkdownIt("gfm-like", {"linkify": False})
HOSTILE = (
    "a|b",
    "a\\|b",
    "a\\\\|b",
    "`tick`",
    "``",
    "line\nbreak\r\nand\u2028more",
    "<script>alert(1)</script>",
    "<!-- gone -->",
    "[text](javascript:alert)",
    "![image](https://elsewhere.example/x.png)",
    "https://elsewhere.example/path",
    "www.elsewhere.example",
    "*bold* _italic_ __both__ ~~struck~~ a_b_c",
    "# heading",
    "ends in hashes ##",
    "- item",
    "1. item",
    "1) item",
    "> quote",
    "===",
    "---",
    "+ item",
    "&lt;b&gt; &amp; &#60; AT&T",
    "null\0bell\a escape\x1b[31m",
    "right\u202eto\u202cleft",
    "ends in a backslash\\",
    "| --- | --- |",
    "$x$",
    "```\nfence",
    "    indented",
)
anything = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text(alphabet="|\\`*_[]()<>&#;~-+.1 \n\tab!$"))


def shown(html: str) -> str:
    """The text that a browser shows of our HTML: entities read."""
    text = html
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def cells_of(table: str) -> list[list[str]]:
    """The text of every cell, as a renderer of GitHub's flavour sees them."""
    rows: list[list[str]] = []
    for token in GITHUB.parse(table):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            html = GITHUB.renderInline(token.content)
            rows[-1].append(shown(html.removeprefix("<code>").removesuffix("</code>")))
    return rows


def folded(value: str) -> str:
    """What our functions promise to show."""
    return " ".join(md.visible(value).split())


@given(anything)
def test_text_renders_as_itself_and_as_nothing_else(value: str) -> None:
    html = GITHUB.render(f"before\n\n{md.text(value)}\n\nafter")
    found = re.fullmatch(r"<p>before</p>\n(?:<p>(.*)</p>\n)?<p>after</p>\n", html)
    assert found, html
    assert "<" not in (found[1] or "")
    assert shown(found[1] or "") == folded(value)


@given(anything)
def test_code_renders_as_one_code_span(value: str) -> None:
    html = GITHUB.render(f"before {md.code(value)} after")
    found = re.fullmatch(r"<p>before <code>(.*)</code> after</p>\n", html)
    assert found, html
    assert shown(found[1]).strip() == folded(value)


@given(st.text(alphabet="`~\n ab"))
def test_code_block_ends_where_it_should(value: str) -> None:
    html = GITHUB.render(f"{md.code_block(value, 'sql')}\nafter")
    assert html.startswith('<pre><code class="language-sql">')
    assert html.endswith("</code></pre>\n<p>after</p>\n")


@given(st.lists(st.tuples(anything, anything), max_size=4), st.tuples(anything, anything))
def test_table_keeps_every_cell_in_its_place(rows: Sequence[tuple[str, str]], headers: tuple[str, str]) -> None:
    found = cells_of(md.table(headers, rows))
    assert found == [[folded(value) for value in row] for row in (headers, *rows)]


@given(anything)
def test_code_in_a_table_keeps_its_pipes(value: str) -> None:
    table = md.table(["name", "n"], [(md.code(value), "1")])
    assert table.count("\n") == 3
    rows = cells_of(table)
    assert len(rows[1]) == 2
    assert rows[1][0].strip() == folded(value)


def test_table_aligns_and_refuses_rows_of_another_width() -> None:
    assert md.table(["a", "b"], [("x", "1")], right={1}) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"
    with pytest.raises(ValueError, match="a row of 1 cells in a table of 2 columns"):
        md.table(["a", "b"], [("x",)])


@given(anything)
def test_heading_and_bullets_stay_one_line(value: str) -> None:
    assert md.heading(2, value).count("\n") == 1
    found = re.fullmatch(r"<h2>(.*)</h2>\n", GITHUB.render(md.heading(2, value)))
    assert found
    assert shown(found[1]) == (folded(value) or "\ufffd")
    assert md.bullets([value, value]).count("\n") == 2
    assert GITHUB.render(md.bullets([value, value])).count("<li>") == 2


def test_heading_levels_are_those_of_html() -> None:
    assert md.heading(1, "Stage 1") == "# Stage 1\n"
    with pytest.raises(ValueError, match="1 to 6"):
        md.heading(7, "too deep")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://elsewhere.example", "https\\://elsewhere.example"),
        ("see www.elsewhere.example", "see www\\.elsewhere.example"),
        ("someone@elsewhere.example", "someone\\@elsewhere.example"),
    ],
)
def test_addresses_become_no_links(value: str, expected: str) -> None:
    assert md.text(value) == expected


def test_joined_escapes_texts_and_keeps_markdown() -> None:
    assert md.joined("rows of ", md.code("a*b"), " * 2: ", md.number(1500)) == "rows of `a*b` \\* 2: 1,500"
    assert md.joined(md.code("a"), md.code("b"), separator=", ") == "`a`, `b`"
    assert md.text(md.joined("a|b")) == "a\\|b"


def test_markup_is_not_escaped_again() -> None:
    assert md.text(md.code("a*b")) == "`a*b`"
    assert md.text("snake_case_name") == "snake_case_name"


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0, None, "0"),
        (1234567, None, "1,234,567"),
        (1234567.89, None, "1,234,568"),
        (12.3456, None, "12.3"),
        (1.5, None, "1.5"),
        (0.1, None, "0.1"),
        (0.000012345, None, "0.0000123"),
        (-0.0, None, "0"),
        (-2500.5, 1, "-2,500.5"),
        (2.5, 0, "2"),
        (3, 2, "3.00"),
        (1e21, None, "1,000,000,000,000,000,000,000"),
        (Decimal("99.96"), None, "100"),
    ],
)
def test_number(value: float, digits: int | None, expected: str) -> None:
    assert md.number(value, digits) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_number_refuses_what_is_none(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        md.number(value)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_number_is_close_to_the_number(value: float) -> None:
    assert float(md.number(value).replace(",", "")) == pytest.approx(value, rel=0.005)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, "0.0 %"), (1, "100.0 %"), (0.12345, "12.3 %"), (0.0001, "under 0.1 %"), (0.0005, "0.0 %"), (1.5, "150.0 %")],
)
def test_percent(share: float, expected: str) -> None:
    assert md.percent(share) == expected


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0", "$0.00"),
        ("1234.5", "$1,234.50"),
        ("0.01", "$0.01"),
        ("0.00125", "$0.0012"),
        ("0.000000625", "$0.00000062"),
        ("-3", "-$3.00"),
        ("0.0099999", "$0.0100"),
    ],
)
def test_money(amount: str, expected: str) -> None:
    assert md.money(Decimal(amount)) == expected


def test_money_is_decimal() -> None:
    with pytest.raises(TypeError, match="float"):
        md.money(1.5)  # type: ignore[arg-type]  # the mistake that is tested


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (1, "1 B"), (1023, "1,023 B"), (1024, "1 KB"), (1536, "1.5 KB"), (400 * 1024, "400 KB"),
     (10 * 1024**3, "10 GB"), (1234.5, "1.21 KB"), (2 * 1024**6, "2,048 PB")],
)  # fmt: skip
def test_bytes(count: float, expected: str) -> None:
    assert md.bytes_(count) == expected


def table(table_id: str, *columns: str, key: tuple[str, ...] = ("id",), nullable: bool = False) -> Table:
    made = tuple(Column(name=name, type="int", nullable=nullable) for name in columns)
    unique = (Index(name="u", columns=("email",), kind="unique"),) if "email" in columns else ()
    return Table(id=table_id, schema_name="", name=table_id, columns=made, primary_key=key, indexes=unique)


def relationship(child: str, column: str, parent: str, declared: bool = True, one: bool = False) -> Relationship:
    return Relationship(
        id=f"{child}.{column}->{parent}.id",
        child=child,
        child_columns=(column,),
        parent=parent,
        parent_columns=("id",),
        cardinality="1:1" if one else "1:N",
        evidence=(EvidenceSource(kind="declared" if declared else "join", detail=""),),
    )


def test_mermaid_draws_the_neighbourhood_of_one_table() -> None:
    tables = [
        table("orders", "id", "customer_id", "total"),
        table("customers", "id", "email", "name"),
        table("lines", "order_id", "line_no", key=("order_id", "line_no")),
        table("notes", "id", "order_id", nullable=True),
        table("elsewhere", "id"),
    ]
    related = [
        relationship("orders", "customer_id", "customers"),
        relationship("lines", "order_id", "orders"),
        relationship("notes", "order_id", "orders", declared=False, one=True),
        relationship("elsewhere", "id", "customers"),
    ]
    expected = """```mermaid
erDiagram
    "orders" {
        int id PK
        int customer_id FK
    }
    "customers" {
        int id PK
        int email UK
    }
    "lines" {
        int order_id PK, FK
        int line_no PK
    }
    "notes" {
        int id PK
        int order_id FK
    }
    "orders" ||--o{ "lines" : "order_id"
    "orders" |o..o| "notes" : "order_id"
    "customers" ||--o{ "orders" : "customer_id"
```
"""
    assert md.mermaid_er(tables, related, "orders") == expected
    assert md.mermaid_er(tables[::-1], related[::-1], "orders") == expected


def test_mermaid_draws_a_self_reference_and_a_table_alone() -> None:
    categories = table("categories", "id", "parent_id", nullable=True)
    diagram = md.mermaid_er([categories], [relationship("categories", "parent_id", "categories")], "categories")
    assert '"categories" |o--o{ "categories" : "parent_id"' in diagram
    assert md.mermaid_er([table("log", "line", key=())], [], "log") == '```mermaid\nerDiagram\n    "log"\n```\n'


def test_mermaid_says_what_it_does_not_draw() -> None:
    children = [f"child{number:02d}" for number in range(15)]
    tables = [table("hub", "id"), *(table(child, "id", "hub_id") for child in children)]
    diagram = md.mermaid_er(tables, [relationship(child, "hub_id", "hub") for child in children], "hub", neighbours=14)
    assert diagram.endswith("Not drawn: 1 more related table.\n")
    assert "child14" not in diagram


MERMAID_LINE = re.compile(
    r'erDiagram|    "[^"%\\]+"(?: \{)?|        [A-Za-z_]\w* [A-Za-z_]\w* (?:PK|FK|UK)(?:, (?:PK|FK|UK))*|    \}'
    r'|    "[^"%\\]+" (?:\|\||\|o)(?:--|\.\.)o[|{] "[^"%\\]+" : "[^"%\\]*"',
    re.ASCII,
)


@given(st.lists(anything, min_size=1, max_size=4, unique=True), anything)
def test_mermaid_takes_every_name(names: list[str], column: str) -> None:
    tables = [table(name, column, key=(column,)) for name in names]
    related = [relationship(name, column, names[0]) for name in names]
    diagram = md.mermaid_er(tables, related, names[0])
    opening, *lines, closing, end = diagram.split("\n")
    assert (opening, closing, end) == ("```mermaid", "```", "")
    assert [line for line in lines if not MERMAID_LINE.fullmatch(line)] == []
    boxes = [line for line in lines if re.fullmatch(r'    "[^"]+" \{', line)]
    assert len(set(boxes)) == len(names)
