"""How often the interval of a median holds the true one, by simulation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis.estimate import CONFIDENCE, estimate
from benchmarks.noise import HARDEST, SEED, SHAPES, even, half_and_half, median

NUMBERS = (5, 6, 7, 8, 10, 12, 15, 20, 30)
LEAST, MOST, ASKED = 10, 20, 0.05
"""Sampling as at standard effort."""


class Interval(NamedTuple):
    """How often an interval held the true median."""

    trials: int
    shares: Mapping[str, float]


def coverage(repeats: int, numbers: Sequence[int] = NUMBERS) -> Iterator[Interval]:
    """Measure our own interval, on every shape and the hardest."""
    for trials in numbers:
        shares = {}
        for name, shape in {**SHAPES, HARDEST: half_and_half}.items():
            rng = np.random.default_rng([SEED, trials, len(name)])
            true = 1.25 if name == HARDEST else median(shape)
            drawn = np.exp(0.1 * shape(rng, (repeats, trials)))
            held = 0
            for row in drawn.tolist():
                found = estimate(row)
                held += found.low <= np.exp(0.1 * true) <= found.high
            shares[name] = held / repeats
        yield Interval(trials, shares)


def bootstrap_coverage(repeats: int, numbers: Sequence[int] = NUMBERS) -> Iterator[Interval]:
    """Measure the BCa bootstrap of the median, which the interval is not."""
    from scipy.stats import bootstrap  # noqa: PLC0415 - only this needs it

    for trials in numbers:
        shares = {}
        for name, shape in SHAPES.items():
            rng = np.random.default_rng([SEED, trials, len(name)])
            found = bootstrap(
                (shape(rng, (repeats, trials)),),
                np.median,
                axis=1,
                n_resamples=999,
                batch=100,
                confidence_level=CONFIDENCE,
                method="BCa",
                rng=rng,
            ).confidence_interval
            true = median(shape)
            shares[name] = float(np.mean((found.low <= true) & (true <= found.high)))
        yield Interval(trials, shares)


class Stopping(NamedTuple):
    """Coverage where trials go on until the interval is narrow, and the trials that took."""

    noise: float
    covered: float
    trials: float


def stopping(
    repeats: int, noises: Sequence[float] = (0.03, 0.06, 0.09, 0.12)
) -> Iterator[Stopping]:
    """Stop as sampling does: at the first number at which the interval is as narrow as asked."""
    for noise in noises:
        rng = np.random.default_rng([SEED, int(noise * 1_000)])
        held, taken = 0, 0
        for row in np.exp(noise * even(rng, (repeats, MOST))).tolist():
            for trials in range(LEAST, MOST + 1):
                found = estimate(row[:trials])
                if found.half_width <= ASKED:
                    break
            held += found.low <= 1 <= found.high
            taken += found.trials
        yield Stopping(noise, held / repeats, taken / repeats)
