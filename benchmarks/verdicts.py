"""How often stores that are equal are told apart, and how often a slower one is, by simulation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis.estimate import estimate
from bench.analysis.judging import Figure, Pair, judge
from bench.analysis.latency import METRICS, Key, Metric
from bench.analysis.ranking import gap, places
from benchmarks.noise import SEED, SHAPES, Logs, Shape, even

FIGURES = [Key(w, w, c) for w in ("issue", "verify", "rotate", "mixed") for c in (1, 8, 32)]
P99_NOISE = 2.5
"""Of a p99 over that of a median; docs/method.md has what trials of the reference run show."""
SHARED = 0.2
"""Of the variance of a trial's figures, what they have in common."""
SLOWDOWN, THRESHOLD = 1.10, 0.05
DEALINGS = 999


class Ranked(NamedTuple):
    """How often a class of equal stores was put in an order."""

    subjects: int
    trials: str
    shares: Mapping[str, float]


def ranks(repeats: int) -> Iterator[Ranked]:
    """Rank stores that are one and the same, without the help of an A/A control."""
    for subjects in (2, 6):
        for trials in ([5], [10], [20], [10, 20]):
            shares = {}
            for name, shape in SHAPES.items():
                rng = np.random.default_rng([SEED, subjects, sum(trials), len(name)])
                wrong = 0
                for _ in range(repeats):
                    figures = {
                        str(n): estimate(np.exp(0.1 * shape(rng, trials[n % len(trials)])).tolist())
                        for n in range(subjects)
                    }
                    wrong += any(rank.place > 1 for rank in places(figures, "p50", 0.0).values())
                shares[name] = wrong / repeats
            yield Ranked(subjects, " and ".join(map(str, trials)), shares)


class Drifted(NamedTuple):
    """Exit code 1 on the same code, where the machine is another from run to run."""

    drift: float
    plain: float
    relative: float
    """... relative to a subject that drifts with it."""


def drifted(repeats: int, drifts: Sequence[float] = (0.0, 0.03, 0.1)) -> Iterator[Drifted]:
    """Compare a store with itself on a machine whose speed differs between the runs."""
    for drift in drifts:
        rng = np.random.default_rng([SEED, int(drift * 1_000)])
        failed = np.zeros(2)
        for number in range(repeats):
            store, control = ([_run(rng, even, 0.05, 10) for _ in range(2)] for _ in range(2))
            factor = np.exp(rng.normal(0, drift))
            for one in (store[1], control[1]):
                for key, metric in one:
                    one[key, metric][:] *= 1 / factor if metric == "throughput" else factor
            beside = [
                {key: values / control[side][key] for key, values in store[side].items()}
                for side in range(2)
            ]
            both: Sequence[Sequence[Simulated]] = (store, beside)
            for place, sides in enumerate(both):
                pairs = _pairs(sides[0], sides[1], {})
                said = judge(pairs, threshold=THRESHOLD, seed=number, dealings=DEALINGS)
                failed[place] += any(one.regression for one in said)
        plain, relative = (failed / repeats).tolist()
        yield Drifted(drift, plain, relative)


class Told(NamedTuple):
    """What `compare` said, as shares of comparisons."""

    noise: float
    shape: str
    trials: tuple[int, int]
    alike_told: float
    """Of the same code: anything better or worse."""
    alike_failed: float
    """... and exit code 1."""
    slowed_found: float
    """Of a store slowed by 10%: exit code 1."""
    figures_found: float
    """Of its medians and rates: said to be worse."""


COMPARED: Sequence[tuple[float, str, tuple[int, int]]] = (
    (0.03, "lognormal", (5, 5)),
    (0.03, "lognormal", (10, 10)),
    (0.05, "lognormal", (5, 5)),
    (0.05, "lognormal", (10, 10)),
    (0.05, "lognormal", (10, 20)),
    (0.05, "lognormal", (20, 20)),
    (0.05, "heavy tails", (10, 10)),
    (0.05, "spikes", (10, 10)),
    (0.05, "two speeds", (10, 10)),
    (0.09, "lognormal", (10, 10)),
    (0.09, "lognormal", (20, 20)),
    (0.09, "lognormal", (50, 50)),
    (0.15, "lognormal", (10, 10)),
    (0.15, "lognormal", (20, 20)),
    (0.15, "lognormal", (50, 50)),
    (0.25, "lognormal", (10, 10)),
    (0.25, "lognormal", (20, 20)),
    (0.25, "lognormal", (50, 50)),
)


def compared(
    repeats: int, points: Sequence[tuple[float, str, tuple[int, int]]] = COMPARED
) -> Iterator[Told]:
    """Compare one store with itself and with its slowed self, each run with its A/A control."""
    for noise, name, trials in points:
        rng = np.random.default_rng([SEED, int(noise * 1_000), len(name), *trials])
        told = np.zeros(4)
        for number in range(repeats):
            sides = [_run(rng, SHAPES[name], noise, n) for n in trials]
            again = [_run(rng, SHAPES[name], noise, n) for n in trials]
            gaps = {
                key: max(
                    gap(np.median(one[key]), np.median(other[key]))
                    for one, other in zip(sides, again, strict=True)
                )
                for key in sides[0]
            }
            slowed = {
                (key, metric): values / SLOWDOWN if metric == "throughput" else values * SLOWDOWN
                for (key, metric), values in sides[1].items()
            }
            alike, slower = (
                judge(
                    _pairs(sides[0], new, gaps),
                    threshold=THRESHOLD,
                    seed=number,
                    dealings=DEALINGS,
                )
                for new in (sides[1], slowed)
            )
            told += np.array(
                (
                    any(one.verdict in {"worse", "better"} for one in alike),
                    any(one.regression for one in alike),
                    any(one.regression for one in slower),
                    np.mean([one.verdict == "worse" for one in slower if one.metric != "p99"]),
                ),
                dtype=np.float64,
            )
        yield Told(noise, name, trials, *(told / repeats).tolist())


Simulated = Mapping[tuple[Key, Metric], Logs]


def _run(rng: np.random.Generator, shape: Shape, noise: float, trials: int) -> Simulated:
    """Draw every figure of a subject in one run: some of a trial's noise is in all of them."""
    shared = shape(rng, trials) * np.sqrt(SHARED)
    return {
        (key, metric): np.exp(
            noise
            * (P99_NOISE if metric == "p99" else 1)
            * (shared + np.sqrt(1 - SHARED) * shape(rng, trials))
        )
        for key in FIGURES
        for metric in METRICS
    }


def _pairs(
    base: Simulated, new: Simulated, noise: Mapping[tuple[Key, Metric], float]
) -> Sequence[Pair]:
    return [
        Pair(
            scenario="latency",
            label="store",
            key=key,
            metric=metric,
            base=_figure(base[key, metric]),
            new=_figure(new[key, metric]),
            hindered="",
            noise=noise.get((key, metric), 0.0),
        )
        for key, metric in base
    ]


def _figure(values: Logs) -> Figure:
    trials = [f"{number}" for number in range(len(values))]
    return Figure(float(np.median(values)), dict(zip(trials, values.tolist(), strict=True)), trials)
