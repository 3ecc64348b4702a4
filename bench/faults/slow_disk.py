"""A slow disk: again and again, every write waits."""

import contextlib
import threading
import time
from collections.abc import Iterator

from bench.errors import Failed
from bench.faults.fault import Fault, Site
from bench.volume import Volume

_STALL_SECONDS = (0.05, 0.25)
"""The shortest and the longest, drawn from the trial's seed."""
_BETWEEN_SECONDS = 0.02


@contextlib.contextmanager
def stall(site: Site) -> Iterator[None]:
    """Freeze the file system and thaw it, over and over. Raises Failed: a write came through."""
    disk, over = site.disk(), threading.Event()

    def stalls() -> None:
        while not over.wait(_BETWEEN_SECONDS):
            with disk.frozen():
                over.wait(site.rng.uniform(*_STALL_SECONDS))

    freezer = threading.Thread(target=stalls, name="slow-disk")
    freezer.start()
    try:
        yield
        if _longest_write_seconds(disk) < _STALL_SECONDS[0] / 2:
            raise Failed("the disk was stalled, and took what was written at once")
    finally:
        over.set()
        freezer.join()


def _longest_write_seconds(disk: Volume) -> float:
    """Write and sync until several stalls must have been met."""
    begin, longest = time.monotonic(), 0.0
    while time.monotonic() - begin < 2 * _STALL_SECONDS[1]:
        before = time.monotonic()
        disk.write_error()
        longest = max(longest, time.monotonic() - before)
    return longest


FAULT = Fault(inflict=stall, downs=False, needs="volume")
