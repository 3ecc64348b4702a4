"""A figure with its uncertainty. The unit of variance is the trial, never the operation."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from bench.record import Record

FEWEST_FOR_INTERVAL = 5
"""With five, lowest to highest holds the median 93.8% of the time; with four, 87.5%."""
CONFIDENCE = 0.95

Method = Literal["interval", "range", "single"]
"""interval: 95% confidence interval of the median. range: lowest and highest trial, too few for
an interval. single: one trial."""


class Estimate(Record):
    """The median over trials, and how far trials let it be trusted."""

    value: float
    low: float
    high: float
    method: Method
    trials: int
    each: list[float]
    """Each trial's own figure, in the order of the trials."""

    @property
    def half_width(self) -> float:
        """Half the interval as a share of the median: 0.05 is ± 5%."""
        return (self.high - self.low) / 2 / self.value if self.value else math.inf


def estimate(values: Sequence[float]) -> Estimate:
    """Take the median of one figure a trial, with its interval."""
    ordered = sorted(map(float, values))
    n = len(ordered)
    low, high = ordered[0], ordered[-1]
    method: Method = "single" if n == 1 else "range"
    if n >= FEWEST_FOR_INTERVAL:
        method = "interval"
        low, high = _interval(ordered)
    return Estimate(
        value=float(np.median(ordered)),
        low=low,
        high=high,
        method=method,
        trials=n,
        each=list(map(float, values)),
    )


class _Ranks(NamedTuple):
    """The interval is from `inner` of the way between the k-th lowest and the next one."""

    k: int
    inner: float


def _interval(ordered: Sequence[float]) -> tuple[float, float]:
    """Interpolate between order statistics (Hettmansperger and Sheather 1986; Nyblom 1992).

    It asks nothing of the distribution's shape. A bootstrap of the median does no better with few
    trials: docs/method.md has the measured coverage of both.
    """
    n = len(ordered)
    k, inner = _ranks(n)
    low = ordered[k - 1] + inner * (ordered[k] - ordered[k - 1])
    high = ordered[n - k] - inner * (ordered[n - k] - ordered[n - k - 1])
    return low, high


@cache
def _ranks(n: int) -> _Ranks:
    def coverage(k: int) -> float:
        """How often the k-th lowest and k-th highest of n hold the median between them."""
        return 1 - math.ldexp(sum(math.comb(n, i) for i in range(k)), 1 - n)

    k = max((k for k in range(1, n // 2 + 1) if coverage(k) >= CONFIDENCE), default=0)
    if not k:
        return _Ranks(1, 0.0)
    outside = (coverage(k) - CONFIDENCE) / (coverage(k) - coverage(k + 1))
    return _Ranks(k, (n - k) * outside / (k + (n - 2 * k) * outside))


def zero_bound(trials: int) -> float:
    """Give the 95% upper bound of a share of which 0 of `trials` were seen: 1 - 0.05^(1/n).

    No trial bounds nothing: 1.
    """
    if not trials:
        return 1.0
    return 1.0 - math.pow(1 - CONFIDENCE, 1 / trials)


def share_interval(hits: int, trials: int) -> tuple[float, float]:
    """Give the exact 95% interval of a share (Clopper-Pearson), two-sided; hits are some."""
    from scipy.stats import binomtest  # noqa: PLC0415 - it takes a second

    found = binomtest(hits, trials).proportion_ci(CONFIDENCE, method="exact")
    return float(found.low), float(found.high)


def bounded_quantile(trials: int) -> float:
    """Give the quantile that the largest of `trials` values bounds, with 95% confidence.

    All of n values lie below the true q-quantile with probability q^n, so for q = 0.05^(1/n) the
    largest is at least that quantile, 95 times in 100.
    """
    return math.pow(1 - CONFIDENCE, 1 / trials)
