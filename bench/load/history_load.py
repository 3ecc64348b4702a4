"""Paced load whose every operation is written to a history before and after it is sent.

Runs inside a worker process, whose store `bench.load.worker` has opened. A client stops at its
first operation that isn't answered: what it would do next depends on what nobody knows. One that
is to live through the fault leaves that session alone, and goes on with its others.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from backends.errors import StoreRefused
from backends.store import (
    Checks,
    Family,
    Lists,
    Outcome,
    Reason,
    RefreshStore,
    Revokes,
    Session,
    Token,
)
from bench.load.attempt import Answer, attempt
from bench.load.clients import Clients, Held, subject_of
from bench.load.worker import now_ms, state
from scenarios.history import Event, HistoryWriter, State, Status
from scenarios.phases.disturb import Disturb

OPS_A_CLIENT = 1 << 32
"""Operation ids are shared out: client n counts from n times this."""


class Seat(NamedTuple):
    """One client's place in the trial."""

    number: int
    """Unique among all workers of the trial."""
    instance: int
    history: Path


class Found(NamedTuple):
    """What a store says afterwards."""

    states: Mapping[str, State | None]
    torn: Sequence[str]
    """Families that it can't read."""
    damage: str | None
    """What its own check found wrong, where the store itself can check."""


class HistoryClient:
    """One client: it owns its sessions and writes its own history file."""

    def __init__(self, seat: Seat, store: RefreshStore, seed: int) -> None:
        self._seat = seat
        self._store = store
        self._clients = Clients(seed, f"h{seat.number}")
        self._writer = HistoryWriter(seat.history)
        self._op = seat.number * OPS_A_CLIENT
        self._held: list[Held] = []
        self._ended: list[Held] = []
        """Sessions whose logout was acknowledged."""
        self._status: Status = "ok"
        """How its last operation ended."""

    def open_sessions(self, count: int) -> None:
        """Open its share of the sessions, as long as it is answered."""
        for _ in range(count):
            if self._status == "ok":
                self._status = self.issue()

    def run(self, phase: Disturb, start_ns: int, deadline_ns: int, *, go_on: bool) -> None:
        """Follow the mix at its pace until the deadline."""
        gap_ns = int(phase.connections * 1e9 / phase.rate)
        due_ns = start_ns + gap_ns * self._seat.number // phase.connections
        rng = self._clients.random
        kinds, weights = list(phase.workload.mix), list(phase.workload.mix.values())
        operations = {"issue": self.issue, "rotate": self.rotate, "revoke": self.revoke}
        while (self._status == "ok" or go_on) and due_ns < deadline_ns:
            time.sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9)
            kind = rng.choices(kinds, weights)[0] if self._held else "issue"
            self._status = operations[kind]()
            # A client that fell behind does not catch up in a burst: the rate is a bound.
            due_ns = max(due_ns + gap_ns, time.monotonic_ns())
        self._writer.close()

    def issue(self) -> Status:
        """Open a session."""
        session, held = self._clients.open_session(now_ms())
        answer = self._do("issue", held, lambda: self._store.issue(session))
        if answer.status == "ok":
            self._held.append(held)
        return answer.status

    def rotate(self) -> Status:
        """Rotate one of its sessions; one that the store refuses is held no longer."""
        held = self._clients.random.choice(self._held)
        token, successor = held.token(), self._clients.successor(now_ms())
        after = held.after(successor)
        answer = self._do(
            "rotate",
            after,
            lambda: self._store.rotate(token, successor, held.device, now_ms()).outcome,
            presented=held.digest.hex(),
        )
        self._held.remove(held)
        if answer.outcome == Outcome.ROTATED:
            self._held.append(after)
        elif answer.status == "fail":
            self._held.append(held)
        return answer.status

    def revoke(self) -> Status:
        """Log one of its sessions out."""
        held = self._held.pop(self._clients.random.randrange(len(self._held)))
        store = self._store
        assert isinstance(store, Revokes), store
        answer = self._do(
            "revoke", held, lambda: store.revoke(held.family, Reason.LOGOUT, now_ms())
        )
        if answer.status == "fail":
            self._held.append(held)
        elif answer.status == "ok":
            self._ended.append(held)
        return answer.status

    def _do(
        self,
        kind: Literal["issue", "rotate", "revoke", "verify"],
        after: Held,
        call: Callable[[], str | None],
        presented: str = "",
    ) -> Answer:
        self._op += 1
        self._writer.invoke(
            Event(
                op=self._op,
                instance=self._seat.instance,
                family=after.family.id,
                kind=kind,
                generation=after.generation,
                digest=after.digest.hex(),
                invoke_ns=time.monotonic_ns(),
                presented=presented,
            )
        )
        answer = attempt(call)
        self._writer.settle(self._op, time.monotonic_ns(), answer.status, answer.outcome)
        return answer


_seated: list[HistoryClient] = []
"""The clients of this worker, between `take_seats` and `keep_history`."""


def take_seats(phase: Disturb, seats: Sequence[Seat]) -> None:
    """Seat this worker's clients, and have each open its share of the sessions."""
    here = state()
    _seated[:] = [HistoryClient(seat, here.store, here.target.seed) for seat in seats]
    share = phase.workload.sessions // phase.connections
    here.threads.map(lambda client: client.open_sessions(share), _seated)


def keep_history(phase: Disturb, start_ns: int, deadline_ns: int, *, go_on: bool) -> None:
    """Run this worker's clients until the deadline, or until nothing answers them.

    With `go_on` they live through errors and unanswered operations.
    """
    state().threads.map(
        lambda client: client.run(phase, start_ns, deadline_ns, go_on=go_on), _seated
    )


def answers() -> bool:
    """Whether the store answers a read again."""
    try:
        here = state()
        token = Token(Family("nobody", "nobody.0"), 0, bytes(32), 0, 0, "")
        here.store.verify(token, "", now_ms())
    # Anything at all that a store raises while it comes back means "not yet".
    except Exception:  # noqa: BLE001
        return False
    return True


def takes_writes() -> bool:
    """Whether the store takes a new session, of a subject that no history knows."""
    here = state()
    session, _ = here.clients.open_session(now_ms())
    try:
        here.store.issue(session)
    # Anything at all that a store raises while it isn't well means "not yet".
    except Exception:  # noqa: BLE001
        return False
    return True


def inspect(tokens: Mapping[str, tuple[int, str]]) -> Found:
    """Ask the store for every family: id -> (generation, hex digest) of its latest token.

    Families that the store lists for the same subjects and the history never named are there too.
    """
    store = state().store
    found: dict[str, State | None] = {}
    torn: dict[str, str] = {}
    for family_id, (generation, digest) in tokens.items():
        family = Family(subject_of(family_id), family_id)
        held = Held(family, generation, bytes.fromhex(digest), now_ms(), "")
        try:
            outcome, session = store.verify(held.token(), "", now_ms())
        except StoreRefused as error:
            found[family_id] = None
            torn[family_id] = str(error)
            continue
        if session is not None:
            found[family_id] = _state_of(session)
        elif outcome is Outcome.UNKNOWN:
            found[family_id] = None
        else:
            # A stateless store knows what the token says, and nothing else.
            found[family_id] = State(generation=generation, digest=digest, revoked=False)
    if isinstance(store, Lists):
        unreadable = {subject_of(family_id) for family_id in torn}
        for subject in {subject_of(family_id) for family_id in tokens} - unreadable:
            for session in store.sessions(subject):
                found.setdefault(session.family.id, _state_of(session))
    damage = store.damage() if isinstance(store, Checks) else None
    said = damage or next(iter(torn.values()), None)
    # A record is made to be shown: no path of the machine.
    said = said and said.replace(f"{state().target.place.directory}/", "")
    return Found(found, list(torn), said)


def _state_of(session: Session) -> State:
    return State(
        generation=session.generation,
        digest=session.digest.hex(),
        revoked=session.revoked_at_ms is not None,
    )
