"""Hosts made of network namespaces on a bridge, and a Dask cluster with a worker on each."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.workspace import Workspace

BOOTED_APART_SECONDS = 1_000_000
"""By how much the clock of the second host is ahead of all others."""


@dataclass(frozen=True)
class Network:
    """A bridge with this machine on it, and hosts that see nothing but the bridge."""

    address: str
    """Of this machine."""
    hosts: Sequence[str]
    """Names of network namespaces."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def network(hosts: int) -> Iterator[Network]:
    """Make the namespaces, and remove them. Needs root."""
    name = f"rw{secrets.token_hex(3)}"
    # RFC 2544 reserves 198.18.0.0/15 for benchmarks inside a laboratory: no route leads there.
    before = f"198.19.{secrets.randbelow(256)}"
    made = Network(f"{before}.1", [f"{name}-{number}" for number in range(hosts)])
    try:
        ip("link", "add", name, "type", "bridge", "forward_delay", "0")
        ip("addr", "add", f"{made.address}/24", "dev", name)
        ip("link", "set", name, "up")
        for number, host in enumerate(made.hosts):
            ip("netns", "add", host)
            end = f"{name}v{number}"
            ip("link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("link", "set", end, "master", name, "up")
            ip("-n", host, "addr", "add", f"{before}.{10 + number}/24", "dev", "eth0")
            ip("-n", host, "link", "set", "eth0", "up")
            ip("-n", host, "link", "set", "lo", "up")
        yield made
    finally:
        for host in made.hosts:
            subprocess.run(["ip", "netns", "del", host], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)


@contextlib.contextmanager
def dask(
    workspace: Workspace,
    address: str,
    prefixes: Sequence[Sequence[str]],
    environment: Mapping[str, str] = {},
) -> Iterator[str]:
    """Start a scheduler on `address` and a worker behind each prefix; give the scheduler's URL."""
    folder = workspace.folder("dask")
    known = folder / "scheduler.json"
    # Dask's own profiler would wake every worker a hundred times a second.
    quiet = {**os.environ, "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False", **environment}
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        process = subprocess.Popen(
            words, cwd=folder, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        workspace.adopt(process.pid)
        started.append(process)

    command = [sys.executable, "-m", "dask"]
    try:
        start(
            *(*command, "scheduler", "--host", address, "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(known)),
        )
        scheduler = wait_for_address(known)
        for number, prefix in enumerate(prefixes):
            start(
                *(*prefix, *command, "worker", scheduler, "--nthreads", "1", "--no-nanny"),
                *("--no-dashboard", "--local-directory", str(folder / str(number))),
            )
        if prefixes:
            wait_for_workers(scheduler, len(prefixes))
        yield scheduler
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def apart(host: str) -> Sequence[str]:
    """Give the prefix of a command on a host whose clock is its own."""
    return (
        *("ip", "netns", "exec", host, "unshare", "--time", "--fork", "--kill-child"),
        *("--monotonic", str(BOOTED_APART_SECONDS)),
    )


def on(host: str) -> Sequence[str]:
    """Give the prefix of a command on a host."""
    return ("ip", "netns", "exec", host)


def wait_for_address(known: Path) -> str:
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(known.read_text())["address"])
        assert time.monotonic() < deadline, "the scheduler did not come up"
        time.sleep(0.05)


def wait_for_workers(scheduler: str, count: int) -> None:
    from distributed import Client  # noqa: PLC0415 - takes a second

    with Client(scheduler, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=120)
