"""Ends what a run left, the moment its owner is gone for whatever reason, SIGKILL included.

Run as a script, in a session of its own, by `bench.workspace`; it needs the standard library alone,
so that it starts in milliseconds. What belongs to a run is written in ledgers, one a folder, before
it is needed: `pid` with start time and program, and shared memory. A process is ended only if the
ledger names it (a recycled pid has another start time), or if it runs a program of the ledger with
its working directory inside the run's folder, as the children of a server do. Of mounts and loop
devices the kernel keeps the ledger: a run's are those on, or of a file in, its folder.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

LEDGER = "ledger.jsonl"
_GIVE_UP_SECONDS = 10.0
_STAT_BYTES = 1024
"""More than proc(5) stat has; read unbuffered, since every process's is read in every cell."""
FITHAW = 0xC0045878  # linux/fs.h
_LOOP_CLR_FD = 0x4C01  # linux/loop.h
_MNT_DETACH = 2  # umount2(2)


def note_process(folder: Path, pid: int, program: Path | None = None) -> None:
    """Write into the ledger of `folder` that process `pid` is its own.

    With `program`, so is whatever else runs that program with its working directory in `folder`.
    """
    known = {"program": str(program.resolve())} if program else {}
    _note(folder, {"pid": pid, "ticks": start_ticks(pid), **known})


def note_shared_memory(folder: Path, pid: int) -> None:
    """Write down the shared memory that `pid` maps and the kernel keeps after its end."""
    segments, files = set(), set()
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            *_, inode, name = [*line.split(maxsplit=5), ""][:6]
            if name.startswith("/SYSV"):
                segments.add(int(inode))
            elif name.startswith("/dev/shm/"):  # noqa: S108 - found there, not put there
                files.add(name.removesuffix(" (deleted)"))
    _note(folder, {"segments": sorted(segments), "files": sorted(files)})


def start_ticks(pid: int) -> int | None:
    """When `pid` started, in clock ticks since boot (proc(5)); None if it is gone."""
    known = _stat(pid)
    return known and known[1]


def members(folder: Path) -> list[int]:
    """Give the living processes that belong to `folder`, by the ledgers in and below it."""
    running = {pid: known for pid in _pids() if (known := _stat(pid))}
    named, programs = set(), set()
    for entry in _ledgers(folder):
        if "pid" in entry:
            programs.add(entry.get("program"))
            if entry["pid"] in running and running[entry["pid"]][1] == entry["ticks"]:
                named.add(entry["pid"])
    inside = f"{folder.resolve()}/"
    for pid in running:
        with contextlib.suppress(OSError):
            if f"{_link(pid, 'cwd')}/".startswith(inside) and _link(pid, "exe") in programs:
                named.add(pid)
    while children := {pid for pid in running if running[pid][0] in named} - named:
        named |= children
    return sorted(named - {os.getpid()})


def kill(folder: Path) -> None:
    """SIGKILL every process of `folder` at once, and wait until they are gone.

    All are stopped first, so that none can flush or answer while the others die. One whose parent
    dies by itself meanwhile isn't known by it any more: what was stopped is killed all the same.
    """
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    stopped: dict[int, int | None] = {}
    while fresh := set(members(folder)) - stopped.keys():
        stopped |= {pid: start_ticks(pid) for pid in fresh}
        _signal(fresh, signal.SIGSTOP)

    def alive() -> set[int]:
        known = {pid for pid, ticks in stopped.items() if ticks and start_ticks(pid) == ticks}
        return known | set(members(folder))

    while (left := alive()) and time.monotonic() < deadline:
        _signal(left, signal.SIGKILL)
        time.sleep(0.002)


def mounts(folder: Path) -> list[Path]:
    """Give what is mounted on or below `folder`, the last mounted first (proc(5): mountinfo)."""
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = (line.split(maxsplit=5)[4].encode().decode("unicode_escape") for line in table)
    return [Path(p) for p in reversed([*points]) if f"{p}/".startswith(f"{folder.resolve()}/")]


def unmount_soon(point: Path, seconds: float) -> None:
    """Unmount all that is on `point` (umount2(2)), waiting for who is about to close a file of it.

    Raises OSError: EBUSY, if one stays open.
    """
    deadline = time.monotonic() + seconds
    while point in mounts(point):
        try:
            _unmount(point)
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def thaw(point: Path) -> None:
    """Let writes to a file system go on; nothing happens to one that isn't frozen."""
    with contextlib.suppress(OSError):
        root = os.open(point, os.O_RDONLY)
        try:
            fcntl.ioctl(root, FITHAW, 0)
        finally:
            os.close(root)


def free_disks(folder: Path) -> None:
    """Unmount what is mounted below `folder`, and free loop devices with a file of it.

    Whoever still has a file open keeps it until his end, and nobody else can reach it.
    """
    for point in mounts(folder):
        try:
            unmount_soon(point, _GIVE_UP_SECONDS)
        except OSError:
            with contextlib.suppress(OSError):
                _unmount(point, _MNT_DETACH)
    for loop in loops(folder):
        with contextlib.suppress(OSError):
            device = os.open(loop, os.O_RDONLY)
            try:
                fcntl.ioctl(device, _LOOP_CLR_FD, 0)
            finally:
                os.close(device)


def loops(folder: Path) -> list[Path]:
    """Give the loop devices that are backed by a file in or below `folder`."""
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if backing.read_text(encoding="utf-8").startswith(f"{folder.resolve()}/"):
                found.append(Path("/dev") / backing.parts[-3])
    return found


def end(folder: Path) -> None:
    """Kill what belongs to `folder`, free its shared memory and disks, and remove it."""
    # A process that waits for a frozen file system can't even be killed.
    for point in mounts(folder):
        thaw(point)
    kill(folder)
    free_disks(folder)
    for entry in _ledgers(folder):
        for segment in entry.get("segments", ()):
            ctypes.CDLL(None).shmctl(segment, 0, None)  # 0 is IPC_RMID
        for name in entry.get("files", ()):
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - pathlib costs no less and says no more
    shutil.rmtree(folder, ignore_errors=True)


def _unmount(point: Path, flags: int = 0) -> None:
    if ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(point), flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal())


def _stat(pid: int) -> tuple[int, int] | None:
    """Parent and start time (proc(5): stat, fields 4 and 22); None for a zombie, which is gone."""
    try:
        # The program's name, field 2, may itself hold blanks and brackets.
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        fields = os.read(file, _STAT_BYTES).rpartition(b")")[2].split(maxsplit=20)
    except OSError:
        return None
    finally:
        os.close(file)
    return None if fields[0] in b"ZX" else (int(fields[1]), int(fields[19]))


def _link(pid: int, name: str) -> str:
    return os.readlink(f"/proc/{pid}/{name}").removesuffix(" (deleted)")  # noqa: PTH115 - cheaper


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _note(folder: Path, entry: dict[str, Any]) -> None:
    with (folder / LEDGER).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _ledgers(folder: Path) -> Iterator[dict[str, Any]]:
    # A server's folder is in the run's, a member's in its cluster's.
    for ledger in [folder / LEDGER, *folder.glob(f"*/{LEDGER}"), *folder.glob(f"*/*/{LEDGER}")]:
        with contextlib.suppress(OSError):
            for line in ledger.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # a line cut short by a kill
                    yield json.loads(line)


def _watch(folder: Path, owner: int, sockets: Path) -> None:
    """Wait until `owner` is gone, or closes our standard input, and end the run.

    An owner that goes in order says so first, and removes its `sockets` itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    waiting = select.poll()
    waiting.register(sys.stdin.fileno())
    # A process that the owner forked holds the other end of our input, so watch the owner itself.
    with contextlib.suppress(OSError):
        waiting.register(os.pidfd_open(owner))
    waiting.poll()
    end(folder)
    os.set_blocking(sys.stdin.fileno(), False)
    try:
        said = os.read(sys.stdin.fileno(), 1)
    except BlockingIOError:
        said = b""
    if not said:
        shutil.rmtree(sockets, ignore_errors=True)
    folder.with_suffix(".lock").unlink(missing_ok=True)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
