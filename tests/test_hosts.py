"""Hosts: who reaches whom, before a cut, during it and after; and what is left of them: nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import namespaces
from bench.errors import Failed
from bench.load.workers import workers
from bench.servers.hosts import HERE, Hosts, LoopbackHosts, NamespaceHosts, hosts, reaches

OWNER = """
import time
from bench.servers.hosts import NamespaceHosts
made = NamespaceHosts(3)
print(made.link, flush=True)
time.sleep(60)
"""


@pytest.fixture
def three() -> Hosts:
    made = hosts(3)
    if made.uncut is not None:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail(f"namespaces are required: {made.uncut}")
        pytest.skip(f"no namespaces here: {made.uncut}")
    return made


def test_a_cut_parts_both_sides_silently_and_only_them(three: Hosts) -> None:
    """Across the cut nothing is answered, not even refused; inside each side all is as before."""
    first, second, third = three.all
    with three:
        assert all(reaches(one, other) for one in three.all for other in three.all if one != other)
        three.cut([first, second])
        with first.socket() as asking:
            asking.settimeout(0.2)
            with pytest.raises(TimeoutError):
                asking.connect((third.address, 9))
        assert not reaches(third, first)
        assert not reaches(HERE, second)
        assert reaches(first, second)
        assert reaches(HERE, third)
        three.heal()
        assert reaches(first, third)
        assert reaches(third, first)


def test_a_cut_that_did_not_happen_is_an_error(
    three: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look afterwards catches it: otherwise a trial would pass for want of a fault."""
    with three:
        monkeypatch.setattr(NamespaceHosts, "_ip", lambda *_: None)
        with pytest.raises(Failed, match="still reaches it"):
            three.cut(three.all[:1])


def test_a_worker_lives_on_its_host(three: Hosts) -> None:
    """What a worker connects to, it connects to from there."""
    with three, workers(1, namespace=three.all[0].namespace) as [worker]:
        assert worker.call(_own_address, three.all[1].address) == three.all[0].address


def test_two_runs_at_once_get_networks_of_their_own(three: Hosts) -> None:
    """Addresses don't collide, and neither run reaches the other's hosts by its own names."""
    with three, hosts(1) as other:
        [stranger] = other.all
        assert stranger.address not in {host.address for host in three.all}
        assert not reaches(three.all[0], stranger)


def test_nothing_is_left_when_the_owner_is_killed(three: Hosts) -> None:
    """SIGKILL: the kernel itself removes namespaces, bridges and veths."""
    three.close()
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        link = owner.stdout.readline().strip()
        assert link in _links()
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while link in _links():
        assert time.monotonic() < deadline, f"{link} outlives its owner"
        time.sleep(0.05)


def test_without_root_hosts_are_loopback_and_say_that_they_cannot_be_parted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has an address of its own; a cut is refused, with the reason."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with hosts(2) as made:
        assert isinstance(made, LoopbackHosts)
        assert made.uncut == "not root"
        first, second = made.all
        assert first.address != second.address
        assert reaches(first, second)
        assert first.prefix == ()
        with pytest.raises(Failed, match="not root"):
            made.cut([first])


def test_a_thread_that_entered_a_namespace_is_used_for_nothing_else(three: Hosts) -> None:
    """The caller stays where it is, whatever sockets it has made elsewhere."""
    with three:
        here = Path("/proc/thread-self/ns/net").readlink()
        namespaces.socket_in(three.all[0].namespace).close()
        assert Path("/proc/thread-self/ns/net").readlink() == here


def _own_address(other: str) -> str:
    from socket import AF_INET, SOCK_DGRAM, socket  # noqa: PLC0415 - runs in the worker

    with socket(AF_INET, SOCK_DGRAM) as asking:
        asking.connect((other, 9))
        return str(asking.getsockname()[0])


def _links() -> frozenset[str]:
    shown = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True).stdout
    return frozenset(link["ifname"] for link in json.loads(shown))
