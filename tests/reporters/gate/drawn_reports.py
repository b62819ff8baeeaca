"""Gate reports whose names, messages and notes are any text at all."""

from gate_reports import ASTRAL, ENCODED, ESCAPED, FILE, IMAGE, LINES, LINKED, RULES, TICKS, violation
from hypothesis import strategies as st

from ddbmig.model.gate import GateReport, SwitchedOff, Violation
from ddbmig.model.location import Location

HALF = "half \ud83d of a pair"
HOSTILE = (ASTRAL, ENCODED, ESCAPED, FILE, HALF, IMAGE, LINES, LINKED, TICKS, "::error::x", "##[error]x", "", "]]>")
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=())))
numbers = st.integers(1, 10**6)
locations = st.builds(Location, file=texts.filter(bool), line=numbers, column=numbers)
values = st.one_of(st.booleans(), numbers, st.just(0.5), texts, st.tuples(texts, texts))
facts = st.dictionaries(texts, values, max_size=2)
lists = st.lists(texts, max_size=2)


@st.composite
def violations(draw: st.DrawFn) -> Violation:
    """A finding of one of the rules that make findings."""
    rule = draw(st.sampled_from([one.id for one in RULES if one.severity is not None]))
    return violation(
        rule,
        draw(texts),
        draw(texts),
        draw(st.none() | locations),
        standing=draw(st.sampled_from(["open", "open", "known", "waived"])),
        fails=draw(st.booleans()),
        note=draw(st.just("") | texts),
        because=tuple(draw(lists)),
        facts=draw(facts),
        instead=draw(texts),
        warning=draw(texts),
    )


@st.composite
def reports(draw: st.DrawFn) -> GateReport:
    """A report in which a rule fires on an object once."""
    found = draw(st.lists(violations(), max_size=4, unique_by=lambda one: one.fingerprint))
    off = draw(st.lists(st.builds(SwitchedOff, rule=texts, title=texts, by=texts), max_size=2))
    return GateReport(
        version="0.1.0",
        passed=draw(st.booleans()),
        fail_on=draw(st.sampled_from(["error", "warning"])),
        new_only=draw(st.booleans()),
        rules=RULES,
        switched_off=tuple(off),
        evaluated={"table": 2},
        not_evaluated=tuple(draw(lists)),
        notes=tuple(draw(lists)),
        violations=tuple(found),
    )
