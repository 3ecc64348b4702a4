"""Arrivals: when each operation of an open loop is meant to start, fixed from the seed."""

import random
from array import array
from typing import NamedTuple

from scenarios.phases.climb import Arrivals, Storms

ALONE = -1
"""The storm of an operation that is none of a storm."""


class Intended(NamedTuple):
    """The intended starts of one worker process, in order."""

    offsets_ns: "array[int]"
    """From the common start."""
    storms: "array[int]"
    """Number of the storm that each belongs to, or `ALONE`."""


def intended(
    arrivals: Arrivals,
    rate: float,
    seconds: float,
    storms: Storms,
    share: tuple[int, int],
    seed: str,
) -> Intended:
    """Lay out `seconds` of arrivals at `rate` operations a second.

    `share` is (number of this process, number of processes): at a fixed rate the processes take
    turns, while a Poisson process of each adds up to one of all. A storm is one arrival of several
    operations at the same instant, so that with storms there are fewer arrivals at the same rate.
    """
    rng = random.Random(f"{seed}/arrivals")  # noqa: S311 - must repeat from its seed
    gap_ns = 1e9 / rate * (1 + storms.share * (storms.size - 1))
    number, processes = share
    end_ns = seconds * 1e9
    offsets_ns, numbers = array("q"), array("q")
    poisson = arrivals == "poisson"
    at_ns = rng.expovariate(1 / gap_ns) if poisson else gap_ns * number / processes
    storm = 0
    while at_ns < end_ns:
        if storms.share and rng.random() < storms.share:
            offsets_ns.extend([int(at_ns)] * storms.size)
            numbers.extend([storm] * storms.size)
            storm += 1
        else:
            offsets_ns.append(int(at_ns))
            numbers.append(ALONE)
        at_ns += rng.expovariate(1 / gap_ns) if poisson else gap_ns
    return Intended(offsets_ns, numbers)
