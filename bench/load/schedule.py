"""Schedules: the calls of one client thread, fixed from the seed before anything is measured."""

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from backends.store import Family, Outcome, Reason, RefreshStore, Revokes
from bench.load.clients import Clients, Held
from scenarios.phases.workload import Operation, Workload

ZIPF_EXPONENT = 0.99
"""YCSB's constant."""

ANOTHER_DEVICE = "another device"


class Call(NamedTuple):
    """One prepared operation."""

    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    expected: Outcome | None
    """The outcome that counts as a success."""
    operation: Operation
    after: Held | None
    """The session as it is held after a success; None once it is over."""
    family: Family


class Fleet:
    """The sessions of one client thread, kept from phase to phase of a trial."""

    def __init__(self, seed: int, name: str) -> None:
        self.clients = Clients(seed, name)
        self.held: dict[Family, Held] = {}

    def schedule(
        self,
        store: RefreshStore,
        workload: Workload,
        calls: int,
        now_ms: int,
        *,
        grace: bool = False,
    ) -> Sequence[Call]:
        """Prepare `calls` operations, each on the state that the ones before it leave.

        `grace` says whether the store forgives the immediate predecessor: a client whose reply was
        lost shows it at once again.
        """
        rng = self.clients.random
        operations = rng.choices(list(workload.mix), weights=list(workload.mix.values()), k=calls)
        # Ahead of the calls themselves: the sessions as they will be when each call is made.
        ahead = list(self.held.values())
        pick = _picker(rng, workload.keys)
        planned: list[Call] = []
        for operation in operations:
            if operation == "issue" or not ahead:
                session, held = self.clients.open_session(now_ms, bound=workload.devices)
                planned.append(Call(store.issue, (session,), None, "issue", held, held.family))
                ahead.append(held)
                continue
            index = pick(len(ahead))
            held = ahead[index]
            family = held.family
            if operation == "revoke":
                assert isinstance(store, Revokes), store
                end = (family, Reason.LOGOUT, now_ms)
                planned.append(Call(store.revoke, end, None, operation, None, family))
                _remove(ahead, index)
                continue
            wrong = _happens(rng, workload.wrong_devices)
            device = ANOTHER_DEVICE if wrong else held.device
            if operation == "verify":
                look = (held.token(), device, now_ms)
                expected = Outcome.DEVICE_MISMATCH if wrong else Outcome.VALID
                planned.append(Call(store.verify, look, expected, operation, held, family))
                continue
            successor = self.clients.successor(now_ms)
            turn = (held.token(), successor, device, now_ms)
            if wrong:
                refused = Outcome.DEVICE_MISMATCH
                planned.append(Call(store.rotate, turn, refused, operation, held, family))
                continue
            ahead[index] = after = held.after(successor)
            planned.append(Call(store.rotate, turn, Outcome.ROTATED, operation, after, family))
            if _happens(rng, workload.lost_replies):
                planned.append(_again(planned[-1], grace=grace))
                if not grace:
                    _remove(ahead, index)
        # A reply lost at the very end would make it one more.
        return planned[:calls]

    def settle(self, done: Sequence[Call]) -> None:
        """Bring the sessions up to date with the calls that were made and succeeded."""
        for call in done:
            if call.after is None:
                self.held.pop(call.family, None)
            else:
                self.held[call.family] = call.after

    def forget(self, failed: Sequence[Call]) -> None:
        """Drop sessions whose state nobody knows since an operation on them failed."""
        for call in failed:
            self.held.pop(call.family, None)


def _happens(rng: random.Random, share: float) -> bool:
    # Without a draw where the answer is known: other options leave a seed's schedule as it was.
    return share > 0 and rng.random() < share


def _remove(ahead: list[Held], index: int) -> None:
    ahead[index] = ahead[-1]
    ahead.pop()


def _again(rotated: Call, *, grace: bool) -> Call:
    """Show the same token again: forgiven with grace, and without it theft, as far as can be told.

    With grace the successor is the same as the first time.
    """
    if grace:
        return rotated._replace(expected=Outcome.GRACE)
    return rotated._replace(expected=Outcome.REUSED, after=None)


def _picker(rng: random.Random, keys: str) -> Callable[[int], int]:
    if keys == "uniform":
        return rng.randrange
    if keys == "latest":
        # The newest is likeliest, as when the users of the moment refresh.
        return lambda n: n - 1 - min(int(rng.expovariate(10 / n)), n - 1)
    # Inverse of the continuous Zipf distribution function on [1, n + 1).
    power = 1 - ZIPF_EXPONENT
    return lambda n: min(int((rng.random() * ((n + 1) ** power - 1) + 1) ** (1 / power)) - 1, n - 1)
