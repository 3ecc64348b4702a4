"""How far the statistics keep what they promise, by simulation: from a seed, the same everywhere.

    python -m benchmarks.statistics coverage   how often an interval holds the true median
    python -m benchmarks.statistics ranks      how often equal stores are put one before another
    python -m benchmarks.statistics compare    how often `compare` is wrong, and how often right
    python -m benchmarks.statistics capacity   the same of capacities that a search found

Each prints the table that docs/method.md has; with `--write` it puts it there.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

from benchmarks.capacities import STORES, told_of_capacities
from benchmarks.intervals import ASKED, LEAST, MOST, bootstrap_coverage, coverage, stopping
from benchmarks.noise import HARDEST, SHAPES
from benchmarks.published import publish
from benchmarks.verdicts import compared, drifted, ranks


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


def capacity_table(repeats: int) -> str:
    """Write what compare said of capacities."""
    heads = [
        "noise of a trial",
        "search",
        "trials a side",
        "same code: anything said",
        "same code: exit code 1",
        "slowed 10%: exit code 1",
        "slowed 10%: capacities said worse",
    ]
    rows = [
        [f"{one.noise:.0%}", one.effort, one.trials, *map(_percent, one[3:])]
        for one in told_of_capacities(repeats)
    ]
    return f"{repeats:,} simulated pairs of runs each, of {STORES} stores.\n\n" + _table(
        heads, rows
    )


FULL: Mapping[str, tuple[Callable[[int], str], int]] = {
    "coverage": (coverage_table, 10_000),
    "ranks": (ranks_table, 2_000),
    "compare": (compare_table, 250),
    "capacity": (capacity_table, 250),
}


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
