"""Who was the limit: the store, or the load that was put to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from bench.record import Run, Trial
from scenarios.histogram import merged, percentile_ns
from scenarios.offered_load import StepFindings
from scenarios.phases.climb import KEPT_UP

CLIENT_BUSY = 0.80
"""Of one core, for each worker process: above it a client reports its own queue. Python runs one
thread of a process at a time, so one core is all that a process can use."""
MACHINE_BUSY = 0.90
"""Of all cores, clients and server together."""
PACING_NS = 100_000
"""p99 of the generator's own lag that is always good enough."""
PACING_SHARE = 0.1
"""... and beyond it, of the p99 response: a tenth of a figure may be the generator's."""
CLIENTS_BUSY = 0.80
"""Share of the time that clients spent in calls, beyond which what is due waits for the store."""


class Spent(Protocol):
    """What a loop took, in one trial."""

    @property
    def elapsed_ns(self) -> int:
        """From the first client's start to the last one's end."""

    @property
    def processes(self) -> int:
        """Worker processes that the clients were shared out among."""

    @property
    def client_cpu_ns(self) -> int:
        """Of all of them."""

    @property
    def server_cpu_ns(self) -> int | None:
        """None where there is no server, or it isn't ours to look at."""


def cores(environment: Mapping[str, Any]) -> float | None:
    """Find how many cores the run could use; None where the record doesn't say."""
    cpu = environment.get("cpu")
    places = [cpu if isinstance(cpu, Mapping) else {}, environment]
    for place in places:
        for name in ("usable", "cores", "logical", "cpu_count"):
            found = place.get(name)
            if isinstance(found, int | float) and found > 0:
                return found
    return None


def shared_cores(run: Run, trials: Iterable[Trial]) -> float | None:
    """Find how many cores clients and server shared.

    None where a worker was on another machine: what it spent is no share of this one's cores, and
    how many it had isn't recorded. Each worker process is still held against the core it can use.
    """
    apart = any(not worker.same_clock for trial in trials for worker in trial.workers)
    return None if apart else cores(run.environment)


def client_share(cells: Sequence[Spent]) -> float:
    """Give the CPU a worker process used, as a share of one core, over all trials."""
    return sum(c.client_cpu_ns for c in cells) / sum(c.elapsed_ns * c.processes for c in cells)


def machine_share(cells: Sequence[Spent], machine_cores: float | None) -> float | None:
    """Give the CPU of clients and server together, as a share of the machine's cores."""
    if machine_cores is None:
        return None
    used = sum(c.client_cpu_ns + (c.server_cpu_ns or 0) for c in cells)
    return used / sum(c.elapsed_ns * machine_cores for c in cells)


def limited_because(cells: Sequence[Spent], machine_cores: float | None) -> str | None:
    """Say why the load generator was the limit, or None where it wasn't."""
    client = client_share(cells)
    machine = machine_share(cells, machine_cores)
    if client > CLIENT_BUSY:
        inside = all(cell.server_cpu_ns is None for cell in cells)
        store = ", in which the store itself runs," if inside else ""
        return f"each client process{store} used {client:.0%} of the one core it can use"
    if machine is not None and machine > MACHINE_BUSY:
        return f"clients and server together used {machine:.0%} of the machine's cores"
    return None


def pace_limited_because(steps: Sequence[StepFindings], machine_cores: float | None) -> str | None:
    """Say why what an open loop offered isn't what it says, or None where it is."""
    if limited := limited_because(steps, machine_cores):
        return limited
    pacing_ns = percentile_ns(merged(step.pacing_ns for step in steps), "99")
    response_ns = percentile_ns(merged(h for s in steps for h in s.response_ns.values()), "99")
    if pacing_ns and pacing_ns > max(PACING_NS, PACING_SHARE * (response_ns or 0)):
        return (
            f"one in a hundred operations started {pacing_ns / 1e6:.2g} ms late"
            " though a client was free"
        )
    if started_share(steps) < KEPT_UP and busy_share(steps) < CLIENTS_BUSY:
        return (
            f"{started_share(steps):.0%} of what was due was started in time, while clients were"
            f" in calls for {busy_share(steps):.0%} of it"
        )
    return None


def saturated_because(steps: Sequence[StepFindings]) -> str | None:
    """Say how the store fell behind what was offered, or None where it didn't."""
    left_over = sum(step.dropped + step.in_flight for step in steps)
    if started_share(steps) >= KEPT_UP and not left_over:
        return None
    return (
        f"{started_share(steps):.0%} of what was due was started in time and {left_over:,} were"
        f" left over: clients were in calls for {busy_share(steps):.0%} of the time"
    )


def started_share(steps: Sequence[StepFindings]) -> float:
    """Give the share of what was due that started before the time was up."""
    return sum(s.started for s in steps) / max(sum(s.offered for s in steps), 1)


def busy_share(steps: Sequence[StepFindings]) -> float:
    """Give the share of their time that clients spent in calls."""
    return sum(s.busy_ns for s in steps) / sum(s.elapsed_ns * s.connections for s in steps)
