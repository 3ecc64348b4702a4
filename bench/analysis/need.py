"""Whether a planned trial is taken, as every rule of sampling says it."""

from typing import Literal, NamedTuple, Protocol

from bench.record import PlannedTrial, Trial

Stopped = Literal["precise", "trials", "seconds", "unfinished"]
"""precise: the interval is as narrow as asked. trials, seconds: the budget of these is spent.
unfinished: the run was cut short."""
Group = tuple[str, str, str]


class Need(NamedTuple):
    """Whether a planned trial is taken, and why it is or isn't."""

    taken: bool
    stopped: Stopped | None = None
    """Why not."""
    because: str | None = None
    """Why it is, where it is beyond the least number."""


class Rule(Protocol):
    """How the trials of one scenario decide about more of them."""

    @property
    def least(self) -> int:
        """How many of each group are taken, whatever they find."""

    def finished(self, trial: Trial) -> None:
        """Learn from a trial. Raises Failed: its findings are damaged."""

    def need(self, planned: PlannedTrial) -> Need:
        """Decide about a trial beyond the least number, by those of earlier rounds."""


def group_of(trial: PlannedTrial | Trial) -> Group:
    """Give the case of a scenario for a subject that a trial repeats."""
    return trial.scenario, trial.case, trial.label
