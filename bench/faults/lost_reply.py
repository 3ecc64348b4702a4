"""Lost replies: the server executes what it was asked, and its answer never arrives."""

import contextlib
import threading
from collections.abc import Iterator

from bench.errors import Failed
from bench.faults.fault import Fault, Site

_BETWEEN_SECONDS = 0.02


@contextlib.contextmanager
def lose(site: Site) -> Iterator[None]:
    """Lose a reply now and then, its connection with it. Raises Failed: none was lost."""
    line, over = site.line(), threading.Event()
    before = line.dropped

    def drop() -> None:
        while not over.wait(_BETWEEN_SECONDS * site.rng.uniform(0.5, 1.5)):
            line.drop_next_reply("reset")

    dropper = threading.Thread(target=drop, name="lost-reply")
    dropper.start()
    try:
        yield
    finally:
        over.set()
        dropper.join()
        line.disarm()
    if line.dropped == before:
        raise Failed("no reply was lost: no client asked for anything")


FAULT = Fault(inflict=lose, downs=False, needs="connection")
