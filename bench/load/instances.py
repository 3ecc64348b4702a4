"""What one app instance does among several: act, look, and race.

Runs inside a worker process, whose store `bench.load.worker` has opened. Sessions travel between
the instances as tokens travel between servers behind a balancer: the client carries them.
"""

import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from backends.store import Outcome, Reason, Revokes
from bench.load import clocks
from bench.load.clients import Held
from bench.load.worker import now_ms, state

Act = Literal["issue", "rotate", "revoke"]


class Acted(NamedTuple):
    """What an instance did, and when it was acknowledged."""

    before: Held
    after: Held
    acknowledged_ns: int


class Looked(NamedTuple):
    """What another instance saw, and when it looked."""

    at_ns: int
    seen: bool


class RotationRefused(Exception):
    """A rotation that nothing stands against was refused: there is nothing to be seen."""


def acts() -> Sequence[Act]:
    """Give what this store can be seen to do."""
    return (
        ("issue", "rotate", "revoke") if isinstance(state().store, Revokes) else ("issue", "rotate")
    )


def open_sessions(count: int) -> Sequence[Held]:
    """Open `count` sessions here."""
    here = state()
    opened = []
    for _ in range(count):
        session, held = here.clients.open_session(now_ms())
        here.store.issue(session)
        opened.append(held)
    return opened


def act(kind: Act, held: Held | None) -> Acted:
    """Issue a session here, or rotate or revoke the one given. Raises what the store does."""
    here = state()
    if held is None:
        [after] = open_sessions(1)
    elif kind == "rotate":
        successor = here.clients.successor(now_ms())
        outcome = here.store.rotate(held.token(), successor, held.device, now_ms()).outcome
        if outcome is not Outcome.ROTATED:
            raise RotationRefused(outcome)
        after = held.after(successor)
    else:
        assert isinstance(here.store, Revokes), here.store
        here.store.revoke(held.family, Reason.LOGOUT, now_ms())
        after = held
    return Acted(held or after, after, clocks.to_runner(time.monotonic_ns()))


def look(kind: Act, before: Held, after: Held) -> Looked:
    """Say whether this instance sees what another one did."""
    store = state().store
    at_ns = clocks.to_runner(time.monotonic_ns())
    outcome = store.verify(after.token(), after.device, now_ms()).outcome
    if kind == "revoke":
        return Looked(at_ns, outcome is Outcome.REVOKED)
    seen = outcome is Outcome.VALID
    if kind == "rotate":
        # Half of a rotation is that the token before it is no good any more.
        old = store.verify(before.token(), before.device, now_ms()).outcome
        seen = seen and old is not Outcome.VALID
    return Looked(at_ns, seen)
