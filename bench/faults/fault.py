"""What a fault is: what it is put to, what it needs, and how it begins and ends."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random
from typing import Literal

from bench.errors import Failed
from bench.faults.proxy import Proxy
from bench.load.workers import Process
from bench.servers.server import Server
from bench.volume import ThinVolume, Volume

Need = Literal["volume", "thin volume", "connection"]
"""What a fault is put to, beyond processes: a disk of the trial's own, one whose device can run
out, or a connection to a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the fault strikes: the store's server, or the processes that hold an embedded one."""

    server: Server | None
    crew: Sequence[Process]
    """The clients; without a server they hold the store."""
    volume: Volume | None
    proxy: Proxy | None
    rng: Random
    """The trial's own, so that its seed decides what the fault draws."""

    def pids(self) -> Sequence[int]:
        """Give every process that holds the data."""
        if self.server is not None:
            return self.server.pids()
        return [worker.pid for worker in self.crew]

    def kill(self) -> None:
        """SIGKILL every process that holds the data, and see it gone."""
        if self.server is not None:
            self.server.kill()
        else:
            for worker in self.crew:
                worker.kill()
            for worker in self.crew:
                worker.end()

    def disk(self) -> Volume:
        """Give the volume of a fault that needs one."""
        if self.volume is None:
            raise Failed("this fault needs a disk of the trial's own")
        return self.volume

    def thin_disk(self) -> ThinVolume:
        """Give the volume of a fault that needs one whose device can run out."""
        if not isinstance(self.volume, ThinVolume):
            raise Failed("this fault needs a thin disk of the trial's own")
        return self.volume

    def line(self) -> Proxy:
        """Give the proxy on the way to the server."""
        if self.proxy is None:
            raise Failed("this fault needs a connection to a server")
        return self.proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault, registered under its module's name."""

    inflict: Callable[[Site], AbstractContextManager[None]]
    """Entering strikes, and makes sure that it did; leaving heals. Raises Failed."""
    downs: bool
    """Whether the data's holder is gone afterwards, and has to be started again."""
    graceful: bool = False
    """Whether an embedded store's clients are let finish first."""
    needs: Need | None = None
    hides: bool = False
    """Whether a store that keeps running may have in memory what its disk has lost: then it is
    started again, in good order, before it is asked."""
