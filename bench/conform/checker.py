"""Holds one store to the contract, from outside the process in which it runs."""

import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

import backends
from backends.factory import is_factory
from bench import servers
from bench.conform import child
from bench.conform.properties import PROPERTIES
from bench.conform.property import Property, Result, Status
from bench.errors import Failed, Missing, WrongUse
from bench.load.workers import Process, workers
from bench.servers.server import Found, Unavailable
from bench.workspace import Workspace
from scenarios.scenario import Effort

START_SECONDS = 90.0
OPEN_SECONDS = 30.0
"""For the code of a store of somebody else's to be loaded, and a store of it opened and closed."""
MARGIN_SECONDS = 2.0
"""Beyond a check's own time, before its process is killed."""
IMPATIENT_SECONDS = 5.0
"""A store that has hung once gets no more than that for each further property."""
MOST_HANGS = 3
PATIENCE = 1.0
"""Times a property's own time limit."""
TOO_SLOW = (
    "twice no end in time, and no call of the store under way for long: the machine may be too busy"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of one store."""

    spec: str
    title: str
    effort: Effort
    lacking: dict[str, str]
    """Capability it declares it lacks -> the reason."""
    served_by: str | None
    naive: bool = False
    """It loses races on purpose."""
    results: tuple[Result, ...]

    @property
    def good(self) -> bool:
        """Whether the store passes."""
        return all(result.status.good for result in self.results)


class Checker:
    """One store under the contract; close it, or use it in a `with`.

    Raises UnknownSubject, MissingDriver, Missing, or WrongUse for a topology, when made; Failed
    when the store or its server does not start. `way` is how servers are had: auto, wheel, path,
    url.
    """

    def __init__(self, spec: str, effort: Effort = Effort.STANDARD, way: str = "auto") -> None:
        _try_out(spec)
        # What a store prints is no part of a report.
        with redirect_stdout(StringIO()):
            self.subject = backends.resolve(spec)
        if (topology := self.subject.topology) is not None:
            single, _, _ = self.subject.spec.partition("@")
            raise WrongUse(
                f"{self.subject.spec} needs several servers, and a store is held to the contract on"
                f" one: conform {single}; `refreshbench run failover -b {self.subject.spec}` shows"
                f" what @{topology.name} loses"
            )
        self.effort = effort
        self.served_by: str | None = None
        self._found = _server(self.subject, way)
        self._hangs = 0
        self._process: tuple[ExitStack, Process, Path] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def check(self, wanted: Property) -> Result:
        """Hold the store to one property. Never hangs, and raises nothing of the store's."""
        if self._hangs >= MOST_HANGS:
            return _undecided(wanted, f"not tried: it hung or died {self._hangs} times before")
        # Where no call of the store hung, it was the machine that was slow: once more.
        return self._attempt(wanted) or self._attempt(wanted) or _undecided(wanted, TOO_SLOW)

    def _attempt(self, wanted: Property) -> Result | None:
        """Check once; None where the time ran out and the store had no part in it."""
        seconds = IMPATIENT_SECONDS if self._hangs else wanted.seconds * PATIENCE
        if self.effort is Effort.THOROUGH:
            seconds *= 10
        _, worker, folder = self._ready()
        try:
            return worker.submit(child.check, wanted.number, seconds).result(
                seconds + MARGIN_SECONDS
            )
        except TimeoutError:
            note = folder / child.LATE_NOTE
            waiting = note.read_text() if note.exists() else "it holds the interpreter"
            self._discard()
            if not waiting:
                return None
            self._hangs += 1
            return _undecided(wanted, f"no end after {seconds:.0f} s: {waiting}", seconds)
        except BrokenExecutor:
            self._hangs += 1
            self._discard()
            return _undecided(wanted, "the store took its process down with it")

    def run(
        self, only: Collection[int] = (), tell: Callable[[Property, Result], None] | None = None
    ) -> Report:
        """Hold the store to all properties, or `only` to some; `tell` hears of each at once."""
        self._hangs = 0
        results = []
        for wanted in PROPERTIES:
            if not only or wanted.number in only:
                results.append(self.check(wanted))
                if tell is not None:
                    tell(wanted, results[-1])
        return Report(
            spec=self.subject.spec,
            title=self.subject.backend.title,
            effort=self.effort,
            lacking=dict(self.subject.profile.capabilities.lacking()),
            served_by=self.served_by,
            naive=self.subject.backend.naive,
            results=tuple(results),
        )

    def close(self) -> None:
        """End the store's process and server, and remove what they left. Idempotent."""
        if self._process is not None:
            _, worker, _ = self._process
            with suppress(Exception):
                worker.submit(child.end).result(START_SECONDS)
        self._discard()

    def _ready(self) -> tuple[ExitStack, Process, Path]:
        if self._process is None:
            stack = ExitStack()
            try:
                workspace = stack.enter_context(Workspace())
                folder = workspace.folder("conform")
                [worker] = stack.enter_context(workers(1))
                workspace.adopt(worker.pid)
                started = child.Start(
                    self.subject.spec,
                    folder,
                    self.effort,
                    self._found,
                    workspace.folder("server"),
                    frozenset(os.sched_getaffinity(0)),
                )
                with _told(f"making {self.subject.spec} ready", START_SECONDS):
                    self.served_by = worker.submit(child.begin, started).result(START_SECONDS)
            except BaseException:
                stack.close()
                raise
            self._process = stack, worker, folder
        return self._process

    def _discard(self) -> None:
        if self._process is not None:
            stack, _, _ = self._process
            self._process = None
            stack.close()


def _try_out(spec: str) -> None:
    """Load what somebody else wrote where its hanging or exiting harms nobody."""
    if not is_factory(spec):
        return
    with workers(1) as [worker], _told(f"opening and closing {spec}", OPEN_SECONDS):
        worker.submit(child.load, spec).result(OPEN_SECONDS)


@contextmanager
def _told(what: str, seconds: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Failed(f"{what}: no end after {seconds:.0f} s") from None
    except BrokenExecutor:
        raise Failed(f"{what}: it took its process down") from None


def _server(subject: backends.Subject, way: str) -> Found | None:
    kind = subject.backend.server
    if kind is None:
        return None
    found = servers.find(kind, way)
    if isinstance(found, Unavailable):
        raise Missing(f"{subject.spec} needs a server: {found.reason}; {found.mend}")
    return found


def _undecided(wanted: Property, text: str, seconds: float = 0.0) -> Result:
    return Result(number=wanted.number, status=Status.UNDECIDED, text=text, seconds=seconds)
