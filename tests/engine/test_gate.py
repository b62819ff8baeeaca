"""The gate: what stands open, is known or waived, what fails, and what is told of the waivers themselves."""

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from small_rules import KEYLESS, WIDE, book_of, text_of

from ddbmig.engine.gate import Accepted, baseline_of, gone, judge, summary, switched_off
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import find
from ddbmig.engine.waivers import PlacedWaiver, read_waivers, waiver_text
from ddbmig.model.assessment import Finding, Phase, Severity
from ddbmig.model.gate import Baseline, BaselineEntry, FailOn, Violation, Waiver
from ddbmig.model.location import Location

TODAY = datetime.date(2027, 1, 15)
BOOK = book_of(
    text_of(WIDE), text_of(KEYLESS), text_of(WIDE, id="TT003", title="very-wide", severity="info"),
    text_of(KEYLESS, id="TT004", title="keyless-soon", status="preview", since="2.0"), waiver_rules=True,
)  # fmt: skip
FACTS: Mapping[str, Any] = {"table.columns": 25, "table.has_primary_key": False}
HERE = Location(file="schema.sql", line=7, column=3)


def findings(*subjects: str, book: Rulebook = BOOK, **facts: Any) -> list[Finding]:
    given = {**FACTS, **{name.replace("__", "."): value for name, value in facts.items()}}
    return [finding for subject in subjects or ("orders",) for finding in find(book, "table", subject, given)]


def waived(
    rule: str = "TT002", of: str = "orders", expires: str = "2027-12-31", tolerance: float = 0, **accepted: Any
) -> PlacedWaiver:
    facts = {name.replace("__", "."): value for name, value in accepted.items()} or FACTS
    waiver = Waiver(rule=rule, object=of, reason="an archive", owner="ann", expires=expires, accepted=facts)
    text = waiver_text(waiver) + f"    tolerance_percent: {tolerance}\n"
    (placed,) = read_waivers("waivers.yaml", f"waivers:\n{text}")
    return placed


def accepted(*waivers: PlacedWaiver, baseline: Mapping[str, Severity] | None = None, **more: Any) -> Accepted:
    entries = [BaselineEntry(rule=rule, object="orders", severity=s) for rule, s in (baseline or {}).items()]
    return Accepted(TODAY, waivers, "waivers.yaml", Baseline(entries=tuple(entries)), **more)


def judged(
    found: list[Finding], known: Accepted | None = None, fail_on: FailOn = "error", book: Rulebook = BOOK
) -> dict[str, Violation]:
    violations = judge(book, found, known or accepted(), fail_on, lambda *_: HERE)
    assert len(violations) == len({(v.finding.rule, v.finding.subject) for v in violations})
    return {v.finding.rule: v for v in violations}


# --- standing and failing ---


def test_an_error_that_nobody_accepted_fails() -> None:
    found = judged(findings())
    assert {rule: (v.standing, v.fails) for rule, v in found.items()} == {
        "TT002": ("open", True), "TT001": ("open", False), "TT003": ("open", False), "TT004": ("open", False)
    }  # fmt: skip
    assert {v.location for v in found.values()} == {HERE}
    assert {v.applies_to for v in found.values()} == {"table"}


def test_a_gate_that_fails_on_warnings_fails_on_errors_too() -> None:
    assert {rule for rule, v in judged(findings(), fail_on="warning").items() if v.fails} == {"TT001", "TT002"}


def test_a_rule_in_preview_fails_nothing_and_says_so() -> None:
    found = judged(findings(), fail_on="warning")["TT004"]
    assert (found.finding.severity, found.fails, found.note) == ("error", False, "the rule is in preview")


def test_the_heaviest_come_first_then_by_rule_and_object() -> None:
    told = judge(BOOK, findings("b", "a"), accepted(), "error", lambda *_: None)
    assert [(v.finding.severity, v.finding.rule, v.finding.subject) for v in told] == [
        ("error", "TT002", "a"), ("error", "TT002", "b"), ("error", "TT004", "a"), ("error", "TT004", "b"),
        ("warning", "TT001", "a"), ("warning", "TT001", "b"), ("info", "TT003", "a"), ("info", "TT003", "b"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "new_only", "standing", "fails"),
    [
        pytest.param({}, False, "open", True, id="not in the baseline"),
        pytest.param({}, True, "open", True, id="a new one fails where only new ones do"),
        pytest.param({"TT002": "error"}, False, "known", True, id="a known one fails too"),
        pytest.param({"TT002": "error"}, True, "known", False, id="unless only new ones do"),
        pytest.param({"TT002": "warning"}, True, "open", True, id="its severity was raised since"),
        pytest.param({"TT001": "warning"}, True, "open", True, id="another rule's finding is known"),
    ],
)
def test_the_baseline(known: Mapping[str, Severity], new_only: bool, standing: str, fails: bool) -> None:
    found = judged(findings(), accepted(baseline=known, new_only=new_only))["TT002"]
    assert (found.standing, found.fails) == (standing, fails)
    assert found.note == ("in the baseline" if standing == "known" else "")


def test_the_baseline_of_one_object_is_not_that_of_another() -> None:
    found = judged(findings("books"), accepted(baseline={"TT002": "error"}, new_only=True))["TT002"]
    assert (found.standing, found.fails) == ("open", True)


def test_a_finding_that_became_lighter_stays_known() -> None:
    book = book_of(text_of(KEYLESS, severity="warning"))
    found = judged(findings(book=book), accepted(baseline={"TT002": "error"}), book=book)["TT002"]
    assert found.standing == "known"


@pytest.mark.parametrize(
    ("waiver", "standing", "on_it"),
    [
        pytest.param(waived(), "waived", {}, id="in force"),
        pytest.param(waived(expires="2027-01-29"), "waived", {}, id="two weeks left"),
        pytest.param(waived(expires="2027-01-28"), "waived", {"WA004": "info"}, id="less than two weeks left"),
        pytest.param(waived(expires="2027-01-15"), "waived", {"WA004": "info"}, id="its last day"),
        pytest.param(waived(expires="2027-01-14"), "open", {"WA001": "error"}, id="past"),
        pytest.param(waived(of="books"), "open", {"WA002": "warning"}, id="of another object"),
        pytest.param(waived(rule="TT001", of="books"), "open", {"WA002": "warning"}, id="unused"),
        pytest.param(waived(rule="TT999"), "open", {"WA005": "error"}, id="of a rule that there is not"),
        pytest.param(waived(table__has_primary_key=True), "open", {"WA003": "error"}, id="worse than accepted"),
        pytest.param(waived(table__columns=3), "open", {"WA003": "error"}, id="the fact was not known then"),
        pytest.param(waived(expires="2027-01-14", table__has_primary_key=True), "open",
                     {"WA001": "error", "WA003": "error"}, id="past and worse"),
    ],
)  # fmt: skip
def test_a_waiver_holds_until_its_last_day_and_while_nothing_gets_worse(
    waiver: PlacedWaiver, standing: str, on_it: Mapping[str, Severity]
) -> None:
    found = judged(findings(), accepted(waiver))
    assert (found["TT002"].standing, found["TT002"].fails) == (standing, standing == "open")
    assert {rule: v.finding.severity for rule, v in found.items() if rule.startswith("WA")} == on_it
    for rule in on_it:
        about = found[rule]
        assert about.finding.subject == f"{waiver.waiver.rule} {waiver.waiver.object}"
        assert about.location == Location(file="waivers.yaml", line=2, column=5)
        assert (about.applies_to, about.fails) == ("waiver", about.finding.severity == "error")


def test_who_waived_and_until_when_is_told() -> None:
    assert judged(findings(), accepted(waived()))["TT002"].note == "waived by ann until 2027-12-31: an archive"


@pytest.mark.parametrize(
    ("was", "tolerance", "standing", "lines"),
    [
        (25, 0, "waived", ()),
        (26, 0, "waived", ()),
        (24, 0, "open", ("table.columns was 24, is 25",)),
        (24, 5, "waived", ()),
        (23, 5, "open", ("table.columns was 23, is 25",)),
    ],
)
def test_a_number_may_get_worse_by_the_tolerance(
    was: int, tolerance: float, standing: str, lines: tuple[str, ...]
) -> None:
    waiver = waived("TT001", tolerance=tolerance, table__columns=was)
    found = judged(findings(), accepted(waiver), fail_on="warning")
    assert found["TT001"].standing == standing
    assert ("WA003" in found) is bool(lines)
    if lines:
        assert found["WA003"].finding.because[-len(lines) :] == lines


def test_one_waiver_in_force_is_enough() -> None:
    """A file may hold the old and the new waiver of one finding in two spellings only; here they come one by one."""
    found = judged(findings(), accepted(waived(expires="2027-01-01"), waived()))
    assert found["TT002"].standing == "waived"


def test_a_waiver_wins_over_the_baseline_and_the_baseline_stands_when_it_is_past() -> None:
    known: Mapping[str, Severity] = {"TT002": "error"}
    assert judged(findings(), accepted(waived(), baseline=known))["TT002"].standing == "waived"
    past = judged(findings(), accepted(waived(expires="2027-01-01"), baseline=known))
    assert past["TT002"].standing == "known"


def test_a_waiver_of_what_this_run_did_not_look_at_is_not_called_unused() -> None:
    book = book_of(text_of(WIDE), waiver_rules=True)
    phases: list[Phase] = ["table"]
    assert judged([], accepted(waived("TT001", of="books"), unseen=phases), book=book) == {}
    assert set(judged([], accepted(waived("TT001", of="books")), book=book)) == {"WA002"}


# --- writing a baseline ---


def entries(baseline: Baseline) -> list[tuple[str, str, str]]:
    return [(entry.rule, entry.object, entry.severity) for entry in baseline.entries]


def test_a_baseline_makes_everything_known_that_is_not_waived() -> None:
    known = accepted(waived(), waived("TT001", of="gone"))
    violations = judge(BOOK, findings("orders", "books"), known, "error", lambda *_: None)
    written = baseline_of(BOOK, violations, known)
    assert entries(written) == [
        ("TT001", "books", "warning"), ("TT001", "orders", "warning"), ("TT002", "books", "error"),
        ("TT003", "books", "info"), ("TT003", "orders", "info"), ("TT004", "books", "error"),
        ("TT004", "orders", "error"),
    ]  # fmt: skip
    again = Accepted(TODAY, known.waivers, "waivers.yaml", written, new_only=True)
    after = judge(BOOK, findings("orders", "books"), again, "warning", lambda *_: None)
    assert {v.finding.rule for v in after if v.fails} == {"WA002"}  # the waiver that is unused stays a finding


def test_a_baseline_keeps_what_was_not_looked_at_and_drops_what_is_gone() -> None:
    phases: list[Phase] = ["table"]
    before: dict[str, Severity] = {"TT002": "error", "TT001": "warning", "XX001": "error"}
    looked = accepted(baseline=before)
    assert (gone(BOOK, [], looked), entries(baseline_of(BOOK, [], looked))) == (3, [])
    unseen = accepted(baseline=before, unseen=phases)
    assert gone(BOOK, [], unseen) == 1
    assert entries(baseline_of(BOOK, [], unseen)) == [("TT001", "orders", "warning"), ("TT002", "orders", "error")]


def test_what_is_still_there_is_not_gone() -> None:
    known = accepted(baseline={"TT002": "error"})
    violations = judge(BOOK, findings(), known, "error", lambda *_: None)
    assert gone(BOOK, violations, known) == 0
    assert gone(BOOK, judge(BOOK, findings("books"), known, "error", lambda *_: None), known) == 1


# --- what a report says of rules ---


def test_a_rule_that_is_off_is_told_with_who_did_it() -> None:
    book = book_of(text_of(WIDE), text_of(KEYLESS), settings="TT001: {enabled: false}\n")
    (off,) = switched_off(book)
    assert (off.rule, off.title, off.by) == ("TT001", "wide-table", "ddbmig.yaml:1")
    told = summary(book.rule("TT002"))
    assert (told.id, told.applies_to, told.severity, told.pack) == ("TT002", "table", "error", "ddbmig:test")
