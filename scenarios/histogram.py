"""Latency histograms with a bounded relative error, exact to merge.

A bucket is the value's binary exponent and its next 7 bits: at most 1/128 (0.8%) wide, from 1 ns
to hours. Percentiles are read from merged buckets; they are never averaged.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

BITS = 7
_FINE = 1 << BITS

Histogram = Mapping[int, int]
"""Bucket -> count."""


def histogram(values_ns: NDArray[np.int64]) -> dict[int, int]:
    """Sort raw values, in ns and at least 0, into buckets."""
    # frexp counts the bits exactly below 2**53 ns, which is 104 days.
    shift = np.maximum(np.frexp(values_ns.astype(np.float64))[1] - 1 - BITS, 0)
    buckets, counts = np.unique((shift << BITS) + (values_ns >> shift), return_counts=True)
    return dict(zip(buckets.tolist(), counts.tolist(), strict=True))


def value_ns(bucket: int) -> int:
    """Give the middle of a bucket, in ns."""
    shift = max((bucket >> BITS) - 1, 0)
    return ((bucket - (shift << BITS)) << shift) + ((1 << shift) >> 1)


def merged(histograms: Iterable[Histogram]) -> dict[int, int]:
    """Add histograms up."""
    total: Counter[int] = Counter()
    for one in histograms:
        total.update(one)
    return dict(total)


def count(counts: Histogram) -> int:
    """Give the number of values in it."""
    return sum(counts.values())


def percentile_ns(counts: Histogram, percent: str) -> int | None:
    """Give the nearest-rank percentile; `percent` is decimal text such as "99.9".

    None where the samples can't carry it: fewer than one value expected beyond the rank. The rank
    is computed in whole numbers, since 0.999 * n in floats can be one rank off.
    """
    total = count(counts)
    share = Fraction(percent) / 100
    if total * (1 - share) < 1:
        return None
    rank = -(-(share.numerator * total) // share.denominator)
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            return value_ns(bucket)
    raise AssertionError(counts)
