"""A crash: SIGKILL, in the middle of writes, of every process that holds the data."""

import contextlib
from collections.abc import Iterator

from bench.faults.fault import Fault, Site


@contextlib.contextmanager
def crash(site: Site) -> Iterator[None]:
    """Kill, and leave the rest to the start that follows."""
    site.kill()
    yield


FAULT = Fault(inflict=crash, downs=True)
