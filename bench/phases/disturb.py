"""Executes a `Disturb`: load with a history, a fault in its middle, and a look afterwards."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor

from bench import faults
from bench.errors import Failed
from bench.load import history_load as task
from bench.load.history_load import Seat
from bench.load.workers import Worker, together, workers
from bench.phases.stage import Stage, soon_ns
from scenarios.history import Event, read
from scenarios.phases.disturb import Disturb, Disturbed

RECOVERY_SECONDS = 30.0
"""The longest that a store may take to answer again."""


def execute(phase: Disturb, stage: Stage) -> Disturbed:
    """Load the store, put the fault to it, and ask what it still knows."""
    fault = faults.load(phase.fault)
    seats = _seats(phase, stage)
    with workers(1) as [inspector]:
        with workers(len(seats)) as crew:
            for worker in crew:
                stage.open(worker)
            start_ns = soon_ns()
            fault_ns = start_ns + int(phase.seconds * 1e9)
            # Clients stop by themselves where the application is what restarts; otherwise it is
            # the silence of the store that stops them, and the deadline is only a bound.
            graceful = fault.graceful and stage.server is None
            deadline_ns = fault_ns if graceful else fault_ns + int(phase.seconds * 1e9)
            loads = [
                worker.submit(task.keep_history, phase, places, start_ns, deadline_ns)
                for worker, places in zip(crew, seats, strict=True)
            ]
            if graceful:
                together(loads, phase.seconds)
            time.sleep(max(fault_ns - time.monotonic_ns(), 0) / 1e9)
            fault_at_ns = time.monotonic_ns()
            if stage.server is not None:
                fault.on_server(stage.server)
                stage.server.restart()
            else:
                for worker in crew:
                    fault.on_worker(worker)
            back_at_ns = _wait_until_back(inspector, stage)
            with contextlib.suppress(BrokenExecutor):
                together(loads, phase.seconds)
        history = read(place.history for places in seats for place in places)
        recovered = inspector.submit(task.inspect, latest(history)).result(RECOVERY_SECONDS)
    return Disturbed(
        phase=phase,
        history=history,
        fault_at_ns=fault_at_ns,
        back_at_ns=back_at_ns,
        recovered=recovered,
        integrity=stage.server.check() if stage.server is not None else None,
    )


def _seats(phase: Disturb, stage: Stage) -> Sequence[Sequence[Seat]]:
    """Seat the clients: one list an instance."""
    instances = phase.instances if stage.shared else 1
    seats = [
        Seat(number, number % instances, stage.scratch / f"history-{number}.jsonl")
        for number in range(phase.connections)
    ]
    return [[seat for seat in seats if seat.instance == instance] for instance in range(instances)]


def _wait_until_back(inspector: Worker, stage: Stage) -> int:
    """Give the instant of the first answer after the fault."""
    deadline_ns = time.monotonic_ns() + int(RECOVERY_SECONDS * 1e9)
    stage.open(inspector)
    while not inspector.call(task.answers):
        if time.monotonic_ns() > deadline_ns:
            raise Failed(f"{stage.subject.spec} did not answer {RECOVERY_SECONDS:.0f} s after it")
        time.sleep(0.01)
    return time.monotonic_ns()


def latest(history: Sequence[Event]) -> Mapping[str, tuple[int, str]]:
    """Give each family's latest token that its client was sent, or would have been."""
    found: dict[str, tuple[int, str]] = {}
    for event in history:
        acknowledged = event.status == "ok" and event.outcome in {None, "rotated"}
        if acknowledged or event.family not in found:
            found[event.family] = (event.generation, event.digest)
    return found
