"""The verdict on every figure of speed of two runs, all of them counted as one family."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.analysis.difference import difference, logarithms
from bench.analysis.estimate import CONFIDENCE
from bench.analysis.latency import Key, Metric
from bench.analysis.permutation import DEALINGS, Block, Floats, familywise
from bench.analysis.ranking import gap
from bench.analysis.verdict import Judgement, Verdict


class Figure(NamedTuple):
    """One figure of one run."""

    median: float
    values: Mapping[str, float]
    """Trial -> its own figure, relative to the control's of the same round where there is one."""
    trials: Sequence[str]
    at_least: bool = False
    """Whether it may be higher than it says."""


class Pair(NamedTuple):
    """One figure in both runs."""

    scenario: str
    label: str
    key: Key
    metric: Metric
    base: Figure | None
    new: Figure | None
    hindered: str
    """Why it isn't comparable; empty where it is."""
    noise: float
    """The larger gap of the two runs' A/A controls; 0 without one."""


class Change(Judgement):
    """One figure of speed of one subject in both runs."""

    scenario: str
    workload: str
    connections: int
    metric: Metric
    base: float | None
    """Median over trials: ns, or operations a second."""
    new: float | None
    ratio: float | None
    """New over base, of geometric means over trials."""
    low: float | None
    high: float | None
    """95% interval of this ratio alone."""
    p: float | None
    """The chance of such a change if nothing had changed, adjusted for all figures compared."""
    noise: float
    """The larger gap of the two runs' A/A controls; 0 without one."""


def judge(
    pairs: Sequence[Pair], *, threshold: float, seed: int, dealings: int = DEALINGS
) -> list[Change]:
    """Judge all pairs as one family."""
    adjusted = _adjusted(pairs, seed, dealings)
    return [_change(pair, adjusted.get(number), threshold) for number, pair in enumerate(pairs)]


def _adjusted(pairs: Sequence[Pair], seed: int, dealings: int) -> Mapping[int, float]:
    """Give the chance of each pair that may be judged, all of them in one family."""
    # What is dealt out to the two runs is a trial, and a trial is of one scenario.
    together: dict[tuple[str, str], list[int]] = {}
    for number, pair in enumerate(pairs):
        if not pair.hindered:
            together.setdefault((pair.scenario, pair.label), []).append(number)
    if not together:
        return {}
    blocks = [
        Block(
            base=_matrix([pairs[i].base for i in those]), new=_matrix([pairs[i].new for i in those])
        )
        for those in together.values()
    ]
    found = familywise(blocks, seed, dealings)
    return {
        number: float(p)
        for those, ps in zip(together.values(), found, strict=True)
        for number, p in zip(those, ps, strict=True)
    }


def _matrix(found: Sequence[Figure | None]) -> Floats:
    figures = [figure for figure in found if figure is not None]
    trials = list(dict.fromkeys(trial for figure in figures for trial in figure.values))
    rows = [[figure.values.get(trial, math.nan) for figure in figures] for trial in trials]
    return logarithms(np.asarray(rows))


def _change(pair: Pair, p: float | None, threshold: float) -> Change:
    base, new = pair.base, pair.new
    found = None
    if base and new and not pair.hindered:
        found = difference(list(base.values.values()), list(new.values.values()))
    verdict: Verdict = "not comparable"
    why, slower = pair.hindered, 1.0
    if found is not None and p is not None and base and new:
        slower = 1 / found.ratio if pair.metric == "throughput" else found.ratio
        why = _doubt(base, new, p, found.ratio, pair.noise)
        verdict = "tie" if why else "worse" if slower > 1 else "better"
    elif not why:
        why = "one trial in common says nothing of the noise"
    return Change(
        label=pair.label,
        scenario=pair.scenario,
        workload=pair.key.workload,
        connections=pair.key.connections,
        metric=pair.metric,
        verdict=verdict,
        regression=verdict == "worse" and slower > 1 + threshold,
        why=why,
        base=base.median if base else None,
        new=new.median if new else None,
        ratio=found.ratio if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        p=p,
        noise=pair.noise,
        base_trials=list(base.trials) if base else [],
        new_trials=list(new.trials) if new else [],
    )


def _doubt(base: Figure, new: Figure, p: float, ratio: float, noise: float) -> str:
    """Say why a difference isn't one; nothing where it is."""
    counts = len(base.values), len(new.values)
    ways = math.comb(sum(counts), counts[0]) / (2 if counts[0] == counts[1] else 1)
    if ways * (1 - CONFIDENCE) < 1:
        return f"{counts[0]} and {counts[1]} trials are too few to tell chance from change"
    if p > 1 - CONFIDENCE:
        return "may be chance"
    if gap(1.0, ratio) <= noise:
        return f"inside the noise of the A/A control, {noise:.1%}"
    name, lower = ("BASE", base) if ratio > 1 else ("NEW", new)
    if lower.at_least:
        return f"{name} carried every rate in most of its trials, and may carry as much"
    return ""
