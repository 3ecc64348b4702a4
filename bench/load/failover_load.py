"""The load of a failover: clients that live through it, and one that shows shared tokens.

Runs inside a worker process on one side. Unlike the load of a crash it goes on after an operation
that wasn't answered, with other sessions: what became of that one nobody knows.
"""

import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.load.clients import Held
from bench.load.history_load import HistoryClient, Seat
from bench.load.worker import now_ms, state
from scenarios.history import Status
from scenarios.phases.workload import Workload

SHOW_GAP_SECONDS = 0.02
"""Between two shared tokens, so that they are spread over the fault."""


class Paced(Protocol):
    """What a load is offered by, and at which pace."""

    @property
    def workload(self) -> Workload:
        """Give the mix, and the sessions opened before."""

    @property
    def connections(self) -> int:
        """Give the number of clients."""

    @property
    def rate(self) -> float:
        """Give the operations offered a second, by all of them."""


class Times(NamedTuple):
    """When a load begins, and how it learns of what happens meanwhile: by files, once there."""

    start_ns: int
    struck: Path
    """The fault has struck: shared tokens aren't shown before."""
    stop: Path
    """The load is to end."""

    def over(self) -> bool:
        """Whether it is to end."""
        return self.stop.exists()


class SteadfastClient(HistoryClient):
    """One client, which only `Times.stop` stops."""

    def live(self, phase: Paced, number: int, times: Times) -> None:
        """Open its share of the sessions, then follow the mix at its pace, `number`-th of all."""
        gap_ns = int(phase.connections * 1e9 / phase.rate)
        due_ns = times.start_ns + gap_ns * number // phase.connections
        rng = self._clients.random
        kinds, weights = list(phase.workload.mix), list(phase.workload.mix.values())
        operations = {"issue": self.issue, "rotate": self.rotate, "revoke": self.revoke}
        for _ in range(phase.workload.sessions // phase.connections):
            self.issue()
        while not times.over():
            time.sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9)
            kind = rng.choices(kinds, weights)[0] if self._held else "issue"
            operations[kind]()
            # A client that fell behind does not catch up in a burst: the rate is a bound.
            due_ns = max(due_ns + gap_ns, time.monotonic_ns())
        self._writer.close()

    def revoke(self) -> Status:
        """Log a session out, and show the token of one that was logged out before."""
        if self._ended:
            ended = self._clients.random.choice(self._ended)
            self._do(
                "verify",
                ended,
                lambda: self._store.verify(ended.token(), ended.device, now_ms()).outcome,
                presented=ended.digest.hex(),
            )
        return super().revoke()

    def show(self, shared: Sequence[Held], times: Times) -> None:
        """Rotate every shared session once, after the fault.

        What was refused, or not even sent, is tried again: its user would.
        """
        while not (times.struck.exists() or times.over()):
            time.sleep(SHOW_GAP_SECONDS)
        waiting = deque(shared)
        while waiting and not times.over():
            time.sleep(SHOW_GAP_SECONDS)
            self._held = [waiting.popleft()]
            held = self._held[0]
            if self.rotate() == "fail":
                waiting.append(held)
        self._writer.close()

    def open(self, sessions: int) -> Sequence[Held]:
        """Open the sessions that both sides will show."""
        for _ in range(sessions):
            self.issue()
        self._writer.close()
        return self._held


def open_shared(seat: Seat, sessions: int) -> Sequence[Held]:
    """Open sessions that clients of several workers will rotate."""
    here = state()
    return SteadfastClient(seat, here.store, here.target.seed).open(sessions)


def live(phase: Paced, seats: Sequence[Seat], shared: Sequence[Held], times: Times) -> None:
    """Run this side's clients until it is over; the last seat is whose who shows shared tokens."""
    here = state()
    *clients, shower = [SteadfastClient(seat, here.store, here.target.seed) for seat in seats]
    parts = [partial(client.live, phase, number, times) for number, client in enumerate(clients)]
    here.threads.map(lambda part: part(), [*parts, partial(shower.show, shared, times)])
