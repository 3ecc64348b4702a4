"""Who is ahead of whom: inside one durability class, and only beyond the noise.

The noise is what the A/A control shows: one subject run twice under two labels. Whatever gap opens
between the pair isn't the store's doing.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from bench.analysis.comparand import Comparand
from bench.analysis.difference import difference, holm
from bench.analysis.estimate import CONFIDENCE, Estimate
from bench.analysis.latency import METRICS, Key, LatencyCell, Metric, Rank
from bench.analysis.load import Capacity
from bench.record import Record, Run

Ranked = TypeVar("Ranked", LatencyCell, Capacity)


class Noise(Record):
    """The largest gap between the two halves of an A/A pair."""

    workload: str
    operation: str
    connections: int
    metric: Metric
    gap: float
    """The larger median over the smaller, less one."""
    labels: tuple[str, str]


def gap(one: float, other: float) -> float:
    """Give the relative distance of two figures: the larger over the smaller, less one."""
    small, large = sorted((one, other))
    return large / small - 1 if small > 0 else float(large > 0)


def noise(run: Run, cells: Sequence[Comparand]) -> Sequence[Noise]:
    """Take the gap of every A/A pair; the largest for each cell and metric."""
    at = {(cell.label, cell.key): cell for cell in cells}
    first_label = {s.spec: s.label for s in reversed(run.subjects) if not s.control}
    worst: dict[tuple[Key, Metric], Noise] = {}
    for subject in run.subjects:
        if not subject.control or subject.spec not in first_label:
            continue
        pair = first_label[subject.spec], subject.label
        for key in {cell.key: None for cell in cells if cell.label == subject.label}:
            halves = [at[label, key] for label in pair if (label, key) in at]
            # What isn't the store's, or is only a bound, shows no noise of the store's.
            if any(half.at_least or not half.ranked for half in halves):
                continue
            for metric in METRICS:
                figures = [figure for half in halves if (figure := half.metric(metric))]
                if len(figures) < len(pair):
                    continue
                one, other = figures
                found = Noise(
                    **key._asdict(),
                    metric=metric,
                    gap=gap(one.value, other.value),
                    labels=pair,
                )
                before = worst.get((key, metric))
                if before is None or found.gap > before.gap:
                    worst[key, metric] = found
    return list(worst.values())


def ranked(run: Run, cells: Sequence[Ranked], noises: Sequence[Noise]) -> Sequence[Ranked]:
    """Give the same cells with their ranks filled in."""
    controls = {subject.label for subject in run.subjects if subject.control}
    floor = floors(noises)
    groups: dict[tuple[str, Key], list[Ranked]] = defaultdict(list)
    for cell in cells:
        if cell.ranked and cell.label not in controls:
            groups[cell.durability, cell.key].append(cell)
    ranks: dict[tuple[str, Key], dict[Metric, Rank]] = defaultdict(dict)
    for (_, key), group in groups.items():
        at_least = {cell.label for cell in group if cell.at_least}
        for metric in METRICS:
            figures = {cell.label: figure for cell in group if (figure := cell.metric(metric))}
            least = floor.get((key, metric), 0.0)
            for label, rank in places(figures, metric, least, at_least).items():
                ranks[label, key][metric] = rank
    return [
        cell.model_copy(update={"ranks": ranks.get((cell.label, cell.key), {})}) for cell in cells
    ]


def floors(noises: Sequence[Noise]) -> Mapping[tuple[Key, Metric], float]:
    """Give the gap of the A/A control for each figure that has one."""
    return {(Key(n.workload, n.operation, n.connections), n.metric): n.gap for n in noises}


def places(
    figures: Mapping[str, Estimate],
    metric: Metric,
    floor: float,
    at_least: Collection[str] = (),
) -> Mapping[str, Rank]:
    """Rank one figure of one class; a lone subject has nobody to be compared with: no rank.

    A place is one more than the number of subjects that are better beyond doubt. Doubt isn't
    transitive: a chain of small steps doesn't tie the best with the worst. All pairs of the class
    are one family: where nobody differs, somebody is put before another in at most 5% of cases.
    Whoever has `at_least` a figure is behind nobody.
    """
    pairs = {
        (one, other): found
        for one, other in itertools.combinations(figures, 2)
        if (found := difference(figures[one].each, figures[other].each))
    }
    if not pairs:
        return {}
    adjusted = holm([pair.p for pair in pairs.values()])
    better: Counter[str] = Counter()
    apart: Counter[str] = Counter()
    for ((one, other), pair), p in zip(pairs.items(), adjusted, strict=True):
        if p > 1 - CONFIDENCE or gap(figures[one].value, figures[other].value) <= floor:
            continue
        behind = one if (pair.ratio > 1) == (metric == "throughput") else other
        if behind in at_least:
            continue
        better[behind] += 1
        apart.update((one, other))
    others = len(figures) - 1
    return {
        label: Rank(place=better[label] + 1, of=len(figures), tie=apart[label] < others)
        for label in figures
    }
