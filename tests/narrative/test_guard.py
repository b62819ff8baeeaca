"""The guard: answers of data/answers.yaml are refused by the rule that each names, those of taken.yaml are taken."""

from decimal import Decimal
from typing import Any

import pytest
import yaml
from adversarial import ANSWERS, DATA, FACTS, answer_of
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.narrative.facts import Facts, Figure
from ddbmig.narrative.guard import refusal
from ddbmig.narrative.quantities import UNITS, stands_for, unit_and_period


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["name"])
def test_an_adversarial_answer_is_refused_for_its_reason(case: dict[str, Any]) -> None:
    found = refusal(answer_of(case), FACTS)
    assert found is not None
    assert found.code == case["refused"], found
    assert len(found.reason) < 250
    assert found.reason.isprintable()


def test_the_corpus_is_as_large_as_it_is_said_to_be() -> None:
    assert len({answer_of(case) for case in ANSWERS}) == len(ANSWERS) >= 70


@pytest.mark.parametrize("answer", yaml.safe_load((DATA / "taken.yaml").read_text()))
def test_an_answer_within_the_facts_is_taken(answer: str) -> None:
    assert refusal(answer, FACTS) is None


def test_a_name_of_the_database_makes_no_claim_and_no_number() -> None:
    hostile = FACTS.names[-1]
    assert refusal(f"The table `{hostile}` is kept.", FACTS) is None
    assert refusal(f"The table {hostile} is kept.", FACTS) is not None


UNITS_OF_FIGURES = st.sampled_from([unit for unit in UNITS if unit not in {"percentage points"}])


@given(st.decimals(0, 10**9, places=2), UNITS_OF_FIGURES, st.sampled_from(["", " a month", " a day"]))
def test_a_figure_said_as_it_is_passes_and_another_does_not(value: Decimal, unit: str, period: str) -> None:
    figure = Figure(name="figure", value=value, unit=f"{unit}{period}")
    facts = Facts(section="s", title="Title", figures=(figure,))
    assert refusal(f"It is {value:,f} {unit}{period} here.", facts) is None
    assert refusal(f"It is {value * 3 + 1:,f} {unit}{period} here.", facts) is not None
    assert unit_and_period(figure.unit) == (unit, period.removeprefix(" a "))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4),
       st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4),
       st.sampled_from(UNITS))  # fmt: skip
def test_what_is_shown_is_never_further_off_than_one_part_in_twenty(shown: Decimal, known: Decimal, unit: str) -> None:
    """Two significant digits: half of the last place is at most 0.5 of 10."""
    if stands_for(shown, known, unit):
        assert abs(shown - known) * 20 <= abs(known)
        assert (shown == 0) == (known == 0)


@given(st.text(max_size=300))
def test_whatever_comes_is_kept_or_refused_but_never_breaks_the_guard(answer: str) -> None:
    found = refusal(answer, FACTS)
    assert found is None or found.reason.isprintable()


@given(st.text(alphabet="`$0123456789.,% abcGSIsrules\n-–of", max_size=80))
def test_no_text_with_a_digit_passes_where_the_facts_have_no_number(answer: str) -> None:
    facts = Facts(section="s", title="Title", names=("rules",))
    if refusal(answer, facts) is None:
        assert not any(letter.isdigit() for letter in answer)
