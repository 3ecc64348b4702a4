"""Ending in order when told to: Ctrl-C, and SIGTERM or SIGHUP from whoever runs this."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

from bench.errors import Interrupted


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the block as Ctrl-C does. In the main thread alone.

    Raises Interrupted, with `advice` on how to go on.
    """

    def interrupt(number: int, frame: object) -> Never:
        del frame
        # Not an Exception: what a trial raises is its result, and this must not be.
        raise KeyboardInterrupt(number)

    signals = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, interrupt) for number in signals]
    try:
        yield
    except KeyboardInterrupt as told:
        number = told.args[0] if told.args else signal.SIGINT
        raise Interrupted(f"interrupted; {advice}", number) from None
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
