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


class Pauses:
    """Stops processes for a moment, and lets them go on, again and again, in a thread."""

    def __init__(self, pids: Callable[[], Sequence[int]]) -> None:
        self._pids = pids
        self._ended = threading.Event()
        self.count = 0

    @contextlib.contextmanager
    def running(self, dues_ns: Sequence[int]) -> Iterator[None]:
        """Pause them at each of these instants, CLOCK_MONOTONIC, while the block runs."""
        thread = threading.Thread(target=self._run, args=(dues_ns,), name="pauses", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _run(self, dues_ns: Sequence[int]) -> None:
        for due_ns in dues_ns:
            if self._ended.wait(max(due_ns - time.monotonic_ns(), 0) / 1e9):
                return
            self._strike()

    def _strike(self) -> None:
        """SIGSTOP, a moment, SIGCONT."""
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
