"""What processes cost while something is measured: CPU, memory, disk and fsyncs, from outside.

CPU time comes from each process's own CPU clock (clock_getcpuclockid(3)), which counts in ns and
keeps the time of threads that have ended; /proc/PID/stat counts in ticks of 10 ms. Nothing is read
while the measuring goes on: the kernel counts by itself, and is asked before and after.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.fsyncs import FsyncCounter, Unavailable
from scenarios.cost import Figure

_CPUCLOCK_SCHED = 2
_TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
NOT_READABLE = "the processes belong to another user, who alone may read their disk writes"


@dataclass(slots=True)
class Spent:
    """What the processes of a `metered` block spent in it; filled in at its end."""

    seen: bool = False
    """Whether there was a process to look at, at the end."""
    cpu_ns: int = 0
    memory_bytes: int = 0
    """Resident at the end, pages that they share counted once."""
    written_bytes: int | None = None
    """Pages made dirty on a file system with a disk."""
    fsyncs: int | None = None
    missing: dict[Figure, str] = field(default_factory=dict)
    """Figure that can't be had -> the reason."""


@contextlib.contextmanager
def metered(pids: Callable[[], Sequence[int]], *, disk: bool = True) -> Iterator[Spent]:
    """Meter processes, those that come meanwhile included.

    CPU of one that goes is known to whoever waited for it, in ticks of 10 ms, and lost if that is
    none of them. Without `disk`, for processes that keep nothing, writes and fsyncs are left out.
    """
    spent = Spent()
    counter: FsyncCounter | None = None
    at_first = pids()
    try:
        counter = FsyncCounter(at_first) if disk else None
    except Unavailable as error:
        spent.missing["fsyncs"] = str(error)
    try:
        written = written_bytes(at_first) if disk else {}
        gone_before = _of_ended_children_ns(at_first)
        # Last before the block, and first after it: what the rest costs is none of theirs.
        used = cpu_ns(at_first)
        fsyncs = counter.count() if counter else None
        yield spent
        now_used = cpu_ns(used)
        gone = _of_ended_children_ns(at_first) - gone_before
        if counter is not None and fsyncs is not None:
            spent.fsyncs = counter.count() - fsyncs
    finally:
        if counter is not None:
            counter.close()
    at_last = pids()
    came = cpu_ns([pid for pid in at_last if pid not in used])
    spent.seen = bool(at_last)
    # What they had used before isn't of the block.
    gone -= sum(ns for pid, ns in used.items() if pid not in now_used)
    spent.cpu_ns = spent_between(used, {**now_used, **came}) + max(gone, 0)
    spent.memory_bytes = memory_bytes(at_last)
    if disk and (now_written := written_bytes(at_last)):
        spent.written_bytes = spent_between(written, now_written)
    elif disk:
        spent.missing["written_bytes"] = NOT_READABLE


def cpu_ns(pids: Iterable[int]) -> Mapping[int, int]:
    """Give the CPU time that each process has used so far; one that has ended isn't in it."""
    return _read(pids, _cpu_ns)


def written_bytes(pids: Iterable[int]) -> Mapping[int, int]:
    """Give what each process had written to disks so far; one that may not be read isn't in it."""
    return _read(pids, _written_bytes)


def spent_between(before: Mapping[int, int], after: Mapping[int, int]) -> int:
    """Give what was spent between two readings.

    A process that came meanwhile counts from its start. What one that went meanwhile had used
    before is in no difference; what it used since, nobody can read any more.
    """
    return sum(used - before.get(pid, 0) for pid, used in after.items())


def memory_bytes(pids: Sequence[int]) -> int:
    """Give the resident memory of the processes, pages that they share counted once (PSS)."""
    return sum(_memory_bytes(pid) for pid in pids)


def _read(pids: Iterable[int], read: Callable[[int], int | None]) -> Mapping[int, int]:
    found = ((pid, read(pid)) for pid in pids)
    return {pid: value for pid, value in found if value is not None}


def _cpu_ns(pid: int) -> int | None:
    # The kernel's encoding of a process's clock, which is what clock_getcpuclockid returns.
    try:
        return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:
        return None


def _of_ended_children_ns(pids: Iterable[int]) -> int:
    """Give the CPU time of all children that these processes have waited for so far."""
    return sum(_read(pids, _waited_for_ns).values())


def _waited_for_ns(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # cutime and cstime of proc_pid_stat(5); before them the program's name, which may hold spaces.
    user, system = stat.rpartition(")")[2].split()[13:15]
    return (int(user) + int(system)) * _TICK_NS


def _written_bytes(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


def _memory_bytes(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        try:
            return int(process.memory_full_info().pss)
        except psutil.AccessDenied:
            return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
