"""A pause: every process that holds the data is stopped, and goes on later.

So does a virtual machine that is moved, a container that is frozen, a host that swaps.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import Failed
from bench.faults.fault import Fault, Site

_STOP_SECONDS = 5.0
_STANDING = {"T", "D", "Z", "X"}
"""Stopped, or gone; or in the midst of a system call that can't be interrupted, such as a sync: it
stops on its way out, before the program sees the result. It isn't waited for: a power cut doesn't
let a sync end either."""


@contextlib.contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """Stop processes with all their threads, and let those that are still there go on at the end.

    Raises Failed: one runs on.
    """
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        deadline = time.monotonic() + _STOP_SECONDS
        while running := [pid for pid in pids if not _stands_still(pid)]:
            if time.monotonic() > deadline:
                raise Failed(f"processes {running} were stopped, and run on")
            time.sleep(0.001)
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _stands_still(pid: int) -> bool:
    """Whether no thread can run in user space any more (proc(5): stat, field 3)."""
    stats = Path(f"/proc/{pid}/task").glob("*/stat")
    states = [stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] for stat in stats]
    return set(states) <= _STANDING


@contextlib.contextmanager
def pause(site: Site) -> Iterator[None]:
    """Stop them all, and let them go on."""
    with stopped(site.pids()):
        yield


FAULT = Fault(inflict=pause, downs=False)
