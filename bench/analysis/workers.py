"""Who made the load of a run: how many workers, on how many hosts, how well their clocks agree."""

from collections.abc import Iterable, Sequence

from bench.record import Record, Trial

OF_INSTANCES = ("consistency",)
"""Scenarios whose workers are app instances, and not as many as a machine has cores for load."""


class WorkerFigures(Record):
    """The workers of a run's trials."""

    workers: int
    """The most that made the load of a trial; 0 where none made any."""
    instances: int
    """The most that were the app instances of a trial, which look and race; 0 where none were."""
    hosts: int
    """The most that a trial had them on."""
    elsewhere: int
    """Of those hosts, the ones that aren't the runner's own."""
    translated: int
    """Workers whose clock is another than the runner's, over all trials."""
    largest_error_ns: int
    """The least well known offset of such a clock; of any, where none is another."""


def worker_figures(trials: Sequence[Trial]) -> WorkerFigures | None:
    """Gather the workers of every trial; None where none is recorded."""
    crews = [trial.workers for trial in trials if trial.workers]
    if not crews:
        return None
    every = [worker for crew in crews for worker in crew]
    apart = [worker for worker in every if not worker.same_clock]
    return WorkerFigures(
        workers=_most(trial for trial in trials if trial.scenario not in OF_INSTANCES),
        instances=_most(trial for trial in trials if trial.scenario in OF_INSTANCES),
        hosts=max(len({worker.host for worker in crew}) for crew in crews),
        elsewhere=max(len({worker.host for worker in crew if worker.host}) for crew in crews),
        translated=len(apart),
        largest_error_ns=max(worker.clock_error_ns for worker in apart or every),
    )


def _most(trials: Iterable[Trial]) -> int:
    return max((len(trial.workers) for trial in trials), default=0)
