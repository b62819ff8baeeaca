"""How a page of ours is built: title, sections, long tables that are cut, and a last line that says what to type.

A page is a list of blocks of Markdown. A table longer than `HEAVIEST` rows shows those that weigh most; the others
stand under "All tables" at the end of the page: nothing is lost, and the page reads at 150 tables as it does at 15.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ddbmig.model.assessment import Fact, Finding
from ddbmig.model.measure import Measure, Source
from ddbmig.reporters.markdown import Markup, bullets, bytes_, code, heading, number, percent, table, text, visible

HEAVIEST = 20
"""Rows of a long table in the running text."""
LONGEST = 500
"""Rows of a table in all: beyond, the JSON value beside the report has them."""
NOTHING = Markup("None found.\n")
Label = Callable[[str], Markup]
"""How the subject of a finding is shown."""


def say(template: str, *values: str) -> Markup:
    """Our own Markdown with values in its `{}`; a value that is no Markup is escaped."""
    shown, opens = list[Markup](), template.startswith("{}")
    for value in values:
        shown.append(text(value) if opens else _within(value))
        opens = opens and not shown[-1].strip()  # after an empty value the next one may begin the line
    return Markup(template.format(*shown))


def _within(value: str) -> Markup:
    """A text in the middle of a line, where `60.2 %` or `- x` opens no list and needs no backslash."""
    return value if isinstance(value, Markup) else Markup(text("(" + visible(value))[1:])


def paragraph(template: str, *values: str) -> Markup:
    """A paragraph of our own words with values in its `{}`."""
    return Markup(say(template, *values) + "\n")


def page(*blocks: str) -> str:
    """Blocks with one blank line between them; empty ones are left out."""
    return "\n".join(block.rstrip("\n") + "\n" for block in blocks if block)


def section(title: str, *blocks: str, level: int = 2) -> Markup:
    """A heading and what stands below it; an empty section says so."""
    return Markup(page(heading(level, title), *(blocks if any(blocks) else (NOTHING,))))


def next_step(command: str) -> Markup:
    """The last line of every page."""
    return paragraph("Next: {}", code(command))


@dataclass(frozen=True)
class LongTable:
    """A table whose rows are ordered by weight."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: tuple[int, ...] = ()
    by: str = "calls"
    """What the rows are ordered by."""

    def head(self, nothing: Markup = NOTHING) -> Markup:
        """The heaviest rows, and where the others are; `nothing` where there is no row."""
        if not self.rows:
            return nothing
        shown = table(self.headers, self.rows[:HEAVIEST], self.right)
        if len(self.rows) <= HEAVIEST:
            return shown
        note = paragraph(
            "The first {} of {}, by {}; the others stand under “All tables: {}”.",
            number(HEAVIEST), number(len(self.rows)), self.by, self.title,
        )  # fmt: skip
        return Markup(page(shown, note))

    def rest(self) -> Markup:
        """The rows that `head` left out, as far as a page can bear them."""
        rows, more = self.rows[HEAVIEST:LONGEST], len(self.rows) - LONGEST
        if not rows:
            return Markup("")
        note = paragraph("{} more in the stage's JSON file.", number(more)) if more > 0 else ""
        return section(self.title, table(self.headers, rows, self.right), note, level=3)


def all_tables(*tables: LongTable) -> Markup:
    """The remainder of the long tables; empty where all of them were short."""
    rests = [rest for rest in (one.rest() for one in tables) if rest]
    return section("All tables", *rests) if rests else Markup("")


def marked(shown: str, source: Source) -> Markup:
    """A number with the mark that an assumed one bears everywhere."""
    return say("{} (assumed)", shown) if source == "assumed" else text(shown)


def measure(value: Measure) -> Markup:
    """A measure with unit and mark; bytes in the unit that reads best."""
    return marked(_with_unit(value.value, value.unit), value.source)


def fact(value: Fact | None, unit: bool = True) -> Markup:
    """A fact with unit and mark; `not known` where it is missing. A share and bytes always bear their unit."""
    if value is None or value.value is None:
        return Markup("not known")
    if isinstance(value.value, bool):
        return Markup("yes" if value.value else "no")
    if isinstance(value.value, tuple):
        return Markup(", ".join(code(item) for item in value.value) or "none")
    if isinstance(value.value, str):
        return marked(value.value, value.source)
    shown = value.unit if unit or value.unit in ("share", "percent", "bytes") else ""
    return marked(_with_unit(value.value, shown), value.source)


def _with_unit(value: float, unit: str) -> Markup:
    if unit == "share":
        return percent(value)
    if unit == "percent":
        return say("{} %", number(value))
    if unit == "bytes":
        return bytes_(value)
    return say("{} {}", number(value), unit) if unit else number(value)


def names(values: Iterable[str], limit: int = 8) -> Markup:
    """Names as code, the first `limit` of them and how many more there are."""
    found = list(values)
    shown = ", ".join(code(name) for name in found[:limit])
    more = len(found) - limit
    return Markup(f"{shown} and {number(more)} more" if more > 0 else shown or "none")


def plural(count: int, noun: str, many: str = "") -> Markup:
    """`1 table`, `2 tables`."""
    return say("{} {}", number(count), noun if count == 1 else many or f"{noun}s")


def unsaid(lines: Iterable[str]) -> Markup:
    """The section of what was not analysed."""
    found = list(lines)
    return section("Not analysed", bullets(found)) if found else Markup("")


def warnings(findings: Iterable[Finding], label: Label = code) -> Markup:
    """The guide's production warnings in their exact words, each with the objects it fired on."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.warning:
            found.setdefault(finding.warning, []).append(finding)
    blocks = []
    for warning in sorted(found):
        evidence = [say("{}: {} ({})", label(one.subject), one.message, one.rule) for one in found[warning]]
        blocks += [say("**{}**\n", warning), bullets(_first(evidence, 10))]
    return section("Production warnings", *blocks) if blocks else Markup("")


def _first(lines: list[Markup], limit: int) -> list[Markup]:
    more = len(lines) - limit
    return [*lines[:limit], say("and {} more, listed with the findings", number(more))] if more > 0 else lines


def finding_table(title: str, findings: Sequence[Finding], label: Label = code) -> LongTable:
    """Findings by severity, else as they are ordered in the value."""
    rows = [
        (
            one.severity,
            say("{} {}", one.rule, one.title),
            label(one.subject),
            say("{}{}", one.message, _place(one)),
            one.instead or "–",
        )
        for one in sorted(findings, key=lambda one: ("error", "warning", "info").index(one.severity))
    ]
    return LongTable(title, ("severity", "rule", "object", "what", "instead"), rows, by="severity")


def _place(one: Finding) -> Markup:
    return say(" ({}:{})", one.file, str(one.line)) if one.file and one.line else Markup("")
