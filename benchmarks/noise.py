"""What trials look like, for simulations: logarithms of a figure, a trial an element.

Shapes after what trials of the reference run show: mostly even, now and then far off, and some
stores that settle into one of two speeds with each fresh server.
"""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

SEED = 20_261_125
"""Of every simulation, with what it is about."""

Logs = NDArray[np.float64]
Size = int | tuple[int, ...]
Shape = Callable[[np.random.Generator, Size], Logs]
"""Draws of spread about 1, to be multiplied by the noise of a figure."""


def even(rng: np.random.Generator, size: Size) -> Logs:
    """Lognormal."""
    return rng.normal(0, 1, size)


def heavy(rng: np.random.Generator, size: Size) -> Logs:
    """Student's t with two degrees of freedom: no variance at all."""
    return rng.standard_t(2, size) / 1.8


def spiked(rng: np.random.Generator, size: Size) -> Logs:
    """Lognormal, and one trial in eight is disturbed by something else on the machine."""
    return rng.normal(0, 1, size) + (rng.random(size) < 1 / 8) * rng.exponential(6, size)


def two_speeds(rng: np.random.Generator, size: Size) -> Logs:
    """Put a third of trials at another speed."""
    return rng.normal(0, 0.4, size) + 2.5 * (rng.random(size) < 1 / 3)


def half_and_half(rng: np.random.Generator, size: Size) -> Logs:
    """As many at one speed as at the other: any point of the gap between is a median."""
    return rng.normal(0, 0.4, size) + 2.5 * (rng.random(size) < 1 / 2)


SHAPES: Mapping[str, Shape] = {
    "lognormal": even,
    "heavy tails": heavy,
    "spikes": spiked,
    "two speeds": two_speeds,
}
HARDEST = "two speeds, half and half"
"""No distribution is harder for an interval of the median; shown, and no part of the promise."""


@cache
def median(shape: Shape) -> float:
    """Give a shape's true median, from four million draws."""
    return float(np.median(shape(np.random.default_rng(0), 4_000_000)))
