"""How far the statistics keep what they promise, by simulation: from a seed, the same everywhere.

    python -m benchmarks.statistics coverage   how often an interval holds the true median
    python -m benchmarks.statistics ranks      how often equal stores are put one before another
    python -m benchmarks.statistics compare    how often `compare` is wrong, and how often right

Each prints the table that docs/method.md has; with `--write` it puts it there.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.analysis.estimate import CONFIDENCE, estimate
from bench.analysis.judging import Figure, Pair, judge
from bench.analysis.latency import METRICS, Key, Metric
from bench.analysis.ranking import gap, places
from benchmarks.noise import HARDEST, SHAPES, Logs, Shape, even, half_and_half, median

DOCS = Path(__file__).parents[1] / "docs" / "method.md"
SEED = 20_261_125

NUMBERS = (5, 6, 7, 8, 10, 12, 15, 20, 30)
LEAST, MOST, ASKED = 10, 20, 0.05
"""Sampling as at standard effort."""

FIGURES = [Key(w, w, c) for w in ("issue", "verify", "rotate", "mixed") for c in (1, 8, 32)]
P99_NOISE = 2.5
"""Of a p99 over that of a median: so it is in the reference run."""
SHARED = 0.2
"""Of the variance of a trial's figures, what they have in common."""
SLOWDOWN, THRESHOLD = 1.10, 0.05
DEALINGS = 999


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


def coverage_table(repeats: int) -> str:
    """Write the coverage of our interval, of the bootstrap, and under optional stopping."""
    ours, theirs = list(coverage(repeats)), list(bootstrap_coverage(repeats // 5))
    heads = ["trials", *SHAPES, HARDEST, *(f"BCa: {name}" for name in SHAPES)]
    rows = [
        [one.trials, *map(_percent, one.shares.values()), *map(_percent, other.shares.values())]
        for one, other in zip(ours, theirs, strict=True)
    ]
    stopped = [
        [f"{one.noise:.0%}", _percent(one.covered), f"{one.trials:.1f}"]
        for one in stopping(repeats)
    ]
    return (
        f"{repeats:,} simulated sets of trials each, {repeats // 5:,} for BCa.\n\n"
        + _table(heads, rows)
        + f"\n\nTrials that go on from {LEAST} until the interval is ± {ASKED:.0%}, at most {MOST}:"
        + "\n\n"
        + _table(["noise of a trial", "coverage", "trials taken, mean"], stopped)
    )


def ranks_table(repeats: int) -> str:
    """Write how often equal stores were put in an order."""
    rows = [
        [one.subjects, one.trials, *map(_percent, one.shares.values())] for one in ranks(repeats)
    ]
    return f"{repeats:,} simulated classes each.\n\n" + _table(
        ["equal stores", "trials", *SHAPES], rows
    )


def compare_table(repeats: int) -> str:
    """Write what compare said."""
    heads = [
        "noise of a trial",
        "shape",
        "trials",
        "same code: anything said",
        "same code: exit code 1",
        "slowed 10%: exit code 1",
        "slowed 10%: medians and rates said worse",
    ]
    rows = [
        [
            f"{one.noise:.0%}",
            one.shape,
            f"{one.trials[0]} and {one.trials[1]}",
            *map(_percent, one[3:]),
        ]
        for one in compared(repeats)
    ]
    apart = [[f"{one.drift:.0%}", *map(_percent, one[1:])] for one in drifted(repeats)]
    return (
        f"{repeats:,} simulated pairs of runs each.\n\n"
        + _table(heads, rows)
        + "\n\nThe same code, 10 and 10 trials, 5% of noise, no A/A control, and a machine that is"
        " faster or slower from run to run:\n\n"
        + _table(
            ["spread of the machine's speed", "exit code 1", "exit code 1 with --relative-to"],
            apart,
        )
    )


FULL: Mapping[str, tuple[Callable[[int], str], int]] = {
    "coverage": (coverage_table, 10_000),
    "ranks": (ranks_table, 2_000),
    "compare": (compare_table, 250),
}


def published(name: str) -> str:
    """Give the table that docs/method.md has."""
    _, rest = DOCS.read_text(encoding="utf-8").split(f"<!-- {name}: begin -->\n")
    return rest.partition(f"<!-- {name}: end -->")[0].rstrip("\n")


def publish(name: str, table: str) -> None:
    """Put a table into docs/method.md."""
    head, rest = DOCS.read_text(encoding="utf-8").split(f"<!-- {name}: begin -->\n")
    _, tail = rest.split(f"<!-- {name}: end -->")
    text = f"{head}<!-- {name}: begin -->\n{table}\n<!-- {name}: end -->{tail}"
    DOCS.write_text(text, encoding="utf-8")


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _table(heads: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def main(arguments: Sequence[str]) -> str:
    """Measure at full size what is named."""
    names = [name for name in FULL if name in arguments]
    if not names:
        return f"usage: python -m benchmarks.statistics {'|'.join(FULL)} [--write]"
    tables = {name: make(repeats) for name, (make, repeats) in FULL.items() if name in names}
    if "--write" in arguments:
        for name, table in tables.items():
            publish(name, table)
    return "\n\n".join(tables.values())


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
