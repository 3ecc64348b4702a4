"""Executes a `Balance`: a balancer that deals requests out to worker processes."""

import random
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Self

from bench.load import user_requests as task
from bench.load.clients import Held
from bench.load.worker import close_store
from bench.load.workers import Worker, workers
from bench.phases.stage import Stage
from scenarios.history import Event
from scenarios.phases.balance import Balance, Balanced


def execute(phase: Balance, stage: Stage) -> Balanced:
    """Let the users' requests arrive one after another, in an order drawn from the seed."""
    rng = random.Random(f"{stage.seed}/requests")  # noqa: S311 - must repeat from its seed
    with Instances(phase, stage) as instances:
        balancer = _Balancer(instances, sticky=phase.balancing == "sticky")
        for user in range(phase.users):
            balancer.log_in(user)
        to_come = [user for user in range(phase.users) for _ in range(phase.refreshes)]
        half = len(to_come) // 2
        while to_come:
            if phase.change != "none" and len(to_come) == half and not instances.changed:
                instances.change(0, emptied=phase.change == "replaced")
            # Others come between a refusal and the login that it leads to.
            user = to_come[rng.randrange(len(to_come))]
            if balancer.holds(user):
                balancer.refresh(user)
                to_come.remove(user)
            else:
                balancer.log_in(user)
        for user in rng.sample(range(phase.users), phase.users):
            if not balancer.holds(user):
                balancer.log_in(user)
        if phase.logouts:
            for user in rng.sample(range(phase.users), phase.users):
                balancer.log_out(user)
    return Balanced(phase=phase, history=balancer.history)


class Instances:
    """The app instances, each a process of its own, on one store or each on its own."""

    def __init__(self, phase: Balance, stage: Stage) -> None:
        self._phase = phase
        self._stage = stage
        self._ends = [ExitStack() for _ in range(phase.instances)]
        self._disks: list[Path | None] = [self._disk() for _ in range(phase.instances)]
        self.workers: list[Worker] = []
        self.changed = False

    def __enter__(self) -> Self:
        self.workers = [self._start(number) for number in range(self._phase.instances)]
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            end.close()

    def change(self, number: int, *, emptied: bool) -> None:
        """End an instance in order, and start it again; `emptied`, on a host with an empty disk."""
        self.workers[number].call(close_store)
        self._ends[number].close()
        if emptied:
            self._disks[number] = self._disk()
        self.workers[number] = self._start(number)
        self.changed = True

    def _start(self, number: int) -> Worker:
        [worker] = self._ends[number].enter_context(workers(1, first=number))
        self._stage.open(worker, directory=self._disks[number])
        return worker

    def _disk(self) -> Path | None:
        """Make a folder for a store of its own ready; None where all share the trial's."""
        if not self._phase.apart:
            return None
        directory = Path(tempfile.mkdtemp(prefix="host-", dir=self._stage.scratch))
        self._stage.subject.prepare(self._stage.place._replace(directory=directory))
        return directory


class _Balancer:
    """Sends each request to an instance, and writes down what came of it."""

    def __init__(self, instances: Instances, *, sticky: bool) -> None:
        self.history: list[Event] = []
        self._instances = instances
        self._sticky = sticky
        self._requests = count()
        self._ops = count()
        self._held: dict[int, Held] = {}

    def log_in(self, user: int) -> None:
        """Have the user log in, wherever that request is sent."""
        number, worker = self._choose(user)
        self._keep(user, *worker.call(task.log_in, number, next(self._ops)))

    def holds(self, user: int) -> bool:
        """Whether the user has a token to show."""
        return user in self._held

    def refresh(self, user: int) -> None:
        """Have the user refresh; who is refused holds nothing afterwards."""
        number, worker = self._choose(user)
        self._keep(user, *worker.call(task.refresh, self._held[user], number, next(self._ops)))

    def log_out(self, user: int) -> None:
        """Have the user log out, and show the token to every instance."""
        if (held := self._held.pop(user, None)) is None:
            return
        number, worker = self._choose(user)
        self.history.append(worker.call(task.log_out, held, number, next(self._ops)))
        self.history += [
            other.call(task.show, held, place, next(self._ops))
            for place, other in enumerate(self._instances.workers)
        ]

    def _choose(self, user: int) -> tuple[int, Worker]:
        request = next(self._requests)
        number = (user if self._sticky else request) % len(self._instances.workers)
        return number, self._instances.workers[number]

    def _keep(self, user: int, held: Held | None, event: Event) -> None:
        self.history.append(event)
        if held is None:
            self._held.pop(user, None)
        else:
            self._held[user] = held
