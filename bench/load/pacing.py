"""Pacing: a client that has nothing to do until its next intended start, and then starts at once.

It sleeps up to `SPIN_NS` before the instant and spins the rest. A kernel lets a sleeping thread
oversleep by its timer slack, 50 us unless asked otherwise; with a slack of 1 ns so short a spin is
enough. The spin gives Python's lock away at each turn, and nothing of the CPU: clients share the
lock, and one that spun while it held the lock would keep the answers of the others waiting.
"""

import ctypes
import select
import time
from collections.abc import Callable
from typing import NamedTuple

SPIN_NS = 50_000
_PR_SET_TIMERSLACK = 29
"""prctl(2); it counts for the calling thread alone."""


class Timing(NamedTuple):
    """The clock that a loop reads and how it waits; a test puts a simulated one in its place."""

    now_ns: Callable[[], int]
    """CLOCK_MONOTONIC."""
    wait_until_ns: Callable[[int], None]
    """Returns at that instant or, as little as may be, after it."""


def sleep_then_spin(
    now_ns: Callable[[], int], sleep: Callable[[float], None], give_way: Callable[[], object]
) -> Callable[[int], None]:
    """Make a wait from its parts: `sleep` takes seconds, `give_way` is called at each spin."""

    def wait_until_ns(instant_ns: int) -> None:
        ahead_ns = instant_ns - now_ns() - SPIN_NS
        if ahead_ns > 0:
            sleep(ahead_ns / 1e9)
        while now_ns() < instant_ns:
            give_way()

    return wait_until_ns


def wake_on_time() -> None:
    """Ask the kernel to wake the calling thread within a ns of what it asks for."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


def real_timing() -> Timing:
    """Give the machine's own clock, for one client thread."""
    # A poll of nothing is the cheapest call that gives Python's lock away; sched_yield(2) would
    # give a whole slice of the CPU away, and time.sleep(0) waits for the timer slack.
    nothing = select.poll()
    wait = sleep_then_spin(time.monotonic_ns, time.sleep, lambda: nothing.poll(0))
    return Timing(time.monotonic_ns, wait)
