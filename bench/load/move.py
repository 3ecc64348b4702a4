"""One call of a store on one session, ready to be made, and what it leaves in a history."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from backends.store import Reason, Revokes, Session, Successor
from bench.load import clocks
from bench.load.attempt import attempt
from bench.load.clients import Held
from bench.load.worker import now_ms, state
from scenarios.history import Event, Kind


class Move(NamedTuple):
    """One call, ready to be made."""

    events: Sequence[Event]
    """As they are before it; one for each family that it touches."""
    call: Callable[[], str | None]


def make(move: Move, instance: int, first_op: int) -> Sequence[Event]:
    """Make the call, whatever it raises; give the events as they are after it."""
    invoke_ns = clocks.to_runner(time.monotonic_ns())
    answer = attempt(move.call)
    return_ns = clocks.to_runner(time.monotonic_ns())
    return [
        replace(
            event,
            op=first_op + number,
            instance=instance,
            invoke_ns=invoke_ns,
            return_ns=return_ns,
            status=answer.status,
            outcome=None if answer.outcome is None else str(answer.outcome),
        )
        for number, event in enumerate(move.events)
    ]


def issue(session: Session, held: Held) -> Move:
    """Open a session."""
    store = state().store
    return Move([unmade("issue", held)], lambda: store.issue(session))


def rotate(held: Held, successor: Successor) -> Move:
    """Show the session's token, for the successor."""
    store = state().store
    token, instant_ms = held.token(), now_ms()
    event = replace(unmade("rotate", held.after(successor)), presented=held.digest.hex())
    return Move([event], lambda: store.rotate(token, successor, held.device, instant_ms).outcome)


def verify(held: Held) -> Move:
    """Ask about the session's token."""
    store = state().store
    shown = replace(unmade("verify", held), presented=held.digest.hex())
    return Move([shown], lambda: store.verify(held.token(), held.device, now_ms()).outcome)


def revoke(held: Held) -> Move:
    """Log the session out."""
    store = state().store
    assert isinstance(store, Revokes), store
    return Move(
        [unmade("revoke", held)], lambda: store.revoke(held.family, Reason.LOGOUT, now_ms())
    )


def unmade(kind: Kind, held: Held) -> Event:
    """Give the event of a call before it is made."""
    return Event(
        op=0,
        instance=0,
        family=held.family.id,
        kind=kind,
        generation=held.generation,
        digest=held.digest.hex(),
        invoke_ns=0,
    )
