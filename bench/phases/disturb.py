"""Executes a `Disturb`: load with a history, a fault in its middle, and a look afterwards."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from random import Random

from bench import faults
from bench.faults.fault import Fault, Site
from bench.load import history_load as task
from bench.load.history_load import Found, Seat
from bench.load.workers import together, workers
from bench.phases import recovery
from bench.phases.stage import Stage, soon_ns
from scenarios.history import Event, read
from scenarios.phases.disturb import Disturb, Disturbed


def execute(phase: Disturb, stage: Stage) -> Disturbed:
    """Load the store, put the fault to it, and ask what it still knows."""
    fault = faults.load(phase.fault)
    seats = _seats(phase, stage)
    with workers(1) as [inspector], workers(len(seats)) as crew:
        for worker in crew:
            stage.open(worker)
        site = Site(
            server=stage.server,
            crew=crew,
            volume=stage.volume,
            proxy=stage.proxy,
            rng=Random(stage.seed),  # noqa: S311 - must repeat from its seed
        )
        if site.volume is not None:
            site.volume.settle()
        # Before the clock runs: on a busy machine the fault would be there before any client.
        together(
            [
                worker.submit(task.take_seats, phase, places)
                for worker, places in zip(crew, seats, strict=True)
            ]
        )
        start_ns = soon_ns()
        fault_ns = start_ns + int(phase.seconds * site.rng.uniform(0.5, 1.0) * 1e9)
        loads = _start_load(phase, fault, site, start_ns, fault_ns)
        time.sleep(max(fault_ns - time.monotonic_ns(), 0) / 1e9)
        struck_ns = time.monotonic_ns()
        with fault.inflict(site):
            if not fault.downs:
                time.sleep(phase.outage_seconds)
        healed_ns = time.monotonic_ns()
        if fault.downs:
            back = recovery.start_again(site, stage, inspector)
            with contextlib.suppress(BrokenExecutor):
                together(loads, phase.seconds)
        else:
            together(loads, 2 * phase.seconds + phase.outage_seconds)
            back = recovery.see_it_back(site, stage, inspector, _history(seats), healed_ns)
            if fault.hides and stage.subject.profile.capabilities.survives_restart:
                back = recovery.read_anew(back, site, stage, inspector)
        history = _history(seats)
        tokens = latest(history)
        found = Found(dict.fromkeys(tokens), [], back.refused)
        if back.looker is not None:
            found = back.looker.submit(task.inspect, tokens).result(recovery.LONGEST_SECONDS)
        checked = None
        if stage.server is not None and back.looker is not None:
            checked = stage.server.check()
    return Disturbed(
        phase=phase,
        history=history,
        fault_at_ns=struck_ns,
        back_at_ns=back.at_ns,
        came_back=back.how,
        recovered=found.states,
        torn=found.torn,
        integrity=checked or found.damage,
    )


def _start_load(
    phase: Disturb,
    fault: Fault,
    site: Site,
    start_ns: int,
    fault_ns: int,
) -> Sequence[Future[None]]:
    """Start every client. Where the application is what restarts, they have finished by then.

    Otherwise it is the silence of the store that stops them, and the deadline is only a bound.
    A fault that ends by itself they live through, and go on for a while.
    """
    graceful = fault.graceful and site.server is None
    after_seconds = phase.seconds if fault.downs else phase.outage_seconds + phase.seconds / 2
    deadline_ns = fault_ns if graceful else fault_ns + int(after_seconds * 1e9)
    loads = [
        worker.submit(task.keep_history, phase, start_ns, deadline_ns, go_on=not fault.downs)
        for worker in site.crew
    ]
    if graceful:
        together(loads, phase.seconds)
    return loads


def _seats(phase: Disturb, stage: Stage) -> Sequence[Sequence[Seat]]:
    """Seat the clients: one list an instance."""
    instances = phase.instances if stage.shared else 1
    seats = [
        Seat(number, number % instances, stage.scratch / f"history-{number}.jsonl")
        for number in range(phase.connections)
    ]
    return [[seat for seat in seats if seat.instance == instance] for instance in range(instances)]


def _history(seats: Sequence[Sequence[Seat]]) -> Sequence[Event]:
    return read(place.history for places in seats for place in places)


def latest(history: Sequence[Event]) -> Mapping[str, tuple[int, str]]:
    """Give each family's latest token that its client was sent, or would have been."""
    found: dict[str, tuple[int, str]] = {}
    for event in history:
        acknowledged = event.status == "ok" and event.outcome in {None, "rotated"}
        if acknowledged or event.family not in found:
            found[event.family] = (event.generation, event.digest)
    return found
