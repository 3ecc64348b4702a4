"""Two runs held against each other: what became better, what became worse, and what can't be said.

Every figure of speed of the two is in one family, so that two runs of the same code are told apart
anywhere in at most 5% of comparisons. What no test over trials can know is whether the machine was
the same: runs that are compared should follow each other, or be measured relative to a subject that
did not change.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from bench.analysis.comparable import apart, asked_otherwise, set_otherwise
from bench.analysis.comparand import Comparand
from bench.analysis.harms import HarmChange, harm_changes
from bench.analysis.judging import Change, Figure, Pair, judge
from bench.analysis.latency import Key, LatencyCell, Metric
from bench.analysis.load import LoadStep
from bench.analysis.ranking import floors
from bench.analysis.summary import Summary, summary
from bench.errors import WrongUse
from bench.record import Record, Run, Trial

SCENARIOS = (LatencyCell.scenario, LoadStep.scenario)
"""Those whose figures of speed are compared."""


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
    alike: list[str]
    """Names among them in which the two don't differ: a slip, perhaps."""
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
    surroundings = apart(base.run, new.run)
    everywhere = [words for name, words in surroundings.items() if name not in across]
    asked = {name: asked_otherwise(base.run, new.run, name) for name in SCENARIOS}
    settings = set_otherwise(before, now)
    controls = {
        subject.label for side in (before, now) for subject in side.subjects if subject.control
    }
    pairs = _pairs(
        [_half(side) for side in (before, now)],
        controls,
        relative_to,
        lambda scenario, label: [*everywhere, *asked[scenario], *settings.get(label, [])],
    )
    changes = judge(list(pairs), threshold=threshold, seed=base.run.seed ^ new.run.seed)
    return Comparison(
        base=_side(base),
        new=_side(new),
        threshold=threshold,
        across=[name for name in across if name in surroundings],
        alike=[name for name in across if name not in surroundings],
        relative_to=relative_to,
        differences=[*everywhere, *(words for every in asked.values() for words in every)],
        judged=sum(one.p is not None for one in changes),
        changes=changes,
        harms=list(harm_changes(base.run, base.trials, before, new.run, new.trials, now)),
    )


_Place = tuple[str, str, Key]
"""Scenario, label, and what was done."""


class _Half(NamedTuple):
    """What one of the runs has."""

    cells: Mapping[_Place, Comparand]
    noise: Mapping[tuple[Key, Metric], float]
    """The gap of its A/A control."""


def _half(found: Summary) -> _Half:
    """Take what has a counterpart: whole workloads, and rates that weren't found by a search."""
    steps = [step for step in found.load if step.asked != "capacity"]
    cells: list[Comparand] = [
        *(cell for cell in found.cells if cell.whole),
        *found.capacities,
        *steps,
    ]
    return _Half(
        {(cell.scenario, cell.label, cell.key): cell for cell in cells},
        floors([*found.noise, *found.load_noise]),
    )


def _pairs(
    halves: Sequence[_Half],
    controls: Collection[str],
    relative_to: str | None,
    differences: Callable[[str, str], Sequence[str]],
) -> Iterable[Pair]:
    """Pair the figures of the two runs; `differences` are those of a scenario and a label."""
    if relative_to is not None and not all(
        any(label == relative_to for _, label, _ in half.cells) for half in halves
    ):
        raise WrongUse(f"--relative-to {relative_to}: it was not measured in both runs")
    for place in dict.fromkeys(place for half in halves for place in half.cells):
        scenario, label, key = place
        if label in controls or label == relative_to:
            continue
        cells = [half.cells.get(place) for half in halves]
        beside = [half.cells.get((scenario, relative_to or "", key)) for half in halves]
        hindered = (
            "; ".join(differences(scenario, label))
            or _hindered(cells)
            or (_not_relative(relative_to, beside) if relative_to else "")
        )
        for metric in next(cell for cell in cells if cell).metrics:
            base, new = (
                _figure(cell, control, metric) if cell else None
                for cell, control in zip(cells, beside, strict=True)
            )
            few = "" if base and new else f"too few calls in a trial for a {metric}"
            noise = max(half.noise.get((key, metric), 0.0) for half in halves)
            yield Pair(scenario, label, key, metric, base, new, hindered or few, noise)


def _hindered(cells: Sequence[Comparand | None]) -> str:
    for name, cell in zip(("BASE", "NEW"), cells, strict=True):
        if cell is None:
            return f"not measured in {name}"
        if isinstance(cell, LoadStep) and cell.asked == "share":
            return "a share of its own closed loop is another load in each run; set load.rates"
        if not cell.ranked:
            return f"in {name}: {'; '.join(f'{flag}, {why}' for flag, why in cell.why.items())}"
    return ""


def _not_relative(control: str, beside: Sequence[Comparand | None]) -> str:
    for name, cell in zip(("BASE", "NEW"), beside, strict=True):
        if cell is None:
            return f"{control}: not measured so in {name}"
        if cell.at_least:
            return f"{control} carried every rate that it was offered in {name}"
    return ""


def _figure(cell: Comparand, control: Comparand | None, metric: Metric) -> Figure | None:
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
    return Figure(estimate.value, values, cell.trials, cell.at_least)


def _round(trial: str) -> str:
    return trial.rpartition("/")[2]


def _side(recorded: Recorded) -> Side:
    run = recorded.run
    return Side(
        name=recorded.name,
        started_at=run.started_at,
        effort=run.effort,
        seed=run.seed,
        version=run.environment.get("git_commit"),
    )
