"""A graceful restart: the server, or the application that holds the store, is asked to stop."""

from bench.faults.fault import Fault
from bench.load.worker import close_store
from bench.load.workers import Process


def close(worker: Process) -> None:
    """Close the store in good order, then end its process."""
    worker.call(close_store)
    worker.end()


FAULT = Fault(
    name="restart", on_server=lambda server: server.stop(), on_worker=close, graceful=True
)
