"""A crash: SIGKILL, in the middle of writes, of every process that holds the data."""

from bench.faults.fault import Fault

FAULT = Fault(
    name="crash",
    on_server=lambda server: server.kill(),
    on_worker=lambda worker: worker.kill(),
    graceful=False,
)
