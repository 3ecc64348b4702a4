"""Workers: one `Executor` of one process each, so that what one keeps is found there again.

Here are those of this host; `bench.load.cluster` has those of others. Processes come from a fork
server: it has the drivers imported and no threads, so a worker is there in milliseconds and nothing
of the runner is copied into it. A worker ends when its parent does.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from functools import cached_property, partial
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from bench import namespaces
from bench.load import clocks
from bench.servers.server import Found

P = ParamSpec("P")
R = TypeVar("R")

PRELOAD = [
    "__main__",
    "bench.load.worker",
    "bench.load.history_load",
    "bench.load.instances",
    "bench.load.offering",
    "redis",
    "psycopg",
    "pymongo",
    "sqlalchemy",
    "bench.load.frozen",
]
PATIENCE_SECONDS = 60.0
"""The longest that any one call to a worker may take beyond its own measuring time."""
_STARTER = ThreadPoolExecutor(1, thread_name_prefix="refreshbench-start")


class Worker(ABC):
    """One process, on whatever host, that runs functions one after another."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run `function` there; a killed worker's futures raise BrokenExecutor."""
        return self._executor.submit(function, *args, **kwargs)

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `function` there and wait for it."""
        return self.submit(function, *args, **kwargs).result(PATIENCE_SECONDS)

    @cached_property
    def host(self) -> clocks.Host:
        """Where it is."""
        return self.call(clocks.here)

    @cached_property
    def clock(self) -> clocks.Offset:
        """By how much its clock is ahead of this process's, asked once."""
        return clocks.measure(lambda: self.call(time.monotonic_ns))

    @abstractmethod
    def end(self) -> None:
        """Let go of it, whatever it is at, with nothing of ours left there."""


class Process(Worker):
    """A worker that is a child process of ours."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        super().__init__(executor)
        # Ctrl-C, raised in the main thread, would cut a start there in two: a process that looks
        # for what is gone by then, and says so in a traceback.
        started = _STARTER.submit(lambda: executor.submit(os.getpid).result(PATIENCE_SECONDS))
        try:
            self.pid: int = started.result()
        except KeyboardInterrupt:
            wait([started])
            executor.shutdown(wait=True)
            raise

    def kill(self) -> None:
        """SIGKILL the process: nothing of it runs any more."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """End the process, whatever it is at."""
        with contextlib.suppress(ProcessLookupError):
            self.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Give the cores this process may use."""
    return len(os.sched_getaffinity(0))


class Source(Protocol):
    """Where the workers of a trial come from."""

    @property
    def width(self) -> int:
        """Give the number of workers that the connections of a cell are shared out among."""

    @property
    def lead_ns(self) -> int:
        """How far ahead a common start is set, so that every worker knows of it in time."""

    def workers(self, count: int, first: int = 0) -> AbstractContextManager[Sequence[Worker]]:
        """Give `count` workers, from the `first`-th on; let go of at the block's end."""

    def require_reach(self, servers: Mapping[str, Found]) -> None:
        """Make sure that the workers can reach the servers of the run. Raises WrongUse."""


class Local:
    """Processes of this host, one a core where there is a choice."""

    lead_ns = 20_000_000

    @property
    def width(self) -> int:
        """One a core that this process may use."""
        return cores()

    def workers(self, count: int, first: int = 0) -> AbstractContextManager[Sequence[Worker]]:
        """Start processes."""
        return workers(count, first)

    def require_reach(self, servers: Mapping[str, Found]) -> None:
        """They reach whatever this process does."""


@contextlib.contextmanager
def workers(
    count: int, first: int = 0, namespace: Path | None = None
) -> Iterator[Sequence[Process]]:
    """Start `count` worker processes, on the host of `namespace`; they are gone when it ends.

    Each is kept on one CPU, dealt out in turn from the `first`-th: client threads that the kernel
    spreads over two fight for the GIL across them, and get half as much done.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    _start_fork_server()
    running: list[Process] = []
    try:
        cpus = sorted(os.sched_getaffinity(0))
        for number in range(first, first + count):
            cpu = cpus[number % len(cpus)]
            begin = partial(_begin, cpu, namespace)
            running.append(Process(ProcessPoolExecutor(1, mp_context=context, initializer=begin)))
        yield running
    finally:
        for worker in running:
            worker.end()


def together(futures: Sequence[Future[Any]], seconds: float = 0.0) -> Sequence[Any]:
    """Wait for all; each may take `seconds` beyond the usual patience."""
    return [future.result(PATIENCE_SECONDS + seconds) for future in futures]


def _start_fork_server() -> None:
    """Start it deaf to Ctrl-C, which a terminal sends to all: it would end in a traceback.

    Its children, the workers, are deaf to it from their first moment on.
    """
    # It unblocks the signal itself when it starts, so it comes first.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(cpu: int, namespace: Path | None) -> None:
    """Stay on one CPU and one host, and end when the parent does."""
    os.sched_setaffinity(0, {cpu})
    if namespace is not None:
        # Threads are on the host of the thread that starts them: none has been started yet.
        namespaces.enter(namespace)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
