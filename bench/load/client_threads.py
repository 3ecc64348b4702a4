"""The client threads of a worker: the n-th client is on the n-th thread, in every phase.

A pool would hand a client to whichever thread is idle. Then what is measured may run on a thread
that the warm-up never used: its connection not yet open, its statements not yet prepared.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class ClientThreads:
    """Threads that grow in number as more clients come. Not for several threads to call."""

    def __init__(self) -> None:
        self._threads: list[ThreadPoolExecutor] = []

    def map(self, function: Callable[[T], R], clients: Sequence[T]) -> Sequence[R]:
        """Call `function` for every client at once, and wait for all. Raises what it raises."""
        for _ in range(len(self._threads), len(clients)):
            self._threads.append(ThreadPoolExecutor(1))
        # Threads of an earlier phase, which had more clients, stay idle.
        futures = [
            thread.submit(function, client)
            for thread, client in zip(self._threads, clients, strict=False)
        ]
        return [future.result() for future in futures]

    def end(self) -> None:
        """End the threads, once they have done what they are at."""
        for thread in self._threads:
            thread.shutdown()
