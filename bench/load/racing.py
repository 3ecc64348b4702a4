"""What one app instance does in a race: the same as the others, at the same instant, many times.

Runs inside a worker process, whose store `bench.load.worker` has opened. An instance is the
process, or one of its threads where the store lives in a process. Such threads are stopped at
random lines of the store: they change every 5 ms otherwise, and what they race for takes 10 µs.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from backends.store import Family, Reason, Revokes, Session, Successor
from bench.load import clocks
from bench.load.clients import IDLE_MS, Held
from bench.load.history_load import OPS_A_CLIENT
from bench.load.jolt import Jolt, jolt, jolted
from bench.load.move import Move, issue, make, revoke, rotate, unmade, verify
from bench.load.worker import now_ms, state
from scenarios.history import Event
from scenarios.phases.race import Contest


class Heat(NamedTuple):
    """Races of one kind, one after another."""

    contest: Contest
    instances: int
    entries: Sequence[Held]
    """One a race: the session, or for logout-all whose sessions."""
    start_ns: int
    gap_ns: int
    """Between the starts of two races."""
    spin_ns: int
    """The last of the wait for each start is spent spinning, so that a short call is met too."""


def rotation_ns(seats: int) -> int:
    """Time the slowest of a few rotations, as a race has them: jolted, with several seats here."""
    here = state()
    disturbed = contextlib.nullcontext if seats == 1 else partial(jolted, _jolt(0))
    slowest = 0
    for _ in range(4):
        session, held = here.clients.open_session(now_ms())
        here.store.issue(session)
        successor = here.clients.successor(now_ms())
        begin_ns = time.monotonic_ns()
        with disturbed():
            here.store.rotate(held.token(), successor, held.device, now_ms())
        slowest = max(slowest, time.monotonic_ns() - begin_ns)
    return slowest


def enter(rounds: int, contest: Contest, first_op: int) -> tuple[Sequence[Held], Sequence[Event]]:
    """Open a session for each race, a subject each; for logout-all only name the subjects."""
    here = state()
    entries: list[Held] = []
    events: list[Event] = []
    for number in range(rounds):
        session, held = here.clients.open_session(now_ms())
        family = Family(held.family.id, f"{held.family.id}.0")
        held = held._replace(family=family)
        entries.append(held)
        if contest != "logout-all":
            move = issue(replace(session, family=family), held)
            events += make(move, 0, first_op + number)
    return entries, events


def race(heat: Heat, seats: Sequence[int]) -> Sequence[Event]:
    """Take the seats of this process in every race of a heat."""
    if len(seats) == 1:
        return _sit(heat, seats[0], contextlib.nullcontext)
    of_each = state().threads.map(
        lambda seat: _sit(heat, seat, partial(jolted, _jolt(seat))), seats
    )
    return [event for events in of_each for event in events]


def look(tokens: Sequence[Held], first_op: int) -> Sequence[Event]:
    """Ask about each token, when all is over."""
    events: list[Event] = []
    for number, held in enumerate(tokens):
        events += make(verify(held), 0, first_op + number)
    return events


def _jolt(seat: int) -> Jolt:
    return jolt(state().store, seat)


def _sit(
    heat: Heat, seat: int, disturbed: Callable[[], AbstractContextManager[None]]
) -> Sequence[Event]:
    events: list[Event] = []
    for number, entry in enumerate(heat.entries):
        move = _move(heat, seat, entry)
        due_ns = clocks.to_local(heat.start_ns) + number * heat.gap_ns
        time.sleep(max(due_ns - heat.spin_ns - time.monotonic_ns(), 0) / 1e9)
        while time.monotonic_ns() < due_ns:
            pass
        with disturbed():
            events += make(move, seat, seat * OPS_A_CLIENT + number * heat.instances)
    return events


def _move(heat: Heat, seat: int, entry: Held) -> Move:
    """Give what an instance does in one race: the first ends what the others go on with."""
    if heat.contest == "rotate" or (heat.contest == "revoke" and seat):
        return _rotate(entry)
    if heat.contest == "logout-all" and seat:
        return _log_in(entry, seat)
    if heat.contest == "revoke":
        return revoke(entry)
    store = state().store
    assert isinstance(store, Revokes), store
    others = [
        unmade("revoke_subject", entry._replace(family=_of_seat(entry, other)))
        for other in range(1, heat.instances)
    ]
    subject = entry.family.subject
    return Move(others, lambda: store.revoke_subject(subject, Reason.SUBJECT, now_ms()))


def _rotate(entry: Held) -> Move:
    return rotate(entry, Successor(state().clients.random.randbytes(32), now_ms() + IDLE_MS))


def _log_in(entry: Held, seat: int) -> Move:
    """Log the subject in by a session that began before all of them are ended."""
    here = state()
    held = entry._replace(family=_of_seat(entry, seat), digest=here.clients.random.randbytes(32))
    token = held.token()
    session = Session(
        family=held.family,
        client="bench",
        device=held.device,
        issued_at_ms=held.issued_at_ms,
        idle_expires_at_ms=token.expires_at_ms,
        absolute_expires_at_ms=token.absolute_expires_at_ms,
        digest=held.digest,
    )
    return issue(session, held)


def _of_seat(entry: Held, seat: int) -> Family:
    return Family(entry.family.subject, f"{entry.family.subject}.{seat}")
