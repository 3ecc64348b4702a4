"""A device that fails writes: the file system has room, and the device below it has none.

A write that was taken into the page cache fails when it is written back, and the next fsync of
that file says so, once. Blocks that were written before can still be overwritten.
"""

import contextlib
from collections.abc import Iterator

from bench.faults.fault import Fault, Site


@contextlib.contextmanager
def fail(site: Site) -> Iterator[None]:
    """Let the device run out, and give it room again."""
    disk = site.thin_disk()
    disk.run_out()
    yield
    disk.refill()


FAULT = Fault(inflict=fail, downs=False, needs="thin volume", hides=True)
