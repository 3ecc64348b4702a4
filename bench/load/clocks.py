"""One time for all workers: the runner's CLOCK_MONOTONIC, wherever a worker's own clock stands.

CLOCK_MONOTONIC counts from a host's boot, so it says something else on every host. The runner asks
a worker for its time, many times; of each answer it knows that it was given between asking and
being answered (as NTP does, RFC 5905 section 8). The quickest answer bounds the offset best: by
half its round trip, however unevenly that was spent on the two ways.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROUNDS = 16
"""Of asking; after that many the quickest hardly gets quicker."""


class Offset(NamedTuple):
    """By how much a worker's clock is ahead of the runner's."""

    ns: int
    error_ns: int
    """The true offset is at most so far away."""


class Host(NamedTuple):
    """What two processes must have in common to share a clock, and a loopback."""

    boot: str
    time: str
    """Time namespace (time_namespaces(7))."""
    network: str


def here() -> Host:
    """Say where this process is."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return Host(boot, *(_namespace(kind) for kind in ("time", "net")))


def same_clock(one: Host, other: Host) -> bool:
    """Whether CLOCK_MONOTONIC is one and the same clock for both."""
    return one.boot == other.boot != "" and one.time == other.time


def measure(there: Callable[[], int], clock: Callable[[], int] = time.monotonic_ns) -> Offset:
    """Ask for the time `there`, in ns, and give the offset with its bound."""
    best = Offset(0, -1)
    for _ in range(ROUNDS):
        asked_ns = clock()
        told_ns = there()
        answered_ns = clock()
        error_ns = -(-(answered_ns - asked_ns) // 2)
        if best.error_ns < 0 or error_ns < best.error_ns:
            best = Offset(told_ns - (asked_ns + answered_ns) // 2, error_ns)
    return best


_ahead_ns = [0]
"""Of this process's clock, over the runner's."""


def set_ahead(offset_ns: int) -> None:
    """Have instants translated from now on, in this process."""
    _ahead_ns[0] = offset_ns


def to_local(instant_ns: int) -> int:
    """Give an instant of the runner's as this process's clock says it."""
    return instant_ns + _ahead_ns[0]


def to_runner(instant_ns: int) -> int:
    """Give an instant of this process's clock as the runner's says it."""
    return instant_ns - _ahead_ns[0]


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")  # noqa: PTH115 - no path, a name
    except OSError:
        return ""
