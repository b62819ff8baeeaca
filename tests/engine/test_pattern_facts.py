"""The facts of access patterns, against a shop small enough to count by hand."""

import pytest

from ddbmig.engine.pattern_facts import pattern_facts
from ddbmig.model.digest import Digest
from fact_shop import PATTERNS, digest, shop

JOIN = PATTERNS[0]


def test_a_join() -> None:
    evidence = shop()
    facts = pattern_facts(evidence, JOIN)
    peak = evidence.rate_of["Qa1"].peak_per_second
    expected = {
        "pattern.name": "a1", "pattern.sql": "a1", "pattern.kind": "select", "pattern.calls": 40,
        "pattern.calls_per_day": pytest.approx(40 * evidence.rates.factor / (730 / 24)),
        "pattern.peak_per_second": peak, "pattern.complexity": 3, "pattern.unplanned": (), "pattern.tables": 2,
        "pattern.table_names": ("author", "book"), "pattern.joins": 1, "pattern.locking": False,
        "pattern.offset_calls": 0, "pattern.rows_examined_per_call": 3, "pattern.rows_sent_per_call": 2,
        "keys.top_share": 0.5, "pattern.hot_key_per_second": peak / 2, "time.minute_ratio": 2.5,
        # 38 calls in bucket 300, 2 in bucket 520
        "pattern.p95_ms": pytest.approx(1.02**300 / 1000), "pattern.p99_ms": pytest.approx(1.02**520 / 1000),
    }  # fmt: skip
    assert {name: fact.value for name, fact in facts.items()} == expected
    assert facts["pattern.p99_ms"].confidence == "medium"
    assert facts["pattern.sql"].confidence == "high"


def test_without_a_slow_log_nobody_knows_times_and_rows() -> None:
    timeless = [
        one.model_copy(update={"latency": {}, "rows_examined": None, "rows_sent": None, "timed_calls": 0})
        for one in shop().snapshot.digest.templates
    ]
    facts = pattern_facts(shop(digest=digest(templates=tuple(timeless))), JOIN)
    for name in ("p95_ms", "p99_ms", "rows_examined_per_call", "rows_sent_per_call"):
        assert (facts[f"pattern.{name}"].value, facts[f"pattern.{name}"].confidence) == (None, "low"), name


def test_no_rows_are_not_missing() -> None:
    empty = [
        one.model_copy(update={"rows_examined": 0, "rows_sent": 0}) for one in shop().snapshot.digest.templates
    ]  # fmt: skip
    facts = pattern_facts(shop(digest=digest(templates=tuple(empty))), JOIN)
    assert facts["pattern.rows_examined_per_call"].value == 0
    assert facts["pattern.rows_sent_per_call"].value == 0


def test_a_peak_without_seconds_is_an_average() -> None:
    flat = tuple(one.model_copy(update={"peak_second_calls": 0}) for one in shop().snapshot.digest.templates)
    facts = pattern_facts(shop(digest=digest(templates=flat)), JOIN)
    assert facts["pattern.peak_per_second"].confidence == "medium"
    assert facts["pattern.hot_key_per_second"].confidence == "medium"


def test_a_pattern_without_a_log() -> None:
    facts = pattern_facts(shop(digest=Digest()), JOIN)
    assert facts["pattern.calls"].value == 0
    for name in ("keys.top_share", "pattern.hot_key_per_second", "time.minute_ratio", "pattern.p95_ms"):
        assert facts[name].value is None, name
