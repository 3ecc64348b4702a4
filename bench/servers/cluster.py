"""Several servers that act as one, each on a host of its own: a `Server` like any other, and more.

A layout (`bench.servers.redis_sentinel`, ...) says which members there are, how they are joined,
and who is primary. App instances have hosts too, so that clients sit on both sides of a cut.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bench import guardian
from bench.errors import Failed
from bench.servers.binary import Binary
from bench.servers.hosts import Host, hosts
from bench.servers.local import LocalServer

FAILOVER_SECONDS = 30.0
"""The longest that a new primary may take."""
_POLL_SECONDS = 0.02
T = TypeVar("T")
M = TypeVar("M", bound=LocalServer)


class Cluster(ABC):
    """What the layouts have in common. Every method is bounded in time and raises `Failed`."""

    kind: str
    faultable = True
    host_count: int
    """Hosts of its members."""
    silence_seconds = 0.0
    """How long a primary has to be lost before `promote` is called for."""

    def __init__(self, binary: Binary, folder: Path, settings: Mapping[str, str]) -> None:
        self.way = binary.way
        self.binary = binary
        self.folder = folder
        self.settings = settings
        self.members: dict[str, LocalServer] = {}
        """By name, in the order in which they are started; each has its `host`."""
        self.hosts = hosts(self.host_count + 2)
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def build(self) -> None:
        """Start the members, each by `add`, and wait until they act as one."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect: it leads to whoever is primary, also after a failover."""

    @property
    def replica_url(self) -> str | None:
        """Where clients connect who read from a replica; None: the layout has none for that."""
        return None

    @abstractmethod
    def primary(self) -> str:
        """Name the member that the majority takes for primary now. Raises Failed: none."""

    @abstractmethod
    def settled(self) -> bool:
        """Whether exactly one member is primary, and every other replicates from it in step."""

    @property
    @abstractmethod
    def joining(self) -> Mapping[str, str]:
        """Settings by which members act as one, beside the profile's: as they are to read back."""

    @abstractmethod
    def read_joining(self) -> Sequence[Mapping[str, str]]:
        """Read these, and what else says how members act as one, from each that is to have them."""

    def joined(self) -> Mapping[str, str]:
        """Read back how the members act as one. Raises Failed: it isn't in force with some."""
        first, *others = self.read_joining()
        for name, wanted in {**first, **self.joining}.items():
            found = [one.get(name) for one in (first, *others)]
            if found != [wanted] * len(found):
                raise Failed(f"{self.kind}: {name} is {found} with its members, not {wanted!r}")
        return first

    def promote(self, lost: str) -> None:  # noqa: B027 - most systems elect by themselves
        """Make another primary in place of `lost`, where the system doesn't do so itself."""

    def rejoin(self, old: str) -> None:  # noqa: B027 - most systems bring them back themselves
        """Have a primary that was cut off or killed follow the new one, once it is reached again.

        Where the system doesn't do so itself; `wait_until_settled` comes after.
        """

    @property
    def app_hosts(self) -> tuple[Host, Host]:
        """Two hosts for app instances: one stays with the majority, one goes with a primary."""
        with_majority, with_primary = self.hosts.all[self.host_count :]
        return with_majority, with_primary

    def add(self, name: str, make: Callable[[Path], M]) -> M:
        """Start a member on a folder of its own."""
        folder = self.folder / name
        folder.mkdir()
        self.members[name] = member = make(folder)
        return member

    def cut_off(self, name: str) -> int:
        """Part a member's host, and the app host that goes with it, from all others.

        Gives the instant.
        """
        return self.hosts.cut([self.members[name].host, self.app_hosts[1]])

    def has_new_primary(self, old: str) -> bool:
        """Whether the majority takes another than `old` for primary."""
        try:
            return self.primary() != old
        except Failed:
            return False

    def wait_for_new_primary(self, old: str) -> None:
        """Wait until another than `old` is primary, and would stay so when `old` is back."""
        until(lambda: self.has_new_primary(old) or None, f"{self.kind} had no primary but {old}")

    def wait_until_settled(self) -> None:
        """Wait until one is primary and all follow it: after a heal, when all have caught up."""
        until(lambda: self.settled() or None, f"the members of {self.kind} did not agree")

    def version(self) -> str:
        """Ask the first member."""
        return next(iter(self.members.values())).version()

    def pids(self) -> Sequence[int]:
        """Give the processes of all members."""
        return guardian.members(self.folder)

    def check(self) -> str | None:
        """Run every member's own integrity check."""
        found = [f"{name}: {said}" for name, one in self.members.items() if (said := one.check())]
        return "; ".join(found) or None

    def stop(self) -> None:
        """Stop every member, those that watch or follow before those that they follow."""
        for member in reversed(self.members.values()):
            member.stop()

    def kill(self) -> None:
        """SIGKILL every process of every member at once."""
        guardian.kill(self.folder)

    def restart(self) -> None:
        """Start every member that is down, on its data, and wait until they act as one."""
        for member in self.members.values():
            if not member.pids():
                member.restart()
        self.wait_until_settled()

    def close(self) -> None:
        """End all members, remove the folder, and give the hosts up."""
        for member in self.members.values():
            member.close()
        guardian.end(self.folder)
        self.hosts.close()


def until(ask: Callable[[], T | None], complaint: str, seconds: float = FAILOVER_SECONDS) -> T:
    """Ask until something else than None comes back. Raises Failed, with the last error."""
    deadline = time.monotonic() + seconds
    while True:
        last = ""
        try:
            if (answer := ask()) is not None:
                return answer
        except Failed as error:
            last = f": {error}"
        if time.monotonic() > deadline:
            raise Failed(f"{complaint} within {seconds:.0f} s{last}")
        time.sleep(_POLL_SECONDS)
