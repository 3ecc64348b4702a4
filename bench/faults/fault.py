"""What a fault is: what it does to a server, or to the process that holds an embedded store."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.load.workers import Process
from bench.servers.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way for the data's holder to go down. Bringing it back is the runner's part."""

    name: str
    on_server: Callable[[Server], None]
    on_worker: Callable[[Process], None]
    graceful: bool
    """Whether an embedded store's clients are let finish first."""
