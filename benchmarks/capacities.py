"""How often `compare` says something of capacities that a search found, by simulation.

A trial's store carries what it carries; each rate that the search offers is carried or not, with
some noise of its own. The search is the one of `load`, so capacities come as coarse as it is.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis.judging import Figure, Pair, judge
from bench.analysis.latency import Key
from bench.analysis.load import LEAST_RATE, is_bound
from bench.analysis.ranking import gap
from bench.load.search import Found, search
from benchmarks.noise import SEED, even
from benchmarks.verdicts import DEALINGS, SLOWDOWN, THRESHOLD
from scenarios.offered_load import SCENARIO, LoadParameters
from scenarios.phases.climb import Purpose
from scenarios.scenario import Effort

STORES = 4
"""In a run, each with a capacity; the first has an A/A control."""
TRUE_RATE = 10_000.0
CLOSED = 1.2
"""A closed loop's rate over the capacity."""
STEP_NOISE = 0.5
"""Of one rate that is offered, over the noise of a trial."""
KEY = Key("capacity", "capacity", 8)


class ToldOfCapacity(NamedTuple):
    """What `compare` said of capacities, as shares of comparisons."""

    noise: float
    effort: Effort
    trials: int
    alike_told: float
    """Of the same code: anything better or worse."""
    alike_failed: float
    """... and exit code 1."""
    slowed_found: float
    """Of stores that all carry 10% less: exit code 1."""
    capacities_found: float
    """Of their capacities: said to be worse."""


POINTS: Sequence[tuple[float, Effort, int]] = (
    (0.03, Effort.QUICK, 5),
    (0.03, Effort.QUICK, 10),
    (0.03, Effort.STANDARD, 5),
    (0.03, Effort.STANDARD, 10),
    (0.05, Effort.STANDARD, 10),
    (0.09, Effort.STANDARD, 10),
    (0.09, Effort.THOROUGH, 20),
)


def told_of_capacities(
    repeats: int, points: Sequence[tuple[float, Effort, int]] = POINTS
) -> Iterator[ToldOfCapacity]:
    """Compare runs of the same stores, and of slowed ones, each with its A/A control."""
    for noise, effort, trials in points:
        asked = SCENARIO.presets[effort]
        assert isinstance(asked, LoadParameters)
        rng = np.random.default_rng([SEED, int(noise * 1_000), len(effort), trials])
        told = np.zeros(4)
        for number in range(repeats):
            runs = [
                [_figure(rng, rate, noise, asked, trials) for _ in range(STORES + 1)]
                for rate in (TRUE_RATE, TRUE_RATE, TRUE_RATE / SLOWDOWN)
            ]
            alike, slower = (
                judge(_pairs(runs[0], new), threshold=THRESHOLD, seed=number, dealings=DEALINGS)
                for new in runs[1:]
            )
            told += np.array(
                (
                    any(one.verdict in {"worse", "better"} for one in alike),
                    any(one.regression for one in alike),
                    any(one.regression for one in slower),
                    np.mean([one.verdict == "worse" for one in slower]),
                ),
                dtype=np.float64,
            )
        yield ToldOfCapacity(noise, effort, trials, *(told / repeats).tolist())


def _figure(
    rng: np.random.Generator, rate: float, noise: float, asked: LoadParameters, trials: int
) -> Figure:
    """Give one store's capacity over the trials of a run."""
    found = [
        _search(rng, rate * float(np.exp(noise * even(rng, 1))[0]), noise, asked)
        for _ in range(trials)
    ]
    carried = [max(one.capacity or 0.0, LEAST_RATE) for one in found]
    ids = [f"{number}" for number in range(trials)]
    return Figure(
        float(np.median(carried)),
        dict(zip(ids, carried, strict=True)),
        ids,
        at_least=is_bound(found),
    )


def _search(
    rng: np.random.Generator, capacity: float, noise: float, asked: LoadParameters
) -> Found:
    """Search as a trial does, from a closed loop's rate."""

    def attempt(_: Purpose, rate: float) -> bool:
        return bool(rate <= capacity * np.exp(STEP_NOISE * noise * rng.normal()))

    closed = CLOSED * capacity * np.exp(noise * rng.normal())
    ladder = [(share * closed, attempt("ladder", share * closed)) for share in asked.shares]
    return search(ladder, attempt, asked.searches, asked.confirmations)


def _pairs(base: Sequence[Figure], new: Sequence[Figure]) -> Sequence[Pair]:
    """Pair the stores; the last of each run is the control of the first."""
    noise = max(gap(run[0].median, run[-1].median) for run in (base, new))
    return [
        Pair("load", f"store {number}", KEY, "throughput", one, other, "", noise)
        for number, (one, other) in enumerate(zip(base[:-1], new[:-1], strict=True))
    ]
