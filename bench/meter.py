"""What a server costs while it is measured: CPU time and memory, read from outside.

CPU time comes from each process's own CPU clock (clock_getcpuclockid(3)), which counts in ns and
keeps the time of threads that have ended; /proc/PID/stat counts in ticks of 10 ms.
"""

import time
from collections.abc import Sequence

import psutil

_CPUCLOCK_SCHED = 2


def cpu_ns(pids: Sequence[int]) -> int:
    """Give the CPU time that the processes have used so far; one that has ended counts nothing."""
    return sum(_cpu_ns(pid) for pid in pids)


def memory_bytes(pids: Sequence[int]) -> int:
    """Give the resident memory of the processes, pages that they share counted once (PSS)."""
    return sum(_memory_bytes(pid) for pid in pids)


def _cpu_ns(pid: int) -> int:
    # The kernel's encoding of a process's clock, which is what clock_getcpuclockid returns.
    try:
        return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:
        return 0


def _memory_bytes(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        try:
            return int(process.memory_full_info().pss)
        except psutil.AccessDenied:
            return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
