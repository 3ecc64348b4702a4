"""What goes wrong while instances race: the server or an instance stands still.

It happens at instants drawn from the trial's seed, is undone by itself, and is counted.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence

PAUSE_SECONDS = 0.02
"""Longer than any call of a healthy store, shorter than any driver's patience."""
PAUSED_EVERY = 2
"""One race in so many meets a pause."""


class Mishaps:
    """A thread that brings them about, round after round, until it is ended."""

    def __init__(self, strike: Callable[[int], None], dues_ns: Sequence[int]) -> None:
        self._strike = strike
        self._dues_ns = dues_ns
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mishaps", daemon=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Bring them about while the block runs."""
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()

    def _run(self) -> None:
        for number, due_ns in enumerate(self._dues_ns):
            if self._ended.wait(max(due_ns - time.monotonic_ns(), 0) / 1e9):
                return
            self._strike(number)


class Pauses:
    """Stops processes for a moment, and lets them go on."""

    def __init__(self, pids: Callable[[], Sequence[int]]) -> None:
        self._pids = pids
        self.count = 0

    def strike(self, number: int) -> None:
        """SIGSTOP, a moment, SIGCONT."""
        del number
        stopped = []
        try:
            for pid in self._pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    stopped.append(pid)
            time.sleep(PAUSE_SECONDS)
            self.count += bool(stopped)
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def pause_times_ns(seed: int, start_ns: int, rounds: int, gap_ns: int) -> Sequence[int]:
    """Draw the instants of the pauses: some rounds, each just before its start or just after."""
    rng = random.Random(f"{seed}/pauses")  # noqa: S311 - must repeat from its seed
    chosen = sorted(rng.sample(range(rounds), -(-rounds // PAUSED_EVERY)))
    nearby_ns = int(PAUSE_SECONDS * 1e9 / 4)
    return [start_ns + n * gap_ns + rng.randrange(-nearby_ns, nearby_ns) for n in chosen]
