"""A server kept to a share of one core, so that it, and not whoever loads it, is the limit.

Python costs more a call than a vendor's tool in C. On a machine that clients and server share, the
tool is therefore always ahead, and two rates say who spends less and nothing of what the store can
do. Where the server is the limit, all clients must find the same.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from bench import cgroup
from bench.errors import Missing

PERIOD_US = 4_000
"""Short beside the bound that a capacity is searched under: the server stands still for the rest of
each."""
GONE_SECONDS = 5.0
"""For processes that are ending to leave the group."""
NEEDS = "a process can be limited as root, with control groups of version 1"


def confined(pids: Sequence[int], cores: float) -> AbstractContextManager[None]:
    """Keep processes, and the children they start from now on, to `cores` until the block ends.

    Raises Missing where this machine has no control group for it.
    """
    quota_us = round(PERIOD_US * cores)
    limits = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota_us)}
    return limited("cpu", limits, pids)


@contextmanager
def limited(controller: str, limits: Mapping[str, str], pids: Sequence[int]) -> Iterator[None]:
    """Keep processes in a control group with `limits`, file -> content, until the block ends.

    Raises Missing.
    """
    home = cgroup.own(controller)
    group = home / f"refreshbench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise Missing(f"{home} takes no group of ours: {error.strerror}; {NEEDS}") from error
    try:
        for name, content in limits.items():
            if not (group / name).exists():
                raise Missing(f"{home} has no {name}; {NEEDS}")
            (group / name).write_text(content)
        for pid in pids:
            _move(pid, group)
        yield
    finally:
        _dissolve(group, home)


def _dissolve(group: Path, home: Path) -> None:
    """Put all back where they were, and those that they start or that end meanwhile."""
    give_up = time.monotonic() + GONE_SECONDS
    while True:
        for left in (group / "cgroup.procs").read_text().split():
            _move(int(left), home)
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > give_up:
                raise
        time.sleep(0.01)


def _move(pid: int, group: Path) -> None:
    with suppress(ProcessLookupError):
        (group / "cgroup.procs").write_text(str(pid))
