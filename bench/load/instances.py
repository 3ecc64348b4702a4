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


class Attempt(NamedTuple):
    """One instance's call in a race."""

    invoke_ns: int
    return_ns: int
    outcome: str


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


def rotation_ns() -> int:
    """Time the slowest of a few rotations, to space races out by."""
    here = state()
    slowest = 0
    for held in open_sessions(4):
        successor = here.clients.successor(now_ms())
        begin_ns = time.monotonic_ns()
        here.store.rotate(held.token(), successor, held.device, now_ms())
        slowest = max(slowest, time.monotonic_ns() - begin_ns)
    return slowest


def race(entries: Sequence[Held], start_ns: int, gap_ns: int, spin_ns: int) -> Sequence[Attempt]:
    """Rotate each token once, the k-th at `start_ns + k * gap_ns`, as every other instance does.

    The last `spin_ns` before each start are spent spinning, so that a short call is met too.
    """
    here = state()
    attempts = []
    start_ns = clocks.to_local(start_ns)
    for number, held in enumerate(entries):
        successor = here.clients.successor(now_ms())
        token, instant_ms = held.token(), now_ms()
        due_ns = start_ns + number * gap_ns
        time.sleep(max(due_ns - spin_ns - time.monotonic_ns(), 0) / 1e9)
        while (invoke_ns := time.monotonic_ns()) < due_ns:
            pass
        try:
            outcome = str(here.store.rotate(token, successor, held.device, instant_ms).outcome)
        # A store of anyone may raise anything: the name goes into the record.
        except Exception as error:  # noqa: BLE001
            outcome = type(error).__name__
        return_ns = time.monotonic_ns()
        attempts.append(Attempt(clocks.to_runner(invoke_ns), clocks.to_runner(return_ns), outcome))
    return attempts
