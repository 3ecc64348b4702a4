"""Counts fsyncs of processes from outside, in the kernel: no server is asked, none is slowed down.

Every file system has a tracepoint that fsync(2), fdatasync(2) and synchronous writes pass through.
A counting perf event on it (perf_event_open(2)) costs only those calls something, where a
tracepoint of system calls would cost every call of every process. It needs CAP_PERFMON, which root
has. The number of a tracepoint is read from tracefs, mounted out of everyone's sight if need be.
"""

import contextlib
import ctypes
import functools
import os
import platform
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

TRACEFS = Path("/sys/kernel/tracing")
TRACEPOINTS = (
    "ext4/ext4_sync_file_enter", "xfs/xfs_file_fsync", "xfs/xfs_dir_fsync", "btrfs/btrfs_sync_file",
    "f2fs/f2fs_sync_file_enter",
)  # fmt: skip
"""Where each file system enters a sync of a file or folder, once a call."""

_SYSCALL = {"x86_64": 298, "aarch64": 241}
_TYPE_TRACEPOINT = 2
_ATTR_BYTES = 64
_INHERIT = 1 << 1
_CLOEXEC = 8


class Unavailable(Exception):
    """fsyncs can't be counted here; the message is the reason."""


class FsyncCounter:
    """Counts the fsyncs of processes, and of all threads and children they start meanwhile."""

    def __init__(self, pids: Iterable[int]) -> None:
        """Start counting. Raises Unavailable."""
        numbers = _tracepoints()
        self._events: list[int] = []
        try:
            _keep(numbers)
            for thread in _threads(pids):
                for number in numbers:
                    # A thread may end before it is looked at.
                    with contextlib.suppress(ProcessLookupError):
                        self._events.append(_open(number, thread))
        except OSError as error:
            self.close()
            raise Unavailable(
                f"the kernel lets nobody count them here ({error.strerror}): run as root, or with"
                " CAP_PERFMON"
            ) from error

    def count(self) -> int:
        """Give the fsyncs since the start."""
        return sum(int.from_bytes(os.read(event, 8), "little") for event in self._events)

    def close(self) -> None:
        """Stop counting."""
        while self._events:
            os.close(self._events.pop())


def _threads(pids: Iterable[int]) -> Sequence[int]:
    threads: list[int] = []
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            threads += [int(task.name) for task in os.scandir(f"/proc/{pid}/task")]
    return threads


@functools.cache
def _keep(tracepoints: tuple[int, ...]) -> None:
    """Hold an event on each, of a thread of ours, as long as we live. Raises OSError.

    When the last event on a tracepoint is closed, the kernel waits 0.1 s for all CPUs to forget it.
    """
    for tracepoint in tracepoints:
        _open(tracepoint, 0)


def _open(tracepoint: int, thread: int) -> int:
    """Open a counting event on one thread, any CPU. Raises OSError."""
    attributes = struct.pack(
        "=IIQQQQQ", _TYPE_TRACEPOINT, _ATTR_BYTES, tracepoint, 0, 0, 0, _INHERIT
    ).ljust(_ATTR_BYTES, b"\0")
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise OSError(0, f"unknown on {platform.machine()}")
    event = int(_libc().syscall(number, attributes, thread, -1, -1, _CLOEXEC))
    if event < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return event


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def _tracepoints() -> tuple[int, ...]:
    """Give the numbers of those of `TRACEPOINTS` that this kernel has. Raises Unavailable."""
    told = _told_by(["sh", "-c", _CAT]) or _told_by(["unshare", "--mount", "sh", "-c", _MOUNTED])
    if not told:
        raise Unavailable(
            "the kernel shows no tracepoint to count them by (tracefs): run as root, on ext4, XFS,"
            " Btrfs or F2FS"
        )
    return tuple(told)


_CAT = f"cat {' '.join(str(TRACEFS / 'events' / name / 'id') for name in TRACEPOINTS)}"
_MOUNTED = f"mount -t tracefs none {TRACEFS} && {_CAT}"


def _told_by(command: Sequence[str]) -> Sequence[int]:
    try:
        # A file that isn't there is a file system that the kernel doesn't have.
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return []
    return [int(line) for line in done.stdout.split()]
