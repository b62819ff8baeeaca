"""Latency from a digest's histograms: bucket n counts times in (1.02^(n-1), 1.02^n] microseconds."""

from collections.abc import Iterable

from ddbmig.model.digest import TemplateDigest

BASE = 1.02
P95 = 0.95
P99 = 0.99


def quantile_ms(templates: Iterable[TemplateDigest], share: float = P99) -> tuple[float, int] | None:
    """The upper edge, in milliseconds, of the bucket in which the `share` quantile lies, and the calls measured.

    Exact to the width of a bucket (2 %), never below the true value. None where no call was timed.
    """
    buckets: dict[int, int] = {}
    for template in templates:
        for key, count in template.latency.items():
            buckets[int(key)] = buckets.get(int(key), 0) + count
    total = sum(buckets.values())
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= share * total:
            return BASE**bucket / 1000, total
    return None
