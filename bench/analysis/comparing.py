"""Two runs held against each other: what became better, what became worse, and what can't be said.

Every figure of speed of the two is in one family, so that two runs of the same code are told apart
anywhere in at most 5% of comparisons. What no test over trials can know is whether the machine was
the same: runs that are compared should follow each other, or be measured relative to a subject that
did not change.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from bench.analysis.comparable import apart, asked_otherwise, set_otherwise
from bench.analysis.difference import difference, logarithms
from bench.analysis.estimate import CONFIDENCE
from bench.analysis.harms import HarmChange, harm_changes
from bench.analysis.latency import Key, LatencyCell, Metric
from bench.analysis.permutation import DEALINGS, Block, Floats, familywise
from bench.analysis.ranking import METRICS, floors, gap
from bench.analysis.summary import Summary, summary
from bench.analysis.verdict import Judgement, Verdict
from bench.errors import WrongUse
from bench.record import Record, Run, Trial


class Change(Judgement):
    """One figure of speed of one subject in both runs."""

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


class Side(Record):
    """One of the two runs."""

    name: str
    started_at: datetime
    effort: str
    seed: int
    version: str | None
    """Commit of the checkout that made it."""


class Comparison(Record):
    """Everything that `compare` says."""

    base: Side
    new: Side
    threshold: float
    across: list[str]
    """Differences that the user named as what is compared."""
    relative_to: str | None
    differences: list[str]
    """What makes speed not comparable at all."""
    judged: int
    """Figures of speed in the family."""
    changes: list[Change]
    harms: list[HarmChange]

    @property
    def every(self) -> Sequence[HarmChange | Change]:
        """All that was judged: harms first, since no speed makes up for one."""
        return [*self.harms, *self.changes]

    @property
    def regressed(self) -> bool:
        """Whether anything became worse by more than is allowed."""
        return any(one.regression for one in self.every)

    @property
    def comparable(self) -> bool:
        """Whether there is anything to be judged by: speed, where it was measured at all."""
        asked = self.changes or self.harms
        return any(one.verdict != "not comparable" for one in asked)


class Recorded(NamedTuple):
    """A run as it was read."""

    name: str
    run: Run
    trials: Sequence[Trial]


def compare(
    base: Recorded,
    new: Recorded,
    *,
    threshold: float,
    across: Sequence[str] = (),
    relative_to: str | None = None,
) -> Comparison:
    """Hold `new` against `base`. Raises Failed: damaged records; WrongUse: no such control."""
    before, now = (summary(side.run, side.trials) for side in (base, new))
    differences = [
        *apart(base.run, new.run, across),
        *asked_otherwise(base.run, new.run, "latency"),
    ]
    pairs = list(_pairs(before, now, relative_to, differences))
    gaps = [floors(side.noise) for side in (before, now)]
    changes = judge(
        pairs,
        {key: max(one.get(key, 0.0) for one in gaps) for key in gaps[0].keys() | gaps[1].keys()},
        threshold=threshold,
        seed=base.run.seed ^ new.run.seed,
    )
    return Comparison(
        base=_side(base),
        new=_side(new),
        threshold=threshold,
        across=list(across),
        relative_to=relative_to,
        differences=differences,
        judged=sum(one.p is not None for one in changes),
        changes=changes,
        harms=list(harm_changes(base.run, base.trials, before, new.run, new.trials, now)),
    )


class Figure(NamedTuple):
    """One figure of one run."""

    median: float
    values: Mapping[str, float]
    """Trial -> its own figure, relative to the control's of the same round where there is one."""
    trials: Sequence[str]


class Pair(NamedTuple):
    """One figure in both runs."""

    label: str
    key: Key
    metric: Metric
    base: Figure | None
    new: Figure | None
    hindered: str
    """Why it isn't comparable; empty where it is."""


def _pairs(
    before: Summary, now: Summary, relative_to: str | None, differences: Sequence[str]
) -> Iterable[Pair]:
    cells = [
        {(cell.label, cell.key): cell for cell in side.cells if cell.whole}
        for side in (before, now)
    ]
    if relative_to is not None and not all(
        any(label == relative_to for label, _ in side) for side in cells
    ):
        raise WrongUse(f"--relative-to {relative_to}: it was not measured in both runs")
    controls = {
        subject.label for side in (before, now) for subject in side.subjects if subject.control
    }
    settings = set_otherwise(before, now)
    for label, key in dict.fromkeys([*cells[0], *cells[1]]):
        if label in controls or label == relative_to:
            continue
        halves = [side.get((label, key)) for side in cells]
        hindered = _hindered(halves, [*differences, *filter(None, [settings.get(label)])])
        for metric in METRICS:
            figures = [
                _figure(half, side.get((relative_to, key)) if relative_to else None, metric)
                if half
                else None
                for half, side in zip(halves, cells, strict=True)
            ]
            few = "" if all(figures) else f"too few calls in a trial for a {metric}"
            yield Pair(label, key, metric, figures[0], figures[1], hindered or few)


def _hindered(halves: Sequence[LatencyCell | None], differences: Sequence[str]) -> str:
    if differences:
        return "; ".join(differences)
    for name, half in zip(("BASE", "NEW"), halves, strict=True):
        if half is None:
            return f"not measured in {name}"
        if not half.ranked:
            return f"in {name}: {'; '.join(f'{flag}, {why}' for flag, why in half.why.items())}"
    return ""


def _figure(cell: LatencyCell, control: LatencyCell | None, metric: Metric) -> Figure | None:
    estimate = cell.metric(metric)
    if estimate is None:
        return None
    values = dict(zip(cell.trials, estimate.each, strict=True))
    if control is not None:
        beside = control.metric(metric)
        if beside is None:
            return None
        rounds = {_round(t): v for t, v in zip(control.trials, beside.each, strict=True)}
        values = {t: v / rounds[_round(t)] for t, v in values.items() if _round(t) in rounds}
    return Figure(estimate.value, values, cell.trials)


def _round(trial: str) -> str:
    return trial.rpartition("/")[2]


def judge(
    pairs: Sequence[Pair],
    noise: Mapping[tuple[Key, Metric], float],
    *,
    threshold: float,
    seed: int,
    dealings: int = DEALINGS,
) -> list[Change]:
    """Judge all pairs as one family; `noise` has the gaps of the A/A controls."""
    adjusted = _adjusted(pairs, seed, dealings)
    return [
        _change(pair, adjusted.get(index), noise.get((pair.key, pair.metric), 0.0), threshold)
        for index, pair in enumerate(pairs)
    ]


def _adjusted(pairs: Sequence[Pair], seed: int, dealings: int) -> Mapping[int, float]:
    """Give the chance of each pair that may be judged, all of them in one family."""
    by_label: dict[str, list[int]] = {}
    for index, pair in enumerate(pairs):
        if not pair.hindered:
            by_label.setdefault(pair.label, []).append(index)
    if not by_label:
        return {}
    blocks = [
        Block(
            base=_matrix([pairs[i].base for i in those]), new=_matrix([pairs[i].new for i in those])
        )
        for those in by_label.values()
    ]
    found = familywise(blocks, seed, dealings)
    return {
        index: float(p)
        for those, ps in zip(by_label.values(), found, strict=True)
        for index, p in zip(those, ps, strict=True)
    }


def _matrix(found: Sequence[Figure | None]) -> Floats:
    figures = [figure for figure in found if figure is not None]
    trials = list(dict.fromkeys(trial for figure in figures for trial in figure.values))
    rows = [[figure.values.get(trial, math.nan) for figure in figures] for trial in trials]
    return logarithms(np.asarray(rows))


def _change(pair: Pair, p: float | None, noise: float, threshold: float) -> Change:
    base, new = pair.base, pair.new
    found = None
    if base and new and not pair.hindered:
        found = difference(list(base.values.values()), list(new.values.values()))
    verdict: Verdict = "not comparable"
    why, slower = pair.hindered, 1.0
    if found is not None and p is not None and base and new:
        slower = 1 / found.ratio if pair.metric == "throughput" else found.ratio
        why = _doubt(base, new, p, found.ratio, noise)
        verdict = "tie" if why else "worse" if slower > 1 else "better"
    elif not why:
        why = "one trial in common says nothing of the noise"
    return Change(
        label=pair.label,
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
        noise=noise,
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
    return ""


def _side(recorded: Recorded) -> Side:
    run = recorded.run
    return Side(
        name=recorded.name,
        started_at=run.started_at,
        effort=run.effort,
        seed=run.seed,
        version=run.environment.get("git_commit"),
    )
