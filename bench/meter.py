"""What a server costs while it is measured: CPU time and memory, read from outside.

CPU time comes from each process's own CPU clock (clock_getcpuclockid(3)), which counts in ns and
keeps the time of threads that have ended; /proc/PID/stat counts in ticks of 10 ms.
"""

import time
from collections.abc import Iterable, Mapping, Sequence

import psutil

_CPUCLOCK_SCHED = 2


def cpu_ns(pids: Iterable[int]) -> Mapping[int, int]:
    """Give the CPU time that each process has used so far; one that has ended isn't in it."""
    found = ((pid, _cpu_ns(pid)) for pid in pids)
    return {pid: used_ns for pid, used_ns in found if used_ns is not None}


def spent_ns(before: Mapping[int, int], after: Mapping[int, int]) -> int:
    """Give the CPU time spent between two readings.

    A process that came meanwhile counts from its start. What one that went meanwhile had used
    before is in no difference; what it used since, nobody can read any more.
    """
    return sum(used_ns - before.get(pid, 0) for pid, used_ns in after.items())


def memory_bytes(pids: Sequence[int]) -> int:
    """Give the resident memory of the processes, pages that they share counted once (PSS)."""
    return sum(_memory_bytes(pid) for pid in pids)


def _cpu_ns(pid: int) -> int | None:
    # The kernel's encoding of a process's clock, which is what clock_getcpuclockid returns.
    try:
        return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:
        return None


def _memory_bytes(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        try:
            return int(process.memory_full_info().pss)
        except psutil.AccessDenied:
            return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
