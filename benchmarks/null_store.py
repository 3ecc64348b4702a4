"""A store that does nothing, so that all that is left is what asking costs."""

import time
from array import array
from collections.abc import Sequence

from backends.store import (
    Capabilities,
    Outcome,
    Rotation,
    Session,
    Successor,
    Token,
    Verification,
)
from bench.load.open_loop import Agenda
from bench.load.schedule import Call, Fleet
from scenarios.phases.workload import Workload

ROTATED = Rotation(Outcome.ROTATED)
VALID = Verification(Outcome.VALID)


class NullStore:
    """Says yes to everything and keeps nothing."""

    capabilities = Capabilities()

    def issue(self, session: Session) -> None:
        """Keep nothing."""

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Say yes."""
        del token, device, now_ms
        return VALID

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Say yes."""
        del token, successor, device, now_ms
        return ROTATED

    def close(self) -> None:
        """Nothing was opened."""


def schedule(calls: int) -> Sequence[Call]:
    """Prepare `calls` rotations of a thousand sessions on the null store."""
    store, fleet = NullStore(), Fleet(1, "null")
    for _ in range(1_000):
        _, held = fleet.clients.open_session(0)
        fleet.held[held.family] = held
    return fleet.schedule(store, Workload(mix={"rotate": 1}), calls, 0)


def agenda(offsets_ns: Sequence[int], start_ns: int) -> Agenda:
    """Have so many operations due, nobody in a hurry to end."""
    number, never_ns = len(offsets_ns), 1 << 62
    due_ns = array("q", [start_ns + offset_ns for offset_ns in offsets_ns])
    return Agenda(iter(range(number)), due_ns, [None] * number, never_ns, never_ns)


def bare_loop(prepared: Sequence[Call]) -> int:
    """Time the same rotations with nothing but two clock readings and an append; total ns."""
    clock = time.monotonic_ns
    rotate = NullStore().rotate
    arguments = [call.arguments for call in prepared]
    latencies_ns = array("q")
    record = latencies_ns.append
    begin_ns = clock()
    for one in arguments:
        start_ns = clock()
        rotate(*one)
        record(clock() - start_ns)
    return clock() - begin_ns
