"""The machine a run was made on, as far as it may explain the figures.

Everything here may be shown around: no host name, user name, address or path of anyone's is
collected. `collect` measures and reads; `warnings` and `differences` are pure.
"""

import contextlib
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench import cgroup
from bench.record import Record

DISTRIBUTIONS = (
    "refreshbench", "redis", "hiredis", "psycopg", "psycopg-binary", "sqlalchemy", "pymongo",
    "pyjwt", "cryptography", "numpy",
)  # fmt: skip
"""Whose versions can change a figure."""

FSYNCS = 50
FSYNC_SECONDS = 1.0
"""At most so long is spent on measuring fsync: a slow disk shows after a few."""

LYING_FSYNC_NS = 20_000
"""No device with a durable cache answers a flush faster; one that does has not flushed."""


LEAST_MEMORY_BYTES = LEAST_FREE_BYTES = 2 << 30

GOOD_CLOCKS = ("tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page")
"""Read in user space, in some 20 ns."""


class Cpu(Record):
    """Processors."""

    model: str
    cores: int
    """Logical, of the machine."""
    usable: float
    """As many as this process may use: affinity and cgroup quota."""
    governor: str | None
    """Frequency governor of the first core; None where the kernel shows none (virtual machines)."""
    turbo: bool | None = None
    """Whether it may clock up while it is cool; None where the kernel doesn't say."""
    smt: bool | None = None
    """Whether two of the logical cores may be one; None where the kernel doesn't say."""


class Memory(Record):
    """Main memory and swap."""

    total_bytes: int
    available_bytes: int
    limit_bytes: int | None
    """Of the cgroup; None if it has none."""
    swap_used_bytes: int
    huge_pages: str | None = None
    """Transparent huge pages: always, madvise or never."""


class Scratch(Record):
    """The folder that servers and files get their data folders in."""

    file_system: str
    fsync_ns: int | None
    """Median of writing 4 KiB and fsync; None if it can't be written."""
    free_bytes: int | None = None


class Environment(Record):
    """`environment` of `run.json`."""

    cpu: Cpu
    memory: Memory
    scratch: Scratch
    load_average: tuple[float, float, float]
    """Over 1, 5 and 15 minutes, before the run."""
    kernel: str
    system: str
    """The distribution, as it calls itself."""
    container: str | None
    clock_source: str | None
    python: str
    versions: dict[str, str]
    """Distribution, or library, -> version."""
    git_commit: str | None
    """Of refreshbench itself, when it runs from a checkout; `-dirty` with changes on top."""


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


def warnings(environment: Environment) -> Sequence[str]:
    """Say what on this machine spoils figures, and what to do about it."""
    return [
        *_about_processors(environment),
        *_about_memory(environment.memory),
        *_about_disk(environment.scratch),
    ]


def _about_processors(environment: Environment) -> Iterator[str]:
    """Warn of what makes a core faster or slower by itself."""
    cpu = environment.cpu
    if cpu.governor not in {None, "performance"}:
        yield (
            f"the CPU governor is {cpu.governor!r}, so speed depends on load:"
            " sudo cpupower frequency-set -g performance"
        )
    if environment.load_average[0] > cpu.cores / 2:
        yield (
            f"the load average is {environment.load_average[0]:.1f} on {cpu.cores} cores:"
            " end other work, or wait, and run again"
        )
    if cpu.usable < 2:  # noqa: PLR2004 - one for the clients, one for the server
        yield (
            f"only {cpu.usable:g} core may be used, so clients and server wait for each other:"
            " use a machine with two or more"
        )
    if cpu.turbo and not environment.container:
        yield (
            "turbo is on, so speed depends on how warm the CPU is: turn it off"
            " (intel_pstate/no_turbo or cpufreq/boost in /sys/devices/system/cpu), or compare"
            " inside one run alone"
        )
    if cpu.smt:
        yield (
            "SMT is on, so two of the cores may be halves of one: nosmt on the kernel's command"
            " line, or compare inside one run alone"
        )
    if environment.clock_source not in {None, *GOOD_CLOCKS}:
        yield (
            f"the clock source is {environment.clock_source!r}, which a reading takes a system call"
            " for: boot with clocksource=tsc, if the machine has a stable one"
        )


def _about_memory(memory: Memory) -> Iterator[str]:
    """Warn of what memory is short of."""
    if memory.swap_used_bytes > memory.total_bytes // 100:
        yield f"{memory.swap_used_bytes >> 20} MiB are swapped out: end what needs the memory"
    if memory.limit_bytes is not None and memory.limit_bytes < LEAST_MEMORY_BYTES:
        yield (
            f"this container may use {memory.limit_bytes >> 20} MiB of memory, less than a run with"
            " every server needs: raise its limit to 2 GiB or more"
        )
    if memory.huge_pages == "always":
        yield (
            "transparent huge pages are always on, so a fork of Redis copies 2 MiB for each write:"
            " echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
        )


def _about_disk(scratch: Scratch) -> Iterator[str]:
    """Warn of a disk that is none, lies, or is full."""
    if scratch.free_bytes is not None and scratch.free_bytes < LEAST_FREE_BYTES:
        yield (
            f"only {scratch.free_bytes >> 20} MiB are free where data folders go: make room, or set"
            " REFRESHBENCH_SCRATCH to a folder with 2 GiB"
        )
    if scratch.file_system in {"tmpfs", "ramfs"}:
        yield (
            f"data folders are on {scratch.file_system}, where fsync costs nothing, so durable"
            " profiles look faster than they are: set REFRESHBENCH_SCRATCH to a folder on a disk"
        )
    elif scratch.fsync_ns is not None and scratch.fsync_ns < LYING_FSYNC_NS:
        yield (
            f"this disk answers fsync in {scratch.fsync_ns / 1000:.0f} µs, so it may lie and"
            " durable profiles look faster than they are: set REFRESHBENCH_SCRATCH to a folder on"
            " another disk"
        )


def differences(before: Environment, now: Environment) -> Sequence[str]:
    """Say what makes trials of the two not comparable."""
    return list(differing(before, now).values())


def differing(before: Environment, now: Environment) -> Mapping[str, str]:
    """Give the same by name: hardware, kernel, Python, drivers and servers."""
    pairs = {
        "CPU": (before.cpu.model, now.cpu.model),
        "cores": (before.cpu.cores, now.cpu.cores),
        "usable cores": (before.cpu.usable, now.cpu.usable),
        "CPU governor": (before.cpu.governor, now.cpu.governor),
        "kernel": (before.kernel, now.kernel),
        "Python": (before.python, now.python),
        "file system": (before.scratch.file_system, now.scratch.file_system),
    } | {
        name: (before.versions.get(name), now.versions.get(name))
        for name in sorted(before.versions.keys() | now.versions.keys())
    }
    return {name: f"{name} was {a}, is {b}" for name, (a, b) in pairs.items() if a != b}


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
