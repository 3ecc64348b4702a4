"""A power cut: what was not on disk at that moment is gone, whoever had been told otherwise.

Every process that holds the data is stopped first: after the cut none may answer a client any
more, and a store in memory would. Then the disk is cut, and only then are they killed.
"""

import contextlib
from collections.abc import Iterator

from bench.faults.fault import Fault, Site
from bench.faults.pause import stopped


@contextlib.contextmanager
def cut(site: Site) -> Iterator[None]:
    """Cut the power, and bring it back on leaving. Raises Failed: the disk was no good model."""
    with stopped(site.pids()):
        site.disk().cut()
        site.kill()
    yield
    site.disk().restore()


FAULT = Fault(inflict=cut, downs=True, needs="volume")
