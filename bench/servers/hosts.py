"""Hosts on one machine: each a network namespace with an address of its own, on a bridge.

    host-0   host-1   host-2    here
       |        |        |       |
    ---+--------+--------+-------+--- joined      a bridge, in a namespace of its own
    --------------------------------- cut off     a second one, empty

A cut moves hosts to the second bridge. No packet is refused and no connection is reset: what was
sent is never answered, in both directions. Hosts that are cut off together still reach each other.

Needs root and `ip` (iproute2). Elsewhere hosts are loopback addresses that nothing can part; a
scenario then pauses processes instead, and says so.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Never, Self

from bench import namespaces
from bench.errors import Failed

PROBE_SECONDS = 0.3
"""A host that is joined refuses within a millisecond; one that is cut off never answers."""
_REJOIN_SECONDS = 5.0
"""A packet may have to wait for the next try to find out who has the address (ARP), 1 s."""
_IP_SECONDS = 20.0
_NETWORKS = [f"198.18.{number}" for number in range(256)]
"""RFC 2544 reserves 198.18.0.0/15 for benchmarks inside a laboratory: no route leads there."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where a server or an app instance runs."""

    name: str
    """Unique among the hosts of a trial; empty for the machine itself."""
    address: str
    namespace: Path | None = None
    """What `bench.namespaces.enter` takes; None: it has none of its own."""

    @property
    def prefix(self) -> Sequence[str]:
        """Give what comes before a command line so that it runs there; the pid stays the same."""
        return () if self.namespace is None else ("nsenter", f"--net={self.namespace}", "--")

    def socket(self) -> socket.socket:
        """Give a TCP socket that belongs to this host."""
        return namespaces.socket_in(self.namespace)


HERE = Host("", "127.0.0.1")
"""The machine itself."""


Pair = tuple[Host, Host]


class Hosts(ABC):
    """The hosts of one trial, as a context manager; they are gone when it ends."""

    all: Sequence[Host]
    uncut: str | None
    """Why `cut` is not possible, and only pauses are; None if it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give them up. Idempotent."""

    @abstractmethod
    def cut(self, hosts: Collection[Host]) -> int:
        """Part `hosts` from all others, silently, and see that it happened. Raises Failed.

        Gives the instant of the cut, CLOCK_MONOTONIC; the look takes a moment longer.
        """

    @abstractmethod
    def heal(self) -> int:
        """Join all hosts again, and see that it happened; gives the instant. Raises Failed."""


def hosts(count: int) -> Hosts:
    """Make `count` hosts: namespaces where that is possible, else loopback addresses."""
    if os.geteuid() != 0:
        return LoopbackHosts(count, "not root")
    if lacking := [tool for tool in ("ip", "nsenter") if shutil.which(tool) is None]:
        return LoopbackHosts(count, f"no {lacking[0]}")
    try:
        return NamespaceHosts(count)
    except (OSError, Failed) as error:  # root of a container that may not
        return LoopbackHosts(count, str(error))


class LoopbackHosts(Hosts):
    """Addresses of the loopback network: no root, and nothing can part them."""

    uncut: str

    def __init__(self, count: int, why: str) -> None:
        self.uncut = why
        self.all = [Host(f"host-{n}", f"127.0.0.{10 + n}") for n in range(count)]

    def close(self) -> None:
        """Nothing was made."""

    def cut(self, hosts: Collection[Host]) -> Never:
        """Not possible."""
        names = ", ".join(host.name for host in hosts)
        raise Failed(f"{names} can't be cut off here: {self.uncut}")

    def heal(self) -> int:
        """Nothing was cut."""
        return time.monotonic_ns()


class NamespaceHosts(Hosts):
    """A namespace each, joined by a bridge that is in one more. Raises OSError: not allowed."""

    uncut = None

    def __init__(self, count: int) -> None:
        self._held: list[int] = []
        self._cut: list[Host] = []
        self.link = f"rb{secrets.token_hex(5)}"
        """Here: our end of the veth to the bridge. A name has at most 15 characters."""
        try:
            self._switch = self._namespace()
            bridges = [f"link add {one} type bridge forward_delay 0" for one in _BRIDGES]
            self._ip(self._switch, *bridges, *(f"link set {one} up" for one in _BRIDGES))
            network = self._join_here()
            self.all = [
                Host(f"host-{n}", f"{network}.{10 + n}", self._namespace()) for n in range(count)
            ]
            for host in self.all:
                self._join(host)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the namespaces: the kernel removes each when its last process has ended."""
        while self._held:
            os.close(self._held.pop())

    def cut(self, hosts: Collection[Host]) -> int:
        """Move their ends of the veths to the second bridge."""
        self._cut = [host for host in self.all if host in hosts]
        self._ip(self._switch, *(f"link set {host.name} master {_CUT_OFF}" for host in self._cut))
        cut_ns = time.monotonic_ns()
        for (one, other), reached in _probed(self._across(), PROBE_SECONDS):
            if reached:
                raise Failed(f"{other.name} was cut off, and {one.name or 'here'} still reaches it")
        return cut_ns

    def heal(self) -> int:
        """Move them back."""
        healed, self._cut = self._cut, []
        self._ip(self._switch, *(f"link set {host.name} master {_JOINED}" for host in healed))
        healed_ns = time.monotonic_ns()
        for host in healed:
            # An address that was asked for in vain (ARP) is given up at once for a while.
            while not reaches(HERE, host):
                if time.monotonic_ns() > healed_ns + int(_REJOIN_SECONDS * 1e9):
                    raise Failed(f"{host.name} was joined again, and isn't reached")
        return healed_ns

    def _across(self) -> Iterator[Pair]:
        """Pairs that the cut has parted, in both directions."""
        for host in self._cut:
            yield HERE, host
            for other in self.all:
                if other not in self._cut:
                    yield host, other

    def _namespace(self) -> Path:
        self._held.append(namespaces.create())
        return Path(f"/proc/{os.getpid()}/fd/{self._held[-1]}")

    def _join_here(self) -> str:
        """Join this machine's own namespace to the bridge; gives the network that was free."""
        self._ip(None, f"link add {self.link} type veth peer name here netns {self._switch}")
        self._ip(self._switch, f"link set here master {_JOINED} up")
        self._ip(None, f"link set {self.link} up")
        for network in secrets.SystemRandom().sample(_NETWORKS, len(_NETWORKS)):
            # The kernel refuses a second route to one network: whoever is first has it.
            with contextlib.suppress(Failed):
                self._ip(None, f"route add {network}.0/24 dev {self.link}")
                self._ip(None, f"addr add {network}.1/32 dev {self.link}")
                return network
        raise Failed("every network of 198.18.0.0/16 is in use")

    def _join(self, host: Host) -> None:
        assert host.namespace is not None
        self._ip(
            self._switch,
            f"link add {host.name} type veth peer name eth0 netns {host.namespace}",
            f"link set {host.name} master {_JOINED} up",
        )
        self._ip(
            host.namespace,
            f"addr add {host.address}/24 dev eth0",
            "link set eth0 up",
            "link set lo up",
        )

    def _ip(self, namespace: Path | None, *commands: str) -> None:
        """Run ip(8) commands, in order and all at once. Raises Failed."""
        there = Host("", "", namespace)
        done = subprocess.run(
            [*there.prefix, "ip", "-batch", "-"],
            input="\n".join(commands),
            capture_output=True,
            text=True,
            check=False,
            timeout=_IP_SECONDS,
        )
        if done.returncode != 0:
            raise Failed(f"ip {commands[0]}: {' '.join(done.stderr.split())}")


_JOINED, _CUT_OFF = "joined", "cutoff"
_BRIDGES = (_JOINED, _CUT_OFF)


def reaches(one: Host, other: Host, seconds: float = PROBE_SECONDS) -> bool:
    """Whether a packet gets from `one` to `other` and back: nothing listens, so it is refused."""
    with one.socket() as asking:
        asking.settimeout(seconds)
        try:
            asking.connect((other.address, 9))  # the discard port
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True


def _probed(pairs: Iterable[Pair], seconds: float) -> Iterable[tuple[Pair, bool]]:
    """Probe all at once, since each that is cut off takes its time."""
    listed = list(pairs)
    with ThreadPoolExecutor(len(listed) or 1) as threads:
        found = list(threads.map(lambda pair: reaches(pair[0], pair[1], seconds), listed))
    return zip(listed, found, strict=True)
