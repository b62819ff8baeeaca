"""Why: every flip that is announced is one, none is missed, and a near miss is a single line."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_rules import KEYLESS, WIDE, book_of, text_of

from ddbmig.engine.explain import explain_relationship, explain_rule
from ddbmig.engine.facts import BY_PHASE, FactDefinition
from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.engine.scoring import assess
from ddbmig.model.assessment import Assessment, Fact, FactValue, Rates, Relationship, RelationshipAssessment
from ddbmig.model.explanation import Explanation, Flip
from ddbmig.packs import recommended

PACK = load_rules([recommended()])
LINK = Relationship(id="line.order_id->orders.id", child="line", child_columns=("order_id",), parent="orders",
                    parent_columns=("id",), cardinality="1:N", evidence=())  # fmt: skip
FACTS = BY_PHASE["relationship"]
LOOKED_AT = sorted({name for rule in PACK.of("relationship") for name in rule.facts})
NUMBERS = [name for name in LOOKED_AT if FACTS[name].kind == "number"]
SHORT = 1e-6
"""Just short of a value, as a share of it: more than what `explain` calls just beyond a threshold."""

numbers = st.sampled_from([0, 1, 5, 20, 100, 4000, 409_600]) | st.floats(0, 500_000).map(lambda value: round(value, 3))


def value_of(fact: FactDefinition) -> st.SearchStrategy[Any]:
    by_kind: Mapping[str, st.SearchStrategy[Any]] = {
        "number": st.floats(0, 1).map(lambda value: round(value, 3)) if fact.unit == "share" else numbers,
        "bool": st.booleans(),
        "text": st.sampled_from(fact.values or ("orders",)),
        "list": st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
    }
    return st.none() | by_kind[fact.kind] if fact.may_be_missing else by_kind[fact.kind]


some_facts = st.fixed_dictionaries({name: value_of(fact) for name, fact in FACTS.items()})


def assessed(values: Mapping[str, FactValue | None], book: Rulebook = PACK) -> RelationshipAssessment:
    facts = {name: Fact(value=value, unit="", source="measured", origin="test") for name, value in values.items()}
    return assess(book, LINK, facts)


def explained(values: Mapping[str, FactValue | None], book: Rulebook = PACK) -> Explanation:
    return explain_relationship(book, assessed(values, book))


def fired(found: RelationshipAssessment, book: Rulebook = PACK) -> set[str]:
    told = explain_relationship(book, found)
    return {line.rule for line in told.ledger} | {finding.rule for finding in told.findings}


# --- flips ---


@settings(deadline=None, max_examples=40)
@given(some_facts)
def test_every_flip_gives_its_verdict_and_a_value_just_short_of_it_does_not(facts: dict[str, Any]) -> None:
    told = explained(facts)
    now = assessed(facts)
    assert (told.verdict, told.margin) == (now.verdict, now.margin)
    for flip in told.flips:
        then = assessed({**facts, flip.fact: flip.value})
        assert (then.verdict, then.margin) == (flip.verdict, flip.margin), flip
        assert then.verdict != now.verdict, flip
        was = facts[flip.fact]
        if isinstance(was, int | float) and not isinstance(was, bool):
            assert isinstance(flip.value, float)
            away = flip.value - was
            just = max(abs(flip.value), 1.0) * SHORT
            for short in (away / 2, away - math.copysign(just, away)):
                if abs(away - short) >= just and short * away > 0:
                    assert assessed({**facts, flip.fact: was + short}).verdict == now.verdict, (flip, short)


@settings(deadline=None, max_examples=40)
@given(some_facts, some_facts)
def test_whatever_single_change_gives_another_verdict_is_announced(
    facts: dict[str, Any], others: dict[str, Any]
) -> None:
    before, flips = assessed(facts), explained(facts).flips
    for name in LOOKED_AT:
        was, other = facts[name], others[name]
        after = assessed({**facts, name: other})
        if other is None or after.verdict == before.verdict:
            continue
        told = [flip for flip in flips if flip.fact == name]
        if name in NUMBERS and was is not None:
            low, high = min(was, other) - SHORT, max(was, other) + SHORT
            assert any(low <= flip.value <= high and (flip.value > was) is (other > was) for flip in told), name
        else:
            assert after.verdict in [flip.verdict for flip in told], name


def test_the_rules_of_a_flip_are_those_that_begin_or_cease_to_fire() -> None:
    facts: dict[str, FactValue | None] = {name: _plain(fact) for name, fact in FACTS.items()}
    facts |= {"reads.joint_share": 0.85, "reads.calls_per_day": 9000, "reads.joint_calls_per_day": 7650,
              "reads.collection_share": 0.9, "updates.together_share": 0.8, "children.p99": 12, "children.max": 40,
              "children.bounded": True, "size.combined_bytes": 3000, "size.largest_bytes": 9000}  # fmt: skip
    told = explained(facts)
    assert told.verdict == "embed"
    assert told.flips
    for flip in told.flips:
        then = assessed({**facts, flip.fact: flip.value})
        assert set(flip.rules) == fired(assessed(facts)) ^ fired(then)


def _plain(fact: FactDefinition) -> FactValue | None:
    nothing: Mapping[str, FactValue] = {"number": 0, "bool": False, "text": "", "list": ()}
    return None if fact.may_be_missing else nothing[fact.kind]


SCORES = {
    **WIDE, "id": "TT010", "title": "read-much", "applies_to": "relationship", "severity": None,
    "score": {"embed": 30}, "params": {"share": 0.7}, "because": "much",
    "when": {"all": ["is_set(reads.joint_share)", "reads.joint_share > params.share"]},
    "tests": [{"given": {"reads.joint_share": 0.8}, "expect": "fires"}, {"given": {}, "expect": "silent"}],
}  # fmt: skip
SMALL = book_of(
    text_of(SCORES),
    text_of(SCORES, id="TT011", title="read-little", score={"separate": 40}, params=None,
            when={"all": ["is_set(reads.joint_share)", "reads.joint_share < 0.2"]}),
    text_of(SCORES, id="TT012", title="early", score={"denormalize": 50}, params=None,
            when='default(context.lifecycle, "mature") in ["early", "growing"]'),
)  # fmt: skip


def said(flips: tuple[Flip, ...]) -> list[tuple[str, str, str, str]]:
    return [(flip.fact, flip.now, flip.change, flip.verdict) for flip in flips]


LIFE = [("context.lifecycle", "not known", "were early", "denormalize")]


@pytest.mark.parametrize(
    ("facts", "flips"),
    [
        pytest.param({"reads.joint_share": 0.5}, [
            ("reads.joint_share", "50 %", "rose above 70 %", "embed"),
            ("reads.joint_share", "50 %", "fell below 20 %", "separate"),
            *LIFE], id="both ways"),
        pytest.param({"reads.joint_share": 0.7}, [
            ("reads.joint_share", "70 %", "rose above 70 %", "embed"),
            ("reads.joint_share", "70 %", "fell below 20 %", "separate"),
            *LIFE], id="at a threshold"),
        pytest.param({"reads.joint_share": 0.9}, [
            ("reads.joint_share", "90 %", "fell to 70 %", "undecided"),
            *LIFE], id="falling to a threshold"),
        pytest.param({}, [
            ("reads.joint_share", "not known", "were known and below 20 %", "separate"),
            ("reads.joint_share", "not known", "were known and above 70 %", "embed"),
            *LIFE], id="not known"),
        pytest.param({"context.lifecycle": "early", "reads.joint_share": 0.5}, [
            ("reads.joint_share", "50 %", "fell below 20 %", "undecided"),
            ("context.lifecycle", "early", "were mature", "undecided")], id="a word"),
    ],
)  # fmt: skip
def test_flips_in_words(facts: dict[str, FactValue], flips: list[tuple[str, str, str, str]]) -> None:
    units = {
        name: Fact(value=value, unit=FACTS[name].unit, source="measured", origin="") for name, value in facts.items()
    }
    assert said(explain_relationship(SMALL, assess(SMALL, LINK, units)).flips) == flips


def test_a_param_that_somebody_set_moves_the_flip() -> None:
    book = book_of(text_of(SCORES), settings="TT010: {params: {share: 0.6}}\n")
    (flip,) = explained({"reads.joint_share": 0.5}, book).flips
    assert (flip.change, flip.verdict) == ("rose above 60 %", "embed")


# --- where a rule fires, and where nearly ---

BUSY = text_of(
    WIDE, title="busy-wide-table", because="busy",
    when={"all": ["table.columns > 20", "is_set(table.rows)", "table.rows > 1000", {"not": ["table.has_primary_key"]}]},
    tests=[{"given": {"table.columns": 21, "table.rows": 1001, "table.has_primary_key": False}, "expect": "fires"},
           {"given": {"table.columns": 20}, "expect": "silent"}],
)  # fmt: skip
TABLES: Mapping[str, Mapping[str, FactValue | None]] = {
    "fires": {"table.columns": 25, "table.rows": 2000, "table.has_primary_key": False},
    "few columns": {"table.columns": 20, "table.rows": 2000, "table.has_primary_key": False},
    "has a key": {"table.columns": 25, "table.rows": 2000, "table.has_primary_key": True},
    "two lines": {"table.columns": 20, "table.rows": 2000, "table.has_primary_key": True},
    "not known": {"table.columns": 25, "table.rows": None, "table.has_primary_key": False},
}
ANALYSED = Assessment(
    rates=Rates(span_seconds=1, represents="average", source="assumed", factor=1), patterns=(), relationships=(),
    table_facts={
        table: {name: Fact(value=value, unit="", source="measured", origin="") for name, value in facts.items()}
        for table, facts in TABLES.items()
    },
)  # fmt: skip


def test_a_near_miss_is_one_line_that_does_not_hold() -> None:
    book = book_of(BUSY)
    found = explain_rule(book, book.rules[0], ANALYSED)
    assert found.objects == 5
    assert [(one.subject, one.because) for one in found.fires] == [
        ("fires", ("table.columns is 25 columns (> 20 columns)", "table.rows is 2,000 rows (> 1,000 rows)",
                   "table.has_primary_key is false")),
    ]  # fmt: skip
    assert [(one.subject, one.because) for one in found.nearly] == [
        ("few columns", ("table.columns is 20 columns (not > 20 columns)",)),
        ("has a key", ("table.has_primary_key is true",)),
    ]
    assert found.conditions == (
        "all of", "  table.columns > 20", "  is_set(table.rows)", "  table.rows > 1000", "  not",
        "    table.has_primary_key",
    )  # fmt: skip


@pytest.mark.parametrize("when", ["table.columns > 20", {"any": ["table.columns > 20", "table.columns < 3"]}])
def test_only_an_all_can_be_missed_by_one_line(when: Any) -> None:
    book = book_of(text_of(WIDE, when=when))
    found = explain_rule(book, book.rules[0], ANALYSED)
    assert [one.subject for one in found.fires] == ["fires", "has a key", "not known"]
    assert found.nearly == ()


def test_without_an_analysis_only_the_rule_is_explained() -> None:
    book = book_of(text_of(KEYLESS))
    found = explain_rule(book, book.rules[0], None)
    assert (found.rule.id, found.objects, found.fires, found.nearly) == ("TT002", 0, (), ())
