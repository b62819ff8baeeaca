"""The price file: what ships is what the facts know, gaps included; mistakes in one of your own; a region's prices."""

from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.engine.prices import prices_of, read_price_list
from ddbmig.model.context import Pricing
from ddbmig.model.errors import DdbmigError, RuleError, UsageError
from ddbmig.model.prices import Prices

DATA = yaml.safe_load((Path(__file__).parent / "data" / "prices.yaml").read_text("utf-8"))
SHIPPED = read_price_list("prices.yaml", resources.files("ddbmig.engine").joinpath("prices.yaml").read_text("utf-8"))
OWN = read_price_list("f.yaml", DATA["good"])


def test_what_ships_is_what_the_facts_know_and_no_more() -> None:
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for entry in SHIPPED.prices:
        prices = found.setdefault(entry.region, {}).setdefault(entry.table_class, {})
        prices |= {name: entry.usd(name) for name in entry.known()}
    assert found == {
        region: {name: {key: Decimal(usd) for key, usd in prices.items()} for name, prices in classes.items()}
        for region, classes in DATA["known"].items()
    }


def test_what_is_doubtful_says_so() -> None:
    doubtful = {(e.region, what) for e in SHIPPED.prices if not e.confirmed for what in (e.table_class, *e.known())}
    assert {tuple(pair) for pair in DATA["doubtful"]} <= doubtful
    sure = {(e.region, e.table_class, name) for e in SHIPPED.prices if e.confirmed for name in e.known()}
    assert ("us-east-1", "standard", "read_per_million") in sure
    assert not any(region in ("us-east-2", "us-west-2") or name.endswith("_gb") for region, _, name in sure)
    assert all(entry.as_of and entry.source for entry in SHIPPED.prices)


# --- a file of one's own ---


def test_a_price_is_exact_in_quotes_or_not() -> None:
    entry = OWN.prices[0]
    assert (entry.read_per_million, entry.write_per_million) == (Decimal("0.5"), Decimal("1.25"))
    unquoted = read_price_list("f.yaml", DATA["good"].replace('"0.5"', "0.00013"))
    assert unquoted.prices[0].read_per_million == Decimal("0.00013")


@pytest.mark.parametrize("case", DATA["mistakes"], ids=[case["new"] or case["old"] for case in DATA["mistakes"]])
def test_every_mistake_is_told_with_its_place(case: dict[str, Any]) -> None:
    assert case["old"] in DATA["good"]
    with pytest.raises(RuleError) as caught:
        read_price_list("f.yaml", DATA["good"].replace(case["old"], case["new"], 1))
    assert [str(mistake) for mistake in caught.value.mistakes] == case["said"]


WITHOUT_A_KEY = st.sampled_from(DATA["good"].splitlines()).map(lambda line: DATA["good"].replace(line, "- "))


@given(st.text(max_size=200) | WITHOUT_A_KEY)
def test_any_text_is_a_price_list_or_mistakes_with_lines(text: str) -> None:
    mistakes: tuple[DdbmigError, ...] = ()
    try:
        read_price_list("f.yaml", text)
    except RuleError as error:
        mistakes = error.mistakes
    assert all(mistake.line and mistake.message for mistake in mistakes)


# --- a region under terms ---


def asked(**terms: Any) -> Prices:
    return prices_of(SHIPPED, Pricing(**terms))


def test_a_region_is_asked_by_the_terms() -> None:
    found = asked(region="eu-west-1")
    assert found.usd("read_per_million") == Decimal("0.1415")
    assert asked(region="eu-west-1", table_class="standard-ia").usd("storage_gb_month") == Decimal("0.1132")
    assert found.find("import_gb") is None
    with pytest.raises(KeyError):
        found.usd("import_gb")
    assert {entry.region for entry in found.entries} == {"eu-west-1"}
    assert found.billable() == (("on-demand", "standard"), ("on-demand", "standard-ia"))
    assert len(asked().billable()) == 4


def test_prices_come_back_from_json_to_the_digit() -> None:
    found = asked()
    tiny = found.model_copy(update={"entries": tuple(entry.times(Decimal("0.0001")) for entry in found.entries)})
    for prices in (found, tiny):
        assert Prices.model_validate_json(prices.model_dump_json()) == prices


def priced(name: str) -> str:
    """The regions whose standard tables have a price of requests and one of storage."""
    classes = {region: found["standard"] for region, found in DATA["known"].items()}
    return ", ".join(sorted(one for one, prices in classes.items() if {name, "storage_gb_month"} <= prices.keys()))


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"region": "atlantis"}, f"no prices for region atlantis; expected {priced('read_per_million')}; set pricing"),
        ({"region": "atlantis", "mode": "provisioned"},
         f"no prices for region atlantis; expected {priced('read_unit_hour')}; set"),
        ({"region": "eu-west-1", "mode": "provisioned"}, "the price file has no read_unit_hour and no write_unit_hour "
         "of eu-west-1 (provisioned with standard); expected on-demand with standard or on-demand with standard-ia, "
         "which is priced there; set pricing"),
        ({"region": "us-west-1", "table_class": "standard-ia"}, "has no read_per_million and no write_per_million and "
         "no storage_gb_month of us-west-1 (on-demand with standard-ia); expected on-demand with standard, which"),
        ({"region": "ap-south-1"}, "has no storage_gb_month of ap-south-1 (on-demand with standard); expected ap-n"),
    ],
)  # fmt: skip
def test_what_has_no_price_is_refused_with_what_there_is(terms: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(**terms)
    assert said in str(caught.value)
    assert caught.value.hint
