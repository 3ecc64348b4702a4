"""A full disk: no block is left, until some are given back."""

import contextlib
from collections.abc import Iterator

from bench.faults.fault import Fault, Site


@contextlib.contextmanager
def fill(site: Site) -> Iterator[None]:
    """Fill the disk, and remove what fills it."""
    disk = site.disk()
    disk.fill()
    yield
    disk.free()


FAULT = Fault(inflict=fill, downs=False, needs="volume")
