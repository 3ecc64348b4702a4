"""How many trials are enough: until medians are known as closely as asked, or a zero says enough.

Decided between rounds, from the records of earlier rounds alone: the order inside a round has no
say, and a run that was killed decides again as it had decided. A group is one case of a scenario
for one subject; when one group has enough, the others go on.
"""

from collections.abc import Iterable, Mapping, Sequence

import scenarios
from backends.store import Durability
from bench.analysis.estimate import Estimate
from bench.analysis.need import Need, Rule, Stopped
from bench.analysis.precision import Precision
from bench.analysis.zeros import Zeros
from bench.record import PlannedTrial, Record, Run, Trial
from scenarios.scenario import AdaptiveParameters, Parameters, ZeroParameters


class Sampled(Record):
    """Whether a cell has its trials for being known well enough, or for want of budget."""

    stopped: Stopped
    half_width: float | None
    """Half the wider interval of throughput and p50, as a share of its median; None without one."""
    asked: float


class Sampler:
    """Knows the trials there are, and says of each planned one whether it is needed."""

    def __init__(self, run: Run, trials: Iterable[Trial] = ()) -> None:
        self._rules = {name: rule for name in run.parameters if (rule := _rule(run, name))}
        self._held = {s.label for s in run.subjects if s.durability == Durability.CLIENT}
        """Subjects whose state the client holds: there is no store to time, or to lose anything."""
        for trial in trials:
            self.finished(trial)

    def finished(self, trial: Trial) -> None:
        """Learn from a trial. Raises Failed: its findings are damaged."""
        if rule := self._rules.get(trial.scenario):
            rule.finished(trial)

    def need(self, planned: PlannedTrial) -> Need:
        """Decide by the trials of earlier rounds."""
        rule = self._rules.get(planned.scenario)
        if rule is None or planned.repeat <= rule.least:
            return Need(taken=True)
        if planned.label in self._held:
            return Need(taken=False, stopped="trials")
        return rule.need(planned)


def _rule(run: Run, name: str) -> Rule | None:
    """Give the rule for a scenario that may have more trials than the least."""
    asked = parameters_of(run, name)
    if isinstance(asked, AdaptiveParameters):
        return Precision(scenarios.load(name), asked)
    if isinstance(asked, ZeroParameters):
        return Zeros(scenarios.load(name), asked)
    return None


def parameters_of(run: Run, scenario: str) -> Parameters | None:
    """Give what a run asked of a scenario that this version knows."""
    if scenario not in scenarios.names() or scenario not in run.parameters:
        return None
    return scenarios.load(scenario).parameters.model_validate(run.parameters[scenario])


def asked_of(run: Run, scenario: str) -> AdaptiveParameters | None:
    """Give what a run asked of a scenario's precision; None where the scenario takes no account."""
    parameters = parameters_of(run, scenario)
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
