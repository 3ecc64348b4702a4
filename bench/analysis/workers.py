"""Who made the load of a run: how many workers, on how many hosts, how well their clocks agree."""

from collections.abc import Sequence

from bench.record import Record, Trial


class WorkerFigures(Record):
    """The workers of a run's trials."""

    workers: int
    """The most that a trial had."""
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
        workers=max(map(len, crews)),
        hosts=max(len({worker.host for worker in crew}) for crew in crews),
        elsewhere=max(len({worker.host for worker in crew if worker.host}) for crew in crews),
        translated=len(apart),
        largest_error_ns=max(worker.clock_error_ns for worker in apart or every),
    )
