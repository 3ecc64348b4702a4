"""What a check is given: the store's place, its server, and ways to open, race and crash it."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from backends import Subject
from backends.errors import RefreshStoreError
from backends.store import Place, Policy
from bench.conform import instance
from bench.conform.caller import Caller
from bench.conform.lanes import Answer, Lane, meeting_place, on_threads
from bench.conform.property import NotApplicable, Violation
from bench.conform.watched import Watched, waiting_for
from bench.load.workers import Process, workers
from bench.servers.server import Server
from scenarios.scenario import Effort


class Rig:
    """One check's hold on a store. Opens what it is asked for, and closes all of it."""

    def __init__(
        self, subject: Subject, place: Place, effort: Effort, server: Server | None, seconds: float
    ) -> None:
        self.subject = subject
        self.place = place
        self.effort = effort
        self.now_ms = time.time_ns() // 1_000_000
        self.seconds = seconds
        self._server = server
        self._opened: list[Watched] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for store in self._opened:
            # What the check found is worth more than a failure to close after it.
            with contextlib.suppress(RefreshStoreError, Violation):
                store.close()

    @property
    def server(self) -> Server:
        """The store's server. Raises NotApplicable where it has none."""
        if self._server is None:
            raise NotApplicable("the store keeps its data in the application; no server to lose")
        return self._server

    @property
    def own_server(self) -> Server:
        """The store's server, if it is ours to stop. Raises NotApplicable otherwise."""
        if not self.server.faultable:
            raise NotApplicable("the server isn't ours to stop")
        return self.server

    @property
    def shared(self) -> bool:
        """Whether another process sees the same sessions."""
        return bool(self.subject.profile.capabilities.shared_by_processes)

    def amount(self, quick: int, standard: int, thorough: int) -> int:
        """Choose a number by the effort asked for."""
        return {Effort.QUICK: quick, Effort.STANDARD: standard, Effort.THOROUGH: thorough}[
            self.effort
        ]

    def open(self, policy: Policy | None = None, url: str | None = None) -> Caller:
        """Open the store, by another URL if one is given."""
        place = self.place if url is None else self.place._replace(url=url)
        try:
            with waiting_for("opening it"):
                store = Watched(self.subject.open(place, policy or Policy()))
        except RefreshStoreError:
            raise
        except BaseException as error:
            raise Violation(f"opening it raised {type(error).__name__}: {error}") from error
        self._opened.append(store)
        return Caller(store, self.now_ms)

    def race(
        self, caller: Caller, lanes: Sequence[Lane], policy: Policy, where: str
    ) -> Sequence[Sequence[Answer]]:
        """Run lanes of calls against each other, on "threads" of one store or in "processes"."""
        if where == "threads":
            answers = on_threads(caller.store, lanes, self.seconds)
        else:
            meeting = meeting_place(self.folder / secrets.token_hex(4), len(lanes))
            with self.instances(len(lanes), policy) as running:
                racing = [
                    one.submit(instance.race, lane, meeting, number, len(lanes), self.seconds)
                    for number, (one, lane) in enumerate(zip(running, lanes, strict=True))
                ]
                with waiting_for("a race of processes"):
                    answers = [lane.result(self.seconds) for lane in racing]
        for lane in answers:
            for answer in lane:
                if isinstance(answer, Violation):
                    raise answer
        return answers

    @property
    def folder(self) -> Path:
        """A folder for the check's own files, apart from the store's."""
        folder = self.place.directory.parent / "check"
        folder.mkdir(exist_ok=True)
        return folder

    def arenas(self) -> Sequence[str]:
        """Where this store can be raced."""
        return ("threads", "processes") if self.shared else ("threads",)

    @contextlib.contextmanager
    def instances(self, count: int, policy: Policy | None = None) -> Iterator[Sequence[Process]]:
        """Start app instances: processes with the store open."""
        with workers(count) as running:
            opening = [
                one.submit(instance.open_store, self.subject.spec, self.place, policy or Policy())
                for one in running
            ]
            with waiting_for("opening it in other processes"):
                for one in opening:
                    one.result(self.seconds)
            yield running
