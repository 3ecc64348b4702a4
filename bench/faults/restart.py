"""A graceful restart: the server, or the application that holds the store, is asked to stop."""

import contextlib
from collections.abc import Iterator

from bench.faults.fault import Fault, Site
from bench.load.worker import close_store


@contextlib.contextmanager
def stop(site: Site) -> Iterator[None]:
    """Stop in good order, and leave the rest to the start that follows."""
    if site.server is not None:
        site.server.stop()
    else:
        for worker in site.crew:
            worker.call(close_store)
            worker.end()
    yield


FAULT = Fault(inflict=stop, downs=True, graceful=True)
