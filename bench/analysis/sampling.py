"""How many trials are enough: until every median is known as closely as asked, or no more is had.

Decided between rounds, from the records of earlier rounds alone: the order inside a round has no
say, and a run that was killed decides again as it had decided. A group is one case of a scenario
for one subject; when one group has enough, the others go on.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import scenarios
from backends.store import Durability
from bench.analysis.estimate import Estimate, estimate
from bench.analysis.evidence import judged
from bench.record import PlannedTrial, Record, Run, Trial
from scenarios.scenario import AdaptiveParameters

Stopped = Literal["precise", "trials", "seconds", "unfinished"]
"""precise: the interval is as narrow as asked. trials, seconds: the budget of these is spent.
unfinished: the run was cut short."""


class Sampled(Record):
    """Whether a cell has its trials for being known well enough, or for want of budget."""

    stopped: Stopped
    half_width: float | None
    """Half the wider interval of throughput and p50, as a share of its median; None without one."""
    asked: float


class Need(NamedTuple):
    """Whether a planned trial is taken, and why it is or isn't."""

    taken: bool
    stopped: Stopped | None = None
    """Why not."""
    because: str | None = None
    """Why it is, where it is beyond the least number."""


Group = tuple[str, str, str]


class Sampler:
    """Knows the trials there are, and says of each planned one whether it is needed."""

    def __init__(self, run: Run, trials: Iterable[Trial] = ()) -> None:
        self._asked = {name: asked for name in run.parameters if (asked := asked_of(run, name))}
        self._held = {s.label for s in run.subjects if s.durability == Durability.CLIENT}
        """Subjects whose state the client holds: there is no store to time."""
        self._figures: dict[Group, dict[int, Mapping[str, float]]] = defaultdict(dict)
        self._seconds: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for trial in trials:
            self.finished(trial)

    def finished(self, trial: Trial) -> None:
        """Learn from a trial. Raises Failed: its findings are damaged."""
        if trial.scenario not in self._asked:
            return
        self._seconds[trial.scenario][trial.repeat] += trial.seconds
        scenario = scenarios.load(trial.scenario)
        if scenario.figures and trial.label not in self._held:
            for one in judged([trial], trial.scenario, scenario.findings):
                self._figures[_group(trial)][trial.repeat] = scenario.figures(one.findings)

    def need(self, planned: PlannedTrial) -> Need:
        """Decide by the trials of earlier rounds."""
        asked = self._asked.get(planned.scenario)
        if asked is None or planned.repeat <= asked.trials:
            return Need(taken=True)
        spent = self._seconds[planned.scenario].items()
        if sum(seconds for repeat, seconds in spent if repeat < planned.repeat) > (
            asked.budget_seconds
        ):
            return Need(taken=False, stopped="seconds")
        known = self._figures[_group(planned)]
        if not known:
            return Need(taken=False, stopped="trials")
        name, width = _widest(known, planned.repeat)
        if width <= asked.precision:
            return Need(taken=False, stopped="precise")
        if math.isinf(width):
            return Need(taken=True, because=f"{name}: too few trials have it for an interval")
        return Need(
            taken=True, because=f"{name}: ±{width:.1%} is wider than ±{asked.precision:.1%}"
        )


def asked_of(run: Run, scenario: str) -> AdaptiveParameters | None:
    """Give what a run asked of a scenario's precision; None where the scenario takes no account."""
    if scenario not in scenarios.names() or scenario not in run.parameters:
        return None
    parameters = scenarios.load(scenario).parameters.model_validate(run.parameters[scenario])
    return parameters if isinstance(parameters, AdaptiveParameters) else None


def left(run: Run, trials: Sequence[Trial]) -> Sequence[PlannedTrial]:
    """Give the planned trials that are still to be taken, as far as can be told now."""
    sampler, done = Sampler(run, trials), {trial.id for trial in trials}
    return [
        planned for planned in run.plan if planned.id not in done and sampler.need(planned).taken
    ]


def stopped(run: Run, trials: Sequence[Trial], scenario: str) -> Mapping[str, Stopped]:
    """Say, by label, why a scenario's trials ended where they did."""
    sampler, done = Sampler(run, trials), {trial.id for trial in trials}
    why: dict[str, Stopped] = {}
    for planned in run.plan:
        if planned.scenario == scenario and planned.id not in done:
            need = sampler.need(planned)
            why.setdefault(planned.label, need.stopped or "unfinished")
    return {subject.label: why.get(subject.label, "trials") for subject in run.subjects}


def sampled(asked: float, why: Stopped, figures: Sequence[Estimate | None]) -> Sampled:
    """Judge one cell: its own interval first, for others may have kept its group going."""
    widths = [one.half_width for one in figures if one and one.method == "interval"]
    if len(widths) < len(figures):
        return Sampled(stopped=why, half_width=None, asked=asked)
    width = max(widths)
    precise = width <= asked
    return Sampled(stopped="precise" if precise else why, half_width=width, asked=asked)


def _group(trial: PlannedTrial | Trial) -> Group:
    return trial.scenario, trial.case, trial.label


def _widest(figures: Mapping[int, Mapping[str, float]], before: int) -> tuple[str, float]:
    """Name the figure with the widest interval over the trials of rounds before `before`."""
    every: dict[str, list[float]] = defaultdict(list)
    for repeat in sorted(figures):
        if repeat < before:
            for name, value in figures[repeat].items():
                every[name].append(value)
    found = {name: estimate(values) for name, values in every.items()}
    widths = {name: one.half_width for name, one in found.items() if one.method == "interval"}
    if len(widths) < len(found):
        # Too few for an interval: no more can be said than that.
        return next(name for name in found if name not in widths), math.inf
    return max(widths.items(), key=lambda item: item[1], default=("", 0.0))
