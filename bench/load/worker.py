"""What runs inside a worker process: one store, its client threads, and their sessions.

Every function here is called through the worker's executor, one at a time, so the module's state
needs no lock. Instants sent to a worker, and back, are of the runner's clock (`bench.load.clocks`).
"""

import contextlib
import gc
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

import backends
from backends.errors import UnknownSubject
from backends.store import Configured, Place, Policy, RefreshStore
from bench import traffic
from bench.load import clocks
from bench.load.client_threads import ClientThreads
from bench.load.clients import Clients
from bench.load.closed_loop import Driven, Part, drive, samples_of
from bench.load.outlay import Outlay, laid_out
from bench.load.schedule import Call, Fleet
from bench.load.token_work import with_tokens
from scenarios.phases.measure import Measure
from scenarios.phases.workload import Workload

FIRST_BURST = 16
"""Calls a client makes in the first burst of the warm-up."""
LARGEST_STEP = 8
"""By how much a burst may grow over the one before."""
PRELOAD_THREADS = 8
HEADROOM = 2.0
"""Calls prepared per call expected: clients don't get on evenly, and a warm store is faster."""


class Target(NamedTuple):
    """Which store a worker opens, and where."""

    spec: str
    place: Place
    policy: Policy
    seed: int
    name: str
    """Of the worker, unique in its trial: it names the sessions it opens."""


@dataclass
class State:
    """What a worker keeps between calls."""

    target: Target
    store: RefreshStore
    strangers: frozenset[traffic.Peer]
    """Whom this process was connected to before: none of them is the store."""
    threads: ClientThreads
    clients: Clients
    """Opens sessions outside any client thread."""
    fleets: list[Fleet] = field(default_factory=list)
    ready: list[tuple[Fleet, Sequence[Call]]] = field(default_factory=list)


_worker: list[State] = []


def now_ms() -> int:
    """Give the caller's clock, as stores take it."""
    return time.time_ns() // 1_000_000


def state() -> State:
    """Give this worker's state; `open_store` comes first."""
    [only] = _worker
    return only


def open_store(target: Target) -> Mapping[str, str]:
    """Open the store, and give the settings that it reads back. Raises what opening raises."""
    try:
        subject = backends.resolve(target.spec)
    except UnknownSubject as error:
        raise RuntimeError(str(error)) from error
    strangers = traffic.peers()
    store = subject.open(target.place, target.policy)
    with contextlib.ExitStack() as undone:
        # Left open, it would keep the disk that it can't be read from.
        undone.callback(store.close)
        settings = store.settings() if isinstance(store, Configured) else {}
        undone.pop_all()
    clients = Clients(target.seed, target.name)
    _worker[:] = [State(target, store, strangers, ClientThreads(), clients)]
    return settings


def close_store() -> None:
    """Close the store in good order, as an application that is shut down does."""
    here = state()
    here.threads.end()
    here.store.close()
    _worker.clear()
    gc.unfreeze()


def forget() -> None:
    """Leave nothing of a trial in this process, whether a store is open or not."""
    clocks.set_ahead(0)
    if _worker:
        close_store()


def preload(sessions: int) -> None:
    """Open `sessions` sessions, by a few clients at once so that a slow disk is not waited for."""
    here = state()
    share_out(here, PRELOAD_THREADS)

    def fill(number: int) -> None:
        for _ in range(number, sessions, PRELOAD_THREADS):
            log_in(here, here.fleets[number])

    here.threads.map(fill, range(PRELOAD_THREADS))


def prepare(phase: Measure, threads: int, most_calls: int) -> None:
    """Warm up with `threads` clients, and prepare the schedules that `measure` will follow.

    At most `most_calls` are prepared, all clients together.
    """
    here = state()
    share_out(here, threads)
    # With fewer sessions than clients, one would have to log in within what is measured.
    idle = [fleet for fleet in here.fleets[:threads] if not fleet.held]
    here.threads.map(lambda fleet: log_in(here, fleet), idle)
    calls, left_ns, a_thread_s = FIRST_BURST, int(phase.warmup_seconds * 1e9), 0.0
    left_calls = most_calls
    while left_ns > 0 and left_calls > 0:
        _schedule(here, phase, threads, calls)
        now_ns = time.monotonic_ns()
        driven = _drive_all(here, now_ns, now_ns + left_ns)
        _settle(here, driven)
        made = sum(len(one.latencies_ns) for one in driven)
        elapsed_ns = max(_span_ns(driven), 1)
        left_ns -= elapsed_ns
        left_calls -= made
        a_thread_s = max(a_thread_s, made / threads * 1e9 / elapsed_ns)
        wanted = int(a_thread_s * left_ns / 1e9) + FIRST_BURST
        calls = min(wanted, calls * LARGEST_STEP, most_calls // threads)
    expected = int(a_thread_s * phase.seconds * HEADROOM) + FIRST_BURST
    _schedule(here, phase, threads, min(expected, most_calls // threads))
    gc.collect()
    # For as long as the store is open: of what lives now, the next collection sees nothing again.
    gc.freeze()


def measure(start_ns: int, seconds: float) -> Part:
    """Start every client at `start_ns` and measure for `seconds`."""
    here = state()
    start_ns = clocks.to_local(start_ns)
    deadline_ns = start_ns + int(seconds * 1e9)
    schedules = [schedule for _, schedule in here.ready]
    with counted(here) as spent:
        driven = _drive_all(here, start_ns, deadline_ns)
    _settle(here, driven)
    part = Part(
        samples=samples_of(list(zip(schedules, driven, strict=True))),
        begin_ns=clocks.to_runner(min(result.begin_ns for result in driven)),
        end_ns=clocks.to_runner(max(result.end_ns for result in driven)),
        cpu_ns=spent.cpu_ns,
        rss_bytes=spent.rss_bytes,
        cost=spent.cost,
        exhausted=any(result.end_ns < deadline_ns for result in driven),
    )
    here.ready = []
    return part


def counted(here: State) -> AbstractContextManager[Outlay]:
    """Count what the clients, and a store inside this process, spend in a block."""
    return laid_out(here.strangers, inside=here.target.place.url is None)


def log_in(here: State, fleet: Fleet) -> None:
    """Open a session, and have a client hold it."""
    session, held = fleet.clients.open_session(now_ms())
    here.store.issue(session)
    fleet.held[held.family] = held


def _schedule(here: State, phase: Measure, threads: int, calls: int) -> None:
    instant_ms = now_ms()
    here.ready = [
        (fleet, own_calls(here, fleet, phase.workload, calls, instant_ms))
        for fleet in here.fleets[:threads]
    ]


def own_calls(
    here: State, fleet: Fleet, workload: Workload, calls: int, instant_ms: int
) -> Sequence[Call]:
    """Prepare the calls of one client, work on tokens around them."""
    grace = here.target.policy.grace_ms > 0
    plain = fleet.schedule(here.store, workload, calls, instant_ms, grace=grace)
    return with_tokens(plain, workload.algorithm, instant_ms)


def _drive_all(here: State, start_ns: int, deadline_ns: int) -> Sequence[Driven]:
    """Let every client follow its schedule, all from one start."""

    def client(schedule: Sequence[Call]) -> Driven:
        time.sleep(max(start_ns - time.monotonic_ns(), 0) / 1e9)
        return drive(schedule, deadline_ns)

    return here.threads.map(client, [schedule for _, schedule in here.ready])


def _settle(here: State, driven: Sequence[Driven]) -> None:
    """Bring every client's sessions up to date with what it did."""
    for (fleet, schedule), one in zip(here.ready, driven, strict=True):
        made = schedule[: len(one.latencies_ns)]
        fleet.settle([call for index, call in enumerate(made) if index not in one.errors])
        fleet.forget([made[index] for index in one.errors])


def _span_ns(driven: Sequence[Driven]) -> int:
    return max(one.end_ns for one in driven) - min(one.begin_ns for one in driven)


def share_out(here: State, threads: int) -> None:
    """Deal all sessions out to the `threads` clients of this phase."""
    for number in range(len(here.fleets), threads):
        here.fleets.append(Fleet(here.target.seed, f"{here.target.name}-t{number}"))
    held = [one for fleet in here.fleets for one in fleet.held.items()]
    for number, fleet in enumerate(here.fleets):
        fleet.held = dict(held[number::threads]) if number < threads else {}
