"""A file system of our own that can lose power, run full or fail, while the machine's stays well.

An ext4 file system on a loop device, its image in the trial's folder. `cut` is the ioctl
FS_IOC_SHUTDOWN with NOLOGFLUSH (linux/fs.h): from that moment nothing reaches the device any more,
and the next mount finds what had been written out by then, the journal as it was. Two canaries, one
synced and one not, prove each time that the device kept the first and dropped the second.

<home>/image    sparse; of a `ThinVolume`, <home> is a tmpfs of its own
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench import guardian
from bench.errors import Failed, Missing

SIZE_BYTES = 1 << 30
"""Sparse: only what is written takes room. mongod alone sets 200 MB of journal aside."""
_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_NOLOGFLUSH = struct.pack("I", 2)
_SMALL_BYTES = 64 << 20
_TOOL_SECONDS = 30.0
_UNMOUNT_SECONDS = 5.0
_BLOCK_BYTES = 4096
_FREEZE = 0xC0045877  # FIFREEZE
_THIN = "size=512m"
_ATTEMPTS = 20
_PROBE, _FILLER = ".probe", ".filler"
_KEPT, _DROPPED = ".canary-synced", ".canary-unsynced"
_CANARY = b"canary\n" * 512


class Volume:
    """A mounted file system; `mount` is its empty root. Not for several threads."""

    def __init__(self, home: Path, mount: Path, size_bytes: int = SIZE_BYTES) -> None:
        """Make it in `home` and mount it on `mount`. Raises Missing: not on this machine."""
        self.mount = mount
        self._image = home / "image"
        mount.mkdir(exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(size_bytes)
        # The journal is written now: it must not be the first thing to fail on a full device.
        now = "lazy_itable_init=1,lazy_journal_init=0,nodiscard"
        _tool("mkfs.ext4", "-q", "-F", "-m0", "-Jsize=4", "-E", now, str(self._image))
        self._attach()
        (mount / "lost+found").rmdir()

    def settle(self) -> None:
        """Have all that is there on disk, and then the canary that has to be found again."""
        with self._root() as root:
            if ctypes.CDLL(None, use_errno=True).syncfs(root) != 0:
                raise Failed(f"{self.mount} can't be synced: {os.strerror(ctypes.get_errno())}")
        with (self.mount / _KEPT).open("wb") as file:
            file.write(_CANARY)
            file.flush()
            os.fsync(file.fileno())

    def cut(self) -> None:
        """Cut the power. Whoever could still answer a client has to be stopped by now.

        Freezing the file system would be no way to stop them: FIFREEZE syncs it first.
        """
        (self.mount / _DROPPED).write_bytes(_CANARY)
        with self._root() as root:
            fcntl.ioctl(root, _SHUTDOWN, _NOLOGFLUSH)

    def remount(self) -> None:
        """Mount it anew, once every process on it is gone. Raises Failed: one has a file open."""
        self._detach(self.mount)
        self._see_device_gone()
        self._attach()

    def restore(self) -> None:
        """Bring the power back, once every process on it is gone.

        Raises Failed: one still has a file open, or the device was no model of a power cut.
        """
        self.remount()
        kept, dropped = self.mount / _KEPT, self.mount / _DROPPED
        if _content(kept) != _CANARY:
            raise Failed("the power cut took what had been synced: the device is no good model")
        if _content(dropped) == _CANARY:
            raise Failed("the power cut left what had not been synced: nothing was cut")

    def fill(self) -> None:
        """Take all the room that is left. Raises Failed: there is still some."""
        with (self.mount / _FILLER).open("wb") as filler:
            size_bytes, step_bytes = 0, SIZE_BYTES
            while step_bytes >= _BLOCK_BYTES:
                try:
                    os.posix_fallocate(filler.fileno(), size_bytes, step_bytes)
                    size_bytes += step_bytes
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    step_bytes //= 2
        if self.write_error() != errno.ENOSPC:
            raise Failed(f"{self.mount} was filled, and still takes what is written")

    def free(self) -> None:
        """Give back what `fill` took."""
        (self.mount / _FILLER).unlink()

    def write_error(self) -> int | None:
        """Write to a new file and sync it: the error's number, or None where it could be done."""
        probe = self.mount / _PROBE
        try:
            with probe.open("wb") as file:
                file.write(_CANARY)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return error.errno
        finally:
            # On a file system that has made itself read-only it stays.
            with contextlib.suppress(OSError):
                probe.unlink()
        return None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let every write wait, until the block ends."""
        with self._root() as root:
            fcntl.ioctl(root, _FREEZE, 0)
            try:
                yield
            finally:
                fcntl.ioctl(root, guardian.FITHAW, 0)

    def close(self) -> None:
        """Unmount it for good. Raises Failed: a process still has a file open."""
        self._detach(self.mount)
        self._see_device_gone()
        self._image.unlink(missing_ok=True)

    def _attach(self) -> None:
        if guardian.mounts(self.mount):
            raise Failed(f"{self.mount} is mounted already")
        # The loop device is set up to free itself with the last unmount. Inode tables are left
        # alone: a thread of the kernel would write to them during the trial.
        _mount(self.mount, "ext4", "loop,noatime,noinit_itable", str(self._image))

    def _detach(self, point: Path) -> None:
        try:
            guardian.unmount_soon(point, _UNMOUNT_SECONDS)
        except OSError as error:
            raise Failed(
                f"{point} can't be unmounted: {error.strerror};"
                " a process still has a file of it open"
            ) from error

    def _see_device_gone(self) -> None:
        """Wait until the kernel has let go of the device: what is mounted next must read it anew.

        A mount namespace that someone else made meanwhile has a copy of our mount, for its life.
        """
        deadline = time.monotonic() + _UNMOUNT_SECONDS
        while guardian.loops(self._image.parent):
            if time.monotonic() > deadline:
                raise Failed(f"{self.mount} is unmounted here, and in use in another namespace")
            time.sleep(0.002)

    @contextlib.contextmanager
    def _root(self) -> Iterator[int]:
        root = os.open(self.mount, os.O_RDONLY)
        try:
            yield root
        finally:
            os.close(root)


class ThinVolume(Volume):
    """One whose device is promised more room than there is, as thin provisioning does.

    Once it has run out, the device fails each write to a block that was never written before.
    """

    def __init__(self, home: Path, mount: Path, size_bytes: int = SIZE_BYTES) -> None:
        _mount(home, "tmpfs", _THIN, "tmpfs")
        self._home = home
        super().__init__(home, mount, size_bytes)

    def run_out(self) -> None:
        """Leave the device no more than it has. Raises Failed: it writes on all the same."""
        for attempt in range(_ATTEMPTS):
            room = os.statvfs(self._home)
            used = (room.f_blocks - room.f_bfree) * room.f_frsize
            try:
                _mount(self._home, "tmpfs", f"remount,size={used}", "tmpfs")
                break
            except Failed:
                # Something was written back meanwhile: less than that there can't be.
                if attempt == _ATTEMPTS - 1:
                    raise
        if self.write_error() is None:
            raise Failed("the device ran out of room, and still takes what is written")

    def refill(self) -> None:
        """Give the device room again."""
        _mount(self._home, "tmpfs", f"remount,{_THIN}", "tmpfs")

    def close(self) -> None:
        """Unmount it for good, image and all. Raises Failed: a process has a file open."""
        super().close()
        self._detach(self._home)


def require(folder: Path) -> None:
    """Make sure that `folder`'s machine can cut the power of a volume, by doing it once.

    Raises Missing.
    """
    home, mount = folder / "volume", folder / "mount"
    home.mkdir()
    try:
        volume = Volume(home, mount, _SMALL_BYTES)
    except Failed as error:
        raise Missing(str(error)) from error
    try:
        volume.settle()
        volume.cut()
        volume.restore()
    except (Failed, OSError) as error:
        raise Missing(f"a power cut can't be modelled here: {error}") from error
    finally:
        volume.close()


def _content(path: Path) -> bytes | None:
    """Read a file; None if it isn't there, or can't be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _mount(point: Path, kind: str, options: str, source: str) -> None:
    _tool("mount", "-t", kind, "-o", options, source, str(point))


def _tool(name: str, *arguments: str) -> None:
    try:
        subprocess.run(
            [name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=True,
            timeout=_TOOL_SECONDS,
        )
    except FileNotFoundError:
        raise Missing(f"{name} isn't here") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = " ".join(str(error.output or error).split())
        raise Failed(f"{name}: {said}") from error
