"""Looks at this machine, for the record and for `doctor`."""

import contextlib
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench import cgroup
from bench.environment import Cpu, Environment, Memory, Scratch

DISTRIBUTIONS = (
    "refreshbench", "redis", "hiredis", "psycopg", "psycopg-binary", "sqlalchemy", "pymongo",
    "pyjwt", "cryptography", "numpy",
)  # fmt: skip
"""Whose versions can change a figure."""

FSYNCS = 50
FSYNC_SECONDS = 1.0
"""At most so long is spent on measuring fsync: a slow disk shows after a few."""


def collect(scratch: Path) -> Environment:
    """Look at this machine, and measure fsync in `scratch`; takes a second at most."""
    return Environment(
        cpu=_cpu(),
        memory=_memory(),
        scratch=Scratch(
            file_system=file_system(scratch),
            fsync_ns=fsync_ns(scratch),
            free_bytes=shutil.disk_usage(scratch).free,
        ),
        load_average=os.getloadavg(),
        kernel=platform.release(),
        system=_system(),
        container=_container(),
        clock_source=_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions=_versions(),
        git_commit=_git_commit(Path(__file__).parents[1]),
    )


def file_system(folder: Path) -> str:
    """Name the type of file system that `folder` is on."""
    target = folder.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if target.is_relative_to(m.mountpoint)]
    # Of several mounts on one point the last is the one in force.
    return max(reversed(mounts), key=lambda m: len(m.mountpoint)).fstype if mounts else "unknown"


def fsync_ns(folder: Path) -> int | None:
    """Measure the median of appending 4 KiB and fsync, in ns; None if it can't be done."""
    taken: list[int] = []
    block = bytes(4096)
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            stop = time.monotonic() + FSYNC_SECONDS
            while len(taken) < FSYNCS and time.monotonic() < stop:
                start = time.perf_counter_ns()
                file.write(block)
                os.fsync(file.fileno())
                taken.append(time.perf_counter_ns() - start)
    except OSError:
        return None
    return int(statistics.median(taken))


def _cpu() -> Cpu:
    info = _line("/proc/cpuinfo", "model name") or _line("/proc/cpuinfo", "Model")
    cores = os.cpu_count() or 1
    usable: float = len(os.sched_getaffinity(0))
    usable = min(usable, cgroup.cores() or usable)
    # Intel's driver says "no turbo", the others "boost".
    no_turbo = _line("/sys/devices/system/cpu/intel_pstate/no_turbo")
    boost = _line("/sys/devices/system/cpu/cpufreq/boost")
    smt = _line("/sys/devices/system/cpu/smt/active")
    return Cpu(
        model=info or platform.processor() or platform.machine(),
        cores=cores,
        usable=usable,
        governor=_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        turbo=no_turbo == "0" if no_turbo else boost == "1" if boost else None,
        smt=smt == "1" if smt else None,
    )


def _memory() -> Memory:
    memory = psutil.virtual_memory()
    return Memory(
        total_bytes=memory.total,
        available_bytes=memory.available,
        limit_bytes=cgroup.memory_bytes(),
        swap_used_bytes=psutil.swap_memory().used,
        huge_pages=_chosen(_line("/sys/kernel/mm/transparent_hugepage/enabled")),
    )


def _chosen(line: str | None) -> str | None:
    """Give the word in brackets, as in `always [madvise] never`."""
    return line.partition("[")[2].partition("]")[0] if line else None


def _container() -> str | None:
    """Name the kind of container this is in, from the marks that each kind leaves."""
    if Path("/.dockerenv").exists():
        return "docker"
    if Path("/run/.containerenv").exists():
        return "podman"
    return os.environ.get("container") or _line("/run/systemd/container")  # noqa: SIM112 - its name


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _versions() -> dict[str, str]:
    found = {"sqlite": sqlite3.sqlite_version}
    for name in DISTRIBUTIONS:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _git_commit(folder: Path) -> str | None:
    if not (folder / ".git").exists():
        return None
    try:
        told = subprocess.run(
            ["git", "-C", folder, "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
            capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip()


def _line(path: str, key: str | None = None) -> str | None:
    """Give the first line of a file, or what follows `key:` in it; None if there is neither."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    if key is None:
        return lines[0].strip() if lines else None
    return next(
        (v.strip() for k, _, v in (s.partition(":") for s in lines) if k.strip() == key), None
    )
