"""What a worker process does for one step of an open loop: prepare, then keep to the schedule.

Runs inside a worker process, whose store `bench.load.worker` has opened.
"""

import gc
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from bench.load import clocks
from bench.load.arrivals import ALONE, Intended, intended
from bench.load.open_loop import Account, Agenda, Driven, account, drive, made
from bench.load.outlay import Outlay
from bench.load.pacing import real_timing, wake_on_time
from bench.load.schedule import Call, Fleet
from bench.load.storms import Storm, storms
from bench.load.token_work import with_tokens
from bench.load.worker import HEADROOM, counted, log_in, now_ms, own_calls, share_out, state
from scenarios.phases.climb import Climb

SPARE_CALLS = 16
"""Prepared for each client beyond its expected share."""


class Offer(NamedTuple):
    """One worker's share of a step."""

    phase: Climb
    step: int
    """Number of the step in its trial."""
    rate: float
    """Operations a second of this worker."""
    seconds: float
    threads: int
    number: int
    """Of this worker, from 0."""
    processes: int


class Offered(NamedTuple):
    """What came of it, and what it cost."""

    account: Account
    outlay: Outlay


@dataclass(frozen=True, slots=True)
class _Ready:
    """What was prepared."""

    offer: Offer
    due: Intended
    storms: Sequence[Storm]
    given: Sequence[Call | None]
    clients: Sequence[tuple[Fleet, Sequence[Call]]]


_ready: list[_Ready] = []


def prepare(offer: Offer) -> None:
    """Fix every intended start and every client's calls, and log in who will need a session."""
    here = state()
    phase = offer.phase
    share_out(here, offer.threads)
    fleets = here.fleets[: offer.threads]
    for fleet in fleets:
        if not fleet.held:
            log_in(here, fleet)
    due = intended(
        phase.arrivals,
        offer.rate,
        offer.seconds,
        phase.storms,
        (offer.number, offer.processes),
        f"{here.target.seed}/{here.target.name}/{offer.step}",
    )
    instant_ms = now_ms()
    number = max(due.storms, default=ALONE) + 1
    prepared = storms(
        here.store, here.clients, phase.workload, here.target.policy, number, instant_ms
    )
    calls = _calls(len(due.offsets_ns), offer.threads)
    own = [own_calls(here, fleet, phase.workload, calls, instant_ms) for fleet in fleets]
    # Each tab has work on tokens of its own, though all of a storm send the same.
    tabs = [prepared[storm].call for storm in due.storms if storm != ALONE]
    storming = iter(with_tokens(tabs, phase.workload.algorithm, instant_ms))
    given = [None if storm == ALONE else next(storming) for storm in due.storms]
    clients = list(zip(fleets, own, strict=True))
    _ready[:] = [_Ready(offer, due, prepared, given, clients)]
    gc.collect()
    gc.freeze()


def run(start_ns: int, give_up_seconds: float) -> Offered:
    """Start everything that is due from `start_ns` on; give up so long after the last of it."""
    here = state()
    [ready] = _ready
    start_ns = clocks.to_local(start_ns)
    close_ns = start_ns + int(ready.offer.seconds * 1e9)
    agenda = Agenda(
        turns=iter(range(len(ready.due.offsets_ns))),
        due_ns=array("q", [start_ns + offset_ns for offset_ns in ready.due.offsets_ns]),
        given=ready.given,
        close_ns=close_ns,
        give_up_ns=close_ns + int(give_up_seconds * 1e9),
    )
    with counted(here) as spent:
        driven = here.threads.map(
            lambda own: _client(agenda, own, start_ns), [own for _, own in ready.clients]
        )
    _settle(ready, agenda, driven)
    found = account(agenda, driven, ready.storms, ready.due.storms, ready.offer.phase.storms.size)
    _ready.clear()
    end_ns = clocks.to_runner(found.end_ns)
    return Offered(replace(found, end_ns=end_ns), spent)


def _client(agenda: Agenda, own: Sequence[Call], start_ns: int) -> Driven:
    wake_on_time()
    timing = real_timing()
    timing.wait_until_ns(start_ns)
    return drive(agenda, own, timing)


def _settle(ready: _Ready, agenda: Agenda, driven: Sequence[Driven]) -> None:
    """Bring every client's sessions up to date with what it did itself, storms left out."""
    for (fleet, _), one in zip(ready.clients, driven, strict=True):
        for position, call in enumerate(made(agenda, one)):
            if ready.given[one.taken[position]] is None:
                settle = fleet.forget if position in one.errors else fleet.settle
                settle([call])


def _calls(due: int, threads: int) -> int:
    """Give how many calls a client should have ready: it may come to do more than its share."""
    return min(due, int(due / threads * HEADROOM) + SPARE_CALLS)
