"""What a container may use: the CPU and memory limits of this process's control groups.

Of version 2 (cgroups(7)) and of version 1; a group's limit holds for all below it, so the
narrowest from this process's own group up to the root is the one in force.
"""

from collections.abc import Iterator
from pathlib import Path

_UNLIMITED_BYTES = 1 << 60
"""Version 1 writes "no limit" as a number near 2^63."""


def cores(root: Path = Path("/")) -> float | None:
    """Give how many cores' worth of time may be used; None if there is no limit."""
    found = []
    for group in _groups(root, "cpu"):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        if not quota:
            quota = _text(group / "cpu.cfs_quota_us")
            period = _text(group / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():
            found.append(int(quota) / int(period))
    return min(found, default=None)


def memory_bytes(root: Path = Path("/")) -> int | None:
    """Give how much memory may be used; None if there is no limit."""
    found = []
    for group in _groups(root, "memory"):
        limit = _text(group / "memory.max") or _text(group / "memory.limit_in_bytes")
        if limit.isdecimal() and int(limit) < _UNLIMITED_BYTES:
            found.append(int(limit))
    return min(found, default=None)


def own(controller: str) -> Path:
    """Give the folder of the group that this process is in, by a controller of version 1."""
    return next(_groups(Path("/"), controller))


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Give the folders of this process's groups, each before those that it is in."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / controllers
        group = top / name.strip("/")
        yield group
        yield from (above for above in group.parents if above.is_relative_to(top))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
