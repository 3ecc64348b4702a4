"""Stopping at random lines of a store's code, so that a race that is lost by nanoseconds is seen.

Between threads the interpreter switches every 5 ms, far longer than a store in memory takes.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

JOLT_EVERY = 4
"""One line in that many gives the interpreter away, or pauses."""

Jolt = Callable[[FrameType, str, Any], Any]


def jolt(store: object, seed: int, pause_seconds: float = 0.0) -> Jolt:
    """Make a trace function that stops at random lines of the store's own packages.

    Its drivers are left alone. With no pause it only gives way to another thread.
    """
    packages = {_package(one.__module__) for one in type(store).__mro__}
    dice = random.Random(seed)  # noqa: S311 - it spreads switches, it keeps no secret

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        del argument
        if event == "call" and _package(frame.f_globals.get("__name__", "")) not in packages:
            return None
        if event == "line" and not dice.randrange(JOLT_EVERY):
            time.sleep(pause_seconds * dice.random())
        return trace

    return trace


@contextmanager
def jolted(by: Jolt) -> Iterator[None]:
    """Have what this thread calls in the block stopped by `by`."""
    before = sys.gettrace()
    sys.settrace(by)
    try:
        yield
    finally:
        sys.settrace(before)


def _package(module: str) -> str:
    return module.partition(".")[0]
