"""Two figures held against each other: their ratio, its interval, and whether it may be chance."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.analysis.estimate import CONFIDENCE

RESOLUTION_VARIANCE = (1 / 128) ** 2 / 12
"""Of the logarithm of a latency that is read from buckets 1/128 wide: trials whose percentiles
fall into one bucket are alike to that, and no further."""


class Difference(NamedTuple):
    """What one figure is to another, over trials."""

    ratio: float
    """Geometric mean of the second's trials over that of the first's."""
    low: float
    high: float
    """Its 95% interval."""
    p: float
    """The chance of a ratio as far from 1, or farther, if both were alike."""


def difference(one: Sequence[float], other: Sequence[float]) -> Difference | None:
    """Compare by Welch's t on logarithms; numbers may be unequal. None if either has one trial.

    Logarithms, since noise multiplies: a machine that is slow for a moment takes a share more.
    """
    if min(len(one), len(other)) < 2:  # noqa: PLR2004 - one trial has no spread
        return None
    # Imported here: whoever compares nothing shouldn't wait for it.
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415

    logs = [logarithms(values) for values in (one, other)]
    parts = [(float(x.var(ddof=1)) + RESOLUTION_VARIANCE) / len(x) for x in logs]
    error = math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(x) - 1) for part, x in zip(parts, logs, strict=True)
    )
    shift = float(logs[1].mean() - logs[0].mean())
    reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    return Difference(
        ratio=math.exp(shift),
        low=math.exp(shift - reach),
        high=math.exp(shift + reach),
        p=2 * float(stdtr(freedom, -abs(shift) / error)),
    )


def logarithms(values: ArrayLike) -> NDArray[np.float64]:
    """Give the logarithms; a figure of 0 is taken as the smallest there is."""
    floor = np.finfo(np.float64).tiny
    logs: NDArray[np.float64] = np.log(np.maximum(np.asarray(values, np.float64), floor))
    return logs


def holm(ps: Sequence[float]) -> Sequence[float]:
    """Adjust the chances of a family (Holm 1979).

    Whoever rejects what is at most 0.05 of them says something false of a family without any
    differences in at most 5% of cases, however its members depend on each other.
    """
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - place) * ps[index]))
        adjusted[index] = highest
    return adjusted
