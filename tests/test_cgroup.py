"""Limits of a container, from made-up control groups."""

from pathlib import Path

import pytest

from bench import cgroup


def root(tmp_path: Path, membership: str, files: dict[str, str]) -> Path:
    """Make a file system that holds nothing but control groups."""
    for name, text in {"proc/self/cgroup": membership, **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return tmp_path


@pytest.mark.parametrize("membership", ["0::/", "0::/pod/app"])
def test_version_two(tmp_path: Path, membership: str) -> None:
    """The narrowest of the own group and those above it."""
    files = {
        "sys/fs/cgroup/cpu.max": "150000 100000",
        "sys/fs/cgroup/memory.max": "max",
        "sys/fs/cgroup/pod/app/cpu.max": "max 100000",
        "sys/fs/cgroup/pod/memory.max": "1073741824",
    }
    made = root(tmp_path, membership, files)
    assert cgroup.cores(made) == 1.5
    assert cgroup.memory_bytes(made) == (1 << 30 if "pod" in membership else None)


def test_version_one(tmp_path: Path) -> None:
    """Each controller has a tree of its own; a number near 2^63 is no limit."""
    files = {
        "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us": "50000",
        "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us": "100000",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
    }
    made = root(tmp_path, "4:memory:/docker/1\n1:cpu,cpuacct:/docker/1", files)
    assert cgroup.cores(made) == 0.5
    assert cgroup.memory_bytes(made) is None


def test_no_control_groups(tmp_path: Path) -> None:
    """Nothing there, nothing limited."""
    assert cgroup.cores(tmp_path) is None
    assert cgroup.memory_bytes(tmp_path) is None
