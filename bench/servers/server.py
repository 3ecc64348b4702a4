"""What the runner asks of a server, whichever way it is had.

A `Way` knows how to get one kind of server; what it gives is `Found` or `Unavailable`. A found
server is started for one trial on a folder of its own, and is gone with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Server(Protocol):
    """A running server of one trial. Every method is bounded in time and raises `Failed`."""

    kind: str
    way: str
    faultable: bool
    """Whether `stop`, `kill` and `restart` are ours to do; if not, they raise `Failed`."""

    @property
    def url(self) -> str:
        """Where clients connect; the same before and after a restart. May hold a password."""

    def version(self) -> str:
        """Ask the server for its version."""

    def pids(self) -> Sequence[int]:
        """Its processes, descendants included; empty while it is down, or isn't ours to look at."""

    def check(self) -> str | None:
        """Run the server's own integrity check; None if all is well, else what it found."""

    def stop(self) -> None:
        """Shut down gracefully, data kept. Must not return before every process is gone."""

    def kill(self) -> None:
        """SIGKILL every process at once, data kept. Must not give it a chance to flush."""

    def restart(self) -> None:
        """After `stop` or `kill`: start on the same data and port, and wait until it answers."""

    def close(self) -> None:
        """End it however it stands, and remove its folder. Idempotent."""


@dataclass(frozen=True, slots=True)
class Found:
    """A way that works here."""

    kind: str
    way: str
    detail: str
    """The binary, or the URL without its password."""
    version: str
    faultable: bool = True
    """Whether it is ours to stop and kill."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A way that doesn't work here, and the command that would bring it."""

    kind: str
    way: str
    reason: str
    mend: str


class Way(Protocol):
    """One way to get servers: wheel, path, url, later docker. Added by one file and one line."""

    name: str

    def named(self, kind: str) -> bool:
        """Whether the user named this way's server by an environment variable: then no other."""

    def find(self, kind: str) -> Found | Unavailable:
        """Look for a server of `kind` without starting it."""

    def require(self, kind: str, settings: Mapping[str, str], layout: str | None = None) -> None:
        """Make sure that `settings` can be in force. Raises WrongUse: they aren't, on a user's."""

    def start(
        self, kind: str, folder: Path, settings: Mapping[str, str], layout: str | None = None
    ) -> Server:
        """Start one on an empty folder with `settings` in force, and wait until it answers.

        With the `layout` of a topology it is a `bench.servers.cluster.Cluster`.

        Raises Failed with the last lines of the server's log, Missing if it isn't there.
        """
