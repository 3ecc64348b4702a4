"""A clock of our own, a store that takes as long on it as it is told to, and one client."""

from array import array
from collections.abc import Iterator, Sequence

from backends.memory import MemoryStore
from backends.store import Outcome, Policy, Rotation, Successor, Token
from bench.load.open_loop import Account, Agenda, account, drive
from bench.load.pacing import Timing
from bench.load.schedule import Call, Fleet
from scenarios.phases.workload import Workload

ROTATED = Rotation(Outcome.ROTATED)


class Clock:
    """Time that passes when somebody waits or works, and not otherwise."""

    def __init__(self) -> None:
        self.at_ns = 0

    @property
    def timing(self) -> Timing:
        return Timing(lambda: self.at_ns, self.wait_until)

    def wait_until(self, instant_ns: int) -> None:
        self.at_ns = max(self.at_ns, instant_ns)


class TimedStore(MemoryStore):
    """Rotates whatever it is shown, in the service times given; a time below 0 is a failure."""

    def __init__(self, clock: Clock, service_ns: Iterator[int]) -> None:
        super().__init__(Policy())
        self._clock = clock
        self._service_ns = service_ns

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        taken_ns = next(self._service_ns)
        self._clock.at_ns += abs(taken_ns)
        if taken_ns < 0:
            raise ConnectionError
        return ROTATED


def rotations(store: MemoryStore, calls: int) -> Sequence[Call]:
    """Prepare rotations of twenty sessions; a `TimedStore` needn't have seen them."""
    fleet = Fleet(7, "t0")
    for _ in range(20):
        _, held = fleet.clients.open_session(0)
        fleet.held[held.family] = held
    return fleet.schedule(store, Workload(mix={"rotate": 1}), calls, 0)


def served(
    due_ns: Sequence[int],
    service_ns: Iterator[int],
    close_ns: int = 10**18,
    give_up_ns: int = 10**18,
) -> Account:
    """Have one client do what is due, on a store with these service times."""
    clock = Clock()
    number = len(due_ns)
    agenda = Agenda(iter(range(number)), array("q", due_ns), [None] * number, close_ns, give_up_ns)
    store = TimedStore(clock, service_ns)
    return account(agenda, [drive(agenda, rotations(store, number), clock.timing)])
