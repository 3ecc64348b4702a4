"""A figure with its uncertainty. The unit of variance is the trial, never the operation."""

import math
import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np

from bench.record import Record

FEWEST_FOR_BOOTSTRAP = 5
CONFIDENCE = 0.95
_RESAMPLES = 2_000

Method = Literal["bootstrap", "range", "single"]
"""bootstrap: 95% BCa interval over trials. range: lowest and highest trial. single: one trial."""


class Estimate(Record):
    """The median over trials, and how far trials let it be trusted."""

    value: float
    low: float
    high: float
    method: Method
    trials: int


def estimate(values: Sequence[float], seed: int) -> Estimate:
    """Take the median of one figure a trial, with its interval; `seed` makes it reproducible."""
    value = float(np.median(values))
    if len(values) == 1:
        return Estimate(value=value, low=value, high=value, method="single", trials=1)
    low, high = min(values), max(values)
    method: Method = "range"
    if len(values) >= FEWEST_FOR_BOOTSTRAP and low < high:
        interval = _bootstrap(values, seed)
        if interval is not None:
            method = "bootstrap"
            low, high = interval
    return Estimate(
        value=value, low=float(low), high=float(high), method=method, trials=len(values)
    )


def _bootstrap(values: Sequence[float], seed: int) -> tuple[float, float] | None:
    # Imported here: it costs more than a second, and few trials don't need it.
    from scipy.stats import bootstrap  # noqa: PLC0415

    with warnings.catch_warnings():
        # Trials that are equal but for one leave the jackknife nothing to go by: the result
        # is not a number then, and is looked at below.
        warnings.simplefilter("ignore")
        found = bootstrap(
            (np.asarray(values, dtype=np.float64),),
            np.median,
            n_resamples=_RESAMPLES,
            confidence_level=CONFIDENCE,
            method="BCa",
            rng=np.random.default_rng(seed),
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    return (low, high) if np.isfinite([low, high]).all() else None


def zero_bound(trials: int) -> float:
    """Give the 95% upper bound of a share of which 0 of `trials` were seen: 1 - 0.05^(1/n)."""
    return 1.0 - math.pow(1 - CONFIDENCE, 1 / trials)


def share_interval(hits: int, trials: int) -> tuple[float, float]:
    """Give the exact 95% interval of a share (Clopper-Pearson), two-sided; hits are some."""
    from scipy.stats import binomtest  # noqa: PLC0415 - as above

    found = binomtest(hits, trials).proportion_ci(CONFIDENCE, method="exact")
    return float(found.low), float(found.high)


def bounded_quantile(trials: int) -> float:
    """Give the quantile that the largest of `trials` values bounds, with 95% confidence.

    All of n values lie below the true q-quantile with probability q^n, so for q = 0.05^(1/n) the
    largest is at least that quantile, 95 times in 100.
    """
    return math.pow(1 - CONFIDENCE, 1 / trials)
