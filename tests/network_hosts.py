"""A Dask cluster with a worker on each of several hosts, one of which has a clock of its own."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from backends import Subject
from bench.servers.hosts import Host, NamespaceHosts
from bench.workspace import Workspace

BOOTED_APART_SECONDS = 1_000_000
"""By how much the clock of the second host is ahead of all others."""


def address(hosts: NamespaceHosts) -> str:
    """Give the address of this machine on the hosts' bridge."""
    return f"{hosts.all[0].address.rpartition('.')[0]}.1"


def listening(hosts: NamespaceHosts, redis: Subject) -> Mapping[str, str]:
    """Give the settings of a Redis that the hosts can reach."""
    bind = f"127.0.0.1 {address(hosts)}"
    return {**redis.profile.server, "bind": bind, "protected-mode": "no"}


@contextlib.contextmanager
def dask(
    workspace: Workspace,
    host: str,
    prefixes: Sequence[Sequence[str]],
    environment: Mapping[str, str] = {},
) -> Iterator[str]:
    """Start a scheduler on address `host`, and a worker behind each prefix; give its URL."""
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
            *(*command, "scheduler", "--host", host, "--port", "0", "--no-dashboard"),
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
        # Asked to end, a worker would wait for its scheduler, and `unshare` wouldn't listen.
        for process in started:
            process.kill()
            process.wait()


def apart(host: Host) -> Sequence[str]:
    """Give the prefix of a command on a host whose clock is its own."""
    return (
        *(*host.prefix, "unshare", "--time", "--fork", "--kill-child"),
        *("--monotonic", str(BOOTED_APART_SECONDS)),
    )


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
