"""Filling a store, and going about among the sessions it was filled with.

Runs inside a worker process, whose store `bench.load.worker` has opened. A worker remembers which
indices of the population are its own, and nothing of any session.
"""

import itertools
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import psutil

from backends.store import Loads, Outcome, Session
from bench.load import clocks
from bench.load.closed_loop import Driven, Part, drive, samples_of
from bench.load.population import Population, Walk
from bench.load.schedule import Call
from bench.load.worker import HEADROOM, counted, now_ms, state
from scenarios.phases.fill import Stopped
from scenarios.phases.visit import Visit

LOOK_EVERY = 500
"""Sessions between two looks at the clock, the memory and the disk."""
LOADERS = 2
"""Of a worker: while one waits for the store, the other makes its next batch."""
ISSUERS = 4
"""Clients of a loader that issue at once where a store has no fast way."""
LEAST_FREE = 0.1
"""Of the machine's memory and of the disk."""
FIRST_CALLS = 32
"""Of each client, to see how fast it gets on."""


class Loaded(NamedTuple):
    """What one worker loaded."""

    added: int
    bulk: bool
    stopped: Stopped | None
    begin_ns: int
    end_ns: int
    cpu_ns: int
    rss_bytes: int


class _Source:
    """The sessions of a range, until there is no time or no room for more."""

    def __init__(self, sessions: Iterable[Session], deadline_ns: int, folder: Path) -> None:
        self._sessions = iter(sessions)
        self._deadline_ns = deadline_ns
        self._folder = folder
        self.given = 0
        self.stopped: Stopped | None = None

    def __iter__(self) -> Iterator[Session]:
        while chunk := list(itertools.islice(self._sessions, LOOK_EVERY)):
            self.stopped = self._no_more()
            if self.stopped is not None:
                return
            self.given += len(chunk)
            yield from chunk

    def _no_more(self) -> Stopped | None:
        if time.monotonic_ns() > self._deadline_ns:
            return "time"
        memory = psutil.virtual_memory()
        if memory.available < LEAST_FREE * memory.total:
            return "memory"
        disk = shutil.disk_usage(self._folder)
        return "disk" if disk.free < LEAST_FREE * disk.total else None


_walks: list[Walk] = []
"""One a client; replaced by each load."""
_ready: list[Sequence[Call]] = []


def walks() -> Sequence[Walk]:
    """Give this worker's clients; none where it loaded nothing."""
    return _walks


def load(issued_at_ms: int, indices: range, clients: int, seconds: float) -> Loaded:
    """Load the sessions of these indices, and share them out to the clients of later visits."""
    here = state()
    begin_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
    population = Population(here.target.seed, issued_at_ms)
    parts = _cut(indices, min(LOADERS, clients))
    deadline_ns, folder = begin_ns + int(seconds * 1e9), here.target.place.directory
    sources = [_Source(map(population.session, part), deadline_ns, folder) for part in parts]
    here.threads.map(_put, sources)
    end_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns() - cpu_ns
    loaded = [part[: source.given] for part, source in zip(parts, sources, strict=True)]
    shares = [share for number, part in enumerate(loaded) for share in _deal(part, number, clients)]
    _walks[:] = [Walk(population, share) for share in shares if share]
    return Loaded(
        added=sum(map(len, loaded)),
        bulk=isinstance(here.store, Loads),
        stopped=next((source.stopped for source in sources if source.stopped), None),
        begin_ns=clocks.to_runner(begin_ns),
        end_ns=clocks.to_runner(end_ns),
        cpu_ns=cpu_ns,
        rss_bytes=psutil.Process().memory_info().rss,
    )


def prepare(phase: Visit, most_calls: int) -> None:
    """Warm up on every client, and prepare the calls that `visit` will make."""
    _schedule(phase, FIRST_CALLS)
    begin_ns = time.monotonic_ns()
    driven = _go(0, begin_ns + int(phase.warmup_seconds * 1e9) + 1)
    made = max(len(one.latencies_ns) for one in driven) if driven else 0
    spent_ns = max(time.monotonic_ns() - begin_ns, 1)
    # Too few if the first were slow, as on connections just opened: the rate is that of the end.
    expected = int(made * phase.seconds * 1e9 / spent_ns * HEADROOM * HEADROOM) + FIRST_CALLS
    _schedule(phase, min(expected, most_calls // max(len(_walks), 1)))


def visit(start_ns: int, seconds: float) -> Part | None:
    """Let every client make its calls from `start_ns` on; None where it has no session to visit."""
    if not _walks:
        return None
    start_ns = clocks.to_local(start_ns)
    deadline_ns = start_ns + int(seconds * 1e9)
    with counted(state()) as spent:
        driven = _go(start_ns, deadline_ns)
    samples = samples_of(list(zip(_ready, driven, strict=True)))
    _ready.clear()
    return Part(
        samples=samples,
        begin_ns=clocks.to_runner(min(one.begin_ns for one in driven)),
        end_ns=clocks.to_runner(max(one.end_ns for one in driven)),
        cpu_ns=spent.cpu_ns,
        rss_bytes=spent.rss_bytes,
        cost=spent.cost,
        exhausted=any(one.end_ns < deadline_ns for one in driven),
    )


def _cut(indices: range, count: int) -> Sequence[range]:
    """Cut a range into so many ranges, one behind the other."""
    size = -(-len(indices) // count)
    return [indices[number * size : (number + 1) * size] for number in range(count)]


def _deal(part: range, number: int, clients: int) -> Iterator[range]:
    """Deal what the `number`-th loader loaded to every LOADERS-th of the clients."""
    mine = len(range(number, clients, min(LOADERS, clients)))
    for client in range(mine):
        yield part[client::mine]


def _put(source: "_Source") -> None:
    """Put sessions into the store by its fast way; else by several clients that issue at once."""
    store = state().store
    if isinstance(store, Loads):
        store.load(source)
        return
    sessions = iter(source)
    with ThreadPoolExecutor(ISSUERS) as clients:
        # A chunk at a time, so that no more of the sessions is held.
        while chunk := list(itertools.islice(sessions, LOOK_EVERY)):
            list(clients.map(store.issue, chunk))


def _schedule(phase: Visit, calls: int) -> None:
    """Prepare each client's next calls. A verification changes nothing, so that it may go ahead."""
    store, instant_ms = state().store, now_ms()
    _ready.clear()
    for walk in _walks:
        planned: list[Call] = []
        for turn in range(calls):
            if phase.operation == "verify":
                _, held = walk.ahead(turn % len(walk))
                look = (held.token(), held.device, instant_ms)
                call = Call(store.verify, look, Outcome.VALID, "verify", None, held.family)
            else:
                index, held = walk.ahead(turn)
                successor = walk.propose(index, held, instant_ms)
                rotation = (held.token(), successor, held.device, instant_ms)
                call = Call(store.rotate, rotation, Outcome.ROTATED, "rotate", None, held.family)
            # Nobody asks it for the session afterwards, which the walk knows: the calls are what
            # takes most of a worker's memory.
            planned.append(call)
        _ready.append(planned)


def _go(start_ns: int, deadline_ns: int) -> Sequence[Driven]:
    """Let every client make its calls, and its walk come as far as it came."""

    def client(calls: Sequence[Call]) -> Driven:
        time.sleep(max(start_ns - time.monotonic_ns(), 0) / 1e9)
        return drive(calls, deadline_ns)

    driven = state().threads.map(client, _ready)
    for walk, calls, one in zip(_walks, _ready, driven, strict=True):
        made = len(one.latencies_ns)
        walk.turns += sum(call.operation == "rotate" for call in calls[:made])
    return driven
