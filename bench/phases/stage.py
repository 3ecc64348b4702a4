"""Where a trial is played: its store's place, its server, and its worker processes."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from backends import Subject
from backends.store import Place, Policy
from bench.errors import Failed
from bench.faults.proxy import Proxy
from bench.load import clocks
from bench.load.worker import Target, open_store
from bench.load.workers import Local, Source, Worker
from bench.record import WorkerFacts
from bench.servers.server import Server
from bench.volume import Volume

LEAD_NS = 20_000_000
"""How far ahead a common start is set, so that every worker knows of it in time."""


class Stage:
    """One trial's surroundings; workers started for it end with it."""

    def __init__(
        self,
        *,
        subject: Subject,
        place: Place,
        policy: Policy,
        server: Server | None,
        seed: int,
        scratch: Path,
        source: Source | None = None,
        volume: Volume | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self.subject = subject
        self.server = server
        self.scratch = scratch
        """Outside the store's own folder: a fault there leaves it alone."""
        self.seed = seed
        self.volume = volume
        """What the data is on, where a fault needs a disk of the trial's own."""
        self.proxy = proxy
        """What clients reach the server through, where a fault needs one."""
        self.preloaded = 0
        """Worker processes that have their sessions open."""
        self.filled = 0
        """Up to which index of its population sessions were loaded, or left out."""
        self.added = 0
        """Sessions that were loaded."""
        self.settings: Mapping[str, str] = {}
        """As read back by the first worker."""
        self.workers: list[WorkerFacts] = []
        """Of every worker that took part in a measurement."""
        apart = not subject.profile.capabilities.shared_by_hosts
        # A store that lives in one host's memory or files has its application there.
        self._source = Local() if source is None or apart else source
        self._hosts = [clocks.here()]
        self.place = place
        self._policy = policy
        self._opened = 0
        self._exit = contextlib.ExitStack()
        self._crew: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exit.close()

    @property
    def shared(self) -> bool:
        """Whether several processes can work on the store."""
        return bool(self.subject.profile.capabilities.shared_by_processes)

    def crew(self, count: int) -> Sequence[Worker]:
        """Give `count` workers with the store open, the same ones in every phase."""
        missing = count - len(self._crew)
        if missing > 0:
            joined = self._exit.enter_context(self._source.workers(missing, len(self._crew)))
            for worker in joined:
                self.open(worker)
                self.workers.append(self._describe(worker))
            self._crew.extend(joined)
        return self._crew[:count]

    @property
    def width(self) -> int:
        """How many workers the connections of a cell are shared out among."""
        return self._source.width if self.shared else 1

    @property
    def most_at_once(self) -> int:
        """How many workers can run at the same moment, whether or not they can share a store."""
        return self._source.width

    def soon_ns(self) -> int:
        """Give a common start a moment ahead, CLOCK_MONOTONIC of this process."""
        return time.monotonic_ns() + self._source.lead_ns

    def _describe(self, worker: Worker) -> WorkerFacts:
        if worker.host not in self._hosts:
            self._hosts.append(worker.host)
        return WorkerFacts(
            host=self._hosts.index(worker.host),
            clock_offset_ns=worker.clock.ns,
            clock_error_ns=worker.clock.error_ns,
            same_clock=clocks.same_clock(worker.host, self._hosts[0]),
        )

    def open(self, worker: Worker, url: str | None = None, directory: Path | None = None) -> None:
        """Open the store in a worker, by another URL or in another folder if one is given.

        Raises Failed if the profile isn't in force.
        """
        place = self.place if url is None else self.place._replace(url=url)
        if directory is not None:
            place = place._replace(directory=directory)
        target = Target(self.subject.spec, place, self._policy, self.seed, f"w{self._opened}")
        self._opened += 1
        found = worker.call(open_store, target)
        profile = self.subject.profile
        for name, wanted in {**profile.server, **profile.client}.items():
            if found.get(name) != wanted:
                raise Failed(
                    f"{self.subject.spec}: {name} is {found.get(name)!r}, the profile needs"
                    f" {wanted!r}; set it on the server, or choose another profile"
                )
        self.settings = found

    def server_pids(self) -> Sequence[int]:
        """Give the server's processes; none where there is no server of ours."""
        return self.server.pids() if self.server is not None else ()


def soon_ns() -> int:
    """Give a common start a moment ahead, CLOCK_MONOTONIC."""
    return time.monotonic_ns() + LEAD_NS
