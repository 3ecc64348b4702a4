"""Which of many figures differ between two runs, with all of them counted as one family.

Westfall and Young's step-down maxima (1993): if nothing differs, a subject's trials may be dealt
out to the two runs in any way, all figures of a trial together. How far the largest of all figures
strays under such dealing is what a figure must exceed. So the chance that anything at all is said
of two equal runs is at most 5%, whatever the distribution and however figures depend on each other;
figures that go together cost less than by Bonferroni or Holm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.analysis.difference import RESOLUTION_VARIANCE

DEALINGS = 4_999

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Block:
    """One subject: logarithms of its figures, a row a trial and a column a figure, NaN for none."""

    base: Floats
    new: Floats


def familywise(blocks: Sequence[Block], seed: int, dealings: int = DEALINGS) -> Sequence[Floats]:
    """Give each figure's chance, adjusted for the whole family; one array a block."""
    rng = np.random.default_rng(seed)
    strays = np.hstack([_strays(block, rng, dealings) for block in blocks] or [np.empty((1, 0))])
    observed = strays[0]
    # From the smallest to the largest: each is held against the maxima of itself and all smaller.
    rising = np.argsort(observed)
    maxima = np.maximum.accumulate(strays[:, rising], axis=1)
    # A dealing that gives the same sums in another order differs by rounding alone.
    chances = (maxima >= observed[rising] * (1 - 1e-9)).mean(axis=0)
    adjusted = np.empty_like(observed)
    adjusted[rising[::-1]] = np.maximum.accumulate(chances[::-1])
    ends = np.cumsum([block.base.shape[1] for block in blocks])
    return np.split(adjusted, ends[:-1])


def _strays(block: Block, rng: np.random.Generator, dealings: int) -> Floats:
    """Give Welch's |t| of every figure: first as observed, then for each dealing."""
    every = np.vstack([block.base, block.new])
    there = np.isfinite(every)
    some = there.any(axis=0)
    every = np.where(there, every, 0.0)
    # Centred, so that sums of squares don't cancel.
    every = np.where(there, every - every.sum(axis=0) / np.where(some, there.sum(axis=0), 1), 0.0)
    dealt = np.zeros((1 + dealings, len(every)))
    dealt[:, len(block.base) :] = 1
    dealt[1:] = rng.permuted(dealt[1:], axis=1)
    shift, error = np.zeros(()), np.zeros(())
    enough = np.ones((), dtype=np.bool_)
    for side, sign in ((dealt, 1), (1 - dealt, -1)):
        number = side @ there
        enough = enough & (number > 1)
        number = np.maximum(number, 2)
        mean = side @ every / number
        variance = np.maximum(side @ every**2 - number * mean**2, 0) / (number - 1)
        shift = shift + sign * mean
        error = error + (variance + RESOLUTION_VARIANCE) / number
    strays: Floats = np.where(enough, np.abs(shift) / np.sqrt(error), 0.0)
    return strays
