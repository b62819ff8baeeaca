"""Quantiles of a histogram are right to the width of a bucket."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.model.digest import TemplateDigest
from ddbmig.model.latency import BASE, quantile_ms


def template(times_us: list[int]) -> TemplateDigest:
    latency: dict[str, int] = {}
    for time in times_us:
        bucket = str(max(0, math.ceil(math.log(time, BASE) - 1e-9)))
        latency[bucket] = latency.get(bucket, 0) + 1
    return TemplateDigest(id="a", schema_name="", sql="", verb="select", calls=len(times_us), latency=latency)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_never_below_the_true_value_and_within_a_bucket(times: list[int], share: float) -> None:
    true = sorted(times)[math.ceil(share * len(times)) - 1] / 1000
    half = len(times) // 2
    parts = [template(part) for part in (times[:half], times[half:]) if part]
    found = quantile_ms(parts, share)
    assert found is not None
    assert found[1] == len(times)
    assert true <= found[0] * (1 + 1e-9)
    assert found[0] <= true * BASE * (1 + 1e-9)


def test_without_times_there_is_no_quantile() -> None:
    assert quantile_ms([]) is None
    assert quantile_ms([template([])]) is None


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1.0), (0.99, 100.0)])
def test_the_slow_tail_counts(share: float, expected: float) -> None:
    found = quantile_ms([template([1_000] * 90 + [100_000] * 10)], share)
    assert found is not None
    assert found[0] == pytest.approx(expected, rel=0.02)
