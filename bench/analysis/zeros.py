"""Zeros: a group in whose first trials nothing was lost takes more, so that the zero says more.

Decided once, by the first trials alone. To go on until something is lost would let what is found
decide how many trials there are, which the intervals of shares are not made for.
"""

from collections import defaultdict

from bench.analysis.evidence import judged
from bench.analysis.need import Group, Need, group_of
from bench.record import PlannedTrial, Trial
from scenarios.scenario import Scenario, ZeroParameters


class Zeros:
    """Knows what the first trials of each group of a scenario lost."""

    def __init__(self, scenario: Scenario, asked: ZeroParameters) -> None:
        self._scenario = scenario
        self.least = asked.trials
        self._harms: dict[Group, list[int]] = defaultdict(list)

    def finished(self, trial: Trial) -> None:
        """Learn from a trial, if it is one of the first. Raises Failed: it is damaged."""
        harm = self._scenario.harm
        if harm and trial.repeat <= self.least:
            for one in judged([trial], trial.scenario, self._scenario.findings):
                if (done := harm(one.findings)) is not None:
                    self._harms[group_of(trial)].append(done)

    def need(self, planned: PlannedTrial) -> Need:
        """Take more where the first trials came out and lost nothing."""
        harms = self._harms[group_of(planned)]
        if not harms or any(harms):
            return Need(taken=False, stopped="trials")
        return Need(taken=True, because=f"nothing lost in the first {len(harms)} trials")
