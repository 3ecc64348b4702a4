"""Precision: trials until every median is known as closely as asked, or no more is had."""

import math
from collections import defaultdict
from collections.abc import Mapping

from bench.analysis.estimate import estimate
from bench.analysis.evidence import judged
from bench.analysis.need import Group, Need, group_of
from bench.record import PlannedTrial, Trial
from scenarios.scenario import AdaptiveParameters, Scenario


class Precision:
    """Knows the figures of each group of a scenario, and the time that all of it took."""

    def __init__(self, scenario: Scenario, asked: AdaptiveParameters) -> None:
        self._scenario = scenario
        self.least = asked.trials
        self._asked = asked
        self._figures: dict[Group, dict[int, Mapping[str, float]]] = defaultdict(dict)
        self._seconds: dict[int, float] = defaultdict(float)

    def finished(self, trial: Trial) -> None:
        """Learn from a trial. Raises Failed: its findings are damaged."""
        self._seconds[trial.repeat] += trial.seconds
        if figures := self._scenario.figures:
            for one in judged([trial], trial.scenario, self._scenario.findings):
                self._figures[group_of(trial)][trial.repeat] = figures(one.findings)

    def need(self, planned: PlannedTrial) -> Need:
        """Take more while the figure known least closely isn't known closely enough."""
        asked = self._asked
        spent = self._seconds.items()
        if sum(seconds for repeat, seconds in spent if repeat < planned.repeat) > (
            asked.budget_seconds
        ):
            return Need(taken=False, stopped="seconds")
        known = self._figures[group_of(planned)]
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
