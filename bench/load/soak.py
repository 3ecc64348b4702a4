"""Rotations at a fixed rate, each due at an instant of its own.

Runs inside a worker process whose store `bench.load.fill` has filled: its walks are the clients. A
rotation is due whether the one before was answered or not, and its response is counted from there.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backends.store import Outcome, RefreshStore
from bench.load import clocks
from bench.load.fill import walks
from bench.load.outlay import Outlay
from bench.load.pacing import Timing, real_timing, wake_on_time
from bench.load.population import Walk
from bench.load.worker import counted, now_ms, state
from scenarios.histogram import histogram, merged
from scenarios.phases.soak import Interval, Soak

LATE_NS = 5_000_000
"""The generator may wake up so late; above, the rotation counts as late."""
LAST_WORD_NS = 5_000_000_000
"""After the end, what is left of a queue is worked off for so long."""


class Turns(NamedTuple):
    """Which of all rotations are one client's: `first`, then every `step`-th, below `end`."""

    first: int
    step: int
    end: int


class Paced(NamedTuple):
    """What one client did, in the order of its turns."""

    service_ns: "array[int]"
    response_ns: "array[int]"
    lag_ns: "array[int]"
    """From when it was due and its client free, to when it was sent."""
    errors: dict[int, str]


class Soaking(NamedTuple):
    """What one worker contributes."""

    intervals: Sequence[Interval]
    outlay: Outlay


def warm_up() -> int:
    """Let every client rotate once, on its own thread and connection; give how many there are."""
    store, instant_ms = state().store, now_ms()

    def client(walk: Walk) -> None:
        index, held = walk.ahead(0)
        walk.turns += 1
        store.rotate(held.token(), walk.propose(index, held, instant_ms), held.device, instant_ms)

    state().threads.map(client, walks())
    return len(walks())


def soak(phase: Soak, start_ns: int, first: int, step: int) -> Soaking:
    """Let this worker's clients take their turns: the `first`-th of `step` clients, and so on."""
    here = state()
    end = int(phase.rate * phase.seconds)
    seats = [(walk, Turns(first + n, step, end)) for n, walk in enumerate(walks())]
    start_ns = clocks.to_local(start_ns)

    def client(seat: tuple[Walk, Turns]) -> Paced:
        wake_on_time()
        return pace(here.store, *seat, phase, start_ns, real_timing())

    with counted(here) as spent:
        done = here.threads.map(client, seats)
    parts = [
        by_interval(phase, turns, paced) for (_, turns), paced in zip(seats, done, strict=True)
    ]
    return Soaking(add_up(parts), spent)


def pace(
    store: RefreshStore, walk: Walk, turns: Turns, phase: Soak, start_ns: int, timing: Timing
) -> Paced:
    """Rotate one session after another, each when it is due or as soon as the client is free."""
    clock = timing.now_ns
    paced = Paced(array("q"), array("q"), array("q"), {})
    gap_ns = 1e9 / phase.rate
    give_up_ns = start_ns + int(phase.seconds * 1e9) + LAST_WORD_NS
    free_ns = clock()
    for number in range(turns.first, turns.end, turns.step):
        index, held = walk.ahead(0)
        token, instant_ms = held.token(), now_ms()
        successor = walk.propose(index, held, instant_ms)
        due_ns = start_ns + int(number * gap_ns)
        timing.wait_until_ns(due_ns)
        sent_ns = clock()
        if sent_ns > give_up_ns:
            break
        walk.turns += 1
        wrong = None
        try:
            outcome = store.rotate(token, successor, held.device, instant_ms).outcome
            wrong = None if outcome is Outcome.ROTATED else str(outcome)
        # A store of anyone may raise anything: it is counted by name, and the load goes on.
        except Exception as error:  # noqa: BLE001
            wrong = type(error).__name__
        end_ns = clock()
        if wrong is not None:
            paced.errors[len(paced.lag_ns)] = wrong
        paced.lag_ns.append(sent_ns - max(due_ns, free_ns))
        paced.service_ns.append(end_ns - sent_ns)
        paced.response_ns.append(end_ns - due_ns)
        free_ns = end_ns
    return paced


def by_interval(phase: Soak, turns: Turns, paced: Paced) -> Sequence[Interval]:
    """Sort a client's rotations by the interval in which they were due."""
    per_interval = phase.rate * phase.interval_seconds
    numbers = np.arange(turns.first, turns.end, turns.step)
    due_in = np.minimum((numbers / per_interval).astype(np.int64), phase.intervals - 1)
    sent = len(paced.lag_ns)
    good = np.ones(sent, dtype=bool)
    good[list(paced.errors)] = False
    service, response, lag = (
        np.frombuffer(values, dtype=np.int64)
        for values in (paced.service_ns, paced.response_ns, paced.lag_ns)
    )
    found = []
    for number in range(phase.intervals):
        inside = due_in == number
        made = inside[:sent]
        kinds = (paced.errors[at] for at in np.flatnonzero(made & ~good).tolist())
        found.append(
            Interval(
                offered=int(inside.sum()),
                errors=dict(Counter(kinds)),
                unsent=int(inside[sent:].sum()),
                late=int((lag[made] > LATE_NS).sum()),
                service_ns=histogram(service[made & good]),
                response_ns=histogram(response[made & good]),
            )
        )
    return found


def add_up(parts: Sequence[Sequence[Interval]]) -> Sequence[Interval]:
    """Merge what several clients, or workers, saw of the same intervals."""
    found = []
    for same in zip(*parts, strict=True):
        errors: Counter[str] = Counter()
        for one in same:
            errors.update(one.errors)
        found.append(
            Interval(
                offered=sum(one.offered for one in same),
                errors=dict(errors),
                unsent=sum(one.unsent for one in same),
                late=sum(one.late for one in same),
                service_ns=merged(one.service_ns for one in same),
                response_ns=merged(one.response_ns for one in same),
            )
        )
    return found
